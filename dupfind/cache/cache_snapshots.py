"""The cache's tables of snapshots: parts of whole collections, each with its seal. The newest few are kept.

The tables are made when the first snapshot is kept, so that a cache from before there were any goes on serving.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from dupfind.cache.cache_file import CacheFile, DamagedError, UnusableError, translated
from dupfind.cache.cache_schema import SNAPSHOT_PART_TABLE, SNAPSHOT_TABLE, Part, SnapshotError
from dupfind.digest import DIGEST_BYTES, digest_of

T = TypeVar("T")

MOST_SNAPSHOTS = 8
"""A million files take 80 MB each for `find`, 120 MB for `scan`."""


class SnapshotShelf:
    """The snapshots of one cache file, looked up by keys.

    What cannot be read is as good as not there: whoever asks walks afresh, and what is wrong with the cache as a whole
    is told by :mod:`dupfind.cache.cache`.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: CacheFile | None = None

    def close(self) -> None:
        """Close the file; what was loaded can give no more details then."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def load(self, key: bytes, unpack: Callable[[Callable[[Part], bytes]], T]) -> T | None:
        """Return what ``unpack`` makes of the snapshot kept under ``key``, of which it is given a function from a part
        to its bytes; None without one that is sound.
        """
        with suppress(DamagedError, UnusableError, SnapshotError):
            file = self._opened()
            with translated():
                if not _has_tables(file):
                    return None
                row = file.connection.execute("SELECT id, stamp FROM snapshot WHERE key = ?", (key,)).fetchone()
            if row is not None and isinstance(row[1], bytes):
                return unpack(_reader(file, row[0], key + row[1]))
        return None

    def keep(self, key: bytes, parts: Iterable[tuple[Part, bytes]]) -> None:
        """Keep a snapshot in the place of any other under ``key``; where it cannot be written, none is kept."""
        with suppress(DamagedError, UnusableError):
            file = self._opened()
            if not file.is_writable:
                return
            stamp = time.time_ns().to_bytes(8, "big")  # no part of an older one is taken for one of this
            with file.transaction():
                execute = file.connection.execute
                execute(SNAPSHOT_TABLE)
                execute(SNAPSHOT_PART_TABLE)
                execute("DELETE FROM snapshot WHERE key = ?", (key,))
                number = execute("INSERT INTO snapshot (key, stamp) VALUES (?, ?)", (key, stamp)).lastrowid
                newest = "SELECT id FROM snapshot ORDER BY id DESC LIMIT ?"
                execute(f"DELETE FROM snapshot WHERE id NOT IN ({newest})", (MOST_SNAPSHOTS,))
                execute("DELETE FROM snapshot_part WHERE snapshot NOT IN (SELECT id FROM snapshot) OR snapshot = ?",
                        (number,))  # fmt: skip
                file.connection.executemany(
                    "INSERT INTO snapshot_part (snapshot, name, number, data) VALUES (?, ?, ?, ?)",
                    ((number, *part, _seal(key + stamp, part, data) + data) for part, data in parts),
                )

    def _opened(self) -> CacheFile:
        if self._file is None:
            self._file = CacheFile.open_existing(self._path)
        return self._file


def count(file: CacheFile) -> int:
    """Count the snapshots that are kept. Raises the errors of :mod:`dupfind.cache.cache_file`."""
    with translated():
        return file.connection.execute("SELECT count(*) FROM snapshot").fetchone()[0] if _has_tables(file) else 0


def forget(file: CacheFile) -> None:
    """Drop all snapshots, as a part of the caller's transaction: they name thumbnails that may go with it."""
    if _has_tables(file):
        file.connection.execute("DELETE FROM snapshot")
        file.connection.execute("DELETE FROM snapshot_part")


def _reader(file: CacheFile, snapshot: int, key: bytes) -> Callable[[Part], bytes]:
    """Make a function from a part to its bytes, which raises :class:`SnapshotError` where it is not what was kept."""

    def read(part: Part) -> bytes:
        statement = "SELECT data FROM snapshot_part WHERE snapshot = ? AND name = ? AND number = ?"
        try:
            with translated():
                row = file.connection.execute(statement, (snapshot, *part)).fetchone()
        except (DamagedError, UnusableError) as error:
            raise SnapshotError(str(error)) from error
        if row is None or not isinstance(row[0], bytes):
            raise SnapshotError("a part is gone")
        data = row[0][DIGEST_BYTES:]
        if row[0][:DIGEST_BYTES] != _seal(key, part, data):
            raise SnapshotError("a part is not what was kept")
        return data

    return read


def _seal(key: bytes, part: Part, data: bytes) -> bytes:
    """Digest a part and what it is a part of."""
    return digest_of([key, repr(part).encode(), data])


def _has_tables(file: CacheFile) -> bool:
    return file.has_table("snapshot") and file.has_table("snapshot_part")
