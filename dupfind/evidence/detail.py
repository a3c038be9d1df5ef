"""What a witness repeats of the detail of a needle, at the scale of 2 to 8 pixels; pure numpy.

Coefficients of the discrete cosine transform of blocks of 8 x 8 pixels, sorted by their size in the needle and not by
its busiest places: a picture of sand and one of fog are asked the same question. What a JPEG of quality 25 rounds away,
one of quality 75 keeps, whatever it shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence.pixels import Bytes, Grey, Pixels, median, once

Kernel = TypeVar("Kernel")
Window = tuple[int, int]
"""Rows and columns of regions."""
_BLOCK = 8
_MOST_PLACES = 4
"""Sizes of pictures whose sampled blocks are kept, 0.3 MB each: the pictures of a collection share a few sizes."""
_MOST_BLOCKS = 16_000
"""Blocks of 8 x 8 pixels that detail is measured on, spread evenly over the picture."""
_REGIONS = 8
_LEAST_DETAIL, _MOST_DETAIL, _MOST_IN_REGION = 8.0, 16.0, 64.0
"""Sizes of the coefficients that are asked for: what a JPEG of quality 75 keeps and one of quality 40 loses."""
_STRONG_SIZES = 26.0, 90.0
_FINEST_ORDER, _FINEST_SIZES = 5, (8.0, 90.0)
"""Which coefficients across or down are the finest, and the sizes that are asked for."""
_MOST_BESIDE, _HIGHEST_SIZES = 4, (24.0, 90.0)
"""How high the other one of the two orders of the highest coefficients may be, and the sizes that are asked for."""
_ASKED_OF_KERNELS = 2
"""Fine and coarse detail tell kernels apart."""
_STRENGTHS = np.array([6, 8, 10, 12.5, 16, 20, 26, 34, 45, 64, 90], np.float32)
"""Between these, coefficients are as strong as each other where evenness is asked for."""
_LOWER_BITS = np.uint32(16)
"""Those of a number of 32 bits that are zero in each strength."""
_FIRST_BITS, _LAST_BITS = (_STRENGTHS[[0, -1]].view(np.uint32) >> _LOWER_BITS).tolist()
_UPPER_BITS = np.arange(_FIRST_BITS, _LAST_BITS + 1, dtype=np.uint32)
_KIND_OF_BITS = np.searchsorted(_STRENGTHS, ((_UPPER_BITS << _LOWER_BITS) + 1).view(np.float32)) - 1
_EVENNESS_DEVIATIONS, _LEAST_EXPECTED = 3, 0.05
_FEWEST_FITTED, _FEWEST_OF_NOISE = 5, 20
"""Coefficients that a region has to have, so that it counts in what is fitted to the regions, and in their noise."""
_HAIR = np.float32(2**-10)
"""More than the rounding of a coefficient, and less than anything that matters."""
_FAINT_DETAIL = 4.0
"""Where a picture has too little of that, as fog has, coefficients from this size on are asked for."""
_FEWEST_COEFFICIENTS = 60


class Kept(NamedTuple):
    """How much of one picture's detail another one repeats."""

    share: float
    """1 where all is repeated, 0 where nothing is."""
    rest: float
    """Energy of the difference to that of the detail; 0 where all is repeated."""


class Least(NamedTuple):
    """The window of a picture that repeats least of what the whole picture lets expect."""

    share: float
    """How much of that it repeats, at best; 1 where no window has enough detail."""
    where: tuple[float, float]
    """Down and right, each 0 to 1: its centre."""


Evenness = Mapping[Window, Least]
WINDOWS: tuple[Window, ...] = (1, 1), (2, 2), (3, 3), (4, 4), (6, 6), (8, 3), (3, 8)
EVEN = {window: Least(1.0, (0.5, 0.5)) for window in WINDOWS}


def closest(
    gray: Bytes, boxes: Sequence[tuple[int, int, int, int]], versions: Mapping[Kernel, Sequence[Bytes]]
) -> Kernel:
    """Tell by which kernel a picture becomes most like ``gray`` (height, width), a reduced copy of it.

    ``versions`` has, by kernel, what each of ``boxes`` (left, top, right, bottom) of that copy would show. Programs
    reduce with several kernels, and what the wrong one leaves would hide a change. The first one where nothing
    differs.
    """
    apart = dict.fromkeys(versions, 0.0)
    for number, (left, top, right, bottom) in enumerate(boxes):
        own = gray[top:bottom, left:right]
        if min(own.shape) < _BLOCK:
            continue
        places = np.arange((own.shape[0] // _BLOCK) * (own.shape[1] // _BLOCK))
        detail = _coefficients(own, places)[:_ASKED_OF_KERNELS]
        for kernel, tiles in versions.items():
            for ours, theirs in zip(detail, _coefficients(tiles[number], places), strict=False):
                difference = ours - theirs
                apart[kernel] += float(np.vdot(difference, difference))
    return min(apart, key=apart.__getitem__)


class Detail(NamedTuple):
    """What a witness repeats of a needle's detail."""

    kept: Kept | None
    """Detail of 2 to 3 pixels; None where the needle has none."""
    kept_coarse: Kept | None
    """Detail of 4 to 8 pixels."""
    finest: float | None
    """Share of the finest detail that is repeated; None where there is little."""
    strong: float | None
    """The same of the strong marks among the coarser detail."""
    region: float | None
    """Share of the detail that is repeated in the region that repeats least."""
    grain: float | None
    """Unexplained share of the coarser detail, of the better explained of the two."""
    evenness: tuple[Evenness, Evenness]
    """Of fine and of coarse detail."""
    highest: float | None = None
    """Share of the highest frequency that is repeated, as ``finest``."""


def compare_detail(needle: Pixels, witness: Pixels, gain: float) -> Detail:
    """Compare the detail of two pictures of one size; ``gain`` is the contrast of the needle to that of the witness."""
    height, width = needle.gray.shape
    if min(height, width) < _BLOCK:
        return Detail(None, None, None, None, None, None, (EVEN, EVEN))
    places, firsts = _sampled_blocks(height // _BLOCK, width // _BLOCK)
    (fine, coarse, highest), (fine_other, coarse_other, highest_other) = (
        once(pixels, "coefficients", lambda gray: _coefficients(gray, places)) for pixels in (needle, witness)
    )
    if gain != 1.0:
        fine_other, coarse_other, highest_other = (
            part * np.float32(gain) for part in (fine_other, coarse_other, highest_other)
        )
    of_fine, of_coarse = (_clear(*both, firsts) for both in ((fine, fine_other), (coarse, coarse_other)))
    kept, kept_coarse = (_kept_of(*band[:3], _LEAST_DETAIL, _MOST_DETAIL) for band in (of_fine, of_coarse))
    reverse = _kept(coarse_other, coarse, _LEAST_DETAIL, _MOST_DETAIL)
    grain = None if kept_coarse is None or reverse is None else min(kept_coarse.rest, reverse.rest)
    if kept is None and kept_coarse is None:
        kept_coarse = _kept(coarse, coarse_other, _FAINT_DETAIL, _LEAST_DETAIL)
    finest_ours, finest_theirs = (np.ascontiguousarray(part[:, _FIRST_FINEST:]) for part in (fine, fine_other))
    finest = _kept(finest_ours, finest_theirs, *_FINEST_SIZES)
    strong = _kept_of(*of_coarse[:3], *_STRONG_SIZES)
    even_fine, even_coarse = _evenness([of_fine, of_coarse])
    of_highest = _kept(highest, highest_other, *_HIGHEST_SIZES)
    finest_share, strong_share, highest_share = (
        None if part is None else part.share for part in (finest, strong, of_highest)
    )
    region = _poorest_region(of_fine)
    evenness = even_fine, even_coarse
    return Detail(kept, kept_coarse, finest_share, strong_share, region, grain, evenness, highest_share)


class _Clear(NamedTuple):
    """Coefficients of one picture that are neither faint nor extreme, each (n,)."""

    asked: Grey
    answers: Grey
    """The same ones of the other picture."""
    sizes: Grey
    firsts: NDArray[np.intp]
    """Region by region, where it begins, and where the last one ends."""
    totals: NDArray[np.intp]
    """How many coefficients each region has, the faint and the extreme ones too."""

    def where(self, is_it: NDArray[np.bool]) -> _Clear:
        """Pick those for which ``is_it`` (n,) is true."""
        chosen = np.flatnonzero(is_it)
        asked, answers, sizes = (part.take(chosen) for part in (self.asked, self.answers, self.sizes))
        return _Clear(asked, answers, sizes, np.searchsorted(chosen, self.firsts), self.totals)

    def sums(self, *values: Grey) -> NDArray[np.float64]:
        """Sum values of each coefficient, each (n,), region by region: (values, regions)."""
        table = np.zeros((len(values), self.asked.size + 1), np.float32)  # the last region may be empty
        for row, of_each in zip(table, values, strict=True):
            row[:-1] = of_each
        sums = np.add.reduceat(table, self.firsts[:-1], 1).astype(np.float64)
        return sums * (self.firsts[1:] > self.firsts[:-1])


def _sizes(coefficients: Grey) -> Grey:
    """Return how large coefficients are, a hair more: many are whole multiples, and rounding shall decide nothing."""
    sizes = np.abs(coefficients)
    sizes += _HAIR
    return sizes


def _clear(ours: Grey, theirs: Grey, firsts: NDArray[np.intp]) -> _Clear:
    """Pick the coefficients that are asked for; ``firsts`` has the first block of each region, and the end."""
    sizes = _sizes(ours)
    chosen = np.flatnonzero((sizes > _STRENGTHS[0]) & (sizes <= _STRENGTHS[-1]))
    asked, answers, sizes = (part.take(chosen) for part in (ours, theirs, sizes))
    in_band = firsts * ours.shape[1]
    return _Clear(asked, answers, sizes, np.searchsorted(chosen, in_band), np.diff(in_band))


def _evenness(bands: Sequence[_Clear]) -> list[Evenness]:
    """Return, of each band and by the size of the window, the least share of what is expected that a window repeats, at
    best.

    Expected is what the whole picture repeats of coefficients as large: what a JPEG rounds away is missing everywhere,
    and what it rounds up is more where little lies. At best: three standard deviations above what it does repeat.
    """
    of_regions = np.stack([_repeated(band) for band in bands], 1)
    counts, repeated, expected, variances = of_regions @ _WINDOW_SUMS.T
    at_best = repeated + _EVENNESS_DEVIATIONS * np.sqrt(variances)
    shares = np.divide(at_best, expected, out=np.full(counts.shape, np.inf), where=counts >= _FEWEST_OF_WINDOWS)
    return [{window: _least(of_band, window) for window in EVEN} for of_band in shares.tolist()]


def _repeated(band: _Clear) -> NDArray[np.float64]:
    """Count those of each region; return (4, regions): how many there are, what they repeat, what was expected of them,
    and the variance of that.
    """
    kinds = _kinds(band.sizes)
    products, energies = band.asked * band.answers, band.asked * band.asked
    of_all = np.bincount(kinds, products, _STRENGTHS.size) / np.maximum(
        np.bincount(kinds, energies, _STRENGTHS.size), 1
    )
    expected = energies * of_all.clip(_LEAST_EXPECTED).astype(np.float32).take(kinds)
    strays = products - expected
    strays *= strays
    differences = band.asked - band.answers
    differences *= differences
    counts = np.diff(band.firsts)
    sums = band.sums(products, expected, strays, differences, band.sizes)
    sums[1] = np.maximum(sums[1] - _rounded_up(band, counts, sums), _LEAST_EXPECTED * sums[1])
    return np.stack([counts, *sums[:3]])


def _rounded_up(band: _Clear, counts: NDArray[np.intp], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much less of each region is expected than of the whole picture, since little lies in it, (regions,).

    Where values fall off as exp(-size / b), of one to which noise of variance s was added s / b less is to be expected
    (Tweedie's formula, as in Efron 2011): most of what a codec has made as large was smaller. How many of a region
    are larger than the least that is asked for tells its b. One s is fitted to all regions, and is no more than what
    the two pictures differ by in the usual one: a smooth part that was smoothed further is not explained by it.
    """
    repeated, expected, variances, differences, strengths = sums
    is_counted = counts >= _FEWEST_OF_NOISE
    if not is_counted.any():
        return np.zeros(counts.shape)
    noise = median(differences[is_counted] / counts[is_counted])
    fall = np.log(np.maximum(band.totals, 1) / np.maximum(counts, 1)) / float(_STRENGTHS[0])
    usual = float(strengths @ fall) / float(strengths.sum())
    less = strengths * (fall - usual)
    weights = np.where(counts >= _FEWEST_FITTED, less / np.maximum(variances, 1), 0)
    fitted = float(weights @ (expected - repeated)) / max(float(weights @ less), 1e-12)
    less *= min(max(fitted, 0.0), noise)
    return np.asarray(less, np.float64)


def _least(shares: list[float], window: Window) -> Least:
    """Find the window of a size that repeats least; ``shares`` has all windows, infinite where too little is asked.

    Of few numbers Python finds the least sooner than numpy.
    """
    first, (rows, columns) = _FIRST_WINDOWS[window], window
    across = _REGIONS - columns + 1
    of_size = shares[first : first + (_REGIONS - rows + 1) * across]
    share = min(of_size)
    if share == math.inf:
        return EVEN[window]
    top, left = divmod(of_size.index(share), across)
    return Least(share, ((top + rows / 2) / _REGIONS, (left + columns / 2) / _REGIONS))


def _window_sums() -> tuple[NDArray[np.float64], dict[Window, int]]:
    """Return what sums the regions of every window of every size, (windows, regions), and the first of each size."""
    sums: list[NDArray[np.float64]] = []
    firsts = {}
    for rows, columns in EVEN:
        firsts[rows, columns] = len(sums)
        for top, left in np.ndindex(_REGIONS - rows + 1, _REGIONS - columns + 1):
            window = np.zeros((_REGIONS, _REGIONS))
            window[top : top + rows, left : left + columns] = 1
            sums.append(window.reshape(-1))
    return np.array(sums), firsts


_WINDOW_SUMS, _FIRST_WINDOWS = _window_sums()
_FEWEST_OF_WINDOWS = _FEWEST_COEFFICIENTS * np.sqrt(_WINDOW_SUMS.sum(1))
"""Coefficients that a window has to have: a large one with few of them would be left to chance as a small one is."""


def _kinds(sizes: Grey) -> NDArray[np.intp]:
    """Tell between which two of :data:`_STRENGTHS` each size lies, from 0 on; one that equals a strength lies below it.

    The upper half of the bits tells it: looking that up takes a fifteenth of the time of a search.
    """
    bits = sizes.view(np.uint32) - np.uint32(1)
    bits >>= _LOWER_BITS
    bits -= np.uint32(_FIRST_BITS)
    return _KIND_OF_BITS.take(bits)


@lru_cache(maxsize=_MOST_PLACES)
def _sampled_blocks(rows: int, columns: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return numbers of the blocks to look at, region by region, and where in them each region begins, and the last
    one ends.

    What is given is shared and not to be changed.
    """
    step = max(1, rows * columns // _MOST_BLOCKS)
    while step > 1 and math.gcd(step, columns) > 1:  # or they would stand in a few columns
        step += 1
    places = np.arange(0, rows * columns, step)
    regions = places // columns * _REGIONS // rows * _REGIONS + places % columns * _REGIONS // columns
    order = regions.argsort(kind="stable")
    return places[order], np.searchsorted(regions[order], np.arange(_REGIONS**2 + 1))


def _coefficients(grey: Bytes, places: NDArray[np.intp]) -> tuple[Grey, Grey, Grey]:
    """Return coefficients of the orthonormal discrete cosine transform of the blocks, see :data:`_FINE`.

    The fine ones, (blocks, 18), the coarse ones, (blocks, 9), and those of the highest frequency, (blocks, 10).
    """
    rows, columns = grey.shape[0] // _BLOCK, grey.shape[1] // _BLOCK
    down, right = places // columns, places % columns
    whole = grey[: rows * _BLOCK, : columns * _BLOCK]
    if whole.strides[1] == 1:  # eight pixels at once
        chosen = whole.view(np.uint64).reshape(rows, _BLOCK, columns)[down, :, right].view(np.uint8)
    elif whole.strides[0] == 1:
        turned = whole.T.view(np.uint64).reshape(columns, _BLOCK, rows)[right, :, down].view(np.uint8)
        chosen = turned.reshape(-1, _BLOCK, _BLOCK).swapaxes(1, 2)  # the same to the last bit, however it lies
    else:
        chosen = whole.reshape(rows, _BLOCK, columns, _BLOCK)[down, :, right]
    values = chosen.reshape(-1, _BLOCK**2).astype(np.float32)
    return values @ _FINE_BASIS, values @ _COARSE_BASIS, values @ _HIGHEST_BASIS


def _kept(ours: Grey, theirs: Grey, least: float, most: float) -> Kept | None:
    """Measure how ``theirs`` repeats the coefficients of ``ours`` of these sizes; None where there are too few."""
    return _kept_of(ours, theirs, _sizes(ours), least, most)


def _kept_of(ours: Grey, theirs: Grey, sizes: Grey, least: float, most: float) -> Kept | None:
    """Measure the same where :func:`_sizes` of ``ours`` are known."""
    chosen = np.flatnonzero((sizes >= least) & (sizes < most))
    if chosen.size < _FEWEST_COEFFICIENTS:
        return None
    asked, answers = ours.take(chosen), theirs.take(chosen)
    energy = float(np.vdot(asked, asked))
    difference = asked - answers
    return Kept(float(np.vdot(asked, answers)) / energy, float(np.vdot(difference, difference)) / energy)


def _poorest_region(band: _Clear) -> float | None:
    """Return the least share of the detail that is repeated in a region; None where no region has enough of it."""
    strong = band.where((band.sizes >= _LEAST_DETAIL) & (band.sizes < _MOST_IN_REGION))
    is_rich = np.diff(strong.firsts) >= _FEWEST_COEFFICIENTS
    if not is_rich.any():
        return None
    energies, products = strong.sums(strong.asked * strong.asked, strong.asked * strong.answers)[:, is_rich]
    return float((products / energies).min())


def _basis(wanted: NDArray[np.intp]) -> Grey:
    """Return what blocks of 8 x 8 pixels, row by row, are multiplied by: (64, coefficients wanted).

    The discrete cosine transform of 8 values (ITU-T T.81, annex A), across and down.
    """
    order = np.arange(_BLOCK)
    matrix = np.cos(np.pi * (2 * order[None] + 1) * order[:, None] / (2 * _BLOCK)) * math.sqrt(2 / _BLOCK)
    matrix[0] /= math.sqrt(2)
    columns = [np.outer(matrix[down], matrix[across]).reshape(-1) for across, down in wanted]
    return np.ascontiguousarray(np.transpose(columns), np.float32)


_ORDER = np.add.outer(np.arange(_BLOCK), np.arange(_BLOCK))
_FINE, _COARSE = (np.argwhere(np.isin(_ORDER, orders)) for orders in ((4, 5, 6), (1, 2, 3)))
"""Which coefficients are detail of 2 to 4 pixels and of 4 and more, each across and down."""
_FINE = _FINE[_FINE.max(1).argsort(kind="stable")]
_FIRST_FINEST = int(np.count_nonzero(_FINE.max(1) < _FINEST_ORDER))
"""The finest ones come last."""
_HIGHEST = np.array([pair for order in range(_MOST_BESIDE + 1) for pair in ((_BLOCK - 1, order), (order, _BLOCK - 1))])
"""The last ones across or down, marks of two pixels: what was enlarged by a seventh and more has next to none."""
_FINE_BASIS, _COARSE_BASIS, _HIGHEST_BASIS = _basis(_FINE), _basis(_COARSE), _basis(_HIGHEST)
