"""Exact search within a Hamming radius over 64-bit hashes; pure numpy, knows no files.

Equal hashes are collapsed first: blank pictures and forms come by the thousand and would otherwise be compared one by
one. How what is left is searched is chosen by its cost.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dupfind.search.blocks import Distances, Hashes, Positions
from dupfind.search.multi_index import Found, MultiIndex
from dupfind.search.search_plan import MOST_HITS, MOST_NEEDLES, plan

_MOST_PAIRS = 1 << 26
"""Pairs compared at a time where every pair is compared; some 50 ms."""
_FEWER = 4
"""How many times fewer needles are searched for together when they have too many hits."""

CLOSE_BITS = 3
"""How far apart :func:`close_pairs` looks; 99% of re-encoded photos stay within 2 of their pHash."""


class HashDictionary:
    """Which positions of an array carry which hash: a dictionary in three sorted arrays, 24 bytes an entry.

    A Python ``dict`` of lists answers the same questions and takes some 200 bytes an entry. An index, made when it
    pays, takes 4 bytes more for each part that is searched, 5 parts as a rule.

    >>> found = HashDictionary(np.array([7, 0, 7], np.uint64))
    >>> found.keys.tolist(), found.positions(1).tolist()
    ([0, 7], [0, 2])
    """

    def __init__(self, hashes: Hashes) -> None:
        self._order = np.argsort(hashes, kind="stable").astype(np.int64, copy=False)
        rising = hashes[self._order]
        is_first = np.ones(len(rising), np.bool_)
        np.not_equal(rising[1:], rising[:-1], out=is_first[1:])
        starts = np.flatnonzero(is_first)
        self.keys: Hashes = rising[starts]
        """The different hashes in rising order; a "key" elsewhere is an index into this array."""
        self._bounds = np.append(starts, len(hashes))
        self._index = MultiIndex(self.keys)

    @property
    def nbytes(self) -> int:
        """Bytes that the dictionary takes, with the index as far as it is made."""
        return self.keys.nbytes + self._order.nbytes + self._bounds.nbytes + self._index.nbytes

    def positions(self, key: int) -> Positions:
        """Return the positions with the hash ``keys[key]``, rising."""
        return self._order[self._bounds[key] : self._bounds[key + 1]]

    def places(self, keys: Positions) -> tuple[Positions, Positions]:
        """Return the positions with one of these keys, and of each which of ``keys`` it has, by index.

        >>> [part.tolist() for part in HashDictionary(np.array([7, 0, 7], np.uint64)).places(np.array([1, 0]))]
        [[0, 0, 1], [0, 2, 1]]
        """
        counts = self._bounds[keys + 1] - self._bounds[keys]
        which = np.repeat(np.arange(len(keys)), counts)
        steps = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        return which, self._order[self._bounds[keys][which] + steps]

    def count(self, keys: Positions) -> int:
        """Return how many positions have one of these keys."""
        return int((self._bounds[keys + 1] - self._bounds[keys]).sum())

    def equal(self, hashes: Hashes) -> Positions:
        """Return for each of ``hashes`` the key with the same hash, or -1."""
        if not len(self.keys):
            return np.full(len(hashes), -1, np.int64)
        at = np.minimum(np.searchsorted(self.keys, hashes), len(self.keys) - 1)
        return np.where(self.keys[at] == hashes, at, -1)

    def within(self, hashes: Hashes, radius_bits: int) -> Iterator[tuple[int, Positions, Distances]]:
        """Yield for each index into ``hashes`` with any: the keys at most ``radius_bits`` away, and how far.

        Indexes come in rising order, the keys of each in rising order too. The more hashes come in one call, the less
        time each takes; what is found is held in memory for a part of them at a time only.
        """
        for first, hits, back in self._batches(hashes, radius_bits):
            yield from _by_needle(hits, back, first)

    def near_any(self, hashes: Hashes, radius_bits: int) -> NDArray[np.bool_]:
        """Tell of each position whether its hash lies at most ``radius_bits`` from any of ``hashes``.

        >>> HashDictionary(np.array([7, 0, 7, 8], np.uint64)).near_any(np.uint64([3]), 1).tolist()
        [True, False, True, False]
        """
        is_near = np.zeros(len(self.keys), np.bool_)
        for _, (_, keys, _), _ in self._batches(hashes, radius_bits):
            is_near[keys] = True
        near = np.empty(len(self._order), np.bool_)
        near[self._order] = np.repeat(is_near, np.diff(self._bounds))
        return near

    def _batches(self, hashes: Hashes, radius_bits: int) -> Iterator[tuple[int, Found, Positions]]:
        """Yield what is found for as many of ``hashes`` as memory allows: the index of the first, the hits of the
        different ones, and which of these each is.
        """
        probes = plan(hashes, self.keys, radius_bits, self._index.parts)
        most = MOST_NEEDLES if probes else max(1, min(MOST_NEEDLES, _MOST_PAIRS // max(1, len(self.keys))))
        first, size = 0, most
        while first < len(hashes):
            different, back = np.unique(hashes[first : first + size], return_inverse=True)
            hits = self._index.search(different, radius_bits, probes, MOST_HITS if size > 1 else None)
            if hits is None:
                size = max(1, size // _FEWER)
                continue
            yield first, hits, back
            first += size
            if len(hits[0]) < MOST_HITS // _FEWER:
                size = min(most, size * 2)

    def pairs(self, hashes: Hashes, radius_bits: int, most: int) -> Iterator[tuple[int, int, int]]:
        """Yield each index into ``hashes``, rising, with each position at most ``radius_bits`` away,
        and how far that is.

        Of the positions with one hash the first ``most`` count. The nearest ``most`` of each index are surely among
        what is given; what is farther away than these may be left out.

        >>> list(HashDictionary(np.array([7, 0, 7], np.uint64)).pairs(np.uint64([3]), 1, 9))
        [(0, 0, 1), (0, 2, 1)]
        """
        for index, keys, distances in self.within(hashes, radius_bits):
            is_near = slice(None) if len(keys) <= most else distances <= np.partition(distances, most - 1)[most - 1]
            for key, distance in zip(keys[is_near].tolist(), distances[is_near].tolist(), strict=True):
                for position in self.positions(key)[:most].tolist():
                    yield index, position, distance


def _by_needle(hits: Found, back: Positions, first: int) -> Iterator[tuple[int, Positions, Distances]]:
    """Yield the hits of each hash, where ``back`` says which needle it is; ``first`` is the index of the first."""
    needle, key, bits = hits
    if not len(needle):
        return
    bounds = np.searchsorted(needle, np.arange(int(back.max()) + 2))
    with_any = np.flatnonzero(bounds[back] < bounds[back + 1])
    for index in with_any.tolist():
        window = slice(bounds[back[index]], bounds[back[index] + 1])
        yield first + index, key[window], bits[window]


def close_pairs(hashes: Hashes) -> tuple[Positions, Positions]:
    """Find all pairs of indexes into ``hashes``, which all differ, at most :data:`CLOSE_BITS` apart, each once.

    Of four parts of 16 bits at least one is equal then: only those that share a part are compared. 100,000 hashes take
    less than a second, where comparing all takes ten.

    >>> [part.tolist() for part in close_pairs(np.uint64([0, 7, 15]))]
    [[0, 1], [1, 2]]
    """
    pairs = [np.empty((2, 0), np.int64)]
    for shift in range(0, 64, 16):
        part = (hashes >> np.uint64(shift)).astype(np.uint16)
        order = np.argsort(part, kind="stable")
        later = np.arange(len(order))
        for step in range(1, len(order)):
            later = later[later + step < len(order)]
            later = later[part[order[later]] == part[order[later + step]]]
            if not len(later):
                break
            first, second = order[later], order[later + step]
            is_close = np.bitwise_count(hashes[first] ^ hashes[second]) <= CLOSE_BITS
            pairs.append(np.stack((np.minimum(first, second), np.maximum(first, second)))[:, is_close])
    low, high = np.concatenate(pairs, axis=1)
    order = np.lexsort((high, low))
    low, high = low[order], high[order]
    is_first = np.ones(len(order), np.bool_)  # np.unique would load masked arrays, which takes 8 ms
    is_first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return low[is_first], high[is_first]


def nearest(needles: Hashes, haystack: Hashes, count: int, most: int) -> Positions:
    """Find the ``count`` hashes of ``haystack`` nearest to any of ``needles``, by index, the nearest first.

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
