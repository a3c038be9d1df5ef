"""Brightness and contrast of two films: by which curve the grey levels of one become those of the other; pure.

Whoever brightens a film changes every pixel of one level alike. The curve is taken from pairs of frames that show the
same, and is one for the whole film: what is brighter for a while only is a difference, and stays one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures.film_frames import Track

TONE_LEVELS = 6.0
"""By how many grey levels of 255 a curve has to move the pixels, on average, to be told: compression does by 1."""
LEAST_GAIN, MOST_GAIN = 0.4, 2.5
"""Contrast that is left of a film: with less, what is shown in it could hide in the bounds of the comparison."""
_LEAST_ALIKE = 0.9
"""Correlation of frames that show the same."""
_REACH_SECONDS = 1.0
_SAMPLES, _LEAST_FRAMES = 24, 4
_LEAST_SPREAD = 6.0
"""Standard deviation of the grey levels of a frame that shows anything."""
_BIN_LEVELS = 8
_LEAST_PIXELS = 24
_COLOR_RATIOS = 0.7, 1.4
"""Of the gain of colours to that of grey levels: whoever brightens a film changes both, or grey alone."""
_GRAY_ALONE = 0.8, 1.25

Bytes = NDArray[np.uint8]


class Tone(NamedTuple):
    """How the grey levels of the needle follow from those of the witness."""

    curve: Bytes
    """256 levels of the needle, one for each of the witness, rising."""
    color_gain: float
    """Factor of the colours, around grey."""
    levels: int
    """By how many of 255 the needle is brighter on average (darker: below 0)."""
    gain: float
    """Contrast of the needle, as a share of that of the witness."""
    moved_levels: float
    """By how many levels the curve moves the pixels of the film on average, whichever way."""

    @property
    def is_told(self) -> bool:
        """Tell whether it is more than what compression does."""
        return self.moved_levels > TONE_LEVELS

    def applied(self, witness: Track) -> Track:
        """Give the witness the tone of the needle."""
        chroma = 128 + (witness.chroma.astype(np.float32) - 128) * self.color_gain
        return witness._replace(gray=self.curve[witness.gray], chroma=np.rint(chroma).clip(0, 255).astype(np.uint8))


def tone_of(needle: Track, witness: Track, offset_seconds: float) -> Tone | None:
    """Find the tone of two films of which frames show the same at about an offset; None where too few do."""
    pairs = _frames_alike(needle, witness, offset_seconds)
    if len(pairs) < _LEAST_FRAMES:
        return None
    ours, theirs = (np.array(side) for side in zip(*pairs, strict=True))
    own, theirs_flat = needle.gray[ours].reshape(-1), witness.gray[theirs].reshape(-1)
    curve = _curve(own, theirs_flat)
    gain = float(own.std()) / max(1.0, float(theirs_flat.std()))
    if curve is None or not LEAST_GAIN <= gain <= MOST_GAIN:
        return None
    levels = round(float(np.mean(own.astype(int) - theirs_flat)))
    colors = needle.chroma[ours].astype(np.float32) - 128, witness.chroma[theirs].astype(np.float32) - 128
    moved = float(np.abs(curve[theirs_flat].astype(int) - theirs_flat).mean())
    return Tone(curve, _color_gain(*colors, gain), levels, round(gain, 2), moved)


def _frames_alike(needle: Track, witness: Track, offset: float) -> list[tuple[int, int]]:
    """Return which frame of the witness shows what samples of the needle show, whatever their tone is."""
    pairs = []
    count = len(needle.seconds)
    for sample in np.linspace(0, count - 1, min(_SAMPLES, count)).astype(int).tolist():
        at = needle.seconds[sample] + offset
        low, high = np.searchsorted(witness.seconds, [at - _REACH_SECONDS, at + _REACH_SECONDS])
        own = needle.gray[sample].astype(np.float32).ravel()
        if low >= high or own.std() < _LEAST_SPREAD:
            continue
        frames = witness.gray[low:high].reshape(high - low, -1).astype(np.float32)
        frames -= frames.mean(axis=1, keepdims=True)
        spreads = frames.std(axis=1)
        likeness = (frames @ (own - own.mean())) / (len(own) * own.std() * np.maximum(spreads, 1.0))
        best = int(likeness.argmax())
        if likeness[best] >= _LEAST_ALIKE and spreads[best] >= _LEAST_SPREAD:
            pairs.append((sample, int(low) + best))
    return pairs


def _curve(own: Bytes, theirs: Bytes) -> Bytes | None:
    """Return the level that each level of the other film mostly has in our own; None where there are too few."""
    bins = theirs // _BIN_LEVELS
    counts = np.bincount(bins, minlength=256 // _BIN_LEVELS)
    seen = np.flatnonzero(counts >= _LEAST_PIXELS)
    if len(seen) < 2:  # noqa: PLR2004 - the least that a line takes
        return None
    places = seen * _BIN_LEVELS + (_BIN_LEVELS - 1) / 2
    levels = _rising(np.array([np.median(own[bins == level]) for level in seen.tolist()]), counts[seen])
    slope = (levels[-1] - levels[0]) / (places[-1] - places[0])
    # Beyond the levels that were seen it goes on in a straight line.
    places = np.concatenate([[places[0] - 256], places, [places[-1] + 256]])
    levels = np.concatenate([[levels[0] - 256 * slope], levels, [levels[-1] + 256 * slope]])
    curve: Bytes = np.rint(np.interp(np.arange(256), places, levels)).clip(0, 255).astype(np.uint8)
    return curve


def _rising(levels: NDArray[np.float64], weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the rising levels that are nearest to these (pool adjacent violators): few pixels that are others, as of a
    box that is shown in one of the films, move none of the many.

    >>> _rising(np.array([180.0, 20.0, 30.0]), np.array([1, 99, 50])).tolist()
    [21.6, 21.6, 30.0]
    """
    pools: list[tuple[float, int, int]] = []
    for level, weight in zip(levels.tolist(), weights.tolist(), strict=True):
        pools.append((level, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (first, first_weight, first_count), (second, second_weight, second_count) = pools[-2:]
            together = first_weight + second_weight
            mean = (first * first_weight + second * second_weight) / together
            pools[-2:] = [(mean, together, first_count + second_count)]
    return np.repeat([level for level, _, _ in pools], [count for _, _, count in pools])


def _color_gain(own: NDArray[np.float32], theirs: NDArray[np.float32], gain: float) -> float:
    """Return the factor of the colours; 1 where it does not go with that of grey: these are other colours."""
    power = float((theirs * theirs).sum())
    factor = float((own * theirs).sum()) / power if power else 1.0
    goes_along = _COLOR_RATIOS[0] <= factor / gain <= _COLOR_RATIOS[1]
    return factor if goes_along or _GRAY_ALONE[0] <= factor <= _GRAY_ALONE[1] else 1.0
