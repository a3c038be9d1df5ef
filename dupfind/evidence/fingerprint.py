"""Thumbnails to hashes; pure, and the only module that imports imagehash.

Two lengths serve two ends: 64 bits to find candidates by (the user's choice of algorithm), 256 bits of pHash to
check them by. Everything is computed from the 64 x 64 thumbnail, so no other algorithm, threshold or orientation ever
decodes a file again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures import resampling
from dupfind.values import BACK, FIRST_TRANSPOSED, ORIENTATIONS, THUMBNAIL_SIDE

if TYPE_CHECKING:
    from PIL import Image

Pixels = NDArray[np.uint8]

RECIPE = 3
"""Version of our own part in the way from thumbnail to hash."""

SIZES = 8, 16
"""Sides of the hashes that are offered: 64 and 256 bits."""
SEARCH_SIZE, CHECK_SIZE = SIZES

_FUNCTIONS = {"phash": "phash", "dhash": "dhash", "ahash": "average_hash", "whash": "whash"}
"""What of imagehash each algorithm is."""
_PHASH_OVERSAMPLING = 4  # imagehash's highfreq_factor
GRAY_ALGORITHM, GRAY_SLACK_BITS = "phash", 4
"""By which gray decodes may be searched for, and by how much two of them may lie farther apart than the whole pictures
do, in bits of the 64. Of 20,020 pairs within 14 bits, 86 do by 4 and none by more; by other algorithms one alone moves
by up to 8."""
MOST_GRAY_BITS = 16
"""The largest threshold at which gray decodes are searched: beyond, most of all pictures may be near."""
STEADY_BITS = 6
"""Bits of the 64 that a change of one grey level may change in a hash that is good to search by."""
_ROUGH = 4.0
"""Roughness above which a hash is steady. 400 photos have 5 at least, slopes and slow waves up to 1.4."""
_UNSURE = 120.0
"""How far from the median a coefficient of a gray decode may lie and be on its other side by the whole: 1,700 pictures,
turned in all ways, have 2 such bits each; of 14,980 pairs within 10 bits none lies farther apart by the other bits."""
_MOST_UNSURE_BITS = 8
"""Of the 64, in any orientation: more have patterns and noise, whose hash moves by up to 42 bits. Of 1,618 pictures, a
third of them patterns, with no more one moves by 6 bits and none by more; 97% of photos have no more."""
_ROUGH_IN_GRAY = 5.0
"""The same for pixels of a reduced gray decode: of 1,700 with more, none has less than 5 by the whole."""
_ODD = np.resize([1.0, -1.0], SEARCH_SIZE)
_MIRRORED = np.stack([np.outer(down, across).reshape(-1) for down in (_ODD**2, _ODD) for across in (_ODD**2, _ODD)])
"""By what the coefficients of a mirrored picture differ, shape (4, 64): mirrored not at all, across, down, or both."""
_BATCH = 64
"""Pictures that are hashed together: of so many the intermediate values take 10 MB."""


def recipe() -> str:
    """Name the way from thumbnail to hash, for the cache's key."""
    return f"{RECIPE}, imagehash {_imagehash().__version__}"


def _imagehash() -> Any:  # noqa: ANN401 - a module
    """Load imagehash, and with it Pillow, which takes 13 ms: pHash from a thumbnail needs neither."""
    import imagehash

    return imagehash


def pixels(thumbnail: bytes) -> Pixels:
    """View the bytes of a thumbnail as an array of shape (64, 64)."""
    return np.frombuffer(thumbnail, np.uint8).reshape(THUMBNAIL_SIDE, THUMBNAIL_SIDE)


def turn(picture: Pixels, orientation: int) -> Pixels:
    """Turn ``picture`` (..., height, width) as EXIF orientation ``orientation + 1`` does; 0 leaves it as it is.

    >>> turn(np.array([[1, 2], [3, 4]], np.uint8), 2).tolist()
    [[4, 3], [2, 1]]
    """
    if orientation >= FIRST_TRANSPOSED:  # EXIF 5 to 8 exchange rows and columns first
        picture = picture.swapaxes(-1, -2)
    if orientation in (1, 2, 5, 6):
        picture = picture[..., ::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[..., ::-1, :]
    return picture


def turn_back(picture: Pixels, orientation: int) -> Pixels:
    """Undo :func:`turn` of the same ``orientation``."""
    return turn(picture, BACK[orientation])


def search_hash(picture: Pixels, algorithm: str) -> int:
    """Hash an upright thumbnail to 64 bits, unsigned, first bit highest, as imagehash prints it in hex."""
    return hash_of(picture, algorithm, SEARCH_SIZE)


def hash_of(picture: Pixels, algorithm: str, size: int) -> int:
    """Hash an upright thumbnail to ``size * size`` bits, likewise; ``size`` is one of :data:`SIZES`."""
    if algorithm == "phash":
        return _phash(picture, size)
    from PIL import Image

    return exact_hash_of(Image.fromarray(picture), algorithm, size)


def exact_hash_of(image: Image.Image, algorithm: str, size: int) -> int:
    """Hash a whole picture of any mode as imagehash itself does, bit for bit; loads scipy for pHash, 0.17 s."""
    function = getattr(_imagehash(), _FUNCTIONS[algorithm])
    return _as_int(function(image, hash_size=size).hash)


def as_hex(value: int, size: int) -> str:
    """Write a hash of ``size * size`` bits as imagehash does.

    >>> as_hex(255, 8)
    '00000000000000ff'
    """
    return f"{value:0{size * size // 4}x}"


def search_hashes(picture: Pixels, algorithm: str, orientations: int = ORIENTATIONS) -> tuple[int, ...]:
    """Compute the 64-bit hashes of the first ``orientations`` of a thumbnail, in the order of their index."""
    return tuple(map(int, search_hashes_of(picture[None], algorithm, orientations)[0]))


def search_hashes_of(pictures: Pixels, algorithm: str, orientations: int) -> NDArray[np.uint64]:
    """Compute the same of many thumbnails, shape (pictures, 64, 64), as (pictures, orientations).

    For pHash all eight take 0.05 ms a picture, and one of a single picture 0.07.
    """
    if algorithm == "phash":
        return _packed(_phash_bits(_halved_turns(pictures, orientations), SEARCH_SIZE))
    hashes = [
        search_hash(np.ascontiguousarray(turn(picture, index)), algorithm)
        for picture in pictures
        for index in range(orientations)
    ]
    return np.array(hashes, np.uint64).reshape(len(pictures), orientations)


def packed_hashes(thumbnails: Sequence[bytes], algorithm: str, orientations: int) -> list[bytes]:
    """Compute the same of the bytes of thumbnails, packed for each: 8 bytes an orientation, the highest first."""
    packed: list[bytes] = []
    for start in range(0, len(thumbnails), _BATCH):
        batch = thumbnails[start : start + _BATCH]
        pictures = np.frombuffer(b"".join(batch), np.uint8).reshape(-1, THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        packed += (row.tobytes() for row in search_hashes_of(pictures, algorithm, orientations).astype(">u8"))
    return packed


def is_near_any(picture: Pixels, algorithm: str, hashes: NDArray[np.uint64], threshold_bits: int) -> bool:
    """Tell whether the hash of an upright thumbnail is within this distance of one of ``hashes``, shape (n,)."""
    distances = np.bitwise_count(hashes ^ np.uint64(search_hash(picture, algorithm)))
    return bool(distances.min(initial=SEARCH_SIZE**2) <= threshold_bits)


def slack_bits(algorithm: str) -> int:
    """Return by how many bits two hashes may lie farther apart where pictures are gray; 0 where none is searched by."""
    return GRAY_SLACK_BITS if algorithm == GRAY_ALGORITHM else 0


def may_search_gray(picture: Pixels, hashes: NDArray[np.uint64], threshold_bits: int) -> bool:
    """Tell whether a thumbnail of a reduced gray decode is enough to search by, and near none of ``hashes``.

    The hash of the whole picture is then steady, and does not lie within the threshold of one of them, shape (n,),
    if these are of whole pictures.
    """
    if not _is_rough(picture):
        return False
    low = _low_coefficients(_halved_turns(picture[None], 1)[0, 0], SEARCH_SIZE)
    above = _above(low * _MIRRORED)  # those of a picture that lies on its side are these in another order
    is_unsure = np.abs(above) < _UNSURE
    if is_unsure.sum(-1).max() > _MOST_UNSURE_BITS:
        return False
    if not len(hashes):
        return True
    return not are_near(hashes ^ _packed(above[0] > 0), _packed(is_unsure[0]), threshold_bits).any()


def are_near(
    differences: NDArray[np.uint64], unsure: NDArray[np.uint64], threshold_bits: int | NDArray[np.int16]
) -> NDArray[np.bool_]:
    """Tell whether hashes may lie within the threshold that differ in these bits, some of which are unsure.

    Each may have its own threshold; below zero, nothing is within it.
    """
    return np.asarray(np.bitwise_count(differences & ~unsure) <= threshold_bits)


def unsure_bits(pictures: Pixels, orientations: int) -> NDArray[np.uint64]:
    """Return which bits of the search hashes of gray thumbnails, shape (pictures, 64, 64), may be others by the whole.

    Those whose coefficient lies next to the median: (pictures, orientations).
    """
    above = _above_median(_halved_turns(pictures, orientations), SEARCH_SIZE)
    return _packed(np.abs(above) < _UNSURE)


def are_steady(pictures: Pixels, algorithm: str) -> NDArray[np.bool_]:
    """Tell of each thumbnail, shape (pictures, 64, 64), whether its 64-bit hash survives a change by one grey level.

    The hash of an even slope is made of coefficients that are zero but for rounding: every compression gives another,
    up to 22 bits away, and a copy is not found. Of 200 photos none changes by more than 4 bits, of 5 slopes and waves
    each by 8 to 31. Shape (pictures,). Takes 10 microseconds a picture: most are too rough to be asked at length.
    """
    steady = _roughness(pictures) > _ROUGH
    smooth = np.flatnonzero(~steady)
    if not len(smooth):
        return steady
    noises = np.random.default_rng(1).integers(-1, 2, (2, THUMBNAIL_SIDE, THUMBNAIL_SIDE), np.int16)
    for index in smooth.tolist():
        before = search_hash(pictures[index], algorithm)
        changed = ((pictures[index] + noise).clip(0, 255).astype(np.uint8) for noise in noises)
        steady[index] = all(
            (before ^ search_hash(picture, algorithm)).bit_count() <= STEADY_BITS for picture in changed
        )
    return steady


def _roughness(pictures: Pixels) -> NDArray[np.float64]:
    """Compute the mean second difference along every fourth row and column, in grey levels."""
    rows, columns = pictures[:, ::4].astype(np.int16), pictures[:, :, ::4].astype(np.int16)
    along = np.abs(rows[..., 2:] - 2 * rows[..., 1:-1] + rows[..., :-2]).mean((1, 2))
    down = np.abs(columns[:, 2:] - 2 * columns[:, 1:-1] + columns[:, :-2]).mean((1, 2))
    return np.asarray(along + down, np.float64)


def _is_rough(gray: Pixels) -> bool:
    """Tell whether the roughness of one gray thumbnail, (64, 64), leaves no doubt that its hash is steady.

    The same second differences as in :func:`_roughness`, in a third of the steps.
    """
    lines = np.concatenate([gray[::4], gray[:, ::4].T]).astype(np.int16)
    return 2 * float(np.abs(lines[:, 2:] - 2 * lines[:, 1:-1] + lines[:, :-2]).mean()) > _ROUGH_IN_GRAY


def check_hash(picture: Pixels) -> int:
    """Compute the 256-bit pHash of a thumbnail; distances between unrelated photos start at 84 bits."""
    return _phash(picture, CHECK_SIZE)


def check_hashes(pictures: Sequence[Pixels]) -> list[int]:
    """Compute the same of many thumbnails: 20 microseconds each, one alone takes 60."""
    hashes: list[int] = []
    for start in range(0, len(pictures), _BATCH):
        hashes += map(_as_int, _phash_bits(np.stack(pictures[start : start + _BATCH]), CHECK_SIZE))
    return hashes


def _phash(picture: Pixels, size: int) -> int:
    side = size * _PHASH_OVERSAMPLING
    return _as_int(_phash_bits(picture if len(picture) == side else resampling.squares(picture, side), size))


def _halved_turns(pictures: Pixels, orientations: int) -> Pixels:
    """Return the first ``orientations`` of ``pictures``, shape (pictures, 64, 64), as (pictures, orientations, 32, 32).

    A mirrored picture is halved to the same, mirrored. A transposed one is not, as the rows are halved first.
    """
    side = SEARCH_SIZE * _PHASH_OVERSAMPLING
    upright = lying = resampling.squares(pictures, side)
    if orientations > FIRST_TRANSPOSED:  # transposed, and back, since `turn` transposes
        lying = resampling.squares(pictures.swapaxes(-1, -2), side).swapaxes(-1, -2)
    views = (turn(lying if index >= FIRST_TRANSPOSED else upright, index) for index in range(orientations))
    return np.stack(list(views), axis=1)


def _phash_bits(pictures: Pixels, size: int) -> NDArray[np.bool_]:
    """Compute the pHash of each of ``pictures``, (..., 4 ``size``, 4 ``size``), as ``imagehash.phash`` does.

    Shape (..., ``size`` ** 2).
    """
    return np.asarray(_above_median(pictures, size) > 0)


def _above_median(pictures: Pixels, size: int) -> NDArray[np.float64]:
    """Compute by how much each coefficient that a pHash is made of lies above their median.

    Shape (..., ``size`` ** 2). Written out because imagehash takes its cosine transform from scipy, whose import costs
    each process 0.17 s, and computes all coefficients where the lowest ``size`` in each direction are wanted.
    """
    return _above(_low_coefficients(pictures, size))


def _low_coefficients(pictures: Pixels, size: int) -> NDArray[np.float64]:
    """Compute the cosine transform of each of ``pictures`` as far as a pHash goes: (..., ``size`` ** 2)."""
    cosines = _cosines(size, size * _PHASH_OVERSAMPLING)
    # Rounded, so that what is zero but for the order of the additions is zero on every machine.
    low = np.round(cosines @ pictures.astype(np.float64) @ cosines.T, 3)
    return np.asarray(low.reshape(*pictures.shape[:-2], size * size))


def _above(low: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute by how much each of ``low``, (..., coefficients), lies above their median."""
    ordered = np.sort(low, axis=-1)
    median = (ordered[..., low.shape[-1] // 2 - 1] + ordered[..., low.shape[-1] // 2]) / 2
    return np.asarray(low - median[..., None])


@lru_cache(maxsize=4)
def _cosines(count: int, side: int) -> NDArray[np.float64]:
    """Return the first ``count`` rows of the type-II discrete cosine transform of length ``side``."""
    frequency, place = np.arange(count)[:, None], np.arange(side)[None, :]
    return 2 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * side))


def _packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return 64 bits (..., 64), the first one highest, as one number (...)."""
    return np.packbits(bits, axis=-1).view(">u8").astype(np.uint64)[..., 0]


def _as_int(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits.reshape(-1)).tobytes(), "big")
