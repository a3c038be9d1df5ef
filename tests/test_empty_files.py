"""An empty file holds nothing: it keeps no folder from being contained, proves nothing, and is named."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO

import pytest

from dupfind import pipeline
from dupfind.events import Silence
from dupfind.scanning.verdict import judge_file
from dupfind.sources.entries import StoredEntry
from dupfind.sources.folders import Folder
from dupfind.sources.source import Listing, Relisting, Source
from dupfind.values import Evidence, Failure, FileEntry, FileState, Side, Tree
from fixtures.pictures import photo
from tests.helpers.scans import one_thread, scan, settings, states

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, object]], Path]


def test_it_keeps_nothing_back(tree: TreeBuilder) -> None:
    """Whatever it is called, and where it is alone in its folder; no picture is decoded for it."""
    hay = tree("hay", {"a.txt": b"a"})
    report = scan(
        hay, tree("n", {"a.txt": b"a", "IMG_7.JPG": b"", "sub/b.mov": b"", "both/a.txt": b"a", "both/c": b""})
    )
    assert {"n": "contained", "both": "contained", "sub": "contained"} == {
        Path(one.path).name: one.state.value for one in report.folders
    }
    assert {"IMG_7.JPG": "empty", "b.mov": "empty", "c": "empty"} == {
        name: state for name, state in states(report).items() if name != "a.txt"
    }
    assert report.is_complete
    assert (2, 3, 0) == (report.folders[0].present, report.folders[0].empty, report.folders[0].not_there)


def test_it_proves_nothing(tree: TreeBuilder) -> None:
    """An empty file of the haystack is no witness, and what else is missing stays so."""
    report = scan(tree("hay", {"x.jpg": b"", "y": b""}), tree("n", {"x.jpg": b"", "z.txt": b"1"}))
    assert {"x.jpg": "empty", "z.txt": "missing"} == states(report)
    assert all(one.witness is None for one in report.files)
    assert ["missing"] == [one.state.value for one in report.folders]


def test_one_byte_is_something(tree: TreeBuilder) -> None:
    """Also a byte of nothing."""
    report = scan(tree("hay", {"a": b"a"}), tree("n", {"zero": b"\0", "a": b"a"}))
    assert ("missing", "partial") == (states(report)["zero"], report.folders[0].state)
    picture = judge_file("n/a.jpg", FileEntry("/n/a.jpg", 1, 0, 0, 0), None, None, Evidence.SAME, has_picture=True)
    assert FileState.MISSING is picture.state


class Sly(StoredEntry):
    """A file of which the system says that it has no byte, as some do of what they make when it is read."""

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Give it whole."""
        yield BytesIO(b"a document")

    def now(self) -> FileEntry:
        """Tell that it has not changed."""
        return self


class WithSly(Folder):
    """A folder with such a file in it."""

    def list_tree(self, listing: Listing) -> Tree:
        """List it as well."""
        found = super().list_tree(listing)
        return replace(found, entries=[*found.entries, Sly(os.path.join(found.root.real, "sly.doc"), 0, 1, 1, 0)])

    def list_again(self, tree: Tree, listing: Listing) -> Relisting:
        """List it again."""
        return Source.list_again(self, tree, listing)


def test_a_size_of_nothing_is_not_believed(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is opened: what gives bytes, or cannot be read, is missing."""
    monkeypatch.setattr("dupfind.run.Folder", lambda root: (Folder if root.side is Side.HAYSTACK else WithSly)(root))
    report = scan(tree("hay", {"a.txt": b"a"}), tree("n", {"a.txt": b"a"}))
    assert {"a.txt": "present/identical", "sly.doc": "missing"} == states(report)
    assert ["partial"] == [one.state.value for one in report.folders]


@pytest.mark.parametrize("failure", [Failure("input/output error", is_image=False, lasting=False), Failure("x")])
def test_what_cannot_be_read_is_not_empty(failure: Failure) -> None:
    """Nobody knows what it holds."""
    entry = FileEntry("/n/a.jpg", 0, 0, 0, 0)
    found = judge_file("n/a.jpg", entry, None, failure, Evidence.SAME, has_picture=False)
    assert found.state in (FileState.MISSING, FileState.UNREADABLE)


def test_what_is_written_meanwhile_is_not_empty(tree: TreeBuilder) -> None:
    """A download may be under way: the last look finds it changed."""
    needles = tree("n", {"a.txt": b"a", "film.mov": b""})

    class Writing(Silence):
        """Writes to the file once the walk is over."""

        def stage(self, name: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
            """Write before the last look."""
            if name == "looking again":
                (needles / "film.mov").write_bytes(b"film")
            return super().stage(name, total)

    chosen = settings(tree("hay", {"a.txt": b"a"}), needles)
    report = pipeline.scan(chosen, Writing(), one_thread)
    assert {"a.txt": "present/identical", "film.mov": "missing"} == states(report)
    assert ["partial"] == [one.state.value for one in report.folders]


def test_it_is_counted_and_named(tree: TreeBuilder, dupfind: Run) -> None:
    """Exit code 0, a sentence in the table, a row in JSON and CSV, a verdict to ask for."""
    tree("hay", {"a.jpg": photo(1)})
    tree("n", {"a.jpg": photo(1), "sub/.stignore": b"", "IMG_7.JPG": b""})
    scan_it = "scan", "--haystack", "hay", "--needles", "n"
    done = dupfind(*scan_it)
    assert 0 == done.returncode
    assert b"2 files are empty and hold nothing: n/IMG_7.JPG, n/sub/.stignore." in done.stdout
    report = json.loads(dupfind(*scan_it, "--format", "json").stdout)
    assert {"present": 1, "similar": 0, "missing": 0, "unreadable": 0, "unwanted": 0, "empty": 2} == (
        report["summary"]["files"]
    )
    assert [("n/IMG_7.JPG", "empty", "empty", None), ("n/sub/.stignore", "empty", "empty", None)] == [
        (one["path"], one["verdict"], one["reason_code"], one["witness"])
        for one in report["files"]
        if one["verdict"] == "empty"
    ]
    assert [2, 1] == [one["empty"] for one in report["folders"]]
    assert (
        b"n/IMG_7.JPG\nn/sub/.stignore\n" == dupfind(*scan_it, "--files", "--only", "empty", "--format", "paths").stdout
    )
    rows = dupfind(*scan_it, "--all", "--format", "csv").stdout.decode().splitlines()
    assert rows[0].endswith(",bytes_not_present,unwanted,empty")
    assert rows[1].startswith("n,contained,1,")
    assert rows[1].endswith(",0,0,2")


def test_an_answer_from_memory_has_it_too(tree: TreeBuilder, dupfind: Run) -> None:
    """The second run, in which nothing is read, says the same."""
    tree("hay", {"a.txt": b"a"})
    tree("n", {"a.txt": b"a", "b.txt": b""})
    first, second = (dupfind("scan", "--haystack", "hay", "--needles", "n", "--files", "--all") for _ in range(2))
    assert (0, first.stdout) == (second.returncode, second.stdout)
