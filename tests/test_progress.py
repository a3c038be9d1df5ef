"""What a person sees on standard error."""

from __future__ import annotations

import io
import sys

import pytest

from dupfind import errors
from dupfind.progress import Console, say
from dupfind.stopwatch import Part, Stopwatch
from dupfind.values import Problem, Side


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
    Console(bars=False).problems(many)
    assert 11 == len(found := lines(capsys))
    assert "dupfind: 5 more among the needles: symbolic link: not followed (-v lists them all)" == found[-1]
    Console(bars=False, verbose=True).problems(many)
    assert 15 == len(lines(capsys))
    Console(bars=False, quiet=True).problems(many)
    assert [] == lines(capsys)


def test_unreadable_files_are_counted_by_cause(capsys: pytest.CaptureFixture[str]) -> None:
    """A mail of ten thousand lines is read by nobody; each cause is named, and every file with -v."""
    many = [problem(number, stage="thumbnail") for number in range(40)]
    other = problem(40, stage="thumbnail")._replace(reason="cut off")
    Console(bars=False).problems([*many, other])
    found = lines(capsys)
    assert (12, "dupfind: n/40: cut off") == (len(found), found[-2])
    assert found[-1].startswith("dupfind: 30 more among the needles: ")
    Console(bars=False, verbose=True).problems(many)
    assert 40 == len(lines(capsys))


def test_what_an_extra_would_read_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of RAW files without the extra is one line too many, not a thousand, and that of damage is not lost."""
    missing = errors.missing_extra("camera RAW", "raw")
    many = [Problem(f"h/{number}", Side.HAYSTACK, missing.stage, str(missing)) for number in range(1012)]
    Console(bars=False).problems([*many, problem(1, stage="thumbnail")])
    found = lines(capsys)
    assert 12 == len(found)
    assert "dupfind: n/1: symbolic link: not followed" in found
    reason = "camera RAW: compared by bytes only; installed with its extra raw, dupfind looks at it"
    assert f"dupfind: h/9: {reason}" == found[9]
    assert f"dupfind: 1,002 more among the haystack: {reason} (-v lists them all)" == found[-1]


def test_notes_are_for_the_curious(capsys: pytest.CaptureFixture[str]) -> None:
    """What loses nothing is told with -v only."""
    Console(bars=False).problems([problem(1, is_note=True)])
    assert [] == lines(capsys)
    Console(bars=False, verbose=True).problems([problem(1, is_note=True)])
    assert 1 == len(lines(capsys))


def test_names_are_made_safe(capsys: pytest.CaptureFixture[str]) -> None:
    """A name cannot colour the terminal or add a line."""
    Console(bars=False).problems([Problem("n/\x1b[2J\nx", Side.NEEDLES, "walk", "bad")])
    assert ["dupfind: n/\\x1b[2J\\nx: bad"] == lines(capsys)


def test_a_stage_with_and_without_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """The bar shows stage, count, rate and remaining time and goes away; verbose says how it went."""
    with Console(bars=True).stage("decoding", 4) as advance:
        for _ in range(4):
            advance(1)
    assert "decoding" in capsys.readouterr().err
    with Console(bars=False, verbose=True).stage("decoding", 4) as advance:
        advance(4)
    (line,) = lines(capsys)
    assert line.startswith("dupfind: decoding: 4 files in 0.")


def test_the_time_of_stages(capsys: pytest.CaptureFixture[str]) -> None:
    """A stage is counted under its short name, what goes on inside it under its own, with the workers' time."""
    watch = Stopwatch(clock=iter(range(99)).__next__)
    console = Console(bars=False, quiet=True, watch=watch)
    with console.stage("matching", 4) as advance:
        with console.part("search", 9):
            pass
        advance(4)
        console.worked(1.5)
    assert {"evidence": Part(2, 4, 1.5), "search": Part(1, 9)} == watch.stop().parts
    console.times(workers=1)
    found = lines(capsys)
    assert ["", "Stage", "────────"] == [found[0], found[1][:5], found[2][:8]]
    assert "evidence    2.000    33%      4        2           75%" == found[3]
    assert "search      1.000    17%      9        9" == found[4]


def test_without_a_watch_no_time_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody asked."""
    console = Console(bars=False)
    with console.part("search", 9):
        console.worked(1.5)
    console.times(workers=1)
    assert [] == lines(capsys)


def test_warnings_unless_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, once."""
    console = Console(bars=False)
    for text in ("cache is full", "cache is full", "cache is gone"):
        console.warn(text)
    Console(bars=False, quiet=True).warn("cache is full")
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
    Console(bars=False, watch=Stopwatch()).times(workers=1)
