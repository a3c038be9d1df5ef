"""Upkeep of a cache file between runs: look, prune, clear."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from dupfind.cache import cache_snapshots, cache_tables
from dupfind.cache.cache_file import DamagedError, UnusableError, translated
from dupfind.cache.cache_store import Store
from dupfind.errors import CacheError, reason_of
from dupfind.values import FileEntry

_FORGET_ORPHANS = (
    """DELETE FROM picture WHERE id NOT IN (SELECT picture FROM file WHERE picture IS NOT NULL)
    AND id NOT IN (SELECT whole FROM file WHERE whole IS NOT NULL)""",
    "DELETE FROM hash WHERE picture NOT IN (SELECT id FROM picture)",
    "DELETE FROM judgement WHERE needle NOT IN (SELECT id FROM picture) OR witness NOT IN (SELECT id FROM picture)",
    "DELETE FROM folder WHERE id NOT IN (SELECT folder FROM file)",
)


_Row = tuple[bytes, bytes, int, int, int]
"""Folder, name, size, mtime and ctime."""


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache file holds."""

    size_bytes: int
    files: int
    digests: int
    thumbnails: int
    failures: int
    """Pictures that could not be decoded."""
    answers: int
    """Whole answers, for runs over files that have not changed."""
    snapshots: int
    """Whole haystacks, as ``find`` remembers them, and last runs of ``scan``."""


@dataclass(frozen=True, slots=True)
class CacheCheck:
    """How a cache file is."""

    is_whole: bool
    """By SQLite's own check of its pages."""
    decoded: int
    """Pictures that are remembered."""
    current: int
    """Those of them that the decoders of today have made; the others are decoded again."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning removed and left."""

    removed: int
    kept: int
    away: int
    """Entries kept although their folder is not there: a drive may be unplugged."""
    freed_bytes: int


def info(path: str) -> CacheInfo | None:
    """Return what the cache at ``path`` holds; None when there is none. Raises :class:`~dupfind.errors.CacheError`."""
    if not os.path.lexists(path):
        return None
    with _opened(path) as store:
        with translated():
            files, digests, failures = store.connection.execute(
                "SELECT count(*), count(digest), coalesce(sum(failure IS NOT NULL AND is_image), 0) FROM file"
            ).fetchone()
            (thumbnails,) = store.connection.execute("SELECT count(*) FROM picture").fetchone()
        kept = cache_tables.count_answers(store), cache_snapshots.count(store)
        return CacheInfo(os.path.getsize(path), files, digests, thumbnails, failures, *kept)


def check(path: str, recipe: str) -> CacheCheck | None:
    """Look whether the cache at ``path`` is whole, and what of it holds; None when there is none.

    ``recipe`` is what thumbnails are made by. Changes nothing. Reads the whole file: some seconds for a gigabyte.
    Raises :class:`~dupfind.errors.CacheError`.
    """
    if not os.path.lexists(path):
        return None
    with _opened(path) as store, translated():
        (said,) = store.connection.execute("PRAGMA quick_check(1)").fetchone()
        label = store.label(recipe)
        (decoded,) = store.connection.execute("SELECT count(*) FROM file WHERE picture IS NOT NULL").fetchone()
        (current,) = store.connection.execute(
            "SELECT count(*) FROM file WHERE picture IS NOT NULL AND recipe = ?", (label,)
        ).fetchone()
    return CacheCheck(is_whole=said == "ok", decoded=decoded, current=current)


def clear(path: str) -> int:
    """Delete the cache; returns the bytes freed. What is no cache of dupfind is left alone and is an error."""
    if not os.path.lexists(path):
        return 0
    # Nobody is in the midst of a write while it is deleted: what such a write left beside it would be taken for the
    # journal of the next cache of this name.
    with _opened(path) as store, store.transaction():
        freed_bytes = os.path.getsize(path)
        try:
            os.unlink(path)
            with suppress(FileNotFoundError):
                os.unlink(path + "-journal")
        except OSError as error:
            raise CacheError(f"{path}: {reason_of(error)}") from error
    return freed_bytes


def prune(path: str, *, with_absent_folders: bool) -> Pruned:
    """Drop what is known of files that are gone or have changed since, thumbnails that no file has, and all answers.

    Files of folders that are not there at all are kept unless ``with_absent_folders``: their drive may be unplugged.
    """
    if not os.path.lexists(path):
        return Pruned(0, 0, 0, 0)
    with _opened(path) as store:
        before_bytes = os.path.getsize(path)
        # Looking at a million files takes minutes, in which other runs want to write.
        with translated():
            gone, kept, away = _find_gone(store, with_absent_folders=with_absent_folders)
        with store.transaction():
            removed = _forget(store, gone)
            cache_tables.forget_data_of_gone(store)
            for statement in _FORGET_ORPHANS:
                store.connection.execute(statement)
            cache_tables.forget_comparisons_but(store, _files(store))
            cache_tables.forget_answers(store)  # the next run over the same files makes its answer again
            cache_snapshots.forget(store)  # likewise, and they name thumbnails that are gone
        with translated():
            store.connection.execute("VACUUM")
        freed_bytes = before_bytes - os.path.getsize(path)
    return Pruned(removed, kept, away, max(0, freed_bytes))


def _find_gone(store: Store, *, with_absent_folders: bool) -> tuple[list[_Row], int, int]:
    """Return the rows of files that are gone, and how many others are there or belong to an absent folder."""
    gone: list[_Row] = []
    kept = away = 0
    for folder, folder_path in store.connection.execute("SELECT id, path FROM folder").fetchall():
        is_there = os.path.isdir(folder_path)
        rows = store.connection.execute(
            "SELECT name, size, mtime_ns, ctime_ns FROM file WHERE folder = ?", (folder,)
        ).fetchall()
        for name, *state in rows:
            if not is_there and not with_absent_folders:
                away += 1
            elif is_there and _state(os.path.join(folder_path, name)) == tuple(state):
                kept += 1
            else:
                gone.append((folder_path, name, *state))
    return gone, kept, away


def _files(store: Store) -> Iterator[FileEntry]:
    """Give all files that anything is known of."""
    for folder, name, size_bytes, mtime_ns, ctime_ns, inode in store.connection.execute(
        "SELECT d.path, f.name, f.size, f.mtime_ns, f.ctime_ns, f.inode FROM file f JOIN folder d ON d.id = f.folder"
    ).fetchall():
        path = os.fsdecode(os.path.join(folder, name))
        yield FileEntry(path, size_bytes, mtime_ns, ctime_ns, inode % (1 << 64))


def _forget(store: Store, gone: Sequence[_Row]) -> int:
    """Drop these rows as far as no other run has learned something new of their files; returns how many."""
    done = store.connection.executemany(
        "DELETE FROM file WHERE folder = (SELECT id FROM folder WHERE path = ?) AND name = ? "
        "AND size = ? AND mtime_ns = ? AND ctime_ns = ?",
        gone,
    )
    return max(0, done.rowcount)


def _state(path: bytes) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


@contextmanager
def _opened(path: str) -> Iterator[Store]:
    try:
        store = Store.open_existing(path)
    except (DamagedError, UnusableError) as error:
        raise CacheError(f"{path}: {error}") from error
    try:
        yield store
    except (DamagedError, UnusableError) as error:
        raise CacheError(f"{path}: {error}") from error
    finally:
        store.close()
