"""Runs of the command without its start: a process that has loaded the program is forked for each.

What comes of it is a process of its own, with its arguments, folder, environment, streams and exit code, like that of
``python -m dupfind``; only, the program is loaded once for hundreds of runs, and one fork server starts all of their
workers. What depends on the start itself is not asked of it, see :meth:`Server.takes`.

``python served.py`` is the process that is forked; its standard input is a socket, which brings the runs.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

_LENGTH_BYTES = 8
_OF_THE_START = ("PYTHON", "LC_", "LANG", "TMP", "TEMP", "LD_", "OPENBLAS", "OMP_", "DUPFIND_COMPLETE", "_DUPFIND")
"""How the variables begin that are read once, by the interpreter or a library, or before the program is run."""


_LATE = ("jinja2", "numpy.ma", "rich.console", "rich.table", "tqdm", "PIL.JpegImagePlugin", "PIL.PngImagePlugin")
"""What the program imports only where it is used, of others."""


class Order(NamedTuple):
    """What a run is told."""

    arguments: Sequence[str | bytes]
    folder: str
    environment: Mapping[str, str]
    has_workers: bool = False
    """Whether pictures are read by processes as they are everywhere else, and not on threads, in half the time."""


class Server:
    """The process that is forked for each run, one run at a time; started with the first, ended by :meth:`close`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def takes(self, environment: Mapping[str, str]) -> bool:
        """Whether a run with these variables is the same as one that really starts."""
        return all(
            environment.get(name) == self._environment.get(name)
            for name in environment.keys() | self._environment.keys()
            if name.startswith(_OF_THE_START)
        )

    def run(
        self,
        order: Order,
        given: bytes | None,
        timeout_seconds: float,
        own: Mapping[int, int] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[bytes]:
        """As :func:`subprocess.run` does with ``capture_output``; its error, too, where the time is over.

        ``own`` holds open files by the numbers of the standard streams that they become; what goes there is not
        captured, and None in the result.
        """
        connection = self._connection()
        reading, writing = zip(*(os.pipe() for _ in range(3)), strict=True)
        umask = os.umask(0)
        os.umask(umask)
        message = pickle.dumps((order, umask))
        stdin = 0 if given is None else reading[0]
        header = [len(message).to_bytes(_LENGTH_BYTES, "big")]
        streams = [own.get(number, usual) for number, usual in enumerate((stdin, *writing[1:]))]
        socket.send_fds(connection, header, streams)
        connection.sendall(message)
        for handle in (reading[0], *writing[1:]):
            os.close(handle)
        connection.settimeout(timeout_seconds)
        with ThreadPoolExecutor(3) as executor:
            executor.submit(_write, writing[0], given or b"")
            out, err = (executor.submit(_read, handle) for handle in reading[1:])
            try:
                code = int(_receive(connection, _LENGTH_BYTES))
            except (TimeoutError, EOFError) as error:
                self.close()
                raise subprocess.TimeoutExpired(list(order.arguments), timeout_seconds) from error
            captured = [None if number in own else stream.result() for number, stream in ((1, out), (2, err))]
            return subprocess.CompletedProcess(list(order.arguments), code, *captured)

    def _connection(self) -> socket.socket:
        if self._socket is None:
            self._socket, its = socket.socketpair()
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=its,
                stdout=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
            its.close()
        return self._socket

    def close(self) -> None:
        """End it, and what it runs."""
        if self._socket is not None and self._process is not None:
            self._socket.close()
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._socket = self._process = None


def _write(handle: int, content: bytes) -> None:
    with suppress(BrokenPipeError), os.fdopen(handle, "wb", buffering=0) as file:
        file.write(content)


def _read(handle: int) -> bytes:
    with os.fdopen(handle, "rb") as file:
        return file.read()


def _receive(connection: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = connection.recv(length - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def _load() -> None:
    """Everything that runs import sooner or later, and the fork server of their workers."""
    import importlib
    import pkgutil

    import dupfind
    from dupfind.pool import launch
    from tests.helpers.unsynced import never_wait_for_the_disk

    own = [module.name for module in pkgutil.walk_packages(dupfind.__path__, "dupfind.")]
    for name in [*own, *_LATE]:
        importlib.import_module(name)
    with suppress(ImportError):  # of an extra, and slow to load
        importlib.import_module("cv2")
    if hasattr(launch.os, "fork"):  # hidden from the program, maybe: see no_posix
        launch.start_server()
    never_wait_for_the_disk()


def _become(order: Order, umask: int, streams: Sequence[int]) -> NoReturn:
    """In the forked process: the program with these streams."""
    for number, handle in enumerate(streams):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(order.folder)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(order.environment)
    if not order.has_workers:
        from dupfind.pool.workers import Pool

        Pool._make_process = lambda _: ThreadPoolExecutor(1)  # type: ignore[assignment, method-assign, return-value]
    program = sys.modules["__main__"] = sys.modules["dupfind.__main__"]
    sys.argv = [str(program.__file__), *map(os.fsdecode, order.arguments)]
    program.main()
    raise AssertionError


def serve() -> None:
    """Fork for each run and say how it ended, until the other end of the socket is closed."""
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.path[0] = ""  # as with -m, instead of the folder of the tests
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as the program sets it; a process with threads is not to be forked
    _load()
    gc.freeze()  # what the collector marks would be copied in each forked process
    while True:
        length, streams, _, _ = socket.recv_fds(connection, _LENGTH_BYTES, 3)
        if not length:
            return
        order, umask = pickle.loads(_receive(connection, int.from_bytes(length, "big")))  # noqa: S301 - from our own tests
        child = os.fork()
        if child == 0:
            connection.close()
            _become(order, umask, streams)
        for handle in streams:
            os.close(handle)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(b"%*d" % (_LENGTH_BYTES, code))


if __name__ == "__main__":
    serve()


def open_files(options: Mapping[str, Any]) -> dict[int, int] | None:
    """The files that become standard streams by options of :func:`subprocess.run`; None where it has to be asked."""
    is_captured = options.get("capture_output", True)
    if not options.keys() <= {"cwd", "input", "capture_output", "stdin", "stdout", "stderr"}:
        return None
    own = {}
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = options.get(name, subprocess.PIPE if is_captured or name == "stdin" else None)
        if stream is None or stream in (subprocess.DEVNULL, subprocess.STDOUT):
            return None
        if stream != subprocess.PIPE:
            own[number] = stream if isinstance(stream, int) else stream.fileno()
    return own
