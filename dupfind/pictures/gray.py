"""Array functions on 64 x 64 grey pictures; pure numpy, knows no files and no grades."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures import resampling
from dupfind.values import THUMBNAIL_SIDE

Grey = NDArray[np.float32]

_SMOOTHING_SIGMA = 0.6
_FITS, _FEWEST_FITTED = 3, 64


def smoothed(grey: Grey) -> Grey:
    """Return ``grey`` (64, 64) under a Gaussian of sigma 0.6 pixels, the edges continued."""
    return np.asarray(_BLUR @ grey @ _BLUR.T, np.float32)


def _blur_matrix() -> Grey:
    """Return what smooths the columns of a picture when multiplied from the left: (64, 64), the edges continued."""
    steps = np.arange(-2, 3)
    weights = np.exp(-0.5 * (steps / _SMOOTHING_SIGMA) ** 2)
    rows = np.clip(np.arange(THUMBNAIL_SIDE)[:, None] + steps, 0, THUMBNAIL_SIDE - 1)
    return np.tensordot(np.eye(THUMBNAIL_SIDE)[rows], weights / weights.sum(), (1, 0)).astype(np.float32)


_BLUR = _blur_matrix()


@lru_cache(maxsize=256)
def limited_to(side: int) -> Grey:
    """Return what leaves a picture the detail that ``side`` pixels a column can hold: (64, 64), to multiply from the
    left.

    Down to ``side`` pixels and up again, with the Lanczos kernel of three lobes, as small pictures become thumbnails.
    """
    smaller = resampling.weights(side, THUMBNAIL_SIDE, 0, THUMBNAIL_SIDE)
    return np.asarray(resampling.weights(THUMBNAIL_SIDE, side, 0, side) @ smaller, np.float32)


@lru_cache(maxsize=256)
def enlarging(start: float, end: float) -> Grey:
    """Return what enlarges the rows from ``start`` to ``end`` of a picture to its
    full height: (64, 64), from the left. Pictures of one frame share it, and all that have none on two sides.
    """
    return np.asarray(resampling.weights(THUMBNAIL_SIDE, THUMBNAIL_SIDE, start, end), np.float32)


def slopes(smooth: Grey) -> tuple[Grey, Grey]:
    """Return the slopes downwards and to the right, in grey levels a pixel."""
    padded = np.pad(smooth, 1, mode="edge")
    down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    across = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    return np.asarray(down, np.float32), np.asarray(across, np.float32)


def span(smooth: Grey) -> Grey:
    """Return the greatest minus the least of the 3 x 3 pixels around each."""
    padded = np.pad(smooth, 1, mode="edge")
    columns = padded[:, :-2], padded[:, 1:-1], padded[:, 2:]
    low, high = np.minimum.reduce(columns), np.maximum.reduce(columns)
    lowest = np.minimum.reduce((low[:-2], low[1:-1], low[2:]))
    return np.asarray(np.maximum.reduce((high[:-2], high[1:-1], high[2:])) - lowest, np.float32)


def quantile(values: Grey, share: float) -> float:
    """Return the value below which this share of ``values``, of any shape, lies."""
    place = int(share * values.size)
    return float(np.partition(values, place, None)[place])


def fit_tone(source: Grey, target: Grey) -> tuple[float, float]:
    """Gain and offset that bring the values ``source`` (n,) closest to ``target`` (n,), by trimmed least squares.

    What lies far off the line is left out: it is what the tests shall find. 1 and 0 where too few are left to tell.
    """
    gain, offset, x, y = 1.0, 0.0, source, target
    for _ in range(_FITS):
        if x.size < _FEWEST_FITTED:
            return 1.0, 0.0
        mean_x, mean_y = float(x.mean()), float(y.mean())
        spread = x - mean_x
        variance = float(spread @ spread)
        gain = float(spread @ (y - mean_y)) / variance if variance > 0 else 1.0
        offset = mean_y - gain * mean_x
        far = np.abs(gain * source + offset - target)
        near = np.flatnonzero(far <= max(2.5 * quantile(far, 0.5), 0.75))
        x, y = source.take(near), target.take(near)
    return gain, offset


def place(down: int, right: int) -> str:
    """Name a pixel of a thumbnail in words."""
    rows = ("top", "middle", "bottom")[down * 3 // THUMBNAIL_SIDE]
    columns = ("left", "centre", "right")[right * 3 // THUMBNAIL_SIDE]
    if rows == "middle":
        return "near the centre" if columns == "centre" else f"near the {columns} edge"
    return f"near the {rows}" if columns == "centre" else f"near the {rows} {columns}"
