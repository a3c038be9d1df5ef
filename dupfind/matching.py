"""The stages that connect needles with witnesses: equal bytes, equal or near hashes, and the judgement of each pair.

Among the candidates of a needle the best witness wins: by grade, then distance, then resolution, then path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dupfind import evidence
from dupfind.cache import Cache
from dupfind.events import Advance
from dupfind.hamming import HashDictionary
from dupfind.reading import Pictures, Reader
from dupfind.values import Evidence, Failure, FileEntry, Match, Thumbnail

_BATCH_NEEDLES = 256
_BATCH_CANDIDATES = 4096
"""How many needles, or candidates of theirs, are fetched from the cache together: 17 MB of thumbnails."""
_MOST_CANDIDATES = 1000
"""Candidates looked at for one needle, the nearest first. More than this are series of near-equal pictures; the needle
then stays `similar` at most, which is the safe side."""
_MOST_PREPARED = 256
"""Haystack pictures kept ready for comparison, 85 kB each."""


class _Candidate(NamedTuple):
    """One haystack picture under one orientation of the needle."""

    distance_bits: int
    orientation: int
    picture: int
    """Position among the haystack's pictures."""


def find_identical(
    needles: Sequence[FileEntry], haystack: Sequence[FileEntry], reader: Reader
) -> tuple[dict[str, FileEntry], dict[str, Failure]]:
    """The needles with an equal in the haystack, by path, and the files on either side that could not be read.

    Only files whose size occurs on both sides are read. Of several equals the lowest path is the witness.
    """
    haystack_sizes = {entry.size_bytes for entry in haystack}
    asked = [entry for entry in needles if entry.size_bytes in haystack_sizes]
    sizes = {entry.size_bytes for entry in asked}
    twins = [entry for entry in haystack if entry.size_bytes in sizes]
    digests = reader.digests([*asked, *twins])
    witnesses: dict[bytes, FileEntry] = {}
    for entry in twins:
        digest = digests[entry.path]
        if isinstance(digest, bytes) and (digest not in witnesses or entry.path < witnesses[digest].path):
            witnesses[digest] = entry
    identical = {}
    for entry in asked:
        digest = digests[entry.path]
        if isinstance(digest, bytes) and digest in witnesses:
            identical[entry.path] = witnesses[digest]
    failures = {path: digest for path, digest in digests.items() if isinstance(digest, Failure)}
    return identical, failures


class Matcher:
    """Finds and judges the candidates of needles among the haystack's pictures."""

    def __init__(self, needles: Pictures, haystack: Pictures, threshold_bits: int, cache: Cache) -> None:
        self._needles = needles
        self._haystack = haystack
        self._threshold_bits = threshold_bits
        self._cache = cache
        self._dictionary = HashDictionary(haystack.hashes[:, 0])
        self._prepared: dict[int, evidence.Picture] = {}

    def match(self, advance: Advance) -> dict[str, Match]:
        """The best match of each needle that has any, by path; ``advance`` counts the needles that are done."""
        found = self._best(self._equal_hashes())
        undecided = [
            position
            for position in range(len(self._needles.entries))
            if position not in found or found[position].evidence is not Evidence.SAME
        ]
        advance(len(self._needles.entries) - len(undecided))
        for start in range(0, len(undecided), _BATCH_NEEDLES):
            batch = undecided[start : start + _BATCH_NEEDLES]
            found |= self._best(self._near_hashes(batch))
            advance(len(batch))
        return {self._needles.entries[position].path: match for position, match in found.items()}

    def _equal_hashes(self) -> Iterator[tuple[int, list[_Candidate]]]:
        """The candidates at distance 0, upright: most copies are found here without any search."""
        keys = self._dictionary.equal(self._needles.hashes[:, 0])
        for position in np.flatnonzero(keys >= 0).tolist():
            pictures = self._dictionary.positions(int(keys[position]))[:_MOST_CANDIDATES]
            yield position, [_Candidate(0, 0, picture) for picture in pictures.tolist()]

    def _near_hashes(self, positions: list[int]) -> Iterator[tuple[int, list[_Candidate]]]:
        """The candidates within the threshold, in every orientation that was hashed."""
        candidates: dict[int, list[_Candidate]] = {position: [] for position in positions}
        for orientation in range(self._needles.hashes.shape[1]):
            hashes = self._needles.hashes[positions, orientation]
            for index, keys, distances in self._dictionary.within(hashes, self._threshold_bits):
                of_needle = candidates[positions[index]]
                for key, distance in zip(keys.tolist(), distances.tolist(), strict=True):
                    of_needle.extend(
                        _Candidate(distance, orientation, picture)
                        for picture in self._dictionary.positions(key)[:_MOST_CANDIDATES].tolist()
                    )
        for position, of_needle in candidates.items():
            if of_needle:
                yield position, sorted(of_needle)[:_MOST_CANDIDATES]

    def _best(self, found: Iterable[tuple[int, list[_Candidate]]]) -> dict[int, Match]:
        """The best match of each needle, by its position, among its candidates."""
        best: dict[int, Match] = {}
        for batch in _batches(found):
            ids = {self._needles.ids[position] for position, _ in batch}
            ids |= {self._haystack.ids[one.picture] for _, candidates in batch for one in candidates}
            thumbnails = self._cache.thumbnails(sorted(ids))
            for position, candidates in batch:
                needle = evidence.prepare(thumbnails[self._needles.ids[position]])
                match = self._judge_all(needle, candidates, thumbnails)
                if match is not None:
                    best[position] = match
        return best

    def _judge_all(
        self, needle: evidence.Picture, candidates: list[_Candidate], thumbnails: dict[int, Thumbnail]
    ) -> Match | None:
        """Look at the candidates from the best on, until one is `same`; else the best `similar` counts."""

        def rank(one: _Candidate) -> tuple[int, int, str, int]:
            pixels = thumbnails[self._haystack.ids[one.picture]].size_pixels
            return one.distance_bits, -pixels, self._haystack.entries[one.picture].path, one.orientation

        turned: dict[int, evidence.Picture] = {}
        best: Match | None = None
        ranked = sorted(candidates, key=rank)
        # Nothing but bytes can prove a needle that shows too little, so one look-alike tells as much as all.
        for one in ranked[:1] if needle.weakness else ranked:
            if one.orientation not in turned:
                turned[one.orientation] = evidence.turned(needle, one.orientation)
            judgement = evidence.judge(turned[one.orientation], self._witness(one, thumbnails), one.orientation)
            if judgement.evidence is None or (best is not None and judgement.evidence is not Evidence.SAME):
                continue
            path = self._haystack.entries[one.picture].path
            best = Match(path, judgement.evidence, one.distance_bits, judgement.reason)
            if judgement.evidence is Evidence.SAME:
                break
        return best

    def _witness(self, one: _Candidate, thumbnails: dict[int, Thumbnail]) -> evidence.Picture:
        """The picture of a candidate, ready for comparison."""
        id_ = self._haystack.ids[one.picture]
        if id_ not in self._prepared:
            if len(self._prepared) >= _MOST_PREPARED:
                self._prepared.clear()
            self._prepared[id_] = evidence.prepare(thumbnails[id_])
        return self._prepared[id_]


def _batches(
    found: Iterable[tuple[int, list[_Candidate]]],
) -> Iterator[list[tuple[int, list[_Candidate]]]]:
    """Cut into batches whose thumbnails fit into memory."""
    batch: list[tuple[int, list[_Candidate]]] = []
    candidates = 0
    for one in found:
        batch.append(one)
        candidates += len(one[1])
        if len(batch) >= _BATCH_NEEDLES or candidates >= _BATCH_CANDIDATES:
            yield batch
            batch, candidates = [], 0
    if batch:
        yield batch
