"""A builder of small camera RAW files: uncompressed DNG, with or without a preview."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from PIL import Image

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SRATIONAL = 1, 2, 3, 4, 5, 10
_CODES = {_BYTE: "B", _SHORT: "H", _LONG: "I"}
_Entry = tuple[int, int, Any]


def dng(
    image: Image.Image, preview: Image.Image | None = None, orientation: int = 1, captured: str | None = None
) -> bytes:
    """``image``, of an even size, as a sensor under a Bayer filter sees it; ``preview`` goes before it as a JPEG."""
    mosaic = _mosaic(image)
    sensor: list[_Entry] = [
        (254, _LONG, 0),
        (256, _LONG, image.width),
        (257, _LONG, image.height),
        (258, _SHORT, 16),
        (259, _SHORT, 1),
        (262, _SHORT, 32803),
        (273, _LONG, b"pixels"),
        (277, _SHORT, 1),
        (278, _LONG, image.height),
        (279, _LONG, len(mosaic)),
        (33421, _SHORT, (2, 2)),
        (33422, _BYTE, (0, 1, 1, 2)),
        (50717, _LONG, 65535),
    ]
    camera: list[_Entry] = [
        (271, _ASCII, "Dupfind"),
        (272, _ASCII, "Test"),
        (274, _SHORT, orientation),
        (50706, _BYTE, (1, 4, 0, 0)),
        (50708, _ASCII, "Dupfind Test"),
        (50721, _SRATIONAL, [(value * 10000, 10000) for value in (1, 0, 0, 0, 1, 0, 0, 0, 1)]),
        (50728, _RATIONAL, [(1, 1)] * 3),
    ]
    if captured:
        camera.append((34665, _LONG, b"exif"))
    directories: dict[bytes, list[_Entry]] = {}
    blobs = {b"pixels": mosaic}
    if preview is None:
        directories[b"first"] = sensor + camera
    else:
        file = io.BytesIO()
        preview.save(file, "JPEG", quality=90)
        blobs[b"preview"] = file.getvalue()
        directories[b"first"] = [
            (254, _LONG, 1),
            (256, _LONG, preview.width),
            (257, _LONG, preview.height),
            (258, _SHORT, (8, 8, 8)),
            (259, _SHORT, 7),
            (262, _SHORT, 6),
            (273, _LONG, b"preview"),
            (277, _SHORT, 3),
            (278, _LONG, preview.height),
            (279, _LONG, len(blobs[b"preview"])),
            (330, _LONG, b"sensor"),
            *camera,
        ]
        directories[b"sensor"] = sensor
    if captured:
        directories[b"exif"] = [(36867, _ASCII, captured)]
    return _tiff(directories, blobs)


def _mosaic(image: Image.Image) -> bytes:
    red, green, blue = np.asarray(image.convert("RGB")).astype(float).transpose(2, 0, 1) / 255
    seen = green.copy()
    seen[::2, ::2], seen[1::2, 1::2] = red[::2, ::2], blue[1::2, 1::2]
    return bytes((seen**2.2 * 65535).astype("<u2").tobytes())


def _tiff(directories: dict[bytes, list[_Entry]], blobs: dict[bytes, bytes]) -> bytes:
    places: dict[bytes, int] = {}
    content = b""
    for _ in range(2):  # once to learn where everything lies, once to write it
        content = b"II*\0" + struct.pack("<I", 8)
        for name, entries in directories.items():
            places[name] = len(content)
            content += _directory(sorted(entries, key=lambda entry: entry[0]), len(content), places)
        for name, blob in blobs.items():
            places[name] = len(content)
            content += blob
    return content


def _directory(entries: list[_Entry], start: int, places: dict[bytes, int]) -> bytes:
    table, extra = struct.pack("<H", len(entries)), b""
    extra_start = start + 2 + 12 * len(entries) + 4
    for tag, kind, given in entries:
        value: Any = places.get(given, 0) if isinstance(given, bytes) else given
        if kind == _ASCII:
            data = value.encode() + b"\0"
            count = len(data)
        elif kind in (_RATIONAL, _SRATIONAL):
            data = b"".join(struct.pack("<ii", *pair) for pair in value)
            count = len(value)
        else:
            values = value if isinstance(value, tuple) else (value,)
            data = struct.pack(f"<{len(values)}{_CODES[kind]}", *values)
            count = len(values)
        if len(data) > 4:
            field = struct.pack("<I", extra_start + len(extra))
            extra += data + b"\0" * (len(data) % 2)
        else:
            field = data.ljust(4, b"\0")
        table += struct.pack("<HHI", tag, kind, count) + field
    return table + struct.pack("<I", 0) + extra
