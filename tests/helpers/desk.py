"""A desk for pairs of pictures: thumbnails in a scratch cache, matched as a scan matches them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import PictureRef, Recipe
from dupfind.events import Silence
from dupfind.evidence import fingerprint
from dupfind.matching.decodes import Decodes, ReadFull
from dupfind.matching.matcher import Matcher
from dupfind.reading import Pictures
from dupfind.values import Failure, FileEntry, Match, Thumbnail


class Desk:
    """Puts thumbnails into a scratch cache and matches them."""

    def __init__(self, path: str | None = None) -> None:
        self.cache = Cache(path, partial(Recipe, "recipe", "phash", "rules"))
        self.read_full: ReadFull = lambda _: {}

    def pictures(self, thumbnails: Mapping[str, Thumbnail], orientations: int) -> Pictures:
        """As the reader gives them."""
        entries = [FileEntry(path, 1, 0, 0, 0) for path in thumbnails]
        refs = [self.cache.keep_content(one, thumbnails[one.path], 0) for one in entries]
        hashes = [
            fingerprint.search_hashes(fingerprint.pixels(one.pixels), "phash", orientations)
            for one in thumbnails.values()
        ]
        array = np.array(hashes, np.uint64).reshape(len(entries), orientations)
        return Pictures(entries, [one for one in refs if isinstance(one, PictureRef)], array, {})

    def decodes(self, contents: Mapping[str, Thumbnail | Failure]) -> list[str]:
        """Let these be what full decodes give; gives the paths that will have been decoded."""
        read: list[str] = []

        def read_full(entries: Sequence[FileEntry]) -> dict[str, PictureRef | Failure]:
            read.extend(entry.path for entry in entries)
            return {entry.path: self.cache.keep_content(entry, contents[entry.path], 0) for entry in entries}

        self.read_full = read_full
        return read

    def match(
        self,
        needles: Mapping[str, Thumbnail],
        haystack: Mapping[str, Thumbnail],
        threshold_bits: int = 8,
        turns: int = 8,
    ) -> dict[str, Match]:
        """The best match of each needle."""
        done: list[int] = []
        decodes = Decodes(self.pictures(needles, turns), self.pictures(haystack, 1), self.read_full)
        matcher = Matcher(decodes, threshold_bits, self.cache, Silence())
        found = matcher.match(done.append)
        assert len(needles) == sum(done)
        return found
