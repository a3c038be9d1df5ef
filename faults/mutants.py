"""Breaks each safety rule on purpose and sees that a test fails.

    python -m faults.mutants [--only TEXT] [--jobs N] [--fast | --promise]

Works on copies of the project in a temporary folder. Prints the mutants that no test has killed; the exit code is 1
where there are any.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faults.rules import Mutant, Rule, read

ROOT = Path(__file__).resolve().parents[1]
_PARTS = ("dupfind", "tests", "fixtures", "faults", "docs", "benchmarks", "pyproject.toml", "README.md")
_MOST_SECONDS = 300
_PROMISE = "promise_machine"
_EXAMPLES = 120
"""Within so many the machine of the promise has to see what is marked ``promise`` in the list."""
_SEEN = b"BrokenPromiseError"
"""What it says then: that the program breaks down is no sight of a lost picture."""


class _Copy:
    """A copy of the project to be broken, one mutant after the other."""

    def __init__(self, folder: Path, chosen: Sequence[str]) -> None:
        self._root = folder / "main"
        self._chosen = chosen
        self._time = 1_000_000_000
        self._root.mkdir(parents=True)
        for name in _PARTS:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self._root / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif (ROOT / name).exists():
                shutil.copy(ROOT / name, self._root)
        if (ROOT.parent / "shared").is_dir():
            (folder / "shared").symlink_to(ROOT.parent / "shared")

    def is_killed(self, mutant: Mutant, tests: Sequence[str]) -> bool:
        """Whether one of the ``tests`` fails with it."""
        module = self._root / "dupfind" / f"{mutant.module}.py"
        sound = module.read_text()
        self._write(module, sound.replace(mutant.old, mutant.new))
        try:
            return self.fails(tests)
        finally:
            self._write(module, sound)

    def _write(self, module: Path, text: str) -> None:
        """Each time with a time of its own, by which Python knows that what it has compiled is of another text."""
        module.write_text(text)
        self._time += 1
        os.utime(module, (self._time, self._time))

    def fails(self, tests: Sequence[str]) -> bool:
        """Whether one of the ``tests`` fails, as they stand now; the machine of the promise has to say that it saw."""
        files = [f"tests/test_{name}.py" for name in tests]
        environment = {**os.environ, "PYTHONPATH": str(self._root), "PROMISES": str(_EXAMPLES)}
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *self._chosen, *files]
        is_promise = list(tests) == [_PROMISE]
        try:
            done = subprocess.run(
                command, cwd=self._root, env=environment, capture_output=True, check=False, timeout=_MOST_SECONDS
            )
        except subprocess.TimeoutExpired:
            return not is_promise
        if is_promise:
            return _SEEN in done.stdout
        return done.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def main() -> int:
    """Break, test, print; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="TEXT", default="", help="rules or modules in whose names this occurs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--fast", action="store_true", help="run the tests of `make test` only")
    parser.add_argument(
        "--promise", action="store_true", help="run the machine of the promise alone, on what it has to see"
    )
    options = parser.parse_args()
    marks = ["-m", "not slow"] if options.fast else []
    chosen = [
        (rule._replace(tests=(_PROMISE,)) if options.promise else rule, mutant)
        for rule in read()
        for mutant in rule.mutants
        if options.only in f"{rule.what} {mutant.module}" and (mutant.is_promised or not options.promise)
    ]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copies: queue.Queue[_Copy] = queue.Queue()
        for number in range(options.jobs):
            copies.put(_Copy(Path(folder) / str(number), marks))

        def run(one: tuple[Rule, Mutant]) -> bool:
            rule, mutant = one
            copy = copies.get()
            try:
                is_killed = copy.is_killed(mutant, rule.tests)
            finally:
                copies.put(copy)
            print(
                "." if is_killed else f"\n{mutant.module}: survives\n  {mutant.old}\n  {mutant.new}\n",
                end="",
                flush=True,
            )
            return is_killed

        with ThreadPoolExecutor(options.jobs) as executor:
            killed = list(executor.map(run, chosen))
    minutes = (time.monotonic() - began) / 60
    rules = len({rule.what for rule, _ in chosen})
    print(f"\n{len(chosen)} mutants of {rules} rules, {sum(killed)} killed, {minutes:.0f} min")
    return 0 if all(killed) else 1


if __name__ == "__main__":
    sys.exit(main())
