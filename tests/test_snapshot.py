"""Snapshots of collections: what is packed comes back, and what is not what was packed is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.cache import snapshot
from dupfind.cache.cache_schema import Part, PictureRef, SnapshotError
from dupfind.cache.snapshot import (
    HEAD,
    PICTURE,
    UNSETTLED,
    FolderRow,
    Inner,
    Rows,
    make_rows,
    pack,
    unpack,
    unsettled_since,
)
from dupfind.values import FileEntry
from tests.helpers.snapshots import ENTRIES, FAILURES, FOLDERS, ROWS, packed

NUMBERS = st.integers(-(2**63), 2**63 - 1)
WORDS = st.integers(0, 2**64 - 1)
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=5)
FILES = st.lists(st.tuples(NAMES, NUMBERS, NUMBERS, NUMBERS, WORDS, NUMBERS, WORDS, st.sampled_from((0, 1, 2))))


def test_a_collection_comes_back() -> None:
    """Folders, what is searched, details, failures; names that are no text among them."""
    known = unpack(packed().__getitem__)
    assert (list(FOLDERS), FAILURES) == (known.folders, known.failures)
    assert ([0, 2, 3], [10, 11, 12]) == (known.starts.tolist(), known.sizes.tolist())
    assert ([2**64 - 1, 0, 0], [1, 0, 2]) == (known.hashes.tolist(), known.kinds.tolist())
    assert ([0], [7]) == (known.inner.rows.tolist(), known.inner.hashes.tolist())
    details = known.details([2, 0, 2, 1])
    assert dict(enumerate(ENTRIES)) == {row: entry for row, (entry, _) in sorted(details.items())}
    assert [PictureRef(-5, 99), PictureRef(0, 0)] == [details[0][1], details[1][1]]


@given(FILES)
def test_rows_come_back(files: list[tuple[str, int, int, int, int, int, int, int]]) -> None:
    """Whatever the numbers, over several pieces."""
    entries = [FileEntry(f"/h/{name}", size, mtime, ctime, inode) for name, size, mtime, ctime, inode, *_ in files]
    refs = [PictureRef(id_, 1) for *_, id_, _, _ in files]
    rows = make_rows(entries, refs, [hash_ for *_, hash_, _ in files], [kind for *_, kind in files])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "PIECE", 3)
        parts = dict(
            pack([FolderRow("/h", -1, (1, 2), None, len(files))], rows, Inner(rows.ids[:0], rows.hashes[:0]), {})
        )
        assert -(-len(files) // 3) == sum(name == "details" for name, _ in parts)
        known = unpack(parts.__getitem__)
        assert dict(enumerate(zip(entries, refs, strict=True))) == known.details(range(len(files)))
        again = known.rows()
    assert_equal(rows, again)


def assert_equal(one: Rows, other: Rows) -> None:
    """Every column."""
    assert list(one.names) == list(other.names)
    for name in Rows.__slots__:
        assert list(getattr(one, name)) == list(getattr(other, name))


def test_rows_are_chosen_and_joined() -> None:
    """In the order that is asked for."""
    assert_equal(ROWS, ROWS.taken(np.array([0])) + ROWS.taken(np.array([1, 2])))
    assert [b"three.jpg", b"one.jpg"] == list(ROWS.taken(np.array([2, 0])).names)


@pytest.mark.parametrize(
    ("change", "is_unsettled"),
    [
        ({}, False),
        ({"ctime_ns": 101}, True),
        ({"ctime_ns": 100}, False),
        ({"mtime_ns": 101}, True),
        ({"mtime_ns": 200}, True),
        ({"mtime_ns": 201}, False),
        ({"inode": 0}, True),
    ],
)
def test_what_changed_lately_is_unsettled(change: dict[str, int], is_unsettled: bool) -> None:
    """A time in the future is no sign of it, a change of the inode always is."""
    entry = FileEntry("/h/a", 1, 50, 50, 7)._replace(**change)
    rows = unsettled_since(make_rows([entry], [PictureRef(1, 1)], [1], [PICTURE]), 100, 200)
    assert [UNSETTLED if is_unsettled else PICTURE] == rows.kinds.tolist()


def test_times_that_fit_no_column() -> None:
    """A file of the year 2300 is looked at each time; the others are known."""
    far = ENTRIES[0]._replace(mtime_ns=2**63)
    rows = make_rows([far, ENTRIES[2]], [PictureRef(1, 1), PictureRef(2, 1)], [1, 2], [PICTURE, PICTURE])
    assert [UNSETTLED, PICTURE] == rows.kinds.tolist()
    assert [0, 22] == rows.mtimes.tolist()


def changed(part: Part, change: Callable[[bytes], bytes]) -> dict[Part, bytes]:
    """The collection with another part."""
    parts = packed()
    return {**parts, part: change(parts[part])}


def with_head(**changes: object) -> dict[Part, bytes]:
    """The collection with another head."""
    return changed(HEAD, lambda data: json.dumps({**json.loads(data), **changes}).encode())


@pytest.mark.parametrize(
    "parts",
    [
        changed(HEAD, lambda data: data[:-1]),
        changed(HEAD, lambda _: b"[]"),
        changed(HEAD, lambda _: b"{}"),
        changed(("hashes", 0), lambda data: data[8:]),
        changed(("hashes", 0), lambda data: data[1:]),
        changed(("kinds", 0), lambda data: data + b"\0"),
        with_head(files=4),
        with_head(counts=[2, 2]),
        with_head(paths=["/h"]),
        with_head(noted=[[5, "x", "y", True]]),
        {part: data for part, data in packed().items() if part[0] != "sizes"},
    ],
)
def test_what_does_not_fit_together_is_refused(parts: dict[Part, bytes]) -> None:
    """Nothing is half believed."""
    with pytest.raises(SnapshotError):
        unpack(parts.__getitem__)


@pytest.mark.parametrize("change", [lambda data: data[:-3] + b"\0" + data[-3:], lambda data: data[:20]])
def test_a_piece_that_does_not_fit_is_refused(change: Callable[[bytes], bytes]) -> None:
    """When it is first asked for."""
    known = unpack(changed(("details", 0), change).__getitem__)
    with pytest.raises(SnapshotError):
        known.details([0])
    with pytest.raises(SnapshotError):
        known.rows()
