"""Thumbnails to hashes; pure, and the only module that imports imagehash.

Two lengths serve two ends: 64 bits to find candidates by (the user's choice of algorithm), 256 bits of pHash to
check them by. Everything is computed from the 64 x 64 thumbnail, so no other algorithm, threshold or orientation ever
decodes a file again.
"""

from __future__ import annotations

from collections.abc import Callable

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dupfind.values import FIRST_TRANSPOSED, ORIENTATIONS, THUMBNAIL_SIDE

Pixels = NDArray[np.uint8]

RECIPE = f"1, imagehash {imagehash.__version__}"
"""Version of the way from thumbnail to hash, for the cache's key."""

_ALGORITHMS: dict[str, Callable[[Image.Image], imagehash.ImageHash]] = {
    "phash": imagehash.phash,
    "dhash": imagehash.dhash,
    "ahash": imagehash.average_hash,
    "whash": imagehash.whash,
}


def pixels(thumbnail: bytes) -> Pixels:
    """The bytes of a thumbnail as an array of shape (64, 64)."""
    return np.frombuffer(thumbnail, np.uint8).reshape(THUMBNAIL_SIDE, THUMBNAIL_SIDE)


def turn(picture: Pixels, orientation: int) -> Pixels:
    """``picture`` as EXIF orientation ``orientation + 1`` would show it; index 0 leaves it as it is.

    >>> turn(np.array([[1, 2], [3, 4]], np.uint8), 2).tolist()
    [[4, 3], [2, 1]]
    """
    if orientation >= FIRST_TRANSPOSED:  # EXIF 5 to 8 exchange rows and columns first
        picture = picture.T
    if orientation in (1, 2, 5, 6):
        picture = picture[:, ::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[::-1, :]
    return picture


def search_hash(picture: Pixels, algorithm: str) -> int:
    """The 64-bit hash of an upright thumbnail, unsigned, first bit highest, as imagehash prints it in hex."""
    return _as_int(_ALGORITHMS[algorithm](Image.fromarray(picture)).hash)


def search_hashes(picture: Pixels, algorithm: str, orientations: int = ORIENTATIONS) -> tuple[int, ...]:
    """The 64-bit hashes of the first ``orientations`` of a thumbnail, in the order of their index."""
    return tuple(search_hash(np.ascontiguousarray(turn(picture, index)), algorithm) for index in range(orientations))


def check_hash(picture: Pixels) -> int:
    """The 256-bit pHash of a thumbnail; distances between unrelated photos start at 86 bits."""
    return _as_int(imagehash.phash(Image.fromarray(picture), hash_size=16).hash)


def _as_int(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits.reshape(-1)).tobytes(), "big")
