"""Reads files on the nodes of a cluster: the one door to Dask ``distributed``.

A task on a node is a chunk that runs in a process of ours there, see :mod:`dupfind.pool.node`. A node that goes
while it works costs nothing but time: its chunks are done by another one. Only nodes that read by the same versions
and see the same files are used, those too that come during the run.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import queue
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, Self

from dupfind.errors import ClusterError, SettingsError, missing_extra
from dupfind.pool import node
from dupfind.pool.bounded import bounded
from dupfind.pool.process_executor import DiedError
from dupfind.scheduler import Scheduler
from dupfind.sources.entries import StoredEntry
from dupfind.values import FileEntry

_CONNECT_SECONDS = 10
_LOOK_SECONDS = 1.0
_LOST_SECONDS = 15.0
"""How long the scheduler may be away, or be without any node, before the run ends."""
_PROBE_SECONDS = 20.0
"""How long a node may take to tell what it has, and a result to come."""
_LEAVE_SECONDS = 5.0
_MOST_VERSIONS = 2
"""How many versions that differ are told of."""


class Cluster:
    """The nodes of one scheduler, as long as the block lasts.

    ``roots`` are the folders that every node has to see as they are here; ``most_bytes`` is the memory that the
    processes of one node may take together, None for the usual share of what it has. Raises
    :class:`~dupfind.errors.ClusterError` where no node can be used.
    """

    def __init__(
        self, scheduler: Scheduler, roots: Sequence[str], warn: Callable[[str], None], most_bytes: int | None = None
    ) -> None:
        self._scheduler = scheduler
        self._most_bytes = most_bytes
        self._roots = tuple(root.rstrip(os.sep) + os.sep for root in roots)
        self._paths = [path for root in roots for path in _probes(root)]
        self._warn = warn
        self._own = node.see(self._paths)
        self._lock = threading.Lock()
        self._pending: dict[int, _Pending] = {}
        self._number = 0
        self._looked_at: set[str] = set()
        self._good: dict[str, int] = {}
        self._seen_done: set[int] = set()
        """Tasks that were done at the last look, and whose results had not been taken."""
        self._here = _Here(most_bytes)
        self._is_over = threading.Event()
        self._end: ClusterError | None = None
        self._client: Any = _connected(scheduler)

    def __enter__(self) -> Self:
        try:
            is_well = self._look()
        except Exception as error:
            self.close()
            raise ClusterError(f"the scheduler {self._scheduler.address} is gone: {_text(error)}") from error
        except BaseException:
            self.close()
            raise
        if not is_well:
            self.close()
            address = self._scheduler.address
            none = "no node of" if self._looked_at else "no worker is connected to the scheduler"
            raise ClusterError(f"{none} {address}" + (" can be used" if self._looked_at else ""))
        threading.Thread(target=self._watch, name="dupfind-cluster", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def lanes(self) -> int:
        """How many chunks the nodes work on at once."""
        return max(1, sum(self._good.values()))

    def make_executor(self) -> Executor:
        """Make the executor of one lane; all of them share all nodes."""
        return _Lane(self)

    def close(self) -> None:
        """Leave the cluster; what is still running there ends by itself, and its processes with it."""
        self._is_over.set()
        self._here.close()
        with self._lock:
            pending, self._pending = list(self._pending.values()), {}
        for task in pending:
            task.future.cancel()
        with suppress(Exception):  # one that answers no more is left as it is
            bounded(self._leave, _LEAVE_SECONDS)

    def _leave(self) -> None:
        with suppress(Exception):
            self._client.run(node.rest, workers=list(self._good), wait=False)
        self._client.close(timeout=2)

    def submit(self, function: Callable[..., Any], arguments: tuple[object, ...]) -> Future[Any]:
        """Hand a task over; its end is a value, or one of the errors that a process of this machine ends with."""
        message, is_only_here = _packed((function, arguments), self._roots)
        is_single = any(isinstance(each, list) and len(each) == 1 for each in arguments)
        task = _Pending(message, is_single, Future())
        with self._lock:
            if self._end is not None:
                raise self._end
            self._number += 1
            number = self._number
            self._pending[number] = task
        if is_only_here:
            self._here.submit(message, is_single, partial(self._end_task, number, task))
        else:
            self._send(number, task)
        return task.future

    def _send(self, number: int, task: _Pending) -> None:
        good = self._good
        task.nodes = frozenset(good)
        task.is_waiting = not good
        if task.is_waiting:
            return  # to the engine no node means any: whoever watches hands it over once there is one
        lanes = max(good.values())
        try:
            remote = self._client.submit(
                node.run,
                task.message,
                node.Share(lanes, self._most_bytes, is_single=task.is_single),
                workers=sorted(task.nodes),
                pure=False,
                key=_key(number),
            )
            task.remote = remote
            remote.add_done_callback(partial(self._take, number))
        except Exception as error:  # noqa: BLE001 - whatever the library says once its connection is gone
            self._finish(ClusterError(f"the scheduler {self._scheduler.address} is gone ({_text(error)})"))

    def _take(self, number: int, remote: Any) -> None:  # noqa: ANN401 - the engine's own future
        """Give a task its end, once the cluster says that there is one."""
        with self._lock:
            task = self._pending.get(number)
            if task is None or task.remote is not remote:
                return  # handed over anew, or nobody waits any more
        status = remote.status
        if status not in ("finished", "error"):
            return  # cancelled or lost: whoever watches hands it over again, or ends the run
        try:
            outcome = bounded(partial(remote.result, timeout=_PROBE_SECONDS), _PROBE_SECONDS, self._is_over)
        except Exception as error:  # noqa: BLE001 - nodes that went while they had it, or what cannot be sent
            name = type(error).__name__
            if name in ("CancelledError", "FutureCancelledError", "CommClosedError", "TimeoutError"):
                return
            outcome = node.Outcome(node.DIED if name == "KilledWorker" else node.RAISED, _text(error))
        self._end_task(number, task, outcome)

    def _end_task(self, number: int, task: _Pending, outcome: object) -> None:
        with self._lock:
            if self._pending.get(number) is not task:
                return
            del self._pending[number]
        _settle(task.future, outcome)

    def _watch(self) -> None:
        """Look after nodes that come and go, and the scheduler, until the run is over."""
        well = time.monotonic()
        what = "is gone"
        while not self._is_over.wait(_LOOK_SECONDS):
            try:
                is_well = self._client.status == "running" and self._look()
                what = "has no node left that can be used" if self._client.status == "running" else "is gone"
            except TimeoutError:
                is_well, what = False, "does not answer"
            except Exception:  # noqa: BLE001 - whatever the library says while its connection is gone
                is_well, what = False, "is gone"
            now = time.monotonic()
            if is_well:
                well = now
                self._look_after_tasks()
            elif now - well > _LOST_SECONDS:
                self._finish(ClusterError(f"the scheduler {self._scheduler.address} {what}"))
                return

    def _look(self) -> bool:
        """Look at nodes that are new; gives whether one can be used."""
        nodes = bounded(self._client.scheduler_info, _LOST_SECONDS, self._is_over)["workers"]
        there = {address: int(about["nthreads"]) for address, about in nodes.items()}
        good = self._good
        new = sorted(there.keys() - self._looked_at)
        for address, seen in self._seen(new).items():
            why = _why_not(seen, self._own, self._paths)
            if why is None:
                good = {**good, address: there[address]}
            else:
                name = str(nodes[address].get("name") or address)
                self._warn(f"node {name} ({address}) is not used: {why}")
            self._looked_at.add(address)
        self._looked_at &= there.keys()
        self._good = {address: lanes for address, lanes in good.items() if address in there}
        return bool(self._good)

    def _seen(self, addresses: list[str]) -> dict[str, object]:
        """Ask nodes for what they are; an exception for one that does not know, or does not answer."""
        answers: dict[str, object] = dict.fromkeys(addresses, TimeoutError("it does not answer"))
        asking = [
            threading.Thread(target=self._ask, args=(address, answers), name="dupfind-probe", daemon=True)
            for address in addresses
        ]
        for thread in asking:
            thread.start()
        end = time.monotonic() + _PROBE_SECONDS
        for thread in asking:
            thread.join(max(0.0, end - time.monotonic()))
        return dict(answers)  # who answers later is not heard

    def _ask(self, address: str, answers: dict[str, object]) -> None:
        try:
            answers[address] = self._client.run(node.see, self._paths, workers=[address], on_error="return")[address]
        except Exception as error:  # noqa: BLE001 - a node that has no dupfind, or that went just now
            answers[address] = error

    def _look_after_tasks(self) -> None:
        """Take results that were told of while they could not be had; hand over again what has lost its nodes."""
        with self._lock:
            done = [
                (number, task.remote)
                for number, task in self._pending.items()
                if task.remote is not None and task.remote.status in ("finished", "error")
            ]
        for number, remote in done:
            if number in self._seen_done:
                self._take(number, remote)
        self._seen_done = {number for number, _ in done}
        with self._lock:
            stuck = [
                (number, task)
                for number, task in self._pending.items()
                if (task.is_waiting and self._good)
                or (
                    task.remote is not None
                    and (not task.nodes & self._good.keys() or task.remote.status in ("cancelled", "lost"))
                )
            ]
        for number, task in stuck:
            with self._lock:
                if self._pending.pop(number, None) is None:
                    continue
                self._number += 1
                anew = self._number
                self._pending[anew] = task
            old, task.remote = task.remote, None
            with suppress(Exception):
                if old is not None:
                    bounded(old.cancel, _LOOK_SECONDS, self._is_over)
            self._send(anew, task)

    def _finish(self, error: ClusterError) -> None:
        """Let everybody who waits know that there is no cluster any more."""
        with self._lock:
            self._end = error
            pending, self._pending = list(self._pending.values()), {}
        for task in pending:
            with suppress(InvalidStateError):
                task.future.set_exception(error)


@dataclass(slots=True, eq=False)
class _Pending:
    """A task that was handed over."""

    message: bytes
    is_single: bool
    future: Future[Any]
    remote: Any = None
    """The engine's own future."""
    nodes: frozenset[str] = frozenset()
    """Those that it may run on."""
    is_waiting: bool = False
    """Whether there was none to hand it to."""


class _Here:
    """This machine as one more node, for what no other can read: what was unpacked or downloaded here, for one.

    Its threads are daemons: the end of a run leaves them, and the processes that they wait for go after a while.
    """

    def __init__(self, most_bytes: int | None) -> None:
        self._lanes = os.cpu_count() or 1
        self._most_bytes = most_bytes
        self._threads: list[threading.Thread] = []
        self._waiting: queue.SimpleQueue[tuple[bytes, bool, Callable[[object], None]] | None] = queue.SimpleQueue()

    def submit(self, message: bytes, is_single: bool, tell: Callable[[object], None]) -> None:
        """Run it, and ``tell`` how it ended."""
        self._waiting.put((message, is_single, tell))
        if len(self._threads) < self._lanes:
            thread = threading.Thread(target=self._work, name="dupfind-here", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Begin nothing more."""
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        for _ in self._threads:
            self._waiting.put(None)
        node.end_idle()

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            message, is_single, tell = job
            try:
                outcome = node.run(message, node.Share(self._lanes, self._most_bytes, is_single=is_single))
            except Exception as error:  # noqa: BLE001 - nobody may wait for ever
                outcome = node.Outcome(node.RAISED, _text(error))
            tell(outcome)


class _Pickler(pickle.Pickler):
    """Packs a task, and sees whether it is about a file that other machines cannot open."""

    def __init__(self, file: IO[bytes], roots: tuple[str, ...]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._roots = roots
        self.is_only_here = False

    def reducer_override(self, obj: object) -> Any:  # noqa: ANN401 - as the method of any pickler
        """Look at each entry; all are packed as ever."""
        if isinstance(obj, StoredEntry):
            self.is_only_here |= obj.is_only_here
        elif isinstance(obj, FileEntry):  # what lies elsewhere, nobody was asked about
            self.is_only_here |= not obj.path.startswith(self._roots)
        return NotImplemented


def _packed(task: object, roots: tuple[str, ...]) -> tuple[bytes, bool]:
    """Return the pickle of a task, and whether it has to be run on this machine."""
    file = io.BytesIO()
    pickler = _Pickler(file, roots)
    pickler.dump(task)
    return file.getvalue(), pickler.is_only_here


class _Lane(Executor):
    """One lane of :class:`~dupfind.pool.workers.Pool` on all nodes of a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        """Hand ``fn`` over to whichever node is free."""
        return self._cluster.submit(partial(fn, **kwargs) if kwargs else fn, args)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: the cluster is left as a whole."""


def _connected(scheduler: Scheduler) -> Any:  # noqa: ANN401 - the engine's client
    try:
        from distributed import Client
        from distributed.security import Security
    except ImportError as error:
        raise SettingsError(str(missing_extra("--scheduler", "cluster"))) from error
    _silence()
    security = None
    if scheduler.tls_ca is not None:
        security = Security(  # type: ignore[no-untyped-call]
            tls_ca_file=scheduler.tls_ca,
            tls_client_cert=scheduler.tls_cert,
            tls_client_key=scheduler.tls_key,
            require_encryption=True,
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on versions that differ: nodes are asked for theirs
            connect = partial(
                Client, scheduler.address, timeout=_CONNECT_SECONDS, security=security, set_as_default=False,
                name="dupfind",
            )  # fmt: skip
            return bounded(connect, _CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError, RuntimeError, TypeError) as error:
        raise ClusterError(f"the scheduler {scheduler.address} cannot be reached: {_text(error)}") from error


def _silence() -> None:
    """Let the engine say nothing: that is told in words of our own. It gives some of its loggers levels of theirs."""
    engines = "distributed", "tornado", "asyncio"
    loggers = [
        name for name in logging.root.manager.loggerDict if name.startswith(tuple(f"{name}." for name in engines))
    ]
    for name in (*engines, *loggers):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _settle(future: Future[Any], outcome: object) -> None:
    """Give a future the end that its task came to."""
    with suppress(InvalidStateError):  # cancelled meanwhile
        if not isinstance(outcome, tuple) or len(outcome) != len(node.Outcome._fields):
            future.set_exception(DiedError())
            return
        how, content = outcome
        if how == node.DONE:
            try:
                result = pickle.loads(content)  # noqa: S301 - from a node that is trusted with more
            except Exception as error:  # noqa: BLE001 - pickle raises anything
                future.set_exception(ClusterError(f"a node failed: {_text(error)}"))
            else:
                future.set_result(result)
        elif how == node.DIED:
            future.set_exception(DiedError(content if isinstance(content, int) else None))
        elif how == node.SHORT:
            future.set_exception(MemoryError(content))
        elif how == node.NOT_STARTED:
            future.set_exception(ClusterError(f"a node cannot start processes: {content}"))
        else:
            future.set_exception(ClusterError(f"a node failed: {content}"))


def _why_not(seen: object, own: node.Seen, paths: Sequence[str]) -> str | None:
    """Say why a node that answered ``seen`` cannot be used; None where it can."""
    if isinstance(seen, BaseException):
        return f"it cannot tell what it has: {_text(seen)}"
    if not isinstance(seen, tuple) or len(seen) != len(own):
        return "it has another version of dupfind"
    versions, places = seen
    if versions != own.versions:
        return _difference(str(versions), own.versions)
    for path, there, here in zip(paths, places, own.places, strict=True):
        if there is None:
            return f"it does not see {path}"
        if there != here:
            return f"it sees another {path}"
    return None


def _difference(theirs: str, ours: str) -> str:
    """Say which versions of a node are not the own ones, and what these are."""
    there, here = theirs.split(", "), ours.split(", ")
    strange = _first([version for version in there if version not in here])
    missing = _first([version for version in here if version not in there])
    if not strange:
        return f"it does not have {missing}" if missing else "it has another version of dupfind"
    return f"it has {strange}" + (f", and not {missing}" if missing else "")


def _first(versions: Sequence[str]) -> str:
    more = len(versions) - _MOST_VERSIONS
    return ", ".join(versions[:_MOST_VERSIONS]) + (f" and {more} more" if more > 0 else "")


def _probes(root: str) -> list[str]:
    """Choose what a node has to see of a root: the first file in the order of names, else the root itself."""
    with suppress(OSError), os.scandir(root) as entries:
        files = sorted(entry.path for entry in entries if entry.is_file(follow_symlinks=False))
        if files:
            return [files[0]]
    return [root]


def _key(number: int) -> str:
    return f"dupfind-{os.getpid()}-{time.time_ns():x}-{number}"


def _text(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
