"""Any picture file to a small picture: decoded no larger than it has to be, damaged ones as far as they go.

For a page that a person looks at, and to find parts of pictures by; no proof rests on them.
"""

from __future__ import annotations

import io
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from dupfind.pictures import color_modes, decode, exif, formats, jpeg, jxl, raw, trailers

_GROUND = (200, 200, 200)
"""Behind what is transparent: black and white drawings stay visible."""
_SEEN_THROUGH = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})


class Seen(NamedTuple):
    """A picture as stored, decoded no larger than it has to be."""

    image: Image.Image
    box: tuple[float, float, float, float]
    """The part of ``image`` that the picture takes."""
    size: tuple[int, int]
    """Of the whole picture as stored."""
    orientation: int
    captured: str | None


def look(file: IO[bytes], name: str, max_pixels: int, side: int) -> Seen:
    """Decode the picture in ``file``, positioned at its start, so that its shorter side keeps ``side`` pixels if it has
    them. Raises whatever the decoders raise: within :func:`dupfind.pictures.decode.in_plain_words`.
    """
    Image.MAX_IMAGE_PIXELS = None  # refused by our own bound and with our own words
    if raw.is_raw(file, name):
        return _look_at_raw(file, max_pixels, side)
    if jxl.is_jxl(file.read(16)):
        header = jxl.read_header(file)
        decode.refuse_too_large(header.width, header.height, max_pixels)
        with jxl.open_image(file) as image:
            image.load()
            orientation, captured = exif.facts(image)
            stored = 1 if jxl.is_stored_upright(image) else orientation
            return Seen(image, (0, 0, *image.size), image.size, stored, captured)
    file.seek(0)
    with Image.open(file, formats=formats.DECODED) as image:
        decode.refuse_too_large(*image.size, max_pixels)
        size = image.size
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            drawn, box = _of_jpeg(image, file, side)
        else:
            image.load()
            drawn, box = image, (0, 0, *image.size)
        return Seen(drawn, box, size, *exif.facts(image))


def _look_at_raw(file: IO[bytes], max_pixels: int, side: int) -> Seen:
    shot = raw.read(file, max_pixels)
    captured = exif.captured_of_tiff(file)
    size = (shot.height, shot.width) if exif.is_transposed(shot.orientation) else (shot.width, shot.height)
    if shot.developed is not None:
        return Seen(shot.developed, (0, 0, *shot.developed.size), size, shot.orientation, captured)
    preview = io.BytesIO(shot.preview or b"")
    with Image.open(preview, formats=("JPEG",)) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        captured = captured or exif.facts(image)[1]
        return Seen(*_of_jpeg(image, preview, side), size, shot.orientation, captured)


def _of_jpeg(
    image: JpegImagePlugin.JpegImageFile, file: IO[bytes], side: int
) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """Decode strictly, or leniently where that fails: a person sees what is left of it."""
    data, _ = jpeg.read_bytes(file, image.width * image.height)
    decoded = jpeg.decode(image, *trailers.outline(data), working_side=side)
    return decoded.image, decoded.box


def small(seen: Seen, side: int) -> Image.Image:
    """Give the picture as stored, in ``RGB``, its longer side ``side`` pixels at most."""
    image, box = seen.image, seen.box
    width, height = box[2] - box[0], box[3] - box[1]
    scale = min(1.0, side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if image.mode in _SEEN_THROUGH or "transparency" in image.info:
        clear = image.convert("RGBA").resize(size, Image.Resampling.BOX, box=box)
        return Image.alpha_composite(Image.new("RGBA", size, (*_GROUND, 255)), clear).convert("RGB")
    working = color_modes.to_working_mode(image)
    if working.mode == "F":
        working = working.resize(size, Image.Resampling.BOX, box=box).point(lambda value: value * 255).convert("L")
    elif working.size != size:
        working = working.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)
    return working.convert("RGB")


def read_gray(file: IO[bytes], name: str, max_pixels: int, decoded_side: int, side: int) -> NDArray[np.uint8]:
    """Read the picture in ``file`` as gray, upright (height, width), its longer side ``side`` pixels at most.

    Its shorter side has ``decoded_side`` pixels at least, if the picture has them. Raises as :func:`look` does.
    """
    seen = look(file, name, max_pixels, decoded_side)
    return exif.upright_array(small(seen, side).convert("L"), seen.orientation)
