"""Greys: each array function against the library that does the same in another way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from dupfind.pictures import gray
from tests.helpers.scenes import Field, scene

fields = st.integers(0, 9999).map(lambda seed: np.random.default_rng(seed).integers(0, 256, (64, 64)).astype("f4"))


@given(fields)
def test_smoothed(field: gray.Grey) -> None:
    """A Gaussian of sigma 0.6 and radius 2, the edges continued."""
    from scipy import ndimage

    expected = ndimage.gaussian_filter(field, 0.6, mode="nearest", radius=2)
    assert np.allclose(expected, gray.smoothed(field), atol=1e-2)


@given(st.integers(1, 64), st.booleans())
@example(1, True)
@example(20, False)
@example(63, True)
def test_limited_to(side: int, is_noise: bool) -> None:
    """What is left of a picture that was reduced to ``side`` rows and enlarged again, as Pillow does it."""
    field: Field = np.random.default_rng(side).uniform(0, 255, (64, 64)) if is_noise else scene(side)
    image = Image.fromarray(field.astype(np.float32))
    for height in (side, 64):
        image = image.resize((64, height), Image.Resampling.LANCZOS)
    assert np.allclose(np.asarray(image), gray.limited_to(side) @ field, atol=0.6)


def test_limits_are_made_once() -> None:
    """Pictures of few pixels come in few sizes."""
    assert gray.limited_to(31) is gray.limited_to(31)


@given(fields)
def test_span(field: gray.Grey) -> None:
    """Greatest less least of the 3 x 3 pixels around each, the edges continued."""
    from scipy import ndimage

    sides = {"size": 3, "mode": "nearest"}
    assert np.array_equal(
        ndimage.maximum_filter(field, **sides) - ndimage.minimum_filter(field, **sides), gray.span(field)
    )


def test_slopes() -> None:
    """A plane rises by as much everywhere, first downwards, then to the right; beyond the edges it is flat."""
    down, across = np.mgrid[0:64, 0:64].astype(np.float32)
    found = gray.slopes(np.asarray(2 * down - 3 * across, np.float32))
    assert [2, 2, -3, -3] == [bound for slope in found for bound in (slope[1:-1, 1:-1].min(), slope[1:-1, 1:-1].max())]
    assert ([1] * 64, [-1.5] * 64) == (found[0][0].tolist(), found[1][:, 63].tolist())


@pytest.mark.parametrize(
    ("down", "right", "words"),
    [
        (0, 0, "near the top left"),
        (0, 32, "near the top"),
        (21, 63, "near the top right"),
        (32, 0, "near the left edge"),
        (22, 22, "near the centre"),
        (42, 42, "near the centre"),
        (32, 63, "near the right edge"),
        (43, 0, "near the bottom left"),
        (63, 32, "near the bottom"),
        (63, 63, "near the bottom right"),
    ],
)
def test_places_in_words(down: int, right: int, words: str) -> None:
    """Nine parts of a picture, from row and column."""
    assert words == gray.place(down, right)
