"""Many pairs at once: in which processes, when it is worth it, and what a dead process costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

import pytest

from dupfind.cache.cache_schema import Pair, PictureRef
from dupfind.matching.judge import Judge
from dupfind.matching.pairs import judge_pairs
from dupfind.pool import judge_pool
from dupfind.pool.judge_pool import JudgePool
from dupfind.pool.workers import Pool
from dupfind.values import FileEntry
from tests.helpers.desk import Desk
from tests.helpers.scenes import scene, shot


class Here(Executor):
    """Works at once; while ``is_dying`` it breaks under every chunk."""

    def __init__(self) -> None:
        self.chunks: list[int] = []
        self.is_dying = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Do it."""
        future: Future[Any] = Future()
        self.chunks.append(len(args[0]) if args else 0)
        if self.is_dying:
            future.set_exception(BrokenExecutor())
        else:
            future.set_result(fn(*args))
        return future


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


@pytest.fixture
def pairs(desk: Desk) -> list[Pair]:
    """Every one of eight pictures with every one."""
    refs = [
        desk.cache.keep_content(
            FileEntry(f"/{number}", 1, 0, 0, 0), shot(scene(number // 2), 400 + 100 * number, 300 + 75 * number), 0
        )
        for number in range(8)
    ]
    ids = [ref.id for ref in refs if isinstance(ref, PictureRef)]
    return [Pair(one, other, 0) for one in ids for other in ids if one != other]


@pytest.mark.parametrize("is_dying", [False, True])
def test_as_one_by_one(desk: Desk, pairs: list[Pair], is_dying: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever becomes of the processes, each pair is judged as it is without them."""
    monkeypatch.setattr(judge_pool, "_WORTH_STARTING", 0)
    executor = Here()
    executor.is_dying = is_dying
    expected = {pair: Judge(desk.cache).judge(pair, [pair.witness]) for pair in pairs}
    with Pool(2, lambda: executor) as pool:
        found = dict(JudgePool(pool, desk.cache, 2).map(pairs, judge_pairs))
    assert expected == found
    assert 3 < len({judged.evidence for judged in found.values()}) + len(executor.chunks)


def test_what_is_not_worth_it(desk: Desk, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    """A few pairs, pairs on one core, and, where no process runs, as many as take as long as to start one."""
    monkeypatch.setattr(judge_pool, "_WORTH_STARTING", 2 * len(pairs))
    executor = Here()
    with Pool(2, lambda: executor) as pool:
        work = JudgePool(pool, desk.cache, 2)
        assert [] == [
            *work.map(pairs[:7], judge_pairs),
            *JudgePool(pool, desk.cache, 1).map(pairs, judge_pairs),
            *work.map(pairs, judge_pairs),
        ]
        assert [] == executor.chunks
        assert len(pairs) == len(list(work.map(pairs, judge_pairs)))
        assert not [*work.map(pairs[:7], judge_pairs)]
        assert len(pairs) == len(list(JudgePool(pool, desk.cache, 2).map(pairs, judge_pairs))), "they run now"


def test_the_judge_asks_ahead(desk: Desk, pairs: list[Pair]) -> None:
    """The first of each queue; then the next of those that it did not settle; and asks again for none."""
    asked: list[list[Pair]] = []

    def ahead(some: Any, _: Any) -> Iterator[Any]:
        asked.append(list(some))
        for pair in some:
            yield pair, Judge(desk.cache).judge(pair, [pair.witness])

    judge = Judge(desk.cache, ahead)
    judge.know([pair.needle for pair in pairs])
    queues = [
        [pair for pair in pairs if pair.needle == needle] for needle in dict.fromkeys(one.needle for one in pairs)
    ]
    judge.judge_ahead([*queues, []])
    first = [queue[0] for queue in queues]
    assert first == asked[0]
    settled = {pair.needle for pair in first if Judge(desk.cache).judge(pair, [pair.witness]).is_last}
    assert 0 < len(settled) < len(queues)
    assert [pair for queue in queues for pair in queue[1:] if pair.needle not in settled] == asked[1]
    asked.clear()
    judge.judge_ahead(queues)
    assert not any(asked), "all are known"
