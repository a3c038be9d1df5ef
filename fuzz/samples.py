"""Good files of every kind that is read, small and made from a seed, to be broken by :mod:`fuzz.mutations`."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

from dupfind.pictures import jxl, raw
from fixtures import pictures
from fixtures.dng import dng

pillow_heif.register_heif_opener(thumbnails=False)

SIZE = (320, 240)
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, and steps of both, of the seven passes."""


@cache
def photo(seed: int = 1) -> Image.Image:
    """The picture in all of them."""
    return pictures.photo(seed, SIZE)


def _save(image: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 - passed on to Pillow
    file = io.BytesIO()
    image.save(file, kind, **{**pictures.QUICKLY.get(kind, {}), **options})
    return file.getvalue()


def _grey() -> Image.Image:
    return photo().convert("L")


def _wide() -> Image.Image:
    return Image.fromarray(np.asarray(_grey()).astype(np.uint16) * 257)


def _with_alpha(mode: str = "RGBA") -> Image.Image:
    image = photo().convert(mode)
    image.putalpha(_grey().point(lambda value: 255 if value > 60 else value))
    return image


def _lab() -> Image.Image:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    found = ImageCms.applyTransform(photo(), ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    assert found is not None
    return found


def _frames() -> dict[str, Any]:
    return {"save_all": True, "append_images": [photo(2), photo(3)]}


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _interlaced_png() -> bytes:
    values = np.asarray(photo())
    rows = [
        b"\0" + row.tobytes()
        for left, top, across, down in _ADAM7
        for row in np.ascontiguousarray(values[top::down, left::across])
    ]
    header = struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, 1)
    parts = _chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(b"".join(rows))), _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _rle_bmp() -> bytes:
    """Eight bits a pixel, runs: Pillow reads them and does not write them."""
    image = photo().quantize(16)
    plain = _save(image, "BMP")
    start = int.from_bytes(plain[10:14], "little")
    rows = []
    for row in np.asarray(image)[::-1]:
        places = np.flatnonzero(np.diff(row, prepend=-1))
        lengths = np.diff(places, append=len(row))
        runs = b"".join(
            bytes([min(length - done, 255), row[place]])
            for place, length in zip(places.tolist(), lengths.tolist(), strict=True)
            for done in range(0, length, 255)
        )
        rows.append(runs + b"\0\0")
    data = b"".join(rows) + b"\0\1"
    header = bytearray(plain[:start])
    header[2:6], header[30:34], header[34:38] = (
        struct.pack("<I", value) for value in (start + len(data), 1, len(data))
    )
    return bytes(header) + data


def _psd(*, is_packed: bool) -> bytes:
    """A flat picture in three channels."""
    planes = [np.asarray(plane) for plane in photo().split()]
    data = b"".join(plane.tobytes() for plane in planes)
    if is_packed:
        lines = [b"".join(_literal(row.tobytes()) for row in (line,)) for plane in planes for line in plane]
        data = b"".join(struct.pack(">H", len(line)) for line in lines) + b"".join(lines)
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, SIZE[1], SIZE[0], 8, 3)
    return head + bytes(12) + struct.pack(">H", int(is_packed)) + data


def _literal(row: bytes) -> bytes:
    """PackBits without any run."""
    parts = [row[start : start + 128] for start in range(0, len(row), 128)]
    return b"".join(bytes([len(part) - 1]) + part for part in parts)


def _plain_ppm() -> bytes:
    values = np.asarray(photo().resize((80, 60))).reshape(60, -1)
    return b"P3\n80 60\n255\n" + b"\n".join(b" ".join(b"%d" % value for value in row) for row in values)


def _coarse() -> bytes:
    """Large enough that its first scan alone is read."""
    large = photo().resize((2731, 2048), Image.Resampling.BICUBIC)
    return _save(large, "JPEG", quality=60, progressive=True)


_JPEG: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: _save(photo(), "JPEG", quality=85),
    "jpeg optimised": lambda: _save(photo(), "JPEG", quality=85, optimize=True),
    "jpeg 4:4:4": lambda: _save(photo(), "JPEG", quality=95, subsampling=0),
    "jpeg restarts": lambda: _save(photo(), "JPEG", quality=85, restart_marker_blocks=4),
    "jpeg progressive": lambda: _save(photo(), "JPEG", quality=85, progressive=True),
    "jpeg grey": lambda: _save(_grey(), "JPEG", quality=85),
    "jpeg cmyk": lambda: _save(photo().convert("CMYK"), "JPEG", quality=85),
    "jpeg exif": lambda: _save(photo(), "JPEG", exif=pictures.exif(6, "2020:01:02 03:04:05")),
    "jpeg coarse": _coarse,
    "mpo": lambda: _save(photo(), "MPO", save_all=True, append_images=[photo(2).resize((80, 60))]),
}
_LOSSLESS: dict[str, Callable[[], bytes]] = {
    "png": lambda: _save(photo(), "PNG"),
    "png grey": lambda: _save(_grey(), "PNG"),
    "png one bit": lambda: _save(photo().convert("1"), "PNG"),
    "png palette": lambda: _save(photo().quantize(200), "PNG"),
    "png palette transparent": lambda: _save(photo().quantize(200), "PNG", transparency=3),
    "png alpha": lambda: _save(_with_alpha(), "PNG"),
    "png grey alpha": lambda: _save(_with_alpha("LA"), "PNG"),
    "png 16 bits": lambda: _save(_wide(), "PNG"),
    "png interlaced": _interlaced_png,
    "png animated": lambda: _save(photo(), "PNG", **_frames()),
    "gif": lambda: _save(photo(), "GIF"),
    "gif animated": lambda: _save(photo(), "GIF", **_frames()),
    "bmp": lambda: _save(photo(), "BMP"),
    "bmp palette": lambda: _save(photo().quantize(200), "BMP"),
    "bmp runs": _rle_bmp,
    "dib": lambda: _save(photo(), "DIB"),
    "ppm": lambda: _save(photo(), "PPM"),
    "ppm plain": _plain_ppm,
    "pbm": lambda: _save(photo().convert("1"), "PPM"),
    "psd": lambda: _psd(is_packed=False),
    "psd packed": lambda: _psd(is_packed=True),
}
_TIFF: dict[str, Callable[[], bytes]] = {
    "tiff": lambda: _save(photo(), "TIFF"),
    "tiff lzw": lambda: _save(photo(), "TIFF", compression="tiff_lzw"),
    "tiff deflate": lambda: _save(photo(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff packbits": lambda: _save(photo(), "TIFF", compression="packbits"),
    "tiff jpeg": lambda: _save(photo(), "TIFF", compression="jpeg"),
    "tiff group 4": lambda: _save(photo().convert("1"), "TIFF", compression="group4"),
    "tiff 16 bits": lambda: _save(_wide(), "TIFF", compression="tiff_lzw"),
    "tiff float": lambda: _save(Image.fromarray(np.asarray(_grey()) / np.float32(255)), "TIFF"),
    "tiff cmyk": lambda: _save(photo().convert("CMYK"), "TIFF"),
    "tiff lab": lambda: _save(_lab(), "TIFF"),
    "tiff alpha": lambda: _save(_with_alpha(), "TIFF", compression="tiff_lzw"),
    "tiff pages": lambda: _save(photo(), "TIFF", compression="tiff_lzw", **_frames()),
    "tiff big": lambda: _save(photo(), "TIFF", compression="tiff_lzw", big_tiff=True),
}
_MODERN: dict[str, Callable[[], bytes]] = {
    "webp": lambda: _save(photo(), "WEBP", quality=85),
    "webp lossless": lambda: _save(photo(), "WEBP", lossless=True, method=0),
    "webp alpha": lambda: _save(_with_alpha(), "WEBP", quality=85),
    "webp animated": lambda: _save(photo(), "WEBP", **_frames()),
    "avif": lambda: _save(photo(), "AVIF", quality=75, speed=9),
    "avif alpha": lambda: _save(_with_alpha(), "AVIF", quality=75, speed=9),
    "heic": lambda: _save(photo(), "HEIF", quality=80),
    "heic alpha": lambda: _save(_with_alpha(), "HEIF", quality=80),
    "jpeg 2000": lambda: _save(photo(), "JPEG2000"),
    "jpeg 2000 lossy": lambda: _save(photo(), "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[20]),
    "jpeg 2000 codestream": lambda: _save(photo(), "JPEG2000", no_jp2=True),
}
_EXTRAS: dict[str, Callable[[], bytes]] = {
    "jxl": lambda: _save(photo(), "JXL", quality=85, effort=3),
    "jxl lossless": lambda: _save(photo(), "JXL", lossless=True, effort=1),
    "raw preview": lambda: dng(photo(), photo()),
    "raw": lambda: dng(photo()),
}


@cache
def make(name: str) -> bytes:
    """The file of this name, of those in :func:`names`."""
    if name.startswith("jxl"):
        import pillow_jxl  # noqa: F401 - which is how Pillow gets to know it

    return {**_JPEG, **_LOSSLESS, **_TIFF, **_MODERN, **_EXTRAS}[name]()


def names() -> list[str]:
    """All that can be made and read here: two kinds need extras of the package."""
    missing = ("jxl",) * (not jxl.version()) + ("raw",) * (not raw.version())
    every = [*_JPEG, *_LOSSLESS, *_TIFF, *_MODERN, *_EXTRAS]
    return [name for name in every if not name.startswith(missing or ("\0",))]
