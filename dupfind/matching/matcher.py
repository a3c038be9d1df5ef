"""The judgement of needles and their candidates, and which of these becomes the witness.

Among the candidates of a needle the best witness wins, by the rank of :mod:`dupfind.matching.rank`. One witness
proves no two needles that differ.

A needle is searched for once more when its witness turns out not to hold: a preview that is decoded in full, a witness
that differs at full size, a witness that another needle has the better claim to. One loop does all three, so that a
needle is as deep in the program as a pair is: see docs/decisions/matching.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Judged, Pair
from dupfind.events import Advance, Listener
from dupfind.evidence.conflicts import Claim, rejected
from dupfind.matching.candidates import Candidate, Candidates
from dupfind.matching.decodes import MOST_ROUNDS, Decodes
from dupfind.matching.full_size import FullSize, Place
from dupfind.matching.judge import Judge, MapPairs
from dupfind.matching.rank import Rank, witness_rank
from dupfind.reasons import Reason, ReasonCode
from dupfind.search.hamming import HashDictionary, close_pairs
from dupfind.values import BACK, MIRRORED, Evidence, Match

_BATCH_NEEDLES = 256
_BATCH_CANDIDATES = 4096
"""How many needles, or candidates of theirs, are looked up together."""
_SEARCHED_NEEDLES = 1 << 14
"""How many needles are searched for together, in seven orientations once: the more, the less time each takes."""
_MOST_CONFLICT_ROUNDS = 20
"""How often needles that lost their witness to another needle are searched for once more."""
_MOST_COPIES = 8
"""How many witnesses with nearly the same hash are looked at as possible copies of one."""

_Found = tuple[int, list[Candidate]]
"""A needle, by its position, and candidates of it."""


class _Best(NamedTuple):
    """The best candidate of a needle, and how it was judged."""

    candidate: Candidate
    judged: Judged


class _Refused(NamedTuple):
    """A witness that does not count for a needle."""

    orientation: int
    """How the needle was turned to meet it."""
    reason: Reason


class Matcher:
    """Finds and judges the candidates of needles among the haystack's pictures, both by their positions."""

    def __init__(
        self,
        decodes: Decodes,
        threshold_bits: int,
        cache: Cache,
        listener: Listener,
        split: Mapping[str, frozenset[str]] | None = None,
        map_pairs: MapPairs = lambda _, __: (),
        full_size: FullSize | None = None,
    ) -> None:
        self._decodes = decodes
        self._full_size = full_size
        """None where thumbnails are to be enough (``--quick``)."""
        self._needles = decodes.needles
        self._haystack = decodes.haystack
        self._listener = listener
        self._judge = Judge(cache, map_pairs, with_full_size=full_size is not None)
        self._candidates = Candidates(self._needles.hashes, self._haystack.hashes, threshold_bits, listener)
        self._split = split or {}
        """By the path of a needle, files of the haystack that are no witnesses of it, whatever they look like."""
        self._closed: set[int] = set()
        """Needles for which no better witness can be found."""
        self._refused: dict[int, dict[int, _Refused]] = {}
        """By needle, the ids of the witnesses' thumbnails that were found `same` and do not count."""
        self._preview_rounds = 0
        """How often in a row needles were searched for once more because something rested on a preview."""
        self._conflict_rounds = 0
        """How often they were because another needle had the better claim to their witness."""
        self._lost_claims: list[tuple[int, int]] = []
        """Needles that had the worse claim to a witness, and that witness."""

    def match(self, advance: Advance) -> dict[str, Match]:
        """Return the best match of each needle that has any, by path; ``advance`` counts the needles that are done."""
        best: dict[int, _Best] = {}
        positions: Sequence[int] = range(len(self._needles.entries))
        while positions:
            for position, candidate, witnesses in self._queue(positions, advance):
                judged = self._judge.judge(self._pair(position, candidate), witnesses)
                if judged.evidence is Evidence.SAME and (refusal := self._refusal(position, candidate)):
                    judged = Judged(Evidence.SIMILAR, refusal, is_last=False, closeness=0.0)
                if judged.evidence is not None:
                    chosen = _Best(candidate, judged)
                    best[position] = min(chosen, best.get(position, chosen), key=self._rank_of)
                if judged.is_last:
                    self._closed.add(position)
            positions, advance = self._lose(best), _uncounted
        return {self._needles.entries[position].path: self._match(position, match) for position, match in best.items()}

    def lost_claims(self) -> list[tuple[str, str]]:
        """Return the paths of needles that had the worse claim to a witness, and of that witness."""
        return [
            (self._needles.entries[position].path, self._haystack.entries[picture].path)
            for position, picture in self._lost_claims
        ]

    def _match(self, position: int, best: _Best) -> Match:
        (distance_bits, orientation, picture), judged = best
        assert judged.evidence is not None
        reason = judged.reason
        if judged.evidence is Evidence.SAME and reason is None and self._full_size is not None:
            reason = self._full_size.note(Place(position, picture, orientation))
        return Match(self._haystack.entries[picture].path, judged.evidence, distance_bits, reason)

    def _queue(self, positions: Sequence[int], advance: Advance) -> Iterator[tuple[int, Candidate, list[int]]]:
        """Yield the candidates of these needles to be judged, the best of a needle first, until it is closed.

        Each comes with the ids of all witnesses that the needle may be compared with, in that order.
        """
        for batch in self._batches(positions, advance):
            for position, candidates in self._ranked(batch):
                witnesses = [self._haystack.refs[candidate.picture].id for candidate in candidates]
                for candidate in candidates:
                    yield position, candidate, witnesses
                    if position in self._closed:
                        break

    def _batches(self, positions: Sequence[int], advance: Advance) -> Iterator[list[_Found]]:
        """Yield the candidates of these needles: of equal hash first, then near ones upright, then turned ones.

        What is closed when a search begins is not searched for.
        """
        yield from _batched(self._candidates.equal(positions))
        undecided = self._open(positions)
        advance(len(positions) - len(undecided))
        turned = range(1, self._needles.hashes.shape[1])
        for start in range(0, len(undecided), _SEARCHED_NEEDLES):
            together = undecided[start : start + _SEARCHED_NEEDLES]
            yield from _batched(self._candidates.near(together, [0]))
            # The seven other orientations cost seven times as much, and few needles need them.
            left = self._open(together)
            advance(len(together) - len(left))
            yield from _batched(_counted(self._candidates.near(left, turned), left, advance))

    def _lose(self, best: dict[int, _Best]) -> list[int]:
        """Take from ``best`` the needles whose witness does not hold, and return those to be searched for once more."""
        lost = self._on_previews(best) or self._refused_at_full_size(best) or self._rejected(best)
        for position in lost:
            del best[position]
        self._closed.difference_update(lost)
        return [position for position in sorted(lost) if position not in self._needles.lost]

    def _on_previews(self, best: dict[int, _Best]) -> list[int]:
        """Decode in full what something rests on; nothing rests on a preview, however often that happens."""
        pairs = {position: chosen.candidate.picture for position, chosen in best.items()}
        lost = {
            position: witness
            for position, witness in pairs.items()
            if not self._decodes.are_full(position, witness) and not self._rests_on_pixels(position, best[position])
        }
        if not lost:
            self._preview_rounds = 0
        elif self._preview_rounds < MOST_ROUNDS:
            self._preview_rounds += 1
            self._decodes.read(lost.items())
            return list(lost)
        self._decodes.is_bounded |= bool(lost)
        for position in lost:
            del best[position]
        return []

    def _refused_at_full_size(self, best: Mapping[int, _Best]) -> list[int]:
        """Compare at full size what is `same` by its thumbnails; the next witness may hold what this one lacks."""
        if self._full_size is None:
            return []
        places = [
            Place(position, candidate.picture, candidate.orientation)
            for position, (candidate, judged) in best.items()
            if judged.evidence is Evidence.SAME
        ]
        return [place.needle for place in self._full_size.refuse(places)]

    def _rejected(self, best: dict[int, _Best]) -> list[int]:
        """Let one witness prove no two needles that differ; conflicts left after all rounds make them `similar`."""
        losers = self._losing_conflicts(best)
        self._lost_claims += [(position, best[position].candidate.picture) for position in losers]
        if self._conflict_rounds == _MOST_CONFLICT_ROUNDS:
            self._decodes.is_bounded = True
            for position, why in losers.items():
                judged = best[position].judged
                judged = judged._replace(evidence=Evidence.SIMILAR, reason=Reason(ReasonCode.CONFLICT, (why,)))
                best[position] = best[position]._replace(judged=judged)
            return []
        self._conflict_rounds += 1
        for position, why in losers.items():
            lost = best[position].candidate
            witness = self._haystack.refs[lost.picture].id
            reason = Reason(ReasonCode.CONFLICT, (why,))
            self._refused.setdefault(position, {})[witness] = _Refused(lost.orientation, reason)
        return list(losers)

    def _losing_conflicts(self, best: Mapping[int, _Best]) -> dict[int, Reason]:
        """Return why needles lose their witness: another needle has the better claim to it, and the two differ."""
        claims: dict[int, list[Claim]] = {}
        pictures: dict[int, int] = {}
        for position, (candidate, judged) in best.items():
            if judged.evidence is Evidence.SAME:
                claim = Claim(judged.closeness, position, self._needles.refs[position].id, candidate.orientation)
                witness = self._haystack.refs[candidate.picture].id
                claims.setdefault(witness, []).append(claim)
                pictures[witness] = min(candidate.picture, pictures.get(witness, candidate.picture))
        # In the order of the haystack, so that the few that are looked at are the same whatever else is matched.
        near = self._near_each_other(dict(sorted(pictures.items(), key=itemgetter(1))))
        rivals = {witness: claimed for witness, claimed in claims.items() if witness in near or len(claimed) > 1}
        self._judge.know([*rivals, *(claim.picture for claimed in rivals.values() for claim in claimed)])
        copies = {
            witness: [copy for copy in similar if not self._are_two(witness, copy)] for witness, similar in near.items()
        }
        return rejected(rivals, self._judge.differ, copies)

    def _near_each_other(self, pictures: dict[int, int]) -> dict[int, list[int]]:
        """Return for each of these witnesses, by its thumbnail's id, up to eight others that have nearly its hash."""
        ids = list(pictures)
        with self._listener.part("search"):
            dictionary = HashDictionary(self._haystack.hashes[list(pictures.values()), 0])
            places = [dictionary.positions(key)[: _MOST_COPIES + 1].tolist() for key in range(len(dictionary.keys))]
            pairs = np.stack(close_pairs(dictionary.keys), 1).tolist()
        near: dict[int, list[int]] = {}
        for key, near_key in [*((key, key) for key, equal in enumerate(places) if len(equal) > 1), *pairs]:
            for first, second in product(places[key], places[near_key]):
                for witness, copy in {(ids[first], ids[second]), (ids[second], ids[first])}:
                    copies = near.setdefault(witness, [])
                    if witness != copy and copy not in copies and len(copies) < _MOST_COPIES:
                        copies.append(copy)
        return near

    def _are_two(self, witness: int, copy: int) -> bool:
        """Tell whether two witnesses are certainly not copies of one picture."""
        low, high = sorted((witness, copy))
        return self._judge.differ(Claim(0.0, 0, low, 0), Claim(0.0, 0, high, 0)) is not None

    def _ranked(self, batch: Sequence[_Found]) -> list[_Found]:
        """Sort the candidates that each needle may have as witness, the best first, and judge the first ones ahead."""
        mirrored = self._mirrored(batch)
        left = [(position, candidates) for position, candidates in batch if position not in mirrored]
        self._decodes.measure(
            [position for position, _ in left],
            [candidate.picture for _, candidates in left for candidate in candidates],
        )
        ranked = [
            (position, mirrored[position] if position in mirrored else self._allowed(position, candidates))
            for position, candidates in batch
            if position not in self._needles.lost
        ]
        self._judge.know(self._needles.refs[position].id for position, _ in ranked)
        self._judge.know_mirrored(self._pair(position, one) for position, ones in mirrored.items() for one in ones)
        self._judge.judge_ahead(
            [[self._pair(position, candidate) for candidate in candidates] for position, candidates in ranked]
        )
        return ranked

    def _mirrored(self, batch: Sequence[_Found]) -> dict[int, list[Candidate]]:
        """Return what is left of the candidates of needles that are found mirrored and not otherwise, by position.

        That it is mirrored is the first thing that is said of a needle, so the best of them is its match, and its
        pixels are all that is asked for. Only where the best is none, and there are more, everything is asked for:
        whether more count rests on what the needle shows.
        """
        ranked = [
            (position, self._allowed(position, candidates))
            for position, candidates in batch
            if all(
                candidate.orientation in MIRRORED and self._decodes.have_pixels(position, candidate.picture)
                for candidate in candidates
            )
        ]
        firsts = [(position, candidates[0]) for position, candidates in ranked if candidates]
        are_similar = self._judge.are_mirrored([self._pair(position, first) for position, first in firsts])
        similar = {position for (position, _), is_similar in zip(firsts, are_similar, strict=True) if is_similar}
        return {
            position: candidates[:1] if position in similar else []
            for position, candidates in ranked
            if position in similar or len(candidates) <= 1
        }

    def _rests_on_pixels(self, position: int, best: _Best) -> bool:
        """Tell whether nothing but the pixels of a needle and its witness counts, and these are known."""
        is_mirrored = best.candidate.orientation in MIRRORED
        return is_mirrored and self._decodes.have_pixels(position, best.candidate.picture)

    def _allowed(self, position: int, candidates: Iterable[Candidate]) -> list[Candidate]:
        ranked = [
            candidate
            for candidate in sorted(candidates, key=self._rank)
            if candidate.picture not in self._haystack.lost
        ]
        if self._split and (split := self._split.get(self._needles.entries[position].path)):
            ranked = [candidate for candidate in ranked if self._haystack.entries[candidate.picture].path not in split]
        return ranked

    def _pair(self, position: int, candidate: Candidate) -> Pair:
        witness = self._haystack.refs[candidate.picture].id
        return Pair(self._needles.refs[position].id, witness, candidate.orientation)

    def _rank(self, candidate: Candidate, grade: Evidence | None = None) -> tuple[Rank, int]:
        """Rank the better witness first; of one witness the view that lies less turned."""
        size_pixels = self._haystack.refs[candidate.picture].size_pixels
        path = self._haystack.entries[candidate.picture].path
        return witness_rank(grade, candidate.distance_bits, size_pixels, path), candidate.orientation

    def _rank_of(self, best: _Best) -> tuple[Rank, int]:
        return self._rank(best.candidate, best.judged.evidence)

    def _refusal(self, position: int, candidate: Candidate) -> Reason | None:
        """Tell why a witness that its thumbnail finds to be the same does not count for this needle, or None.

        The two differ at full size; or the witness, or another copy of it, is another needle's. Both are turned as the
        needle lies, since a copy may be a turned one.
        """
        if self._full_size is not None:
            objection = self._full_size.objection(Place(position, candidate.picture, candidate.orientation))
            if objection is not None:
                return objection
        witness = self._haystack.refs[candidate.picture].id
        claim = Claim(0.0, 0, witness, BACK[candidate.orientation])
        for refused_witness, refused in self._refused.get(position, {}).items():
            lost = Claim(0.0, 0, refused_witness, BACK[refused.orientation])
            if refused_witness == witness or self._judge.differ(lost, claim) is None:
                return refused.reason
        return None

    def _open(self, positions: Iterable[int]) -> list[int]:
        """Return the needles for which a better witness may still be found."""
        return [position for position in positions if position not in self._closed]


def _uncounted(_: int) -> None:
    """Count nothing: needles that are searched for once more were counted already."""


def _counted(needles: Iterable[_Found], positions: Sequence[int], advance: Advance) -> Iterator[_Found]:
    """Yield what was found for some of these needles, in their order; ``advance`` counts all that were passed."""
    done = 0
    for position, candidates in needles:
        yield position, candidates
        passed = positions.index(position, done) + 1
        advance(passed - done)
        done = passed
    advance(len(positions) - done)


def _batched(needles: Iterable[_Found]) -> Iterator[list[_Found]]:
    """Cut into batches that are looked up with one statement and fit into memory."""
    batch: list[_Found] = []
    candidates = 0
    for needle in needles:
        batch.append(needle)
        candidates += len(needle[1])
        if len(batch) >= _BATCH_NEEDLES or candidates >= _BATCH_CANDIDATES:
            yield batch
            batch, candidates = [], 0
    if batch:
        yield batch
