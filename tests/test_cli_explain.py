"""dupfind explain as the real process: golden output, exit codes, mistakes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from PIL import Image

from dupfind.report import explain as report
from fixtures import demo, pictures
from tests.helpers.places import documented

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]
EXPLAIN = ("explain", "--haystack", "hay")


@pytest.fixture
def trees(tree: TreeBuilder) -> Path:
    """A haystack, and needles of which one is there, one is not, and two are no pictures."""
    photos = [pictures.photo(seed, (160, 120)) for seed in range(3)]
    tree("hay", {"a.png": photos[0], "b.jpg": photos[1], "notes.txt": b"notes"})
    return tree("n", {"a.jpg": photos[0], "c.jpg": photos[2], "notes.txt": b"notes", "cut.jpg": b"\xff\xd8\xff"})


def test_the_golden_output(dupfind: Run, demo_trees: Path, demo_cache: str) -> None:
    """What docs/explain.md shows: the demo's edited picture. The haystack's broken one goes to standard error."""
    needle = f"{demo.NEEDLES}/12-25-2006 part 1/IMG_0416.JPG"
    environment = {"DUPFIND_CACHE": demo_cache}
    options = {"cwd": demo_trees, "env": environment}
    done = dupfind("explain", "--haystack", demo.HAYSTACK, needle, "-k", "2", **options)
    assert documented("explain.md", "explain similar") == done.stdout.decode()
    error = b"dupfind: Masters/2010/2010-01/broken download.jpg: cannot be decoded: image file is truncated\n"
    assert (1, error) == (done.returncode, done.stderr)
    done = dupfind("explain", "--haystack", demo.HAYSTACK, f"{demo.NEEDLES}/Summer 2007/beach 2.jpg", "-q", **options)
    assert documented("explain.md", "explain present") == done.stdout.decode()
    assert (0, b"") == (done.returncode, done.stderr)


@pytest.mark.usefixtures("trees")
def test_exit_codes(dupfind: Run) -> None:
    """0 when every needle is present, 1 when not."""
    done = dupfind(*EXPLAIN, "n/a.jpg", "n/notes.txt")
    assert (0, b"") == (done.returncode, done.stderr)
    assert done.stdout.startswith("✓ present  n/a.jpg\n  the same picture as hay/a.png\n".encode())
    assert "✓ present  n/notes.txt\n  identical to hay/notes.txt\n".encode() in done.stdout
    assert 0 == dupfind(*EXPLAIN, "hay/notes.txt", "--haystack", "n").returncode
    for needle in ("n/c.jpg", "n/cut.jpg", "hay/notes.txt"):
        done = dupfind(*EXPLAIN, "n/a.jpg", needle)
        assert (1, b"") == (done.returncode, done.stderr)
    assert b"is itself in the haystack, as hay/notes.txt: not taken for its own witness" in done.stdout


@pytest.mark.usefixtures("trees")
def test_a_copy_in_the_trash(dupfind: Run, tmp_path: Path) -> None:
    """It is not found, and it is said that something was not searched; where all is present it does not matter."""
    (tmp_path / "hay" / "Trash").mkdir()
    (tmp_path / "hay" / "Trash" / "c.jpg").write_bytes((tmp_path / "n" / "c.jpg").read_bytes())
    line = "Not searched, since hidden and trash folders prove nothing: 1 place (-v lists it).\n"
    done = dupfind(*EXPLAIN, "n/c.jpg")
    assert (1, b"", True) == (done.returncode, done.stderr, done.stdout.decode().endswith(f"\n\n{line}"))
    assert b"hay/Trash: trash folder: not trusted as haystack" in dupfind(*EXPLAIN, "n/c.jpg", "-v").stderr
    assert line not in dupfind(*EXPLAIN, "n/a.jpg").stdout.decode()


@pytest.mark.slow
@pytest.mark.usefixtures("trees")
def test_a_name_without_a_file_costs_its_own_answer_only(dupfind: Run) -> None:
    """The others are explained, it is named, and the exit code is 2 whatever the others are."""
    for name, code in (("n/a.jpg", 0), ("n/cut.jpg", 1)):
        alone = dupfind(*EXPLAIN, name)
        assert code == alone.returncode
        done = dupfind(*EXPLAIN, "nope.jpg", name, "n", "-q")
        assert (2, alone.stdout) == (done.returncode, done.stdout)
        lines = done.stderr.decode().splitlines()
        assert ["dupfind: nope.jpg: no such file or directory", "dupfind: n is a folder"] == [lines[0], lines[1][:22]]
    done = dupfind(*EXPLAIN, "nope.jpg", "none.jpg")
    lines = [f"dupfind: {name}.jpg: no such file or directory" for name in ("nope", "none")]
    assert (2, b"", lines) == (done.returncode, done.stdout, done.stderr.decode().splitlines())


@pytest.mark.usefixtures("trees")
def test_an_unreadable_needle_says_why(dupfind: Run) -> None:
    """A picture that cannot be decoded: the reason and nothing else."""
    expected = "! unreadable  n/cut.jpg\n  not a picture in a known format\n"
    assert expected == dupfind(*EXPLAIN, "n/cut.jpg").stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (EXPLAIN, "Missing argument 'NEEDLE...'"),
        (("explain", "n/a.jpg"), "--haystack is needed: the folder to search in"),
        ((*EXPLAIN, "n"), "n is a folder: name its files here, or ask dupfind scan about the whole of it"),
        ((*EXPLAIN, "nope.jpg"), "nope.jpg: no such file or directory"),
        (("explain", "--haystack", "nope", "n/a.jpg"), "--haystack nope: no such file or directory"),
        ((*EXPLAIN, "n/a.jpg", "-k", "0"), "-k takes a number above 0, not 0"),
        ((*EXPLAIN, "n/a.jpg", "-q", "-v"), "-q and -v contradict each other"),
        ((*EXPLAIN, "n/a.jpg", "--threshold", "33"), "--threshold takes 0 to 32 bits, not 33"),
        ((*EXPLAIN, "n/a.jpg", "--format", "csv"), "--format"),
        ((*EXPLAIN, "n/a.jpg", "--cache", "hay/c"), "--cache hay/c lies under hay, where dupfind never writes"),
    ],
    ids=lambda value: " ".join(value)[-30:] if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("trees")
def test_a_mistake_is_one_clear_message_and_2(dupfind: Run, arguments: tuple[str, ...], message: str) -> None:
    """Wrong usage: nothing on standard output, the reason on standard error, no traceback."""
    done = dupfind(*arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.usefixtures("trees")
def test_json(dupfind: Run) -> None:
    """One object, a needle each; the same file named twice is explained once."""
    done = dupfind(*EXPLAIN, "n/c.jpg", "n/a.jpg", "./n/c.jpg", "--format", "json", "-k", "1")
    whole = json.loads(done.stdout)
    assert (1, report.SCHEMA) == (done.returncode, whole["schema"])
    assert ["n/c.jpg", "n/a.jpg"] == [one["needle"] for one in whole["needles"]]
    assert ["missing", "present"] == [one["verdict"] for one in whole["needles"]]
    assert [1, 0] == [len(one["nearest"]) for one in whole["needles"]]
    assert [False, True] == [bool(one["tests"]) for one in whole["needles"]]


@pytest.mark.usefixtures("trees")
def test_a_hostile_name(dupfind: Run, tmp_path: Path) -> None:
    """A needle named to fool a terminal."""
    name = b"n/\x1b[31m\xff\n.jpg"
    os.rename(tmp_path / "n" / "c.jpg", os.fsencode(tmp_path) + b"/" + name)
    done = dupfind(*EXPLAIN, name)
    assert (1, False) == (done.returncode, b"\x1b" in done.stdout)
    assert rb"missing  n/\x1b[31m\xff\n.jpg" in done.stdout
