"""dupfind sort as the real process: golden output, exit codes, mistakes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from dupfind.report import sort as report
from fixtures import demo, pictures
from tests.helpers.places import documented

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


@pytest.fixture
def collection(tree: TreeBuilder) -> Path:
    """Two scenes, each twice, and what is no picture."""
    content = {f"{seed}.{kind}": pictures.photo(seed, (80, 60)) for seed in (1, 2) for kind in ("png", "webp")}
    return tree("c", {**content, "notes.txt": b"notes"})


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize(
    ("part", "arguments"),
    [
        ("sort", (f"{demo.HAYSTACK}/2006", "--format", "table")),
        ("sort like", (f"{demo.HAYSTACK}/2007", "--like", f"{demo.NEEDLES}/Summer 2007/beach 2.jpg",
                       "--format", "table")),
    ],
)  # fmt: skip
def test_the_golden_output(
    dupfind: Run, demo_trees: Path, demo_cache: str, part: str, arguments: tuple[str, ...]
) -> None:
    """What docs/sort.md shows."""
    environment = {"DUPFIND_CACHE": demo_cache}
    done = dupfind("sort", *arguments, "-q", cwd=demo_trees, env=environment)
    assert documented("sort.md", part) == done.stdout.decode()
    assert (0, b"") == (done.returncode, done.stderr)


@pytest.mark.slow
@pytest.mark.usefixtures("collection")
def test_formats(dupfind: Run, tmp_path: Path) -> None:
    """Paths are the default; what is alike stands together in all of them."""
    done = dupfind("sort", "c")
    paths = done.stdout.decode().splitlines()
    assert (0, b"", 4) == (done.returncode, done.stderr, len(paths))
    assert ["1", "1", "2", "2"] == sorted(path[2] for path in paths)
    assert paths[0][2] == paths[1][2]
    assert "\0".join([*paths, ""]) == dupfind("sort", "c", "-0").stdout.decode()
    whole = json.loads(dupfind("sort", "c", "--format", "json").stdout)
    assert (report.SCHEMA, paths) == (whole["schema"], [one["path"] for one in whole["pictures"]])
    assert 5 == len(dupfind("sort", "c", "--format", "jsonl").stdout.splitlines())
    dupfind("sort", "c", "--format", "csv", "--output", "out.csv")
    assert 5 == len((tmp_path / "out.csv").read_text().splitlines())
    done = dupfind("sort", "c", "--like", "c/2.webp", "--format", "table")
    assert done.stdout.decode().splitlines()[2] == "       0  c/2.webp"


def test_an_unreadable_picture_is_told(dupfind: Run, collection: Path) -> None:
    """It has no place, and the exit code says so."""
    (collection / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    done = dupfind("sort", "c")
    assert (1, b"dupfind: c/cut.jpg: not a picture in a known format\n") == (done.returncode, done.stderr)
    assert 4 == len(done.stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'DIR...'"),
        (("nope",), "nope: no such file or directory"),
        (("c", "--like", "nope.jpg"), "nope.jpg: no such file or directory"),
        (("c", "--like", "c"), "c is a folder"),
        (("c", "--like", "c/notes.txt"), "c/notes.txt: not a picture in a known format"),
        (("c", "-0", "--format", "json"), "-0 prints paths and does not go with --format json"),
        (("c", "--output", "c/out"), "--output c/out lies under c, where dupfind never writes"),
        (("c", "-q", "-v"), "-q and -v contradict each other"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("collection")
def test_a_mistake_is_one_clear_message_and_2(dupfind: Run, arguments: tuple[str, ...], message: str) -> None:
    """Wrong usage: nothing on standard output, one line on standard error, no traceback."""
    done = dupfind("sort", *arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_a_list_and_a_catalog(dupfind: Run, tree: TreeBuilder, tmp_path: Path) -> None:
    """What a list names is sorted as what a folder holds; a catalog stands for its folder, in every format."""
    tree("c", {"a.png": pictures.photo(1, (80, 60)), "b.png": pictures.photo(2, (80, 60)), "t.txt": b"notes"})
    done = dupfind("sort", "--files-from", "-", "-0", input=b"c/b.png\0c/a.png\0c/t.txt\0")
    assert (0, b"c/a.png\0c/b.png\0") == (done.returncode, done.stdout)
    dupfind("index", "c", "--catalog", "k")
    (tmp_path / "c").rename(tmp_path / "gone")
    done = dupfind("sort", "k")
    assert (0, b"k/a.png\nk/b.png\n") == (done.returncode, done.stdout)
    assert b"dupfind: k stands for " in done.stderr
    assert b"k stands for " in dupfind("sort", "k", "--format", "table").stdout
    assert [2] == [dupfind("sort", *some).returncode for some in ([],)]
    told = dupfind("calibrate", "k", "--format", "json", "--no-progress")
    assert (0, ["k"]) == (told.returncode, [one["path"] for one in json.loads(told.stdout)["catalogues"]])
