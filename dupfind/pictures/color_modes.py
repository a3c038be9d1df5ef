"""A decoded picture of any mode to the small planes of grey and colour that its thumbnail is made of.

Knows Pillow's pictures and nothing of files. No two different pictures may become one by a conversion of their mode.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from dupfind.pictures import borders, exif, resampling
from dupfind.pictures.resampling import Box
from dupfind.pictures.texture import TEXTURE_SIDE
from dupfind.values import CHROMA_SIDE, THUMBNAIL_SIDE

REDUCED_SIDE = 8 * THUMBNAIL_SIDE
"""What is larger is averaged down to no less than this before it is resampled. An average softens what is near its own
resolution, which libjpeg's reduction does not: at half this, a photo and its PNG differ by 3 grey levels at sharp
edges."""

INK_FACTOR = 3
"""Bytes of a JPEG of four inks to those of the same photo in colour, at one quality: 2.8 to 3.5 in the median of 40."""

_MOST_COLORS = 256
"""Of a palette."""
_GRAY_FLAT = borders.FLAT + 4
"""Grey levels within which the edge of a reduced gray decode may be a frame."""

_MOST_TONES = 100_000
"""Pixels that tones are counted of."""

_BACKGROUND, _DARK_BACKGROUND = (220, 63, 220), (90, 0, 120)
"""Of grey 128 and 40, on the first of which both black and white drawings stay visible."""
_MID_GREY, _NEAR_GREY = 128, 40
_TIFF_BITS_PER_SAMPLE = 258
_USUAL_BITS, _MOST_BITS = 16, 31  # Pillow's numbers of 32 bits have a sign
_LADDER = (*range(30, 6, -2), 1)
_STEP, _STEP_OF_MANY = 0.75, 0.9
"""The first is large enough for the brightness of any picture with something to see to be told from the step above. The
second is for samples of 32 bits, of which a picture that uses few would be too dark."""
_COLORED = ("RGB", "RGBX", "YCbCr")
_FLOAT_SCALES = (1.0, 255.0, 65535.0)
_LINEAR_LEVELS = 0.04045
"""Where sRGB is a straight line (IEC 61966-2-1)."""


@lru_cache(maxsize=1)
def _tables_of_light() -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Return amounts of light, 16 bits, of the 256 levels of sRGB, and the level of each amount (IEC 61966-2-1)."""
    levels = np.arange(256) / 255
    light = np.where(levels <= _LINEAR_LEVELS, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    amounts = np.arange(1 << 16) / ((1 << 16) - 1)
    back = np.where(amounts <= _LINEAR_LEVELS / 12.92, amounts * 12.92, 1.055 * amounts ** (1 / 2.4) - 0.055)
    return np.rint(light * ((1 << 16) - 1)).astype(np.uint16), np.rint(back * 255).astype(np.uint8)


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
    working: Image.Image
    """What colour is taken from: the whole picture in a working mode, as large as ``luma``."""


def shrink(image: Image.Image, box: Box | None = None) -> Shrunk:
    """Bring ``image``, of any mode, of which the picture takes ``box``, to the planes of a thumbnail.

    Colour costs a twentieth of the decode and tells a colour photo from its black-and-white copy.
    """
    return with_color(shrink_gray(image, box))


def shrink_gray(image: Image.Image, box: Box | None = None) -> Shrunk:
    """Do the same without the colour, which :func:`with_color` adds."""
    working = to_working_mode(image)
    width, height = working.size
    left, top, right, bottom = box or (0, 0, width, height)
    working = _without_partial(working, (int(right), int(bottom)))
    factors = max(1, width // REDUCED_SIDE), max(1, height // REDUCED_SIDE)
    if factors != (1, 1):
        working = working.reduce(factors)
    box = (left / factors[0], top / factors[1], right / factors[0], bottom / factors[1])
    luma = working.split()[0] if working.mode == "YCbCr" else luma_of(working)  # L rounds, Y is half a level too dark
    if luma.mode == "L":
        grey = Image.fromarray(resampling.thumbnail(np.asarray(luma), box))
    else:
        grey = _to_eight_bits(luma.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS, box=box))
    return Shrunk(grey, (), _to_eight_bits(luma), box, working)


def thumbnail_of_gray(levels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8] | None:
    """Bring brightness (height, width), of which the picture takes ``box``, to (64, 64), as :func:`shrink_gray` does.

    ``levels`` lose what lies beyond the picture. None for a picture so long that it has to be averaged first.
    """
    height, width = levels.shape
    if max(height, width) >= 2 * REDUCED_SIDE:
        return None
    right, bottom = int(box[2]), int(box[3])
    if 0 < right < width:
        levels[:, right:] = levels[:, right - 1 : right]
    if 0 < bottom < height:
        levels[bottom:] = levels[bottom - 1]
    return resampling.thumbnail(levels, box)


def with_color(shrunk: Shrunk) -> Shrunk:
    """Add the colour to a picture that was shrunk without it."""
    return shrunk._replace(colour=_colour(shrunk.working, shrunk.box))


def luma_of(working: Image.Image) -> Image.Image:
    """Take the brightness of a picture in a working mode, in ``L`` or ``F``."""
    return working.convert("L") if working.mode in _COLORED else working  # YCbCr gives its Y


def gray(luma: Image.Image, size: tuple[int, int], kernel: Image.Resampling, box: Box | None = None) -> Image.Image:
    """Bring a picture of brightness, or its ``box``, to a picture in ``L`` of this size."""
    if luma.size != size or box is not None:
        luma = luma.resize(size, kernel, box=box)
    return _to_eight_bits(luma)


def reduced_in_light(
    working: Image.Image, size: tuple[int, int], kernel: Image.Resampling, box: Box | None = None
) -> Image.Image:
    """Resample a picture in a working mode, or its ``box``, by the light that its numbers stand for: ``L`` or ``RGB``.

    A colour at a time: that takes 2 bytes a pixel.
    """
    bands = working.convert("RGB").split() if working.mode in _COLORED else (_to_eight_bits(working),)
    amounts, levels = _tables_of_light()
    reduced = []
    for band in bands:
        light = Image.fromarray(amounts.take(np.asarray(band))).resize(size, kernel, box=box)
        reduced.append(Image.fromarray(levels.take(np.asarray(light))))
    return Image.merge("RGB", reduced) if len(reduced) > 1 else reduced[0]


def convolved(levels: NDArray[np.uint8], weights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Replace each of ``levels`` (height, width) by a sum of the 5 x 5 around it, ``weights`` (5, 5).

    Two rows and columns at every edge stay as they are.
    """
    # Pillow's kernels begin with the lowest row.
    kernel = ImageFilter.Kernel(weights.shape, weights[::-1].reshape(-1).tolist(), scale=1.0)
    return np.asarray(Image.fromarray(levels).filter(kernel))


def color(working: Image.Image, size: tuple[int, int], cell: int) -> tuple[Image.Image, ...]:
    """Give Cb and Cr, both in ``L``, of a picture in a working mode; nothing where it has no colour.

    ``size`` is the one that the picture is resampled to, of which ``cell`` x ``cell`` pixels give one value. Cells are
    as wide as makes a whole number of them, so that a turned picture has the same. A picture of another size is
    averaged at once: in means of 16 pixels no kernel is told from another, and Lanczos takes three times as long.
    """
    if working.mode not in _COLORED:
        return ()
    width, height = size
    whole = max(1, width // cell), max(1, height // cell)
    spans = [_spans(has, cells, cell) for has, cells in zip(working.size, whole, strict=True)]
    if all(spans):
        small = _reduced_by_spans(working, whole, *spans)
    else:
        # Along a side of a whole number of cells the same means are made in a third of the time.
        across, down = (cell if has == cells * cell else 1 for has, cells in zip(working.size, whole, strict=True))
        small = working if across == down == 1 else working.reduce((across, down))
        if small.size != whole:
            small = small.resize(whole, Image.Resampling.BOX)
    return small.convert("YCbCr").split()[1:]


def palette_of(working: Image.Image) -> bytes | None:
    """Return the colours of a picture in ``RGB``, 3 bytes each; None for another mode or more than 256 of them."""
    counts = working.getcolors(_MOST_COLORS) if working.mode == "RGB" else None
    if counts is None:
        return None
    return b"".join(map(bytes, sorted(color for _, color in counts if isinstance(color, tuple))))


def in_palette(working: Image.Image, palette: bytes) -> Image.Image:
    """Return ``working`` in ``RGB``, each pixel in the nearest of at most 256 colours, 3 bytes each."""
    few = Image.new("P", (1, 1))
    few.putpalette(palette + palette[-3:] * (_MOST_COLORS - len(palette) // 3))  # or black would be added
    return working.convert("RGB").quantize(palette=few, dither=Image.Dither.NONE).convert("RGB")


class _Span(NamedTuple):
    """A stretch of a side that is cut into cells of one length."""

    start: int
    stop: int
    length: int


def _spans(has: int, cells: int, cell: int) -> list[_Span]:
    """Cut a side of so many pixels into ``cells``; nothing where they are not of ``cell`` pixels but for one.

    The one pixel that an odd side has left stands in the middle, where it is left out between two cells or makes one
    cell longer, as the averages of Pillow's ``resize`` have it: seen from the other end that is the same.
    """
    left = has - cells * cell
    if left == 0:
        return [_Span(0, has, cell)]
    if left != 1 or cell != 2 or cells < 2:  # noqa: PLR2004 - of two pixels one is a half
        return []
    first = cells // 2 * cell
    middle = [_Span(first, first + cell + 1, cell + 1)] if cells % 2 else []
    return [_Span(0, first, cell), *middle, _Span(has - first, has, cell)]


def _reduced_by_spans(
    working: Image.Image, whole: tuple[int, int], across: list[_Span], down: list[_Span]
) -> Image.Image:
    """Return the mean of each cell: in half of the time of ``resize``, which rounds after each direction."""
    if len(across) == len(down) == 1:
        return working.reduce((across[0].length, down[0].length))
    small = Image.new(working.mode, whole)
    top = 0
    for rows in down:
        left = 0
        for columns in across:
            box = columns.start, rows.start, columns.stop, rows.stop
            part = working.reduce((columns.length, rows.length), box)
            small.paste(part, (left, top))
            left += part.width
        top += (rows.stop - rows.start) // rows.length
    return small


def texture_plane(shrunk: Shrunk, orientation: int) -> NDArray[np.uint8]:
    """Return the picture, upright, at the size at which :mod:`dupfind.pictures.texture` measures: (256, 256)."""
    plane = shrunk.luma.resize((TEXTURE_SIDE, TEXTURE_SIDE), _plane_kernel(shrunk.luma), box=shrunk.box)
    return np.asarray(exif.upright(plane, orientation))


def may_have_border(shrunk: Shrunk) -> bool:
    """Tell whether :func:`dupfind.pictures.borders.find` may find a frame in :func:`texture_plane`.

    Only the outermost rows and columns of that plane are made, to the bit as in the whole.
    """
    left, top, right, bottom = shrunk.box
    wide, high = (right - left) / TEXTURE_SIDE, (bottom - top) / TEXTURE_SIDE
    column, row = (1, TEXTURE_SIDE), (TEXTURE_SIDE, 1)
    pairs = (
        ((column, (left, top, left + wide, bottom)), (column, (right - wide, top, right, bottom))),
        ((row, (left, top, right, top + high)), (row, (left, bottom - high, right, bottom))),
    )
    return any(all(_is_flat(shrunk.luma, size, box) for size, box in pair) for pair in pairs)


def _is_flat(luma: Image.Image, size: tuple[int, int], box: Box) -> bool:
    levels = luma.resize(size, _plane_kernel(luma), box=box).tobytes()
    return max(levels) - min(levels) <= borders.FLAT


def may_have_border_in_gray(levels: NDArray[np.uint8], box: Box) -> bool:
    """Tell nearly the same of a reduced gray decode, (height, width), of which the picture takes ``box``.

    Its levels differ from those of the whole. Of 1,129 pictures with frames of all widths 1,058 are seen, and of the
    others the part within has a hash at most 4 bits from that of the whole: a frame that thin moves it no more than the
    decode does. 9 of 368 photos are taken for framed.
    """
    right, bottom = max(1, int(box[2])), max(1, int(box[3]))
    wide, high = (-(-side // TEXTURE_SIDE) for side in (right, bottom))
    edges = levels[:, :wide].T, levels[:, right - wide : right].T, levels[:high], levels[bottom - high : bottom]
    flat = [
        int((means := edge.mean(0) if len(edge) > 1 else edge[0]).max()) - int(means.min()) <= _GRAY_FLAT
        for edge in edges
    ]
    return (flat[0] and flat[1]) or (flat[2] and flat[3])


def _plane_kernel(luma: Image.Image) -> Image.Resampling:
    return Image.Resampling.BOX if min(luma.size) >= TEXTURE_SIDE else Image.Resampling.BICUBIC


def _without_partial(image: Image.Image, whole: tuple[int, int]) -> Image.Image:
    """Return ``image`` with the last column and row, where the picture takes only part of them, made like those before.

    A decoder that reduces fills the rest of such pixels from beyond the picture, where an encoder may leave anything.
    """
    width, height = image.size
    right, bottom = whole
    if 0 < right < width:
        image.paste(image.crop((right - 1, 0, right, height)).resize((width - right, height)), (right, 0))
    if 0 < bottom < height:
        image.paste(image.crop((0, bottom - 1, width, bottom)).resize((width, height - bottom)), (0, bottom))
    return image


def _colour(working: Image.Image, box: Box) -> tuple[Image.Image, ...]:
    """Return Cb and Cr, already small, where there is colour."""
    size = CHROMA_SIDE, CHROMA_SIDE
    if working.mode in ("RGB", "RGBX"):
        return tuple(working.resize(size, Image.Resampling.BOX, box=box).convert("YCbCr").split()[1:])
    _, *chroma = working.split()
    return tuple(plane.resize(size, Image.Resampling.BOX, box=box) for plane in chroma)


def to_working_mode(image: Image.Image) -> Image.Image:
    """Return the picture in ``L``, ``YCbCr``, ``RGB`` or ``RGBX``, or in ``F`` from 0 to 1 where its values do not
    fit 8 bits.

    ``convert("L")`` alone clips 16-bit and float pictures to white, drops alpha and so gives one grey to different
    pictures.
    """
    mode = image.mode
    if mode in ("L", "RGB", "RGBX", "YCbCr") and "transparency" not in image.info:
        return image
    if mode.startswith("I"):
        return Image.fromarray(_of_integers(np.asarray(image), _declared_bits(image)))
    if mode == "F":
        return Image.fromarray(_of_floats(np.asarray(image)))
    if mode in ("LAB", "CMYK"):
        return _of_lab(image) if mode == "LAB" else _of_inks(image)
    if mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        return _composite(image.convert("RGBA"))
    return image.convert("L" if mode == "1" else "RGB")


def tones(working: Image.Image) -> NDArray[np.int64] | None:
    """Count the tones of a picture in a working mode, by colour: (1, 256) of gray, else (3, 256).

    A million pixels, spread evenly, are enough. None where it has no tones of 8 bits.
    """
    if working.mode == "F":
        return None
    factor = math.isqrt(math.prod(working.size) // _MOST_TONES) + 1
    if factor > 1:
        size = max(1, working.width // factor), max(1, working.height // factor)
        working = working.resize(size, Image.Resampling.NEAREST)
    if working.mode == "YCbCr":
        working = working.convert("RGB")
    return np.array(working.histogram(), np.int64).reshape(-1, 256)[:3]


def _declared_bits(image: Image.Image) -> int:
    """Return bits of a sample, as far as the file tells; Pillow widens what other formats hold to 16."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_TIFF_BITS_PER_SAMPLE, (16,))
    return min(int(bits[0]), _MOST_BITS) if isinstance(bits, tuple) and bits else 16


def _of_integers(values: NDArray[Any], declared_bits: int) -> NDArray[np.float32]:
    """Scale integers of more than 8 bits to 0 to 1.

    A fixed scale and not the range of the picture: the 8-bit copy of a 16-bit photo has to get the same grey levels.
    Samples of 12 bits often lie in containers of 16 that say nothing of it, where they would be black. So what leaves
    the upper bits unused is brought up to them, but to three quarters for every two bits: it is found as a
    copy, and neither it nor an exposure shorter by some steps passes for the whole range.
    """
    wide = values.astype(np.float32)
    low, high = float(wide.min()), float(wide.max())
    if low < 0 or high > 2.0**_MOST_BITS:
        return _by_range(wide)
    most = declared_bits if high < 2**declared_bits else _MOST_BITS
    steps = enumerate([most, *(bits for bits in _LADDER if bits < most)])
    step, bits = [(step, bits) for step, bits in steps if high < 2**bits or step == 0][-1]
    return wide * np.float32((_STEP if most <= _USUAL_BITS else _STEP_OF_MANY) ** step / (2**bits - 1))


def _of_floats(values: NDArray[Any]) -> NDArray[np.float32]:
    """Scale floats to 0 to 1, by the scale that they seem to be on: 0 to 1, 0 to 255, 0 to 65,535, or else their
    range.

    What is no number is black.
    """
    finite = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    high = float(finite.max())
    if float(finite.min()) >= 0:
        for scale in _FLOAT_SCALES:
            if high <= scale:
                return finite / np.float32(scale)
    return _by_range(finite)


def _by_range(values: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = np.float64(values.min()), np.float64(values.max())
    return ((values - low) / ((high - low) or 1.0)).astype(np.float32)


def _of_lab(image: Image.Image) -> Image.Image:
    """Convert CIE L*a*b* under D50 to sRGB."""
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB"))
    assert converted is not None
    return converted


def _of_inks(image: Image.Image) -> Image.Image:
    """Return inks as sRGB, by the profile that the file carries; without one they count as ideal ones, as in Pillow.

    Ideal inks are lighter and purer than printed ones: by them a picture that was prepared for print is another one.
    """
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert("RGB")
    from PIL import ImageCms

    try:
        inks = ImageCms.getOpenProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image,
            inks,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a broken profile, or one of another kind
        converted = None
    return image.convert("RGB") if converted is None else converted


def _to_eight_bits(plane: Image.Image) -> Image.Image:
    if plane.mode == "L":
        return plane
    return Image.fromarray(np.rint(np.asarray(plane) * 255).clip(0, 255).astype(np.uint8))


def _composite(image: Image.Image) -> Image.Image:
    """Lay a picture with alpha over a background that it is not likely to have.

    Its colour tells what is transparent from what somebody laid over white, black or grey; its grey is not that of
    what is drawn, so that drawings in one colour, whichever, stay visible.
    """
    if image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    small = image.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)
    weights = np.asarray(small.getchannel("A"), np.float64)
    grey = float((np.asarray(small.convert("RGB").convert("L")) * weights).sum() / (weights.sum() or 1.0))
    colour = _DARK_BACKGROUND if abs(grey - _MID_GREY) < _NEAR_GREY else _BACKGROUND
    background = Image.new("RGBA", image.size, (*colour, 255))
    return Image.alpha_composite(background, image).convert("RGB")
