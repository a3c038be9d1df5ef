"""The catalog's file: what is opened, what is refused, what becomes of half-written ones."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from dupfind.catalog.catalog_file import CatalogFile
from dupfind.errors import CatalogError
from dupfind.sources.catalog_head import why_no_catalog
from tests.helpers.shelf import TreeBuilder, cataloged, collection


@pytest.fixture
def catalog(tree: TreeBuilder, tmp_path: Path) -> Path:
    """One of a small collection."""
    cataloged(collection(tree), tmp_path / "c")
    return tmp_path / "c"


def test_made_for_its_owner_whatever_the_umask(tmp_path: Path) -> None:
    """With nothing left beside it, and not seen before it is one."""
    mask = os.umask(0)
    try:
        CatalogFile.for_writing(str(tmp_path / "c")).close()
    finally:
        os.umask(mask)
    assert [tmp_path / "c"] == list(tmp_path.iterdir())
    assert 0o600 == (tmp_path / "c").stat().st_mode & 0o777
    assert why_no_catalog(str(tmp_path / "c")) is None


def test_rights_of_one_that_is_there_stay(catalog: Path) -> None:
    """A user may let others read it."""
    catalog.chmod(0o644)
    CatalogFile.for_writing(str(catalog)).close()
    assert 0o644 == catalog.stat().st_mode & 0o777


@pytest.mark.parametrize("content", [b"", b"notes", b"SQLite format 3\0" + bytes(200)])
def test_what_is_something_else_is_left_as_it_is(content: bytes, tmp_path: Path) -> None:
    """A name given by mistake costs nothing."""
    path = tmp_path / "c"
    path.write_bytes(content)
    for open_ in (CatalogFile.for_writing, CatalogFile.for_reading):
        with pytest.raises(CatalogError, match="not a catalog of dupfind"):
            open_(str(path))
    assert content == path.read_bytes()


def test_another_version_is_named(catalog: Path) -> None:
    """It cannot be read, and is not written over."""
    with sqlite3.connect(catalog) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for open_ in (CatalogFile.for_writing, CatalogFile.for_reading):
        with pytest.raises(CatalogError, match=r"another version of dupfind \(99, not 2\)"):
            open_(str(catalog))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and rights are those of POSIX")
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda path: path.chmod(0o666), "may be written by others"),
        (lambda path: path.parent.chmod(0o777), "others may write to its folder"),
        (lambda path: path.rename(path.parent / "d") and path.symlink_to("d"), "not a regular file"),
        (lambda path: (path.parent / "c-journal").mkdir(), "c-journal beside it"),
        (lambda path: path.unlink() or path.symlink_to("nowhere"), "not a regular file"),
        (lambda path: path.unlink() or os.mkfifo(path), "not a regular file"),
    ],
)
def test_what_others_may_have_written_is_refused(harm: object, reason: str, catalog: Path) -> None:
    """For reading and for writing; a link that somebody planted leads nowhere."""
    harm(catalog)  # type: ignore[operator]
    for open_ in (CatalogFile.for_writing, CatalogFile.for_reading):
        with pytest.raises(CatalogError, match=reason):
            open_(str(catalog))
    assert not (catalog.parent / "nowhere").exists()
    catalog.parent.chmod(0o700)


def test_reading_writes_nothing(catalog: Path) -> None:
    """Not even where it could."""
    file = CatalogFile.for_reading(str(catalog))
    with pytest.raises(CatalogError, match="readonly"):
        attempt(file)
    file.close()


def attempt(file: CatalogFile) -> None:
    """Write."""
    from dupfind.catalog.catalog_file import explained

    with explained("c"), file.transaction():
        file.forget(["notes.txt"])


def test_a_half_written_one_is_taken_back(catalog: Path) -> None:
    """The journal of one who was killed in the midst of a transaction is taken up, also for reading."""
    before = len(rows(catalog))
    copy = catalog.parent / "copy"
    file = CatalogFile.for_writing(str(catalog))
    file.connection.execute("PRAGMA cache_size = 1")
    file.connection.execute("BEGIN IMMEDIATE")
    file.connection.execute("DELETE FROM file")
    file.connection.execute("CREATE TABLE t AS SELECT randomblob(4096) FROM picture a, picture b, picture c")
    copy.write_bytes(catalog.read_bytes())
    (catalog.parent / "copy-journal").write_bytes((catalog.parent / "c-journal").read_bytes())
    file.connection.execute("ROLLBACK")
    file.close()
    assert before == len(rows(copy))
    assert not (catalog.parent / "copy-journal").exists()


def rows(catalog: Path) -> object:
    """Its files."""
    file = CatalogFile.for_reading(str(catalog))
    try:
        return file.entries()
    finally:
        file.close()


def test_damage_that_sqlite_sees(catalog: Path) -> None:
    """Is one line, too."""
    content = bytearray(catalog.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    catalog.write_bytes(content)
    from dupfind.catalog.catalog_file import explained

    with pytest.raises(CatalogError, match="damaged"), explained("c"):
        rows(catalog)
