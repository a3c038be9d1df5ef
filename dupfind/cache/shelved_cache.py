"""A cache that asks sources for what they know of their own entries; of these nothing is ever read, known or not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from typing import Protocol

from dupfind.cache.cache import Cache
from dupfind.cache.cache_lookup import Known
from dupfind.cache.cache_schema import PictureRef, Recipe
from dupfind.sources.source import Source
from dupfind.values import Failure, FileEntry, Thumbnail


class Shelf(Protocol):
    """What a source knows of its own entries: an answer to every question about them, be it that nobody knows.

    What it raises ends the run.
    """

    def holds(self, entry: FileEntry) -> bool:
        """Tell whether an entry is of this source."""

    def digests(self, entries: Iterable[FileEntry]) -> Iterator[bytes | Failure]:
        """Yield the digest of each file, or why it has none."""

    def contents(self, entries: Iterable[FileEntry]) -> Iterator[Known]:
        """Yield what decoding each file gave, likewise."""

    def whole(self, entry: FileEntry) -> PictureRef | Failure:
        """Give what reading the whole file gave."""

    def thumbnails(self, ids: Sequence[int]) -> dict[int, Thumbnail]:
        """Give those among ``ids`` that are here."""

    def close(self) -> None:
        """Close it."""


class ShelvedSource(Source):
    """A source that knows what is in its files, so that they need not be read, or cannot be."""

    @abstractmethod
    def shelf(self, recipe: Callable[[], Recipe]) -> Shelf:
        """Open what it knows, by what pictures are made by in this run."""


class ShelvedCache(Cache):
    """The cache of a run, and beside it the ``shelves`` of its sources, which it closes in the end."""

    def __init__(
        self,
        shelves: Sequence[Shelf],
        path: str | None,
        recipe: Callable[[], Recipe],
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        super().__init__(path, recipe, warn)
        self._opened = ExitStack()
        self._shelves = shelves
        for shelf in self._shelves:
            self._opened.callback(shelf.close)

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        with self._opened:
            super().__exit__(kind, *error)

    def recall_digests(self, entries: Iterable[FileEntry]) -> Iterator[bytes | Failure | None]:
        """Recall digests as any cache does; of each entry on a shelf its digest, or why there is none."""
        for shelf, of_shelf in groupby(entries, key=self._shelf_of):
            if shelf is None:
                yield from super().recall_digests(of_shelf)
            else:
                yield from shelf.digests(of_shelf)

    def recall_contents(self, entries: Iterable[FileEntry]) -> Iterator[Known]:
        """Ask the shelves for their own entries, the cache for all else."""
        for shelf, of_shelf in groupby(entries, key=self._shelf_of):
            if shelf is None:
                yield from super().recall_contents(of_shelf)
            else:
                yield from shelf.contents(of_shelf)

    def recall_whole(self, entry: FileEntry) -> PictureRef | Failure | None:
        """Ask the shelf that lists ``entry``, or the cache."""
        shelf = self._shelf_of(entry)
        return super().recall_whole(entry) if shelf is None else shelf.whole(entry)

    def thumbnails(self, pictures: Sequence[int]) -> dict[int, Thumbnail]:
        """Return the thumbnails with these ids, which say what they hold, so that it does not matter where they lie."""
        thumbnails: dict[int, Thumbnail] = {}
        for shelf in self._shelves:
            thumbnails |= shelf.thumbnails([id_ for id_ in pictures if id_ not in thumbnails])
        unlisted = [id_ for id_ in pictures if id_ not in thumbnails]
        return thumbnails | super().thumbnails(unlisted) if unlisted else thumbnails

    def _shelf_of(self, entry: FileEntry) -> Shelf | None:
        for shelf in self._shelves:
            if shelf.holds(entry):
                return shelf
        return None
