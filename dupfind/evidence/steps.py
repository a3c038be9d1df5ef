"""Whether the tones of one picture lie in steps that those of another have not: a posterised copy does; pure numpy.

Asked of how often each tone occurs in the files as they are, whatever their sizes: a smaller copy has the tones between
the steps again, and an even ground is not needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
"""How many pixels have each of 256 tones, by colour: (1, 256) of gray, (3, 256) of red, green and blue."""

_PERIODS = np.array([8, 8.5, 9, 9.5, 10, 10.6, 11.2, 12, 12.8, 13.5, 14.2, 15, 16, 17, 18.2, 19.5, 21, 23, 25, 28, 32])
"""Levels from one step to the next, that are looked for."""
_CLIPPED_LOW, _CLIPPED_HIGH = 3, 253
_MOST_OF_GAPS = 0.15
"""A photo whose contrast was stretched lacks one tone of each eight to thirty, which is no stronger than this, and as
strong at half the period."""
_LEAST_SHOWN, _MOST_AT_ONE, _WIDTH_OF_ONE = 0.5, 0.3, 9
"""Of a needle's pixels the share that is neither black nor white, at least, and of those the share that lies within 9
levels, at most. Of forms and pages 7 to 16% are shown, of a receipt 86% and more lie at one tone: a page that was drawn
has few tones, which a JPEG of it spreads. Three of four photos are asked; an even ground is asked for by itself."""
_WAVES, _HALF_WAVES = (np.exp(2j * np.pi * order * np.arange(256)[:, None] / _PERIODS) for order in (1, 2))


def excess(needle: Counts, witness: Counts) -> float:
    """Return how much more the tones of ``witness`` lie in steps than those of ``needle``: 0, or up to 1.

    0 as well where most of the needle is of one tone, or black and white: what was drawn lies in steps itself.
    """
    if not _is_spread(needle):
        return 0.0
    strengths = _strengths(np.concatenate([witness, needle]))
    more = strengths[: len(witness)] - strengths[len(witness) :]
    return max(0.0, float(more.mean(0).max()))


def _is_spread(counts: Counts) -> bool:
    """Tell whether a picture has the many tones of a photo."""
    shown = counts[:, _CLIPPED_LOW:_CLIPPED_HIGH]
    sums = shown.sum(1)
    at_one = max(int(np.convolve(row, np.ones(_WIDTH_OF_ONE, np.int64)).max()) for row in shown)
    return bool(sums.min() >= _LEAST_SHOWN * counts.sum(1).max() and at_one <= _MOST_AT_ONE * sums.min())


def _strengths(counts: Counts) -> NDArray[np.float64]:
    """Return how far the tones gather at steps of each period, (colours, periods), each 0 to 1."""
    shares = counts.astype(np.float64)
    shares[:, :_CLIPPED_LOW] = shares[:, _CLIPPED_HIGH:] = 0
    shares /= np.maximum(1, shares.sum(1, keepdims=True))
    strengths = np.abs(shares @ _WAVES) - np.minimum(_MOST_OF_GAPS, np.abs(shares @ _HALF_WAVES))
    return np.asarray(np.maximum(0, strengths), np.float64)
