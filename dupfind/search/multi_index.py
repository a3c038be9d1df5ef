"""Exact search within a Hamming radius that leaves most pairs out, by the pigeonhole principle; pure numpy.

Multi-index hashing after M. Norouzi, A. Punjani and D. J. Fleet, "Fast Search in Hamming Space with Multi-Index
Hashing", CVPR 2012, https://arxiv.org/abs/1307.2982, with unequal radii: when the hashes are cut into parts and part i
is searched within the radius r_i, no pair within the radius r is missed as long as the sum of all r_i + 1 exceeds r. (A
pair that every part misses differs in at least r_i + 1 bits of each, thus in more than r.)

Unlike there, no needle looks its neighbours up alone: each bucket of the haystack is compared at once with all needles
from the buckets within r_i of it. That takes a numpy call for some 10,000 pairs instead of one for some 15.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.search.blocks import UFUNC_BUFFER, Blocks, Distances, Hashes, Hits, Positions

Found = tuple[Positions, Positions, Distances]
"""Pairs within the radius: indexes of needles, indexes of keys, distances in bits."""

_MOST_PLACES = 1 << 14
"""Entries of the table from buckets to their neighbours that is worked on at a time."""
_MOST_GATHERED = 1 << 20
"""Needles gathered for several buckets at a time."""
_LONGEST_RUN = 1 << 13
"""Hashes of one bucket that are compared at a time."""
_HITS_TOGETHER = 1 << 16
"""Hits that are looked through together."""


class Probe(NamedTuple):
    """One part of a hash, and how far from it is looked."""

    shift: int
    """The part's lowest bit."""
    bits: int
    """Its width, at most 16."""
    radius_bits: int


class MultiIndex:
    """Buckets over ``keys``, which are all different; those of a part are made when a search first wants them.

    A part takes 4 bytes a key and a table of up to 512 KiB. Fewer than 2**32 keys.

    >>> index = MultiIndex(np.uint64([0, 7, 255]))
    >>> [part.tolist() for part in index.search(np.uint64([3, 5]), 1, [Probe(0, 8, 0), Probe(8, 8, 0)])]
    [[0, 1], [1, 1], [1, 1]]
    """

    def __init__(self, keys: Hashes) -> None:
        self._keys = keys
        self._buckets: dict[tuple[int, int], _Buckets] = {}

    @property
    def parts(self) -> set[tuple[int, int]]:
        """Shift and bits of the parts that have their buckets already."""
        return set(self._buckets)

    @property
    def nbytes(self) -> int:
        """Bytes that the buckets take, the keys not counted."""
        return sum(buckets.order.nbytes + buckets.starts.nbytes for buckets in self._buckets.values())

    def search(
        self, needles: Hashes, radius_bits: int, probes: Sequence[Probe], most_hits: int | None = None
    ) -> Found | None:
        """Find all pairs of ``needles`` with keys within the radius, rising by needle, then by key.

        The ``probes`` are parts without a bit in common, of radii whose sum, each plus one, exceeds ``radius_bits``;
        without any probes every pair is compared. Gives up with None once there are more than ``most_hits``.
        """
        assert not probes or sum(probe.radius_bits + 1 for probe in probes) > radius_bits
        parts: list[Found] = []
        count = 0
        with np.errstate():  # bounds the change of the buffer's size
            np.setbufsize(UFUNC_BUFFER)
            for hits in self._hits(needles, Blocks(radius_bits), probes):
                count += len(hits[0])
                if most_hits is not None and count > most_hits:
                    return None
                parts.append(hits)
        return _sorted(parts)

    def _hits(self, needles: Hashes, blocks: Blocks, probes: Sequence[Probe]) -> Iterator[Found]:
        if not probes:
            yield from _together(blocks.compare(needles, self._keys))
        for number, probe in enumerate(probes):
            place = probe.shift, probe.bits
            if place not in self._buckets:
                self._buckets[place] = _Buckets(self._keys, *place)
            for needle, key, bits in _together(self._probe(needles, blocks, probe)):
                # A pair that several probes meet belongs to the first.
                is_new = _misses(needles[needle] ^ self._keys[key], probes[:number])
                yield needle[is_new], key[is_new], bits[is_new]

    def _probe(self, needles: Hashes, blocks: Blocks, probe: Probe) -> Iterator[Hits]:
        """Yield the hits among the pairs within this probe's radius of each other, in this probe's part."""
        theirs = self._buckets[probe.shift, probe.bits]
        ours = _Buckets(needles, probe.shift, probe.bits)
        for ids, hashes, begin, end in _meetings(needles, ours, theirs, ball(probe.bits, probe.radius_bits)):
            keys = theirs.order[begin:end]
            for row, column, bits in blocks.compare(hashes, self._keys.take(keys)):
                yield ids[row], keys[column], bits


def ball(bits: int, radius_bits: int) -> Positions:
    """List all numbers of ``bits`` bits of which at most ``radius_bits`` are set.

    >>> ball(3, 1).tolist()
    [0, 1, 2, 4]
    """
    numbers = np.arange(1 << bits)
    return numbers[np.bitwise_count(numbers) <= radius_bits]


def part(hashes: Hashes, shift: int, bits: int) -> NDArray[np.uint16]:
    """Cut out the ``bits`` bits, at most 16, from bit ``shift`` on, of each hash."""
    return ((hashes >> np.uint64(shift)) & np.uint64((1 << bits) - 1)).astype(np.uint16)


class _Buckets:
    """Hashes by the value of one part: those with the value v are ``order[starts[v] : starts[v + 1]]``."""

    def __init__(self, hashes: Hashes, shift: int, bits: int) -> None:
        values = part(hashes, shift, bits)
        self.order = np.argsort(values, kind="stable").astype(np.uint32)
        self.starts = np.zeros((1 << bits) + 1, np.int64)
        np.cumsum(np.bincount(values, minlength=1 << bits), out=self.starts[1:])


def _meetings(
    needles: Hashes, ours: _Buckets, theirs: _Buckets, masks: Positions
) -> Iterator[tuple[NDArray[np.uint32], Hashes, int, int]]:
    """Yield for each bucket of theirs, or each run of a long one: the needles of all buckets of ours that are one
    of the ``masks`` away, as indexes and as hashes, and the bounds of the run in ``theirs.order``.
    """
    bucket, begin, end = _runs(theirs.starts)
    step = max(1, _MOST_PLACES // len(masks))
    for first in range(0, len(bucket), step):
        batch = slice(first, first + step)
        near = bucket[batch, None] ^ masks
        starts = ours.starts[near]
        counts = ours.starts[near + 1] - starts
        lasts = np.cumsum(counts.sum(axis=1))
        bounds = zip(begin[batch].tolist(), end[batch].tolist(), [0, *lasts[:-1].tolist()], lasts.tolist(), strict=True)
        if lasts[-1] <= _MOST_GATHERED:
            ids = ours.order[_spans(starts.ravel(), counts.ravel())]
            hashes = needles[ids]
            for run_begin, run_end, low, high in bounds:
                if low < high:
                    yield ids[low:high], hashes[low:high], run_begin, run_end
            continue
        for row, (run_begin, run_end, _, _) in enumerate(bounds):
            ids = ours.order[_spans(starts[row], counts[row])]
            yield ids, needles[ids], run_begin, run_end


def _runs(starts: Positions) -> tuple[Positions, Positions, Positions]:
    """Return the buckets that hold anything, the longer ones several times, and the bounds of their runs."""
    runs = -(-np.diff(starts) // _LONGEST_RUN)
    bucket = np.repeat(np.arange(len(runs)), runs)
    begin = starts[bucket] + _LONGEST_RUN * _spans(np.zeros_like(runs), runs)
    return bucket, begin, np.minimum(begin + _LONGEST_RUN, starts[bucket + 1])


def _spans(starts: Positions, lengths: Positions) -> Positions:
    """Return the numbers from each start on, as many as its length says, one after the other.

    >>> _spans(np.array([5, 0, 9]), np.array([2, 0, 1])).tolist()
    [5, 6, 9]
    """
    lasts = np.cumsum(lengths)
    numbers = np.repeat(starts - (lasts - lengths), lengths)
    numbers += np.arange(len(numbers))
    return numbers


def _misses(xor: Hashes, probes: Sequence[Probe]) -> NDArray[np.bool_]:
    """Tell which of these pairs no probe meets, by the bits in which they differ."""
    is_missed = np.ones(len(xor), np.bool_)
    for shift, bits, radius_bits in probes:
        is_missed &= np.bitwise_count(part(xor, shift, bits)) > radius_bits
    return is_missed


def _together(parts: Iterable[Hits]) -> Iterator[Found]:
    """Join hits to fewer and longer arrays: where many blocks have a few, the calls cost more than the hits."""
    batch: list[Hits] = []
    count = 0
    for hits in parts:
        batch.append(hits)
        count += len(hits[0])
        if count >= _HITS_TOGETHER:
            yield _joined(batch)
            batch, count = [], 0
    yield _joined(batch)


def _joined(parts: Sequence[Hits]) -> Found:
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8)
    needle, key, bits = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return needle.astype(np.int64, copy=False), key.astype(np.int64, copy=False), bits


def _sorted(parts: Sequence[Found]) -> Found:
    """Join all of these, rising by needle, then by key."""
    needle, key, bits = _joined(parts)
    # One sort of one number a pair is twice as fast as one by two columns.
    order = np.argsort((needle << 32) | key)
    return needle[order], key[order], bits[order]
