"""Work that the server's thread hands to the thread that reads files, which is the main one: there signals arrive.

What a person waits for comes first; pictures are made as many at once as there are waiting, so that every core works.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from dupfind.errors import CacheLostError, DupfindError
from dupfind.reviewing.page_state import WantedPicture
from dupfind.run import Reading
from dupfind.values import Failure

T = TypeVar("T")
Work = Callable[[Reading], T]
MakePictures = Callable[[Sequence[WantedPicture], Reading], Sequence[bytes | Failure]]
_ENDED = "the review has ended"
_TICK_SECONDS = 1.0
_MOST_PICTURES = 16
"""Made together: of more, the first would wait for the last."""


class EndedError(DupfindError):
    """Nobody works any more."""


class _Job(NamedTuple):
    work: Work[Any]
    done: Future[Any]


class Jobs:
    """Two lines of work. ``make_pictures`` makes those that are asked for."""

    def __init__(self, make_pictures: MakePictures) -> None:
        self._make_pictures = make_pictures
        self._changed = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._pictures: dict[WantedPicture, Future[bytes | Failure]] = {}
        self._alone: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._is_over = False
        self._used = time.monotonic()

    def do(self, work: Work[T]) -> Future[T]:
        """Hand over ``work``; called by the server."""
        done: Future[T] = Future()
        with self._changed:
            if self._is_over:
                done.set_exception(EndedError(_ENDED))
                return done
            self._jobs.append(_Job(work, done))
            self._changed.notify()
        return done

    def do_alone(self, work: Callable[[], T]) -> Future[T]:
        """Hand over what reads, or changes, files by itself, while nothing else does; called by the server."""
        done: Future[T] = Future()
        with self._changed:
            if self._is_over:
                done.set_exception(EndedError(_ENDED))
                return done
            self._alone.append((work, done))
            self._changed.notify()
        return done

    def picture(self, wanted: WantedPicture) -> Future[bytes | Failure]:
        """Ask for a picture; who asks for one that is asked for already waits for the same. Called by the server."""
        with self._changed:
            if self._is_over:
                done: Future[bytes | Failure] = Future()
                done.set_exception(EndedError(_ENDED))
                return done
            done = self._pictures.setdefault(wanted, Future())
            self._changed.notify()
        return done

    def use(self) -> None:
        """Tell that a person is there."""
        self._used = time.monotonic()

    def end(self) -> None:
        """Let the run end, once what is at work is done."""
        with self._changed:
            self._is_over = True
            self._changed.notify()

    def work(self, reading: Reading, idle_seconds: float) -> bool:
        """Work until the end is asked for, or nobody was there for ``idle_seconds``; tells whether that is so.

        Else there is something that has to be done alone, after which it can be called again. Raises
        :class:`~dupfind.errors.CacheLostError`, after which it can be called again: nothing is lost by it.
        """
        while True:
            job, wanted = self._next(idle_seconds)
            if job is not None:
                self._do(job, reading)
            elif wanted:
                self._draw(wanted, reading)
            elif self._alone and not self._is_over:
                return False
            else:
                self._leave()
                return True

    def _next(self, idle_seconds: float) -> tuple[_Job | None, list[WantedPicture]]:
        """Wait for something to do; neither a job nor a picture where it is over."""
        with self._changed:
            while not self._is_over:
                if self._jobs:
                    return self._jobs.popleft(), []
                if self._alone:
                    break
                if self._pictures:
                    return None, list(self._pictures)[-_MOST_PICTURES:]  # who scrolls on looks at the last
                if time.monotonic() - self._used > idle_seconds:
                    break
                self._changed.wait(_TICK_SECONDS)
        return None, []

    def work_alone(self) -> None:
        """Do what was handed over to be done alone."""
        while self._alone:
            work, done = self._alone.popleft()
            try:
                done.set_result(work())
            except (DupfindError, OSError) as error:  # the page is told; anything else is a bug
                done.set_exception(error)
            self.use()

    def _leave(self) -> None:
        """Tell who still waits that nobody works any more."""
        with self._changed:
            self._is_over = True
            waiting = [*(job.done for job in self._jobs), *self._pictures.values(), *(done for _, done in self._alone)]
            self._jobs.clear()
            self._alone.clear()
            self._pictures.clear()
        for done in waiting:
            if not done.done():
                done.set_exception(EndedError(_ENDED))

    def _do(self, job: _Job, reading: Reading) -> None:
        if not job.done.set_running_or_notify_cancel():  # nobody waits for it any more
            return
        try:
            result = job.work(reading)
        except CacheLostError:
            again: Future[Any] = Future()
            again.add_done_callback(lambda done: _pass_on(done, job.done))
            self._jobs.appendleft(_Job(job.work, again))
            raise
        except DupfindError as error:  # the page is told; anything else is a bug
            job.done.set_exception(error)
        else:
            job.done.set_result(result)

    def _draw(self, wanted: Sequence[WantedPicture], reading: Reading) -> None:
        pictures: Sequence[bytes | Failure | DupfindError]
        try:
            pictures = self._make_pictures(wanted, reading)
        except CacheLostError:
            raise
        except DupfindError as error:  # such as where no process can be started
            pictures = [error] * len(wanted)
        with self._changed:
            asked = [self._pictures.pop(key) for key in wanted]
        for done, picture in zip(asked, pictures, strict=True):
            if isinstance(picture, DupfindError):
                done.set_exception(picture)
            else:
                done.set_result(picture)


def _pass_on(done: Future[Any], to: Future[Any]) -> None:
    error = done.exception()
    if error is not None:
        to.set_exception(error)
    else:
        to.set_result(done.result())
