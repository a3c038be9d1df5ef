"""Folders, lists and catalogs as one collection: no file is judged by itself, and what is gone judges nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dupfind.answers.groups import GroupsResult
from dupfind.catalog import collection
from dupfind.catalog.same_file import Relation
from dupfind.catalog.volumes import Volume
from dupfind.errors import SettingsError
from dupfind.grouping.grouping import groups
from dupfind.settings import make_settings
from dupfind.sorting.sorting import sort
from dupfind.values import Evidence
from fixtures import pictures
from tests.helpers.scans import one_thread
from tests.helpers.shelf import Ears, TreeBuilder, cataloged, settle

SIZE = (240, 180)


def grouped(*places: Path, ears: Ears | None = None, level: str = "same", **options: Any) -> GroupsResult:
    """The groups of these folders and catalogs."""
    settings = make_settings(haystack=[str(place) for place in places], called="", **{"no_cache": True, **options})
    return groups(settings, Evidence(level), ears, one_thread)


def members(answer: GroupsResult, folder: Path) -> list[list[str]]:
    """The paths of all groups below the test's own folder, the best first."""
    return sorted([os.path.relpath(one.path, folder) for one in group.members] for group in answer.groups)


def unplugged(monkeypatch: pytest.MonkeyPatch, how: Relation = Relation.OTHER) -> None:
    """Every catalog's drive counts as so related to every other one."""
    monkeypatch.setattr(collection, "relation", lambda *_: how)


def drive(tree: TreeBuilder, name: str = "drive", more: Mapping[str, bytes] | None = None) -> Path:
    """A picture with its smaller copy, a text twice."""
    photo = pictures.photo(1, SIZE)
    folder = tree(
        name,
        {"a.jpg": photo, "small.jpg": photo.resize((120, 90)), "n.txt": b"notes", "z.txt": b"notes", **(more or {})},
    )
    settle(folder)
    return folder


def test_a_catalog_alone_gives_the_groups_of_its_folder(tree: TreeBuilder, tmp_path: Path) -> None:
    """While its drive is there and when it is gone: the same bytes, and pictures that look alike, which none proves."""
    folder, catalog = drive(tree), tmp_path / "d.catalog"
    cataloged(folder, catalog)
    there = grouped(folder, level="similar")
    here = grouped(catalog, level="similar")
    assert [["d.catalog/n.txt", "d.catalog/z.txt"]] == members(grouped(catalog), tmp_path)
    shutil.rmtree(folder)
    gone = grouped(catalog, level="similar")
    expected = [["d.catalog/a.jpg", "d.catalog/small.jpg"], ["d.catalog/n.txt", "d.catalog/z.txt"]]
    assert expected == members(here, tmp_path) == members(gone, tmp_path)
    assert {Evidence.SAME, Evidence.IDENTICAL} == {one.evidence for one in there.groups}
    assert {Evidence.SIMILAR, Evidence.IDENTICAL} == {one.evidence for one in gone.groups}
    assert (4, 2, [str(catalog)]) == (gone.files, gone.pictures, [one.path for one in gone.catalogs])
    assert "most pixels; only listed, by a catalog" == next(
        one.why_best for one in gone.groups if one.best.path.endswith("a.jpg")
    )


def test_what_is_there_is_better_than_what_is_listed(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of equals, although the listed one is older and its path shorter; of pictures the larger one."""
    catalog = tmp_path / "d"
    cataloged(drive(tree), catalog)
    unplugged(monkeypatch)
    own = tree("my own collection", {"notes.txt": b"notes", "a.jpg": pictures.photo(1, SIZE).resize((200, 150))})
    found = grouped(catalog, own, level="similar")
    assert [
        ["d/a.jpg", "my own collection/a.jpg", "d/small.jpg"],
        ["my own collection/notes.txt", "d/n.txt", "d/z.txt"],
    ] == members(found, tmp_path)
    text = next(one for one in found.groups if one.best.path.endswith("txt"))
    assert "the others are only listed" == text.why_best


OWN = {
    "as it was": lambda folder: folder,
    "below another name": lambda folder: folder.rename(folder.parent / "other"),
    "its files renamed": lambda folder: (folder / "a.jpg").rename(folder / "b.jpg").parent,
}


@pytest.mark.parametrize("change", OWN.values(), ids=OWN)
@pytest.mark.parametrize("how", [Relation.SAME, Relation.UNKNOWN])
def test_no_file_is_a_copy_of_itself(
    change: Any, how: Relation, tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drive is plugged in again: neither a folder below what was listed, nor one around it, meets its own files."""
    around = tree("around", {})
    folder = tree("around/drive", {"a.jpg": pictures.photo(1, SIZE), "n.txt": b"notes"})
    settle(folder)
    catalog = tmp_path / "d.catalog"
    cataloged(folder, catalog)
    change(folder)
    unplugged(monkeypatch, how)
    ears = Ears()
    assert [] == members(grouped(around, catalog, ears=ears), tmp_path)
    assert any("left out: " in one for one in ears.warnings)


def test_a_folder_beside_its_own_catalog_is_refused(tree: TreeBuilder, tmp_path: Path) -> None:
    """One clear line: everything would be there twice, and be there once."""
    folder, catalog = drive(tree), tmp_path / "d.catalog"
    cataloged(folder, catalog)
    with pytest.raises(SettingsError, match=r"^\S+/drive is the folder that the catalog \S+/d.catalog lists$"):
        grouped(folder, catalog)


def test_what_is_gone_from_a_drive_that_is_here_judges_nothing(tree: TreeBuilder, tmp_path: Path) -> None:
    """A copy was made on the drive, then the listed file deleted: the copy is all there is."""
    folder, catalog = drive(tree), tmp_path / "d.catalog"
    cataloged(folder, catalog)
    own = tree("own", {})
    shutil.copyfile(folder / "n.txt", own / "copy.txt")
    assert [["own/copy.txt", "d.catalog/n.txt", "d.catalog/z.txt"]] == members(
        grouped(own, catalog, level="identical"), tmp_path
    )
    (folder / "n.txt").unlink()
    (folder / "z.txt").write_bytes(b"NOTES")
    ears = Ears()
    assert [] == members(grouped(own, catalog, ears=ears, level="identical"), tmp_path)
    assert [f"{catalog}: 2 of its files left out: {collection._NOT_SEEN}"] == ears.warnings
    # Alone, too: of the two texts that it lists, none is there.
    assert [] == members(grouped(catalog, level="identical"), tmp_path)


def test_of_an_unknown_drive_that_is_gone_bytes_count_and_pictures_do_not(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a scan has it, with a warning."""
    folder, catalog = drive(tree), tmp_path / "d.catalog"
    cataloged(folder, catalog)
    own = tree("own", {"copy.txt": b"notes", "same.png": pictures.photo(1, SIZE)})  # first: numbers are given again
    shutil.rmtree(folder)
    unplugged(monkeypatch, Relation.UNKNOWN)
    ears = Ears()
    found = grouped(own, catalog, ears=ears)
    assert [["own/copy.txt", "d.catalog/n.txt", "d.catalog/z.txt"]] == members(found, tmp_path)
    assert 1 == len(ears.warnings)
    assert "its pictures are not compared, only bytes are" in ears.warnings[0]
    similar = grouped(own, catalog, level="similar", quick=True)
    assert members(similar, tmp_path) == members(found, tmp_path)


def test_two_catalogs(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of drives that are certainly two, what both list is grouped; of what may be one drive the second is left out."""
    catalogs = [tmp_path / "1.catalog", tmp_path / "2.catalog"]
    for name, catalog in zip(("one", "two"), catalogs, strict=True):
        folder = drive(tree, name)
        cataloged(folder, catalog)
        shutil.rmtree(folder)
    one = ["1.catalog/n.txt", "1.catalog/z.txt"]
    with monkeypatch.context() as patch:
        unplugged(patch)
        assert [[*one[:1], "2.catalog/n.txt", one[1], "2.catalog/z.txt"]] == [
            sorted(some, key=lambda path: path[9:])
            for some in members(grouped(*catalogs, level="identical"), tmp_path)
            if "txt" in some[0]
        ]
    for how in (Relation.SAME, Relation.UNKNOWN):
        with monkeypatch.context() as patch:
            unplugged(patch, how)
            ears = Ears()
            found = grouped(*catalogs, ears=ears, level="similar")
            assert [["1.catalog/a.jpg", "1.catalog/small.jpg"], one] == members(found, tmp_path)
            (warning,) = ears.warnings
            assert warning.startswith(f"{catalogs[1]}: 4 of its files left out: nothing tells its drive from that of")
            assert [str(path) for path in catalogs] == [told.path for told in found.catalogs]


def test_two_catalogs_of_one_drive_that_is_here(tree: TreeBuilder, tmp_path: Path) -> None:
    """Of a folder and of one around it, and one given under two names: each file once."""
    around = tree("around", {})
    folder = drive(tree, "around/drive")
    first, second, again = tmp_path / "1.catalog", tmp_path / "2.catalog", tmp_path / "3.catalog"
    cataloged(folder, first)
    cataloged(around, second)
    shutil.copy(first, again)
    expected = [["1.catalog/a.jpg", "1.catalog/small.jpg"], ["1.catalog/n.txt", "1.catalog/z.txt"]]
    assert expected == members(grouped(first, second, level="similar"), tmp_path)
    assert expected == members(grouped(first, again, level="similar"), tmp_path)
    assert expected == members(grouped(first, first, level="similar"), tmp_path)


def test_a_file_that_one_catalog_lists_twice(tree: TreeBuilder, tmp_path: Path) -> None:
    """A link that was followed leads to it; a hard link frees nothing: neither is a copy."""
    folder = tree("drive", {"a.txt": b"notes", "b.txt": b"other"})
    (folder / "link.txt").symlink_to(folder / "a.txt")
    os.link(folder / "b.txt", folder / "hard.txt")
    catalog = tmp_path / "d.catalog"
    cataloged(folder, catalog, follow_symlinks=True)
    shutil.rmtree(folder)
    ears = Ears()
    assert [] == members(grouped(catalog, ears=ears), tmp_path)
    assert [f"{catalog}: 2 of its files left out: the catalog lists them more than once"] == ears.warnings


def test_without_numbers_files_are_told_by_name_or_time(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a card two files of one size and time are two; where a link may have led to one of them, they may be one."""
    folder, catalog = drive(tree), tmp_path / "d.catalog"
    card = Volume(7, "boot", "exfat", "", is_numbered_apart=False)
    monkeypatch.setattr("dupfind.commands.indexing.volumes_of", lambda *_: (card,))
    cataloged(folder, catalog)
    shutil.rmtree(folder)
    assert [["d.catalog/n.txt", "d.catalog/z.txt"]] == members(grouped(catalog, level="identical"), tmp_path)
    folder = drive(tree)
    catalog.unlink()
    cataloged(folder, catalog, follow_symlinks=True)
    shutil.rmtree(folder)
    assert [] == members(grouped(catalog, level="identical"), tmp_path)


def test_a_sort_takes_a_catalog_at_its_word(tree: TreeBuilder, tmp_path: Path) -> None:
    """Nothing is proved by an order: what it lists has a place, and a file that a folder has as well has one only."""
    folder, catalog = drive(tree), tmp_path / "d.catalog"
    cataloged(folder, catalog)
    (folder / "small.jpg").unlink()
    ears = Ears()
    settings = make_settings(haystack=[str(catalog)], called="", no_cache=True)
    answer = sort(settings, listener=ears, make_executor=one_thread)
    assert {f"{catalog}/a.jpg", f"{catalog}/small.jpg"} == {one.path for one in answer.pictures}
    assert ([str(catalog)], []) == ([one.path for one in answer.catalogs], ears.warnings)
    own = tree("own", {})
    shutil.move(folder / "a.jpg", own / "moved.jpg")
    settings = make_settings(haystack=[str(own), str(catalog)], called="", no_cache=True)
    paths = {one.path for one in sort(settings, make_executor=one_thread).pictures}
    assert {f"{own}/moved.jpg", f"{catalog}/small.jpg"} == paths
