"""Pictures with detail of the size of their pixels, and what takes it away."""

from __future__ import annotations

import numpy as np
from PIL import Image

from fixtures import pictures


def grainy(seed: int, size: tuple[int, int] = (960, 720)) -> Image.Image:
    """A photo with detail of the size of its pixels."""
    grain = np.random.Generator(np.random.PCG64(seed)).integers(-14, 15, (size[1], size[0], 1))
    smooth = np.asarray(pictures.photo(seed, size), np.int16)
    return Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))


def enlarged(image: Image.Image, factor: int) -> Image.Image:
    """A preview of ``image``, at the full size again."""
    small = image.resize((image.width // factor, image.height // factor), Image.Resampling.LANCZOS)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def with_letters(image: Image.Image, place: tuple[int, int], side: int) -> Image.Image:
    """``image`` with a little square in other greys at ``place``."""
    changed = image.copy()
    x, y = place
    around = int(np.asarray(image.convert("L").crop((x, y, x + side, y + side))).mean())
    changed.paste((250, 250, 250) if around < 128 else (10, 10, 10), (x, y, x + side, y + side))
    return changed
