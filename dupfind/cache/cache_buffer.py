"""What is to be written to the cache next, gathered so that it takes one short transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dupfind.cache import cache_comparisons, cache_image_data
from dupfind.cache.cache_schema import Compared, FilePair, Judged, Pair, PictureRef, Recipe
from dupfind.cache.cache_store import Store
from dupfind.values import Failure, FileEntry, Thumbnail

MOST_ROWS = 20_000
MOST_PICTURES = 2_000
"""A thumbnail takes 5 KB, all else some hundred bytes a row. Each writing waits for the disk."""


class Buffer:
    """Rows of every kind, in the order in which they are written."""

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

    def __len__(self) -> int:
        kinds: tuple[list[Any], ...] = (
            self.copies, self.digests, self.contents, self.wholes, self.hashes, self.judgements,
            self.comparisons, self.image_data, self.film_data,
        )  # fmt: skip
        return sum(map(len, kinds))

    @property
    def is_full(self) -> bool:
        """True when it is to be written, whatever the time."""
        return len(self.pictures) >= MOST_PICTURES or len(self) >= MOST_ROWS

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
            if self.comparisons:
                text = recipe().comparison
                cache_comparisons.keep(store, store.make_label(text), text, self.comparisons)
            if self.image_data:
                cache_image_data.keep(store, recipe().image_data, self.image_data)
            if self.film_data:
                store.add_files(entry for entry, _ in self.film_data)
                cache_image_data.keep(store, recipe().film_data, self.film_data)
