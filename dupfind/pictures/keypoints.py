"""Keypoints of a picture, and how the keypoints of two pictures lie on each other: the one door to OpenCV.

Keypoints are corners and spots that are found again when a picture was cropped, reduced, turned or covered in part; ORB
describes each by 256 bits (E. Rublee et al., "ORB: an efficient alternative to SIFT or SURF", ICCV 2011). OpenCV comes
with the extra `dupfind[fragments]` and is loaded where something is described, which is in the processes that read.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Points = NDArray[np.float32]
Descriptors = NDArray[np.uint64]
Matrix = NDArray[np.float64]

RECIPE = 1
"""Version of the way from pixels to descriptors. Raise it with every change that can alter one."""
LEVEL_SCALE = 1.2
"""By how much each level of reduction is smaller than the one before."""
LEVELS = 8
"""Levels at which a picture is looked at."""
WORDS = 4
"""Words of 64 bits in a descriptor."""
_DETECTED = 1500
"""Keypoints looked for, of which those are kept that are spread over the picture and over its levels. Where only the
strongest are kept, they crowd in one part of it, and a crop of another part is not found: of 60 crops to a quarter 75%
had their votes, 97% with them spread. Where they are of any level, most are fine, and a picture that was reduced has no
votes: of 120 on pages of four 71% had them, and 94% with all levels."""
_CELLS = 5
"""Cells a side over which keypoints are spread."""
_LEVELS_TOGETHER, _LEVEL_GROUPS = 2, 4
"""Of the eight levels, which share their cells."""
_EDGE_PIXELS = 16
"""Where no keypoint is looked for: half the patch that a descriptor describes, and a pixel."""
_FAST_LEVELS = 10
"""Grey levels by which a corner differs from its surroundings, half of OpenCV's own: hazy pictures have fewer."""
_MOST_OFF_PIXELS = 3.0
"""How far a pair of keypoints may be off and still fit."""


class Keypoints(NamedTuple):
    """The keypoints of a picture, the strongest of each cell first."""

    points: Points
    """Shape (keypoints, 2): x and y in pixels."""
    descriptors: Descriptors
    """Shape (keypoints, 4): 256 bits each."""
    degrees: NDArray[np.float32]
    """Shape (keypoints,): how each is turned, 0 to 360."""
    levels: NDArray[np.uint8]
    """Shape (keypoints,): by which power of :data:`LEVEL_SCALE` the picture was reduced where it was found."""


_NONE = (
    np.empty((0, 2), np.float32),
    np.empty((0, WORDS), np.uint64),
    np.empty(0, np.float32),
    np.empty(0, np.uint8),
)


class Fit(NamedTuple):
    """How one picture lies on another, by a turn, a scale and a shift."""

    matrix: Matrix
    """Shape (2, 3): from pixels of the first to pixels of the second."""
    inliers: NDArray[np.bool_]
    """Which of the pairs of keypoints agree with it."""


@cache
def _cv2() -> Any:  # noqa: ANN401 - a module, which brings its own types where it is installed
    """Load OpenCV, which then keeps to one thread: there is a process a core already."""
    import cv2

    cv2.setNumThreads(1)
    return cv2


def describe(gray: Gray, most: int, levels: int = LEVELS, detected: int = _DETECTED) -> Keypoints:
    """Describe at most ``most`` keypoints of a picture (height, width); a blank or tiny one has none.

    ``levels`` are how often it is reduced, each time by :data:`LEVEL_SCALE`, and looked at again; of the keypoints that
    are ``detected`` the most are described that are spread.
    """
    if min(gray.shape) <= 2 * _EDGE_PIXELS:
        return Keypoints(*_NONE)
    orb = _cv2().ORB_create(
        nfeatures=detected,
        scaleFactor=LEVEL_SCALE,
        nlevels=levels,
        edgeThreshold=_EDGE_PIXELS,
        fastThreshold=_FAST_LEVELS,
    )
    keypoints = orb.detect(np.ascontiguousarray(gray), None)
    if len(keypoints) > most:
        points = np.array([keypoint.pt for keypoint in keypoints])
        responses = np.array([keypoint.response for keypoint in keypoints])
        octaves = np.array([keypoint.octave for keypoint in keypoints])
        chosen = _spread(_cells(points, octaves, (gray.shape[1], gray.shape[0])), points, responses)[:most]
        keypoints = [keypoints[place] for place in chosen]
    for rank, keypoint in enumerate(keypoints):
        keypoint.class_id = rank
    keypoints, descriptors = orb.compute(gray, keypoints)  # in another order, and without some
    if descriptors is None or not len(descriptors):
        return Keypoints(*_NONE)
    order = np.argsort([keypoint.class_id for keypoint in keypoints])
    return Keypoints(
        np.array([keypoint.pt for keypoint in keypoints], np.float32)[order],
        np.ascontiguousarray(descriptors).view(">u8").astype(np.uint64)[order],
        np.array([keypoint.angle for keypoint in keypoints], np.float32)[order],
        np.array([keypoint.octave for keypoint in keypoints], np.uint8)[order],
    )


def _cells(points: NDArray[np.float64], levels: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.int64]:
    """Tell of each point of a picture of this size (width, height) in which cell it lies."""
    columns, rows = np.minimum(points * _CELLS // np.array(size), _CELLS - 1).astype(np.int64).T
    groups = np.minimum(levels // _LEVELS_TOGETHER, _LEVEL_GROUPS - 1)
    cells: NDArray[np.int64] = (groups * _CELLS + rows) * _CELLS + columns
    return cells


def _spread(cells: NDArray[np.int64], points: NDArray[np.float64], responses: NDArray[np.float64]) -> list[int]:
    """Order points so that the strongest of each cell come first, then the second of each, and so on."""
    order = np.lexsort((points[:, 1], points[:, 0], -responses, cells))
    starts = np.searchsorted(cells[order], cells[order])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - starts
    chosen: list[int] = np.lexsort((points[:, 1], points[:, 0], -responses, rank)).tolist()
    return chosen


def reduced(gray: Gray, size: tuple[int, int]) -> Gray:
    """Reduce a picture to this size (width, height)."""
    small: Gray = _cv2().resize(np.ascontiguousarray(gray), size, interpolation=_cv2().INTER_AREA)
    return small


def fit(ours: Points, theirs: Points) -> Fit | None:
    """Find how the first picture lies on the second, by pairs of keypoints (pairs, 2) of which many may be wrong.

    By RANSAC, with OpenCV's fixed seed: equal pairs give an equal fit. None where nothing fits.
    """
    if len(ours) < 3:  # noqa: PLR2004 - two pairs fit whatever they are
        return None
    matrix, inliers = _cv2().estimateAffinePartial2D(
        ours, theirs, method=_cv2().RANSAC, ransacReprojThreshold=_MOST_OFF_PIXELS, maxIters=2000, confidence=0.995
    )
    if matrix is None or not np.isfinite(matrix).all():
        return None
    return Fit(matrix, inliers.reshape(-1).astype(np.bool_))


def laid_over(gray: Gray, matrix: Matrix, size: tuple[int, int]) -> tuple[Gray, NDArray[np.bool_]]:
    """Lay a picture over another of this ``size`` (width, height): its pixels there, and which of them it has.

    Where it is reduced on the way it is averaged first, so that what is finer than a pixel does not flicker.
    """
    cv2 = _cv2()
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    height, width = gray.shape
    if scale < 1:
        reduced = max(1, round(width * scale)), max(1, round(height * scale))
        gray = cv2.resize(gray, reduced, interpolation=cv2.INTER_AREA)
        back = np.array([[width / reduced[0], 0, 0], [0, height / reduced[1], 0], [0, 0, 1]])
        # Pixels are counted by their centres.
        back[:2, 2] = (np.diag(back)[:2] - 1) / 2
        matrix = matrix @ back
    laid = cv2.warpAffine(gray, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    is_there = cv2.warpAffine(np.full(gray.shape, 255, np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    return laid, is_there > 0


def blurred(gray: Gray) -> NDArray[np.float32]:
    """Average each pixel with its neighbours, 3 x 3."""
    blur: NDArray[np.float32] = _cv2().blur(gray.astype(np.float32), (3, 3))
    return blur
