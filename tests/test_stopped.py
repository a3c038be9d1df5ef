"""Signals in the midst of every stage: the exit code of the contract, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.common import processes_of_session
from fixtures import pictures
from tests.helpers.trees import build_tree

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
STAGES = {
    "walking": [],
    "comparing bytes": [],
    "decoding needles": [],
    "hashing": [],
    "decoding haystack": [],
    "matching": [],
    "reading whole": [],
    "looking at damaged needles": [],
    "reading witnesses again": ["--paranoid"],
    "report": ["--output", "report.json"],
}
"""With what a scan needs to get there."""
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
_STOPPER = """
import os, signal, sys
from contextlib import contextmanager
from dupfind import progress

where, number = sys.argv[1], int(sys.argv[2])
sys.argv[1:3] = []
true, true_fsync = progress.Console.stage, os.fsync

def stop():
    os.killpg(os.getpgid(0), number)  # as a terminal does: to the workers as well

@contextmanager
def stage(self, name, total):
    with true(self, name, total) as advance:
        def stopping(items):
            advance(items)
            stop()
        yield stopping if name == where else advance

def fsync(handle):
    if where == "report":
        stop()
    true_fsync(handle)

progress.Console.stage, os.fsync = stage, fsync
from dupfind.__main__ import main
main()
"""


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What takes a scan through all of its stages; older than two seconds, so that the cache keeps what was read."""
    folder = tmp_path_factory.mktemp("stopped")
    photos = [pictures.photo(seed, (160, 120)) for seed in range(6)]
    large = pictures.photo(9, (2400, 2100))
    build_tree(folder / "hay", {"a.jpg": photos[0], "b.png": photos[1], "c.jpg": photos[2], "same.txt": b"text"})
    build_tree(folder / "needles", {"a.png": photos[0], "d.jpg": photos[3], "same.txt": b"text"})
    for side in ("hay", "needles"):
        large.save(folder / side / "large.jpg", quality=92 if side == "hay" else 88, progressive=True)
    damaged = bytearray((folder / "hay" / "c.jpg").read_bytes())
    damaged[len(damaged) // 4 : len(damaged) // 4 + 60] = bytes(60)
    (folder / "needles" / "damaged.jpg").write_bytes(damaged)
    time.sleep(2.1)
    return folder


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files, in which to look afterwards; with a short name, as sockets have to have."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def environment(temporary: Path) -> dict[str, str]:
    """Temporary files go there."""
    return {**os.environ, "TMPDIR": str(temporary)}


def arguments(trees: Path, stage: str) -> list[str]:
    """A scan that goes through ``stage``."""
    roots = ["--haystack", str(trees / "hay"), "--needles", str(trees / "needles")]
    return ["scan", *roots, "--cache", "cache.sqlite", "--format", "json", "-q", *STAGES[stage]]


def assert_nothing_is_left(folder: Path, temporary: Path, session: int) -> None:
    """No process, no temporary file, a sound cache."""
    deadline = time.monotonic() + 60
    while processes_of_session(session) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [] == processes_of_session(session)
    assert [] == list(temporary.iterdir())
    assert {one.name for one in folder.iterdir()} <= {"cache.sqlite"}
    if (folder / "cache.sqlite").exists():
        connection = sqlite3.connect(folder / "cache.sqlite")
        assert ("ok",) == connection.execute("PRAGMA integrity_check").fetchone()
        connection.close()


def verdicts(report: bytes) -> object:
    """What of a report does not depend on when it was made."""
    answer = json.loads(report)
    return answer["folders"], answer["files"], answer["summary"], answer["problems"]


@pytest.fixture(scope="module")
def fresh(trees: Path) -> object:
    """What a run says that nothing has disturbed."""
    command = [sys.executable, "-m", "dupfind", *arguments(trees, "reading witnesses again"), "--no-cache"]
    return verdicts(subprocess.run(command, capture_output=True, check=False, cwd=trees).stdout)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize(
    ("stage", "number"),
    [
        *((stage, SIGNALS[place % len(SIGNALS)]) for place, stage in enumerate(STAGES)),
        *(("decoding haystack", number) for number in SIGNALS),
    ],
)
def test_stopped_in_a_stage(
    dupfind: Run, trees: Path, fresh: object, tmp_path: Path, temporary: Path, stage: str, number: signal.Signals
) -> None:
    """128 and the signal's number, one line, no report; the next run answers as if nothing had been.

    Each signal is seen in one stage, and each stage with one: where a run is does not change what a signal does.
    """
    if stage == "hashing":  # what is decoded is hashed with it: only of what is known are hashes made anew
        assert 1 == dupfind(*arguments(trees, stage), "--algorithm", "dhash").returncode
    process = subprocess.Popen(
        [sys.executable, "-c", _STOPPER, stage, str(int(number)), *arguments(trees, stage)],
        cwd=tmp_path,
        env=environment(temporary),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    out, err = process.communicate(timeout=60)
    assert (128 + number, b"", b"dupfind: stopped; there is no verdict\n") == (process.returncode, out, err)
    assert_nothing_is_left(tmp_path, temporary, process.pid)
    command = arguments(trees, stage)
    if stage == "report":
        command[-1] = "/dev/stdout"
    again = dupfind(*command, has_workers=True)
    assert again.returncode == 1
    assert fresh == verdicts(again.stdout)


def test_the_terminal_stays_as_it_was(trees: Path, tmp_path: Path, temporary: Path) -> None:
    """Stopped with progress on the screen: its settings are the same, and the line is wiped away."""
    master, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    before = termios.tcgetattr(terminal)
    process = subprocess.Popen(
        [sys.executable, "-c", _STOPPER, "decoding haystack", "2", *arguments(trees, "walking")[:-1], "--progress"],
        cwd=tmp_path,
        env={**environment(temporary), "TERM": "xterm"},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
    )
    out, _ = process.communicate(timeout=60)
    after = termios.tcgetattr(terminal)
    os.close(terminal)
    shown = b""
    while True:
        try:
            shown += os.read(master, 65536)
        except OSError:  # as Linux ends what comes from a terminal
            break
    os.close(master)
    assert (130, b"") == (process.returncode, out)
    assert before == after
    assert b"decoding haystack" in shown
    assert b"\x1b[?25l" not in shown  # no hidden cursor
    assert b"\r" in shown[shown.rindex(b"files") :]
    assert shown.endswith(b"dupfind: stopped; there is no verdict\r\n")
