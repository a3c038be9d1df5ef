"""Exact search within a Hamming radius over 64-bit hashes; pure numpy, knows no files.

Equal hashes are collapsed first: blank pictures and forms come by the thousand and would otherwise be compared one by
one. What is left is compared in blocks that fit into the processor's cache, 1.5 billion pairs a second on one core.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Positions = NDArray[np.int64]
Distances = NDArray[np.uint8]

_BLOCK_NEEDLES = 16
_BLOCK_HAYSTACK = 1 << 12


CLOSE_BITS = 3
"""How far apart :func:`close_pairs` looks; 99% of re-encoded photos stay within 2 of their pHash."""


class HashDictionary:
    """Which positions of an array carry which hash: a dictionary in two sorted arrays, 16 bytes an entry.

    A Python ``dict`` of lists answers the same questions and takes some 200 bytes an entry.

    >>> found = HashDictionary(np.array([7, 0, 7], np.uint64))
    >>> found.keys.tolist(), found.positions(1).tolist()
    ([0, 7], [0, 2])
    """

    def __init__(self, hashes: Hashes) -> None:
        order = np.argsort(hashes, kind="stable").astype(np.int64)
        self.keys, starts = np.unique(hashes[order], return_index=True)
        """The different hashes in rising order; a "key" elsewhere is an index into this array."""
        self._order = order
        self._bounds = np.append(starts, len(hashes))

    def positions(self, key: int) -> Positions:
        """The positions with the hash ``keys[key]``, rising."""
        return self._order[self._bounds[key] : self._bounds[key + 1]]

    def equal(self, hashes: Hashes) -> Positions:
        """For each of ``hashes`` the key with the same hash, or -1."""
        if not len(self.keys):
            return np.full(len(hashes), -1, np.int64)
        at = np.minimum(np.searchsorted(self.keys, hashes), len(self.keys) - 1)
        return np.where(self.keys[at] == hashes, at, -1)

    def within(self, hashes: Hashes, radius_bits: int) -> Iterator[tuple[int, Positions, Distances]]:
        """For each index into ``hashes`` with any: the keys at most ``radius_bits`` away, and how far.

        Indexes come in rising order, the keys of each in rising order too. Equal hashes are searched once.
        """
        different, back = np.unique(hashes, return_inverse=True)
        found = dict(within(different, self.keys, radius_bits))
        for index, key in enumerate(back.tolist()):
            if key in found:
                yield (index, *found[key])

    def pairs(self, hashes: Hashes, radius_bits: int, most_equal: int) -> Iterator[tuple[int, int, int]]:
        """Each index into ``hashes``, rising, with each position at most ``radius_bits`` away, and how far that is.

        Of positions with one hash the first ``most_equal`` count.

        >>> list(HashDictionary(np.array([7, 0, 7], np.uint64)).pairs(np.uint64([3]), 1, 9))
        [(0, 0, 1), (0, 2, 1)]
        """
        for index, keys, distances in self.within(hashes, radius_bits):
            for key, distance in zip(keys.tolist(), distances.tolist(), strict=True):
                for position in self.positions(key)[:most_equal].tolist():
                    yield index, position, distance


def within(needles: Hashes, haystack: Hashes, radius_bits: int) -> Iterator[tuple[int, tuple[Positions, Distances]]]:
    """All pairs with a Hamming distance of at most ``radius_bits``, found by comparing every pair.

    Gives, for each index into ``needles`` that has any, the indexes into ``haystack`` and their distances.

    >>> [(i, j.tolist(), d.tolist()) for i, (j, d) in within(np.uint64([5]), np.uint64([5, 4, 250]), 1)]
    [(0, [0, 1], [0, 1])]
    """
    blocks = _Blocks(radius_bits)
    for first in range(0, len(needles), _BLOCK_NEEDLES):
        block = needles[first : first + _BLOCK_NEEDLES, None]
        hits = [
            (row, column + start, bits)
            for start in range(0, len(haystack), _BLOCK_HAYSTACK)
            for row, column, bits in blocks.compare(block, haystack[None, start : start + _BLOCK_HAYSTACK])
        ]
        if not hits:
            continue
        row, column, distance = (np.concatenate(part) for part in zip(*hits, strict=True))
        order = np.argsort(row, kind="stable")
        bounds = np.searchsorted(row[order], np.arange(len(block) + 1))
        for number in range(len(block)):
            of_one = order[bounds[number] : bounds[number + 1]]
            if len(of_one):
                yield first + number, (column[of_one], distance[of_one])


def close_pairs(hashes: Hashes) -> tuple[Positions, Positions]:
    """All pairs of indexes into ``hashes``, which are all different, at most :data:`CLOSE_BITS` apart, each once.

    Of four parts of 16 bits at least one is equal then: only those that share a part are compared. 100,000 hashes take
    less than a second, where comparing all takes ten.

    >>> [part.tolist() for part in close_pairs(np.uint64([0, 7, 15]))]
    [[0, 1], [1, 2]]
    """
    found = [np.empty((2, 0), np.int64)]
    for shift in range(0, 64, 16):
        part = (hashes >> np.uint64(shift)).astype(np.uint16)
        order = np.argsort(part, kind="stable")
        later = np.arange(len(order))
        for step in range(1, len(order)):
            later = later[later + step < len(order)]
            later = later[part[order[later]] == part[order[later + step]]]
            if not len(later):
                break
            one, other = order[later], order[later + step]
            is_close = np.bitwise_count(hashes[one] ^ hashes[other]) <= CLOSE_BITS
            found.append(np.stack((np.minimum(one, other), np.maximum(one, other)))[:, is_close])
    low, high = np.unique(np.concatenate(found, axis=1), axis=1)
    return low, high


def nearest(needles: Hashes, haystack: Hashes, count: int, most: int) -> Positions:
    """The indexes into ``haystack`` of the ``count`` hashes nearest to any of ``needles``, the nearest first.

    Of equally near ones the lower index comes first; all that are as near as the last are given too, up to ``most``.

    >>> nearest(np.uint64([0]), np.uint64([7, 1, 3, 2, 255]), 1, 9).tolist()
    [1, 3]
    """
    if not len(haystack):
        return np.empty(0, np.int64)
    distances = np.bitwise_count(haystack ^ needles[0])
    for needle in needles[1:]:
        np.minimum(distances, np.bitwise_count(haystack ^ needle), out=distances)
    last = np.partition(distances, min(count, len(haystack)) - 1)[min(count, len(haystack)) - 1]
    order = np.argsort(distances, kind="stable")
    return order[: np.searchsorted(distances[order], last, "right")][:most].astype(np.int64)


class _Blocks:
    """Compares a block of needles with a block of haystack in memory that is allocated once.

    Writing into the same 600 KB again and again is 3.5 times as fast as letting numpy allocate: the block stays in the
    processor's second-level cache.
    """

    def __init__(self, radius_bits: int) -> None:
        self._radius_bits = radius_bits
        shape = (_BLOCK_NEEDLES, _BLOCK_HAYSTACK)
        self._xor = np.empty(shape, np.uint64)
        self._bits = np.empty(shape, np.uint8)
        self._is_hit = np.empty(shape, np.bool_)

    def compare(self, needles: Hashes, haystack: Hashes) -> Iterator[tuple[Positions, Positions, Distances]]:
        """Row, column and distance of the pairs within the radius; nothing when there are none, as is usual."""
        area = np.s_[: needles.shape[0], : haystack.shape[1]]
        xor, bits, is_hit = self._xor[area], self._bits[area], self._is_hit[area]
        np.bitwise_xor(needles, haystack, out=xor)
        np.bitwise_count(xor, out=bits)
        np.less_equal(bits, self._radius_bits, out=is_hit)
        if is_hit.any():
            row, column = np.nonzero(is_hit)
            yield row, column, bits[row, column]
