"""dupfind calibrate as the real process: golden output, exit codes, mistakes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from dupfind.report import calibrate as report
from fixtures import demo, pictures
from tests.helpers.places import documented

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


@pytest.fixture
def collection(tree: TreeBuilder) -> Path:
    """Four different pictures and what is none."""
    content: dict[str, bytes | Image.Image] = {f"{seed}.png": pictures.photo(seed, (80, 60)) for seed in range(4)}
    return tree("c", {**content, "notes.txt": b"notes", "cut.jpg": b"\xff\xd8\xff"})


def test_the_golden_output(dupfind: Run, demo_trees: Path, demo_cache: str) -> None:
    """What docs/calibrate.md shows: the demo's haystack, where sibling shots are left out as copies are."""
    environment = {"DUPFIND_CACHE": demo_cache}
    done = dupfind("calibrate", demo.HAYSTACK, cwd=demo_trees, env=environment)
    assert documented("calibrate.md", "calibrate") == done.stdout.decode()
    error = b"dupfind: Masters/2010/2010-01/broken download.jpg: cannot be decoded: image file is truncated\n"
    assert (0, error) == (done.returncode, done.stderr)


@pytest.mark.usefixtures("collection")
def test_the_plot_is_written_beside_the_answer(dupfind: Run, tmp_path: Path) -> None:
    """A PNG in the file, the table on standard output, and the unreadable picture on standard error."""
    done = dupfind("calibrate", "c", "--plot", "plot.png", "--algorithm", "dhash", "--no-rotations")
    assert (0, b"dupfind: c/cut.jpg: not a picture in a known format\n") == (done.returncode, done.stderr)
    assert done.stdout.startswith(b"4 pictures, each compared with all others\n6 pairs\n")
    assert b"Suggested: --algorithm dhash --threshold " in done.stdout
    with Image.open(tmp_path / "plot.png") as image:
        assert "PNG" == image.format


@pytest.mark.usefixtures("collection")
def test_json_and_streams(dupfind: Run) -> None:
    """One object; with -q nothing on standard error; with -v the stages."""
    done = dupfind("calibrate", "c", "--format", "json", "-q")
    whole = json.loads(done.stdout)
    assert (0, b"", report.SCHEMA, 4) == (done.returncode, done.stderr, whole["schema"], whole["pictures"])
    done = dupfind("calibrate", "c", "-v")
    assert b"dupfind: comparing: 4 files in " in done.stderr
    assert b"\n         32 " in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("collection")
def test_an_ascii_terminal(dupfind: Run) -> None:
    """A locale without Unicode gets another set of bars, and no question marks."""
    done = dupfind("calibrate", "c", "-q", env={"PYTHONIOENCODING": "ascii"})
    assert (0, False, True) == (done.returncode, b"?" in done.stdout, b"##" in done.stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'DIR...'"),
        (("nope",), "nope: no such file or directory"),
        (("c/1.png",), "c/1.png: not a folder"),
        (("",), "an empty path is no folder"),
        (("empty",), "there are no pictures here; a pair takes two"),
        (("c", "--exclude", "[123].png"), "there is 1 picture here; a pair takes two"),
        (("c", "--plot", "c/plot.png"), "--plot c/plot.png lies under c, where dupfind never writes"),
        (("c", "--plot", "no/plot.png"), "--plot no/plot.png: there is no such folder"),
        (("c", "--plot", ""), "--plot : not a file"),
        (("c", "-q", "-v"), "-q and -v contradict each other"),
        (("c", "--workers", "0"), "--workers takes a number above 0, not 0"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_clear_message_and_2(
    dupfind: Run, collection: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Wrong usage or nothing to compare: nothing on standard output, one line on standard error, no traceback."""
    (collection.parent / "empty").mkdir()
    done = dupfind("calibrate", *arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.usefixtures("collection")
def test_a_full_disk(dupfind: Run) -> None:
    """An answer that could not be written is none."""
    full = os.open("/dev/full", os.O_WRONLY)
    done = dupfind("calibrate", "c", "-q", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    os.close(full)
    assert 2 == done.returncode
    assert b"no space left on device" in done.stderr
