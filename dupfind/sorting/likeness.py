"""Likeness of two pictures at a glance: where is what brightness and what colour; pure.

The Color Layout Descriptor of MPEG-7 (E. Kasutani and A. Yamada, "The MPEG-7 color layout descriptor: a compact image
feature description for high-speed image/video segment retrieval", ICIP 2001): the low coefficients of the 8 x 8
discrete cosine transform of brightness and of both colours. Here with more coefficients than in the standard and
without its quantisation; the distance is Euclid's, scaled to grey levels.

No proof of anything: two shots of one beach are nearer to each other than a photo and its mirror image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dupfind.values import CHROMA_SIDE, THUMBNAIL_SIDE, Thumbnail

Features = NDArray[np.float32]
"""Shape (pictures, 48); 192 bytes each."""

_GREYS, _COLOURS = 28, 10
"""Coefficients of brightness, and of each colour: those whose two frequencies add up to less than 7 and 4."""
_WEIGHT_OF_COLOUR = 3.0
"""Colours differ by less than brightness does. Of the pictures nearest to each of 162 that belong to 19 groups, among
589, 86% are of its own group with a weight of 1, 89% with 2, 90% with 3; with all 192 coefficients no more."""
FEATURES = _GREYS + 2 * _COLOURS


def features(thumbnails: Sequence[Thumbnail]) -> Features:
    """Compute the features of each picture, upright; 10 us each."""
    count, tiles = len(thumbnails), THUMBNAIL_SIDE // CHROMA_SIDE
    pixels = np.frombuffer(b"".join(thumbnail.pixels for thumbnail in thumbnails), np.uint8)
    greys = pixels.reshape(count, CHROMA_SIDE, tiles, CHROMA_SIDE, tiles).mean(axis=(2, 4), dtype=np.float32)
    chroma = np.frombuffer(b"".join(thumbnail.chroma for thumbnail in thumbnails), np.uint8)
    colours = chroma.reshape(count, 2, CHROMA_SIDE, CHROMA_SIDE).astype(np.float32) * _WEIGHT_OF_COLOUR
    low = _transformed(colours)[:, :, _zigzag()[:_COLOURS]]
    return np.concatenate([_transformed(greys)[:, _zigzag()[:_GREYS]], low.reshape(count, -1)], axis=1)


def distances(target: Features, candidates: Features) -> NDArray[np.float32]:
    """Compute how far each of ``candidates`` is from ``target`` of shape (48,); 0 for equal features.

    >>> distances(np.zeros(2, np.float32), np.array([[3, 4], [0, 1]], np.float32)).tolist()
    [5.0, 1.0]
    """
    apart = candidates - target
    far: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    return far


def _transformed(planes: Features) -> Features:
    """Compute the coefficients of planes of shape (..., 8, 8), flat: (..., 64).

    They are as far apart as the planes are: by the root of the mean square of the differences.
    """
    frequency, place = np.arange(CHROMA_SIDE)[:, None], np.arange(CHROMA_SIDE)[None, :]
    cosines = np.sqrt(2 / CHROMA_SIDE) * np.cos(np.pi * frequency * (2 * place + 1) / (2 * CHROMA_SIDE))
    cosines[0] /= np.sqrt(2)
    coefficients: Features = cosines.astype(np.float32) @ planes @ cosines.T.astype(np.float32)
    return coefficients.reshape(*planes.shape[:-2], -1) / np.float32(CHROMA_SIDE)


def _zigzag() -> NDArray[np.intp]:
    """Return the places of the coefficients, the lowest frequencies first."""
    down, across = np.divmod(np.arange(CHROMA_SIDE * CHROMA_SIDE), CHROMA_SIDE)
    return np.lexsort((down, down + across))
