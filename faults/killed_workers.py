"""Workers that are killed at any moment, also in the midst of handing over a result, and what the scan says.

    python -m faults.killed_workers [--runs N] [--seed N]

The workers of each run die in three ways: killed from outside at random moments, the server that forks them sometimes
among them; by themselves, with a part of a message sent, as by a system that runs out of memory just then; and of one
file, at which the decoder crashes every time. Each run has to end with the answer of a run in which only that file does
any harm: it is named, and no other file is lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.common import ENVIRONMENT, Trees, build, parents_in_session, table, verdicts

CULPRIT = "culprit.jpg"
_PATIENCE_SECONDS = 120
_WORKERS = 4
_KILLS = 8
"""In each run, from outside. A file that is alone with its process is given up after as many deaths, with one or two
before that: of more kills all could hit the one process that is left on a slow machine, and a good file be lost."""
_HARM = f"""
import builtins, os, random, signal, socket, sys

true_sendall = socket.socket.sendall
dice = random.SystemRandom()
program = 0 if any("forkserver" in argument for argument in sys.orig_argv) else os.getpid()

def harmful(true_open):
    def open(path, *arguments, **options):
        if os.getpid() != program and str(path).endswith({CULPRIT!r}):
            os.kill(os.getpid(), signal.SIGSEGV)
        return true_open(path, *arguments, **options)

    return open

def sendall(self, data):
    if os.getpid() != program and dice.random() < float(os.environ.get("CUT_SHARE", 0)):
        true_sendall(self, data[: dice.randrange(len(data) + 1)])
        os.kill(os.getpid(), signal.SIGKILL)
    true_sendall(self, data)

builtins.open, os.open, socket.socket.sendall = harmful(builtins.open), harmful(os.open), sendall
"""
"""What Python runs first in the program, and so in the server of the workers and in each of them, who alone suffer."""


@dataclass(slots=True)
class Kills:
    """What came of some runs."""

    kills: int = 0
    """From outside."""
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def kill_at_random(folder: Path, runs: int, seed: int, copies: int, cut_share: float = 0.05) -> Kills:
    """Scan trees below ``folder`` that many times while their workers are killed."""
    trees = build(folder / "trees", copies)
    culprit = trees.haystack / CULPRIT
    culprit.write_bytes((trees.haystack / "a.jpg").read_bytes() + b"more")
    harm = folder / "harm"
    harm.mkdir()
    (harm / "sitecustomize.py").write_text(_HARM)
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(harm), ENVIRONMENT["PYTHONPATH"]])}
    true = _scan(trees, environment, None, Kills())
    dice, kills = random.Random(seed), Kills()
    if [os.path.basename(path) for path in _unreadable(true) if path.endswith(CULPRIT)] != [CULPRIT]:
        kills.wrong.append(f"the culprit is not named: {true}")
    for number in range(runs):
        seen = _scan(trees, {**environment, "CUT_SHARE": str(cut_share)}, dice, kills)
        if seen != true:
            kills.wrong.append(f"run {number}: {_difference(seen, true)}")
    return kills


def _scan(trees: Trees, environment: dict[str, str], dice: random.Random | None, kills: Kills) -> Any:
    """Give the verdicts of a scan, during which workers are killed at the times that ``dice`` say."""
    began = time.monotonic()
    process = subprocess.Popen(
        trees.command("--no-cache", "-q", "--workers", str(_WORKERS)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=environment,
    )
    left = _KILLS if dice is not None else 0
    while left and dice is not None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0.0, 0.2))
            break
        victims = _workers(process.pid)
        if victims:
            left -= 1
            kills.kills += 1
            with suppress(ProcessLookupError):
                os.kill(dice.choice(victims), signal.SIGKILL)
    try:
        out, err = process.communicate(timeout=_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "it hangs"
    kills.seconds.append(time.monotonic() - began)
    if process.returncode != 1 or err:
        return f"exit code {process.returncode}: {err.decode()[-300:]}"
    return verdicts(out)


def _workers(session: int) -> list[int]:
    """Give the processes that a kill is to be tried on: the workers; and now and then the server that forks them."""
    parents = parents_in_session(session)
    servers = [pid for pid, parent in parents.items() if parent == session]
    workers = [pid for pid, parent in parents.items() if parent in servers]
    return workers + (servers if len(workers) == _WORKERS else [])


def _unreadable(seen: Any) -> list[str]:
    return [problem["path"] for problem in seen[3]] if isinstance(seen, list) else []


def _difference(seen: Any, true: Any) -> str:
    if not isinstance(seen, list):
        return str(seen)
    return json.dumps([row for row in [*seen[1], *seen[3]] if row not in [*true[1], *true[3]]])


def main() -> None:
    """Kill, look, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copies", type=int, default=20, help="files on each side that only take time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        kills = kill_at_random(Path(name), options.runs, options.seed, options.copies)
    seconds = f"{statistics.median(kills.seconds):.2f}, {max(kills.seconds):.2f}"
    print(
        table(("runs", "kills", "wrong", "s: median, most"), [[options.runs, kills.kills, len(kills.wrong), seconds]])
    )
    for line in kills.wrong:
        print(line)


if __name__ == "__main__":
    main()
