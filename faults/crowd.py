"""Eight scans at once with one cache, again and again, in some rounds with a prune or a clear in their midst.

    python -m faults.crowd [--rounds N] [--seed N]

Every answer is compared with the one without a cache, and the cache is looked at afterwards.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faults.common import ENVIRONMENT, Answer, Trees, build, integrity, run, table, verdicts

AT_ONCE = 8
BESIDE = ("nothing", "prune", "clear")


class Crowd:
    """Trees, their true answer, and one cache for all."""

    def __init__(self, folder: Path, trees: Trees, true: Answer) -> None:
        self.trees = trees
        self.true = true
        self.cache = folder / "cache" / "cache.sqlite"

    def round(self, beside: str, wait_seconds: float, *, cold: bool) -> tuple[list[str], int]:
        """Scan eight times at once; gives what was wrong, and how many gave warning of the cache."""
        if cold:
            shutil.rmtree(self.cache.parent, ignore_errors=True)
        options = ("--cache", str(self.cache), "--workers", "1")
        runs = [
            subprocess.Popen(
                self.trees.command(*options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
            )
            for _ in range(AT_ONCE)
        ]
        wrong = []
        if beside != "nothing":
            time.sleep(wait_seconds)
            command = [sys.executable, "-m", "dupfind", "cache", beside, "--cache", str(self.cache)]
            done = subprocess.run(command, capture_output=True, check=False, env=ENVIRONMENT)
            if done.returncode:
                wrong.append(f"{beside}: {done.stderr.decode()}")
        warnings = 0
        for one in runs:
            out, said = one.communicate()
            warnings += b"warning" in said
            if (one.returncode, verdicts(out)) != (self.true.code, self.true.verdicts):
                wrong.append(f"another answer, exit code {one.returncode}: {said.decode()}")
        if (state := integrity(self.cache)) != "ok":
            wrong.append(f"integrity: {state}")
        again = run(self.trees, *options)
        if (again.code, again.verdicts) != (self.true.code, self.true.verdicts) or "warning" in again.said:
            wrong.append(f"the next run: {again.said}")
        return wrong, warnings


def main() -> None:
    """Scan, look, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    wrong: dict[str, list[str]] = {beside: [] for beside in BESIDE}
    rounds, warned = dict.fromkeys(BESIDE, 0), dict.fromkeys(BESIDE, 0)
    with tempfile.TemporaryDirectory() as name:
        trees = build(Path(name) / "trees")
        crowd = Crowd(Path(name), trees, run(trees, "--no-cache"))
        for number in range(options.rounds):
            beside = BESIDE[number % len(BESIDE)]
            found, warnings = crowd.round(beside, dice.uniform(0, 6), cold=number % 4 != 3)
            rounds[beside] += 1
            warned[beside] += warnings
            wrong[beside] += found
    print(table(["beside", "rounds", "scans", "wrong", "scans that went on without the cache"], [
        [beside, rounds[beside], rounds[beside] * AT_ONCE, len(wrong[beside]), warned[beside]] for beside in BESIDE
    ]))  # fmt: skip
    for line in (line for lines in wrong.values() for line in lines):
        print(line)


if __name__ == "__main__":
    main()
