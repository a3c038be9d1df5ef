"""What only POSIX has is taken away, on Linux: the answer is the same, or one line says why there is none."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dupfind.cache import permissions
from dupfind.errors import SettingsError
from dupfind.selftest import runs
from dupfind.settings import make_settings
from dupfind.sources import roots
from dupfind.values import FolderState
from tests.helpers.no_posix import NAMES, TAKEN, hide, take_away
from tests.helpers.scans import scan
from tests.helpers.trees import build_tree, own_homes

NUMBERED = [name for name in TAKEN if name != "inodes"]
"""What a scan can do without."""


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """The trees of ``dupfind selftest``."""
    runs.make_trees(str(tmp_path))
    return tmp_path


def start(trees: Path, taken: list[str], *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program without ``taken``, and so its workers."""
    environment = os.environ | own_homes(trees) | take_away(trees / "without" / "-".join(taken), taken)
    command = [sys.executable, "-m", "dupfind", *words, "--workers", "2"]
    return subprocess.run(command, cwd=trees, env=environment, capture_output=True, check=False, timeout=120)


def answer(trees: Path, taken: list[str], cache: str) -> dict[str, Any]:
    """What a scan says of files and folders."""
    words = "--haystack", "haystack", "needles", "--format", "json", "--cache", str(trees / "caches" / cache)
    done = start(trees, taken, "scan", *words)
    assert 1 == done.returncode, done.stderr
    assert b"Traceback" not in done.stderr
    report = json.loads(done.stdout)
    return {name: report[name] for name in ("files", "folders", "problems", "summary")}


@pytest.mark.slow
@pytest.mark.parametrize("taken", [*([name] for name in NUMBERED), NUMBERED], ids="-".join)
def test_the_same_answer(trees: Path, taken: list[str]) -> None:
    """Cold and warm: no fork, no timers, no such modules, no users, no handles of folders, and none of all these."""
    (trees / "caches").mkdir()
    usual = answer(trees, [], "usual.sqlite")
    verdicts = {file["path"]: (file["verdict"], file["evidence"]) for file in usual["files"]}
    assert runs.VERDICTS == verdicts
    for _ in ("cold", "warm"):
        assert usual == answer(trees, taken, "other.sqlite")


@pytest.mark.slow
def test_without_numbers_of_folders(trees: Path) -> None:
    """Nobody can tell whether haystack and needles are one folder, so there is no verdict, and the line says why."""
    done = start(trees, ["inodes"], "scan", "--haystack", "haystack", "needles", "--no-cache")
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"lie on a file system that numbers no folders" in done.stderr
    assert 1 == len(done.stderr.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("words", [("import", "--to", "haystack/new", "--yes"), ("clean", "--trash", "--apply")])
def test_nothing_acts_without_handles(trees: Path, words: tuple[str, ...]) -> None:
    """What cannot hold folders open moves and copies nothing."""
    before = sorted(path for path in trees.rglob("*") if "without" not in path.parts)
    name, *options = words
    done = start(trees, ["handles"], name, "--haystack", "haystack", "--needles", "needles", *options, "--no-cache")
    assert 2 == done.returncode, done.stderr
    assert b"this system cannot hold folders open" in done.stderr
    assert 1 == len(done.stderr.splitlines())
    after = sorted(path for path in trees.rglob("*") if "without" not in path.parts)
    assert before == [path for path in after if path.parts[len(trees.parts)] not in ("state", "data")]


def test_roots_without_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folders of such a file system are told of; one folder twice is what it is."""
    for name in ("hay", "needles"):
        (tmp_path / name).mkdir()
    numbered = os.lstat

    def stat_without(*words: Any, **options: Any) -> os.stat_result:
        status = numbered(*words, **options)
        return os.stat_result((status.st_mode, 0, *tuple(status)[2:]))

    monkeypatch.setattr(roots.os, "lstat", stat_without)
    with pytest.raises(SettingsError, match="numbers no folders"):
        make_settings(haystack=[str(tmp_path / "hay")], needles=[str(tmp_path / "needles")], no_cache=True)
    with pytest.raises(SettingsError, match="are the same folder"):
        make_settings(haystack=[str(tmp_path / "hay")], needles=[str(tmp_path / "hay")], no_cache=True)


def test_paths_longer_than_the_system_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies so deep cannot be looked at by its path: it is named, and nothing around it is contained."""
    kept = {"a.txt": b"kept"}
    hay, needles = build_tree(tmp_path / "hay", kept), build_tree(tmp_path / "needles", kept)
    monkeypatch.chdir(needles)  # step by step: no path leads there
    for _ in range(22):
        Path("d" * 200).mkdir()
        os.chdir("d" * 200)
    Path("a.txt").write_bytes(b"kept")
    os.chdir(tmp_path)
    report = scan(hay, needles)
    (problem,) = [each for each in report.problems if "too long" in each.reason]
    assert len(problem.path) > 4000
    assert FolderState.CONTAINED not in {folder.state for folder in report.folders}


def test_a_group_that_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be told whose group may write to a cache, it is not trusted."""
    cache = tmp_path / "cache.sqlite"
    cache.write_bytes(b"")
    cache.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IWGRP)
    for name in ("grp", "pwd"):
        monkeypatch.setitem(sys.modules, name, None)
    assert "may be written by others (chmod go-w helps)" == permissions.distrust_of_file(cache.stat())


def test_what_is_hidden_is_hidden_from_the_program_alone(tmp_path: Path) -> None:
    """Else the suite would run over a program that has everything, or would itself be without its tools."""
    code = """
import os, signal, resource, fcntl
from dupfind.pool import time_limit
from dupfind.sources import entries, mounts
from dupfind.acting import places
for module, name in ((entries.os, "fork"), (entries.os, "O_NOFOLLOW"), (entries.os, "geteuid"), (mounts.os, "statvfs")):
    assert not hasattr(module, name) and hasattr(os, name), name
assert not entries.os.supports_dir_fd and os.supports_dir_fd
assert entries.os.path is os.path and entries.os.environ is os.environ
assert hasattr(signal, "setitimer")
exec("import signal, sys\\nhas_timer = hasattr(signal, 'setitimer')", vars(entries))
assert not entries.has_timer
for name in ("resource", "fcntl", "grp", "pwd", "termios"):
    try:
        exec(f"import {name}", vars(entries))
    except ImportError:
        continue
    raise AssertionError(name)
os.fork_of_a_test = 1
assert entries.os.fork_of_a_test == 1
"""
    environment = os.environ | hide(tmp_path, NAMES)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False, text=True)
    assert (0, "") == (done.returncode, done.stderr)
