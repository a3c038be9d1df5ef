"""What a witness repeats of the highest frequencies, to what it repeats of those a little lower; pure numpy.

What was enlarged by a ninth has next to nothing of 2 to 2.3 pixels and all of the rest, and the coefficients of blocks
of 8 pixels are too broad to tell the two apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence.pixels import Bytes, Grey, Pixels, once

_WINDOW, _MOST_WINDOWS = 32, 512
_LEAST_SQUARE = np.float32(4600)
"""Of a coefficient that is asked for: 5.6 times what noise of one level makes."""
_FEWEST_COEFFICIENTS = 400
_ALL = range(_WINDOW // 2 + 1)
"""Cycles in a window, across or down, of the coefficients of a real transform."""
_HIGHEST = [cycles for cycles in _ALL if cycles * 2.3 >= _WINDOW]
_HIGH = [cycles for cycles in _ALL if cycles * 2.5 <= _WINDOW <= cycles * 2.9]
"""The larger of the two numbers of cycles, across and down."""
_ASKED = _HIGH + _HIGHEST
_LOWER = [cycles for cycles in range(max(_HIGHEST)) if cycles not in _ASKED]


def _waves(cycles: Sequence[int]) -> Grey:
    """Return cosines and then sines of these numbers of cycles in a window, under Hann's: (2 x numbers, 32)."""
    angles = 2 * np.pi / _WINDOW * np.outer(cycles, np.arange(_WINDOW))
    return np.asarray(np.concatenate([np.cos(angles), np.sin(angles)]) * np.hanning(_WINDOW), np.float32)


_WAVES, _LOWER_WAVES, _ALL_WAVES = _waves(_ASKED), _waves(_LOWER), _waves(_ALL)


def _rows_of(band: Sequence[int]) -> NDArray[np.intp]:
    """Return which of the coefficients that :func:`_spectrum` gives are of a band.

    As a real transform has them: what has no cycles down, or the most, is no other one from bottom to top.
    """
    down = np.concatenate([np.repeat(_ASKED, len(_ALL)), np.tile(_LOWER, len(_ASKED))])
    across = np.concatenate([np.tile(_ALL, len(_ASKED)), np.repeat(_ASKED, len(_LOWER))])
    is_of_band = np.isin(np.maximum(down, across), band)
    return np.flatnonzero([is_of_band, is_of_band & (down > 0) & (down < _WINDOW // 2)])


_BANDS = _rows_of(_HIGHEST), _rows_of(_HIGH)


def highest_to_high(needle: Pixels, witness: Pixels) -> float | None:
    """Return the share of 2 to 2.3 pixels that is repeated, to that of 2.5 to 2.9; None where either has little.

    Windows of 32 pixels (Hann), spread evenly; both have one shape. 512 of them take 3 ms.
    """
    rows, columns = (side // _WINDOW for side in needle.gray.shape)
    if not rows * columns:
        return None
    step = -(-rows * columns // _MOST_WINDOWS)
    while step > 1 and math.gcd(step, columns) > 1:  # or they would stand in a few columns
        step += 1
    places = np.arange(0, rows * columns, step)
    ours, theirs = (
        once(pixels, "spectrum", lambda gray: _spectrum(gray, places // columns, places % columns))
        for pixels in (needle, witness)
    )
    energies, products = (np.add(*(ours * of_each)) for of_each in (ours, theirs))
    shares = []
    for band in _BANDS:
        of_band = energies.take(band, 0).reshape(-1)
        strong = np.flatnonzero(of_band >= _LEAST_SQUARE)
        if strong.size < _FEWEST_COEFFICIENTS:
            return None
        answers = products.take(band, 0).reshape(-1).take(strong)
        shares.append(float(np.add.reduce(answers) / np.add.reduce(of_band.take(strong))))
    return shares[0] / shares[1] if shares[1] > 0 else None


def _spectrum(gray: Bytes, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Grey:
    """Return real and imaginary parts of the coefficients of these windows: (2, coefficients, windows).

    Those with one of :data:`_ASKED` down and any number across, row by row, then those with one of it across and one
    of :data:`_LOWER` down, column by column; from top to bottom, and then all of them from bottom to top. Products with
    the few waves that are asked for take an eighth of the time of whole transforms.
    """
    height, width = (side // _WINDOW for side in gray.shape)
    whole = gray[: height * _WINDOW, : width * _WINDOW].reshape(height, _WINDOW, width, _WINDOW)
    windows = whole.transpose(1, 0, 2, 3)[:, rows, columns].astype(np.float32)  # (down, windows, across)
    windows -= np.add.reduce(windows, (0, 2))[:, None] / np.float32(_WINDOW**2)
    count = rows.size
    by_row = (_WAVES @ windows.reshape(_WINDOW, -1)).reshape(-1, count, _WINDOW)
    by_row = (_ALL_WAVES @ by_row.swapaxes(1, 2)).reshape(2, len(_ASKED), 2, -1, count)
    by_column = (_WAVES @ windows.reshape(-1, _WINDOW).T).reshape(-1, _WINDOW, count)
    by_column = (_LOWER_WAVES @ by_column).reshape(2, len(_ASKED), 2, -1, count).swapaxes(0, 2)
    of_rows = len(_ASKED) * len(_ALL)
    spectrum = np.empty((2, 2, of_rows + len(_ASKED) * len(_LOWER), count), np.float32)
    for part, place in ((by_row, spectrum[:, :, :of_rows]), (by_column, spectrum[:, :, of_rows:])):
        # By the waves down and across: cosine or sine, each (asked, others, windows).
        (cosines, falling), (rising, sines) = part.swapaxes(1, 2)
        (real, real_upwards), (imaginary, imaginary_upwards) = place.reshape(2, 2, *cosines.shape)
        np.subtract(cosines, sines, out=real)
        np.add(cosines, sines, out=real_upwards)
        np.add(falling, rising, out=imaginary)
        np.subtract(rising, falling, out=imaginary_upwards)
    return spectrum.reshape(2, -1, count)
