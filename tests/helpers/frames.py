"""Made-up photos with flat frames around them, and the thumbnails of their files; for the tests of frames."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from dupfind.pictures import decode
from dupfind.values import Thumbnail
from fixtures import pictures
from tests.helpers.scenes import Field, grey, shot

SIZE = (640, 480)
Colour = str | tuple[int, int, int]
Sides = tuple[float, float, float, float]
"""Left, top, right and bottom, as shares of the picture's width and height."""


@cache
def photo(seed: int) -> Image.Image:
    """A made-up photo without a frame, made once; not to be altered."""
    return pictures.photo(seed, SIZE)


def framed(image: Image.Image, sides: float | Sides, colour: Colour = "white") -> Image.Image:
    """``image`` with a frame added, on all sides alike where one number is given."""
    width, height = image.size
    left, top, right, bottom = (sides,) * 4 if isinstance(sides, float) else sides
    border = round(left * width), round(top * height), round(right * width), round(bottom * height)
    return ImageOps.expand(image, border, colour)


def read(image: Image.Image, quality: int | None = None, **options: Any) -> Thumbnail:
    """The thumbnail of a PNG, or of a JPEG of this quality."""
    file = io.BytesIO()
    if quality is None:
        image.save(file, "PNG", compress_level=1, **options)
    else:
        image.save(file, "JPEG", quality=quality, **options)
    file.seek(0)
    return decode.read_thumbnail(file, "a.bin", 10**9)


def in_a_frame(values: Field, width: int = 4, shade: int = 255) -> Thumbnail:
    """The thumbnail of a picture with these grey levels, reduced, in a frame of so many of the 64 pixels."""
    inner = 64 - 2 * width
    whole = Image.new("L", (64, 64), shade)
    whole.paste(Image.fromarray(grey(values)).resize((inner, inner), Image.Resampling.LANCZOS), (width, width))
    frame = np.full(4, width * 65536 // 64, ">u2").tobytes()
    return shot(np.asarray(whole, np.float64), border=frame)
