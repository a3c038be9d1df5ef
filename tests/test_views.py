"""The best view of a pair is the one that a scan takes; and one rank of witnesses."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.evidence import evidence, fingerprint
from dupfind.evidence.evidence import Judgement
from dupfind.matching.rank import witness_rank
from dupfind.matching.views import Turned, View, best_view, order_of_search, views_of
from dupfind.values import ORIENTATIONS, Evidence, Match
from tests.helpers.desk import Desk
from tests.helpers.scenes import scene, shot
from tests.helpers.thumbnails import thumbnail

GRADES = [*Evidence, None]


def view(orientation: int, grade: Evidence | None, distance_bits: int, check_bits: int = 0) -> View:
    """One that was judged so."""
    return View(orientation, Judgement(grade, None, ()), distance_bits, check_bits)


def test_upright_before_nearer() -> None:
    """A scan looks upright first and stops there; what lies beyond its threshold it never sees."""
    upright, turned = view(0, Evidence.SAME, 6), view(2, Evidence.SAME, 2)
    assert upright == best_view([turned, upright], 8)
    assert turned == best_view([turned, upright], 4)


def test_the_nearest_of_those_that_are_similar() -> None:
    """There nothing stops a scan; of equal distance the check hash tells, then the turn."""
    views = [view(0, Evidence.SIMILAR, 6), view(5, Evidence.SIMILAR, 2, 9), view(7, Evidence.SIMILAR, 2, 8)]
    assert views[2] == best_view(views)
    assert view(1, Evidence.SIMILAR, 60) == best_view([view(0, None, 0), view(1, Evidence.SIMILAR, 60)], 8)


@given(
    st.lists(
        st.tuples(st.sampled_from(GRADES), st.integers(0, 20), st.integers(0, 30)), min_size=1, max_size=ORIENTATIONS
    ),
    st.integers(0, 20),
)
def test_no_view_has_a_better_grade(given_views: list[tuple[Evidence | None, int, int]], threshold_bits: int) -> None:
    """And of those that are `same` none comes earlier in the order of a search."""
    views = [view(turn, *values) for turn, values in enumerate(given_views)]
    best = best_view(iter(views), threshold_bits)
    assert GRADES.index(best.grade) == min(GRADES.index(one.grade) for one in views)
    if best.grade is Evidence.SAME:
        orders = [
            order_of_search(one.distance_bits, one.orientation, threshold_bits)
            for one in views
            if one.grade is Evidence.SAME
        ]
        assert min(orders) == order_of_search(best.distance_bits, best.orientation, threshold_bits)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


@pytest.mark.parametrize("turned", range(ORIENTATIONS))
def test_as_a_scan_with_one_picture(desk: Desk, turned: int) -> None:
    """Grade, distance and reason of the only witness there is."""
    needle, witness = thumbnail(1, turned=turned), thumbnail(1)
    hashes, (hash_,) = (
        fingerprint.search_hashes(fingerprint.pixels(picture.pixels), "phash", count)
        for picture, count in ((needle, ORIENTATIONS), (witness, 1))
    )
    best = best_view(views_of(Turned(needle), hashes, evidence.prepare(witness), hash_), 8)
    judged = best.judgement
    assert judged.evidence is not None
    expected = Match("/h", judged.evidence, best.distance_bits, judged.reason)
    assert {"n": expected} == desk.match({"n": needle}, {"/h": witness})


def test_resolution_and_path_count_in_every_orientation(desk: Desk) -> None:
    """Of two witnesses as near and as good the larger one wins, whichever of them lies turned."""
    flat = scene()
    needle = shot(flat, 1000, 750)
    small_upright, large_turned = shot(flat, 400, 300), shot(flat[::-1, ::-1], 500, 375)
    found = desk.match({"n": needle}, {"/a": small_upright, "/b": large_turned})["n"]
    assert (Evidence.SIMILAR, "/b") == (found.evidence, found.witness)
    small_turned, large_upright = shot(flat[::-1, ::-1], 400, 300), shot(flat, 500, 375)
    found = desk.match({"n": needle}, {"/a": small_turned, "/b": large_upright})["n"]
    assert (Evidence.SIMILAR, "/b") == (found.evidence, found.witness)


def test_one_rank() -> None:
    """By grade, then distance, then resolution, then path."""
    ranked = [
        (Evidence.SAME, 3, 1, "z"), (Evidence.SIMILAR, 0, 1, "z"), (Evidence.SIMILAR, 1, 9, "b"),
        (Evidence.SIMILAR, 1, 5, "a"), (Evidence.SIMILAR, 1, 5, "b"), (None, 0, 99, "a"),
    ]  # fmt: skip
    for seed in range(5):
        shuffled = [ranked[place] for place in np.random.default_rng(seed).permutation(len(ranked))]
        assert ranked == sorted(shuffled, key=lambda one: witness_rank(*one))
