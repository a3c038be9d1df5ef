"""The cache's SQLite file itself: opening it, setting aside what is none of ours, transactions, errors.

The only importer of sqlite3. The journal is SQLite's rollback journal: write-ahead logs have a corruption bug before
SQLite 3.51.3, and one short transaction every other second needs no more.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from dupfind.cache import permissions
from dupfind.cache.cache_schema import APPLICATION_ID, PICTURE_TABLE, SCHEMA, SCHEMA_VERSION
from dupfind.errors import DupfindError, reason_of
from dupfind.sources.entries import open_unfollowed

_BUSY_SECONDS = 60.0
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
"""What the system says of a file that may at most be read."""
_SQLITE_HEADER = b"SQLite format 3\0"


def engine_version() -> str:
    """Return the version of SQLite."""
    return sqlite3.sqlite_version


class DamagedError(Exception):
    """The file is no sound database of ours."""


class UnusableError(DupfindError):
    """The file cannot be read or written just now: locked, read-only, no space."""


class CacheFile:
    """One open SQLite file with the tables of a cache."""

    def __init__(self, path: str, connection: sqlite3.Connection, *, is_writable: bool = True) -> None:
        self.path = path
        self.is_writable = is_writable
        self.connection = connection
        self._folders: dict[str, int] = {}
        self._labels: dict[str, int] = {}

    @classmethod
    def open(cls, path: str) -> tuple[Self, str | None]:
        """Open or make the file; returns a warning too where something stood in its place or it cannot be written.

        What is no cache of this version is set aside, never deleted. Raises :class:`UnusableError`.
        """
        try:
            return cls._open(path)
        except DamagedError as error:
            aside = cls.set_aside(path)
            store, _ = cls._open(path)
            return store, f"{path}: {error}; set aside as {aside}, starting a new one"

    @classmethod
    def open_existing(cls, path: str) -> Self:
        """Open the file and set nothing aside. Raises the errors of this module."""
        return cls._open(path)[0]

    @classmethod
    def scratch(cls, path: str) -> Self:
        """Open a private store for thumbnails only, in an empty file or ``:memory:``. Raises :class:`UnusableError`.

        Its journal is kept in memory: a write that fails on a full disk could not be taken back without one.
        """
        with translated():
            store = cls(path, sqlite3.connect(path, isolation_level=None))
            for setting in ("journal_mode = MEMORY", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
                store.connection.execute(f"PRAGMA {setting}")
            store.connection.execute(PICTURE_TABLE)
        return store

    @staticmethod
    def set_aside(path: str) -> str:
        """Rename the file and its journal out of the way; returns the new name."""
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
            raise UnusableError(f"cannot set the damaged file aside: {reason_of(error)}") from error
        return aside

    @classmethod
    def _open(cls, path: str) -> tuple[Self, str | None]:
        warning = None
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            if reason := permissions.distrust_of_place(path):
                raise UnusableError(reason)
            try:
                handle = open_unfollowed(path, os.O_RDWR | os.O_CREAT)
            except OSError as error:
                if error.errno not in _READ_ONLY or not os.path.lexists(path):
                    raise
                handle = open_unfollowed(path, os.O_RDONLY)
                warning = f"{path}: the cache is read-only: what is new is not kept"
            with open(handle, "rb") as file:
                if reason := permissions.distrust_of_file(os.fstat(handle)):
                    raise UnusableError(f"it {reason}")
                header = file.read(len(_SQLITE_HEADER))
        except OSError as error:
            raise UnusableError(reason_of(error)) from error
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
        marks = tuple(
            self.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        return marks == (APPLICATION_ID, SCHEMA_VERSION)

    def has_table(self, name: str) -> bool:
        """Tell whether the file has a table that is made when its first row is kept."""
        tables = self.connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
        return tables.fetchone() is not None

    def close(self) -> None:
        """Close the file; a scratch store is gone then."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write everything in the block, or nothing. Raises the errors of this module."""
        with translated():
            self.connection.execute("BEGIN IMMEDIATE")
            self._forget_numbers()
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
                self._forget_numbers()
                raise

    def _forget_numbers(self) -> None:
        # At either end of a transaction: another process may have pruned a row and given its number to the next.
        self._folders.clear()
        self._labels.clear()


@contextmanager
def translated() -> Iterator[None]:
    """Turn sqlite3's errors into the two kinds that matter here."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # Tables that are not there, text that is none: the statements are always the same, so the file is not.
        code = getattr(error, "sqlite_errorcode", None)
        if code == sqlite3.SQLITE_ERROR or (code is None and "decode" in str(error)):
            raise DamagedError(str(error)) from error
        raise UnusableError(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise DamagedError(str(error)) from error
