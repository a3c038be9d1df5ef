"""Pictures to files as cameras, phones and programs write them, and back."""

from __future__ import annotations

import io
import struct
import zlib
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.edits import encode
from fixtures import pictures

_QUICKLY: dict[str, dict[str, Any]] = {
    "JPEG": {},
    "WEBP": {"method": 1},
    "HEIF": {"enc_params": {"preset": "ultrafast"}},
    "AVIF": {"speed": 10},
}


def decoded(data: bytes) -> Image.Image:
    """Return the RGB picture of an encoded file."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def jpeg(image: Image.Image, dice: Random, low: int = 88, high: int = 97) -> bytes:
    """Save as JPEG as some program would: quality between the two, colour halved or in full, any scan order."""
    options: dict[str, Any] = {"quality": dice.randint(low, high)}
    if image.mode == "RGB":
        options["subsampling"] = dice.choice((0, 2))
    return encode(image, progressive=dice.random() < 0.3, **options)


def needle_file(image: Image.Image, kind: str, dice: Random) -> bytes:
    """Save as a good file of that kind: what a camera, a phone or an export writes."""
    if kind == "JPEG":
        return jpeg(image, dice)
    options: dict[str, dict[str, Any]] = {
        "PNG": pictures.QUICKLY["PNG"],
        "WEBP": {"quality": dice.randint(88, 96), "method": 1},
        "HEIF": {"quality": dice.randint(70, 90), "enc_params": {"preset": "ultrafast"}},
        "AVIF": {"quality": dice.randint(72, 90), "speed": 10},
    }
    return encode(image, kind, **options[kind])


def saved(image: Image.Image, kind: str, quality: int, **more: Any) -> bytes:  # noqa: ANN401 - passed on to Pillow
    """Save in a lossy format at this quality, quickly."""
    return encode(image, kind, **{"quality": quality, **_QUICKLY[kind], **more})


def deep_png(image: Image.Image) -> bytes:
    """Save an RGB picture as PNG with 16 bits a colour, which Pillow cannot write."""
    deep = (np.asarray(image, np.uint16) * 257).astype(">u2").reshape(image.height, -1).view(np.uint8)
    rows = np.insert(deep, 0, 0, axis=1)  # each row begins with its filter, and 0 is none
    parts = (
        (b"IHDR", struct.pack(">2I5B", *image.size, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes(), 1)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
