"""Each format's way to a thumbnail against its plain decode, in one process.

    python -m benchmarks.formats [PICTURE] [--rounds N] [--only NAME]...

The picture is saved in each format; "plain" opens it and loads all of its pixels with the same library, nothing more.
Processor time counts, since some decoders use several threads; the first round of each warms up and does not count.
"""

from __future__ import annotations

import argparse
import importlib
import io
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.common import SHARED_DATA, machine, median
from dupfind.pictures import decode, jxl
from fixtures import pictures

_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG, baseline": ("JPEG", {"quality": 90}),
    "JPEG, progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "JPEG, progressive, slack behind it": ("JPEG", {"quality": 90, "progressive": True}),
    "JPEG, progressive, a film behind it": ("JPEG", {"quality": 90, "progressive": True}),
    "PNG": ("PNG", {"compress_level": 6}),
    "WebP, lossy": ("WEBP", {"quality": 85}),
    "WebP, lossless": ("WEBP", {"lossless": True, "method": 0}),
    "HEIC": ("HEIF", {"quality": 80}),
    "AVIF": ("AVIF", {"quality": 75, "speed": 9}),
    "TIFF": ("TIFF", {}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF, JPEG": ("TIFF", {"compression": "jpeg", "quality": 90}),
    "JPEG 2000": ("JPEG2000", {"irreversible": True, "quality_mode": "rates", "quality_layers": [12]}),
    "JPEG XL": ("JXL", {"quality": 90, "effort": 3}),
    "GIF": ("GIF", {}),
    "BMP": ("BMP", {}),
}


_BEHIND = {
    "JPEG, progressive, slack behind it": bytes(1 << 16),
    "JPEG, progressive, a film behind it": b"\0\0\0\x18ftypmp42" + bytes(range(1, 256)) * 16_000,
}


def _plain(content: bytes, kind: str) -> None:
    if kind == "JXL":
        with jxl.open_image(io.BytesIO(content)) as image:
            image.load()
    else:
        with Image.open(io.BytesIO(content)) as image:
            image.load()


def _thumbnail(content: bytes) -> None:
    decode.read_thumbnail(io.BytesIO(content), "a.bin", 10**9, may_be_coarse=True)


def _seconds(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", metavar="NAME", help="formats whose name contains this; repeatable")
    options = parser.parse_args()
    camera = sorted((SHARED_DATA / "camera").glob("*"))
    path = options.picture or (camera[0] if camera else None)
    if path is None:
        photo = pictures.photo(1, (4000, 3000))
    else:
        with Image.open(path) as image:
            photo = image.convert("RGB")
    with suppress(ImportError):
        importlib.import_module("pillow_jxl")  # lets Pillow write JPEG XL
    print(machine())
    print(f"{photo.width} x {photo.height} pixels" + ("" if path else ", drawn"))
    print("| format | file | plain decode | thumbnail | thumbnail : plain |")
    print("|---|---|---|---|---|")
    for name, (kind, how) in _FORMATS.items():
        if options.only and not any(part in name for part in options.only):
            continue
        file = io.BytesIO()
        try:
            photo.save(file, kind, **how)
        except (KeyError, OSError) as error:
            print(f"| {name} | cannot be written here: {error} | | | |")
            continue
        content = file.getvalue() + _BEHIND.get(name, b"")
        plain = median([_seconds(partial(_plain, content, kind)) for _ in range(options.rounds + 1)][1:])
        ours = median([_seconds(partial(_thumbnail, content)) for _ in range(options.rounds + 1)][1:])
        row = f"{len(content) / 1e6:.1f} MB | {plain * 1e3:.0f} ms | {ours * 1e3:.0f} ms | {ours / plain:.2f}"
        print(f"| {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
