"""What the tests share: a builder of photo trees, and the real process."""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from fixtures import demo
from tests.helpers.no_posix import HIDDEN, why_by_nature
from tests.helpers.places import ROOT
from tests.helpers.races import RACY_SECONDS
from tests.helpers.served import Order, Server, open_files
from tests.helpers.trees import Content, build_tree, own_homes
from tests.helpers.unsynced import never_wait_for_the_disk

if TYPE_CHECKING:
    from tests.helpers.immich import Immich

collect_ignore = ["helpers"]

never_wait_for_the_disk()

# Where the environment forbids it, each of the hundreds of processes would compile the program, and each of those that
# run tests all of the tests: a quarter of the time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What a developer has set for their own runs is not for those of the tests, but for what only these ask for.
_OF_TESTS = {"DUPFIND_ACTIONLINT", "DUPFIND_NIGHTS", "DUPFIND_PART_NIGHTS"}
for _name in [name for name in os.environ if name.startswith("DUPFIND_") and name not in _OF_TESTS]:
    del os.environ[_name]
# Nor do the tests write what is theirs: journals, decisions, the trash, a cache. Set here and by no fixture, so that it
# holds for each process that a test starts, and after `monkeypatch.undo`.
_HOMES = tempfile.TemporaryDirectory(prefix="dupfind-tests-")
for _name in ("CACHE", "CONFIG", "DATA", "STATE"):
    os.environ[f"XDG_{_name}_HOME"] = os.path.join(_HOMES.name, _name.lower())

# So that every process finds the program, in whatever folder it starts.
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])

# Where they are ignored, as in the background of a script or under nohup, each process would inherit that, and rightly
# go on when a test stops it.
for _number, _usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGTERM, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

settings.register_profile("all", derandomize=True, deadline=None)
settings.register_profile("fast", settings.get_profile("all"), max_examples=20)
"""The same examples in every run, however busy the machine is; `make test` tries fewer of them."""

_MOST_SECONDS = 120


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples Hypothesis tries, before the first test file is loaded."""
    settings.load_profile("fast" if config.option.markexpr == "not slow" else "all")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector from going through thousands of tests again and again: they all stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before `-m` is looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow all cases of a ``mostly_slow(fast=N)`` test but N of them, which are spread evenly.

    Skip what is about POSIX itself where that is hidden from the program (``python -m tests.helpers.no_posix``).
    """
    for item in items if HIDDEN in os.environ else ():
        if (reason := why_by_nature(item.nodeid)) is not None:
            item.add_marker(pytest.mark.skip(reason=reason))
    cases: dict[tuple[Path, str], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("mostly_slow") is not None:
            cases[item.path, item.nodeid.partition("[")[0]].append(item)
    for of_one_test in cases.values():
        marker = of_one_test[0].get_closest_marker("mostly_slow")
        number = 0 if marker is None else marker.kwargs["fast"]
        fast = {place * len(of_one_test) // number for place in range(number)}
        for place, item in enumerate(of_one_test):
            if place not in fast:
                item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Where POSIX is hidden from the program, end a test that would wait for ever: the timer is the suite's own."""
    if HIDDEN not in os.environ:
        return (yield)

    def end(*_: object) -> None:
        pytest.fail(f"it took longer than {_MOST_SECONDS} s")

    signal.signal(signal.SIGALRM, end)
    signal.alarm(_MOST_SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[str, Mapping[str, Content]], Path]:
    """Build a tree below the test's own folder: ``tree("hay", {"a.jpg": photo(1)})``."""
    return lambda name, contents: build_tree(tmp_path / name, contents)


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Journals and the trash lie in the test's own folder, also for what acts in this process; gives that folder."""
    for name, value in own_homes(tmp_path).items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def immich(monkeypatch: pytest.MonkeyPatch) -> Iterator[Immich]:
    """An Immich server with nothing in it; nobody waits between requests."""
    from dupfind.immich import client
    from tests.helpers.immich import KEY, Immich

    monkeypatch.setenv(client.KEY, KEY)
    monkeypatch.setattr(client, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(client, "_MOST_PAUSE_SECONDS", 0.002)
    with Immich() as server:
        yield server


@pytest.fixture
def unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drive that a catalog lists counts as certainly another than that of the needles."""
    from dupfind.catalog.same_file import Relation

    monkeypatch.setattr("dupfind.catalog.catalog_source.relation", lambda *_: Relation.OTHER)


@pytest.fixture
def short_races(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is racy is so for less time."""
    for module in ("cache", "result_cache"):
        monkeypatch.setattr(f"dupfind.cache.{module}._RACY_NS", int(RACY_SECONDS * 1e9))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A process with the program loaded, for runs that need not start it themselves."""
    server = Server(os.environ)
    yield server
    server.close()


@pytest.fixture
def dupfind(tmp_path: Path, server: Server) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run the real command in the test's own folder, with a cache of its own there.

    A run with a function to be called in its process, or other variables of the interpreter, starts ``python -m
    dupfind``; so does every run with ``is_started=True``. The others are forked from a process that has loaded the
    program, and read pictures on threads of their own; with ``has_workers=True`` by processes, as the program does.
    """

    def run(
        *arguments: str | bytes | Path, is_started: bool = False, has_workers: bool = False, **options: Any
    ) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "DUPFIND_CACHE": str(tmp_path / "cache" / "cache.sqlite"), "COLUMNS": "80"}
        environment |= own_homes(tmp_path)
        environment |= options.pop("env", {})
        own = open_files(options)
        if not is_started and own is not None and server.takes(environment):
            given = [argument if isinstance(argument, bytes) else str(argument) for argument in arguments]
            order = Order(given, os.fspath(options.get("cwd", tmp_path)), environment, has_workers)
            return server.run(order, options.get("input"), _MOST_SECONDS, own)
        return subprocess.run(
            [sys.executable, "-m", "dupfind", *arguments],
            env=environment,
            check=False,
            timeout=_MOST_SECONDS,
            **{"cwd": tmp_path, "capture_output": True, **options},
        )

    return run


def shared_by_all(factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of this run of the tests, whichever of its processes asks."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def demo_trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two trees of the demo, built once for all processes that run tests; no test writes there."""
    folder = shared_by_all(tmp_path_factory) / "demo"
    with (folder.parent / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        demo.build(folder)
    return folder


@pytest.fixture(scope="session")
def demo_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A cache for those who read the demo or the real photos and do not ask how: these are decoded once for all."""
    return str(shared_by_all(tmp_path_factory) / "demo cache" / "cache.sqlite")
