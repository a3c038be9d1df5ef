"""What a person sees on standard error."""

from __future__ import annotations

import ast
import fcntl
import io
import os
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pytest

from dupfind import errors
from dupfind.progress import Console, say
from dupfind.progress_bar import Line
from dupfind.progress_line import Going, steps_of
from dupfind.stopwatch import Stopwatch, TimedPart
from dupfind.values import Problem, Side
from tests.helpers.places import ROOT

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, bytes]], Path]


def problem(number: int, *, stage: str = "walk", is_note: bool = False) -> Problem:
    """One of many alike."""
    return Problem(f"n/{number}", Side.NEEDLES, stage, "symbolic link: not followed", is_note)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was printed, all of it on standard error."""
    captured = capsys.readouterr()
    assert "" == captured.out
    return captured.err.splitlines()


def test_what_was_passed_over_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten of a kind, then their number; every one with -v; none with -q."""
    many = [problem(number) for number in range(15)]
    Console(has_line=False).problems(many)
    assert 11 == len(found := lines(capsys))
    assert "dupfind: 5 more among the needles: symbolic link: not followed (-v lists them all)" == found[-1]
    Console(has_line=False, verbose=True).problems(many)
    assert 15 == len(lines(capsys))
    Console(has_line=False, quiet=True).problems(many)
    assert [] == lines(capsys)


def test_unreadable_files_are_counted_by_cause(capsys: pytest.CaptureFixture[str]) -> None:
    """A mail of ten thousand lines is read by nobody; each cause is named, and every file with -v."""
    many = [problem(number, stage="thumbnail") for number in range(40)]
    other = problem(40, stage="thumbnail")._replace(reason="cut off")
    Console(has_line=False).problems([*many, other])
    found = lines(capsys)
    assert (12, "dupfind: n/40: cut off") == (len(found), found[-2])
    assert found[-1].startswith("dupfind: 30 more among the needles: ")
    Console(has_line=False, verbose=True).problems(many)
    assert 40 == len(lines(capsys))


def test_what_an_extra_would_read_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of RAW files without the extra is one line too many, not a thousand, and that of damage is not lost."""
    missing = errors.missing_extra("camera RAW", "raw")
    many = [Problem(f"h/{number}", Side.HAYSTACK, missing.stage, str(missing)) for number in range(1012)]
    Console(has_line=False).problems([*many, problem(1, stage="thumbnail")])
    found = lines(capsys)
    assert 12 == len(found)
    assert "dupfind: n/1: symbolic link: not followed" in found
    reason = "camera RAW: compared by bytes only; installed with its extra raw, dupfind looks at it"
    assert f"dupfind: h/9: {reason}" == found[9]
    assert f"dupfind: 1,002 more among the haystack: {reason} (-v lists them all)" == found[-1]


def test_notes_are_for_the_curious(capsys: pytest.CaptureFixture[str]) -> None:
    """What loses nothing is told with -v only."""
    Console(has_line=False).problems([problem(1, is_note=True)])
    assert [] == lines(capsys)
    Console(has_line=False, verbose=True).problems([problem(1, is_note=True)])
    assert 1 == len(lines(capsys))


def test_names_are_made_safe(capsys: pytest.CaptureFixture[str]) -> None:
    """A name cannot colour the terminal or add a line."""
    Console(has_line=False).problems([Problem("n/\x1b[2J\nx", Side.NEEDLES, "walk", "bad")])
    assert ["dupfind: n/\\x1b[2J\\nx: bad"] == lines(capsys)


def seen(written: str) -> list[str]:
    """What a terminal shows of these characters: each line as it stands in the end."""
    rows = []
    for row in written.split("\n"):
        cells: list[str] = []
        for text in row.split("\r"):
            cells[: len(text)] = text
        rows.append("".join(cells).rstrip())
    return rows


def test_a_stage_with_and_without_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line shows step, stage, files and bytes, and goes away; verbose says how it went."""
    console = Console(has_line=True, steps=steps_of("scan"))
    with console.stage("decoding needles", 4) as advance:
        assert console._line is not None
        console._line.mininterval = 0.0
        console.expect(4000)
        for _ in range(4):
            console.went_through(1000)
            advance(1)
        written = capsys.readouterr().err
        assert ["3/6 decoding needles: 4 of 4 files, 4.0 of 4.0 kB"] == seen(written)
        assert "\r3/6 decoding needles: 2 of 4 files, 2.0 of 4.0 kB" in written
    assert [""] == seen(written + capsys.readouterr().err)
    with console.stage("walking", None):  # the archives, say, after the needles: it is not the first step again
        assert ["3/6 walking"] == seen(capsys.readouterr().err)
    capsys.readouterr()
    with Console(has_line=False, verbose=True).stage("decoding", 4) as advance:
        advance(4)
    (line,) = lines(capsys)
    assert line.startswith("dupfind: decoding: 4 files in 0.")


def test_the_time_of_stages(capsys: pytest.CaptureFixture[str]) -> None:
    """A stage is counted under its short name, what goes on inside it under its own, with the workers' time."""
    watch = Stopwatch(clock=iter(range(99)).__next__)
    console = Console(has_line=False, quiet=True, watch=watch)
    with console.stage("matching", 4) as advance:
        with console.part("search", 9):
            pass
        advance(4)
        console.worked(1.5)
    assert {"evidence": TimedPart(2, 4, 1.5), "search": TimedPart(1, 9)} == watch.stop().parts
    console.times(workers=1)
    found = lines(capsys)
    assert ["", "Stage", "────────"] == [found[0], found[1][:5], found[2][:8]]
    assert "evidence    2.000    33%      4        2           75%" == found[3]
    assert "search      1.000    17%      9        9" == found[4]


def test_without_a_watch_no_time_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody asked."""
    console = Console(has_line=False)
    with console.part("search", 9):
        console.worked(1.5)
    console.times(workers=1)
    assert [] == lines(capsys)


def test_what_is_printed_meanwhile_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings do not stand behind the line of progress, which is there again afterwards; nor does what -v tells."""
    console = Console(has_line=True, verbose=True, steps=steps_of("scan"))
    with console.stage("matching", 2) as advance:
        console.warn("the cache is full")
        with console.stage("comparing at full size", 9):
            console.warn("the disk is slow")
        advance(1)
        shown = seen(capsys.readouterr().err)
        assert "dupfind: warning: the cache is full" == shown[0]
        assert "dupfind: warning: the disk is slow" == shown[1]
        assert shown[2].startswith("dupfind: comparing at full size: 0 files in 0.")
        assert ["5/6 matching: 0 of 2 files"] == shown[3:]
    assert capsys.readouterr().err.startswith("\r" + " " * len(shown[3]) + "\r")


def test_stages_within_stages_never_count_backwards(capsys: pytest.CaptureFixture[str]) -> None:
    """What goes on after a stage of a later step belongs to that step."""
    console = Console(has_line=True, steps=steps_of("scan"))
    with console.stage("decoding needles", 2):
        with console.stage("matching", 2):
            pass
        console.warn("the cache is full")
        assert "5/6 decoding needles: 0 of 2 files" == seen(capsys.readouterr().err)[-1]


def test_the_line_tells_of_what_goes_on_between_stages(capsys: pytest.CaptureFixture[str]) -> None:
    """But not while the report is written, to the same screen perhaps; and the innermost stage is the one told of."""
    console = Console(has_line=True, steps=steps_of("scan"))
    with console.part("look up"):
        assert ["1/6 looking up"] == seen(capsys.readouterr().err)
    assert "" == seen(capsys.readouterr().err)[-1]
    with console.part("report"):
        pass
    assert "" == capsys.readouterr().err
    with console.part("look up"), console.stage("matching", 2), console.part("look up"):
        assert ["5/6 matching: 0 of 2 files"] == seen(capsys.readouterr().err)


def test_nothing_is_shown_where_nobody_looks(tree: TreeBuilder, dupfind: Run) -> None:
    """Standard error that is no terminal gets no progress, unless it is asked for."""
    trees = "--haystack", tree("h", {"a.txt": b"a"}), "--needles", tree("n", {"a.txt": b"a"})
    assert b"" == dupfind("scan", *trees).stderr
    assert b"1/6 walking" in dupfind("scan", *trees, "--progress").stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "expected"), [(40, "3/6 decoding needles: "), (120, "step 3 of 6, decoding needles: ")]
)
def test_in_a_terminal(demo_trees: Path, columns: int, expected: str) -> None:
    """One line, never wider than the screen, which is gone before the answer comes."""
    written = in_terminal(
        columns, demo_trees, "scan", "--haystack", "Masters", "--needles", "Josie_Backup", "--no-cache"
    )
    progress, _, answer = written.partition("Verdict")
    parts = [part for row in progress.split("\n") for part in row.rstrip("\r").split("\r")]
    assert max(len(part) for part in parts if not part.startswith(("dupfind: ", "Josie_Backup/"))) < columns
    numbers = [int(number) for number in re.findall(r"(?:^|\r)(?:step )?(\d)(?:/| of )6", progress)]
    assert sorted(numbers) == numbers
    assert {1, 3, 4, 5} <= set(numbers)
    assert expected in progress
    others = [row for row in seen(progress.replace("\r\n", "\n")) if not row.startswith("dupfind: ")]
    assert {"", "\x1b[1m"} >= set(others)  # the head of the table is bold
    assert "\r" not in answer.replace("\r\n", "")


def in_terminal(columns: int, folder: Path, *arguments: str) -> str:
    """What the program writes to a terminal of so many columns."""
    controller, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"TERM": "xterm"}
    command = [sys.executable, "-m", "dupfind", *arguments]
    streams = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
    written = b""
    with subprocess.Popen(command, cwd=folder, env=environment, **streams):
        os.close(terminal)
        with suppress(OSError):  # EIO: nobody has it open any more
            while data := os.read(controller, 65536):
                written += data
    os.close(controller)
    return written.decode()


@pytest.mark.slow
def test_every_stage_belongs_to_a_step() -> None:
    """One that does not would leave the count where it is; the names are those in the code."""
    told = set()
    for path in (ROOT / "dupfind").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = {getattr(node.func, name, "") for name in ("attr", "id")} if isinstance(node, ast.Call) else set()
            if called & {"stage", "map", "pictures", "_film_data", "fragment_marks", "_prints"}:
                told |= {each.value for each in node.args[:2] if isinstance(each, ast.Constant)}
            if isinstance(node, ast.Assign) and "STAGE" in [getattr(target, "id", "") for target in node.targets]:
                told.add(ast.literal_eval(node.value))
    names = {name for name in told if isinstance(name, str)}
    assert {"walking", "moving", "decoding haystack", "comparing bytes", "looking into films"} <= names
    every = steps_of("scan", ["copies", "moves", "page"]) + sum(
        map(steps_of, ("index", "sort", "undo", "groups", "selftest")), ()
    )
    assert set() == names - frozenset().union(*every)


def test_warnings_unless_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, once."""
    console = Console(has_line=False)
    for text in ("cache is full", "cache is full", "cache is gone"):
        console.warn(text)
    Console(has_line=False, quiet=True).warn("cache is full")
    assert ["dupfind: warning: cache is full", "dupfind: warning: cache is gone"] == lines(capsys)


@pytest.mark.parametrize("stream", [None, io.TextIOWrapper(io.BytesIO(), encoding="ascii")])
def test_a_broken_standard_error_is_no_reason_to_fail(
    monkeypatch: pytest.MonkeyPatch, stream: io.TextIOWrapper | None
) -> None:
    """Closed, absent or without Unicode."""
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    say("nobody hears this")
    Console(has_line=False, watch=Stopwatch()).times(workers=1)


def drawn(going: Going, seconds: float, columns: int) -> str:
    """What the line says of a stage that has gone on for so long, on a screen of so many columns."""
    now = time.monotonic()
    going.began_seconds = now - seconds
    with patch.object(time, "monotonic", lambda: now):  # on a busy machine milliseconds pass meanwhile
        line = Line([going], io.StringIO())
        line.dynamic_ncols, line.ncols = None, columns
        text = str(line)
        line.close()
    return text


def test_the_line_at_each_width() -> None:
    """As much as fits, what matters most last to go; the last column stays free."""
    going = Going("decoding needles", 5678, 0.0, (3, 6), done=1234, total_bytes=10**10, done_bytes=23 * 10**8)
    assert [
        "step 3 of 6, decoding needles: 23%, 1,234 of 5,678 files, 2.3 of 10 GB, 95.0MB/s, 01:21 left",
        "3/6 decoding needles: 1,234 of 5,678 files, 2.3 of 10 GB, 95.0MB/s, 01:21 left",
        "3/6 decoding needles: 1,234 of 5,678 files, 01:21 left",
        "3/6 decoding needles: 23%, 01:21 left",
        "3/6 decoding needles",
        "3/6 decod",
    ] == [drawn(going, 24.2, columns) for columns in (100, 80, 60, 40, 25, 10)]
    assert [] == [columns for columns in range(1, 120) if len(drawn(going, 24.2, columns)) >= columns]


def test_a_line_of_bytes_and_that_of_what_is_not_known() -> None:
    """What is copied is counted in bytes; a walk knows no end; a single step is not numbered."""
    copying = Going("importing", 10**9, 0.0, in_bytes=True, done=10**8)
    assert "importing: 100 MB of 1.0 GB, 10.0MB/s, 01:30 left" == drawn(copying, 10.0, 79)
    assert "1/6 walking: 1,000 files, 500/s" == drawn(Going("walking", None, 0.0, (1, 6), done=1000), 2.0, 79)
    assert "2/6 comparing bytes: 0 of 1 file" == drawn(Going("comparing bytes", 1, 0.0, (2, 6)), 9.0, 79)
    assert "listing s3://{a}\\x1b: 1 file" == drawn(Going("listing s3://{a}\x1b", None, 0.0, done=1), 0.5, 79)
    more = Going("decoding", 2, 0.0, done=3, total_bytes=1000, done_bytes=1200)
    assert "decoding: 3 of 2 files, 1.0 of 1.0 kB, 500B/s, 00:00 left" == drawn(more, 2.0, 79)


def test_no_thread_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    """That of tqdm, which looks after bars that stand still, would go on to the end of the process."""
    before = threading.active_count()
    with Console(has_line=True).stage("walking", None):
        assert before == threading.active_count()
    capsys.readouterr()
