"""Question and answer of ``dupfind hash``, as values that reports render."""

from __future__ import annotations

from typing import NamedTuple

from dupfind.sources.roots import NamedFile


class AskedHashes(NamedTuple):
    """Which hashes are wanted."""

    algorithms: tuple[str, ...]
    size: int
    """Side of the hashes: 8 for 64 bits, 16 for 256."""
    is_exact: bool
    """Of the picture at full size, as imagehash makes them; else of the thumbnail."""


class Given(NamedTuple):
    """One of the files that were named."""

    path: str
    """As it was given; ``-`` for standard input."""
    file: NamedFile | None
    error: str | None = None
    """Why there is no such file."""


class Hashed(NamedTuple):
    """The answer for one of them."""

    path: str
    hashes: tuple[str, ...]
    """In hex as imagehash writes it, in the order in which they were asked for; empty where there are none."""
    error: str | None = None
    """Why there are none."""
