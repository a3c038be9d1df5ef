"""Lanczos resampling by products of matrices; pure numpy.

The kernel of three lobes, ``sinc(x) * sinc(x / 3)``, as Pillow's ``Image.resize`` applies it: stretched where a picture
gets smaller, cut off at its edges, with weights of 22 bits behind the point and each direction rounded to 8 bits.
Pillow takes pixel after pixel and two and a half times as long.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.values import THUMBNAIL_SIDE

Box = tuple[float, float, float, float]
Weights = NDArray[np.float64]

_LOBES = 3
_ONE = 1 << 22
_BAND_LENGTH = 8
_MOST_KEPT = 64
"""Lengths whose weights are kept, some 60 kB each: the pictures of a collection share theirs."""


class _Band(NamedTuple):
    """Some consecutive new pixels, and the old ones that they are made of: of 500 old ones a fifth."""

    start: int
    stop: int
    weights: Weights
    """Shape (new pixels, ``stop - start``), whole numbers, :data:`_ONE` in each row together."""


def thumbnail(grey: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """``grey`` (height, width), of which the picture takes ``box`` (left, top, right, bottom), as (64, 64).

    To the bit what Pillow makes of it, the rows first and then the columns, on every machine: all sums are of whole
    numbers below 2**53, which no order of additions changes.
    """
    height, width = grey.shape
    left, top, right, bottom = (float(np.float32(edge)) for edge in box)  # as Pillow takes them
    across = _resampled(grey.astype(np.float64), _bands(width, left, right))
    return _resampled(across, _bands(height, top, bottom)).astype(np.uint8)


def _resampled(values: Weights, bands: list[_Band]) -> Weights:
    """``values`` (n, old) as (64, n), rounded to 0 to 255."""
    found = np.empty((THUMBNAIL_SIDE, len(values)))
    for number, band in enumerate(bands):
        rows = slice(number * _BAND_LENGTH, (number + 1) * _BAND_LENGTH)
        np.matmul(band.weights, values[:, band.start : band.stop].T, out=found[rows])
    found += _ONE / 2
    found /= _ONE
    np.floor(found, out=found)
    return np.clip(found, 0, 255, out=found)


@lru_cache(maxsize=_MOST_KEPT)
def _bands(source: int, start: float, stop: float) -> list[_Band]:
    reach = _LOBES * max(1.0, (stop - start) / THUMBNAIL_SIDE)
    bands = []
    for first in range(0, THUMBNAIL_SIDE, _BAND_LENGTH):
        of = range(first, first + _BAND_LENGTH)
        centres = [start + (place + 0.5) * (stop - start) / THUMBNAIL_SIDE for place in (of[0], of[-1])]
        begin, end = max(0, int(centres[0] - reach)), min(source, int(centres[1] + reach) + 1)
        exact = weights(THUMBNAIL_SIDE, range(begin, end), start, stop, of) * _ONE
        bands.append(_Band(begin, end, np.trunc(exact + np.copysign(0.5, exact))))
    return bands


def weights(length: int, source: range, start: float, stop: float, of: range | None = None) -> Weights:
    """What each of ``length`` new pixels (or only those ``of``) takes of each old one in ``source``: (new, old).

    They cover the old pixels from ``start`` to ``stop``. Each row adds up to 1: ``source`` has to hold all old pixels
    within the kernel's reach that there are.
    """
    scale = max(1.0, (stop - start) / length)
    centres = start + (np.asarray(of or range(length)) + 0.5) * (stop - start) / length
    away = (np.asarray(source) + 0.5 - centres[:, None]) / scale
    found = np.where(np.abs(away) < _LOBES, np.sinc(away) * np.sinc(away / _LOBES), 0)
    return np.asarray(found / found.sum(1, keepdims=True))
