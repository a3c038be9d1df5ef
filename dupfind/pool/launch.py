"""Starts the workers of this machine: from a server that forks them, or each afresh where there is no fork.

The first worker starts the server, or who knows before that it will be needed; it serves this process until it ends.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
import threading
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dupfind import forking
from dupfind.errors import reason_of
from dupfind.forking import TERMINAL_SIGNALS
from dupfind.pool.worker import END

if TYPE_CHECKING:
    import subprocess

_END_SECONDS = 5.0
"""How long to wait for the server to tell how a worker ended that has closed its socket."""
_REQUEST = b"w"
_STREAMS = range(3)


class CannotStartError(Exception):
    """No worker could be started; the text says why, and is empty where nobody told."""


class Worker(Protocol):
    """A process that waits for tasks, as the process sees it that has asked for it."""

    @property
    def connection(self) -> socket.socket:
        """Its tasks go in here, its results come out; it ends with the worker."""

    @property
    def status(self) -> socket.socket | None:
        """Where to read comes what :meth:`end` tells; None where ``connection`` alone tells that the worker is gone."""

    def kill(self) -> None:
        """End it, whatever it does; waits for nothing."""

    def end(self) -> int | None:
        """Return the exit code of a worker that has ended, negative for a signal; None where nobody tells.

        Raises :class:`CannotStartError` where the worker has never been.
        """


def start() -> Worker:
    """Start a worker; raises :class:`CannotStartError`."""
    try:
        return _fork() if hasattr(os, "fork") else _spawn()
    except OSError as error:
        raise CannotStartError(reason_of(error)) from None


class _Forked:
    """A worker that the server has forked."""

    def __init__(self, connection: socket.socket, status: socket.socket) -> None:
        self.connection = connection
        self.status = status

    def kill(self) -> None:
        """Close our end, which the server sees."""
        with suppress(OSError):
            self.status.shutdown(socket.SHUT_WR)

    def end(self) -> int | None:
        """Ask the server."""
        self.status.settimeout(_END_SECONDS)
        try:
            told = self.status.recv(END.size)
        except OSError:
            told = b""
        if len(told) < END.size:
            if (why := _complaint()) is not None:
                raise CannotStartError(why)
            return None  # the server died, by which its workers count as dead
        exit_code, error = END.unpack(told)
        if error:
            raise CannotStartError(os.strerror(error).lower())
        return int(exit_code)


class _Spawned:
    """A worker that was started afresh."""

    status = None

    def __init__(self, connection: socket.socket, process: subprocess.Popen[bytes]) -> None:
        self.connection = connection
        self._process = process

    def kill(self) -> None:
        """Kill it as the system does."""
        self._process.kill()

    def end(self) -> int | None:
        """Ask the system."""
        import subprocess

        try:
            return self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return None


class _Server(NamedTuple):
    """The server of this process, as this process sees it."""

    control: socket.socket
    pid: int
    parent: int
    """The process that has started it; those that are forked from that one use it too."""

    def end(self) -> None:
        """Let go of it, by which it ends; at once where it is ours, since it hears of nothing while it loads."""
        self.control.close()
        if self.parent == os.getpid():
            with suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, os.WNOHANG)


_lock = threading.Lock()
_server: _Server | None = None
_last_words: str = ""
"""What a server said that could not load what the tasks need: whoever reads it first takes it from all others."""


def start_server() -> None:
    """Start the server now, where there is to be one and is none. Raises ``OSError`` and :class:`CannotStartError`."""
    if hasattr(os, "fork"):
        with _lock:
            _running_server()


def fork_server() -> None:
    """Fork the server now, where it may be forked from this process and there is none: later this one has threads."""
    if _server is None and forking.can_fork_decoders():
        with suppress(OSError, CannotStartError):  # who needs it tries again, and says what is wrong
            start_server()


def _running_server() -> _Server:
    global _server  # noqa: PLW0603 - one for the whole process, since loading the decoders takes long
    if _server is None:
        control, theirs = socket.socketpair()
        with theirs:
            try:
                _server = _Server(control, _begin_server(theirs), os.getpid())
            except BaseException:
                control.close()
                raise
        atexit.register(_server.end)
    return _server


def _begin_server(control: socket.socket) -> int:
    """Begin a process that serves on ``control``, and return its number. Raises ``OSError``."""
    is_apart = control.fileno() not in _STREAMS  # not so where a standard stream is closed, whose number it then has
    if is_apart and forking.can_fork_decoders():
        from dupfind.pool import forkserver

        with suppress(ImportError):  # who is started afresh meets it as well, and tells
            forkserver.load_for_both()
            if forking.can_fork():  # numpy may have started threads, where OPENBLAS_NUM_THREADS says so
                return forking.fork(partial(forkserver.serve_on, control), control.fileno())
    return _run("dupfind.pool.forkserver", "serve", control)


def _fork() -> _Forked:
    with ExitStack() as on_error:
        connection, its_connection = (on_error.enter_context(end) for end in socket.socketpair())
        status, its_status = (on_error.enter_context(end) for end in socket.socketpair())
        with its_connection, its_status, _lock:
            handles = [its_connection.fileno(), its_status.fileno()]
            try:
                socket.send_fds(_running_server().control, [_REQUEST], handles)
            except ConnectionError:  # the server was ended, as any process may be; another takes its place
                _forget_server()
                try:
                    socket.send_fds(_running_server().control, [_REQUEST], handles)
                except ConnectionError:  # the new one as well: only itself can tell why
                    raise CannotStartError(_complaint_of(_server) or "") from None
        on_error.pop_all()
    return _Forked(connection, status)


def _forget_server() -> None:
    global _server  # noqa: PLW0603
    if _server is not None:
        _complaint_of(_server)
        atexit.unregister(_server.end)
        _server.end()
    _server = None


def _complaint() -> str | None:
    """Return what the server said in the end, where it could not load what the tasks need; else None."""
    with _lock:
        return _complaint_of(_server)


def _complaint_of(server: _Server | None) -> str | None:
    global _last_words  # noqa: PLW0603
    with suppress(OSError):
        if server is not None and (text := server.control.recv(1000, socket.MSG_DONTWAIT)):
            _last_words = text.decode(errors="replace")
            return _last_words
    return None


def last_words() -> str:
    """Return why the last server that could not serve could not; empty where none has said anything."""
    return _last_words


def _run(module: str, function: str, stdin: socket.socket) -> int:
    """Run a function of ours in a fresh interpreter with nothing but ``stdin``, deaf to the terminal; gives its number.

    ``subprocess`` would do it as well, and takes 11 ms to load.
    """
    command = _command(module, function)
    return os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, stdin.fileno(), 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            # Decoders write their complaints straight to standard error.
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
        setsigmask=TERMINAL_SIGNALS,  # before it can ignore them, it would answer them with a traceback
    )


def _spawn() -> _Spawned:
    """Start a worker where there is no fork: Windows."""
    import subprocess

    connection, theirs = socket.socketpair()
    share = getattr(theirs, "share", None)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own module
            _command("dupfind.pool.worker", "work_spawned"),
            stdin=theirs.fileno() if share is None else subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # deaf to Ctrl-C
        )
        if process.stdin is not None and share is not None:
            with process.stdin:
                process.stdin.write(share(process.pid))
    return _Spawned(connection, process)


def _interpreter() -> str:
    """Return the Python to be started; what multiprocessing was told about it holds here as well."""
    spawn = sys.modules.get("multiprocessing.spawn")
    path = os.fsdecode((spawn.get_executable() if spawn else sys.executable) or "")
    if not path:
        raise CannotStartError("it is not known which Python to start: sys.executable is empty")
    if getattr(sys, "frozen", False) and path == sys.executable:
        raise CannotStartError("a frozen program is no Python that could be started: multiprocessing.set_executable")
    return path


def _command(module: str, function: str) -> list[str]:
    """Return the arguments for an interpreter that imports from where this one does."""
    path = [entry for entry in sys.path if isinstance(entry, str)]
    code = f"import sys; sys.path[:] = {path!a}; from {module} import {function}; {function}()"
    flags = [
        *(["-I"] if sys.flags.isolated else []),
        *(["-E"] if sys.flags.ignore_environment else []),
        *(["-s"] if sys.flags.no_user_site else []),
        *(["-B"] if sys.dont_write_bytecode else []),
        *("-X", f"utf8={sys.flags.utf8_mode}"),
    ]
    return [_interpreter(), *flags, "-c", code]


if hasattr(os, "register_at_fork"):

    def _renew_lock() -> None:
        """Renew the lock: whoever held it at a fork lives on in the other process."""
        global _lock  # noqa: PLW0603
        _lock = threading.Lock()

    os.register_at_fork(after_in_child=_renew_lock)
