"""Find the pictures that are linked with those that have changed, directly or through others.

A needle is matched among the pictures whose hash is near one of its own, and it may lose a witness to another needle
with the same witness, or with one that is nearly the same. So its match depends on the pictures that are linked with
it, step by step, and on no others.

Among 100,000 pictures such steps may lead to thousands. But a needle that has its witness looks at nothing that lies
further away, and one that nothing resembles takes no witness from another. :class:`Reach` says so of each needle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache_schema import FRAMED
from dupfind.cache.last_run import Hashes as KeptHashes
from dupfind.matching.borders import inner_hashes
from dupfind.reading import Pictures as DecodedPictures
from dupfind.run import Reading
from dupfind.search.blocks import Hashes, distinct
from dupfind.search.hamming import CLOSE_BITS, HashDictionary

_FEW = 1 << 24
"""Pairs of hashes that are compared one by one: 40 ms."""
_FAR = 255
"""More bits than two hashes can be apart."""

Files = NDArray[np.int64]
Rows = NDArray[np.int64]


class Pictures(NamedTuple):
    """The pictures of one side, by the numbers of their files."""

    files: Files
    """Of each row; a file may have several."""
    hashes: Hashes
    """Shape (rows, orientations)."""


def pictures_of(before: KeptHashes, now: DecodedPictures, files: Sequence[int], run: Reading) -> Pictures:
    """Return the pictures that are remembered, and those that were decoded now, whose files have these numbers.

    A picture with a frame has a row with it and a row without.
    """
    width = now.hashes.shape[1]
    framed = [row for row, ref in enumerate(now.refs) if ref.id & FRAMED]
    inner = inner_hashes(run.cache, [now.refs[row].id for row in framed], run.settings.scan.algorithm, width)
    earlier = np.array(before.values, np.uint64).reshape(-1, width)
    numbers = np.array([*files, *(files[row] for row in framed)], np.int64)
    return Pictures(
        np.concatenate([np.array(before.places, np.int64), numbers]), np.concatenate([earlier, now.hashes, inner])
    )


class Reach(NamedTuple):
    """How far what happens to a picture matters to each needle, by the number of its file."""

    bits: NDArray[np.int64]
    """Pictures of the haystack further away are nothing to it, as long as its witness stays."""
    has_claim: NDArray[np.bool_]
    """Whether it has a witness that it may lose to another needle, or has lost one."""


class Linked(NamedTuple):
    """The files that have to do with what has changed, by their numbers, and what has changed."""

    needles: set[int]
    haystack: set[int]
    """All that those needles are matched among."""
    rivals: set[int]
    """Needles of which only a part of that was followed. They have to come out as they were."""


def linked(
    needles: Pictures,
    haystack: Pictures,
    changed: tuple[Iterable[int], Iterable[int]],
    threshold_bits: int,
    most: int,
    reach: Reach,
) -> Linked | None:
    """Return the files that are linked with those that have ``changed``; None where more than ``most`` are.

    What was searched for within less than ``threshold_bits``, and met by way of another needle only, is a rival.
    """
    near_needles, near_haystack = _Near(needles), _Near(haystack)
    seen = tuple(map(set, changed))
    reach_bits = reach.bits[needles.files]
    of_changed = haystack.hashes[near_haystack.rows_of(seen[1])].reshape(-1)
    seen[0].update(needles.files[near_needles.rows(of_changed, reach_bits)].tolist())
    # What is judged anew is not sure to have its witness again.
    is_direct = np.isin(needles.files, np.array(sorted(seen[0]), np.int64))
    reach_bits = np.where(is_direct, threshold_bits, reach_bits)
    claimed_bits = np.where(reach.has_claim[needles.files], reach_bits, -1)
    pending = [set(files) for files in seen]
    while any(pending):
        rows = near_needles.rows_of(pending[0])
        of_haystack = haystack.hashes[near_haystack.rows_of(pending[1])].reshape(-1)
        met = (
            set(needles.files[near_needles.rows(of_haystack, claimed_bits)].tolist()),
            # A witness proves one needle only, and so do its copies.
            near_haystack.files(needles.hashes[rows], reach_bits[rows]) | near_haystack.files(of_haystack, CLOSE_BITS),
        )
        pending = [files - linked_files for files, linked_files in zip(met, seen, strict=True)]
        for linked_files, files in zip(seen, pending, strict=True):
            linked_files.update(files)
        if sum(map(len, seen)) > most:
            return None
    rows = near_needles.rows_of(seen[0])
    is_rival = reach_bits[rows] < threshold_bits
    among = near_haystack.files(needles.hashes[rows[is_rival]], threshold_bits)
    return Linked(seen[0], seen[1] | among, set(needles.files[rows[is_rival]].tolist()))


class _Near:
    """Searches the pictures of one side, by row or by file, for those with a hash near another."""

    def __init__(self, pictures: Pictures) -> None:
        self._files = pictures.files
        self._order = np.argsort(pictures.files, kind="stable")
        self._width = pictures.hashes.shape[1]
        self._flat = pictures.hashes.reshape(-1)
        self._dictionary: HashDictionary | None = None

    def rows_of(self, files: Iterable[int]) -> Rows:
        """Return the rows of these files; some have none."""
        wanted = np.array(sorted(files), np.int64)
        first, last = (np.searchsorted(self._files, wanted, side, self._order) for side in ("left", "right"))
        return np.concatenate([self._order[start:end] for start, end in zip(first, last, strict=True)] or [wanted])

    def files(self, hashes: Hashes, their_bits: NDArray[np.int64] | int) -> set[int]:
        """Return the files with a hash within so many bits of one of ``hashes``, each row of which may have its own."""
        radii = np.broadcast_to(their_bits, len(hashes))
        met: set[int] = set()
        for radius in distinct(radii).tolist():
            met.update(self._files[self.rows(hashes[radii == radius].reshape(-1), radius)].tolist())
        return met

    def rows(self, hashes: Hashes, own_bits: NDArray[np.int64] | int) -> Rows:
        """Return the rows, each once, with a hash within so many bits of one of ``hashes``.

        Each row that is searched may have its own radius; below zero, nothing is near it.
        """
        hashes = distinct(hashes)
        radii = np.broadcast_to(own_bits, len(self._files))
        if not len(hashes) or not len(self._flat) or radii.max() < 0:
            return np.empty(0, np.int64)
        limits = np.repeat(radii.astype(np.int16), self._width)
        if len(hashes) * len(self._flat) <= _FEW:
            is_near = np.zeros(len(self._flat), np.bool_)
            for hash_ in hashes:
                is_near |= np.bitwise_count(self._flat ^ hash_) <= limits
            return distinct(np.flatnonzero(is_near) // self._width)
        if self._dictionary is None:
            self._dictionary = HashDictionary(self._flat)
        nearest = np.full(len(self._dictionary.keys), _FAR, np.uint8)
        for _, keys, bits in self._dictionary.within(hashes, int(radii.max())):
            nearest[keys] = np.minimum(nearest[keys], bits)
        met = [(self._dictionary.positions(key), nearest[key]) for key in np.flatnonzero(nearest < _FAR).tolist()]
        places = [positions[limits[positions] >= bits] for positions, bits in met]
        return distinct(np.concatenate([np.empty(0, np.int64), *places]) // self._width)
