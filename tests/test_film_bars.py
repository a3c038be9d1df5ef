"""Black bars of frames: where they are, what is left, and what is shown in them."""

from __future__ import annotations

import numpy as np
import pytest

from dupfind.pictures.film_bars import SIDE, Bars, Borders, Square, is_shown_in, without


def square(top: int = 0, bottom: int = SIDE, left: int = 0, right: int = SIDE, seed: int = 1) -> Square:
    """A frame with bars."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture[top:bottom, left:right] = rng.integers(60, 255, (bottom - top, right - left, 3))
    return picture


def bars(*squares: Square) -> Bars | None:
    """What is found of these frames."""
    borders = Borders()
    for picture in squares:
        borders.add(picture)
    return borders.bars


@pytest.mark.parametrize("inside", [(32, 224, 0, 256), (50, 240, 0, 256), (0, 256, 80, 176), (20, 236, 40, 216)])
def test_bars(inside: tuple[int, int, int, int]) -> None:
    """Above and below, at the sides, and around; smeared by a row or not, and past frames that are all black."""
    clean = square(*inside)
    smeared = clean.copy()
    top, _, left, right = inside
    if top:
        smeared[top - 1, left:right] = clean[top, left:right] // 4
    assert Bars(*inside) == bars(clean) == bars(smeared) == bars(np.zeros_like(clean), clean)


def test_no_bars() -> None:
    """A bright border, hardly a row of black, and nothing but black."""
    assert bars(square()) is None
    assert bars(square(top=4)) is None
    assert bars(np.zeros((SIDE, SIDE, 3), np.uint8)) is None
    assert bars(square(120, 140)) is None
    borders = Borders()
    for seed in range(8):
        assert not borders.is_none_likely
        borders.add(square(seed=seed))
    assert borders.is_none_likely


def test_a_subtitle_takes_no_bar_away() -> None:
    """Where it is shown in few frames; each that shows something is told."""
    plain = square(32, 224)
    titled = plain.copy()
    titled[235:245, 100:160] = 255
    inside = bars(plain, plain, plain, titled)
    assert Bars(32, 224, 0, 256) == inside
    assert [False, True] == [is_shown_in(picture, inside) for picture in (plain, titled)]
    assert bars(plain, titled) == (32, 245, 0, 256)
    blue = plain.copy()
    blue[5:9, 5:9, 2] = 250
    assert is_shown_in(blue, inside)
    faint = plain.copy()
    faint[0:20] = 20
    assert not is_shown_in(faint, inside)


def test_what_is_between_the_bars() -> None:
    """Is reduced by means of areas, whatever its size is."""
    picture = square(32, 224)
    assert 0 < without(picture, Bars(32, 224, 0, 256), 64).min()
    even = np.full((SIDE, SIDE, 3), 90, np.uint8)
    assert {90} == set(without(even, Bars(7, 250, 3, 202), 64).ravel().tolist())
    rising = np.repeat(np.arange(SIDE, dtype=np.uint8)[:, None, None], SIDE, axis=1).repeat(3, axis=2)
    reduced = without(rising, Bars(32, 224, 0, 256), 64)[:, 0, 0].tolist()
    assert (33, 222) == (reduced[0], reduced[-1])  # the means of three rows each
