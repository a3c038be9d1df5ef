"""What a witness repeats of the highest frequencies, to what it repeats of those a little lower; pure numpy.

What was enlarged by a ninth has next to nothing of 2 to 2.3 pixels and all of the rest, and the coefficients of blocks
of 8 pixels are too broad to tell the two apart.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence.pixels import Bytes, Pixels

_WINDOW, _MOST_WINDOWS = 32, 512
_HANN = np.outer(np.hanning(_WINDOW), np.hanning(_WINDOW)).astype(np.float32)
_LEAST_SQUARE = 4600.0
"""Of a coefficient that is asked for: 5.6 times what noise of one level makes."""
_FEWEST_COEFFICIENTS = 400
_CYCLES = np.maximum.outer(np.abs(np.fft.fftfreq(_WINDOW)), np.abs(np.fft.rfftfreq(_WINDOW)))
"""A pixel, across or down, of each coefficient: the larger."""
_HIGHEST, _HIGH = _CYCLES >= 1 / 2.3, (_CYCLES >= 1 / 2.9) & (_CYCLES <= 1 / 2.5)


def highest_to_high(needle: Pixels, witness: Pixels) -> float | None:
    """Return the share of 2 to 2.3 pixels that is repeated, to that of 2.5 to 2.9; None where either has little.

    Windows of 32 pixels (Hann), spread evenly; both have one shape. 512 of them take 13 ms.
    """
    rows, columns = (side // _WINDOW for side in needle.gray.shape)
    if not rows * columns:
        return None
    step = -(-rows * columns // _MOST_WINDOWS)
    while step > 1 and math.gcd(step, columns) > 1:  # or they would stand in a few columns
        step += 1
    places = np.arange(0, rows * columns, step)
    ours, theirs = (_spectrum(pixels.gray, places // columns, places % columns) for pixels in (needle, witness))
    shares = []
    for band in (_HIGHEST, _HIGH):
        asked, answers = ours[:, band], theirs[:, band]
        energies = (asked * asked.conj()).real
        is_strong = energies >= _LEAST_SQUARE
        if np.count_nonzero(is_strong) < _FEWEST_COEFFICIENTS:
            return None
        shares.append(float((asked.conj() * answers).real[is_strong].sum() / energies[is_strong].sum()))
    return shares[0] / shares[1] if shares[1] > 0 else None


def _spectrum(gray: Bytes, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.complex64]:
    height, width = (side // _WINDOW for side in gray.shape)
    whole = gray[: height * _WINDOW, : width * _WINDOW].reshape(height, _WINDOW, width, _WINDOW)
    windows = whole[rows, :, columns].astype(np.float32)
    windows -= windows.mean((1, 2), keepdims=True)
    return np.asarray(np.fft.rfft2(windows * _HANN))
