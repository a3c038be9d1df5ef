"""Gray pictures that the matching may rest on: they are decoded in full before it begins.

A gray picture is searched by a hash of which some bits are not sure (:mod:`dupfind.evidence.fingerprint`). What may lie
within the threshold whatever these bits are gets the hash of its file. So the matching finds what it would find if no
picture had been gray.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import FRAMED, is_gray
from dupfind.evidence.fingerprint import MOST_GRAY_BITS, are_near, pixels, slack_bits, unsure_bits
from dupfind.matching.borders import inner_hashes
from dupfind.matching.damaged import likeliest_gray
from dupfind.matching.decodes import MOST_ROUNDS, Decodes, Side
from dupfind.run import Reading
from dupfind.search.blocks import Hashes, distinct
from dupfind.search.hamming import HashDictionary
from dupfind.values import Match

_BATCH = 512
"""Thumbnails that are in memory together."""
_MOST_PAIRS = 1 << 20
ALL_BITS = np.uint64(2**64 - 1)
"""Unsure bits of a picture of which nobody has asked which are."""


def measure_near(run: Reading, decodes: Decodes) -> None:
    """Decode in full what is gray and may lie within the threshold of the other side, with a frame or without.

    From then on pictures are searched by the hashes of their files: what is gray still is farther away than the
    threshold, whatever its hash will be.
    """
    gray = decodes.needles.gray(), decodes.haystack.gray()
    if not any(gray):
        return
    scan = run.settings.scan
    if scan.threshold_bits > MOST_GRAY_BITS:
        decodes.measure(*gray)
        return
    with run.listener.part("search", len(gray[0])):
        sides = decodes.needles, decodes.haystack
        needles, haystack = (_Hashes(side, run.cache, scan.algorithm) for side in sides)
        near = _near(needles, haystack, scan.threshold_bits, scan.threshold_bits + slack_bits(scan.algorithm))
    for side, hashes in zip(sides, (needles, haystack), strict=True):
        side.unsure = hashes.known()
    decodes.measure(*near)


def measure_likely(run: Reading, decodes: Decodes, matches: Mapping[str, Match]) -> None:
    """Decode in full what is gray and likeliest for needles that are compared by their pixels, not by their hash."""
    for _ in range(MOST_ROUNDS):
        gray = decodes.haystack.gray()
        if not gray:
            return
        needles, haystack = decodes.pictures()
        likely = likeliest_gray(needles, haystack, matches, run.cache, run.settings.scan.algorithm)
        if not likely:
            return
        paths = {haystack.entries[position].path for position in likely}
        decodes.measure((), [place for place in gray if decodes.haystack.entries[place].path in paths])


class _Hashes:
    """The search hashes of the pictures of one side, and once more without their frames."""

    def __init__(self, side: Side, cache: Cache, algorithm: str) -> None:
        framed = [position for position, ref in enumerate(side.refs) if ref.id & FRAMED]
        inner = inner_hashes(cache, [side.refs[position].id for position in framed], algorithm, side.hashes.shape[1])
        self.hashes: Hashes = np.concatenate([side.hashes, inner])
        """Shape (rows, orientations)."""
        self.pictures = np.array([*range(len(side.refs)), *framed], np.int64)
        """Of each row, its position."""
        self._ids = [side.refs[position].id for position in self.pictures]
        self._framed = len(framed)
        self._cache = cache
        self._unsure = np.zeros(self.hashes.shape, np.uint64)
        self._is_unknown = np.array([is_gray(id_) for id_ in self._ids], np.bool_)

    def unsure(self, rows: NDArray[np.int64]) -> Hashes:
        """Return which bits of all hashes are unsure, shape (rows, orientations); made for these ``rows``."""
        is_asked = np.zeros(len(self._ids), np.bool_)
        is_asked[rows] = True
        unknown = np.flatnonzero(is_asked & self._is_unknown).tolist()
        for start in range(0, len(unknown), _BATCH):
            batch = unknown[start : start + _BATCH]
            ids = [self._ids[row] for row in batch]
            self._unsure[batch] = unsure_bits_of(self._cache, ids, self.hashes.shape[1])
        self._is_unknown[unknown] = False
        return self._unsure

    def known(self) -> Hashes:
        """Return which bits of the hashes of the pictures are unsure; all, where that was not asked for."""
        self._unsure[self._is_unknown] = ALL_BITS
        return self._unsure[: len(self.pictures) - self._framed]


def unsure_bits_of(cache: Cache, ids: Sequence[int], orientations: int) -> Hashes:
    """Return which bits of the hashes of these gray thumbnails are unsure: (ids, orientations)."""
    rows = [np.empty((0, orientations), np.uint64)]
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        thumbnails = cache.thumbnails(list(dict.fromkeys(batch)))
        rows.append(unsure_bits(np.stack([pixels(thumbnails[id_].pixels) for id_ in batch]), orientations))
    return np.concatenate(rows)


def _near(needles: _Hashes, haystack: _Hashes, threshold_bits: int, radius_bits: int) -> tuple[list[int], list[int]]:
    """Return the positions of pictures of both sides that may lie within the threshold of one of the other side.

    ``radius_bits`` is within what hashes of gray pictures lie then.
    """
    upright = haystack.hashes[:, 0]
    dictionary = HashDictionary(upright)
    key_of_row = np.searchsorted(dictionary.keys, upright)
    flat = needles.hashes.reshape(-1)
    are_near_needles = np.zeros(len(needles.pictures), np.bool_)
    are_near_keys = np.zeros(len(dictionary.keys), np.bool_)
    for indexes, keys in _pairs(dictionary, flat, radius_bits):
        rows = indexes // needles.hashes.shape[1]
        of_needles = needles.unsure(rows).reshape(-1)[indexes]
        is_found = np.zeros(len(dictionary.keys), np.bool_)
        is_found[keys] = True
        witnesses = np.flatnonzero(is_found[key_of_row])
        of_keys = np.zeros(len(dictionary.keys), np.uint64)  # what is unsure of one picture is unsure of its key
        np.bitwise_or.at(of_keys, key_of_row[witnesses], haystack.unsure(witnesses)[witnesses, 0])
        close = are_near(flat[indexes] ^ dictionary.keys[keys], of_needles | of_keys[keys], threshold_bits)
        are_near_needles[rows[close]] = True
        are_near_keys[keys[close]] = True
    near = needles.pictures[are_near_needles], haystack.pictures[are_near_keys[key_of_row]]
    return distinct(near[0]).tolist(), distinct(near[1]).tolist()


def _pairs(
    dictionary: HashDictionary, hashes: Hashes, radius_bits: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield indexes into ``hashes`` with the keys within the radius of them, a million pairs at a time."""
    indexes: list[NDArray[np.int64]] = []
    found: list[NDArray[np.int64]] = []
    count = 0
    for index, keys, _ in dictionary.within(hashes, radius_bits):
        indexes.append(np.full(len(keys), index, np.int64))
        found.append(keys)
        count += len(keys)
        if count >= _MOST_PAIRS:
            yield np.concatenate(indexes), np.concatenate(found)
            indexes, found, count = [], [], 0
    if found:
        yield np.concatenate(indexes), np.concatenate(found)
