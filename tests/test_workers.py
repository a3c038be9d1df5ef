"""The pool: every item exactly once, deaths found out one by one, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind import memory_limit
from dupfind.pool import launch, workers
from dupfind.pool.process_executor import NeverStartedError, ProcessExecutor
from dupfind.pool.workers import Pool
from tests.helpers.labour import Item, work
from tests.helpers.places import ROOT
from tests.helpers.processes import are_gone, is_alive


def run(
    pool: Pool,
    items: Iterable[Item],
    size_bytes: Callable[[Item], int] = lambda _: 1,
    run_of: Callable[[Item], Hashable] | None = None,
) -> list[tuple[Item, Any]]:
    """Everything that ``map`` gives, the lost ones as ``"lost"``."""
    return list(pool.map(work, items, size_bytes=size_bytes, lost=lambda item, death: "lost", run_of=run_of))


def expected(items: Iterable[Item]) -> list[tuple[Item, Any]]:
    """What ``run`` must give, sorted."""
    return sorted((item, item[1] * 2 if item[0] == "double" else "lost") for item in items)


def executors_of(pool: Pool) -> list[ProcessExecutor]:
    """The executors with a process each that a pool has made."""
    made = [executor for executors in pool._executors.values() for executor in executors]
    return [executor for executor in made if isinstance(executor, ProcessExecutor)]


def pid_of(executor: ProcessExecutor) -> int:
    """The number of its process, which is about to start."""
    pid = executor.submit(os.getpid).result(30)
    assert pid == executor.pid
    return pid


class Serial(Executor):
    """Runs everything at once where it is handed over; what a test or a notebook would pass."""

    def __init__(self) -> None:
        self.is_shut = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn``."""
        if self.is_shut:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - as executors do
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Remember it."""
        self.is_shut = True


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_every_item_is_done_exactly_once(lanes: int) -> None:
    """However many processes share the work, each item comes back once, with its own result."""
    items = [("double", number) for number in range(100)]
    with Pool(lanes) as pool:
        assert expected(items) == sorted(run(pool, items))
        assert [] == run(pool, [])


A, B, C = [("double", number) for number in range(20)], [("kill", 20)], [("exit", 21)]


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize(
    "items",
    [
        pytest.param(A + B + [("double", 99)], id="in a chunk with good ones"),
        pytest.param(B + A, id="the first"),
        pytest.param(A + C, id="the last"),
        pytest.param(C + A + B + [("double", number) for number in range(30, 60)] + [("exit", 61)], id="several"),
        pytest.param([("exit", 1), ("kill", 2), ("exit", 3)], id="all"),
    ],
)
@pytest.mark.parametrize("lanes", [1, 2])
def test_only_what_kills_its_process_is_lost(items: list[Item], lanes: int) -> None:
    """A crash is blamed on its own item; its neighbours are done, and the pool works on afterwards."""
    with Pool(lanes) as pool:
        assert expected(items) == sorted(run(pool, items))
        assert expected(A) == sorted(run(pool, A))


def test_culprits_alone_in_large_chunks() -> None:
    """Files that fill a chunk each are handed over three deep: those behind a culprit are not blamed."""
    items = A[:5] + B + A[5:10] + C + A[10:12]
    with Pool(2) as pool:
        assert expected(items) == sorted(run(pool, items, size_bytes=lambda _: 1 << 30))


def test_a_process_that_died_idle_is_replaced() -> None:
    """A worker ended between two maps, by whatever ends processes, costs nothing."""
    with Pool(1) as pool:
        ((_, pid),) = run(pool, [("pid", 0)])
        os.kill(pid, signal.SIGKILL)
        assert are_gone([pid])
        assert expected(A) == sorted(run(pool, A))


@pytest.mark.parametrize("lanes", [1, 2])
def test_who_died_once_is_not_blamed(tmp_path: Path, lanes: int) -> None:
    """Alone in its chunk when its process died of something else: it is tried once more before it is named."""
    items = [(str(tmp_path / "1"), 1), ("double", 2), ("kill", 3), (str(tmp_path / "4"), 4), ("double", 5)]
    found = []
    with Pool(lanes) as pool:
        for item, result in pool.map(
            work, items, size_bytes=lambda _: 1 << 30, lost=lambda item, death: death.exit_code
        ):
            found.append((item, result))
    assert sorted([(("kill", 3), -9), *((item, 2 * item[1]) for item in items if item[0] != "kill")]) == sorted(found)


@pytest.mark.slow
@pytest.mark.skipif(not memory_limit.IS_HELD, reason="this system does not limit the memory of a process")
def test_memory_is_shared_out() -> None:
    """What fits into no share is tried alone with all of it; what does not fit there either is lost, and says why."""
    items = [("eat", 100), ("eat", 600), ("eat", 2000), ("double", 1)]
    lost: list[Any] = []
    with Pool(2, most_bytes=1 << 30) as pool:
        pids = {pid for _, pid in run(pool, [("pid", number) for number in range(8)], size_bytes=lambda _: 1 << 30)}
        found = dict(pool.map(work, items, size_bytes=lambda _: 1, lost=lambda item, death: lost.append((item, death))))
        assert all(map(is_alive, pids))
    assert {("eat", 100): 100, ("eat", 600): 600, ("eat", 2000): None, ("double", 1): 2} == found
    ((item, death),) = lost
    assert (("eat", 2000), None, "not enough memory for it") == (item, death.exit_code, death.reason)


def test_memory_errors_of_other_executors() -> None:
    """A cluster has its own limits: what they say is a reason like a death, and not the end of the run."""

    def work_or_fail(items: list[Item]) -> list[Any]:
        if ("eat", 1) in items:
            raise MemoryError("no more on node 7")
        return work(items)

    with Pool(2, Serial) as pool:
        items = [("double", 1), ("eat", 1), ("double", 2)]
        found = dict(pool.map(work_or_fail, items, size_bytes=lambda _: 1, lost=lambda item, death: death.reason))
    assert {("double", 1): 2, ("eat", 1): "no more on node 7", ("double", 2): 4} == found


def test_a_process_stuck_in_one_call_is_ended() -> None:
    """What never returns to Python is ended by the hard limit, told how long it took, and the rest goes on."""
    taken: list[float] = []
    with Pool(1) as pool:
        found = dict(
            pool.map(
                work,
                [("stuck", 0), ("double", 1)],
                size_bytes=lambda _: 1,
                lost=lambda item, death: taken.append(death.seconds) or "lost",
            )
        )
    assert {("stuck", 0): "lost", ("double", 1): 2} == found
    assert 1 == len(taken)
    assert 0.2 <= taken[0] < 10


@pytest.mark.parametrize("what", ["sleep", "deaf"])
def test_leaving_with_an_exception_ends_the_processes_at_once(what: str) -> None:
    """Ctrl-C does not wait for a decoder, be it asleep or in one long call, and leaves no process behind."""
    with pytest.raises(KeyboardInterrupt), Pool(2) as pool:  # noqa: PT012 - what is in the block is the point
        pids = {pid for _, pid in run(pool, [("pid", n) for n in range(8)], size_bytes=lambda _: 1 << 30)}
        results = pool.map(
            work, [("double", 0), (what, 0)], size_bytes=lambda _: 1 << 30, lost=lambda item, death: None
        )
        next(results)
        left = time.monotonic()
        raise KeyboardInterrupt
    assert time.monotonic() - left < 30  # it sleeps for longer
    assert pids
    assert are_gone(pids)


def test_leaving_in_peace_leaves_no_process() -> None:
    """After the block all workers are gone."""
    with Pool(2) as pool:
        pids = {pid for _, pid in run(pool, [("pid", number) for number in range(8)], size_bytes=lambda _: 1 << 30)}
    assert are_gone(pids)


def test_an_error_of_the_task_itself_ends_the_run() -> None:
    """A task turns its failures into values; what it raises is a bug and is not hidden."""
    with pytest.raises(ValueError, match="7"), Pool(1) as pool:
        run(pool, [("raise", 7)])


PARENT = """
import sys
sys.path[:0] = {paths!r}
from dupfind.pool.workers import Pool
from tests.helpers.labour import work
if __name__ == "__main__":
    with Pool(2) as pool:
        items = [("pid", n) for n in range(8)] + [("sleep", n) for n in range(2)]
        for _, pid in pool.map(work, items, size_bytes=lambda _: 1 << 30, lost=None):
            print(pid, flush=True)
"""


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_parent_leaves_no_worker(tmp_path: Path, number: signal.Signals) -> None:
    """Workers end with the process that started them, whatever ended it."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(paths=[str(ROOT)]))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        pids = {int(parent.stdout.readline()) for _ in range(6)}
        assert all(map(is_alive, pids))
        parent.send_signal(number)
        parent.wait(timeout=60)
        assert are_gone(pids)


@pytest.mark.parametrize("make", [Serial, partial(ThreadPoolExecutor, 2)])
def test_any_executor_drops_in(make: Callable[[], Executor]) -> None:
    """A cluster's client or a thread pool takes the place of the processes, and is shut down in the end."""
    made: list[Executor] = []

    def make_and_keep() -> Executor:
        made.append(make())
        return made[-1]

    with Pool(2, make_and_keep) as pool:
        assert expected(A) == sorted(run(pool, A))
    assert len(made) == 2
    for executor in made:
        with pytest.raises(RuntimeError, match="shutdown"):
            executor.submit(int)


class Breaking(Serial):
    """Breaks for good at a culprit, as a process pool does; some already when something is handed over."""

    def __init__(self, at_submit: bool) -> None:
        super().__init__()
        self.at_submit = at_submit
        self.is_broken = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run, or break."""
        if self.is_broken and self.at_submit:
            raise BrokenExecutor
        self.is_broken = self.is_broken or any(what == "kill" for what, _ in args[0])
        if not self.is_broken:
            return super().submit(fn, *args)
        future: Future[Any] = Future()
        future.set_exception(BrokenExecutor())
        return future


@given(
    st.lists(st.sampled_from(["double", "double", "double", "kill"]), max_size=60),
    st.integers(1, 3),
    st.sampled_from([1, 5 << 20, 9 << 20]),
    st.booleans(),
    st.sampled_from([None, 1, 7, 100]),
)
def test_deaths_anywhere(
    kinds: list[str], lanes: int, size_bytes: int, at_submit: bool, run_length: int | None
) -> None:
    """Whatever dies wherever, each item comes back once, and lost are exactly the culprits."""
    items = [(kind, number) for number, kind in enumerate(kinds)]
    run_of = run_length and (lambda item: item[1] // run_length)
    with Pool(lanes, lambda: Breaking(at_submit)) as pool:
        assert expected(items) == sorted(run(pool, items, lambda _: size_bytes, run_of or None))


class Absent(Serial):
    """Cannot be started any more, from its second chunk on."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the first chunk."""
        self.count += 1
        if self.count == 1:
            return super().submit(fn, *args)
        future: Future[Any] = Future()
        future.set_exception(NeverStartedError())
        return future


def test_a_run_outlives_its_lane() -> None:
    """What was to come for a lane that is given up goes to the others."""
    executors = iter([Absent(), Serial()])
    items = [("double", number) for number in range(40)]
    with Pool(2, lambda: next(executors)) as pool:
        assert expected(items) == sorted(run(pool, items, lambda _: 9 << 20, lambda item: item[1] // 20))


class Logging(Serial):
    """Keeps the chunks that it was handed."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[list[Item]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it, and remember the chunk."""
        self.chunks.append(args[0])
        return super().submit(fn, *args, **kwargs)


def handed_out(lanes: int, count: int, size_bytes: int, run_length: int) -> list[list[list[Item]]]:
    """The chunks of each lane, for ``count`` items in runs of this length."""
    made: list[Logging] = []

    def make() -> Executor:
        made.append(Logging())
        return made[-1]

    items = [("double", number) for number in range(count)]
    with Pool(lanes, make) as pool:
        assert expected(items) == sorted(run(pool, items, lambda _: size_bytes, lambda item: item[1] // run_length))
    return [executor.chunks for executor in made]


def test_a_run_goes_to_one_lane() -> None:
    """In chunks that are no larger than others, while there are other runs for the other lanes."""
    first, second = handed_out(2, 48, 5 << 20, 12)
    assert {2} == {len(chunk) for chunk in first + second}
    runs = [[number // 12 for chunk in chunks for _, number in chunk] for chunks in (first, second)]
    assert [[0] * 12 + [2] * 12, [1] * 12 + [3] * 12] == runs


def test_a_run_is_shared_where_nothing_else_is_left() -> None:
    """By halves, so that each lane keeps to its own end of it."""
    lanes = [[number for chunk in chunks for _, number in chunk] for chunks in handed_out(3, 160, 1, 160)]
    assert all(len(numbers) >= 32 for numbers in lanes)
    assert list(range(160)) == sorted(number for numbers in lanes for number in numbers)


def test_short_runs_share_chunks() -> None:
    """Handing over a few items costs nothing beside their work; a run each is no reason to hand over each alone."""
    (chunks,) = handed_out(1, 64, 1, 1)
    assert [16] * 4 == [len(chunk) for chunk in chunks]


def test_items_are_read_no_faster_than_the_work_goes_on() -> None:
    """A million items are not drawn into memory: three chunks a lane, and no more."""
    drawn = 0

    def endless() -> Iterator[Item]:
        nonlocal drawn
        while True:
            drawn += 1
            yield "double", drawn

    with Pool(2, Serial) as pool:
        results = pool.map(work, endless(), size_bytes=lambda _: 1, lost=lambda item, death: None)
        for done in range(1, 200):
            next(results)
            assert drawn <= done + 2 * 3 * 16 + 16


@given(st.lists(st.integers(0, 20 << 20), max_size=100), st.integers(1, 4))
def test_chunks(sizes: list[int], lanes: int) -> None:
    """Chunks keep the order, lose nothing, and hold 16 items or 8 MB and the item that passed it."""
    chunks = list(workers._chunks(sizes, lambda size: size, lanes=lanes))
    assert sizes == [size for chunk in chunks for size in chunk]
    assert all(1 <= len(chunk) <= 16 and sum(chunk[:-1]) < 8 << 20 for chunk in chunks)


@pytest.mark.parametrize(
    ("lanes", "items", "expected"),
    [
        (1, range(40), [16, 16, 8]),
        (2, range(100), [16, 16, 16, 13, 9, 7, 5, 4, 4, 4, 4, 2]),
        (4, range(5), [4, 1]),
        (2, map(abs, range(40)), [16, 16, 8]),
    ],
    ids=["one lane", "two lanes", "few", "not known how many"],
)
def test_the_last_chunks_are_small(lanes: int, items: Iterable[int], expected: list[int]) -> None:
    """Half of what each lane would have of the rest, so that none works on while the others have nothing to do."""
    chunks = workers._chunks(items, lambda _: 1, lanes=lanes)
    assert expected == [len(chunk) for chunk in chunks]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9 << 20)), max_size=100))
def test_stretches(items: list[tuple[int, int]]) -> None:
    """They keep the order, lose nothing, and a run lies in one of them, whose chunks are no larger than others."""
    stretches = list(workers._stretches(items, lambda item: item[1], 16, 2, lambda item: item[0]))
    assert items == [item for stretch in stretches for chunk in stretch for item in chunk]
    for stretch in stretches:
        assert all(1 <= len(chunk) <= 16 and sum(size for _, size in chunk[:-1]) < 8 << 20 for chunk in stretch)
    ends = [(before[-1][-1][0], after[0][0][0]) for before, after in pairwise(stretches)]
    assert all(last != first for last, first in ends)


def test_prepared_processes_do_the_work() -> None:
    """They are there before the first item, and the same ones then do it."""
    with Pool(2) as pool:
        pool.prepare()
        prepared = {pid_of(executor) for executor in executors_of(pool)}
        assert 2 == len(prepared)
        assert expected([("double", number) for number in range(40)]) == sorted(
            run(pool, [("double", number) for number in range(40)])
        )
        assert {pid for _, pid in run(pool, [("pid", number) for number in range(64)])} <= prepared


def test_a_prepared_process_may_die() -> None:
    """Before there is anything to do: the work is done all the same."""
    with Pool(1) as pool:
        pool.prepare()
        (executor,) = executors_of(pool)
        os.kill(pid_of(executor), signal.SIGKILL)
        items = [("double", number) for number in range(20)]
        assert expected(items) == sorted(run(pool, items))


def test_a_process_is_asked_where_there_is_one() -> None:
    """It answers from where it is; without one, or with others' executors, nobody does, nor where it died."""
    with Pool(2) as pool:
        assert pool.ask(os.getpid) is None
        pool.prepare()
        asked = pool.ask(os.getpid)
        assert asked is not None
        assert os.getpid() != asked
        os.kill(asked, signal.SIGKILL)
        assert are_gone([asked])
        assert pool.ask(os.getpid) is None
        assert expected([("double", 1)]) == run(pool, [("double", 1)])
    with Pool(1, lambda: ThreadPoolExecutor(1)) as pool:
        assert expected([("double", 1)]) == run(pool, [("double", 1)])
        assert pool.ask(os.getpid) is None


def test_other_executors_are_not_prepared() -> None:
    """A cluster's client is given work and nothing else."""
    handed: list[Any] = []

    class Watched(ThreadPoolExecutor):
        def submit(self, *arguments: Any, **options: Any) -> Future[Any]:  # type: ignore[override]
            handed.append(arguments)
            return super().submit(*arguments, **options)

    with Pool(1, lambda: Watched(1)) as pool:
        pool.prepare()
        assert [] == handed


def test_few_chunks_go_to_all_lanes() -> None:
    """No lane waits for work while another has several chunks ahead."""
    handed: list[list[int]] = []

    class Watched(ThreadPoolExecutor):
        def __init__(self) -> None:
            super().__init__(1)
            self.chunks: list[int] = []
            handed.append(self.chunks)

        def submit(self, *arguments: Any, **options: Any) -> Future[Any]:  # type: ignore[override]
            self.chunks.append(len(arguments[1]))
            return super().submit(*arguments, **options)

    with Pool(3, Watched) as pool:
        items = [("double", number) for number in range(4)]
        assert expected(items) == sorted(run(pool, items, size_bytes=lambda _: 1 << 30))
    assert [1, 1, 2] == sorted(map(len, handed))


@pytest.mark.parametrize(("share", "count"), [(-1.0, 1), (2.0, 3)], ids=["computes", "waits"])
def test_small_files_in_memory_are_read_by_one_thread(
    share: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others would only wait for the interpreter; where the disk is waited for they help."""
    monkeypatch.setattr(workers, "_BUSY_SHARE", share)
    seen = set()

    def note(items: list[int]) -> list[int]:
        seen.add(threading.get_ident())
        return items

    with Pool(3) as pool:
        items = range(20 * workers._LIGHT_CHUNK_ITEMS)
        found = pool.map(note, items, size_bytes=lambda _: 1, lost=lambda *_: 0, is_light=True)
        assert [(item, item) for item in items] == sorted(found)
    assert count == len(seen)


def test_large_files_are_read_by_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing leaves the interpreter to the others."""
    monkeypatch.setattr(workers, "_BUSY_SHARE", -1.0)
    seen = set()

    def note(items: list[int]) -> list[int]:
        seen.add(threading.get_ident())
        return items

    with Pool(3) as pool:
        list(pool.map(note, range(30), size_bytes=lambda _: 1 << 23, lost=lambda *_: 0, is_light=True))
    assert len(seen) == 3


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork there is no fork server")
def test_a_fork_server_that_is_killed_is_started_again() -> None:
    """The system may end it as any process: its workers' ends are seen, and the work is done by others."""
    items = [("double", number) for number in range(40)]
    with Pool(2) as pool:
        assert expected(items) == sorted(run(pool, items))
        assert launch._server is not None
        os.kill(launch._server.pid, signal.SIGKILL)
        assert are_gone([launch._server.pid])
        again = [("kill", 1), *items, ("exit", 2)]
        assert expected(again) == sorted(run(pool, again))
