"""What is on a page, and what must do no harm there."""

from __future__ import annotations

import html as escaping
import json
import re
from typing import Any

from dupfind.values import Cataloged

CATALOG = Cataloged("disk.dupfind", "/media/disk", "2026-11-01T12:00:00+00:00", 1_728_000.0, 12, True)


def block(page: bytes, id_: str) -> Any:
    """What is embedded under this name."""
    (found,) = re.findall(rf'<script type="application/json" id="{id_}">(.*?)</script>', page.decode(), re.DOTALL)
    return json.loads(found)


def words(page: bytes) -> str:
    """What a person reads above the lists, on one line."""
    body = page.decode().partition("<body>")[2].partition("<dialog")[0]
    return " ".join(escaping.unescape(re.sub(r"<[^>]*>", " ", body)).split())


EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&{{7*7}}\u202e\n\udcff"
