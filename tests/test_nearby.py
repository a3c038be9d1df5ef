"""Which pictures are looked at: exactly the nearest ones, against comparing them one by one."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dupfind.finding import collection
from dupfind.finding.collection import NO_PICTURE, Collection, Reach, near_rows

WORDS = st.integers(0, 2**64 - 1)
NEAR = st.sampled_from([0, 1, 3, 7, 0xFF, 0xFFFF, 2**64 - 1]) | WORDS


class Rows:
    """Stands for a collection: hashes, None for no picture, and some without their frames."""

    def __init__(self, hashes: list[int | None], inner: dict[int, int]) -> None:
        self.hashes = hashes
        self.inner = inner

    def distances_bits(self, needles: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """One by one."""
        return np.array([self._distance(one, needles) for one in self.hashes], np.uint8)

    def inner_distances_bits(self, needles: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """Likewise."""
        return np.array([self._distance(self.inner.get(row), needles) for row in range(len(self.hashes))], np.uint8)

    def in_order(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The walk went backwards."""
        return np.sort(rows)[::-1]

    @staticmethod
    def _distance(hash_: int | None, needles: NDArray[np.uint64]) -> int:
        return NO_PICTURE if hash_ is None else min((hash_ ^ needle).bit_count() for needle in needles.tolist())


def ask(rows: Rows, needles: list[int], inner: list[int], reach: Reach, left_out: list[int]) -> list[int]:
    """The rows that are looked at."""
    collection = cast("Collection", rows)
    found = near_rows(collection, np.array(needles, np.uint64), np.array(inner, np.uint64), reach, left_out)
    return found.nearest + found.framed


@given(
    st.lists(st.none() | NEAR, max_size=30),
    st.dictionaries(st.integers(0, 29), NEAR, max_size=5),
    st.lists(NEAR, min_size=1, max_size=8),
    st.lists(NEAR, max_size=8),
    st.integers(1, 10),
    st.integers(0, 64),
    st.integers(0, 32),
    st.sets(st.integers(0, 29), max_size=5),
)
def test_it_is_what_comparing_one_by_one_gives(
    hashes: list[int | None],
    inner_hashes: dict[int, int],
    needles: list[int],
    inner: list[int],
    nearest: int,
    most_bits: int,
    threshold_bits: int,
    left_out: set[int],
) -> None:
    """The nearest, all that are as far away, all within the threshold, and what is within it without frames."""
    threshold_bits = min(threshold_bits, most_bits)
    framed = {row: hash_ for row, hash_ in inner_hashes.items() if row < len(hashes) and hashes[row] is not None}
    rows = Rows(hashes, framed)
    out = [row for row in left_out if row < len(hashes)]
    found = ask(rows, needles, inner, Reach(nearest, most_bits, threshold_bits), out)
    distances = {
        row: min((hash_ ^ needle).bit_count() for needle in needles)
        for row, hash_ in enumerate(hashes)
        if hash_ is not None and row not in out
    }
    ranked = sorted(bits for bits in distances.values() if bits <= most_bits)
    within = sum(bits <= threshold_bits for bits in ranked)
    last = ranked[: max(nearest, within)][-1] if ranked else -1
    expected = {row for row, bits in distances.items() if bits <= last}
    for row, hash_ in enumerate(hashes):
        views = [*((hash_, one) for one in inner), *((framed.get(row), one) for one in [*needles, *inner])]
        bits = [(one ^ other).bit_count() for one, other in views if one is not None]
        if row not in out and bits and min(bits) <= threshold_bits:
            expected.add(row)
    assert expected == set(found)
    assert len(found) == len(set(found))


def test_very_many_are_equally_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of them are looked at, the first of the walk; none that is nearer is lost to them."""
    monkeypatch.setattr(collection, "MOST_TIED", 2)
    rows = Rows([1] * 50 + [0] + [None], {})
    assert {50, 49, 48, 47, 46} == set(ask(rows, [0], [], Reach(3, 64, 0), []))
    assert {50} == set(ask(rows, [0], [], Reach(3, 0, 0), []))


def test_more_within_the_threshold_than_a_scan_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest of them, as a scan does."""
    monkeypatch.setattr(collection, "MOST_CANDIDATES", 4)
    rows = Rows([2**number - 1 for number in range(12)], {})
    assert {0, 1, 2, 3} == set(ask(rows, [0], [], Reach(1, 64, 8), []))
    assert {0, 1, 2, 3, 4, 5} == set(ask(rows, [0], [], Reach(6, 64, 8), []))


def test_a_collection_without_pictures() -> None:
    """Nothing is near."""
    for hashes in ([], [None]):
        no_rows: Any = ask(Rows(hashes, {}), [0], [], Reach(5, 64, 10), [])
        assert [] == no_rows
