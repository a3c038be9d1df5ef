"""Time is counted for one part at a time, and all of it is counted."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from dupfind import stopwatch
from dupfind.stopwatch import Stopwatch, TimedPart, since_start_seconds


class Clock:
    """A clock that is put forward by hand."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds


def test_an_inner_part_is_not_counted_twice() -> None:
    """The search inside the judging of evidence is search; what belongs to no part is the rest."""
    clock = Clock()
    watch = Stopwatch(clock)
    clock.wait(1)
    with watch.part("evidence"):
        clock.wait(2)
        with watch.part("search", 7):
            clock.wait(4)
        clock.wait(8)
        watch.count(5)
    clock.wait(16)
    times = watch.stop()
    assert {"evidence": TimedPart(10, 5), "search": TimedPart(4, 7)} == times.parts
    assert (17, 31) == (times.rest_seconds, times.elapsed_seconds)


def test_a_part_adds_up_over_its_blocks() -> None:
    """Also inside itself, and where a block ends by an error."""
    clock = Clock()
    watch = Stopwatch(clock)
    with pytest.raises(ValueError, match="broken"), watch.part("hash", 1):  # noqa: PT012 - what is in it is the point
        clock.wait(1)
        watch.worked(0.5)
        raise ValueError("broken")
    clock.wait(1)
    with watch.part("hash", 1), watch.part("hash", 1):
        clock.wait(1)
        watch.worked(0.25)
    times = watch.stop()
    assert {"hash": TimedPart(2, 3, 0.75)} == times.parts
    assert 1 == times.rest_seconds


def test_what_went_by_before() -> None:
    """The start of the program is a part like others, and the first that is shown when it is added first."""
    clock = Clock()
    watch = Stopwatch(clock)
    watch.add("start-up", 0.5)
    for name in ("walk", "start-up"):
        with watch.part(name):
            clock.wait(1)
    times = watch.stop()
    assert [("start-up", 1.5), ("walk", 1)] == [(name, part.seconds) for name, part in times.parts.items()]
    assert 2.5 == times.elapsed_seconds
    assert times.own_seconds > 0


def test_since_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """It grows as the clock does; where the system tells nothing, processor time stands in."""
    clock, before = time.monotonic(), since_start_seconds()
    while time.monotonic() - clock < 0.05:
        pass
    assert 0.03 < since_start_seconds() - before < time.monotonic() - clock + 0.05  # told in hundredths
    monkeypatch.setattr(stopwatch.os, "sysconf", _fail)
    assert since_start_seconds() == pytest.approx(time.process_time(), abs=0.05)


def _fail(_: str) -> int:
    raise ValueError("unrecognised configuration name")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_the_start_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of the machine or of Python's clock: at least its processor time, and no more than the system's age."""
    assert time.process_time() / 4 <= since_start_seconds() <= time.clock_gettime(time.CLOCK_BOOTTIME)
    ages = itertools.count()
    monkeypatch.setattr(stopwatch.time, "clock_gettime", lambda _: float(next(ages)))
    first = since_start_seconds()
    assert 1 == pytest.approx(since_start_seconds() - first)
