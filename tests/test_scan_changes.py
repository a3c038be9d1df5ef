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

ENTRIES = st.lists(
    st.builds(FileEntry, st.sampled_from(["/a", "/b", "/c", "/d"]), *[st.integers(0, 1)] * 4), max_size=4,
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


@pytest.mark.parametrize("field", FileEntry._fields)
def test_every_column_counts(field: str) -> None:
    """Path, size, mtime, ctime, inode."""
    other = FILE._replace(**{field: "/b" if field == "path" else 9})
    assert Changes(["/a"], [-1], [0], [0], are_in_place=field != "path") == since([FILE], [other])


def test_what_is_unsettled_has_changed() -> None:
    """Whatever it is now."""
    other = FILE._replace(path="/b")
    assert Changes(["/a", "/b"], [-1, 1], [0], [0], are_in_place=True) == since(
        [FILE, other], [FILE, other], (True, False)
    )


def test_another_order_tells_nothing() -> None:
    """Nor does a path that is there twice."""
    other = FILE._replace(path="/b")
    assert since([FILE, other], [other, FILE]) is None
    assert since([FILE], [other, other]) is None
    assert since([FILE, FILE], [FILE]) is None
