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


def judge_pairs(comparisons: Sequence[Comparison], *, with_full_size: bool = True) -> list[Judged]:
    """Judge each pair, 1 ms with the preparation of both; see :func:`judge`."""
    found = []
    for pair, needle, witness in comparisons:
        upright = evidence.prepare(needle)
        turned, other = evidence.turned(upright, pair.orientation), evidence.prepare(witness)
        found.append(judge(upright, turned, other, pair.orientation, with_full_size=with_full_size))
    return found


def judge(
    upright: evidence.Picture,
    needle: evidence.Picture,
    witness: evidence.Picture,
    orientation: int,
    *,
    with_full_size: bool = True,
) -> Judged:
    """Judge ``needle``, which is ``upright`` turned to ``orientation``; 0.3 ms.

    ``with_full_size`` as in :func:`dupfind.evidence.evidence.judge`.
    """
    judgement = evidence.judge(needle, witness, orientation, with_full_size=with_full_size)
    # Nothing but bytes can prove a needle that shows too little: one look-alike tells as much as all.
    is_weak = evidence.shows_too_little(upright, with_full_size=with_full_size) is not None
    is_last = judgement.evidence is Evidence.SAME or is_weak
    return Judged(judgement.evidence, judgement.reason, is_last, judgement.closeness)
