"""What two files say of themselves and overrules their pixels: size, shape, quality, capture time and the like; pure.

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
    """The test that ``value`` is no more than ``bound``."""
    return Test(name, float(value), float(bound), bool(value <= bound))


def findings(
    one: Thumbnail,
    other: Thumbnail,
    orientation: int,
    moments: tuple[capture_times.Moment | None, capture_times.Moment | None],
) -> tuple[Finding, ...]:
    """The facts of the needle ``one``, turned by ``orientation``, against those of the witness ``other``."""
    return (
        (at_most("mirrored", orientation in MIRRORED, 0), Reason(ReasonCode.MIRRORED)),
        capture_time(one, other, moments),
        (at_most("more in the file", one.more is not None, 0), Reason(ReasonCode.MORE_IN_FILE, (one.more or "",))),
        (at_most("frames", max(one.frames, other.frames), 1), Reason(ReasonCode.FRAMES)),
        _damage(one, other),
        _shape(one, other),
        _size(one, other),
        _compression(one, other),
        _palette(one, other),
    )


def losses(one: Thumbnail, other: Thumbnail) -> tuple[Finding, ...]:
    """What the witness ``other`` lacks that no thumbnail shows; said last, since a frame or a stamp is detail too."""
    return _bits(one, other), _data(one, other), _detail(one, other)


def capture_time(
    one: Thumbnail, other: Thumbnail, moments: tuple[capture_times.Moment | None, capture_times.Moment | None]
) -> Finding:
    """Whether the two were taken at one moment, as far as their files tell."""
    return (
        at_most("capture time", capture_times.are_two_shots(*moments), 0),
        Reason(ReasonCode.CAPTURE_TIME, (one.captured or "", other.captured or "")),
    )


def _damage(one: Thumbnail, other: Thumbnail) -> Finding:
    code = ReasonCode.DAMAGED if one.damage else ReasonCode.WITNESS_DAMAGED
    reason = Reason(code, (one.damage or other.damage or "",))
    return at_most("damage", bool(one.damage or other.damage), 0), reason


def _shape(one: Thumbnail, other: Thumbnail) -> Finding:
    stretch = abs(math.log(one.width * other.height / (one.height * other.width)))
    rounding = sum(0.5 / side for side in (one.width, one.height, other.width, other.height))
    return at_most("aspect ratio", stretch, ASPECT_BOUND + rounding), Reason(ReasonCode.SHAPE)


def _size(one: Thumbnail, other: Thumbnail) -> Finding:
    ratio = max(one.width / other.width, one.height / other.height)
    reason = Reason(ReasonCode.SMALLER, (other.width, other.height, one.width, one.height))
    return at_most("size", ratio, SIZE_BOUND), reason


def _compression(one: Thumbnail, other: Thumbnail) -> Finding:
    quality = _LOSSLESS if one.quality is None else one.quality
    loss = 0
    if other.quality is not None and other.quality < _POOR_QUALITY:
        loss = max(0, quality - other.quality)
    reason = Reason(ReasonCode.LOWER_QUALITY, (other.quality or 0, one.quality or 0))
    return at_most("compression", loss, COMPRESSION_BOUND), reason


def _bits(one: Thumbnail, other: Thumbnail) -> Finding:
    """Two JPEGs of one size, of which the needle has many times the bytes: it was compressed much less."""
    reason = Reason(ReasonCode.FEWER_BYTES, (other.data_bytes, one.data_bytes))
    return at_most("bits", _bits_ratio(one, other), BITS_BOUND), reason


def better_copy(needle: Thumbnail, witness: Thumbnail) -> Reason | None:
    """Tell where a needle is clearly the better copy although the witness proves it; None where it is not."""
    if _bits_ratio(needle, witness) < BETTER_BITS:
        return None
    return Reason(ReasonCode.MORE_COMPRESSED, (needle.data_bytes, witness.data_bytes))


def _bits_ratio(one: Thumbnail, other: Thumbnail) -> float:
    """Bits a pixel of ``one`` to those of ``other``; 1 where the two are not both JPEG, or ``other`` is larger."""
    is_as_large = other.size_pixels <= SIZE_BOUND**2 * one.size_pixels
    are_jpeg = one.quality is not None and other.quality is not None
    if not (are_jpeg and is_as_large and one.data_bytes and other.data_bytes):
        return 1.0
    return one.data_bytes * other.size_pixels / (other.data_bytes * one.size_pixels)


def _palette(one: Thumbnail, other: Thumbnail) -> Finding:
    has_fewer = other.format == "GIF" and one.format != "GIF"
    return at_most("palette", has_fewer, 0), Reason(ReasonCode.FEWER_COLORS)


def _data(one: Thumbnail, other: Thumbnail) -> Finding:
    ratio = 1.0
    is_known = bool(one.data_bytes and other.data_bytes)
    if is_known and one.quality is not None and other.quality is not None and one.quality >= _POOR_QUALITY:
        ratio = one.data_bytes / _bytes_factor(one.quality) / (other.data_bytes / _bytes_factor(other.quality))
    return at_most("data", ratio, DATA_BOUND), Reason(ReasonCode.LESS_DETAIL_FOR_SIZE)


def _bytes_factor(quality: int) -> float:
    """How many bytes a JPEG of this quality has, to one of quality 50; within a factor of 2 either way.

    The factor by which libjpeg scales its tables, to the power that fits 427 photos best.
    """
    quality = min(quality, _BEST_MODELLED)
    scale = 50 / quality if quality < _POOR_QUALITY else 2 - quality / 50
    return float(scale**-0.7)


def _detail(one: Thumbnail, other: Thumbnail) -> Finding:
    ratio = (one.detail + DETAIL_FLOOR) / (other.detail + DETAIL_FLOOR)
    if other.size_pixels >= LARGER_WITNESS * one.size_pixels:  # programs that reduce pictures sharpen them
        ratio /= SHARPENED
    quality = _LOSSLESS if one.quality is None else one.quality
    bound = DETAIL_BOUND
    if quality < _FAIR_QUALITY:
        bound = DETAIL_BOUND_OF_FAIR if quality >= _BLOCKY_QUALITY else DETAIL_BOUND_OF_POOR
    return at_most("detail", ratio, bound), Reason(ReasonCode.LESS_DETAIL, (AT_THUMBNAIL,))
