"""What is read of films, as plain picklable functions that take a list and give a list.

One value tells it all, so that the cache keeps one row a film: nothing for a file that is no film to be compared, its
facts, or its facts with the digest of its packets and of all else that it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, NamedTuple

from dupfind.digest import DIGEST_BYTES
from dupfind.pool.tasks import Outcome, read_film
from dupfind.values import FileEntry

_STAGE = "film data"
_UNDIGESTED = b"\0"
_LEAST_BYTES_A_SECOND = 1 << 20
"""A film may take longer the longer it is: the slowest disks and networks give more than that."""


class FilmData(NamedTuple):
    """What is known of a film."""

    facts: bytes = b""
    """What it has in common with every film of equal image data; empty for a file that has none."""
    digest: bytes | None = None
    """Of its image data; empty where it has none that could be relied on, None where it was not asked for."""

    @property
    def is_whole(self) -> bool:
        """Tell whether there is no more to be read of it."""
        return not self.facts or self.digest is not None

    def packed(self) -> bytes:
        """Return it as the cache keeps it."""
        return self.facts if self.digest is None or not self.facts else self.facts + (self.digest or _UNDIGESTED)


def unpacked(packed: bytes) -> FilmData:
    """Return what :meth:`FilmData.packed` made these bytes of.

    >>> [unpacked(data.packed()) == data for data in (FilmData(), FilmData(b"f" * 32), FilmData(b"f" * 32, b""))]
    [True, True, True]
    """
    facts, digest = packed[:DIGEST_BYTES], packed[DIGEST_BYTES:]
    return FilmData(facts, None if not digest else b"" if digest == _UNDIGESTED else digest)


def seconds_for(entry: FileEntry, timeout_seconds: float) -> float:
    """Return how long reading a film may take: ``--timeout``, and a second for each MiB."""
    return timeout_seconds + entry.size_bytes // _LEAST_BYTES_A_SECOND


def read_film_facts(entries: Sequence[FileEntry], timeout_seconds: float) -> list[Outcome]:
    """Read the facts of each film at a few places of its file; the result is packed, see :class:`FilmData`."""
    from dupfind.pictures import film_data

    def read(file: IO[bytes]) -> bytes:
        return FilmData(film_data.read_facts(file) or b"").packed()

    return [read_film(entry, read, _STAGE, seconds_for(entry, timeout_seconds)) for entry in entries]


def read_film_data(
    entries: Sequence[FileEntry],
    timeout_seconds: float,
    prepare: Callable[[IO[bytes]], None] = lambda _: None,
) -> list[Outcome]:
    """Read each film whole, likewise; ``prepare`` is called with each file before it is read."""
    from dupfind.pictures import film_data

    def read(file: IO[bytes]) -> bytes:
        prepare(file)
        facts = film_data.read_facts(file)
        data = FilmData(facts, film_data.read_digest(file) or b"") if facts else FilmData()
        return data.packed()

    return [read_film(entry, read, _STAGE, seconds_for(entry, timeout_seconds)) for entry in entries]
