"""What was read of files, kept from run to run: thumbnails, digests, hashes and failures.

A file is known again when path, size, mtime and ctime agree, or, after a folder was renamed or a drive mounted
elsewhere, when inode, size, mtime and ctime do. Files modified within two seconds before they were read are "racy":
a second change may carry the same times, so what was read of them serves this run only. Thumbnails are stored by their
content, which makes concurrent runs harmless. What cannot be kept (racy files, files without an inode, no cache, a full
disk) goes to a private scratch database that ends with the run.

The answer never depends on this module: without it everything is read again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import groupby
from typing import NamedTuple, Self

from dupfind.cache_buffer import Buffer
from dupfind.cache_file import DamagedError, UnusableError
from dupfind.cache_schema import FS_CODEC, RACY_NS, FileRow, Judged, Pair, PictureRef, Recipe, fits, is_of, picture_id
from dupfind.cache_store import Labels, Store
from dupfind.errors import CacheLostError
from dupfind.values import Failure, FileEntry, Thumbnail

_RACY_NS = RACY_NS
_FLUSH_SECONDS = 2.0


class Known(NamedTuple):
    """What the cache knows of the picture in one file."""

    content: PictureRef | Failure | None
    """Which thumbnail it has, or why it has none; None when it was never decoded by this recipe."""
    hashes: bytes | None
    """Its 64-bit hashes by the run's algorithm, big-endian: the upright one alone, or all eight orientations."""


UNKNOWN = Known(None, None)


class Cache:
    """One run's view of the cache file.

    ``path`` None keeps nothing. ``recipe`` is called when contents are first asked for or kept. ``warn`` is told what
    the user should know, a line each.
    """

    def __init__(
        self,
        path: str | None,
        recipe: Callable[[], Recipe],
        warn: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._warn = warn
        self._recipe = cache(recipe)
        self._clock = clock
        self._scratch = Store.scratch()
        self._kept: Store | None = None
        self._is_damaged = False
        self._buffer = Buffer()
        self._flushed_at = clock()
        if path is not None:
            self._open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.flush()  # also when interrupted: what was read so far need not be read again
        finally:
            self._scratch.close()
            if self._kept:
                self._kept.close()
        if self._kept and self._is_damaged:  # so that the next run begins a sound one
            with suppress(UnusableError):
                self._warn(f"{self._kept.path}: set aside as {Store.set_aside(self._kept.path)}")

    def recall_digests(self, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
        """The digest of each of ``entries`` in their order, or None.

        The entries of a folder are to stand together, as the walk gives them: they are looked up in one go. Raises
        :class:`~dupfind.errors.CacheLostError` where the file proves damaged.
        """
        for row in self._rows(entries, with_contents=False):
            yield None if row is None else row[5]

    def recall_contents(self, entries: Iterable[FileEntry]) -> Iterator[Known]:
        """What decoding each of ``entries`` gave, in their order, likewise."""
        for row in self._rows(entries, with_contents=True):
            if row is None:
                yield UNKNOWN
            else:
                failure, is_image, picture, size_pixels, hashes = row[5:]
                if failure is not None:
                    yield Known(Failure(failure, is_image=bool(is_image)), None)
                else:
                    yield UNKNOWN if picture is None else Known(PictureRef(picture, size_pixels), hashes)

    def has_no_pictures(self) -> bool:
        """Whether nothing can be recalled of any picture, so that all of them will be decoded."""
        if self._kept is None:
            return True
        with self._restart_when_damaged():
            return self._kept.is_without_pictures()

    def _rows(self, entries: Iterable[FileEntry], *, with_contents: bool) -> Iterator[FileRow | None]:
        store = self._kept
        if store is None:
            yield from (None for _ in entries)
            return
        with self._restart_when_damaged():
            labels = None
            for folder, group in groupby(entries, key=_folder_of):
                if with_contents and labels is None:
                    labels = self._labels(store)
                yield from self._rows_in(store, folder, list(group), labels)

    def _rows_in(
        self, store: Store, folder: str, entries: Sequence[FileEntry], labels: Labels | None
    ) -> list[FileRow | None]:
        """The rows of the files of one folder, by their names or else by their inodes."""
        by_name = store.files_in(folder, labels)
        start = len(folder) + 1
        rows = [by_name.get(entry.path[start:].encode(*FS_CODEC)) for entry in entries]
        lost = [place for place, row in enumerate(rows) if row is None or not is_of(entries[place], row)]
        inodes = store.known_inodes([entries[place].inode for place in lost])
        for place in lost:
            entry = entries[place]
            is_worth_it = entry.inode and entry.inode in inodes and fits(entry)
            rows[place] = row = store.file_by_inode(entry, labels) if is_worth_it else None
            if row is not None:
                self._buffer.copies.append(entry)
        return rows

    def keep_digest(self, entry: FileEntry, digest: bytes, read_ns: int) -> None:
        """Remember the digest of a file that was read at ``read_ns`` (``time.time_ns``)."""
        if self._is_kept(entry, read_ns):
            self._buffer.digests.append((entry, digest))
            self._flush_when_due()

    def recall_whole(self, entry: FileEntry) -> PictureRef | Failure | None:
        """What reading ``entry`` whole gave, of which :meth:`recall_contents` gives a coarse picture, or None."""
        if self._kept is None:
            return None
        with self._restart_when_damaged():
            return self._kept.whole(entry, self._kept.label(self._recipe().thumbnails)) if fits(entry) else None

    def keep_content(
        self, entry: FileEntry, content: Thumbnail | Failure, read_ns: int, *, after_coarse: bool = False
    ) -> PictureRef | Failure:
        """Remember what decoding a file gave; gives how its thumbnail is found again, or the failure.

        ``after_coarse`` when it was read whole after it had been read coarsely: both are remembered, so that a later
        run finds by the same and judges by the same.
        """
        rows = self._buffer.wholes if after_coarse else self._buffer.contents
        if isinstance(content, Failure):
            if content.lasting and self._is_kept(entry, read_ns):
                rows.append((entry, content))
                self._flush_when_due()
            return content
        picture = PictureRef(picture_id(content), content.size_pixels)
        if self._is_kept(entry, read_ns):
            rows.append((entry, picture))
            self._buffer.pictures[picture.id] = content
        else:
            self._scratch.add_pictures([(picture.id, content)])
        self._flush_when_due()
        return picture

    def keep_hashes(self, picture: int, hashes: bytes) -> None:
        """Remember the hashes of a thumbnail, packed as in :class:`Known`."""
        if self._kept and self._kept.is_writable:
            self._buffer.hashes.append((picture, hashes))
            self._flush_when_due()

    def keep_judgement(self, pair: Pair, judged: Judged) -> None:
        """Remember how a pair was judged."""
        if self._kept and self._kept.is_writable:
            self._buffer.judgements.append((pair, judged))
            self._flush_when_due()

    def judgements(self, needles: Sequence[int]) -> dict[Pair, Judged]:
        """How pairs with one of ``needles``, ids of thumbnails, were judged by the rules of this run."""
        if self._kept is None:
            return {}
        with self._restart_when_damaged():
            return self._kept.judgements(self._kept.label(self._recipe().rules), needles)

    def thumbnails(self, pictures: Sequence[int]) -> dict[int, Thumbnail]:
        """The thumbnails with these ids."""
        found = {id_: self._buffer.pictures[id_] for id_ in pictures if id_ in self._buffer.pictures}
        if self._kept:
            with self._restart_when_damaged():
                found |= self._kept.pictures([id_ for id_ in pictures if id_ not in found])
                if any(picture_id(thumbnail) != id_ for id_, thumbnail in found.items()):
                    raise DamagedError("a thumbnail is not what was stored")
        found |= self._scratch.pictures([id_ for id_ in pictures if id_ not in found])
        if len(found) < len(set(pictures)):
            raise self._lost(UnusableError("thumbnails have gone from it meanwhile"))
        return found

    def damaged(self) -> set[int]:
        """The ids of all thumbnails of damaged files that are remembered."""
        return self._pictures_with("damage")

    def bordered(self) -> set[int]:
        """The ids of all thumbnails of pictures with a flat frame that are remembered."""
        return self._pictures_with("border")

    def coarse(self) -> set[int]:
        """The ids of all thumbnails that are remembered and were made of the beginning of a file only."""
        return self._pictures_with("is_coarse")

    def _pictures_with(self, fact: str) -> set[int]:
        found = {id_ for id_, picture in self._buffer.pictures.items() if getattr(picture, fact)}
        if self._kept:
            with self._restart_when_damaged():
                found |= self._kept.pictures_with(fact)
        return found | self._scratch.pictures_with(fact)

    def flush(self) -> None:
        """Write what has gathered, in one short transaction, so that another run waits milliseconds at most."""
        self._flushed_at = self._clock()
        buffer, self._buffer = self._buffer, Buffer()
        if self._kept is None or not self._kept.is_writable or not len(buffer):
            return
        try:
            buffer.write(self._kept, self._recipe)
        except (DamagedError, UnusableError) as error:
            # Reading goes on: earlier thumbnails still come from the file, those of now from the scratch.
            self._warn(f"{self._kept.path}: cannot write the cache, going on without: {error}")
            self._kept.is_writable = False
            self._is_damaged = isinstance(error, DamagedError)
            self._scratch.add_pictures(buffer.pictures.items())

    def _open(self, path: str) -> None:
        try:
            self._kept, warning = Store.open(path)
        except UnusableError as error:
            self._warn(f"{path}: cannot use the cache, going on without: {error}")
        else:
            if warning:
                self._warn(warning)

    def _labels(self, store: Store) -> tuple[int | None, int | None]:
        recipe = self._recipe()
        return store.label(recipe.thumbnails), store.label(recipe.hashes)

    @contextmanager
    def _restart_when_damaged(self) -> Iterator[None]:
        try:
            yield
        except (DamagedError, UnusableError) as error:
            raise self._lost(error) from error

    def _lost(self, error: Exception) -> CacheLostError:
        """Close the file, and set it aside where it is damaged; what was recalled from it is worth nothing now."""
        assert self._kept is not None
        store, self._kept = self._kept, None
        store.close()
        if isinstance(error, UnusableError):
            return CacheLostError(
                f"{store.path}: cannot read the cache: {error}; starting again without", is_gone=False
            )
        try:
            aside = Store.set_aside(store.path)
        except UnusableError as failure:
            return CacheLostError(f"{store.path}: damaged ({error}); {failure}; starting again without", is_gone=False)
        return CacheLostError(f"{store.path}: damaged ({error}); set aside as {aside}, starting again", is_gone=True)

    def _is_kept(self, entry: FileEntry, read_ns: int) -> bool:
        if self._kept is None or not self._kept.is_writable or not fits(entry):
            return False
        if not entry.inode:  # a file system that has no numbers has no lasting time of change either
            return False
        # The kernel sets ctime at every change, whatever mtime is set to afterwards.
        return read_ns - entry.ctime_ns >= _RACY_NS and not 0 <= read_ns - entry.mtime_ns < _RACY_NS

    def _flush_when_due(self) -> None:
        if self._buffer.is_full or self._clock() - self._flushed_at >= _FLUSH_SECONDS:
            self.flush()


def _folder_of(entry: FileEntry) -> str:
    return entry.path.rpartition(os.sep)[0]
