"""What differs by little and over large parts of a picture: light that falls otherwise, a lens that draws otherwise,
colour that lies otherwise; pure numpy.

Every edge is as sharp as before and no cell stands out. Two things tell of them all the same. What a codec changes
cancels out in the mean of a large part, and a stain of two levels does not. And a picture that is moved differs from
itself by its own steps times the way that they were moved: what explains a difference so was no codec.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence.cells import Cells
from dupfind.evidence.color_cells import sums_of_planes
from dupfind.evidence.pixels import Bytes, Grey

PARTS = 8
"""Parts of the picture, across and down."""
SMALLEST = 24
"""Cells a side below which nothing is asked."""
_MOST_OF_LIGHT, _MOST_OF_MOVES = 4_000, 12_000
"""Cells of a plane that are looked at, in rows spread evenly over the picture: for its light, and for its ways."""
COLOR_SIDE = 4
"""Pixels a side of the cells of colour that are given."""
_FINE_SIDE, _MOST_FINE = 4, 1 << 17
"""Pixels a side of the cells whose way is measured, and up to how many of them: larger ones beyond."""
_BAND_BITS = 3
"""Of a level, which bands of brightness are wide: what all places of a band have in common is the tone, and asked for
elsewhere."""
_WORST_TO_USUAL = 3.5
"""What the difference of the worst part counts less than that of all parts: in copies it is up to so many times as
much."""
_CELLS_TOGETHER = 4
"""How many cells of a codec's noise are one: it codes blocks of 16 pixels of colour, and predicts one from the next."""
_LEAST_STEPS = 0.5
"""Mean square of the steps between cells, in levels, below which a plane shows no way."""
_LEAST_EXPLAINED = 0.05
"""Share of the difference of colour that has to come of the way. Of a sky, whose colour was rounded in large steps,
0.034 was no way; of witnesses whose colour was moved the least is 0.08."""
_LEAST_DRAWN = 0.035
"""The same of what is drawn otherwise. Of a page of print, whose ink JPEG smeared alike everywhere, 0.027 was; of 118
witnesses that were bent, leaning, sheared or turned, beside needles of q45 to q93, the least refused one 0.042."""
_TIMES_CHANCE = 20.0
"""How much more of the difference a way has to explain than chance does, for each of its numbers."""
_RIDGE = 1e-3
_OF_WHOLE = 4
"""How many of the ways move or stretch a picture as a whole, which programs that reduce do as well."""
_MOST_KEPT = 16
"""Tables by the sides of pictures that are kept."""

_SHARES = np.array([1 / 16] * 3 + [1 / 4] * 2 + [1.0])[:, None]
"""Of products of two steps, a step and a difference, two differences: a step spans two cells, of both sides."""
Planes = NDArray[np.uint16]
"""(planes, height, width)"""
Products = NDArray[np.float64]


class Spread(NamedTuple):
    """What is spread over the picture."""

    light: float = 0.0
    """Levels by which parts of an eighth of the sides differ, the tone matched: root of the mean square, or the worst
    to :data:`_WORST_TO_USUAL` where that is more."""
    color_light: float = 0.0
    """The same of Cb or of Cr, the larger."""
    drawn: float = 0.0
    """Pixels by which the picture is turned, sheared, bent or leaning, root of the mean square; 0 where that explains
    no more than chance. What moves all of it, or stretches it along its sides, does not count: a program that reduces
    does that."""
    color_moved: float = 0.0
    """Pixels by which Cb and Cr are moved, both together."""
    moved: float = 0.0
    """Pixels by which all of it is moved, or stretched along its sides, as ``drawn``."""


NOTHING = Spread()


def compare_spread(
    levels: Mapping[int, tuple[Cells, Cells]],
    gain: float,
    colors: tuple[Bytes | None, Bytes | None],
) -> Spread:
    """Compare the cells of two pictures of one shape, by their side in pixels, as :func:`cells.levels` gives them.

    ``gain`` brings the contrast of the second to that of the first. ``colors`` are Cb and Cr of each, (2,
    height, width), of cells of 4 x 4 pixels, or None without. Takes 0.5 ms for 500 pixels, 1.5 ms for 12 megapixels.
    """
    side = max(levels)
    light = _light(*_planes(levels[side]), side, gain)
    if _FINE_SIDE in levels and levels[_FINE_SIDE][0].sums.size <= _MOST_FINE:
        side = _FINE_SIDE
    moves = _moves(*_planes(levels[side]), side, gain)
    whole, drawn = (0.0, 0.0) if moves is None else moves.lengths()
    of_gray = Spread(light, drawn=side * drawn, moved=side * whole)
    if colors[0] is None or colors[1] is None:
        return of_gray
    side = 2 if min(colors[0].shape[1:]) >= 2 * SMALLEST else 1
    ours, theirs = (color_sums(color, side) for color in (colors[0], colors[1]))
    moves = _moves(ours, theirs, side, 1.0)
    color_moved = 0.0 if moves is None else COLOR_SIDE * side * moves.shift()
    return of_gray._replace(color_light=_light(ours, theirs, side, 1.0), color_moved=color_moved)


def color_sums(color: Bytes, side: int) -> Planes:
    """Sum Cb and Cr of ``side`` x ``side`` cells: larger ones show a way better, as less noise is left in them."""
    return color.astype(np.uint16) if side == 1 else sums_of_planes(color)


def _planes(pair: tuple[Cells, Cells]) -> tuple[Planes, Planes]:
    ours, theirs = pair
    return ours.sums[None], theirs.sums[None]


@lru_cache(maxsize=_MOST_KEPT)
def parts_of(length: int) -> Grey:
    """Return which of so many values belong to each part, (length, parts)."""
    number = np.arange(length) * PARTS // length
    return np.asarray(number[:, None] == np.arange(PARTS), np.float32)


def _in_parts(values: Grey) -> Grey:
    """Sum the values of each part, (..., parts, parts)."""
    height, width = values.shape[-2:]
    return np.asarray(parts_of(height).T @ (values @ parts_of(width)), np.float32)


def _light(ours: Planes, theirs: Planes, side: int, gain: float) -> float:
    """Return how far parts of planes differ in levels, each the sums of ``side`` x ``side`` values, beyond their tone.

    ``gain`` brings the contrast of the second ones to that of the first ones. Of several planes the worst.
    """
    height, width = ours.shape[1:]
    if min(height, width) < SMALLEST:
        return 0.0
    step = min(max(1, round(height * width / _MOST_OF_LIGHT)), height // SMALLEST)
    apart = beyond_tone(ours[:, ::step], theirs[:, ::step], side, gain)
    sizes = _sizes(apart.shape[1], width)
    squares = (_in_parts(apart) / sizes) ** 2
    noise = np.einsum("prc,prc->p", apart, apart) / sizes.sum() - (squares * sizes).sum((1, 2)) / sizes.sum()
    squares -= _CELLS_TOGETHER * noise[:, None, None] / sizes
    usual, worst = float(squares.mean((1, 2)).max()), float(squares.max())
    return math.sqrt(max(0.0, usual, worst / _WORST_TO_USUAL**2)) / side**2


def beyond_tone(ours: Planes, theirs: Planes, side: int, gain: float) -> Grey:
    """Return by how much sums of ``side`` x ``side`` values of ``ours`` are more, without what all places of one
    brightness have in common, plane by plane.
    """
    apart = theirs.astype(np.float32, "C")  # the same to the bit, however a picture lies in memory
    apart *= np.float32(-gain)
    apart += ours
    bands = ours >> (_BAND_BITS + 2 * (side.bit_length() - 1))
    bands += np.arange(len(ours), dtype=np.uint16)[:, None, None] << np.uint16(8 - _BAND_BITS)
    bands = bands.reshape(-1)
    means = np.bincount(bands, apart.reshape(-1)) / np.maximum(np.bincount(bands), 1)
    apart -= means.astype(np.float32).take(bands).reshape(apart.shape)
    return apart


@lru_cache(maxsize=_MOST_KEPT)
def _sizes(height: int, width: int) -> Grey:
    """Return how many values each part has, (parts, parts)."""
    return np.outer(parts_of(height).sum(0), parts_of(width).sum(0))


@lru_cache(maxsize=_MOST_KEPT)
def _ways(shape: tuple[int, int]) -> tuple[Products, Products]:
    """Return the ways that are fitted, down and across, each (ways, parts * parts).

    Places are given in halves of the longer side. The first ones, :data:`_OF_WHOLE`, move or stretch the picture as a
    whole; then come turns and shears, what leans and bends, and a lens (Brown 1966, first order).
    """
    centres = (np.arange(PARTS) + 0.5) / PARTS * 2 - 1
    down, right = (centres * length / max(shape) for length in shape)
    y, x = np.repeat(down, PARTS), np.tile(right, PARTS)
    one, none = np.ones_like(x), np.zeros_like(x)
    radius = x * x + y * y
    bends = y * y, x * y, x * x
    ways = [(one, none), (none, one), (y, none), (none, x), (x, none), (none, y)]
    ways += [(bend, none) for bend in bends] + [(none, bend) for bend in bends] + [(y * radius, x * radius)]
    return np.stack([way[0] for way in ways]), np.stack([way[1] for way in ways])


class _Moves(NamedTuple):
    """Normal equations of the way that each part of some planes was moved by, and what they are of."""

    sums: Products
    """(6, parts * parts): of the products of steps down, steps across and the difference: down by down, down by across,
    across by across, down by difference, across by difference, difference by difference."""
    cells: int
    shape: tuple[int, int]

    def equations(self, count: int) -> tuple[Products, Products]:
        """Return what the first ``count`` of :func:`_ways` have in common, (count, count), and with the difference."""
        down, across = (ways[:count] for ways in _ways(self.shape))
        by_down, by_both, by_across, of_down, of_across, _ = self.sums
        crossed = (down * by_both) @ across.T
        squares = (down * by_down) @ down.T + (across * by_across) @ across.T + crossed + crossed.T
        return squares, down @ of_down + across @ of_across

    def shift(self) -> float:
        """Return by how many cells everything is moved; 0 where no steps would show it, or it explains too little."""
        if float(self.sums[[0, 2]].sum()) < _LEAST_STEPS * self.cells:
            return 0.0
        amounts, explained = _solved(*self.equations(_OF_WHOLE))
        is_seen = explained >= _LEAST_EXPLAINED * float(self.sums[5].sum())
        return math.hypot(float(amounts[0]), float(amounts[1])) if is_seen else 0.0

    def lengths(self) -> tuple[float, float]:
        """Return by how many cells the picture is moved or stretched as a whole, and drawn otherwise beside that.

        Roots of the mean square; 0 where it may be chance.
        """
        ways = _ways(self.shape)
        squares, products = self.equations(len(ways[0]))
        of_whole, explained_by_whole = _solved(squares[:_OF_WHOLE, :_OF_WHOLE], products[:_OF_WHOLE])
        amounts, explained = _solved(squares, products)
        total = float(self.sums[5].sum())
        unexplained = max(0.0, total - explained) / self.cells
        beside = amounts - np.pad(of_whole, (0, len(amounts) - _OF_WHOLE))
        least = _TIMES_CHANCE * unexplained
        whole = _length(of_whole, ways) if explained_by_whole > least * _OF_WHOLE else 0.0
        by_rest = explained - explained_by_whole
        is_drawn = by_rest > max(least * (len(amounts) - _OF_WHOLE), _LEAST_DRAWN * total)
        return whole, _length(beside, ways) if is_drawn else 0.0


def _length(amounts: Products, ways: tuple[Products, Products]) -> float:
    """Return how long so much of the first ways is, root of the mean square of all parts."""
    down, across = (amounts @ of_each[: len(amounts)] for of_each in ways)
    return math.sqrt(float(down @ down + across @ across) / down.size)


def _solved(squares: Products, products: Products) -> tuple[Products, float]:
    """Solve normal equations: return how much of each way there is, in cells, and how much of the difference it
    explains.
    """
    ridge = _RIDGE * float(squares.trace()) / len(squares) + _RIDGE
    ridged = squares.copy()
    ridged.reshape(-1)[:: len(squares) + 1] += ridge
    amounts = np.asarray(np.linalg.solve(ridged, products), np.float64)
    return amounts, float(2 * products @ amounts - amounts @ squares @ amounts)


def _moves(ours: Planes, theirs: Planes, side: int, gain: float) -> _Moves | None:
    """Set up the way that ``ours`` were moved by to become ``theirs`` (Lucas and Kanade 1981); None of small planes.

    Several planes are moved together. Steps are those of both sides: noise in one of them would shorten the way.
    """
    height, width = ours.shape[1:]
    if min(height, width) < SMALLEST:
        return None
    step = min(max(1, round(height * width / _MOST_OF_MOVES)), height // SMALLEST)
    tuned = np.float32(gain)

    def both(rows: slice, columns: slice) -> Grey:
        total = theirs[:, rows, columns].astype(np.float32, "C")
        total *= tuned
        total += ours[:, rows, columns]
        return total

    middle, inner = slice(1, height - 1, step), slice(1, width - 1)
    row = both(middle, slice(None))
    across = row[..., 2:] - row[..., :-2]
    down = both(slice(2, height, step), inner)
    down -= both(slice(0, height - 2, step), inner)
    apart = row[..., 1:-1]
    apart -= np.float32(2) * ours[:, middle, inner]
    apart -= np.add.reduce(apart, (1, 2), keepdims=True) / np.float32(apart[0].size)
    products = np.empty((6, *apart.shape), np.float32)
    pairs = (down, down), (down, across), (across, across), (down, apart), (across, apart), (apart, apart)
    for (first, second), product in zip(pairs, products, strict=True):
        np.multiply(first, second, out=product)
    sums = _in_parts(products).sum(1).reshape(len(products), -1) * (_SHARES / side**4)
    return _Moves(sums, apart.size, (height, width))
