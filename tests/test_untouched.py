"""Pictures of which most is equal to the bit: where they differ, and when that says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from dupfind.evidence import untouched
from dupfind.evidence.pixels import Pixels

GRAY = np.arange(40 * 60, dtype=np.uint8).reshape(40, 60)
COLOR = np.full((2, 20, 30), 100, np.uint8)


def changed(plane: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], place: tuple[int, ...], levels: int) -> Pixels:
    """One value differs by so many levels."""
    other = plane.copy()
    other[place] += levels
    return Pixels(other, COLOR) if plane is GRAY else Pixels(GRAY, other)


@pytest.mark.parametrize(
    ("plane", "place", "where"), [(GRAY, (10, 15), (0.25, 0.25)), (COLOR, (1, 15, 3), (0.75, 0.1))]
)
def test_one_value(
    plane: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], place: tuple[int, ...], where: tuple[float, float]
) -> None:
    """Two levels may be rounding, three are not; either way round."""
    pixels = Pixels(GRAY, COLOR)
    assert untouched.changed_place(pixels, changed(plane, place, 2)) is None
    for pair in ((pixels, changed(plane, place, 3)), (changed(plane, place, 3), pixels)):
        assert untouched.changed_place(*pair) == pytest.approx(where)


def test_what_was_encoded_again() -> None:
    """More than half of the values differ, in brightness or in colour alone."""
    noise = np.random.default_rng(1).integers(1, 9, GRAY.shape, np.uint8)
    assert untouched.changed_place(Pixels(GRAY, COLOR), Pixels(GRAY // 2 + noise, COLOR)) is None
    assert untouched.changed_place(Pixels(GRAY, COLOR), Pixels(GRAY, COLOR + 9)) is None


def test_gray_beside_color() -> None:
    """A picture without colour is gray: one that is gray but for a place differs there."""
    gray = np.full((2, 20, 30), 128, np.uint8)
    gray[0, 5, 15] = 140
    assert untouched.changed_place(Pixels(GRAY, None), Pixels(GRAY, gray)) == pytest.approx((0.25, 0.5))
    assert untouched.changed_place(Pixels(GRAY, None), Pixels(GRAY, None)) is None
