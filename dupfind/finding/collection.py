"""A haystack as ``find`` sees it: every file a row, as it was known from the last time or as it is read now.

Known rows come first, then what had to be looked at: files of folders that have changed, files that were too young to
be remembered. The search for those nearest to one picture, by their hashes, is exact. Nothing is given out on what is
known alone: each file that was found is looked at once more.
"""

from __future__ import annotations

from collections.abc import Collection as AbstractCollection
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache_schema import FRAMED, PictureRef
from dupfind.cache.snapshot import OTHER, PICTURE, UNSETTLED, Inner, Known, Rows, make_rows
from dupfind.finding.incremental_walk import Visited
from dupfind.matching.borders import inner_hashes
from dupfind.matching.candidates import MOST_CANDIDATES, MOST_TIED
from dupfind.pictures.formats import is_film_name
from dupfind.run import Reading
from dupfind.sources.entries import entry_now
from dupfind.values import Failure, FileEntry

NO_PICTURE = 255
"""The distance of what has no hash: farther than any."""
_BLOCK = 1 << 16
"""Hashes compared at a time: 512 kB, which the processor's caches hold."""

_MOST_FRAMED = 50
"""Most rows that are near only where frames are left out."""
_REMOVED = 9
"""The kind of a row that is no longer there, among those that are not from before."""

Words = NDArray[np.uint64]
Places = NDArray[np.int64]


class Sighting(NamedTuple):
    """A file of the haystack that was looked at just now."""

    entry: FileEntry
    ref: PictureRef | None
    """Its thumbnail; None for what is no picture."""
    hash: int


class Collection:
    """The files of these folders, in the order of the walk; ``known`` is what is remembered of some of them."""

    def __init__(self, run: Reading, snapshot: Known | None, visited: Sequence[Visited]) -> None:
        self._settings = run.settings
        self._reader = run.reader
        self._cache = run.cache
        self.known = snapshot
        self.visited = visited
        self._entries: list[FileEntry] = []
        """Of the rows that are not from ``snapshot``; the next few likewise."""
        self._refs: list[PictureRef | None] = []
        self._hashes: list[int] = []
        self._kinds: list[int] = []
        self._places: list[tuple[int, int]] = []
        """The number of the folder, and the place in it."""
        self._read = 0
        """How many of them have been read."""
        self.failures: dict[int, Failure] = {}
        """By row, the files that gave no thumbnail; of the known ones only pictures."""
        count = 0 if snapshot is None else len(snapshot.hashes)
        self._is_alive = np.ones(count, np.bool_)
        """Of the known rows: whether the file was not seen to be gone or changed."""
        self._folder_numbers = np.full(0 if snapshot is None else len(snapshot.folders), -1, np.int64)
        """The number among ``visited`` of each known folder; -1 where it is gone or was read again."""
        self._inner = Inner(np.empty(0, np.int64), np.empty(0, np.uint64))
        self._enter()

    def __len__(self) -> int:
        return len(self._is_alive) + len(self._entries)

    @property
    def files(self) -> int:
        """How many there are."""
        return int(np.count_nonzero(self.is_alive()))

    @property
    def pictures(self) -> int:
        """How many of them are pictures."""
        return int(np.count_nonzero(self.is_alive() & (self.kinds() == PICTURE)))

    @property
    def news(self) -> int:
        """How many rows were learned that may be remembered, or lost."""
        lost = len(self._is_alive) - int(np.count_nonzero(self._is_alive))
        return max(lost, sum(kind != UNSETTLED for kind in self._kinds))

    def same_size(self, sizes_bytes: AbstractCollection[int]) -> list[int]:
        """Return the rows of files of one of these sizes."""
        wanted = np.array(sorted(sizes_bytes), np.int64)
        fresh = np.fromiter((entry.size_bytes for entry in self._entries), np.int64, len(self._entries))
        is_wanted = [np.isin(sizes, wanted) for sizes in (self.known.sizes if self.known else fresh[:0], fresh)]
        return np.flatnonzero(np.concatenate(is_wanted) & self.is_alive()).tolist()

    def picture_rows(self) -> list[int]:
        """Return the rows of all pictures, once they are read."""
        return np.flatnonzero(self.is_alive() & (self.kinds() == PICTURE)).tolist()

    def films(self) -> list[int]:
        """Return the rows of files that are called as films are, and were read as no picture or not at all.

        Raises :class:`~dupfind.cache.snapshot.SnapshotError`.
        """
        start = len(self._is_alive)
        rows = np.flatnonzero(self.is_alive() & (self.kinds() != PICTURE)).tolist()
        details = self.known.details([row for row in rows if row < start]) if self.known else {}
        entries = ((row, details[row][0] if row < start else self._entries[row - start]) for row in rows)
        return [row for row, entry in entries if is_film_name(entry.path) and entry.can_be_read]

    def read_pictures(self) -> None:
        """Read what is not known yet."""
        entries = self._entries[self._read :]
        readable = [entry for entry in entries if entry.has_comparable_picture]
        pictures = self._reader.pictures(readable, "decoding haystack", 1)
        decoded = iter(zip(pictures.entries, pictures.refs, pictures.hashes[:, 0].tolist(), strict=True))
        picture = next(decoded, None)
        for place, entry in enumerate(entries, start=self._read):
            if picture is not None and picture[0] is entry:
                self._refs[place], self._hashes[place], self._kinds[place] = picture[1], picture[2], PICTURE
                picture = next(decoded, None)
                continue
            if not entry.has_comparable_picture:
                self._kinds[place] = OTHER
                continue
            failure = pictures.failures[entry.path]
            self._kinds[place] = OTHER if will_last(failure) else UNSETTLED
            self.failures[len(self._is_alive) + place] = failure
        self._read = len(self._entries)
        self._look_into_frames()

    def _look_into_frames(self) -> None:
        """Hash what has a frame without it, too."""
        start = len(self._is_alive)
        framed = [place for place, ref in enumerate(self._refs) if ref is not None and ref.id & FRAMED]
        ids = [ref.id for place in framed if (ref := self._refs[place]) is not None]
        hashes = inner_hashes(self._cache, ids, self._settings.scan.algorithm, 1)[:, 0]
        self._inner = Inner(np.array(framed, np.int64) + start, hashes)

    def distances_bits(self, needles: Words) -> NDArray[np.uint8]:
        """Return how far each row is from the nearest of ``needles``;
        :data:`NO_PICTURE` for what has none or is gone.
        """
        snapshot, fresh = self.known, np.array(self._hashes, np.uint64)
        parts = [_nearest_bits(needles, hashes) for hashes in (snapshot.hashes if snapshot else fresh[:0], fresh)]
        distances = np.concatenate(parts)
        distances[~(self.is_alive() & (self.kinds() == PICTURE))] = NO_PICTURE
        return distances

    def inner_distances_bits(self, needles: Words) -> NDArray[np.uint8]:
        """Return the same without the frames of the haystack's pictures; :data:`NO_PICTURE` for what has no frame."""
        distances = np.full(len(self), NO_PICTURE, np.uint8)
        for inner in (self._inner, *([self.known.inner] if self.known else [])):
            distances[inner.rows] = _nearest_bits(needles, inner.hashes)
        distances[~self.is_alive()] = NO_PICTURE
        return distances

    def in_order(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return these rows in the order of the walk, whether they were known or not."""
        folders, places = self._all_places(rows)
        return rows[np.lexsort((places, folders))]

    def failed(self) -> dict[str, Failure]:
        """Return the files that gave no thumbnail, by path; of the known ones only pictures."""
        start = len(self._is_alive)
        details = self.known.details([row for row in self.failures if row < start]) if self.known else {}
        entries = {row: details[row][0] if row < start else self._entries[row - start] for row in self.failures}
        return {entries[row].path: failure for row, failure in self.failures.items()}

    def look(self, rows: Iterable[int]) -> tuple[dict[int, Sighting], bool]:
        """Look which of these files are as they were, by row, and whether all of them are.

        What has changed is entered anew, what is gone is struck out; then the search is to be made once more, after
        :meth:`read_pictures`. Raises :class:`~dupfind.cache.snapshot.SnapshotError`.
        """
        start = len(self._is_alive)
        details = self.known.details([row for row in rows if row < start]) if self.known else {}
        sightings, are_sound = {}, True
        for row in rows:
            entry, ref = details[row] if row < start else (self._entries[row - start], self._refs[row - start])
            now = self._entry_now(entry)
            # The snapshot may be old; a witness is what is there now.
            if now != entry:
                are_sound = False
                self._strike(row)
                if now is not None:
                    self._add(now, self._place(row))
                continue
            if row < start and self.known is not None:
                is_picture, hash_ = self.known.kinds[row] == PICTURE, int(self.known.hashes[row])
            else:
                is_picture, hash_ = self._kinds[row - start] == PICTURE, self._hashes[row - start]
            sightings[row] = Sighting(entry, ref if is_picture else None, hash_)
        return sightings, are_sound

    def rows(self) -> tuple[Rows, NDArray[np.int64], Inner]:
        """Return all rows, struck out or not, the number of the folder of each, and the inner hashes.

        Raises :class:`~dupfind.cache.snapshot.SnapshotError`.
        """
        fresh = make_rows(self._entries, self._refs, self._hashes, self._kinds)
        folders = np.array([folder for folder, _ in self._places], np.int64)
        if self.known is None:
            return fresh, folders, self._inner
        inner = Inner(
            np.concatenate([self.known.inner.rows, self._inner.rows]),
            np.concatenate([self.known.inner.hashes, self._inner.hashes]),
        )
        of_known = np.repeat(self._folder_numbers, np.diff(self.known.starts))
        return self.known.rows() + fresh, np.concatenate([of_known, folders]), inner

    def order(self) -> NDArray[np.int64]:
        """Return all rows that are not struck out, in the order of the walk."""
        return self.in_order(np.flatnonzero(self.is_alive()))

    def is_alive(self) -> NDArray[np.bool_]:
        """Tell whether each row is not struck out."""
        fresh = np.fromiter((kind != _REMOVED for kind in self._kinds), np.bool_, len(self._kinds))
        return np.concatenate([self._is_alive, fresh])

    def kinds(self) -> NDArray[np.uint8]:
        """Return the kind of each row."""
        fresh = np.array(self._kinds, np.uint8)
        return np.concatenate([self.known.kinds if self.known else fresh[:0], fresh])

    def _enter(self) -> None:
        """Enter the files of folders that were read, and strike out those of folders that are gone or read again."""
        for number, visited in enumerate(self.visited):
            if visited.place is not None:
                self._folder_numbers[visited.place] = number
            for place, entry in enumerate(visited.entries):
                self._add(entry, (number, place))
        if self.known is not None:
            self._is_alive = np.repeat(self._folder_numbers >= 0, np.diff(self.known.starts))
            self.failures = {row: failure for row, failure in self.known.failures.items() if self._is_alive[row]}
            unsettled = np.flatnonzero(self._is_alive & (self.known.kinds == UNSETTLED)).tolist()
            for row, (entry, _) in self.known.details(unsettled).items():
                now = self._entry_now(entry)
                self._strike(row)
                if now is not None:
                    self._add(now, self._place(row))

    def _entry_now(self, entry: FileEntry) -> FileEntry | None:
        """Look at the same file as it is now; None where it is gone, or none that can be read."""
        try:
            return entry_now(entry, follow_symlinks=self._settings.follow_symlinks)
        except OSError:
            return None

    def _add(self, entry: FileEntry, place: tuple[int, int]) -> None:
        self._entries.append(entry)
        self._refs.append(None)
        self._hashes.append(0)
        self._kinds.append(UNSETTLED)
        self._places.append(place)

    def _strike(self, row: int) -> None:
        if row < len(self._is_alive):
            self._is_alive[row] = False
        else:
            self._kinds[row - len(self._is_alive)] = _REMOVED
        self.failures.pop(row, None)

    def _place(self, row: int) -> tuple[int, int]:
        """Return the number of its folder and its place in it."""
        folders, places = self._all_places(np.array([row], np.int64))
        return int(folders[0]), int(places[0])

    def _all_places(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the same of several rows."""
        start = len(self._is_alive)
        folders, places = np.empty_like(rows), np.empty_like(rows)
        is_fresh = rows >= start
        if is_fresh.any():
            ours = np.array(self._places, np.int64)[rows[is_fresh] - start]
            folders[is_fresh], places[is_fresh] = ours[:, 0], ours[:, 1]
        if self.known is not None:
            old = rows[~is_fresh]
            numbers = np.searchsorted(self.known.starts, old, "right") - 1
            folders[~is_fresh], places[~is_fresh] = self._folder_numbers[numbers], old - self.known.starts[numbers]
        return folders, places


def will_last(failure: Failure) -> bool:
    """Tell whether this program will fail again on the same file;
    which extras it has is known wherever rows are kept.
    """
    return failure.lasting or failure.stage == "extra"


def _nearest_bits(needles: Words, hashes: Words) -> NDArray[np.uint8]:
    """Return for each of ``hashes`` how far it is from the nearest of ``needles``."""
    distances = np.empty(len(hashes), np.uint8)
    for start in range(0, len(hashes), _BLOCK):
        block = hashes[start : start + _BLOCK]
        nearest = distances[start : start + _BLOCK]
        nearest[:] = np.bitwise_count(block ^ needles[0])
        for needle in needles[1:]:
            np.minimum(nearest, np.bitwise_count(block ^ needle), out=nearest)
    return distances


class NearRows(NamedTuple):
    """Rows of a collection that one picture is to be compared with."""

    nearest: list[int]
    framed: list[int]
    """What is near only where frames are left out."""


class Reach(NamedTuple):
    """How many of the nearest pictures are wanted, and how far away they may be."""

    nearest: int
    """How many are wanted at least, where so many lie within ``most_bits``."""
    most_bits: int
    """How far away the nearest may be; beyond that nothing is wanted."""
    threshold_bits: int
    """Up to here all are wanted, up to as many as a scan looks at."""


def near_rows(collection: Collection, hashes: Words, inner: Words, reach: Reach, left_out: list[int]) -> NearRows:
    """Return the rows that a picture of these ``hashes``, one for each orientation, is to be compared with.

    ``inner`` are its hashes without its frame, none where it has none; ``left_out`` are rows that do not count.
    """
    distances = collection.distances_bits(hashes)
    distances[left_out] = NO_PICTURE
    counts = np.cumsum(np.bincount(distances, minlength=NO_PICTURE + 1)[:NO_PICTURE])
    within = min(int(counts[reach.threshold_bits]), MOST_CANDIDATES)
    rows = _nearest(collection, distances, max(reach.nearest, within), reach.most_bits, MOST_TIED)
    framed = collection.inner_distances_bits(hashes)
    if len(inner):
        np.minimum(framed, collection.distances_bits(inner), out=framed)
        np.minimum(framed, collection.inner_distances_bits(inner), out=framed)
    framed[left_out] = NO_PICTURE
    also_near = _nearest(collection, framed, _MOST_FRAMED, reach.threshold_bits, 0)
    nearest = rows.tolist()
    listed = set(nearest)
    return NearRows(nearest, [row for row in also_near.tolist() if row not in listed])


def _nearest(
    collection: Collection, distances: NDArray[np.uint8], count: int, most_bits: int, most_tied: int
) -> Places:
    """Return the ``count`` nearest rows within ``most_bits``,
    and up to ``most_tied`` more as far away as the last of them.
    """
    counts = np.cumsum(np.bincount(distances, minlength=NO_PICTURE + 1)[: most_bits + 1])
    if not counts[-1]:
        return np.empty(0, np.int64)
    last = int(np.searchsorted(counts, min(count, int(counts[-1]))))
    nearer = np.flatnonzero(distances < last)
    tied = np.flatnonzero(distances == last)
    most = max(0, count - len(nearer)) + most_tied
    if len(tied) > most:
        tied = collection.in_order(tied)[:most]
    return np.concatenate([nearer, tied])
