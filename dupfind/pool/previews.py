"""Small pictures of files, for a page that a person looks at; no verdict rests on them.

They are made as thumbnails are: each file is opened once, seen to be what the walk saw, refused above ``--max-pixels``
and given up after ``--timeout``. The task is a plain picklable function, as in :mod:`dupfind.pool.tasks`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, NamedTuple

from PIL import Image, JpegImagePlugin

from dupfind import libraries
from dupfind.answers.shown import Preview
from dupfind.pictures import color_modes, decode, decode_errors, exif, formats, jpeg, jxl, raw, trailers
from dupfind.pool.tasks import ReadError, decoded, opened
from dupfind.pool.time_limit import TimeLimit
from dupfind.values import Failure, FileEntry

SIDE = 240
"""Of the longer side, in pixels."""
_QUALITY = 72
_METHOD = 2
"""Pillow's effort for WebP, 0 to 6: at 4, a photo of 500 pixels takes 9.1 ms, not 7.5, and is 3% smaller."""
FULL_SIDE = 16_384
"""Of the longer side of a picture at full size: what is longer, browsers would make smaller themselves."""
_FULL_QUALITY = 92
"""Of a JPEG, which for 12 megapixels takes Pillow a tenth of the time of WebP, and looks no worse at this quality."""
_STRIP_COLUMNS, _STRIP_SIDE = 3, 160
"""Frames of a film beside each other, in two rows, and the longer side of each, in pixels."""
_GROUND = (200, 200, 200)
"""Behind what is transparent: black and white drawings stay visible."""
_SEEN_THROUGH = frozenset({"RGBA", "RGBa", "LA", "La", "PA"})


def read_previews(
    entries: Sequence[FileEntry], max_pixels: int, timeout_seconds: float, side: int = SIDE
) -> list[Preview | Failure]:
    """A preview of each picture whose longer side is ``side`` pixels at most, or why there is none."""
    return _read(entries, lambda file, name: read_preview(file, name, max_pixels, side), timeout_seconds)


def read_full_size(entries: Sequence[FileEntry], max_pixels: int, timeout_seconds: float) -> list[Preview | Failure]:
    """Each picture at its own size, as JPEG, or why there is none."""

    def read(file: IO[bytes], name: str) -> Preview:
        return read_preview(file, name, max_pixels, FULL_SIDE, is_full=True)

    return _read(entries, read, timeout_seconds)


def _read(
    entries: Sequence[FileEntry], read: Callable[[IO[bytes], str], Preview], timeout_seconds: float
) -> list[Preview | Failure]:
    def preview_of(entry: FileEntry) -> Preview | Failure:
        try:
            with opened(entry, "preview") as file:
                return decoded(partial(read, file, entry.path), limit, timeout_seconds)
        except ReadError as error:
            return error.failure

    with TimeLimit(timeout_seconds) as limit:
        return [preview_of(entry) if entry.size_bytes else Failure("empty file", is_image=False) for entry in entries]


def read_preview(file: IO[bytes], name: str, max_pixels: int, side: int = SIDE, *, is_full: bool = False) -> Preview:
    """The picture in ``file``, positioned at its start, made small; ``name`` as for a thumbnail. As WebP, or JPEG.

    Raises the errors of :mod:`dupfind.pictures.decode_errors`, and nothing else whatever the bytes; a ``TimeoutError``
    raised by the caller's alarm passes through.
    """
    if formats.suffix(name) in formats.FILM_SUFFIXES and libraries.can_read_films():
        strip = _strip(file, max_pixels)
        if strip is not None:
            return strip
        file.seek(0)
    with decode.in_plain_words(file):
        seen = _look(file, name, max_pixels, side)
        small = exif.upright(_small(seen, side), seen.orientation)
        data = io.BytesIO()
        if is_full:
            small.save(data, "JPEG", quality=_FULL_QUALITY)
        else:
            small.save(data, "WEBP", quality=_QUALITY, method=_METHOD)
        width, height = seen.size[::-1] if exif.is_transposed(seen.orientation) else seen.size
        return Preview(data.getvalue(), width, height, seen.captured)


def _strip(file: IO[bytes], max_pixels: int) -> Preview | None:
    """Frames of a film side by side, in two rows; None where it has none that can be decoded."""
    from dupfind.pictures import film_frames

    with decode_errors.in_plain_words(lambda: 0):
        try:
            strip = film_frames.read_strip(file, max_pixels, 2 * _STRIP_COLUMNS, _STRIP_SIDE)
        except (ValueError, LookupError, ArithmeticError):
            return None
        if strip is None:
            return None
        height, width = strip.pictures[0].shape[:2]
        rows = -(-len(strip.pictures) // _STRIP_COLUMNS)
        sheet = Image.new("RGB", (_STRIP_COLUMNS * (width + 1) - 1, rows * (height + 1) - 1), _GROUND)
        for place, picture in enumerate(strip.pictures):
            row, column = divmod(place, _STRIP_COLUMNS)
            sheet.paste(Image.fromarray(picture), (column * (width + 1), row * (height + 1)))
        data = io.BytesIO()
        sheet.save(data, "WEBP", quality=_QUALITY, method=_METHOD)
        return Preview(data.getvalue(), strip.look.width, strip.look.height, None)


class _Seen(NamedTuple):
    """A picture as stored, decoded no larger than it has to be."""

    image: Image.Image
    box: tuple[float, float, float, float]
    """The part of ``image`` that the picture takes."""
    size: tuple[int, int]
    """Of the whole picture as stored."""
    orientation: int
    captured: str | None


def _look(file: IO[bytes], name: str, max_pixels: int, side: int) -> _Seen:
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
            return _Seen(image, (0, 0, *image.size), image.size, stored, captured)
    file.seek(0)
    with Image.open(file, formats=formats.DECODED) as image:
        decode.refuse_too_large(*image.size, max_pixels)
        size = image.size
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            drawn, box = _of_jpeg(image, file, side)
        else:
            image.load()
            drawn, box = image, (0, 0, *image.size)
        return _Seen(drawn, box, size, *exif.facts(image))


def _look_at_raw(file: IO[bytes], max_pixels: int, side: int) -> _Seen:
    shot = raw.read(file, max_pixels)
    captured = exif.captured_of_tiff(file)
    size = (shot.height, shot.width) if exif.is_transposed(shot.orientation) else (shot.width, shot.height)
    if shot.developed is not None:
        return _Seen(shot.developed, (0, 0, *shot.developed.size), size, shot.orientation, captured)
    preview = io.BytesIO(shot.preview or b"")
    with Image.open(preview, formats=("JPEG",)) as image:
        assert isinstance(image, JpegImagePlugin.JpegImageFile)
        captured = captured or exif.facts(image)[1]
        return _Seen(*_of_jpeg(image, preview, side), size, shot.orientation, captured)


def _of_jpeg(
    image: JpegImagePlugin.JpegImageFile, file: IO[bytes], side: int
) -> tuple[Image.Image, tuple[float, float, float, float]]:
    """Decode strictly, or leniently where that fails: a person sees what is left of it."""
    data, _ = jpeg.read_bytes(file, image.width * image.height)
    decoded = jpeg.decode(image, *trailers.outline(data), working_side=side)
    return decoded.image, decoded.box


def _small(seen: _Seen, side: int) -> Image.Image:
    """Decode the picture as stored, in ``RGB``, at the size of a preview."""
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
