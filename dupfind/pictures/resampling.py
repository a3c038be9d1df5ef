"""Lanczos resampling by products of matrices; pure numpy.

The kernel of three lobes, ``sinc(x) * sinc(x / 3)``, as Pillow's ``Image.resize`` applies it: stretched where a picture
gets smaller, cut off at its edges, with weights of 22 bits behind the point and each direction rounded to 8 bits.
Pillow takes pixel after pixel and nearly four times as long.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.values import THUMBNAIL_SIDE

Box = tuple[float, float, float, float]
Weights = NDArray[np.float64]

_LOBES = 3
_ONE = 1 << 22
_BAND_LENGTH = 8
_MOST_KEPT = 256
"""Lengths whose weights are kept, some 60 kB each: the pictures of a collection share theirs."""


class _Band(NamedTuple):
    """Some consecutive new pixels, and the old ones that they are made of: of 500 old ones a fifth."""

    new: slice
    old: slice
    weights: Weights
    """Shape (old pixels, new pixels), whole numbers, :data:`_ONE` in each column together."""


def thumbnail(grey: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return ``grey`` (height, width), of which the picture takes ``box`` (left, top, right, bottom), as (64, 64).

    To the bit what Pillow makes of it, the rows first and then the columns, on every machine: all sums are of whole
    numbers below 2**53, which no order of additions changes.
    """
    height, width = grey.shape
    left, top, right, bottom = (float(np.float32(edge)) for edge in box)  # as Pillow takes them
    values = grey.astype(np.float64)
    across, pixels = np.empty((height, THUMBNAIL_SIDE)), np.empty((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    for band in _bands(width, left, right):
        np.matmul(values[:, band.old], band.weights, out=across[:, band.new])
    _round(across)
    for band in _bands(height, top, bottom):
        np.matmul(band.weights.T, across[band.old], out=pixels[band.new])
    return _round(pixels).astype(np.uint8)


def squares(greys: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return ``greys`` (..., n, n), many small pictures, as (..., ``side``, ``side``),
    each to the bit as Pillow makes it.
    """
    taken = _whole_weights(side, greys.shape[-1])
    across = _round(greys.astype(np.float64) @ taken.T)
    return _round(taken @ across).astype(np.uint8)


def _round(values: Weights) -> Weights:
    """Return what the sums say in grey levels, in place."""
    values += _ONE / 2
    values /= _ONE
    np.floor(values, out=values)
    return np.clip(values, 0, 255, out=values)


@lru_cache(maxsize=_MOST_KEPT)
def _bands(source: int, start: float, stop: float) -> list[_Band]:
    centres = _centres(THUMBNAIL_SIDE, start, stop).reshape(-1, _BAND_LENGTH)
    reach = _LOBES * max(1.0, (stop - start) / THUMBNAIL_SIDE)
    begins = np.maximum(0, (centres[:, 0] - reach).astype(np.int64))
    ends = np.minimum(source, (centres[:, -1] + reach).astype(np.int64) + 1)
    places = begins[:, None] + np.arange((ends - begins).max())
    exact = _kernel(places[:, None, :], centres[:, :, None], reach / _LOBES, ends[:, None, None]) * _ONE
    whole = _to_whole(exact)
    news = (slice(first, first + _BAND_LENGTH) for first in range(0, THUMBNAIL_SIDE, _BAND_LENGTH))
    olds = map(slice, begins.tolist(), ends.tolist())
    return [
        # Contiguous, or BLAS takes twice as long.
        _Band(new, old, np.ascontiguousarray(band[:, : old.stop - old.start].T))
        for new, old, band in zip(news, olds, whole, strict=True)
    ]


@lru_cache(maxsize=4)
def _whole_weights(length: int, source: int) -> Weights:
    """Return :func:`weights` of all of ``source`` pixels in parts of :data:`_ONE`."""
    return _to_whole(weights(length, source, 0, source) * _ONE)


def _to_whole(exact: Weights) -> Weights:
    return np.trunc(exact + np.copysign(0.5, exact))


def weights(length: int, source: int, start: float, stop: float) -> Weights:
    """Return what each of ``length`` new pixels, which cover the old ones from ``start`` to ``stop``, takes of each
    old one.

    Shape (length, source); each row adds up to 1.
    """
    scale = max(1.0, (stop - start) / length)
    return _kernel(np.arange(source), _centres(length, start, stop)[:, None], scale, source)


def _centres(length: int, start: float, stop: float) -> Weights:
    return start + (np.arange(length) + 0.5) * (stop - start) / length


def _kernel(places: NDArray[Any], centres: Weights, scale: float, end: NDArray[Any] | int) -> Weights:
    """Return the weights of the old pixels at ``places``, before ``end``, in the new ones around ``centres``."""
    away = (places + 0.5 - centres) / scale
    sine = np.sin(away * (math.pi / _LOBES))
    # One sine does for both: sin(3 a) = 3 sin(a) - 4 sin(a)**3.
    weights = sine * sine * (3 - 4 * sine * sine) * _LOBES / np.square(np.where(away == 0, 1, away) * math.pi)
    weights[away == 0] = 1
    weights[(np.abs(away) >= _LOBES) | (places >= end)] = 0
    return np.asarray(weights / weights.sum(-1, keepdims=True))
