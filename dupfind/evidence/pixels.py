"""One side of a comparison at full size, and what was made of it once; knows nothing of the other side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Grey = NDArray[np.float32]
Made = TypeVar("Made")


class Pixels(NamedTuple):
    """One side of a comparison, upright or turned, at the size at which the two are compared."""

    gray: Bytes
    """(height, width)"""
    color: Bytes | None
    """(2, height, width) of Cb and Cr (ITU-R BT.601, 128 is grey), each the mean of 2 x 2 pixels, of 4 x 4 in a large
    picture; None without."""
    fitted: Bytes | None = None
    """``gray`` brought nearer to the other side, which is a reduced copy: by this one places are compared. None where
    the sizes are equal."""
    made: dict[str, Any] | None = None
    """What was made of ``gray`` alone, for the next pair that it is in: a byte a pixel, and at most 5 MB; None where
    nothing is to be kept."""


def median(values: NDArray[Any]) -> float:
    """Compute the median of (n,) as ``np.median`` does, sooner; of integers up to half of what their type holds."""
    middle = values.size // 2
    ordered = np.partition(values, middle)
    return float(ordered[middle] if values.size % 2 else (ordered[:middle].max() + ordered[middle]) / 2)


def for_places(pixels: Pixels) -> Pixels:
    """Return what of ``pixels`` places are compared by."""
    return pixels if pixels.fitted is None else Pixels(pixels.fitted, None)


def once(pixels: Pixels, name: str, make: Callable[[Bytes], Made]) -> Made:
    """Return what ``make`` gives of the gray of ``pixels``, made once."""
    if pixels.made is None:
        return make(pixels.gray)
    if name not in pixels.made:
        pixels.made[name] = make(pixels.gray)
    made: Made = pixels.made[name]
    return made
