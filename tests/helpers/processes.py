"""Whether processes are there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dupfind import forking


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def children() -> set[int]:
    """Processes that this one has started and not waited for, by what Linux tells."""
    mine = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if int(Path(f"/proc/{name}/stat").read_text().rpartition(") ")[2].split()[1]) == os.getpid():
                mine.add(int(name))
        except OSError:  # it has gone meanwhile
            continue
    return mine


@contextmanager
def nobody_left() -> Iterator[None]:
    """See that no process outlives what is done here; those that were there before may."""
    before = children()
    yield
    forking.bury(30)
    assert set() == children() - before


def are_gone(pids: Iterable[int], seconds: float = 60) -> bool:
    """Whether the processes end within ``seconds``."""
    until = time.monotonic() + seconds
    while any(map(is_alive, pids)):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
