"""What a person sees of a run on standard error: one line of progress, warnings, problems. Never standard output."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from dupfind.events import Advance
from dupfind.progress_line import Going, Step, line, step_at
from dupfind.report import Screen
from dupfind.report.text import count, printable
from dupfind.stopwatch import Stopwatch
from dupfind.values import Problem

_WORTH_A_RATE_SECONDS = 0.5
_PARTS = {
    "walking": "walk",
    "nothing has changed since an earlier run": "look up",
    "comparing bytes": "digest",
    "decoding": "decode",
    "decoding the needle": "decode needles",
    "decoding needles": "decode needles",
    "comparing at full size": "full size",
    "decoding haystack": "decode haystack",
    "reading whole": "decode whole",
    "describing needles": "parts",
    "describing haystack": "parts",
    "comparing parts": "parts",
    "hashing": "hash",
    "matching": "evidence",
    "looking at damaged needles": "evidence",
    "reading witnesses again": "second look",
    "comparing": "compare",
    "looking again": "last look",
}
"""What the time of a stage is counted for; a part of it, such as the search, may be counted for something else."""
_IN_BYTES = frozenset({"importing", "moving"})
"""Stages that count bytes."""
_MOST_ALIKE = 10
"""Lines printed of files with one and the same problem, before the rest is counted."""
_SHOWN_PARTS = {"look up": "looking up", "search": "matching", "evidence": "matching", "verdict": "judging"}
"""Parts that are shown where no stage is at work, by the name that they have then: nothing writes during these."""
_EVERY_SECONDS = 0.1
"""The line is not written anew more often: it would cost more than the work."""
_USUAL_COLUMNS = 80
"""Where the screen does not say how wide it is."""


def say(text: str) -> None:
    """Print one line on standard error; a standard error that is closed or full is no reason to fail."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"dupfind: {text}\n")
        sys.stderr.flush()


def _screen() -> Screen:
    if sys.stderr is None or sys.stderr.closed:
        return Screen()
    return Screen(shutil.get_terminal_size().columns, sys.stderr.isatty(), sys.stderr.encoding or "utf-8")


def write(data: bytes) -> None:
    """Print several lines on standard error; again no reason to fail."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()


class _Line:
    """The line of progress: written over and over in its place, and taken away before anything else is printed."""

    def __init__(self) -> None:
        self._shown = 0
        """Characters of what stands there."""
        self._since = 0.0

    def show(self, going: Going, place: tuple[int, int], *, at_once: bool = False) -> None:
        """Write the line anew, unless that was done a moment ago."""
        now = time.monotonic()
        if self._shown and not at_once and now - self._since < _EVERY_SECONDS:
            return
        text = line(going, place, now, _columns())
        _write(f"\r{text.ljust(self._shown)}" if self._shown > len(text) else f"\r{text}")
        self._shown, self._since = len(text), now

    def erase(self) -> None:
        """Take the line away, without the escape sequences that not every terminal knows."""
        if self._shown:
            _write(f"\r{' ' * min(self._shown, _columns() - 1)}\r")
            self._shown = 0


def _write(text: str) -> None:
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(text)
        sys.stderr.flush()


def _columns() -> int:
    """Return how wide the screen is now: it may be made wider and narrower during the run."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL_COLUMNS
    except (OSError, ValueError, AttributeError):  # no terminal, or a standard error that is closed
        return _USUAL_COLUMNS


class Console:
    """The listener of the command line: a line of progress where ``has_line``, counted in the ``steps`` of the run.

    With ``watch`` it also tells afterwards where the time went.
    """

    def __init__(
        self,
        *,
        has_line: bool,
        quiet: bool = False,
        verbose: bool = False,
        watch: Stopwatch | None = None,
        steps: tuple[Step, ...] = (),
    ) -> None:
        self._line = _Line() if has_line else None
        self._steps = steps
        self._step = 0
        self._going: list[Going] = []
        """The stages at work, the innermost last."""
        self._quiet = quiet
        self._warned: set[str] = set()
        self._verbose = verbose
        self._watch = watch

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Show on the line how far the stage is, where there is a line; with ``verbose`` say afterwards how it went."""
        going = Going(name, total, time.monotonic(), in_bytes=name in _IN_BYTES)
        self._step = step_at(self._steps, self._step, name)

        def advance(items: int) -> None:
            going.done += items
            self._show(going)
            if self._watch is not None:
                self._watch.count(items)

        self._going.append(going)
        self._show(going, at_once=len(self._going) == 1)  # one of many within another may be over in no time
        try:
            with self._timed(_PARTS.get(name, name)):
                yield advance
        finally:
            self._going.remove(going)
            if not self._going:
                self._erase()
        if self._verbose:
            seconds = time.monotonic() - going.began_seconds
            rate = f", {going.done / seconds:,.0f} a second" if seconds > _WORTH_A_RATE_SECONDS else ""
            much = f"{going.done:,} bytes" if going.in_bytes else count(going.done, "file")
            self._say(f"{name}: {much} in {seconds:.2f} s{rate}")

    def expect(self, size_bytes: int) -> None:
        """Hear how many bytes the stage at work is about."""
        if self._going:
            self._going[-1].total_bytes += size_bytes

    def went_through(self, size_bytes: int) -> None:
        """Hear how many of them are done."""
        if self._going:
            self._going[-1].done_bytes += size_bytes

    def part(self, name: str, items: int = 0) -> AbstractContextManager[None]:
        """Count the time, where that was asked for; between the stages the line tells of it."""
        if self._line is None or self._going or name not in _SHOWN_PARTS:
            return self._timed(name, items)
        return self._shown_part(name, items)

    @contextmanager
    def _shown_part(self, name: str, items: int) -> Iterator[None]:
        self._show(Going(_SHOWN_PARTS[name], None, time.monotonic()))
        try:
            with self._timed(name, items):
                yield
        finally:
            self._erase()

    def _timed(self, name: str, items: int = 0) -> AbstractContextManager[None]:
        return nullcontext() if self._watch is None else self._watch.part(name, items)

    def worked(self, seconds: float) -> None:
        """Count a worker's time, likewise."""
        if self._watch is not None:
            self._watch.worked(seconds)

    def times(self, workers: int) -> None:
        """Print the table of where the time went, where that was asked for, however quiet the run was to be."""
        if self._watch is not None:
            from dupfind.report import times

            self._erase()
            write(times.render(self._watch.stop(), workers, _screen()))

    def tell(self, text: str) -> None:
        """Print a line that is good to know."""
        if not self._quiet:
            self._say(printable(text))

    def insist(self, text: str) -> None:
        """Print a line that nobody may miss, whatever they have asked for."""
        self._say(printable(text))

    def warn(self, text: str) -> None:
        """Print a warning, once: files may be read twice, for the answer and for a page."""
        if not self._quiet and text not in self._warned:
            self._warned.add(text)
            self._say(f"warning: {printable(text)}")

    def problems(self, problems: Sequence[Problem]) -> None:
        """Print a line for each problem with the file and the cause; what comes by the thousand for one cause is
        counted instead.
        """
        if self._quiet:
            return
        alike: dict[tuple[str, str], int] = defaultdict(int)
        for problem in problems:
            if problem.is_note and not self._verbose:
                continue
            if not self._verbose:
                alike[problem.side, problem.reason] += 1
                if alike[problem.side, problem.reason] > _MOST_ALIKE:
                    continue
            self._say(f"{printable(problem.path)}: {printable(problem.reason)}")
        for (side, reason), number in alike.items():
            if number > _MOST_ALIKE:
                self._say(f"{number - _MOST_ALIKE:,} more among the {side}: {printable(reason)} (-v lists them all)")

    def _show(self, going: Going, *, at_once: bool = False) -> None:
        if self._line is not None and (not self._going or going is self._going[-1]):
            self._line.show(going, (self._step + 1, len(self._steps)), at_once=at_once)

    def _erase(self) -> None:
        if self._line is not None:
            self._line.erase()

    def _say(self, text: str) -> None:
        self._erase()
        say(text)
