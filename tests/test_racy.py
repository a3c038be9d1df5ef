"""Edits that hide: the same size, the old time put back, moments after the file was read; a thousand of them.

What is remembered of files must not outlive them: the answers with the cache and without are compared after each edit.
"""

from __future__ import annotations

import io
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from dupfind import pipeline
from dupfind.values import FileState, Report
from fixtures import pictures
from tests.conftest import build_tree
from tests.test_pipeline import settings

RACY_SECONDS = 0.012
"""Stands for the two seconds of the cache, so that a round takes milliseconds. It is longer than the kernel's tick, the
grain of the times of many file systems."""

NAMES = ("a", "b", "c")


def rewrite(file: Path, content: bytes) -> None:
    """Other bytes in the same file."""
    times = file.stat()
    with file.open("r+b") as same:
        same.write(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def replace(file: Path, content: bytes) -> None:
    """Another file is moved over it."""
    times, other = file.stat(), file.with_name("other.tmp")
    other.write_bytes(content)
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(file)


def swap(file: Path, content: bytes) -> None:
    """It changes places with its neighbour, and then comes the content: two files carry other names than before."""
    neighbour = file.with_name(NAMES[NAMES.index(file.name) - 1])
    file.rename(file.with_name("other.tmp"))
    neighbour.rename(file)
    file.with_name("other.tmp").rename(neighbour)
    rewrite(file, content)


def begin_anew(file: Path, content: bytes) -> None:
    """Truncated to nothing and written anew."""
    times = file.stat()
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


class Hands(Executor):
    """Work is done at once, without a thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Run ``fn``."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **options))
        return future


def scan(haystack: Path, needles: Path, **options: Any) -> Report:
    """Scan in this thread."""
    return pipeline.scan(settings(haystack, needles, **options), make_executor=Hands)


EDITS = (rewrite, replace, swap, begin_anew)


def answer(report: Report) -> list[tuple[str, FileState, str | None]]:
    """What is said of each needle."""
    return [(one.path, one.state, one.witness) for one in report.files]


def race(top: Path, contents: list[bytes], rounds: int, seed: int) -> dict[FileState, int]:
    """Edit, ask with and without the cache, and so on; gives how often each verdict fell."""
    dice = Random(seed)  # noqa: S311 - dice, no secret
    hay, needles = (build_tree(top / side, dict.fromkeys(NAMES, contents[0])) for side in ("hay", "needles"))
    old = time.time_ns() - 10**15
    for file in (*hay.iterdir(), *needles.iterdir()):
        os.utime(file, ns=(old, old))
    seen: dict[FileState, int] = {}
    cache = str(top / "cache.sqlite")
    for _ in range(rounds):
        if dice.random() < 0.3:
            time.sleep(RACY_SECONDS + 0.003)  # what is read now will be kept
            scan(hay, needles, cache=cache)
        dice.choice(EDITS)(dice.choice([hay, needles]) / dice.choice(NAMES), dice.choice(contents))
        warm, cold = scan(hay, needles, cache=cache), scan(hay, needles)
        assert answer(cold) == answer(warm)
        assert {old} == {file.stat().st_mtime_ns for file in (*hay.iterdir(), *needles.iterdir())}
        for one in warm.files:
            seen[one.state] = seen.get(one.state, 0) + 1
    return seen


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is racy is so for less time, and nobody waits for the disk."""
    for module in ("cache", "memory"):
        monkeypatch.setattr(f"dupfind.cache.{module}._RACY_NS", int(RACY_SECONDS * 1e9))
    real = sqlite3.connect

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = real(*arguments, **options)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect)


@pytest.mark.slow
@pytest.mark.usefixtures("fast")
def test_a_thousand_edits(tmp_path: Path) -> None:
    """Of files that are known by their bytes."""
    seen = race(tmp_path, [b"one", b"two", b"six", b"ten"], 1000, 1)
    assert min(seen[FileState.PRESENT], seen[FileState.MISSING]) > 500


@pytest.mark.slow
@pytest.mark.usefixtures("fast")
def test_edits_of_pictures(tmp_path: Path) -> None:
    """One file format without compression, so that every picture has the same size."""
    contents = []
    for seed in (1, 2):
        for quality in (95, 60):  # two files of one picture, which prove each other
            image = pictures.photo(seed, (96, 64))
            coded, file = io.BytesIO(), io.BytesIO()
            image.save(coded, "JPEG", quality=quality)
            with Image.open(coded) as again:
                again.save(file, "BMP")
            contents.append(file.getvalue())
    assert 1 == len(set(map(len, contents)))
    seen = race(tmp_path, contents, 100, 2)
    assert min(seen[FileState.PRESENT], seen[FileState.MISSING]) > 10
