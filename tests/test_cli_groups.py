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
from tests.helpers.places import documented

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


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize(("part", "level"), [("groups", "same"), ("groups similar", "similar")])
def test_the_golden_output(dupfind: Run, demo_trees: Path, demo_cache: str, part: str, level: str) -> None:
    """What docs/groups.md shows."""
    environment = {"DUPFIND_CACHE": demo_cache}
    done = dupfind("groups", *COPIES, "--accept", level, "-q", cwd=demo_trees, env=environment)
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


@pytest.mark.slow
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
    assert b"c/n n.txt\n" == dupfind("groups", "c", "--accept", "identical", "--format", "paths").stdout
    assert b"c/n n.txt\n" == dupfind("groups", "c", "--level", "identical", "--format", "paths").stdout  # its old name


@pytest.mark.slow
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
        (("c", "--accept", "most"), "--accept"),
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
    dupfind("groups", "c", "--accept", "similar")
    assert before == {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in collection.iterdir()}


def test_a_list_of_files(dupfind: Run, collection: Path, tmp_path: Path) -> None:
    """Beside folders and alone; junk skipped, each file once, what cannot be had named, the trash not trusted."""
    (collection / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (tmp_path / "Trash").mkdir()
    (tmp_path / "Trash" / "old notes.txt").write_bytes(b"notes")
    names = b"c/n.txt\0./c/n n.txt\0c/../c/n.txt\0c/.DS_Store\0none\0Trash/old notes.txt\0"
    done = dupfind("groups", "--files-from", "-", "--format", "json", input=names)
    assert 1 == done.returncode
    found = json.loads(done.stdout)
    assert (2, ["c/n.txt", "./c/n n.txt"]) == (
        found["summary"]["files"], [one["path"] for one in found["groups"][0]["members"]],
    )  # fmt: skip
    assert [
        "dupfind: none: no such file or directory",
        "dupfind: Trash/old notes.txt: trash folder: not trusted as haystack",
    ] == done.stderr.decode().splitlines()
    (tmp_path / "o.txt").write_bytes(b"notes")
    done = dupfind(
        "groups", "c", "--files-from", "-", "--accept", "identical", "--format", "paths", input=b"o.txt\nc\n"
    )
    assert (1, b"c/n n.txt\no.txt\n") == (done.returncode, done.stdout)
    done = dupfind("groups", "--files-from", "-", "--output", "o.txt", input=b"o.txt\n")
    assert (2, b"dupfind: --output o.txt would replace a file that dupfind is to look at\n") == (
        done.returncode, done.stderr,
    )  # fmt: skip
    done = dupfind("groups", "--files-from", "-", input=b"")
    assert (0, b"dupfind: warning: there are no files to look at\n") == (done.returncode, done.stderr)


def test_a_link_out_of_the_folder_is_not_the_best(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """What is deleted on the word of a group may be the folder's only file; a larger one outside is named as such."""
    photo = pictures.photo(1, (160, 120))
    tree("out", {"real.png": photo, "small.png": photo.resize((80, 60))})
    tree("c", {})
    os.utime(tmp_path / "out" / "real.png", (1, 1))
    (tmp_path / "c" / "copy.png").write_bytes((tmp_path / "out" / "real.png").read_bytes())
    (tmp_path / "c" / "l.png").symlink_to(tmp_path / "out" / "real.png")
    done = dupfind("groups", "c", "--follow-symlinks", "--format", "json")
    (group,) = json.loads(done.stdout)["groups"]
    assert ("c/copy.png", "the others lead out of the folders") == (group["best"], group["why_best"])
    (tmp_path / "c" / "copy.png").write_bytes((tmp_path / "out" / "small.png").read_bytes())
    done = dupfind("groups", "c", "--follow-symlinks", "--format", "json")
    (group,) = json.loads(done.stdout)["groups"]
    why = "most pixels; a link to what lies in none of the folders"
    assert ("c/l.png", why) == (group["best"], group["why_best"])


def test_a_source_without_loss_is_better_than_its_jpeg(dupfind: Run, tree: TreeBuilder) -> None:
    """Of equal size, whatever tags the JPEG was given and however old it is; not if it alone tells its time."""
    folder = tree("c", {"source.png": pictures.photo(1, (160, 120))})
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    pictures.photo(1, (160, 120)).save(folder / "export.jpg", quality=90, exif=exif)
    os.utime(folder / "export.jpg", (1, 1))
    (group,) = json.loads(dupfind("groups", "c", "--format", "json").stdout)["groups"]
    assert ("c/source.png", "lossless format") == (group["best"], group["why_best"])
    exif.get_ifd(0x8769)[0x9003] = "2017:07:18 15:31:30"
    pictures.photo(1, (160, 120)).save(folder / "export.jpg", quality=90, exif=exif)
    (group,) = json.loads(dupfind("groups", "c", "--format", "json").stdout)["groups"]
    assert ("c/export.jpg", "most metadata") == (group["best"], group["why_best"])


@pytest.mark.slow
def test_a_catalog(dupfind: Run, collection: Path, tmp_path: Path) -> None:
    """In the place of its folder, in every format; the page says that there is no picture to show."""
    dupfind("index", "c", "--catalog", "k")
    collection.rename(tmp_path / "gone")
    done = dupfind("groups", "k", "--accept", "similar", "--html", "page.html")
    assert 1 == done.returncode
    assert b"k/a.png\n" in done.stdout
    assert f"k stands for {tmp_path}/c as it was ".encode() in done.stdout
    page = (tmp_path / "page.html").read_text()
    assert "its catalog holds none" in page
    assert "k stands for " in page
    done = dupfind("groups", "k", "-0")
    assert b"k/n n.txt\0" == done.stdout  # its pictures look alike, and nothing can compare them
    done = dupfind("groups", "k", "-0", "--accept", "similar")
    assert b"k/b.jpg\0" in done.stdout
    assert b"dupfind: k stands for " in done.stderr
    (told,) = json.loads(dupfind("groups", "k", "--format", "json").stdout)["catalogues"]
    assert ("k", str(tmp_path / "c")) == (told["path"], told["root"])
    done = dupfind("groups", "k", "gone")
    assert (2, b"dupfind: gone is the folder that the catalog k lists\n") == (done.returncode, done.stderr)
    done = dupfind("groups", "k", "--output", "k")
    assert (2, b"dupfind: --output k lies under k, where dupfind never writes\n") == (done.returncode, done.stderr)
