"""--html and --decisions as the real process: files, exit codes, streams, mistakes."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dupfind.digest import digest_of
from dupfind.report.text import size
from fixtures import pictures
from tests.helpers.report_pages import block, words

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
FIND = ("find", "n/t.txt", "--haystack", "hay")
SCAN = ("scan", "--haystack", "hay", "--needles", "n")


@pytest.fixture
def trees(tree: TreeBuilder) -> Path:
    """A haystack, and needles of which one is similar, one missing and one present."""
    photo = pictures.photo(1, (160, 120))
    tree("hay", {"small.png": photo.resize((120, 90)), "t.txt": b"text"})
    return tree("n", {"a/large.png": photo, "b/other.png": pictures.photo(2, (160, 120)), "t.txt": b"text"})


def side(path: Path) -> dict[str, Any]:
    """A file in a decision."""
    content = path.read_bytes()
    return {"digest": digest_of([content]).hex(), "size_bytes": len(content), "path": str(path)}


def decide(folder: Path, *rows: tuple[str, str, str | None]) -> None:
    """Write decisions as the page exports them."""
    found = [
        {"decision": ruling, "needle": side(folder / needle), "witness": witness and side(folder / witness),
         "evidence": "similar", "distance_bits": 1, "decided": "2026-11-21T12:00:00Z"}
        for ruling, needle, witness in rows
    ]  # fmt: skip
    whole = {"schema": "dupfind.decisions/1", "digest": "blake3", "decisions": found}
    (folder / "d.json").write_text(json.dumps(whole))


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_a_page_besides_the_report(dupfind: Run, tmp_path: Path) -> None:
    """The report and the exit code are what they are without it, whatever else is asked for; and so is the page."""
    plain = dupfind(*SCAN, "--format", "csv")
    for options in ((), ("--no-cache",), ("--paranoid",)):
        done = dupfind(*SCAN, "--format", "csv", "--html", "p.html", *options)
        assert (plain.returncode, plain.stdout, b"") == (done.returncode, done.stdout, done.stderr)
        page = (tmp_path / "p.html").read_bytes()
        assert "2 of 3 files" in words(page)
        assert [one["path"] for one in block(page, "data")["files"]] == ["n/a/large.png", "n/b/other.png"]
        assert len(block(page, "pictures")) == 3
    dupfind(*SCAN, "--only", "contained", "--html", "p.html", "--html-pictures", "1")
    page = (tmp_path / "p.html").read_bytes()
    assert len(block(page, "pictures")) == 2
    assert "1 file has no picture here" in words(page)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "hay", "n", "p.html"]


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_a_page_of_groups(dupfind: Run, tmp_path: Path) -> None:
    """Likewise."""
    plain = dupfind("groups", "hay", "n", "--accept", "similar")
    done = dupfind("groups", "hay", "n", "--accept", "similar", "--html", "p.html")
    assert (plain.returncode, plain.stdout, b"") == (done.returncode, done.stdout, done.stderr)
    page = (tmp_path / "p.html").read_bytes()
    assert [len(group["members"]) for group in block(page, "data")["groups"]] == [2, 2]
    assert len(block(page, "pictures")) == 2
    assert dupfind("groups", "n", "--html", "p.html").returncode == 0
    assert "Nothing belongs together among 3 files" in words((tmp_path / "p.html").read_bytes())


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_a_page_of_single_pictures(dupfind: Run, tmp_path: Path) -> None:
    """Likewise, also of standard input; what was asked for is shown beside what was found."""
    find = ("find", "n/a/large.png", "n/b/other.png", "-", "gone.png", "--haystack", "hay")
    data = (tmp_path / "n" / "a" / "large.png").read_bytes()
    plain = dupfind(*find, "--format", "json", input=data)
    for options in ((), ("--no-cache",), ("--rescan",)):
        done = dupfind(*find, "--format", "json", "--html", "p.html", *options, input=data)
        assert (plain.returncode, plain.stdout, plain.stderr) == (done.returncode, done.stdout, done.stderr)
        page = (tmp_path / "p.html").read_bytes()
        assert "0 of 4 pictures were seen before" in words(page)
        images = block(page, "data")["images"]
        assert [one["path"] for one in images] == ["n/a/large.png", "n/b/other.png", "standard input", "gone.png"]
        assert [[near["path"] for near in one["near"]] for one in images] == [["hay/small.png"]] * 3 + [[]]
        assert len(block(page, "pictures")) == 4
        sights = block(page, "data")["sights"]
        assert sights[images[2]["at"]]["width"] == sights[images[0]["at"]]["width"] == 160
    dupfind(*find, "--html", "p.html", "--html-pictures", "2", input=data)
    page = (tmp_path / "p.html").read_bytes()
    assert len(block(page, "pictures")) == 2
    assert "2 files have no picture here" in words(page)
    done = dupfind("find", "n/a/large.png", "--haystack", "hay", "--accept", "similar", "--html", "p.html")
    assert done.returncode == 0
    assert "The picture was seen before" in words((tmp_path / "p.html").read_bytes())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "hay", "n", "p.html"]


@pytest.mark.mostly_slow(fast=6)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SCAN, "--html", "n/p.html"), "--html n/p.html lies under n, where dupfind never writes"),
        ((*SCAN, "--html", "hay"), "--html hay"),
        ((*SCAN, "--html", "no/p.html"), "--html no/p.html: there is no such folder"),
        ((*SCAN, "--html", "p", "--save", "./p"), "--save and --html name the same file: p"),
        ((*SCAN, "--html", "p", "--html-pictures", "-1"), "--html-pictures takes a number, 0 to 20,000, not -1"),
        ((*SCAN, "--html", "p", "--html-pictures", "20001"), "--html-pictures takes a number, 0 to 20,000, not 20001"),
        ((*SCAN, "--html-pictures", "1"), "--html-pictures goes with --html"),
        (("groups", "n", "--html-pictures", "2000"), "--html-pictures goes with --html"),
        (("groups", "n", "--html", "n/p.html"), "--html n/p.html lies under n, where dupfind never writes"),
        (("groups", "n", "--html", "p", "--output", "p"), "--output and --html name the same file: p"),
        ((*FIND, "--html-pictures", "5"), "--html-pictures goes with --html"),
        ((*FIND, "--html", "hay/p.html"), "--html hay/p.html lies under hay, where dupfind never writes"),
        ((*FIND, "--html", "p", "--output", "p"), "--output and --html name the same file: p"),
        ((*FIND, "--html", "n/t.txt"), "--html n/t.txt would replace a file that dupfind is to look at"),
        ((*FIND, "--output", "./n/t.txt"), "--output ./n/t.txt would replace a file that dupfind is to look at"),
        ((*FIND, "--html", "n/b/other.png"), "--html n/b/other.png: there is a file that is no page"),
        ((*SCAN, "--decisions", "none.json"), "--decisions none.json: no such file or directory"),
        ((*SCAN, "--decisions", "hay/t.txt"), "--decisions hay/t.txt: not JSON"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("trees")
def test_mistakes(dupfind: Run, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """One clear line before any work, and 2."""
    done = dupfind(*arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()
    assert not (tmp_path / "p").exists()
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("trees")
def test_a_page_that_cannot_be_written(dupfind: Run) -> None:
    """Is no page, and no verdict."""
    done = dupfind(*SCAN, "--html", "/dev/full")
    assert done.returncode == 2
    assert b"/dev/full: no space left on device; the report was not written" in done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_decisions(dupfind: Run, tmp_path: Path) -> None:
    """Every format says which verdicts rest on a word; the exit code is 0 when all is there or not wanted."""
    before = json.loads(dupfind(*SCAN, "--format", "json").stdout)
    decide(tmp_path, ("same", "n/a/large.png", "hay/small.png"), ("not-wanted", "n/b/other.png", None))
    done = dupfind(*SCAN, "--decisions", "d.json")
    assert (0, b"") == (done.returncode, done.stderr)
    assert done.stdout.decode().startswith(
        "All 3 files are in the haystack or not wanted: every needle folder is contained.\n"
        "On your word: 1 the same picture, 1 not wanted (--decisions).\n"
    )
    table = dupfind(*SCAN, "--decisions", "d.json", "--all").stdout.decode().splitlines()
    assert table[0].split() == ["Verdict", "Present", "On", "your", "word", "Size", "Folder"]
    assert table[2].split()[:6] == ["✓", "contained", "2", "of", "3", "2"]
    files = dupfind(*SCAN, "--decisions", "d.json", "--files", "--all").stdout.decode()
    assert "- the same picture as hay/small.png on your word, 2026-11-21" in files
    assert "✎ unwanted" in files
    assert "- not wanted on your word, 2026-11-21" in files
    assert dupfind(*SCAN, "--decisions", "d.json", "--files", "--format", "paths").stdout == b""
    only = dupfind(*SCAN, "--decisions", "d.json", "--files", "--format", "paths", "--only", "unwanted").stdout
    assert only == b"n/b/other.png\n"
    after = json.loads(dupfind(*SCAN, "--decisions", "d.json", "--format", "json").stdout)
    assert after["summary"]["files"] == {
        **before["summary"]["files"],
        "present": 2,
        "similar": 0,
        "missing": 0,
        "unwanted": 1,
    }
    assert [one["decision"] for one in after["files"]] == [None, "same", "not-wanted"]
    assert [(one["unwanted"], one["decided"]) for one in after["folders"]] == [(1, 2), (0, 1), (1, 1)]
    keys = [{*one} - {*other} for one, other in zip(after["files"], before["files"], strict=True)]
    assert keys == [{"decision"}] * 3
    rows = dupfind(*SCAN, "--decisions", "d.json", "--files", "--all", "--format", "csv").stdout.decode()
    assert [row["decision"] for row in csv.DictReader(rows.splitlines())] == ["", "same", "not-wanted"]
    rows = dupfind(*SCAN, "--decisions", "d.json", "--all", "--format", "csv").stdout.decode()
    assert [(row["unwanted"], row["decided"]) for row in csv.DictReader(rows.splitlines())] == [("1", "2")]
    saved = dupfind(*SCAN, "--decisions", "d.json", "--save", "s.json")
    assert saved.returncode == 0
    assert dupfind(*SCAN, "--decisions", "d.json", "--baseline", "s.json").stdout == b""


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_a_split_pair_is_told_of(dupfind: Run, tmp_path: Path) -> None:
    """In every format and on the page, which offers no option that would bring the pair back; totals agree."""
    decide(tmp_path, ("different", "n/a/large.png", "hay/small.png"), ("not-wanted", "n/b/other.png", None))
    said = "you have said that it differs from hay/small.png, 2026-11-21"
    done = dupfind(*SCAN, "--decisions", "d.json", "--html", "p.html")
    assert (1, b"") == (done.returncode, done.stderr)
    table = done.stdout.decode()
    assert "On your word: 1 different, 1 not wanted (--decisions).\n" in table
    assert f"- {said}" in dupfind(*SCAN, "--decisions", "d.json", "--files").stdout.decode()
    whole = json.loads(dupfind(*SCAN, "--decisions", "d.json", "--format", "json").stdout)
    (large,) = (one for one in whole["files"] if one["path"] == "n/a/large.png")
    assert (large["verdict"], large["reason"], large["decision"]) == ("missing", said, "different")
    left = sum(one["size_bytes"] for one in whole["files"] if one["verdict"] == "missing")
    assert next(one for one in whole["folders"] if one["path"] == "n")["bytes_not_present"] == left
    assert f"1 of 3 files ({size(left)}) is not in the haystack" in table
    rows = dupfind(*SCAN, "--decisions", "d.json", "--files", "--format", "csv").stdout.decode()
    assert [(row["reason"], row["decision"]) for row in csv.DictReader(rows.splitlines())] == [(said, "different")]
    page = (tmp_path / "p.html").read_bytes()
    assert "0 files as the same picture, 1 file as different and 1 file as not wanted" in words(page)
    (row,) = block(page, "data")["files"]
    assert (row["reason"], row["split"]) == (said, block(page, "data")["given"][0]["needle"]["digest"])
    assert "--accept" not in row["why"]
    assert [one["word"] for one in block(page, "data")["decided"]] == ["not-wanted"]


@pytest.mark.usefixtures("trees")
def test_decisions_on_what_is_not_there(dupfind: Run, tmp_path: Path) -> None:
    """A line on standard error, and the verdicts of the scan itself."""
    decide(tmp_path, ("same", "n/a/large.png", "hay/small.png"))
    (tmp_path / "hay" / "small.png").unlink()
    done = dupfind(*SCAN, "--decisions", "d.json")
    assert done.returncode == 1
    assert b"No verdict rests on your word.\n" in done.stdout
    assert done.stderr == b"dupfind: warning: 1 of 1 decisions is about files that this scan did not meet\n"
