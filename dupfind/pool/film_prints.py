"""Prints of films: the hashes of frames and when they are shown, as plain picklable functions that take a list and give
a list.

Of the haystack key frames are hashed, in all orientations; of a needle every frame, upright. Both kinds are in one
value, so that the cache keeps one row a film.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import IO, NamedTuple

import numpy as np

from dupfind.pool.tasks import Outcome, read_film
from dupfind.search.frame_runs import Frames
from dupfind.values import FILM_FRAMES, ORIENTATIONS, Failure, FileEntry

_ALGORITHM = "phash"
"""Whatever pictures are searched by: what is kept is then the same for all."""
_LEAST_BYTES_A_SECOND = 1 << 18
"""Decoding takes longer than reading: a second for each 256 KiB, which messengers put a second of film into."""
_BATCH = 64
_HEAD = struct.Struct("<iiii")
_UNREAD = -1

UNDECODED = "broken, or no film: no picture of it can be decoded"

BROKEN = (ValueError, LookupError, ArithmeticError, struct.error)
"""What decoding a broken or hostile film may raise: it cannot be compared by its frames."""


class FilmPrint(NamedTuple):
    """What is known of the frames of a film; without a frame for what is no film, or cannot be decoded."""

    keys: Frames | None = None
    """Key frames in all orientations; None where they were not asked for."""
    frames: Frames | None = None
    """Every frame, upright, likewise."""
    inner_keys: Frames | None = None
    """The key frames without black bars; none where there are no bars."""
    inner_frames: Frames | None = None
    """Every frame without black bars, likewise."""

    def packed(self) -> bytes:
        """Return it as the cache keeps it."""
        kinds = [_UNREAD if frames is None else len(frames.seconds) for frames in self]
        parts = [part for frames in self if frames is not None for part in _bytes_of(frames)]
        return b"".join([_HEAD.pack(*kinds), *parts])

    def merged(self, earlier: FilmPrint) -> FilmPrint:
        """Return it with what was known before."""
        return FilmPrint(*(before if now is None else now for now, before in zip(self, earlier, strict=True)))


def unpacked(packed: bytes) -> FilmPrint:
    """Return what :meth:`FilmPrint.packed` made these bytes of. Raises ``ValueError`` for others.

    >>> unpacked(FilmPrint(frames=Frames(np.array([0.5]), np.uint64([[7]]))).packed())
    FilmPrint(keys=None, frames=Frames(seconds=array([0.5]), hashes=array([[7]], dtype=uint64)), inner_keys=None, \
inner_frames=None)
    """
    place = _HEAD.size
    kinds: list[Frames | None] = []
    for count, orientations in zip(_HEAD.unpack_from(packed), (ORIENTATIONS, 1, ORIENTATIONS, 1), strict=True):
        if count == _UNREAD:
            kinds.append(None)
            continue
        if count < 0:  # which numpy takes for all that there is
            raise ValueError("no print of a film")
        seconds = np.frombuffer(packed, "<f4", count, place).astype(np.float64)
        place += 4 * count
        hashes = np.frombuffer(packed, "<u8", count * orientations, place).astype(np.uint64)
        place += 8 * count * orientations
        kinds.append(Frames(seconds, hashes.reshape(count, orientations)))
    return FilmPrint(*kinds)


def _bytes_of(frames: Frames) -> tuple[bytes, bytes]:
    return frames.seconds.astype("<f4").tobytes(), frames.hashes.astype("<u8").tobytes()


def seconds_for(entry: FileEntry, timeout_seconds: float) -> float:
    """Return how long decoding a film may take: ``--timeout``, and a second for each 256 KiB."""
    return timeout_seconds + entry.size_bytes // _LEAST_BYTES_A_SECOND


def read_keys(entries: Sequence[FileEntry], max_pixels: int, timeout_seconds: float) -> list[Outcome]:
    """Hash key frames of each film; the result is packed, see :class:`FilmPrint`."""
    from dupfind.pictures import film_frames

    def read(file: IO[bytes]) -> FilmPrint:
        keys = film_frames.read_key_frames(file, max_pixels)
        if keys is None:
            return none
        seconds = keys.seconds.tolist()
        inner = zip(seconds if keys.inner else (), keys.inner, strict=True)
        hashed = (_hashed(pictures, ORIENTATIONS) for pictures in (zip(seconds, keys.thumbnails, strict=True), inner))
        return FilmPrint(keys=next(hashed), inner_keys=next(hashed))

    none = FilmPrint(keys=_nothing(ORIENTATIONS), inner_keys=_nothing(ORIENTATIONS))

    def read_packed(file: IO[bytes]) -> bytes | Failure:
        return _packed(partial(read, file), none)

    return [read_film(entry, read_packed, FILM_FRAMES, seconds_for(entry, timeout_seconds)) for entry in entries]


def read_frames(entries: Sequence[FileEntry], max_pixels: int, timeout_seconds: float) -> list[Outcome]:
    """Hash every frame of each film, likewise; a failure that will last tells why there is none."""
    from dupfind.pictures import film_frames

    def read(file: IO[bytes]) -> FilmPrint:
        frames = _hashed(film_frames.read_thumbnails(file, max_pixels), 1)
        bars = film_frames.read_bars(file, max_pixels)
        if bars is None:
            return FilmPrint(frames=frames, inner_frames=_nothing(1))
        return FilmPrint(frames=frames, inner_frames=_hashed(film_frames.read_thumbnails(file, max_pixels, bars), 1))

    def read_packed(file: IO[bytes]) -> bytes | Failure:
        return _packed(partial(read, file), None)

    return [read_film(entry, read_packed, FILM_FRAMES, seconds_for(entry, timeout_seconds)) for entry in entries]


def _nothing(orientations: int) -> Frames:
    return Frames(np.empty(0), np.empty((0, orientations), np.uint64))


def _hashed(pictures: Iterable[tuple[float, bytes]], orientations: int) -> Frames:
    """Hash thumbnails as those of pictures; leaves out black and even ones, which all are alike."""
    from dupfind.evidence import fingerprint

    stream = iter(pictures)
    kept = _nothing(orientations)
    parts = [kept]
    while batch := list(islice(stream, _BATCH)):
        thumbnails = np.stack([fingerprint.pixels(thumbnail) for _, thumbnail in batch])
        is_steady = fingerprint.are_steady(thumbnails, _ALGORITHM)
        seconds = np.array([at for at, _ in batch])[is_steady]
        hashes = fingerprint.search_hashes_of(thumbnails[is_steady], _ALGORITHM, orientations)
        parts.append(Frames(seconds, hashes.reshape(len(seconds), orientations)))
    return Frames(np.concatenate([part.seconds for part in parts]), np.concatenate([part.hashes for part in parts]))


def _packed(read: Callable[[], FilmPrint], of_broken: FilmPrint | None) -> bytes | Failure:
    """Return a print as bytes; of a broken film ``of_broken``, or where that is None why it is broken."""
    from dupfind.pictures.film_packets import BrokenError

    try:
        return read().packed()
    except BROKEN as error:
        if of_broken is not None:
            return of_broken.packed()
        reason = str(error) if isinstance(error, BrokenError) else ""  # only that is in words for a user
        return Failure(reason or UNDECODED, is_image=False, lasting=True, stage=FILM_FRAMES)
