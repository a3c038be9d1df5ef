"""What a person sees of a run on standard error: one line of progress, warnings, problems. Never standard output."""

from __future__ import annotations

import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from dupfind.events import Advance
from dupfind.progress_line import Going, Step, step_at
from dupfind.report import Screen
from dupfind.report.text import count, printable
from dupfind.stopwatch import Stopwatch
from dupfind.values import Problem

if TYPE_CHECKING:
    from dupfind.progress_bar import Line

_WORTH_A_RATE_SECONDS = 0.5
_PARTS = {
    "walking": "walk",
    "nothing has changed since an earlier run": "look up",
    "comparing bytes": "digest",
    "decoding": "decode",
    "decoding the needle": "decode needles",
    "decoding a sample": "decode needles",
    "decoding needles": "decode needles",
    "comparing at full size": "full size",
    "decoding haystack": "decode haystack",
    "reading whole": "decode whole",
    "describing": "parts",
    "describing needles": "parts",
    "describing haystack": "parts",
    "looking for more parts": "parts",
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


def say(text: str) -> None:
    """Print one line on standard error; a standard error that is closed or full is no reason to fail."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(_said(text))
        sys.stderr.flush()


def _said(text: str) -> str:
    return f"dupfind: {text}\n"


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


class _Forgiving:
    """Standard error for the line: again no reason to fail."""

    def write(self, text: str) -> None:
        """Write what can be written."""
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Likewise."""
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(sys.stderr, name)  # such as the handle, by which tqdm asks for the width


_STANDARD_ERROR = _Forgiving()


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
        self._has_line = has_line
        self._line: Line | None = None
        """What stands on the screen; none between the stages."""
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
        self._step = step_at(self._steps, self._step, name)
        going = self._begun(name, total)

        def advance(items: int) -> None:
            going.done += items
            if self._line is not None:
                self._line.update(0)
            if self._watch is not None:
                self._watch.count(items)

        with self._shown(going), self._timed(_PARTS.get(name, name)):
            yield advance
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
        if not self._has_line or self._going or name not in _SHOWN_PARTS:
            return self._timed(name, items)
        return self._shown_part(name, items)

    @contextmanager
    def _shown_part(self, name: str, items: int) -> Iterator[None]:
        with self._shown(self._begun(_SHOWN_PARTS[name], None)), self._timed(name, items):
            yield

    def _begun(self, name: str, total: int | None) -> Going:
        step = self._step + 1, len(self._steps)
        return Going(name, total, time.monotonic(), step, in_bytes=name in _IN_BYTES)

    @contextmanager
    def _shown(self, going: Going) -> Iterator[None]:
        """Let the line tell of it as long as the block, where there is a line."""
        is_first = all(outer.total is None and not outer.done for outer in self._going)
        self._going.append(going)
        try:
            if self._has_line and self._line is None:
                from dupfind.progress_bar import Line

                self._line = Line(self._going, _STANDARD_ERROR)
            elif self._line is not None and is_first:  # else it may be one of many, each over in no time
                self._line.refresh()
            yield
        finally:
            self._going.remove(going)
            for outer in self._going:
                outer.step = going.step  # never back again
            if self._line is not None and not self._going:
                self._line.close()
                self._line = None

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
        """Print a line for each problem with the file and the cause; what comes by the
        thousand for one cause is counted instead.
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

    def _say(self, text: str) -> None:
        if self._line is None:
            say(text)
        else:
            self._line.write(_said(text), file=_STANDARD_ERROR, end="")
