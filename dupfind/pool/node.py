"""What runs on a node of a cluster: a chunk in a process of our own, as on a machine alone.

So each promise holds on each node: a decoder that crashes ends its process and not the node, time limits are kept by
the process, and memory is dealt out among the tasks that the node has at once. Knows no cluster: what is handed over
are bytes, and what comes back says how it went.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from dupfind import memory_limit
from dupfind.pool.process_executor import DiedError, NeverStartedError, ProcessExecutor
from dupfind.pool.processes import WATCHDOG_EXIT

DONE, DIED, SHORT, NOT_STARTED, RAISED = "done", "died", "short of memory", "not started", "raised"


class Outcome(NamedTuple):
    """How a chunk ended: ``DONE`` with the pickle of its results, or what else happened, with its facts."""

    how: str
    content: Any


class Share(NamedTuple):
    """What of a node a task may take."""

    lanes: int
    """Tasks that the node has at once."""
    most_bytes: int | None
    """Of memory, for all of them; None for the usual part of what there is."""
    is_single: bool
    """Whether the task is about one file."""


class Seen(NamedTuple):
    """What a node says of itself."""

    versions: str
    """Everything that decides what is read from a picture, and how tasks are handed over."""
    places: tuple[tuple[int, ...] | None, ...]
    """Of each path that was asked for size, time and inode; None for what it does not see."""


def run(message: bytes, share: Share) -> Outcome:
    """Run a task that was pickled with its arguments.

    Where one about a single file fails for want of memory, or its process dies, it is tried once more with all of the
    memory, while nothing else runs on this node. Not where it had all of its time: it would take that again.
    """
    all_bytes = share.most_bytes or memory_limit.usual_bytes()
    with _AT_WORK.beside_others():
        outcome = _in_process(message, max(memory_limit.LEAST_BYTES, all_bytes // max(1, share.lanes)))
    if not share.is_single or outcome.how not in (DIED, SHORT) or outcome == Outcome(DIED, WATCHDOG_EXIT):
        return outcome
    with _AT_WORK.alone():
        return _in_process(message, all_bytes)


def see(paths: Sequence[str]) -> Seen:
    """Tell what this node would read by, and what it sees under these paths."""
    return Seen(versions(), tuple(_place(path) for path in paths))


def versions() -> str:
    """Name everything that decides what is read from a picture: ours, Python's, and the decoders'; commas between."""
    from dupfind import libraries
    from dupfind.evidence import full_size
    from dupfind.pictures import decode, film_data, film_frames, image_data
    from dupfind.version import __version__

    recipes = f"{decode.RECIPE}-{full_size.RECIPE}-{image_data.RECIPE}-{film_data.RECIPE}-{film_frames.RECIPE}"
    python = ".".join(map(str, sys.version_info[:2]))
    films = libraries.film_libraries()
    return f"dupfind {__version__} ({recipes}), Python {python}, {decode.versions()}, {films}"


async def rest() -> None:
    """End the processes that have nothing to do; a coroutine, which the engine runs without being waited for."""
    end_idle()


def end_idle() -> None:
    """End the processes that have nothing to do."""
    with _IDLE_LOCK:
        idle, _IDLE[:] = list(_IDLE), []
    for executor, _ in idle:
        executor.kill()


_IDLE: list[tuple[ProcessExecutor, float]] = []
"""Processes that have nothing to do, and since when; the one that waits longest first."""
_IDLE_LOCK = threading.Lock()
_IDLE_SECONDS = 20.0
"""How long one may wait: whoever handed over what it did may have gone without a word, or before that was done."""


def _rest_later() -> None:
    """End the processes that nothing is handed to any more, in time; one thread does as long as there are any."""
    while True:
        with _IDLE_LOCK:
            now = time.monotonic()
            late = [executor for executor, since in _IDLE if now - since >= _IDLE_SECONDS]
            _IDLE[:] = [(executor, since) for executor, since in _IDLE if now - since < _IDLE_SECONDS]
            pause_seconds = _IDLE[0][1] + _IDLE_SECONDS - now if _IDLE else None
            _WATCH.is_on = pause_seconds is not None
        for executor in late:
            executor.kill()
        if pause_seconds is None:
            return
        time.sleep(pause_seconds)


class _Watch:
    """Whether a thread looks after idle processes."""

    is_on = False


_WATCH = _Watch()


def _keep(executor: ProcessExecutor) -> None:
    """Keep a process for the next task, for a while."""
    with _IDLE_LOCK:
        _IDLE.append((executor, time.monotonic()))
        if not _WATCH.is_on:
            threading.Thread(target=_rest_later, name="dupfind-rest", daemon=True).start()
            _WATCH.is_on = True


class _AtWork:
    """Who works on this node: many beside each other, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._number = 0
        self._is_alone = False

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        """Wait until nobody works alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_alone)
            self._number += 1
        try:
            yield
        finally:
            with self._changed:
                self._number -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody works."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_alone)
            self._is_alone = True
            self._changed.wait_for(lambda: not self._number)
        try:
            yield
        finally:
            with self._changed:
                self._is_alone = False
                self._changed.notify_all()


_AT_WORK = _AtWork()


def _in_process(message: bytes, most_bytes: int) -> Outcome:
    """Run it in a process that waits, or a new one; the process stays where it lives on."""
    while True:
        executor, is_new = _taken()
        try:
            future = executor.submit(_called, message, most_bytes)
        except DiedError as error:  # while it waited
            if is_new:
                return Outcome(DIED, error.exit_code)
            continue
        except NeverStartedError as error:
            return Outcome(NOT_STARTED, str(error))
        outcome = _awaited(executor, future.result)
        if outcome is not None:
            return outcome


def _awaited(executor: ProcessExecutor, result: Callable[[], bytes]) -> Outcome | None:
    try:
        outcome = Outcome(DONE, result())
    except DiedError as error:
        return Outcome(DIED, error.exit_code)
    except NeverStartedError as error:
        return Outcome(NOT_STARTED, str(error))
    except MemoryError as error:
        outcome = Outcome(SHORT, str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, its own text says more than that it cannot be pickled
        outcome = Outcome(RAISED, f"{type(error).__name__}: {error}")
    except BaseException:
        executor.kill()
        raise
    _keep(executor)
    return outcome


def _taken() -> tuple[ProcessExecutor, bool]:
    with _IDLE_LOCK:
        if _IDLE:
            return _IDLE.pop()[0], False
    return ProcessExecutor(), True


def _called(message: bytes, most_bytes: int) -> bytes:
    """Run the task, in the process; gives the pickle of its result."""
    task, arguments = pickle.loads(message)  # noqa: S301 - whoever reaches this node may run code on it
    with memory_limit.held(most_bytes):
        result = task(*arguments)
    return pickle.dumps(result, pickle.HIGHEST_PROTOCOL)


def _place(path: str) -> tuple[int, ...] | None:
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ino
