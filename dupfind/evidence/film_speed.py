"""Speed of two films: one that is played faster or slower shows the same frames at other times; pure.

Samples of the needle are looked for in the whole witness, and the line on which most of their times lie is the speed
(random sample consensus, Fischler and Bolles 1981, but for every pair of samples in the place of random ones).
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures.film_frames import Track

LEAST_SPEED, MOST_SPEED = 0.25, 4.0
LEAST_CHANGE = 0.002
"""Share by which a speed has to differ from none: a second in eight minutes."""
_SAMPLES = 32
_MOST_FRAMES = 1 << 14
_SIDE = 16
_NEAR_LEVELS = 8.0
_LEAST_ON_LINE = 6
_LEAST_SHARE = 0.6
_LEAST_APART = 0.2
"""Share of the needle that two samples are apart at least by which a line is drawn."""
_NEAR_SECONDS = 0.1


class Line(NamedTuple):
    """Times of the witness for times of the needle: speed * seconds + offset."""

    speed: float
    """Seconds of the witness that are shown in a second of the needle."""
    offset_seconds: float


def line_of(needle: Track, witness: Track) -> Line | None:
    """Find at which speed the needle shows what the witness shows; None where there is no one speed, or it is 1."""
    witness = _thinned(witness)
    ours, theirs = _times_alike(needle, witness)
    if len(ours) < _LEAST_ON_LINE:
        return None
    near = max(_NEAR_SECONDS, 2 * _step(witness))
    best: NDArray[np.bool_] | None = None
    least = _LEAST_APART * float(needle.seconds[-1])
    for first, second in combinations(range(len(ours)), 2):
        if ours[second] - ours[first] < least:
            continue
        speed = (theirs[second] - theirs[first]) / (ours[second] - ours[first])
        if not LEAST_SPEED <= speed <= MOST_SPEED:
            continue
        is_near = np.abs(theirs - theirs[first] - speed * (ours - ours[first])) <= near
        if best is None or np.count_nonzero(is_near) > np.count_nonzero(best):
            best = is_near
    if best is None or np.count_nonzero(best) < max(_LEAST_ON_LINE, _LEAST_SHARE * len(ours)):
        return None
    speed, offset = np.polyfit(ours[best], theirs[best], 1).tolist()
    return Line(speed, offset) if abs(speed - 1) > LEAST_CHANGE else None


def played_at(needle: Track, speed: float) -> Track:
    """Give a film the times that it would have at the speed of the witness, its sound too."""
    sound = needle.sound
    if sound is not None and len(sound):
        places = np.arange(round(len(sound) * speed)) / speed
        sound = sound[np.minimum(np.rint(places).astype(int), len(sound) - 1)]
    return needle._replace(seconds=needle.seconds * speed, sound=sound)


def _thinned(track: Track) -> Track:
    """Leave out frames of a long film, evenly: where they lie is refined later."""
    every = -(-len(track.seconds) // _MOST_FRAMES)
    return track._replace(seconds=track.seconds[::every], gray=track.gray[::every])


def _times_alike(needle: Track, witness: Track) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when samples of the needle are shown, and when the frame of the witness is that is most like each."""
    small = _small(witness)
    ours, theirs = [], []
    count = len(needle.seconds)
    for sample in np.linspace(0, count - 1, min(_SAMPLES, count)).astype(int).tolist():
        unlike = np.abs(small - _small(needle._replace(gray=needle.gray[sample : sample + 1]))).mean(axis=(1, 2))
        best = int(unlike.argmin())
        if unlike[best] <= _NEAR_LEVELS:
            ours.append(float(needle.seconds[sample]))
            theirs.append(float(witness.seconds[best]))
    return np.array(ours), np.array(theirs)


def _small(track: Track) -> NDArray[np.int16]:
    count, side = track.gray.shape[0], track.gray.shape[1] // _SIDE
    means: NDArray[np.int16] = (
        track.gray.reshape(count, _SIDE, side, _SIDE, side).mean(axis=(2, 4), dtype=np.float32).astype(np.int16)
    )
    return means


def _step(track: Track) -> float:
    steps = np.diff(track.seconds)
    return float(np.median(steps)) if len(steps) else 0.04
