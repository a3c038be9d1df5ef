"""Differences: what each number measures, on scenes that were changed in one known way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dupfind.evidence.differences import Differences, Surface, compare, surface
from tests.helpers.scenes import Field, grey, scene

SOFT = scene(texture=3.0)
EVEN = np.full((64, 64), 120.0) + np.mgrid[0:64, 0:64].sum(0) / 2
"""A slight slope: hardly any span to weigh differences by."""


def prepared(values: Field, width: int = 64, height: int = 64) -> Surface:
    """The surface of these grey levels."""
    return surface(grey(values), width, height)


def changed(values: Field, change: Field) -> Differences:
    """How ``values`` with ``change`` added differ from ``values``."""
    return compare(prepared(values + change), prepared(values))


def at(*pixels: tuple[int, int], level: float = 20.0) -> Field:
    """Nothing but these pixels."""
    values = np.zeros((64, 64))
    for pixel in pixels:
        values[pixel] = level
    return values


def noise(sigma: float, seed: int = 5) -> Field:
    """What a codec leaves all over a picture."""
    return np.random.default_rng(seed).normal(0, sigma, (64, 64))


def test_a_picture_differs_in_nothing_from_itself() -> None:
    """All numbers are zero."""
    found = changed(SOFT, np.zeros((64, 64)))
    assert max(abs(value) for value in found[:-1]) < 1e-3


@given(st.integers(0, 99), st.integers(0, 99))
def test_either_way_round(one: int, other: int) -> None:
    """The flatter one is the target whichever comes first, so both ways give the same numbers."""
    first, second = prepared(scene(one)), prepared(scene(other))
    assert one == other or first.contrast != second.contrast
    assert compare(first, second) == compare(second, first)


@pytest.mark.parametrize("right", [0.1, 0.25, 0.5, 1.0])
def test_shift_in_thumbnail_pixels(right: float) -> None:
    """Half a pixel is half a pixel, within a seventh."""
    found = compare(prepared(scene(texture=3.0, right=right)), prepared(SOFT))
    assert right == pytest.approx(found.shift, rel=0.15, abs=0.02)


def test_shift_is_that_of_the_corner_that_moved_most() -> None:
    """Seen 2% larger around the centre each corner moves by 0.63 pixels in both directions."""
    found = compare(prepared(scene(texture=3.0, scale=0.98)), prepared(SOFT))
    assert 0.63 * 2**0.5 == pytest.approx(found.shift, rel=0.15)


def test_a_thing_is_no_motion() -> None:
    """What differs by more than motion explains is left out of it: a ball that rolled moves no corner."""
    down, across = np.mgrid[0:64, 0:64]
    balls = (60.0 * (np.hypot(down - 30, across - right) < 9) for right in (24, 28))
    one, other = (prepared(SOFT + ball) for ball in balls)
    assert compare(one, other).shift < 0.1


@pytest.mark.parametrize(("gain", "offset"), [(0.8, 0.0), (1.0, 9.0), (0.7, 30.0)])
def test_tone_is_the_mean_change_of_the_levels(gain: float, offset: float) -> None:
    """A tone curve is found, taken out of everything else, and told by itself."""
    changed_tone = gain * SOFT + offset
    found = compare(prepared(changed_tone), prepared(SOFT))
    assert np.abs(changed_tone - SOFT).mean() == pytest.approx(found.tone, rel=0.05)
    assert found.spot < 1
    assert found.shift < 0.05


def test_clipped_pixels_do_not_bend_the_tone() -> None:
    """White that may have been brighter says nothing of the curve: it is found by what was not cut off."""
    bright = np.clip(2 * SOFT, 0, 255)
    assert (bright == 255).mean() > 0.4
    found = compare(prepared(bright), prepared(SOFT))
    assert np.abs(bright / 2 - bright).mean() == pytest.approx(found.tone, rel=0.01)


def test_a_thing_does_not_bend_the_tone() -> None:
    """A twentieth of the picture that is something else is left for the tests to find."""
    thing = np.zeros((64, 64))
    thing[10:24, 10:24] = 90
    found = changed(SOFT, thing)
    assert found.tone < 0.5
    assert found.spot > 20


def test_local_is_one_tile_against_the_others() -> None:
    """The same difference in one tile stands out, everywhere it does not."""
    tile = np.zeros((64, 64))
    tile[20:24, 40:44] = 6
    alone, many = changed(EVEN, tile), changed(EVEN, noise(8.0))
    assert alone.local > 5
    assert many.local < 3
    assert many.patch > 1


def test_a_few_things_stand_out_as_well() -> None:
    """Eight tiles of 256 are no noise all over: what the others do is told by their upper quartile."""
    tiles = np.zeros((64, 64))
    for place in range(8):
        tiles[4 + 8 * (place // 2) :, 4 + 24 * (place % 2) :][:4, :4] = 6
    assert changed(EVEN, tiles).local > 5


def test_outlier_is_one_pixel_against_the_others() -> None:
    """Noise makes the same spot stand out less, though it is as strong."""
    clean, noisy = changed(EVEN, at((30, 30))), changed(EVEN, at((30, 30)) + noise(2.0))
    assert clean.outlier > 2 * noisy.outlier
    assert clean.spot == pytest.approx(noisy.spot, rel=0.4)


def test_spot_and_patch_are_grey_levels() -> None:
    """A large thing that is 30 levels brighter is about that much, weighed by what the picture shows anyway."""
    thing = np.zeros((64, 64))
    thing[16:32, 16:32] = 30
    found = changed(EVEN, thing)
    assert 20 < found.patch <= found.spot <= 30


def test_busy_places_count_less() -> None:
    """Next to sharp edges, where a sub-pixel shift shows, a difference weighs less than in an even place."""
    busy = EVEN.copy()
    busy[:, ::4] += 60
    assert changed(busy, at((30, 30))).spot < changed(EVEN, at((30, 30))).spot / 1.5


@pytest.mark.parametrize("pixel", [(9, 50), (40, 3), (62, 62), (0, 0)])
def test_where_is_row_and_column(pixel: tuple[int, int]) -> None:
    """Of the worst pixel."""
    assert pixel == changed(EVEN, at(pixel)).where


@pytest.mark.parametrize("pixel", [(0, 30), (63, 30), (30, 0), (30, 63)])
def test_the_rim_counts_less_but_counts(pixel: tuple[int, int]) -> None:
    """The outermost pixels are what encoders pad; a change there is still a change. Two rows further in it is whole."""
    row, column = pixel
    inside = min(max(row, 2), 61), min(max(column, 2), 61)
    # The smoothing continues the edge, so that a row of pixels along it is as strong as one inside.
    along = np.zeros((64, 64))
    along[pixel] = 20
    found, whole = changed(EVEN, along), changed(EVEN, at(inside))
    assert 0.5 * whole.spot < found.spot < 1.1 * whole.spot
    assert pixel == found.where


@pytest.mark.parametrize(("width", "height"), [(20, 15), (24, 64), (64, 24), (32, 24)])
def test_limited_to_the_detail_of_a_small_copy(width: int, height: int) -> None:
    """A picture and what was made of it by way of few pixels are alike once both are limited to those."""
    image = Image.fromarray(grey(scene(2, texture=14.0)))
    small = image.resize((width, height), Image.Resampling.LANCZOS).resize((64, 64), Image.Resampling.LANCZOS)
    one, other = np.asarray(image), np.asarray(small)
    limited = compare(surface(one, width, height), surface(other, width, height))
    assert limited.spot < min(2.0, compare(surface(one), surface(other)).spot / 2)


def test_flat_pictures_have_no_tone_to_fit() -> None:
    """Nothing is divided by zero: what is left of two greys is how far they are apart."""
    found = compare(prepared(np.full((64, 64), 100.0)), prepared(np.full((64, 64), 110.0)))
    assert all(np.isfinite(found[:-1]))


def test_black_and_white_have_no_curve() -> None:
    """Where all is clipped the levels are compared as they are."""
    white, black = np.full((64, 64), 255.0), np.zeros((64, 64))
    found = compare(prepared(white), prepared(black))
    assert (0.0, 255.0) == (found.tone, pytest.approx(found.spot, abs=0.1))
