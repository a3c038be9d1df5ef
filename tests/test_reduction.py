"""The filter between two reductions of one picture: it is what least squares say, and leaves brightness alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dupfind.evidence import reduction
from dupfind.pictures import color_modes
from tests.helpers.details import grainy


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.sampled_from([(9, 9), (12, 31), (40, 17)]))
def test_the_filter_is_that_of_least_squares(seed: int, shape: tuple[int, int]) -> None:
    """As the plain solver finds it, pixel by pixel."""
    source = np.random.Generator(np.random.PCG64(seed))
    gray, reduced = source.integers(0, 256, (2, *shape), np.uint8)
    rows, targets = [], []
    for down, across in np.ndindex(shape[0] - 4, shape[1] - 4):
        centre = float(reduced[down + 2, across + 2])
        steps = reduced[down : down + 5, across : across + 5].reshape(-1) - centre
        rows.append([*np.delete(steps, 12), 1.0])
        targets.append(gray[down + 2, across + 2] - centre)
    ridge = np.sqrt(0.01 * len(rows)) * np.eye(25)
    expected = np.linalg.lstsq(np.array([*rows, *ridge]), np.array([*targets, *np.zeros(25)]), rcond=None)[0]
    found = reduction.fitted_weights(gray, reduced)
    assert 1 == pytest.approx(found.sum())
    assert np.allclose(np.delete(found.reshape(-1), 12), expected[:-1], atol=2e-3)


def test_a_filter_is_found_again() -> None:
    """One that sharpens and moves, also under another brightness, which is not made up for."""
    picture = np.asarray(grainy(3, (320, 240)).convert("L")) // 2 + 60
    weights = np.zeros((5, 5))
    weights[1:4, 1:4] = [[-0.05, -0.1, -0.05], [-0.1, 1.2, 0.2], [-0.05, -0.05, 0.0]]
    for brighter in (0, 5):
        gray = color_modes.convolved(picture, weights) + np.uint8(brighter)
        found = reduction.fitted_weights(gray, picture)
        assert np.abs(found - weights).max() < 0.01
        left = gray[2:-2, 2:-2].astype(int) - color_modes.convolved(picture, found)[2:-2, 2:-2]
        assert np.abs(left - brighter).mean() < 0.3


def test_what_is_too_small_or_even_stays() -> None:
    """There is nothing to fit a filter on."""
    for shape in ((3, 200), (8, 8), (60, 60)):
        even = np.full(shape, 90, np.uint8)
        weights = reduction.fitted_weights(even + np.uint8(3), even)
        assert np.allclose(weights, np.eye(25)[12].reshape(5, 5))


def test_large_pictures_are_fitted_on_some_rows() -> None:
    """The same filter comes out as of all of them."""
    large = grainy(5, (1200, 900)).convert("L")
    reduced, gray = (
        np.asarray(large.resize((600, 450), kernel)) for kernel in (Image.Resampling.LANCZOS, Image.Resampling.BOX)
    )
    found = reduction.fitted_weights(gray, reduced)
    few = reduction.fitted_weights(gray[:80], reduced[:80])
    assert np.abs(found - few).max() < 0.06
