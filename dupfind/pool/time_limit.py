"""Time limit of a decoder; knows signals and no pictures."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Self

HARD_LIMIT_SECONDS = 5.0
"""How long after the soft time limit, which a decoder may not heed, its process is ended."""
_SLACK_SECONDS = 1.0
"""How much earlier it may be, because setting the hard limit anew costs a thread."""


_may_end_this_process = False


def allow_to_end_this_process() -> None:
    """Let the hard limit hold in this process, which was started to work for another."""
    global _may_end_this_process  # noqa: PLW0603 - a property of the process
    _may_end_this_process = True


def _works_for_another() -> bool:
    """Tell whether this process may be ended; a worker of somebody else's pool, such as a cluster's, may."""
    if _may_end_this_process:
        return True
    import multiprocessing

    return multiprocessing.parent_process() is not None


class TimeLimit:
    """A time limit for each of several pieces of work, one after the other.

    Soft first: ``TimeoutError`` is raised in the work, which a decoder heeds that returns to Python now and then; only
    on POSIX, and in the main thread. Then hard: the process ends; everywhere, but only in a process that was started
    to work for another. Use it as a context manager around all the work, and :meth:`each` around each piece.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._set_at: float | None = None
        self._nowhere: IO[str] | None = None

    def __enter__(self) -> Self:
        if _works_for_another():
            self._nowhere = open(os.devnull, "w")
        return self

    def __exit__(self, *_: object) -> None:
        if self._nowhere is not None:
            faulthandler.cancel_dump_traceback_later()
            self._nowhere.close()

    @contextmanager
    def each(self) -> Iterator[None]:
        """Limit the block; raises ``MemoryError`` where nothing is left for that."""
        if self._nowhere is not None:
            now = time.monotonic()
            if self._set_at is None or now - self._set_at > _SLACK_SECONDS:
                try:
                    faulthandler.dump_traceback_later(self._seconds + HARD_LIMIT_SECONDS, exit=True, file=self._nowhere)
                except RuntimeError:  # its thread has a stack, of 8 MiB on Linux
                    raise MemoryError("not enough memory to watch the time") from None
                self._set_at = now
        with _alarm(self._seconds):
            yield


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    has_rung = False

    def ring(*_: object) -> None:
        nonlocal has_rung
        has_rung = True
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except Exception:
        if not has_rung:
            raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if has_rung:  # also where a decoder caught it and went on with half of the facts, or made another error of it
        raise TimeoutError
