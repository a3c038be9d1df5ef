"""The cache's table of digests of image data: what it is asked and told.

The table is made when the first digest is kept, so that a cache from before there were any goes on serving. A file is
known again by path, size, times and inode; one that was moved is read again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import groupby

from dupfind.cache import checksum
from dupfind.cache.cache_file import DamagedError, translated
from dupfind.cache.cache_schema import IMAGE_DATA_TABLE, is_of
from dupfind.cache.cache_store import Store
from dupfind.values import FileEntry


def find(store: Store, recipe: str, entries: Iterable[FileEntry]) -> Iterator[bytes | None]:
    """Yield the digest of each file, empty where it has none, or None where it is to be read.

    The entries of a folder are to stand together. Raises the errors of :mod:`dupfind.cache.cache_file`.
    """
    with translated():
        has_table = _has_table(store)
    label, mark = store.label(recipe), checksum.of_text(recipe)
    for folder, group in groupby(entries, key=lambda entry: entry.path.rpartition(os.sep)[0]):
        if not has_table:
            yield from (None for _ in group)
            continue
        with translated():
            rows = {row[0]: row for row in store.connection.execute(_SELECT, (os.fsencode(folder), label))}
        for entry in group:
            row = rows.get(os.fsencode(entry.path.rpartition(os.sep)[2]))
            yield None if row is None or not is_of(entry, row) else _sound(entry, row[5], mark)


def keep(store: Store, recipe: str, digests: Iterable[tuple[FileEntry, bytes]]) -> None:
    """Keep the digests of files, as a part of the caller's transaction."""
    store.connection.execute(IMAGE_DATA_TABLE)
    label, mark = store.make_label(recipe), checksum.of_text(recipe)
    store.connection.executemany(
        "INSERT OR REPLACE INTO image_data (folder, name, size, mtime_ns, ctime_ns, inode, recipe, digest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ((*store.key(entry), label, checksum.sealed_image_data(entry, digest, mark)) for entry, digest in digests),
    )


def forget_gone(store: Store) -> None:
    """Drop the digests of files of which nothing else is known, as a part of the caller's transaction."""
    if _has_table(store):
        store.connection.execute(
            "DELETE FROM image_data WHERE NOT EXISTS (SELECT 1 FROM file f WHERE f.folder = image_data.folder "
            "AND f.name = image_data.name AND f.size = image_data.size AND f.mtime_ns = image_data.mtime_ns)"
        )


_SELECT = (
    "SELECT name, size, mtime_ns, ctime_ns, inode, digest FROM image_data "
    "WHERE folder = (SELECT id FROM folder WHERE path = ?) AND recipe = ?"
)


def _sound(entry: FileEntry, stored: bytes, mark: int) -> bytes:
    digest = checksum.image_data_in(entry, stored, mark)
    if digest is None:
        raise DamagedError("what is known of a file is not what was stored")
    return digest


def _has_table(store: Store) -> bool:
    tables = store.connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'image_data'")
    return tables.fetchone() is not None
