"""Which pictures are near those that have changed: those that the obvious slow way finds."""

from __future__ import annotations

from array import array
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.cache.last_run import Hashes
from dupfind.scanning import links
from dupfind.scanning.links import Neighbours, Pictures, Reach, kept_for_next
from dupfind.search.hamming import CLOSE_BITS

BITS, SLACK = 5, 4
HASHES = st.integers(0, 11).map(lambda number: (1 << (4 * number)) - 1)
"""Neighbours are 4 bits apart: near for needles, not for two files of the haystack."""
CLOSE = st.integers(0, 7).map(lambda number: (1 << (2 * number)) - 1)
"""Neighbours are 2 bits apart: near for all."""
UNSURE = st.one_of(st.just(0), st.just(0), HASHES, st.just(2**64 - 1))
"""Bits that may be others."""
ONE = st.tuples(st.one_of(HASHES, CLOSE), UNSURE)
NEEDLE_ROWS = st.lists(st.tuples(st.integers(0, 6), ONE, ONE), max_size=8)
HAYSTACK_ROWS = st.lists(st.tuples(st.integers(0, 6), ONE), max_size=8)
FILES = st.sets(st.integers(0, 7), max_size=2)
REACH = st.lists(st.tuples(st.integers(0, BITS), st.booleans()), min_size=8, max_size=8)

Hash = tuple[int, int]
"""A hash, and its bits that are unsure."""


def pictures(rows: list[tuple[Any, ...]], width: int) -> Pictures:
    """Files and their hashes."""
    files = np.array([row[0] for row in rows], np.int64)
    hashes = np.array([row[1:] for row in rows], np.uint64).reshape(-1, width, 2)
    return Pictures(files, hashes[..., 0], hashes[..., 1])


def are_near(first: Hash, second: Hash, limit: int) -> bool:
    """Whether they may lie within the limit."""
    (first_hash, first_unsure), (second_hash, second_unsure) = first, second
    differences, unsure = first_hash ^ second_hash, first_unsure | second_unsure
    slack = SLACK if unsure else 0
    return differences.bit_count() <= limit + slack and (differences & ~unsure).bit_count() <= limit


@pytest.mark.parametrize(("few", "most"), [(0, 1 << 20), (0, 3), (1 << 24, 1)])
@given(needles=NEEDLE_ROWS, haystack=HAYSTACK_ROWS, asked=FILES, reach=REACH)
def test_all_that_is_near(
    few: int,
    most: int,
    needles: list[tuple[int, Hash, Hash]],
    haystack: list[tuple[int, Hash]],
    asked: set[int],
    reach: list[tuple[int, bool]],
) -> None:
    """As by comparing all with all, whichever way is searched."""
    pairs = [
        (needle, file, [min(bits for bits in range(99) if are_near(own, theirs, bits)) for own in ours])
        for (needle, *ours), (file, theirs) in product(needles, haystack)
    ]
    bits, are_upright = zip(*reach, strict=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "_FEW", few)
        patch.setattr(links, "_MOST_PAIRS", most)
        neighbours = Neighbours(pictures(list(needles), 2), pictures(list(haystack), 1), BITS, SLACK)
        assert neighbours.needles_near(asked, Reach(np.array(bits), np.array(are_upright))) == {
            needle
            for needle, file, apart in pairs
            if file in asked and (apart[0] if are_upright[needle] else min(apart)) <= bits[needle]
        }
        assert neighbours.haystack_near(asked) == {
            file for needle, file, apart in pairs if needle in asked and min(apart) <= BITS
        }
        assert neighbours.copies(asked) == {
            other
            for (file, own), (other, theirs) in product(haystack, haystack)
            if file in asked and are_near(own, theirs, CLOSE_BITS)
        }


@pytest.mark.parametrize("unsure", [array("Q"), array("Q", [8])])
def test_unsure_bits_are_kept(unsure: array[int]) -> None:
    """Those of pictures that were not scanned again, and those of pictures that were; one file has gone."""
    before = pictures([(0, (1, 2)), (1, (3, 4)), (4, (5, 6))], 1)
    scanned = Hashes(array("q", [0]), array("Q", [7]), unsure)
    kept = kept_for_next(before, [0, -1, 2], [1], scanned, are_all_searched=False)
    assert Hashes(array("q", [0, 1]), array("Q", [1, 7]), array("Q", [2, *(unsure or [0])])) == kept
