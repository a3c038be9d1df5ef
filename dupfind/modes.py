"""A decoded picture of any mode to the small planes of grey and colour that its thumbnail is made of.

Knows Pillow's pictures and nothing of files. No two different pictures may become one by a conversion of their mode.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dupfind.texture import TEXTURE_SIDE
from dupfind.values import CHROMA_SIDE, THUMBNAIL_SIDE

Box = tuple[float, float, float, float]

REDUCED_SIDE = 8 * THUMBNAIL_SIDE
"""What is larger is averaged down to no less than this before it is resampled. An average softens what is near its own
resolution, which libjpeg's reduction does not: at half this, a photo and its PNG differ by 3 grey levels at sharp
edges."""

_BACKGROUND = (128, 128, 128)


class Shrunk(NamedTuple):
    """The planes that a thumbnail is made of, as stored, and what they were made from."""

    grey: Image.Image
    """64 x 64, in ``L``."""
    colour: tuple[Image.Image, ...]
    """8 x 8 of Cb and of Cr, in ``L``; empty where the picture has no colour."""
    luma: Image.Image
    """The whole picture in ``L``, each side 256 to 1,023 pixels, or all that it has where that is less."""
    box: Box
    """The part of ``luma`` that the picture takes: a reduced size is rounded up, the box is not."""


def shrink(image: Image.Image, box: Box | None = None) -> Shrunk:
    """Bring ``image``, of any mode, of which the picture takes ``box``, to the planes of a thumbnail.

    Colour costs a twentieth of the decode and tells a colour photo from its black-and-white copy.
    """
    working = to_working_mode(image)
    width, height = working.size
    left, top, right, bottom = box or (0, 0, width, height)
    working = _without_partial(working, (int(right), int(bottom)))
    factors = max(1, width // REDUCED_SIDE), max(1, height // REDUCED_SIDE)
    if factors != (1, 1):
        working = working.reduce(factors)
    box = (left / factors[0], top / factors[1], right / factors[0], bottom / factors[1])
    luma, colour = _split(working, box)
    grey = luma.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS, box=box)
    return Shrunk(_to_eight_bits(grey), colour, _to_eight_bits(luma), box)


def texture_plane(shrunk: Shrunk) -> NDArray[np.uint8]:
    """The picture at the size at which :mod:`dupfind.texture` measures: (256, 256)."""
    luma = shrunk.luma
    is_large = min(luma.size) >= TEXTURE_SIDE
    resampling = Image.Resampling.BOX if is_large else Image.Resampling.BICUBIC
    return np.asarray(luma.resize((TEXTURE_SIDE, TEXTURE_SIDE), resampling, box=shrunk.box))


def _without_partial(image: Image.Image, whole: tuple[int, int]) -> Image.Image:
    """``image`` with the last column and row, where the picture takes only part of them, made like those before.

    A decoder that reduces fills the rest of such pixels from beyond the picture, where an encoder may leave anything.
    """
    width, height = image.size
    right, bottom = whole
    if 0 < right < width:
        image.paste(image.crop((right - 1, 0, right, height)).resize((width - right, height)), (right, 0))
    if 0 < bottom < height:
        image.paste(image.crop((0, bottom - 1, width, bottom)).resize((width, height - bottom)), (0, bottom))
    return image


def _split(working: Image.Image, box: Box) -> tuple[Image.Image, tuple[Image.Image, ...]]:
    """Luma as it is, and Cb and Cr, already small, where there is colour."""
    size = CHROMA_SIDE, CHROMA_SIDE
    if working.mode == "RGB":  # convert("L") rounds, where the Y of convert("YCbCr") is half a level too dark
        _, *chroma = working.resize(size, Image.Resampling.BOX, box=box).convert("YCbCr").split()
        return working.convert("L"), tuple(chroma)
    luma, *chroma = working.split()
    return luma, tuple(plane.resize(size, Image.Resampling.BOX, box=box) for plane in chroma)


def to_working_mode(image: Image.Image) -> Image.Image:
    """The picture in ``L``, ``YCbCr`` or ``RGB``, or in ``F`` where its values do not fit into 8 bits.

    ``convert("L")`` alone clips 16-bit and float pictures to white, drops alpha and so gives one grey to different
    pictures.
    """
    mode = image.mode
    if mode in ("L", "RGB", "YCbCr") and "transparency" not in image.info:
        return image
    if mode.startswith("I") or mode == "F":
        return Image.fromarray(_to_unit_range(np.asarray(image)))
    if mode == "LAB":
        return image.getchannel(0)
    if mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        return _composite(image.convert("RGBA"))
    return image.convert("L" if mode == "1" else "RGB")


def _to_unit_range(values: NDArray[Any]) -> NDArray[np.float32]:
    """Values of any number type to 0 to 1, by the number of bits that they use.

    A fixed scale and not the range of the picture: the 8-bit copy of a 16-bit photo has to get the same grey levels.
    """
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    for bits in (1, 8, 10, 12, 14, 16):
        if low >= 0 and high <= 2**bits - 1:
            return finite / np.float32(2**bits - 1)
    return (finite - np.float32(low)) / np.float32((high - low) or 1.0)


def _to_eight_bits(plane: Image.Image) -> Image.Image:
    if plane.mode == "L":
        return plane
    return Image.fromarray(np.rint(np.asarray(plane) * 255).clip(0, 255).astype(np.uint8))


def _composite(image: Image.Image) -> Image.Image:
    """Lay a picture with alpha over mid-grey, on which both black and white drawings stay visible."""
    if image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    background = Image.new("RGBA", image.size, (*_BACKGROUND, 255))
    return Image.alpha_composite(background, image).convert("RGB")
