"""Which pictures are linked: those that the obvious slow way meets, step by step."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.scanning import links
from dupfind.scanning.links import Linked, Pictures, Reach, linked
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


def slowly(
    needles: list[tuple[Any, ...]], haystack: list[tuple[Any, ...]], changed: tuple[set[int], set[int]], reach: Reach
) -> Linked:
    """Each row with each other, until nothing is met any more."""
    pairs = [
        (needle, file, min(bits for bits in range(99) if any(are_near(own, theirs, bits) for own in ours)))
        for (needle, *ours), (file, theirs) in product(needles, haystack)
    ]
    seen = set(changed[0]), set(changed[1])
    seen[0].update(needle for needle, file, bits in pairs if file in changed[1] and bits <= reach.bits[needle])
    bound = [BITS if needle in seen[0] else int(bits) for needle, bits in enumerate(reach.bits)]
    while True:
        before = len(seen[0]) + len(seen[1])
        for needle, file, bits in pairs:
            if bits <= bound[needle] and needle in seen[0]:
                seen[1].add(file)
            if bits <= bound[needle] and file in seen[1] and reach.has_claim[needle]:
                seen[0].add(needle)
        for (file, own), (other, theirs) in product(haystack, haystack):
            if are_near(own, theirs, CLOSE_BITS) and file in seen[1]:
                seen[1].add(other)
        if before == len(seen[0]) + len(seen[1]):
            among = {file for needle, file, bits in pairs if needle in seen[0] and bits <= BITS}
            rivals = {needle for needle, *_ in needles if needle in seen[0] and bound[needle] < BITS}
            return Linked(seen[0], seen[1] | among, rivals)


REACH = st.lists(st.tuples(st.integers(0, BITS), st.booleans()), min_size=8, max_size=8)
WHOLE = Reach(np.full(8, BITS), np.ones(8, np.bool_))


@pytest.mark.parametrize(("few", "most"), [(0, 1 << 20), (0, 3), (1 << 24, 1)])
@given(needles=NEEDLE_ROWS, haystack=HAYSTACK_ROWS, changed=st.tuples(FILES, FILES), reach=REACH)
def test_all_that_is_linked(
    few: int,
    most: int,
    needles: list[tuple[int, Hash, Hash]],
    haystack: list[tuple[int, Hash]],
    changed: tuple[set[int], set[int]],
    reach: list[tuple[int, bool]],
) -> None:
    """As by comparing all with all, whichever way is searched."""
    reaches = Reach(np.array([bits for bits, _ in reach]), np.array([claim for _, claim in reach]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "_FEW", few)
        patch.setattr(links, "_MOST_PAIRS", most)
        for each in (reaches, WHOLE):
            met = linked(pictures(list(needles), 2), pictures(list(haystack), 1), changed, BITS, SLACK, 99, each)
            assert slowly(list(needles), list(haystack), changed, each) == met


def test_no_rival_where_all_is_followed() -> None:
    """Nothing has to come out as it was then."""
    needles, haystack = pictures([(number, (0, 0), (0, 0)) for number in range(3)], 2), pictures([(0, (0, 0))], 1)
    assert linked(needles, haystack, ({0}, set()), BITS, SLACK, 9, WHOLE) == Linked({0, 1, 2}, {0}, set())
    near = WHOLE._replace(bits=np.zeros(8, np.int64))
    assert linked(needles, haystack, ({0}, set()), BITS, SLACK, 9, near) == Linked({0, 1, 2}, {0}, {1, 2})


def test_a_rival_has_all_that_it_could_be_matched_with() -> None:
    """Also what lies beyond its witness, by way of which nothing is followed."""
    needles, haystack = (
        pictures([(0, (0, 0), (0, 0)), (1, (0xF, 0), (0xF, 0))], 2),
        pictures([(0, (0xF, 0)), (1, (0xFF, 0))], 1),
    )
    near = WHOLE._replace(bits=np.zeros(8, np.int64))
    assert linked(needles, haystack, ({0}, set()), BITS, SLACK, 9, near) == Linked({0, 1}, {0, 1}, {1})


def test_too_many_are_linked() -> None:
    """Then everything is scanned, which takes no longer."""
    needles, haystack = pictures([(number, (0, 0), (0, 0)) for number in range(3)], 2), pictures([(0, (0, 0))], 1)
    assert linked(needles, haystack, ({0}, set()), BITS, SLACK, 4, WHOLE) == Linked({0, 1, 2}, {0}, set())
    assert linked(needles, haystack, ({0}, set()), BITS, SLACK, 3, WHOLE) is None
