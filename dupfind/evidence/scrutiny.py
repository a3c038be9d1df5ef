"""What 64 x 64 pixels cannot show: two pictures compared once, at full size; pure numpy.

Two questions. Is there a place where they differ by more than their codecs made them differ elsewhere? And does the
witness show the fine detail that the needle shows? A difference is measured by the pair's own noise where the local
contrast is like it. Knows no files, no thumbnails and no grades.

The bounds were measured on 99 web photos of 500 pixels, 24 of 768, and 8 of 3 and of 12 megapixels, each in 30 copies
and under 15 changes; docs/evidence.md has the figures.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures import greys
from dupfind.values import THUMBNAIL_SIDE

Pixels = NDArray[np.uint8]
Grey = NDArray[np.float32]

SPOT_BOUNDS = {2: 7.0, 4: 6.0, 8: 5.0}
"""Worst cell of so many pixels a side, in units of the 95th percentile of the cells of like contrast."""
PATCH_BOUNDS = {2: 3.6, 4: 2.9, 8: 2.4}
"""Worst mean of 3 x 3 such cells, likewise."""
DETAIL_BOUNDS = {1: 0.75, 2: 0.92, 4: 0.93}
"""Share of the needle's detail of so many pixels that the witness repeats, where the needle has most of it."""

_STRIP_ROWS = 256
_BLOCK = 16
_FEWEST_BLOCKS = 8
_RICHEST = 0.9
_LEAST_DETAIL = 0.1
"""Squared grey levels added on both sides, so that rounding does not decide where there is no detail."""
_SMALLEST_MAP = 24
_NOISE_FLOOR = 0.5
_NOISE_SHARE = 0.95
_FEWEST_CELLS = 60
_CONTRASTS = np.array([1, 2, 3, 4.5, 6.5, 9, 12, 16, 22, 30, 40, 55, 75, 100], np.float32)
_CLIPPED_LOW, _CLIPPED_HIGH = 2, 253
_TONE_CELL = 8
_MOST_GAIN = 1.3
"""A curve steeper than this, or flatter, is not fitted: at 0 everything in the witness would be explained away."""


class Scrutiny(NamedTuple):
    """How two pictures differ at full size; each mapping goes by the side of a cell in pixels."""

    spots: dict[int, float]
    patches: dict[int, float]
    details: dict[int, float]
    where: tuple[float, float]
    """Down and right, each 0 to 1: the worst place."""


def doubt(needle: Pixels, witness: Pixels) -> str | None:
    """Why ``witness`` is no full copy of ``needle``, in words for the user; None when nothing speaks against it.

    Both have the shape (height, width) and are turned alike. 12 megapixels take 0.7 s and 150 MB.
    """
    found = compare(needle, witness)
    if any(found.details[side] < bound for side, bound in DETAIL_BOUNDS.items() if side in found.details):
        return "the haystack's copy shows less detail at full size: enlarged or blurred"
    bounds = (found.spots, SPOT_BOUNDS), (found.patches, PATCH_BOUNDS)
    if any(values[side] > bound for values, by_side in bounds for side, bound in by_side.items() if side in values):
        down, right = (min(int(part * THUMBNAIL_SIDE), THUMBNAIL_SIDE - 1) for part in found.where)
        return f"at full size something differs {greys.place(down, right)}"
    return None


def compare(needle: Pixels, witness: Pixels) -> Scrutiny:
    """Measure what differs between the two, the tone of ``witness`` matched to that of ``needle`` first."""
    gain, offset = _fit_tone(_means(needle, _TONE_CELL), _means(witness, _TONE_CELL))
    one, other, details = _first_level(needle, witness, gain, offset)
    found = Scrutiny({}, {}, {1: details}, (0.5, 0.5))
    worst = 0.0
    for side in SPOT_BOUNDS:
        if side in DETAIL_BOUNDS and min(one.shape) > 1:
            found.details[side] = _repeated(*_block_energies(one, other))
        ratios = _against_noise(one, other)
        patches = _mean_of_nine(ratios)
        found.spots[side], found.patches[side] = float(ratios.max()), float(patches.max())
        excess = found.patches[side] / PATCH_BOUNDS[side]
        if excess > worst:
            worst = excess
            down, right = divmod(int(patches.argmax()), patches.shape[1])
            found = found._replace(where=(down / patches.shape[0], right / patches.shape[1]))
        if min(one.shape) < 2 * _SMALLEST_MAP:
            break
        one, other = _halved(one), _halved(other)
    return found


def _first_level(needle: Pixels, witness: Pixels, gain: float, offset: float) -> tuple[Grey, Grey, float]:
    """Both at half the size, and the share of the finest detail; strip by strip, to be spare with memory."""
    halves: list[tuple[Grey, Grey]] = []
    energies: list[tuple[Grey, Grey]] = []
    for top in range(0, max(1, needle.shape[0] - 1), _STRIP_ROWS):
        one = needle[top : top + _STRIP_ROWS].astype(np.float32)
        other = witness[top : top + _STRIP_ROWS].astype(np.float32)
        other *= gain
        other += offset
        if min(one.shape) > 1:
            halves.append((_halved(one), _halved(other)))
            energies.append(_block_energies(one, other))
    if not halves:
        return needle.astype(np.float32), witness.astype(np.float32), 1.0
    one, other = (np.concatenate(parts) for parts in zip(*halves, strict=True))
    own, shared = (np.concatenate(parts) for parts in zip(*energies, strict=True))
    return one, other, _repeated(own, shared)


def _halved(grey: Grey) -> Grey:
    """Means of 2 x 2 pixels; an odd last row or column is left to those before it."""
    a, b, c, d = _quarters(grey)
    return np.asarray((a + b + c + d) / 4, np.float32)


def _quarters(grey: Grey) -> tuple[Grey, Grey, Grey, Grey]:
    height, width = grey.shape[0] // 2 * 2, grey.shape[1] // 2 * 2
    upper, lower = grey[0:height:2], grey[1:height:2]
    return upper[:, 0:width:2], upper[:, 1:width:2], lower[:, 0:width:2], lower[:, 1:width:2]


def _means(pixels: Pixels, side: int) -> Grey:
    """Means of cells of ``side`` x ``side`` pixels; smaller cells where the picture is too small for any."""
    side = min(side, *pixels.shape)
    height, width = pixels.shape[0] // side, pixels.shape[1] // side
    rows = np.add.reduceat(pixels[: height * side, : width * side], np.arange(0, width * side, side), 1, np.float32)
    return np.asarray(rows.reshape(height, side, width).sum(1) / side**2, np.float32)


def _block_energies(one: Grey, other: Grey) -> tuple[Grey, Grey]:
    """Energy of the finest detail of ``one`` by block, flat, and its product with that of ``other``.

    Detail is what the first step of a Haar transform takes out, across and down.
    """
    details = []
    for grey in (one, other):
        a, b, c, d = _quarters(grey)
        details.append(((a - b + c - d) / 4, (a + b - c - d) / 4))
    (across, down), (other_across, other_down) = details
    return _block_means(across**2 + down**2), _block_means(across * other_across + down * other_down)


def _block_means(values: NDArray[np.floating]) -> Grey:
    """Means of blocks of 16 x 16, flat; one of all where there are none."""
    height, width = values.shape[0] // _BLOCK, values.shape[1] // _BLOCK
    if height * width == 0:
        return np.asarray(values.mean(keepdims=True).reshape(-1), np.float32)
    whole = values[: height * _BLOCK, : width * _BLOCK]
    return np.asarray(whole.reshape(height, _BLOCK, width, _BLOCK).mean((1, 3)).reshape(-1), np.float32)


def _repeated(own: Grey, shared: Grey) -> float:
    """Median share of the detail that is repeated, of the tenth of the blocks that have most of it."""
    rich = own >= np.quantile(own, _RICHEST) if own.size >= _FEWEST_BLOCKS else np.ones(own.shape, np.bool_)
    return float(np.median((shared[rich] + _LEAST_DETAIL) / (own[rich] + _LEAST_DETAIL)))


def _against_noise(one: Grey, other: Grey) -> Grey:
    """The difference of each cell, in units of what the cells of like local contrast mostly have.

    The contrast is the lesser of the two, so that what was added on even ground, or taken away, is measured by the
    even ground.
    """
    difference = np.abs(one - other)
    degrees = np.searchsorted(_CONTRASTS, np.minimum(_span(one), _span(other)).reshape(-1))
    levels = np.full(_CONTRASTS.size + 1, np.nan)
    for degree in range(levels.size):
        of_degree = difference.reshape(-1)[degrees == degree]
        if of_degree.size >= _FEWEST_CELLS:
            place = int(_NOISE_SHARE * of_degree.size)
            levels[degree] = np.partition(of_degree, place)[place]
    known = np.flatnonzero(~np.isnan(levels))
    if known.size == 0:
        known, levels = np.zeros(1, np.intp), np.full_like(levels, np.median(difference))
    noise = _NOISE_FLOOR + np.interp(np.arange(levels.size), known, levels[known]).astype(np.float32)
    return np.asarray(difference / noise[degrees].reshape(difference.shape), np.float32)


def _span(grey: Grey) -> Grey:
    """Greatest minus least of the 3 x 3 cells around each."""
    padded = np.pad(grey, 1, mode="edge")
    columns = padded[:, :-2], padded[:, 1:-1], padded[:, 2:]
    high, low = np.maximum.reduce(columns), np.minimum.reduce(columns)
    highest = np.maximum.reduce((high[:-2], high[1:-1], high[2:]))
    return np.asarray(highest - np.minimum.reduce((low[:-2], low[1:-1], low[2:])), np.float32)


def _mean_of_nine(values: Grey) -> Grey:
    padded = np.pad(values, 1, mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return np.asarray((rows[:-2] + rows[1:-1] + rows[2:]) / 9, np.float32)


def _fit_tone(target: Grey, source: Grey) -> tuple[float, float]:
    """Gain and offset that bring ``source`` closest to ``target``, without clipped cells."""
    clipped = [(grey <= _CLIPPED_LOW) | (grey >= _CLIPPED_HIGH) for grey in (target, source)]
    known = ~(clipped[0] | clipped[1])
    gain, offset = greys.fit_tone(source[known], target[known])
    if not 1 / _MOST_GAIN <= gain <= _MOST_GAIN:
        return 1.0, float(np.median(target[known] - source[known]))
    return gain, offset
