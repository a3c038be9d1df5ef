"""What deleting frees, and files that are one file under several names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dupfind.catalog.catalogs import ListedEntry
from dupfind.grouping.collection import each_once
from dupfind.grouping.grouping import Saving, savings
from dupfind.report.reasons import sentence
from dupfind.sources.ignore import Excludes
from dupfind.sources.roots import haystack_roots
from dupfind.sources.same_file import SameFile
from dupfind.sources.source import Rules
from dupfind.values import FileEntry, Tree
from tests.helpers.walking import walk_all


def entry(path: Path) -> FileEntry:
    """The file as a walk would see it."""
    found = path.stat()
    return FileEntry(str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def freed(best: Path, others: Sequence[Path]) -> dict[str, tuple[int, str | None]]:
    """What each of the others frees, by name."""
    found = savings(entry(best), [entry(path) for path in others], os.path.basename)
    return {os.path.basename(path): told(saving) for path, saving in found.items()}


def told(saving: Saving) -> tuple[int, str | None]:
    """What it frees, and why no more, in words."""
    return saving.size_bytes, None if saving.reason is None else sentence(saving.reason)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three copies of 100 bytes."""
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.write_bytes(b"x" * 100)
    return paths


def trees(folder: Path, *, follow: bool = False) -> list[Tree]:
    """The walk of a folder."""
    return walk_all(haystack_roots([str(folder)]), Rules(Excludes(()), follow))[1]


def test_plain_copies_free_their_bytes(files: list[Path]) -> None:
    """Each its own."""
    assert {"b": (100, None), "c": (100, None)} == freed(files[0], files[1:])


def test_a_hard_link_to_the_best_frees_nothing(files: list[Path], tmp_path: Path) -> None:
    """Its bytes stay with the best."""
    os.link(files[0], tmp_path / "link")
    found = freed(files[0], [files[1], tmp_path / "link"])
    assert {"b": (100, None), "link": (0, "a hard link to a: frees nothing")} == found


def test_two_names_that_both_go_free_their_bytes_once(files: list[Path], tmp_path: Path) -> None:
    """Counted at the first of them; not at all where a third name stays somewhere."""
    os.link(files[1], tmp_path / "link")
    found = freed(files[0], [files[1], tmp_path / "link"])
    assert {"b": (100, None), "link": (0, "a hard link to b: counted there")} == found
    os.link(files[1], tmp_path / "elsewhere")
    found = freed(files[0], [files[1], tmp_path / "link"])
    assert dict.fromkeys(("b", "link"), (0, "has a hard link elsewhere: frees nothing")) == found


def test_links_and_files_that_have_gone(files: list[Path], tmp_path: Path) -> None:
    """A symbolic link is no room, and what is no longer there frees nothing."""
    link = tmp_path / "link"
    link.symlink_to(files[1])
    gone = entry(files[2])
    files[2].unlink()
    found = savings(entry(files[0]), [entry(link), gone], os.path.basename)
    expected = [(0, "a symbolic link: frees nothing"), (0, "gone since it was looked at")]
    assert expected == [told(saving) for saving in found.values()]


def test_hard_links_are_files_of_their_own(files: list[Path], tmp_path: Path) -> None:
    """Both names stay."""
    os.link(files[0], tmp_path / "link")
    entries, left_out = each_once(trees(tmp_path), SameFile())
    assert ["a", "b", "c", "link"] == [os.path.basename(one.path) for one in entries]
    assert [] == left_out


def test_a_followed_link_to_a_file_of_the_collection_is_no_copy(files: list[Path], tmp_path: Path) -> None:
    """It comes first by name, and is left out all the same: to keep it and delete the file would lose the picture."""
    (tmp_path / "0").symlink_to(files[1])
    entries, (problem,) = each_once(trees(tmp_path, follow=True), SameFile())
    assert ["a", "b", "c"] == [os.path.basename(one.path) for one in entries]
    assert problem.path.endswith("/0")
    assert problem.reason == f"left out: it leads to {files[1]}"
    assert problem.is_note


def test_what_may_be_another_mount_of_a_file_is_left_out(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same inode, size and times, and another device: doubtful, so that neither is a copy of the other."""
    (tmp_path / "sub").mkdir()
    os.link(files[0], tmp_path / "sub" / "a")
    stat = os.stat

    def look(path: str, **options: object) -> os.stat_result:
        found = stat(path, **options)  # type: ignore[arg-type]
        return os.stat_result([*found[:2], 99, *found[3:]]) if str(path).endswith("sub/a") else found

    walked = trees(tmp_path)
    monkeypatch.setattr(os, "stat", look)
    entries, (problem,) = each_once(walked, SameFile())
    assert 3 == len(entries)
    assert problem.path == f"{tmp_path}/sub/a"
    assert problem.reason == f"left out: it may be {files[0]} itself, reached by another mount"


def test_a_link_to_a_file_without_a_number_is_no_copy(tmp_path: Path) -> None:
    """On a card only the path tells; two files of one size and time are two there."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"notes")
        os.utime(tmp_path / name, (1, 1))
    (tmp_path / "0").symlink_to(tmp_path / "b")
    (walked,) = trees(tmp_path, follow=True)
    unnumbered = [one._replace(inode=0, ctime_ns=one.mtime_ns) for one in walked.entries]
    entries, (problem,) = each_once([replace(walked, entries=unnumbered)], SameFile())
    assert ["a", "b"] == [os.path.basename(one.path) for one in entries]
    assert problem.reason == f"left out: it leads to {tmp_path}/b"


def test_what_a_catalog_lists_frees_its_size() -> None:
    """It cannot be looked at, and has one name for all that is known."""
    best, other = FileEntry("/there/a", 5, 0, 0, 1), ListedEntry("/c.catalog/a", 5, 0, 0, 2)
    found = savings(best, [other], str)
    assert (5, None) == found[other.path]
