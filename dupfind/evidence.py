"""Two thumbnails and what is known of their files to a grade of evidence and its reason; pure.

People delete a needle because of `same`, so every test here has to agree before it is given, and what a test cannot
tell ends as `similar`. The tests see 64 x 64 grey pixels and 8 x 8 of colour: what covers less than a few of them is
invisible. Knows no files, no search and no other pairs.

The bounds were measured on 395 web photos of 500 pixels, 24 of 768 and 8 of 12 megapixels under 48 edits each, on the
frames of static cameras, and on photos unrelated to each other.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dupfind import captured, fingerprint, greys
from dupfind.greys import Grey
from dupfind.values import CHROMA_SIDE, FIRST_TRANSPOSED, MIRRORED, THUMBNAIL_SIDE, Evidence, Thumbnail

RECIPE = 1
"""Version of the rules. Raise it with every change that can alter a grade or a reason."""

CHECK_BOUND_BITS = 68
"""Of 256. Unrelated photos, also turned and mirrored, start at 84; of the crops by 5%, 99% end at 60."""
STRUCTURE_BOUND_BITS = 16
"""Of 256, for `same`. Copies end at 10; it guards pictures too flat for the pixel tests."""
SPOT_BOUND = 1.8, 250.0
"""Worst pixel: the first plus the second divided by the side of the smaller picture in pixels, since what a codec
does averages out in a picture of 4,000 pixels and not in one of 200. Passed by 98 to 100% of the copies, by 5% of
the pictures with 0.1% of their area replaced, 1% with 0.25% and none with 0.5%."""
PATCH_BOUND = 1.0, 330.0
"""Worst tile of 4 x 4 pixels, for what is wide and faint, such as a shadow; the bound as for a spot."""
LOCAL_BOUND = 3.5
"""Worst tile against the upper quartile of the tiles: is the difference a thing in one place?"""
SHIFT_BOUND = 0.3
"""Thumbnail pixels by which a corner moved. 99.9% of copies: 0.21; 99% of the crops by 1% lie above 0.33."""
TONE_BOUND = 4.0
"""Mean shift of the grey levels by the tone curve. Copies end at 1; a tenth darker is 12 at the median."""
COLOUR_BOUND = 8
"""Worst of the 8 x 8 tiles of Cb and Cr. 99% of copies down to q25 and to a quarter of the size: 7; 95% of the
black-and-white copies of photos lie above 9. What passes had hardly any colour to lose."""
ASPECT_BOUND = 0.015
"""Logarithm between the two aspect ratios; what rounding a size to whole pixels can do is added."""
SIZE_BOUND = 10 / 9
"""Needle to witness, in width and in height. A tenth less cannot be seen, 1,600 for 4,000 can."""
CONTRAST_BOUND = 8.0
"""Standard deviation in grey levels below which noise is most of what is left."""
PAPER_BOUND = 0.35
"""Share of an even bright ground with nothing dark on it: text pages that differ in two digits pass all else."""
TWO_TONE_BOUND = 0.9
"""Share of the pixels in the two most frequent of 16 bands of grey."""
TINY_PIXELS = THUMBNAIL_SIDE
"""A side below which the thumbnail is an enlargement."""

_MOST_BY_MOTION = 4.0
_COLOURLESS = 2
_CLIPPED_LOW, _CLIPPED_HIGH = 2, 253
_BANDS, _PAPER, _PAPER_BAND, _INK = 16, 176, 17, 128


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One side of a comparison, prepared once and used for many pairs; about 75 kB."""

    thumbnail: Thumbnail
    pixels: fingerprint.Pixels
    """(64, 64), upright or turned."""
    colour: NDArray[np.int16]
    """(2, 8, 8), Cb and Cr."""
    check: int
    """The 256-bit pHash."""
    smooth: Grey
    """(64, 64), the pixels under a Gaussian of sigma 0.6; everything below is of these."""
    across: Grey
    """(64, 64), slope to the right, in grey levels a pixel."""
    down: Grey
    """(64, 64), slope downwards."""
    span: Grey
    """(64, 64), greatest minus least of the 3 x 3 pixels around each."""
    is_unclipped: NDArray[np.bool_]
    """(64, 64), False where black or white may have cut the tone off."""
    contrast: float
    """Standard deviation in grey levels."""
    weakness: str | None
    """Why the picture shows too little to be proved by pixels, or None."""
    moment: captured.Moment | None
    """When it was taken."""


@dataclass(frozen=True, slots=True)
class Test:
    """One test of a pair: it passes while ``value`` keeps to ``bound``."""

    name: str
    value: float
    bound: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What two pictures are to each other."""

    evidence: Evidence | None
    """``SAME``, ``SIMILAR``, or None when they have nothing to do with each other."""
    reason: str | None
    """Why it is not `same`, or how the needle is turned; None when there is nothing to say."""
    tests: tuple[Test, ...]


def prepare(thumbnail: Thumbnail) -> Picture:
    """Compute once what every comparison with ``thumbnail`` needs; 0.3 ms."""
    pixels = fingerprint.pixels(thumbnail.pixels)
    smooth = greys.smoothed(pixels)
    down, across = greys.slopes(smooth)
    contrast = float(smooth.std())
    return Picture(
        thumbnail=thumbnail,
        pixels=pixels,
        colour=_planes(thumbnail).astype(np.int16),
        check=fingerprint.check_hash(pixels),
        smooth=smooth,
        across=across,
        down=down,
        span=greys.span(smooth),
        is_unclipped=(pixels > _CLIPPED_LOW) & (pixels < _CLIPPED_HIGH),
        contrast=contrast,
        weakness=_weakness(thumbnail, pixels, contrast),
        moment=captured.parse(thumbnail.captured),
    )


def turned(picture: Picture, orientation: int) -> Picture:
    """``picture`` as :func:`dupfind.fingerprint.turn` shows it, its width and height exchanged where they are."""
    if orientation == 0:
        return picture
    sides = picture.thumbnail.width, picture.thumbnail.height
    width, height = sides[::-1] if orientation >= FIRST_TRANSPOSED else sides
    pixels = fingerprint.turn(picture.pixels, orientation).tobytes()
    chroma = b"".join(fingerprint.turn(plane, orientation).tobytes() for plane in _planes(picture.thumbnail))
    return prepare(dataclasses.replace(picture.thumbnail, pixels=pixels, chroma=chroma, width=width, height=height))


def _planes(thumbnail: Thumbnail) -> NDArray[np.uint8]:
    return np.frombuffer(thumbnail.chroma, np.uint8).reshape(2, CHROMA_SIDE, CHROMA_SIDE)


def judge(needle: Picture, witness: Picture, orientation: int = 0) -> Judgement:
    """Grade ``witness`` as evidence for ``needle``, which was turned by ``orientation`` beforehand; 0.3 ms.

    `same` needs every test to pass; the reason is that of the first that fails, facts before pixels.
    """
    distance_bits = (needle.check ^ witness.check).bit_count()
    check = _at_most("check hash", distance_bits, CHECK_BOUND_BITS)
    if not check.passed:
        return Judgement(None, "unlike each other", (check,))
    structure = _at_most("structure", distance_bits, STRUCTURE_BOUND_BITS), "the structure differs"
    colour = _colour_test(needle, witness)
    findings = (*_fact_tests(needle, witness, orientation), *_pixel_tests(needle, witness), colour, structure)
    tests = (check, *(test for test, _ in findings))
    for test, reason in findings:
        if not test.passed:
            return Judgement(Evidence.SIMILAR, reason, tests)
    return Judgement(Evidence.SAME, _TURNS.get(orientation), tests)


_TURNS = {2: "turned by 180 degrees", 5: "turned by 90 degrees", 7: "turned by 90 degrees"}
_TILES = THUMBNAIL_SIDE // 4
_DOWN, _RIGHT = np.meshgrid(*[np.linspace(-1, 1, THUMBNAIL_SIDE, dtype=np.float32)] * 2, indexing="ij")
_Finding = tuple[Test, str]  # a test and what a failure of it means, in words for the user


def _at_most(name: str, value: float, bound: float) -> Test:
    return Test(name, float(value), float(bound), value <= bound)


def _fact_tests(needle: Picture, witness: Picture, orientation: int) -> tuple[_Finding, ...]:
    """What the two files say of themselves and overrules their pixels."""
    one, other = needle.thumbnail, witness.thumbnail
    stretch = abs(math.log(one.width * other.height / (one.height * other.width)))
    rounding = sum(0.5 / side for side in (one.width, one.height, other.width, other.height))
    smaller = f"the haystack's copy is smaller: {other.width} x {other.height} against {one.width} x {one.height}"
    weakness = needle.weakness or witness.weakness
    other_shot = captured.are_two_shots(needle.moment, witness.moment)
    return (
        (_at_most("mirrored", orientation in MIRRORED, 0), "mirrored"),
        (_at_most("capture time", other_shot, 0), captured.apart(one.captured, other.captured)),
        (_at_most("more in the file", one.has_more, 0), "the file holds more than the picture, such as a video"),
        (_at_most("frames", max(one.frames, other.frames), 1), "animation or pages: only the first was compared"),
        (_at_most("aspect ratio", stretch, ASPECT_BOUND + rounding), "another shape: cropped or stretched"),
        (_at_most("size", max(one.width / other.width, one.height / other.height), SIZE_BOUND), smaller),
        (_at_most("low information", weakness is not None, 0), weakness or ""),
    )


def _colour_test(needle: Picture, witness: Picture) -> _Finding:
    test = _at_most("colour", np.abs(needle.colour - witness.colour).max(), COLOUR_BOUND)
    if np.abs(witness.colour - 128).max() <= _COLOURLESS:
        return test, "the haystack's copy is black and white"
    return test, "the colours differ"


def _pixel_tests(needle: Picture, witness: Picture) -> tuple[_Finding, ...]:
    """What is left between the two pictures once the tones are matched: is it moved, local, strong or wide?

    A difference counts less where the picture is busy, since there a sub-pixel shift or another resampling shows.
    """
    target, source = (needle, witness) if needle.contrast <= witness.contrast else (witness, needle)
    gain, offset = _fit_tone(target, source)
    difference = gain * source.smooth + offset - target.smooth
    weight = 1 / (1 + np.minimum(target.span, abs(gain) * source.span) / 8)
    weighed = np.abs(difference) * weight
    tiles = weighed.reshape(_TILES, 4, _TILES, 4).mean((1, 3))
    patch = float(tiles.max())
    local = patch / (0.25 + float(np.partition(tiles, -_TILES * _TILES // 4, None)[-_TILES * _TILES // 4]))
    tone = float(np.abs((gain - 1) * source.smooth + offset).mean())
    down, right = divmod(int(weighed.argmax()), THUMBNAIL_SIDE)
    differs = f"something differs {greys.place(down, right)}"
    side = min(math.sqrt(picture.thumbnail.size_pixels) for picture in (needle, witness))
    shift = _shift(target, source, gain, difference, weight)
    return (
        (_at_most("shift", shift, SHIFT_BOUND), "shifted, cropped or turned a little"),
        (_at_most("tone", tone, TONE_BOUND), "brightness or contrast edited"),
        (_at_most("local", local, LOCAL_BOUND), differs),
        (_at_most("spot", float(weighed.max()), SPOT_BOUND[0] + SPOT_BOUND[1] / side), differs),
        (_at_most("patch", patch, PATCH_BOUND[0] + PATCH_BOUND[1] / side), differs),
    )


def _shift(target: Picture, source: Picture, gain: float, difference: Grey, weight: Grey) -> float:
    """How far the corner that moved most moved between the two, in thumbnail pixels.

    One step of image registration: the difference is explained, by least squares, as an affine motion along the slopes.
    What differs by more than a motion could explain is left out.
    """
    weight = np.where(np.abs(difference) * weight < _MOST_BY_MOTION, weight, 0)
    across = (target.across + gain * source.across) * (weight / 2)
    down = (target.down + gain * source.down) * (weight / 2)
    slopes = np.stack((across, across * _RIGHT, across * _DOWN, down, down * _RIGHT, down * _DOWN)).reshape(6, -1)
    squares = slopes @ slopes.T
    squares[np.diag_indices(6)] += 1 + np.trace(squares) * 2e-4  # keeps motion along a slopeless direction at zero
    motion = np.linalg.solve(squares, slopes @ (difference * weight).reshape(-1))
    corners = np.array([(1, right, down) for right in (-1, 1) for down in (-1, 1)], np.float32)
    return float(np.hypot(corners @ motion[:3], corners @ motion[3:]).max())


def _weakness(thumbnail: Thumbnail, pixels: fingerprint.Pixels, contrast: float) -> str | None:
    if min(thumbnail.width, thumbnail.height) < TINY_PIXELS:
        return "tiny picture: too few pixels to be sure"
    if contrast < CONTRAST_BOUND:
        return "low contrast: too little to see to be sure"
    counts = np.bincount(pixels.reshape(-1), minlength=256)
    paper = np.convolve(counts[_PAPER:], np.ones(_PAPER_BAND)).max()
    if paper > PAPER_BOUND * pixels.size and counts[:_INK].sum() < 0.02 * pixels.size:
        return "text or drawing: a small change would not show"
    if np.sort(counts.reshape(_BANDS, -1).sum(1))[-2:].sum() > TWO_TONE_BOUND * pixels.size:
        return "nearly two-tone: too little to see to be sure"
    return None


def _fit_tone(target: Picture, source: Picture) -> tuple[float, float]:
    """Gain and offset that bring ``source`` closest to ``target``, by trimmed least squares.

    Clipped pixels say nothing of the curve, and what lies far off is what the tests shall find.
    """
    known = target.is_unclipped & source.is_unclipped
    every_x, every_y = source.smooth[known], target.smooth[known]
    gain, offset, x, y = 1.0, 0.0, every_x, every_y
    for _ in range(3):
        if x.size < THUMBNAIL_SIDE:
            return 1.0, 0.0
        mean_x, mean_y = float(x.mean()), float(y.mean())
        spread = x - mean_x
        variance = float(spread @ spread)
        gain = float(spread @ (y - mean_y)) / variance if variance > 0 else 1.0
        offset = mean_y - gain * mean_x
        far = np.abs(gain * every_x + offset - every_y)
        near = far <= max(2.5 * float(np.median(far)), 0.75)
        x, y = every_x[near], every_y[near]
    return gain, offset
