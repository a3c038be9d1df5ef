"""Work between two threads: what a person waits for first, nothing lost when the cache is, and an end for idleness."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, cast

import pytest

from dupfind.errors import CacheLostError, DupfindError, NoProcessError, OutputError
from dupfind.reviewing.jobs import EndedError, Jobs
from dupfind.reviewing.page_state import WantedPicture
from dupfind.run import Reading
from dupfind.values import Failure

READING = cast(Reading, None)


class Drawer:
    """Makes pictures of nothing, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, wanted: Sequence[WantedPicture], _: Reading) -> list[bytes | Failure]:
        """Make them."""
        self.asked.append([one.number for one in wanted])
        return [Failure("none") if one.is_full else bytes([one.number]) for one in wanted]


def test_work_comes_before_pictures_and_the_last_before_the_first() -> None:
    """Who scrolls on looks at the last; who asks for the same twice waits for one."""
    drawer = Drawer()
    jobs = Jobs(drawer)
    order: list[str] = []
    pictures = [jobs.picture(WantedPicture(number, is_full=False)) for number in range(20)]
    assert jobs.picture(WantedPicture(3, is_full=False)) is pictures[3]
    full = jobs.picture(WantedPicture(3, is_full=True))
    done = jobs.do(lambda _: order.append(f"after {len(drawer.asked)}"))
    jobs.work(READING, 0.01)
    assert done.done()
    assert order == ["after 0"]
    assert [len(asked) for asked in drawer.asked] == [16, 5]
    assert set(drawer.asked[1]) == {0, 1, 2, 3, 4}
    assert [bytes([number]) for number in range(20)] == [one.result() for one in pictures]
    assert full.result() == Failure("none")


def test_what_fails() -> None:
    """Whoever asked is told, and the others are answered; a bug ends the run instead of being hidden."""

    def fail(_: Reading) -> None:
        raise OutputError("full")

    def bug(_: Reading) -> None:
        raise KeyError("a bug")

    jobs = Jobs(Drawer())
    failed, answered = jobs.do(fail), jobs.do(lambda _: 7)
    jobs.work(READING, 0.01)
    assert isinstance(failed.exception(), DupfindError)
    assert answered.result() == 7
    jobs = Jobs(Drawer())
    jobs.do(bug)
    with pytest.raises(KeyError):
        jobs.work(READING, 0.01)


def test_pictures_that_cannot_be_made_end_nothing() -> None:
    """Who asked is told, and may ask again."""

    def fail(_: Sequence[WantedPicture], __: Reading) -> list[bytes | Failure]:
        raise NoProcessError("no process could be started")

    jobs = Jobs(fail)
    pictures = [jobs.picture(WantedPicture(number, is_full=False)) for number in range(2)]
    assert jobs.work(READING, 0.01)
    assert [NoProcessError] * 2 == [type(one.exception()) for one in pictures]


def test_a_lost_cache_loses_no_work() -> None:
    """What was at work is done again with the next one, before all else."""
    tries: list[int] = []

    def work(_: Reading) -> int:
        tries.append(0)
        if len(tries) == 1:
            raise CacheLostError("lost", is_gone=True)
        return 7

    jobs = Jobs(Drawer())
    first, second = jobs.do(work), jobs.do(lambda _: len(tries))
    with pytest.raises(CacheLostError):
        jobs.work(READING, 0.01)
    assert not first.done()
    jobs.work(READING, 0.01)
    assert (first.result(), second.result()) == (7, 2)


@pytest.mark.parametrize("is_asked", [True, False])
def test_the_end(monkeypatch: pytest.MonkeyPatch, is_asked: bool) -> None:
    """Comes when it is asked for, or when nobody was there for so long; who is there puts it off."""
    monkeypatch.setattr("dupfind.reviewing.jobs._TICK_SECONDS", 0.02)
    jobs = Jobs(Drawer())
    thread = threading.Thread(target=jobs.work, args=(READING, 600 if is_asked else 0.5), daemon=True)
    thread.start()
    began = time.monotonic()
    while time.monotonic() - began < 0.8:
        jobs.use()
        time.sleep(0.02)
    assert thread.is_alive()
    if is_asked:
        jobs.end()
    thread.join(10)
    assert not thread.is_alive()


def test_nobody_waits_for_ever() -> None:
    """Who asks when it is over, or waits when it ends, is told so."""
    jobs = Jobs(Drawer())
    jobs.do(lambda _: jobs.end())
    waiting = [jobs.do(lambda _: None), jobs.picture(WantedPicture(0, is_full=False))]
    jobs.work(READING, 60)
    waiting += [jobs.do(lambda _: None), jobs.picture(WantedPicture(0, is_full=False))]
    assert [EndedError] * 4 == [type(one.exception()) for one in waiting]


def test_who_has_gone_is_not_waited_for() -> None:
    """A job whose asker has hung up is not begun."""
    begun: list[Any] = []
    jobs = Jobs(Drawer())
    jobs.do(begun.append).cancel()
    jobs.work(READING, 0.01)
    assert begun == []


def test_what_the_system_refuses_ends_no_review() -> None:
    """Where work that is done alone fails by an error of the system, who asked is told, and the next is done."""
    jobs = Jobs(lambda wanted, _: [b"" for _ in wanted])

    def fail() -> None:
        raise OSError(5, "Input/output error", "/a/file")

    failed, done = jobs.do_alone(fail), jobs.do_alone(lambda: 7)
    jobs.work_alone()
    assert isinstance(failed.exception(0), OSError)
    assert done.result(0) == 7
