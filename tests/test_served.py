"""A run that is forked is as one that is started: what it prints, how it exits, and what it was told."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from fixtures import pictures
from tests.helpers.served import Order, Server

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
SCAN = ("scan", "--haystack", "hay", "--needles", "needles")


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--version",), 0),
        ((), 2),
        ((*SCAN, "--no-cache"), 1),
        ((*SCAN, "--no-cache", "--format", "csv", "--files", "--all"), 1),
        ((*SCAN, "--output", "there/is/no/such/folder"), 2),
        (("hash", "--no-cache", "hay/a.png", "hay/nothing.png"), 2),
        (("find", "--haystack", "hay", "--no-cache", b"needles/caf\xe9.jpg"), 0),
        (("groups", "--no-cache", "hay", "needles"), 1),
    ],
    ids=lambda value: os.fsdecode(value[-1]) if value and isinstance(value, tuple) else "",
)
def test_the_same_comes_of_both(dupfind: Run, tree: TreeBuilder, arguments: tuple[str | bytes, ...], code: int) -> None:
    """To the byte, on both streams."""
    photo = pictures.photo(1, (160, 120))
    tree("hay", {"a.png": photo, "cut.jpg": b"\xff\xd8\xff\xe0"})
    tree("needles", {os.fsdecode(b"caf\xe9.jpg"): photo, "b.jpg": pictures.photo(2, (160, 120))})
    served, started = dupfind(*arguments, has_workers=True), dupfind(*arguments, is_started=True)
    assert (code, started.stdout, started.stderr) == (served.returncode, served.stdout, served.stderr)
    assert code == started.returncode


def test_it_is_told_what_a_process_is_told(dupfind: Run, tmp_path: Path) -> None:
    """Standard input, folder, variables, and what may not be read by others."""
    (tmp_path / "other").mkdir()
    pictures.save(pictures.photo(1, (160, 120)), tmp_path / "below" / "a.png")
    done = dupfind("hash", "--files-from", "-", "--no-cache", input=b"a.png\n", cwd=tmp_path / "below")
    assert (0, b"") == (done.returncode, done.stderr)
    assert done.stdout.endswith(b"  a.png\n")
    before = os.umask(0o027)
    try:
        dupfind("scan", "--haystack", "below", "--needles", "other", "--output", "report")
    finally:
        os.umask(before)
    assert 0o640 == (tmp_path / "report").stat().st_mode & 0o777
    assert b"/elsewhere\n" == dupfind("cache", "path", env={"DUPFIND_CACHE": "/elsewhere"}).stdout


def test_streams_of_its_own(dupfind: Run, tmp_path: Path) -> None:
    """A file, or a pipe whose reader has gone, instead of what is captured."""
    pictures.save(pictures.photo(1, (160, 120)), tmp_path / "a.png")
    streams = {"capture_output": False, "stderr": subprocess.PIPE}
    with (tmp_path / "out").open("wb") as out, (tmp_path / "a.png").open("rb") as given:
        done = dupfind("hash", "-", "b.png", "--no-cache", stdin=given, stdout=out, **streams)
    assert (2, None, b"dupfind: b.png: no such file or directory\n") == (done.returncode, done.stdout, done.stderr)
    assert (tmp_path / "out").read_bytes().endswith(b"  -\n")
    reading, writing = os.pipe()
    os.close(reading)
    done = dupfind("--help", stdout=writing, **streams)
    os.close(writing)
    assert (141, None, b"") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", ["PYTHONUTF8", "LC_ALL", "TMPDIR", "_DUPFIND_COMPLETE"])
def test_what_the_start_depends_on_is_not_taken(server: Server, name: str) -> None:
    """Nor is it where such a variable is gone."""
    assert server.takes({**os.environ, "DUPFIND_CACHE": "elsewhere"})
    assert not server.takes({**os.environ, name: "other"})
    assert not Server({**os.environ, name: "other"}).takes(os.environ)


@pytest.mark.slow
def test_a_run_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """As by :func:`subprocess.run`; the next one is served again."""
    server = Server(os.environ)
    os.mkfifo(tmp_path / "list")
    endless = Order(["hash", "--files-from", "list"], str(tmp_path), dict(os.environ))
    with pytest.raises(subprocess.TimeoutExpired):
        server.run(endless, None, 0.5)
    version = Order(["--version"], str(tmp_path), dict(os.environ))
    assert 0 == server.run(version, None, 60).returncode
    server.close()


@pytest.mark.slow
def test_a_run_that_crashes_says_so(tmp_path: Path) -> None:
    """A signal is a negative code, and what was printed before is there."""
    server = Server({**os.environ, "PYTHONPATH": str(tmp_path)})
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal\nos.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGSEGV))\n"
    )
    done = server.run(Order([], str(tmp_path), dict(os.environ)), None, 60)
    server.close()
    assert (-signal.SIGSEGV, b"", b"") == (done.returncode, done.stdout, done.stderr)
