"""Cb and Cr of two pictures, cell by cell: strength, loss, shift, steps, and the worst place; pure numpy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence.cells import NOISE_SHARE, STEPS_AROUND, Ratios, Sums, sums_of_four
from dupfind.evidence.pixels import Bytes, Grey, Pixels

_LEAST_COLOR = 6.0
"""Mean square of Cb and Cr, in levels, below which a picture has no colour of which the strength could be told."""
_NO_COLOR = 128
_COLOR_FLOORS = 1.0, 0.7
_COLOR_SIDES = 2, 4
"""Values of colour a side of these cells."""
_LEAST_COLOR_STEP, _FEWEST_STEPS = 10, 60
_LOSS_SHARE = 0.98
_MARK_FLOOR, _LEAST_MARK = 64.0, 0.4
"""Square of the levels that may differ in a mark of colour without any codec, and the share of what is there below
which nothing is looked at: under every bound."""
_MARK_NOISE_SHARE, _MOST_SAMPLED = 0.9, 16_000
_MOST_COUNTED = 1 << 16
"""Squares of differences of sums up to which they are counted."""
_CELLS_OF_MARK = 9
_FINE_CELL, _LEAST_MARKED = 2, 3


def _peak(values: Grey | NDArray[np.int32]) -> tuple[float, float]:
    """Place of the greatest value, down and right, each 0 to 1."""
    down, right = divmod(int(values.argmax()), values.shape[1])
    return down / values.shape[0], right / values.shape[1]


def compare_colors(
    ours: Bytes | None, theirs: Bytes | None, bounds: Sequence[float]
) -> tuple[float | None, float, float, float | None, tuple[tuple[float, float], ...], tuple[float, float]]:
    """Return strength of colour, its shift, its loss, what is kept of its detail, the worst places, and where the
    worst is.

    The place is that of the first of cells of 8 and of 16 pixels of which one differs by more than its one of
    ``bounds``, in levels.
    """
    shape = next((color.shape for color in (ours, theirs) if color is not None), (2, 0, 0))
    if min(shape) <= 1:
        return None, 0.0, 0.0, None, (), (0.5, 0.5)
    levels = [
        np.full(shape, _NO_COLOR, np.uint8) if color is None else np.ascontiguousarray(color)
        for color in (ours, theirs)
    ]
    # Rows first: 32 bits, which are enough for them, take a third of the time of 64.
    sums = [color.sum(2, np.uint32).sum(1, np.uint64) for color in levels]
    means = [of_color / (shape[1] * shape[2]) for of_color in sums]
    shift = float(np.abs(means[0] - means[1]).max())
    kept = _color_kept(*levels)
    spots: list[tuple[float, float]] = []
    where, gain = (0.5, 0.5), None
    planes: list[Grey] = []
    cells: list[Bytes | Sums] = [*levels]
    for floor, side, most_levels in zip(_COLOR_FLOORS, _COLOR_SIDES, bounds, strict=True):
        if min(cells[0].shape[1:]) <= 1:
            break
        cells = [sums_of_planes(color) for color in cells]
        planes = [color * np.float32(1 / side**2) - np.float32(_NO_COLOR) for color in cells]
        if gain is None:
            gain = _color_gain(*planes)
        apart = np.subtract(*cells, dtype=np.int32)
        apart *= apart
        squares = apart[0] + apart[1]
        worst = math.sqrt(int(squares.max())) / side**2
        if worst > most_levels and where == (0.5, 0.5):
            where = _peak(squares)
        usual = _root_quantile(squares, NOISE_SHARE) / side**2
        spots.append((worst, worst / (floor + usual)))
    loss = _quantile(np.subtract(*map(_lengths, planes)), _LOSS_SHARE)
    return gain, shift, loss, kept, tuple(spots), where


def cell_side(pixels: Pixels) -> int:
    """Return how many pixels a side one value of colour stands for, 2 or 4; 4 without colour."""
    if pixels.color is None or 0 in pixels.color.shape:
        return 2 * _FINE_CELL
    return _FINE_CELL if pixels.gray.shape[1] < (2 * _FINE_CELL - 1) * pixels.color.shape[2] else 2 * _FINE_CELL


def of_four_pixels(pixels: Pixels) -> Bytes | None:
    """Return the colour of ``pixels`` in cells of 4 x 4 pixels, (2, height, width)."""
    color = pixels.color
    if color is None or cell_side(pixels) != _FINE_CELL or min(color.shape[1:]) < _FINE_CELL:
        return color
    sums = sums_of_planes(np.ascontiguousarray(color))
    sums += np.uint16(2)
    sums >>= np.uint16(2)
    return sums.astype(np.uint8)


def sums_of_planes(planes: Bytes | Sums) -> Sums:
    """Return :func:`cells.sums_of_four` of each of (planes, height, width), which lie one below the other."""
    count, height, width = planes.shape
    even = planes[:, : height // 2 * 2].reshape(-1, width)
    return sums_of_four(even).reshape(count, height // 2, width // 2)


def worst_mark(ours: Bytes, theirs: Bytes, ratios: Ratios) -> tuple[float, tuple[float, float]]:
    """Return how far the worst small mark differs in colour and in brightness at once, and where: down and right.

    ``ours`` and ``theirs`` are (2, height, width) of Cb and Cr, ``ratios`` the differences of brightness of the same
    cells, in units of what is usual in the pair. Of 3 x 3 cells: the energy of the difference of colour, to that of
    what either side shows there, times the mean of ``ratios``. Letters that were coloured as bright as what is below
    them differ in both, and in neither by enough; what a codec did to colour is not where it hurt brightness most.
    """
    height, width = (min(*sides) for sides in zip(ours.shape[1:], ratios.shape, strict=True))
    if min(height, width) < _LEAST_MARKED:
        return 0.0, (0.5, 0.5)
    own, other = (
        np.ascontiguousarray(color[:, :height, :width]).reshape(2, height * width) for color in (ours, theirs)
    )
    apart = np.maximum(own, other)
    apart -= np.minimum(own, other)
    sample = apart[:, :: math.ceil(height * width / _MOST_SAMPLED)].astype(np.uint32)
    sample *= sample
    floor = _MARK_FLOOR + _quantile_of_integers(sample[0] + sample[1], _MARK_NOISE_SHARE)
    chosen = np.flatnonzero(np.maximum(*apart) >= math.sqrt(_LEAST_MARK * floor / 2))
    levels = apart.take(chosen, axis=1).astype(np.float32)
    levels *= levels
    chosen = chosen.take(np.flatnonzero(levels[0] + levels[1] >= _LEAST_MARK * floor))
    down, right = np.divmod(chosen, width)
    inner = np.flatnonzero((down > 0) & (down < height - 1) & (right > 0) & (right < width - 1))
    chosen, down, right = (places.take(inner) for places in (chosen, down, right))
    if not chosen.size:
        return 0.0, (0.5, 0.5)
    steps_down, steps_right = STEPS_AROUND
    around = chosen + (steps_down * width + steps_right)
    windows = [side.take(around, axis=1).astype(np.float32) for side in (own, other)]  # (2, 9, chosen)
    difference = windows[0] - windows[1]
    difference *= difference
    energy = difference.sum((0, 1)) / _CELLS_OF_MARK
    shown = np.maximum(*(_spread(window) for window in windows))
    brightness = ratios.around(down, right).sum(0) / _CELLS_OF_MARK
    marks = energy / (floor + shown) * brightness
    worst = int(marks.argmax())
    place = divmod(int(chosen[worst]), width)
    return float(marks[worst]), (place[0] / height, place[1] / width)


def _spread(window: Grey) -> Grey:
    """Return the variance of each of (2, 9, count) values over the nine, both planes together."""
    window -= window[:, 4:5]
    mean = window.sum(1) / _CELLS_OF_MARK
    window *= window
    return np.asarray(window.sum((0, 1)) / _CELLS_OF_MARK - (mean * mean).sum(0), np.float32)


def _lengths(vectors: Grey) -> Grey:
    """Return the length of each vector of two values, (2, height, width): ``np.hypot`` takes five times as long."""
    squares = vectors * vectors
    lengths = squares[0] + squares[1]
    return np.asarray(np.sqrt(lengths, out=lengths), np.float32)


def _quantile(values: Grey, share: float) -> float:
    """Compute the quantile as ``np.quantile`` does, in a fifth of the time."""
    place = share * (values.size - 1)
    below = int(place)
    ordered = np.partition(values, below, axis=None)
    lower = float(ordered[below])
    upper = float(ordered[below + 1 :].min()) if below + 1 < ordered.size else lower
    return lower + (place - below) * (upper - lower)


def _quantile_of_integers(values: NDArray[np.uint32], share: float) -> float:
    """Compute the same of small integers, in a quarter of the time."""
    lower, upper, part = _around_quantile(values, share)
    return lower + part * (upper - lower)


def _root_quantile(squares: NDArray[np.int32], share: float) -> float:
    """Compute the same of the roots of integers, none of which is taken but of two."""
    lower, upper, part = _around_quantile(np.minimum(squares, _MOST_COUNTED).reshape(-1), share)
    if upper == _MOST_COUNTED:  # hardly anything is alike
        return _quantile(np.sqrt(squares, dtype=np.float32), share)
    return math.sqrt(lower) + part * (math.sqrt(upper) - math.sqrt(lower))


def _around_quantile(values: NDArray[np.integer[Any]], share: float) -> tuple[int, int, float]:
    """Return the two of these small integers between which a quantile lies, and how far it is on the way."""
    running = np.bincount(values).cumsum()
    place = share * (values.size - 1)
    below = int(place)
    lower, upper = running.searchsorted((below, min(below + 1, values.size - 1)), side="right").tolist()
    return lower, upper, place - below


def _color_kept(own: Bytes, other: Bytes) -> float | None:
    """Measure how much of the clear steps of colour between cells of ``own`` there is in ``other``."""
    height, width = own.shape[1:]
    own_flat, other_flat = own.reshape(-1), other.reshape(-1)
    steps: list[tuple[Grey, Grey]] = []
    for distance, count in ((1, width), (width, height)):
        first, second = own_flat[:-distance], own_flat[distance:]
        apart = np.maximum(first, second)
        apart -= np.minimum(first, second)
        clear = np.flatnonzero(apart >= _LEAST_COLOR_STEP)
        clear = clear[clear // distance % count != count - 1]  # nothing leads from an end of a row to the next row
        ours, theirs = (flat[clear + distance].astype(np.float32) - flat[clear] for flat in (own_flat, other_flat))
        steps.append((ours, theirs))
    asked, answers = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    if asked.size < _FEWEST_STEPS:
        return None
    return float(np.vdot(asked, answers) / np.vdot(asked, asked))


def _color_gain(ours: Grey, theirs: Grey) -> float | None:
    """Return the strength of colour of the weaker to the stronger, by least squares; None where neither has any."""
    common = float(np.vdot(ours, theirs))
    energies = [float(np.vdot(plane, plane)) for plane in (ours, theirs)]
    gains = [common / energy for energy in energies if energy > _LEAST_COLOR * ours.size]
    return min(gains) if gains else None
