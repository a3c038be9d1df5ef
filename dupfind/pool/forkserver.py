"""A process that has loaded the decoders once and forks a worker for whoever asks; only on systems with fork.

The program is forked for this where :func:`dupfind.forking.can_fork_decoders`, since it has loaded half of what is
needed; it is not forked for each worker, since it has threads then. Neither the server nor its workers import the
program's main module, which need not be one that can be imported.

A request is one byte with two sockets: one end of each. Through the first the worker is given its tasks; the server
keeps the second, tells there how the worker ended, and kills the worker when its other end is closed. So a worker ends
with whoever asked for it, also in a call into C that keeps the interpreter to itself, and however the asker ended.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
from contextlib import suppress
from typing import NamedTuple, NoReturn

from dupfind import forking
from dupfind.pool import worker

_SOCKETS = 2
"""That come with a request."""
_BROKEN_EXIT = 70
"""The exit code of a worker that failed outside of any task."""


class _Child(NamedTuple):
    """A worker that runs."""

    pid: int
    status: socket.socket
    alive: int
    """A pipe whose other end only the worker holds: it ends with the worker."""


def serve() -> NoReturn:
    """Answer requests on standard input, which is a socket, until nobody holds its other end."""
    forking.be_deaf_to_the_terminal()
    forking.close_all_but()  # what a shell has left open for the program, such as a lock, is not ours to hold
    control = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    serve_on(control)


def serve_on(control: socket.socket) -> NoReturn:
    """Answer requests on ``control``, in a process that may have been forked from the program."""
    worker.leave_no_core_file()
    gc.disable()  # nothing that is loaded is ever garbage; looking for some takes 9 ms
    try:
        _load()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it has to be told
        with suppress(OSError):
            control.send(f"{type(error).__name__}: {error}".encode(errors="replace")[:1000])
        os._exit(1)
    # What the workers never look through they never copy. And the garbage of a program that was forked is never freed:
    # a database or a file would close, by its number, what has that number here.
    gc.freeze()
    gc.enable()
    _Server(control).run()


def load_for_both() -> None:
    """Import what the program and its workers need, so that what is forked from the program has it.

    Raises ``ImportError``.
    """
    import dupfind.evidence.fingerprint
    import dupfind.pool.tasks  # noqa: F401 - both stay loaded


def _load() -> None:
    """Import what the tasks need."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process with threads is not to be forked
    import dupfind.digest
    import dupfind.pictures.decode
    import dupfind.pool.tasks

    dupfind.pool.tasks.hashing()  # all of them stay loaded in the workers


class _Server:
    """The loop of the server."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)

    def run(self) -> NoReturn:
        """Fork, kill and bury."""
        while True:
            for key, _ in self._selector.select():
                child: _Child | None = key.data
                if child is None:
                    self._answer()
                elif key.fileobj == child.alive:
                    self._bury(child)
                elif self._children.get(child.pid) is child:
                    self._selector.unregister(child.status)
                    os.kill(child.pid, signal.SIGKILL)

    def _answer(self) -> None:
        try:
            request, handles, _, _ = socket.recv_fds(self._control, 1, _SOCKETS)
        except ConnectionError:
            request, handles = b"", []
        if not request:
            for child in self._children.values():
                os.kill(child.pid, signal.SIGKILL)
            os._exit(0)
        if len(handles) < _SOCKETS:  # too many files are open; the end of its sockets tells it to who asked
            for handle in handles:
                os.close(handle)
            return
        with socket.socket(fileno=handles[0]) as connection:
            self._fork(connection, socket.socket(fileno=handles[1]))

    def _fork(self, connection: socket.socket, status: socket.socket) -> None:
        try:
            alive, held = os.pipe()
            try:
                pid = os.fork()
            except OSError:
                os.close(alive)
                os.close(held)
                raise
        except OSError as error:
            _tell(status, 0, error.errno or 0)
            return
        if pid == 0:
            self._become_worker(connection, status, alive)
        os.close(held)
        child = self._children[pid] = _Child(pid, status, alive)
        self._selector.register(status, selectors.EVENT_READ, child)
        self._selector.register(alive, selectors.EVENT_READ, child)

    def _become_worker(self, connection: socket.socket, status: socket.socket, alive: int) -> NoReturn:
        code = _BROKEN_EXIT
        try:
            self._selector.close()
            self._control.close()
            status.close()
            os.close(alive)
            for child in self._children.values():  # a sibling's sockets are to end with the server
                child.status.close()
                os.close(child.alive)
            worker.work(connection)
            code = 0
        finally:
            os._exit(code)

    def _bury(self, child: _Child) -> None:
        """Tell how it ended."""
        del self._children[child.pid]
        self._selector.unregister(child.alive)
        os.close(child.alive)
        with suppress(KeyError):  # not where it was killed
            self._selector.unregister(child.status)
        _, state = os.waitpid(child.pid, 0)
        _tell(child.status, os.waitstatus_to_exitcode(state), 0)


def _tell(status: socket.socket, exit_code: int, error: int) -> None:
    with status, suppress(OSError):
        status.send(worker.END.pack(exit_code, error))
