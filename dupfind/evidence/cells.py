"""Two grey pictures as cells of 2 x 2, 4 x 4 and 8 x 8 pixels: their tone, and how far each cell differs; pure numpy.

A difference counts by what 95% of the cells of like contrast differ by in the same pair: what a codec leaves is
everywhere, what a person changed is in one place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence.pixels import Bytes, Grey, Pixels, median, once
from dupfind.pictures import gray

Sums = NDArray[np.uint16]
_BAND_LEVELS, _LEAST_BAND = 16, 0.02
_CLIPPED_LOW, _CLIPPED_HIGH = 2, 253
_MOST_GAIN = 1.3
"""A curve steeper than this, or flatter, is not fitted: at 0 everything in the witness would be explained away."""
_UNCHANGED_GAIN, _UNCHANGED_OFFSET = 0.002, 0.1
_NOISE_FLOORS = {2: 1.0, 4: 0.7, 8: 0.5}
"""Grey levels that may differ without any codec: where strong colours were cut off on the way to RGB, for example."""
NOISE_SHARE = 0.95
_NOISE_STEPS = 8
"""Steps a grey level in which differences are counted."""
_FEWEST_CELLS = 60
_MOST_SAMPLED = 400_000
"""Cells that the noise is measured on."""
_MOST_TONES = 50_000
"""Likewise for the tone."""
_SMALLEST_MAP = 24
_FEWEST_EVEN, _LEAST_EVEN, _FEWEST_TONES = 400, 0.1, 32
"""Cells of even ground, their share of the picture, and tones on it, that there have to be. The few cells of a grainy
picture that are even by chance tell nothing, and pages and drawings have few tones."""
_STRIP_CELLS = 1 << 17
"""Cells that are worked on together: what is made of so many stays in the cache of a core."""
_CONTRASTS = np.array([1, 2, 3, 4.5, 6.5, 9, 12, 16, 22, 30, 40, 55, 75, 100])
_CLASSES = _CONTRASTS.size + 1
_CONTRAST_LEVELS = 256
_CLASS_OF_CONTRAST = np.searchsorted(_CONTRASTS, np.arange(_CONTRAST_LEVELS)).astype(np.uint16)
_FIRST_OF_CLASS = np.searchsorted(_CLASS_OF_CONTRAST, np.arange(_CLASSES))
_MOST_BY_CONTRAST, _FEWEST_BY_CONTRAST = 256, 1 << 17
"""Steps of difference up to which, and cells from which on, they are counted by contrast first."""
_LEVELS = 256 * _NOISE_STEPS
_RIM_WEIGHT = 0.6
"""What a difference in the outermost cells counts: the last rows and columns of a picture are what encoders pad, and
where two programs resample differently."""


_REGIONS, _NINTH = 8, 3
_LEAST_USUAL = 0.2
"""Of the usual difference of a region, in units of what 95% of the cells of like contrast differ by. It is 0.3 where a
codec was at work, and less where most of a picture was left as it was."""
_IN_NINTHS = np.tri(_REGIONS - _NINTH + 1, _REGIONS, _NINTH - 1) - np.tri(_REGIONS - _NINTH + 1, _REGIONS, -1)
_IN_NINTHS /= _NINTH
"""What takes means of three regions that follow each other: (places, regions)."""
Places = NDArray[np.intp]
STEPS_AROUND = np.indices((3, 3)).reshape(2, 9, 1) - 1
"""Down and right, each (9, 1): to the cells around one, itself in the middle."""
SIDES = 2, 4, 8
"""Pixels a side of a cell, each twice the one before."""


class Cells(NamedTuple):
    """A picture as cells of so many pixels a side, both laid out as its pixels are."""

    sums: Sums
    spans: Bytes
    """Contrast around each: greatest minus least mean of 3 x 3 cells."""


def levels(needle: Pixels, witness: Pixels) -> dict[int, tuple[Cells, Cells]]:
    """Return cells of 2 x 2, 4 x 4 and 8 x 8 pixels of both, by their side; of 1 x 1 where there are no more."""
    ours, theirs = (once(pixels, "cells", _all_cells) for pixels in (needle, witness))
    levels: dict[int, tuple[Cells, Cells]] = {}
    for side, pair in zip(SIDES, zip(ours, theirs, strict=True), strict=False):
        is_mixed = _lies_turned(pair[0].sums) != _lies_turned(pair[1].sums)
        levels[side] = (_laid_out(pair[0]), _laid_out(pair[1])) if is_mixed else pair
    return levels or {1: (_cells(needle.gray.astype(np.uint16), 1), _cells(witness.gray.astype(np.uint16), 1))}


def _laid_out(cells: Cells) -> Cells:
    return Cells(np.ascontiguousarray(cells.sums), np.ascontiguousarray(cells.spans))


def _all_cells(gray: Bytes) -> list[Cells]:
    """Return cells of 2 x 2, 4 x 4 and 8 x 8 pixels, as far as there are enough of them."""
    levels: list[Cells] = []
    values: Bytes | Sums = gray
    for side in SIDES:
        if min(values.shape) < (2 * _SMALLEST_MAP if levels else 2):
            break
        values = sums_of_four(values)
        levels.append(_cells(values, side))
    return levels


def _cells(sums: Sums, side: int) -> Cells:
    if _lies_turned(sums):
        lying = _cells(sums.T, side)
        return Cells(lying.sums.T, lying.spans.T)
    spans, shift = np.empty(sums.shape, np.uint8), 2 * (side.bit_length() - 1)
    for rows in _strips(sums.shape):
        spans[rows] = _span(_padded(sums, rows, np.uint8, shift))
    return Cells(sums, spans)


def sums_of_four(values: NDArray[np.uint8] | Sums) -> Sums:
    """Return sums of 2 x 2 values; an odd last row or column is left to those before it. Laid out as ``values`` are."""
    if _lies_turned(values):
        return sums_of_four(values.T).T
    height, width = values.shape[0] // 2, values.shape[1] // 2
    sums = np.empty((height, width), np.uint16)
    for rows in _strips(sums.shape):
        strip = np.ascontiguousarray(values[2 * rows.start : 2 * rows.stop, : 2 * width])
        if strip.dtype == np.uint8:  # two neighbours are the two bytes of one number
            pairs = strip.view(np.uint16)
            across = pairs & np.uint16(0xFF)
            across += pairs >> np.uint16(8)
            np.add(across[0::2], across[1::2], out=sums[rows])
        else:  # the sums of 8 x 8 pixels leave room in 16 bits, so that no half runs over into the other
            down = np.add(*(strip.view(np.uint32)[first::2] for first in (0, 1)))
            np.add(down, down >> np.uint32(16), out=sums[rows], casting="unsafe")
    return sums


def _strips(shape: tuple[int, ...]) -> Iterator[slice]:
    """Cut an array of this shape into strips of rows that stay in the cache while something is made of them."""
    height = max(1, _STRIP_CELLS // max(1, shape[1]))
    return (slice(start, min(start + height, shape[0])) for start in range(0, shape[0], height))


def _lies_turned(values: NDArray[Any]) -> bool:
    """Tell whether the columns of ``values`` lie in the memory as rows do in others."""
    return abs(values.strides[0]) < abs(values.strides[1])


def tone(levels: Mapping[int, tuple[Cells, Cells]]) -> tuple[float, float, float]:
    """Fit the tone of the witness to that of the needle, by means of the largest cells: gain, offset, curve.

    The curve is how far the band of brightness that moved most has moved, in grey levels.
    """
    side, pair = max(levels.items())
    step = math.isqrt(pair[0].sums.size // _MOST_TONES) + 1
    ours, theirs = (np.asarray(cells.sums[::step, ::step] / side**2, np.float32) for cells in pair)
    return _fit_tone(ours, theirs)


def _fit_tone(target: Grey, source: Grey) -> tuple[float, float, float]:
    """Gain and offset that bring ``source`` closest to ``target``, and how far the band that moved most has moved."""
    is_known = (target > _CLIPPED_LOW) & (target < _CLIPPED_HIGH) & (source > _CLIPPED_LOW) & (source < _CLIPPED_HIGH)
    chosen = np.flatnonzero(is_known)  # takes a fifth of the time of a mask, here and below
    known_target, known_source = target.take(chosen), source.take(chosen)
    bands = (target / _BAND_LEVELS).astype(np.uint8).reshape(-1)
    moved = (target - source).take(bands.argsort(kind="stable"))  # of one band after the other
    by_band = np.split(moved, np.bincount(bands).cumsum()[:-1])
    moves = [abs(median(band)) for band in by_band if band.size >= max(1, _LEAST_BAND * target.size)]
    gain, offset = gray.fit_tone(known_source, known_target)
    if not 1 / _MOST_GAIN <= gain <= _MOST_GAIN:
        gain, offset = 1.0, float(np.median(known_target - known_source)) if known_target.size else 0.0
    if abs(gain - 1) < _UNCHANGED_GAIN and abs(offset) < _UNCHANGED_OFFSET:
        gain, offset = 1.0, 0.0
    return gain, offset, max(moves, default=0.0)


class Sample(NamedTuple):
    """Cells of the whole picture, at most :data:`_MOST_SAMPLED`."""

    own: Sums
    other: Sums
    contrasts: Bytes
    """Around each cell, the lesser of the two."""


class Ratios(NamedTuple):
    """Differences of cells in units of what is usual in the pair, as they lie in memory.

    Those of a large picture are made when they are asked for: all together are 4 bytes a cell, and to write them and
    read them again takes longer than the rest.
    """

    own: Sums
    other: Sums
    contrasts: Bytes
    """Around each cell, the lesser of the two."""
    weights: Grey
    """By contrast: what a difference of sums is multiplied by."""
    tone: tuple[float, float]
    """Gain and offset that match ``other`` to ``own``."""
    side: int
    is_turned: bool
    """Whether rows here are columns of the picture."""
    made: Grey | None = None
    """All of them, of a small picture, as :meth:`padded` gives them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns of the picture."""
        return self.own.shape[::-1] if self.is_turned else self.own.shape

    def padded(self, rows: slice) -> Grey:
        """Return those of some rows, as they lie, with one more on every side; beyond an edge is what is on it."""
        if self.made is not None:
            return self.made[rows.start : rows.stop + 2]
        height = self.own.shape[0]
        taken = slice(max(0, rows.start - 1), min(height, rows.stop + 1))
        apart = _apart(self.own[taken], self.other[taken], self.side, *self.tone)
        return self.weighted(apart, taken, rows)

    def weighted(self, apart: Sums | Grey, taken: slice, rows: slice) -> Grey:
        """Return the same, where it is known by how much the sums of the rows ``taken``, which there are, differ."""
        height, width = self.own.shape
        padded = np.empty((rows.stop - rows.start + 2, width + 2), np.float32)
        values = padded[taken.start - rows.start + 1 : taken.stop - rows.start + 1, 1:-1]
        np.multiply(apart, self.weights.take(self.contrasts[taken], mode="wrap"), out=values)
        for column in {0, width - 1}:
            values[:, column] *= _RIM_WEIGHT
        for edge in {0, height - 1}.intersection((taken.start, taken.stop - 1)):
            values[edge - taken.start, 1:-1] *= _RIM_WEIGHT
        return _continued(padded, rows.start == 0, rows.stop == height)

    def around(self, down: Places, right: Places) -> Grey:
        """Return those of the 3 x 3 cells around each of these places of the picture, (9, n): none is outermost."""
        steps_down, steps_right = STEPS_AROUND
        if self.is_turned:
            down, right, steps_down, steps_right = right, down, steps_right, steps_down
        height, width = self.own.shape
        if self.made is not None:
            width += 2
            places = (down + 1) * width + right + 1 + (steps_down * width + steps_right)
            return np.asarray(self.made.reshape(-1).take(places), np.float32)
        places = down * width + right + (steps_down * width + steps_right)
        own, theirs, contrasts = (part.take(places) for part in (self.own, self.other, self.contrasts))
        values: Grey = self.weights.take(contrasts, mode="wrap")
        values *= _apart(own, theirs, self.side, *self.tone)
        rows, columns = places // width, places % width
        values[(rows == 0) | (rows == height - 1) | (columns == 0) | (columns == width - 1)] *= _RIM_WEIGHT
        return values


def against_noise(needle: Cells, witness: Cells, side: int, gain: float, offset: float) -> tuple[Ratios, Sample]:
    """Return the difference of each cell, in units of what 95% of the cells of like contrast differ by in this pair.

    The contrast is the lesser of the two, so that what was added on even ground, or taken away, is measured by the
    even ground.
    """
    ours, theirs = needle.sums, witness.sums
    contrasts = np.minimum(needle.spans, witness.spans)
    is_turned = _lies_turned(ours) and _lies_turned(theirs)
    step = max(1, ours.size // _MOST_SAMPLED)
    sampled = slice(None, None, step), slice(None)
    if is_turned:  # the same cells, as they lie: sooner
        ours, theirs, contrasts, sampled = ours.T, theirs.T, contrasts.T, sampled[::-1]
    sample = Sample(ours[sampled], theirs[sampled], contrasts[sampled])
    apart = _apart(sample.own, sample.other, side, gain, offset)
    noise = _noise(apart, side, sample.contrasts, _NOISE_FLOORS[side])
    weights = (np.float32(1 / side**2) / noise).take(_CLASS_OF_CONTRAST)
    ratios = Ratios(ours, theirs, contrasts, weights, (gain, offset), side, is_turned)
    if ours.size <= _STRIP_CELLS:
        whole = slice(0, ours.shape[0])
        ratios = ratios._replace(made=ratios.weighted(apart, whole, whole))
    return ratios, sample


def tones_kept(sample: Sample, side: int, contrasts: Sequence[float]) -> tuple[float, ...]:
    """Return how many tones the witness has on even ground to those of the needle; 1 where it has few.

    By each of both ``contrasts``, the greater one first: even is ground of at most so much contrast.
    """
    shift = np.uint16(2 * (side.bit_length() - 1))
    even = np.flatnonzero(sample.contrasts <= contrasts[0])
    around = sample.contrasts.take(even)
    ours, theirs = (sums.take(even) >> shift for sums in (sample.own, sample.other))
    fewest = max(_FEWEST_EVEN, _LEAST_EVEN * sample.contrasts.size)
    shares = []
    for contrast in contrasts:
        if contrast < contrasts[0]:  # a part of the part
            even = np.flatnonzero(around <= contrast)
            ours, theirs = ours.take(even), theirs.take(even)
        tones = _tone_count(ours) if even.size >= fewest else 1.0
        shares.append(_tone_count(theirs) / tones if tones >= _FEWEST_TONES else 1.0)
    return tuple(shares)


def _tone_count(tones: Sums) -> float:
    """Return the effective number of tones: the exponential of the entropy of their histogram (Hill 1973, order 1).

    Smoothed over three levels, since a JPEG of quality 40 has the tones of a sky 2.5 levels apart.
    """
    counts = np.convolve(np.bincount(tones, minlength=256), (1, 1, 1), "same")
    shares = counts[counts > 0] / max(1, counts.sum())
    return math.exp(-float(shares @ np.log(shares)))


def _apart(ours: Sums, theirs: Sums, side: int, gain: float, offset: float) -> Sums | Grey:
    """Return by how much the sums of cells differ, the tone of ``theirs`` matched; levels are a part of that."""
    if (gain, offset) == (1.0, 0.0):  # the same numbers, sooner
        apart = np.subtract(ours.view(np.int16), theirs.view(np.int16))  # sums are 64 x 255 at most
        return np.abs(apart, out=apart).view(np.uint16)
    tuned = theirs.astype(np.float32)
    tuned *= np.float32(gain)
    tuned += np.float32(offset * side**2)
    tuned -= ours
    return np.abs(tuned, out=tuned)


def _padded(values: NDArray[Any], rows: slice, kind: type[np.generic], shift: int = 0) -> NDArray[Any]:
    """Shift these rows of ``values`` to the right, with one more on every side; beyond an edge is what is on it."""
    height, width = values.shape
    top, bottom = max(0, rows.start - 1), min(height, rows.stop + 1)
    padded = np.empty((rows.stop - rows.start + 2, width + 2), kind)
    inner = padded[top - rows.start + 1 : bottom - rows.start + 1, 1:-1]
    np.right_shift(values[top:bottom], shift, out=inner, casting="unsafe")
    return _continued(padded, top == rows.start, bottom == rows.stop)


def _continued(padded: NDArray[Any], is_top: bool, is_bottom: bool) -> NDArray[Any]:
    """Continue what is in the middle to the left and right, and above and below where the picture ends there."""
    if is_top:
        padded[0] = padded[1]
    if is_bottom:
        padded[-1] = padded[-2]
    padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
    return padded


def _noise(apart: Sums | Grey, side: int, contrasts: Bytes, floor: float) -> Grey:
    """Estimate what 95% of the cells of each class of contrast differ by, in levels, and ``floor``.

    ``apart`` are the differences of their sums.
    """
    steps = np.minimum(_steps(apart, side), _LEVELS - 1).astype(np.uint16)
    most = int(steps.max()) + 1
    if most <= _MOST_BY_CONTRAST and steps.size >= _FEWEST_BY_CONTRAST:  # looking up classes takes longer
        steps += contrasts * np.uint16(most)
        counts = np.bincount(steps.reshape(-1), minlength=_CONTRAST_LEVELS * most).reshape(_CONTRAST_LEVELS, most)
        counts = np.add.reduceat(counts, _FIRST_OF_CLASS)
    else:
        steps += (_CLASS_OF_CONTRAST * np.uint16(most)).take(contrasts, mode="wrap")
        counts = np.bincount(steps.reshape(-1), minlength=_CLASSES * most).reshape(_CLASSES, most)
    running = counts.cumsum(1)
    totals = running[:, -1]
    counted = np.flatnonzero(totals >= _FEWEST_CELLS)
    if counted.size == 0:
        return np.full(_CLASSES, floor + median(apart.reshape(-1)) / side**2, np.float32)
    is_reached = running[counted] >= (NOISE_SHARE * totals[counted])[:, None]
    noises = is_reached.argmax(1) / _NOISE_STEPS
    return np.asarray(floor + np.interp(np.arange(_CLASSES), counted, noises), np.float32)


def _steps(apart: Sums | Grey, side: int) -> Sums | Grey:
    """Return steps of a grey level by which cells differ, of which the sums differ by so much."""
    if apart.dtype == np.uint16:  # whole steps are asked for
        steps_a_cell = _NOISE_STEPS // side**2
        return apart * np.uint16(steps_a_cell) if steps_a_cell else apart // np.uint16(side**2 // _NOISE_STEPS)
    return apart * np.float32(_NOISE_STEPS / side**2)


def _span(padded: Bytes) -> Bytes:
    """Return the greatest minus the least of the 3 x 3 cells around each but the outermost."""
    width, flat = padded.shape[1], padded.reshape(-1)  # in one row: what comes together at its ends is left out
    span = np.empty((padded.shape[0] - 2) * width, np.uint8)
    extremes = []
    for pick in (np.maximum, np.minimum):
        two = pick(flat[:-1], flat[1:])
        three = pick(two[:-1], two[1:])
        two = pick(three[:-width], three[width:])
        extremes.append(pick(two[:-width], two[width:]))
    span[:-2] = extremes[0] - extremes[1]
    return span.reshape(-1, width)[:, :-2]


class RegionSums:
    """Sums of the ratios of each of 8 x 8 regions of a picture, taken in strip by strip."""

    def __init__(self, ratios: Ratios) -> None:
        self._is_turned = ratios.is_turned
        self._down, self._right = (np.linspace(0, side, _REGIONS + 1).astype(np.intp) for side in ratios.own.shape)
        self._is_small = min(ratios.own.shape) < _SMALLEST_MAP
        self._sums = np.zeros((_REGIONS, _REGIONS))

    def add(self, first: int, values: Grey) -> None:
        """Take in rows from ``first`` on, as they lie."""
        if self._is_small:
            return
        bounds = (self._down - first).clip(0, len(values)).tolist()
        for region, (start, stop) in enumerate(pairwise(bounds)):
            if start < stop:
                columns = np.add.reduce(values[start:stop], 0)
                self._sums[region] += np.add.reduceat(columns, self._right[:-1], dtype=np.float64)

    def most_uneven(self) -> tuple[float, tuple[float, float]]:
        """Return how much more a ninth of a picture differs than the usual part of it, and where: down and right.

        Each 3 x 3 of the regions is compared with the median of all. What a codec leaves depends on the contrast, by
        which differences are measured, and is the same everywhere.
        """
        if self._is_small:
            return 1.0, (0.5, 0.5)
        means = np.asarray(self._sums / np.outer(np.diff(self._down), np.diff(self._right)), np.float64)
        means = means.T if self._is_turned else means
        windows = _IN_NINTHS @ means @ _IN_NINTHS.T
        row, column = divmod(int(np.argmax(windows)), windows.shape[1])
        where = (row + _NINTH / 2) / _REGIONS, (column + _NINTH / 2) / _REGIONS
        return float(windows.max()) / max(_LEAST_USUAL, median(means.reshape(-1))), where


def worst(ratios: Ratios, regions: RegionSums | None = None) -> tuple[float, float, tuple[float, float]]:
    """Return the greatest value, the greatest mean of 3 x 3 values, and where that is: down and right, each 0 to 1.

    ``regions`` takes all of them in besides: of a large picture they are made but once.
    """
    is_turned = ratios.is_turned
    spot, patch, place = 0.0, -1.0, (0, 0)
    for rows in _strips(ratios.own.shape):
        padded = ratios.padded(rows)
        if regions is not None:
            regions.add(rows.start, padded[1:-1, 1:-1])
        sums = _sums_of_nine(padded)
        spot, highest = max(spot, float(padded.max())), float(sums.max())
        if highest > patch or (is_turned and highest == patch):
            is_highest = sums == highest
            down, right = _first(is_highest.T if is_turned else is_highest)
            found = (down, right + rows.start) if is_turned else (down + rows.start, right)
            place = found if highest > patch else min(place, found)
            patch = highest
    return spot, patch / 9, (place[0] / ratios.shape[0], place[1] / ratios.shape[1])


def _first(is_it: NDArray[np.bool]) -> tuple[int, int]:
    """Return the row and column of the first that is true, row by row."""
    down, right = divmod(int(is_it.argmax()), is_it.shape[1])
    return down, right


def _sums_of_nine(padded: Grey) -> Grey:
    """Sum the 3 x 3 cells around each but the outermost."""
    width, flat = padded.shape[1], padded.reshape(-1)  # in one row, as in :func:`_span`
    three = flat[:-2] + flat[1:-1]
    three += flat[2:]
    sums = np.empty((padded.shape[0] - 2) * width, np.float32)
    nine = np.add(three[: -2 * width], three[width:-width], out=sums[:-2])
    nine += three[2 * width :]
    return sums.reshape(-1, width)[:, :-2]
