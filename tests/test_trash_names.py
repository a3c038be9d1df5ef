"""Which folders are trash by their names: exactly those of the table, however they are written."""

from __future__ import annotations

from collections import Counter
from unicodedata import normalize

import pytest

from dupfind.sources.trash_names import TRASH_NAMES, is_trash_folder, is_trashed_file

ALL = sorted({name for row in TRASH_NAMES for name in row.names})
ALBUMS = (
    "Archive|Archiv|Deleted scenes|Deleted Scenes (2)|Trash the dress|Bin Laden|Binz 2019|Robin|Cabin|Bins|Trashy|"
    "Recycling centre|Untrash|Favourites|2006|12|Bin 2006|Rejected by Anna|Kosztolányi|Košice|Papierkorb basteln|"
    "My Trash|Old Bin|Zuletzt|Recently Added|Recently|Deleted-scenes|Kukapuro|Hidden|Locked Folder|Screenshots|Backup"
).split("|")


@pytest.mark.mostly_slow(fast=60)
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_every_name_counts_however_it_is_written(name: str, form: str) -> None:
    """In any case of letters and Unicode form, with blanks around it, and with the number of a copy."""
    for spelt in (
        name,
        name.upper(),
        name.lower(),
        f" {name} ",
        f"{name} 2",
        f"{name}-1",
        f"{name} (3)",
        f"{name}(12)",
    ):
        assert is_trash_folder(normalize(form, spelt))


@pytest.mark.parametrize("name", ALBUMS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_albums_are_no_trash(name: str, form: str) -> None:
    """What only holds the name of trash, or begins or ends with it, is trusted."""
    assert not is_trash_folder(normalize(form, name))


@pytest.mark.parametrize("name", [".Trash", ".Trash-1000", ".Trashes", ".trashBin", ".TRASHED"])
def test_hidden_trash_counts_by_how_it_begins(name: str) -> None:
    """Those have numbers of users and names of programs behind them."""
    assert is_trash_folder(name)


@pytest.mark.parametrize("name", [".trashed-1-a.jpg", ".Trashed-1-a.jpg", ".PENDING-1-a.jpg"])
def test_files_that_a_phone_will_delete(name: str) -> None:
    """In any case of letters."""
    assert is_trashed_file(name)


@pytest.mark.parametrize("name", ["trashed-1-a.jpg", ".trash.jpg", ".trashed", "a.trashed-1.jpg", ".pending", ""])
def test_other_files_stay(name: str) -> None:
    """Only the whole mark in front of the name counts."""
    assert not is_trashed_file(name)


def test_every_row_says_who_gives_its_names_once() -> None:
    """A row has an origin and names, and none of them twice."""
    assert len(TRASH_NAMES) == len({row.origin for row in TRASH_NAMES})
    for row in TRASH_NAMES:
        assert row.origin
        assert [1] * len(row.names) == list(Counter(row.names).values())
