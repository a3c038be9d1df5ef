"""Pictures from a number, by whole numbers alone: the same on every machine, whatever libraries it has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 192, 144
_PARTS = 10
_DISCS = 7


def scene(seed: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Draw a picture of its own for each ``seed``: soft waves with discs before them; shape (height, width, 3)."""
    dice = _dice(seed)
    across, down = np.arange(width, dtype=np.int64)[None, :], np.arange(height, dtype=np.int64)[:, None]
    planes = np.zeros((3, height, width), np.int64)
    for part in range(_PARTS):
        weight = 256 // (part + 2)
        slope, lean, start = (next(dice) % (24 + 24 * part) - 12 - 12 * part for _ in range(3))
        wave = _triangle(across * slope * 480 // width + down * lean * 360 // height + start * 97)
        shares = np.array([weight + next(dice) % 32 for _ in planes])
        planes += wave * shares[:, None, None]
    low, high = planes.min(), planes.max()
    planes = (planes - low) * 255 // (high - low)
    for _ in range(_DISCS):
        x, y, radius = next(dice) % width, next(dice) % height, width // 24 + next(dice) % (width // 8)
        inside = (across - x) ** 2 + (down - y) ** 2 < radius**2
        for plane in planes:
            level = next(dice) % 256
            plane[inside] = (plane[inside] + 3 * level) // 4
    return np.ascontiguousarray(planes.transpose(1, 2, 0).astype(np.uint8))


def _triangle(phase: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a wave between 0 and 4096 of this phase, whose length is 8192."""
    return np.abs(phase % 8192 - 4096)


def _dice(seed: int) -> Iterator[int]:
    """Yield numbers of 31 bits without end, by the minimal standard generator of Park and Miller."""
    state = (seed * 7919 + 104729) % 2147483647 or 1
    while True:
        state = state * 48271 % 2147483647
        yield state >> 4
