"""Pairs of thumbnails to judgements, as the process does it that has the ids of them."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

from dupfind.cache.cache_schema import Comparison, Pair
from dupfind.evidence.fingerprint import pixels, turn
from dupfind.matching.judge import Judge
from dupfind.matching.pairs import judge_pairs
from dupfind.values import Evidence, FileEntry, Thumbnail
from tests.helpers.desk import Desk
from tests.helpers.scenes import scene, shot

PLAIN, PREVIEW, TINY, OTHER = (
    shot(scene(number), *size) for number, size in ((1, (1000, 750)), (1, (500, 375)), (1, (26, 19)), (2, (1000, 750)))
)


def turned(thumbnail: Thumbnail, orientation: int) -> Thumbnail:
    """The grey pixels alone are turned, which is enough here: the scene has no colour."""
    return dataclasses.replace(
        thumbnail, pixels=np.ascontiguousarray(turn(pixels(thumbnail.pixels), orientation)).tobytes()
    )


@pytest.mark.parametrize("needle", [PREVIEW, PLAIN, TINY, OTHER, turned(PREVIEW, 1)])
@pytest.mark.parametrize("witness", [PLAIN, PREVIEW, TINY])
@pytest.mark.parametrize("orientation", [0, 1])
def test_as_by_their_ids(needle: Thumbnail, witness: Thumbnail, orientation: int) -> None:
    """Grade, reason, closeness, and whether another candidate may be better."""
    desk = Desk()
    with desk.cache:
        refs = [
            desk.cache.keep_content(FileEntry(f"/{n}", 1, 0, 0, 0), one, 0) for n, one in enumerate((needle, witness))
        ]
        pair = Pair(refs[0].id, refs[1].id, orientation)  # type: ignore[union-attr]
        expected = Judge(desk.cache).judge(pair, [pair.witness])
    assert [expected] == judge_pairs([Comparison(pair, needle, witness)])


def test_in_their_order() -> None:
    """Of none there is nothing."""
    some = [Comparison(Pair(1, 2, 0), PREVIEW, PLAIN), Comparison(Pair(3, 2, 0), OTHER, PLAIN)]
    assert [Evidence.SAME, None] == [judged.evidence for judged in judge_pairs(some)]
    assert [] == judge_pairs([])


def test_everything_travels() -> None:
    """To another process and back."""
    one = Comparison(Pair(1, 2, 1), PREVIEW, PLAIN)
    assert one == pickle.loads(pickle.dumps(one))  # noqa: S301 - our own
    assert judge_pairs is pickle.loads(pickle.dumps(judge_pairs))  # noqa: S301 - our own
