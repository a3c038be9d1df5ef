"""Lanczos resampling against Pillow's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dupfind.pictures import resampling

_SIDE = 64


def _by_pillow(grey: np.ndarray, box: resampling.Box) -> np.ndarray:
    """Rows first and then columns, as our own; in one call some versions of Pillow choose the order by the shape."""
    left, top, right, bottom = box
    lanczos = Image.Resampling.LANCZOS
    across = Image.fromarray(grey).resize((_SIDE, len(grey)), lanczos, box=(left, 0, right, len(grey)))
    return np.asarray(across.resize((_SIDE, _SIDE), lanczos, box=(0, top, _SIDE, bottom)))


@pytest.mark.slow
@given(
    width=st.integers(1, 1023),
    height=st.integers(1, 1023),
    cut=st.tuples(st.floats(0, 0.95), st.floats(0, 0.95)),
    seed=st.integers(0, 2**32 - 1),
    is_black_and_white=st.booleans(),
)
def test_thumbnail_is_to_the_bit_that_of_pillow(
    width: int, height: int, cut: tuple[float, float], seed: int, is_black_and_white: bool
) -> None:
    """Bit for bit, also where the kernel shoots beyond black and white."""
    grey = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    if is_black_and_white:
        grey = (grey // 128) * 255
    box = (0.0, 0.0, max(0.5, width - cut[0]), max(0.5, height - cut[1]))
    assert np.array_equal(resampling.thumbnail(grey, box), _by_pillow(grey, box))


@given(seed=st.integers(0, 2**32 - 1), is_black_and_white=st.booleans())
def test_squares_are_to_the_bit_those_of_pillow(seed: int, is_black_and_white: bool) -> None:
    """Many at once; and mirrored pictures give the mirrored, so that they need not be made from them."""
    greys = np.random.default_rng(seed).integers(0, 256, (2, 3, _SIDE, _SIDE), np.uint8)
    if is_black_and_white:
        greys = (greys // 128) * 255
    found = resampling.squares(greys, 32)
    for place in np.ndindex(2, 3):
        expected = Image.fromarray(greys[place]).resize((32, 32), Image.Resampling.LANCZOS)
        assert np.array_equal(np.asarray(expected), found[place])
    assert np.array_equal(found[..., ::-1, ::-1], resampling.squares(greys[..., ::-1, ::-1], 32))


def test_a_picture_of_the_size_of_a_thumbnail_stays_as_it_is() -> None:
    """Whole pixels are taken whole."""
    grey = np.random.default_rng(1).integers(0, 256, (_SIDE, _SIDE), np.uint8)
    assert np.array_equal(resampling.thumbnail(grey, (0, 0, _SIDE, _SIDE)), grey)


def test_an_even_picture_stays_even() -> None:
    """The weights of each new pixel add up to one."""
    for level in (0, 1, 128, 254, 255):
        grey = np.full((377, 503), level, np.uint8)
        assert (resampling.thumbnail(grey, (0, 0, 502.125, 376.5)) == level).all()


@given(length=st.integers(1, 64), source=st.integers(1, 300), cut=st.floats(0, 0.9))
def test_weights(length: int, source: int, cut: float) -> None:
    """The kernel as its definition has it."""
    stop = source - cut
    scale = max(1.0, stop / length)
    away = np.array(
        [[(old + 0.5 - (new + 0.5) * stop / length) / scale for old in range(source)] for new in range(length)]
    )
    expected = np.where(np.abs(away) < 3, np.sinc(away) * np.sinc(away / 3), 0)
    found = resampling.weights(length, source, 0, stop)
    assert np.allclose(expected / expected.sum(1, keepdims=True), found, atol=1e-12)
