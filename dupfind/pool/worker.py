"""The life of a worker: read a task from its socket, run it, write what came of it; gone when the socket ends.

Task and outcome go as messages: eight bytes that tell the length, then a pickle. A message counts once all of it is
there. What a process leaves behind that dies in the midst of one is never taken for a result, and never waited for: its
socket has an end.
"""

from __future__ import annotations

import os
import pickle
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import IO, Any, TypeVar

from dupfind import memory_limit
from dupfind.forking import be_deaf_to_the_terminal
from dupfind.pool import time_limit

T = TypeVar("T")
R = TypeVar("R")

_FIRST_TO_GO = b"500"
"""Of 1,000: a system that runs out of memory is to end the process that decodes, and not the one that has the answer,
nor the file server of the machine."""
END = struct.Struct("!ii")
"""How a worker ended, as the server that forked it tells it: its exit code, negative for a signal; or where it never
began, the number of the error."""
_LENGTH = struct.Struct("!Q")


def work(connection: socket.socket) -> None:
    """Run the tasks that come through ``connection``, one after the other, until its other end is closed."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as score:
        score.write(_FIRST_TO_GO)
    time_limit.allow_to_end_this_process()
    with suppress(OSError), connection.makefile("rb") as tasks:  # the parent may go at any moment
        while (task := read_message(tasks)) is not None:
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


def work_spawned() -> None:
    """Work as a process of its own, whose socket is its standard input; on Windows it is shared through a pipe there.

    Only where there is no fork.
    """
    be_deaf_to_the_terminal()
    leave_no_core_file()
    share = getattr(socket, "fromshare", None)
    work(socket.socket(fileno=os.dup(0)) if share is None else share(sys.stdin.buffer.read()))
    os._exit(0)


def run_chunk(
    task: Callable[[list[T]], list[R]], most_bytes: int | None, chunk: list[T]
) -> tuple[list[R], float, float]:
    """Return what ``task`` gives of one chunk of items under this ceiling of memory, the processor seconds, and their
    share of the time by the clock.

    What every executor runs, a thread of this process as well; a worker does one thing at a time.
    """
    clock = time.process_time if threading.current_thread() is threading.main_thread() else time.thread_time
    began, began_at = clock(), time.monotonic()
    with memory_limit.held(most_bytes):
        results = task(chunk)
    seconds = clock() - began
    return results, seconds, seconds / max(1e-9, time.monotonic() - began_at)


def _outcome(task: bytes) -> bytes:
    """Run ``task`` and return the message about it: whether it went well, and its result or its error."""
    try:
        function, arguments, options = pickle.loads(task)  # noqa: S301 - from the process that has started this one
        return packed((True, function(*arguments, **options)))
    except Exception as error:  # noqa: BLE001 - as executors do
        return _failure(error)


def _failure(error: Exception) -> bytes:
    message: tuple[bool, Any] = False, error
    with suppress(Exception):
        error.add_note("In a worker:\n" + "".join(traceback.format_exception(error)))
        pickle.loads(packed(message)[_LENGTH.size :])  # noqa: S301 - some can be written and not be read again
        return packed(message)
    return packed((False, RuntimeError(repr(error))))


def packed(value: object) -> bytes:
    """Return ``value`` as a message; raises what pickle raises."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


def read_message(stream: IO[bytes]) -> bytes | None:
    """Return the pickle of the next message; None where the stream ends before the message does."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    data = stream.read(length)
    return data if len(data) == length else None


class Inbox:
    """Puts messages together from the pieces in which a socket gives them."""

    def __init__(self) -> None:
        self._data = bytearray()

    def take(self, piece: bytes) -> Iterator[Any]:
        """Yield the values that ``piece`` completes; raises what pickle raises where they make no sense."""
        self._data += piece
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            end = _LENGTH.size + length
            if len(self._data) < end:
                return
            message = bytes(self._data[_LENGTH.size : end])
            del self._data[:end]
            yield pickle.loads(message)  # noqa: S301 - from a process that this one has started
