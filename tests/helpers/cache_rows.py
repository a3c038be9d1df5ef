"""Rows of a cache."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Recipe
from dupfind.values import FileEntry, Thumbnail

NOW = 1_700_000_000_000_000_000
DIGEST = b"d" * 32


def entry(number: int, folder: str = "/photos") -> FileEntry:
    """One file of many."""
    return FileEntry(f"{folder}/{number:05}.jpg", 1000 + number, NOW - 10**11, NOW - 10**11, 1000 + number)


def picture(number: int) -> Thumbnail:
    """Its thumbnail."""
    return Thumbnail(number.to_bytes(4, "big") * 1024, 640, 480, "JPEG", 1, None)


def fill(path: Path, count: int = 200, folder: str = "/photos") -> list[str]:
    """Write a sound cache of many pages; gives the warnings."""
    warnings: list[str] = []
    with Cache(str(path), partial(Recipe, "recipe", "phash", "rules"), warn=warnings.append) as cache:
        for number in range(count):
            cache.keep_digest(entry(number, folder), DIGEST, NOW)
            cache.keep_content(entry(number, folder), picture(number), NOW)
    return warnings


def digests(path: Path, count: int = 200, folder: str = "/photos") -> list[bytes | None]:
    """What a new run finds."""
    with Cache(str(path), partial(Recipe, "recipe", "phash", "rules")) as cache:
        return list(cache.recall_digests(entry(number, folder) for number in range(count)))
