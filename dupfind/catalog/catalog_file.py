"""A catalog's SQLite file: opening it, what it says of itself, and its rows; paths in it are relative to its root.

Its tables of files, thumbnails and hashes are those of the cache, sealed likewise. Unlike a cache it cannot be made
again while its drive is away, so nothing is set aside and nothing begun anew: what is wrong with it is an error.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import quote

from dupfind.cache import checksum, permissions
from dupfind.cache.cache_file import DamagedError, UnusableError, translated
from dupfind.cache.cache_schema import SCHEMA, UPSERT_FILE, PictureRef, Recipe
from dupfind.cache.cache_store import Store
from dupfind.catalog.shards import Shard
from dupfind.catalog.volumes import Volume
from dupfind.digest import digest_of
from dupfind.errors import CatalogError, reason_of
from dupfind.pictures import formats
from dupfind.sources.catalog_head import APPLICATION_ID, SCHEMA_VERSION, why_no_catalog
from dupfind.sources.ignore import NOT_TRUSTED
from dupfind.values import Failure, FileEntry, Problem, ProblemCode, Side

_BUSY_SECONDS = 60.0
_REMEDY = "put the catalog into one of your own"
_TABLES = """
    CREATE TABLE about (id INTEGER PRIMARY KEY CHECK (id = 0), text TEXT NOT NULL, seal BLOB NOT NULL);
    CREATE TABLE problem (path BLOB NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL, is_note INTEGER NOT NULL);
    CREATE TABLE unread (path BLOB PRIMARY KEY, stage TEXT NOT NULL, reason TEXT NOT NULL, is_image INTEGER NOT NULL)
        WITHOUT ROWID;
    CREATE TABLE unsettled (path BLOB PRIMARY KEY) WITHOUT ROWID
"""
"""``unread`` are files that could not be read, ``unsettled`` those that are to be read again at the next update: they
had just been changed, or lie where nothing tells whether they were."""
_SELECT_ENTRIES = (
    "SELECT d.path, f.name, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.recipe "
    "FROM file f JOIN folder d ON d.id = f.folder"
)
_FORGET_ORPHANS = (
    "DELETE FROM folder WHERE id NOT IN (SELECT folder FROM file)",
    """DELETE FROM picture WHERE id NOT IN (
        SELECT picture FROM file WHERE picture IS NOT NULL UNION SELECT whole FROM file WHERE whole IS NOT NULL
    )""",
    "DELETE FROM hash WHERE picture NOT IN (SELECT id FROM picture)",
)


@dataclass(frozen=True, slots=True)
class About:
    """What a catalog says of itself."""

    version: str
    """Of the dupfind that updated it last."""
    libraries: dict[str, str | None]
    """Versions of what decides thumbnails and hashes, at the last update."""
    made: str
    updated: str
    """As in :class:`~dupfind.values.Cataloged`; until the first indexing has come to its end, when that began."""
    root: str
    root_inode: int
    """0 where there is none to go by."""
    excludes: tuple[str, ...]
    """What was left out by ``--exclude``, and whether links were followed, at the last update."""
    follow_symlinks: bool
    volumes: tuple[Volume, ...]
    """Everything that files of it lay on at the last update."""
    is_complete: bool
    shard: Shard | None = None
    """Which part of the folder it lists; None where it is all of it."""


class Listed(NamedTuple):
    """What is known of one file, whose path is relative."""

    entry: FileEntry
    digest: bytes | None
    content: PictureRef | Failure | None
    """Its thumbnail, or why it has none for good."""
    hashes: bytes | None
    """Of its thumbnail, by the algorithm of the recipe."""
    whole: PictureRef | Failure | None
    """Of a picture that is coarse: what reading the whole file gave."""
    unread: Failure | None
    """Why it could not be read."""
    is_settled: bool


class CatalogFile(Store):
    """One open catalog."""

    @classmethod
    def for_reading(cls, path: str) -> Self:
        """Open a catalog and write nothing. Raises :class:`~dupfind.errors.CatalogError`.

        Where somebody was killed while writing, SQLite takes back what was half written, as it has to.
        """
        with explained(path):
            _refuse_untrusted(path)
            if (reason := why_no_catalog(path)) is not None:
                raise CatalogError(f"{path}: {reason}")
            is_half_written = os.path.exists(path + "-journal") and os.access(path, os.W_OK)
            name = f"file:{quote(os.fsencode(path))}?mode={'rw' if is_half_written else 'ro'}"
            return cls._connected(path, name, is_writable=False)

    @classmethod
    def for_writing(cls, path: str) -> Self:
        """Open a catalog, or make an empty one, for its owner alone. Raises likewise."""
        with explained(path):
            if not os.path.lexists(path):
                with cls.replacing(path):
                    pass
            _refuse_untrusted(path)
            if (reason := why_no_catalog(path)) is not None:
                raise CatalogError(f"{path}: {reason}: it is left as it is")
            return cls._connected(path, f"file:{quote(os.fsencode(path))}?mode=rw", is_writable=True)

    @classmethod
    @contextmanager
    def replacing(cls, path: str) -> Iterator[Self]:
        """Yield an empty catalog, which takes its place when the block ends without an error: never half made."""
        import tempfile  # brings a dozen modules, once in the life of a catalog

        handle, temporary = tempfile.mkstemp(prefix=".dupfind-", suffix=".part", dir=os.path.dirname(path))
        os.close(handle)
        try:
            file = cls._connected(temporary, f"file:{quote(os.fsencode(temporary))}?mode=rw", is_writable=True)
            try:
                with file.transaction():
                    for statement in f"{SCHEMA};{_TABLES}".split(";"):
                        file.connection.execute(statement)
                    file.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    file.connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                yield file
            finally:
                file.close()
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise

    @classmethod
    def _connected(cls, path: str, name: str, *, is_writable: bool) -> Self:
        with translated():
            connection = sqlite3.connect(name, timeout=_BUSY_SECONDS, isolation_level=None, uri=True)
        return cls(path, connection, is_writable=is_writable)

    def about(self) -> About | None:
        """Return what it says of itself; None where it was only just begun. Raises the errors of the cache's files."""
        with translated():
            row = self.connection.execute("SELECT text, seal FROM about").fetchone()
        if row is None:
            return None
        text, seal = row
        # It says which drive is listed: a bit that was lost there would change what counts as the same file.
        if not isinstance(text, str) or digest_of([text.encode()]) != seal:
            raise DamagedError("what it says of itself is not what was stored")
        try:
            fields = json.loads(text)
            volumes = tuple(Volume(*volume) for volume in fields["volumes"])
            shard = None if fields.get("shard") is None else Shard(*map(int, fields["shard"]))
            return About(**{**fields, "excludes": tuple(fields["excludes"]), "volumes": volumes, "shard": shard})
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"what it says of itself has no such form: {error}") from error

    def set_about(self, about: About) -> None:
        """Store that, as a part of the caller's transaction."""
        fields = dataclasses.asdict(about)
        if about.shard is None:
            del fields["shard"]  # versions before there were shards know no such field
        text = json.dumps(fields)
        row = text, digest_of([text.encode()])
        self.connection.execute("INSERT OR REPLACE INTO about (id, text, seal) VALUES (0, ?, ?)", row)

    def entries(self) -> dict[str, tuple[FileEntry, str | None]]:
        """Return every file by its relative path, with the recipe of its thumbnail, None where it was not decoded."""
        labels = self.labels()
        with translated():
            rows = self.connection.execute(_SELECT_ENTRIES).fetchall()
        entries = (
            (FileEntry(_joined(folder, name), *state), labels.get(label)) for folder, name, *state, label in rows
        )
        return {entry.path: (entry._replace(inode=entry.inode % (1 << 64)), label) for entry, label in entries}

    def paths(self) -> Iterator[str]:
        """Yield the relative path of every file."""
        with translated():
            for folder, name in self.connection.execute(
                "SELECT d.path, f.name FROM file f JOIN folder d ON d.id = f.folder"
            ):
                yield _joined(folder, name)

    def folders(self) -> list[str]:
        """Return every folder that has files, by its relative path: empty for the root."""
        with translated():
            rows = self.connection.execute("SELECT path FROM folder WHERE id IN (SELECT folder FROM file)")
            return [os.fsdecode(path) for (path,) in rows]

    def count_files(self) -> int:
        """Tell how many files it lists."""
        with translated():
            return int(self.connection.execute("SELECT count(*) FROM file").fetchone()[0])

    def labels(self) -> dict[int, str]:
        """Return the texts of recipes and algorithms by their numbers."""
        with translated():
            return dict(self.connection.execute("SELECT id, text FROM label").fetchall())

    def unread(self) -> dict[str, Failure]:
        """Tell why files could not be read, by their relative paths."""
        with translated():
            rows = self.connection.execute("SELECT path, stage, reason, is_image FROM unread").fetchall()
        return {
            os.fsdecode(path): Failure(reason, is_image=bool(is_image), lasting=False, stage=stage)
            for path, stage, reason, is_image in rows
        }

    def broken(self) -> Iterator[tuple[str, str]]:
        """Return the relative paths of pictures, by content or by name, that could be read and not decoded, and why."""
        with translated():
            rows = self.connection.execute(
                "SELECT d.path, f.name, coalesce(f.failure, f.whole_failure), f.is_image OR f.failure IS NULL "
                "FROM file f JOIN folder d ON d.id = f.folder "
                "WHERE f.failure IS NOT NULL OR f.whole_failure IS NOT NULL ORDER BY d.path, f.name"
            ).fetchall()
        broken = ((_joined(folder, name), reason, is_image) for folder, name, reason, is_image in rows)
        return ((path, reason) for path, reason, is_image in broken if is_image or formats.is_image_name(path))

    def unsettled(self) -> set[str]:
        """Return the relative paths of files that are to be read again at the next update."""
        with translated():
            return {os.fsdecode(path) for (path,) in self.connection.execute("SELECT path FROM unsettled")}

    def problems(self) -> Iterator[Problem]:
        """Yield what the walk met, with relative paths: empty for the root itself."""
        with translated():
            for path, stage, reason, is_note in self.connection.execute(
                "SELECT path, stage, reason, is_note FROM problem ORDER BY rowid"
            ):
                # A catalog keeps words alone, and those of older versions are read for years.
                code = ProblemCode.NOT_TRUSTED if reason.endswith(NOT_TRUSTED) else None
                yield Problem(os.fsdecode(path), Side.HAYSTACK, stage, reason, bool(is_note), code)

    def set_problems(self, problems: Iterable[Problem]) -> None:
        """Store these in place of all others, as a part of the caller's transaction."""
        self.connection.execute("DELETE FROM problem")
        self.connection.executemany(
            "INSERT INTO problem (path, stage, reason, is_note) VALUES (?, ?, ?, ?)",
            (
                (os.fsencode(problem.path), problem.stage, _storable(problem.reason), problem.is_note)
                for problem in problems
            ),
        )

    def forget(self, paths: Iterable[str]) -> None:
        """Drop these files, as a part of the caller's transaction."""
        for path in paths:
            encoded = os.fsencode(path)
            folder, name = os.path.split(encoded)
            self.connection.execute(
                "DELETE FROM file WHERE folder = (SELECT id FROM folder WHERE path = ?) AND name = ?", (folder, name)
            )
            for table in ("unread", "unsettled"):
                self.connection.execute(f"DELETE FROM {table} WHERE path = ?", (encoded,))

    def forget_orphans(self) -> None:
        """Drop thumbnails that no file has any more, likewise."""
        for statement in _FORGET_ORPHANS:
            self.connection.execute(statement)

    def put(self, files: Sequence[Listed], recipe: Recipe) -> None:
        """Store what is known of these, in place of what was, likewise; thumbnails are to be added besides."""
        self.forget(row.entry.path for row in files)
        nothing = (None,) * 7
        self.connection.executemany(UPSERT_FILE, ((*self.key(row.entry), *nothing) for row in files))
        self.set_digests((row.entry, row.digest) for row in files if row.digest is not None)
        self.set_contents(recipe.thumbnails, ((row.entry, row.content) for row in files if row.content is not None))
        self.set_wholes(recipe.thumbnails, ((row.entry, row.whole) for row in files if row.whole is not None))
        self.set_hashes(
            recipe.hashes,
            (
                (row.content.id, row.hashes)
                for row in files
                if isinstance(row.content, PictureRef) and row.hashes is not None
            ),
        )
        self.connection.executemany(
            "INSERT INTO unread (path, stage, reason, is_image) VALUES (?, ?, ?, ?)",
            (
                (os.fsencode(row.entry.path), row.unread.stage, _storable(row.unread.reason), row.unread.is_image)
                for row in files
                if row.unread is not None
            ),
        )
        self.connection.executemany(
            "INSERT INTO unsettled (path) VALUES (?)",
            ((os.fsencode(row.entry.path),) for row in files if not row.is_settled),
        )

    def count_pictures(self) -> int:
        """Tell how many files are pictures that could be decoded."""
        with translated():
            (count,) = self.connection.execute("SELECT count(picture) FROM file WHERE whole_failure IS NULL").fetchone()
        return int(count)

    def digest(self, entry: FileEntry) -> bytes | None:
        """Return the digest of a file in the state of ``entry``, whose path is relative; None where it has none."""
        folder, name = os.path.split(os.fsencode(entry.path))
        with translated():
            row = self.connection.execute(
                "SELECT f.digest FROM file f JOIN folder d ON d.id = f.folder WHERE d.path = ? AND f.name = ?",
                (folder, name),
            ).fetchone()
        if row is None or row[0] is None:
            return None
        digest = checksum.digest_in(entry, row[0])
        if digest is None:
            raise DamagedError("what is known of a file is not what was stored")
        return digest


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn what goes wrong with a catalog into one line for the user."""
    try:
        yield
    except DamagedError as error:
        raise CatalogError(f"{path}: the catalog is damaged ({error}): index its folder anew") from error
    except UnusableError as error:
        raise CatalogError(f"{path}: cannot use the catalog: {error}") from error
    except OSError as error:
        raise CatalogError(f"{path}: {reason_of(error)}") from error


def _refuse_untrusted(path: str) -> None:
    """Refuse a catalog that others may write to: it is a haystack; who may write to
    it may say what he likes is in it.
    """
    if (reason := permissions.distrust_of_place(path, _REMEDY)) is not None:
        raise CatalogError(f"{path}: {reason}")
    if (reason := permissions.distrust_of_file(os.lstat(path))) is not None:
        raise CatalogError(f"{path}: the catalog {reason}")


def _storable(reason: str) -> str:
    """Return a reason as SQLite can store it: it may name a pattern that is no UTF-8."""
    return reason.encode("utf-8", "backslashreplace").decode()


def _joined(folder: bytes, name: bytes) -> str:
    return os.fsdecode(folder + os.fsencode(os.sep) + name if folder else name)
