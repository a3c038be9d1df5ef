"""Answers of `compare`, made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from dupfind.answers.compare import Compared, Comparison, Comparisons, Proof
from dupfind.evidence import facts as facts_
from dupfind.reasons import Reason
from dupfind.report import Screen
from dupfind.report.compare import render
from dupfind.settings import Format
from dupfind.values import Evidence, ScanSettings, Thumbnail

SETTINGS = ScanSettings((), (), "phash", 10, Evidence.SAME, rotations=True)
PIXELS = np.repeat(np.arange(64, dtype=np.uint8)[None] * 4, 64, 0).tobytes()
DARK = bytes(64 * 64)
CHECK = facts_.Test("check hash", 2.0, 68.0, passed=True)
DISTANCES = {"phash": 16, "dhash": 1}


def compared(path: str = "a.jpg", **facts: Any) -> Compared:
    """A photo."""
    thumbnail = Thumbnail(PIXELS, 640, 480, "JPEG", 1, None, quality=88)
    values: dict[str, Any] = {"thumbnail": thumbnail, "hashes": {"phash": "00ff", "dhash": "1234"}, **facts}
    return Compared(path, 48_000, **values)


def proof(evidence: Evidence | None, reason: Reason | None = None, **facts: Any) -> Proof:
    """A proof by pixels."""
    values: dict[str, Any] = {"distances_bits": DISTANCES, "check_bits": 2, "tests": (CHECK,), **facts}
    return Proof(evidence, reason, **values)


SAME = Comparison(compared(), compared("b.jpg"), proof(Evidence.SAME), proof(Evidence.SAME), (PIXELS, DARK))
BROKEN = compared("no.jpg", thumbnail=None, hashes={}, error="not a picture")
LOST = Comparison(compared(), BROKEN, Proof(None, None), Proof(None, None), error="no.jpg: not a picture")


def answer(*pairs: Comparison) -> Comparisons:
    """Everything that one run has to say."""
    return Comparisons("1.0", SETTINGS, [pairs[0].first, *(pair.other for pair in pairs)], pairs, ())


def printed(*pairs: Comparison, format_: Format = Format.TABLE, **options: Any) -> str:
    """What is printed of these."""
    values: dict[str, Any] = {"screen": Screen(), "visual": False, "print0": False, **options}
    return render(answer(*pairs), format_, **values).decode()
