"""The real command: the address on standard output, and every way in which it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from dupfind.answers import decisions
from dupfind.cli import review
from dupfind.cli.main import run
from fixtures import pictures
from tests.helpers.live_process import got, sent, started

pytest.importorskip("starlette", reason="the extra dupfind[review] is not installed")

TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
PHOTO = pictures.photo(1, (320, 240))


@pytest.mark.slow
def test_a_review_and_its_end(tree: TreeBuilder, tmp_path: Path) -> None:
    """The page is there, a decision is kept, the end that the page asks for tells what the answer is by then."""
    hay, needles = tree("hay", {"a.png": PHOTO}), tree("n", {"a.png": PHOTO, "t.txt": b"text"})
    before = sorted((path, path.stat().st_mtime_ns) for root in (hay, needles) for path in [root, *root.rglob("*")])
    with started(tmp_path) as (process, address):
        assert b"1 of 2 files (4 B) is not in the haystack" in got(address)
        sent(address, "decide", {"needle": 1, "ruling": "not-wanted", "version": 0})
        assert sent(address, "end", {}) == {}
        out, error = process.communicate(timeout=60)
    (kept,) = (tmp_path / "data" / "dupfind" / "decisions").iterdir()
    assert (0, "", f"dupfind: decisions are kept in {kept}\n") == (process.returncode, out, error)
    assert [one.ruling for one in decisions.parse(kept.read_bytes())] == ["not-wanted"]
    assert before == sorted(
        (path, path.stat().st_mtime_ns) for root in (hay, needles) for path in [root, *root.rglob("*")]
    )
    with started(tmp_path, "--idle-minutes", "0.0001") as (process, _):  # and it goes by them the next time
        assert process.wait(60) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_at_once_when_it_is_told_to(
    tree: TreeBuilder, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Ctrl-C is how a person ends it: nothing is lost, and the exit code is that of the contract."""
    tree("hay", {"a.png": PHOTO})
    tree("n", {"t.txt": b"text"})
    kept = tmp_path / "own.json"
    with started(tmp_path, "--decisions", str(kept)) as (process, address):
        sent(address, "decide", {"needle": 0, "ruling": "not-wanted", "version": 0})
        process.send_signal(number)
        assert process.wait(5) == code
        assert process.stderr is not None
        assert f"decisions are kept in {kept}" in process.stderr.read()
    assert len(decisions.parse(kept.read_bytes())) == 1


@pytest.mark.slow
def test_nobody_is_there(tree: TreeBuilder, tmp_path: Path) -> None:
    """It ends by itself, with what is missing as the answer; nothing is kept where nothing was decided."""
    tree("hay", {"a.png": PHOTO})
    tree("n", {"t.txt": b"text"})
    with started(tmp_path, "--idle-minutes", "0.01") as (process, _):
        assert process.wait(30) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--port", "65536"], "--port takes a number, 0 to 65535, not 65536"),
        (["--idle-minutes", "0"], "--idle-minutes takes a number above 0, at most 10,000"),
        (["--idle-minutes", "nan"], "--idle-minutes takes a number above 0, at most 10,000"),
        (["-q", "-v"], "-q and -v contradict each other"),
        (["--decisions", "hay/d.json"], "--decisions {folder}/hay/d.json lies under hay, where dupfind never writes"),
        (["--decisions", "other.txt"], "--decisions {folder}/other.txt: not JSON"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_said_at_once(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], why: str,
) -> None:  # fmt: skip
    """One line, and 2."""
    tree("hay", {"a.png": PHOTO})
    tree("n", {"t.txt": b"text"})
    (tmp_path / "other.txt").write_bytes(b"other")
    monkeypatch.chdir(tmp_path)
    assert run(["review", "--haystack", "hay", "--needles", "n", *arguments]) == 2
    assert capsys.readouterr().err == f"dupfind: {why.format(folder=os.path.realpath(tmp_path))}\n"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said how to get it, before anything is looked at."""
    monkeypatch.setattr(review, "find_spec", lambda name: None if name == "uvicorn" else object())
    assert run(["review", "--haystack", "nowhere", "--needles", "nothing"]) == 2
    error = capsys.readouterr().err
    assert error == "dupfind: review needs Starlette and uvicorn: install dupfind with its extra review\n"


@pytest.mark.parametrize(("platform", "variables", "has"), [
    ("linux", {}, False), ("linux", {"DISPLAY": ":0"}, True), ("linux", {"WAYLAND_DISPLAY": "w"}, True),
    ("darwin", {}, True), ("win32", {}, True),
])  # fmt: skip
def test_where_there_is_a_display(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], has: bool
) -> None:
    """A browser in the terminal would take that from the run."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert review._has_display() is has


def test_the_port_is_taken(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said which, and why."""
    import socket

    tree("hay", {"a.png": PHOTO})
    tree("n", {"t.txt": b"text"})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run(["review", "--haystack", "hay", "--needles", "n", "--no-cache", "--port", port]) == 2
    assert (
        f"dupfind: --port {port}: 127.0.0.1 cannot be listened on: address already in use\n" == capsys.readouterr().err
    )
