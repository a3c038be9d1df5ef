"""Comparison of pairs of films, frame by frame, as a plain picklable function that takes a list and gives a list.

Both films are decoded whole, small.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from dupfind.pool.film_prints import BROKEN, seconds_for
from dupfind.pool.tasks import ReadError, decoded, opened
from dupfind.pool.time_limit import TimeLimit
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import FILM_FRAMES, Failure, FileEntry

UNLIKE = Reason(ReasonCode.UNLIKE)


class FilmPair(NamedTuple):
    """A needle and a film of the haystack that share a run of frames."""

    needle: FileEntry
    witness: FileEntry
    orientation: int
    """How the witness is turned to meet the needle."""
    offset_seconds: float
    """Add it to a time of the needle for the time of the witness."""
    is_cropped: tuple[bool, bool] = (False, False)
    """Whether the needle and the witness are compared without their black bars."""


class Likened(NamedTuple):
    """What comparing two films gave."""

    reason: Reason
    """How they differ; :data:`UNLIKE` where they are two films, ``not-compared`` where that cannot be told."""
    is_lasting: bool
    """True where the same files will give the same again."""
    read_ns: int


def not_compared(reason: str, read_ns: int = 0, *, is_lasting: bool = False) -> Likened:
    """Tell why two films could not be compared."""
    return Likened(Reason(ReasonCode.NOT_COMPARED, (reason,)), is_lasting, read_ns)


def pair_seconds(pair: FilmPair, timeout_seconds: float) -> float:
    """Return how long comparing two films may take."""
    return seconds_for(pair.needle, timeout_seconds) + seconds_for(pair.witness, timeout_seconds)


def compare_films(pairs: Sequence[FilmPair], max_pixels: int, timeout_seconds: float) -> list[Likened]:
    """Compare each pair, frame by frame."""
    return [_compare_one(pair, max_pixels, timeout_seconds) for pair in pairs]


def _compare_one(pair: FilmPair, max_pixels: int, timeout_seconds: float) -> Likened:
    from dupfind.evidence.film_likeness import liken
    from dupfind.evidence.film_reasons import reason_of
    from dupfind.pictures import decode_errors, film_frames

    read_ns = time.time_ns()
    seconds = pair_seconds(pair, timeout_seconds)

    def compare() -> Likened:
        with decode_errors.in_plain_words(lambda: 0):
            try:
                needle, witness = (
                    film_frames.read_track(file, max_pixels, film_frames.read_bars(file, max_pixels) if crops else None)
                    for file, crops in zip((first, second), pair.is_cropped, strict=True)
                )
                if needle is None or witness is None:
                    return Likened(UNLIKE, True, read_ns)
                likeness = liken(needle, witness, pair.orientation, pair.offset_seconds)
            except film_frames.TooLongError:
                return not_compared("a film of too many frames", read_ns, is_lasting=True)
            except BROKEN:
                return Likened(UNLIKE, True, read_ns)
        if likeness is None:
            return Likened(UNLIKE, True, read_ns)
        sizes = pair.needle.size_bytes, pair.witness.size_bytes
        return Likened(reason_of(likeness, needle, witness, pair.orientation, sizes), True, read_ns)

    try:
        with (
            opened(pair.needle, FILM_FRAMES) as first,
            opened(pair.witness, FILM_FRAMES) as second,
            TimeLimit(seconds) as limit,
        ):
            result = decoded(compare, limit, seconds)
    except ReadError as error:
        result = error.failure
    return not_compared(result.reason, read_ns, is_lasting=result.lasting) if isinstance(result, Failure) else result
