"""One table of exit codes for all commands, in docs/exit-codes.md: each is asked for each of its codes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from dupfind.cli.main import dupfind as group
from dupfind.cli.main import run
from dupfind.commands import cleaning
from fixtures import pictures
from tests.helpers.places import ROOT
from tests.helpers.shelf import TreeBuilder

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]

_ROOTS = "--haystack", "hay", "--needles"
ASKED: dict[str, dict[int, tuple[str, ...]]] = {
    "scan": {0: ("--haystack", "hay", "same"), 1: ("--haystack", "hay", "new"), 2: ("--haystack", "none", "new")},
    "review": {2: (*_ROOTS, "none", "--no-browser")},
    "import": {
        0: (*_ROOTS, "new", "--to", "hay/in", "--yes"),
        1: (*_ROOTS, "packed", "--to", "hay/in", "--yes"),
        2: (*_ROOTS, "new", "--to", "elsewhere/in", "--yes", "--journal", "none/j"),
    },
    "clean": {
        0: (*_ROOTS, "same", "--trash"),
        2: (*_ROOTS, "same"),
    },
    "undo": {0: ("--list",), 2: ("none.jsonl",)},
    "find": {0: ("same/a.png", *_ROOTS[:2]), 1: ("new/b.png", *_ROOTS[:2]), 2: ("none.png", *_ROOTS[:2])},
    "explain": {0: ("same/a.png", *_ROOTS[:2]), 1: ("new/b.png", *_ROOTS[:2]), 2: ("none.png", *_ROOTS[:2])},
    "compare": {0: ("same/a.png", "hay/a.png"), 1: ("same/a.png", "new/b.png"), 2: ("same/a.png", "none.png")},
    "groups": {0: ("hay",), 1: ("hay", "same"), 2: ("none",)},
    "sort": {0: ("hay",), 1: ("odd",), 2: ("none",)},
    "index": {
        0: ("hay", "--catalog", "c"),
        1: ("odd", "--catalog", "c"),
        2: ("--check", "same/a.png"),
    },
    "hash": {0: ("same/a.png",), 1: ("odd/broken.jpg",), 2: ("none.png",)},
    "calibrate": {0: ("many",), 2: ("new",)},
    "cache": {0: ("info",), 2: ("prune", "--cache", "same/a.png")},
    "config": {0: (), 2: ("nonsense",)},
    "selftest": {0: (), 2: ("--quiet", "--verbose")},
    "doctor": {0: (), 1: ("--cache", "same/a.png"), 2: ("--output", "none/r.txt")},
    "completion": {0: ("bash",), 2: ("tcsh",)},
    "help": {0: ("scan",), 2: ("nonsense",)},
}
"""What each is given for each code; a code of the table that is not here has a test of its own below."""
ELSEWHERE = {
    ("review", 0): "tests/test_cli_review.py",
    ("review", 1): "tests/test_cli_review.py",
    ("clean", 1): "below",
    ("undo", 1): "below",
    ("selftest", 1): "tests/test_selftest.py",
}


def table() -> dict[str, set[int]]:
    """The codes that the page has words for, by command."""
    page = (ROOT / "docs" / "exit-codes.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\|$", page, re.MULTILINE)
    return {name: {code for code, words in enumerate(cells) if words.strip()} for name, *cells in rows}


def test_the_table_has_every_command_and_each_cell_a_test() -> None:
    """A command that is added without its codes fails here."""
    context = click.Context(group)
    assert set(group.list_commands(context)) == set(table()) == set(ASKED)
    for name, codes in table().items():
        elsewhere = {code for command, code in ELSEWHERE if command == name}
        assert codes == set(ASKED[name]) | elsewhere, name


@pytest.fixture
def trees(tree: TreeBuilder) -> None:
    """A collection; needles that are in it, that are new, that cannot be read."""
    photo = [pictures.photo(seed, (160, 120)) for seed in range(8)]
    tree("hay", {"a.png": photo[0]})
    tree("same", {"a.png": photo[0]})
    tree("packed", {"b.png": photo[1], "broken.zip": b"PK\x03\x04 broken"})
    tree("two", {"b.png": photo[1], "c.png": photo[2]})
    tree("new", {"b.png": photo[1]})
    tree("odd", {"b.png": photo[1], "broken.jpg": b"\xff\xd8\xff\xe0 broken"})
    tree("many", {f"{number}.png": picture for number, picture in enumerate(photo)})


_CASES = [(name, code, words) for name, codes in ASKED.items() for code, words in codes.items()]


@pytest.mark.mostly_slow(fast=12)
@pytest.mark.usefixtures("trees")
@pytest.mark.parametrize(("name", "code", "words"), _CASES, ids=[f"{name} {code}" for name, code, _ in _CASES])
def test_each_command_gives_each_of_its_codes(dupfind: Run, name: str, code: int, words: tuple[str, ...]) -> None:
    """And where it gives 2, one line says why, and nothing else is printed."""
    done = dupfind(name, *words)
    assert code == done.returncode, done.stderr
    assert b"Traceback" not in done.stderr
    if code == 2:
        assert b"" == done.stdout or name in ("hash", "find", "explain", "compare"), "those answer for the others"
        assert done.stderr


@pytest.mark.usefixtures("homes")
def test_clean_of_what_has_lost_its_witness(
    tmp_path: Path, tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between the plan and the move: its folder stays, the other one goes, and that is 1."""
    both = {"one/a.txt": b"first", "two/b.txt": b"second"}
    hay, needles = tree("hay", both), tree("needles", {**both, "new.txt": b"new"})
    tree("away", {})
    plan = cleaning.plan_clean

    def plan_and_lose(*args: Any, **options: Any) -> Any:
        planned = plan(*args, **options)
        (hay / "two" / "b.txt").write_bytes(b"edited")
        return planned

    monkeypatch.setattr(cleaning, "plan_clean", plan_and_lose)
    words = "clean", "--haystack", str(hay), "--needles", str(needles), "--move-to", str(tmp_path / "away"), "--apply"
    assert 1 == run([*words, "--no-cache"])
    assert "two" in capsys.readouterr().out
    assert [False, True] == [(needles / name).exists() for name in ("one", "two")]


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_undo_that_has_to_leave_something(dupfind: Run, tmp_path: Path) -> None:
    """What was imported and changed since stays; that is 1."""
    assert 0 == dupfind("import", *_ROOTS, "two", "--to", "hay/in", "--yes").returncode
    (copy,) = (tmp_path / "hay" / "in").rglob("b.png")
    copy.write_bytes(copy.read_bytes() + b"edited")
    assert 1 == dupfind("undo").returncode
    assert copy.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
@pytest.mark.parametrize("name", sorted({"scan", "find", "groups", "sort", "hash", "import", "clean"}))
def test_a_reader_that_went_away(tmp_path: Path, name: str) -> None:
    """141 of each that has something to print, without a word."""
    words = ASKED[name][0 if name in ("hash", "clean") else 1]
    words = (*words, "--dry-run") if name == "import" else words
    words = tuple(word for word in words if word != "--apply")
    process = subprocess.Popen(
        [sys.executable, "-m", "dupfind", name, *words, "-q"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.wait(60)
    process.stderr.close()
    assert 141 == process.returncode, said
    assert b"Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    "words", [("scan", "--haystack", "hay", "needles"), ("groups", "hay"), ("hash", "hay/pipe.jpg")]
)
def test_a_run_that_was_stopped(
    tmp_path: Path, tree: TreeBuilder, words: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    """By Ctrl-C or by the system, whatever the command, while it reads its list from a pipe that gives nothing."""
    tree("hay", {"a.txt": b"1"})
    tree("needles", {"a.txt": b"1"})
    name, *rest = (word for word in words if word != "hay/pipe.jpg")
    process = subprocess.Popen(
        [sys.executable, "-m", "dupfind", name, *rest, "--files-from", "-", "--no-cache"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)  # it waits for its list
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (code, b"") == (process.returncode, out)
