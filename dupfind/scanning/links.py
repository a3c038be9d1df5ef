"""Find the pictures that are linked with those that have changed, directly or through others.

A needle is matched among the pictures whose hash is near one of its own, and it may lose a witness to another needle
with the same witness, or with one that is nearly the same. So its match depends on the pictures that are linked with
it, step by step, and on no others.
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
from dupfind.search.blocks import Hashes
from dupfind.search.hamming import CLOSE_BITS, HashDictionary

_FEW = 1 << 24
"""Pairs of hashes that are compared one by one: 40 ms."""

Files = NDArray[np.int64]


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


def linked(
    needles: Pictures, haystack: Pictures, changed: tuple[Iterable[int], Iterable[int]], threshold_bits: int, most: int
) -> tuple[set[int], set[int]] | None:
    """Return the files of needles and of the haystack that are linked with those that have ``changed``, these as well.

    None where more than ``most`` files are.
    """
    sides = needles, haystack
    rows_of = [_Rows(side) for side in sides]
    near_needles, near_haystack = _Near(needles.hashes), _Near(haystack.hashes)
    seen = tuple(map(set, changed))
    pending = [set(files) for files in seen]
    while any(pending):
        of_needles = needles.hashes[rows_of[0].of(pending[0])].reshape(-1)
        of_haystack = haystack.hashes[rows_of[1].of(pending[1])].reshape(-1)
        met = (
            set(needles.files[near_needles.rows(of_haystack, threshold_bits)].tolist()),
            # A witness proves one needle only, and so do its copies.
            set(haystack.files[near_haystack.rows(of_needles, threshold_bits)].tolist())
            | set(haystack.files[near_haystack.rows(of_haystack, CLOSE_BITS)].tolist()),
        )
        pending = [files - linked_files for files, linked_files in zip(met, seen, strict=True)]
        for linked_files, files in zip(seen, pending, strict=True):
            linked_files.update(files)
        if sum(map(len, seen)) > most:
            return None
    return seen[0], seen[1]


class _Rows:
    """The rows of files."""

    def __init__(self, pictures: Pictures) -> None:
        self._order = np.argsort(pictures.files, kind="stable")
        self._files = pictures.files[self._order]

    def of(self, files: Iterable[int]) -> Files:
        """Return the rows of these files; some have none."""
        wanted = np.array(sorted(files), np.int64)
        first, last = (np.searchsorted(self._files, wanted, side) for side in ("left", "right"))
        return np.concatenate([self._order[start:end] for start, end in zip(first, last, strict=True)] or [wanted])


class _Near:
    """Searches for rows with a hash near another."""

    def __init__(self, hashes: Hashes) -> None:
        self._width = hashes.shape[1]
        self._flat = hashes.reshape(-1)
        self._dictionary: HashDictionary | None = None

    def rows(self, hashes: Hashes, radius_bits: int) -> Files:
        """Return the rows, each once, of which a hash lies within the radius of one of ``hashes``."""
        hashes = np.unique(hashes)
        if not len(hashes) or not len(self._flat):
            return np.empty(0, np.int64)
        if len(hashes) * len(self._flat) <= _FEW:
            is_near = np.zeros(len(self._flat), np.bool_)
            for hash_ in hashes:
                is_near |= np.bitwise_count(self._flat ^ hash_) <= radius_bits
            return np.unique(np.flatnonzero(is_near) // self._width)
        if self._dictionary is None:
            self._dictionary = HashDictionary(self._flat)
        keys = [keys for _, keys, _ in self._dictionary.within(hashes, radius_bits)]
        places = self._positions(np.unique(np.concatenate(keys)).tolist() if keys else [])
        return np.unique(places // self._width)

    def _positions(self, keys: Sequence[int]) -> Files:
        assert self._dictionary is not None
        return np.concatenate([np.empty(0, np.int64), *map(self._dictionary.positions, keys)])
