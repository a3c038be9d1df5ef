"""Which pictures are linked: those that the obvious slow way meets, step by step."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.scanning import links
from dupfind.scanning.links import Linked, Pictures, Reach, linked
from dupfind.search.hamming import CLOSE_BITS

BITS = 5
HASHES = st.integers(0, 11).map(lambda number: (1 << (4 * number)) - 1)
"""Neighbours are 4 bits apart: near for needles, not for two files of the haystack."""
CLOSE = st.integers(0, 7).map(lambda number: (1 << (2 * number)) - 1)
"""Neighbours are 2 bits apart: near for all."""
ONE = st.one_of(HASHES, CLOSE)
NEEDLE_ROWS = st.lists(st.tuples(st.integers(0, 6), ONE, ONE), max_size=8)
HAYSTACK_ROWS = st.lists(st.tuples(st.integers(0, 6), ONE), max_size=8)
FILES = st.sets(st.integers(0, 7), max_size=2)


def pictures(rows: list[tuple[int, ...]], width: int) -> Pictures:
    """Files and their hashes."""
    files = np.array([row[0] for row in rows], np.int64)
    return Pictures(files, np.array([row[1:] for row in rows], np.uint64).reshape(-1, width))


def slowly(
    needles: list[tuple[int, ...]], haystack: list[tuple[int, int]], changed: tuple[set[int], set[int]], reach: Reach
) -> Linked:
    """Each row with each other, until nothing is met any more."""
    pairs = [
        (needle, file, min((own ^ theirs).bit_count() for own in ours))
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
            if (own ^ theirs).bit_count() <= CLOSE_BITS and file in seen[1]:
                seen[1].add(other)
        if before == len(seen[0]) + len(seen[1]):
            among = {file for needle, file, bits in pairs if needle in seen[0] and bits <= BITS}
            rivals = {needle for needle, *_ in needles if needle in seen[0] and bound[needle] < BITS}
            return Linked(seen[0], seen[1] | among, rivals)


REACH = st.lists(st.tuples(st.integers(0, BITS), st.booleans()), min_size=8, max_size=8)
WHOLE = Reach(np.full(8, BITS), np.ones(8, np.bool_))


@pytest.mark.parametrize("few", [0, 1 << 24])
@given(needles=NEEDLE_ROWS, haystack=HAYSTACK_ROWS, changed=st.tuples(FILES, FILES), reach=REACH)
def test_all_that_is_linked(
    few: int,
    needles: list[tuple[int, int, int]],
    haystack: list[tuple[int, int]],
    changed: tuple[set[int], set[int]],
    reach: list[tuple[int, bool]],
) -> None:
    """As by comparing all with all, whichever way is searched."""
    reaches = Reach(np.array([bits for bits, _ in reach]), np.array([claim for _, claim in reach]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links, "_FEW", few)
        for each in (reaches, WHOLE):
            met = linked(pictures(list(needles), 2), pictures(list(haystack), 1), changed, BITS, 99, each)
            assert slowly(list(needles), list(haystack), changed, each) == met


def test_no_rival_where_all_is_followed() -> None:
    """Nothing has to come out as it was then."""
    needles, haystack = pictures([(number, 0, 0) for number in range(3)], 2), pictures([(0, 0)], 1)
    assert linked(needles, haystack, ({0}, set()), BITS, 9, WHOLE) == Linked({0, 1, 2}, {0}, set())
    near = WHOLE._replace(bits=np.zeros(8, np.int64))
    assert linked(needles, haystack, ({0}, set()), BITS, 9, near) == Linked({0, 1, 2}, {0}, {1, 2})


def test_a_rival_has_all_that_it_could_be_matched_with() -> None:
    """Also what lies beyond its witness, by way of which nothing is followed."""
    needles, haystack = pictures([(0, 0, 0), (1, 0xF, 0xF)], 2), pictures([(0, 0xF), (1, 0xFF)], 1)
    near = WHOLE._replace(bits=np.zeros(8, np.int64))
    assert linked(needles, haystack, ({0}, set()), BITS, 9, near) == Linked({0, 1}, {0, 1}, {1})


def test_too_many_are_linked() -> None:
    """Then everything is scanned, which takes no longer."""
    needles, haystack = pictures([(number, 0, 0) for number in range(3)], 2), pictures([(0, 0)], 1)
    assert linked(needles, haystack, ({0}, set()), BITS, 4, WHOLE) == Linked({0, 1, 2}, {0}, set())
    assert linked(needles, haystack, ({0}, set()), BITS, 3, WHOLE) is None
