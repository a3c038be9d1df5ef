"""Signals at any moment: scans that are stopped between their first instruction and their last.

    python -m faults.stops [--runs N] [--seed N] [--busy N]

In turn with each signal that ends a run, to the process alone and to its whole group, as a terminal sends it. Each run
has to end with the exit code of the signal or, where it was done, with its whole answer; without a traceback, without a
process left behind, and at all.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.common import ENVIRONMENT, SIGNALS, Trees, build, has_begun, processes_of_session, run, table

_PATIENCE_SECONDS = 60
_ORPHAN_SECONDS = 10
_STOPPED = b"dupfind: stopped; there is no verdict\n"


@dataclass(slots=True)
class Stops:
    """What came of some runs."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """How many were stopped, also while the answer was written, were done before, or had not yet begun."""
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """From the signal to the exit."""
    lingered_seconds: list[float] = field(default_factory=list)
    """From the exit to the end of the last process of the run."""


def stop_at_random(trees: Trees, runs: int, seed: int, *options: str) -> Stops:
    """Stop ``runs`` scans of ``trees``, at moments that are spread evenly over the length of one."""
    dice = random.Random(seed)
    undisturbed = [run(trees, *options) for _ in range(3)]
    whole_seconds = statistics.median(answer.seconds for answer in undisturbed)
    stops = Stops()
    for number in range(runs):
        moment = dice.uniform(0, whole_seconds)
        _stop(stops, trees.command(*options, "-q"), moment, SIGNALS[number % 3], is_group=number % 2 == 0)
    return stops


def _stop(stops: Stops, command: list[str], moment: float, number: signal.Signals, *, is_group: bool) -> None:
    what = f"{number.name} to the {'group' if is_group else 'process'} after {moment:.3f} s"
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, env=ENVIRONMENT
    )
    time.sleep(moment)
    began_before = has_begun(process.pid)
    (os.killpg if is_group else os.kill)(process.pid, number)
    began = time.monotonic()
    try:
        out, err = process.communicate(timeout=_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        stops.wrong.append(f"{what}: it hangs")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return
    ended = time.monotonic()
    stops.seconds.append(ended - began)
    outcome = _outcome(process.returncode, out, err, number) if began_before else "not yet begun"
    stops.outcomes[outcome] += 1
    if outcome == "wrong":
        stops.wrong.append(f"{what}: exit code {process.returncode}, {len(out)} bytes, {err.decode()[-2000:]}")
    while left := processes_of_session(process.pid):
        if time.monotonic() > ended + _ORPHAN_SECONDS:
            stops.wrong.append(f"{what}: {left} are left behind")
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(0.005)
    stops.lingered_seconds.append(time.monotonic() - ended)


def _outcome(code: int, out: bytes, err: bytes, number: signal.Signals) -> str:
    if code == 128 + number and err in (b"", _STOPPED):
        # What was written by then stays with the reader; the exit code says that the run was stopped.
        return "while it wrote" if out else "stopped"
    if code == 1 and err == b"" and json.loads(out)["schema"]:
        return "done before"
    return "wrong"


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """Keep the machine busy with other work in the block."""
    loaders = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for other in loaders:
            other.kill()
            other.wait()


def main() -> None:
    """Stop, look, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--busy", type=int, default=0, help="loops that keep the machine busy beside it")
    parser.add_argument("--copies", type=int, default=20, help="files on each side that only take time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, busy(options.busy):
        stops = stop_at_random(build(Path(name), options.copies), options.runs, options.seed, "--no-cache")
    outcomes = "stopped", "while it wrote", "done before", "not yet begun"
    head = ("busy loops", "runs", *outcomes, "wrong", "s to the exit: median, most")
    seconds = f"{statistics.median(stops.seconds):.2f}, {max(stops.seconds):.2f}"
    counts = [stops.outcomes[name] for name in outcomes]
    lingered = f"{max(stops.lingered_seconds):.2f}"
    row = [options.busy, options.runs, *counts, len(stops.wrong), seconds, lingered]
    print(table((*head, "last process gone within s"), [row]))
    for line in stops.wrong:
        print(line)


if __name__ == "__main__":
    main()
