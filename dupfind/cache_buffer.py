"""What a run is about to write to its cache; knows no file."""

from __future__ import annotations

from typing import Any

from dupfind.cache_schema import Judged, Pair, PictureRef
from dupfind.values import Failure, FileEntry, Thumbnail

MOST_ROWS = 20_000
MOST_PICTURES = 2_000
"""A thumbnail takes 5 KB, all else some hundred bytes a row. Each writing waits for the disk."""


class Buffer:
    """Rows by their kinds."""

    def __init__(self) -> None:
        self.copies: list[FileEntry] = []
        self.digests: list[tuple[FileEntry, bytes]] = []
        self.contents: list[tuple[FileEntry, PictureRef | Failure]] = []
        self.pictures: dict[int, Thumbnail] = {}
        self.hashes: list[tuple[int, bytes]] = []
        self.judgements: list[tuple[Pair, Judged]] = []

    def __len__(self) -> int:
        kinds: tuple[list[Any], ...] = (self.copies, self.digests, self.contents, self.hashes, self.judgements)
        return sum(map(len, kinds))

    @property
    def is_full(self) -> bool:
        """True when it is to be written, whatever the time."""
        return len(self.pictures) >= MOST_PICTURES or len(self) >= MOST_ROWS
