"""Time limit of a decoder; knows signals and no pictures."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Self

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
        self._alarm = _Alarm()

    def __enter__(self) -> Self:
        if _works_for_another():
            self._nowhere = open(os.devnull, "w")
        self._alarm.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._alarm.end()
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
        with self._alarm.after(self._seconds):
            yield


class _Alarm:
    """The alarm of the system, where it has one and this is the thread that hears it."""

    def __init__(self) -> None:
        self._is_heard = False
        self._has_rung = False
        self._before: Any = None

    def begin(self) -> None:
        """Answer to the alarm from now on: to say so for each piece of work takes as long as opening a file."""
        self._is_heard = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        if self._is_heard:
            self._before = signal.signal(signal.SIGALRM, self._ring)

    def end(self) -> None:
        """Leave it as it was."""
        if self._is_heard:
            signal.signal(signal.SIGALRM, self._before)

    def _ring(self, *_: object) -> None:
        self._has_rung = True
        raise TimeoutError

    @contextmanager
    def after(self, seconds: float) -> Iterator[None]:
        """Raise ``TimeoutError`` in the block after so many seconds."""
        if not self._is_heard:
            yield
            return

        self._has_rung = False
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        except Exception:
            if not self._has_rung:
                raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self._has_rung:  # also where a decoder caught it and went on with half of the facts, or made another error
            raise TimeoutError
