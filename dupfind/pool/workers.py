"""Runs the tasks over many files on executors; the only module that knows processes and their deaths.

A task is a plain picklable function that takes a list and gives a list, so that any ``concurrent.futures.Executor`` can
run it. By default each core gets an executor of its own with one process. A decoder that crashes then costs its own
chunk only, the other cores work on, and running that chunk again one file at a time finds the suspects. Each of those
is tried once more in the end, while nothing else runs: a process may have died of what it did before, or of what the
others took.

Memory is dealt out likewise: each process may take its share, and what needs more is tried alone, with all of it.

Light tasks, which can neither crash nor hang on their own and leave the interpreter lock where they take long, run on
threads of this process instead: a process that has loaded the decoders takes as long to start as hashing a gigabyte.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Generic, Self, TypeVar

from dupfind import forking, memory_limit
from dupfind.errors import NoProcessError
from dupfind.pool import launch, small_files
from dupfind.pool.process_executor import NeverStartedError, ProcessExecutor
from dupfind.pool.processes import WATCHDOG_EXIT, Death
from dupfind.pool.small_files import Batch
from dupfind.pool.worker import run_chunk
from dupfind.values import FileEntry

T = TypeVar("T")
R = TypeVar("R")

_CHUNK_ITEMS, _FEWEST_ITEMS = 16, 4
"""Most items of a chunk, and how many its last ones may be cut down to, so that the lanes end together."""
_LIGHT_CHUNK_ITEMS = 256
_CHUNK_BYTES = 8 << 20
_BUSY_SHARE = 0.6
"""Of the time of a chunk of small files on a thread: what computes for more of it does not wait for a disk."""
_CHUNKS_AHEAD = 3
"""Chunks handed to each lane: one at work and two waiting, so that a busy parent never leaves a core idle."""
_TRIES_ALONE = 8
"""For a file whose process was killed from outside: who kills at random hits a good one several times in a row."""


@dataclass(slots=True)
class _Lane(Generic[T]):
    """One executor and the chunks that were handed to it, the oldest first."""

    executor: Executor
    make_executor: Callable[[], Executor]
    handed: deque[tuple[Future[Any], list[T], float]] = field(default_factory=deque)
    coming: deque[list[T]] = field(default_factory=deque)
    """Chunks that are best done behind those, because they go on with the same run of items."""
    is_enough: bool = False
    """Whether the other lanes rest: threads that read small files from memory only wait for each other."""


class Pool:
    """A set of executors that share the work on a list of items.

    ``make_executor`` gives the executor of one lane; a cluster's client fits as well as a process pool. ``worked`` is
    told the processor time that each chunk took, in seconds. ``most_bytes`` is the memory that processes of this
    machine may take together, see :mod:`dupfind.memory_limit`. Use it as a context manager: leaving it ends all
    processes, at once when an exception passes through.
    """

    def __init__(
        self,
        lanes: int,
        make_executor: Callable[[], Executor] | None = None,
        worked: Callable[[float], None] = lambda _: None,
        most_bytes: int | None = None,
    ) -> None:
        self._lane_count = lanes
        self._worked = worked
        self._make_executor = make_executor or self._make_process
        self._make_light = make_executor or partial(ThreadPoolExecutor, 1, "dupfind-reader")
        self._all_bytes = most_bytes if make_executor is None else None
        self._share_bytes = None if self._all_bytes is None else max(memory_limit.LEAST_BYTES, self._all_bytes // lanes)
        self._executors: dict[Callable[[], Executor], list[Executor]] = {}
        """By what makes them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        executors = [executor for executors in self._executors.values() for executor in executors]
        for executor in executors:
            if isinstance(executor, ProcessExecutor):
                executor.kill()
        for executor in executors:
            if isinstance(executor, ProcessExecutor):
                executor.wait_until_gone()
            else:
                # A thread cannot be ended: the process leaves without it.
                is_left = kind is not None and isinstance(executor, ThreadPoolExecutor)
                executor.shutdown(wait=not is_left, cancel_futures=True)
        self._executors.clear()

    @property
    def lanes(self) -> int:
        """How many executors work at once."""
        return self._lane_count

    @property
    def has_processes(self) -> bool:
        """Whether the executors of what is not light were made already."""
        return self._make_executor in self._executors

    def prepare(self) -> None:
        """Let the processes load what they need while this one is busy: what is mapped next finds them ready."""
        if self._make_executor == self._make_process:  # other executors are told of nothing but work
            for executor in self._lanes(self._make_executor):
                with suppress(BrokenExecutor):  # it died idle; what is handed over next renews it
                    executor.submit(os.getpid)

    def ask(self, task: Callable[[], R]) -> R | None:
        """Return what ``task`` gives in a process that was started already; None where there is none, or it died.

        Waits for what the process is at. Only processes of this machine are asked.
        """
        executors = self._executors.get(self._make_executor) if self._make_executor == self._make_process else None
        if executors:
            with suppress(BrokenExecutor):
                return executors[0].submit(task).result()
        return None

    def digest_small(self, entries: Sequence[FileEntry]) -> Generator[Batch] | None:
        """Yield digests of small files on disk as :func:`~dupfind.pool.small_files.digest_small` does; None where few
        are asked for, and where this process is not to be forked.
        """
        is_ours = self._make_executor == self._make_process
        if len(entries) < small_files.FEWEST or self._lane_count == 1 or not is_ours or not forking.can_fork():
            return None
        return small_files.digest_small(entries, self._lane_count, self._worked)

    def _lanes(self, make: Callable[[], Executor]) -> list[Executor]:
        executors = self._executors.setdefault(make, [])
        if not executors and make == self._make_process:
            launch.fork_server()
        while len(executors) < self._lane_count:
            executors.append(make())
        return executors

    def map(
        self,
        task: Callable[[list[T]], list[R]],
        items: Iterable[T],
        *,
        size_bytes: Callable[[T], int],
        lost: Callable[[T, Death], R],
        is_light: bool = False,
        run_of: Callable[[T], Hashable] | None = None,
    ) -> Iterator[tuple[T, R]]:
        """Give each item with its result, in the order in which they are done.

        ``items`` is read no faster than the work goes on. ``lost`` makes the result of an item that cannot be done:
        twice its process died, or raised ``MemoryError``, while it worked on this item alone. ``is_light`` is for tasks
        that need no process of their own. Items that follow each other and of which ``run_of`` says the same go to one
        lane, which may keep what they have in common; others help with them where nothing else is left to do.
        """
        # Light chunks stay large: by them it is told whether one thread is enough.
        most_items, lanes_apart = (_LIGHT_CHUNK_ITEMS, 1) if is_light else (_CHUNK_ITEMS, self._lane_count)
        waiting = _stretches(items, size_bytes, most_items, lanes_apart, run_of)
        again: deque[list[T]] = deque()  # after a death: the culprit's chunk in single files, and what waited behind it
        suspects: deque[T] = deque()  # those that it happened to while they were alone
        make = self._make_light if is_light else self._make_executor
        lanes: list[_Lane[T]] = [_Lane(executor, make, is_enough=is_light) for executor in self._lanes(make)]
        while True:
            self._deal(lanes, task, again, waiting)
            running = [handed[0] for lane in lanes for handed in lane.handed]
            if not running:
                break
            wait(running, return_when=FIRST_COMPLETED)
            for lane in list(lanes):
                for item, result in self._collect(lane, lanes, again):
                    if not isinstance(result, Death):
                        yield item, result
                    elif result.exit_code == WATCHDOG_EXIT:  # it had its time
                        yield item, lost(item, result)
                    else:
                        suspects.append(item)
        for suspect in suspects:
            result = self._try_alone(lanes, task, suspect)
            yield suspect, lost(suspect, result) if isinstance(result, Death) else result

    def _deal(
        self,
        lanes: list[_Lane[T]],
        task: Callable[[list[T]], list[R]],
        again: deque[list[T]],
        waiting: Iterator[deque[list[T]]],
    ) -> None:
        """Hand over as much as the lanes are to have ahead."""
        for ahead in range(1, _CHUNKS_AHEAD + 1):  # each lane one, then each a second: few chunks go to all of them
            for lane in lanes[:1] if lanes[0].is_enough else lanes:
                while len(lane.handed) < ahead and (chunk := _next_chunk(lane, lanes, again, waiting)):
                    self._hand_over(lane, task, chunk)

    def _try_alone(self, lanes: list[_Lane[T]], task: Callable[[list[T]], list[R]], suspect: T) -> R | Death:
        """Work on ``suspect`` while nothing else runs, with all of the memory; gives its result or its last death."""
        deaths = 0
        again = deque([[suspect]])
        while True:
            if again:  # or the lane could not be started
                again.clear()
                self._hand_over(lanes[0], task, [suspect], is_alone=True)
            wait([lanes[0].handed[0][0]])
            result: R | Death
            for _, result in self._collect(lanes[0], lanes, again):
                if not isinstance(result, Death):
                    return result
                deaths += 1
                if not result.is_from_outside or deaths == _TRIES_ALONE:
                    return result
                again.append([suspect])

    def _collect(self, lane: _Lane[T], lanes: list[_Lane[T]], again: deque[list[T]]) -> Iterator[tuple[T, Any]]:
        """Take what one lane has finished, a :class:`Death` for a single item; renew it where its process has died.

        A lane that cannot be renewed is taken from ``lanes``; what it was handed goes to the others.
        """
        while lane.handed and lane.handed[0][0].done():
            future, chunk, since = lane.handed.popleft()
            waiting: list[list[T]] = []
            try:
                results, seconds, busy_share = future.result()
            except NeverStartedError as error:
                again.extend([chunk, *(chunk for _, chunk, _ in lane.handed), *lane.coming])
                self._give_up(lane, lanes, error)
                return
            except BrokenExecutor as error:
                death = Death(time.monotonic() - since, getattr(error, "exit_code", None))
                waiting = [chunk for _, chunk, _ in lane.handed]
                lane.handed.clear()
                self._renew(lane)
            except MemoryError as error:
                death = Death(time.monotonic() - since, shortage=str(error) or "not enough memory for it")
            else:
                self._worked(seconds)
                lane.is_enough = len(chunk) == _LIGHT_CHUNK_ITEMS and busy_share > _BUSY_SHARE
                yield from zip(chunk, results, strict=True)
                continue
            if len(chunk) == 1:
                yield chunk[0], death
            else:
                again.extend([item] for item in chunk)
            again.extend(waiting)

    def _hand_over(
        self, lane: _Lane[T], task: Callable[[list[T]], list[R]], chunk: list[T], *, is_alone: bool = False
    ) -> None:
        most_bytes = None
        if lane.make_executor == self._make_process:
            most_bytes = self._all_bytes if is_alone else self._share_bytes
        try:
            future = lane.executor.submit(partial(run_chunk, task, most_bytes), chunk)
        except BrokenExecutor as error:
            if not lane.handed and not isinstance(error, NeverStartedError):  # it died idle, between two maps
                self._renew(lane)
                return self._hand_over(lane, task, chunk, is_alone=is_alone)
            future = Future()  # it died just now: to be collected behind the chunk that it died of
            future.set_exception(error)
        except RuntimeError as error:  # as threads say that there are no more of them
            future = Future()
            future.set_exception(NeverStartedError(str(error)))
        lane.handed.append((future, chunk, time.monotonic()))
        return None

    def _renew(self, lane: _Lane[T]) -> None:
        executors = self._executors[lane.make_executor]
        number = executors.index(lane.executor)
        lane.executor.shutdown(wait=False)
        lane.executor = executors[number] = lane.make_executor()

    def _give_up(self, lane: _Lane[T], lanes: list[_Lane[T]], error: NeverStartedError) -> None:
        """Work on without a lane; raises :class:`~dupfind.errors.NoProcessError` where it is the last."""
        if len(lanes) == 1:
            raise NoProcessError(f"the processes that read files cannot be started: {error}") from None
        lane.handed.clear()
        lane.coming.clear()
        lanes.remove(lane)
        self._executors[lane.make_executor].remove(lane.executor)

    def _make_process(self) -> Executor:
        return ProcessExecutor()


def _next_chunk(
    lane: _Lane[T], lanes: Sequence[_Lane[T]], again: deque[list[T]], waiting: Iterator[deque[list[T]]]
) -> list[T] | None:
    """Give what ``lane`` is to do next: what goes on with its run, else a new stretch, else half of another's."""
    if again:
        return again.popleft()
    if not lane.coming:
        lane.coming = next(waiting, lane.coming)
    if lane.coming:
        return lane.coming.popleft()
    longest = max((lane.coming for lane in lanes), key=len)
    lane.coming.extendleft(longest.pop() for _ in range((len(longest) + 1) // 2))
    return lane.coming.popleft() if lane.coming else None


def _stretches(
    items: Iterable[T],
    size_bytes: Callable[[T], int],
    most_items: int,
    lanes: int,
    run_of: Callable[[T], Hashable] | None,
) -> Iterator[deque[list[T]]]:
    """Cut into chunks, and give those together that one lane had best do one after the other.

    These are more than one where a run of items, see :meth:`Pool.map`, does not fit into a chunk. Short runs share one.
    """
    if run_of is None:
        yield from (deque([chunk]) for chunk in _chunks(items, size_bytes, most_items, lanes))
        return
    begun: list[T] = []
    for _, run in groupby(items, run_of):
        begun += run
        if len(begun) >= most_items or sum(map(size_bytes, begun)) >= _CHUNK_BYTES:
            yield deque(_chunks(begun, size_bytes, most_items))
            begun = []
    if begun:
        yield deque([begun])


def _chunks(
    items: Iterable[T], size_bytes: Callable[[T], int], most_items: int = _CHUNK_ITEMS, lanes: int = 1
) -> Iterator[list[T]]:
    """Cut into chunks small enough that the last ones end together, and large enough that handing over costs nothing.

    A chunk of 16 small pictures or of 8 MB takes some 50 to 100 ms. Where several ``lanes`` work on ``items`` whose
    number is known, a chunk is half of what each lane would have of the rest: so the last ones are small.
    """
    count = len(items) if lanes > 1 and isinstance(items, Sized) else None
    chunk: list[T] = []
    done = total_bytes = 0
    most = most_items
    for item in items:
        if count is not None and not chunk:
            most = max(_FEWEST_ITEMS, min(most_items, (count - done) // (2 * lanes)))
        chunk.append(item)
        total_bytes += size_bytes(item)
        if len(chunk) == most or total_bytes >= _CHUNK_BYTES:
            yield chunk
            done += len(chunk)
            chunk, total_bytes = [], 0
    if chunk:
        yield chunk
