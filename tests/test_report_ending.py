"""How the answer ends: what can go, what needs eyes, what is missing, and the command for each next step."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dupfind.reasons import Reason, ReasonCode
from dupfind.report import Screen, ending, render
from dupfind.scanning.verdict import judge_folders
from dupfind.settings import make_report_settings
from dupfind.values import Evidence, FileState, Kind, Report, Root, Side
from fixtures.pictures import photo
from tests.helpers.reports import file, report

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, object]], Path]
SMALLER = Reason(ReasonCode.SMALLER, (1, 1, 2, 2))
SHAPE = Reason(ReasonCode.SHAPE)


def answer() -> Report:
    """Folders of every verdict, with loose files in the root and in a folder with another below it."""
    seen: dict[str, Any] = {"evidence": Evidence.SIMILAR, "witness": "hay/1"}
    files = [
        file("n/loose.jpg", FileState.MISSING),
        file("n/there.jpg", FileState.PRESENT, evidence=Evidence.IDENTICAL, witness="hay/2"),
        file("n/a/1.jpg", FileState.SIMILAR, reasons=(SMALLER,), **seen),
        file("n/a/2.jpg", FileState.SIMILAR, reasons=(SHAPE,), **seen),
        file("n/a/b/3.mov", FileState.MISSING)._replace(kind=Kind.OTHER),
        file("n/c/4.jpg", FileState.PRESENT, evidence=Evidence.IDENTICAL, witness="hay/4"),
        file("n/c/d/5.txt", FileState.PRESENT, evidence=Evidence.IDENTICAL, witness="hay/5"),
    ]
    return report(files, judge_folders(files, [], [Root(Side.NEEDLES, "n", "/n", (1, 1))]))


def table(answer: Report, width: int = 80, *, is_terminal: bool = False, **options: Any) -> list[str]:
    """The lines of the table."""
    settings = make_report_settings(**options)
    return render(answer, settings, Screen(width, is_terminal)).decode().splitlines()


def test_no_file_is_counted_in_two_rows() -> None:
    """A folder whose subfolders have rows counts what lies directly in it; with --all the rows are all files."""
    rows = table(answer())
    assert [("0 of 1", "n/a/b"), ("0 of 2", "n/a (directly in it)"), ("1 of 2", "n (directly in it)")] == sorted(
        (row[11:19].strip(), row.partition("n")[1] + row.rpartition("  n")[2]) for row in rows[2:5]
    )
    counts = [line.split() for line in table(answer(), everything=True)[2:6]]
    assert 7 == sum(int(row[row.index("of") + 1]) for row in counts)
    assert 3 == sum(int(row[row.index("of") - 1]) for row in counts)


def test_one_code_more_is_named() -> None:
    """It is as short as "other", and says more."""
    codes = list(ReasonCode)[:6]
    similar = [file(f"n/{code}", FileState.SIMILAR, reasons=(Reason(code),)) for code in codes]
    five = ", ".join(f"1 {code.value}" for code in codes[:5])
    assert [f"5 files need eyes: {five}."] == ending.needs_eyes(report(similar[:5]))
    four = ", ".join(f"1 {code.value}" for code in codes[:4])
    assert [f"6 files need eyes: {four}, 2 other."] == ending.needs_eyes(report(similar))


def test_loose_files_of_a_root_have_a_row() -> None:
    """Also where all of them are present, once everything is listed."""
    whole = [one for one in answer().files if one.path != "n/loose.jpg"]
    judged = report(whole, judge_folders(whole, [], [Root(Side.NEEDLES, "n", "/n", (1, 1))]))
    rows = table(judged, everything=True)
    assert any(row.endswith("n (directly in it)") and "1 of 1" in row for row in rows)
    assert not any(row.endswith("n (directly in it)") for row in table(judged))


def test_what_is_left_to_do() -> None:
    """By number, by reason, by kind; and what deleting frees."""
    found = answer()
    assert ["Missing: 1 picture, 1 film."] == ending.what_is_missing(found)
    assert ["2 files need eyes: 1 witness-smaller, 1 shape-differs."] == ending.needs_eyes(found)
    assert ["1 needle is a better copy than what the haystack has."] == ending.better_needles(found)
    freed = sum(one.size_bytes for one in found.files if one.path.startswith("n/c/"))
    assert [f"1 folder can go, which frees {freed / 1000:.1f} kB (2 files)."] == ending.can_go(found)
    options = [" ".join(words) for _, words in ending.next_commands(found, [])]
    assert ["--only missing --files", "--html page.html", "--only better", "--only contained"] == options
    scanned = ["dupfind", "scan", "--haystack", "h", "--needles", "n", "--paranoid", "--exclude", "x"]
    commands = [" ".join(words) for _, words in ending.next_commands(found, scanned)]
    assert "dupfind import --haystack h --needles n --exclude x --to hay/Import" == commands[1]
    assert "dupfind clean --haystack h --needles n --exclude x --trash" == commands[-1]
    for option in ("--files-from", "--follow-symlinks", "--elsewhere"):
        words = [" ".join(words) for _, words in ending.next_commands(found, [*scanned, option])]
        assert len(words) == len(commands) - 1
        assert not any(word.startswith(("dupfind import", "dupfind clean")) for word in words)
    nothing = report([file("n/1", FileState.PRESENT)], [])
    assert [] == [
        *ending.what_is_missing(nothing), *ending.needs_eyes(nothing), *ending.better_needles(nothing),
        *ending.can_go(nothing), *ending.next_commands(nothing, []),
    ]  # fmt: skip


def test_a_page_that_is_written_is_not_offered() -> None:
    """Whoever asked for the page need not be told how to ask for it."""
    offered = "Next, what needs eyes, side by side:"
    assert offered in table(answer())
    assert offered not in table(answer(), html="page.html")
    assert "Next, the better copies:" in table(answer(), html="page.html")


def test_nothing_can_go_on_thumbnails() -> None:
    """Nobody deletes by --quick."""
    from dataclasses import replace

    found = answer()
    quick = replace(found, settings=replace(found.settings, quick=True))
    text = "\n".join(table(quick))
    assert "can go" not in text
    assert "--only contained" not in text
    assert "can go" in "\n".join(table(found))


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_commands_can_be_copied(width: int) -> None:
    """A shell takes them as they are printed, however narrow the screen is."""
    again = ["dupfind", "scan", "--haystack", "My photos", "--needles", "n'", "--exclude", "*.tmp"]
    lines = table(answer(), width, is_terminal=True, again=again)
    start = next(place for place, line in enumerate(lines) if line.startswith("Next, the missing"))
    assert max(map(len, lines[start:])) <= width
    command = "\n".join(lines[start + 1 :]).partition("\n\n")[0].replace("\\\n", " ")
    assert [*again, "--only", "missing", "--files"] == shlex.split(command)


@pytest.fixture
def trees(tree: TreeBuilder) -> None:
    """Two missing files, and a picture of which the haystack has a smaller copy."""
    tree("hay", {"s.jpg": photo(1, (160, 120))})
    tree("n", {"l.jpg": photo(1, (640, 480)), "a/big.txt": b"1" * 99, "b/1.txt": b"2", "b/2.txt": b"3"})


SCAN = ("scan", "--haystack", "hay", "--needles", "n", "--no-cache")


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_order_and_filters(dupfind: Run) -> None:
    """By size, by what is missing, by path; only what has a reason; only what is better."""

    def paths(*options: str) -> list[str]:
        return dupfind(*SCAN, "--format", "paths", *options).stdout.decode().split()

    assert ["n/l.jpg", "n/a/big.txt", "n/b/1.txt", "n/b/2.txt"] == paths("--files", "--sort", "size")
    assert ["n/a/big.txt", "n/b/1.txt", "n/b/2.txt", "n/l.jpg"] == paths("--files", "--sort", "path")
    assert "n/l.jpg" == paths("--files", "--sort", "missing")[-1]
    assert ["n", "n/b", "n/a"] == paths("--sort", "missing")
    assert ["n/l.jpg"] == paths("--reason", "witness-smaller") == paths("--only", "better")
    assert [] == paths("--reason", "witness-smaller", "--only", "missing")
    whole = json.loads(dupfind(*SCAN, "--format", "json", "--reason", "witness-smaller").stdout)
    assert ["n/l.jpg"] == [one["path"] for one in whole["files"]]
    assert 3 == whole["summary"]["files"]["missing"]


@pytest.mark.usefixtures("trees")
def test_a_slip_in_a_code(dupfind: Run) -> None:
    """One line says which was meant; no scan begins."""
    done = dupfind(*SCAN, "--reason", "witness-smaler")
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"--reason witness-smaler is no reason code: did you mean witness-smaller?" in done.stderr
    assert 2 == dupfind(*SCAN, "--sort", "colour").returncode


@pytest.mark.usefixtures("trees")
def test_the_command_is_the_one_that_was_given(dupfind: Run) -> None:
    """With what decides the answer, without what decides how it is shown."""
    done = dupfind(*SCAN, "--no-rotations", "--exclude", "*.x y", "--workers", "1", "--sort", "size", "-q")
    expected = f"  dupfind {' '.join(SCAN)} --no-rotations --exclude '*.x y' --only missing --files"
    assert sorted(expected.split()) == sorted(
        next(line for line in done.stdout.decode().splitlines() if line.endswith("--only missing --files")).split()
    )
