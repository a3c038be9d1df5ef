"""The image data of a picture file as one digest: equal digests mean one picture, whatever the metadata say.

What counts is the picture in full, with everything else that the file holds beside words about it. JPEG, HEIC, AVIF,
JPEG XL and what has more than 8 bits a sample count as they are stored, so that a digest never rests on less than the
whole depth; PNG, TIFF, BMP, GIF and WebP of 8 bits count by their decoded pixels, so that a lossless conversion keeps
the digest. Files of any other kind, and those that cannot be followed to their end, have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO

from dupfind.digest import Piece, digest_of
from dupfind.pictures import heif_data, hidden_data, jpeg_data, jxl, jxl_data, pixel_data, png_data, tiff_data

Counting = Callable[[IO[bytes], int], "Iterator[Piece] | None"]

RECIPE = 8
"""Version of what counts. Raise it with every change that can alter a digest."""

_BEGINNINGS: dict[bytes, Counting] = {
    b"\xff\xd8\xff": lambda file, _: jpeg_data.counting(file),
    b"\x89PNG\r\n\x1a\n": png_data.counting,
    b"II*\0": tiff_data.counting,
    b"MM\0*": tiff_data.counting,
    b"GIF8": pixel_data.of_gif,
    b"BM": pixel_data.of_bmp,
    jxl.CODESTREAM: lambda file, _: jxl_data.counting(file),
    jxl.CONTAINER: lambda file, _: jxl_data.counting(file),
}
_RIFF, _WEBP, _FILE_TYPE = b"RIFF", b"WEBP", b"ftyp"
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"MiHE", b"avif"})
_HEAD_BYTES = 16


def read_digest(file: IO[bytes], max_pixels: int) -> bytes | None:
    """Return the 32-byte digest of the image data of ``file``; None where it has none that could be relied on.

    ``max_pixels`` refuses to decode larger pictures. Raises what decoding raises, as an error of
    :mod:`dupfind.pictures.decode_errors` within :func:`dupfind.pictures.decode.in_plain_words`.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    pieces = _counting(file, head, max_pixels)
    if pieces is None:
        return None
    counts_whole = head.startswith(hidden_data.JPEG_HEAD)
    if not counts_whole and hidden_data.hides_data(file, max_pixels):
        return None
    return digest_of(pieces)


def _counting(file: IO[bytes], head: bytes, max_pixels: int) -> Iterator[Piece] | None:
    if head.startswith(_RIFF) and head[8:12] == _WEBP:
        return pixel_data.of_webp(file, max_pixels)
    if head[4:8] == _FILE_TYPE and head[8:12] in _HEIF_BRANDS:
        return heif_data.counting(file)
    counting = next((counting for beginning, counting in _BEGINNINGS.items() if head.startswith(beginning)), None)
    return None if counting is None else counting(file, max_pixels)
