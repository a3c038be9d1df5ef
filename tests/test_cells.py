"""Cells of two grey pictures, against the obvious way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dupfind.evidence import cells


@given(st.integers(1, 60), st.integers(1, 4))
def test_tone_count(tones: int, each: int) -> None:
    """Each counts three levels, however much there is of it, and what lies closer together counts as one."""
    levels = np.repeat(np.arange(2, 4 * tones, 4), each)
    assert cells._tone_count(levels) == pytest.approx(3 * tones)
    assert cells._tone_count(np.repeat(np.arange(2, 200), each)) == pytest.approx(200, abs=1)


small_arrays = st.integers(0, 10**6).map(
    lambda seed: np.random.Generator(np.random.PCG64(seed)).integers(0, 256, (1 + seed % 9, 1 + seed % 7), np.uint8)
)


@given(small_arrays)
def test_parts_agree_with_the_obvious_way(values: NDArray[np.uint8]) -> None:
    """Spans, means of nine and sums of four, cell by cell."""
    padded = np.pad(values, 1, mode="edge")
    for down, right in np.ndindex(values.shape):
        around = padded[down : down + 3, right : right + 3]
        assert around.max() - around.min() == cells._span(padded)[down, right]
        sums = cells._sums_of_nine(padded.astype(np.float32))
        assert sums[down, right] == pytest.approx(around.sum(), rel=1e-5)
    for down, right in np.ndindex(values.shape[0] // 2, values.shape[1] // 2):
        four = values[2 * down : 2 * down + 2, 2 * right : 2 * right + 2]
        assert int(four.astype(int).sum()) == cells.sums_of_four(values)[down, right]


def obvious_ratios(own: NDArray[Any], other: NDArray[Any], side: int, gain: float, offset: float) -> NDArray[Any]:
    """Each cell against the noise of its class, in whole arrays and without any strips."""
    difference = np.abs(own / side**2 - (other / side**2 * gain + offset)).astype(np.float32)
    around = [
        np.lib.stride_tricks.sliding_window_view(np.pad(sums // side**2, 1, mode="edge"), (3, 3))
        for sums in (own, other)
    ]
    spans = np.minimum(*(windows.max((2, 3)) - windows.min((2, 3)) for windows in around)).astype(np.uint8)
    floor = cells._NOISE_FLOORS[side]
    noise = cells._noise(difference * np.float32(side**2), side, spans, floor)
    ratios = difference / noise[cells._CLASS_OF_CONTRAST[spans]]
    rim = np.full(own.shape, cells._RIM_WEIGHT)
    rim[1:-1, 1:-1] = 1
    return np.asarray(ratios * rim)


@pytest.mark.slow
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(0, 10**6),
    st.sampled_from([2, 4, 8]),
    st.sampled_from([(1.0, 0.0), (1.1, -3.0)]),
    st.integers(1, 300),
)
def test_strips_agree_with_whole_arrays(
    height: int, width: int, seed: int, side: int, tone: tuple[float, float], strip_cells: int
) -> None:
    """The worst cells, however many rows are worked on together and however the pictures lie in the memory."""
    random = np.random.Generator(np.random.PCG64(seed))
    own, other = random.integers(0, 255 * side**2, (2, height, width), np.uint16)
    ratios = obvious_ratios(own, other, side, *tone)
    means = np.lib.stride_tricks.sliding_window_view(np.pad(ratios, 1, mode="edge"), (3, 3)).mean((2, 3))
    down, right = np.unravel_index(means.argmax(), means.shape)
    layouts = [(own, other), (np.asfortranarray(own), np.asfortranarray(other)), (np.asfortranarray(own), other)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "_STRIP_CELLS", strip_cells)
        for one, two in layouts:
            found, _ = cells.against_noise(cells._cells(one, side), cells._cells(two, side), side, *tone)
            whole = found.padded(slice(0, found.own.shape[0]))[1:-1, 1:-1]
            assert (whole.T if found.is_turned else whole) == pytest.approx(ratios, rel=1e-4, abs=1e-4)
            places = np.indices((height, width))[:, 1:-1, 1:-1].reshape(2, -1)
            around = np.lib.stride_tricks.sliding_window_view(ratios, (3, 3)) if min(height, width) > 2 else ratios[:0]
            assert found.around(*places) == pytest.approx(around.reshape(-1, 9).T, rel=1e-4, abs=1e-4)
            spot, patch_mean, where = cells.worst(found)
            assert (spot, patch_mean) == pytest.approx((ratios.max(), means.max()), rel=1e-4, abs=1e-4)
            assert means[int(where[0] * height + 0.5), int(where[1] * width + 0.5)] == pytest.approx(
                means[down, right], rel=1e-4, abs=1e-4
            )


@pytest.mark.parametrize("strip_cells", [1, 40, 1 << 16])
@pytest.mark.parametrize("is_turned", [False, True])
def test_the_first_of_equal_places_is_named(
    monkeypatch: pytest.MonkeyPatch, strip_cells: int, *, is_turned: bool
) -> None:
    """Row by row, so that a picture that lies turned in the memory gets the same answer."""
    monkeypatch.setattr(cells, "_STRIP_CELLS", strip_cells)
    values = np.zeros((20, 30), np.float32)
    values[[3, 7, 15], [21, 5, 2]] = 1
    values = np.ascontiguousarray(values.T) if is_turned else values
    sums, weights = values.astype(np.uint16), np.ones(256, np.float32)
    ratios = cells.Ratios(sums, 0 * sums, sums.astype(np.uint8), weights, (1.0, 0.0), 1, is_turned)
    assert cells.worst(ratios) == cells.worst(ratios._replace(made=np.pad(values, 1, mode="edge")))
    assert cells.worst(ratios) == (1.0, pytest.approx(1 / 9), (2 / 20, 20 / 30))


def ratios_of(values: NDArray[np.float32], *, is_turned: bool = False) -> cells.Ratios:
    """Take these for the differences of all cells."""
    values = np.ascontiguousarray(values.T) if is_turned else values
    sums = np.zeros(values.shape, np.uint16)
    made = np.pad(values, 1, mode="edge")
    return cells.Ratios(sums, sums, sums.astype(np.uint8), values[0], (1.0, 0.0), 1, is_turned, made)


def most_uneven(ratios: cells.Ratios) -> tuple[float, tuple[float, float]]:
    """Return by how much a ninth differs more, and where, by the way through the worst cells."""
    regions = cells.RegionSums(ratios)
    assert cells.worst(ratios, regions) == cells.worst(ratios)
    return regions.most_uneven()


@pytest.mark.parametrize("strip_cells", [1, 700, 1 << 17])
def test_a_part_in_strips(monkeypatch: pytest.MonkeyPatch, strip_cells: int) -> None:
    """However many rows are worked on together, each region has the mean of its cells."""
    values = np.random.default_rng(2).uniform(0, 1, (101, 67)).astype(np.float32)
    monkeypatch.setattr(cells, "_STRIP_CELLS", strip_cells)
    down, right = (np.linspace(0, side, 9).astype(int)[1:-1] for side in values.shape)
    bands = [np.split(band, right, 1) for band in np.split(values, down, 0)]
    means = np.array([[region.mean() for region in band] for band in bands])
    ninths = np.lib.stride_tricks.sliding_window_view(means, (3, 3)).mean((2, 3))
    assert most_uneven(ratios_of(values))[0] == pytest.approx(ninths.max() / np.median(means), rel=1e-5)


def test_a_part_that_differs_more() -> None:
    """A ninth of a picture with twice the usual difference is told, and where; less than that is chance."""
    ratios = np.random.default_rng(1).uniform(0, 0.6, (160, 240)).astype(np.float32)
    assert most_uneven(ratios_of(ratios))[0] < 1.1
    ratios[80:140, 120:210] *= 3
    for is_turned in (False, True):
        share, where = most_uneven(ratios_of(ratios, is_turned=is_turned))
        assert 2.5 < share < 3.1
        assert where == pytest.approx((110 / 160, 165 / 240), abs=0.1)


def test_a_part_of_what_hardly_differs() -> None:
    """Where most was left as it was, little is usual; a picture of few cells has no parts."""
    ratios = np.zeros((160, 240), np.float32)
    ratios[:40, :60] = 0.3
    assert most_uneven(ratios_of(ratios))[0] < 1.5
    assert most_uneven(ratios_of(ratios[:20, :20]))[0] == 1
