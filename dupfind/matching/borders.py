"""Needles without a match, looked for once more without the flat frames around them or around the haystack's pictures.

What is found so is `similar` at most: a frame is something that one of the two has and the other has not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import FRAMED
from dupfind.events import Listener
from dupfind.evidence.evidence import CHECK_BOUND_BITS
from dupfind.evidence.fingerprint import Pixels, check_hash, packed_hashes, pixels, turn
from dupfind.pictures import borders
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.search.hamming import HashDictionary
from dupfind.values import Evidence, Match, ScanSettings, Thumbnail

_BATCH = 1024
_HASH_BYTES = 8
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


class Borders:
    """Searches among the haystack's pictures with and without frames."""

    def __init__(
        self,
        needles: Pictures,
        haystack: Pictures,
        settings: ScanSettings,
        cache: Cache,
        listener: Listener,
        split: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._needles = needles
        self._haystack = haystack
        self._settings = settings
        self._cache = cache
        self._listener = listener
        self._split = split or {}
        """As in :class:`~dupfind.matching.matcher.Matcher`."""
        self._inner = [position for position, ref in enumerate(haystack.refs) if ref.id & FRAMED]
        """The haystack's pictures that have a frame."""

    def match(self, matches: Mapping[str, Match]) -> dict[str, Match]:
        """Return a match for each needle without one that is found when frames are left out, by path."""
        lost = [index for index, entry in enumerate(self._needles.entries) if entry.path not in matches]
        if not lost:
            return {}
        candidates: dict[int, list[_Candidate]] = {}
        with self._listener.part("search"):
            for position, candidate in self._candidates(lost):
                of_needle = candidates.setdefault(position, [])
                of_needle.append(candidate)
                # A thousand near pictures are to take no memory for each needle.
                if len(of_needle) >= 4 * _MOST_CANDIDATES:
                    of_needle.sort()
                    del of_needle[_MOST_CANDIDATES:]
        best = ((position, self._best(position, sorted(of))) for position, of in candidates.items())
        return {self._needles.entries[position].path: match for position, match in best if match is not None}

    def _candidates(self, lost: list[int]) -> Iterator[tuple[int, _Candidate]]:
        """Pairs within the threshold of which one at least is without its frame, by the position of the needle."""
        framed = [position for position in lost if self._needles.refs[position].id & FRAMED]
        algorithm, refs = self._settings.algorithm, self._haystack.refs
        own_ids = [self._needles.refs[position].id for position in framed]
        own = inner_hashes(self._cache, own_ids, algorithm, self._orientations)
        theirs = inner_hashes(self._cache, [refs[position].id for position in self._inner], algorithm, 1)[:, 0]
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
        witnesses: NDArray[np.uint64],
        are_inner: tuple[bool, bool],
    ) -> Iterator[tuple[int, _Candidate]]:
        if not positions or not pictures:
            return
        dictionary = HashDictionary(witnesses)
        # All orientations at once: the more hashes come in one search, the less time each takes.
        for place, witness, distance in dictionary.pairs(
            hashes.reshape(-1), self._settings.threshold_bits, _MOST_CANDIDATES
        ):
            index, orientation = divmod(place, self._orientations)
            yield positions[index], _Candidate(distance, pictures[witness], orientation, *are_inner)

    def _pixels(self, id_: int, *, is_inner: bool) -> Pixels:
        """Return the pixels of a picture, without its frame where that is wanted."""
        thumbnail = self._cache.thumbnails([id_])[id_]
        return inner_pixels(thumbnail) if is_inner else pixels(thumbnail.pixels)

    def _best(self, position: int, candidates: list[_Candidate]) -> Match | None:
        """Return the first candidate that looks alike."""
        needle = self._needles.refs[position].id
        split = self._split.get(self._needles.entries[position].path, frozenset())
        for distance_bits, picture, orientation, *are_inner in candidates[:_MOST_CANDIDATES]:
            path = self._haystack.entries[picture].path
            if path in split:
                continue
            ours = self._pixels(needle, is_inner=are_inner[0])
            theirs = self._pixels(self._haystack.refs[picture].id, is_inner=are_inner[1])
            turned = np.ascontiguousarray(turn(ours, orientation))
            if (check_hash(turned) ^ check_hash(theirs)).bit_count() <= CHECK_BOUND_BITS:
                return Match(path, Evidence.SIMILAR, distance_bits, REASONS[are_inner[0], are_inner[1]])
        return None


def inner_hashes(cache: Cache, ids: Sequence[int], algorithm: str, orientations: int) -> NDArray[np.uint64]:
    """Return the search hashes of framed pictures without their frames: (ids, orientations)."""
    if not ids:
        return np.empty((0, orientations), np.uint64)
    known, width = cache.inner_hashes.setdefault(algorithm, {}), orientations * _HASH_BYTES
    unknown = [id_ for id_ in dict.fromkeys(ids) if len(known.get(id_, b"")) < width]
    for start in range(0, len(unknown), _BATCH):
        batch = unknown[start : start + _BATCH]
        thumbnails = cache.thumbnails(batch)
        inner = [inner_pixels(thumbnails[id_]).tobytes() for id_ in batch]
        known.update(zip(batch, packed_hashes(inner, algorithm, orientations), strict=True))
    packed = b"".join(known[id_][:width] for id_ in ids)
    return np.frombuffer(packed, ">u8").reshape(len(ids), orientations).astype(np.uint64)


def inner_pixels(thumbnail: Thumbnail) -> Pixels:
    """Return the pixels of a picture without its frame."""
    return borders.inner(pixels(thumbnail.pixels), thumbnail.border or b"")
