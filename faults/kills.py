"""kill -9: scans that are killed at any moment, and what the next run with the same cache says.

    python -m faults.kills [--rounds N] [--seed N] [--calls N]

First at random moments, chosen evenly over the length of an undisturbed run, in turn the whole process group and the
parent alone; then in the midst of each call by which a scan writes to its cache, or of every Nth. After each the cache
is looked at as it was left, the scan is run again, and its answer is compared with the one without a cache.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from faults.broken_disk import Disk
from faults.common import ENVIRONMENT, RACY_SECONDS, Answer, Trees, build, integrity, processes_of_session, run, table

_PATIENCE_SECONDS = 60
_DECODED = re.compile(r"^dupfind: (?:decoding|reading whole)\D*: ([\d,]+) files? in", re.MULTILINE)


@dataclass(slots=True)
class Tally:
    """What came of some rounds."""

    rounds: int = 0
    finished: int = 0
    """Runs that were faster than the kill."""
    journals: int = 0
    """Caches that were left in the midst of a write."""
    wrong: list[str] = field(default_factory=list)
    decoded: list[int] = field(default_factory=list)
    """How many files the next run decoded."""
    lost_seconds: list[float] = field(default_factory=list)
    """How much longer both runs took together than one would have."""
    lingered_seconds: float = 0.0
    """How long a worker outlived its parent, at most."""


class Bench:
    """Trees, their true answer, and caches in several states to start from."""

    def __init__(self, folder: Path, copies: int) -> None:
        self.folder = folder
        self.trees: Trees = build(folder / "trees", copies)
        self.true: Answer = run(self.trees, "--no-cache")
        self.cache = folder / "cache" / "cache.sqlite"
        self.starts: dict[str, Path | None] = {"cold": None}
        """Caches by what they know."""

    def make_starts(self) -> None:
        """A cache that knows a part, one that knows all but one file, and one that has the answer."""
        some = Trees(self.trees.haystack / "more" / "0", self.trees.needles)
        for name, trees in (("half filled", some), ("one file touched", self.trees), ("nothing changed", self.trees)):
            self.starts[name] = start = self.folder / name / "cache.sqlite"
            if name == "nothing changed":
                touched = self.trees.haystack / "a.jpg"
                os.utime(touched)
                time.sleep(RACY_SECONDS)
            run(trees, "--cache", str(start))

    def begin(self, name: str) -> None:
        """Put the cache into the state of this name."""
        shutil.rmtree(self.cache.parent, ignore_errors=True)
        self.cache.parent.mkdir(mode=0o700)
        start = self.starts[name]
        if start is not None:
            shutil.copy(start, self.cache)

    def scan(self, **environment: str) -> Answer:
        """A scan with the cache as it is."""
        return run(self.trees, "--cache", str(self.cache), "-v", **environment)

    def judge(self, tally: Tally, what: str) -> Answer:
        """Look at the cache as it was left, scan again, look at it again."""
        tally.rounds += 1
        tally.journals += self.cache.with_name(self.cache.name + "-journal").exists()
        before = integrity(self.cache)
        again = self.scan()
        after = integrity(self.cache)
        if (before, after) != ("ok", "ok"):
            tally.wrong.append(f"{what}: integrity {before}, then {after}")
        if (again.code, again.verdicts) != (self.true.code, self.true.verdicts):
            tally.wrong.append(f"{what}: another answer, exit code {again.code}: {again.said}")
        if "warning" in again.said:
            tally.wrong.append(f"{what}: {again.said}")
        left = {one.name for one in self.cache.parent.iterdir()} - {self.cache.name}
        if left:
            tally.wrong.append(f"{what}: {sorted(left)} left behind")
        tally.decoded.append(sum(int(number.replace(",", "")) for number in _DECODED.findall(again.said)))
        return again

    def kill(self, moment_seconds: float, *, whole_group: bool) -> tuple[bool, float]:
        """Kill a scan; gives whether it was still running, and how long its workers outlived it."""
        command = self.trees.command("--cache", str(self.cache), "-q")
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env=ENVIRONMENT
        )
        time.sleep(moment_seconds)
        was_running = process.poll() is None
        if was_running:
            end: Callable[[int, int], None] = os.killpg if whole_group else os.kill
            end(process.pid, signal.SIGKILL)
        process.wait()
        began = time.monotonic()
        while processes_of_session(process.pid) and time.monotonic() < began + _PATIENCE_SECONDS:
            time.sleep(0.01)
        return was_running, time.monotonic() - began


def at_random_moments(bench: Bench, name: str, rounds: int, dice: random.Random) -> Tally:
    """Kill scans that start from the cache of this name."""
    tally = Tally()
    bench.begin(name)
    whole_seconds = bench.scan().seconds
    for number in range(rounds):
        bench.begin(name)
        moment = dice.uniform(0, whole_seconds)
        was_running, lingered = bench.kill(moment, whole_group=number % 2 == 0)
        tally.finished += not was_running
        tally.lingered_seconds = max(tally.lingered_seconds, lingered)
        if lingered >= _PATIENCE_SECONDS:
            tally.wrong.append(f"{name}, {moment:.2f} s: processes are left")
        again = bench.judge(tally, f"{name}, killed after {moment:.2f} s")
        if was_running:
            tally.lost_seconds.append(moment + again.seconds - whole_seconds)
    return tally


def in_each_call(bench: Bench, disk: Disk, step: int, first: int = 1) -> Tally:
    """Kill cold scans in the midst of every ``step``-th call that writes to the cache."""
    tally = Tally()
    log = bench.folder / "calls"
    bench.begin("cold")
    bench.scan(**disk.counting(log))
    calls = log.read_text().split()
    for call in range(first, len(calls) + 1, step):
        bench.begin("cold")
        done = bench.scan(**disk.killing(call))
        tally.finished += done.code != -signal.SIGKILL
        bench.judge(tally, f"killed in call {call} ({calls[call - 1]})")
    return tally


def main() -> None:
    """Kill, look, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="at random moments, in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copies", type=int, default=60, help="files on each side that only take time, 1 or more")
    parser.add_argument("--calls", type=int, default=1, help="kill in every Nth call; 0 for none")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    rows, wrong = [], []
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.copies)
        if options.rounds:
            bench.make_starts()
        for start in bench.starts if options.rounds else ():
            tally = at_random_moments(bench, start, options.rounds // len(bench.starts), dice)
            rows.append(_row(start, tally))
            wrong += tally.wrong
        if options.calls:
            (bench.folder / "small").mkdir()
            small = Bench(bench.folder / "small", 0)
            tally = in_each_call(small, Disk(bench.folder, "cache.sqlite"), options.calls)
            rows.append(_row("cold, in each call that writes", tally))
            wrong += tally.wrong
    print(table(_HEAD, rows))
    for line in wrong:
        print(line)


_HEAD = (
    "cache", "kills", "too late", "journal left", "wrong", "decoded again: median, most", "lost s: median, most",
    "workers gone within s",
)  # fmt: skip


def _row(name: str, tally: Tally) -> list[object]:
    lost = tally.lost_seconds
    decoded = f"{statistics.median(tally.decoded):.0f}, {max(tally.decoded)}"
    seconds = f"{statistics.median(lost):.1f}, {max(lost):.1f}" if lost else ""
    lingered = f"{tally.lingered_seconds:.2f}" if lost else ""
    return [name, tally.rounds, tally.finished, tally.journals, len(tally.wrong), decoded, seconds, lingered]


if __name__ == "__main__":
    main()
