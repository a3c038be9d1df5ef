"""The dictionary of hashes against the slow obvious answer: Python integers, pair by pair."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.search import hamming
from dupfind.search.hamming import HashDictionary, nearest
from dupfind.search.multi_index import Probe
from dupfind.search.search_plan import cut

MAX = 2**64 - 1
ANY = [Probe(shift, bits, 64 // len(cut(number))) for number in (8,) for shift, bits in cut(number)]
"""Probes that serve every radius up to 64."""

Found = list[tuple[int, list[tuple[int, int]]]]


def array(values: list[int]) -> Any:
    """Hashes as the search takes them."""
    return np.array(values, np.uint64)


def plain(found: Iterator[tuple[int, Any, Any]]) -> Found:
    """What was found as plain lists, in the order in which it came."""
    return [(index, list(zip(at.tolist(), bits.tolist(), strict=True))) for index, at, bits in found]


def slow(needles: list[int], haystack: list[int], radius_bits: int) -> Found:
    """The same by comparing every pair of Python integers; indexes into the different hashes of the haystack."""
    every = []
    for index, needle in enumerate(needles):
        distances = [(at, (needle ^ other).bit_count()) for at, other in enumerate(sorted(set(haystack)))]
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


@pytest.fixture(params=["as they are", "one pair", "three hits", "probes", "probes, two hits"], scope="module")
def bounds(request: pytest.FixtureRequest) -> Iterator[str]:
    """Batches so small that a few hashes cross their bounds, and an index for so few hashes."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "one pair":
            patch.setattr(hamming, "_MOST_PAIRS", 1)
        if "hits" in request.param:
            patch.setattr(hamming, "MOST_HITS", 2 if "two" in request.param else 3)
        if "probes" in request.param:
            patch.setattr(hamming, "plan", lambda *_: ANY)
            patch.setattr(hamming, "MOST_NEEDLES", 9)
        yield request.param


@pytest.mark.mostly_slow(fast=1)
@given(clustered(), st.integers(0, 20))
def test_within_is_exact(bounds: str, hashes: tuple[list[int], list[int]], radius_bits: int) -> None:
    """All pairs within the radius and no other, by keys, in rising order of both, for repeated hashes on both sides."""
    needles, haystack = hashes
    found = HashDictionary(array(haystack)).within(array(needles), radius_bits)
    assert slow(needles, haystack, radius_bits) == plain(found)


@pytest.mark.slow
@given(clustered(), st.integers(0, 20), st.integers(1, 9))
def test_pairs_are_exact(hashes: tuple[list[int], list[int]], radius_bits: int, most: int) -> None:
    """Positions in place of keys: no more of one hash than wanted, and at least the nearest of each needle."""
    needles, haystack = hashes
    found = list(HashDictionary(array(haystack)).pairs(array(needles), radius_bits, most))
    assert found == list(dict.fromkeys(found))
    for index, needle in enumerate(needles):
        every = sorted(((needle ^ other).bit_count(), at) for at, other in enumerate(haystack))
        near = [(bits, at) for bits, at in every if bits <= radius_bits]
        given_ = sorted((bits, at) for number, at, bits in found if number == index)
        assert set(given_) <= set(near)
        assert near[:most] == given_[:most]
        assert all(most >= len([at for _, at in given_ if haystack[at] == value]) for value in set(haystack))
    assert sorted(index for index, _, _ in found) == [index for index, _, _ in found]


def test_pairs_leave_out_what_is_farther_than_enough() -> None:
    """A thousand near hashes cost no more than those that are wanted, and the ones that tie with the last."""
    dictionary = HashDictionary(array([15, 1, 2, 0, 7]))
    assert [(0, 3, 0), (0, 1, 1), (0, 2, 1)] == list(dictionary.pairs(array([0]), 9, 2))


def test_too_many_hits_make_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more hits are held together than allowed, but for those of one needle alone; later batches grow again."""
    monkeypatch.setattr(hamming, "MOST_HITS", 16)
    sizes = []
    search = hamming.MultiIndex.search

    def spied(self: Any, needles: Any, *args: Any) -> Any:
        hits = search(self, needles, *args)
        sizes.append((len(needles), None if hits is None else len(hits[0])))
        return hits

    monkeypatch.setattr(hamming.MultiIndex, "search", spied)
    needles = [*range(0, 2048, 32), *(number << 30 for number in range(1, 50))]
    haystack = list(range(32))
    assert slow(needles, haystack, 3) == plain(HashDictionary(array(haystack)).within(array(needles), 3))
    assert any(hits is None for _, hits in sizes)
    assert all(hits is None or hits <= 16 or size == 1 for size, hits in sizes)
    assert sizes[-2][0] > 1
    assert len(needles) == sum(size for size, hits in sizes if hits is not None)


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
    assert [] == list(dictionary.within(array(needles), 64))
    assert [] == list(dictionary.pairs(array(needles), 64, 9))
    assert [-1] * len(needles) == dictionary.equal(array(needles)).tolist()


def test_extremes_of_64_bits() -> None:
    """All ones and the highest bit are ordinary hashes: nothing wraps, nothing goes through floating point."""
    values = [0, MAX, 1 << 63, MAX - 1, 2**53, 2**53 + 1]
    dictionary = HashDictionary(array(values))
    assert sorted(values) == dictionary.keys.tolist()
    assert [0, 5, 3, 4, 1, 2, -1] == dictionary.equal(array([*values, 2**53 - 1])).tolist()
    assert [(0, [(0, 64), (1, 0)])] == plain(HashDictionary(array([0, MAX])).within(array([MAX]), 64))
    assert [(0, [(1, 0)])] == plain(HashDictionary(array([0, MAX])).within(array([MAX]), 63))


def test_its_bytes_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight for each position and each of the two of a key, and the index once a search has made it."""
    dictionary = HashDictionary(array([1, 2, 3, 3]))
    assert 8 * 4 + 8 * 3 + 8 * 4 == dictionary.nbytes
    monkeypatch.setattr(hamming, "plan", lambda *_: [Probe(8, 4, 1)])
    assert 2 == len(list(dictionary.within(array([1, 3]), 1)))
    assert 88 + 4 * 3 + 8 * 17 == dictionary.nbytes


def test_a_million_blank_pictures_are_one() -> None:
    """Equal hashes are compared once, on both sides."""
    blank = np.zeros(1_000_000, np.uint64)
    found = list(HashDictionary(blank).within(blank[:1000], 10))
    assert [(index, [0], [0]) for index in range(1000)] == [(at, k.tolist(), b.tolist()) for at, k, b in found]


def test_a_column_of_a_matrix_is_searched() -> None:
    """Hashes of one orientation are a strided view, which is as good as an array of its own."""
    matrix = array([7, 6, 9, 0, 7, 8]).reshape(3, 2)
    dictionary = HashDictionary(matrix[:, 0])
    assert ([7, 9], [0, 2]) == (dictionary.keys.tolist(), dictionary.positions(0).tolist())
    found = dictionary.within(matrix[:, 1], 1)
    assert [(0, [(0, 1)]), (2, [(1, 1)])] == plain(found)


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
