"""Features of pictures at a glance: against the plain comparison of their tiles."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dupfind.sorting import likeness
from dupfind.sorting.likeness import FEATURES, distances, features
from dupfind.values import Thumbnail
from tests.helpers.scenes import scene, shot


def test_shape_and_type() -> None:
    """48 numbers a picture, 192 bytes."""
    found = features([shot(scene(1)), shot(scene(2))])
    assert ((2, FEATURES), np.float32) == (found.shape, found.dtype)


def test_equal_pictures_are_no_distance_apart() -> None:
    """Whatever else their files say."""
    one, other = shot(scene(1)), shot(scene(1), 100, 80, captured="2017:07:18 15:31:30")
    assert [0.0] == distances(features([one])[0], features([other])).tolist()


@given(st.integers(0, 255), st.integers(0, 255))
def test_flat_pictures_are_as_far_apart_as_their_greys(one: int, other: int) -> None:
    """The unit is grey levels."""
    flat = [Thumbnail(bytes([level]) * 4096, 640, 480, "JPEG", 1, None) for level in (one, other)]
    found = features(flat)
    assert abs(distances(found[0], found[1:])[0] - abs(one - other)) < 0.01


def test_all_coefficients_are_the_tiles() -> None:
    """With none left out, the distance is that of the 8 x 8 tiles: the transform itself loses nothing."""
    greys = np.stack([scene(seed).reshape(8, 8, 8, 8).mean(axis=(1, 3)) for seed in (1, 2)]).astype(np.float32)
    one, other = likeness._transformed(greys)
    expected = np.sqrt(((greys[0] - greys[1]) ** 2).mean())
    assert abs(np.sqrt(((one - other) ** 2).sum()) - expected) < 0.01


def test_colours_count() -> None:
    """A grey copy of a red picture is another picture at a glance, and a green one is farther off still."""
    grey = shot(scene(1))
    red, green = (dataclasses.replace(grey, chroma=bytes([128] * 64) + bytes([level] * 64)) for level in (148, 108))
    found = features([red, grey, green])
    to_grey, to_green = distances(found[0], found[1:]).tolist()
    assert abs(2 * to_grey - to_green) < 0.01
    assert abs(3 * 20 - to_grey) < 0.01


def test_low_frequencies_come_first() -> None:
    """Along the diagonals of the table of coefficients."""
    assert [0, 1, 8, 2, 9, 16] == likeness._zigzag()[:6].tolist()
