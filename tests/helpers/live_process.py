"""The real command ``dupfind review``, and requests as its page sends them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.report_pages import block

ADDRESS = re.compile(r"http://127\.0\.0\.1:[0-9]+/[\w-]{32}/\n")
COMMAND = (
    sys.executable,
    "-m",
    "dupfind",
    "review",
    "--haystack",
    "hay",
    "--needles",
    "n",
    "--no-browser",
    "--no-cache",
)


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a folder with ``hay`` and ``n``, and the address that it prints; its data and state lie there."""
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "data"), "XDG_STATE_HOME": str(folder / "state")}
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert ADDRESS.fullmatch(line), process.communicate()
        yield process, line.strip()
    finally:
        process.kill()
        process.communicate()


def sent(address: str, what: str, body: object) -> dict[str, Any]:
    """What comes of a request as the page sends it; what is refused is an object with ``status``, too."""
    headers = {"Origin": "/".join(address.split("/")[:3]), "Content-Type": "application/json"}
    request = urllib.request.Request(address + what, json.dumps(body).encode(), headers)  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - likewise
            value: dict[str, Any] = json.load(answer)
            return value
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode()
            return {"status": error.code, **(json.loads(text) if text.startswith("{") else {"error": text})}


def got(address: str, what: str = "") -> bytes:
    """What the page fetches."""
    with urllib.request.urlopen(address + what, timeout=60) as answer:  # noqa: S310 - likewise
        content: bytes = answer.read()
        return content


def data_of(address: str) -> dict[str, Any]:
    """What the page holds for its script."""
    value: dict[str, Any] = block(got(address), "data")
    return value
