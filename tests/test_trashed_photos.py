"""What the database of a photo library says of its trash, and that nothing is written beside it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dupfind.sources import trashed_photos
from dupfind.sources.trashed_photos import LibraryError, UnknownTablesError, trashed_in
from tests.helpers import photo_libraries as made

ROWS = [("A", "KEPT.jpeg", 0), ("B", "GONE.heic", 1), (None, "LOOSE.jpeg", 1), ("C", None, 1), ("D", "NULL.jpeg", None)]
IN_TRASH = ["B/GONE.heic", "LOOSE.jpeg"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """Where a library has its database; afterwards nothing may have come beside it, nor have been changed in it."""
    path = tmp_path / "database" / "Photos.sqlite"
    path.parent.mkdir()
    yield path
    assert {"Photos.sqlite", "Photos.sqlite-wal", "Photos.sqlite-shm", "Photos.sqlite-journal"} >= set(
        os.listdir(path.parent)
    )


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a folder: time, inode and content."""
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes()) for path in folder.iterdir()}


@pytest.mark.parametrize("table", ["ZASSET", "ZGENERICASSET"])
def test_photos_since_version_5(database: Path, table: str) -> None:
    """A picture is in the trash by its state; the folder is left exactly as it was."""
    made.photos(database, ROWS, table=table).close()
    before = state(database.parent)
    assert IN_TRASH == trashed_in(str(database))
    assert before == state(database.parent)


def test_iphoto_and_photos_up_to_version_4(database: Path) -> None:
    """A master is in the trash by itself, by a version made of it, or as the raw half of one."""
    masters = [
        ("m1", "2014/kept.jpg", 0),
        ("m2", "2014/gone.jpg", 1),
        ("m3", "2014/of.jpg", 0),
        ("m4", "2014/of.cr2", 0),
    ]
    made.iphoto(database, masters, [("m1", None, 0), ("m2", None, 0), ("m3", "m4", 1)])
    assert ["2014/gone.jpg", "2014/of.cr2", "2014/of.jpg"] == sorted(trashed_in(str(database)))


def test_a_write_ahead_log_is_read_and_left_alone(database: Path) -> None:
    """Photos is open nearly always: what it has deleted last is in the log only, which a reader may not touch."""
    connection = made.photos(database, ROWS, journal="WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("UPDATE ZASSET SET ZTRASHEDSTATE = 1 WHERE ZFILENAME = 'KEPT.jpeg'")
    before = state(database.parent)
    assert before["Photos.sqlite-wal"][2]
    assert ["A/KEPT.jpeg", *IN_TRASH] == trashed_in(str(database))
    assert before == state(database.parent)
    connection.close()


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_an_empty_log_costs_no_copy(database: Path, monkeypatch: pytest.MonkeyPatch, journal: str) -> None:
    """As a library lies on a disk that was unplugged in order."""
    made.photos(database, ROWS, journal=journal).close()
    database.with_name("Photos.sqlite-wal").write_bytes(b"")
    monkeypatch.setattr(trashed_photos, "_read_copy", lambda *_: pytest.fail("copied"))
    before = state(database.parent)
    assert IN_TRASH == trashed_in(str(database))
    assert before == state(database.parent)


def test_a_transaction_that_was_cut_is_taken_back_elsewhere(database: Path, tmp_path: Path) -> None:
    """A journal left by a crash is played back in a copy, never in the library."""
    connection = made.photos(database, [*ROWS, *[("E", f"{number}.jpeg", 0) for number in range(5000)]])
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("PRAGMA cache_spill = 1")
    connection.execute("BEGIN")
    connection.execute("UPDATE ZASSET SET ZTRASHEDSTATE = 1 - coalesce(ZTRASHEDSTATE, 0)")
    cut = tmp_path / "cut"
    shutil.copytree(database.parent, cut)
    connection.execute("ROLLBACK")
    connection.close()
    assert (cut / "Photos.sqlite-journal").stat().st_size
    before = state(cut)
    assert IN_TRASH == trashed_in(str(cut / "Photos.sqlite"))
    assert before == state(cut)


@pytest.mark.parametrize("where", ["_read", "_read_copy"])
def test_a_library_in_use_is_read_once_more(database: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """What changed while it was read counts for nothing; what changes each time is an error."""
    connection = made.photos(database, ROWS, journal="WAL" if where == "_read_copy" else "DELETE")
    real, changes = getattr(trashed_photos, where), iter([True, False])

    def read(*arguments: object) -> list[str]:
        names: list[str] = real(*arguments)
        if next(changes, True):
            connection.execute("UPDATE ZASSET SET ZTRASHEDSTATE = 1 WHERE ZFILENAME = 'KEPT.jpeg'")
            os.utime(database)
        return names

    monkeypatch.setattr(trashed_photos, where, read)
    assert ["A/KEPT.jpeg", *IN_TRASH] == trashed_in(str(database))
    with pytest.raises(LibraryError, match="it changes while it is read"):
        trashed_in(str(database))
    connection.close()


def test_unknown_tables_are_told(database: Path) -> None:
    """Another version, another program, a view in the place of the table."""
    for number, statement in enumerate(
        [
            "CREATE TABLE ZASSET (ZDIRECTORY, ZFILENAME)",
            "CREATE TABLE NOTES (text)",
            "CREATE VIEW ZASSET AS SELECT 'A' ZDIRECTORY, 'x' ZFILENAME, 0 ZTRASHEDSTATE",
            "CREATE TABLE RKMaster (uuid, imagePath, isInTrash)",
        ]
    ):
        path = database.with_name(f"{number}.sqlite")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)
            if "RKMaster" in statement:
                connection.execute("INSERT INTO RKMaster VALUES ('m', 'a.jpg', 0)")
        with pytest.raises(UnknownTablesError, match="tables are none that are known"):
            trashed_in(str(path))
        path.unlink()


def test_a_database_without_a_picture_is_none(database: Path) -> None:
    """It cannot be the one that the pictures beside it belong to."""
    made.photos(database, []).close()
    with pytest.raises(LibraryError, match="knows of no picture"):
        trashed_in(str(database))


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_is_no_database_is_told(database: Path, content: bytes) -> None:
    """An empty file is a database without tables to SQLite, and unknown likewise."""
    database.write_bytes(content)
    with pytest.raises(LibraryError):
        trashed_in(str(database))


def test_damage_is_told(database: Path) -> None:
    """A database that was cut short is not read half."""
    made.photos(database, [("A", f"{number:032d}.jpeg", number % 2) for number in range(5000)]).close()
    database.write_bytes(database.read_bytes()[:20_000])
    with pytest.raises(LibraryError):
        trashed_in(str(database))


def test_what_is_not_there_or_no_file_is_told(database: Path) -> None:
    """A pipe in its place would keep the walk waiting."""
    with pytest.raises(LibraryError):
        trashed_in(str(database))
    os.mkfifo(database)
    with pytest.raises(LibraryError, match="not a regular file"):
        trashed_in(str(database))


def test_a_database_that_never_ends_is_given_up(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading has a time limit."""
    made.photos(database, [("A", f"{number}.jpeg", 1) for number in range(100)]).close()
    monkeypatch.setattr(trashed_photos, "_MOST_SECONDS", -1.0)
    monkeypatch.setattr(trashed_photos, "_INSTRUCTIONS", 1)
    with pytest.raises(LibraryError, match="interrupted"):
        trashed_in(str(database))


def test_a_disk_without_room_for_a_copy_is_told(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cause is named."""
    connection = made.photos(database, ROWS, journal="WAL")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dupfind.sources.trashed_photos.shutil.copyfile", full)
    with pytest.raises(LibraryError, match="no space left on device"):
        trashed_in(str(database))
    connection.close()
