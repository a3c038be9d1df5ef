"""Pairs of thumbnails to judgements, as a plain picklable function that takes a list and gives a list; pure."""

from __future__ import annotations

from collections.abc import Sequence

from dupfind.cache.cache_schema import Comparison, Judged
from dupfind.evidence import evidence
from dupfind.matching.views import Turned
from dupfind.values import Evidence


def judge_pairs(comparisons: Sequence[Comparison], *, with_full_size: bool = True) -> list[Judged]:
    """Judge each pair, 1 ms with the preparation of both.

    ``with_full_size`` as in :func:`dupfind.evidence.evidence.judge`.
    """
    outcomes = []
    for pair, needle, witness in comparisons:
        turned = Turned(needle)
        judgement = evidence.judge(
            turned[pair.orientation], evidence.prepare(witness), pair.orientation, with_full_size=with_full_size
        )
        outcomes.append(judged_of(judgement, turned.upright, with_full_size=with_full_size))
    return outcomes


def judged_of(judgement: evidence.Judgement, upright: evidence.Picture, *, with_full_size: bool) -> Judged:
    """Return what is remembered of a judgement on the needle that is ``upright`` when it is not turned."""
    # Nothing but bytes can prove a needle that shows too little: one look-alike tells as much as all.
    is_weak = evidence.shows_too_little(upright, with_full_size=with_full_size) is not None
    is_last = judgement.evidence is Evidence.SAME or is_weak
    return Judged(judgement.evidence, judgement.reason, is_last, judgement.closeness)
