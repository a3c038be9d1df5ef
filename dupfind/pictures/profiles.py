"""What the numbers of a picture mean: its ICC profile, or what PNG, HEIF and AVIF say instead of one.

Two files of the same numbers show different colours where their profiles differ, and no comparison of numbers sees it.
Knows nothing of how pictures are compared otherwise. Loads LittleCMS, by Pillow, only where two profiles differ.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dupfind.pictures import container_format

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

PROFILE, IS_SRGB, GAMMA, CHROMATICITIES, CODE_POINTS = b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP"
PNG_CHUNKS = frozenset({PROFILE, IS_SRGB, GAMMA, CHROMATICITIES, CODE_POINTS})
"""By which a PNG says what its colours mean."""

_CONVERTED = ("CMYK", "LAB")
"""Modes that are brought to sRGB by their profile before anything is compared."""
_SRGB_GAMMA = (45455).to_bytes(4, "big")
_SRGB_CHROMATICITIES = b"".join(
    number.to_bytes(4, "big") for number in (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
)
_USUAL_PRIMARIES, _USUAL_TRANSFERS = frozenset({1, 2, 5, 6}), frozenset({1, 2, 6, 13})
"""Code points (ITU-T H.273) that are shown as sRGB: its own, those of television, and none."""
_SPACE = slice(16, 20)
"""Where an ICC profile names the kind of its numbers (ICC.1:2022, 7.2.6)."""
_MODES = {b"RGB ": "RGB", b"GRAY": "L"}
_MOST_TRANSFORMS = 16
_SAMPLE_SIDE = 64
_SHARE = 0.95


def of_image(image: Image.Image, file: IO[bytes]) -> bytes | None:
    """Tell what the colours of ``image``, opened from ``file``, mean; None for sRGB, or where nothing is said of it.

    The ICC profile, or the code points, gamma and primaries that are there instead.
    """
    if image.mode in _CONVERTED:
        return None
    chunks = _png_chunks(file) if image.format == "PNG" else {}
    if CODE_POINTS in chunks:  # they hold against a profile beside them (PNG, third edition, 4.3)
        return _of_code_points(chunks[CODE_POINTS])
    if profile := image.info.get("icc_profile"):
        return bytes(profile)
    if image.format == "PNG":
        return b"".join(of_png_chunks(chunks)) or None
    if image.format in ("HEIF", "AVIF"):
        return _of_code_points(container_format.heif_code_points(container_format.Reader(file)))
    return None


def _png_chunks(file: IO[bytes]) -> dict[bytes, bytes]:
    """Return what a PNG says of its colours, by the kinds of its chunks."""
    reader = container_format.Reader(file)
    told = (part for part in container_format.png_chunks(reader) if part.kind in PNG_CHUNKS)
    return {part.kind: container_format.png_payload(reader, part) for part in told}


def of_png_chunks(chunks: Mapping[bytes, bytes]) -> list[bytes]:
    """Return gamma and primaries of a PNG without a profile, in pieces; nothing for sRGB, said or not.

    A profile holds against the other chunks, and sRGB against gamma and primaries (PNG, third edition, 4.3).
    """
    if PROFILE in chunks or IS_SRGB in chunks:
        return []
    gamma, points = chunks.get(GAMMA, _SRGB_GAMMA), chunks.get(CHROMATICITIES, _SRGB_CHROMATICITIES)
    return [] if (gamma, points) == (_SRGB_GAMMA, _SRGB_CHROMATICITIES) else [GAMMA, gamma, CHROMATICITIES, points]


def _of_code_points(points: bytes) -> bytes | None:
    """Return primaries and transfer function, a byte each; None where they are shown as sRGB."""
    if len(points) < 2 or (points[0] in _USUAL_PRIMARIES and points[1] in _USUAL_TRANSFERS):  # noqa: PLR2004
        return None
    return points[:2]


def sample(gray: NDArray[np.uint8], color: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Return the colours of a picture, (4096, 3), from its planes of gray and of Cb and Cr, which may be smaller."""
    planes = [gray] if color is None else [gray, *color]
    small = [Image.fromarray(plane).resize((_SAMPLE_SIDE, _SAMPLE_SIDE), Image.Resampling.BOX) for plane in planes]
    whole = small[0] if color is None else Image.merge("YCbCr", small)
    return np.asarray(whole.convert("RGB")).reshape(-1, 3)


def shown_apart(colors: NDArray[np.uint8], own: bytes | None, theirs: bytes | None) -> float:
    """Tell how far ``colors`` are shown apart by two profiles: the largest of red, green and blue, in levels of sRGB.

    ``colors`` are (count, 3). 95% of them are shown no further apart. Infinite where it cannot be told.
    """
    if own == theirs or not colors.size:
        return 0.0
    shown = [_shown(colors, profile) for profile in (own, theirs)]
    if shown[0] is None or shown[1] is None:
        return math.inf
    return float(np.quantile(np.abs(shown[0] - shown[1]).max(axis=1), _SHARE))


def _shown(colors: NDArray[np.uint8], profile: bytes | None) -> NDArray[np.float32] | None:
    """Return the colours in sRGB, (count, 3); None where LittleCMS does not understand the profile."""
    if profile is None:
        return colors.astype(np.float32)
    mode = _MODES.get(profile[_SPACE])
    if mode is None or (transform := _transform(profile, mode)) is None:
        return None
    row = Image.fromarray(colors[None])
    converted: Image.Image = transform.apply(row if mode == "RGB" else row.getchannel("G"))
    return np.asarray(converted, np.float32).reshape(-1, 3)


@lru_cache(_MOST_TRANSFORMS)
def _transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    from PIL import ImageCms

    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
