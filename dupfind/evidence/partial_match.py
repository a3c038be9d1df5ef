"""Match of a damaged picture by the part that is left of it; pure numpy.

The data of a JPEG is decoded from one edge to the opposite one, and what follows a damaged place is shifted,
discoloured or grey. So the part before it still is the picture, and only that part is compared: from each edge, since
the thumbnail was turned upright. Knows no files and gives no grades.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence.differences import Surface
from dupfind.values import THUMBNAIL_SIDE

EDGES = 4
"""From which the picture may have been decoded: top, and those that turning by 90 degrees brings there."""
_SIDE = THUMBNAIL_SIDE // 2
_LEAST_ROWS = _SIDE // 4
_CONTRAST = 8.0
_MOST_DIFFERENCE = 4.0
"""Grey levels, weighed as in :mod:`dupfind.evidence.differences`, by which a row of the picture may differ."""

Pixels = NDArray[np.uint8]


def likeness(damaged: Pixels, candidates: Pixels) -> NDArray[np.float32]:
    """Return how much each of ``candidates`` (n, 64, 64) looks like what is left of each of ``damaged`` (k, 64, 64).

    Shape (k, n).

    The best correlation (Pearson's) over the leading quarter and every longer leading part, from each of the four
    edges, at 32 x 32 pixels.
    """
    ours, theirs = _halved(damaged), _halved(candidates)
    best = np.full((len(ours), len(theirs)), -1, np.float32)
    for edge in range(EDGES):
        our_part, their_part = np.rot90(ours, edge, (1, 2)), np.rot90(theirs, edge, (1, 2))
        rows = np.einsum("krc,nrc->rkn", our_part, their_part, optimize=True)
        products = np.cumsum(rows, 0)[_LEAST_ROWS - 1 :]
        counts = (np.arange(_LEAST_ROWS, _SIDE + 1) * _SIDE).astype(np.float32)[:, None, None]
        sums, squares = _leading(our_part.sum(2)), _leading((our_part**2).sum(2))
        other_sums, other_squares = _leading(their_part.sum(2)), _leading((their_part**2).sum(2))
        spread = squares[:, :, None] / counts - (sums[:, :, None] / counts) ** 2
        other_spread = other_squares[:, None] / counts - (other_sums[:, None] / counts) ** 2
        covariance = products / counts - sums[:, :, None] / counts * other_sums[:, None] / counts
        has_contrast = (spread > _CONTRAST**2) & (other_spread > _CONTRAST**2)
        scale = np.sqrt(np.where(has_contrast, spread * other_spread, 1))
        best = np.maximum(best, np.where(has_contrast, covariance / scale, -1).max(0).astype(np.float32))
    return np.asarray(best, np.float32)


def _halved(pixels: Pixels) -> NDArray[np.float32]:
    return np.asarray(pixels.reshape(-1, _SIDE, 2, _SIDE, 2).mean((2, 4)), np.float32)


def _leading(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sums over the leading rows, from the least number of rows on: (lengths, pictures) of (pictures, 32)."""
    return np.cumsum(rows, 1).T[_LEAST_ROWS - 1 :]


def intact(damaged: Surface, candidate: Surface) -> float:
    """Measure the leading share of the two that is the same, from the edge where it is longest; 0 to 1.

    0 also where that share shows too little to tell.
    """
    difference = np.abs(damaged.smooth - candidate.smooth) / (1 + np.minimum(damaged.span, candidate.span) / 8)
    longest = 0
    for edge in range(EDGES):
        worst = np.rot90(difference, edge).max(1)
        rows = int(np.argmax(worst > _MOST_DIFFERENCE)) if (worst > _MOST_DIFFERENCE).any() else THUMBNAIL_SIDE
        shows = rows > 0 and float(np.rot90(damaged.smooth, edge)[:rows].std()) >= _CONTRAST
        longest = max(longest, rows if shows else 0)
    return longest / THUMBNAIL_SIDE
