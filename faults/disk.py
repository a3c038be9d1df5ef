"""A disk that is full, broken or read-only at any write to the cache, from then on or for once.

    python -m faults.disk [--every N]

Cold scans, each on a disk that fails in another call. Their answers are compared with the one without a cache; what
they say is one warning that names the cache; and the next run, on a sound disk, is right.
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import tempfile
from pathlib import Path

from faults.broken_disk import Disk
from faults.common import Answer, Trees, build, integrity, run, table

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT)


class Bench:
    """Trees, their true answer, and a cache on a disk that breaks."""

    def __init__(self, folder: Path, trees: Trees, true: Answer) -> None:
        self.folder = folder
        self.trees = trees
        self.true = true
        self.disk = Disk(folder, "cache.sqlite")
        self.cache = folder / "cache" / "cache.sqlite"

    def calls(self) -> list[str]:
        """What a cold scan calls."""
        log = self.folder / "log"
        self._begin()
        run(self.trees, "--cache", str(self.cache), **self.disk.counting(log))
        return log.read_text().split()

    def fail(self, call: int, number: int, *, lasts: bool) -> tuple[list[str], list[str]]:
        """Scan on a disk that fails in this call; gives what was wrong, and the warnings."""
        self._begin()
        options = ("--cache", str(self.cache))
        done = run(self.trees, *options, **self.disk.failing(call, number, lasts=lasts))
        wrong = []
        warnings = [line for line in done.said.splitlines() if "warning" in line]
        if (done.code, done.verdicts) != (self.true.code, self.true.verdicts):
            wrong.append(f"another answer, exit code {done.code}: {done.said}")
        if len(warnings) > 1 or not all(str(self.cache) in line for line in warnings):
            wrong.append("\n".join(warnings))
        if (state := integrity(self.cache)) != "ok":
            wrong.append(f"integrity: {state}")
        again = run(self.trees, *options)
        if (again.code, again.verdicts) != (self.true.code, self.true.verdicts) or "warning" in again.said:
            wrong.append(f"the next run: {again.said}")
        return wrong, warnings

    def _begin(self) -> None:
        shutil.rmtree(self.cache.parent, ignore_errors=True)


def main() -> None:
    """Break, scan, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=5, help="break in every Nth call only")
    options = parser.parse_args()
    rows, all_wrong = [], []
    with tempfile.TemporaryDirectory() as name:
        trees = build(Path(name) / "trees")
        bench = Bench(Path(name), trees, run(trees, "--no-cache"))
        calls = bench.calls()
        for offset, number in enumerate(ERRORS):
            for lasts in (True, False):
                wrong, warned = [], 0
                chosen = range(1 + offset, len(calls) + 1, options.every)
                for call in chosen:
                    found, warnings = bench.fail(call, number, lasts=lasts)
                    wrong += [f"{os.strerror(number)} in call {call} ({calls[call - 1]}): {text}" for text in found]
                    warned += bool(warnings)
                rows.append([os.strerror(number), "from then on" if lasts else "once", len(chosen), len(wrong), warned])
                all_wrong += wrong
    print(table(["what fails", "how long", "scans", "wrong", "with a warning"], rows))
    for line in all_wrong:
        print(line)


if __name__ == "__main__":
    main()
