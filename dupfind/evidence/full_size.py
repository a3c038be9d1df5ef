"""Compare two pictures once, at full size, where their thumbnails found nothing against it; pure numpy.

A thumbnail of 64 x 64 pixels shows neither a mosaic over a face nor a background that was blurred nor what a second
compression took. Seven questions are asked here, each of the pair itself:

- *brightness*: is one a lighter or flatter version of the other?
- *colour*: is it as strong everywhere, and the same in every place?
- *place*: do they differ somewhere by more than their codecs made them differ elsewhere?
- *detail*: does the witness repeat what the needle shows at the scale of 2 to 8 pixels? Coefficients of the discrete
  cosine transform are sorted by their size in the needle, and not by its busiest places: a picture of sand and one of
  fog are asked the same question. What a JPEG of quality 25 rounds away, one of quality 75 keeps, whatever it shows.
- *evenness*: is a part of the witness less sharp than the rest of it lets expect?
- *grain*: do both have fine marks that the other has not? A copy lacks some of its original's; two shots lack each
  other's.
- *palette*: has the witness 256 colours where the needle has more, or fewer tones on even ground?

Knows no files, no thumbnails and no grades. The bounds were measured on photos of 500 and 768 pixels, 3 and 12
megapixels, in 30 kinds of copies and under 40 kinds of losses; docs/evidence.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures import gray
from dupfind.reasons import AT_FULL_SIZE, Reason, ReasonCode
from dupfind.values import THUMBNAIL_SIDE

Bytes = NDArray[np.uint8]
Grey = NDArray[np.float32]
Sums = NDArray[np.uint16]
Made = TypeVar("Made")
Kernel = TypeVar("Kernel")
Window = tuple[int, int]
"""Rows and columns of regions."""

RECIPE = 7
"""Version of the comparison. Raise it with every change that can alter what it finds."""

GAIN_BOUND = 0.05
"""Logarithm of the contrast between the two. Copies: 0.01; a third of a stop: 0.1."""
CURVE_BOUND = 4.0
"""Grey levels by which a band of brightness moved. 97% of copies: 2.2; a third of a stop: 11."""
SPOT_BOUNDS = {2: 7.5, 4: 4.8, 8: 4.0}
"""Worst cell of so many pixels a side, in units of what 95% of the cells of like contrast differ by."""
PATCH_BOUNDS = {2: 2.6, 4: 2.2, 8: 2.0}
"""Worst mean of 3 x 3 such cells, likewise."""
TONES_BOUNDS = ((6, 0.92), (3, 0.88))
"""On ground of at most so much contrast: least share of the needle's tones that the witness has. None of 1,305 copies
has less; of 26 posterised ones, which have their tones 10 to 16 levels apart in each colour, 19 do."""
PALETTE_SLACK, SCALED_SLACK = 1.5, 1.15
"""What these two are multiplied by for a needle of 256 colours, whose dots lie where its program put them, and for a
pair of slightly different sizes, which may be two copies of one original."""
COLOR_GAIN_BOUND, COLOR_GAIN_BOUND_OF_FAIR = 0.88, 0.825
"""Least ratio of the strength of colour, either way. Copies down to JPEG quality 40: 0.95; four fifths: 0.8. Small
JPEGs of weak colour lose some of it."""
COLOR_SPOT_BOUNDS = ((8.0, 3.6), (6.0, 3.3))
"""By cells of 8 and of 16 pixels: worst difference of colour in levels, and in units of what 95% differ by. Both have
to be exceeded."""
COLOR_SHIFT_BOUND = 3.0
"""Mean change of Cb and Cr in levels: another white balance. Copies: 1."""
COLOR_LOSS_BOUND = 3.6
"""Levels by which 2% of the cells of 16 pixels are more colourful in the needle. Copies: 2.9; black-and-white copies of
weakly coloured photos: 4.3."""
SHOWN_BOUND = 2.0
"""Levels of sRGB by which 5% of the needle's colours are shown otherwise by the witness's profile. Eight profiles of
sRGB: 0.0 for 40 photos; Display P3 and Adobe RGB: 9 and 11.5 in the median, 0 to 70 by how colourful a photo is."""
COLOR_DETAIL_BOUND = 0.5
"""Share of the detail of colour, of 4 pixels, that the witness repeats."""
KEPT_BOUNDS = ((92, 0.72, 0.62), (85, 0.6, 0.36), (0, 0.57, 0.26))
"""By the JPEG quality of a needle from which on they hold: least share of its detail that the witness repeats in the
whole picture, and in each of 8 x 8 regions. A JPEG rounds its detail up as often as down, the more the lower its
quality. A subject out of focus has 0.5 or less in its region."""
KEPT_BOUNDS_OF_LARGER = 0.62, 0.54
"""The same for a witness of more pixels, which may be softer, since reduced copies are sharpened. The least of 783
reduced copies, in eleven ways: 0.63 and 0.56."""
EVENNESS_BOUNDS: Mapping[Window, tuple[float, float]] = {
    (1, 1): (0.76, 0.87), (4, 4): (0.84, 0.0), (6, 6): (0.935, 0.988), (8, 3): (0.91, 0.985), (3, 8): (0.0, 0.93)
}  # fmt: skip
"""By window of so many rows and columns of regions, of 8 x 8: least share, of fine and of coarse detail, that it
repeats of what the whole picture repeats of marks as strong, three standard deviations given. The larger the window,
the less is left to chance: 0.1% of 2,110 copies fall below any of them."""
EVENNESS_BOUNDS_OF_GOOD: Mapping[Window, tuple[float, float]] = {
    (1, 1): (0.76, 0.92), (2, 2): (0.0, 0.95), (3, 3): (0.0, 0.96), (4, 4): (0.86, 0.97), (6, 6): (0.955, 0.988),
    (8, 3): (0.93, 0.985), (3, 8): (0.0, 0.965),
}  # fmt: skip
"""The same where the needle is neither fair nor poor: 0.2% of 1,160 copies fall below any of them."""
EVENNESS_BOUNDS_OF_CLEAN: Mapping[Window, tuple[float, float]] = {
    (1, 1): (0.76, 0.965), (2, 2): (0.0, 0.979), (3, 3): (0.0, 0.985), (4, 4): (0.86, 0.99), (6, 6): (0.955, 0.996),
    (8, 3): (0.93, 0.994), (3, 8): (0.0, 0.991),
}  # fmt: skip
"""The same for a clean needle of the witness's size."""
STRONG_BOUND = 0.95
"""Least share of the strong marks among the coarser detail, such as outlines, that a witness of the needle's size
repeats. The least of 1,559 copies: 0.966, whatever their quality; after noise reduction, which leaves outlines and
softens them, 0.93 at most."""
FINEST_BOUND = 0.45
"""Least share of the finest detail, of 2 to 2.7 pixels across or down. The least of 2,397 copies: 0.58; what was
enlarged to twice its size has 0.24 at most, however well it was done."""
MOST_KEPT_BOUND = 1.22
"""The same from above: a witness that was sharpened to make up for what it lacks has more than there is."""
REST_BOUND, REST_BOUND_OF_FAIR = 0.65, 0.75
"""What the witness leaves unexplained of the needle's detail, as a share of its energy. A poor needle has noise of its
own there and is not asked."""
REST_BOUND_OF_SCALED, REST_BOUND_OF_SIBLINGS, SHARE_OF_SIBLINGS = 0.27, 0.5, 0.81
"""The same for two sizes: a reduction averages noise, and 99.5% of reduced copies leave 0.2. Two copies of one original
of nearly one size leave up to 0.45, the noise of two programs, but share 0.81 of the detail."""
GOOD_QUALITY = 85
"""JPEG quality of a needle from which on its coefficients are nearly those of its original."""
BEST_QUALITY = 100
POOR_QUALITY, POOR_BITS = 60, 0.8
"""JPEG quality and, for other lossy formats, bits a pixel, below which a needle's own noise is as large as the detail
that is asked for."""
GRAIN_BOUND, GRAIN_BOUND_OF_OTHERS, GRAIN_BOUND_OF_SCALED = 0.22, 0.5, 0.3
"""Unexplained share of the coarser detail, of the better explained of the two. Copies between JPEG and lossless
formats: 0.13; frames of a static camera from 0.05% of moved area on: 0.24. The second bound is for codecs whose noise
is not that of JPEG. Reduced copies have 0.13, two reduced copies of one original up to 0.29."""
LARGER = 1.25
"""Ratio of the sides from which on a witness counts as larger than the needle."""

_BAND_LEVELS, _LEAST_BAND = 16, 0.02
_CLIPPED_LOW, _CLIPPED_HIGH = 2, 253
_MOST_GAIN = 1.3
"""A curve steeper than this, or flatter, is not fitted: at 0 everything in the witness would be explained away."""
_UNSCALED = 0.005
_UNCHANGED_GAIN, _UNCHANGED_OFFSET = 0.002, 0.1
_NOISE_FLOORS = {2: 1.0, 4: 0.7, 8: 0.5}
"""Grey levels that may differ without any codec: where strong colours were cut off on the way to RGB, for example."""
_NOISE_SHARE = 0.95
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
_CLASS_OF_CONTRAST = np.searchsorted(_CONTRASTS, np.arange(256)).astype(np.uint16)
_LEVELS = 256 * _NOISE_STEPS
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
_STRENGTHS = np.array([6, 8, 10, 12.5, 16, 20, 26, 34, 45, 64, 90], np.float32)
"""Between these, coefficients are as strong as each other where evenness is asked for."""
_LOWER_BITS = np.uint32(16)
"""Those of a number of 32 bits that are zero in each strength."""
_FIRST_BITS, _LAST_BITS = (_STRENGTHS[[0, -1]].view(np.uint32) >> _LOWER_BITS).tolist()
_UPPER_BITS = np.arange(_FIRST_BITS, _LAST_BITS + 1, dtype=np.uint32)
_KIND_OF_BITS = np.searchsorted(_STRENGTHS, ((_UPPER_BITS << _LOWER_BITS) + 1).view(np.float32)) - 1
_EVENNESS_DEVIATIONS, _LEAST_EXPECTED = 3, 0.05
_HAIR = np.float32(2**-10)
"""More than the rounding of a coefficient, and less than anything that matters."""
_FAINT_DETAIL = 4.0
"""Where a picture has too little of that, as fog has, coefficients from this size on are asked for."""
_FEWEST_COEFFICIENTS = 60
_LEAST_COLOR = 6.0
"""Mean square of Cb and Cr, in levels, below which a picture has no colour of which the strength could be told."""
_NO_COLOR = 128
_COLOR_FLOORS = 1.0, 0.7
_COLOR_SIDES = 2, 4
"""Values of colour a side of these cells."""
_LEAST_COLOR_STEP = 10
_LOSS_SHARE = 0.98
_RIM_WEIGHT = 0.6
"""What a difference in the outermost cells counts: the last rows and columns of a picture are what encoders pad, and
where two programs resample differently."""


class Pixels(NamedTuple):
    """One side of a comparison, upright or turned, at the size at which the two are compared."""

    gray: Bytes
    """(height, width)"""
    color: Bytes | None
    """(2, height, width) of Cb and Cr (ITU-R BT.601, 128 is grey), each the mean of 4 x 4 pixels; None without."""
    made: dict[str, Any] | None = None
    """What was made of ``gray`` alone, for the next pair that it is in: 0.7 bytes a pixel, and at most 4 MB; None where
    nothing is to be kept."""


class Facts(NamedTuple):
    """What is known of the two files."""

    quality: int | None = None
    """Of a JPEG needle, 1 to 100; None of other formats."""
    bits: float | None = None
    """A pixel, of a needle in another lossy format; None of JPEG and lossless ones."""
    scale: float = 1.0
    """Sides of the witness to those of the needle, as the files have them."""
    has_palette: bool = False
    """Whether the needle has 256 colours at most."""
    lost_colors: bool = False
    """Whether the witness has a palette and the needle has none."""
    shown_apart: float = 0.0
    """Levels of sRGB by which the needle's colours would be shown otherwise by the witness's profile."""

    @property
    def is_poor(self) -> bool:
        """Whether the needle's own noise is as large as the detail that is asked for."""
        if self.quality is not None:
            return self.quality < POOR_QUALITY
        return self.bits is not None and self.bits < POOR_BITS

    @property
    def is_fair(self) -> bool:
        """Whether the needle is a JPEG whose coefficients were rounded coarsely."""
        return self.quality is not None and self.quality < GOOD_QUALITY

    @property
    def is_clean(self) -> bool:
        """Whether what the needle's format did to it is known and little, and nothing is resampled."""
        return self.bits is None and not (self.is_poor or self.has_palette or self.is_scaled)

    @property
    def least_kept(self) -> tuple[float, float]:
        """Least share of the needle's detail that a witness repeats, in the whole picture and in a region."""
        quality = BEST_QUALITY if self.quality is None else self.quality
        return next((whole, region) for least, whole, region in KEPT_BOUNDS if quality >= least)

    @property
    def most_rest(self) -> float:
        """Share of the energy of the needle's detail that a witness of its size may leave unexplained."""
        return REST_BOUND_OF_FAIR if self.is_fair else REST_BOUND

    @property
    def most_grain(self) -> float:
        """The same of the coarser detail, of the better explained of the two."""
        if self.is_scaled:
            return GRAIN_BOUND_OF_SCALED
        return GRAIN_BOUND_OF_OTHERS if self.is_poor or self.bits is not None else GRAIN_BOUND

    @property
    def is_scaled(self) -> bool:
        """Whether the two files have different sizes."""
        return abs(self.scale - 1) >= _UNSCALED

    @property
    def is_larger(self) -> bool:
        """Whether the witness has clearly more pixels than the needle."""
        return self.scale >= LARGER


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
_EVEN = {window: Least(1.0, (0.5, 0.5)) for window in {**EVENNESS_BOUNDS, **EVENNESS_BOUNDS_OF_GOOD}}


class Measures(NamedTuple):
    """How two pictures differ at full size."""

    gain: float
    """Contrast of the needle to that of the witness."""
    curve: float
    """Grey levels by which the band of brightness that moved most has moved."""
    tones: tuple[float, ...]
    """How many tones the witness has on even ground, to those of the needle; 1 where it has few."""
    spots: dict[int, float]
    """By the side of a cell in pixels, as ``patches``; see the bounds for the units."""
    patches: dict[int, float]
    where: tuple[float, float]
    """Down and right, each 0 to 1: the worst place."""
    color_gain: float | None
    """Strength of colour, the weaker to the stronger; None where neither has any."""
    color_shift: float
    """Mean change of Cb or of Cr in levels, the larger."""
    color_loss: float
    """Levels by which the needle is more colourful, in the 2% of the cells of 16 pixels where it is most so."""
    color_kept: float | None
    """Share of the needle's detail of colour that the witness repeats; None where it has none."""
    color_spots: tuple[tuple[float, float], ...]
    """By cells of 8 and 16 pixels: worst difference in levels, and in units of what is usual in the pair."""
    color_where: tuple[float, float]
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


def compare(needle: Pixels, witness: Pixels, facts: Facts) -> Reason | None:
    """Tell why ``witness`` is no full copy of ``needle``, or None where nothing speaks against it.

    Both have one shape and are turned alike. 12 megapixels take 0.06 s and 40 MB.
    """
    if facts.shown_apart > SHOWN_BOUND:  # of equal numbers too
        return Reason(ReasonCode.COLOR_PROFILE)
    if _are_equal(needle, witness):  # also where there is too little to see
        return None
    return judge(measure(needle, witness), facts)


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
        detail = _coefficients(own, places)
        for kernel, tiles in versions.items():
            for ours, theirs in zip(detail, _coefficients(tiles[number], places), strict=True):
                difference = ours - theirs
                apart[kernel] += float(np.vdot(difference, difference))
    return min(apart, key=apart.__getitem__)


def _are_equal(needle: Pixels, witness: Pixels) -> bool:
    if needle.color is None or witness.color is None:
        return needle.color is witness.color and np.array_equal(needle.gray, witness.gray)
    return np.array_equal(needle.color, witness.color) and np.array_equal(needle.gray, witness.gray)


def judge(measures: Measures, facts: Facts) -> Reason | None:
    """Tell what the measures say against the witness: the clearest first, so that the reason is the true one."""
    if facts.lost_colors:
        return Reason(ReasonCode.FEWER_COLORS)
    questions = _judge_tone, _judge_places, _judge_detail, _judge_tones_of_even
    objections = (ask(measures, facts) for ask in questions)
    return next((objection for objection in objections if objection is not None), None)


def _judge_tone(measures: Measures, facts: Facts) -> Reason | None:
    """Brightness and colour, as far as they changed everywhere."""
    if abs(math.log(measures.gain)) > GAIN_BOUND or measures.curve > CURVE_BOUND:
        return Reason(ReasonCode.BRIGHTNESS, (AT_FULL_SIZE,))
    least_gain = COLOR_GAIN_BOUND_OF_FAIR if facts.is_fair else COLOR_GAIN_BOUND
    if measures.color_gain is not None and measures.color_gain < least_gain:
        return Reason(ReasonCode.COLOR_STRENGTH)
    if measures.color_loss > COLOR_LOSS_BOUND:
        return Reason(ReasonCode.LESS_COLOR)
    if measures.color_shift > COLOR_SHIFT_BOUND:
        return Reason(ReasonCode.COLOR, (AT_FULL_SIZE, "all over"))
    return None


def _judge_places(measures: Measures, facts: Facts) -> Reason | None:
    """Name what changed in one place."""
    slack = PALETTE_SLACK if facts.has_palette else SCALED_SLACK if facts.is_scaled and not facts.is_larger else 1.0
    if _exceeds(measures.spots, SPOT_BOUNDS, slack) or _exceeds(measures.patches, PATCH_BOUNDS, slack):
        return Reason(ReasonCode.PLACE, (AT_FULL_SIZE, _place(measures.where)))
    for (levels, ratio), (most_levels, most_ratio) in zip(measures.color_spots, COLOR_SPOT_BOUNDS, strict=False):
        if levels > most_levels * slack and ratio > most_ratio * slack:
            return Reason(ReasonCode.COLOR, (AT_FULL_SIZE, _place(measures.color_where)))
    return None


def _exceeds(values: dict[int, float], bounds: dict[int, float], slack: float) -> bool:
    return any(value > bounds[side] * slack for side, value in values.items())


def _place(where: tuple[float, float]) -> str:
    down, right = (min(int(part * THUMBNAIL_SIDE), THUMBNAIL_SIDE - 1) for part in where)
    return gray.place(down, right)


def _judge_detail(measures: Measures, facts: Facts) -> Reason | None:
    finest = measures.kept or measures.kept_coarse
    if finest is None:
        return Reason(ReasonCode.PLAIN)
    if objection := _judge_kept(measures, finest, facts):
        return objection
    if (
        measures.color_kept is not None
        and measures.color_kept < COLOR_DETAIL_BOUND
        and not (facts.is_fair or facts.is_poor)
    ):
        return Reason(ReasonCode.LESS_COLOR_DETAIL)
    if objection := _judge_evenness(measures, facts):
        return objection
    if measures.grain is not None and measures.grain > facts.most_grain:
        return Reason(ReasonCode.GRAIN)
    return None


def _judge_evenness(measures: Measures, facts: Facts) -> Reason | None:
    """Object where a part of the witness is less sharp than the rest of it lets expect."""
    bounds = EVENNESS_BOUNDS_OF_CLEAN if facts.is_clean else EVENNESS_BOUNDS_OF_GOOD
    if facts.is_fair or facts.is_poor:
        bounds = EVENNESS_BOUNDS
    for window, of_window in bounds.items():
        for evenness, bound in zip(measures.evenness, of_window, strict=True):
            if evenness[window].share < bound:
                return Reason(ReasonCode.LESS_SHARP_PART, (_place(evenness[window].where),))
    return None


def _judge_tones_of_even(measures: Measures, _: Facts) -> Reason | None:
    """Object where the witness lacks tones that the needle has on even ground: a posterised copy does."""
    bounds = (bound for _, bound in TONES_BOUNDS[: len(measures.tones)])  # a tiny picture has none
    if all(share >= bound for share, bound in zip(measures.tones, bounds, strict=True)):
        return None
    return Reason(ReasonCode.FEWER_TONES)


def _judge_kept(measures: Measures, finest: Kept, facts: Facts) -> Reason | None:
    """Object where the witness repeats too little of the needle's detail, anywhere, or has other detail beside it."""
    less, other = (Reason(code, (AT_FULL_SIZE,)) for code in (ReasonCode.LESS_DETAIL, ReasonCode.DETAIL))
    least_share, least_in_region = KEPT_BOUNDS_OF_LARGER if facts.is_larger else facts.least_kept
    asked = [kept.share for kept in (measures.kept, measures.kept_coarse) if kept is not None]
    if min(asked) < least_share or (measures.region is not None and measures.region < least_in_region):
        return less
    if measures.strong is not None and measures.strong < STRONG_BOUND and not facts.is_scaled:
        return less
    if measures.finest is not None and measures.finest < FINEST_BOUND:
        return less
    if facts.is_poor:
        return None
    is_overdone = measures.kept_coarse is not None and measures.kept_coarse.share > MOST_KEPT_BOUND
    most_rest = facts.most_rest
    if facts.is_scaled:
        may_be_siblings = not facts.is_larger and min(asked) >= SHARE_OF_SIBLINGS
        most_rest = REST_BOUND_OF_SIBLINGS if may_be_siblings else REST_BOUND_OF_SCALED
    if finest.rest <= most_rest and not is_overdone:
        return None
    # What a larger witness does not explain may be what the needle's program made: nobody can say which is better.
    return other if facts.is_larger else less


def measure(needle: Pixels, witness: Pixels) -> Measures:
    """Measure what differs between the two, the tone of ``witness`` matched to that of ``needle`` first."""
    levels = _levels(needle, witness)
    side, pair = max(levels.items())
    step = math.isqrt(pair[0].sums.size // _MOST_TONES) + 1
    sampled = [np.asarray(cells.sums[::step, ::step] / side**2, np.float32) for cells in pair]
    gain, offset, curve = _tone(sampled[0], sampled[1])
    spots: dict[int, float] = {}
    patches: dict[int, float] = {}
    tones: tuple[float, ...] = ()
    where, worst = (0.5, 0.5), 0.0
    for side, (ours, theirs) in levels.items():
        if side not in SPOT_BOUNDS:
            continue
        ratios, sample = _against_noise(ours, theirs, side, gain, offset)
        spots[side], patches[side], place = _worst(ratios)
        if side == min(SPOT_BOUNDS):
            tones = _tones_kept(sample, side)
        excess = max(spots[side] / SPOT_BOUNDS[side], patches[side] / PATCH_BOUNDS[side])
        if excess > worst:
            worst, where = excess, place
    colors = _compare_colors(needle.color, witness.color)
    detail = _compare_detail(needle, witness, gain)
    return Measures(
        gain, curve, tones, spots, patches, where, *colors,
        detail.kept, detail.kept_coarse, detail.finest, detail.strong, detail.region, detail.grain, detail.evenness,
    )  # fmt: skip


def _peak(values: Grey) -> tuple[float, float]:
    """Place of the greatest value, down and right, each 0 to 1."""
    down, right = divmod(int(values.argmax()), values.shape[1])
    return down / values.shape[0], right / values.shape[1]


class _Cells(NamedTuple):
    """A picture as cells of so many pixels a side, both laid out as its pixels are."""

    sums: Sums
    spans: Bytes
    """Contrast around each: greatest minus least mean of 3 x 3 cells."""


def _levels(needle: Pixels, witness: Pixels) -> dict[int, tuple[_Cells, _Cells]]:
    """Cells of 2 x 2, 4 x 4 and 8 x 8 pixels of both, by their side; of 1 x 1 where there are no more."""
    ours, theirs = (_once(pixels, "cells", _all_cells) for pixels in (needle, witness))
    levels: dict[int, tuple[_Cells, _Cells]] = {}
    for side, pair in zip(SPOT_BOUNDS, zip(ours, theirs, strict=True), strict=False):
        is_mixed = _lies_turned(pair[0].sums) != _lies_turned(pair[1].sums)
        levels[side] = (_laid_out(pair[0]), _laid_out(pair[1])) if is_mixed else pair
    return levels or {1: (_cells(needle.gray.astype(np.uint16), 1), _cells(witness.gray.astype(np.uint16), 1))}


def _laid_out(cells: _Cells) -> _Cells:
    return _Cells(np.ascontiguousarray(cells.sums), np.ascontiguousarray(cells.spans))


def _all_cells(gray: Bytes) -> list[_Cells]:
    """Cells of 2 x 2, 4 x 4 and 8 x 8 pixels, as far as there are enough of them."""
    levels: list[_Cells] = []
    values: Bytes | Sums = gray
    for side in SPOT_BOUNDS:
        if min(values.shape) < (2 * _SMALLEST_MAP if levels else 2):
            break
        values = _sums_of_four(values)
        levels.append(_cells(values, side))
    return levels


def _cells(sums: Sums, side: int) -> _Cells:
    if _lies_turned(sums):
        lying = _cells(sums.T, side)
        return _Cells(lying.sums.T, lying.spans.T)
    spans, shift = np.empty(sums.shape, np.uint8), 2 * (side.bit_length() - 1)
    for rows in _strips(sums.shape):
        spans[rows] = _span(_padded(sums, rows, np.uint8, shift))
    return _Cells(sums, spans)


def _once(pixels: Pixels, name: str, make: Callable[[Bytes], Made]) -> Made:
    """Return what ``make`` gives of the gray of ``pixels``, made once."""
    if pixels.made is None:
        return make(pixels.gray)
    if name not in pixels.made:
        pixels.made[name] = make(pixels.gray)
    made: Made = pixels.made[name]
    return made


def _sums_of_four(values: NDArray[np.uint8] | Sums) -> Sums:
    """Sums of 2 x 2 values; an odd last row or column is left to those before it. Laid out as ``values`` are."""
    if _lies_turned(values):
        return _sums_of_four(values.T).T
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


def _tone(target: Grey, source: Grey) -> tuple[float, float, float]:
    """Gain and offset that bring ``source`` closest to ``target``, and how far the band that moved most has moved."""
    is_known = (target > _CLIPPED_LOW) & (target < _CLIPPED_HIGH) & (source > _CLIPPED_LOW) & (source < _CLIPPED_HIGH)
    chosen = np.flatnonzero(is_known)  # takes a fifth of the time of a mask, here and below
    known_target, known_source = target.take(chosen), source.take(chosen)
    bands = (target / _BAND_LEVELS).astype(np.uint8).reshape(-1)
    moved = (target - source).take(bands.argsort(kind="stable"))  # of one band after the other
    by_band = np.split(moved, np.bincount(bands).cumsum()[:-1])
    moves = [abs(_median(band)) for band in by_band if band.size >= max(1, _LEAST_BAND * target.size)]
    gain, offset = gray.fit_tone(known_source, known_target)
    if not 1 / _MOST_GAIN <= gain <= _MOST_GAIN:
        gain, offset = 1.0, float(np.median(known_target - known_source)) if known_target.size else 0.0
    if abs(gain - 1) < _UNCHANGED_GAIN and abs(offset) < _UNCHANGED_OFFSET:
        gain, offset = 1.0, 0.0
    return gain, offset, max(moves, default=0.0)


def _median(values: Grey) -> float:
    """Compute the median as ``np.median`` does, sooner."""
    middle = values.size // 2
    ordered = np.partition(values, middle)
    return float(ordered[middle] if values.size % 2 else (ordered[:middle].max() + ordered[middle]) / 2)


class _Sample(NamedTuple):
    """Cells of the whole picture, at most :data:`_MOST_SAMPLED`."""

    own: Sums
    other: Sums
    contrasts: Bytes
    """Around each cell, the lesser of the two."""


def _against_noise(needle: _Cells, witness: _Cells, side: int, gain: float, offset: float) -> tuple[Grey, _Sample]:
    """Difference of each cell, in units of what 95% of the cells of like contrast differ by in this pair.

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
    sample = _Sample(ours[sampled], theirs[sampled], contrasts[sampled])
    difference = _difference(sample.own, sample.other, side, gain, offset)
    noise = _noise(difference, sample.contrasts, _NOISE_FLOORS[side])
    weights = (1 / noise)[_CLASS_OF_CONTRAST]
    ratios = np.empty(ours.shape, np.float32)
    for rows in _strips(ours.shape):
        difference = _difference(ours[rows], theirs[rows], side, gain, offset)
        np.multiply(difference, weights.take(contrasts[rows], mode="wrap"), out=ratios[rows])
    ratios = ratios.T if is_turned else ratios
    ratios[[0, -1]] *= _RIM_WEIGHT
    ratios[1:-1, [0, -1]] *= _RIM_WEIGHT
    return ratios, sample


def _tones_kept(sample: _Sample, side: int) -> tuple[float, ...]:
    """Return how many tones the witness has on even ground to those of the needle, see :data:`TONES_BOUNDS`."""
    shares = []
    shift = 2 * (side.bit_length() - 1)
    for contrast, _ in TONES_BOUNDS:
        even = np.flatnonzero(sample.contrasts <= contrast)
        ours = theirs = 1.0
        if even.size >= max(_FEWEST_EVEN, _LEAST_EVEN * sample.contrasts.size):
            ours, theirs = (_tone_count(sums.take(even) >> shift) for sums in (sample.own, sample.other))
        shares.append(theirs / ours if ours >= _FEWEST_TONES else 1.0)
    return tuple(shares)


def _tone_count(tones: NDArray[np.integer[Any]]) -> float:
    """Effective number of tones: the exponential of the entropy of their histogram (Hill 1973, order 1).

    Smoothed over three levels, since a JPEG of quality 40 has the tones of a sky 2.5 levels apart.
    """
    counts = np.convolve(np.bincount(tones, minlength=256), (1, 1, 1), "same")
    shares = counts[counts > 0] / max(1, counts.sum())
    return math.exp(-float(shares @ np.log(shares)))


def _difference(ours: Sums, theirs: Sums, side: int, gain: float, offset: float) -> Grey:
    """Grey levels by which each cell differs, the tone of ``theirs`` matched."""
    share = np.float32(1 / side**2)
    if (gain, offset) == (1.0, 0.0):  # the same numbers, sooner
        apart = np.maximum(ours, theirs)
        apart -= np.minimum(ours, theirs)
        return np.asarray(np.multiply(apart, share, dtype=np.float32))
    difference = ours.astype(np.float32)
    difference *= share
    tuned = theirs.astype(np.float32)
    tuned *= share * np.float32(gain)
    tuned += np.float32(offset)
    difference -= tuned
    return np.abs(difference, out=difference)


def _padded(values: NDArray[Any], rows: slice, kind: type[np.generic], shift: int = 0) -> NDArray[Any]:
    """Shift these rows of ``values`` to the right, with one more on every side; beyond an edge is what is on it."""
    height, width = values.shape
    top, bottom = max(0, rows.start - 1), min(height, rows.stop + 1)
    padded = np.empty((rows.stop - rows.start + 2, width + 2), kind)
    strip = padded[top - rows.start + 1 : bottom - rows.start + 1]
    strip[:, 1:-1] = values[top:bottom] >> shift if shift else values[top:bottom]
    strip[:, 0], strip[:, -1] = strip[:, 1], strip[:, -2]
    if top == rows.start:
        padded[0] = padded[1]
    if bottom == rows.stop:
        padded[-1] = padded[-2]
    return padded


def _noise(difference: Grey, contrasts: Bytes, floor: float) -> Grey:
    """Estimate what 95% of the cells of each class of contrast differ by, and ``floor``."""
    keys = np.minimum(difference * np.float32(_NOISE_STEPS), _LEVELS - 1).astype(np.uint16)
    most = int(keys.max()) + 1
    keys += (_CLASS_OF_CONTRAST * np.uint16(most)).take(contrasts, mode="wrap")
    counts = np.bincount(keys.reshape(-1), minlength=_CLASSES * most).reshape(_CLASSES, most)
    running = counts.cumsum(1)
    totals = running[:, -1]
    counted = np.flatnonzero(totals >= _FEWEST_CELLS)
    if counted.size == 0:
        return np.full(_CLASSES, floor + float(np.median(difference)), np.float32)
    is_reached = running[counted] >= (_NOISE_SHARE * totals[counted])[:, None]
    noises = is_reached.argmax(1) / _NOISE_STEPS
    return np.asarray(floor + np.interp(np.arange(_CLASSES), counted, noises), np.float32)


def _span(padded: Bytes) -> Bytes:
    """Greatest minus least of the 3 x 3 cells around each but the outermost."""
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


def _worst(ratios: Grey) -> tuple[float, float, tuple[float, float]]:
    """Return the greatest value, the greatest mean of 3 x 3 values, and where that is: down and right, each 0 to 1."""
    is_turned = _lies_turned(ratios)
    values = ratios.T if is_turned else ratios
    spot, patch, place = 0.0, -1.0, (0, 0)
    for rows in _strips(values.shape):
        padded = _padded(values, rows, np.float32)
        sums = _sums_of_nine(padded)
        spot, highest = max(spot, float(padded.max())), float(sums.max())
        if highest > patch or (is_turned and highest == patch):
            is_highest = sums == highest
            first = _first(is_highest.T if is_turned else is_highest)
            first = (first[0], first[1] + rows.start) if is_turned else (first[0] + rows.start, first[1])
            place = first if highest > patch else min(place, first)
            patch = highest
    return spot, patch / 9, (place[0] / ratios.shape[0], place[1] / ratios.shape[1])


def _first(is_it: NDArray[np.bool]) -> tuple[int, int]:
    """Row and column of the first that is true, row by row."""
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


def _compare_colors(
    ours: Bytes | None, theirs: Bytes | None
) -> tuple[float | None, float, float, float | None, tuple[tuple[float, float], ...], tuple[float, float]]:
    """Strength of colour, its shift, its loss, what is kept of its detail, the worst places, and where the worst is."""
    shape = next((color.shape for color in (ours, theirs) if color is not None), (2, 0, 0))
    if min(shape) <= 1:
        return None, 0.0, 0.0, None, (), (0.5, 0.5)
    levels = [
        np.full(shape, _NO_COLOR, np.uint8) if color is None else np.ascontiguousarray(color)
        for color in (ours, theirs)
    ]
    means = [color.reshape(2, -1).sum(1, dtype=np.uint64) / (shape[1] * shape[2]) for color in levels]
    shift = float(np.abs(means[0] - means[1]).max())
    kept = _color_kept(*levels)
    spots: list[tuple[float, float]] = []
    where, gain = (0.5, 0.5), None
    planes: list[Grey] = []
    cells: list[Bytes | Sums] = [*levels]
    for floor, side, (most_levels, _) in zip(_COLOR_FLOORS, _COLOR_SIDES, COLOR_SPOT_BOUNDS, strict=True):
        if min(cells[0].shape[1:]) <= 1:
            break
        cells = [np.stack([_sums_of_four(plane) for plane in color]) for color in cells]
        planes = [color * np.float32(1 / side**2) - np.float32(_NO_COLOR) for color in cells]
        if gain is None:
            gain = _color_gain(*planes)
        difference = _lengths(planes[0] - planes[1])
        worst = float(difference.max())
        if worst > most_levels and where == (0.5, 0.5):
            where = _peak(difference)
        spots.append((worst, worst / (floor + _quantile(difference, _NOISE_SHARE))))
    loss = _quantile(np.subtract(*map(_lengths, planes)), _LOSS_SHARE)
    return gain, shift, loss, kept, tuple(spots), where


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
    if asked.size < _FEWEST_COEFFICIENTS:
        return None
    return float(np.vdot(asked, answers) / np.vdot(asked, asked))


def _color_gain(ours: Grey, theirs: Grey) -> float | None:
    """Strength of colour of the weaker to that of the stronger, by least squares; None where neither has any."""
    common = float(np.vdot(ours, theirs))
    energies = [float(np.vdot(plane, plane)) for plane in (ours, theirs)]
    gains = [common / energy for energy in energies if energy > _LEAST_COLOR * ours.size]
    return min(gains) if gains else None


class _Detail(NamedTuple):
    """See :class:`Measures`."""

    kept: Kept | None
    kept_coarse: Kept | None
    finest: float | None
    strong: float | None
    region: float | None
    grain: float | None
    evenness: tuple[Evenness, Evenness]


def _compare_detail(needle: Pixels, witness: Pixels, gain: float) -> _Detail:
    """Compare what the witness repeats of the needle's detail, as :class:`Measures` names it."""
    height, width = needle.gray.shape
    if min(height, width) < _BLOCK:
        return _Detail(None, None, None, None, None, None, (_EVEN, _EVEN))
    places, firsts = _sampled_blocks(height // _BLOCK, width // _BLOCK)
    (fine, coarse), (fine_other, coarse_other) = (
        _once(pixels, "coefficients", lambda gray: _coefficients(gray, places)) for pixels in (needle, witness)
    )
    if gain != 1.0:
        fine_other, coarse_other = (part * np.float32(gain) for part in (fine_other, coarse_other))
    of_fine, of_coarse = (_clear(*both, firsts) for both in ((fine, fine_other), (coarse, coarse_other)))
    kept = _kept(of_fine.asked, of_fine.answers, _LEAST_DETAIL, _MOST_DETAIL)
    kept_coarse = _kept(of_coarse.asked, of_coarse.answers, _LEAST_DETAIL, _MOST_DETAIL)
    reverse = _kept(coarse_other, coarse, _LEAST_DETAIL, _MOST_DETAIL)
    grain = None if kept_coarse is None or reverse is None else min(kept_coarse.rest, reverse.rest)
    if kept is None and kept_coarse is None:
        kept_coarse = _kept(coarse, coarse_other, _FAINT_DETAIL, _LEAST_DETAIL)
    finest_ours, finest_theirs = (np.ascontiguousarray(part[:, _FINEST]) for part in (fine, fine_other))
    finest = _kept(finest_ours, finest_theirs, *_FINEST_SIZES)
    strong = _kept(of_coarse.asked, of_coarse.answers, *_STRONG_SIZES)
    even_fine, even_coarse = _evenness([of_fine, of_coarse])
    finest_share, strong_share = (None if part is None else part.share for part in (finest, strong))
    region = _poorest_region(of_fine)
    return _Detail(kept, kept_coarse, finest_share, strong_share, region, grain, (even_fine, even_coarse))


class _Clear(NamedTuple):
    """Coefficients of one picture that are neither faint nor extreme, each (n,)."""

    asked: Grey
    answers: Grey
    """The same ones of the other picture."""
    sizes: Grey
    firsts: NDArray[np.intp]
    """Region by region, where it begins, and where the last one ends."""

    def where(self, is_it: NDArray[np.bool]) -> _Clear:
        """Pick those for which ``is_it`` (n,) is true."""
        chosen = np.flatnonzero(is_it)
        asked, answers, sizes = (part.take(chosen) for part in (self.asked, self.answers, self.sizes))
        return _Clear(asked, answers, sizes, np.searchsorted(chosen, self.firsts))

    def sums(self, values: Grey) -> NDArray[np.float64]:
        """Sum one value of each coefficient, region by region."""
        sums = np.add.reduceat(np.append(values, np.float32(0)), self.firsts[:-1])
        return np.where(np.diff(self.firsts) > 0, sums, 0).astype(np.float64)


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
    return _Clear(asked, answers, sizes, np.searchsorted(chosen, firsts * ours.shape[1]))


def _evenness(bands: Sequence[_Clear]) -> list[Evenness]:
    """Of each band, least share of what is expected of it that a window repeats, at best, by the size of the window.

    Expected is what the whole picture repeats of coefficients as large: what a JPEG rounds away is missing everywhere.
    At best: three standard deviations above what it does repeat.
    """
    of_regions = np.stack([_repeated(band) for band in bands], 1)
    counts, repeated, expected, variances = of_regions @ _WINDOW_SUMS.T
    at_best = repeated + _EVENNESS_DEVIATIONS * np.sqrt(variances)
    shares = np.divide(at_best, expected, out=np.full(counts.shape, np.inf), where=counts >= _FEWEST_COEFFICIENTS)
    return [{window: _least(of_band, window) for window in _EVEN} for of_band in shares]


def _repeated(band: _Clear) -> NDArray[np.float64]:
    """Of each region: how many there are, what they repeat, what was expected of them, and the variance of that.

    (4, regions).
    """
    kinds = _kinds(band.sizes)
    products, energies = band.asked * band.answers, band.asked * band.asked
    of_all = np.bincount(kinds, products, _STRENGTHS.size) / np.maximum(
        np.bincount(kinds, energies, _STRENGTHS.size), 1
    )
    expected = energies * of_all.clip(_LEAST_EXPECTED).astype(np.float32).take(kinds)
    strays = products - expected
    strays *= strays
    return np.stack([np.diff(band.firsts), *(band.sums(values) for values in (products, expected, strays))])


def _least(shares: NDArray[np.float64], window: Window) -> Least:
    """Find the window of a size that repeats least; ``shares`` has all windows, infinite where too little is asked."""
    first, (rows, columns) = _FIRST_WINDOWS[window], window
    across = _REGIONS - columns + 1
    of_size = shares[first : first + (_REGIONS - rows + 1) * across]
    place = int(of_size.argmin())
    if of_size[place] == np.inf:
        return _EVEN[window]
    top, left = divmod(place, across)
    return Least(float(of_size[place]), ((top + rows / 2) / _REGIONS, (left + columns / 2) / _REGIONS))


def _window_sums() -> tuple[NDArray[np.float64], dict[Window, int]]:
    """Return what sums the regions of every window of every size, (windows, regions), and the first of each size."""
    sums: list[NDArray[np.float64]] = []
    firsts = {}
    for rows, columns in _EVEN:
        firsts[rows, columns] = len(sums)
        for top, left in np.ndindex(_REGIONS - rows + 1, _REGIONS - columns + 1):
            window = np.zeros((_REGIONS, _REGIONS))
            window[top : top + rows, left : left + columns] = 1
            sums.append(window.reshape(-1))
    return np.array(sums), firsts


_WINDOW_SUMS, _FIRST_WINDOWS = _window_sums()


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
    """Numbers of the blocks to look at, region by region, and where in them each region begins, and the last one ends.

    What is given is shared and not to be changed.
    """
    step = max(1, rows * columns // _MOST_BLOCKS)
    while step > 1 and math.gcd(step, columns) > 1:  # or they would stand in a few columns
        step += 1
    places = np.arange(0, rows * columns, step)
    regions = places // columns * _REGIONS // rows * _REGIONS + places % columns * _REGIONS // columns
    order = regions.argsort(kind="stable")
    return places[order], np.searchsorted(regions[order], np.arange(_REGIONS**2 + 1))


def _coefficients(grey: Bytes, places: NDArray[np.intp]) -> tuple[Grey, Grey]:
    """Coefficients of the orthonormal discrete cosine transform of the blocks, see :data:`_FINE`.

    The fine ones, (blocks, 18), and the coarse ones, (blocks, 9).
    """
    rows, columns = grey.shape[0] // _BLOCK, grey.shape[1] // _BLOCK
    down, right = places // columns, places % columns
    whole = grey[: rows * _BLOCK, : columns * _BLOCK]
    if whole.strides[1] == 1:  # eight pixels at once
        chosen = whole.view(np.uint64).reshape(rows, _BLOCK, columns)[down, :, right].view(np.uint8)
    elif whole.strides[0] == 1:
        turned = whole.T.view(np.uint64).reshape(columns, _BLOCK, rows)[right, :, down].view(np.uint8)
        chosen = turned.reshape(-1, _BLOCK, _BLOCK).swapaxes(1, 2)
    else:
        chosen = whole.reshape(rows, _BLOCK, columns, _BLOCK)[down, :, right]
    values = chosen.reshape(-1, _BLOCK**2).astype(np.float32)
    return values @ _FINE_BASIS, values @ _COARSE_BASIS


def _kept(ours: Grey, theirs: Grey, least: float, most: float) -> Kept | None:
    """Measure how ``theirs`` repeats the coefficients of ``ours`` of these sizes; None where there are too few."""
    sizes = _sizes(ours)
    chosen = np.flatnonzero((sizes >= least) & (sizes < most))
    if chosen.size < _FEWEST_COEFFICIENTS:
        return None
    asked, answers = ours.take(chosen), theirs.take(chosen)
    energy = float(np.vdot(asked, asked))
    difference = asked - answers
    return Kept(float(np.vdot(asked, answers)) / energy, float(np.vdot(difference, difference)) / energy)


def _poorest_region(band: _Clear) -> float | None:
    """Least share of the detail that is repeated in a region; None where no region has enough of it."""
    strong = band.where((band.sizes >= _LEAST_DETAIL) & (band.sizes < _MOST_IN_REGION))
    is_rich = np.diff(strong.firsts) >= _FEWEST_COEFFICIENTS
    if not is_rich.any():
        return None
    energies, products = (strong.sums(strong.asked * values)[is_rich] for values in (strong.asked, strong.answers))
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
_FINEST = _FINE.max(1) >= _FINEST_ORDER
_FINE_BASIS, _COARSE_BASIS = _basis(_FINE), _basis(_COARSE)
