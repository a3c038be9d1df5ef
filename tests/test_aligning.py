"""How one picture is turned to lie on another."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dupfind.evidence import aligning, fingerprint
from dupfind.values import ORIENTATIONS, Thumbnail
from tests.helpers.frames import framed, photo, read
from tests.helpers.scenes import scene, shot

ONE = shot(scene(1))


def turned(orientation: int) -> Thumbnail:
    """The first scene, so turned that this orientation brings it back."""
    back = {5: 7, 7: 5}.get(orientation, orientation)
    return shot(fingerprint.turn(scene(1), back))  # type: ignore[arg-type]


@pytest.mark.parametrize("orientation", range(ORIENTATIONS))
def test_every_orientation_is_found(orientation: int) -> None:
    """And turning the witness by it makes the two one."""
    witness = turned(orientation)
    assert aligning.orientation(ONE, witness) == orientation
    pixels = fingerprint.turn(fingerprint.pixels(witness.pixels), orientation)
    assert np.array_equal(pixels, fingerprint.pixels(ONE.pixels))


def test_what_is_alike_in_no_way_is_left_upright() -> None:
    """However near some turn of it comes by chance."""
    assert {aligning.orientation(ONE, shot(scene(seed))) for seed in range(2, 30)} == {0}


def test_what_is_hardly_nearer_turned_is_left_upright() -> None:
    """A picture that is its own mirror image but for noise."""
    half = scene(1)
    even = (half + half[:, ::-1]) / 2
    noise = np.random.default_rng(1).normal(0, 2, even.shape)
    assert aligning.orientation(shot(even), shot(even + noise)) == 0
    assert aligning.orientation(shot(even), shot((even + noise)[:, ::-1])) == 0


def test_a_frame_is_left_out() -> None:
    """Around either of the two."""
    plain = read(photo(3))
    other = read(framed(photo(3).transpose(Image.Transpose.ROTATE_90), 0.1))
    assert aligning.orientation(plain, other) == 5
    assert aligning.orientation(other, plain) == 7
