"""``dupfind index`` and ``scan --files-from`` as the real process: golden output, exit codes, kills, mistakes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dupfind.report import index as report
from fixtures import demo, pictures
from tests.helpers.places import documented
from tests.helpers.shelf import TreeBuilder, collection, settle

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


def dated(text: str) -> str:
    """With the time that the documentation shows."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-11-20 21:04", text)
    return re.sub(r"as it was [^(]* ago", "as it was 9 hours ago", text)


@pytest.mark.slow
def test_the_documented_output(demo_trees: Path, dupfind: Run, tmp_path: Path) -> None:
    """The pages show what is printed: made, used, checked."""
    catalog = tmp_path / "masters.catalog"
    made = dupfind("index", demo.HAYSTACK, "--catalog", catalog, "-q", cwd=demo_trees)
    assert (1, b"") == (made.returncode, made.stderr)
    size = re.compile(r"[\d.]+ kB")
    shown = made.stdout.decode().replace(f"{tmp_path}/", "../")
    assert size.sub("", documented("catalogs.md", "index")) == size.sub("", shown)
    scanned = dupfind("scan", "--haystack", catalog, "--needles", demo.NEEDLES, "-q", cwd=demo_trees)
    assert 1 == scanned.returncode
    plain = dated(scanned.stdout.decode()).replace(f"{tmp_path}/", "../").replace(f"{demo_trees}/", "/media/photos/")
    assert documented("catalogs.md", "index scan") == plain
    grouped = dupfind("groups", catalog, f"{demo.NEEDLES}/12-25-2006 part 1", "-q", cwd=demo_trees)
    assert 1 == grouped.returncode
    plain = dated(grouped.stdout.decode()).replace(f"{tmp_path}/", "../").replace(f"{demo_trees}/", "/media/photos/")
    shown = documented("groups.md", "groups catalog"), plain  # whose columns are as wide as their paths
    assert 1 == len({tuple(word for word in one.split() if "──" not in word) for one in shown})
    checked = dupfind("index", "--check", catalog, demo.HAYSTACK, cwd=demo_trees)
    assert 0 == checked.returncode
    assert b"lists what is in Masters." in checked.stdout


@pytest.mark.slow
def test_json(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """Schemas of their own; a name that is no text has its bytes besides."""
    collection(tree)
    found = json.loads(dupfind("index", "drive", "--catalog", "c", "--format", "json").stdout)
    assert (report.SCHEMA, "c", "drive", True) == (
        found["schema"], found["catalogue"], found["folder"], found["is_new"],
    )  # fmt: skip
    assert {"files": 5, "pictures": 3, "read": 5, "kept": 0, "gone": 0, "unreadable": 0} == {
        key: value for key, value in found["summary"].items() if key != "size_bytes"
    }
    (tmp_path / "drive" / os.fsdecode(b"caf\xe9.txt")).unlink()
    done = dupfind("index", "--check", "c", "--format", "json")
    found = json.loads(done.stdout)
    assert (1, report.CHECK_SCHEMA, False, True) == (
        done.returncode, found["schema"], found["is_deep"], found["is_complete"],
    )  # fmt: skip
    assert [{"path", "path_bytes"}] == [set(one) for one in found["gone"]]
    scan = dupfind("scan", "--haystack", "c", "--needles", "drive/2006", "--format", "json")
    (told,) = json.loads(scan.stdout)["catalogues"]
    assert {"path", "root", "updated", "age_seconds", "files", "is_complete", "is_elsewhere", "side"} == set(told)
    assert ("c", str(tmp_path / "drive"), 5) == (told["path"], told["root"], told["files"])


def test_what_has_no_room_for_it_says_it_besides(dupfind: Run, tree: TreeBuilder) -> None:
    """On standard error, so that a list of paths is one."""
    collection(tree)
    tree("n", {"a.txt": b"notes"})
    dupfind("index", "drive", "--catalog", "c")
    done = dupfind("scan", "--haystack", "c", "--needles", "n", "--only", "contained", "-0")
    assert (0, b"n\0") == (done.returncode, done.stdout)
    assert b"c stands for /" in done.stderr
    assert b"" == dupfind("scan", "--haystack", "c", "--needles", "n", "--format", "csv", "-q").stderr


def test_what_cannot_be_decoded_is_named(dupfind: Run, tree: TreeBuilder) -> None:
    """On standard error, as by a scan, with an exit code of its own; for the next update too."""
    tree("drive", {"a.txt": b"a", "broken.jpg": b"no picture"})
    for _ in range(2):
        done = dupfind("index", "drive", "--catalog", "c", "--format", "json")
        assert (1, b"dupfind: drive/broken.jpg: not a picture in a known format\n") == (done.returncode, done.stderr)
        summary = json.loads(done.stdout)["summary"]
        assert (2, 0, 1) == (summary["files"], summary["pictures"], summary["unreadable"])
    assert 0 == dupfind("index", "--check", "c").returncode  # its bytes are what they were


@pytest.mark.slow
def test_explain(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """The witness is a file of the catalog; the drive's own file has none."""
    collection(tree)
    dupfind("index", "drive", "--catalog", "c")
    pictures.photo(1, (240, 180)).save(tmp_path / "a.jpg", quality=60)
    done = dupfind("explain", "--haystack", "c", "a.jpg")
    assert 1 == done.returncode
    assert b"its witness is known from a catalog only" in b" ".join(done.stdout.split())
    done = dupfind("explain", "--haystack", "c", "a.jpg", "--quick")
    assert 0 == done.returncode
    assert b"the same picture as c/2006/a.jpg" in done.stdout
    assert b"c stands for /" in done.stdout
    assert 1 == len(json.loads(dupfind("explain", "--haystack", "c", "a.jpg", "--format", "json").stdout)["catalogues"])
    done = dupfind("explain", "--haystack", "c", "drive/2006/a.jpg")
    assert 1 == done.returncode
    assert b"1 of its files left out: the drive that it lists is here" in done.stderr


@pytest.mark.mostly_slow(fast=8)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["index", "drive"], "one of --catalog FILE, --check FILE and --merge FILE is needed"),
        (
            ["index", "drive", "--catalog", "c", "--check", "c"],
            "one of --catalog FILE, --check FILE and --merge FILE is needed",
        ),
        (["index", "--catalog", "c"], "DIR is needed: the folder to take stock of"),
        (["index", "drive", "--catalog", "c", "--deep"], "--deep goes with --check"),
        (["index", "none", "--catalog", "c"], "none: no such file or directory"),
        (["index", "drive/notes.txt", "--catalog", "c"], "drive/notes.txt: not a folder"),
        (["index", "drive", "--catalog", "drive/c"], "--catalog drive/c lies under drive, where dupfind never writes"),
        (["index", "drive", "--catalog", "none/c"], "--catalog none/c: there is no such folder"),
        (["index", "drive", "--catalog", "drive"], "--catalog drive lies under drive, where dupfind never writes"),
        (["index", "drive", "--catalog", "text"], "text: not a catalog of dupfind: it is left as it is"),
        (["index", "--check", "none"], "none: no such file or directory"),
        (["index", "--check", "text"], "text: not a catalog of dupfind"),
        (["index", "2006", "--catalog", "k"], "2006: no such file or directory"),
        (["scan", "--haystack", "text", "--needles", "drive"], "--haystack text: not a folder"),
        (["scan", "--haystack", "drive", "--needles", "k"], "--haystack drive is the folder that the catalog k lists"),
        (["calibrate", "k"], "there are no pictures here; a pair takes two"),
        (["scan", "--haystack", "k", "--needles", "drive"], "--needles drive is the folder that the catalog k lists"),
        (["scan", "--haystack", "k", "--needles", "n", "--output", "k"], "--output k lies under k, where"),
        (["scan", "--haystack", "k", "--needles", "n", "--cache", "k"], "--cache k lies under k, where"),
        (["scan", "--haystack", "k", "--files-from", "none"], "--files-from none: no such file or directory"),
        (["scan", "--haystack", "k"], "--needles is needed: the folder to look for (or --files-from: a list of names)"),
        (["index", "--check", "k", "o"], "k: nothing of what it lists ("),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(arguments: list[str], said: str, dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """One clear line, exit code 2, nothing written."""
    tree("drive", {"notes.txt": b"notes"})
    tree("n", {"notes.txt": b"notes"})
    tree("o", {"other.txt": b"other"})
    (tmp_path / "text").write_bytes(b"text")
    if "k" in arguments:
        assert 0 == dupfind("index", "drive", "--catalog", "k").returncode
    done = dupfind(*arguments)
    assert 2 == done.returncode
    assert b"" == done.stdout
    line = done.stderr.decode()
    assert 1 == line.count("\n")
    assert line.startswith((f"dupfind: {said}", f"dupfind: {tmp_path}/{said}"))
    assert not (tmp_path / "c").exists()
    assert {"notes.txt"} == {path.name for path in (tmp_path / "drive").iterdir()}


def test_a_hostile_name_forges_nothing(dupfind: Run, tree: TreeBuilder) -> None:
    """In what is listed, and in the folder's own name."""
    tree("d\x1b[31m\n", {"a\nb": b"1"})
    assert b"\x1b" not in dupfind("index", "d\x1b[31m\n", "--catalog", "c").stdout
    tree("d\x1b[31m\n", {"new\x1b[31m\n": b"1"})
    done = dupfind("index", "--check", "c")
    assert b"\x1b" not in done.stdout
    assert rb"new        " in done.stdout
    assert rb"new\x1b[31m\n" in done.stdout


STOPPER = """
import os, signal, sys, time
from dupfind.commands import indexing
from dupfind.cli.main import run

indexing._BATCH_FILES = 4
indexing.RACY_NS = 0
true, calls = indexing._look, 0

def look(*given):
    global calls
    calls += 1
    if calls == 3:
        os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(60)
    return true(*given)

indexing._look = look
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_and_gone_on_with(number: int, tree: TreeBuilder, dupfind: Run, tmp_path: Path) -> None:
    """Without any cache: the batches that were written are kept, and the rest is read by the next run."""
    drive = tree("drive", {f"{seed:02}.png": pictures.photo(seed, (64, 48)) for seed in range(20)})
    settle(drive)
    arguments = ["index", "drive", "--catalog", "c", "--no-cache"]
    stopped = subprocess.run(
        [sys.executable, "-c", STOPPER, str(int(number)), *arguments],
        cwd=tmp_path, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert stopped.returncode == (-number if number == signal.SIGKILL else 130)
    tree("n", {})
    (tmp_path / "n" / "copy.png").write_bytes((drive / "00.png").read_bytes())
    scan = dupfind("scan", "--haystack", "c", "--needles", "n", "--all")
    assert 0 == scan.returncode
    assert b"c: the catalog is not complete: its indexing was stopped" in scan.stderr
    assert b"8 files, not complete" in scan.stdout
    assert 1 == dupfind("index", "--check", "c").returncode
    done = dupfind(*arguments, "--format", "json")
    summary = json.loads(done.stdout)["summary"]
    assert (0, 20, 12, 8) == (done.returncode, summary["files"], summary["read"], summary["kept"])
    time.sleep(2.1)  # then all files are old enough
    assert 0 == dupfind("index", "--check", "c", "--deep").returncode


def test_names_from_standard_input(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """As find writes them; files are told of as files, without an option."""
    tree("h", {"a": b"1"})
    tree("n", {"a": b"1", "b\nc": b"2", "d/e": b"1"})
    done = dupfind("scan", "--haystack", "h", "--files-from", "-", "--format", "paths", input=b"n/a\0n/b\nc\0n/none\0")
    assert (1, b"n/b\\nc\n") == (done.returncode, done.stdout)
    assert b"n/none: no such file or directory" in done.stderr
    done = dupfind("scan", "--haystack", "h", "--files-from", "-", input=b"n/a\nn/d/e\n")
    assert (0, b"All 2 files are in the haystack.\n") == (done.returncode, done.stdout)
    (tmp_path / "list").write_bytes(b"n/d\nn/a\n")
    arguments = "scan", "--haystack", "h", "--files-from", "list"
    assert b"n/d\n" == dupfind(*arguments, "--only", "contained", "--format", "paths").stdout
    found = json.loads(dupfind(*arguments, "--format", "json").stdout)
    assert ["n/d"] == [one["path"] for one in found["folders"]]
    assert ["n/d/e", "n/a"] == [one["path"] for one in found["files"]]
    assert ["n/d"] == found["settings"]["needles"]


def test_what_an_update_changed_line_by_line(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """All at first; then what came, went, changed or cannot be read, what is only read again is none of it."""
    drive = tree("drive", {"a.txt": b"a", "b.txt": b"b", "c.txt": b"c"})
    done = dupfind("index", "drive", "--catalog", "c", "--format", "paths")
    assert (0, b"drive/a.txt\ndrive/b.txt\ndrive/c.txt\n") == (done.returncode, done.stdout)
    assert b"" == dupfind("index", "drive", "--catalog", "c", "-0").stdout
    (drive / "a.txt").write_bytes(b"other")
    (drive / "b.txt").unlink()
    tree("drive", {"n.txt": b"new", "x.jpg": b"no picture"})
    rows = b"drive/n.txt,new,\ndrive/x.jpg,new,\ndrive/a.txt,changed,\ndrive/b.txt,gone,\n"
    done = dupfind("index", "--check", "c", "drive", "--format", "csv", "--output", "diff.csv")
    assert (1, b"", b"path,change,reason\n" + rows) == (
        done.returncode, done.stdout, (tmp_path / "diff.csv").read_bytes(),
    )  # fmt: skip
    done = dupfind("index", "drive", "--catalog", "c", "-0")
    assert (1, b"drive/n.txt\0drive/a.txt\0drive/b.txt\0drive/x.jpg\0") == (done.returncode, done.stdout)
    assert b"drive/x.jpg: not a picture" in done.stderr
    lines = dupfind("index", "drive", "--catalog", "c", "--format", "jsonl").stdout.splitlines()
    assert [("file", "unreadable"), ("summary", None)] == [
        (one["type"], one.get("change")) for one in map(json.loads, lines)
    ]


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drive", "--catalog", "c", "--output", "drive/o"], "--output drive/o lies under drive, where dupfind never"),
        (["drive", "--catalog", "c", "--output", "c"], "--catalog and --output name the same file: c"),
        (["--check", "c", "--output", "c"], "--output c would replace what --check reads"),
        (["drive", "--catalog", "c", "-0", "--format", "csv"], "-0 prints paths and does not go with --format csv"),
        (["c", "--catalog", "d"], "c: not a folder"),
    ],
)
def test_mistakes_with_outputs(dupfind: Run, tree: TreeBuilder, arguments: list[str], said: str) -> None:
    """Nothing of the drive and no catalog is overwritten; a catalog is no folder to take stock of."""
    collection(tree)
    dupfind("index", "drive", "--catalog", "c")
    done = dupfind("index", *arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert said in done.stderr.decode()
