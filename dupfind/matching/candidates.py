"""The haystack's pictures whose hashes equal a needle's or lie near it: all that are ever compared.

A scan compares what lies within its threshold, in every orientation. Who is to be told the nearest pictures, however
far away, compares as many as :func:`compared` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import NamedTuple

import numpy as np

from dupfind.events import Listener
from dupfind.search.blocks import Hashes
from dupfind.search.hamming import HashDictionary

MOST_CANDIDATES = 1000
"""Candidates looked at for one needle, the nearest first. More than this are series of near-equal pictures; the needle
then stays `similar` at most, which is the safe side."""


LEAST_COMPARED = 32
"""How many of the nearest are compared by their pixels, 10 ms; those of the best grade come first, however few are
wanted."""
MOST_TIED = 1000
"""Most pictures more that are compared because they lie as far away as the last one; 0.3 s."""


def compared(wanted: int, within: int = 0) -> int:
    """Return how many of the nearest are compared where so many are ``wanted`` and lie ``within`` the threshold."""
    return max(wanted, LEAST_COMPARED, min(within, MOST_CANDIDATES))


class Candidate(NamedTuple):
    """One haystack picture under one orientation of the needle."""

    distance_bits: int
    orientation: int
    picture: int
    """Position among the haystack's pictures."""


class Candidates:
    """Searches among the haystack's pictures for those of the needles; ``listener`` hears how long that takes.

    Both are given by their search hashes: (pictures, orientations), of the haystack the upright one.
    """

    def __init__(self, needles: Hashes, haystack: Hashes, threshold_bits: int, listener: Listener) -> None:
        self._needles = needles
        self._threshold_bits = threshold_bits
        self._listener = listener
        with self._searching():
            self._dictionary = HashDictionary(haystack[:, 0])

    def equal(self, positions: Sequence[int]) -> Iterator[tuple[int, list[Candidate]]]:
        """Yield the candidates at distance 0, upright: most copies are found here without any search."""
        with self._searching(len(positions)):
            keys = self._dictionary.equal(self._needles[positions, 0])
        for position, key in zip(positions, keys.tolist(), strict=True):
            if key >= 0:
                pictures = self._dictionary.positions(key)[:MOST_CANDIDATES]
                yield position, [Candidate(0, 0, picture) for picture in pictures.tolist()]

    def near(self, positions: list[int], orientations: Sequence[int]) -> Iterator[tuple[int, list[Candidate]]]:
        """Yield the candidates within the threshold, in these orientations of the needles."""
        hashes = self._needles[np.ix_(positions, orientations)]  # those of one needle side by side
        for row, of_needle in groupby(self._pairs(hashes.reshape(-1)), lambda pair: pair[0] // len(orientations)):
            candidates = [
                Candidate(distance, orientations[index % len(orientations)], picture)
                for index, picture, distance in of_needle
            ]
            yield positions[row], sorted(candidates)[:MOST_CANDIDATES]

    def _pairs(self, hashes: Hashes) -> Iterator[tuple[int, int, int]]:
        pairs = self._dictionary.pairs(hashes, self._threshold_bits, MOST_CANDIDATES)
        while True:
            with self._searching():
                pair = next(pairs, None)
            if pair is None:
                return
            yield pair

    def _searching(self, needles: int = 0) -> AbstractContextManager[None]:
        """Time counts for the search as long as the block; never around a ``yield``, where others go on."""
        return self._listener.part("search", needles)
