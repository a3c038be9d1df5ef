"""Imports, cleans and undos that are killed in any step, or whose disk is full: no photo is lost, none is half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from dupfind.acting.places import is_temporary_name
from dupfind.commands import importing as story
from dupfind.errors import ActingError
from tests.helpers.acting import (
    carry_out_clean,
    clean,
    contents,
    files_below,
    import_,
    plan_clean,
    plan_import,
    undo,
)
from tests.helpers.places import on_second_device
from tests.helpers.steps import full_in_step, in_step, killed_in_step
from tests.helpers.trees import build_tree, own_homes

HAY = {"a.txt": b"one", "b.txt": b"two", "sub/c.txt": b"three"}
OLD = {
    "gone/a.txt": b"one", "gone/deep/b.txt": b"two", "gone/.nomedia": b"", "also/c.txt": b"three",
    "new/d.txt": b"four", "new/deep/e.txt": b"five" * 9,
}  # fmt: skip
MOST_STEPS = 400


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the disk in this process; that it is asked to is tested elsewhere."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


FAR: list[Path] = []
"""The folder to move to, where a test moves to another file system."""


@pytest.fixture
def top(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder around the trees; on another file system for the tests whose name says so."""
    FAR.clear()
    if "another drive" not in request.node.name:
        yield request.getfixturevalue("homes")
        return
    with on_second_device(tmp_path) as folder:
        FAR.append(tmp_path / "far")
        FAR[0].mkdir()
        for name, value in own_homes(folder).items():
            monkeypatch.setenv(name, value)
        yield folder
    FAR.clear()


def fresh(top: Path) -> tuple[Path, Path]:
    """Both trees as at the beginning, journals and trash away."""
    import shutil

    for name in ("hay", "old", "state", "data"):
        shutil.rmtree(top / name, ignore_errors=True)
    if FAR:
        shutil.rmtree(FAR[0])
        FAR[0].mkdir()
    return build_tree(top / "hay", HAY), build_tree(top / "old", OLD)


def undo_all() -> None:
    """Take back everything, run after run."""
    with suppress(ActingError):  # nothing is left
        for _ in range(5):
            undo()


def check_import(hay: Path, old: Path, top: Path) -> None:
    """Nothing that was there is otherwise, what was imported is whole, the same command goes on, and all is undone."""
    assert OLD == {path.partition("/")[2]: data for path, data in files_below(old).items()}
    found = {path.partition("/")[2]: data for path, data in files_below(hay).items()}
    assert HAY == {path: data for path, data in found.items() if not path.startswith("in/")}
    brought = {path: data for path, data in found.items() if path.startswith("in/")}
    whole = {path: data for path, data in brought.items() if not is_temporary_name(os.path.basename(path))}
    assert whole.items() <= {"in/new/d.txt": b"four", "in/new/deep/e.txt": b"five" * 9}.items()
    assert len(brought) - len(whole) <= 1
    assert import_(hay, old, hay / "in").is_complete
    assert {"in/new/d.txt", "in/new/deep/e.txt"} == {
        path.partition("/")[2] for path in files_below(hay) if path.startswith("hay/in/")
    }
    undo_all()
    assert HAY == {path.partition("/")[2]: data for path, data in files_below(hay).items()}


def check_clean(hay: Path, old: Path, top: Path) -> None:
    """Everything exists somewhere, and an undo puts it where it was; a second clean goes on."""
    everything = Counter([*HAY.values(), *OLD.values()])
    assert everything == contents(top)
    clean(hay, old)
    assert everything == contents(top)
    undo_all()
    assert HAY == {path.partition("/")[2]: data for path, data in files_below(hay).items()}
    assert OLD == {path.partition("/")[2]: data for path, data in files_below(old).items()}


def check_far(hay: Path, old: Path, top: Path) -> None:
    """Likewise, where files are copied and given up: whatever exists twice meanwhile, nothing exists only in part."""
    everything = Counter([*HAY.values(), *OLD.values()])
    assert everything <= contents(top, FAR[0])
    assert {path.partition("/")[2]: data for path, data in files_below(hay).items()} == HAY
    whole = [path for path in FAR[0].rglob("*") if path.is_file() and not is_temporary_name(path.name)]
    assert {path.read_bytes() for path in whole} <= set(OLD.values())
    clean(hay, old, to=FAR[0])
    assert everything <= contents(top, FAR[0])
    undo_all()
    assert OLD == {path.partition("/")[2]: data for path, data in files_below(old).items()}
    assert {} == files_below(FAR[0])  # a run that was cut off before its first file leaves empty folders


def run_clean_far(hay: Path, old: Path) -> Callable[[], object]:
    """A clean to another file system."""
    plan = plan_clean(hay, old, to=FAR[0])
    return lambda: carry_out_clean(plan)


def run_undo_far(hay: Path, old: Path) -> Callable[[], object]:
    """Likewise its undo."""
    clean(hay, old, to=FAR[0])
    return undo


def run_import(hay: Path, old: Path) -> Callable[[], object]:
    """An import, ready to be carried out."""
    plan = plan_import(hay, old, hay / "in")
    return lambda: story.carry_out(plan)


def run_clean(hay: Path, old: Path) -> Callable[[], object]:
    """Likewise a clean."""
    plan = plan_clean(hay, old)
    return lambda: carry_out_clean(plan)


def run_undo_of_import(hay: Path, old: Path) -> Callable[[], object]:
    """Likewise the undo of an import."""
    import_(hay, old, hay / "in")
    return undo


def run_undo_of_clean(hay: Path, old: Path) -> Callable[[], object]:
    """Likewise that of a clean."""
    clean(hay, old)
    return undo


RUNS = {
    "import": (run_import, check_import),
    "clean": (run_clean, check_clean),
    "undo of import": (run_undo_of_import, check_import),
    "undo of clean": (run_undo_of_clean, check_clean),
    "clean to another drive": (run_clean_far, check_far),
    "undo of clean to another drive": (run_undo_far, check_far),
}


def steps_of(name: str, top: Path) -> int:
    """How many steps a run has that nothing disturbs."""
    with in_step(0, lambda _: None) as seen:
        run = RUNS[name][0](*fresh(top))
        del seen[:]
        run()
        return len(seen)


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("share", [1, pytest.param(0, marks=pytest.mark.slow)], ids=["some steps", "each step"])
def test_killed_in_a_step(top: Path, name: str, share: int) -> None:
    """Before each step that changes anything, as kill -9 or the loss of power does it."""
    prepare, check = RUNS[name]
    total = steps_of(name, top)
    assert 10 < total < MOST_STEPS
    for number in range(1, total + 1, max(1, share * (total // 6))):
        hay, old = fresh(top)
        assert killed_in_step(number, prepare(hay, old))
        check(hay, old, top)


@pytest.mark.mostly_slow(fast=8)
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("lasts", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("share", [1, pytest.param(0, marks=pytest.mark.slow)], ids=["some steps", "each step"])
def test_a_disk_that_is_full_in_a_step(top: Path, name: str, share: int, lasts: bool) -> None:
    """The step fails: the run says so, or has done all the same, and nothing is lost."""
    prepare, check = RUNS[name]
    total = steps_of(name, top)
    for number in range(2, total + 1, max(1, share * (total // 4))):
        hay, old = fresh(top)
        run = prepare(hay, old)
        with suppress(ActingError):
            full_in_step(number, run, lasts=lasts)
        check(hay, old, top)


COMMANDS = {
    "import": ["import", "--haystack", "hay", "--needles", "old", "--to", "hay/in", "--yes"],
    "clean": ["clean", "--haystack", "hay", "--needles", "old", "--trash", "--apply"],
    "clean to another drive": ["clean", "--haystack", "hay", "--needles", "old", "--move-to", "FAR", "--apply"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_kill_9_at_random_moments(top: Path, name: str) -> None:
    """The real process, killed whenever, a hundred times each."""
    dice = Random(1)  # noqa: S311 - dice, no secret
    words = [str(FAR[0]) if word == "FAR" else word for word in COMMANDS[name]]
    command = [sys.executable, "-m", "dupfind", *words, "-q", "--no-cache"]
    fresh(top)
    began = time.monotonic()
    subprocess.run(command, cwd=top, check=True, capture_output=True)
    whole_seconds = time.monotonic() - began
    for _ in range(100):
        hay, old = fresh(top)
        process = subprocess.Popen(command, cwd=top, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.3, 1.1) * whole_seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        RUNS[name][1](hay, old, top)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_random_moments(top: Path, name: str) -> None:
    """A process that carries out what was planned, killed whenever, five times each."""
    dice = Random(2)  # noqa: S311 - dice, no secret
    run = RUNS[name][0](*fresh(top))
    began = time.monotonic()
    assert not killed_in_step(MOST_STEPS, run)
    whole_seconds = time.monotonic() - began
    for _ in range(5):
        hay, old = fresh(top)
        run = RUNS[name][0](hay, old)
        child = os.fork()
        if child == 0:
            try:
                run()
            finally:
                os._exit(0)
        time.sleep(dice.uniform(0, whole_seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        RUNS[name][1](hay, old, top)
