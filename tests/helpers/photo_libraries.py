"""Photo libraries for the tests: their folders, and databases with as much of the real schemas as is read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

Rows = Iterable[tuple[str | None, str | None, int | None]]


def photos(database: Path, rows: Rows, *, table: str = "ZASSET", journal: str = "DELETE") -> sqlite3.Connection:
    """Make the database of Photos since version 5; gives it open. A row is a directory, a name, and the trash."""
    database.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute(
        f"CREATE TABLE {table} (Z_PK INTEGER PRIMARY KEY, ZDIRECTORY VARCHAR, ZFILENAME VARCHAR, ZTRASHEDSTATE INTEGER)"
    )
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO {table} (ZDIRECTORY, ZFILENAME, ZTRASHEDSTATE) VALUES (?, ?, ?)", rows)
    connection.execute("COMMIT")
    return connection


def photo_library(base: Path, trashed: Mapping[str, int], *, table: str = "ZASSET") -> Path:
    """Make a library of Photos whose originals are in the folder ``A``: names, and whether they are in the trash."""
    (base / "originals" / "A").mkdir(parents=True)
    for name in trashed:
        (base / "originals" / "A" / name).write_bytes(name.encode())
    photos(
        base / "database" / "Photos.sqlite", [("A", name, state) for name, state in trashed.items()], table=table
    ).close()
    return base


def iphoto(
    database: Path, masters: Iterable[tuple[str, str, int]], versions: Iterable[tuple[str, str | None, int]]
) -> None:
    """Make the database of iPhoto: masters are uuid, path and trash, versions are master, raw master and trash."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE RKMaster (uuid VARCHAR, imagePath VARCHAR, isInTrash INTEGER)")
        connection.execute("CREATE TABLE RKVersion (masterUuid VARCHAR, rawMasterUuid VARCHAR, isInTrash INTEGER)")
        connection.executemany("INSERT INTO RKMaster VALUES (?, ?, ?)", masters)
        connection.executemany("INSERT INTO RKVersion VALUES (?, ?, ?)", versions)
