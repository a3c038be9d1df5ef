"""The rules of fragments: which keypoints pair and agree, what is alike block by block, where a part lies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dupfind.evidence import fragments
from dupfind.evidence.fragments import Alike, Overlap, Pose

SHIFTED = np.array([[1.0, 0, 40], [0, 1.0, 10]])


def noise(seed: int, height: int = 128, width: int = 160) -> NDArray[np.float32]:
    """A picture of coarse noise."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.uniform(0, 255, (height // 4, width // 4)), np.ones((4, 4))).astype(np.float32)


def everywhere(picture: NDArray[np.float32]) -> NDArray[np.bool_]:
    """All of a picture."""
    return np.ones(picture.shape, np.bool_)


def test_packed_and_unpacked() -> None:
    """Twenty bytes a keypoint, and what it is searched by comes back."""
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 511, (50, 2)).astype(np.float32)
    descriptors = rng.integers(0, 1 << 63, (50, 4), np.uint64)
    degrees, levels = rng.uniform(0, 360, 50).astype(np.float32), rng.integers(0, 8, 50).astype(np.uint8)
    packed = fragments.pack(points, descriptors, degrees, levels)
    assert 20 * 50 == len(packed)
    marks = fragments.unpack(packed)
    assert (descriptors[:, [0, 2]] == marks.words).all()
    assert np.abs(points - marks.places[:, :2]).max() <= 1.01
    turned = np.abs(np.radians(degrees) - marks.places[:, 2])
    assert np.minimum(turned, 2 * math.pi - turned).max() <= 0.0124
    assert np.allclose(np.log(1.2) * levels, marks.places[:, 3], atol=1e-4)
    assert fragments.unpack(fragments.first(packed, 3)).words.tolist() == marks.words[:3].tolist()


def test_most_of_a_needle_stays_under_8_kib() -> None:
    """Which is what may be remembered of a picture."""
    some = (
        np.zeros((400, 2), np.float32),
        np.zeros((400, 4), np.uint64),
        np.zeros(400, np.float32),
        np.zeros(400, np.uint8),
    )
    assert len(fragments.pack(*some)) < 8192


def test_nothing_packed() -> None:
    """A blank picture has no marks, and bytes that are no marks are an error."""
    assert (0, 2) == fragments.unpack(b"").words.shape
    with pytest.raises(ValueError, match="multiple"):
        fragments.unpack(b"abc")


@given(st.integers(0, 2**32), st.integers(0, 12), st.integers(0, 12))
def test_pairs_are_each_others_nearest(seed: int, ours: int, theirs: int) -> None:
    """As the slow obvious way finds them, where no two are equally near."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 1 << 63, (20, 4), np.uint64)
    flips = np.uint64(1) << rng.integers(0, 64, (2, 20, 4), np.uint64)
    first, second = (base ^ flips[0])[rng.permutation(20)[:ours]], (base ^ flips[1])[rng.permutation(20)[:theirs]]
    bits = [[sum((int(a) ^ int(b)).bit_count() for a, b in zip(x, y, strict=True)) for y in second] for x in first]
    expected = [
        (row, column)
        for row in range(ours)
        for column in range(theirs)
        if bits[row][column] == min(bits[row]) == min(line[column] for line in bits) and bits[row][column] <= 64
    ]
    assert expected == list(zip(*(places.tolist() for places in fragments.pairs(first, second)), strict=True))


def places(*rows: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """Places of keypoints."""
    return np.array(rows, np.float32)


def test_agreeing_keypoints() -> None:
    """Those that one turn, scale and shift explains; a keypoint counts once, however often it was paired."""
    rng = np.random.default_rng(2)
    ours = np.column_stack([rng.uniform(0, 500, (6, 2)), rng.uniform(0, 6, 6), np.zeros(6)]).astype(np.float32)
    turn, size = math.radians(90), 2.0
    theirs = ours.copy()
    theirs[:, 0], theirs[:, 1] = 700 - size * ours[:, 1], 30 + size * ours[:, 0]
    theirs[:, 2] = (ours[:, 2] + turn) % (2 * math.pi)
    theirs[:, 3] = math.log(size)
    number = np.arange(6)
    agreed = fragments.agreeing(number, number, ours, theirs)
    assert 6 == agreed.keypoints
    assert np.allclose((turn, size, 700, 30), agreed.pose, atol=1e-2)
    off = theirs.copy()
    off[:3, 0] += 400
    assert 3 == fragments.agreeing(number, number, ours, off).keypoints
    assert 1 == fragments.agreeing(np.zeros(6, np.int64), number, ours[[0] * 6], theirs[[0] * 6]).keypoints


@pytest.mark.parametrize("change", [(2, 2.0), (3, 1.0)])
def test_turn_and_size_count(change: tuple[int, float]) -> None:
    """Two keypoints that lie right and are turned or sized otherwise do not agree."""
    ours = places((256, 256, 0, 0), (256, 256, 0, 0))
    theirs = ours.copy()
    theirs[1, change[0]] += change[1]
    assert 1 == fragments.agreeing(np.arange(2), np.arange(2), ours, theirs).keypoints


def test_equal_pictures_are_alike() -> None:
    """Also where brightness and contrast were edited; not where they are two, or where one is laid over nothing."""
    picture = noise(1)
    same = fragments.compare_blocks(picture, 0.7 * picture + 50, everywhere(picture))
    assert (80, 1.0, True) == (same.blocks, same.share, same.is_one_picture)
    assert not fragments.compare_blocks(picture, noise(2), everywhere(picture)).is_one_picture
    assert not fragments.compare_blocks(picture, picture, ~everywhere(picture)).is_one_picture
    assert not fragments.compare_blocks(
        picture[:10, :10], picture[:10, :10], everywhere(picture[:10, :10])
    ).is_one_picture


def test_a_mark_in_a_sky_is_no_picture() -> None:
    """Where most shows nothing, what little there is does not make two pictures one."""
    sky = np.full((256, 256), 200, np.float32)
    sky[200:248, 150:214] = noise(1, 48, 64)
    alike = fragments.compare_blocks(sky, sky, everywhere(sky))
    assert alike.seen_alike >= 8
    assert not alike.is_one_picture


def test_a_frame_is_no_picture() -> None:
    """Two pictures in one frame: what they show differs."""
    ours, theirs = noise(1, 256, 256), noise(1, 256, 256)
    theirs[48:208, 32:224] = noise(2, 160, 192)
    alike = fragments.compare_blocks(ours, theirs, everywhere(ours))
    assert alike.seen_alike >= 0.4 * alike.blocks
    assert not alike.is_one_picture


@pytest.mark.parametrize(
    "alike",
    [
        Alike(20, 20, 7, 0),  # too few
        Alike(100, 100, 49, 0),  # less than half of what there is to see
        Alike(100, 45, 21, 55),  # likewise, where most is plain
        Alike(100, 15, 15, 85),  # hardly anything to see
        Alike(100, 45, 40, 9),  # the even ground differs
        Alike(100, 100, 75, 0, 25, 7),  # the middle differs
    ],
)
def test_too_little_alike(alike: Alike) -> None:
    """Each bound alone."""
    assert not alike.is_one_picture
    assert Alike(20, 20, 10, 0).is_one_picture


@pytest.mark.parametrize(("scale", "inliers", "paired", "expected"), [
    (1.0, 8, 8, True), (1.0, 7, 8, False), (1.0, 8, 81, False), (8.5, 50, 60, False), (0.1, 50, 60, False),
])  # fmt: skip
def test_plausible(scale: float, inliers: int, paired: int, expected: bool) -> None:
    """Enough keypoints agree, and the scale is one that somebody would make."""
    assert expected is fragments.is_plausible(scale * np.eye(2, 3), inliers, paired)


def test_overlap() -> None:
    """In percent of each picture, what lies beside it cut off."""
    alike = Alike(100, 100, 90, 0)
    expected = Overlap((0, 0, 60, 90), (40, 10, 100, 100), 90, 0)
    assert expected == fragments.overlap(SHIFTED, (100, 100), (100, 100), alike)
    turned = np.array([[0, -1.0, 100], [1.0, 0, 0]])
    assert Overlap((0, 0, 100, 100), (0, 0, 100, 100), 90, -90) == fragments.overlap(
        turned, (100, 100), (100, 100), alike
    )
    assert fragments.overlap(np.array([[1.0, 0, 400], [0, 1.0, 0]]), (100, 100), (100, 100), alike) is None


@given(st.tuples(*[st.floats(-3, 3)] * 4), st.tuples(st.floats(-500, 500), st.floats(-500, 500)))
def test_inverse(turn: tuple[float, float, float, float], shift: tuple[float, float]) -> None:
    """There and back again."""
    a, b = turn[0] or 1.0, turn[1]
    if math.hypot(a, b) < 0.05:
        a = 1.0
    matrix = np.array([[a, -b, shift[0]], [b, a, shift[1]]])
    point = np.array([12.0, 34.0, 1.0])
    there = np.append(matrix @ point, 1.0)
    assert np.allclose(point[:2], fragments.inverse(matrix) @ there, atol=1e-6)
    assert math.isclose(math.hypot(a, b), fragments.scale(matrix))


def test_an_even_ground() -> None:
    """A page has one, however dark; a photo full of detail has none, nor has a picture that is too small to tell."""
    picture = noise(3, 256, 320).astype(np.uint8)
    page = picture.copy()
    page[:64] = 44
    assert [True, False, False] == [fragments.may_be_page(gray) for gray in (page, picture, picture[:10, :10])]
    page[:32] = 36  # on the edge of two levels
    assert fragments.may_be_page(page)


def test_what_lies_beside_what_is_known() -> None:
    """By the middle of the witness, which is half as large on the needle here."""
    pose = Pose(0.0, 2.0, -400.0, -200.0)
    size = (512, 384)
    middle = ((256 + 400) / 2 / 5.12, (192 + 200) / 2 / 3.84)
    assert fragments.lies_beside(pose, size, [])
    assert fragments.lies_beside(pose, size, [(0, 0, round(middle[0]) - 2, 100)])
    assert not fragments.lies_beside(pose, size, [(round(middle[0]) - 2, 0, 100, 100)])
    assert not fragments.lies_beside(pose._replace(x=2000.0), size, [])


def test_the_pixels_that_a_witness_lies_on() -> None:
    """With a margin, and cut off at the edges of the needle; none where it lies beside it."""
    pose = Pose(0.0, 2.0, -200.0, 0.0)
    assert (80.0, 0.0, 220.0, 110.0) == pytest.approx(fragments.pixels_of(pose, (200, 200), (512, 384), 0.1), abs=21)
    assert fragments.pixels_of(pose._replace(x=4000.0), (200, 200), (512, 384), 0.1) is None
