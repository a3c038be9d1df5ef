"""Facts of two files that overrule their pixels: size, shape, quality, capture time and the like; pure.

Each fact is a :class:`Test` with its bound, and the reason that a failure of it gives.
Knows no pixels.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from dupfind.evidence import capture_times
from dupfind.reasons import AT_THUMBNAIL, Reason, ReasonCode
from dupfind.values import MIRRORED, Thumbnail

ASPECT_BOUND = 0.015
"""Logarithm between the two aspect ratios; what rounding a size to whole pixels can do is added."""
SIZE_BOUND = 10 / 9
"""Needle to witness, in width and in height. A tenth less cannot be seen, 1,600 for 4,000 can."""
COMPRESSION_BOUND = 20
"""JPEG quality that the witness may be worse by where its own is below 50. What is above looks the same at a glance."""
BITS_BOUND, BETTER_BITS = 3.0, 1.5
"""Bits a pixel of the needle to those of a witness of its size, both JPEG; from the second on it is told."""
DATA_BOUND = 3.2
"""Bytes of the needle to bytes of the witness, both JPEG, each divided by what its quality makes of the same picture.
A preview of 128 pixels that was enlarged to 12 megapixels has 3.3 to 4.3; 99% of copies have 2.4 at most."""
DETAIL_BOUND, DETAIL_BOUND_OF_FAIR, DETAIL_BOUND_OF_POOR = 1.15, 1.25, 1.35
"""Detail of the needle to detail of the witness; the others where the needle is a JPEG of quality below 80 and 60,
whose blocks look like detail. Of photos of 500 pixels that were reduced to 160 and enlarged again, 97% lie above."""
LARGER_WITNESS, SHARPENED = 1.5, 1.6
"""Pixels of a witness that counts as larger to those of the needle; by how much more detail a reduced copy may show."""
DETAIL_FLOOR = 0.5
"""Grey levels added to both, so that noise does not decide between two pictures without detail."""

_POOR_QUALITY, _BLOCKY_QUALITY, _FAIR_QUALITY = 50, 60, 80
_BEST_MODELLED = 98
_LOSSLESS = 100


class Test(NamedTuple):
    """One test of a needle against a witness: it passes while ``value`` keeps to ``bound``."""

    name: str
    value: float
    bound: float
    passed: bool


Finding = tuple[Test, Reason]
"""A test, and what a failure of it means."""


def at_most(name: str, value: float, bound: float) -> Test:
    """Make the test that ``value`` is no more than ``bound``."""
    return Test(name, float(value), float(bound), bool(value <= bound))


def findings(
    needle: Thumbnail,
    witness: Thumbnail,
    orientation: int,
    moments: tuple[capture_times.Moment | None, capture_times.Moment | None],
) -> tuple[Finding, ...]:
    """Test the facts of ``needle``, turned by ``orientation``, against those of ``witness``."""
    return (
        (at_most("mirrored", orientation in MIRRORED, 0), Reason(ReasonCode.MIRRORED)),
        capture_time(needle, witness, moments),
        (
            at_most("more in the file", needle.more is not None, 0),
            Reason(ReasonCode.MORE_IN_FILE, (needle.more or "",)),
        ),
        (at_most("frames", max(needle.frames, witness.frames), 1), Reason(ReasonCode.FRAMES)),
        _damage(needle, witness),
        _shape(needle, witness),
        _size(needle, witness),
        _compression(needle, witness),
        _palette(needle, witness),
    )


def losses(needle: Thumbnail, witness: Thumbnail) -> tuple[Finding, ...]:
    """Test what ``witness`` lacks that no thumbnail shows; said last, since a frame or a stamp is detail too."""
    return _bits(needle, witness), _data(needle, witness), _detail(needle, witness)


def capture_time(
    needle: Thumbnail, witness: Thumbnail, moments: tuple[capture_times.Moment | None, capture_times.Moment | None]
) -> Finding:
    """Test whether the two were taken at one moment, as far as their files tell."""
    return (
        at_most("capture time", capture_times.are_two_shots(*moments), 0),
        Reason(ReasonCode.CAPTURE_TIME, (needle.captured or "", witness.captured or "")),
    )


def _damage(needle: Thumbnail, witness: Thumbnail) -> Finding:
    code = ReasonCode.DAMAGED if needle.damage else ReasonCode.WITNESS_DAMAGED
    reason = Reason(code, (needle.damage or witness.damage or "",))
    return at_most("damage", bool(needle.damage or witness.damage), 0), reason


def _shape(needle: Thumbnail, witness: Thumbnail) -> Finding:
    stretch = abs(math.log(needle.width * witness.height / (needle.height * witness.width)))
    rounding = sum(0.5 / side for side in (needle.width, needle.height, witness.width, witness.height))
    return at_most("aspect ratio", stretch, ASPECT_BOUND + rounding), Reason(ReasonCode.SHAPE)


def _size(needle: Thumbnail, witness: Thumbnail) -> Finding:
    ratio = max(needle.width / witness.width, needle.height / witness.height)
    reason = Reason(ReasonCode.SMALLER, (witness.width, witness.height, needle.width, needle.height))
    return at_most("size", ratio, SIZE_BOUND), reason


def _compression(needle: Thumbnail, witness: Thumbnail) -> Finding:
    quality = _LOSSLESS if needle.quality is None else needle.quality
    loss = 0
    if witness.quality is not None and witness.quality < _POOR_QUALITY:
        loss = max(0, quality - witness.quality)
    reason = Reason(ReasonCode.LOWER_QUALITY, (witness.quality or 0, needle.quality or 0))
    return at_most("compression", loss, COMPRESSION_BOUND), reason


def _bits(needle: Thumbnail, witness: Thumbnail) -> Finding:
    """Refuse a JPEG of the size of the needle, a JPEG too, that has a fraction of its bytes a pixel."""
    reason = Reason(ReasonCode.FEWER_BYTES, (witness.data_bytes, needle.data_bytes))
    return at_most("bits", _bits_ratio(needle, witness), BITS_BOUND), reason


def better_copy(needle: Thumbnail, witness: Thumbnail) -> Reason | None:
    """Tell where a needle is clearly the better copy although the witness proves it; None where it is not."""
    if _bits_ratio(needle, witness) < BETTER_BITS:
        return None
    return Reason(ReasonCode.MORE_COMPRESSED, (needle.data_bytes, witness.data_bytes))


def _bits_ratio(needle: Thumbnail, witness: Thumbnail) -> float:
    """Return bits a pixel of ``needle`` to those of ``witness``; 1 unless both are JPEG and the witness no larger."""
    is_as_large = witness.size_pixels <= SIZE_BOUND**2 * needle.size_pixels
    are_jpeg = needle.quality is not None and witness.quality is not None
    if not (are_jpeg and is_as_large and needle.data_bytes and witness.data_bytes):
        return 1.0
    return needle.data_bytes * witness.size_pixels / (witness.data_bytes * needle.size_pixels)


def _palette(needle: Thumbnail, witness: Thumbnail) -> Finding:
    has_fewer = witness.format == "GIF" and needle.format != "GIF"
    return at_most("palette", has_fewer, 0), Reason(ReasonCode.FEWER_COLORS)


def _data(needle: Thumbnail, witness: Thumbnail) -> Finding:
    ratio = 1.0
    is_known = bool(needle.data_bytes and witness.data_bytes)
    if is_known and needle.quality is not None and witness.quality is not None and needle.quality >= _POOR_QUALITY:
        ratio = (
            needle.data_bytes / _bytes_factor(needle.quality) / (witness.data_bytes / _bytes_factor(witness.quality))
        )
    return at_most("data", ratio, DATA_BOUND), Reason(ReasonCode.LESS_DETAIL_FOR_SIZE)


def _bytes_factor(quality: int) -> float:
    """Estimate the bytes of a JPEG of this quality to one of quality 50; within a factor of 2 either way.

    The factor by which libjpeg scales its tables, to the power that fits 427 photos best.
    """
    quality = min(quality, _BEST_MODELLED)
    scale = 50 / quality if quality < _POOR_QUALITY else 2 - quality / 50
    return float(scale**-0.7)


def _detail(needle: Thumbnail, witness: Thumbnail) -> Finding:
    ratio = (needle.detail + DETAIL_FLOOR) / (witness.detail + DETAIL_FLOOR)
    if witness.size_pixels >= LARGER_WITNESS * needle.size_pixels:  # programs that reduce pictures sharpen them
        ratio /= SHARPENED
    quality = _LOSSLESS if needle.quality is None else needle.quality
    bound = DETAIL_BOUND
    if quality < _FAIR_QUALITY:
        bound = DETAIL_BOUND_OF_FAIR if quality >= _BLOCKY_QUALITY else DETAIL_BOUND_OF_POOR
    return at_most("detail", ratio, bound), Reason(ReasonCode.LESS_DETAIL, (AT_THUMBNAIL,))
