"""Where pairs of pictures are compared by the ids of their thumbnails, which are fetched when they are first needed.

Ids, because equal thumbnails have one: what a thousand copies are to each other is judged once, and remembered in the
cache whatever their files are called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Judged, Pair
from dupfind.evidence import evidence
from dupfind.evidence.conflicts import Claim
from dupfind.evidence.fingerprint import pixels
from dupfind.matching.pairs import judge_pairs, judged_of
from dupfind.matching.views import Turned
from dupfind.pool.judge_pool import JudgeTask
from dupfind.reasons import Reason
from dupfind.values import ORIENTATIONS, Evidence

_MOST_PREPARED = 512
"""Pictures kept ready for comparison, 75 kB each."""
_FETCHED_TOGETHER = 8
_NEXT = 8
"""How many further candidates of a needle are judged ahead, where the first does not settle it."""
_PIXELS_TOGETHER = 512
"""Pairs whose thumbnails are in memory together to be compared by their pixels alone."""
_MIRRORED = Judged(Evidence.SIMILAR, evidence.MIRRORED_ONLY, is_last=False, closeness=0.0)
_BETWEEN_NEEDLES = ORIENTATIONS
"""Where the orientations end with which a needle and a witness are remembered, those of two needles begin."""

MapPairs = Callable[[Sequence[Pair], JudgeTask], Iterable[tuple[Pair, Judged]]]


class Judge:
    """Compares pictures, and keeps in the cache how it judged them.

    ``map_pairs`` judges many pairs at once, or none where that is not worth it. ``with_full_size`` as in
    :func:`dupfind.evidence.evidence.judge`.
    """

    def __init__(self, cache: Cache, map_pairs: MapPairs = lambda _, __: (), *, with_full_size: bool = True) -> None:
        self._with_full_size = with_full_size
        self._cache = cache
        self._map_pairs = map_pairs
        self._task = partial(judge_pairs, with_full_size=with_full_size)
        self._prepared: dict[int, evidence.Picture] = {}
        self._needle: Turned | None = None
        """The needle of the last comparison."""
        self._needle_id: int | None = None
        self._known: dict[Pair, Judged] = {}

    def know(self, needles: Iterable[int]) -> None:
        """Look up at once what is remembered of pairs with one of ``needles``, and forget all others."""
        self._known = self._cache.judgements(sorted(set(needles)))

    def know_mirrored(self, pairs: Iterable[Pair]) -> None:
        """Take pairs that :meth:`are_mirrored` has found, until others are looked up."""
        for pair in pairs:
            self._known.setdefault(pair, _MIRRORED)

    def are_mirrored(self, pairs: Sequence[Pair]) -> list[bool]:
        """Tell of each pair whether it is `similar`, by pixels alone, where its orientation mirrors the needle."""
        found: list[bool] = []
        for start in range(0, len(pairs), _PIXELS_TOGETHER):
            batch = pairs[start : start + _PIXELS_TOGETHER]
            thumbnails = self._cache.thumbnails(list({id_ for pair in batch for id_ in (pair.needle, pair.witness)}))
            grays = {id_: pixels(thumbnail.pixels) for id_, thumbnail in thumbnails.items()}
            found += evidence.are_mirrored(
                [(grays[pair.needle], grays[pair.witness], pair.orientation) for pair in batch]
            )
        return found

    def judge_ahead(self, queues: Sequence[Sequence[Pair]]) -> None:
        """Judge what :meth:`judge` will be asked for: of each queue of pairs, of one needle each, the first ones."""
        self._judge_together([queue[0] for queue in queues if queue])
        unsettled = (
            queue for queue in queues if queue and queue[0] in self._known and not self._known[queue[0]].is_last
        )
        self._judge_together(list(chain.from_iterable(queue[1 : 1 + _NEXT] for queue in unsettled)))

    def _judge_together(self, pairs: Iterable[Pair]) -> None:
        for pair, judged in self._map_pairs([pair for pair in pairs if pair not in self._known], self._task):
            self._known[pair] = judged
            self._cache.keep_judgement(pair, judged)

    def judge(self, pair: Pair, witnesses: Sequence[int]) -> Judged:
        """Compare the needle, turned as ``pair`` says, with the witness of ``pair``.

        ``witnesses`` are all that the needle may be compared with, in order: a few at a time are fetched together.
        """
        judged = self._known.get(pair)
        if judged is None:
            needle, witness = self._turned(pair.needle), self._witness(pair.witness, witnesses)
            judgement = evidence.judge(
                needle[pair.orientation], witness, pair.orientation, with_full_size=self._with_full_size
            )
            judged = judged_of(judgement, needle.upright, with_full_size=self._with_full_size)
            self._cache.keep_judgement(pair, judged)
        return judged

    def differ(self, claim: Claim, rival: Claim) -> Reason | None:
        """Tell why two needles, each turned to meet their witness, cannot both be copies of it; None where they can."""
        orientation = _BETWEEN_NEEDLES + claim.orientation * ORIENTATIONS + rival.orientation
        pair = Pair(claim.picture, rival.picture, orientation)
        judged = self._known.get(pair)
        if judged is None:
            self._prepare([claim.picture, rival.picture])
            turned = (evidence.turned(self._prepared[side.picture], side.orientation) for side in (claim, rival))
            reason = evidence.differ(next(turned), next(turned))
            judged = self._known[pair] = Judged(None if reason else Evidence.SAME, reason, is_last=False, closeness=0.0)
            self._cache.keep_judgement(pair, judged)
        return judged.reason

    def _turned(self, needle: int) -> Turned:
        if self._needle is None or needle != self._needle_id:
            self._needle_id, self._needle = needle, Turned(self._cache.thumbnails([needle])[needle])
        return self._needle

    def _witness(self, witness: int, witnesses: Sequence[int]) -> evidence.Picture:
        if witness not in self._prepared:
            start = witnesses.index(witness)
            self._prepare(witnesses[start : start + _FETCHED_TOGETHER])
        return self._prepared[witness]

    def _prepare(self, ids: Sequence[int]) -> None:
        wanted = list(dict.fromkeys(id_ for id_ in ids if id_ not in self._prepared))
        if len(self._prepared) + len(wanted) > _MOST_PREPARED:
            self._prepared.clear()
            wanted = list(dict.fromkeys(ids))
        for id_, thumbnail in self._cache.thumbnails(wanted).items():
            self._prepared[id_] = evidence.prepare(thumbnail)
