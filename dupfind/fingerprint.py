"""Thumbnails to hashes; pure, and the only module that imports imagehash.

Two lengths serve two ends: 64 bits to find candidates by (the user's choice of algorithm), 256 bits of pHash to
check them by. Everything is computed from the 64 x 64 thumbnail, so no other algorithm, threshold or orientation ever
decodes a file again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dupfind.values import FIRST_TRANSPOSED, ORIENTATIONS, THUMBNAIL_SIDE

Pixels = NDArray[np.uint8]

RECIPE = f"2, imagehash {imagehash.__version__}"
"""Version of the way from thumbnail to hash, for the cache's key."""

SIZES = 8, 16
"""Sides of the hashes that are offered: 64 and 256 bits."""
SEARCH_SIZE, CHECK_SIZE = SIZES

_OTHER_ALGORITHMS: dict[str, Callable[..., imagehash.ImageHash]] = {
    "dhash": imagehash.dhash,
    "ahash": imagehash.average_hash,
    "whash": imagehash.whash,
}
_PHASH_OVERSAMPLING = 4  # imagehash's highfreq_factor


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
    return hash_of(picture, algorithm, SEARCH_SIZE)


def hash_of(picture: Pixels, algorithm: str, size: int) -> int:
    """The hash of ``size * size`` bits of an upright thumbnail, likewise; ``size`` is one of :data:`SIZES`."""
    if algorithm == "phash":
        return _phash(picture, size)
    return _as_int(_OTHER_ALGORITHMS[algorithm](Image.fromarray(picture), hash_size=size).hash)


def exact_hash_of(image: Image.Image, algorithm: str, size: int) -> int:
    """What imagehash itself makes of a whole picture of any mode, bit for bit; loads scipy for pHash, 0.17 s."""
    function = imagehash.phash if algorithm == "phash" else _OTHER_ALGORITHMS[algorithm]
    return _as_int(function(image, hash_size=size).hash)


def as_hex(value: int, size: int) -> str:
    """A hash of ``size * size`` bits as imagehash writes it.

    >>> as_hex(255, 8)
    '00000000000000ff'
    """
    return f"{value:0{size * size // 4}x}"


def search_hashes(picture: Pixels, algorithm: str, orientations: int = ORIENTATIONS) -> tuple[int, ...]:
    """The 64-bit hashes of the first ``orientations`` of a thumbnail, in the order of their index."""
    return tuple(search_hash(np.ascontiguousarray(turn(picture, index)), algorithm) for index in range(orientations))


def check_hash(picture: Pixels) -> int:
    """The 256-bit pHash of a thumbnail; distances between unrelated photos start at 84 bits."""
    return _phash(picture, CHECK_SIZE)


def _phash(picture: Pixels, size: int) -> int:
    """The pHash of ``size * size`` bits, bit for bit that of ``imagehash.phash``.

    Written out because imagehash takes its cosine transform from scipy, whose import costs each process 0.17 s, and
    computes all coefficients where the lowest ``size`` in each direction are wanted: 30 us instead of 90.
    """
    side = size * _PHASH_OVERSAMPLING
    if picture.shape[0] != side:
        picture = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS))
    cosines = _cosines(size, side)
    # Rounded, so that what is zero but for the order of the additions is zero on every machine.
    low = np.round(cosines @ picture.astype(np.float64) @ cosines.T, 3)
    ordered = np.sort(low, axis=None)
    median = (ordered[low.size // 2 - 1] + ordered[low.size // 2]) / 2
    return _as_int(low > median)


@lru_cache(maxsize=4)
def _cosines(count: int, side: int) -> NDArray[np.float64]:
    """The first ``count`` rows of the type-II discrete cosine transform of length ``side``."""
    frequency, place = np.arange(count)[:, None], np.arange(side)[None, :]
    return 2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * side))


def _as_int(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits.reshape(-1)).tobytes(), "big")
