"""Lookup of files in the cache, folder by folder: the row of each, by name or by inode, and its checksum."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from dupfind.cache import checksum
from dupfind.cache.cache_file import DamagedError
from dupfind.cache.cache_schema import FS_CODEC, FileRow, PictureRef, Recipe, fits, is_of
from dupfind.cache.cache_store import Labels, Store
from dupfind.values import Failure, FileEntry


class Known(NamedTuple):
    """What the cache knows of the picture in one file."""

    content: PictureRef | Failure | None
    """Which thumbnail it has, or why it has none; None when it was never decoded by this recipe."""
    hashes: bytes | None
    """Its 64-bit hashes by the run's algorithm, big-endian: the upright one alone, or all eight orientations."""


UNKNOWN = Known(None, None)
_FEW = 32
"""So many files of a folder are looked up by their names, whatever else it holds."""


class Lookup:
    """Asks one store. ``moved`` is told of each file that is known under another path only.

    The entries of a folder are to stand together, as the walk gives them: they are looked up in one go. Everything
    raises the errors of :mod:`dupfind.cache.cache_file`.
    """

    def __init__(self, store: Store, recipe: Callable[[], Recipe], moved: Callable[[FileEntry], None]) -> None:
        self._store = store
        self._recipe = recipe
        self._moved = moved

    def digests(self, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
        """Yield the digest of each of ``entries`` in their order, or None."""
        for folder, group in groupby(entries, key=_folder_of):
            siblings = list(group)
            for entry, row in zip(siblings, self._rows_in(folder, siblings, None), strict=True):
                yield None if row is None or row[5] is None else _sound(checksum.digest_in(entry, row[5]))

    def know_all(self, entries: Iterable[FileEntry]) -> bool:
        """Tell whether anything is known of each of ``entries`` as it is now, by whatever recipe."""
        return all(
            row is not None
            for folder, group in groupby(entries, key=_folder_of)
            for row in self._rows_in(folder, list(group), None)
        )

    def contents(self, entries: Iterable[FileEntry]) -> Iterator[Known]:
        """Yield what decoding each of ``entries`` gave, in their order, likewise."""
        for number, (folder, group) in enumerate(groupby(entries, key=_folder_of)):
            if not number:
                recipe = self._recipe()  # asked for only where there are entries
                labels = self._store.label(recipe.thumbnails), self._store.label(recipe.hashes)
                marks = checksum.of_text(recipe.thumbnails), checksum.of_text(recipe.hashes)
            siblings = list(group)
            for entry, row in zip(siblings, self._rows_in(folder, siblings, labels), strict=True):
                yield UNKNOWN if row is None else _known(entry, row, *marks)

    def _rows_in(self, folder: str, entries: Sequence[FileEntry], labels: Labels | None) -> list[FileRow | None]:
        """Return the rows of the files of one folder, by their names or else by their inodes."""
        start = len(folder) + 1
        names = [entry.path[start:].encode(*FS_CODEC) for entry in entries]
        by_name = self._store.files_in(folder, labels, names if len(names) <= _FEW else None)
        rows = list(map(by_name.get, names))
        # What was renamed, or came with a folder that was moved, is known by its inode and state.
        lost = [place for place, row in enumerate(rows) if row is None or not is_of(entries[place], row)]
        inodes = self._store.known_inodes([entries[place].inode for place in lost])
        for place in lost:
            entry = entries[place]
            is_worth_it = entry.inode and entry.inode in inodes and fits(entry)
            rows[place] = row = self._store.file_by_inode(entry, labels) if is_worth_it else None
            if row is not None:
                self._moved(entry)
        return rows


def _known(entry: FileEntry, row: FileRow, recipe: int, algorithm: int) -> Known:
    failure, is_image, picture, size_pixels, seal, stored = row[5:]
    if failure is None:
        if picture is None:
            return UNKNOWN
        ref = PictureRef(picture, size_pixels)
        if not checksum.is_of_content(entry, ref, recipe, seal):
            raise _unsound()
        return Known(ref, None if stored is None else _sound(checksum.hashes_in(picture, stored, algorithm)))
    reason = Failure(failure, is_image=bool(is_image))
    if not checksum.is_of_content(entry, reason, recipe, seal):
        raise _unsound()
    return Known(reason, None)


def _sound(value: bytes | None) -> bytes:
    if value is None:
        raise _unsound()
    return value


def _unsound() -> DamagedError:
    return DamagedError("what is known of a file is not what was stored")


def _folder_of(entry: FileEntry) -> str:
    return entry.path.rpartition(os.sep)[0]
