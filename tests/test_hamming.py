"""Hamming search against the slow obvious answer: Python integers, pair by pair."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind import hamming
from dupfind.hamming import HashDictionary, nearest, within

MAX = 2**64 - 1

Found = list[tuple[int, list[tuple[int, int]]]]


def array(values: list[int]) -> Any:
    """Hashes as the search takes them."""
    return np.array(values, np.uint64)


def plain(found: Iterator[tuple[int, tuple[Any, Any]]]) -> Found:
    """What was found as plain lists, in the order in which it came."""
    return [(index, list(zip(at.tolist(), bits.tolist(), strict=True))) for index, (at, bits) in found]


def slow(needles: list[int], haystack: list[int], radius_bits: int) -> Found:
    """The same by comparing every pair of Python integers."""
    every = []
    for index, needle in enumerate(needles):
        distances = [(at, (needle ^ other).bit_count()) for at, other in enumerate(haystack)]
        near = [(at, bits) for at, bits in distances if bits <= radius_bits]
        if near:
            every.append((index, near))
    return every


@st.composite
def clustered(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Needles and haystack around a few common centres, so that near and equal hashes are no rarity."""
    centres = draw(st.lists(st.sampled_from([0, MAX, 1 << 63]) | st.integers(0, MAX), min_size=1, max_size=3))
    flips = st.lists(st.integers(0, 63), max_size=24).map(lambda bits: sum(1 << bit for bit in set(bits)))
    hashes = st.builds(lambda centre, flip: centre ^ flip, st.sampled_from(centres), flips)
    return draw(st.lists(hashes, max_size=14)), draw(st.lists(hashes, max_size=14))


@pytest.fixture(params=[(1, 1), (3, 5), (16, 4096)], ids=str, scope="module")
def block_sizes(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """Blocks so small that a few hashes cross their bounds, and the real ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "_BLOCK_NEEDLES", request.param[0])
        patch.setattr(hamming, "_BLOCK_HAYSTACK", request.param[1])
        yield request.param


@given(clustered(), st.integers(0, 20))
def test_within_is_exact(block_sizes: tuple[int, int], hashes: tuple[list[int], list[int]], radius_bits: int) -> None:
    """All pairs within the radius and no other, with their distances, in rising order of both indexes."""
    needles, haystack = hashes
    assert slow(needles, haystack, radius_bits) == plain(within(array(needles), array(haystack), radius_bits))


@given(clustered(), st.integers(0, 20))
def test_dictionary_within_is_exact(
    block_sizes: tuple[int, int], hashes: tuple[list[int], list[int]], radius_bits: int
) -> None:
    """The same by keys, for repeated hashes on both sides."""
    needles, haystack = hashes
    found = HashDictionary(array(haystack)).within(array(needles), radius_bits)
    expected = slow(needles, sorted(set(haystack)), radius_bits)
    assert expected == plain((index, (keys, distances)) for index, keys, distances in found)


@given(clustered())
def test_dictionary_positions_and_equal(hashes: tuple[list[int], list[int]]) -> None:
    """Each key has its positions in rising order; a hash that is not there has no key."""
    needles, haystack = hashes
    dictionary = HashDictionary(array(haystack))
    keys = sorted(set(haystack))
    assert keys == dictionary.keys.tolist()
    expected = [[at for at, value in enumerate(haystack) if value == key] for key in keys]
    assert expected == [dictionary.positions(index).tolist() for index in range(len(keys))]
    equal = dictionary.equal(array(needles))
    assert [keys.index(one) if one in keys else -1 for one in needles] == equal.tolist()


@pytest.mark.parametrize(("needles", "haystack"), [([], []), ([1], []), ([], [1])])
def test_empty_sides_find_nothing(needles: list[int], haystack: list[int]) -> None:
    """No needles or no haystack is no error."""
    dictionary = HashDictionary(array(haystack))
    assert [] == plain(within(array(needles), array(haystack), 64))
    assert [] == list(dictionary.within(array(needles), 64))
    assert [-1] * len(needles) == dictionary.equal(array(needles)).tolist()


def test_extremes_of_64_bits() -> None:
    """All ones and the highest bit are ordinary hashes: nothing wraps, nothing goes through floating point."""
    values = [0, MAX, 1 << 63, MAX - 1, 2**53, 2**53 + 1]
    dictionary = HashDictionary(array(values))
    assert sorted(values) == dictionary.keys.tolist()
    assert [0, 5, 3, 4, 1, 2, -1] == dictionary.equal(array([*values, 2**53 - 1])).tolist()
    assert [(0, [(0, 64), (1, 0)])] == plain(within(array([MAX]), array([0, MAX]), 64))
    assert [(0, [(1, 0)])] == plain(within(array([MAX]), array([0, MAX]), 63))


@pytest.mark.parametrize("radius_bits", [0, 8, 32])
def test_the_radius_is_included(radius_bits: int) -> None:
    """A pair exactly at the radius is found, one bit more is not."""
    haystack = [(1 << radius_bits) - 1, (1 << (radius_bits + 1)) - 1]
    assert [(0, [(0, radius_bits)])] == plain(within(array([0]), array(haystack), radius_bits))


def test_the_real_blocks_are_crossed() -> None:
    """More needles and more haystack than a block holds, with hits at both ends of every block."""
    rows, columns = hamming._BLOCK_NEEDLES, hamming._BLOCK_HAYSTACK
    needles = [0, *[MAX] * (rows - 2), 1, 2, 3]
    haystack = [0, *[MAX // 3] * (columns - 2), 1, 2, 3]
    expected = slow(needles, haystack, 1)
    assert ([0, rows - 1, rows, rows + 1], [0, columns - 1, columns]) == (
        [index for index, _ in expected],
        [at for at, _ in expected[0][1]],
    )
    assert expected == plain(within(array(needles), array(haystack), 1))


def test_a_column_of_a_matrix_is_searched() -> None:
    """Hashes of one orientation are a strided view, which is as good as an array of its own."""
    matrix = array([7, 6, 9, 0, 7, 8]).reshape(3, 2)
    dictionary = HashDictionary(matrix[:, 0])
    assert ([7, 9], [0, 2]) == (dictionary.keys.tolist(), dictionary.positions(0).tolist())
    found = dictionary.within(matrix[:, 1], 1)
    assert [(0, [(0, 1)]), (2, [(1, 1)])] == plain((index, (keys, bits)) for index, keys, bits in found)


@given(
    st.lists(st.integers(0, MAX), min_size=1, max_size=4),
    st.lists(st.one_of(st.integers(0, 15), st.integers(0, MAX)), max_size=30),
    st.integers(1, 12),
    st.integers(1, 20),
)
def test_the_nearest_are_those_of_the_slow_answer(
    needles: list[int], haystack: list[int], count: int, most: int
) -> None:
    """By distance to the nearest needle, then by position, with all that tie with the last."""
    distances = [min((one ^ needle).bit_count() for needle in needles) for one in haystack]
    order = sorted(range(len(haystack)), key=lambda index: distances[index])
    expected = [index for index in order if distances[index] <= distances[order[min(count, len(order)) - 1]]]
    assert expected[:most] == nearest(array(needles), array(haystack), count, most).tolist()


close_hashes = st.lists(
    st.builds(
        lambda base, flips: base ^ sum(1 << bit for bit in flips),
        st.sampled_from([0, 2**64 - 1, 0x0123456789ABCDEF]),
        st.sets(st.integers(0, 63), max_size=5),
    ),
    unique=True,
    max_size=40,
)


@given(close_hashes)
def test_close_pairs_are_exact(values: list[int]) -> None:
    """Against every pair: each once, the lower index first, in rising order."""
    expected = [
        (low, high)
        for low, high in itertools.combinations(range(len(values)), 2)
        if (values[low] ^ values[high]).bit_count() <= hamming.CLOSE_BITS
    ]
    found = hamming.close_pairs(np.array(values, np.uint64))
    assert expected == list(zip(*(part.tolist() for part in found), strict=True))
