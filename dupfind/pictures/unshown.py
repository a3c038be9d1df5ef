"""Tell by decoding whether the end of packed pixels makes any pixel: without it, or with other bytes in its place."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Jpeg2KImagePlugin

from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.pictures import decode_errors, pixel_data

LEFT_OUT_BYTES = 256
"""What is left out of the end of packed pixels; less is not looked for. A GIF has blocks of 255. Of 100 WebPs none
gives all pixels without its last 16 bytes."""
PLAIN_FORMATS = "BMP", "GIF", "PNG", "TIFF", "WEBP"
JPEG_2000_FORMATS = (Jpeg2KImagePlugin.Jpeg2KImageFile.format,)

_OTHER = bytes(byte ^ 0x5A for byte in range(256))
"""Another byte for each: few become a marker of JPEG."""


def are_all_shown(content: bytes, max_pixels: int) -> bool:
    """Tell whether a file gives all pixels."""
    try:
        with decode_errors.in_plain_words(lambda: 0), pixel_data.opened(io.BytesIO(content), max_pixels) as image:
            image.load()
    except (NotAPictureError, UndecodableError):
        return False
    return True


def pixels(content: bytes, max_pixels: int, formats: tuple[str, ...] = PLAIN_FORMATS) -> NDArray[Any] | None:
    """Return the pixels of a file, (height, width) or (height, width, bands); None where it does not give all."""
    try:
        with (
            decode_errors.in_plain_words(lambda: 0),
            pixel_data.opened(io.BytesIO(content), max_pixels, formats) as image,
        ):
            return np.asarray(image)
    except (NotAPictureError, UndecodableError):
        return None


def altered(content: bytes, ends: Iterable[int]) -> bytes:
    """Replace the :data:`LEFT_OUT_BYTES` before each of ``ends``, every byte by another one.

    Decoders of fax, JPEG and JPEG 2000 take data that end early. Other bytes are asked for and not none, since the
    empty rows at the end of a page may be made of next to nothing.
    """
    changed = bytearray(content)
    for end in ends:
        changed[end - LEFT_OUT_BYTES : end] = changed[end - LEFT_OUT_BYTES : end].translate(_OTHER)
    return bytes(changed)
