"""A real cluster on loopback: a scheduler and nodes as processes, which end with the block."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.places import ROOT

_MOST_SECONDS = 90


class Nodes:
    """The processes of a cluster."""

    def __init__(self, folder: Path, security: Sequence[str] = (), protocol: str = "tcp") -> None:
        self._folder = folder
        self._security = list(security)
        self._protocol = protocol
        self._file = folder / "scheduler.json"
        self.nodes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--port", "0")
        self.address = self._wait_for_address()

    def add(self, lanes: int = 1) -> subprocess.Popen[bytes]:
        """Start a node."""
        node = self._start("worker", "--nthreads", str(lanes), "--no-nanny", "--death-timeout", "60")
        self.nodes.append(node)
        return node

    def stop(self) -> None:
        """End them all."""
        for process in (*self.nodes, self.scheduler):
            process.kill()
        for process in (*self.nodes, self.scheduler):
            process.wait()

    def _start(self, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        with open(self._folder / f"{what}{len(self.nodes)}.log", "wb") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "distributed.cli.dask_" + what, "--scheduler-file", str(self._file)),
                    *("--host", "127.0.0.1", "--protocol", self._protocol, "--no-dashboard"),
                    *(*arguments, *self._security),
                ],
                cwd=self._folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False"},
                stdout=log,
                stderr=log,
            )

    def _wait_for_address(self) -> str:
        end = time.monotonic() + _MOST_SECONDS
        while time.monotonic() < end:
            if self.scheduler.poll() is not None:
                break
            try:
                return str(json.loads(self._file.read_text())["address"])
            except (OSError, ValueError, KeyError):
                time.sleep(0.05)
        raise RuntimeError((self._folder / "scheduler0.log").read_text())


@contextmanager
def cluster(folder: Path, nodes: int = 2, security: Sequence[str] = (), protocol: str = "tcp") -> Iterator[Nodes]:
    """Start a scheduler and so many nodes with one lane each."""
    folder.mkdir(exist_ok=True)
    made = Nodes(folder, security, protocol)
    try:
        for _ in range(nodes):
            made.add()
        yield made
    finally:
        made.stop()


def freeze(process: subprocess.Popen[bytes]) -> None:
    """Let a process hang."""
    os.kill(process.pid, signal.SIGSTOP)
