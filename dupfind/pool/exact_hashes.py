"""Hashes of pictures at their full size, which are imagehash's own.

Nothing is done to a picture before imagehash sees it: it is not turned as EXIF says, and its mode is converted as
imagehash has Pillow do it, which makes white of most of a 16-bit picture. Databases that other programs have filled
hold such hashes; no verdict of this program rests on one. The tasks are plain picklable functions, as in
:mod:`dupfind.pool.tasks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import IO

from PIL import Image

from dupfind.evidence import fingerprint
from dupfind.pictures import decode, formats, jxl
from dupfind.pool.tasks import ReadError, decoded, opened
from dupfind.pool.time_limit import TimeLimit
from dupfind.values import Failure, FileEntry


def hash_originals(
    entries: Sequence[FileEntry], algorithms: Sequence[str], size: int, max_pixels: int, timeout_seconds: float
) -> list[tuple[str, ...] | Failure]:
    """Hash each file, in hex, in the order of ``algorithms``, or say why it has none.

    They have ``size * size`` bits each. A JPEG of 12 megapixels takes 0.15 s, and 0.55 with wHash.
    """

    def hashes_of(entry: FileEntry) -> tuple[str, ...] | Failure:
        try:
            with opened(entry, "thumbnail") as file:
                return decoded(partial(exact_hashes, file, algorithms, size, max_pixels), limit, timeout_seconds)
        except ReadError as error:
            return error.failure

    with TimeLimit(timeout_seconds) as limit:
        return [hashes_of(entry) if entry.size_bytes else Failure("empty file", is_image=False) for entry in entries]


def exact_hashes(file: IO[bytes], algorithms: Sequence[str], size: int, max_pixels: int) -> tuple[str, ...]:
    """Hash the picture in ``file``, positioned at its start, as imagehash does and writes it.

    Raises :class:`~dupfind.errors.NotAPictureError` or :class:`~dupfind.errors.UndecodableError`, and nothing else
    whatever the bytes; a ``TimeoutError`` raised by the caller's alarm passes through.
    """
    with decode.in_plain_words(file), _image(file, max_pixels) as image:
        image.load()
        return tuple(
            fingerprint.as_hex(fingerprint.exact_hash_of(image, algorithm, size), size) for algorithm in algorithms
        )


@contextmanager
def _image(file: IO[bytes], max_pixels: int) -> Iterator[Image.Image]:
    """Yield the picture in ``file`` as Pillow opens it."""
    Image.MAX_IMAGE_PIXELS = None  # refused here, by our own bound and with our own words
    if jxl.is_jxl(file.read(16)):
        header = jxl.read_header(file)
        decode.refuse_too_large(header.width, header.height, max_pixels)
        with jxl.open_image(file) as image:
            yield image
        return
    file.seek(0)
    with Image.open(file, formats=formats.DECODED) as image:
        decode.refuse_too_large(*image.size, max_pixels)
        yield image
