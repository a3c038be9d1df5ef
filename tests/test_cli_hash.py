"""dupfind hash as the real process: lines, exit codes, standard input, mistakes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import imagehash
import pytest
from PIL import Image

from dupfind.report.hash import SCHEMA
from fixtures import demo, pictures
from tests.helpers.places import documented

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


@pytest.fixture
def photos(tree: TreeBuilder) -> Path:
    """Two photos, no picture, a folder."""
    contents = {f"{seed}.png": pictures.photo(seed, (160, 120)) for seed in range(2)}
    return tree("p", {**contents, "no.txt": b"no picture", "folder/x": b""})


def test_the_golden_output(dupfind: Run, demo_trees: Path, demo_cache: str) -> None:
    """What docs/hash.md shows."""
    options = {"cwd": demo_trees, "env": {"DUPFIND_CACHE": demo_cache}}
    folder = f"{demo.HAYSTACK}/2006/2006-12 Christmas"
    names = [f"{folder}/tree 0{number}.jpg" for number in (1, 2)]
    done = dupfind("hash", *names, "--no-cache", "-q", **options)
    assert (0, b"") == (done.returncode, done.stderr)
    assert documented("hash.md", "hash") == done.stdout.decode()


@pytest.mark.usefixtures("photos")
def test_exact_is_imagehash(dupfind: Run, tmp_path: Path) -> None:
    """Through the real process; 256 bits, two algorithms, in the order asked for."""
    arguments = "--exact --size 16 --algorithm dhash --algorithm phash".split()
    done = dupfind("hash", "p/1.png", "p/0.png", *arguments)
    expected = ""
    for name in ("p/1.png", "p/0.png"):
        with Image.open(tmp_path / name) as image:
            expected += f"{imagehash.dhash(image, 16)} {imagehash.phash(image, 16)}  {name}\n"
    assert (0, expected, b"") == (done.returncode, done.stdout.decode(), done.stderr)


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("exact", [(), ("--exact",)])
def test_a_file_without_a_hash_is_told_of_and_the_others_are_printed(dupfind: Run, exact: tuple[str, ...]) -> None:
    """A line on standard error each, also with -q; 2 at the end, as some names have no file, else 1."""
    done = dupfind("hash", "p/0.png", "p/no.txt", "nope.jpg", "p", "", "p/1.png", "-q", *exact)
    assert [b"p/0.png", b"p/1.png"] == [line.split()[-1] for line in done.stdout.splitlines()]
    errors = [
        "dupfind: p/no.txt: not a picture in a known format",
        "dupfind: nope.jpg: no such file or directory",
        "dupfind: p: is a folder: name its files here, or ask dupfind scan about the whole of it",
        "dupfind: : an empty path is no file",
    ]
    assert (2, errors) == (done.returncode, done.stderr.decode().splitlines())
    assert 1 == dupfind("hash", "p/0.png", "p/no.txt", *exact).returncode


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_standard_input(dupfind: Run, tmp_path: Path) -> None:
    """A picture through a pipe is -, and leaves nothing behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    content = (tmp_path / "p" / "0.png").read_bytes()
    alone = dupfind("hash", "p/0.png").stdout.split()[0]
    done = dupfind("hash", "-", "p/0.png", "-", input=content, env={"TMPDIR": str(scratch)})
    expected = b"%s  -\n%s  p/0.png\n%s  -\n" % (alone, alone, alone)
    assert (0, expected, b"") == (done.returncode, done.stdout, done.stderr)
    assert [] == [path.name for path in scratch.iterdir() if path.name.startswith("dupfind")]
    done = dupfind("hash", "-", input=b"")
    assert (1, b"", b"dupfind: -: empty file\n") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.usefixtures("photos")
def test_other_formats(dupfind: Run) -> None:
    """JSON is one object; lines of paths end in NUL where that is asked for."""
    whole = json.loads(dupfind("hash", "p/0.png", "p/no.txt", "--format", "json").stdout)
    assert (SCHEMA, ["p/0.png", "p/no.txt"]) == (whole["schema"], [one["path"] for one in whole["files"]])
    assert b"p/0.png\0" == dupfind("hash", "p/0.png", "p/no.txt", "--format", "paths", "-0").stdout
    assert dupfind("hash", "p/0.png", "-0").stdout.endswith(b"  p/0.png\0")
    lines = dupfind("hash", "p/0.png", "p/1.png", "--format", "jsonl").stdout.splitlines()
    assert ["file", "file"] == [json.loads(line)["type"] for line in lines]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'FILE...'"),
        (("-", "--files-from", "-"), "standard input cannot be a picture and a list"),
        (("--files-from", "none"), "--files-from none: no such file or directory"),
        (("p/0.png", "--algorithm", "colorhash"), "--algorithm"),
        (("p/0.png", "--size", "32"), "--size"),
        (("p/0.png", "-0", "--format", "json"), "-0 is for lines with paths and does not go with --format json"),
        (("p/0.png", "-q", "-v"), "-q and -v contradict each other"),
        (("p/0.png", "--timeout", "0"), "--timeout takes a number of seconds above 0"),
    ],
    ids=lambda value: " ".join(value)[-30:] if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("photos")
def test_a_mistake_is_one_clear_message_and_2(dupfind: Run, arguments: tuple[str, ...], message: str) -> None:
    """Wrong usage: nothing on standard output, the reason on standard error, no traceback."""
    done = dupfind("hash", *arguments)
    assert (2, b"") == (done.returncode, done.stdout)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.usefixtures("photos")
def test_names_from_a_list(dupfind: Run) -> None:
    """After those of the command line, in the order of the list."""
    expected = dupfind("hash", "p/1.png", "p/0.png", "p/none.png")
    done = dupfind("hash", "p/1.png", "--files-from", "-", input=b"p/0.png\0p/none.png\0")
    assert (2, expected.stdout, expected.stderr) == (done.returncode, done.stdout, done.stderr)
    assert 2 == done.stdout.count(b"\n")
    assert (0, b"") == (dupfind("hash", "--files-from", "-", input=b"").returncode, done.stdout[:0])


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    """141, and no word about it that a shell's user would have to read twice."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dupfind", "hash", "--no-cache", *["p/0.png"] * 3],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "DUPFIND_CACHE": str(tmp_path / "c.sqlite")},
    )
    assert process.stdout
    process.stdout.close()
    _, error = process.communicate(timeout=60)
    assert 141 == process.returncode
    assert b"Traceback" not in error
