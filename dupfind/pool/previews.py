"""Small pictures of files, for a page that a person looks at; no verdict rests on them.

They are made as thumbnails are: each file is opened once, seen to be what the walk saw, refused above ``--max-pixels``
and given up after ``--timeout``. The task is a plain picklable function, as in :mod:`dupfind.pool.tasks`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO

from PIL import Image

from dupfind import libraries
from dupfind.answers.page import Preview
from dupfind.pictures import decode, decode_errors, exif, formats, small
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
"""Between the frames of a film."""


def read_previews(
    entries: Sequence[FileEntry], max_pixels: int, timeout_seconds: float, side: int = SIDE
) -> list[Preview | Failure]:
    """Return a preview of each picture whose longer side is ``side`` pixels at most, or why there is none."""
    return _read(entries, lambda file, name: read_preview(file, name, max_pixels, side), timeout_seconds)


def read_full_size(entries: Sequence[FileEntry], max_pixels: int, timeout_seconds: float) -> list[Preview | Failure]:
    """Return each picture at its own size, as JPEG, or why there is none."""

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
    """Return the picture in ``file``, positioned at its start, made small; ``name`` as for a thumbnail. As WebP, or
    JPEG.

    Raises the errors of :mod:`dupfind.pictures.decode_errors`, and nothing else whatever the bytes; a ``TimeoutError``
    raised by the caller's alarm passes through.
    """
    if formats.suffix(name) in formats.FILM_SUFFIXES and libraries.can_read_films():
        strip = _strip(file, max_pixels)
        if strip is not None:
            return strip
        file.seek(0)
    with decode.in_plain_words(file):
        seen = small.look(file, name, max_pixels, side)
        picture = exif.upright(small.small(seen, side), seen.orientation)
        data = io.BytesIO()
        if is_full:
            picture.save(data, "JPEG", quality=_FULL_QUALITY)
        else:
            picture.save(data, "WEBP", quality=_QUALITY, method=_METHOD)
        width, height = seen.size[::-1] if exif.is_transposed(seen.orientation) else seen.size
        return Preview(data.getvalue(), width, height, seen.captured)


def _strip(file: IO[bytes], max_pixels: int) -> Preview | None:
    """Return frames of a film side by side, in two rows; None where it has none that can be decoded."""
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
