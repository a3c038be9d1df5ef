"""Flat frames around pictures: where they are, and the picture without them; pure numpy.

A border, a letterbox, the white edge of a print: it moves every hash, so a picture that has one is searched for
without it as well. A frame is found once, at 256 x 256 pixels on the way from file to thumbnail; the inner picture is
a function of the thumbnail and the frame.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures import gray
from dupfind.values import THUMBNAIL_SIDE

Grey = NDArray[np.uint8]

FLAT = 12
"""Grey levels between the darkest and the brightest pixel of a row of the frame, as codecs leave them."""
_EVEN = 5.0
"""Grey levels between the means of two rows of the frame, and of two sides of it."""
_MOST = 0.35
"""Of the width or height that a frame may take on each side; of what is wider, more would leave too little picture."""
_PACKED = struct.Struct(">4H")
_UNIT = 65536


def find(grey: Grey) -> bytes | None:
    """Return the frame of ``grey`` (n, n), upright, packed for :func:`inner`; None where there is none.

    It has to lie on two opposite sides at least, in one shade: the sky above a landscape is no frame.
    """
    outer = grey.T, grey, grey.T[::-1], grey[::-1]  # rows from the left, the top, the right and the bottom on
    shares = [0.0] * 4
    for near, far in ((0, 2), (1, 3)):
        sides = outer[near], outer[far]
        if not all(_is_flat(side[0]) for side in sides):  # as in nearly every picture
            continue
        counts, shades = zip(*map(_rows, sides), strict=True)
        if abs(shades[0] - shades[1]) <= _EVEN:
            shares[near], shares[far] = (count / len(grey) for count in counts)
    return _PACKED.pack(*(round(share * _UNIT) for share in shares)) if any(shares) else None


def _is_flat(row: Grey) -> bool:
    return int(row.max()) - int(row.min()) <= FLAT


def _rows(grey: Grey) -> tuple[int, float]:
    """Tell how many of the first rows are frame, which the first is, and its shade."""
    most = int(len(grey) * _MOST)
    rows = grey[:most].astype(np.int16)
    means = rows.mean(1)
    is_frame = (rows.max(1) - rows.min(1) <= FLAT) & (np.abs(means - means[0]) <= _EVEN)
    return (most if is_frame.all() else int(np.argmin(is_frame))), float(means[0])


def inner(pixels: Grey, frame: bytes) -> Grey:
    """Return ``pixels`` (64, 64) without its frame, at full size again: (64, 64)."""
    left, top, right, bottom = (share / _UNIT * THUMBNAIL_SIDE for share in _PACKED.unpack(frame))
    rows = gray.enlarging(top, THUMBNAIL_SIDE - bottom)
    columns = gray.enlarging(left, THUMBNAIL_SIDE - right)
    return np.asarray(np.rint(rows @ pixels.astype(np.float32) @ columns.T).clip(0, 255), np.uint8)
