"""Files that change while they are read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from dupfind import pipeline
from dupfind.cache import cache, last_run, result_cache
from dupfind.commands import indexing
from dupfind.scanning import scan_again
from dupfind.values import FileState, Report
from tests.helpers.scans import settings
from tests.helpers.trees import build_tree

RACY_SECONDS = 0.012
"""Stands for the two seconds of the cache, so that a round takes milliseconds. It is longer than the kernel's tick, the
grain of the times of many file systems."""


NAMES = ("a", "b", "c")


@contextmanager
def believed_at_once(after_seconds: float = 0) -> Iterator[None]:
    """Files of milliseconds ago are believed: a machine cannot wait two seconds after each step."""
    with ExitStack() as stack:
        for module in (cache, result_cache, last_run):
            stack.enter_context(patch.object(module, "_RACY_NS", int(after_seconds * 1e9)))
        stack.enter_context(patch.object(indexing, "RACY_NS", int(after_seconds * 1e9)))
        yield


@contextmanager
def short_scans() -> Iterator[list[bool]]:
    """Tell of each scan whether it has gone the short way; files of milliseconds ago are believed."""
    counts: list[bool] = []
    real = scan_again.scan_again

    def counted(*values: Any, **options: Any) -> Any:
        findings = real(*values, **options)
        counts.append(findings is not None)
        return findings

    with patch.object(scan_again, "scan_again", counted), believed_at_once():
        yield counts


TICK_SECONDS = 1000
"""Of a clock so coarse that all that a test does carries one time, or two."""


class _CoarseEntry:
    """What a directory lists, with the times of :func:`coarse_clock`."""

    def __init__(self, entry: os.DirEntry[str]) -> None:
        self._entry = entry

    def stat(self, **options: bool) -> os.stat_result:
        """Return what the system says, but for its times."""
        return _coarse(self._entry.stat(**options))

    def __fspath__(self) -> str:
        return self._entry.path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)


def _coarse(found: os.stat_result) -> os.stat_result:
    fields = found.__reduce__()[1]
    tick_ns = TICK_SECONDS * 10**9
    times = {name: getattr(found, name) // tick_ns * tick_ns for name in ("st_mtime_ns", "st_ctime_ns")}
    return os.stat_result(fields[0], fields[1] | times)


@contextmanager
def coarse_clock() -> Iterator[None]:
    """A file system whose clock ticks so rarely that no edit changes a time; what was just written is believed by none.

    Stands for FAT and its two seconds.
    """
    real = {name: getattr(os, name) for name in ("stat", "lstat", "fstat", "scandir")}

    @contextmanager
    def listed(*where: Any) -> Iterator[Iterator[_CoarseEntry]]:
        with real["scandir"](*where) as entries:
            yield map(_CoarseEntry, entries)

    with ExitStack() as stack:
        for name in ("stat", "lstat", "fstat"):
            call = real[name]
            wrapped = lambda *words, _call=call, **options: _coarse(_call(*words, **options))  # noqa: E731
            stack.enter_context(patch.object(os, name, wrapped))
        stack.enter_context(patch.object(os, "scandir", listed))
        stack.enter_context(believed_at_once(2 * TICK_SECONDS))
        yield


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
    kept_in = str(top / "cache.sqlite")
    for _ in range(rounds):
        if dice.random() < 0.3:
            time.sleep(RACY_SECONDS + 0.003)  # what is read now will be kept
            scan(hay, needles, cache=kept_in)
        dice.choice(EDITS)(dice.choice([hay, needles]) / dice.choice(NAMES), dice.choice(contents))
        warm, cold = scan(hay, needles, cache=kept_in), scan(hay, needles)
        assert answer(cold) == answer(warm)
        assert {old} == {file.stat().st_mtime_ns for file in (*hay.iterdir(), *needles.iterdir())}
        for one in warm.files:
            seen[one.state] = seen.get(one.state, 0) + 1
    return seen
