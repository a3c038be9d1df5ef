"""Files of which image data can be told apart from the rest."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image

from fixtures import pictures
from tests.helpers.stamped import saved

SIZE = (64, 48)


def photo(seed: int = 1, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture for one user: Pillow notes on a picture how it was saved, and reads that when it saves pages."""
    return pictures.photo(seed, size)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """A PNG with these chunks behind its header."""
    return png[:33] + b"".join(chunks) + png[33:]


def png48(value: int = 1000) -> bytes:
    """A PNG of 48 bits a pixel, which Pillow shows with 24."""
    rows = b"".join(b"\0" + struct.pack(">3H", value, 2 * value, 3 * value) * 4 for _ in range(3))
    header = struct.pack(">IIBBBBB", 4, 3, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def with_packed(png: bytes, change: Callable[[bytes], bytes], kind: bytes = b"IDAT") -> bytes:
    """A PNG of which the packed data of its last chunk of this ``kind`` went through ``change``."""
    place = png.rindex(kind) - 4
    length = int.from_bytes(png[place : place + 4], "big")
    body = png[place + 8 : place + 8 + length]
    head = 4 if kind == b"fdAT" else 0
    return png[:place] + chunk(kind, body[:head] + change(body[head:])) + png[place + 12 + length :]


def with_packet(png: bytes, packet: bytes | None) -> bytes:
    """A PNG with this XMP, which Pillow does not write."""
    return png if packet is None else with_chunks(png, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))


FILMS: dict[str, dict[str, Any]] = {"GIF": {}, "PNG": {}, "WEBP": {"lossless": True}}


def film(
    kind: str, durations: tuple[int, ...] = (100, 50, 70), seeds: tuple[int, ...] = (1, 2, 3), loop: int = 2
) -> bytes:
    """An animation."""
    frames = [photo(seed).quantize(32) if kind == "GIF" else photo(seed) for seed in seeds]
    options = {"save_all": True, "append_images": frames[1:], "duration": list(durations), "loop": loop}
    return saved(frames[0], kind, **options, **FILMS[kind])


def pages(*seeds: int, **options: Any) -> bytes:
    """A TIFF of some pages."""
    images = [photo(seed) for seed in seeds]
    return saved(images[0], "TIFF", save_all=True, append_images=images[1:], **options)
