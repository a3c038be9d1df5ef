"""Bit rot: what a scan says when something in its cache is not what was written there.

    python -m faults.rot [--rounds N] [--seed N]

A small cache that knows everything, the memory of answers sometimes on and sometimes off. Each round spoils it in one
way, scans, and compares the answer with the true one. The scans run in this process: a thousand take a minute or two.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import closing
from pathlib import Path
from typing import Any

from dupfind import pipeline
from dupfind.events import Silence
from dupfind.settings import Settings, make_settings
from dupfind.values import FileState, FileVerdict, Report
from faults.common import Trees, build, table

_PAGE_BYTES = 4096
_SECTOR_BYTES = 512

Spoil = Callable[[bytearray, random.Random], None]


class Serial(Executor):
    """Runs everything at once in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn``."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Warnings(Silence):
    """Keeps what a run gives warning of."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def warn(self, text: str) -> None:
        """Keep it."""
        self.texts.append(text)


def _flip(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _flip_outside_pixels(data: bytearray, dice: random.Random) -> None:
    """In one of the pages that hold anything but thumbnails, which are most of the file."""
    pages = [start for start in range(0, len(data), _PAGE_BYTES) if not _is_overflow(data, start)]
    data[dice.choice(pages) + dice.randrange(_PAGE_BYTES)] ^= 1 << dice.randrange(8)


def _is_overflow(data: bytearray, start: int) -> bool:
    """Pages of a tree begin with its kind, those that only continue a long row with the number of the next."""
    return start > 0 and data[start] not in (2, 5, 10, 13)


def _zero_sector(data: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(data) // _SECTOR_BYTES) * _SECTOR_BYTES
    data[start : start + _SECTOR_BYTES] = bytes(_SECTOR_BYTES)


def _zero_page(data: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(data) // _PAGE_BYTES) * _PAGE_BYTES
    data[start : start + _PAGE_BYTES] = bytes(_PAGE_BYTES)


def _swap_pages(data: bytearray, dice: random.Random) -> None:
    """What a disk that writes to the wrong place leaves."""
    one, other = (number * _PAGE_BYTES for number in dice.sample(range(1, len(data) // _PAGE_BYTES), 2))
    data[one : one + _PAGE_BYTES], data[other : other + _PAGE_BYTES] = (
        data[other : other + _PAGE_BYTES],
        data[one : one + _PAGE_BYTES],
    )


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data)) :]


KINDS: dict[str, Spoil] = {
    "one bit": _flip,
    "one bit, not in pixels": _flip_outside_pixels,
    "a sector of zeros": _zero_sector,
    "a page of zeros": _zero_page,
    "two pages exchanged": _swap_pages,
    "cut off": _cut,
}


class Victim:
    """Trees, and a sound cache of them to be spoilt again and again."""

    def __init__(self, folder: Path) -> None:
        self.trees: Trees = build(folder / "trees")
        self.folder = folder
        self.true = self._scan(None)[0]
        self.sound = {}
        for name, remembers in (("memory", True), ("no memory", False)):
            cache = folder / f"{name}.sqlite"
            for _ in range(2):
                self._scan(cache)
            if not remembers:
                with closing(sqlite3.connect(cache)) as connection, connection:
                    connection.execute("DELETE FROM answer")
                    connection.execute("DELETE FROM snapshot")
            self.sound[name] = cache.read_bytes()

    def put(self, data: bytes) -> Path:
        """Make a cache of these bytes."""
        cache = self.folder / "spoilt" / "cache.sqlite"
        shutil.rmtree(cache.parent, ignore_errors=True)
        cache.parent.mkdir(mode=0o700)
        with open(os.open(cache, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(data)
        return cache

    def look(self, cache: Path) -> tuple[str, list[str]]:
        """Scan with this cache; gives what became of the answer, and what was said of the cache."""
        report, warnings = self._scan(cache)
        return _difference(report, self.true), warnings

    def _scan(self, cache: Path | None) -> tuple[Report, list[str]]:
        where: dict[str, Any] = {"no_cache": True} if cache is None else {"cache": str(cache)}
        settings: Settings = make_settings(
            haystack=[str(self.trees.haystack)], needles=[str(self.trees.needles)], workers=1, **where
        )
        listener = Warnings()
        return pipeline.scan(settings, listener, Serial), listener.texts


def _difference(found: Report, true: Report) -> str:
    if _facts(found) == _facts(true):
        return "right"
    states = {one.path: one.state for one in true.files}
    if any(one.state is FileState.PRESENT and states[one.path] is not FileState.PRESENT for one in found.files):
        return "falsely present"
    return "otherwise wrong"


def _facts(report: Report) -> tuple[object, ...]:
    files: list[FileVerdict] = report.files
    return files, report.folders, report.problems, report.haystack


def main() -> None:
    """Spoil, scan, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        victim = Victim(Path(folder))
        rows = []
        for kind, spoil in KINDS.items():
            counts: Counter[str] = Counter()
            dice = random.Random(f"{options.seed} {kind}")
            for number in range(options.rounds):
                data = bytearray(victim.sound[list(victim.sound)[number % 2]])
                spoil(data, dice)
                outcome, warnings = victim.look(victim.put(bytes(data)))
                counts[outcome] += 1
                counts["told"] += bool(warnings)
            rows.append([kind, options.rounds, *(counts[one] for one in _OUTCOMES)])
        print(table(["what was spoilt", "rounds", *_OUTCOMES], rows))


_OUTCOMES = ("right", "falsely present", "otherwise wrong", "told")

if __name__ == "__main__":
    main()
