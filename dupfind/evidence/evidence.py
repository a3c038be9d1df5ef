"""Two thumbnails and what is known of their files to a grade of evidence and its reason; pure.

People delete a needle because of `same`, so every test here has to agree before it is given, and what a test cannot
tell ends as `similar`. The tests see 64 x 64 grey pixels and 8 x 8 of colour: what covers less than a few of them is
invisible. Knows no files, no search and no other pairs.

The bounds were measured on 395 web photos of 500 pixels, 24 of 768 and 8 of 2 and of 12 megapixels under 62 edits each,
on the frames of static cameras, on made documents, and on photos unrelated to each other. Most of them grow with the
noise that the two codecs are expected to leave, see :func:`_noise`.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence import capture_times, differences, facts, fingerprint
from dupfind.evidence.facts import Finding, Test, at_most
from dupfind.pictures import gray
from dupfind.reasons import AT_THUMBNAIL, Reason, ReasonCode
from dupfind.values import CHROMA_SIDE, FIRST_TRANSPOSED, THUMBNAIL_SIDE, Evidence, Thumbnail

RECIPE = 7
"""Version of the rules. Raise it with every change that can alter a grade or a reason."""

CHECK_BOUND_BITS = 68
"""Of 256. Unrelated photos, also turned and mirrored, start at 84; of the crops by 5%, 99% end at 60."""

# Each pair is a bound for pictures without noise, and what a unit of noise adds.
STRUCTURE_BOUND = 14, 500
"""Bits of 256, for `same`. Guards pictures too flat for the pixel tests."""
SHIFT_BOUND = 0.3, 4
"""Thumbnail pixels by which a corner moved. 99% of copies: 0.16; 99% of the crops by 2% lie above 0.48."""
LOCAL_BOUND = 2.95, 300
"""Worst tile against the upper quartile of the tiles. 99% of copies down to q40: 2.7; with 0.5% of the area replaced by
another photo, 99% lie above 6, by another part of the same one above 3."""
OUTLIER_BOUND = 2.35, 200
"""Worst pixel against the 95th percentile: the test that sees the smallest changes, because it measures them by what
the codecs did elsewhere in the same two pictures."""
SPOT_BOUND = 2.2, 480
"""Worst pixel, for what is too wide to stand out."""
PATCH_BOUND = 0.9, 450
"""Worst tile of 4 x 4 pixels, for what is wide and faint, such as a shadow."""
COLOUR_BOUND = 7.5, 200
"""Worst of the 8 x 8 tiles of Cb and Cr. 95% of the black-and-white copies of photos lie above 9. What passes had
hardly any colour to lose."""
TONE_BOUND = 4.0
"""Mean change of the grey levels by the tone curve. Copies end at 2; a tenth darker is 12 at the median."""
CONTRAST_BOUND = 8.0
"""Standard deviation in grey levels below which noise is most of what is left."""
PAPER_BOUND = 0.35
"""Share of an even bright ground with nothing dark on it: faint drawings and pages."""
TEXT_BOUND = 0.21
"""See :func:`dupfind.pictures.texture.text`; one of 427 photos is above, a web site."""
TWO_TONE_BOUND = 0.952
"""Share of the pixels within two tones of 25 grey levels. Made signs have 0.955 and more; a scorpion on a plain ground
has 0.949, all other 426 photos 0.934 at most."""
TINY_PIXELS = 20
"""A side below which there are too few pixels to compare."""
SLACK = 1.5
"""What the bounds are multiplied by between two needles: the noise of two copies of one picture adds up to 1.4 times
that of one, while two pictures that lie on either side of a third are twice as far apart."""

SLACK_OF_DOTS = 2.0
"""By how much more a single place may differ where a GIF is the needle and a comparison at full size follows, which
knows the colours of its palette: a colour that it lacks is another one in a whole tile. 9 of 45
copies exceed the bounds, and 3 these."""

_COLOURLESS = 2
_COVERED_LEVELS = 75.0
"""Grey levels by which a tile differs where something lies over it. Of 160 photos with a bar across, 53 seemed to be
made brighter or shifted: 47 of these differ by more. Of 237 that were edited, cropped or turned 1 does."""
_MOST_NOISE = 0.04
_NOISE_OF_QUALITY = (28, 45, 65, 80), (2.5, 1.5, 1.0, 0.85, 0.7)
_NOISE_OF_FORMAT = {"GIF": 1.5} | dict.fromkeys(("JPEG", "MPO", "WEBP", "AVIF", "HEIF", "JPEG2000", "JXL"), 1.0)
_NOISE_LOSSLESS = 0.15
_PAPER, _PAPER_BAND, _INK, _TONE_BAND = 176, 17, 128, 25


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One side of a comparison, prepared once and used for many pairs; about 75 kB."""

    thumbnail: Thumbnail
    surface: differences.Surface
    """The grey pixels, upright or turned."""
    colour: NDArray[np.int16]
    """(2, 8, 8), Cb and Cr."""
    check: int
    """The 256-bit pHash."""
    weakness: ReasonCode | None
    """Why its thumbnail shows too little for the picture to be proved by it, or None; see :func:`shows_too_little`."""
    moment: capture_times.Moment | None
    """When it was taken."""
    noise: float
    """What its codec is expected to leave in a thumbnail, see :func:`_noise`."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What two pictures are to each other."""

    evidence: Evidence | None
    """``SAME``, ``SIMILAR``, or None when they have nothing to do with each other."""
    reason: Reason | None
    """Why it is not `same`, or how the needle is turned; None when there is nothing to say."""
    tests: tuple[Test, ...]
    closeness: float = 0.0
    """The worst test on pixels as a share of its bound; of two needles the closer one has the better claim."""


def prepare(thumbnail: Thumbnail) -> Picture:
    """Compute once what every comparison with ``thumbnail`` needs; 0.3 ms."""
    pixels = fingerprint.pixels(thumbnail.pixels)
    surface = differences.surface(pixels)
    return Picture(
        thumbnail=thumbnail,
        surface=surface,
        colour=_planes(thumbnail).astype(np.int16),
        check=fingerprint.check_hash(pixels),
        weakness=_weakness(thumbnail, pixels, surface.contrast),
        moment=capture_times.parse(thumbnail.captured),
        noise=_noise(thumbnail),
    )


def turned(picture: Picture, orientation: int) -> Picture:
    """Turn ``picture`` as :func:`~dupfind.evidence.fingerprint.turn` does, with width and height."""
    if orientation == 0:
        return picture
    sides = picture.thumbnail.width, picture.thumbnail.height
    width, height = sides[::-1] if orientation >= FIRST_TRANSPOSED else sides
    pixels = fingerprint.turn(picture.surface.pixels, orientation).tobytes()
    chroma = b"".join(fingerprint.turn(plane, orientation).tobytes() for plane in _planes(picture.thumbnail))
    return prepare(dataclasses.replace(picture.thumbnail, pixels=pixels, chroma=chroma, width=width, height=height))


def _planes(thumbnail: Thumbnail) -> NDArray[np.uint8]:
    return np.frombuffer(thumbnail.chroma, np.uint8).reshape(2, CHROMA_SIDE, CHROMA_SIDE)


def shows_too_little(picture: Picture, *, with_full_size: bool) -> ReasonCode | None:
    """Tell why ``picture`` cannot be proved by pixels, or None.

    One figure of a page is lost in a thumbnail and is seen at full size, so pages are left to the comparison
    ``with_full_size``. The stars of a dark sky, of two tones or of low contrast, are lost there too.
    """
    is_left = with_full_size and picture.weakness is ReasonCode.TEXT
    return None if is_left else picture.weakness


def judge(needle: Picture, witness: Picture, orientation: int = 0, *, with_full_size: bool = True) -> Judgement:
    """Grade ``witness`` as evidence for ``needle``, which was turned by ``orientation`` beforehand; 0.3 ms.

    `same` needs every test to pass; the reason is that of the first that fails, facts before pixels. ``with_full_size``
    says that what is `same` here is still to be compared by :mod:`dupfind.evidence.full_size`.
    """
    check = _check_test(needle, witness)
    if not check.passed:
        return Judgement(None, _UNLIKE, (check,))
    moments = needle.moment, witness.moment
    weakness = shows_too_little(needle, with_full_size=with_full_size) or shows_too_little(
        witness, with_full_size=with_full_size
    )
    is_dotted = with_full_size and needle.thumbnail.format == "GIF"
    seen = _pixel_findings(needle, witness, 1.0, SLACK_OF_DOTS if is_dotted else 1.0)
    findings = (
        *facts.findings(needle.thumbnail, witness.thumbnail, orientation, moments),
        (at_most("low information", weakness is not None, 0), Reason(weakness or ReasonCode.PLAIN)),
        *seen,
        *facts.losses(needle.thumbnail, witness.thumbnail),
    )
    tests = (check, *(test for test, _ in findings))
    closeness = max(test.value / test.bound for test, _ in seen)
    for test, reason in findings:
        if not test.passed:
            return Judgement(Evidence.SIMILAR, reason, tests, closeness)
    return Judgement(Evidence.SAME, _TURNS.get(orientation), tests, closeness)


def are_mirrored(pairs: Sequence[tuple[fingerprint.Pixels, fingerprint.Pixels, int]]) -> list[bool]:
    """Tell of each needle, witness and orientation that mirrors the needle whether :func:`judge` finds `similar`, by
    the pixels alone.

    Otherwise it finds nothing: that the needle is mirrored is the first of all facts, and its reason
    :data:`MIRRORED_ONLY`. Needles and witnesses are upright (64, 64). 0.05 ms a pair.
    """
    turned = [fingerprint.turn(needle, orientation) for needle, _, orientation in pairs]
    needles, witnesses = (
        fingerprint.check_hashes(turned),
        fingerprint.check_hashes([witness for _, witness, _ in pairs]),
    )
    return [_check_of(*checks).passed for checks in zip(needles, witnesses, strict=True)]


def differ(first: Picture, second: Picture) -> Reason | None:
    """Say why two needles cannot both be copies of one witness; None when nothing speaks against it.

    What a needle may be short of, such as size, does not count; the bounds are :data:`SLACK` times as wide.
    """
    if not _check_test(first, second).passed:
        return _UNLIKE
    time = facts.capture_time(first.thumbnail, second.thumbnail, (first.moment, second.moment))
    findings = (time, *_pixel_findings(first, second, SLACK))
    failed = next((finding for finding in findings if not finding[0].passed), None)
    if failed is None:
        return None
    return Reason(ReasonCode.COLOR, (AT_THUMBNAIL,)) if failed[0].name == "colour" else failed[1]


def structure_bounds(noise: float, noises: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the bounds of the test "structure" in bits, for a picture of one noise against pictures of others.

    What the check hashes differ by beyond that keeps :func:`judge` from `same`, whatever else the pictures show.
    """
    bound, of_noise = STRUCTURE_BOUND
    bounds: NDArray[np.float64] = bound + of_noise * np.minimum(np.hypot(noise, noises), _MOST_NOISE)
    return bounds


MIRRORED_ONLY = Reason(ReasonCode.MIRRORED)
_UNLIKE = Reason(ReasonCode.UNLIKE)
_TURNS = {index: Reason(ReasonCode.TURNED, (degrees,)) for index, degrees in ((2, 180), (5, 90), (7, 90))}


def _check_test(needle: Picture, witness: Picture) -> Test:
    return _check_of(needle.check, witness.check)


def _check_of(needle: int, witness: int) -> Test:
    return at_most("check hash", (needle ^ witness).bit_count(), CHECK_BOUND_BITS)


def _pixel_findings(needle: Picture, witness: Picture, slack: float, of_places: float = 1.0) -> tuple[Finding, ...]:
    """Test what the two thumbnails show, the clearest first, so that the reason is the true one.

    Bounds are multiplied by ``slack``, those of single places by ``of_places`` too.
    """
    noise = min(math.hypot(needle.noise, witness.noise), _MOST_NOISE)
    measured = differences.compare(*_surfaces(needle, witness))
    colour = float(np.abs(needle.colour - witness.colour).max())
    differs = Reason(ReasonCode.PLACE, (AT_THUMBNAIL, gray.place(*measured.where)))

    def keeps(name: str, value: float, bound: tuple[float, float]) -> Test:
        return at_most(name, value, (bound[0] + bound[1] * noise) * slack)

    # What lies over a part of a picture moves the tone of the whole, and seems to move the whole itself.
    is_covered = measured.patch > _COVERED_LEVELS
    shifted, toned = Reason(ReasonCode.SHIFTED), Reason(ReasonCode.BRIGHTNESS, (AT_THUMBNAIL,))
    return (
        (keeps("shift", measured.shift, SHIFT_BOUND), differs if is_covered else shifted),
        (keeps("tone", measured.tone, (TONE_BOUND, 0)), differs if is_covered else toned),
        (keeps("local", measured.local / of_places, LOCAL_BOUND), differs),
        (keeps("outlier", measured.outlier / of_places, OUTLIER_BOUND), differs),
        (keeps("spot", measured.spot / of_places, SPOT_BOUND), differs),
        (keeps("patch", measured.patch / of_places, PATCH_BOUND), differs),
        (keeps("colour", colour, COLOUR_BOUND), _about_colour(witness)),
        (keeps("structure", (needle.check ^ witness.check).bit_count(), STRUCTURE_BOUND), Reason(ReasonCode.STRUCTURE)),
    )


def _surfaces(needle: Picture, witness: Picture) -> tuple[differences.Surface, differences.Surface]:
    """Reduce the two pictures to the detail that both can hold."""
    width = min(needle.thumbnail.width, witness.thumbnail.width)
    height = min(needle.thumbnail.height, witness.thumbnail.height)
    if min(width, height) >= THUMBNAIL_SIDE:
        return needle.surface, witness.surface
    limited = (differences.surface(picture.surface.pixels, width, height) for picture in (needle, witness))
    return next(limited), next(limited)


def _about_colour(witness: Picture) -> Reason:
    if np.abs(witness.colour - 128).max() <= _COLOURLESS:
        return Reason(ReasonCode.NO_COLOR)
    return Reason(ReasonCode.COLOR, (AT_THUMBNAIL,))


def _noise(thumbnail: Thumbnail) -> float:
    """Estimate the noise of the codec in the thumbnail, where 1 is JPEG of quality 50 on a single pixel.

    It averages out: a picture of 4,000 pixels leaves little in a thumbnail pixel, and one of 100 nearly all.
    """
    if thumbnail.quality is not None:
        starts, levels = _NOISE_OF_QUALITY
        level = levels[bisect_right(starts, thumbnail.quality)]
    else:
        level = _NOISE_OF_FORMAT.get(thumbnail.format, _NOISE_LOSSLESS)
    return level / math.sqrt(thumbnail.size_pixels)


def _weakness(thumbnail: Thumbnail, pixels: fingerprint.Pixels, contrast: float) -> ReasonCode | None:
    if min(thumbnail.width, thumbnail.height) < TINY_PIXELS:
        return ReasonCode.TOO_SMALL
    if contrast < CONTRAST_BOUND:
        return ReasonCode.LOW_CONTRAST
    counts = np.bincount(pixels.reshape(-1), minlength=256)
    paper = np.convolve(counts[_PAPER:], np.ones(_PAPER_BAND)).max()
    is_paper = paper > PAPER_BOUND * pixels.size and counts[:_INK].sum() < 0.02 * pixels.size
    if is_paper or thumbnail.text > TEXT_BOUND:
        return ReasonCode.TEXT
    if _in_two_tones(counts) > TWO_TONE_BOUND * pixels.size:
        return ReasonCode.TWO_TONES
    return None


def _in_two_tones(counts: NDArray[np.intp]) -> int:
    """Count the pixels in the two fullest bands of grey, by the number of pixels of each of 256 levels."""
    left, held = counts.copy(), 0
    for _ in range(2):
        bands = np.convolve(left, np.ones(_TONE_BAND, left.dtype), "valid")
        start = int(bands.argmax())
        held += int(bands[start])
        left[start : start + _TONE_BAND] = 0
    return held
