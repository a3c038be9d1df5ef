"""JPEG files in each encoding."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from PIL import Image

from fixtures import pictures

ENCODINGS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "optimised": {"optimize": True},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 2},
    "progressive with restarts": {"progressive": True, "restart_marker_rows": 1},
}


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    """The bytes of a JPEG, of a photo where no picture is given."""
    file = io.BytesIO()
    (image or pictures.photo(1, (320, 240))).save(file, "JPEG", **options)
    return file.getvalue()


def with_zeros(content: bytes, start: int, length: int = 64) -> bytes:
    """``content`` with a run of zeros in it."""
    return content[:start] + bytes(length) + content[start + length :]


@cache
def large(seed: int, *, progressive: bool = True, quality: int = 88) -> bytes:
    """A JPEG large enough to be read coarsely where it is progressive."""
    file = io.BytesIO()
    photo = pictures.photo(seed, (640, 512)).resize((2560, 2048), Image.Resampling.BICUBIC)
    photo.save(file, "JPEG", progressive=progressive, quality=quality)
    return file.getvalue()
