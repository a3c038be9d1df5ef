"""The cache's tables of digests of image data, of prints of films, of what pictures are searched by for parts, and of
what their previews show.

The four are alike. A table is made when its first row is kept, so that a cache from before there were any goes on
serving. A file is known again by path, size, times and inode; one that was moved is read again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from dupfind.cache import checksum
from dupfind.cache.cache_file import DamagedError, translated
from dupfind.cache.cache_schema import FILM_PRINT_TABLE, FIRST_LOOK_TABLE, FRAGMENT_TABLE, IMAGE_DATA_TABLE, is_of
from dupfind.cache.cache_store import Store
from dupfind.values import FileEntry

IMAGE_DATA, FILM_PRINTS, FRAGMENTS, FIRST_LOOKS = "image_data", "film_print", "fragment", "first_look"
"""The tables: one row a file in each."""
_MOST_VARIABLES = 500
_TABLES = {
    IMAGE_DATA: IMAGE_DATA_TABLE,
    FILM_PRINTS: FILM_PRINT_TABLE,
    FRAGMENTS: FRAGMENT_TABLE,
    FIRST_LOOKS: FIRST_LOOK_TABLE,
}


def find(store: Store, recipe: str, entries: Iterable[FileEntry], table: str = IMAGE_DATA) -> Iterator[bytes | None]:
    """Yield the digest of each file, empty where it has none, or None where it is to be read.

    The entries of a folder are to stand together. Raises the errors of :mod:`dupfind.cache.cache_file`.
    """
    with translated():
        has_table = _has_table(store, table)
    label, mark = store.label(recipe), checksum.of_text(recipe)
    for folder, group in groupby(entries, key=lambda entry: entry.path.rpartition(os.sep)[0]):
        if not has_table:
            yield from (None for _ in group)
            continue
        # A few at a time: a folder may have a hundred thousand files, of 4 kB each or more.
        while together := list(islice(group, _MOST_VARIABLES)):
            names = [os.fsencode(entry.path.rpartition(os.sep)[2]) for entry in together]
            with translated():
                told = store.connection.execute(_select(table, len(names)), (os.fsencode(folder), label, *names))
                rows = {row[0]: row for row in told}
            for name, entry in zip(names, together, strict=True):
                row = rows.get(name)
                yield None if row is None or not is_of(entry, row) else _sound(entry, row[5], mark)


def keep(store: Store, recipe: str, digests: Iterable[tuple[FileEntry, bytes]], table: str = IMAGE_DATA) -> None:
    """Keep the digests of files, as a part of the caller's transaction."""
    store.connection.execute(_TABLES[table])
    label, mark = store.make_label(recipe), checksum.of_text(recipe)
    store.connection.executemany(
        f"INSERT OR REPLACE INTO {table} (folder, name, size, mtime_ns, ctime_ns, inode, recipe, digest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ((*store.key(entry), label, checksum.sealed_image_data(entry, digest, mark)) for entry, digest in digests),
    )


def forget_gone(store: Store) -> None:
    """Drop the rows of files of which nothing else is known, as a part of the caller's transaction."""
    for table in _TABLES:
        if _has_table(store, table):
            store.connection.execute(
                f"DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM file f WHERE f.folder = {table}.folder "
                f"AND f.name = {table}.name AND f.size = {table}.size AND f.mtime_ns = {table}.mtime_ns)"
            )


def _select(table: str, names: int) -> str:
    return (
        f"SELECT name, size, mtime_ns, ctime_ns, inode, digest FROM {table} "
        f"WHERE folder = (SELECT id FROM folder WHERE path = ?) AND recipe = ? AND name IN ({','.join('?' * names)})"
    )


def _sound(entry: FileEntry, stored: bytes, mark: int) -> bytes:
    digest = checksum.image_data_in(entry, stored, mark)
    if digest is None:
        raise DamagedError("what is known of a file is not what was stored")
    return digest


def _has_table(store: Store, table: str) -> bool:
    tables = store.connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    return tables.fetchone() is not None
