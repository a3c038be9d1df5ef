"""Catalogs compared with their folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dupfind.answers.index import Checked
from dupfind.catalog.catalog_file import CatalogFile
from dupfind.commands import index_check
from dupfind.errors import CatalogError
from dupfind.pool import tasks
from dupfind.settings import make_settings
from tests.helpers.played_mounts import play
from tests.helpers.scans import one_thread
from tests.helpers.shelf import Ears, TreeBuilder, cataloged, collection


def checked(folder: Path, catalog: Path, *, is_deep: bool = False, **raw: object) -> Checked:
    """Check without a cache."""
    settings = make_settings(haystack=[str(folder)], called="", **raw)  # type: ignore[arg-type]
    return index_check.check(settings, str(catalog), is_deep=is_deep, make_executor=one_thread)


def names(answer: Checked) -> dict[str, list[str]]:
    """What differs."""
    lists = ("new", "changed", "gone", "rotten", "unreadable")
    found = {one: [os.path.basename(path) for path in getattr(answer, one)] for one in lists}
    return {one: paths for one, paths in found.items() if paths}


def test_nothing_differs(tree: TreeBuilder, tmp_path: Path) -> None:
    """By looking at files, and by reading them; the catalog is as it was."""
    drive, catalog = collection(tree), tmp_path / "c"
    cataloged(drive, catalog)
    before = catalog.read_bytes()
    for is_deep in (False, True):
        answer = checked(drive, catalog, is_deep=is_deep)
        assert {} == names(answer)
        assert (5, True, True, is_deep) == (answer.files, answer.is_equal, answer.is_complete, answer.is_deep)
    assert before == catalog.read_bytes()


def test_what_differs(tree: TreeBuilder, tmp_path: Path) -> None:
    """New, changed, gone, each by its path as a scan shows it."""
    drive, catalog = collection(tree), tmp_path / "c"
    cataloged(drive, catalog)
    (drive / "new.txt").write_bytes(b"")
    (drive / "notes.txt").write_bytes(b"notes")
    (drive / "2006" / "b.png").unlink()
    answer = checked(drive, catalog)
    assert {"new": ["new.txt"], "changed": ["notes.txt"], "gone": ["b.png"]} == names(answer)
    assert [str(drive / "2006" / "b.png")] == answer.gone
    assert not answer.is_equal


def test_bytes_that_rotted(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size and times are what they were: only reading tells, past a cache that knows the file."""
    drive, catalog, cache = collection(tree), tmp_path / "c", str(tmp_path / "own" / "cache.sqlite")
    cataloged(drive, catalog, no_cache=False, cache=cache)
    true = tasks.read_digests

    def rotten(entries: list[tasks.FileEntry]) -> list[tasks.Outcome]:
        found = zip(entries, true(entries), strict=True)
        return [one._replace(result=b"0" * 32) if entry.path.endswith("b.png") else one for entry, one in found]

    monkeypatch.setattr(tasks, "read_digests", rotten)
    assert {} == names(checked(drive, catalog, cache=cache))
    assert {"rotten": ["b.png"]} == names(checked(drive, catalog, is_deep=True, cache=cache))


def test_what_cannot_be_read(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a difference, and a problem says why."""
    drive, catalog = collection(tree), tmp_path / "c"
    cataloged(drive, catalog)
    true = tasks.read_digests

    def failing(entries: list[tasks.FileEntry]) -> list[tasks.Outcome]:
        failure = tasks.unreadable(OSError(5, "Input/output error"), "digest")
        found = zip(entries, true(entries), strict=True)
        return [one._replace(result=failure) if entry.path.endswith("b.png") else one for entry, one in found]

    monkeypatch.setattr(tasks, "read_digests", failing)
    answer = checked(drive, catalog, is_deep=True)
    assert {"unreadable": ["b.png"]} == names(answer)
    assert ["cannot be read: input/output error"] == [one.reason for one in answer.problems]
    cataloged(drive, tmp_path / "other")
    assert {"unreadable": ["b.png"]} == names(checked(drive, tmp_path / "other"))  # it was not when it was listed


def test_another_folder_is_refused(tree: TreeBuilder, tmp_path: Path) -> None:
    """Nothing of what is listed is there: nothing is said to be gone from where it never was."""
    drive, catalog = collection(tree), tmp_path / "c"
    cataloged(drive, catalog)
    for is_deep in (False, True):
        with pytest.raises(CatalogError, match=r"nothing of what it lists \(/.*/drive\) is below /.*/other: is the "):
            checked(tree("other", {"a.txt": b"a"}), catalog, is_deep=is_deep)
    for path in [*drive.glob("*.txt"), *drive.glob("2006/*")]:
        path.unlink()
    assert 5 == len(checked(drive, catalog).gone)


def test_what_it_says_of_itself(tree: TreeBuilder, tmp_path: Path) -> None:
    """Where its folder was; a new one says nothing."""
    drive, catalog = collection(tree), tmp_path / "c"
    cataloged(drive, catalog)
    assert str(drive) == index_check.about(str(catalog)).root
    CatalogFile.for_writing(str(tmp_path / "new")).close()
    with pytest.raises(CatalogError, match="stopped before it began"):
        index_check.about(str(tmp_path / "new"))
    with pytest.raises(CatalogError, match="no such file"):
        index_check.about(str(tmp_path / "none"))


def test_where_edits_may_hide_a_warning_says_so(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a card nothing but its bytes tells a file from one of its size and time; with --deep they are read."""
    drive, catalog, ears = collection(tree), tmp_path / "c", Ears()
    cataloged(drive, catalog)
    settings = make_settings(haystack=[str(drive)], called="", no_cache=True)
    index_check.check(settings, str(catalog), ears, one_thread)
    assert [] == ears.warnings
    play(monkeypatch, tmp_path / "mounts", {drive: "exfat"})
    index_check.check(settings, str(catalog), ears, one_thread)
    so = "an edit that left size and time as they were shows only with --deep"
    assert [f"{drive} is on exfat, which keeps no time of change: {so}"] == ears.warnings
    index_check.check(settings, str(catalog), ears, one_thread, is_deep=True)
    assert 1 == len(ears.warnings)
