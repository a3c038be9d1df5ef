"""Distances between all pairs: the counts of the slow obvious answer, whatever the blocks and the sample."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.commands import pair_distances
from dupfind.commands.pair_distances import CHECK_WORDS, Words, count_pairs

ALGORITHMS = 2
MAX = 2**64 - 1

# Words that differ in few bits or in all of them meet each other often enough.
words = st.one_of(st.integers(0, 7), st.sampled_from([MAX, MAX - 1, 1 << 63, MAX // 3]), st.integers(0, MAX))


@st.composite
def collections(draw: st.DrawFn) -> tuple[Words, list[int]]:
    """Pictures in some orientations, shape (pictures, orientations, words), and which of them are needles."""
    count, orientations = draw(st.integers(2, 9)), draw(st.sampled_from([1, 2, 3]))
    width = ALGORITHMS + CHECK_WORDS
    flat = draw(st.lists(words, min_size=count * orientations * width, max_size=count * orientations * width))
    array = np.array(flat, np.uint64).reshape(count, orientations, width)
    if draw(st.booleans()):
        return array, list(range(count))
    return array, sorted(draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=count - 1)))


def slow(pictures: Words, needles: list[int], bound_bits: int) -> tuple[list[list[int]], int]:
    """Pair by pair, in plain integers."""
    counts, left_out = [[0] * 65 for _ in range(ALGORITHMS)], 0
    is_whole = len(needles) == len(pictures)
    rows = pictures.tolist()
    for needle in needles:
        for other in range(len(rows)):
            if other == needle or (is_whole and other < needle):
                continue
            upright = rows[other][0]
            least = [
                min((turned[word] ^ upright[word]).bit_count() for turned in rows[needle]) for word in range(ALGORITHMS)
            ]
            check = min(
                sum((turned[word] ^ upright[word]).bit_count() for word in range(ALGORITHMS, ALGORITHMS + CHECK_WORDS))
                for turned in rows[needle]
            )
            if check <= bound_bits:
                left_out += 1
                continue
            for index, distance in enumerate(least):
                counts[index][distance] += 1
    return counts, left_out


def fast(pictures: Words, needles: list[int], bound_bits: int) -> tuple[list[list[int]], int]:
    """The same by the code under test."""
    found = count_pairs(pictures[needles], pictures[:, 0], np.array(needles, np.int64), bound_bits)
    return found.counts.tolist(), found.left_out


@pytest.mark.slow
@given(collections(), st.sampled_from([0, 3, 68, 255, 256]), st.integers(1, 4), st.integers(1, 5))
def test_counts_are_those_of_the_slow_answer(
    collection: tuple[Words, list[int]], bound_bits: int, rows: int, columns: int
) -> None:
    """Whole collections and samples, one orientation and more, blocks of every size."""
    with (
        mock.patch.object(pair_distances, "_BLOCK_NEEDLES", rows),
        mock.patch.object(pair_distances, "_BLOCK_HAYSTACK", columns),
    ):
        assert slow(*collection, bound_bits) == fast(*collection, bound_bits)


def test_the_real_blocks_are_crossed() -> None:
    """More pictures than a block holds, in every row and column."""
    rng = np.random.default_rng(7)
    pictures = rng.integers(0, 4, (pair_distances._BLOCK_HAYSTACK + 3, 1, ALGORITHMS + CHECK_WORDS), dtype=np.uint64)
    needles = [0, 1, 2, *range(4095, 4099)]
    assert slow(pictures, needles, 3) == fast(pictures, needles, 3)


def test_pairs_of_a_whole_collection_are_counted_once() -> None:
    """There are n (n - 1) / 2 of them, over the edges of the real blocks too; progress counts the needles."""
    count = pair_distances._BLOCK_HAYSTACK + 5
    pictures = np.random.default_rng(1).integers(0, MAX, (count, 1, ALGORITHMS + CHECK_WORDS), dtype=np.uint64)
    steps: list[int] = []
    found = count_pairs(pictures, pictures[:, 0], np.arange(count), 0, steps.append)
    assert [count * (count - 1) // 2] * ALGORITHMS == found.counts.sum(1).tolist()
    assert (0, count) == (found.left_out, sum(steps))


def test_the_opposite_check_hash_is_far() -> None:
    """256 bits that all differ are 256 and not 0."""
    pictures = np.array([[[1] * 6], [[2] * 2 + [MAX - 1] * 4]], np.uint64)
    assert 0 == count_pairs(pictures, pictures[:, 0], np.arange(2), 255).left_out
    assert 1 == count_pairs(pictures, pictures[:, 0], np.arange(2), 256).left_out
