"""The cache's SQLite file: its schema, statements and errors; the only importer of sqlite3.

Rows are grouped by folder, so that a warm run reads a folder's rows with one statement and keeps no path twice. Paths
are stored as bytes, because not every file name is text. The journal is SQLite's rollback journal: write-ahead logs
have a corruption bug before SQLite 3.51.3, and one short transaction every other second needs no more.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from dupfind.cache_schema import (
    APPLICATION_ID,
    PICTURE_TABLE,
    SCHEMA,
    SCHEMA_VERSION,
    SELECT_CONTENTS,
    SELECT_DIGESTS,
    UPSERT_FILE,
    FileRow,
    content_columns,
    signed,
)
from dupfind.errors import DupfindError
from dupfind.values import Failure, FileEntry, Thumbnail

_BUSY_SECONDS = 60.0
_SQLITE_HEADER = b"SQLite format 3\0"
_MOST_VARIABLES = 500


Labels = tuple["int | None", "int | None"]
"""The numbers of the recipe and of the algorithm under which contents are looked up."""


class DamagedError(Exception):
    """The file is no sound database of ours."""


class UnusableError(DupfindError):
    """The file cannot be read or written just now: locked, read-only, no space."""


class Store:
    """One open SQLite file."""

    def __init__(self, path: str, connection: sqlite3.Connection, *, is_writable: bool = True) -> None:
        self.path = path
        self.is_writable = is_writable
        self.connection = connection
        self._folders: dict[str, int] = {}
        self._labels: dict[str, int] = {}

    @classmethod
    def open(cls, path: str) -> tuple[Store, str | None]:
        """Open or make the file; gives a warning too where something stood in its place or it cannot be written.

        What is no cache of this version is set aside, never deleted. Raises :class:`UnusableError`.
        """
        try:
            return cls._open(path)
        except DamagedError as error:
            aside = cls.set_aside(path)
            store, _ = cls._open(path)
            return store, f"{path}: {error}; set aside as {aside}, starting a new one"

    @classmethod
    def open_existing(cls, path: str) -> Store:
        """Open the file and set nothing aside. Raises the errors of this module."""
        return cls._open(path)[0]

    @classmethod
    def scratch(cls) -> Store:
        """A private store for thumbnails only, on disk where it grows, gone when it is closed."""
        store = cls("", sqlite3.connect("", isolation_level=None))
        store.connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + PICTURE_TABLE)
        return store

    @staticmethod
    def set_aside(path: str) -> str:
        """Rename the file and its journal out of the way; gives the new name."""
        number = 0
        aside = f"{path}.set-aside"
        while os.path.lexists(aside):
            number += 1
            aside = f"{path}.set-aside.{number}"
        try:
            os.rename(path, aside)
            with suppress(FileNotFoundError):
                os.rename(path + "-journal", aside + "-journal")
        except OSError as error:
            raise UnusableError(f"cannot set the damaged file aside: {error.strerror}") from error
        return aside

    @classmethod
    def _open(cls, path: str) -> tuple[Store, str | None]:
        warning = None
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
            try:
                handle = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o600)
            except PermissionError:
                handle = os.open(path, os.O_RDONLY | flags)
                warning = f"{path}: the cache is read-only: what is new is not kept"
            with open(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):  # a named pipe would block for ever
                    raise UnusableError("not a regular file")
                header = file.read(len(_SQLITE_HEADER))
        except OSError as error:
            raise UnusableError((error.strerror or str(error)).lower()) from error
        if header not in (b"", _SQLITE_HEADER):
            raise DamagedError("not a cache of dupfind")
        with translated():
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            store = cls(path, connection, is_writable=warning is None)
            try:
                store._prepare()
            except BaseException:
                connection.close()
                raise
        return store, warning

    def _prepare(self) -> None:
        if self._is_ours():
            return
        with self.transaction():
            if self._is_ours():  # another process was faster
                return
            if self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise DamagedError("not a cache of this version of dupfind")
            for statement in SCHEMA.split(";"):
                self.connection.execute(statement)
            self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _is_ours(self) -> bool:
        found = tuple(
            self.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        return found == (APPLICATION_ID, SCHEMA_VERSION)

    def close(self) -> None:
        """Close the file; a scratch store is gone then."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block is written, or nothing. Raises the errors of this module."""
        with translated():
            self.connection.execute("BEGIN IMMEDIATE")
            self._folders.clear()  # another process may have pruned a folder and given its number to the next
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
                self._labels.clear()
                raise

    def label(self, text: str) -> int | None:
        """The number of a recipe or algorithm; None when nothing was ever stored under it."""
        if text not in self._labels:
            with translated():
                row = self.connection.execute("SELECT id FROM label WHERE text = ?", (text,)).fetchone()
            if row is None:
                return None
            self._labels[text] = row[0]
        return self._labels[text]

    def files_in(self, folder: str, labels: Labels | None) -> dict[bytes, FileRow]:
        """The rows of all files of ``folder`` by name, without their contents where ``labels`` are None."""
        with translated():
            rows = self.connection.execute(
                f"{_select(labels)} WHERE f.folder = (SELECT id FROM folder WHERE path = :path)",
                {"path": os.fsencode(folder), **_named(labels)},
            )
            return {row[0]: row for row in rows}

    def file_by_inode(self, entry: FileEntry, labels: Labels | None) -> FileRow | None:
        """The row of a file that was elsewhere when it was stored, recognised by inode, size and times."""
        values = {
            "inode": signed(entry.inode),
            "size": entry.size_bytes,
            "mtime": entry.mtime_ns,
            "ctime": entry.ctime_ns,
        }
        with translated():
            row: FileRow | None = self.connection.execute(
                f"{_select(labels)} WHERE f.inode = :inode AND f.size = :size AND f.mtime_ns = :mtime "
                "AND f.ctime_ns = :ctime LIMIT 1",
                values | _named(labels),
            ).fetchone()
        return row

    def pictures(self, ids: Sequence[int]) -> dict[int, Thumbnail]:
        """The thumbnails among ``ids`` that are here."""
        found = {}
        with translated():
            for start in range(0, len(ids), _MOST_VARIABLES):
                some = ids[start : start + _MOST_VARIABLES]
                marks = ",".join("?" * len(some))
                columns = "pixels, width, height, format, frames, captured, chroma"
                for id_, *row in self.connection.execute(
                    f"SELECT id, {columns} FROM picture WHERE id IN ({marks})", some
                ):
                    found[id_] = Thumbnail(*row)
        return found

    def add_pictures(self, pictures: Iterable[tuple[int, Thumbnail]]) -> None:
        """Store thumbnails under their ids; what is there already stays."""
        with translated():
            self.connection.executemany(
                "INSERT OR IGNORE INTO picture (id, pixels, width, height, format, frames, captured, chroma) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((id_, p.pixels, p.width, p.height, p.format, p.frames, p.captured, p.chroma) for id_, p in pictures),
            )

    def set_digests(self, digests: Iterable[tuple[FileEntry, bytes]]) -> None:
        """Store the digests of files."""
        rows = ((*self._key(entry), digest, None, None, None, None) for entry, digest in digests)
        self.connection.executemany(UPSERT_FILE, rows)

    def set_contents(self, recipe: str, contents: Iterable[tuple[FileEntry, int | Failure]]) -> None:
        """Store which thumbnail files have, or why they have none."""
        label = self._make_label(recipe)
        self.connection.executemany(
            UPSERT_FILE, ((*self._key(entry), None, label, *content_columns(content)) for entry, content in contents)
        )

    def copy_files(self, entries: Iterable[FileEntry]) -> None:
        """Store for files what is known of their inode under another path."""
        for entry in entries:
            columns = self.connection.execute(
                "SELECT digest, recipe, picture, failure, is_image FROM file "
                "WHERE inode = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ? LIMIT 1",
                (signed(entry.inode), entry.size_bytes, entry.mtime_ns, entry.ctime_ns),
            ).fetchone()
            if columns is not None:
                self.connection.execute(UPSERT_FILE, (*self._key(entry), *columns))

    def set_hashes(self, algorithm: str, hashes: Iterable[tuple[int, bytes]]) -> None:
        """Store the hashes of thumbnails by one algorithm."""
        label = self._make_label(algorithm)
        self.connection.executemany(
            "INSERT OR REPLACE INTO hash (picture, algorithm, hashes) VALUES (?, ?, ?)",
            ((picture, label, value) for picture, value in hashes),
        )

    def _key(self, entry: FileEntry) -> tuple[Any, ...]:
        folder, _, name = entry.path.rpartition(os.sep)
        return (
            self._make_folder(folder),
            os.fsencode(name),
            entry.size_bytes,
            entry.mtime_ns,
            entry.ctime_ns,
            signed(entry.inode),
        )

    def _make_folder(self, folder: str) -> int:
        if folder not in self._folders:
            path = os.fsencode(folder)
            self.connection.execute("INSERT OR IGNORE INTO folder (path) VALUES (?)", (path,))
            row = self.connection.execute("SELECT id FROM folder WHERE path = ?", (path,)).fetchone()
            self._folders[folder] = row[0]
        return self._folders[folder]

    def _make_label(self, text: str) -> int:
        self.connection.execute("INSERT OR IGNORE INTO label (text) VALUES (?)", (text,))
        label = self.label(text)
        assert label is not None
        return label


def _select(labels: Labels | None) -> str:
    return SELECT_DIGESTS if labels is None else SELECT_CONTENTS


def _named(labels: Labels | None) -> dict[str, int | None]:
    return {} if labels is None else {"recipe": labels[0], "algorithm": labels[1]}


@contextmanager
def translated() -> Iterator[None]:
    """Turn sqlite3's errors into the two kinds that matter here."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UnusableError(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise DamagedError(str(error)) from error
