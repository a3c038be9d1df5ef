"""How workers start, and what is said where they cannot: it is no fault of a file."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from dupfind import forking
from dupfind.errors import NoProcessError
from dupfind.pool import launch
from dupfind.pool.launch import CannotStartError
from dupfind.pool.process_executor import ProcessExecutor
from dupfind.pool.workers import Pool
from fixtures import pictures
from tests.helpers.ahead import needs_fork
from tests.helpers.labour import Item, work
from tests.helpers.places import ROOT
from tests.helpers.processes import are_gone

if TYPE_CHECKING:
    import socket

Run = Callable[..., "CompletedProcess[bytes]"]
_ITEMS: list[Item] = [("double", number) for number in range(40)]
_HARM = """
import os, sys
count, true, program = 0, os.fork, os.getpid()
if any("forkserver" in argument for argument in sys.orig_argv):
    program = 0
def fork():
    global count
    if os.getpid() != program:
        count += 1
        if count > {allowed}:
            raise BlockingIOError(11, "Resource temporarily unavailable")
    return true()
os.fork = fork
"""
"""What Python runs first in the program, whose server is allowed so many processes."""
_STARTED = """
import os, threading
true = os.posix_spawn
def posix_spawn(*arguments, **options):
    print("a process is started", file=__import__("sys").stderr)
    return true(*arguments, **options)
os.posix_spawn = posix_spawn
if {threads} > 1:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
"""What Python runs first in a program with so many threads."""
_PROGRAM = os.getpid()


def forks(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test as one that forks this process."""
    for mark in needs_fork:
        test = mark(test)
    return test


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server of this test alone."""
    monkeypatch.setattr(launch, "_server", None)
    monkeypatch.setattr(launch, "_last_words", "")
    monkeypatch.setattr("dupfind.pool.process_executor._PAUSES_SECONDS", (0.0, 0.0))
    yield
    if launch._server is not None:
        launch._server.end()


@pytest.fixture
def forked_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is forked from this process, whatever threads the test runner has."""
    for name in ("can_fork", "can_fork_decoders"):
        monkeypatch.setattr(forking, name, lambda: True)


def results(pool: Pool, items: list[Item]) -> list[tuple[Item, Any]]:
    """Everything that is done, with what came of it."""
    return list(pool.map(work, items, size_bytes=lambda _: 1, lost=lambda _, death: pytest.fail(f"lost: {death}")))


def run(pool: Pool, items: list[Item]) -> list[Item]:
    """Everything that is done, sorted."""
    return sorted(item for item, _ in results(pool, items))


@pytest.mark.slow
@pytest.mark.usefixtures("own_server")
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        ("f._load = lambda: 1 / 0", "ZeroDivisionError: division by zero"),
        ("import os; os.fork = lambda: os.open('/proc/self/mem/x', 0)", "not a directory"),
        ("import os; os._exit(3)", "they end before they have begun"),
        ("f.worker.work = lambda _: None", "they end before they have begun"),
    ],
)
def test_a_server_that_cannot_start_a_worker(monkeypatch: pytest.MonkeyPatch, harm: str, reason: str) -> None:
    """The run ends with why, and no item is blamed."""
    code = f"import sys; sys.path[:] = {sys.path!a}; import dupfind.pool.forkserver as f; {harm}; f.serve()"
    monkeypatch.setattr(launch, "_command", lambda *_: [sys.executable, "-c", code])
    with (
        pytest.raises(NoProcessError, match=f"the processes that read files cannot be started: {reason}"),
        Pool(2) as pool,
    ):
        run(pool, _ITEMS)


@pytest.mark.usefixtures("own_server")
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("executable", "/nowhere/python", "no such file"),
        ("executable", "", "sys.executable is empty"),
        ("executable", None, "sys.executable is empty"),
        ("frozen", True, "a frozen program is no Python"),
    ],
)
def test_no_python_to_be_started(monkeypatch: pytest.MonkeyPatch, name: str, value: object, reason: str) -> None:
    """As in programs that have Python within them: started again with our arguments, they would do who knows what."""
    monkeypatch.delitem(sys.modules, "multiprocessing.spawn", raising=False)
    monkeypatch.setattr(sys, name, value, raising=False)
    with pytest.raises(NoProcessError, match=reason), Pool(1) as pool:
        run(pool, _ITEMS)


@pytest.mark.usefixtures("own_server")
def test_the_python_that_multiprocessing_was_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the way in which programs with a Python of their own say which to start."""
    from multiprocessing import spawn

    told = spawn.get_executable()
    true = sys.executable
    monkeypatch.setattr(sys, "executable", "/nowhere/program")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    spawn.set_executable(true)
    try:
        with Pool(1) as pool:
            assert _ITEMS == run(pool, _ITEMS)
    finally:
        spawn.set_executable(os.fsdecode(told))


@pytest.mark.usefixtures("own_server")
def test_a_lane_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no process more to give, fewer do the work; a lane is tried again with what comes next."""
    true, calls = launch.start, []

    def start() -> launch.Worker:
        calls.append(1)
        if len(calls) != 1:
            raise CannotStartError("resource temporarily unavailable")
        return true()

    monkeypatch.setattr(Pool, "_make_process", lambda _: ProcessExecutor(start))
    items: list[Item] = [("double", number) for number in range(300)]
    with Pool(3) as pool:
        assert items == run(pool, items)
        with pytest.raises(NoProcessError, match="resource temporarily unavailable"):
            run(pool, [("kill", 1)])


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Arguments of a scan that has to decode."""
    for side, quality in (("hay", 90), ("needles", 70)):
        (tmp_path / side).mkdir()
        for seed in range(6):
            pictures.photo(seed, (160, 120)).save(tmp_path / side / f"{seed}.jpg", quality=quality)
    return ["scan", "--haystack", "hay", "--needles", "needles", "--no-cache", "-q", "--workers", "2"]


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="without fork there is no fork server")
@pytest.mark.parametrize(
    ("allowed", "code", "said"),
    [
        (0, 2, b"dupfind: the processes that read files cannot be started: resource temporarily unavailable\n"),
        (1, 0, b""),
    ],
)
@pytest.mark.slow
def test_the_command(dupfind: Run, tmp_path: Path, photos: list[str], allowed: int, code: int, said: bytes) -> None:
    """Exit code 2 and one line where there is no process, and the answer where there is one at least."""
    (tmp_path / "sitecustomize.py").write_text(_HARM.format(allowed=allowed))
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = dupfind(*photos, env={"PYTHONPATH": path}, is_started=True)
    assert (code, said) == (done.returncode, done.stderr)
    assert (code == 0) == (b"All 6 files are in the haystack" in done.stdout)


@forks
@pytest.mark.parametrize(("threads", "of_numpy"), [(1, 1), (2, 1), (1, 2)])
def test_the_command_forks_its_server(
    dupfind: Run, tmp_path: Path, photos: list[str], threads: int, of_numpy: int
) -> None:
    """And starts none afresh, but where it has a thread that nobody knows of, or gets one with numpy."""
    (tmp_path / "sitecustomize.py").write_text(_STARTED.format(threads=threads))
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    variables = {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": str(of_numpy)}
    done = dupfind(*photos, env=variables, is_started=True)
    is_started = max(threads, of_numpy) > 1
    assert (0, b"a process is started\n" * is_started) == (done.returncode, done.stderr)
    assert b"All 6 files are in the haystack" in done.stdout


@forks
@pytest.mark.usefixtures("own_server", "forked_server")
def test_a_server_that_was_forked_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that was started does, and ends with this process."""
    monkeypatch.setattr(launch, "_run", lambda *_: pytest.fail("started afresh"))
    with Pool(2) as pool:
        assert _ITEMS == run(pool, _ITEMS)
        assert launch._server is not None
        server = launch._server.pid
        assert {server} == {parent for _, parent in results(pool, [("parent", 1)] * 40)}
    launch._server.end()
    assert are_gone([server])


class _Garbage:
    """In a cycle; tells when it is freed."""

    def __init__(self, handle: int) -> None:
        self._handle, self._itself = handle, self

    def __del__(self) -> None:
        os.write(self._handle, b"freed in a worker" if os.getpid() != _PROGRAM else b"freed here")


@pytest.mark.usefixtures("forked_server")
def test_a_socket_in_the_place_of_a_standard_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where one is closed: what decodes would write its complaints there, so that a server is started afresh."""
    monkeypatch.setattr(forking, "fork", lambda *_: pytest.fail("forked"))
    monkeypatch.setattr(launch, "_run", lambda *_: 7)
    for number in range(3):
        assert 7 == launch._begin_server(cast("socket.socket", SimpleNamespace(fileno=lambda number=number: number)))


@forks
@pytest.mark.usefixtures("own_server", "forked_server")
def test_no_garbage_of_this_process_is_freed_in_a_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A database that is closed there would close what has its number by then; what is made there is collected."""
    told = os.open(tmp_path / "told", os.O_WRONLY | os.O_CREAT)
    monkeypatch.setattr(forking, "close_all_but", lambda *_: None)
    gc.disable()
    try:
        _Garbage(told)
        with Pool(1) as pool:
            assert [True] == [is_enabled for _, is_enabled in results(pool, [("collect", 1)])]
    finally:
        gc.enable()
    assert b"" == (tmp_path / "told").read_bytes()
    gc.collect()
    os.close(told)
    assert b"freed here" == (tmp_path / "told").read_bytes()


@forks
@pytest.mark.usefixtures("own_server", "forked_server")
def test_what_this_process_cannot_load_the_server_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is started afresh, which meets the same and has words for it."""
    started: list[str] = []

    def broken() -> None:
        raise ImportError("no numpy for you")

    def begin(*named: object) -> int:
        started.append(str(named[0]))
        return true(*named)

    true = launch._run
    monkeypatch.setattr("dupfind.pool.forkserver.load_for_both", broken)
    monkeypatch.setattr(launch, "_run", begin)
    with Pool(1) as pool:
        assert _ITEMS == run(pool, _ITEMS)
    assert ["dupfind.pool.forkserver"] == started


@pytest.mark.usefixtures("own_server")
def test_the_server_holds_nothing_that_was_left_open() -> None:
    """Such as the lock of the shell that has started the program, which others wait for."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    with Pool(1) as pool:
        assert _ITEMS == run(pool, _ITEMS)
        os.close(writing)
        assert os.read(reading, 1) == b""
    os.close(reading)


@pytest.mark.usefixtures("own_server")
@pytest.mark.parametrize("is_dead", [True, False])
def test_the_server_ends_with_this_process(is_dead: bool) -> None:
    """It is ended, or sees that nobody holds its socket any more."""
    launch.start_server()
    server = launch._server
    assert server is not None
    if is_dead:
        server._replace(parent=0).end()
        assert os.waitpid(server.pid, 0)[0] == server.pid
    else:
        server.end()
        assert are_gone([server.pid])


@pytest.mark.usefixtures("own_server")
def test_who_is_forked_uses_the_server_of_its_parent() -> None:
    """It cannot start one that its parent knows of, and need not."""
    launch.start_server()
    server = launch._server
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with Pool(1) as pool:
                code = 0 if _ITEMS == run(pool, _ITEMS) and launch._server is server else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0) == (child, 0)


@pytest.mark.usefixtures("own_server")
def test_last_words_outlive_their_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker finds the server gone and starts another, before a second one has asked why it went."""
    harm = "import dupfind.pool.forkserver as f; f._load = lambda: 1 / 0; f.serve()"
    code = f"import sys; sys.path[:] = {sys.path!a}; {harm}"
    monkeypatch.setattr(launch, "_command", lambda *_: [sys.executable, "-c", code])
    launch.start_server()
    server = launch._server
    assert server is not None
    os.waitpid(server.pid, 0)
    assert "" == launch.last_words()
    with suppress(CannotStartError):
        worker = launch.start()
        for end in (worker.connection, worker.status):
            assert end is not None
            end.close()
    assert "ZeroDivisionError: division by zero" == launch.last_words()
