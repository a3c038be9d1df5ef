"""What has changed among files since the last run."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.cache.file_columns import in_columns
from dupfind.cache.last_run import make_rows
from dupfind.scanning.changes import Changes, changes_since
from dupfind.values import FileEntry

NAMES = st.sampled_from([f"/{'x' * length}{letter}" for length in (0, 700) for letter in "abcdefgh"])
ENTRIES = st.lists(
    st.builds(FileEntry, NAMES, *[st.integers(0, 1)] * 4), max_size=12,
    unique_by=lambda entry: entry.path,
).map(sorted)  # fmt: skip
FILE = FileEntry("/a", 1, 2, 3, 4)


def since(before: list[FileEntry], now: list[FileEntry], unsettled: tuple[bool, ...] = ()) -> Changes | None:
    """Compare these."""
    rows = make_rows(before, array("Q", [0] * len(before)), unsettled or (False,) * len(before))
    return changes_since(rows, now, in_columns(now))


@given(ENTRIES, ENTRIES)
def test_as_by_looking_each_up(before: list[FileEntry], now: list[FileEntry]) -> None:
    """A file is the same where all of it is."""
    changes = since(before, now)
    assert changes is not None
    assert [now.index(entry) if entry in now else -1 for entry in before] == changes.places
    assert [place for place, entry in enumerate(now) if entry not in before] == changes.fresh
    assert [place for place, entry in enumerate(before) if entry not in now] == changes.gone
    assert [entry.path for entry in before] == changes.paths


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_many_come_and_go(gone: set[int], come: set[int], touched: set[int]) -> None:
    """Long stretches stay, in texts that are longer than what is compared at once."""
    names = [f"/{number:04d}{'x' * (number * 37 % 301)}" for number in range(1000)]
    before = [FileEntry(path, 0, 0, 0, place) for place, path in enumerate(names) if place // 16 not in come]
    now = [
        entry._replace(mtime_ns=place in touched)
        for place, path in enumerate(names)
        for entry in [FileEntry(path, 0, 0, 0, place)]
        if place // 16 not in gone
    ]
    changes = since(before, now)
    assert changes is not None
    places = {entry: place for place, entry in enumerate(now)}
    assert [places.get(entry, -1) for entry in before] == changes.places
    assert sorted(set(range(len(now))) - set(changes.places)) == changes.fresh
    assert [place for place, now_at in enumerate(changes.places) if now_at < 0] == changes.gone
    assert [entry.path for entry in before] == changes.paths
    assert all(
        before[earlier + offset].path == now[place + offset].path
        for earlier, place, length in changes.stretches
        for offset in range(length)
    )


@pytest.mark.parametrize("field", FileEntry._fields)
def test_every_column_counts(field: str) -> None:
    """Path, size, mtime, ctime, inode."""
    other = FILE._replace(**{field: "/b" if field == "path" else 9})
    changes = since([FILE], [other])
    assert changes is not None
    assert (["/a"], [-1], [0], [0]) == (changes.paths, changes.places, changes.fresh, changes.gone)
    assert changes.are_in_place == (field != "path")


def test_what_is_unsettled_has_changed() -> None:
    """Whatever it is now."""
    other = FILE._replace(path="/b")
    changes = since([FILE, other], [FILE, other], (True, False))
    assert changes is not None
    assert ([-1, 1], [0], [0], True) == (changes.places, changes.fresh, changes.gone, changes.are_in_place)


def test_another_order_tells_nothing() -> None:
    """Nor does a path that is there twice."""
    other = FILE._replace(path="/b")
    assert since([FILE, other], [other, FILE]) is None
    assert since([FILE], [other, other]) is None
    assert since([FILE, FILE], [FILE]) is None
