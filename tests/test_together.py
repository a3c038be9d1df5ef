"""Folders, lists and catalogues as one collection: no file is judged by itself, and what is gone judges nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dupfind.answers.grouped import Answer
from dupfind.catalog import collection
from dupfind.catalog.same_file import Relation
from dupfind.catalog.volumes import Volume
from dupfind.errors import SettingsError
from dupfind.grouping.grouping import groups
from dupfind.settings import make_settings
from dupfind.sorting.sorting import sort
from dupfind.values import Evidence
from fixtures import pictures
from tests.helpers.shelf import Ears, TreeBuilder, catalogued, settle

SIZE = (240, 180)


def grouped(*places: Path, ears: Ears | None = None, level: str = "same", **options: Any) -> Answer:
    """The groups of these folders and catalogues."""
    settings = make_settings(
        haystack=[str(one) for one in places], called="", **{"no_cache": True, "workers": 2, **options}
    )
    return groups(settings, Evidence(level), ears)


def members(answer: Answer, folder: Path) -> list[list[str]]:
    """The paths of all groups below the test's own folder, the best first."""
    return sorted([os.path.relpath(one.path, folder) for one in group.members] for group in answer.groups)


def unplugged(monkeypatch: pytest.MonkeyPatch, how: Relation = Relation.OTHER) -> None:
    """Every catalogue's drive counts as so related to every other one."""
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


def test_a_catalogue_alone_gives_the_groups_of_its_folder(tree: TreeBuilder, tmp_path: Path) -> None:
    """While its drive is there and when it is gone: the same bytes, and pictures that look alike, which none proves."""
    folder, catalogue = drive(tree), tmp_path / "d.catalog"
    catalogued(folder, catalogue)
    there = grouped(folder, level="similar")
    here = grouped(catalogue, level="similar")
    assert [["d.catalog/n.txt", "d.catalog/z.txt"]] == members(grouped(catalogue), tmp_path)
    shutil.rmtree(folder)
    gone = grouped(catalogue, level="similar")
    expected = [["d.catalog/a.jpg", "d.catalog/small.jpg"], ["d.catalog/n.txt", "d.catalog/z.txt"]]
    assert expected == members(here, tmp_path) == members(gone, tmp_path)
    assert {Evidence.SAME, Evidence.IDENTICAL} == {one.evidence for one in there.groups}
    assert {Evidence.SIMILAR, Evidence.IDENTICAL} == {one.evidence for one in gone.groups}
    assert (4, 2, [str(catalogue)]) == (gone.files, gone.pictures, [one.path for one in gone.catalogues])
    assert "most pixels; only listed, by a catalogue" == next(
        one.why_best for one in gone.groups if one.best.path.endswith("a.jpg")
    )


def test_what_is_there_is_better_than_what_is_listed(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of equals, although the listed one is older and its path shorter; of pictures the larger one."""
    catalogue = tmp_path / "d"
    catalogued(drive(tree), catalogue)
    unplugged(monkeypatch)
    own = tree("my own collection", {"notes.txt": b"notes", "a.jpg": pictures.photo(1, SIZE).resize((200, 150))})
    found = grouped(catalogue, own, level="similar")
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
    catalogue = tmp_path / "d.catalog"
    catalogued(folder, catalogue)
    change(folder)
    unplugged(monkeypatch, how)
    ears = Ears()
    assert [] == members(grouped(around, catalogue, ears=ears), tmp_path)
    assert any("left out: " in one for one in ears.warnings)


def test_a_folder_beside_its_own_catalogue_is_refused(tree: TreeBuilder, tmp_path: Path) -> None:
    """One clear line: everything would be there twice, and be there once."""
    folder, catalogue = drive(tree), tmp_path / "d.catalog"
    catalogued(folder, catalogue)
    with pytest.raises(SettingsError, match=r"^\S+/drive is the folder that the catalogue \S+/d.catalog lists$"):
        grouped(folder, catalogue)


def test_what_is_gone_from_a_drive_that_is_here_judges_nothing(tree: TreeBuilder, tmp_path: Path) -> None:
    """A copy was made on the drive, then the listed file deleted: the copy is all there is."""
    folder, catalogue = drive(tree), tmp_path / "d.catalog"
    catalogued(folder, catalogue)
    own = tree("own", {})
    shutil.copyfile(folder / "n.txt", own / "copy.txt")
    assert [["own/copy.txt", "d.catalog/n.txt", "d.catalog/z.txt"]] == members(
        grouped(own, catalogue, level="identical"), tmp_path
    )
    (folder / "n.txt").unlink()
    (folder / "z.txt").write_bytes(b"NOTES")
    ears = Ears()
    assert [] == members(grouped(own, catalogue, ears=ears, level="identical"), tmp_path)
    assert [f"{catalogue}: 2 of its files left out: {collection._NOT_SEEN}"] == ears.warnings
    # Alone, too: of the two texts that it lists, none is there.
    assert [] == members(grouped(catalogue, level="identical"), tmp_path)


def test_of_an_unknown_drive_that_is_gone_bytes_count_and_pictures_do_not(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a scan has it, with a warning."""
    folder, catalogue = drive(tree), tmp_path / "d.catalog"
    catalogued(folder, catalogue)
    own = tree("own", {"copy.txt": b"notes", "same.png": pictures.photo(1, SIZE)})  # first: numbers are given again
    shutil.rmtree(folder)
    unplugged(monkeypatch, Relation.UNKNOWN)
    ears = Ears()
    found = grouped(own, catalogue, ears=ears)
    assert [["own/copy.txt", "d.catalog/n.txt", "d.catalog/z.txt"]] == members(found, tmp_path)
    assert 1 == len(ears.warnings)
    assert "its pictures are not compared, only bytes are" in ears.warnings[0]
    similar = grouped(own, catalogue, level="similar", quick=True)
    assert members(similar, tmp_path) == members(found, tmp_path)


def test_two_catalogues(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of drives that are certainly two, what both list is grouped; of what may be one drive the second is left out."""
    catalogues = [tmp_path / "1.catalog", tmp_path / "2.catalog"]
    for name, catalogue in zip(("one", "two"), catalogues, strict=True):
        folder = drive(tree, name)
        catalogued(folder, catalogue)
        shutil.rmtree(folder)
    one = ["1.catalog/n.txt", "1.catalog/z.txt"]
    with monkeypatch.context() as patch:
        unplugged(patch)
        assert [[*one[:1], "2.catalog/n.txt", one[1], "2.catalog/z.txt"]] == [
            sorted(some, key=lambda path: path[9:])
            for some in members(grouped(*catalogues, level="identical"), tmp_path)
            if "txt" in some[0]
        ]
    for how in (Relation.SAME, Relation.UNKNOWN):
        with monkeypatch.context() as patch:
            unplugged(patch, how)
            ears = Ears()
            found = grouped(*catalogues, ears=ears, level="similar")
            assert [["1.catalog/a.jpg", "1.catalog/small.jpg"], one] == members(found, tmp_path)
            (warning,) = ears.warnings
            assert warning.startswith(f"{catalogues[1]}: 4 of its files left out: nothing tells its drive from that of")
            assert [str(path) for path in catalogues] == [told.path for told in found.catalogues]


def test_two_catalogues_of_one_drive_that_is_here(tree: TreeBuilder, tmp_path: Path) -> None:
    """Of a folder and of one around it, and one given under two names: each file once."""
    around = tree("around", {})
    folder = drive(tree, "around/drive")
    first, second, again = tmp_path / "1.catalog", tmp_path / "2.catalog", tmp_path / "3.catalog"
    catalogued(folder, first)
    catalogued(around, second)
    shutil.copy(first, again)
    expected = [["1.catalog/a.jpg", "1.catalog/small.jpg"], ["1.catalog/n.txt", "1.catalog/z.txt"]]
    assert expected == members(grouped(first, second, level="similar"), tmp_path)
    assert expected == members(grouped(first, again, level="similar"), tmp_path)
    assert expected == members(grouped(first, first, level="similar"), tmp_path)


def test_a_file_that_one_catalogue_lists_twice(tree: TreeBuilder, tmp_path: Path) -> None:
    """A link that was followed leads to it; a hard link frees nothing: neither is a copy."""
    folder = tree("drive", {"a.txt": b"notes", "b.txt": b"other"})
    (folder / "link.txt").symlink_to(folder / "a.txt")
    os.link(folder / "b.txt", folder / "hard.txt")
    catalogue = tmp_path / "d.catalog"
    catalogued(folder, catalogue, follow_symlinks=True)
    shutil.rmtree(folder)
    ears = Ears()
    assert [] == members(grouped(catalogue, ears=ears), tmp_path)
    assert [f"{catalogue}: 2 of its files left out: the catalogue lists them more than once"] == ears.warnings


def test_without_numbers_files_are_told_by_name_or_time(
    tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a card two files of one size and time are two; where a link may have led to one of them, they may be one."""
    folder, catalogue = drive(tree), tmp_path / "d.catalog"
    card = Volume(7, "boot", "exfat", "", is_numbered_apart=False)
    monkeypatch.setattr("dupfind.commands.indexing.volumes_of", lambda *_: (card,))
    catalogued(folder, catalogue)
    shutil.rmtree(folder)
    assert [["d.catalog/n.txt", "d.catalog/z.txt"]] == members(grouped(catalogue, level="identical"), tmp_path)
    folder = drive(tree)
    catalogue.unlink()
    catalogued(folder, catalogue, follow_symlinks=True)
    shutil.rmtree(folder)
    assert [] == members(grouped(catalogue, level="identical"), tmp_path)


def test_a_sort_takes_a_catalogue_at_its_word(tree: TreeBuilder, tmp_path: Path) -> None:
    """Nothing is proved by an order: what it lists has a place, and a file that a folder has as well has one only."""
    folder, catalogue = drive(tree), tmp_path / "d.catalog"
    catalogued(folder, catalogue)
    (folder / "small.jpg").unlink()
    ears = Ears()
    settings = make_settings(haystack=[str(catalogue)], called="", no_cache=True, workers=2)
    answer = sort(settings, listener=ears)
    assert {f"{catalogue}/a.jpg", f"{catalogue}/small.jpg"} == {one.path for one in answer.pictures}
    assert ([str(catalogue)], []) == ([one.path for one in answer.catalogues], ears.warnings)
    own = tree("own", {})
    shutil.move(folder / "a.jpg", own / "moved.jpg")
    settings = make_settings(haystack=[str(own), str(catalogue)], called="", no_cache=True, workers=2)
    paths = {one.path for one in sort(settings).pictures}
    assert {f"{own}/moved.jpg", f"{catalogue}/small.jpg"} == paths
