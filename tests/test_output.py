"""Writing: a report is on its place whole, or what was there before is."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from typing import Any as Buffer

import pytest

from dupfind import output
from dupfind.errors import OutputError


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    """As any program would make it, by the umask."""
    output.write(b"report", str(tmp_path / "r"))
    mask = os.umask(0)
    os.umask(mask)
    assert (b"report", 0o666 & ~mask) == ((tmp_path / "r").read_bytes(), (tmp_path / "r").stat().st_mode & 0o777)


def test_an_old_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    """A report that is private stays private."""
    path = tmp_path / "r"
    path.write_bytes(b"a longer report than the new one")
    path.chmod(0o600)
    output.write(b"report", str(path))
    assert (b"report", 0o600) == (path.read_bytes(), path.stat().st_mode & 0o777)


def test_a_link_is_written_through(tmp_path: Path) -> None:
    """The link stays, what it leads to is replaced."""
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    output.write(b"new", str(tmp_path / "link"))
    assert (True, b"new") == ((tmp_path / "link").is_symlink(), (tmp_path / "real").read_bytes())


def test_a_link_that_somebody_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of everybody's a link of another user is not written through; one of our own is."""
    (tmp_path / "letter").write_bytes(b"my only copy")
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "r").symlink_to("../letter")
    true_lstat = os.lstat

    def lstat(path: str) -> Any:
        found = true_lstat(path)
        if not path.endswith("tmp/r"):
            return found
        return SimpleNamespace(st_uid=4711, st_mode=found.st_mode)

    with monkeypatch.context() as patch:
        patch.setattr(output.os, "lstat", lstat)
        with pytest.raises(
            OutputError, match=r"a link (that somebody else made|in a folder .*); the report was not writ"
        ):
            output.write(b"report", str(shared / "r"))
        shared.chmod(0o755)
        output.write(b"in a folder of ours", str(shared / "r"))
    assert b"in a folder of ours" == (tmp_path / "letter").read_bytes()


def test_a_link_of_ours_where_everybody_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written through where the system says whose it is, and else refused."""
    (tmp_path / "letter").write_bytes(b"my only copy")
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "r").symlink_to("../letter")
    with monkeypatch.context() as patch:
        patch.delattr(output.os, "geteuid", raising=False)
        with pytest.raises(OutputError, match="a link in a folder that others may write to; the report was not writ"):
            output.write(b"report", str(shared / "r"))
    assert b"my only copy" == (tmp_path / "letter").read_bytes()
    if hasattr(output.os, "geteuid"):
        output.write(b"a link of ours", str(shared / "r"))
        assert b"a link of ours" == (tmp_path / "letter").read_bytes()


def test_a_link_that_comes_while_the_report_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is replaced and not followed: it was not there when links were looked at."""
    (tmp_path / "letter").write_bytes(b"my only copy")
    path = tmp_path / "r"
    true_islink = os.path.islink

    def islink(name: str) -> bool:
        answer = true_islink(name)
        if name == str(path):
            path.symlink_to("letter")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(output.os.path, "islink", islink)
        output.write(b"report", str(path))
    assert (b"my only copy", b"report") == ((tmp_path / "letter").read_bytes(), path.read_bytes())
    assert not path.is_symlink()


def test_links_where_the_temporary_file_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who guessed its name has gained nothing."""
    (tmp_path / "letter").write_bytes(b"my only copy")
    (tmp_path / ".dupfind-guessed.part").symlink_to("letter")
    monkeypatch.setattr(tempfile, "_name_sequence", iter(["guessed", "another"]))
    output.write(b"report", str(tmp_path / "r"))
    assert b"my only copy" == (tmp_path / "letter").read_bytes()
    assert b"report" == (tmp_path / "r").read_bytes()
    assert {"letter", "r", ".dupfind-guessed.part"} == set(os.listdir(tmp_path))


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_failure_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A full disk at any step."""
    path = tmp_path / "r"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output.os, step, full)
    with pytest.raises(OutputError, match="r: no space left on device; the report was not written"):
        output.write(b"new", str(path))
    assert [("r", b"old")] == [(one.name, one.read_bytes()) for one in tmp_path.iterdir()]


def test_a_write_that_takes_a_part_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an unbuffered standard output does on a slow pipe; one that takes nothing is a failure, not a success."""

    class Slow(io.BytesIO):
        def write(self, data: Buffer) -> int:
            return super().write(memoryview(data)[:3])

    class Stuck(io.BytesIO):
        def write(self, data: Buffer) -> int:
            return None  # type: ignore[return-value]

    slow = Slow()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(closed=False, flush=lambda: None, buffer=slow))
    output.write(b"the whole report", None)
    assert b"the whole report" == slow.getvalue()
    stuck = SimpleNamespace(closed=False, flush=lambda: None, buffer=Stuck(), fileno=lambda: -1)
    monkeypatch.setattr(sys, "stdout", stuck)
    with pytest.raises(OutputError, match="was not written whole"):
        output.write(b"the whole report", None)


def test_being_stopped_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of the write."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(output.os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        output.write(b"new", str(tmp_path / "r"))
    assert [] == list(tmp_path.iterdir())


def test_a_device_is_written_to_and_not_replaced() -> None:
    """/dev/null stays what it is."""
    output.write(b"report", os.devnull)
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("path", ["no/such/folder/r", "."])
def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """One line with the path and the cause."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="the report was not written"):
        output.write(b"report", path)
