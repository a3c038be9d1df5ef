"""Compare two pictures once, at full size, where their thumbnails found nothing against it; pure numpy.

A thumbnail of 64 x 64 pixels shows neither a mosaic over a face nor a background that was blurred nor what a second
compression took. Fourteen questions are asked here, each of the pair itself:

- *brightness*: is one a lighter or flatter version of the other?
- *colour*: is it as strong everywhere, and the same in every place?
- *place*: do they differ somewhere by more than their codecs made them differ elsewhere?
- *marks*: do they differ somewhere in colour and in brightness at once, by less than each of these asks for?
- *a ninth*: does a part of the witness differ by more than the rest of it, and by too little for its place?
- *light*: does light or colour fall otherwise on a large part, by less than a place would show?
- *register*: is one drawn otherwise, by a lens or a turn, or its colour moved beside its brightness?
- *strips*: did a row or a column of blocks go wrong, by less than a place would show?
- *untouched*: does anything differ between two files without loss that are equal elsewhere?
- *detail*: does the witness repeat what the needle shows at the scale of 2 to 8 pixels? Coefficients of the discrete
  cosine transform are sorted by their size in the needle, and not by its busiest places: a picture of sand and one of
  fog are asked the same question. What a JPEG of quality 25 rounds away, one of quality 75 keeps, whatever it shows.
- *evenness*: is a part of the witness less sharp than the rest of it lets expect?
- *grain*: do both have fine marks that the other has not? A copy lacks some of its original's; two shots lack each
  other's.
- *palette*: has the witness 256 colours where the needle has more, or fewer tones on even ground?
- *steps*: do the tones of the witness's file lie further apart than those of the needle's?

Knows no files, no thumbnails and no grades. The bounds were measured on photos of 500 and 768 pixels, 3 and 12
megapixels, in 30 kinds of copies and under 40 kinds of losses; docs/evidence.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dupfind.evidence import cells, color_cells, detail, spectrum, spread, strips, untouched
from dupfind.evidence.detail import Detail, Kept, Window
from dupfind.evidence.pixels import Pixels, for_places
from dupfind.evidence.spread import Spread
from dupfind.evidence.strips import Strips
from dupfind.pictures import gray
from dupfind.reasons import AT_FULL_SIZE, Reason, ReasonCode
from dupfind.values import THUMBNAIL_SIDE

RECIPE = 19
"""Version of the comparison. Raise it with every change that can alter what it finds."""
GAIN_BOUND = 0.05
"""Logarithm of the contrast between the two. Copies: 0.01; a third of a stop: 0.1."""
CURVE_BOUND = 4.0
"""Grey levels by which a band of brightness moved. 97% of copies: 2.2; a third of a stop: 11."""
SPOT_BOUNDS = {2: 7.5, 4: 4.8, 8: 4.0}
"""Worst cell of so many pixels a side, in units of what 95% of the cells of like contrast differ by."""
PATCH_BOUNDS = {2: 2.6, 4: 2.2, 8: 2.0}
"""Worst mean of 3 x 3 such cells, likewise."""
SPOT_BOUNDS_OF_SCALED = {2: 4.7, 4: 3.8, 8: 3.5}
PATCH_BOUNDS_OF_SCALED = {2: 1.9, 4: 1.7, 8: 1.5}
"""The same for two sizes, more than :data:`NEARLY` apart, where the larger one was fitted to the smaller one and less
is left: 98.5% of 259 reduced photos, in ten ways, keep to bounds up to 8% off these, and 3% of 374 with one figure
changed, of 5 pixels and more."""
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
MARK_BOUNDS = ((85, 0.42, 0.42), (67, 0.42, 0.48), (60, 0.42, 0.62), (0, 0.75, 0.75))
"""By the JPEG quality of a needle from which on they hold: worst small mark of a pair of one size, and of two. Of 3 x 3
cells of colour the share that is another one, times how far their brightness comes to the bound of places. A coarse
JPEG with halved colour smears every small mark, most where the picture was reduced before."""
MARK_BOUNDS_OF_FULL = ((85, 0.15), (60, 0.25), (0, 0.36))
"""The same of a pair of one size whose files both keep a value of colour for each pixel, which smears no mark. The most
of 65 copies: 0.04, 0.18 and 0.26."""
MARK_BOUND_OF_OTHERS, MARK_BOUND_OF_POOR_OTHERS = 0.48, 0.9
"""The same for a needle of another lossy format, and for one of few bits."""
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
REGION_BOUND_OF_OTHERS = 0.5
"""The second for a needle of another lossy format, which rounds up what lies on even ground as a JPEG does. The least
of 175 copies: 0.56."""
KEPT_BOUNDS_OF_LARGER = 0.62, 0.54
"""The same for a witness of more pixels, which may be softer, since reduced copies are sharpened. The least of 783
reduced copies, in eleven ways: 0.63 and 0.56."""
EVENNESS_BOUNDS: Mapping[Window, tuple[float, float]] = {
    (1, 1): (0.81, 0.895), (4, 4): (0.87, 0.0), (6, 6): (0.948, 0.99), (8, 3): (0.928, 0.988), (3, 8): (0.0, 0.944)
}  # fmt: skip
"""By window of so many rows and columns of regions, of 8 x 8: least share, of fine and of coarse detail, that it
repeats of what the whole picture repeats of marks as strong, three standard deviations given. The larger the window,
the less is left to chance: 7 of 312 copies, of four photos, fall below any of them."""
EVENNESS_BOUNDS_OF_REDUCED: Mapping[Window, tuple[float, float]] = {
    (1, 1): (0.88, 0.935), (4, 4): (0.92, 0.0), (6, 6): (0.967, 0.994), (8, 3): (0.955, 0.992), (3, 8): (0.0, 0.965)
}  # fmt: skip
"""The same where that needle has another size than the witness: 1 of 215 copies."""
EVENNESS_BOUNDS_OF_GOOD: Mapping[Window, tuple[float, float]] = {
    (1, 1): (0.76, 0.92), (2, 2): (0.0, 0.95), (3, 3): (0.0, 0.96), (4, 4): (0.86, 0.97), (6, 6): (0.955, 0.988),
    (8, 3): (0.93, 0.985), (3, 8): (0.0, 0.965),
}  # fmt: skip
"""The same where the needle is neither fair nor poor: none of 566 copies falls below any of them."""
EVENNESS_BOUNDS_OF_CLEAN: Mapping[Window, tuple[float, float]] = {
    (1, 1): (0.76, 0.965), (2, 2): (0.0, 0.979), (3, 3): (0.0, 0.985), (4, 4): (0.86, 0.99), (6, 6): (0.955, 0.996),
    (8, 3): (0.93, 0.994), (3, 8): (0.0, 0.991),
}  # fmt: skip
"""The same for a clean needle of the witness's size."""
STRONG_BOUND = 0.95
"""Least share of the strong marks among the coarser detail, such as outlines, that a witness of the needle's size
repeats. The least of 1,559 copies: 0.966, whatever their quality; after noise reduction, which leaves outlines and
softens them, 0.93 at most."""
FINEST_BOUND, FINEST_BOUND_OF_SCALED = 0.45, 0.54
"""Least share of the finest detail, of 2 to 2.7 pixels across or down. What was enlarged to twice its size has 0.24 at
most, sharpened beyond measure 0.39; the least of 4,080 copies of 500 and 768 pixels 0.55, of 12 megapixels 0.41, after
three programs. The second is for two sizes, where a witness that was reduced below the needle's size and enlarged again
has 0.45 to 0.6; the least of their copies: 0.57."""
HIGHEST_BOUND = 0.42
"""Least share of the strong marks of two pixels, the highest frequency, that a witness of the needle's size repeats.
Photos enlarged from 0.7 of their size have 0.26 at most, from 0.75 0.34, from 0.85 and 0.9 up to 0.57; the least of 44
copies: 0.57. Weak marks are not asked for: a witness of JPEG quality 80 has rounded them away."""
SPECTRUM_BOUND, SPECTRUM_QUALITY = 0.6, 75
"""Least share of 2 to 2.3 pixels that a witness of the needle's size repeats, to what it repeats of 2.5 to 2.9, and the
quality of a needle from which on that is asked: a coarser one has made half of that itself."""
UNEVEN_BOUND = 1.9
"""How much more a ninth of the picture differs than the usual part. Of 493 copies the most is 1.86."""
MOST_SPREAD = Spread(light=0.4, color_light=0.58, drawn=0.08, color_moved=1.0, moved=0.15)
"""What may be spread over a picture beside a good needle of its size. Of 851 copies the most is 0.24, 0.43, 0.01, 0.34
and 0.05; the least of witnesses that nothing else refuses: 0.26 and, but for that one ghost, 0.48 (light), 0.57
(coloured light), 0.1 (lens, lean, turn, shear), 1.0 (colour moved by a pixel). Formats put colour 0.7 pixels apart at
most, which is 0.98 here."""
MOST_SPREAD_OF_FAIR = MOST_SPREAD._replace(light=0.46, color_light=0.75)
MOST_SPREAD_OF_SCALED = Spread(light=0.58, color_light=0.8, drawn=0.08, color_moved=1.0)
MOST_SPREAD_OF_SIBLINGS = MOST_SPREAD_OF_SCALED._replace(color_moved=1.8)
"""The same up to :data:`NEARLY`, where halved colour was reduced by two programs: two web copies of 300 and 305 pixels
have theirs 1.5 pixels apart, which is 0.75 of a value of colour."""
MOST_SPREAD_OF_POOR = Spread(light=0.6, color_light=0.8, drawn=0.08, color_moved=1.0)
"""The same for coarser needles, which round large even parts alike, by half a step of their tables at most, for two
sizes, and for poor needles."""
MOST_SPREAD_OF_PALETTE = Spread(light=0.7, color_light=1.6, drawn=0.1, color_moved=1.5)
"""The same for a needle of 256 colours, whose dots are no mean of what they stand for."""
STRIP_BOUND, COLOR_STRIP_BOUND = 1.25, 2.5
"""Levels by which a quarter of a strip of 8 pixels may differ, in brightness and in colour. The most of 537 copies: 0.9
and 2.2."""
STEPS_BOUND = 0.08
"""How much more the witness's tones lie in steps than the needle's. Copies: 0.023 at most; photos with stretched
contrast or another gamma beside their own copies: 0.075 in 90 of 91; posterised ones, 12 levels apart: 0.1 and more in
18 of 22."""
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
NEARLY = 1.05
"""Ratio of the sides up to which two files may be siblings, two reductions of one original, of which none was made of
the other: what two programs make of every edge is no place that changed."""
LARGER = 1.25
"""Ratio of the sides from which on a witness counts as larger than the needle."""
_UNSCALED = 0.005
SAVED_QUALITY = 75
"""JPEG quality from which on a witness that is exactly what saving the needle makes keeps what a person sees of it."""
_BY_SAVING = frozenset(
    {ReasonCode.PLACE, ReasonCode.COLOR, ReasonCode.BRIGHTNESS, ReasonCode.LESS_SHARP_PART, ReasonCode.GRAIN}
)
"""What its noise may be taken for, which is measured by what is usual in a photo. Fewer tones and less detail, on the
other hand, it may have indeed."""


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
    is_lossless: bool = False
    """Whether both files keep every pixel as it is."""
    has_full_color: bool = False
    """Whether both files keep a value of colour for each pixel."""
    steps: float = 0.0
    """How much more the witness's tones lie in steps than the needle's, as the files have them."""
    is_recolored: bool = False
    """Whether the witness is compared in the palette of the needle."""

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
    def least_finest(self) -> float:
        """Least share of the needle's finest detail that a witness repeats."""
        return FINEST_BOUND_OF_SCALED if self.is_scaled else FINEST_BOUND

    @property
    def least_kept(self) -> tuple[float, float]:
        """Least share of the needle's detail that a witness repeats, in the whole picture and in a region."""
        quality = BEST_QUALITY if self.quality is None else self.quality
        of_whole, of_region = next((whole, region) for least, whole, region in KEPT_BOUNDS if quality >= least)
        return of_whole, of_region if self.bits is None else REGION_BOUND_OF_OTHERS

    @property
    def most_mark(self) -> float:
        """Worst small mark that a codec may leave, to the bound of places."""
        if self.has_palette:  # the colour of a single pixel is that of a dot
            return math.inf
        if self.bits is not None:
            return MARK_BOUND_OF_POOR_OTHERS if self.is_poor else MARK_BOUND_OF_OTHERS
        quality = BEST_QUALITY if self.quality is None else self.quality
        if self.has_full_color and not self.is_scaled:
            return next(bound for least, bound in MARK_BOUNDS_OF_FULL if quality >= least)
        return next((scaled if self.is_scaled else equal) for least, equal, scaled in MARK_BOUNDS if quality >= least)

    @property
    def most_spread(self) -> Spread:
        """What may be spread over the picture."""
        if self.has_palette:
            return MOST_SPREAD_OF_PALETTE
        if self.is_poor:
            return MOST_SPREAD_OF_POOR
        if self.is_scaled:
            return MOST_SPREAD_OF_SIBLINGS if self.is_nearly_one_size else MOST_SPREAD_OF_SCALED
        return MOST_SPREAD_OF_FAIR if self.is_fair else MOST_SPREAD

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
    def asks_for_spectrum(self) -> bool:
        """Whether the needle's highest frequencies are those of its original, and the witness was not resampled."""
        quality = BEST_QUALITY if self.quality is None else self.quality
        return self.scale == 1 and quality >= SPECTRUM_QUALITY and not (self.is_poor or self.has_palette)

    @property
    def is_nearly_one_size(self) -> bool:
        """Whether the two files may be reductions of one original, of which none was made of the other."""
        return 1 / NEARLY <= self.scale <= NEARLY

    @property
    def is_larger(self) -> bool:
        """Whether the witness has clearly more pixels than the needle."""
        return self.scale >= LARGER


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
    detail: Detail
    mark: float = 0.0
    """How far the worst small mark differs in colour and in brightness at once."""
    mark_where: tuple[float, float] = (0.5, 0.5)
    uneven: float = 1.0
    """How much more a ninth of the picture differs than the usual part of it."""
    uneven_where: tuple[float, float] = (0.5, 0.5)
    highest_to_high: float | None = None
    """Share of the highest frequencies that is repeated, to that of those a little lower; None where it is left out."""
    spread: Spread = spread.NOTHING
    strips: Strips = strips.NOTHING


def compare(needle: Pixels, witness: Pixels, facts: Facts, recolored: Pixels | None = None) -> Reason | None:
    """Tell why ``witness`` is no full copy of ``needle``, or None where nothing speaks against it.

    Both have one shape and are turned alike. ``recolored`` is the witness in the palette of the needle, where that has
    one: what the palette lacks is no place that changed. 12 megapixels take 0.06 s and 40 MB.
    """
    if facts.shown_apart > SHOWN_BOUND:  # of equal numbers too
        return Reason(ReasonCode.COLOR_PROFILE)
    if _are_equal(needle, witness):  # also where there is too little to see
        return None
    if facts.is_lossless and not facts.is_scaled:
        changed = untouched.changed_place(needle, witness)
        if changed is not None:
            return Reason(ReasonCode.PLACE, (AT_FULL_SIZE, _place(changed)))
    if recolored is None:
        return judge(measure(needle, witness, with_spectrum=facts.asks_for_spectrum), facts)
    measures = measure(needle, recolored, with_spectrum=facts.asks_for_spectrum)
    return judge(_with_whole(measures, needle, witness), facts._replace(is_recolored=True))


def may_come_of_saving(objection: Reason) -> bool:
    """Tell whether it is worth looking whether one of the two was made by saving the other."""
    return objection.code is not ReasonCode.COLOR_PROFILE  # equal numbers, which are shown otherwise


def comes_of_saving(objection: Reason, is_needle_made: bool, quality: int) -> bool:
    """Tell whether ``objection`` falls where one of the two is, to the last pixel, what saving the other one makes.

    A needle that was made of its witness has nothing that this has not, however coarse it is. A witness that was made
    of the needle lacks what its JPEG ``quality`` takes.
    """
    return is_needle_made or (quality >= SAVED_QUALITY and objection.code in _BY_SAVING)


def _with_whole(measures: Measures, needle: Pixels, witness: Pixels) -> Measures:
    """Measure what changed everywhere on the witness as it is: a palette gives a grey witness the needle's colours."""
    gain, _, curve = cells.tone(cells.levels(needle, witness))
    own, other = (color_cells.of_four_pixels(pixels) for pixels in (needle, witness))
    colors = color_cells.compare_colors(own, other, [levels for levels, _ in COLOR_SPOT_BOUNDS])
    return measures._replace(gain=gain, curve=curve, color_shift=colors[1], color_loss=colors[2])


def _are_equal(needle: Pixels, witness: Pixels) -> bool:
    if needle.color is None or witness.color is None:
        return needle.color is witness.color and np.array_equal(needle.gray, witness.gray)
    return np.array_equal(needle.color, witness.color) and np.array_equal(needle.gray, witness.gray)


def judge(measures: Measures, facts: Facts) -> Reason | None:
    """Tell what the measures say against the witness: the clearest first, so that the reason is the true one."""
    if facts.lost_colors:
        return Reason(ReasonCode.FEWER_COLORS)
    questions = _judge_tone, _judge_places, _judge_detail, _judge_tones_of_even, _judge_spread
    objections = (ask(measures, facts) for ask in questions)
    return next((objection for objection in objections if objection is not None), None)


def _judge_tone(measures: Measures, facts: Facts) -> Reason | None:
    """Judge brightness and colour, as far as they changed everywhere."""
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
    if facts.is_recolored:  # the dots lie where the palette puts them, in both
        slack = 1.0
    spot_bounds, patch_bounds = SPOT_BOUNDS, PATCH_BOUNDS
    if facts.is_scaled and not facts.is_nearly_one_size:
        spot_bounds, patch_bounds = SPOT_BOUNDS_OF_SCALED, PATCH_BOUNDS_OF_SCALED
    if _exceeds(measures.spots, spot_bounds, slack) or _exceeds(measures.patches, patch_bounds, slack):
        return Reason(ReasonCode.PLACE, (AT_FULL_SIZE, _place(measures.where)))
    for (levels, ratio), (most_levels, most_ratio) in zip(measures.color_spots, COLOR_SPOT_BOUNDS, strict=False):
        if levels > most_levels * slack and ratio > most_ratio * slack:
            return Reason(ReasonCode.COLOR, (AT_FULL_SIZE, _place(measures.color_where)))
    if measures.mark > facts.most_mark * patch_bounds[min(patch_bounds)] * slack:
        return Reason(ReasonCode.COLOR, (AT_FULL_SIZE, _place(measures.mark_where)))
    if measures.uneven > UNEVEN_BOUND * slack:
        return Reason(ReasonCode.PLACE, (AT_FULL_SIZE, _place(measures.uneven_where)))
    return None


def _exceeds(values: dict[int, float], bounds: dict[int, float], slack: float) -> bool:
    return any(value > bounds[side] * slack for side, value in values.items())


def _place(where: tuple[float, float]) -> str:
    down, right = (min(int(part * THUMBNAIL_SIDE), THUMBNAIL_SIDE - 1) for part in where)
    return gray.place(down, right)


def _judge_detail(measures: Measures, facts: Facts) -> Reason | None:
    finest = measures.detail.kept or measures.detail.kept_coarse
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
    if objection := _judge_evenness(measures, facts) or _judge_highest(measures, facts):
        return objection
    if measures.detail.grain is not None and measures.detail.grain > facts.most_grain:
        return Reason(ReasonCode.GRAIN)
    return None


def _judge_evenness(measures: Measures, facts: Facts) -> Reason | None:
    """Object where a part of the witness is less sharp than the rest of it lets expect."""
    bounds = EVENNESS_BOUNDS_OF_CLEAN if facts.is_clean else EVENNESS_BOUNDS_OF_GOOD
    if facts.is_fair or facts.is_poor:
        is_reduced = facts.is_scaled and not facts.is_nearly_one_size  # of siblings none was made of the other
        bounds = EVENNESS_BOUNDS_OF_REDUCED if is_reduced else EVENNESS_BOUNDS
    for window, of_window in bounds.items():
        for evenness, bound in zip(measures.detail.evenness, of_window, strict=True):
            if evenness[window].share < bound:
                return Reason(ReasonCode.LESS_SHARP_PART, (_place(evenness[window].where),))
    return None


def _judge_tones_of_even(measures: Measures, facts: Facts) -> Reason | None:
    """Object where the witness lacks tones that the needle has, in steps or on even ground: a posterised copy does."""
    if facts.steps > STEPS_BOUND:
        return Reason(ReasonCode.FEWER_TONES)
    bounds = (bound for _, bound in TONES_BOUNDS[: len(measures.tones)])  # a tiny picture has none
    if all(share >= bound for share, bound in zip(measures.tones, bounds, strict=True)):
        return None
    return Reason(ReasonCode.FEWER_TONES)


def _judge_spread(measures: Measures, facts: Facts) -> Reason | None:
    """Object to what differs by little and over large parts."""
    differs, most = measures.spread, facts.most_spread
    if differs.drawn > most.drawn or (differs.moved > MOST_SPREAD.moved and facts.scale == 1):
        return Reason(ReasonCode.SHIFTED)
    if differs.light > most.light:
        return Reason(ReasonCode.BRIGHTNESS, (AT_FULL_SIZE,))
    if differs.color_light > most.color_light or differs.color_moved > most.color_moved:
        return Reason(ReasonCode.COLOR, (AT_FULL_SIZE, "all over"))
    if measures.strips.light > STRIP_BOUND:
        return Reason(ReasonCode.PLACE, (AT_FULL_SIZE, _place(measures.strips.light_where)))
    if measures.strips.color > COLOR_STRIP_BOUND:
        return Reason(ReasonCode.COLOR, (AT_FULL_SIZE, _place(measures.strips.color_where)))
    return None


def _judge_kept(measures: Measures, finest: Kept, facts: Facts) -> Reason | None:
    """Object where the witness repeats too little of the needle's detail, anywhere, or has other detail beside it."""
    less, differs = (Reason(code, (AT_FULL_SIZE,)) for code in (ReasonCode.LESS_DETAIL, ReasonCode.DETAIL))
    least_share, least_in_region = KEPT_BOUNDS_OF_LARGER if facts.is_larger else facts.least_kept
    asked = [kept.share for kept in (measures.detail.kept, measures.detail.kept_coarse) if kept is not None]
    if min(asked) < least_share or (measures.detail.region is not None and measures.detail.region < least_in_region):
        return less
    if measures.detail.strong is not None and measures.detail.strong < STRONG_BOUND and not facts.is_scaled:
        return less
    if measures.detail.finest is not None and measures.detail.finest < facts.least_finest:
        return less
    if facts.is_poor:
        return None
    is_overdone = measures.detail.kept_coarse is not None and measures.detail.kept_coarse.share > MOST_KEPT_BOUND
    most_rest = facts.most_rest
    if facts.is_scaled:
        may_be_siblings = not facts.is_larger and min(asked) >= SHARE_OF_SIBLINGS
        most_rest = REST_BOUND_OF_SIBLINGS if may_be_siblings else REST_BOUND_OF_SCALED
    if finest.rest <= most_rest and not is_overdone:
        return None
    # What a larger witness does not explain may be what the needle's program made: nobody can say which is better.
    return differs if facts.is_larger else less


def _judge_highest(measures: Measures, facts: Facts) -> Reason | None:
    """Object where the witness lacks marks of two pixels, as one that was enlarged by little does."""
    highest = measures.detail.highest
    # A witness of one row more was resampled to be compared, and has lost them by that.
    is_lacking = highest is not None and highest < HIGHEST_BOUND and facts.scale == 1
    if facts.asks_for_spectrum:
        ratio = measures.highest_to_high
        is_lacking = is_lacking or (ratio is not None and ratio < SPECTRUM_BOUND)
    return Reason(ReasonCode.LESS_DETAIL, (AT_FULL_SIZE,)) if is_lacking else None


def measure(needle: Pixels, witness: Pixels, *, with_spectrum: bool = True) -> Measures:
    """Measure what differs between the two, the tone of ``witness`` matched to that of ``needle`` first.

    The spectrum takes a fifth of the time in a small picture: it is left out where nobody asks for it.
    """
    levels = cells.levels(for_places(needle), for_places(witness))
    gain, offset, curve = cells.tone(levels)
    spots: dict[int, float] = {}
    patches: dict[int, float] = {}
    tones: tuple[float, ...] = ()
    where, worst = (0.5, 0.5), 0.0
    mark, mark_where = 0.0, (0.5, 0.5)
    uneven, uneven_where = 1.0, (0.5, 0.5)
    for side, (ours, theirs) in levels.items():
        if side not in SPOT_BOUNDS:
            continue
        ratios, sample = cells.against_noise(ours, theirs, side, gain, offset)
        regions = cells.RegionSums(ratios) if side == min(SPOT_BOUNDS) else None
        spots[side], patches[side], place = cells.worst(ratios, regions)
        if regions is not None:
            tones = cells.tones_kept(sample, side, [contrast for contrast, _ in TONES_BOUNDS])
            uneven, uneven_where = regions.most_uneven()
        if side == color_cells.cell_side(needle) and needle.color is not None and witness.color is not None:
            mark, mark_where = color_cells.worst_mark(needle.color, witness.color, ratios)
        excess = max(spots[side] / SPOT_BOUNDS[side], patches[side] / PATCH_BOUNDS[side])
        if excess > worst:
            worst, where = excess, place
    own_color, other_color = (color_cells.of_four_pixels(pixels) for pixels in (needle, witness))
    colors = color_cells.compare_colors(own_color, other_color, [levels for levels, _ in COLOR_SPOT_BOUNDS])
    of_detail = detail.compare_detail(needle, witness, gain)
    ratio = spectrum.highest_to_high(needle, witness) if with_spectrum else None
    of_places = mark, mark_where, uneven, uneven_where
    of_spread = spread.compare_spread(levels, gain, (own_color, other_color))
    of_strips = strips.compare_strips(levels, gain, (own_color, other_color))
    return Measures(
        gain, curve, tones, spots, patches, where, *colors, of_detail, *of_places, ratio, of_spread, of_strips
    )
