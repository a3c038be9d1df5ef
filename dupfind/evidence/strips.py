"""Whether a strip of a picture went wrong: bands of a lamp that flickers, a row of blocks in another tone; pure numpy.

A strip is a row or a column of cells of 8 x 8 pixels, which are the blocks of a JPEG. Each of them differs by little,
and what a codec changes goes up and down along a strip: only all of a strip tells of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dupfind.evidence.cells import Cells
from dupfind.evidence.pixels import Bytes, Grey
from dupfind.evidence.spread import COLOR_SIDE, PARTS, SMALLEST, Planes, beyond_tone, color_sums, parts_of

_SIDE = 8
"""Pixels across a strip."""
_SHORTEST_RUN = 2
"""Parts along a strip, of :data:`PARTS`, that may differ by themselves: from where a row of blocks went wrong."""
_DEVIATIONS = 3
"""What the noise within a run makes by chance is taken off so often: the worst of many thousand runs is looked for."""
_OF_STEPS = 0.05
"""What a strip may differ by all along for each level of its steps to those beside it: a codec smears the line of a
table, and a program that reduces moves it, in the same way from end to end."""
_MOST_ALONG = 64
"""Cells along a strip that are looked at."""
_MIDDLE = 0.5, 0.5


class Strips(NamedTuple):
    """How far the worst strip differs, in levels."""

    light: float = 0.0
    color: float = 0.0
    """Of Cb or of Cr, the larger."""
    light_where: tuple[float, float] = _MIDDLE
    """Down and right, each 0 to 1: the middle of the strip that differs most in brightness."""
    color_where: tuple[float, float] = _MIDDLE
    """That of the one that differs most in colour."""


NOTHING = Strips()


def compare_strips(
    levels: Mapping[int, tuple[Cells, Cells]], gain: float, colors: tuple[Bytes | None, Bytes | None]
) -> Strips:
    """Compare the strips of two pictures; what is given is as in :func:`dupfind.evidence.spread.compare_spread`.

    Nothing is asked of pictures with a side below 192 pixels, which have too few cells.
    """
    light, color, light_where, color_where = 0.0, 0.0, _MIDDLE, _MIDDLE
    if _SIDE in levels:
        ours, theirs = (cells.sums[None] for cells in levels[_SIDE])
        light, light_where = _worst(ours, theirs, _SIDE, gain)
    if colors[0] is not None and colors[1] is not None:
        side = _SIDE // COLOR_SIDE
        own, other = (color_sums(color, side) for color in (colors[0], colors[1]))
        color, color_where = _worst(own, other, side, 1.0)
    return Strips(light, color, light_where, color_where)


def _worst(ours: Planes, theirs: Planes, side: int, gain: float) -> tuple[float, tuple[float, float]]:
    """Return how far the worst strip of planes differs in levels, one cell wide, across or down, and where its middle
    is: down and right.

    Tone is taken off first, and what goes for chance and for steps after that. The outermost strips are left out:
    programs that reduce make them otherwise.
    """
    worst, where = 0.0, _MIDDLE
    if min(ours.shape[1:]) < SMALLEST:
        return worst, where
    for is_down in (False, True):
        own, other = (planes.swapaxes(1, 2) if is_down else planes for planes in (ours, theirs))
        step = max(1, own.shape[2] // _MOST_ALONG)
        own = np.ascontiguousarray(own[..., ::step])
        apart = beyond_tone(own, other[..., ::step], side, gain)
        along = parts_of(apart.shape[2])
        sizes = along.sum(0) @ _RUNS
        means, squares = (values @ along @ _RUNS / sizes for values in (apart, apart * apart))
        usual = np.maximum(squares, squares.mean((1, 2), keepdims=True))
        beyond = (means * means - _DEVIATIONS**2 * usual / sizes)[:, 1:-1]
        steps = np.abs(np.diff(own.astype(np.float32), axis=1))
        steps = np.maximum(steps[:, 1:], steps[:, :-1]) @ along @ _RUNS / sizes
        levels = (np.sqrt(beyond.clip(0)) - _OF_STEPS * steps) / side**2
        _, strip, run = np.unravel_index(int(levels.argmax()), levels.shape)
        if levels.max() > worst:
            worst = float(levels.max())
            place = (int(strip) + 1.5) / apart.shape[1], float(_MIDDLES[run])
            where = place[::-1] if is_down else place
    return worst, where


def _runs() -> tuple[Grey, Grey]:
    """Return the runs of parts along a strip, (parts, runs), and the middle of each, 0 to 1."""
    ends = [(first, last) for first in range(PARTS) for last in range(first + _SHORTEST_RUN, PARTS + 1)]
    first, last = np.array(ends).T
    part = np.arange(PARTS)[:, None]
    return ((part >= first) & (part < last)).astype(np.float32), ((first + last) / 2 / PARTS).astype(np.float32)


_RUNS, _MIDDLES = _runs()
