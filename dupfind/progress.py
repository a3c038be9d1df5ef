"""What a person sees of a run on standard error: bars while it works, warnings, problems. Never standard output."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from dupfind.events import Advance
from dupfind.report.text import count, printable
from dupfind.values import Problem

_WORTH_A_RATE_SECONDS = 0.5
_COUNTED_STAGES = ("walk", "extra")
_MOST_ALIKE = 10
"""Lines printed of things passed over for one and the same reason, before the rest is counted."""


def say(text: str) -> None:
    """One line on standard error; a standard error that is closed or full is no reason to fail."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"dupfind: {text}\n")
        sys.stderr.flush()


class Bar(Protocol):
    """What is used of tqdm, which is imported only where a bar is shown."""

    def update(self, n: float) -> object:
        """Count ``n`` more items."""

    def close(self) -> None:
        """Take the bar away."""


class Console:
    """The listener of the command line."""

    def __init__(self, *, bars: bool, quiet: bool = False, verbose: bool = False) -> None:
        self._bars = bars
        self._quiet = quiet
        self._verbose = verbose

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

        try:
            yield advance
        finally:
            if bar is not None:
                bar.close()
        if self._verbose:
            seconds = time.monotonic() - began
            rate = f", {done / seconds:,.0f} a second" if seconds > _WORTH_A_RATE_SECONDS else ""
            say(f"{name}: {count(done, 'file')} in {seconds:.2f} s{rate}")

    def tell(self, text: str) -> None:
        """Print a line that is good to know."""
        if not self._quiet:
            say(printable(text))

    def warn(self, text: str) -> None:
        """Print a warning."""
        if not self._quiet:
            say(f"warning: {printable(text)}")

    def problems(self, problems: Sequence[Problem]) -> None:
        """A line a problem with the file and the cause; things passed over by the thousand are counted instead."""
        if self._quiet:
            return
        alike: dict[tuple[str, str], int] = defaultdict(int)
        for problem in problems:
            if problem.is_note and not self._verbose:
                continue
            if problem.stage in _COUNTED_STAGES and not self._verbose:
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

        bar: Bar = tqdm(
            desc=name, total=total, unit=" files", file=sys.stderr, leave=False, dynamic_ncols=True, smoothing=0.1
        )
        return bar
