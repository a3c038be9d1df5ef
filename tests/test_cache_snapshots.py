"""The cache's tables of snapshots: kept, replaced, pruned, and never believed when something is wrong with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from dupfind.cache import cache_snapshots, cache_upkeep
from dupfind.cache.cache_file import CacheFile
from dupfind.cache.cache_schema import SnapshotError
from dupfind.cache.cache_snapshots import MOST_SNAPSHOTS, SnapshotShelf
from dupfind.cache.snapshot import unpack
from tests.helpers.cache_rows import fill
from tests.helpers.snapshots import ENTRIES, FOLDERS, packed

KEY = b"k" * 32


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A sound cache."""
    fill(tmp_path / "cache.sqlite", 3)
    return str(tmp_path / "cache.sqlite")


@pytest.fixture
def shelf(path: str) -> Iterator[SnapshotShelf]:
    """Its snapshots, none yet."""
    shelf = SnapshotShelf(path)
    yield shelf
    shelf.close()


def execute(path: str, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Ask or change the file behind its back."""
    with sqlite3.connect(path) as connection:
        found = connection.execute(statement, values).fetchall()
    connection.close()
    return found


def test_what_is_kept_is_found_under_its_key(shelf: SnapshotShelf, path: str) -> None:
    """From another process too, and nothing else is."""
    assert shelf.load(KEY, unpack) is None
    shelf.keep(KEY, packed().items())
    other = SnapshotShelf(path)
    known = other.load(KEY, unpack)
    assert known is not None
    assert list(FOLDERS) == known.folders
    assert ENTRIES[2] == known.details([2])[2][0]
    assert other.load(b"another", unpack) is None
    other.close()


def test_a_cache_without_the_tables_goes_on_serving(shelf: SnapshotShelf, path: str) -> None:
    """They are made when they are first needed."""
    assert shelf.load(KEY, unpack) is None
    file = CacheFile.open_existing(path)
    assert 0 == cache_snapshots.count(file)
    cache_snapshots.forget(file)
    shelf.keep(KEY, packed().items())
    assert 1 == cache_snapshots.count(file)
    file.close()


def test_the_newest_few_are_kept(shelf: SnapshotShelf, path: str) -> None:
    """With all of their parts, and nothing is left of the others."""
    for number in range(MOST_SNAPSHOTS + 2):
        shelf.keep(bytes([number]), packed().items())
    shelf.keep(bytes([2]), packed().items())  # the oldest that was left is the newest now
    assert [False, False, *[True] * MOST_SNAPSHOTS] == [
        shelf.load(bytes([number]), unpack) is not None for number in range(MOST_SNAPSHOTS + 2)
    ]
    (parts,) = execute(path, "SELECT count(*) FROM snapshot_part")[0]
    assert MOST_SNAPSHOTS * len(packed()) == parts


@pytest.mark.parametrize("name", ["head", "hashes", "sizes", "kinds", "inner_rows", "inner_hashes", "details"])
@pytest.mark.parametrize("place", [0, -1])
def test_a_bit_that_was_lost_shows(shelf: SnapshotShelf, path: str, name: str, place: int) -> None:
    """In the seal or in what is sealed: there is no snapshot then, or no details."""
    shelf.keep(KEY, packed().items())
    ((data,),) = execute(path, "SELECT data FROM snapshot_part WHERE name = ?", name)
    assert isinstance(data, bytes)
    changed = bytearray(data)
    changed[place] ^= 1
    execute(path, "UPDATE snapshot_part SET data = ? WHERE name = ?", bytes(changed), name)
    known = shelf.load(KEY, unpack)
    if name == "details":
        assert known is not None
        with pytest.raises(SnapshotError, match="a part is not what was kept"):
            known.details([0])
    else:
        assert known is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE snapshot SET key = x'6b6b'",
        "UPDATE snapshot SET stamp = x'00'",
        "UPDATE snapshot SET stamp = 7",
        "UPDATE snapshot_part SET data = 'text'",
        "UPDATE snapshot_part SET number = number + 1",
        "DELETE FROM snapshot_part WHERE name = 'sizes'",
        "DROP TABLE snapshot_part",
    ],
)
def test_rows_that_do_not_belong_together_are_none(shelf: SnapshotShelf, path: str, statement: str) -> None:
    """A part of another snapshot would be taken for one of this."""
    shelf.keep(KEY, packed().items())
    execute(path, statement)
    assert shelf.load(KEY, unpack) is None


def test_parts_that_are_replaced_meanwhile(shelf: SnapshotShelf, path: str) -> None:
    """Who holds the older one is told, and never gets a part of the newer."""
    shelf.keep(KEY, packed().items())
    known = shelf.load(KEY, unpack)
    assert known is not None
    other = SnapshotShelf(path)
    other.keep(KEY, packed().items())
    other.close()
    with pytest.raises(SnapshotError, match="a part is gone"):
        known.details([0])


def test_pruning_forgets_them(shelf: SnapshotShelf, path: str) -> None:
    """They name thumbnails that go with it."""
    shelf.keep(KEY, packed().items())
    cache_upkeep.prune(path, with_absent_folders=True)
    assert shelf.load(KEY, unpack) is None
    assert [(0,)] == execute(path, "SELECT count(*) FROM snapshot_part")


def test_a_file_that_is_no_cache(tmp_path: Path) -> None:
    """Nothing is found and nothing is kept; what there is to say, the cache says."""
    (tmp_path / "other").write_bytes(b"something else")
    shelf = SnapshotShelf(str(tmp_path / "other"))
    shelf.keep(KEY, packed().items())
    assert shelf.load(KEY, unpack) is None
    assert b"something else" == (tmp_path / "other").read_bytes()
