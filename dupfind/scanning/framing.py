"""Needles without a match, looked for once more without the flat frames around them or around the haystack's pictures.

What is found so is `similar` at most: a frame is something that one of the two has and the other has not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import FRAMED
from dupfind.events import Listener
from dupfind.evidence.evidence import CHECK_BOUND_BITS
from dupfind.evidence.fingerprint import Pixels, check_hash, pixels, search_hashes, turn
from dupfind.pictures import borders
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.search.hamming import HashDictionary
from dupfind.values import Evidence, Match, ScanSettings

_BATCH = 1024
_MOST_CANDIDATES = 50
"""Looked at for one needle, the nearest first."""
REASONS = {
    (True, False): Reason(ReasonCode.FRAMED),
    (False, True): Reason(ReasonCode.WITNESS_FRAMED),
    (True, True): Reason(ReasonCode.FRAMED_OTHERWISE),
}


class _Candidate(NamedTuple):
    distance_bits: int
    picture: int
    """Position among the haystack's pictures."""
    orientation: int
    needle_is_inner: bool
    witness_is_inner: bool


class Framing:
    """Searches among the haystack's pictures with and without frames."""

    def __init__(
        self,
        needles: Pictures,
        haystack: Pictures,
        settings: ScanSettings,
        cache: Cache,
        listener: Listener,
        parted: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._needles = needles
        self._haystack = haystack
        self._settings = settings
        self._cache = cache
        self._listener = listener
        self._parted = parted or {}
        """As in :class:`~dupfind.scanning.matching.Matcher`."""
        self._inner = [position for position, ref in enumerate(haystack.refs) if ref.id & FRAMED]
        """The haystack's pictures that have a frame."""

    def match(self, matches: Mapping[str, Match]) -> dict[str, Match]:
        """A match for each needle without one that is found when frames are left out, by path."""
        lost = [index for index, entry in enumerate(self._needles.entries) if entry.path not in matches]
        if not lost:
            return {}
        candidates: dict[int, list[_Candidate]] = {}
        with self._listener.part("search"):
            for position, found in self._candidates(lost):
                some = candidates.setdefault(position, [])
                some.append(found)
                if len(some) >= 4 * _MOST_CANDIDATES:  # so that a thousand near pictures take no memory for each needle
                    some.sort()
                    del some[_MOST_CANDIDATES:]
        found_matches = {}
        for position, some in candidates.items():
            match = self._best(position, sorted(some)[:_MOST_CANDIDATES])
            if match is not None:
                found_matches[self._needles.entries[position].path] = match
        return found_matches

    def _candidates(self, lost: list[int]) -> Iterator[tuple[int, _Candidate]]:
        """Pairs within the threshold of which one at least is without its frame, by the position of the needle."""
        framed = [position for position in lost if self._needles.refs[position].id & FRAMED]
        own = self._inner_hashes([self._needles.refs[position].id for position in framed], self._orientations)
        theirs = self._inner_hashes([self._haystack.refs[position].id for position in self._inner], 1)[:, 0]
        everything = list(range(len(self._haystack.refs)))
        yield from self._near(framed, own, everything, self._haystack.hashes[:, 0], (True, False))
        yield from self._near(framed, own, self._inner, theirs, (True, True))
        yield from self._near(lost, self._needles.hashes[lost], self._inner, theirs, (False, True))

    @property
    def _orientations(self) -> int:
        return int(self._needles.hashes.shape[1])

    def _near(
        self,
        positions: list[int],
        hashes: NDArray[np.uint64],
        pictures: list[int],
        others: NDArray[np.uint64],
        are_inner: tuple[bool, bool],
    ) -> Iterator[tuple[int, _Candidate]]:
        if not positions or not pictures:
            return
        dictionary = HashDictionary(others)
        # All orientations at once: the more hashes come in one search, the less time each takes.
        for place, other, distance in dictionary.pairs(
            hashes.reshape(-1), self._settings.threshold_bits, _MOST_CANDIDATES
        ):
            index, orientation = divmod(place, self._orientations)
            yield positions[index], _Candidate(distance, pictures[other], orientation, *are_inner)

    def _inner_hashes(self, ids: list[int], orientations: int) -> NDArray[np.uint64]:
        """The search hashes of these pictures without their frames: (pictures, orientations)."""
        rows = []
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            inner = self._pixels(batch, is_inner=True)
            rows += [search_hashes(inner[id_], self._settings.algorithm, orientations) for id_ in batch]
        return np.array(rows, np.uint64).reshape(len(ids), orientations)

    def _pixels(self, ids: list[int], *, is_inner: bool) -> dict[int, Pixels]:
        """The pixels of these pictures, without their frames where that is wanted."""
        thumbnails = self._cache.thumbnails(list(dict.fromkeys(ids)))
        whole = {id_: pixels(thumbnail.pixels) for id_, thumbnail in thumbnails.items()}
        if not is_inner:
            return whole
        return {id_: borders.inner(whole[id_], thumbnail.border or b"") for id_, thumbnail in thumbnails.items()}

    def _best(self, position: int, candidates: list[_Candidate]) -> Match | None:
        """The first candidate that looks alike."""
        needle = self._needles.refs[position].id
        parted = self._parted.get(self._needles.entries[position].path, frozenset())
        for one in candidates:
            if self._haystack.entries[one.picture].path in parted:
                continue
            witness = self._haystack.refs[one.picture].id
            ours = self._pixels([needle], is_inner=one.needle_is_inner)[needle]
            theirs = self._pixels([witness], is_inner=one.witness_is_inner)[witness]
            turned = np.ascontiguousarray(turn(ours, one.orientation))
            if (check_hash(turned) ^ check_hash(theirs)).bit_count() <= CHECK_BOUND_BITS:
                reason = REASONS[one.needle_is_inner, one.witness_is_inner]
                path = self._haystack.entries[one.picture].path
                return Match(path, Evidence.SIMILAR, one.distance_bits, reason)
        return None
