"""Resembling: what a damaged needle may have been, where nothing was found by its hash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import pytest

from dupfind.answers.findings import Remains
from dupfind.events import Advance, Silence
from dupfind.matching.damaged import match_damaged, smooth_among
from dupfind.reasons import ReasonCode
from dupfind.values import Evidence, Match, Thumbnail
from tests.helpers.desk import Desk
from tests.helpers.scenes import Field, scene, shot

DAMAGE = "its JPEG data is damaged: no end marker"


class Ears(Silence):
    """Counts what was looked at."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int | None]] = []
        self.done = 0

    def stage(self, name: str, total: int | None) -> AbstractContextManager[Advance]:
        """Note the stage."""
        self.stages.append((name, total))

        def advance(by: int) -> None:
            self.done += by

        return nullcontext(advance)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


def cut(values: Field, share: float) -> Thumbnail:
    """A damaged file of which the upper ``share`` was decoded."""
    left = np.full((64, 64), 128.0)
    left[: round(64 * share)] = values[: round(64 * share)]
    return shot(left, damage=DAMAGE)


HAYSTACK = {f"/h{seed}": shot(scene(seed)) for seed in range(30)}


def looked(
    desk: Desk, needles: Mapping[str, Thumbnail], haystack: Mapping[str, Thumbnail], **found: Match
) -> tuple[dict[str, Match], dict[str, Remains], Ears]:
    """What is said of the needles, given these matches, and what was heard."""
    ears = Ears()
    both = desk.pictures(needles, 1), desk.pictures(haystack, 1)
    return *match_damaged(*both, found, desk.cache, ears), ears


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_the_intact_part_names_the_witness(desk: Desk, share: float) -> None:
    """It is similar, and the reason says what is wrong with the file and how much of the picture is left."""
    matches, rest, _ = looked(desk, {"n": cut(scene(17), share)}, HAYSTACK)
    match = matches["n"]
    assert ("/h17", Evidence.SIMILAR, {}) == (match.witness, match.evidence, rest)
    assert match.reason is not None
    damage, left = match.reason.facts
    assert (ReasonCode.PARTLY_INTACT, DAMAGE) == (match.reason.code, damage)
    assert share == pytest.approx(left, abs=0.04)
    assert match.distance_bits is not None


def test_too_little_left_names_what_it_looks_like(desk: Desk) -> None:
    """The picture as a whole resembles one, but no part of it is the same: no match, and a hint."""
    faint = scene(17) * 0.6 + 20
    matches, rest, _ = looked(desk, {"n": shot(faint, damage=DAMAGE)}, HAYSTACK)
    assert ({}, {"n": Remains(DAMAGE, "/h17")}) == (matches, rest)


def test_nothing_left_names_nothing(desk: Desk) -> None:
    """A grey picture looks like none, and an empty haystack has none."""
    grey = shot(np.full((64, 64), 128.0), damage=DAMAGE)
    for haystack in (HAYSTACK, {}):
        assert ({}, {"n": Remains(DAMAGE, None)}) == looked(desk, {"n": grey}, haystack)[:2]


def test_a_leading_eighth_is_not_enough(desk: Desk) -> None:
    """Below a quarter there is no match: too little to tell."""
    matches, rest, _ = looked(desk, {"n": cut(scene(17), 0.125)}, HAYSTACK)
    assert ({}, ["n"]) == (matches, list(rest))


def test_only_damaged_needles_without_a_match_are_looked_at(desk: Desk) -> None:
    """Sound ones are missing as they are, and one that was found needs no more."""
    match = Match("/h3", Evidence.SIMILAR, 2, "similar")
    needles = {"sound": shot(scene(99)), "found": cut(scene(3), 0.9)}
    matches, rest, ears = looked(desk, needles, HAYSTACK, found=match)
    assert ({}, {}, []) == (matches, rest, ears.stages)


def test_the_likeliest_is_not_always_what_is_left(desk: Desk) -> None:
    """A darker edit correlates better than the noisy original, of which half is still there."""
    noisy = scene(17) + np.random.default_rng(1).normal(0, 1.5, (64, 64))
    haystack = {"/darker": shot(scene(17) * 0.7), "/original": shot(noisy)}
    matches, rest, _ = looked(desk, {"n": cut(scene(17), 0.5)}, haystack)
    assert ({}, "/original") == (rest, matches["n"].witness)


def test_a_damaged_haystack_file_is_no_needle(desk: Desk) -> None:
    """That its thumbnail is of a damaged file is no reason to look at anything."""
    matches, rest, ears = looked(desk, {"n": shot(scene(99))}, {"/h": cut(scene(1), 0.5)})
    assert ({}, {}, []) == (matches, rest, ears.stages)


def test_each_needle_has_its_own_witness(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many at once, and the haystack in parts: the same answers, and every haystack picture is counted once."""
    needles = {f"n{seed}": cut(scene(seed), 0.5) for seed in range(0, 30, 4)}
    whole = looked(desk, needles, HAYSTACK)
    assert {f"n{seed}": f"/h{seed}" for seed in range(0, 30, 4)} == {
        path: match.witness for path, match in whole[0].items()
    }
    assert ([("looking at damaged needles", 30)], 30) == (whole[2].stages, whole[2].done)
    monkeypatch.setattr("dupfind.matching.damaged._BATCH", 7)
    parts = looked(desk, needles, HAYSTACK)
    assert (whole[:2], 30) == (parts[:2], parts[2].done)


def slope(noise: int = 0) -> Field:
    """An even slope, or a copy of it that differs by a grey level here and there."""
    rows, columns = np.mgrid[0:64, 0:64]
    return 40 + rows * 1.5 + columns + np.random.default_rng(noise).integers(0, 2, (64, 64)) * bool(noise)


def test_a_smooth_needle_names_what_it_looks_like(desk: Desk) -> None:
    """Its hash is another after each compression; no match is made of it."""
    both = desk.pictures({"n": shot(slope())}, 1), desk.pictures({**HAYSTACK, "/slope": shot(slope(1))}, 1)
    found = match_damaged(*both, {}, desk.cache, Silence(), "phash")
    assert ({}, {"n": Remains("", "/slope")}) == found
    assert ({}, {}) == match_damaged(*both, {}, desk.cache, Silence())
    match = Match("/slope", Evidence.SIMILAR, 2)
    assert ({}, {}) == match_damaged(*both, {"n": match}, desk.cache, Silence(), "phash")


def test_a_smooth_needle_like_nothing(desk: Desk) -> None:
    """And one with something to see is not smooth."""
    needles = desk.pictures({"n": shot(slope()), "rough": shot(scene(99))}, 1)
    found = match_damaged(needles, desk.pictures({"/h": shot(scene(1))}, 1), {}, desk.cache, Silence(), "phash")
    assert ({}, {"n": Remains("", None)}) == found


def test_which_needles_are_smooth_is_asked_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is the same the second time, and nothing is read for it; what is new is asked of it alone."""
    shots = {"slope": shot(slope()), "rough": shot(scene(99)), "cut": cut(slope(), 0.5), "new": shot(slope(1))}
    slope_id, rough_id, cut_id, new_id = (ref.id for ref in desk.pictures(shots, 1).refs)
    assert {slope_id} == smooth_among([rough_id, slope_id, slope_id, cut_id], desk.cache, "phash")
    read: list[int] = []
    real = desk.cache.thumbnails
    monkeypatch.setattr(desk.cache, "thumbnails", lambda ids: read.extend(ids) or real(ids))
    assert {slope_id, new_id} == smooth_among([new_id, cut_id, slope_id, rough_id], desk.cache, "phash")
    assert set() == smooth_among([rough_id], desk.cache, "phash")
    assert [new_id] == read
