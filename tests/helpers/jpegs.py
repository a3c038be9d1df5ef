"""JPEG files put together by hand: a picture, segments before it, and what lies behind it."""

from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np
from PIL import Image

from dupfind.pictures import decode
from fixtures import pictures

SIZE = (320, 240)
XMP, EXTENDED_XMP = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"


@cache
def photo(seed: int = 1, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture, made once; not to be altered."""
    return pictures.photo(seed, size)


def saved(image: Image.Image, quality: int = 85) -> bytes:
    """The picture as a JPEG."""
    file = io.BytesIO()
    image.copy().save(file, "JPEG", quality=quality)
    return file.getvalue()


@cache
def jpeg(seed: int = 1, size: tuple[int, int] = SIZE) -> bytes:
    """A photo as a JPEG, made once."""
    return saved(photo(seed, size))


def preview(size: tuple[int, int] = (160, 120)) -> bytes:
    """A smaller copy of the first photo, as a JPEG."""
    return saved(photo().resize(size, Image.Resampling.BOX), 75)


def segment(marker: int, payload: bytes) -> bytes:
    """One segment; APP0 is 0xE0."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def with_segments(content: bytes, *segments: bytes) -> bytes:
    """The JPEG with these segments before all others."""
    return content[:2] + b"".join(segments) + content[2:]


def xmp(words: str | bytes) -> bytes:
    """A segment of XMP."""
    body = words.encode() if isinstance(words, str) else words
    return segment(0xE1, XMP + b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a " + body + b"/></x:xmpmeta>")


def noise(count: int, seed: int = 1) -> bytes:
    """Bytes that are nothing; none is 255, so that they begin no picture."""
    return np.random.default_rng(seed).integers(1, 255, count, np.uint8).tobytes()


def more(content: bytes, name: str = "a.jpg") -> str | None:
    """What the file is said to hold beside its picture, which is sound."""
    thumbnail = decode.read_thumbnail(io.BytesIO(content), name, 10**9)
    assert (*SIZE, None) == (thumbnail.width, thumbnail.height, thumbnail.damage)
    return thumbnail.more
