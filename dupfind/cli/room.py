"""Whether there is room for what reads pictures, asked before any of it is loaded.

OpenBLAS, which numpy brings, ends the process in which it finds no memory, with the exit code of "not all present". So
where the system limits the memory of this process (``ulimit -v``, ``ulimit -d``), another one tries it first.
"""

from __future__ import annotations

import os

from dupfind import forking
from dupfind.errors import ShortageError


def refuse_too_little_memory() -> None:
    """Load numpy in a forked process, and raise :class:`~dupfind.errors.ShortageError` if its memory does not suffice.

    Nothing is tried, and nothing refused, where the system sets no limit or no process can be forked.
    """
    if not _is_limited() or not forking.can_fork():
        return
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(forking.fork(_load), 0)[1])
    except OSError:  # no process is left, and none will be for what reads
        return
    if status:
        raise ShortageError("too little memory to read pictures: the system limits this process (ulimit -v, ulimit -d)")


def _is_limited() -> bool:
    try:
        import resource
    except ImportError:  # Windows
        return False
    limits = (resource.getrlimit(limit)[0] for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return any(limit != resource.RLIM_INFINITY for limit in limits)


def _load() -> None:
    """Load it in a forked process, whose exit code tells of nothing else."""
    try:
        import numpy as np  # noqa: F401
    except BaseException:  # noqa: BLE001 - whatever says that there is no room
        os._exit(1)
