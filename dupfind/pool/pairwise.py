"""Pairs of thumbnails to judgements, as a plain picklable function that takes a list and gives a list; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dupfind.cache.cache_schema import Judged, Pair
from dupfind.evidence import evidence
from dupfind.values import Evidence, Thumbnail


class Comparison(NamedTuple):
    """A pair and what is compared."""

    pair: Pair
    needle: Thumbnail
    """Upright; it is turned as ``pair`` says."""
    witness: Thumbnail


def judge_pairs(comparisons: Sequence[Comparison]) -> list[Judged]:
    """Judge each pair, 1 ms with the preparation of both."""
    found = []
    for pair, needle, witness in comparisons:
        upright = evidence.prepare(needle)
        found.append(
            judge(upright, evidence.turned(upright, pair.orientation), evidence.prepare(witness), pair.orientation)
        )
    return found


def judge(upright: evidence.Picture, needle: evidence.Picture, witness: evidence.Picture, orientation: int) -> Judged:
    """Judge ``needle``, which is ``upright`` turned to ``orientation``; 0.3 ms."""
    judgement = evidence.judge(needle, witness, orientation)
    # Nothing but bytes can prove a needle that shows too little: one look-alike tells as much as all.
    is_last = judgement.evidence is Evidence.SAME or upright.weakness is not None
    return Judged(judgement.evidence, judgement.reason, is_last, judgement.closeness)
