"""Cells of colour, against the obvious way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.evidence import color_cells
from dupfind.evidence.pixels import median


@given(st.lists(st.floats(-300, 300, width=32), min_size=1, max_size=40), st.sampled_from([0.0, 0.5, 0.95, 0.98, 1.0]))
def test_quantiles_are_those_of_numpy(values: list[float], share: float) -> None:
    """Median and quantile, sooner."""
    array = np.array(values, np.float32)
    assert color_cells._quantile(array, share) == pytest.approx(float(np.quantile(array, share)), rel=1e-4, abs=1e-4)
    assert median(array) == pytest.approx(float(np.median(array)), rel=1e-6)


@given(st.lists(st.integers(0, 130_050), min_size=1, max_size=40), st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_quantiles_of_integers_are_those_of_numpy(values: list[int], share: float) -> None:
    """By counting: squares of differences of Cb and Cr."""
    array = np.array(values, np.uint32)
    assert color_cells._quantile_of_integers(array, share) == pytest.approx(float(np.quantile(array, share)), rel=1e-6)
    of_roots = float(np.quantile(np.sqrt(array), share))
    assert color_cells._root_quantile(array.astype(np.int32), share) == pytest.approx(of_roots, rel=1e-5)


@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 10**6))
def test_steps_of_colour_are_those_between_neighbours(height: int, width: int, seed: int) -> None:
    """No step leads from the end of a row to the next, or from Cb to Cr."""
    random = np.random.Generator(np.random.PCG64(seed))
    own, other = random.integers(0, 256, (2, 2, height, width), np.uint8)
    ours, theirs = (
        np.concatenate([np.diff(planes.astype(int), axis=axis).reshape(-1) for axis in (1, 2)])
        for planes in (own, other)
    )
    asked = np.abs(ours) >= color_cells._LEAST_COLOR_STEP
    obvious = (ours * theirs)[asked].sum() / (ours * ours)[asked].sum() if asked.any() else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(color_cells, "_FEWEST_STEPS", 1)
        assert color_cells._color_kept(own, other) == (None if obvious is None else pytest.approx(obvious, abs=1e-5))
