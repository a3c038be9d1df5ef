"""The benchmark against other tools: what it does where they are absent, and what it makes its files of."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import others


def test_what_is_absent_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tools are no dependencies: without them there is still a benchmark of dupfind, which says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for folder, reason in ((None, "no --tools FOLDER given"), (tmp_path, f"not installed beside {tmp_path}/python")):
        ours, *absent = others._installed(folder)
        assert isinstance(ours, others.Tool)
        assert "dupfind" == ours.name
        names = ["czkawka", "imagededup", "difPy"]
        debian = "findimagedupes: not on the PATH (Debian has a package of this name)"
        assert [*(f"{name}: {reason}" for name in names), debian] == absent


def test_the_files_are_all_different() -> None:
    """Every picture is turned and cut in its own way, half of them needles, and none is a copy of another."""
    variants = others._variants([Path(f"{number}.jpg") for number in range(8)], 256)
    assert 256 == len({(one.source, one.how) for one in variants}) == len({one.name for one in variants})
    assert 128 == sum(one.name.startswith("needles/") for one in variants)


def test_a_tool_that_fails_once_has_no_figure() -> None:
    """Its other rounds would be of something else."""
    assert 2.0 == others._median([1.0, 2.0, 4.0])
    assert others._median([1.0, None]) is None
    assert others._median([]) is None


def test_it_runs_and_counts_what_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is a whole process in a home of its own; one that fails is not taken for a fast one."""
    for side in ("haystack", "needles"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a.jpg").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere")
    check = 'test "$XDG_CACHE_HOME" = "$HOME/.cache" && test -z "$(ls "$HOME")"'

    def command(haystack: Path, needles: Path, count: int) -> list[str]:
        return ["sh", "-c", f"{check} && test {count} = 2 && test -d {haystack} && test -d {needles}"]

    assert others._seconds(others.Tool("good", "1", command), tmp_path) is not None
    assert others._seconds(others.Tool("bad", "1", lambda *_: ["sh", "-c", "exit 1"]), tmp_path) is None
