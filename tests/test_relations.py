"""The two relations between pictures: who proves whom, and who looks alike; against brute force over all pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.evidence import evidence, fingerprint
from dupfind.grouping.linkage import link
from dupfind.grouping.relations import AlikePictures, SamePictures, checks, sketches, turned_distances
from dupfind.matching.judge import Judge
from dupfind.values import BACK, Evidence, Thumbnail
from tests.helpers.desk import Desk
from tests.helpers.scenes import grey, scene, shot
from tests.helpers.thumbnails import thumbnail


@pytest.fixture
def desk() -> Iterator[Desk]:
    """An empty one."""
    empty = Desk()
    with empty.cache:
        yield empty


def same_pictures(desk: Desk, thumbnails: Sequence[Thumbnail], turns: int = 8) -> SamePictures:
    """The relation between these, which rank in this order."""
    found = desk.pictures({str(number): one for number, one in enumerate(thumbnails)}, turns)
    by_id = sketches(desk.cache, [ref.id for ref in found.refs])
    return SamePictures([by_id[ref.id] for ref in found.refs], found.hashes, 10, Judge(desk.cache))


def alike_pictures(desk: Desk, thumbnails: Sequence[Thumbnail], turns: int = 8) -> AlikePictures:
    """Likewise, none with a frame."""
    found = desk.pictures({str(number): one for number, one in enumerate(thumbnails)}, turns)
    hashes = checks(desk.cache, [(ref.id, False) for ref in found.refs], turns)
    return AlikePictures(np.arange(len(thumbnails)), found.hashes, hashes, 10)


def alive(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Nobody is taken."""
    return np.ones(count, np.bool_)


def test_what_undoes_a_turn() -> None:
    """Turned there and back, every picture is as it was."""
    picture = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    for orientation, back in enumerate(BACK):
        assert (fingerprint.turn(fingerprint.turn(picture, orientation), back) == picture).all()  # type: ignore[arg-type]


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), min_size=8, max_size=8), min_size=1, max_size=5))
def test_distances_by_brute_force(hashes: list[list[int]]) -> None:
    """Each orientation by itself: the row turned, or the head turned back, whichever is nearer."""
    array = np.array(hashes, np.uint64)
    found = turned_distances(array, np.arange(len(hashes)), 0, range(8))
    for row, mine in enumerate(hashes):
        for turn in range(8):
            expected = min((mine[turn] ^ hashes[0][0]).bit_count(), (hashes[0][BACK[turn]] ^ mine[0]).bit_count())
            assert expected == found[row, turn]


def test_a_large_one_proves_a_small_one(desk: Desk) -> None:
    """And not the other way round; so the small one, if it came first, would not stay the head."""
    relation = same_pictures(desk, [thumbnail(1, 160, 120), thumbnail(1), thumbnail(2)])
    assert [1] == list(relation.near(0, alive(3)))
    assert (True, False, False) == (relation.proves(1, 0), relation.proves(0, 1), relation.proves(1, 2))
    assert (1, None) == (relation.superior(0, [1]), relation.superior(1, [0]))
    assert [[1, 0], [2]] == link(3, relation)


@pytest.mark.parametrize(("turn", "is_same"), [(0, True), (2, True), (5, True), (7, True), (1, False), (4, False)])
def test_turned_and_mirrored(desk: Desk, turn: int, is_same: bool) -> None:
    """A turned copy is the same picture; a mirrored one looks alike."""
    pair = [thumbnail(1), thumbnail(1, turned=turn)]
    assert is_same == (len(link(2, same_pictures(desk, pair))) == 1)
    assert [[0, 1]] == link(2, alike_pictures(desk, pair))
    if turn:
        assert [[0], [1]] == link(2, same_pictures(desk, pair, turns=1)) == link(2, alike_pictures(desk, pair, turns=1))


def test_what_shows_too_little_proves_nothing_and_is_compared_with_nothing(desk: Desk) -> None:
    """A thousand blank pages are no thousand thousand comparisons."""
    blank = [thumbnail(number, flat=True) for number in range(3)]
    relation = same_pictures(desk, [*blank, thumbnail(1)])
    assert [] == list(relation.near(0, alive(4)))
    assert not relation.proves(3, 0)


def test_two_that_differ_do_not_share_a_head(desk: Desk) -> None:
    """Frames on either side of a third one, which passes for both: the first keeps it, the other stays alone."""
    base = scene(3, texture=8)
    left, right = base.copy(), base.copy()
    left[8:24, 8:24] += 1
    right[8:24, 8:24] -= 1
    middle, one, other = (shot(values, 640, 480, quality=50) for values in (base, left, right))
    pictures = [evidence.prepare(each) for each in (middle, one, other)]
    for frame in pictures[1:]:
        assert Evidence.SAME is evidence.judge(frame, pictures[0]).evidence
    assert evidence.differ(pictures[1], pictures[2])
    assert [2, 1] == sorted(map(len, link(3, same_pictures(desk, [middle, one, other]))), reverse=True)


def test_clearly_more_compressed_is_superior_to_nobody(desk: Desk) -> None:
    """Of two that prove each other the one of much lower quality gives way."""
    pair = [shot(scene(4), quality=60), shot(scene(4), quality=90)]
    relation = same_pictures(desk, pair)
    assert (True, True) == (relation.proves(0, 1), relation.proves(1, 0))
    assert (1, None) == (relation.superior(0, [1]), relation.superior(1, [0]))
    assert (False, True) == (relation.could_lead(0, [1, 0]), relation.could_lead(1, [1, 0]))


@pytest.mark.slow
def test_the_quick_look_at_the_structure_leaves_out_nothing_that_is_the_same(desk: Desk) -> None:
    """Of a series, every pair that the judge calls the same is near; others are not even asked about."""
    series = [shot(scene(5, right=0.02 * step, texture=3 + step), 400, 300) for step in range(30)]
    frames = [evidence.prepare(one) for one in series]
    relation = same_pictures(desk, series)
    left_out = 0
    for one in range(len(series)):
        near = relation.near(one, alive(len(series)))
        for other in range(len(series)):
            if other != one and other not in near:
                left_out += 1
                assert Evidence.SAME is not evidence.judge(frames[other], frames[one]).evidence
                assert not relation.proves(one, other)
    assert 0 < left_out < 870


def test_two_shots_are_not_even_near(desk: Desk) -> None:
    """What their capture times decide needs no pixels."""
    times = ["2017:07:18 15:31:30", "2017:07:18 15:31:37", "2017:07:18 16:31:30", None]
    relation = same_pictures(desk, [shot(scene(1), captured=time) for time in times])
    assert [2, 3] == list(relation.near(0, alive(4)))


@pytest.mark.slow
@given(st.lists(st.sampled_from(range(12)), min_size=1, max_size=8), st.integers(0, 3))
def test_alike_by_brute_force(steps: list[int], seed: int) -> None:
    """Pictures on the way from one scene to another: any two members look alike, by the plain comparison of both."""
    first, last = scene(seed), scene(seed + 10)
    thumbnails = [shot(first + (last - first) * step / 11) for step in steps]
    desk = Desk()
    with desk.cache:
        groups = link(len(steps), alike_pictures(desk, thumbnails))
    assert list(range(len(steps))) == sorted(item for group in groups for item in group)
    prepared = [evidence.prepare(one) for one in thumbnails]
    for group in groups:
        for one, other in combinations(group, 2):
            assert (prepared[one].check ^ prepared[other].check).bit_count() <= evidence.CHECK_BOUND_BITS
    heads = [group[0] for group in groups]
    hashes = [fingerprint.search_hash(grey(first + (last - first) * step / 11), "phash") for step in steps]
    for head, group in zip(heads, groups, strict=True):  # who stayed out was far from the head, or from a member
        for later in heads[heads.index(head) + 1 :]:
            near = (hashes[head] ^ hashes[later]).bit_count() <= 10
            fits = all(
                (prepared[later].check ^ prepared[one].check).bit_count() <= evidence.CHECK_BOUND_BITS for one in group
            )
            assert not (near and fits)


def test_a_framed_picture_meets_by_either_of_its_views() -> None:
    """Two views of the second item, of which only the inner one is near the first."""
    hashes = np.array([[0], [2**64 - 1], [1]], np.uint64)
    words = np.zeros((3, 1, 4), np.uint64)
    words[1] = 2**64 - 1
    relation = AlikePictures(np.array([0, 1, 1]), hashes, words, 4)
    assert [[0, 1]] == link(2, relation)
    meeting = relation.meeting(0, 1)
    assert (0, 1, 2, 0) == (meeting.check_bits, meeting.distance_bits, meeting.item_view, meeting.head_view)


def test_three_that_are_near_one_and_not_each_other() -> None:
    """Complete linkage by check hashes: 60 bits to the head on either side are 120 between the two."""
    hashes = np.zeros((3, 1), np.uint64)
    words = np.zeros((3, 1, 4), np.uint64)
    words[1, 0, 0] = 2**60 - 1
    words[2, 0, 1] = 2**60 - 1
    relation = AlikePictures(np.arange(3), hashes, words, 4)
    assert [1, 2] == list(relation.near(0, alive(3)))
    assert [[0, 1], [2]] == link(3, relation)
