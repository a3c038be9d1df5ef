"""A picture as it comes out of a file."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def again(image: Image.Image, kind: str = "JPEG", **options: Any) -> Image.Image:
    """``image``, saved and decoded."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    decoded = Image.open(file)
    decoded.load()
    return decoded
