"""Reads in the database of a photo library which of its pictures are in the trash; writes nothing there.

The schemas are those that public tools read: ``ZASSET`` and ``ZGENERICASSET`` of Photos since version 5 (osxphotos,
iLEAPP), ``RKMaster`` and ``RKVersion`` of Photos 1 to 4, iPhoto 9 and Aperture 3 (osxphotos, exporters of iPhoto).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from urllib.parse import quote

from dupfind.errors import reason_of
from dupfind.private_folder import PrivateFolder

_BESIDE = ("", "-wal", "-journal")
"""The database and what SQLite may have written beside it: transactions that the database itself does not show yet."""
_ROUNDS = 3
_MOST_SECONDS = 60.0
_INSTRUCTIONS = 100_000

_State = tuple[int, int, int, int] | None


class LibraryError(Exception):
    """What a library says of its trash cannot be relied on; the text is the cause."""


class UnknownTablesError(LibraryError):
    """The database is none of a version that is known, or of another program."""

    def __init__(self) -> None:
        super().__init__("its tables are none that are known")


def trashed_in(database: str) -> list[str]:
    """Return the paths of the pictures in the trash, as ``database`` spells them: some below its library, some by name.

    A database with unwritten transactions beside it is copied to a temporary folder and read there, because SQLite
    would write them into it. Raises :class:`LibraryError`.
    """
    for _ in range(_ROUNDS):
        before = _states(database)
        try:
            if any(state and state[0] for state in before[1:]):
                names = _read_copy(database, before)
            else:
                names = _read(f"file:{quote(os.fsencode(database))}?mode=ro&immutable=1")
        except (LibraryError, sqlite3.Error, OSError) as error:
            if _states(database) != before:
                continue  # what a program has half written is read once more
            if isinstance(error, LibraryError):
                raise
            raise LibraryError(reason_of(error) if isinstance(error, OSError) else str(error)) from error
        if _states(database) == before:
            return names
    raise LibraryError("it changes while it is read: is the program open?")


def _states(database: str) -> tuple[_State, ...]:
    return tuple(_state(database + suffix) for suffix in _BESIDE)


def _state(path: str) -> _State:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LibraryError(reason_of(error)) from error
    if not stat.S_ISREG(status.st_mode):
        raise LibraryError("the database is not a regular file")
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _read_copy(database: str, states: Iterable[_State]) -> list[str]:
    with PrivateFolder() as folder:
        copy = os.path.join(folder.path, "library.sqlite")
        for suffix, state in zip(_BESIDE, states, strict=True):
            if state is not None:
                shutil.copyfile(database + suffix, copy + suffix)
        return _read(f"file:{quote(os.fsencode(copy))}?mode=rw")


def _read(name: str) -> list[str]:
    deadline = time.monotonic() + _MOST_SECONDS
    with closing(sqlite3.connect(name, uri=True)) as connection:
        connection.text_factory = os.fsdecode
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _INSTRUCTIONS)
        connection.execute("PRAGMA trusted_schema = OFF")
        for table in ("ZASSET", "ZGENERICASSET"):
            if {"ZDIRECTORY", "ZFILENAME", "ZTRASHEDSTATE"} <= _columns(connection, table):
                return list(_of_photos(connection, table))
        if {"uuid", "imagePath", "isInTrash"} <= _columns(connection, "RKMaster"):
            return list(_of_iphoto(connection))
    raise UnknownTablesError


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the columns of a table; of a view none, whose rows may be anything."""
    is_there = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    if connection.execute(is_there, (table,)).fetchone() is None:
        return set()
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def _of_photos(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """Read the trash of Photos since version 5, and the pictures of an iPhone."""
    _require_rows(connection, table)
    in_trash = f"SELECT ZDIRECTORY, ZFILENAME FROM {table} WHERE coalesce(ZTRASHEDSTATE, 0) <> 0"
    for directory, name in connection.execute(in_trash):
        if name:
            yield f"{directory}/{name}" if directory else str(name)


def _of_iphoto(connection: sqlite3.Connection) -> Iterator[str]:
    """Read the trash of Photos up to version 4, iPhoto and Aperture: a master is in the trash, or
    one of the versions made of it is.
    """
    _require_rows(connection, "RKMaster")
    of_masters = ("masterUuid", "rawMasterUuid", "nonRawMasterUuid")
    columns = _columns(connection, "RKVersion")
    if not {"masterUuid", "isInTrash"} <= columns:
        raise UnknownTablesError
    versions = " UNION ".join(
        f"SELECT {column} FROM RKVersion WHERE coalesce(isInTrash, 0) <> 0"
        for column in of_masters
        if column in columns
    )
    in_trash = f"SELECT imagePath FROM RKMaster WHERE coalesce(isInTrash, 0) <> 0 OR uuid IN ({versions})"
    for (path,) in connection.execute(in_trash):
        if path:
            yield str(path)


def _require_rows(connection: sqlite3.Connection, table: str) -> None:
    """Refuse a database that knows of no picture: it is not the one that the files were stored with."""
    if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is None:
        raise LibraryError("its database knows of no picture")
