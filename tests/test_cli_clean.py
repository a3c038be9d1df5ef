"""``dupfind clean`` as the real process: what is printed, exit codes, mistakes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dupfind.answers import decisions
from dupfind.report import clean
from fixtures import pictures
from tests.helpers.acting import files_below
from tests.helpers.archives import zipped
from tests.helpers.decisions import file, word
from tests.helpers.shelf import TreeBuilder

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
IMPORT = ("import", "--haystack", "hay", "--needles", "old", "--to", "hay/in", "--dry-run")
CLEAN = ("clean", "--haystack", "hay", "--needles", "old")


@pytest.fixture
def old(tree: TreeBuilder) -> Path:
    """Needles with a folder that is contained, and one that is not."""
    tree("hay", {"a.txt": b"known", "b.txt": b"well known"})
    return tree("old", {"x/a.txt": b"known", "x/y/b.txt": b"well known", "z/a.txt": b"known", "z/c.txt": b"new"})


def test_a_dry_run_is_the_default(dupfind: Run, old: Path) -> None:
    """It says what could go and what stays, and changes nothing."""
    before = files_below(old)
    done = dupfind(*CLEAN, "--trash")
    assert (0, b"") == (done.returncode, done.stderr)
    assert (
        "Files  Size  Folder\n"
        "───────────────────\n"
        "    2  15 B  old/x\n\n"
        "What stays, and why:\n"
        "  old/z: partial: 1 missing\n\n"
        "1 folder can go: 2 files, 15 B, freed when the trash is emptied. Nothing was moved: --apply does it.\n"
    ) == done.stdout.decode()
    assert before == files_below(old)
    plan = json.loads(dupfind(*CLEAN, "--trash", "--format", "json").stdout)
    assert (clean.SCHEMA, True, "trash", None) == (plan["schema"], plan["is_plan"], plan["way"], plan["to"])
    assert [{"path": "old/x", "files": 2, "proved": 2, "set_aside": 0, "size_bytes": 15}] == plan["units"]
    assert [{"path": "old/z", "reason": "partial: 1 missing"}] == plan["left"]


def test_decisions_count(dupfind: Run, tree: TreeBuilder) -> None:
    """What a person has split from its witness does not go by it."""
    hay, old = tree("hay", {}), tree("old", {})
    picture = pictures.photo(1, (320, 240))
    pictures.save(picture, hay / "a.jpg", quality=92)
    pictures.save(picture, old / "x" / "a.jpg", quality=75)
    words = decisions.as_row(word("different", old / "x/a.jpg", hay / "a.jpg", "same"))
    (hay.parent / "said.json").write_bytes(file(words))
    assert b"1 folder can go" in dupfind(*CLEAN, "--trash").stdout
    assert b"Nothing can go" in dupfind(*CLEAN, "--trash", "--decisions", "said.json").stdout


def test_it_is_applied_and_undone(dupfind: Run, old: Path, tmp_path: Path) -> None:
    """With what went, and where to."""
    before = files_below(old)
    done = dupfind(*CLEAN, "--trash", "--apply", "--format", "json")
    assert (0, b"") == (done.returncode, done.stderr)
    told = json.loads(done.stdout)
    assert [("old/x", "moved", str(tmp_path / "data/Trash/files/x"))] == [
        (unit["path"], unit["state"], unit["to"]) for unit in told["units"]
    ]
    assert (1, 15) == (told["summary"]["moved"], told["summary"]["moved_bytes"])
    assert {"old/z/a.txt", "old/z/c.txt"} == set(files_below(old))
    back = dupfind("undo")
    assert (0, b"") == (back.returncode, back.stderr)
    assert back.stdout.startswith(b"2 files moved back: clean of ")
    assert before == files_below(old)


def test_the_table(dupfind: Run, old: Path, tmp_path: Path) -> None:
    """After it was applied, with --files to another folder."""
    (tmp_path / "away").mkdir()
    done = dupfind(*CLEAN, "--move-to", "away", "--files", "--apply", "--journal", "own.journal")
    assert (0, b"") == (done.returncode, done.stderr)
    text = done.stdout.decode()
    assert "3 files moved to away: 3 files, 20 B, each proved again.\n" in text
    assert "  old/z/c.txt: missing\n" in text
    assert {"away/old/x/a.txt", "away/old/x/y/b.txt", "away/old/z/a.txt"} == set(files_below(tmp_path / "away"))
    assert 0 == dupfind("undo", "own.journal").returncode


def test_what_needed_no_proof_is_told(dupfind: Run, old: Path, tmp_path: Path) -> None:
    """Empty files and junk were not proved; of nothing that was moved nothing is said to be."""
    (old / "x" / "empty").touch()
    done = dupfind(*CLEAN, "--trash", "--apply")
    text = "1 folder moved to the trash: 3 files, 15 B, 2 of them proved again, 1 that needed no proof (empty, set"
    assert text in " ".join(done.stdout.decode().split())
    assert 0 == dupfind("undo").returncode
    shutil.rmtree(tmp_path / "data" / "Trash")
    (tmp_path / "data" / "Trash").symlink_to("/nowhere")
    done = dupfind(*CLEAN, "--trash", "--apply")
    assert "Nothing was moved to the trash." in done.stdout.decode()
    assert b"proved again" not in done.stdout


def test_what_cannot_go(dupfind: Run, old: Path, tmp_path: Path) -> None:
    """Exit code 2 where nothing could be done: here the trash is a link that leads somewhere."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "Trash").symlink_to("/nowhere")
    before = files_below(old)
    done = dupfind(*CLEAN, "--trash", "--apply")
    assert 2 == done.returncode
    assert b"old/x stays: " in done.stdout
    assert before == files_below(old)


def test_no_report_takes_the_place_of_a_journal(dupfind: Run, old: Path, tmp_path: Path) -> None:
    """Neither that which is undone, nor another one."""
    done = dupfind(*CLEAN, "--trash", "--apply", "--journal", "own.journal")
    assert 0 == done.returncode
    before = (tmp_path / "own.journal").read_bytes()
    back = dupfind("undo", "own.journal", "--output", "./own.journal")
    assert (2, b"") == (back.returncode, back.stdout)
    assert b"--output ./own.journal would replace what JOURNAL reads" in back.stderr
    assert before == (tmp_path / "own.journal").read_bytes()
    state = next(path.parent for path in tmp_path.rglob("*.pointer"))
    for command in (("undo",), ("undo", "--list"), (*CLEAN, "--trash"), (*IMPORT,)):
        back = dupfind(*command, "--output", str(state / "x"))
        assert (2, b"") == (back.returncode, back.stdout)
        assert b"where the journals are" in back.stderr
    assert not (state / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trash", "--haystack", ".Trash/files"], ".Trash/files lies in a trash, which may be emptied"),
        ([], "either --trash or --move-to DIR is needed"),
        (["--trash", "--move-to", "hay"], "--trash and --move-to contradict each other"),
        (["--trash", "--apply", "--dry-run"], "--dry-run and --apply contradict each other"),
        (["--move-to", "hay"], "--move-to hay lies in hay"),
        (["--trash", "--journal", "j"], "--journal goes with --apply"),
        (["--trash", "--accept", "similar"], "--accept similar is nothing to clean by"),
        (["--trash", "--witnesses", "0"], "--witnesses takes a number, 1 to 16, not 0"),
    ],
)
def test_mistakes(dupfind: Run, old: Path, arguments: list[str], said: str) -> None:
    """One line, exit code 2."""
    (old.parent / ".Trash" / "files").mkdir(parents=True)
    done = dupfind(*CLEAN, *arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert said in done.stderr.decode()


def test_files_are_counted_as_they_lie_on_the_disk(dupfind: Run, old: Path) -> None:
    """A scan counts those in archives instead of these, and no junk: the sentence says how many there are of each."""
    (old / "x/packed.zip").write_bytes(zipped({"a": b"known", "b": b"known"}))
    (old / "x/.nomedia").write_bytes(b"")
    done = dupfind(*CLEAN, "--trash")
    plain = " ".join(done.stdout.decode().split())
    count = len(files_below(old / "x"))
    assert f"{count} files (1 is an archive with 2 files, 1 is junk that a scan does not count)," in plain
    told = json.loads(dupfind(*CLEAN, "--trash", "--format", "json").stdout)["summary"]
    assert (count, 2, 1) == (told["files"], told["files_in_archives"], told["junk"])


@pytest.mark.parametrize("output", ["file", "standard output"])
def test_a_report_that_cannot_be_written(dupfind: Run, old: Path, tmp_path: Path, output: str) -> None:
    """Hides nothing: what was done, and what takes it back, is said on standard error, also with --quiet."""
    journal = tmp_path / "own.journal"
    words = [*CLEAN, "--trash", "--apply", "--quiet", "--journal", journal]
    with open("/dev/full", "wb") as full:
        done = dupfind(*words, "--output", "/dev/full") if output == "file" else dupfind(*words, stdout=full)
    assert 2 == done.returncode
    assert not (old / "x").exists()
    assert f"moved to the trash (2 files): dupfind undo {journal} takes it back\n" in done.stderr.decode()
    back = dupfind("undo", journal, "--output", "/dev/full")
    assert (2, True) == (back.returncode, (old / "x").exists())
    assert f"2 of 2 files were taken back: {journal}\n" in back.stderr.decode()
