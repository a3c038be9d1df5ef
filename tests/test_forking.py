"""Processes that are forked from this one: only while that is safe, and nothing of them stays."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dupfind import forking
from dupfind.forking import ForkedProcess, can_fork
from tests.helpers.ahead import needs_fork
from tests.helpers.processes import is_alive, nobody_left

SOON_SECONDS = 5

pytestmark = needs_fork


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    """Whatever becomes of what is forked."""
    with nobody_left():
        yield


def said(work: Callable[[int], object]) -> bytes:
    """What a forked process wrote, until its end."""
    process = ForkedProcess()
    process.begin(work)
    assert process.pipe is not None
    text = b""
    while piece := os.read(process.pipe, 1000):
        text += piece
    process.end(SOON_SECONDS)
    return text


THREADS = {"one": ["1"], "a library's beside it": ["1", "2"]}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("lacks", ["nothing", "fork", "pthread_sigmask", "/proc", "linux"])
def test_when_this_process_may_be_forked(monkeypatch: pytest.MonkeyPatch, threads: str, lacks: str) -> None:
    """With one thread, where the system tells so and has what it takes."""

    def tasks(_: str) -> list[str]:
        if lacks == "/proc":
            raise FileNotFoundError
        return THREADS[threads]

    monkeypatch.setattr(os, "listdir", tasks)
    if lacks == "fork":
        monkeypatch.delattr(os, "fork")
    elif lacks == "pthread_sigmask":
        monkeypatch.delattr(signal, "pthread_sigmask")
    elif lacks == "linux":
        monkeypatch.setattr(sys, "platform", "darwin")
    assert (threads == "one" and lacks == "nothing") == can_fork()


@pytest.mark.parametrize(
    ("why", "status"),
    [
        ("small", "VmRSS:\t  900000 kB\nRssAnon:\t   30000 kB\nRssFile:\t  870000 kB\n"),
        ("large", "VmRSS:\t  900000 kB\nRssAnon:\t   70000 kB\nRssFile:\t    9000 kB\n"),
        ("not told", None),
        ("not told", "VmRSS:\t  900 kB\n"),
        ("not told", "RssAnon:\t  ? kB\n"),
        ("another's", "RssAnon:\t   30000 kB\n"),
        ("threads", "RssAnon:\t   30000 kB\n"),
    ],
)
def test_when_what_decodes_may_be_forked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, why: str, status: str | None
) -> None:
    """From the command line's own process, with one thread and before it has much memory."""
    told = tmp_path / "status"
    if status is not None:
        told.write_text(status)
    monkeypatch.setattr(forking, "_STATUS", str(told))
    monkeypatch.setattr(forking, "_is_program", why != "another's")
    monkeypatch.setattr(forking, "can_fork", lambda: why != "threads")
    assert (why == "small") == forking.can_fork_decoders()


def test_this_process_is_somebody_elses() -> None:
    """Until it is told that it is the command line's own."""
    told = subprocess.run(
        [sys.executable, "-c", "from dupfind import forking; print(forking.can_fork(), forking.can_fork_decoders())"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "True False\n" == told.stdout


def test_not_beside_a_thread() -> None:
    """A lock that it holds would stay closed for ever."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert not can_fork()
    finally:
        over.set()
        thread.join()


LIBRARY = """
import os
os.environ["OPENBLAS_NUM_THREADS"] = "2"
from dupfind.forking import can_fork
before = can_fork()
import numpy
threads = len(os.listdir("/proc/self/task"))
print(before, can_fork() == (threads == 1))
"""


def test_not_beside_a_thread_of_a_library() -> None:
    """Of which Python knows nothing."""
    told = subprocess.run([sys.executable, "-c", LIBRARY], check=True, capture_output=True, text=True).stdout
    assert "True True\n" == told


def test_nothing_of_this_process_is_held_open(tmp_path: Path) -> None:
    """Neither its output nor a file, which may have a lock, nor the pipe of another."""
    other = ForkedProcess()
    other.begin(lambda _: time.sleep(60))
    with open(tmp_path / "lock", "wb") as lock:
        high = os.dup2(lock.fileno(), 400)

        def handles(pipe: int) -> None:
            others = set(range(3, 500)) - {pipe}
            held = [handle for handle in others if os.path.exists(f"/proc/self/fd/{handle}")]
            forking.write(pipe, repr((held, {os.readlink(f"/proc/self/fd/{stream}") for stream in range(3)})).encode())

        assert b"([], {'/dev/null'})" == said(handles)
        os.close(high)
    other.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_a_terminal_sends_is_answered_here_alone(number: signal.Signals) -> None:
    """It goes on, until it is ended."""

    def work(pipe: int) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, forking.TERMINAL_SIGNALS)
        os.kill(os.getpid(), number)
        forking.write(pipe, b"on")

    assert b"on" == said(work)


@pytest.mark.parametrize("moment", ["fork", "pipe"])
def test_a_stop_while_it_begins(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """It is heard once the process has its place, so that it can be ended."""
    true = getattr(os, moment)

    def stopped() -> object:
        answer = true()
        if answer != 0:
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # the test runner has other threads
        return answer

    monkeypatch.setattr(os, moment, stopped)
    process = ForkedProcess()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            process.begin(lambda _: time.sleep(60))
    finally:
        signal.signal(signal.SIGINT, before)
    assert process.is_begun
    assert process.pipe is not None
    process.end()


def test_what_is_done_with_a_lost_stop_is_the_programs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would set an alarm, by which the process would end as one that was stopped."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    assert b"True" == said(
        lambda pipe: forking.write(pipe, repr(sys.unraisablehook is sys.__unraisablehook__).encode())
    )


def test_an_error_is_not_the_parents(capfd: pytest.CaptureFixture[str]) -> None:
    """It ends there, without a word."""
    assert b"" == said(lambda _: 1 // 0)
    assert b"" == said(lambda _: sys.exit(3))
    assert ("", "") == capfd.readouterr()


def test_where_no_more_can_be_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pipe is left open."""
    monkeypatch.setattr(os, "fork", lambda: (_ for _ in ()).throw(BlockingIOError))
    process = ForkedProcess()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(BlockingIOError):
        process.begin(lambda _: None)
    assert (False, None, before) == (process.is_begun, process.pipe, len(os.listdir("/proc/self/fd")))
    assert not process.end()


def test_one_that_hangs_is_killed_and_not_waited_for() -> None:
    """It is buried later."""
    process = ForkedProcess()
    began = time.monotonic()
    process.begin(lambda _: time.sleep(60))
    assert not process.end()
    assert not process.is_begun
    forking.bury(SOON_SECONDS)
    assert time.monotonic() - began < SOON_SECONDS


def test_the_time_of_one_that_has_ended_is_told() -> None:
    """What it took of the processor."""
    process = ForkedProcess()
    process.begin(lambda _: sum(range(300_000)))
    assert 0 < process.end(SOON_SECONDS) < SOON_SECONDS


def test_where_nothing_tells_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without the module by which it is told: the process is buried all the same."""
    monkeypatch.setitem(sys.modules, "resource", None)
    process = ForkedProcess()
    process.begin(lambda _: None)
    assert 0 == process.end(SOON_SECONDS)


def test_one_that_somebody_else_has_waited_for() -> None:
    """As where the system buries them by itself: no other process is killed in its place."""
    process = ForkedProcess()
    process.begin(lambda _: None)
    assert process._process is not None
    os.waitpid(process._process, 0)
    assert not process.end()
    assert [] == forking._killed


ORPHAN = """
import time
from dupfind.forking import ForkedProcess, write

def work(pipe):
    while True:
        write(pipe, b"x" * 1000)

process = ForkedProcess()
process.begin(work)
print(process._process, flush=True)
time.sleep(60)
"""


def test_it_ends_with_this_process() -> None:
    """A run that is killed leaves nobody behind, and nobody holds its output open."""
    with subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        process = int(run.stdout.readline())
        assert is_alive(process)
        run.kill()
        assert select.select([run.stdout], [], [], SOON_SECONDS)[0]
        assert b"" == run.stdout.read()
    until = time.monotonic() + SOON_SECONDS
    while is_alive(process):
        assert time.monotonic() < until
        time.sleep(0.01)
