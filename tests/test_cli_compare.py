"""dupfind compare as the real process: golden output, exit codes, mistakes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from dupfind.report.compare import SCHEMA
from fixtures import demo, pictures
from tests.helpers.places import documented

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


@pytest.fixture
def photos(tree: TreeBuilder) -> Path:
    """A photo, a copy of it, its bytes, another photo, a small copy, no picture."""
    photo = pictures.photo(0, (320, 240))
    folder = tree(
        "p",
        {
            "a.png": photo,
            "copy.jpg": photo,
            "other.png": pictures.photo(1, (320, 240)),
            "small.png": photo.resize((160, 120)),
            "no.txt": b"no picture",
        },
    )
    (folder / "twin.png").write_bytes((folder / "a.png").read_bytes())
    return folder


def test_the_golden_output(dupfind: Run, demo_trees: Path, demo_cache: str) -> None:
    """What docs/compare.md shows, with its drawing."""
    options = {"cwd": demo_trees, "env": {"DUPFIND_CACHE": demo_cache}}
    names = f"{demo.HAYSTACK}/2006/2006-12 Christmas/tree 06.jpg", f"{demo.NEEDLES}/12-25-2006 part 1/IMG_0416.JPG"
    done = dupfind("compare", *names, "--visual", **options)
    assert (1, b"") == (done.returncode, done.stderr)
    assert documented("compare.md", "compare visual") == done.stdout.decode()


@pytest.mark.mostly_slow(fast=3)
@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("a.png", "copy.jpg"), 0),
        (("a.png", "twin.png", "copy.jpg", "--accept", "identical"), 1),
        (("a.png", "copy.jpg", "other.png", "--accept", "similar"), 1),
        (("a.png", "small.png", "--accept", "same"), 0),
        (("small.png", "a.png"), 0),
        (("a.png", "small.png", "--accept", "identical"), 1),
        (("a.png", "small.png", "twin.png", "--accept", "similar"), 0),
        (("a.png", "other.png", "no.txt"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_exit_codes(dupfind: Run, tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    """0 when all are accepted, a better copy too; 1 when not; 2 when one could not be looked at."""
    done = dupfind("compare", *arguments, cwd=tmp_path / "p")
    assert code == done.returncode
    assert (b"dupfind: no.txt: not a picture in a known format\n" if code == 2 else b"") == done.stderr
    assert (b"\n" + done.stdout).count(b"\n  A  ") == sum("." in one for one in arguments) - 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'A B [C...]'"),
        (("a.png",), "two files are needed at least: what is a.png to be compared with?"),
        (("a.png", "nope.jpg"), "nope.jpg: no such file or directory"),
        (("a.png", "../p"), "../p is a folder"),
        (("a.png", "./a.png"), "there is nothing to compare a.png with but itself"),
        (("a.png", "copy.jpg", "-0", "--format", "json"), "-0 prints paths and does not go with --format json"),
        (("a.png", "copy.jpg", "-0", "--visual"), "--visual draws into a table and does not go with --format paths"),
        (("a.png", "copy.jpg", "-q", "-v"), "-q and -v contradict each other"),
        (("a.png", "copy.jpg", "--threshold", "3"), "No such option"),
    ],
    ids=lambda value: " ".join(value)[-30:] if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("photos")
def test_a_mistake_is_one_clear_message_and_2(
    dupfind: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Wrong usage: nothing on standard output, the reason on standard error, no traceback."""
    done = dupfind("compare", *arguments, cwd=tmp_path / "p")
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.usefixtures("photos")
def test_the_first_one_is_never_among_the_others(dupfind: Run, tmp_path: Path) -> None:
    """By a glob, a link or a hard-linked folder: it proves nothing of itself, and is not in the list of what may go."""
    os.symlink("a.png", tmp_path / "p" / "link.png")
    names = ["a.png", "a.png", "link.png", "copy.jpg", "./copy.jpg", "twin.png", "other.png"]
    done = dupfind("compare", *names, "--format", "paths", cwd=tmp_path / "p")
    assert (1, b"copy.jpg\ntwin.png\n") == (done.returncode, done.stdout)
    lines = [
        "dupfind: warning: a.png is a.png itself and proves nothing: left out",
        "dupfind: warning: link.png is a.png itself and proves nothing: left out",
    ]
    assert lines == done.stderr.decode().splitlines()


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_what_is_not_there_costs_its_own_pair(dupfind: Run, tmp_path: Path) -> None:
    """The others are reported all the same, each in its place; without the first there is nothing to report."""
    names = "a.png", "gone.png", "copy.jpg", ".", "twin.png"
    done = dupfind("compare", *names, cwd=tmp_path / "p")
    lines = done.stdout.decode().splitlines()
    assert (2, ["gone.png", "copy.jpg", ".", "twin.png"]) == (
        done.returncode, [line[5:] for line in lines if line[:3] in ("  B", "  C", "  D", "  E")],
    )  # fmt: skip
    assert "     no such file or directory" in lines
    assert "dupfind: gone.png: no such file or directory" == done.stderr.decode().splitlines()[0]
    whole = json.loads(dupfind("compare", *names, "--format", "json", cwd=tmp_path / "p").stdout)
    assert ["a.png", *names[1:]] == [one["path"] for one in whole["files"]]
    assert [None, "same", None, "identical"] == [pair["evidence"] for pair in whole["pairs"]]
    assert (False, None, "no such file or directory") == (
        whole["accepted"], whole["files"][1]["size_bytes"], whole["files"][1]["error"],
    )  # fmt: skip
    done = dupfind("compare", *names, "--format", "paths", cwd=tmp_path / "p")
    assert (2, b"copy.jpg\ntwin.png\n") == (done.returncode, done.stdout)
    done = dupfind("compare", "gone.png", "a.png", "copy.jpg", cwd=tmp_path / "p")
    assert (2, b"", b"dupfind: gone.png: no such file or directory\n") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_formats(dupfind: Run, tmp_path: Path) -> None:
    """JSON is one object; paths end in NUL where that is asked for."""
    names = ("a.png", "copy.jpg", "other.png")
    whole = json.loads(dupfind("compare", *names, "--format", "json", cwd=tmp_path / "p").stdout)
    assert SCHEMA == whole["schema"]
    assert ["same", None] == [pair["evidence"] for pair in whole["pairs"]]
    assert b"copy.jpg\0" == dupfind("compare", *names, "-0", cwd=tmp_path / "p").stdout
    for kind, lines in (("jsonl", 6), ("csv", 3)):
        done = dupfind("compare", *names, "--format", kind, cwd=tmp_path / "p")
        assert (1, lines) == (done.returncode, len(done.stdout.splitlines()))


def test_others_of_a_list(dupfind: Run, tmp_path: Path) -> None:
    """A is named on the command line, the others may be listed; what cannot be had costs its own pair."""
    photo = pictures.photo(1, (160, 120))
    photo.save(tmp_path / "a.png")
    photo.save(tmp_path / "b.jpg", quality=95)
    pictures.photo(2, (160, 120)).save(tmp_path / "c.png")
    (tmp_path / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    done = dupfind("compare", "a.png", "--files-from", "-", "--format", "paths", input=b"b.jpg\n.DS_Store\nc.png\n")
    assert (1, b"b.jpg\n") == (done.returncode, done.stdout)
    done = dupfind("compare", "a.png", "--files-from", "-", input=b"")
    assert (2, True) == (done.returncode, b"two files are needed at least" in done.stderr)
    done = dupfind("compare", "--files-from", "-", input=b"a.png\nb.jpg\n")
    assert (2, True) == (done.returncode, b"Missing argument 'A B [C...]'" in done.stderr)
