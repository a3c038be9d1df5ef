"""What the programs of this folder share: trees that take a scan through every stage, answers, and sound caches."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageOps

from fixtures import pictures

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Those that end a run."""
RACY_SECONDS = 2.1
"""What has changed so shortly before is not kept in the cache."""
_ROOT = Path(__file__).resolve().parents[1]
_SECONDS = 120
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(_ROOT)}


class Trees(NamedTuple):
    """A haystack and needles below one folder."""

    haystack: Path
    needles: Path

    def command(self, *options: str) -> list[str]:
        """A scan of them, its answer as JSON."""
        roots = ["--haystack", str(self.haystack), "--needles", str(self.needles)]
        return [sys.executable, "-m", "dupfind", "scan", *roots, "--format", "json", "--no-progress", *options]


class Answer(NamedTuple):
    """What a scan gave."""

    code: int
    verdicts: Any
    """Folders, files, summary and problems: what does not depend on when it was made. None without a report."""
    said: str
    """Standard error."""
    seconds: float


def build(folder: Path, copies: int = 0) -> Trees:
    """Make trees with every kind of verdict and evidence, ``copies`` files more on each side, and let them settle.

    The copies are one picture again and again under other bytes: work that takes a while and says nothing.
    """
    one, two, three, four, five = (pictures.photo(seed, (320, 240)) for seed in range(5))
    large = pictures.photo(6, (2400, 2100))
    whole = _jpeg(four, 90)
    files: dict[str, bytes] = {
        "hay/a.jpg": _jpeg(one, 90),
        "hay/b.png": _saved(two, "PNG"),
        "hay/c.jpg": _jpeg(three, 92),
        "hay/d.jpg": whole,
        "hay/large.jpg": _saved(large, "JPEG", quality=92, progressive=True),
        "hay/notes.txt": b"notes",
        "needles/copies/a.jpg": _jpeg(one, 90),
        "needles/copies/notes.txt": b"notes",
        "needles/saved/a.jpg": _jpeg(one, 70),
        "needles/saved/b.jpg": _jpeg(two, 85),
        "needles/saved/large.jpg": _saved(large, "JPEG", quality=88, progressive=True),
        "needles/turned/c.png": _saved(three.transpose(Image.Transpose.ROTATE_90), "PNG"),
        "needles/edited/framed.png": _saved(ImageOps.expand(three, 24, "white"), "PNG"),
        "needles/edited/mirrored.jpg": _jpeg(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 88),
        "needles/damaged/cut.jpg": whole[:-3000],
        "needles/damaged/broken.jpg": b"\xff\xd8\xff\xe0 no picture",
        "needles/others/e.jpg": _jpeg(five, 85),
        "needles/others/other notes.txt": b"NOTES",
    }
    more = _jpeg(pictures.photo(7, (1600, 1200)), 95)
    for number in range(copies):
        files[f"hay/more/{number % 8}/{number}.jpg"] = _with_comment(more, 2 * number)
        files[f"needles/more/{number % 8}/{number}.jpg"] = _with_comment(more, 2 * number + 1)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    time.sleep(RACY_SECONDS)
    return Trees(folder / "hay", folder / "needles")


def run(trees: Trees, *options: str, **environment: str) -> Answer:
    """Scan, and wait for the answer."""
    began = time.monotonic()
    done = subprocess.run(
        trees.command(*options),
        capture_output=True,
        check=False,
        env=ENVIRONMENT | environment,
        timeout=_SECONDS,
    )
    return Answer(done.returncode, verdicts(done.stdout), done.stderr.decode(), time.monotonic() - began)


def verdicts(report: bytes) -> Any:
    """What of a report does not depend on when it was made; None where there is none."""
    if not report:
        return None
    answer = json.loads(report)
    return [answer[key] for key in ("folders", "files", "summary", "problems")]


def integrity(cache: Path) -> str:
    """What SQLite finds of a copy of the cache, with its journal where one was left: ``ok`` for a sound one."""
    if not cache.exists():
        return "ok"
    folder = cache.with_name(cache.name + ".looked at")
    folder.mkdir()
    try:
        for name in (cache.name, cache.name + "-journal"):
            if cache.with_name(name).exists():
                shutil.copy(cache.with_name(name), folder)
        with closing(sqlite3.connect(folder / cache.name)) as connection:
            return ", ".join(row[0] for row in connection.execute("PRAGMA integrity_check"))
    finally:
        shutil.rmtree(folder)


def processes_of_session(session: int) -> list[int]:
    """The processes that still run of those that one run has started; Linux only."""
    return list(parents_in_session(session))


def parents_in_session(session: int) -> dict[int, int]:
    """The same processes, each with the number of the one that has started it."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            parents[int(entry.name)] = int(fields[1])
    return parents


def has_begun(pid: int) -> bool:
    """Whether the program answers all signals that end a run, or is over. Linux only.

    Until then Python answers: while it reads its own modules a SIGINT gives a traceback, a fatal error, or is lost in a
    callback, after which it goes on.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    answered = _signals(status, "SigCgt") | _signals(status, "SigIgn")
    return "State:\tZ" in status or all(answered >> number - 1 & 1 for number in SIGNALS)


def _signals(status: str, mask: str) -> int:
    line = re.search(rf"^{mask}:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return int(line[1], 16) if line else 0


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [list(head), ["---"] * len(head), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    return _saved(image, "JPEG", quality=quality)


def _saved(image: Image.Image, format_: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def _with_comment(jpeg: bytes, number: int) -> bytes:
    """The same picture in other bytes."""
    comment = f"copy {number:08}".encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]
