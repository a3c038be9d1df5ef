"""dupfind groups as the real process: golden output, exit codes, mistakes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from dupfind.report import groups as report
from fixtures import demo, pictures
from tests.conftest import documented

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
COPIES = f"{demo.NEEDLES}/12-25-2006 part 1", f"{demo.HAYSTACK}/2006"


@pytest.fixture
def collection(tree: TreeBuilder) -> Path:
    """A picture, its small copy, a text twice, and another picture."""
    photo = pictures.photo(1, (160, 120))
    folder = tree(
        "c",
        {
            "a.png": photo,
            "b.jpg": photo.resize((80, 60)),
            "d.png": pictures.photo(2, (80, 60)),
            "n.txt": b"notes",
            "n n.txt": b"notes",
        },
    )
    for path in folder.iterdir():
        os.utime(path, (1_500_000_000, 1_500_000_000))
    return folder


@pytest.mark.parametrize(("part", "level"), [("groups", "same"), ("groups similar", "similar")])
def test_the_golden_output(dupfind: Run, demo_trees: Path, part: str, level: str) -> None:
    """What docs/groups.md shows."""
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = dupfind("groups", *COPIES, "--level", level, "-q", cwd=demo_trees, env=environment)
    assert documented("groups.md", part) == done.stdout.decode()
    assert (1, b"") == (done.returncode, done.stderr)


def test_exit_codes(dupfind: Run, collection: Path) -> None:
    """0 without groups, 1 with, and 1 where something could not be looked at."""
    assert 1 == dupfind("groups", "c").returncode
    done = dupfind("groups", "c", "--exclude", "b.jpg", "--exclude", "n n.txt")
    assert (0, b"") == (done.returncode, done.stderr)
    assert b"3 files looked at, 2 pictures among them: no two files are copies of each other.\n" == done.stdout
    (collection / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    done = dupfind("groups", "c", "--exclude", "b.jpg", "--exclude", "n n.txt")
    assert (1, b"dupfind: c/cut.jpg: not a picture in a known format\n") == (done.returncode, done.stderr)


@pytest.mark.usefixtures("collection")
def test_formats(dupfind: Run, tmp_path: Path) -> None:
    """Paths of what is not the best, with NUL too, JSON, its lines, CSV; to a file where that is wanted."""
    done = dupfind("groups", "c", "--format", "paths", "-q")
    assert b"c/b.jpg\nc/n n.txt\n" == done.stdout
    assert b"c/b.jpg\0c/n n.txt\0" == dupfind("groups", "c", "-0").stdout
    whole = json.loads(dupfind("groups", "c", "--format", "json").stdout)
    assert (report.SCHEMA, ["c/a.png", "c/n.txt"]) == (whole["schema"], [one["best"] for one in whole["groups"]])
    assert 3 == len(dupfind("groups", "c", "--format", "jsonl").stdout.splitlines())
    done = dupfind("groups", "c", "--format", "csv", "--output", "out.csv")
    assert (1, b"", 5) == (done.returncode, done.stdout, len((tmp_path / "out.csv").read_text().splitlines()))
    assert b"c/n n.txt\n" == dupfind("groups", "c", "--level", "identical", "--format", "paths").stdout


@pytest.mark.usefixtures("collection")
def test_streams(dupfind: Run) -> None:
    """With -v the stages, on standard error; a terminal without Unicode gets no question marks."""
    done = dupfind("groups", "c", "-v")
    assert b"dupfind: decoding: " in done.stderr
    done = dupfind("groups", "c", "-q", env={"PYTHONIOENCODING": "ascii"})
    assert (b"", False, True) == (done.stderr, b"?" in done.stdout, b"* best" in done.stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'DIR...'"),
        (("nope",), "nope: no such file or directory"),
        (("c/a.png",), "c/a.png: not a folder"),
        (("",), "an empty path is no folder"),
        (("c", "--level", "most"), "--level"),
        (("c", "-0", "--format", "csv"), "-0 prints paths and does not go with --format csv"),
        (("c", "--output", "c/out"), "--output c/out lies under c, where dupfind never writes"),
        (("c", "--threshold", "33"), "--threshold takes 0 to 32 bits, not 33"),
        (("c", "-q", "-v"), "-q and -v contradict each other"),
        (("c", "--cache", "c/cache"), "--cache c/cache lies under c, where dupfind never writes"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("collection")
def test_a_mistake_is_one_clear_message_and_2(dupfind: Run, arguments: tuple[str, ...], message: str) -> None:
    """Wrong usage: nothing on standard output, one line on standard error, no traceback."""
    done = dupfind("groups", *arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_nothing_below_the_folders_is_touched(dupfind: Run, collection: Path) -> None:
    """Not even a time of access that a person would see: names, sizes and times stay."""
    before = {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in collection.iterdir()}
    dupfind("groups", "c", "--level", "similar")
    assert before == {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in collection.iterdir()}
