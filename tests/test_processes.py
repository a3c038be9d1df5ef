"""Processes: what their end tells, and that they leave nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dupfind.pool.processes import Death
from dupfind.pool.workers import Pool

KILLED = "the process that read it was killed, as systems do that run out of memory (SIGKILL)"


@pytest.mark.parametrize(
    ("death", "reason"),
    [
        (Death(1.0), "the process that read it died"),
        (Death(1.0, 1), "the process that read it died"),
        (Death(1.0, 0), "the process that read it died"),
        (Death(1.0, -11), "its decoder crashed (SIGSEGV)"),
        (Death(1.0, -7), "its decoder crashed (SIGBUS)"),
        (Death(1.0, -40), "its decoder crashed (signal 40)"),
        (Death(1.0, -9), KILLED),
        (Death(1.0, -6), "not enough memory to decode it, or a fault of the decoder, which gave up (SIGABRT)"),
        (Death(1.0, None, "not enough memory to decode it"), "not enough memory to decode it"),
    ],
)
def test_a_death_says_why(death: Death, reason: str) -> None:
    """In words for the user, with the name of the signal."""
    assert reason == death.reason


def surroundings(items: list[int]) -> list[tuple[int, int, int]]:
    """What a worker may do to the machine: core file and memory in bytes, and its place in line when memory is out."""
    import resource

    core, memory = resource.getrlimit(resource.RLIMIT_CORE)[1], resource.getrlimit(resource.RLIMIT_DATA)[0]
    return [(core, memory, int(Path("/proc/self/oom_score_adj").read_text())) for _ in items]


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_workers_leave_no_core_file_and_are_the_first_to_go() -> None:
    """A core file would lie in the current directory, which may be somebody's photos."""
    with Pool(2, most_bytes=2 << 30) as pool:
        ((_, found),) = pool.map(surroundings, [1], size_bytes=lambda _: 1, lost=lambda _, death: (0, 0, 0))
    assert (0, 1 << 30, 500) == found
