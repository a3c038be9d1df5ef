"""The stages that connect pictures: equal or near hashes, and the judgement of each pair.

Among the candidates of a needle the best witness wins: by grade, then distance, then resolution, then path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from dupfind import evidence
from dupfind.cache import Cache
from dupfind.cache_schema import Judged, Pair
from dupfind.events import Advance
from dupfind.hamming import HashDictionary
from dupfind.reading import Pictures
from dupfind.values import Evidence, Match

_BATCH_NEEDLES = 256
_BATCH_CANDIDATES = 4096
"""How many needles, or candidates of theirs, are looked up together."""
_MOST_CANDIDATES = 1000
"""Candidates looked at for one needle, the nearest first. More than this are series of near-equal pictures; the needle
then stays `similar` at most, which is the safe side."""
_FETCHED_TOGETHER = 8
_MOST_PREPARED = 512
"""Haystack pictures kept ready for comparison, 75 kB each."""


class _Candidate(NamedTuple):
    """One haystack picture under one orientation of the needle."""

    distance_bits: int
    orientation: int
    picture: int
    """Position among the haystack's pictures."""


class Matcher:
    """Finds and judges the candidates of needles among the haystack's pictures."""

    def __init__(self, needles: Pictures, haystack: Pictures, threshold_bits: int, cache: Cache) -> None:
        self._needles = needles
        self._haystack = haystack
        self._threshold_bits = threshold_bits
        self._cache = cache
        self._dictionary = HashDictionary(haystack.hashes[:, 0])
        self._prepared: dict[int, evidence.Picture] = {}
        self._closed: set[int] = set()

    def match(self, advance: Advance) -> dict[str, Match]:
        """The best match of each needle that has any, by path; ``advance`` counts the needles that are done."""
        found = self._best(self._equal_hashes())
        undecided = self._open(range(len(self._needles.entries)))
        advance(len(self._needles.entries) - len(undecided))
        turned = range(1, self._needles.hashes.shape[1])
        for start in range(0, len(undecided), _BATCH_NEEDLES):
            batch = undecided[start : start + _BATCH_NEEDLES]
            found |= self._best(self._near_hashes(batch, [0]))
            # The seven other orientations cost seven times as much, and few needles need them.
            rest = self._open(batch)
            for position, match in self._best(self._near_hashes(rest, turned)).items():
                found[position] = min(match, found.get(position, match), key=_order)
            advance(len(batch))
        return {self._needles.entries[position].path: match for position, match in found.items()}

    def _equal_hashes(self) -> Iterator[tuple[int, list[_Candidate]]]:
        """The candidates at distance 0, upright: most copies are found here without any search."""
        keys = self._dictionary.equal(self._needles.hashes[:, 0])
        for position in np.flatnonzero(keys >= 0).tolist():
            pictures = self._dictionary.positions(int(keys[position]))[:_MOST_CANDIDATES]
            yield position, [_Candidate(0, 0, picture) for picture in pictures.tolist()]

    def _near_hashes(self, positions: list[int], orientations: Iterable[int]) -> Iterator[tuple[int, list[_Candidate]]]:
        """The candidates within the threshold, in these orientations of the needles."""
        candidates: dict[int, list[_Candidate]] = {position: [] for position in positions}
        for orientation in orientations:
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
            known = self._cache.judgements([self._needles.refs[position].id for position, _ in batch])
            for position, candidates in batch:
                ranked = sorted(candidates, key=self._rank)
                match, is_last = self._judge_all(self._needles.refs[position].id, ranked, known)
                if match is not None:
                    best[position] = match
                if is_last:
                    self._closed.add(position)
        return best

    def _rank(self, one: _Candidate) -> tuple[int, int, str, int]:
        """The better witness first: nearer, then larger, then the lower path."""
        picture = one.picture
        size_pixels = self._haystack.refs[picture].size_pixels
        return one.distance_bits, -size_pixels, self._haystack.entries[picture].path, one.orientation

    def _judge_all(self, needle: int, ranked: list[_Candidate], known: dict[Pair, Judged]) -> tuple[Match | None, bool]:
        """Look at the candidates from the best on, until one is the last; else the best `similar` counts."""
        best: Match | None = None
        desk = _Desk(needle, [self._haystack.refs[one.picture].id for one in ranked], self._cache, self._prepared)
        for one in ranked:
            pair = Pair(needle, self._haystack.refs[one.picture].id, one.orientation)
            judged = known.get(pair)
            if judged is None:
                judged = desk.judge(pair)
                self._cache.keep_judgement(pair, judged)
            if judged.evidence is not None and (best is None or judged.evidence is Evidence.SAME):
                path = self._haystack.entries[one.picture].path
                best = Match(path, judged.evidence, one.distance_bits, judged.reason)
            if judged.is_last:
                return best, True
        return best, False

    def _open(self, positions: Iterable[int]) -> list[int]:
        """The needles for which a better witness may still be found."""
        return [position for position in positions if position not in self._closed]


def _order(match: Match) -> tuple[int, int]:
    """The better match first: by grade, then by distance."""
    return match.evidence.rank, match.distance_bits or 0


class _Desk:
    """Where one needle is compared with its candidates; fetches thumbnails when they are first needed."""

    def __init__(self, needle: int, witnesses: list[int], cache: Cache, prepared: dict[int, evidence.Picture]) -> None:
        self._needle = needle
        self._witnesses = witnesses
        self._cache = cache
        self._prepared = prepared
        self._turned: dict[int, evidence.Picture] = {}

    def judge(self, pair: Pair) -> Judged:
        """Compare the needle, turned as ``pair`` says, with the witness of ``pair``."""
        if not self._turned:
            self._turned[0] = evidence.prepare(self._cache.thumbnails([self._needle])[self._needle])
        upright = self._turned[0]
        if pair.orientation not in self._turned:
            self._turned[pair.orientation] = evidence.turned(upright, pair.orientation)
        if pair.witness not in self._prepared:
            self._fetch(pair.witness)
        judgement = evidence.judge(self._turned[pair.orientation], self._prepared[pair.witness], pair.orientation)
        # Nothing but bytes can prove a needle that shows too little: one look-alike tells as much as all.
        is_last = judgement.evidence is Evidence.SAME or upright.weakness is not None
        return Judged(judgement.evidence, judgement.reason, is_last)

    def _fetch(self, witness: int) -> None:
        """Prepare this witness and the next few, which will likely be wanted too."""
        start = self._witnesses.index(witness)
        wanted = [id_ for id_ in self._witnesses[start : start + _FETCHED_TOGETHER] if id_ not in self._prepared]
        if len(self._prepared) + len(wanted) > _MOST_PREPARED:
            self._prepared.clear()
        for id_, thumbnail in self._cache.thumbnails(list(dict.fromkeys(wanted))).items():
            self._prepared[id_] = evidence.prepare(thumbnail)


def _batches(
    found: Iterable[tuple[int, list[_Candidate]]],
) -> Iterator[list[tuple[int, list[_Candidate]]]]:
    """Cut into batches that are looked up with one statement and fit into memory."""
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
