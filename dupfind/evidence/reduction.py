"""The linear filter that brings a reduced picture nearest to another program's reduction of it; pure numpy.

Programs reduce with kernels of their own, sharpen a little and shift what they make by fractions of a pixel. All of
that is one small filter, the same everywhere, and what is left is what their codecs did, and what somebody changed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence.pixels import Bytes, Grey

_SIDE = 5
_CENTRE = _SIDE**2 // 2
_MOST_FITTED = 16_000
"""Pixels that the filter is fitted on, in rows spread evenly over the picture: 24 weights need no more."""
_RIDGE = 0.01
"""Mean square, in levels, below which differences between neighbours tell nothing of the filter."""


def fitted_weights(gray: Bytes, reduced: Bytes) -> NDArray[np.float64]:
    """Fit the filter that brings ``reduced`` nearest to ``gray``, both (height, width), by least squares.

    Gives what the 5 x 5 pixels around each count, (5, 5), 1 together: even ground and brightness stay as they are.
    """
    weights = np.zeros(_SIDE**2)
    height, width = (length - _SIDE + 1 for length in gray.shape)
    if min(height, width) < _SIDE:
        weights[_CENTRE] = 1.0
        return weights.reshape(_SIDE, _SIDE)
    rows = np.arange(0, height, max(1, height * width // _MOST_FITTED))

    def shifted(values: Bytes, down: int, across: int) -> Grey:
        return values[rows + down, across : across + width].reshape(-1).astype(np.float32)

    centre = shifted(reduced, *divmod(_CENTRE, _SIDE))
    steps = [shifted(reduced, down, across) - centre for down, across in np.ndindex(_SIDE, _SIDE)]
    steps[_CENTRE] = np.ones_like(centre)  # brightness, which is fitted beside the filter and left as it is
    table = np.stack(steps)
    missing = shifted(gray, *divmod(_CENTRE, _SIDE)) - centre
    squares = (table @ table.T).astype(np.float64) + _RIDGE * centre.size * np.eye(_SIDE**2)
    weights = np.linalg.solve(squares, (table @ missing).astype(np.float64))
    weights[_CENTRE] = 0.0
    weights[_CENTRE] = 1.0 - weights.sum()
    return weights.reshape(_SIDE, _SIDE)
