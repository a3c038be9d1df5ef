"""A walk that spares what it knows finds what a walk of everything finds, whatever has happened in between."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.cache.snapshot import FolderRow
from dupfind.finding import incremental_walk
from dupfind.finding.incremental_walk import IncrementalWalk, Visited, remembered
from dupfind.sources import walk
from dupfind.sources.ignore import NOT_TRUSTED, Excludes
from dupfind.sources.roots import haystack_roots
from dupfind.sources.source import Rules
from dupfind.sources.walk import Walk
from dupfind.values import FileEntry, Problem, Root
from tests.helpers import photo_libraries as made
from tests.helpers.walks import TICK_SECONDS

RULES = Rules(Excludes(["*.bak"]))


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are known however young they are."""
    monkeypatch.setattr(incremental_walk, "_RACY_NS", 0)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Folders in folders, with everything that a walk has to say something about."""
    root = tmp_path / "h"
    for name in ("a.jpg", "one/b.jpg", "one/deep/c.jpg", "two/d.jpg", "two/e.bak", "three/.hidden/f.jpg"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (root / "two" / "link.jpg").symlink_to("d.jpg")
    (root / "empty").mkdir()
    time.sleep(TICK_SECONDS)
    return root


def visit(
    root: Path, known: Sequence[FolderRow] = (), *others: Root, forgotten: Sequence[int] = ()
) -> tuple[list[Visited], list[Problem]]:
    """Walk once more."""
    (own,) = haystack_roots([str(root)])
    one = IncrementalWalk(own, RULES, [own, *others], forgotten)
    return list(one.visit(remembered(known), 0)), one.problems


def files_of(visited: Sequence[Visited], before: Sequence[Visited] = ()) -> list[FileEntry]:
    """All files in the order of the walk; those of folders that were not read as they were ``before``."""
    found: list[FileEntry] = []
    for one in visited:
        found += one.entries if one.place is None else before[one.place].entries
    return found


def walked(root: Path) -> tuple[list[FileEntry], list[Problem]]:
    """What a walk of everything finds."""
    (own,) = haystack_roots([str(root)])
    tree = Walk(own, RULES, [own], frozenset()).run()
    return tree.entries, tree.problems


def read(visited: Sequence[Visited], root: Path) -> set[str]:
    """The folders that were read."""
    return {os.path.relpath(one.row.path, root) for one in visited if one.place is None}


@pytest.mark.usefixtures("settled")
def test_nothing_is_read_where_nothing_changed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at each folder; files, order and problems as before."""
    first, problems = visit(tree)
    assert walked(tree) == (files_of(first), problems)
    assert {"excluded by --exclude *.bak", "symbolic link: not followed"} <= {one.reason for one in problems}
    monkeypatch.setattr(IncrementalWalk, "_read_folder", lambda *_: pytest.fail("read"))
    second, again = visit(tree, [one.row for one in first])
    assert list(range(len(first))) == [one.place for one in second]
    assert ([one.row for one in first], problems) == ([one.row for one in second], again)


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "a file made": (lambda root: (root / "one" / "new.jpg").write_bytes(b"x"), {"one"}),
    "a file removed": (lambda root: (root / "two" / "d.jpg").unlink(), {"two"}),
    "a file renamed": (lambda root: (root / "a.jpg").rename(root / "z.jpg"), {"."}),
    "a file moved": (lambda root: (root / "a.jpg").rename(root / "one" / "a.jpg"), {".", "one"}),
    "a file replaced": (
        lambda root: ((root / "t").write_bytes(b"other"), (root / "t").rename(root / "two" / "d.jpg")),
        {".", "two"},
    ),
    "a folder made": (lambda root: (root / "empty" / "in").mkdir(), {"empty", "empty/in"}),
    "a folder removed": (lambda root: shutil.rmtree(root / "one" / "deep"), {"one"}),
    "a folder renamed": (lambda root: (root / "one").rename(root / "uno"), {".", "uno", "uno/deep"}),
    "a folder replaced": (
        lambda root: (shutil.rmtree(root / "two"), shutil.copytree(root / "one", root / "two")),
        {".", "two", "two/deep"},
    ),
    "two folders exchanged": (
        lambda root: (
            (root / "one").rename(root / "x"),
            (root / "two").rename(root / "one"),
            (root / "x").rename(root / "two"),
        ),
        {".", "one", "two", "two/deep"},
    ),
    "a folder that became a link": (
        lambda root: (shutil.rmtree(root / "two"), (root / "two").symlink_to("one")),
        {"."},
    ),
    "a hidden folder shown": (
        lambda root: (root / "three" / ".hidden").rename(root / "three" / "shown"),
        {"three", "three/shown"},
    ),
    "other rights": (lambda root: (root / "one").chmod(0o750), {"one"}),
}


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_read(tree: Path, change: str) -> None:
    """Exactly those folders whose names changed, and the answer is that of a walk of everything."""
    first, _ = visit(tree)
    act, expected = CHANGES[change]
    act(tree)
    second, problems = visit(tree, [one.row for one in first])
    assert expected == read(second, tree)
    assert walked(tree) == (files_of(second, first), problems)
    third, again = visit(tree, [one.row for one in second])
    assert set() == read(third, tree)
    assert problems == again


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.sampled_from(("make", "remove", "move", "mkdir")), st.integers(0, 99), st.integers(0, 99)))
)
def test_any_changes(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]) -> None:
    """Step by step, each walk with what the one before has left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(incremental_walk, "_RACY_NS", TICK_SECONDS * 10**9)
        follow(tmp_path_factory.mktemp("h"), steps)


def follow(root: Path, steps: list[tuple[str, int, int]]) -> None:
    """Take the steps."""
    (root / "a").mkdir()
    (root / "b").mkdir()
    time.sleep(TICK_SECONDS)
    before, _ = visit(root)
    contents = {one.row.path: one.entries for one in before}
    for number, (what, first, second) in enumerate(steps):
        folders = sorted(path for path in [root, *root.rglob("*")] if path.is_dir())
        files = sorted(path for path in root.rglob("*") if path.is_file())
        folder = folders[first % len(folders)]
        if what == "make":
            (folder / f"f{number}").write_bytes(b"x")
        elif what == "mkdir":
            (folder / f"d{number}").mkdir()
        elif files and what == "remove":
            files[second % len(files)].unlink()
        elif files:
            files[second % len(files)].rename(folder / f"m{number}")
        after, problems = visit(root, [one.row for one in before])
        contents = {one.row.path: one.entries if one.place is None else contents[one.row.path] for one in after}
        assert walked(root) == ([entry for one in after for entry in contents[one.row.path]], problems)
        before = after


def test_a_young_folder_is_read_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made in it next could leave its times as they are."""
    first, _ = visit(tree)
    assert all(one.row.times_ns is None for one in first)
    monkeypatch.setattr(incremental_walk.time, "time_ns", lambda: max(tree.stat().st_ctime_ns, 0) + 60 * 10**9)
    second, _ = visit(tree, [one.row for one in first])
    assert all(one.place is None and one.row.times_ns is not None for one in second)


@pytest.mark.usefixtures("settled")
def test_a_folder_that_could_not_be_read_is_tried_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in its times tells that it can be."""
    real = os.scandir

    def refusing(path: str) -> object:
        if path.endswith("two"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(walk.os, "scandir", refusing)
        first, problems = visit(tree)
    assert "cannot read the folder: permission denied" in [one.reason for one in problems]
    second, problems = visit(tree, [one.row for one in first])
    assert {"two"} == read(second, tree)
    assert walked(tree) == (files_of(second, first), problems)


@pytest.mark.usefixtures("settled")
def test_file_systems_whose_folders_tell_nothing(tree: Path) -> None:
    """They are read each time, also where they were known before."""
    first, _ = visit(tree)
    device = tree.stat().st_dev
    second, _ = visit(tree, [one.row for one in first], forgotten=[device])
    assert len(first) == len(read(second, tree))
    assert all(one.row.times_ns is None for one in second)


@pytest.mark.usefixtures("settled")
def test_what_is_met_by_another_way_is_said(tree: Path) -> None:
    """A folder that was walked already is not taken from memory a second time."""
    first, _ = visit(tree)
    (own,) = haystack_roots([str(tree)])
    one = IncrementalWalk(own, RULES, [own])
    deep = os.stat(tree / "one" / "deep")
    one.seen.add((deep.st_dev, deep.st_ino))
    visited = list(one.visit(remembered([row.row for row in first]), 0))
    assert {"one"} == read(visited, tree)
    assert "left out: already visited by another way" in [problem.reason for problem in one.problems]
    assert visited[[row.row.path for row in visited].index(str(tree / "one"))].row.times_ns is None


@pytest.mark.usefixtures("settled")
def test_photo_libraries_are_read_each_time(tree: Path) -> None:
    """No folder changes when a picture goes to a library's trash, nor when the trash becomes readable."""
    library = made.photo_library(tree / "two" / "P.photoslibrary", {"K.jpeg": 0, "G.jpeg": 0})
    time.sleep(TICK_SECONDS)
    first, _ = visit(tree)
    database = library / "database" / "Photos.sqlite"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE ZASSET SET ZTRASHEDSTATE = 1 WHERE ZFILENAME = 'G.jpeg'")
    second, problems = visit(tree, [one.row for one in first])
    assert (files_of(second, first), sorted(problems)) == (walked(tree)[0], sorted(walked(tree)[1]))
    assert "G.jpeg" not in {os.path.basename(entry.path) for entry in files_of(second, first)}
    database.unlink()
    third, _ = visit(tree, [one.row for one in first])
    assert files_of(third, first) == walked(tree)[0]
    assert not any("P.photoslibrary" in entry.path for entry in files_of(third, first))


@pytest.mark.usefixtures("settled")
def test_what_a_photo_manager_makes_is_looked_for_each_time(tree: Path) -> None:
    """The mark by which Immich knows its own comes into a folder of it, and changes no other."""
    thumbs = tree / "two" / "thumbs"
    (thumbs / "deep").mkdir(parents=True)
    (thumbs / "deep" / "a.jpeg").write_bytes(b"a")
    time.sleep(TICK_SECONDS)
    first, _ = visit(tree)
    assert "a.jpeg" in {os.path.basename(entry.path) for entry in files_of(first, first)}
    root, _ = visit(thumbs / "deep")
    (thumbs / ".immich").write_bytes(b"1")
    second, problems = visit(tree, [one.row for one in first])
    assert (files_of(second, first), sorted(problems)) == (walked(tree)[0], sorted(walked(tree)[1]))
    assert "a.jpeg" not in {os.path.basename(entry.path) for entry in files_of(second, first)}
    third, problems = visit(thumbs / "deep", [one.row for one in root])
    assert ([], [f"made by Immich: {NOT_TRUSTED}"]) == (
        files_of(third, root),
        [one.reason for one in problems if "made" in one.reason],
    )


@pytest.mark.usefixtures("settled")
def test_patterns_of_known_folders_count_as_matched(tree: Path) -> None:
    """A pattern that left something out in a folder that is not read again is no pattern without a match."""
    first, _ = visit(tree)
    (own,) = haystack_roots([str(tree)])
    excludes = Excludes(["*.bak", "e.*", "*.other"])
    walk = IncrementalWalk(own, Rules(excludes), [own])
    list(walk.visit(remembered([one.row for one in first]), 0))
    assert frozenset({"*.bak", "e.*"}) == excludes.matched
