"""Black bars at the borders of a film: where they are, and its frames without them; pure numpy, knows no film.

A frame is looked at as a square of 256 x 256 pixels, as it is stored, whatever its shape is and however it is turned.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 256
"""Side of the squares, in pixels."""
BLACK = 40
"""Highest grey level of a bar, the mean of a pixel of the square: what compression leaves at its edge is below."""
SHOWN = 72
"""Level from which on a pixel of a bar shows something, in whichever of red, green and blue."""
_LEAST_SHOWN = 12
"""Such pixels of a frame: a letter of a subtitle has more."""
_LEAST_BAR = 5
"""Rows of a bar: a fiftieth of the side."""
_LEAST_INSIDE = 96
"""Rows and columns that are left."""
_MOST_LIGHT = 0.25
"""Share of the frames in which a bar may show something."""
_ENOUGH_FRAMES = 8
_EDGE = 3
"""Rows at the edge of a bar into which compression smears what is beside it."""

Square = NDArray[np.uint8]
"""Shape (256, 256, 3): red, green and blue."""


class Bars(NamedTuple):
    """What of the square lies between the bars: the first row and column, and the ones behind the last."""

    top: int
    bottom: int
    left: int
    right: int

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return which part of a width and a height, in pixels, lies between them."""
        return round(width * (self.right - self.left) / SIDE), round(height * (self.bottom - self.top) / SIDE)


class Borders:
    """What is black at the borders of most of the frames that were added.

    Not of all: a subtitle in a bar, or a title that fills the frame, is told by :func:`is_shown_in` and takes no bar
    away. Frames that are black all over say nothing.
    """

    def __init__(self) -> None:
        self._rows, self._columns = np.zeros(SIDE, np.int64), np.zeros(SIDE, np.int64)
        self._row_levels, self._column_levels = np.zeros(SIDE), np.zeros(SIDE)
        self._frames = 0

    def add(self, square: Square) -> None:
        """Take one more frame into account."""
        lightest = square.max(axis=2)
        is_light = lightest > BLACK
        self._rows += is_light.any(axis=1)
        self._columns += is_light.any(axis=0)
        self._row_levels += lightest.mean(axis=1)
        self._column_levels += lightest.mean(axis=0)
        self._frames += bool(is_light.any())

    @property
    def is_none_likely(self) -> bool:
        """Tell whether enough frames were added to say that there are no bars."""
        return self._frames >= _ENOUGH_FRAMES and self._inside == _WHOLE

    @property
    def bars(self) -> Bars | None:
        """The bars; None where there are none, or nearly everything is black."""
        bars = self._inside
        is_enough = min(bars.bottom - bars.top, bars.right - bars.left) >= _LEAST_INSIDE
        return bars if is_enough and bars != _WHOLE else None

    @property
    def _inside(self) -> Bars:
        most = _MOST_LIGHT * self._frames
        rows = _inside(self._rows > most, self._row_levels)
        return Bars(*rows, *_inside(self._columns > most, self._column_levels))


_WHOLE = Bars(0, SIDE, 0, SIDE)


def _inside(is_light: NDArray[np.bool_], levels: NDArray[np.float64]) -> tuple[int, int]:
    light = np.flatnonzero(is_light)
    if not len(light):
        return 0, 0
    first = int(light[0]) + _smeared(levels[light[0] :])
    end = int(light[-1]) + 1 - _smeared(levels[light[-1] :: -1])
    return first if first >= _LEAST_BAR else 0, end if SIDE - end >= _LEAST_BAR else SIDE


def _smeared(levels: NDArray[np.float64]) -> int:
    """Return how many rows at the edge, from a bar inwards, are less than half of the picture: they belong to the bar.

    Compression and scaling smear the picture into the bar by a row or two.
    """
    inside = levels[_EDGE + 1 : 2 * _EDGE + 2].mean() if len(levels) > 2 * _EDGE + 1 else 0.0
    return int(np.argmax(levels[: _EDGE + 1] >= inside / 2))


def without(square: Square, bars: Bars, side: int) -> Square:
    """Reduce what lies between the bars to a square of ``side`` pixels, each the mean of its area.

    >>> square = np.zeros((256, 256, 3), np.uint8)
    >>> square[64:192] = 100
    >>> int(without(square, Bars(64, 192, 0, 256), 64).min())
    100
    """
    inside = square[bars.top : bars.bottom, bars.left : bars.right].astype(np.float32)
    height, width, planes = inside.shape
    by_rows = (_means(height, side) @ inside.reshape(height, -1)).reshape(side, width, planes)
    by_columns = _means(width, side) @ by_rows.transpose(1, 0, 2).reshape(width, -1)
    means = by_columns.reshape(side, side, planes).transpose(1, 0, 2)
    pixels: Square = np.rint(means).clip(0, 255).astype(np.uint8)
    return pixels


def is_shown_in(square: Square, bars: Bars) -> bool:
    """Tell whether a frame shows anything in the bars: a subtitle, a mark, a picture that has none."""
    lightest = square.max(axis=2) > SHOWN
    top, left = (edge - _EDGE if edge else 0 for edge in (bars.top, bars.left))
    bottom, right = (edge + _EDGE if edge < SIDE else SIDE for edge in (bars.bottom, bars.right))
    lightest[max(0, top) : bottom, max(0, left) : right] = False
    return int(np.count_nonzero(lightest)) >= _LEAST_SHOWN


@cache
def _means(count: int, side: int) -> NDArray[np.float32]:
    """Return the matrix, shape (side, count), that takes means of equal parts of ``count`` values."""
    edges = np.linspace(0, count, side + 1)
    places = np.arange(count)
    shares = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    matrix: NDArray[np.float32] = (shares.clip(0) * side / count).astype(np.float32)
    return matrix
