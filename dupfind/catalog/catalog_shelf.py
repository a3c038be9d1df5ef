"""What a catalog knows of the files that it lists, in the place of reading them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby

from dupfind.cache import checksum
from dupfind.cache.cache_file import DamagedError, translated
from dupfind.cache.cache_lookup import Known
from dupfind.cache.cache_schema import FS_CODEC, FileRow, PictureRef, Recipe, is_of, picture_id
from dupfind.catalog.catalog_file import CatalogFile, explained
from dupfind.values import Failure, FileEntry, Root, Thumbnail

_SELECT = """
    SELECT f.name, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.digest, f.recipe, f.picture, f.size_pixels, f.failure,
        f.is_image, f.seal, f.whole, f.whole_failure, f.whole_seal, h.hashes
    FROM file f LEFT JOIN hash h ON h.picture = f.picture AND h.algorithm = ?
    WHERE f.folder = (SELECT id FROM folder WHERE path = ?)
"""


class CatalogShelf:
    """One catalog, opened."""

    def __init__(self, root: Root, recipe: Callable[[], Recipe]) -> None:
        self._prefix = root.real + os.sep
        self._given = root.given
        self._recipe = cache(recipe)  # it asks for the versions of all decoders, 1 ms for each file
        with explained(root.given):
            self._file = CatalogFile.for_reading(root.real)
            self._unread = self._file.unread()
            self._labels = self._file.labels()
        self._marks = {number: checksum.of_text(text) for number, text in self._labels.items()}

    def holds(self, entry: FileEntry) -> bool:
        """Tell whether an entry is of this catalog."""
        return entry.path.startswith(self._prefix)

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def digests(self, entries: Iterable[FileEntry]) -> Iterator[bytes | Failure]:
        """Yield the digest of each file, or why it has none."""
        for entry, row in self._rows(entries):
            stored = None if row is None else row[5]
            if stored is None:
                yield self._why_unread(entry, "digest")
                continue
            yield self._sound(checksum.digest_in(entry, stored))

    def contents(self, entries: Iterable[FileEntry]) -> Iterator[Known]:
        """Yield what decoding each file gave, likewise."""
        for entry, row in self._rows(entries):
            content = None if row is None else self._content(entry, row)
            if content is None or row is None:
                yield Known(self._why_unread(entry, "thumbnail"), None)
                continue
            stored = row[15]
            hashes = None
            if stored is not None and isinstance(content, PictureRef):
                mark = checksum.of_text(self._recipe().hashes)
                hashes = self._sound(checksum.hashes_in(content.id, stored, mark))
            yield Known(content, hashes)

    def whole(self, entry: FileEntry) -> PictureRef | Failure:
        """Return what reading the whole file gave."""
        ((_, row),) = self._rows([entry])
        if row is None or (row[12] is None and row[13] is None):
            return self._why_unread(entry, "thumbnail")
        _, size_pixels, _, _, _, picture, failure, seal = row[7:15]
        if not checksum.is_of_whole(entry, picture, failure, self._marks.get(row[6], 0), seal):
            self._sound(None)
        return PictureRef(picture, size_pixels) if failure is None else Failure(failure)

    def thumbnails(self, ids: Sequence[int]) -> dict[int, Thumbnail]:
        """Return those among ``ids`` that are here."""
        with explained(self._given):
            thumbnails = self._file.pictures(ids)
        if any(picture_id(thumbnail) != id_ for id_, thumbnail in thumbnails.items()):
            self._sound(None)
        return thumbnails

    def _content(self, entry: FileEntry, row: FileRow) -> PictureRef | Failure | None:
        label, picture, size_pixels, failure, is_image, seal = row[6:12]
        content: PictureRef | Failure
        if failure is not None:
            content = Failure(failure, is_image=bool(is_image))
        elif picture is not None:
            content = PictureRef(picture, size_pixels)
        else:
            return None
        if not checksum.is_of_content(entry, content, self._marks.get(label, 0), seal):
            self._sound(None)
        return content

    def _rows(self, entries: Iterable[FileEntry]) -> Iterator[tuple[FileEntry, FileRow | None]]:
        """Yield each file with its row, where that is still of the file that was listed when the run began."""
        start = len(self._prefix)
        for folder, group in groupby(entries, key=lambda entry: entry.path[start:].rpartition(os.sep)[0]):
            by_name = self._rows_in(folder)
            for entry in group:
                row = by_name.get(entry.path.rpartition(os.sep)[2].encode(*FS_CODEC))
                yield entry, row if row is not None and is_of(entry, row) else None

    def _rows_in(self, folder: str) -> dict[bytes, FileRow]:
        hashes = next((number for number, text in self._labels.items() if text == self._recipe().hashes), None)
        with explained(self._given), translated():
            rows = self._file.connection.execute(_SELECT, (hashes, os.fsencode(folder)))
            return {row[0]: row for row in rows}

    def _why_unread(self, entry: FileEntry, stage: str) -> Failure:
        unread = self._unread.get(entry.path[len(self._prefix) :])
        reason = "the catalog does not say what is in it: update it with dupfind index"
        return unread or Failure(reason, is_image=False, lasting=False, stage=stage)

    def _sound(self, value: bytes | None) -> bytes:
        if value is None:
            with explained(self._given):
                raise DamagedError("what is known of a file is not what was stored")
        return value
