"""The life of a worker: read a task from its socket, run it, write what came of it; gone when the socket ends."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from dupfind.pool import messages, time_limit

TERMINAL_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""What a terminal or a shell sends to the whole group; the parent hears it too and ends its workers itself."""

_FIRST_TO_GO = b"500"
"""Of 1,000: a system that runs out of memory is to end the process that decodes, and not the one that has the answer,
nor the file server of the machine."""


def work(connection: socket.socket) -> None:
    """Run the tasks that come through ``connection``, one after the other, until its other end is closed."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as score:
        score.write(_FIRST_TO_GO)
    time_limit.allow_to_end_this_process()
    with suppress(OSError), connection.makefile("rb") as tasks:  # the parent may go at any moment
        while (task := messages.read(tasks)) is not None:
            connection.sendall(_outcome(task))


def settle(search_path: Sequence[str], folder: str) -> int:
    """Import from where the parent imports, stand where it stands, and return the number of this process.

    The first task of each worker. The parent's main module is left alone: no task lives there.
    """
    sys.path[:] = search_path
    with suppress(OSError):
        os.chdir(folder)
    return os.getpid()


def leave_no_core_file() -> None:
    """Write no core file in a crash: it would lie in the current directory, and so maybe in somebody's photos."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def be_deaf_to_the_terminal() -> None:
    """Ignore the signals that are for the parent."""
    for number in TERMINAL_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def work_spawned() -> None:
    """Work as a process of its own, whose socket is its standard input; on Windows it is shared through a pipe there.

    Only where there is no fork.
    """
    be_deaf_to_the_terminal()
    leave_no_core_file()
    share = getattr(socket, "fromshare", None)
    work(socket.socket(fileno=os.dup(0)) if share is None else share(sys.stdin.buffer.read()))
    os._exit(0)


def _outcome(task: bytes) -> bytes:
    """Run ``task`` and return the message about it: whether it went well, and its result or its error."""
    try:
        function, arguments, options = pickle.loads(task)  # noqa: S301 - from the process that has started this one
        return messages.packed((True, function(*arguments, **options)))
    except Exception as error:  # noqa: BLE001 - as executors do
        return _failure(error)


def _failure(error: Exception) -> bytes:
    message: tuple[bool, Any] = False, error
    with suppress(Exception):
        error.add_note("In a worker:\n" + "".join(traceback.format_exception(error)))
        pickle.loads(messages.packed(message)[8:])  # noqa: S301 - some errors can be written and not be read again
        return messages.packed(message)
    return messages.packed((False, RuntimeError(repr(error))))
