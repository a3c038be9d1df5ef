"""A desk for pairs of pictures: thumbnails in a scratch cache, matched as a scan matches them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import PictureRef, Recipe
from dupfind.events import Silence
from dupfind.evidence import fingerprint
from dupfind.matching.decodes import Decodes, ReadFull
from dupfind.matching.matcher import Matcher
from dupfind.reading import Pictures
from dupfind.values import FileEntry, Match, Thumbnail


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
