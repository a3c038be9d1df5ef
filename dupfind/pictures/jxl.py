"""JPEG XL: told by its content, its size read before anything is decoded, decoded by the extra ``dupfind[jxl]``.

The plugin decodes the whole picture when it opens a file and knows nothing of animations, so the header is read here
(ISO/IEC 18181-1, annexes C and D; -2 for the container). Loads the plugin only when such a file is met.
"""

from __future__ import annotations

import os
from typing import IO, NamedTuple

from PIL import Image

from dupfind import libraries
from dupfind.errors import UndecodableError, missing_extra

CODESTREAM, CONTAINER = b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n"

_HEADER_BYTES = 64
_MOST_BOXES = 1000
_SIZE_BITS = (9, 13, 18, 30)
_SAID_BY_SIX_BITS, _EIGHT_BITS = 3, 8
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


class Header(NamedTuple):
    """What the beginning of the codestream says."""

    width: int
    """As stored, in pixels."""
    height: int
    is_animated: bool
    """True also where it cannot be told."""
    is_deep: bool
    """More than 8 bits a sample."""


def is_jxl(head: bytes) -> bool:
    """Tell whether a file that begins with ``head`` is JPEG XL."""
    return head.startswith((CODESTREAM, CONTAINER))


def version() -> str:
    """Return the version of the decoder, for the cache's key; empty where it is not installed."""
    return libraries.version_of("pillow-jxl-plugin", "pillow_jxl") or ""


def open_image(file: IO[bytes]) -> Image.Image:
    """Return the picture in ``file``, decoded whole. Raises
    :class:`UndecodableError`, also where the extra is missing.
    """
    try:
        from pillow_jxl import JpegXLImagePlugin
    except ImportError:
        raise missing_extra("JPEG XL", "jxl") from None
    JpegXLImagePlugin.DECODE_THREADS = 0  # every core has a worker of its own already
    file.seek(0)
    try:
        return Image.open(file, formats=("JXL",))
    except (RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UndecodableError("cannot be decoded: broken JPEG XL data") from None


def is_stored_upright(image: Image.Image) -> bool:
    """Tell whether the decoder has turned the picture, so that the orientation that EXIF repeats is done with.

    It does so with all but the files that keep a JPEG, whose pixels are those of the JPEG.
    """
    return not getattr(image, "jpeg", False)


def read_header(file: IO[bytes]) -> Header:
    """Return size and kind of the picture in ``file``. Raises :class:`UndecodableError` where it has no codestream."""
    file.seek(0)
    if file.read(2) != CODESTREAM:
        _seek_codestream(file)
    bits = _Bits(file.read(_HEADER_BYTES))
    width, height = _read_size(bits)
    return Header(width, height, *_kind(bits))


def _seek_codestream(file: IO[bytes]) -> None:
    """Go behind the signature of the first codestream among the boxes of a container."""
    place, end = 0, file.seek(0, os.SEEK_END)
    for _ in range(_MOST_BOXES):
        file.seek(place)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        body = 8
        if length == 1:
            length, body = int.from_bytes(head[8:16], "big"), 16
        if kind in (b"jxlc", b"jxlp"):
            file.seek(place + body + (4 if kind == b"jxlp" else 0))  # a part begins with its number
            if file.read(2) == CODESTREAM:
                return
        if length < body or place + length > end:  # 0: up to the end of the file
            break
        place += length
    raise UndecodableError("cannot be decoded: broken JPEG XL data")


class _Bits:
    """Bits, the lowest of each byte first; zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._rest & ((1 << count) - 1)
        self._rest >>= count
        return value


def _read_size(bits: _Bits) -> tuple[int, int]:
    is_small = bits.take(1)

    def side() -> int:
        return 8 * (1 + bits.take(5)) if is_small else 1 + bits.take(_SIZE_BITS[bits.take(2)])

    height = side()
    ratio = bits.take(3)
    if not ratio:
        return side(), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _kind(bits: _Bits) -> tuple[bool, bool]:
    """Tell whether it is animated, and whether it has more than 8 bits a sample."""
    is_all_default = bits.take(1)
    if is_all_default:
        return False, False
    if bits.take(1):  # extra fields
        bits.take(3)  # orientation
        if bits.take(1):
            _read_size(bits)
        has_preview = bits.take(1)
        if has_preview or bits.take(1):  # previews are too rare to be read past
            return True, False
    is_float = bits.take(1)
    which = bits.take(2)  # 8, 10, 12, or 1 and what 6 bits say
    return False, bool(is_float or which in (1, 2) or (which == _SAID_BY_SIX_BITS and bits.take(6) >= _EIGHT_BITS))
