"""An executor with one process: the contract of executors, and an end that is always seen."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from dupfind.pool import launch, worker
from dupfind.pool.process_executor import DiedError, NeverStartedError, ProcessExecutor
from tests.helpers.labour import cut_off, go_mad, large, unspeakable
from tests.helpers.processes import are_gone, is_alive

_LONG = 60


@pytest.fixture(params=["forked", "spawned"])
def executor(request: pytest.FixtureRequest) -> Iterator[ProcessExecutor]:
    """Of each way in which processes start."""
    made = ProcessExecutor(launch.start if request.param == "forked" else launch._spawn)
    yield made
    made.kill()
    made.wait_until_gone()


def test_what_is_handed_over_is_done_in_order(executor: ProcessExecutor) -> None:
    """With arguments and options, in one process that is not this one."""
    futures = [executor.submit(divmod, number, 7) for number in range(100)]
    assert [divmod(number, 7) for number in range(100)] == [future.result(_LONG) for future in futures]
    assert 15 == executor.submit(int, "f", base=16).result(_LONG)
    assert executor.submit(os.getpid).result(_LONG) == executor.pid != os.getpid()


def test_errors_are_raised_where_they_are_asked_for(executor: ProcessExecutor) -> None:
    """With what the worker was at; those that cannot be handed over are told in words, and it works on."""
    with pytest.raises(ValueError, match="invalid literal") as raised:
        executor.submit(int, "no number").result(_LONG)
    assert "In a worker:" in raised.value.__notes__[0]
    with pytest.raises(RuntimeError, match="UnspeakableError"):
        executor.submit(unspeakable, 1).result(_LONG)
    with pytest.raises((TypeError, AttributeError, RuntimeError), match="pickle"):
        executor.submit(threading.Lock).result(_LONG)
    assert executor.submit(abs, -1).result(_LONG) == 1


@pytest.mark.slow
def test_large_tasks_and_results(executor: ProcessExecutor) -> None:
    """Several times what fits into the buffers, in both directions at once."""
    data = bytes(3 << 20)
    futures = [executor.submit(bytes.__add__, data, b"x") for _ in range(8)]
    assert {len(data) + 1} == {len(future.result(_LONG)) for future in futures}


@pytest.mark.slow
@pytest.mark.parametrize("length", [0, 3, 8, 9, 1 << 20])
def test_a_result_that_is_cut_off_is_none(executor: ProcessExecutor, length: int) -> None:
    """The process dies while it hands over: what came before is there, the rest is broken, and nobody waits."""
    before = executor.submit(large, 100)
    executor.submit(cut_off, length)
    cut = executor.submit(large, 4 << 20)
    behind = executor.submit(large, 100)
    assert 100 == len(before.result(_LONG))
    for future in (cut, behind):
        with pytest.raises(DiedError) as raised:
            future.result(_LONG)
        assert -signal.SIGKILL == raised.value.exit_code
    with pytest.raises(DiedError):
        executor.submit(large, 1)


def test_a_result_is_whole_whose_process_died_behind_it(executor: ProcessExecutor) -> None:
    """What was handed over counts."""
    last = executor.submit(large, 1 << 20)
    died = executor.submit(os._exit, 7)
    assert 1 << 20 == len(last.result(_LONG))
    with pytest.raises(DiedError) as raised:
        died.result(_LONG)
    assert raised.value.exit_code == 7


def test_what_makes_no_sense_ends_the_process(executor: ProcessExecutor) -> None:
    """A decoder that writes where it should not is no worker any more."""
    executor.submit(go_mad)
    with pytest.raises(DiedError):
        executor.submit(large, 1).result(_LONG)
    assert executor.pid is not None
    assert are_gone([executor.pid])


@pytest.mark.parametrize("is_wanted", [True, False])
def test_shutdown_lets_it_finish(executor: ProcessExecutor, is_wanted: bool) -> None:
    """What was handed over is done; nothing more is taken."""
    futures = [executor.submit(large, 10) for _ in range(3)]
    executor.shutdown(wait=is_wanted)
    with pytest.raises(RuntimeError, match="shutdown"):
        executor.submit(large, 1)
    assert [10] * 3 == [len(future.result(_LONG)) for future in futures]
    assert executor.pid is not None
    assert are_gone([executor.pid])


def test_what_was_cancelled_is_not_done() -> None:
    """Before the process is there, everything still can be."""
    is_open = threading.Event()

    def late() -> launch.Worker:
        is_open.wait(_LONG)
        return launch.start()

    executor = ProcessExecutor(late)
    first, second = executor.submit(large, 1), executor.submit(large, 2)
    assert first.cancel()
    is_open.set()
    with pytest.raises(CancelledError):
        first.result(_LONG)
    assert 2 == len(second.result(_LONG))
    executor.shutdown()


@pytest.mark.parametrize("is_ready", [True, False])
def test_killed_at_once(executor: ProcessExecutor, is_ready: bool) -> None:
    """Also in a call that keeps the interpreter, and also before it has started."""
    if is_ready:
        assert executor.submit(large, 1).result(_LONG)
    future = executor.submit(sum, range(10**13))
    executor.kill()
    began = time.monotonic()
    executor.wait_until_gone()
    with pytest.raises((DiedError, NeverStartedError)):
        future.result(_LONG)
    assert time.monotonic() - began < _LONG
    assert executor.pid is None or not is_alive(executor.pid)


def test_a_worker_that_dies_while_it_starts_is_started_again() -> None:
    """That nobody has worked yet is no fault of what was to be done."""
    attempts = []

    def start() -> launch.Worker:
        attempts.append(launch.start())
        if len(attempts) < 3:
            attempts[-1].kill()
            select.select([attempts[-1].status], [], [], _LONG)
        return attempts[-1]

    executor = ProcessExecutor(start)
    assert executor.submit(abs, -3).result(_LONG) == 3
    assert 3 == len(attempts)
    executor.shutdown()


@pytest.mark.parametrize("error", [launch.CannotStartError("no more processes"), OSError("no more processes")])
def test_a_worker_that_cannot_start(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Everybody is told why, those that come later too."""
    monkeypatch.setattr("dupfind.pool.process_executor._PAUSES_SECONDS", (0.0, 0.0))

    def start() -> launch.Worker:
        raise error

    executor = ProcessExecutor(start)
    for _ in range(2):
        with pytest.raises(NeverStartedError, match="no more processes"):
            executor.submit(abs, -3).result(_LONG)
    executor.shutdown()


def test_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system has them counted together with the processes."""

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", refuse)
    executor = ProcessExecutor()
    with pytest.raises(NeverStartedError, match="can't start new thread"):
        executor.submit(abs, 1)
    executor.kill()
    executor.shutdown()
    executor.wait_until_gone()


def test_from_several_threads(executor: ProcessExecutor) -> None:
    """Whoever hands over gets the result of what was handed over."""

    def ask(number: int) -> list[int]:
        return [executor.submit(pow, number, 2).result(_LONG) for _ in range(20)]

    with ThreadPoolExecutor(8) as threads:
        assert [[number**2] * 20 for number in range(8)] == list(threads.map(ask, range(8)))


def test_the_parent_is_where_tasks_are_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is older than this folder and this path: each worker is told both."""
    (tmp_path / "brought_along.py").write_text("import os\ndef here(): return os.getcwd()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    import brought_along  # type: ignore[import-not-found]

    executor = ProcessExecutor()
    assert str(tmp_path) == executor.submit(brought_along.here).result(_LONG)
    executor.shutdown()
    del sys.modules["brought_along"]


@pytest.mark.slow
def test_a_worker_killed_at_any_moment_of_a_large_result() -> None:
    """From outside, at moments spread over the handing over: a result is whole or broken, and nobody waits."""
    for number in range(40):
        executor = ProcessExecutor()
        assert executor.submit(large, 1).result(_LONG)
        futures: list[Future[bytes]] = [executor.submit(large, 4 << 20) for _ in range(4)]
        time.sleep(number * 0.0004)
        assert executor.pid is not None
        os.kill(executor.pid, signal.SIGKILL)
        done, not_done = wait(futures, _LONG)
        assert not not_done
        for future in done:
            error = future.exception()
            assert isinstance(error, DiedError) if error is not None else len(future.result()) == 4 << 20
        executor.kill()


class _Mute:
    """A worker that never says anything and cannot be asked, as one whose server was killed with it."""

    status = None

    def __init__(self) -> None:
        self.connection, self.theirs = socket.socketpair()

    def kill(self) -> None:
        """End it."""
        self.theirs.close()

    def end(self) -> int | None:
        """Nobody tells."""
        return None


@pytest.mark.parametrize("piece", [b"", worker.packed((True, 5))[:6]])
def test_an_end_of_which_nobody_tells(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an end all the same."""
    monkeypatch.setattr("dupfind.pool.process_executor._PAUSES_SECONDS", (0.0,))
    mute = _Mute()
    start: Callable[[], launch.Worker] = lambda: mute  # noqa: E731 - it is one
    executor = ProcessExecutor(start)
    future = executor.submit(abs, 1)
    mute.theirs.send(piece)
    mute.theirs.close()
    with pytest.raises(NeverStartedError, match="they end before they have begun"):
        future.result(_LONG)
