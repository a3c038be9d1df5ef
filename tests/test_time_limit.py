"""Time limits: in real worker processes, as only there the hard one exists."""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest

from dupfind.pool import time_limit
from dupfind.pool.time_limit import HARD_LIMIT_SECONDS, TimeLimit

SOON = 0.3 - HARD_LIMIT_SECONDS
"""A soft limit whose hard one is 0.3 s away; the alarm does not ring for it, which is the case that is tested."""


@pytest.fixture
def worker() -> ProcessPoolExecutor:
    """One process that works for this one."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("forkserver"))


def many_short_ones() -> int:
    """Longer together than the limit of each."""
    time_limit._Alarm.after = time_limit.contextmanager(lambda *_: iter([None]))  # type: ignore[method-assign]
    time_limit._SLACK_SECONDS = 0.05
    with TimeLimit(1.0 - HARD_LIMIT_SECONDS) as limit:  # five times what each takes: on a busy machine it takes more
        for _ in range(8):
            with limit.each():
                time.sleep(0.2)
    time.sleep(1.3)  # idle
    return 8


def one_that_holds_the_interpreter() -> None:
    """As a decoder that is in C and does not come back."""
    time_limit._Alarm.after = time_limit.contextmanager(lambda *_: iter([None]))  # type: ignore[method-assign]
    with TimeLimit(SOON) as limit:
        for _ in range(3):
            with limit.each():
                pass
        with limit.each():
            ctypes.PyDLL(None).sleep(600)


@pytest.mark.slow
def test_each_has_its_own_time_and_idling_has_all(worker: ProcessPoolExecutor) -> None:
    """The limit is set anew for each piece of work, and lifted behind the last."""
    with worker:
        assert worker.submit(many_short_ones).result(30) == 8


def test_what_does_not_come_back_is_ended(worker: ProcessPoolExecutor) -> None:
    """The process goes, and the work with it."""
    with worker, pytest.raises(BrokenProcessPool):
        worker.submit(one_that_holds_the_interpreter).result(300)


def test_here_no_process_is_ended() -> None:
    """This process works for nobody: the alarm only, which goes again."""
    before = signal.getsignal(signal.SIGALRM)
    with TimeLimit(0.05) as limit:
        with pytest.raises(TimeoutError), limit.each():
            time.sleep(5)
        with limit.each():
            pass
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before
