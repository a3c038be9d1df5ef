"""``dupfind import`` and ``dupfind undo`` as the real process: what is printed, exit codes, questions, signals."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dupfind.answers import decisions
from dupfind.report import import_, undo
from tests.helpers.acting import files_below
from tests.helpers.decisions import file, word
from tests.helpers.shelf import TreeBuilder

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
IMPORT = ("import", "--haystack", "hay", "--needles", "old", "--to", "hay/in")


@pytest.fixture
def hay(tree: TreeBuilder) -> Path:
    """A haystack that lacks two files of the needles, of which one is held twice."""
    tree("old", {"a.txt": b"known", "b.txt": b"new", "sub/c.txt": b"other", "sub/d.txt": b"new"})
    return tree("hay", {"a.txt": b"known"})


def test_a_plan(dupfind: Run, hay: Path) -> None:
    """Changes nothing."""
    done = dupfind(*IMPORT, "--dry-run")
    assert (0, b"") == (done.returncode, done.stderr)
    assert (
        "Files  Size  To\n"
        "───────────────────────\n"
        "    1   3 B  hay/in\n"
        "    1   5 B  hay/in/sub\n\n"
        "2 files (8 B) to be imported to hay/in.\n"
        "1 file more is a copy of those and not imported.\n"
    ) == done.stdout.decode()
    assert {"hay/a.txt": b"known"} == files_below(hay)
    plan = json.loads(dupfind(*IMPORT, "--dry-run", "--format", "json").stdout)
    assert (import_.SCHEMA, True, "hay/in", "keep") == (plan["schema"], plan["is_plan"], plan["to"], plan["layout"])
    assert [("old/b.txt", "b.txt", "missing", 3), ("old/sub/c.txt", "sub/c.txt", "missing", 5)] == [
        (file["path"], file["to"], file["why"], file["size_bytes"]) for file in plan["files"]
    ]
    assert [{"path": "old/sub/d.txt", "of": "old/b.txt", "evidence": "identical"}] == plan["duplicates"]
    assert (2, 8, 1, 1) == tuple(plan["summary"][key] for key in ("files", "bytes", "duplicates", "present"))


def test_decisions_count(dupfind: Run, hay: Path) -> None:
    """What is not wanted is not brought over; a file that is none is told of."""
    words = decisions.as_row(word("not-wanted", hay.parent / "old/sub/c.txt"))
    (hay.parent / "said.json").write_bytes(file(words))
    done = dupfind(*IMPORT, "--dry-run", "--decisions", "said.json", "--format", "json")
    assert ["old/b.txt"] == [planned["path"] for planned in json.loads(done.stdout)["files"]]
    (hay.parent / "said.json").write_bytes(b"no")
    done = dupfind(*IMPORT, "--dry-run", "--decisions", "said.json")
    assert (2, b"dupfind: --decisions said.json: not JSON\n") == (done.returncode, done.stderr)


def test_an_import_and_an_undo(dupfind: Run, hay: Path, tmp_path: Path) -> None:
    """What it did is told, and taken back."""
    done = dupfind(*IMPORT, "--yes", "--format", "json")
    assert (0, b"") == (done.returncode, done.stderr)
    told = json.loads(done.stdout)
    assert (False, None, 2, 0) == (
        told["is_plan"], told["stopped"], told["summary"]["imported"], told["summary"]["failed"],
    )  # fmt: skip
    assert {"imported"} == {file["state"] for file in told["files"]}
    assert Path(told["journal"]).parent == tmp_path / "state" / "dupfind" / "journals"
    assert 0 == dupfind("scan", "--haystack", "hay", "--needles", "old").returncode
    listed = json.loads(dupfind("undo", "--list", "--format", "json").stdout)
    assert (undo.LIST_SCHEMA, [("import", 2, 0, "ended", ["hay/in"])]) == (
        listed["schema"],
        [
            (line["command"], line["files"], line["undone"], line["state"], line["places"])
            for line in listed["journals"]
        ],
    )
    back = dupfind("undo", "--format", "json")
    assert (0, b"") == (back.returncode, back.stderr)
    told = json.loads(back.stdout)
    assert (undo.SCHEMA, 2, 0) == (told["schema"], told["summary"]["undone"], told["summary"]["left"])
    assert {"hay/a.txt": b"known"} == files_below(hay)
    again = dupfind("undo")
    assert (2, b"") == (again.returncode, again.stdout)
    assert b"there is nothing to undo" in again.stderr


def test_the_tables(dupfind: Run, hay: Path, tmp_path: Path) -> None:
    """At 80 columns."""
    journal = tmp_path / "j.journal"
    done = dupfind(*IMPORT, "--yes", "--journal", journal)
    assert (
        "2 files (8 B) imported to hay/in, each read back.\n"
        "1 file more is a copy of those and not imported.\n"
        f"dupfind undo takes it back. Journal: {journal}\n"
    ) == done.stdout.decode().partition("\n\n")[2]
    (hay / "in" / "b.txt").write_bytes(b"edited")
    back = dupfind("undo", journal)
    assert 1 == back.returncode
    text = back.stdout.decode()
    assert f"{hay}/in/b.txt: it was changed since\n1 file moved to the trash: import of " in text
    assert "1 file was left as it is; dupfind undo can be run again." in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*IMPORT], "there is no terminal to ask on: --yes goes on without asking, --dry-run shows the plan"),
        ([*IMPORT[:-2], "--to", "old/in", "--yes"], "--to old/in lies in the needles old"),
        ([*IMPORT, "--layout", "../{name}", "--yes"], "a template stays below the destination"),
        ([*IMPORT, "--layout", "{nobody}", "--yes"], "{nobody} is none of"),
        ([*IMPORT[:-2], "--yes"], "Missing option '--to'"),
        ([*IMPORT, "--journal", "hay/j", "--yes"], "--journal hay/j lies under hay, where dupfind never writes"),
        ([*IMPORT, "--journal", "j", "--dry-run"], "--dry-run writes no journal"),
        (["undo", "none"], "no such file or directory"),
        (["undo", "hay/a.txt"], "not a journal of dupfind"),
        (["undo", "--list", "x"], "--list names all journals and takes none"),
        (["undo", "--list", "--dry-run"], "--list and --dry-run contradict each other"),
    ],
)
def test_mistakes(dupfind: Run, hay: Path, arguments: list[str], said: str) -> None:
    """One line, exit code 2, and nothing is changed."""
    done = dupfind(*arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert said in done.stderr.decode()
    assert {"hay/a.txt": b"known"} == files_below(hay)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize(("answer", "code", "is_there"), [(b"y\n", 0, True), (b"n\n", 1, False), (b"\n", 1, False)])
def test_a_terminal_is_asked_once(hay: Path, tmp_path: Path, answer: bytes, code: int, is_there: bool) -> None:
    """The plan is shown, and no is what an empty line means."""
    primary, secondary = pty.openpty()
    environment = {
        **os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "DUPFIND_CACHE": str(tmp_path / "c.sqlite"),
        "COLUMNS": "80",
    }  # fmt: skip
    command = [sys.executable, "-m", "dupfind", *IMPORT]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=secondary, stderr=secondary, stdout=subprocess.PIPE
    ) as process:
        os.close(secondary)
        seen = b""
        while b"[y/N]" not in seen:
            seen += os.read(primary, 4096)
        os.write(primary, answer)
        time.sleep(0.05)
        stdout = process.communicate(timeout=60)[0]
    os.close(primary)
    assert b"2 files (8 B) to be imported to hay/in." in seen
    assert (code, is_there) == (process.returncode, (hay / "in" / "b.txt").exists())
    assert is_there == bool(stdout)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_after_the_current_file(hay: Path, tree: TreeBuilder, tmp_path: Path, number: int) -> None:
    """The file is there whole or not at all, the journal is whole, and undo takes back what was done."""
    tree("old", {f"many/{place:03}.txt": os.urandom(200_000) for place in range(60)})
    environment = {
        **os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_DATA_HOME": str(tmp_path / "data"),
        "DUPFIND_CACHE": str(tmp_path / "c.sqlite"),
    }  # fmt: skip
    command = [sys.executable, "-m", "dupfind"]
    process = subprocess.Popen(
        [*command, *IMPORT, "--yes"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not list((hay / "in").glob("many/0*.txt")):
        time.sleep(0.001)
        assert process.poll() is None
    process.send_signal(number)
    process.communicate(timeout=60)
    there = list(hay.glob("in/many/*"))
    assert 128 + number == process.returncode or len(there) == 60
    assert all((tmp_path / "old" / "many" / path.name).read_bytes() == path.read_bytes() for path in there)
    subprocess.run([*command, "undo"], cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert {"hay/a.txt": b"known"} == files_below(hay)


def test_a_destination_in_no_haystack_is_told(dupfind: Run, hay: Path) -> None:
    """Once, in the plan and afterwards: the next scan would not look there."""
    command = ("import", "--haystack", "hay", "--needles", "old", "--to")
    said = "new is in no haystack: name it as --haystack in the next scan."
    assert 1 == dupfind(*command, "new", "--dry-run").stdout.decode().count(said)
    assert said not in dupfind(*command, "hay/in", "--dry-run").stdout.decode()
    assert 1 == dupfind(*command, "new", "--yes").stdout.decode().count(said)


def test_a_dry_run_of_an_undo(dupfind: Run, hay: Path, tmp_path: Path) -> None:
    """Says what would be taken back, and changes nothing, not even a journal."""
    assert 2 == dupfind("undo", "--dry-run").returncode
    dupfind(*IMPORT, "--yes")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = dupfind("undo", "--dry-run")
    assert (0, b"") == (done.returncode, done.stderr)
    lines = done.stdout.decode().splitlines()
    assert "2 files would be moved to the trash: import of " in lines[0]
    assert lines[1].startswith("Journal: ")
    (hay / "in" / "b.txt").write_bytes(b"edited")
    done = dupfind("undo", "--dry-run", "--format", "json")
    told = json.loads(done.stdout)
    assert (1, True, 1, 1) == (
        done.returncode, told["is_plan"], told["summary"]["undone"], told["summary"]["left"],
    )  # fmt: skip
    before[hay / "in" / "b.txt"] = b"edited"
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert 1 == dupfind("undo").returncode


@pytest.mark.slow
def test_the_list_of_journals(dupfind: Run, hay: Path) -> None:
    """Says what each run did, and whether it can be undone; the table and the JSON."""
    dupfind(*IMPORT, "--yes")
    assert b"possible  import to hay/in" in dupfind("undo", "--list").stdout
    dupfind("clean", "--haystack", "hay", "--needles", "old", "--trash", "--apply")
    listed = json.loads(dupfind("undo", "--list", "--format", "json").stdout)["journals"]
    assert [("clean", "possible", None), ("import", "possible", "hay/in")] == [
        (line["command"], line["undo"], line["to"]) for line in listed
    ]
    assert 0 == dupfind("undo").returncode
    text = dupfind("undo", "--list").stdout.decode()
    assert "done      clean of old to the trash" in text
    assert "possible  import to hay/in" in text
    (hay / "in" / "b.txt").write_bytes(b"edited")
    dupfind("undo")
    assert "partly done (1)  import to hay/in" in dupfind("undo", "--list").stdout.decode()
    (hay / "in" / "b.txt").unlink()
    dupfind("undo")
    assert "no longer  import to hay/in" in dupfind("undo", "--list").stdout.decode()


def test_an_import_of_which_something_was_skipped(dupfind: Run, hay: Path) -> None:
    """All that could be planned is there, and a script is told by 1 that this need not be all; a person by a line."""
    (hay.parent / "old" / "link.jpg").symlink_to("/nowhere")
    done = dupfind(*IMPORT, "--yes")
    assert 1 == done.returncode
    assert "1 item among the needles was skipped and not looked at, so the exit code is 1." in done.stdout.decode()
    assert (hay / "in" / "b.txt").exists()


def test_a_report_of_an_import_that_cannot_be_written(dupfind: Run, hay: Path, tmp_path: Path) -> None:
    """What was done is said all the same."""
    journal = tmp_path / "own.journal"
    done = dupfind(*IMPORT, "--yes", "--journal", journal, "--output", "/dev/full")
    assert (2, True) == (done.returncode, (hay / "in/b.txt").exists())
    assert f"2 files imported to hay/in: dupfind undo {journal} takes it back\n" in done.stderr.decode()
