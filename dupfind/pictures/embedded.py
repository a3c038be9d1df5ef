"""JPEGs that lie within a file beside its picture: what each is, by its own segments and its pixels.

A smaller copy of the picture is a preview, and nothing more. Decodes what is embedded, as small as it can.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from dupfind.pictures import kinds
from dupfind.pictures.resampling import Box

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENSION_HEAD_BYTES = len(EXTENDED_XMP) + 40  # a digest, the length of the whole, the offset of this part
_GAIN_MAP_SEGMENT = b"urn:iso:std:iso:ts:21496:-1\0"

_SIDE = 16
"""Pictures are compared by means of 16 x 16 areas."""
_MEAN_BOUND, _AREA_BOUND = 6.0, 48.0
"""Levels by which a preview may differ, on average and in its worst area. Of previews of 400 photos, 160 x 120 at
quality 60, 99% have at most 4.1 and 31; other photos have 31 and 111 at least, the other eye of two stereo pairs 32 and
150."""
_BAR_BOUND = 24
"""Level up to which the bars beside a preview of another shape count as black."""
_SMALLER = 0.8
"""A preview is no wider than this share of the picture."""
_MOST_PIXELS = 1 << 26


class Shown(NamedTuple):
    """The picture that a file shows, as far as it was decoded."""

    image: Image.Image
    box: Box | None
    """The part of ``image`` that the picture takes; None for all of it."""
    width: int
    """Of the whole picture in pixels, as stored."""
    height: int


def xmp_of(segments: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the XMP of a JPEG, the extended parts joined behind the standard one."""
    return b"".join(
        payload[len(XMP) :] if payload.startswith(XMP) else payload[_EXTENSION_HEAD_BYTES:]
        for name, payload in segments
        if name == "APP1" and payload.startswith((XMP, EXTENDED_XMP))
    )


def describe(content: bytes, shown: Shown | None, said: Sequence[str] = (), *, is_preview: bool = False) -> str | None:
    """Return what the JPEG in ``content`` is beside the picture that is shown; None for a smaller copy of that.

    ``said`` are the kinds that the file's own directories give it, ``is_preview`` tells that they call it one. Raises
    ``ValueError`` where it is no JPEG.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=("JPEG",))
    except Exception as error:  # Pillow raises nearly every class there is
        raise ValueError(str(error)) from error
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    if any(payload.startswith(_GAIN_MAP_SEGMENT) for _, payload in image.applist):
        return kinds.GAIN_MAP
    kind = kinds.of_auxiliary(xmp_of(image.applist))
    if kind is not None or said:
        return kind or said[0]
    if shown is None:
        return kinds.SECOND_PICTURE
    if is_preview and image.width <= _SMALLER * shown.width:
        return None
    return None if is_smaller_copy(image, shown) else kinds.SECOND_PICTURE


def is_smaller_copy(image: Image.Image, shown: Shown) -> bool:
    """Tell whether ``image``, not loaded yet, shows the same as the picture, in fewer pixels.

    A preview of another shape may have black bars. What cannot be decoded is no copy.
    """
    if image.width > _SMALLER * shown.width or image.height > shown.height or image.width * image.height > _MOST_PIXELS:
        return False
    try:
        image.draft("RGB", (4 * _SIDE, 4 * _SIDE))
        rgb = np.asarray(image.convert("RGB"))
    except Exception:  # noqa: BLE001 - Pillow raises nearly every class there is
        return False
    height, width = rgb.shape[:2]
    scale = min(width / shown.width, height / shown.height)
    right, bottom = (width + shown.width * scale) / 2, (height + shown.height * scale) / 2
    box = (max(0.0, width - right), max(0.0, height - bottom), min(right, width), min(bottom, height))
    if not _are_black(rgb, box):
        return False
    ours = _areas(Image.fromarray(rgb), box)
    theirs = _areas(shown.image, shown.box)
    difference = np.abs(ours - theirs)
    return float(difference.mean()) <= _MEAN_BOUND and float(difference.max()) <= _AREA_BOUND


def _areas(image: Image.Image, box: Box | None) -> NDArray[np.float32]:
    small = image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX, box=box)
    return np.asarray(small, np.float32)


def _are_black(rgb: NDArray[np.uint8], box: Box) -> bool:
    """Tell whether everything outside ``box`` is black, but for the pixels at its edge."""
    height, width = rgb.shape[:2]
    left, top = max(0, int(box[0]) - 1), max(0, int(box[1]) - 1)
    bars = rgb[:, :left], rgb[:, width - left :], rgb[:top], rgb[height - top :]
    return all(not bar.size or float(bar.mean()) <= _BAR_BOUND for bar in bars)
