"""The benchmark against other tools: what it does where they are absent, and what it makes its files of."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import others
from tests.helpers.places import ROOT


def test_what_is_absent_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tools are no dependencies: without them there is still a benchmark of dupfind, which says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for folder, reason in ((None, "no --tools FOLDER given"), (tmp_path, f"not installed beside {tmp_path}/python")):
        one, other, *absent = others._installed(folder)
        assert isinstance(one, others.Tool)
        assert isinstance(other, others.Tool)
        assert ("dupfind, other pictures", "dupfind, look-alikes") == (one.name, other.name)
        names = ["czkawka", "imagededup", "difPy"]
        debian = "findimagedupes: not on the PATH (Debian has a package of this name)"
        assert [*(f"{name}: {reason}" for name in names), debian] == absent


def test_the_files_are_all_different() -> None:
    """Every picture is turned and cut in its own way, half of them needles, and none is a copy of another."""
    variants = others._variants([Path(f"{number}.jpg") for number in range(8)], 256)
    assert 256 == len({(one.source, one.how) for one in variants}) == len({one.name for one in variants})
    folders = Counter(one.name.partition("/")[0] for one in variants)
    assert [64] * 4 == list(folders.values())
    for _, haystack, needles in others._WAYS:
        assert set(folders) == {*haystack, *needles}


def test_the_ways_of_asking_are_what_they_are_called() -> None:
    """Of other pictures none is on both sides; of look-alikes every one is."""
    variants = others._variants([Path(f"{number}.jpg") for number in range(8)], 256)
    for name, *sides in others._WAYS:
        haystack, needles = ({one.source for one in variants if one.name.partition("/")[0] in side} for side in sides)
        assert (set() if "other" in name else haystack) == haystack & needles


def test_a_tool_that_fails_once_has_no_figure() -> None:
    """Its other rounds would be of something else."""
    runs = [others.Took(1, 20), others.Took(4, 50), others.Took(2, 30)]
    assert others.Took(2, 30) == others._medians(runs)
    assert others._medians([*runs, None]) is None
    assert others._medians([]) is None


def test_it_runs_and_counts_what_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is a whole process in a home of its own; one that fails is not taken for a fast one."""
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere")
    monkeypatch.setattr(others, "orphans_seconds", lambda: 0.0)  # this process has children of its own
    check = 'test "$XDG_CACHE_HOME" = "$HOME/.cache" && test -z "$(ls "$HOME")"'

    def command(folder: Path, count: int) -> list[str]:
        return ["sh", "-c", f"{check} && test {count} = 2 && test -d {folder}"]

    took = others._run(others.Tool("good", "1", command), tmp_path)
    assert took is not None
    assert 0 < took.cpu_seconds < 10
    assert others._run(others.Tool("bad", "1", lambda *_: ["sh", "-c", "exit 1"]), tmp_path) is None


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hand orphans over")
def test_the_time_of_orphans_is_known() -> None:
    """Workers may be children of a server that ends after the program that started it."""
    code = """
import subprocess, sys
from benchmarks import others
others.adopt_orphans()
busy = "import time; list(iter(lambda: time.process_time() < 0.3, False))"
subprocess.run(["sh", "-c", 'exec "$0" -c "$1" &', sys.executable, busy], check=True)
print(others.orphans_seconds(), others.orphans_seconds())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    first, second = map(float, done.stdout.split())
    assert 0.3 <= first < 10
    assert 0 == second
