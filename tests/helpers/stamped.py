"""Blocks of metadata made by hand, and files that carry them."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

from PIL import Image

from dupfind.pictures import image_data
from fixtures import pictures

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
APP0, APP1, APP2, APP3, APP13, APP14, COMMENT = 0xE0, 0xE1, 0xE2, 0xE3, 0xED, 0xEE, 0xFE
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
_SIZES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, UNDEFINED: 1}
Tags = Mapping[int, Any]
"""By number: a kind and its value as bytes, or the tags of a directory below."""


def digest(content: bytes, max_pixels: int = 10**8) -> bytes | None:
    """The digest of the image data of a file."""
    return image_data.read_digest(io.BytesIO(content), max_pixels)


def block(tags: Tags, *, order: str = "<", following: Tags | None = None, loose: bytes = b"") -> bytes:
    """A TIFF block with these tags in its main directory; ``following`` is the directory behind it."""
    data = bytearray((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8))
    _write(data, tags, order, following)
    return bytes(data + loose)


def _write(data: bytearray, tags: Tags, order: str, following: Tags | None = None) -> None:
    start = len(data)
    data += struct.pack(order + "H", len(tags)) + bytes(12 * len(tags) + 4)
    for index, (number, content) in enumerate(sorted(tags.items())):
        if isinstance(content, Mapping):
            kind, count, value = LONG, 1, struct.pack(order + "I", len(data))
            _write(data, content, order)
        else:
            kind, value = content
            count = len(value) // _SIZES.get(kind, 1)
        if len(value) > 4:
            place = struct.pack(order + "I", len(data))
            data += value + bytes(len(value) % 2)
            value = place
        entry = struct.pack(order + "HHI", number, kind, count) + value.ljust(4, b"\0")
        data[start + 2 + 12 * index : start + 14 + 12 * index] = entry
    if following is not None:
        end = start + 2 + 12 * len(tags)
        data[end : end + 4] = struct.pack(order + "I", len(data))
        _write(data, following, order)


def block_with_thumbnail(tags: Tags, picture: bytes, *, pointed: int | None = None) -> bytes:
    """A block with these tags and a thumbnail, of which ``pointed`` bytes are said to be one."""
    said = struct.pack("<I", len(picture) if pointed is None else pointed)
    of_thumbnail: dict[int, Any] = {0x0103: short(6), 0x0201: (LONG, bytes(4)), 0x0202: (LONG, said)}
    place = len(block(tags, following=of_thumbnail))
    of_thumbnail[0x0201] = LONG, struct.pack("<I", place)
    return block(tags, following=of_thumbnail, loose=picture)


def short(value: int, order: str = "<") -> tuple[int, bytes]:
    """A tag of one number of 16 bits."""
    return SHORT, struct.pack(order + "H", value)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file of this format."""
    file = io.BytesIO()
    image.save(file, kind, **{**pictures.QUICKLY.get(kind, {}), **options})
    return file.getvalue()


def with_segments(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with these segments behind its first marker."""
    added = b"".join(b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    return jpeg[:2] + added + jpeg[2:]


def with_exif(jpeg: bytes, tags: Tags, **options: Any) -> bytes:
    """A JPEG with an EXIF block of these tags."""
    return with_segments(jpeg, (APP1, b"Exif\0\0" + block(tags, **options)))


def resource(number: int, content: bytes) -> bytes:
    """One of Photoshop's image resources."""
    return b"8BIM" + struct.pack(">HHI", number, 0, len(content)) + content + bytes(len(content) % 2)


def xmp(words: str = "") -> bytes:
    """An XMP packet that says this."""
    return (
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        f"<rdf:Description {words}/></x:xmpmeta>{' ' * 2000}<?xpacket end='w'?>"
    ).encode()
