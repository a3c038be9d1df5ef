"""What the benchmarks share: timing a whole process with its memory, and saying what it ran on."""

from __future__ import annotations

import ctypes
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DUPFIND = [sys.executable, "-m", "dupfind"]
_SET_CHILD_SUBREAPER = 36
"""Of Linux's prctl(2)."""


@dataclass(frozen=True)
class Run:
    """One finished process."""

    seconds: float
    peak_mib: float
    """Of the largest single process: itself or a child that it waited for."""
    code: int
    cpu_seconds: float
    """Its own and the system's for it, and that of children that it waited for; less moved by what else is running."""


def run(command: Sequence[str], **options: object) -> Run:
    """Time a command from outside; its output goes nowhere."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)  # or it would seem to be running still
    return Run(seconds, usage.ru_maxrss / 1024, process.returncode, usage.ru_utime + usage.ru_stime)


def in_turn(commands: dict[str, Sequence[str]], rounds: int) -> dict[str, list[Run]]:
    """Run the commands in turn, A B A B ..., so that a machine that drifts drifts for all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(command))
    return runs


def adopt_orphans() -> None:
    """From now on, processes whose parent ends before them become ours, so that their processor time is known."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)


def orphans_seconds() -> float:
    """Wait for all children that are left; the processor time that they took."""
    seconds = 0.0
    with suppress(ChildProcessError):
        while True:
            usage = os.wait3(0)[2]
            seconds += usage.ru_utime + usage.ru_stime
    return seconds


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def machine() -> str:
    """One paragraph on what was measured on."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    versions = ", ".join(f"{name} {version(name)}" for name in ("dupfind", "pillow", "numpy", "blake3"))
    return f"{len(os.sched_getaffinity(0))} cores of {cpu}; Python {platform.python_version()}; {versions}"
