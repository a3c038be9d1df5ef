"""A pattern of --exclude that matches nothing is told of once, after everything was looked at."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from unicodedata import normalize

import pytest

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, "bytes | None"]], Path]
SCAN = ("scan", "--haystack", "hay", "--needles", "n", "--no-cache")


@pytest.fixture(autouse=True)
def trees(tree: TreeBuilder) -> None:
    """Something to match on one side only, and on the other."""
    tree("hay", {"a.txt": b"a", f"{normalize('NFD', 'Málaga')}/b.txt": b"b", "only hay/c.txt": b"c", "@eaDir/d": b""})
    tree("n", {"a.txt": b"a", "only n/c.txt": b"c"})


def told(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """The patterns that a run gives warning of, in its order."""
    lines = [line for line in done.stderr.decode().splitlines() if "nothing that was looked at matches it" in line]
    assert all(line.startswith("dupfind: warning: --exclude ") for line in lines)
    return [
        line.removeprefix("dupfind: warning: --exclude ").partition(": nothing that was looked at matches it")[0]
        for line in lines
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["Málaga"], []),
        (["only hay", "only n"], []),
        (["only hay", "only hay/*", "only */x/*.dng"], []),
        (["only hey", "only hey/*", "*"], ["only hey", "only hey/*"]),
        (["malaga", "*.txt", "*.TXT"], ["malaga", "*.TXT"]),
        (["*.txt", "a.*", "/a.txt"], []),
        (["@eaDir", ".DS_Store"], []),
        (["./a.txt", "/hay/a.txt"], ["./a.txt", "/hay/a.txt"]),
        (["gone", "gone"], ["gone"]),
    ],
)
def test_scan(dupfind: Run, patterns: list[str], expected: list[str]) -> None:
    """A match on either side is one, one that an earlier pattern anticipates too, and junk needs none."""
    options = [option for pattern in patterns for option in ("--exclude", pattern)]
    done = dupfind(*SCAN, *options)
    assert expected == told(done)
    quiet = dupfind(*SCAN, *options, "-q")
    assert (b"", done.stdout, done.returncode) == (quiet.stderr, quiet.stdout, quiet.returncode)


def test_lists(dupfind: Run) -> None:
    """What a list names is matched, though no walk meets it."""
    options = ("--files-from", "-", "--exclude", "n/a.txt", "--exclude", "no")
    done = dupfind("scan", "--haystack", "hay", *options, input=b"n/a.txt\n")
    assert ["no"] == told(done)


def test_catalogs(dupfind: Run) -> None:
    """What only a catalog lists is matched, and so is what a walk for one meets."""
    assert ["no"] == told(dupfind("index", "hay", "--catalog", "c", "--exclude", "a.txt", "--exclude", "no"))
    scan = ("scan", "--haystack", "c", "--needles", "n", "--exclude")
    assert [] == told(dupfind(*scan, "only hay"))
    assert ["a.TXT"] == told(dupfind(*scan, "a.TXT"))
    assert ["no"] == told(dupfind("groups", "c", "--exclude", "only hay", "--exclude", "no"))


@pytest.mark.parametrize("command", [("groups", "hay"), ("sort", "hay"), ("calibrate", "hay")])
def test_other_commands(dupfind: Run, command: tuple[str, ...]) -> None:
    """Every command that walks says it."""
    assert ["no"] == told(dupfind(*command, "--exclude", "a.txt", "--exclude", "no"))


def test_find_and_explain(dupfind: Run) -> None:
    """Also where the collection is remembered from the last time."""
    for command in ("find", "find", "explain"):
        done = dupfind(command, "--haystack", "hay", "n/a.txt", "--exclude", "only hay", "--exclude", "no")
        assert ["no"] == told(done)
