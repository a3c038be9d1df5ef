"""How the processes of the pool start, what they may do to the machine, and what their end tells."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import Executor
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

WATCHDOG_EXIT = 1
"""The exit code of a process that ended itself at the hard time limit, as ``faulthandler`` does."""

_FIRST_TO_GO = b"500"
"""Of 1,000: a system that runs out of memory is to end the process that decodes, and not the one that has the answer,
nor the file server of the machine."""
_COLLECTION_SECONDS = 5.0


class Death(NamedTuple):
    """Why there is no result for an item: its process died, or had too little memory."""

    seconds: float
    """How long after the item was handed over."""
    exit_code: int | None = None
    """Of the process; the number of a signal is negative. None where nobody told."""
    shortage: str | None = None
    """What was said where memory was short and the process lives on."""

    @property
    def reason(self) -> str:
        """In words for the user."""
        if self.shortage is not None:
            return self.shortage
        if self.exit_code is None or self.exit_code >= 0:
            return "the process that read it died"
        name = _signal_name(-self.exit_code)
        if name == "SIGKILL":
            return "the process that read it was killed, as systems do that run out of memory (SIGKILL)"
        if name == "SIGABRT":
            return "not enough memory to decode it, or a fault of the decoder, which gave up (SIGABRT)"
        return f"its decoder crashed ({name})"

    def is_late(self, timeout_seconds: float) -> bool:
        """Whether the time limit ended it: no signal did, and it was late."""
        is_by_signal = self.exit_code is not None and self.exit_code < 0
        return self.shortage is None and not is_by_signal and self.seconds > timeout_seconds


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # such as the real-time signals
        return f"signal {number}"


def start_worker(lifeline: Connection) -> None:
    """Make a fresh process a good worker: quiet, deaf to the terminal's signals, gone when the parent is gone.

    Where it crashes it leaves no core file, which would lie in the current directory and so maybe in somebody's photos.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # the parent hears them and ends its workers through the lifeline
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)  # libtiff and others write their complaints straight to standard error
    os.close(nowhere)
    with suppress(ImportError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError), open("/proc/self/oom_score_adj", "wb", buffering=0) as score:
        score.write(_FIRST_TO_GO)

    def watch() -> None:
        try:
            lifeline.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def exit_code(executor: Executor) -> int | None:
    """How the process of a broken executor ended; None where that cannot be told."""
    collector = getattr(executor, "_executor_manager_thread", None)
    if isinstance(collector, threading.Thread):  # two that ask for one exit code at a time take it from each other
        collector.join(_COLLECTION_SECONDS)
        if collector.is_alive():
            return None
    processes = getattr(executor, "_processes", None)
    codes = [process.exitcode for process in processes.values()] if isinstance(processes, dict) else []
    return next((code for code in codes if code is not None), None)


def kill(executor: Executor) -> None:
    """End the processes of a pool, also one in a long call that keeps the interpreter lock from the lifeline."""
    processes = getattr(executor, "_processes", None)  # Executor.kill_workers() comes with Python 3.14 only
    for process in list(processes.values()) if isinstance(processes, dict) else []:
        process.kill()


def start_method() -> BaseContext:
    """How processes start: from a server that has loaded the decoders once, or afresh where there is no fork.

    Never by a plain fork of this process, which has threads.
    """
    import multiprocessing

    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "dupfind.pool.hush",
            "dupfind.pictures.decode",
            "dupfind.files.digest",
            "dupfind.evidence.fingerprint",
            "dupfind.pool.workers",
        ]
    )
    # Signals of the terminal reach the server too, and while it loads the decoders it would answer Ctrl-C with a
    # traceback. It inherits that they are held back, and so do the workers; for this process they are only late. The
    # tracker is deaf to two of the three by itself, and lifts the mask of these when it starts.
    terminal = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    held = signal.pthread_sigmask(signal.SIG_BLOCK, terminal)
    try:
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, terminal)
        forkserver.ensure_running()
    except OSError:  # no place for its socket: a temporary folder that cannot be written, or has too long a name
        return multiprocessing.get_context("spawn")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    return context
