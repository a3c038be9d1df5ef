"""Signals and kills at any moment, some dozens of each: see ``faults.stops`` and ``faults.killed_workers`` for more."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from faults.common import ENVIRONMENT, build, processes_of_session
from faults.killed_workers import kill_at_random
from faults.stops import busy, stop_at_random

pytestmark = pytest.mark.slow

_API = """
print("begun", flush=True)
from dupfind import scan
scan({haystack!r}, {needles!r}, no_cache=True, workers=2)
print("done")
"""


@pytest.mark.parametrize(("seed", "loops"), [(1, 0), (2, 0), (3, 2)])
def test_stopped_at_random_moments(tmp_path: Path, seed: int, loops: int) -> None:
    """The exit code of the signal or the whole answer, no traceback, no process left, and an end."""
    trees = build(tmp_path, copies=2)
    with busy(loops):
        stops = stop_at_random(trees, 8, seed, "--no-cache")
    assert [] == stops.wrong
    assert stops.outcomes["stopped"]


@pytest.mark.parametrize("seed", [1, 2])
def test_workers_that_are_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    """Also in the midst of a result: every run ends, the file at which a decoder crashes is named, no other is lost."""
    kills = kill_at_random(tmp_path, 3, seed, copies=2, cut_share=0.1)
    assert [] == kills.wrong
    assert kills.kills


def test_a_script_that_is_stopped(tmp_path: Path) -> None:
    """The interface for Python: Ctrl-C is a KeyboardInterrupt there, and no process is left, nor does it hang."""
    trees = build(tmp_path, copies=2)
    script = _API.format(haystack=str(trees.haystack), needles=str(trees.needles))
    dice = random.Random(1)  # noqa: S311 - moments
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=ENVIRONMENT,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"  # until then Python answers, however long it takes
        time.sleep(dice.uniform(0, 1.1))
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) in ((-signal.SIGINT, b""), (0, b"done\n"), (-signal.SIGINT, b"done\n"))
        assert process.returncode == 0 or err == b"" or err.rstrip().endswith(b"KeyboardInterrupt")
        until = time.monotonic() + 10
        while processes_of_session(process.pid):
            assert time.monotonic() < until
            time.sleep(0.02)
