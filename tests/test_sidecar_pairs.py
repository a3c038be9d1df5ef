"""Two files of one shot are told as one, each half with its own verdict."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dupfind.sidecars.one_shot import pairs_of
from dupfind.values import FileState, FileVerdict, Kind
from fixtures.pictures import photo

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, object]], Path]


def verdict(path: str, state: FileState = FileState.MISSING) -> FileVerdict:
    """The verdict on a file."""
    return FileVerdict(path, Kind.OTHER, state, 1, None, None, None)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("a.CR2 a.jpg", {"a.CR2": ("RAW+JPEG", True), "a.jpg": ("RAW+JPEG", False)}),
        ("a.JPG a.nef", {"a.nef": ("RAW+JPEG", True), "a.JPG": ("RAW+JPEG", False)}),
        ("A.dng a.HEIC a.xmp", {"A.dng": ("RAW+JPEG", True), "a.HEIC": ("RAW+JPEG", False)}),
        ("a.MOV a.HEIC", {"a.HEIC": ("Live Photo", True), "a.MOV": ("Live Photo", False)}),
        ("a.jpg a.mp4", {"a.jpg": ("Live Photo", True), "a.mp4": ("Live Photo", False)}),
        ("a.jpg a.heic", {}),
        ("a.CR2 a.MOV", {}),
        ("a.CR2 a.jpg a.MOV", {}),
        ("a.jpg b.CR2 s/a.CR2", {}),
    ],
)
def test_which_are_pairs(names: str, expected: dict[str, tuple[str, bool]]) -> None:
    """By folder, name and suffix; three of one name are none."""
    files = list(map(verdict, names.split()))
    found = pairs_of(files[:1], files)
    assert expected == {path: (pair.kind, pair.is_first) for path, pair in found.items()}
    assert {} == pairs_of([], files)
    assert all(found[pair.other.path].other.path == path for path, pair in found.items())


@pytest.fixture
def trees(tree: TreeBuilder) -> None:
    """Two pairs, of one of which a half is present, and a file of its own."""
    tree("hay", {"there.heic": b"still"})
    tree("n", {"a.mov": b"film", "a.jpg": photo(1), "b.heic": b"still", "b.mov": b"another", "c.mov": b"c"})


@pytest.mark.usefixtures("trees")
def test_the_table_has_a_row_for_both(dupfind: Run) -> None:
    """Their sizes together where both are listed; each half says what it is where the two differ."""
    done = dupfind("scan", "--haystack", "hay", "--needles", "n", "--no-cache", "--files")
    lines = done.stdout.decode().splitlines()[2:]
    assert ["n/a.jpg + a.mov (Live Photo)", "n/b.mov + b.heic (Live Photo)", "n/c.mov"] == [
        re.sub(r"^. \w+ +[\d.]+ k?B  ", "", line) for line in lines if line.startswith("✗")
    ]
    assert ["- b.mov: missing", "- b.heic: present, identical to hay/there.heic"] == [
        line.strip() for line in lines if line.strip().startswith("- ")
    ]
    assert any(line.endswith("are not in the haystack: 4 missing.") for line in lines)


@pytest.mark.usefixtures("trees")
def test_each_half_has_its_own_proof(dupfind: Run) -> None:
    """A film is not present because its picture is; programs get a row a file."""
    done = dupfind("scan", "--haystack", "hay", "--needles", "n", "--no-cache", "--format", "json")
    assert {"n/b.heic": "present", "n/b.mov": "missing"} == {
        one["path"]: one["verdict"] for one in json.loads(done.stdout)["files"] if "/b." in one["path"]
    }
    paths = dupfind("scan", "--haystack", "hay", "--needles", "n", "--no-cache", "--files", "--format", "paths").stdout
    assert b"n/a.jpg\nn/a.mov\nn/b.mov\nn/c.mov\n" == paths


@pytest.mark.usefixtures("trees")
def test_the_page_has_a_sheet_for_both(dupfind: Run, tmp_path: Path) -> None:
    """The rows point at each other where both are in doubt, and say what the other half is."""
    dupfind("scan", "--haystack", "hay", "--needles", "n", "--no-cache", "--html", "page.html")
    text = (tmp_path / "page.html").read_text()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    rows = json.loads(found[1])["files"]
    names = [row["path"] for row in rows]
    still, film, lone = (rows[names.index(f"n/{name}")] for name in ("a.jpg", "a.mov", "b.mov"))
    assert (names.index("n/a.mov"), names.index("n/a.jpg")) == (still["half"], film["of"])
    assert {"kind": "Live Photo", "name": "a.mov", "verdict": "missing"} == still["pair"]
    assert {"kind": "Live Photo", "name": "b.heic", "verdict": "present"} == lone["pair"]
    assert "half" not in lone
    assert "of" not in lone
    assert "pair" not in rows[names.index("n/c.mov")]
