"""An executor with one process, whose end is always seen: nothing that waits for a result waits for ever.

``concurrent.futures`` has such an executor too. A process of that which dies while it hands over a result leaves half
of it in a pipe, whose other half is waited for without end. Here each process has a socket of its own, which ends with
it, and a second one by which is told how it ended.

Whatever concerns the process happens in a thread: signals raise their exceptions in the main thread only, so that none
of them can leave a process half started.
"""

from __future__ import annotations

import _thread
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, InvalidStateError
from contextlib import suppress
from typing import Any

from dupfind.errors import reason_of
from dupfind.forking import TERMINAL_SIGNALS
from dupfind.pool import launch, worker

_PAUSES_SECONDS = (0.0, 0.1, 0.5, 2.0)
"""Before each try to start: that the system has no more processes to give may pass."""
_PIECE_BYTES = 1 << 18
_GONE_SECONDS = 2.0
"""How long to wait for a killed process to be gone; a thread that the end of a run has left stuck must not hold it."""


class DiedError(BrokenExecutor):
    """The process died; the oldest task that was not answered is what it was at."""

    def __init__(self, exit_code: int | None = None) -> None:
        super().__init__("the process of this executor died")
        self.exit_code = exit_code
        """Negative for a signal; None where nobody told."""


def _words_of(error: Exception) -> str:
    """Return the system's words where it is the one who refuses."""
    return reason_of(error) if isinstance(error, OSError) else str(error)


class NeverStartedError(BrokenExecutor):
    """The process could not be started; no task is to blame. The text says why."""


class ProcessExecutor(Executor):
    """Runs what is handed over in one process, in that order."""

    def __init__(self, start: Callable[[], launch.Worker] = launch.start) -> None:
        self.pid: int | None = None
        """Of the process, once it has started."""
        self._start = start
        self._lock = threading.Lock()
        self._jobs: deque[tuple[Future[Any], bytes]] = deque()
        self._worker: launch.Worker | None = None
        self._end: BrokenExecutor | None = None
        self._is_shut = False
        self._is_killed = False
        self._serving = _thread.allocate_lock()
        self._serving.acquire()
        self._bell: socket.socket | None = None
        try:
            ear, self._bell = socket.socketpair()
            for end in (ear, self._bell):
                end.setblocking(False)
            # Not threading.Thread, whose start waits, and is in no good state where a signal cuts the waiting short.
            _thread.start_new_thread(self._serve, (ear,))
        except (OSError, RuntimeError) as error:  # too many open files; too many threads
            self._end = NeverStartedError(_words_of(error))
            if self._bell is not None:
                ear.close()
                self._bell.close()
            self._serving.release()

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        """Hand ``fn`` over; raises :class:`DiedError` or :class:`NeverStartedError` where that cannot be."""
        message = worker.packed((fn, args, kwargs))
        future: Future[Any] = Future()
        with self._lock:
            if self._is_shut:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if self._end is not None:
                raise self._end
            self._jobs.append((future, message))
        self._ring()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the process end once it has done what it was handed."""
        with self._lock:
            self._is_shut = True
            jobs = list(self._jobs) if cancel_futures else []
        for future, _ in jobs:
            future.cancel()
        self._ring()
        if wait:
            self._wait_for_end(-1)

    def kill(self) -> None:
        """End the process at once, whatever it does; what it was handed breaks."""
        with self._lock:
            self._is_shut = self._is_killed = True
            process = self._worker
        if process is not None:
            process.kill()
        self._ring()

    def wait_until_gone(self) -> None:
        """Wait for a process that was killed, but not for long, and not for one that is about to start."""
        if self.pid is not None:
            self._wait_for_end(_GONE_SECONDS)

    def _wait_for_end(self, seconds: float) -> None:
        if self._serving.acquire(timeout=seconds):
            self._serving.release()

    def _ring(self) -> None:
        if self._bell is not None:
            with suppress(OSError):  # full: it will be heard
                self._bell.send(b"!")

    def _serve(self, ear: socket.socket) -> None:
        """Run the thread: start the process, talk with it until it has ended, tell everybody who still waits."""
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL_SIGNALS)  # they are for the main thread
        line: _Line | None = None
        end: BrokenExecutor = DiedError()
        try:
            line = self._connect(ear)
            self._talk(line, ear)
            end = DiedError(line.process.end())
        except (launch.CannotStartError, OSError) as error:  # too many open files, no memory: no task is to blame
            end = NeverStartedError(_words_of(error))
        except Exception as error:  # noqa: BLE001 - what cannot be understood was written by a process gone mad
            end.__cause__ = error
        finally:
            self._break_off(line, end)
            ear.close()

    def _break_off(self, line: _Line | None, end: BrokenExecutor) -> None:
        """Let go of the process, which ends it where it has not ended, and tell everybody who waits."""
        with self._lock:
            self._end = end
            jobs = list(self._jobs)
            self._jobs.clear()
        if line is not None:
            line.process.kill()
            line.close()
        if self._bell is not None:
            self._bell.close()
        self._serving.release()
        for future in [*(line.pending if line is not None else ()), *(future for future, _ in jobs)]:
            with suppress(InvalidStateError):  # cancelled
                future.set_exception(end)

    def _connect(self, ear: socket.socket) -> _Line:
        """Start the process and see that it answers."""
        why = ""
        for pause_seconds in _PAUSES_SECONDS:
            time.sleep(pause_seconds)
            if self._has_killed(None):
                break
            try:
                process = self._start()
            except launch.CannotStartError as error:
                why = str(error) or why
                continue
            if self._has_killed(process):  # in the meantime
                process.kill()
            line = _Line(process)
            greeting: Future[int] = Future()
            try:
                line.send(greeting, worker.packed((worker.settle, (list(sys.path), _folder()), {})))
                self._talk(line, ear, until=greeting)
                if greeting.done():
                    self.pid = greeting.result()
                    return line
                process.end()
            except launch.CannotStartError as error:
                why = str(error) or why
            finally:
                if self.pid is None:
                    line.close()
        raise launch.CannotStartError(why or launch.last_words() or "they end before they have begun")

    def _has_killed(self, process: launch.Worker | None) -> bool:
        """Make ``process`` the one to be killed from now on, and tell whether that was wanted before."""
        with self._lock:
            self._worker = process
            return self._is_killed

    def _talk(self, line: _Line, ear: socket.socket, until: Future[Any] | None = None) -> None:
        """Send what is handed over and take what comes, until the process has ended or ``until`` is done."""
        connection, status = line.process.connection, line.process.status
        with selectors.DefaultSelector() as selector:
            for end in (ear, connection, status):
                if end is not None:
                    selector.register(end, selectors.EVENT_READ)
            while until is None or not until.done():
                if until is None:
                    self._take_jobs(line)
                line.flush()
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.unsent else 0)
                selector.modify(connection, wanted)
                ready = {key.fileobj for key, _ in selector.select()}
                if ear in ready:
                    with suppress(OSError):
                        ear.recv(_PIECE_BYTES)
                if not line.receive() or (status is not None and status in ready):
                    line.receive()  # what it said before it ended
                    return

    def _take_jobs(self, line: _Line) -> None:
        with self._lock:
            jobs = list(self._jobs)
            self._jobs.clear()
            is_shut = self._is_shut
        for future, message in jobs:
            if future.set_running_or_notify_cancel():
                line.send(future, message)
        if is_shut and not line.pending:
            line.finish()


class _Line:
    """What one process was sent and has not answered yet, and the bytes on their way."""

    def __init__(self, process: launch.Worker) -> None:
        self.process = process
        self.pending: deque[Future[Any]] = deque()
        self.unsent = bytearray()
        self._inbox = worker.Inbox()
        process.connection.setblocking(False)

    def send(self, future: Future[Any], message: bytes) -> None:
        """Send a task whose answer is for ``future``."""
        self.pending.append(future)
        self.unsent += message

    def flush(self) -> None:
        """Write as much as there is room for."""
        try:
            while self.unsent:
                del self.unsent[: self.process.connection.send(self.unsent)]
        except BlockingIOError:
            pass
        except OSError:  # it has ended, which reading tells
            self.unsent.clear()

    def receive(self) -> bool:
        """Take what is there and tell whether more may come; raises what pickle raises where it makes no sense."""
        while True:
            try:
                piece = self.process.connection.recv(_PIECE_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not piece:
                return False
            for is_done, value in self._inbox.take(piece):
                future = self.pending.popleft()
                if is_done:
                    future.set_result(value)
                else:
                    future.set_exception(value)

    def finish(self) -> None:
        """Tell the process that there is nothing more to do."""
        with suppress(OSError):
            self.process.connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Let go of the process, which then ends."""
        self.process.connection.close()
        if self.process.status is not None:
            self.process.status.close()


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return os.sep
