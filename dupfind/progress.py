"""What a person sees of a run on standard error: bars while it works, warnings, problems. Never standard output."""

from __future__ import annotations

import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Protocol

from dupfind.events import Advance
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


def say(text: str) -> None:
    """One line on standard error; a standard error that is closed or full is no reason to fail."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"dupfind: {text}\n")
        sys.stderr.flush()


def _screen() -> Screen:
    if sys.stderr is None or sys.stderr.closed:
        return Screen()
    return Screen(shutil.get_terminal_size().columns, sys.stderr.isatty(), sys.stderr.encoding or "utf-8")


def write(data: bytes) -> None:
    """Several lines on standard error; again no reason to fail."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()


class _Forgiving:
    """Standard error for bars: likewise."""

    def write(self, text: str) -> None:
        """Write what can be written."""
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Likewise."""
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(sys.stderr, name)  # such as the width of the terminal


class Bar(Protocol):
    """What is used of tqdm, which is imported only where a bar is shown."""

    def update(self, n: float) -> object:
        """Count ``n`` more items."""

    def close(self) -> None:
        """Take the bar away."""


class Console:
    """The listener of the command line; with ``watch`` it also tells afterwards where the time went."""

    def __init__(
        self, *, bars: bool, quiet: bool = False, verbose: bool = False, watch: Stopwatch | None = None
    ) -> None:
        self._bars = bars
        self._quiet = quiet
        self._warned: set[str] = set()
        self._verbose = verbose
        self._watch = watch

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:
        """Show a bar with count, rate and remaining time, or nothing; with ``verbose`` say afterwards how it went."""
        done = 0
        began = time.monotonic()
        bar = self._make_bar(name, total) if self._bars else None

        def advance(items: int) -> None:
            nonlocal done
            done += items
            if bar is not None:
                bar.update(items)
            if self._watch is not None:
                self._watch.count(items)

        try:
            with self.part(_PARTS.get(name, name)):
                yield advance
        finally:
            if bar is not None:
                bar.close()
        if self._verbose:
            seconds = time.monotonic() - began
            rate = f", {done / seconds:,.0f} a second" if seconds > _WORTH_A_RATE_SECONDS else ""
            much = f"{done:,} bytes" if name in _IN_BYTES else count(done, "file")
            say(f"{name}: {much} in {seconds:.2f} s{rate}")

    def part(self, name: str, items: int = 0) -> AbstractContextManager[None]:
        """Count the time, where that was asked for."""
        return nullcontext() if self._watch is None else self._watch.part(name, items)

    def worked(self, seconds: float) -> None:
        """Count a worker's time, likewise."""
        if self._watch is not None:
            self._watch.worked(seconds)

    def times(self, workers: int) -> None:
        """Print the table of where the time went, where that was asked for, however quiet the run was to be."""
        if self._watch is not None:
            from dupfind.report import times

            write(times.render(self._watch.stop(), workers, _screen()))

    def tell(self, text: str) -> None:
        """Print a line that is good to know."""
        if not self._quiet:
            say(printable(text))

    def insist(self, text: str) -> None:
        """Print a line that nobody may miss, whatever they have asked for."""
        say(printable(text))

    def warn(self, text: str) -> None:
        """Print a warning, once: files may be read twice, for the answer and for a page."""
        if not self._quiet and text not in self._warned:
            self._warned.add(text)
            say(f"warning: {printable(text)}")

    def problems(self, problems: Sequence[Problem]) -> None:
        """A line a problem with the file and the cause; what comes by the thousand for one cause is counted instead."""
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
            say(f"{printable(problem.path)}: {printable(problem.reason)}")
        for (side, reason), number in alike.items():
            if number > _MOST_ALIKE:
                say(f"{number - _MOST_ALIKE:,} more among the {side}: {printable(reason)} (-v lists them all)")

    @staticmethod
    def _make_bar(name: str, total: int | None) -> Bar:
        from tqdm import tqdm

        units = {"unit": "B", "unit_scale": True} if name in _IN_BYTES else {"unit": " files"}
        bar: Bar = tqdm(
            desc=name, total=total, file=_Forgiving(), leave=False, dynamic_ncols=True, smoothing=0.1, **units
        )
        return bar
