"""Grey scenes of 64 x 64 and thumbnails of them, for the tests of the evidence: made from a seed alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dupfind.values import Thumbnail

Field = NDArray[np.float64]


def scene(seed: int = 1, *, scale: float = 1.0, right: float = 0.0, texture: float = 6.0) -> Field:
    """A scene of blobs and waves in (64, 64) grey levels, seen ``scale`` times as wide and moved ``right`` pixels."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[0:64, 0:64] * scale + (63 - 63 * scale) / 2
    across = across + right
    values = np.full((64, 64), 120.0)
    for _ in range(14):
        y, x, width = rng.uniform(0, 64), rng.uniform(0, 64), rng.uniform(4, 16)
        values += rng.uniform(-60, 60) * np.exp(-((down - y) ** 2 + (across - x) ** 2) / (2 * width**2))
    for _ in range(10):
        y, x = rng.uniform(-0.7, 0.7, 2)
        values += texture / 3 * np.sin(y * down + x * across + rng.uniform(0, 6))
    return values


def grey(values: Field) -> NDArray[np.uint8]:
    """These grey levels as pixels."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def shot(values: Field, width: int = 4000, height: int = 3000, **facts: Any) -> Thumbnail:
    """The thumbnail of a picture with these grey levels."""
    given = {"format": "JPEG", "frames": 1, "captured": None, **facts}
    return Thumbnail(grey(values).tobytes(), width, height, **given)


def waves(seed: int) -> Field:
    """A faint texture, one grey level strong."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[0:64, 0:64]
    values = np.zeros((64, 64))
    for _ in range(8):
        y, x = rng.uniform(0.2, 0.75, 2)
        values += np.sin(y * down + x * across * rng.choice([-1, 1]) + rng.uniform(0, 6)) / 3
    return values
