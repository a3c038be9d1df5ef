"""dupfind find as the real process: golden output, exit codes, standard input, mistakes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from dupfind.report.find import SCHEMA
from fixtures import demo, pictures
from tests.helpers.places import documented

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


@pytest.fixture
def photos(tree: TreeBuilder, tmp_path: Path) -> Path:
    """A haystack of three photos, and images beside it."""
    photo = pictures.photo(0, (320, 240))
    tree("hay", {"a.png": photo, "b.png": pictures.photo(1, (320, 240)), "sub/c.png": pictures.photo(2, (320, 240))})
    tree(
        "images",
        {
            "copy.jpg": photo,
            "small.jpg": photo.resize((160, 120)),
            "large.png": photo.resize((640, 480)),
            "new.png": pictures.photo(9, (320, 240)),
            "no.txt": b"no picture",
        },
    )
    return tmp_path


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize(("part", "images", "code"), [
    ("find", ("Josie_Backup/Summer 2007/beach 2.jpg",), 0),
    ("find not seen", ("Josie_Backup/12-25-2006 part 1/IMG_0416.JPG", "-k", "2"), 1),
])  # fmt: skip
def test_the_golden_output(
    dupfind: Run, demo_trees: Path, demo_cache: str, part: str, images: tuple[str, ...], code: int
) -> None:
    """What docs/find.md shows."""
    options = {"cwd": demo_trees, "env": {"DUPFIND_CACHE": demo_cache}}
    done = dupfind("find", *images, "--haystack", demo.HAYSTACK, "-q", **options)
    assert (code, b"") == (done.returncode, done.stderr)
    assert documented("find.md", part) == done.stdout.decode()


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("images/copy.jpg",), 0),
        (("images/copy.jpg", "images/small.jpg"), 0),
        (("images/copy.jpg", "images/new.png"), 1),
        (("images/large.png",), 1),
        (("images/large.png", "--accept", "similar"), 0),
        (("images/copy.jpg", "--accept", "identical"), 1),
        (("hay/a.png",), 1),
        (("images/no.txt",), 1),
        (("images/nope.png",), 2),
        (("images/copy.jpg", "images/nope.png"), 2),
        (("images/new.png", "images/nope.png", "images/copy.jpg"), 2),
        (("images/nope.png", "--html", "page.html"), 2),
        (("images/copy.jpg/nope.png",), 2),
        (("n" * 300,), 2),
        (("",), 2),
        (("images",), 2),
        (("images/copy.jpg", "-k", "0"), 2),
        (("images/copy.jpg", "--threshold", "33"), 2),
        (("images/copy.jpg", "-0", "--format", "csv"), 2),
        (("images/copy.jpg", "--output", "hay/report"), 2),
        (("images/copy.jpg", "-q", "-v"), 2),
        (("images/copy.jpg", "--haystack", "nowhere"), 2),
        ((), 2),
    ],
)
def test_exit_codes(dupfind: Run, arguments: tuple[str, ...], code: int) -> None:
    """0 when every image was seen, 1 when not, 2 for wrong usage or a name without a file; never a traceback."""
    done = dupfind("find", "--haystack", "hay", *arguments)
    assert code == done.returncode
    assert b"Traceback" not in done.stderr
    assert (code == 2) <= bool(done.stderr)


def test_without_a_haystack(dupfind: Run, photos: Path) -> None:
    """It is asked for."""
    done = dupfind("find", photos / "images" / "copy.jpg")
    assert (2, b"") == (done.returncode, done.stdout)
    assert b"--haystack is needed" in done.stderr


def test_standard_input(dupfind: Run, photos: Path) -> None:
    """A picture that is not kept yet."""
    data = (photos / "images" / "copy.jpg").read_bytes()
    done = dupfind("find", "-", "--haystack", "hay", "--format", "json", input=data)
    whole = json.loads(done.stdout)
    (image,) = whole["images"]
    assert (0, SCHEMA, "-", True) == (done.returncode, whole["schema"], image["image"], image["seen"])
    assert ("hay/a.png", "same") == (image["nearest"][0]["path"], image["nearest"][0]["evidence"])
    done = dupfind("find", "-", "--haystack", "hay", input=b"")
    assert (1, b"dupfind: -: empty file\n") == (done.returncode, done.stderr)


def test_an_image_that_cannot_be_looked_at(dupfind: Run, photos: Path) -> None:
    """One line on standard error for each, and the others are looked for."""
    done = dupfind("find", "images/no.txt", "gone.jpg", "images/copy.jpg", "--haystack", "hay", "--format", "paths")
    assert (2, b"hay/a.png\n") == (done.returncode, done.stdout)
    lines = done.stderr.decode().splitlines()
    assert ["dupfind: images/no.txt: ", "dupfind: gone.jpg: no such file or directory"] == [
        lines[0][:24],
        lines[1],
    ]
    (photos / "hay" / "same.txt").write_bytes(b"no picture")
    done = dupfind("find", "images/no.txt", "--haystack", "hay", "-0")
    assert (0, b"hay/same.txt\0", b"") == (done.returncode, done.stdout, done.stderr)
    shown = dupfind("find", "images/no.txt", "--haystack", "hay").stdout.decode().splitlines()
    assert ["✓ seen  images/no.txt", "  compared by its bytes only: not a picture in a known format"] == shown[:2]
    assert "could not be looked at" not in "".join(shown)


@pytest.mark.slow
def test_a_haystack_of_nothing_else(dupfind: Run, tree: TreeBuilder) -> None:
    """The image is its only picture: no distance is to blame, and it is not said to hold none."""
    tree("h", {"a.png": pictures.photo(0, (320, 240)), "a.txt": b"a"})
    tree("i", {"b.png": pictures.photo(1, (320, 240))})
    for threshold in ((), ("--threshold", "3")):
        done = dupfind("find", "h/a.png", "--haystack", "h", *threshold)
        assert done.stdout.decode().endswith("\n  the haystack holds no other picture\n")
    done = dupfind("find", "i/b.png", "--haystack", "h", "--threshold", "0")
    assert done.stdout.decode().endswith("\n  nothing in the haystack is as near as that\n")
    done = dupfind("explain", "h/a.png", "--haystack", "h")
    assert done.stdout.decode().endswith("\n  the haystack holds no other picture\n")


@pytest.mark.slow
def test_warm_and_with_output(dupfind: Run, photos: Path) -> None:
    """The same answer from what is remembered; written whole to a file; nothing below the haystack is touched."""
    before = sorted((path, path.stat().st_mtime_ns) for path in photos.joinpath("hay").rglob("*"))
    command = "find", "images/copy.jpg", "--haystack", "hay", "--format", "json"
    first = dupfind(*command)
    second = dupfind(*command, "--output", "out.json", "--rescan")
    assert (first.stdout, b"") == ((photos / "out.json").read_bytes(), second.stdout)
    assert first.stdout == dupfind(*command, "--no-cache").stdout == dupfind(*command).stdout
    assert before == sorted((path, path.stat().st_mtime_ns) for path in photos.joinpath("hay").rglob("*"))
    assert b"1 snapshot" in dupfind("cache", "info").stdout


@pytest.mark.skipif(os.name != "posix", reason="bytes in names")
def test_names_that_are_no_text(dupfind: Run, photos: Path) -> None:
    """Found and printed as they are."""
    (photos / "hay" / os.fsdecode(b"\xff.png")).write_bytes((photos / "images" / "copy.jpg").read_bytes())
    done = dupfind("find", "images/copy.jpg", "--haystack", "hay", "-0", "-k", "1")
    assert (0, b"hay/\xff.png\0") == (done.returncode, done.stdout)


@pytest.mark.usefixtures("photos")
def test_standard_input_that_is_a_file_of_the_haystack(dupfind: Run, tmp_path: Path) -> None:
    """It is no witness of itself by that way either; a copy elsewhere has one."""
    with (tmp_path / "hay" / "a.png").open("rb") as file:
        assert 1 == dupfind("find", "-", "--haystack", "hay", stdin=file).returncode
    with (tmp_path / "images" / "copy.jpg").open("rb") as file:
        assert 0 == dupfind("find", "-", "--haystack", "hay", stdin=file).returncode


def test_images_of_a_list(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """After those of the command line; each once, no junk, what cannot be had named; an empty list is no mistake."""
    tree("hay", {"a.txt": b"notes", "b.txt": b"other"})
    tree("n", {"x.txt": b"notes", "y.txt": b"other", ".DS_Store": b"\0\0\0\1Bud1"})
    names = b"n/y.txt\nn/../n/y.txt\nn/x.txt\nn/.DS_Store\nnone\nn\n"
    done = dupfind("find", "n/x.txt", "--haystack", "hay", "--files-from", "-", "--format", "json", input=names)
    assert 2 == done.returncode
    assert ["n/x.txt", "n/y.txt", "none", "n"] == [one["image"] for one in json.loads(done.stdout)["images"]]
    assert b"dupfind: none: no such file or directory\n" in done.stderr
    assert b"dupfind: n: is a folder: name its files here" in done.stderr.replace(b"n is a folder", b"n: is a folder")
    assert 0 == dupfind("find", "--haystack", "hay", "--files-from", "-", input=b"n/x.txt\0n/y.txt\0").returncode
    done = dupfind("find", "--haystack", "hay", "--files-from", "-", input=b"")
    assert (0, b"dupfind: warning: the list names no pictures\n") == (done.returncode, done.stderr)
    done = dupfind("find", "-", "--haystack", "hay", "--files-from", "-", input=b"")
    assert (2, b"dupfind: standard input cannot be a picture and a list\n") == (done.returncode, done.stderr)
    before = (tmp_path / "n" / "x.txt").read_bytes()
    done = dupfind("find", "n/x.txt", "--haystack", "hay", "--output", "n/x.txt")
    assert (2, b"dupfind: --output n/x.txt would replace a file that dupfind is to look at\n") == (
        done.returncode, done.stderr,
    )  # fmt: skip
    assert before == (tmp_path / "n" / "x.txt").read_bytes()
