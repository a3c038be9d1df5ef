"""The judgement of needles and their candidates, and which of these becomes the witness.

Among the candidates of a needle the best witness wins: by grade, then distance, then resolution, then path. One witness
proves no two needles that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Judged, Pair
from dupfind.events import Advance, Listener
from dupfind.evidence.claims import Claim, rejected
from dupfind.reasons import Reason, ReasonCode
from dupfind.scanning.candidates import Candidate, Candidates
from dupfind.scanning.full_size import FullSize, Place
from dupfind.scanning.judging import Judge, JudgePairs
from dupfind.scanning.wholes import MOST_ROUNDS, Wholes
from dupfind.search.hamming import HashDictionary, close_pairs
from dupfind.values import Evidence, Match

_BATCH_NEEDLES = 256
_BATCH_CANDIDATES = 4096
"""How many needles, or candidates of theirs, are looked up together."""
_SEARCHED_NEEDLES = 1 << 14
"""How many needles are searched for together, in seven orientations once: the more, the less time each takes."""
_MOST_ROUNDS = 20
"""How often needles that lost their witness to another may look for the next one."""
_MOST_KIN = 8
"""Other witnesses that may be copies of the one that a needle has."""
_BACK = (0, 1, 2, 3, 4, 7, 6, 5)
"""The orientation that undoes each."""


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
    """Finds and judges the candidates of needles among the haystack's pictures."""

    def __init__(
        self,
        wholes: Wholes,
        threshold_bits: int,
        cache: Cache,
        listener: Listener,
        parted: Mapping[str, frozenset[str]] | None = None,
        judge_pairs: JudgePairs = lambda _: (),
        full_size: FullSize | None = None,
    ) -> None:
        self._wholes = wholes
        self._full_size = full_size
        """None where thumbnails are to be enough (``--quick``)."""
        self._needles = wholes.needles
        self._haystack = wholes.haystack
        self._listener = listener
        self._judge = Judge(cache, judge_pairs, with_full_size=full_size is not None)
        self._candidates = Candidates(self._needles, self._haystack, threshold_bits, listener)
        self._parted = parted or {}
        """By the path of a needle, files of the haystack that are no witnesses of it, whatever they look like."""
        self._closed: set[int] = set()
        """Needles for which no better witness can be found."""
        self._refused: dict[int, dict[int, _Refused]] = {}
        """By needle, the ids of the witnesses' thumbnails that were found `same` and do not count."""

    def match(self, advance: Advance) -> dict[str, Match]:
        """The best match of each needle that has any, by path; ``advance`` counts the needles that are done."""
        best = self._search(range(len(self._needles.entries)), advance)
        self._settle(best)
        return {self._needles.entries[position].path: self._match(position, match) for position, match in best.items()}

    def _match(self, position: int, best: _Best) -> Match:
        (distance_bits, orientation, picture), judged = best
        assert judged.evidence is not None
        reason = judged.reason
        if judged.evidence is Evidence.SAME and reason is None and self._full_size is not None:
            reason = self._full_size.note(Place(position, picture, orientation))
        return Match(self._haystack.entries[picture].path, judged.evidence, distance_bits, reason)

    def _search(self, positions: Sequence[int], advance: Advance = lambda _: None) -> dict[int, _Best]:
        """The best candidate of each of these needles that has any; none that is `same` rests on thumbnails alone."""
        best = self._search_thumbnails(positions, advance)
        if self._full_size is None:
            return best
        while refused := self._full_size.refuse(self._same_in(best)):
            # Each is searched for again: the next witness may hold what this one lacks.
            again = sorted(place.needle for place in refused)
            self._closed.difference_update(again)
            for position in again:
                del best[position]
            best |= self._search_thumbnails(again)
        return best

    def _same_in(self, best: dict[int, _Best]) -> list[Place]:
        return [
            Place(position, candidate.picture, candidate.orientation)
            for position, (candidate, judged) in best.items()
            if judged.evidence is Evidence.SAME
        ]

    def _search_thumbnails(self, positions: Sequence[int], advance: Advance = lambda _: None) -> dict[int, _Best]:
        """The best candidate of each of these needles that has any; none rests on a coarse picture."""
        best = self._look(positions, advance)
        for _ in range(MOST_ROUNDS):
            coarse = self._coarse(best)
            if not coarse:
                break
            self._wholes.read(coarse.items())
            self._closed.difference_update(coarse)
            for position in coarse:
                del best[position]
            best |= self._look([position for position in sorted(coarse) if position not in self._wholes.lost_needles])
        for position in self._coarse(best):
            del best[position]
        return best

    def _coarse(self, best: dict[int, _Best]) -> dict[int, int]:
        """By position, the witnesses of those needles of which one of the two is coarse."""
        pairs = {position: found.candidate.picture for position, found in best.items()}
        return {
            position: witness for position, witness in pairs.items() if not self._wholes.are_whole(position, witness)
        }

    def _look(self, positions: Sequence[int], advance: Advance = lambda _: None) -> dict[int, _Best]:
        """The best candidate of each of these needles that has any, as far as the pictures are read."""
        best = self._judge_all(self._candidates.equal(positions))
        undecided = self._open(positions)
        advance(len(positions) - len(undecided))
        turned = range(1, self._needles.hashes.shape[1])
        for start in range(0, len(undecided), _SEARCHED_NEEDLES):
            batch = undecided[start : start + _SEARCHED_NEEDLES]
            best |= self._judge_all(self._candidates.near(batch, [0]))
            # The seven other orientations cost seven times as much, and few needles need them.
            rest = self._open(batch)
            advance(len(batch) - len(rest))
            for position, found in self._judge_all(
                _counted(self._candidates.near(rest, turned), rest, advance)
            ).items():
                best[position] = min(found, best.get(position, found), key=_order)
        return best

    def _settle(self, best: dict[int, _Best]) -> None:
        """Let one witness prove no two needles that differ; what loses its witness is searched for once more."""
        for _ in range(_MOST_ROUNDS):
            fallen = self._fallen(best)
            if not fallen:
                return
            for position, why in fallen.items():
                lost = best[position].candidate
                witness = self._wholes.witness_refs[lost.picture].id
                reason = Reason(ReasonCode.CONFLICT, (why,))
                self._refused.setdefault(position, {})[witness] = _Refused(lost.orientation, reason)
            self._closed.difference_update(fallen)
            best |= self._search(sorted(fallen))
        for position, why in self._fallen(best).items():
            judged = best[position].judged
            judged = judged._replace(evidence=Evidence.SIMILAR, reason=Reason(ReasonCode.CONFLICT, (why,)))
            best[position] = best[position]._replace(judged=judged)

    def _fallen(self, best: dict[int, _Best]) -> dict[int, Reason]:
        """The needles that cannot keep their witness, since another with the same one differs from them, and why."""
        claims: dict[int, list[Claim]] = {}
        pictures: dict[int, int] = {}
        for position, (candidate, judged) in best.items():
            if judged.evidence is Evidence.SAME:
                claim = Claim(judged.closeness, position, self._wholes.needle_refs[position].id, candidate.orientation)
                witness = self._wholes.witness_refs[candidate.picture].id
                claims.setdefault(witness, []).append(claim)
                pictures[witness] = candidate.picture
        near = self._near_each_other(pictures)
        rivals = {witness: some for witness, some in claims.items() if witness in near or len(some) > 1}
        self._judge.know([*rivals, *(claim.picture for some in rivals.values() for claim in some)])
        kin = {one: [other for other in others if not self._are_two(one, other)] for one, others in near.items()}
        return rejected(rivals, self._judge.differ, kin)

    def _near_each_other(self, pictures: dict[int, int]) -> dict[int, list[int]]:
        """For each of these witnesses, by the ids of their thumbnails, some others of nearly its hash."""
        ids = list(pictures)
        with self._listener.part("search"):
            dictionary = HashDictionary(self._haystack.hashes[list(pictures.values()), 0])
            places = [dictionary.positions(key)[: _MOST_KIN + 1].tolist() for key in range(len(dictionary.keys))]
            pairs = np.stack(close_pairs(dictionary.keys), 1).tolist()
        near: dict[int, list[int]] = {}
        for one, other in [*((key, key) for key, some in enumerate(places) if len(some) > 1), *pairs]:
            for first, second in product(places[one], places[other]):
                for witness, kin in {(ids[first], ids[second]), (ids[second], ids[first])}:
                    known = near.setdefault(witness, [])
                    if witness != kin and kin not in known and len(known) < _MOST_KIN:
                        known.append(kin)
        return near

    def _are_two(self, one: int, other: int) -> bool:
        """Whether two witnesses are certainly not copies of one picture."""
        low, high = sorted((one, other))
        return self._judge.differ(Claim(0.0, 0, low, 0), Claim(0.0, 0, high, 0)) is not None

    def _judge_all(self, found: Iterable[tuple[int, list[Candidate]]]) -> dict[int, _Best]:
        """The best candidate of each needle, by its position."""
        best: dict[int, _Best] = {}
        for batch in _batches(found):
            self._judge.know(self._wholes.needle_refs[position].id for position, _ in batch)
            ranked = [(position, self._ranked(position, candidates)) for position, candidates in batch]
            self._judge.judge_ahead([[self._pair(position, one) for one in some] for position, some in ranked])
            for position, some in ranked:
                chosen = self._choose(position, some)
                if chosen is not None:
                    best[position] = chosen
        return best

    def _ranked(self, position: int, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Those of its candidates that a needle may have as witness, the best first."""
        ranked = [one for one in sorted(candidates, key=self._rank) if one.picture not in self._wholes.lost_witnesses]
        if self._parted and (parted := self._parted.get(self._needles.entries[position].path)):
            ranked = [one for one in ranked if self._haystack.entries[one.picture].path not in parted]
        return ranked

    def _pair(self, position: int, one: Candidate) -> Pair:
        return Pair(self._wholes.needle_refs[position].id, self._wholes.witness_refs[one.picture].id, one.orientation)

    def _rank(self, one: Candidate) -> tuple[int, int, str, int]:
        """The better witness first: nearer, then larger, then the lower path."""
        picture = one.picture
        size_pixels = self._wholes.witness_refs[picture].size_pixels
        return one.distance_bits, -size_pixels, self._haystack.entries[picture].path, one.orientation

    def _choose(self, position: int, ranked: list[Candidate]) -> _Best | None:
        """Look at the candidates from the best on, until one is the last; else the best `similar` counts."""
        best: _Best | None = None
        witnesses = [self._wholes.witness_refs[one.picture].id for one in ranked]
        for one in ranked:
            pair = self._pair(position, one)
            judged = self._judge.judge(pair, witnesses)
            if judged.evidence is Evidence.SAME and (refusal := self._refusal(position, one, pair.witness)):
                judged = Judged(Evidence.SIMILAR, refusal, is_last=False, closeness=0.0)
            if judged.evidence is not None and (best is None or judged.evidence is Evidence.SAME):
                best = _Best(one, judged)
            if judged.is_last:
                self._closed.add(position)
                return best
        return best

    def _refusal(self, position: int, candidate: Candidate, witness: int) -> Reason | None:
        """Why a witness that its thumbnail finds to be the same does not count for this needle, or None.

        The two differ at full size; or the witness, or another copy of it, is another needle's. Both are turned as the
        needle lies, since a copy may be a turned one.
        """
        if self._full_size is not None:
            objection = self._full_size.objection(Place(position, candidate.picture, candidate.orientation))
            if objection is not None:
                return objection
        claim = Claim(0.0, 0, witness, _BACK[candidate.orientation])
        for other, refused in self._refused.get(position, {}).items():
            lost = Claim(0.0, 0, other, _BACK[refused.orientation])
            if other == witness or self._judge.differ(lost, claim) is None:
                return refused.reason
        return None

    def _open(self, positions: Iterable[int]) -> list[int]:
        """The needles for which a better witness may still be found."""
        return [position for position in positions if position not in self._closed]


def _order(best: _Best) -> tuple[int, int]:
    """The better one first: by grade, then by distance."""
    assert best.judged.evidence is not None
    return best.judged.evidence.rank, best.candidate.distance_bits


def _counted(
    found: Iterable[tuple[int, list[Candidate]]], positions: Sequence[int], advance: Advance
) -> Iterator[tuple[int, list[Candidate]]]:
    """What was found for some of these needles, in their order; ``advance`` counts all that were passed."""
    done = 0
    for one in found:
        yield one
        passed = positions.index(one[0], done) + 1
        advance(passed - done)
        done = passed
    advance(len(positions) - done)


def _batches(
    found: Iterable[tuple[int, list[Candidate]]],
) -> Iterator[list[tuple[int, list[Candidate]]]]:
    """Cut into batches that are looked up with one statement and fit into memory."""
    batch: list[tuple[int, list[Candidate]]] = []
    candidates = 0
    for one in found:
        batch.append(one)
        candidates += len(one[1])
        if len(batch) >= _BATCH_NEEDLES or candidates >= _BATCH_CANDIDATES:
            yield batch
            batch, candidates = [], 0
    if batch:
        yield batch
