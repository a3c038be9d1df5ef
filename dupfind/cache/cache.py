"""Cache of what was read of files, from run to run: thumbnails, digests, hashes and failures.

A file is known again when path, size, mtime and ctime agree, or, after a folder was renamed or a drive mounted
elsewhere, when inode, size, mtime and ctime do. What was read of files that were just written
serves this run only (:mod:`dupfind.cache.racy`). Thumbnails are stored by their
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
from operator import itemgetter
from typing import Any, Self

from dupfind.cache import cache_tables
from dupfind.cache.cache_file import DamagedError, UnusableError
from dupfind.cache.cache_lookup import UNKNOWN, Known, Lookup
from dupfind.cache.cache_schema import (
    INTEGER_END,
    Compared,
    FilePair,
    Judged,
    Pair,
    PictureRef,
    Recipe,
    fits,
    picture_id,
)
from dupfind.cache.cache_store import Store
from dupfind.cache.racy import RACY_NS, is_racy
from dupfind.errors import CacheLostError
from dupfind.values import Failure, FileEntry, Thumbnail

_RACY_NS = RACY_NS
_MTIME, _CTIME, _INODE = (itemgetter(FileEntry._fields.index(name)) for name in ("mtime_ns", "ctime_ns", "inode"))
_FLUSH_SECONDS = 2.0
MOST_ROWS = 20_000
MOST_PICTURES = 2_000
MOST_BYTES = 8 << 20
"""A thumbnail takes 5 KB, other rows some hundred bytes beside their data, of which a needle's parts may have
megabytes. Each writing waits for the disk."""
_MEMORY = ":memory:"


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
        self._scratch = Scratch()
        self._kept: Store | None = None
        self._is_damaged = False
        self._has_failed = False
        self._buffer = Buffer()
        self._flushed_at = clock()
        self.inner_hashes: dict[str, dict[int, bytes]] = {}
        """By the algorithm and the id of a thumbnail: its search hashes without its frame, packed, in as many
        orientations as were asked for. Of this run only, in which several stages ask for the same."""
        self.steady: dict[str, dict[int, bool]] = {}
        """Likewise: whether its search hash is good to search by."""
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

    @property
    def path(self) -> str | None:
        """The file that everything is kept in; None where nothing is, or nothing new can be."""
        return self._kept.path if self._kept is not None and self._kept.is_writable else None

    @property
    def recipe(self) -> Recipe:
        """What contents are made by in this run."""
        return self._recipe()

    def recall_digests(self, entries: Iterable[FileEntry]) -> Iterator[bytes | Failure | None]:
        """Yield the digest of each of ``entries`` in their order, or None where it is to be read.

        The entries of a folder are to stand together, as the walk gives them: they are looked up in one go. Raises
        :class:`~dupfind.errors.CacheLostError` where the file proves damaged.
        """
        lookup = self._lookup()
        if lookup is None:
            yield from (None for _ in entries)
            return
        with self._restart_when_damaged():
            # To ask for each file takes a twelfth of a first run over a copy.
            if self._kept is not None and self._kept.is_without_files():
                yield from (None for _ in entries)
            else:
                yield from lookup.digests(entries)

    def knows_all(self, entries: Iterable[FileEntry]) -> bool:
        """Tell whether anything is known of each of ``entries`` as it is now; not where it is known as a picture."""
        lookup = self._lookup()
        if lookup is None:
            return False
        with self._restart_when_damaged():
            return lookup.know_all(entries)

    def recall_contents(self, entries: Iterable[FileEntry]) -> Iterator[Known]:
        """Yield what decoding each of ``entries`` gave, in their order, likewise."""
        lookup = self._lookup()
        if lookup is None:
            yield from (UNKNOWN for _ in entries)
            return
        with self._restart_when_damaged():
            yield from lookup.contents(entries)

    def recall_image_data(self, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
        """Yield the digest of the image data of each file, empty where it has none, or None where it is to be read."""
        return self._recall_data(lambda: self._recipe().image_data, entries)

    def keep_image_data(self, entry: FileEntry, digest: bytes, read_ns: int) -> None:
        """Remember the digest of the image data of a file that was read at ``read_ns``, empty where it has none."""
        self._keep_data(self._buffer.image_data, entry, digest, read_ns)

    def recall_film_data(self, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
        """Yield what :mod:`dupfind.pool.film_digests` has read of each film, or None where it is to be read."""
        return self._recall_data(lambda: self._recipe().film_data, entries)

    def keep_film_data(self, entry: FileEntry, facts: bytes, read_ns: int) -> None:
        """Remember what was read of a film at ``read_ns``, in the place of what was known before."""
        self._keep_data(self._buffer.film_data, entry, facts, read_ns)

    def recall_film_prints(self, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
        """Yield what :mod:`dupfind.pool.film_prints` has read of each film, or None where it is to be read."""
        return self._recall_data(lambda: self._recipe().film_print, entries, cache_tables.FILM_PRINTS)

    def keep_film_print(self, entry: FileEntry, packed: bytes, read_ns: int) -> None:
        """Remember the print of a film that was read at ``read_ns``, in the place of what was known before."""
        self._keep_data(self._buffer.film_prints, entry, packed, read_ns)

    def recall_fragments(self, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
        """Yield what each picture is searched by for parts, or None where it is to be read."""
        return self._recall_data(lambda: self._recipe().fragments, entries, cache_tables.FRAGMENTS)

    def keep_fragments(self, entry: FileEntry, marks: bytes, read_ns: int) -> None:
        """Remember what a picture that was read at ``read_ns`` is searched by for parts."""
        self._keep_data(self._buffer.fragments, entry, marks, read_ns)

    def recall_parts(self, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
        """Yield what is known of the parts of each needle, or None where nothing is."""
        return self._recall_data(lambda: self._recipe().parts, entries, cache_tables.PARTS)

    def keep_parts(self, entry: FileEntry, packed: bytes, read_ns: int) -> None:
        """Remember what is known of the parts of a needle that was read at ``read_ns``."""
        self._keep_data(self._buffer.parts, entry, packed, read_ns)

    def may_be_kept(self, entries: Sequence[FileEntry], read_ns: int) -> bool:
        """Tell whether what was read of all of these files at ``read_ns`` may be remembered."""
        return self._are_all_kept(entries, read_ns) or all(self._is_kept(entry, read_ns) for entry in entries)

    def recall_first_looks(self, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
        """Yield what :mod:`dupfind.pool.first_looks` has read of each file, or None where it is to be read."""
        return self._recall_data(lambda: self._recipe().first_looks, entries, cache_tables.FIRST_LOOKS)

    def keep_first_look(self, entry: FileEntry, packed: bytes, read_ns: int) -> None:
        """Remember what was read of the preview in a file at ``read_ns``, empty where it has none."""
        self._keep_data(self._buffer.first_looks, entry, packed, read_ns)

    def recall_archives(self, recipe: str, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
        """Yield what was kept of each archive under ``recipe``, or None where it is to be listed."""
        return self._recall_data(lambda: recipe, entries)

    def keep_archive(self, recipe: str, entry: FileEntry, listed: bytes, listed_ns: int) -> None:
        """Remember what an archive holds that was listed at ``listed_ns``."""
        if self._is_kept(entry, listed_ns):
            self._buffer.archives.append((recipe, entry, listed))
            self._buffer.data_bytes += len(listed)
            self._flush_when_due()

    def _recall_data(
        self, recipe: Callable[[], str], entries: Iterable[FileEntry], table: str = cache_tables.IMAGE_DATA
    ) -> Iterator[bytes | None]:
        if self._kept is None:
            yield from (None for _ in entries)
            return
        with self._restart_when_damaged():
            yield from cache_tables.find_data(self._kept, recipe(), entries, table)

    def _keep_data(self, rows: list[tuple[FileEntry, bytes]], entry: FileEntry, data: bytes, read_ns: int) -> None:
        if self._is_kept(entry, read_ns):
            rows.append((entry, data))
            self._buffer.data_bytes += len(data)
            self._flush_when_due()

    def _lookup(self) -> Lookup | None:
        if self._kept is None:
            return None
        return Lookup(self._kept, self._recipe, self._note_move)

    def _note_move(self, entry: FileEntry) -> None:
        self._buffer.copies.append(entry)  # of the buffer of that moment, which a flush replaces
        self._buffer.rows += 1

    def has_no_pictures(self) -> bool:
        """Tell whether nothing can be recalled of any picture, so that all of them will be decoded."""
        if self._kept is None:
            return True
        with self._restart_when_damaged():
            return self._kept.is_without_pictures()

    def keep_digest(self, entry: FileEntry, digest: bytes, read_ns: int) -> None:
        """Remember the digest of a file that was read at ``read_ns`` (``time.time_ns``)."""
        self._keep_data(self._buffer.digests, entry, digest, read_ns)

    def keep_digests(self, entries: Sequence[FileEntry], digests: Sequence[bytes], read_ns: int) -> None:
        """Remember the digests of files, none of which was read before ``read_ns``."""
        rows: Iterable[tuple[FileEntry, bytes]] = zip(entries, digests, strict=True)
        if not self._are_all_kept(entries, read_ns):
            rows = ((entry, digest) for entry, digest in rows if self._is_kept(entry, read_ns))
        before = len(self._buffer.digests)
        self._buffer.digests.extend(rows)
        if added := len(self._buffer.digests) - before:
            self._buffer.rows += added - 1
            self._flush_when_due()

    def recall_whole(self, entry: FileEntry) -> PictureRef | Failure | None:
        """Return what reading ``entry`` whole gave, of which
        :meth:`recall_contents` gives a coarse picture, or None.
        """
        if self._kept is None:
            return None
        with self._restart_when_damaged():
            return self._kept.whole(entry, self._recipe().thumbnails) if fits(entry) else None

    def keep_content(
        self, entry: FileEntry, content: Thumbnail | Failure, read_ns: int, *, after_coarse: bool = False
    ) -> PictureRef | Failure:
        """Remember what decoding a file gave; returns how its thumbnail is found again, or the failure.

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
        """Return how pairs with one of ``needles``, ids of thumbnails, were judged by the rules of this run."""
        if self._kept is None:
            return {}
        with self._restart_when_damaged():
            return self._kept.judgements(self._recipe().rules, needles)

    def keep_comparison(self, pair: FilePair, compared: Compared, read_ns: int) -> None:
        """Remember what comparing two files at full size gave; ``read_ns`` is as in :meth:`keep_digest`."""
        self._keep_pair(self._buffer.comparisons, pair, compared, read_ns)

    def keep_film_comparison(self, pair: FilePair, compared: Compared, read_ns: int) -> None:
        """Remember what comparing two films frame by frame gave, likewise."""
        self._keep_pair(self._buffer.film_comparisons, pair, compared, read_ns)

    def _keep_pair(
        self, rows: list[tuple[FilePair, Compared]], pair: FilePair, compared: Compared, read_ns: int
    ) -> None:
        # Both: one that was just written may change once more without its times showing it.
        if self._is_kept(pair.needle, read_ns) and self._is_kept(pair.witness, read_ns):
            rows.append((pair, compared))
            self._flush_when_due()

    def comparisons(self, pairs: Sequence[FilePair]) -> dict[FilePair, Compared]:
        """Return what is remembered of comparisons at full size."""
        return self._recall_pairs(pairs, lambda: self._recipe().comparison)

    def film_comparisons(self, pairs: Sequence[FilePair]) -> dict[FilePair, Compared]:
        """Return what is remembered of comparisons of films."""
        return self._recall_pairs(pairs, lambda: self._recipe().film_comparison)

    def _recall_pairs(self, pairs: Sequence[FilePair], recipe: Callable[[], str]) -> dict[FilePair, Compared]:
        if self._kept is None or not pairs:
            return {}
        fitting = [pair for pair in pairs if fits(pair.needle) and fits(pair.witness)]
        with self._restart_when_damaged():
            made_by = recipe()
            return cache_tables.find_comparisons(self._kept, self._kept.label(made_by), made_by, fitting)

    def thumbnails(self, pictures: Sequence[int]) -> dict[int, Thumbnail]:
        """Return the thumbnails with these ids."""
        thumbnails = {id_: self._buffer.pictures[id_] for id_ in pictures if id_ in self._buffer.pictures}
        if self._kept:
            with self._restart_when_damaged():
                kept = self._kept.pictures([id_ for id_ in pictures if id_ not in thumbnails])
                # The id is made of the pixels, so that a bit that the disk lost shows here.
                if any(picture_id(thumbnail) != id_ for id_, thumbnail in kept.items()):
                    raise DamagedError("a thumbnail is not what was stored")
                thumbnails |= kept
        thumbnails |= self._scratch.pictures([id_ for id_ in pictures if id_ not in thumbnails])
        if len(thumbnails) < len(set(pictures)):
            with self._restart_when_damaged():
                self._explain_loss([id_ for id_ in pictures if id_ not in thumbnails])
        return thumbnails

    def _explain_loss(self, pictures: Sequence[int]) -> None:
        """Say why some are gone: thumbnails go together with what names them when another
        process prunes; alone they go by damage.
        """
        if self._kept is not None and self._kept.claims(pictures):
            raise DamagedError("it names thumbnails that it does not hold")
        raise UnusableError("thumbnails have gone from it meanwhile")

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
            self._has_failed = True
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
            # What failed in a write may fail in a read: one warning is enough.
            text = f"{store.path}: cannot read the cache: {error}; starting again without"
            return CacheLostError(text, is_gone=False, is_told=self._has_failed)
        try:
            aside = Store.set_aside(store.path)
        except UnusableError as failure:
            return CacheLostError(f"{store.path}: damaged ({error}); {failure}; starting again without", is_gone=False)
        return CacheLostError(f"{store.path}: damaged ({error}); set aside as {aside}, starting again", is_gone=True)

    def _is_kept(self, entry: FileEntry, read_ns: int) -> bool:
        if self._kept is None or not self._kept.is_writable or not fits(entry):
            return False
        return not is_racy(entry.ctime_ns, entry.mtime_ns, entry.inode, read_ns - _RACY_NS, read_ns)

    def _are_all_kept(self, entries: Sequence[FileEntry], read_ns: int) -> bool:
        """Tell whether :meth:`_is_kept` is so for all, where that shows at a glance; a column at a time."""
        if self._kept is None or not self._kept.is_writable or not all(map(_INODE, entries)):
            return False
        times = [*map(_MTIME, entries), *map(_CTIME, entries)]
        return min(times, default=0) >= -INTEGER_END and max(times, default=0) <= read_ns - _RACY_NS

    def _flush_when_due(self) -> None:
        self._buffer.rows += 1
        if self._buffer.is_full or self._clock() - self._flushed_at >= _FLUSH_SECONDS:
            self.flush()


class Buffer:
    """Rows of every kind to be written next, in that order, gathered so that it takes one short transaction."""

    def __init__(self) -> None:
        self.copies: list[FileEntry] = []
        self.digests: list[tuple[FileEntry, bytes]] = []
        self.contents: list[tuple[FileEntry, PictureRef | Failure]] = []
        self.wholes: list[tuple[FileEntry, PictureRef | Failure]] = []
        """What reading files whole gave whose ``contents`` are coarse."""
        self.pictures: dict[int, Thumbnail] = {}
        self.hashes: list[tuple[int, bytes]] = []
        self.judgements: list[tuple[Pair, Judged]] = []
        self.comparisons: list[tuple[FilePair, Compared]] = []
        self.image_data: list[tuple[FileEntry, bytes]] = []
        self.film_data: list[tuple[FileEntry, bytes]] = []
        self.film_prints: list[tuple[FileEntry, bytes]] = []
        self.film_comparisons: list[tuple[FilePair, Compared]] = []
        self.fragments: list[tuple[FileEntry, bytes]] = []
        self.parts: list[tuple[FileEntry, bytes]] = []
        self.first_looks: list[tuple[FileEntry, bytes]] = []
        self.archives: list[tuple[str, FileEntry, bytes]] = []
        self.data_bytes = 0
        """Of what was read of files; pictures are counted."""
        self.rows = 0
        """Of all kinds that were added one by one, counted: the lengths of all lists take as long as hashing a file."""

    def __len__(self) -> int:
        kinds: tuple[list[Any], ...] = (
            self.copies, self.digests, self.contents, self.wholes, self.hashes, self.judgements,
            self.comparisons, self.image_data, self.film_data, self.film_prints, self.film_comparisons, self.fragments,
            self.parts, self.first_looks, self.archives,
        )  # fmt: skip
        return sum(map(len, kinds))

    @property
    def is_full(self) -> bool:
        """True when it is to be written, whatever the time."""
        return self.rows >= MOST_ROWS or len(self.pictures) >= MOST_PICTURES or self.data_bytes >= MOST_BYTES

    def write(self, store: Store, recipe: Callable[[], Recipe]) -> None:
        """Write everything, or raise what the store raises; ``recipe`` is asked for only where it is needed."""
        with store.transaction():
            store.add_pictures(self.pictures.items())
            store.copy_files(self.copies)
            store.set_digests(self.digests)
            if self.contents:
                store.set_contents(recipe().thumbnails, self.contents)
            if self.wholes:
                store.set_wholes(recipe().thumbnails, self.wholes)
            if self.hashes:
                store.set_hashes(recipe().hashes, self.hashes)
            if self.judgements:
                store.set_judgements(recipe().rules, self.judgements)
            self._write_comparisons(store, recipe)
            if self.image_data:
                cache_tables.keep_data(store, recipe().image_data, self.image_data)
            self._write_films(store, recipe)
            if self.fragments:
                cache_tables.keep_data(store, recipe().fragments, self.fragments, cache_tables.FRAGMENTS)
            if self.parts:
                cache_tables.keep_data(store, recipe().parts, self.parts, cache_tables.PARTS)
            if self.first_looks:
                store.add_files(entry for entry, _ in self.first_looks)
                cache_tables.keep_data(store, recipe().first_looks, self.first_looks, cache_tables.FIRST_LOOKS)
            for text, entry, listed in self.archives:
                store.add_files([entry])
                cache_tables.keep_data(store, text, [(entry, listed)])

    def _write_films(self, store: Store, recipe: Callable[[], Recipe]) -> None:
        if self.film_data:
            store.add_files(entry for entry, _ in self.film_data)
            cache_tables.keep_data(store, recipe().film_data, self.film_data)
        if self.film_prints:
            store.add_files(entry for entry, _ in self.film_prints)
            table = cache_tables.FILM_PRINTS
            cache_tables.keep_data(store, recipe().film_print, self.film_prints, table)

    def _write_comparisons(self, store: Store, recipe: Callable[[], Recipe]) -> None:
        if self.comparisons:
            text = recipe().comparison
            cache_tables.keep_comparisons(store, store.make_label(text), text, self.comparisons)
        if self.film_comparisons:
            text = recipe().film_comparison
            cache_tables.keep_comparisons(store, store.make_label(text), text, self.film_comparisons)


class Scratch:
    """Thumbnails that end with the run: on disk where they grow, and in memory once that disk is full.

    They are what cannot be kept: of files that changed lately, of runs without a cache, of a cache that cannot be
    written.
    """

    def __init__(self) -> None:
        self._stores: list[Store] = []

    def add_pictures(self, pictures: Iterable[tuple[int, Thumbnail]]) -> None:
        """Hold thumbnails under their ids."""
        held = list(pictures)
        if not held:
            return
        if not self._stores:
            self._stores.append(_on_disk())
        try:
            self._stores[-1].add_pictures(held)
        except UnusableError:
            # 5 KB each in memory rather than no answer; what was written before is still there.
            self._stores.append(Store.scratch(_MEMORY))
            self._stores[-1].add_pictures(held)

    def pictures(self, ids: Sequence[int]) -> dict[int, Thumbnail]:
        """Return the thumbnails among ``ids`` that are here."""
        thumbnails: dict[int, Thumbnail] = {}
        for store in self._stores:
            thumbnails |= store.pictures([id_ for id_ in ids if id_ not in thumbnails])
        return thumbnails

    def close(self) -> None:
        """Give everything back."""
        for store in self._stores:
            store.close()


def _on_disk() -> Store:
    """Open a store in a file without a name, so that nothing is left of it however the run ends.

    Not one of SQLite's own temporary databases: those cannot be read any further once they could not be written.
    """
    import tempfile  # brings a dozen modules, for runs that hold anything

    folder = os.environ.get("TMPDIR") or ("/var/tmp" if os.access("/var/tmp", os.W_OK) else None)  # noqa: S108
    try:
        handle, path = tempfile.mkstemp(prefix="dupfind-", suffix=".sqlite", dir=folder)
    except OSError:
        return Store.scratch(_MEMORY)
    try:
        os.close(handle)
        return Store.scratch(path)
    except UnusableError:
        return Store.scratch(_MEMORY)
    finally:
        with suppress(OSError):  # Windows deletes nothing that is open: it goes with the other temporary files
            os.unlink(path)
