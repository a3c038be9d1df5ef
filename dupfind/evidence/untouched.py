"""Where two pictures differ that no codec has changed: what most of them shares to the bit was not encoded again.

Knows no noise: a difference that a codec would make counts here as well. Pure numpy.
"""

from __future__ import annotations

import numpy as np

from dupfind.evidence.pixels import Bytes, Pixels

_LEAST_EQUAL = 0.5
"""Share of the values, of brightness and of colour each, that have to be equal."""
_MOST_LEVELS = 2
"""What rounding colours on their way to RGB and back can make, in levels."""
_NO_COLOR = 128


def changed_place(needle: Pixels, witness: Pixels) -> tuple[float, float] | None:
    """Return where two pictures of one shape differ most, down and right, each 0 to 1, where the rest is equal.

    None where less than half is equal, which a codec or a filter did, and where nothing differs by more than rounding.
    Brightness is asked pixel by pixel, colour by its means of 2 x 2 pixels (4 x 4 in a large picture).
    """
    apart = [_apart(needle.gray, witness.gray)]
    if needle.color is not None or witness.color is not None:
        apart += [_apart(*planes) for planes in zip(*_colors(needle, witness), strict=True)]
    if any(np.count_nonzero(plane) > (1 - _LEAST_EQUAL) * plane.size for plane in apart):
        return None
    worst = max(apart, key=lambda plane: int(plane.max(initial=0)))
    if int(worst.max(initial=0)) <= _MOST_LEVELS:
        return None
    down, right = divmod(int(worst.argmax()), worst.shape[1])
    return down / worst.shape[0], right / worst.shape[1]


def _apart(ours: Bytes, theirs: Bytes) -> Bytes:
    return np.asarray(np.maximum(ours, theirs) - np.minimum(ours, theirs), np.uint8)


def _colors(needle: Pixels, witness: Pixels) -> tuple[Bytes, Bytes]:
    """Return Cb and Cr of both, (2, height, width); a picture without colour is gray."""
    shape = next(pixels.color.shape for pixels in (needle, witness) if pixels.color is not None)
    ours, theirs = (
        np.full(shape, _NO_COLOR, np.uint8) if pixels.color is None else pixels.color for pixels in (needle, witness)
    )
    return ours, theirs
