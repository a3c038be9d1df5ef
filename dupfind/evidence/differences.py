"""Differences between two pictures once their tones are matched, as a handful of numbers; pure numpy.

Is it moved, is it in one place, is it strong, is it wide? Knows no files, no bounds and no grades: those are
:mod:`dupfind.evidence.evidence`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures import gray
from dupfind.pictures.gray import Grey
from dupfind.values import THUMBNAIL_SIDE

_TILE = 4
_TILES = THUMBNAIL_SIDE // _TILE
_CLIPPED_LOW, _CLIPPED_HIGH = 2, 253
_MOST_BY_MOTION = 4.0
_NOISE_FLOOR, _TILE_NOISE_FLOOR = 0.5, 0.25
"""Grey levels that rounding alone may leave."""
_RIM_WEIGHT = 0.6
"""What a difference in the outermost pixels counts: the last row and column of a picture are what encoders pad, what
reduced sizes cut through, and where two programs resample differently."""
_RIM = np.full((THUMBNAIL_SIDE, THUMBNAIL_SIDE), _RIM_WEIGHT, np.float32)
_RIM[1:-1, 1:-1] = 1
_POWERS = np.linspace(-1, 1, THUMBNAIL_SIDE, dtype=np.float32)[:, None] ** np.arange(3, dtype=np.float32)
"""(64, 3): 1, the place from -1 to 1, and its square."""
_DOWN_POWERS = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 2]])
_RIGHT_POWERS = np.array([[0, 1, 0], [1, 2, 1], [0, 1, 0]])
"""Powers of the place in the products of the unknowns 1, right and down with each other."""
_CORNERS = np.array([(1, right, down) for right in (-1, 1) for down in (-1, 1)])
_SAMPLED = 2
"""Every second pixel each way is enough to fit two numbers to, and takes a quarter of the time."""
_MEANS = np.kron(np.eye(_TILES, dtype=np.float32), np.full((1, _TILE), 1 / _TILE, np.float32))
"""(16, 64): the means of four pixels each, when multiplied from the left."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """One picture, prepared once and compared many times."""

    pixels: NDArray[np.uint8]
    """(64, 64), as they are."""
    smooth: Grey
    """(64, 64), the pixels under a Gaussian of sigma 0.6; everything below is of these."""
    across: Grey
    """(64, 64), slope to the right, in grey levels a pixel."""
    down: Grey
    """(64, 64), slope downwards."""
    span: Grey
    """(64, 64), greatest minus least of the 3 x 3 pixels around each."""
    is_unclipped: NDArray[np.bool_]
    """(64, 64), False where black or white may have cut the tone off."""
    contrast: float
    """Standard deviation in grey levels."""


class Differences(NamedTuple):
    """How two pictures differ; grey levels unless said otherwise."""

    shift: float
    """Thumbnail pixels by which the corner that moved most has moved."""
    tone: float
    """Mean change by the tone curve between the two."""
    local: float
    """Worst tile of 4 x 4 pixels against the upper quartile of the tiles: is the difference a thing in one place?"""
    outlier: float
    """Worst pixel against the 95th percentile of the pixels: likewise for what is smaller than a tile."""
    spot: float
    """Worst pixel."""
    patch: float
    """Worst tile."""
    where: tuple[int, int]
    """Row and column of the worst pixel."""


def surface(pixels: NDArray[np.uint8], width: int = THUMBNAIL_SIDE, height: int = THUMBNAIL_SIDE) -> Surface:
    """Prepare ``pixels`` (64, 64), reduced to the detail that ``width`` x ``height`` pixels can hold.

    A picture of fewer than 64 pixels a side was enlarged to its thumbnail: the other of a pair has to lose what this
    one never had before the two can be compared.
    """
    grey = pixels.astype(np.float32)
    if height < THUMBNAIL_SIDE:
        grey = gray.limited_to(height) @ grey
    if width < THUMBNAIL_SIDE:
        grey = grey @ gray.limited_to(width).T
    smooth = gray.smoothed(grey)
    down, across = gray.slopes(smooth)
    is_unclipped = (pixels > _CLIPPED_LOW) & (pixels < _CLIPPED_HIGH)
    return Surface(pixels, smooth, across, down, gray.span(smooth), is_unclipped, float(smooth.std()))


def compare(needle: Surface, witness: Surface) -> Differences:
    """Match the tones of the two pictures and tell what still differs.

    The flatter one is the target, because what was clipped in the other cannot be brought back. A difference counts
    less where the picture is busy, since there a sub-pixel shift or another resampling shows.
    """
    target, source = (needle, witness) if needle.contrast <= witness.contrast else (witness, needle)
    gain, offset = _fit_tone(target, source)
    difference = gain * source.smooth + offset - target.smooth
    weight = _RIM / (1 + np.minimum(target.span, abs(gain) * source.span) / 8)
    weighed = np.abs(difference) * weight
    tiles = _MEANS @ weighed @ _MEANS.T
    spot, patch = float(weighed.max()), float(tiles.max())
    down, right = divmod(int(weighed.argmax()), THUMBNAIL_SIDE)
    return Differences(
        shift=_shift(target, source, gain, difference, weight),
        tone=float(np.abs((gain - 1) * source.smooth + offset).mean()),
        local=patch / (_TILE_NOISE_FLOOR + gray.quantile(tiles, 0.75)),
        outlier=spot / (_NOISE_FLOOR + gray.quantile(weighed, 0.95)),
        spot=spot,
        patch=patch,
        where=(down, right),
    )


def _shift(target: Surface, source: Surface, gain: float, difference: Grey, weight: Grey) -> float:
    """Measure how far the corner that moved most moved between the two, in thumbnail pixels.

    One step of image registration (Lucas and Kanade, 1981): the difference is explained, by least squares, as an affine
    motion along the slopes. What differs by more than a motion could explain is left out.
    """
    weight = np.where(np.abs(difference) * weight < _MOST_BY_MOTION, weight, 0)
    slopes = (target.across + gain * source.across) * (weight / 2), (target.down + gain * source.down) * (weight / 2)
    residual = difference * weight
    squares = np.empty((6, 6))
    for row in (0, 1):
        for column in (row, 1):
            # The unknowns are 1, right and down times a slope, so that every sum is a moment of a product of slopes.
            moments = _POWERS.T @ (slopes[row] * slopes[column]) @ _POWERS
            block = moments[_DOWN_POWERS, _RIGHT_POWERS]
            squares[row * 3 : row * 3 + 3, column * 3 : column * 3 + 3] = block
            squares[column * 3 : column * 3 + 3, row * 3 : row * 3 + 3] = block
    sums = np.concatenate([(_POWERS.T @ (slope * residual) @ _POWERS)[(0, 0, 1), (0, 1, 0)] for slope in slopes])
    squares[np.diag_indices(6)] += 1 + np.trace(squares) * 2e-4  # keeps motion along a slopeless direction at zero
    motion = np.linalg.solve(squares, sums)
    return float(np.hypot(_CORNERS @ motion[:3], _CORNERS @ motion[3:]).max())


def _fit_tone(target: Surface, source: Surface) -> tuple[float, float]:
    """Gain and offset that bring ``source`` closest to ``target``; clipped pixels say nothing of the curve."""
    sampled = slice(None, None, _SAMPLED)
    is_known = target.is_unclipped[sampled, sampled] & source.is_unclipped[sampled, sampled]
    return gray.fit_tone(source.smooth[sampled, sampled][is_known], target.smooth[sampled, sampled][is_known])
