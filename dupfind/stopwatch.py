"""Where the time of a run went: seconds, items and workers' seconds of each part of it. Knows clocks, no files.

Parts lie inside each other, and the time of an inner one is not counted for the outer one again, so that all parts
and the rest together are the whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

_STARTED_FIELD = 19
"""Of those behind the name in ``/proc/self/stat``, proc(5): when the process began, in ticks since the system did."""


@dataclass(slots=True)
class TimedPart:
    """What one part of a run took."""

    seconds: float = 0.0
    items: int = 0
    worker_seconds: float = 0.0
    """Processor time of the workers whose results were taken in during this part."""


class Times(NamedTuple):
    """A whole run."""

    parts: dict[str, TimedPart]
    """By name, in the order in which they began."""
    rest_seconds: float
    """What belongs to no part."""
    own_seconds: float
    """Processor time of this process, its start included."""

    @property
    def elapsed_seconds(self) -> float:
        """From the beginning of the first part to now."""
        return self.rest_seconds + sum(part.seconds for part in self.parts.values())


@dataclass(slots=True)
class Stopwatch:
    """Adds up the time of each part; from when it is made, whatever belongs to no part is the rest.

    >>> ticks = iter(range(9))
    >>> watch = Stopwatch(clock=lambda: next(ticks))
    >>> with watch.part("evidence"):
    ...     with watch.part("search", items=3):
    ...         pass
    >>> times = watch.stop()
    >>> [(name, part.seconds, part.items) for name, part in times.parts.items()], times.rest_seconds
    ([('evidence', 2.0, 0), ('search', 1.0, 3)], 2.0)
    """

    clock: Callable[[], float] = time.perf_counter
    _parts: dict[str, TimedPart] = field(default_factory=dict)
    _rest: TimedPart = field(default_factory=TimedPart)
    _now: TimedPart = field(init=False)
    """The innermost part at work."""
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._now, self._since = self._rest, self.clock()

    @contextmanager
    def part(self, name: str, items: int = 0) -> Iterator[None]:
        """Count time for the part ``name`` as long as the block lasts, with ``items`` more of what it works on."""
        inner, outer = self._parts.setdefault(name, TimedPart()), self._now
        inner.items += items
        self._charge()
        self._now = inner
        try:
            yield
        finally:
            self._charge()
            self._now = outer

    def count(self, items: int) -> None:
        """Count more items of the part at work."""
        self._now.items += items

    def worked(self, seconds: float) -> None:
        """Count processor time of a worker for the part at work."""
        self._now.worker_seconds += seconds

    def add(self, name: str, seconds: float) -> None:
        """Count time that went by before the watch was made."""
        self._parts.setdefault(name, TimedPart()).seconds += seconds

    def stop(self) -> Times:
        """Return everything up to now."""
        self._charge()
        return Times(self._parts, self._rest.seconds, time.process_time())

    def _charge(self) -> None:
        now = self.clock()
        self._now.seconds += now - self._since
        self._since = now


def since_start_seconds() -> float:
    """Return how long this process has been running, to a hundredth;
    its processor time where the system does not tell.
    """
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[_STARTED_FIELD])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):  # no such file, no such clock
        return time.process_time()
