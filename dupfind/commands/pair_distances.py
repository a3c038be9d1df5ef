"""Distances between all pairs of some pictures, counted; pure numpy, knows no files.

A picture is a row of 64-bit words: a search hash for each algorithm, then the 256-bit check hash as four. A pair whose
check hashes lie near each other is likely one picture twice, which says nothing of pictures that are not the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dupfind.values import HASH_BITS

CHECK_WORDS = 4

Words = NDArray[np.uint64]
Counts = NDArray[np.int64]

_BLOCK_NEEDLES = 16
_BLOCK_HAYSTACK = 1 << 12


@dataclass(frozen=True, slots=True, eq=False)
class PairCounts:
    """How many pairs lie how far apart."""

    counts: Counts
    """Shape (algorithms, 65): pairs at each distance, those left out not counted."""
    left_out: int
    """Pairs that are likely one picture twice."""


def count_pairs(
    needles: Words,
    haystack: Words,
    positions: NDArray[np.int64],
    bound_bits: int,
    advance: Callable[[int], None] = lambda _: None,
) -> PairCounts:
    """Count the distances between each of some pictures and all others.

    ``needles`` has the shape (needles, orientations, words), ``haystack`` (pictures, words), and ``positions`` says
    which of the pictures each needle is, in rising order. The distance of a pair is the smallest over the needle's
    orientations, as a search finds it; a pair is left out where the same holds of the check hash and it lies within
    ``bound_bits``. Where every picture is a needle, each pair is counted once, else from the needle's side.
    """
    algorithms = haystack.shape[1] - CHECK_WORDS
    counts = np.zeros((algorithms, HASH_BITS + 1), np.int64)
    left_out = 0
    is_whole = len(positions) == len(haystack)
    columns = np.ascontiguousarray(haystack.T)
    block = _Block(needles.shape[1])
    for first in range(0, len(needles), _BLOCK_NEEDLES):
        rows = needles[first : first + _BLOCK_NEEDLES]
        places = positions[first : first + _BLOCK_NEEDLES, None]
        for start in range(first if is_whole else 0, len(haystack), _BLOCK_HAYSTACK):
            part = columns[:, start : start + _BLOCK_HAYSTACK]
            witnesses = np.arange(start, start + part.shape[1])[None, :]
            is_pair = witnesses > places if is_whole else witnesses != places
            is_same = block.nearest(rows[:, :, algorithms:], part[algorithms:]) <= bound_bits
            left_out += int(np.count_nonzero(is_same & is_pair))
            is_counted = is_pair & ~is_same
            for index in range(algorithms):
                distances = block.nearest(rows[:, :, index : index + 1], part[index : index + 1])
                counts[index] += np.bincount(distances[is_counted], minlength=HASH_BITS + 1)
        advance(len(rows))
    return PairCounts(counts, left_out)


class _Block:
    """Compares a block of needles with a block of haystack, in memory that is allocated once."""

    def __init__(self, orientations: int) -> None:
        shape = (_BLOCK_NEEDLES, _BLOCK_HAYSTACK)
        self._orientations = orientations
        self._xor = np.empty(shape, np.uint64)
        self._bits = np.empty(shape, np.uint8)
        self._sum = np.empty(shape, np.uint16)  # 256 bits may all differ, one more than a byte holds
        self._least = np.empty(shape, np.uint16)

    def nearest(self, needles: Words, haystack: Words) -> NDArray[np.uint16]:
        """Compute the smallest distance over the orientations, (needles, pictures); the next call overwrites it.

        ``needles`` has the shape (needles, orientations, words), ``haystack`` (words, pictures).
        """
        area = np.s_[: needles.shape[0], : haystack.shape[1]]
        xor, bits, total, least = self._xor[area], self._bits[area], self._sum[area], self._least[area]
        for orientation in range(self._orientations):
            into = total if orientation else least
            for word, column in enumerate(haystack):
                np.bitwise_xor(needles[:, orientation, word, None], column[None, :], out=xor)
                np.bitwise_count(xor, out=bits)
                np.copyto(into, bits) if word == 0 else np.add(into, bits, out=into)
            if orientation:
                np.minimum(least, total, out=least)
        return least
