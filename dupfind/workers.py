"""Runs the tasks over many files on executors; the only module that knows processes and their deaths.

A task is a plain picklable function that takes a list and gives a list, so that any ``concurrent.futures.Executor`` can
run it. By default each core gets an executor of its own with one process. A decoder
that crashes then costs its own chunk only, the other cores work on, and running that chunk again one file at a
time finds the culprit.

Light tasks, which can neither crash nor hang on their own and leave the interpreter lock where they take long, run on
threads of this process instead: a process that has loaded the decoders takes as long to start as hashing a gigabyte.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

T = TypeVar("T")
R = TypeVar("R")

_CHUNK_ITEMS = 16
_LIGHT_CHUNK_ITEMS = 256
_CHUNK_BYTES = 8 << 20
_BUSY_SHARE = 0.6
"""Of the time of a chunk of small files on a thread: what computes for more of it does not wait for a disk."""
_CHUNKS_AHEAD = 3
"""Chunks handed to each lane: one at work and two waiting, so that a busy parent never leaves a core idle."""


def _start_worker(lifeline: Connection) -> None:
    """Make a fresh process a good worker: quiet, deaf to the terminal's signals, gone when the parent is gone."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # the parent hears them and ends its workers through the lifeline
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)  # libtiff and others write their complaints straight to standard error
    os.close(nowhere)

    def watch() -> None:
        try:
            lifeline.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


@dataclass(slots=True)
class _Lane(Generic[T]):
    """One executor and the chunks that were handed to it, the oldest first."""

    executor: Executor
    make_executor: Callable[[], Executor]
    handed: deque[tuple[Future[Any], list[T], float]] = field(default_factory=deque)
    is_alone: bool = False
    """Whether the other lanes rest: threads that read small files from memory only wait for each other."""


class Pool:
    """A set of executors that share the work on a list of items.

    ``make_executor`` gives the executor of one lane; a cluster's client fits as well as a process pool. ``worked`` is
    told the processor time that each chunk took, in seconds. Use it as a context manager: leaving it ends all
    processes, at once when an exception passes through.
    """

    def __init__(
        self,
        lanes: int,
        make_executor: Callable[[], Executor] | None = None,
        worked: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._lane_count = lanes
        self._worked = worked
        self._make_executor = make_executor or self._make_process
        self._make_light = make_executor or _make_thread
        self._executors: dict[Callable[[], Executor], list[Executor]] = {}
        """By what makes them."""
        self._lifeline_end: Connection | None = None
        self._lifeline: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._shut_down()
        finally:  # also where a signal cuts the waiting short
            self._cut_lifeline()
            for executor in self._all():
                _kill(executor)
            self._shut_down(is_hasty=kind is not None)
            self._executors.clear()

    def _all(self) -> list[Executor]:
        return [executor for executors in self._executors.values() for executor in executors]

    def _shut_down(self, *, is_hasty: bool = False) -> None:
        for executor in self._all():
            # A thread cannot be ended; the process leaves without it.
            executor.shutdown(wait=not (is_hasty and isinstance(executor, ThreadPoolExecutor)), cancel_futures=True)

    def prepare(self) -> None:
        """Let the processes load what they need while this one is busy: what is mapped next finds them ready."""
        if self._make_executor == self._make_process:  # other executors are told of nothing but work
            for executor in self._lanes(self._make_executor):
                executor.submit(os.getpid)

    def _lanes(self, make: Callable[[], Executor]) -> list[Executor]:
        executors = self._executors.setdefault(make, [])
        while len(executors) < self._lane_count:
            executors.append(make())
        return executors

    def map(
        self,
        task: Callable[[list[T]], list[R]],
        items: Iterable[T],
        *,
        size_bytes: Callable[[T], int],
        lost: Callable[[T, float], R],
        is_light: bool = False,
    ) -> Iterator[tuple[T, R]]:
        """Give each item with its result, in the order in which they are done.

        ``items`` is read no faster than the work goes on. ``lost`` makes the result of an item whose process died
        while it worked on this item alone, given the seconds that it had been at it. ``is_light`` is for tasks that
        need no process of their own.
        """
        waiting = _chunks(items, size_bytes, _LIGHT_CHUNK_ITEMS if is_light else _CHUNK_ITEMS)
        again: deque[list[T]] = deque()  # after a death: the culprit's chunk in single files, and what waited behind it
        make = self._make_light if is_light else self._make_executor
        lanes: list[_Lane[T]] = [_Lane(executor, make, is_alone=is_light) for executor in self._lanes(make)]
        while True:
            useful = lanes[:1] if lanes[0].is_alone else lanes
            for ahead in range(1, _CHUNKS_AHEAD + 1):  # each lane one, then each a second: few chunks go to all of them
                for number, lane in enumerate(useful):
                    while len(lane.handed) < ahead and (chunk := _next_chunk(again, waiting)):
                        self._hand_over(number, lane, task, chunk)
            running = [handed[0] for lane in lanes for handed in lane.handed]
            if not running:
                return
            wait(running, return_when=FIRST_COMPLETED)
            for number, lane in enumerate(lanes):
                yield from self._collect(number, lane, again, lost)

    def _collect(
        self, number: int, lane: _Lane[T], again: deque[list[T]], lost: Callable[[T, float], R]
    ) -> Iterator[tuple[T, R]]:
        """Take what one lane has finished; renew the lane where its process has died."""
        while lane.handed and lane.handed[0][0].done():
            future, chunk, since = lane.handed.popleft()
            try:
                results, seconds, busy_share = future.result()
            except BrokenExecutor:
                if len(chunk) == 1:
                    yield chunk[0], lost(chunk[0], time.monotonic() - since)
                else:
                    again.extend([item] for item in chunk)
                again.extend(chunk for _, chunk, _ in lane.handed)
                lane.handed.clear()
                self._renew(number, lane)
            else:
                self._worked(seconds)
                lane.is_alone = len(chunk) == _LIGHT_CHUNK_ITEMS and busy_share > _BUSY_SHARE
                yield from zip(chunk, results, strict=True)

    def _hand_over(self, number: int, lane: _Lane[T], task: Callable[[list[T]], list[R]], chunk: list[T]) -> None:
        try:
            future = lane.executor.submit(partial(_timed, task), chunk)
        except BrokenExecutor as error:
            if not lane.handed:  # it died idle, between two maps
                self._renew(number, lane)
                return self._hand_over(number, lane, task, chunk)
            future = Future()  # it died just now: to be collected behind the chunk that it died of
            future.set_exception(error)
        lane.handed.append((future, chunk, time.monotonic()))
        return None

    def _renew(self, number: int, lane: _Lane[T]) -> None:
        lane.executor.shutdown(wait=False)
        lane.executor = self._executors[lane.make_executor][number] = lane.make_executor()

    def _make_process(self) -> Executor:
        import multiprocessing  # where nothing is decoded, no process is started
        from concurrent.futures import ProcessPoolExecutor

        if self._lifeline is None:
            self._lifeline, self._lifeline_end = multiprocessing.Pipe(duplex=False)
        return ProcessPoolExecutor(1, _start_method(), _start_worker, (self._lifeline,))

    def _cut_lifeline(self) -> None:
        for end in (self._lifeline_end, self._lifeline):
            if end is not None:
                end.close()
        self._lifeline = self._lifeline_end = None


def _make_thread() -> Executor:
    return ThreadPoolExecutor(1, "dupfind-reader")


def _timed(task: Callable[[list[T]], list[R]], chunk: list[T]) -> tuple[list[R], float, float]:
    """What ``task`` gives, the processor time that it took, and what share of the time by the clock that is.

    A worker does one thing at a time.
    """
    clock = time.process_time if threading.current_thread() is threading.main_thread() else time.thread_time
    began, began_at = clock(), time.monotonic()
    results = task(chunk)
    seconds = clock() - began
    return results, seconds, seconds / max(1e-9, time.monotonic() - began_at)


def _kill(executor: Executor) -> None:
    """End the processes of a pool, also one in a long call that keeps the interpreter lock from the lifeline."""
    processes = getattr(executor, "_processes", None)  # Executor.kill_workers() comes with Python 3.14 only
    for process in list(processes.values()) if isinstance(processes, dict) else []:
        process.kill()


def _start_method() -> BaseContext:
    """How processes start: from a server that has loaded the decoders once, or afresh where there is no fork.

    Never by a plain fork of this process, which has threads.
    """
    import multiprocessing

    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["dupfind.hush", "dupfind.decode", "dupfind.digest", "dupfind.fingerprint", "dupfind.workers"]
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


def _next_chunk(again: deque[list[T]], waiting: Iterator[list[T]]) -> list[T] | None:
    return again.popleft() if again else next(waiting, None)


def _chunks(items: Iterable[T], size_bytes: Callable[[T], int], most_items: int = _CHUNK_ITEMS) -> Iterator[list[T]]:
    """Cut into chunks small enough that the last ones end together, and large enough that handing over costs nothing.

    A chunk of 16 small pictures or of 8 MB takes some 50 to 100 ms.
    """
    chunk: list[T] = []
    total_bytes = 0
    for item in items:
        chunk.append(item)
        total_bytes += size_bytes(item)
        if len(chunk) == most_items or total_bytes >= _CHUNK_BYTES:
            yield chunk
            chunk, total_bytes = [], 0
    if chunk:
        yield chunk
