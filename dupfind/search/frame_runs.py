"""Films that share a run of frames in order, found by the hashes of frames; pure numpy, knows no files.

Each frame of a needle is looked up among the key frames of the haystack's films. Where two films are one, the times of
the frames that meet differ by one and the same number of seconds, whatever was cut off at either end: the offset for
which most key frames speak is the one.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.search.blocks import Hashes, Positions
from dupfind.search.hamming import HashDictionary

RECIPE = 2
"""Version of how films are found. Raise it with every change that can alter an offset."""
RADIUS_BITS = 10
"""How far apart the 64-bit hashes of one frame in two films may be: the default of pictures. A film is looked at only
where several frames are that near, in order."""
MOST_FILMS = 4
"""Films that one needle is compared with, those first of which most frames speak."""
_MOST_OF_A_HASH = 32
"""Key frames of one hash that a frame meets, at least the nearest so many. Static cameras make thousands."""
_SAMPLE, _MOST_MET = 64, 500_000
"""Frames of a needle by which it is told how many key frames each meets, and how many all may meet."""
_BIN_SECONDS = 0.2
"""Offsets that differ by less are one: times of frames are rounded, and rates differ."""
_AT_ONCE_SECONDS = 0.05
_LEAST_SHARE = 0.2
"""Share of the key frames in question that has to speak for an offset: where something was put in between, each part
has its own."""
_MOST_SPEED = 2.0
_LEAST_ON_LINE, _LEAST_ON_LINE_SHARE, _MOST_LINES = 3, 0.5, 4096
"""Key frames on one line: two of them always are."""

Seconds = NDArray[np.float64]


class Frames(NamedTuple):
    """Frames of one film."""

    seconds: Seconds
    """When each is shown, rising."""
    hashes: Hashes
    """Shape (frames, orientations)."""


class FrameRun(NamedTuple):
    """A film of the haystack that shares frames with a needle."""

    film: int
    orientation: int
    """How its frames are turned to meet those of the needle."""
    offset_seconds: float
    """Add it to a time of the needle for the time of the film."""
    keys: int
    """How many of its key frames meet frames of the needle at that offset."""
    distance_bits: int
    """Median distance of their hashes."""


class FrameIndex:
    """The key frames of the films of a haystack.

    >>> film = Frames(np.array([0.0, 1.0]), np.uint64([[0xFF << 40], [0xFFFF]]))
    >>> FrameIndex([film]).runs(Frames(np.array([0.0, 0.5]), np.uint64([[0xFFFF], [0xFFFFFF << 20]])))
    [FrameRun(film=0, orientation=0, offset_seconds=1.0, keys=1, distance_bits=0)]
    """

    def __init__(self, films: Sequence[Frames]) -> None:
        self._films = films
        counts = [film.hashes.size for film in films]
        self._film = np.repeat(np.arange(len(films)), counts)
        parts = [film.hashes.T.reshape(-1) for film in films]
        self._hashes = np.concatenate(parts) if parts else np.empty(0, np.uint64)
        self._orientation = np.concatenate(
            [np.repeat(np.arange(film.hashes.shape[1]), len(film.seconds)) for film in films] or [np.empty(0, int)]
        )
        self._key = np.concatenate(
            [np.tile(np.arange(len(film.seconds)), film.hashes.shape[1]) for film in films] or [np.empty(0, int)]
        )
        self._dictionary = HashDictionary(self._hashes)

    def runs(self, needle: Frames, left_out: frozenset[int] = frozenset()) -> list[FrameRun]:
        """Find the films that share a run of frames with ``needle``, upright; those first of which most speaks for it.

        ``left_out`` are films that are not asked about.
        """
        needle = self._thinned(needle)
        triples = array("q")  # a list of them would take four times as much
        for triple in self._dictionary.pairs(needle.hashes[:, 0], RADIUS_BITS, _MOST_OF_A_HASH):
            triples.extend(triple)
        hits = np.array(triples, np.int64).reshape(-1, 3)
        frame, place, distances = hits.T
        films, orientations = self._film[place], self._orientation[place]
        runs = []
        for film in np.unique(films).tolist():
            if film in left_out:
                continue
            best: FrameRun | None = None
            for orientation in np.unique(orientations[films == film]).tolist():
                is_of = (films == film) & (orientations == orientation)
                run = self._run(needle, film, orientation, (frame[is_of], place[is_of], distances[is_of]))
                if run is not None and (best is None or run.keys > best.keys):
                    best = run
            if best is not None:
                runs.append(best)
        return sorted(runs, key=lambda run: (-run.keys, run.distance_bits, run.film))[:MOST_FILMS]

    def _thinned(self, needle: Frames) -> Frames:
        """Leave out frames, evenly, where each meets so many key frames that all would take minutes: static cameras."""
        count = len(needle.seconds)
        if count <= _SAMPLE:
            return needle
        sample = np.linspace(0, count - 1, _SAMPLE).astype(int)
        met = sum(1 for _ in self._dictionary.pairs(needle.hashes[sample, 0], RADIUS_BITS, _MOST_OF_A_HASH))
        allowed = max(_SAMPLE, _MOST_MET * _SAMPLE // max(1, met))
        if count <= allowed:
            return needle
        chosen = np.linspace(0, count - 1, allowed).astype(int)
        return Frames(needle.seconds[chosen], needle.hashes[chosen])

    def _run(
        self, needle: Frames, film: int, orientation: int, hits: tuple[Positions, Positions, Positions]
    ) -> FrameRun | None:
        frame, place, distances = hits
        times = self._films[film].seconds
        key = self._key[place]
        offsets = times[key] - needle.seconds[frame]
        bins = np.floor(offsets / _BIN_SECONDS).astype(np.int64)
        low, count = int(bins.min()) - 1, len(times)
        # Each distinct key frame once for each pair of neighbouring bins that it lies in.
        starts = np.concatenate([bins, bins - 1]) - low
        counts = np.bincount(np.unique(starts * count + np.concatenate([key, key])) // count)
        most = int(counts.max())
        # Of equal numbers the offset nearest to none: a film in which nothing moves meets itself at each.
        best_bin = min((np.flatnonzero(counts == most) + low).tolist(), key=lambda start: (abs(start), start))
        is_in = (bins == best_bin) | (bins == best_bin + 1)
        at_once = np.abs(offsets) <= _AT_ONCE_SECONDS
        is_at_once = len(np.unique(key[at_once])) >= most
        offset = 0.0 if is_at_once else _nearest_offset(offsets[is_in], distances[is_in])
        expected = np.count_nonzero(
            (times >= offset + needle.seconds[0] - _BIN_SECONDS) & (times <= offset + needle.seconds[-1] + _BIN_SECONDS)
        )
        if most < min(2, int(expected)) or most < _LEAST_SHARE * expected:
            return self._line(needle, film, orientation, hits)
        return FrameRun(film, orientation, round(offset, 3), most, int(np.median(distances[is_in])))

    def _line(
        self, needle: Frames, film: int, orientation: int, hits: tuple[Positions, Positions, Positions]
    ) -> FrameRun | None:
        """Find a run at another speed: key frames whose times lie on a line with those of the frames that they meet."""
        frame, place, distances = hits
        key = self._key[place]
        # Of each key frame the frame that is nearest to it.
        order = np.lexsort((frame, distances, key))
        first = order[np.unique(key[order], return_index=True)[1]]
        ours, theirs = needle.seconds[frame[first]], self._films[film].seconds[key[first]]
        if len(first) < _LEAST_ON_LINE:
            return None
        ends = np.triu_indices(len(first), 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            speeds = (theirs[ends[1]] - theirs[ends[0]]) / (ours[ends[1]] - ours[ends[0]])
        is_speed = (speeds >= 1 / _MOST_SPEED) & (speeds <= _MOST_SPEED)
        chosen = np.flatnonzero(is_speed)
        chosen = chosen[:: -(-len(chosen) // _MOST_LINES) or 1]
        best = np.zeros(len(first), np.bool_)
        for line in chosen.tolist():
            start = ends[0][line]
            is_on = np.abs(theirs - theirs[start] - speeds[line] * (ours - ours[start])) <= _BIN_SECONDS
            if np.count_nonzero(is_on) > np.count_nonzero(best):
                best = is_on
        on_line = int(np.count_nonzero(best))
        if on_line < _LEAST_ON_LINE or on_line < _LEAST_ON_LINE_SHARE * len(first):
            return None
        offset = float(theirs[best][0] - ours[best][0])
        return FrameRun(film, orientation, round(offset, 3), on_line, int(np.median(distances[first][best])))


def _nearest_offset(offsets: Seconds, distances: Positions) -> float:
    """Return the median of those offsets whose frames are nearest."""
    return float(np.median(offsets[distances <= distances.min()]))
