"""The tables of the cache for data of files, comparisons at full size and whole answers.

Each is made when its first row is kept, so that a cache from before there were any goes on serving.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from dupfind.cache import checksum
from dupfind.cache.cache_file import CacheFile, DamagedError, translated
from dupfind.cache.cache_schema import (
    ANSWER_TABLE,
    COMPARISON_TABLE,
    FILM_PRINT_TABLE,
    FIRST_LOOK_TABLE,
    FRAGMENT_TABLE,
    IMAGE_DATA_TABLE,
    PART_TABLE,
    Compared,
    FilePair,
    identity,
    is_of,
)
from dupfind.cache.cache_store import Store
from dupfind.reasons import Reason, decode, encode
from dupfind.values import FileEntry

IMAGE_DATA, FILM_PRINTS, FIRST_LOOKS = "image_data", "film_print", "first_look"
FRAGMENTS, PARTS = "fragment", "part"
"""The tables of data: of digests of image data, of prints of films, of what previews show, of what pictures are
searched by for parts, of what was found of these."""
_MOST_VARIABLES = 500
MOST_ANSWERS = 8
MOST_ANSWER_BYTES = 16 << 20
"""A copy of a million files takes some kilobytes, a million pictures that each have a reason some megabytes."""
_TABLES = {
    IMAGE_DATA: IMAGE_DATA_TABLE,
    FILM_PRINTS: FILM_PRINT_TABLE,
    FRAGMENTS: FRAGMENT_TABLE,
    PARTS: PART_TABLE,
    FIRST_LOOKS: FIRST_LOOK_TABLE,
}


def find_data(
    store: Store, recipe: str, entries: Iterable[FileEntry], table: str = IMAGE_DATA
) -> Iterator[bytes | None]:
    """Yield what is kept of each file, empty where it has none, or None where it is to be read.

    A file is known again by path, size, times and inode; one that was moved is read again. The entries of a folder are
    to stand together. Raises the errors of :mod:`dupfind.cache.cache_file`.
    """
    with translated():
        has_table = store.has_table(table)
    label, mark = store.label(recipe), checksum.of_text(recipe)
    for folder, group in groupby(entries, key=lambda entry: entry.path.rpartition(os.sep)[0]):
        if not has_table:
            yield from (None for _ in group)
            continue
        # A few at a time: a folder may have a hundred thousand files, of 4 kB each or more.
        while together := list(islice(group, _MOST_VARIABLES)):
            names = [os.fsencode(entry.path.rpartition(os.sep)[2]) for entry in together]
            with translated():
                select = store.connection.execute(_select(table, len(names)), (os.fsencode(folder), label, *names))
                rows = {row[0]: row for row in select}
            for name, entry in zip(names, together, strict=True):
                row = rows.get(name)
                yield None if row is None or not is_of(entry, row) else _sound(entry, row[5], mark)


def keep_data(store: Store, recipe: str, digests: Iterable[tuple[FileEntry, bytes]], table: str = IMAGE_DATA) -> None:
    """Keep data of files, as a part of the caller's transaction."""
    store.connection.execute(_TABLES[table])
    label, mark = store.make_label(recipe), checksum.of_text(recipe)
    store.connection.executemany(
        f"INSERT OR REPLACE INTO {table} (folder, name, size, mtime_ns, ctime_ns, inode, recipe, digest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ((*store.key(entry), label, checksum.sealed_image_data(entry, digest, mark)) for entry, digest in digests),
    )


def forget_data_of_gone(store: Store) -> None:
    """Drop the data of files of which nothing else is known, as a part of the caller's transaction."""
    for table in _TABLES:
        if store.has_table(table):
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


def find_comparisons(
    file: CacheFile, label: int | None, recipe: str, pairs: Sequence[FilePair]
) -> dict[FilePair, Compared]:
    """Return what is kept of pairs of files as they are now, under this recipe; raises likewise."""
    kept: dict[FilePair, Compared] = {}
    if label is None:
        return kept
    by_key = {(identity(pair.needle), identity(pair.witness), pair.orientation): pair for pair in pairs}
    needles, mark = sorted({needle for needle, *_ in by_key}), checksum.of_text(recipe)
    with translated():
        if not file.has_table("comparison"):
            return kept
        for start in range(0, len(needles), _MOST_VARIABLES):
            batch = needles[start : start + _MOST_VARIABLES]
            rows = file.connection.execute(
                "SELECT needle, witness, orientation, code, reason, seal FROM comparison "
                f"WHERE needle IN ({','.join('?' * len(batch))}) AND recipe = ?",
                (*batch, label),
            )
            for needle, witness, orientation, code, reason, seal in rows:
                pair = by_key.get((needle, witness, orientation))
                if pair is None:
                    continue
                if seal != checksum.of_comparison(needle, witness, orientation, (code, reason), mark):
                    raise DamagedError("how two files were compared is not what was stored")
                kept[pair] = Compared(_reason_in(reason))
    return kept


def keep_comparisons(
    file: CacheFile, label: int, recipe: str, comparisons: Iterable[tuple[FilePair, Compared]]
) -> None:
    """Keep comparisons, as a part of the caller's transaction."""
    mark = checksum.of_text(recipe)
    file.connection.execute(COMPARISON_TABLE)
    file.connection.executemany(
        "INSERT OR REPLACE INTO comparison (needle, witness, orientation, recipe, code, reason, seal) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (_comparison_row(pair, compared, label, mark) for pair, compared in comparisons),
    )


def _comparison_row(pair: FilePair, compared: Compared, label: int, mark: int) -> tuple[object, ...]:
    needle, witness = identity(pair.needle), identity(pair.witness)
    reason = compared.objection
    objection = (None, None) if reason is None else (reason.code, encode(reason))
    seal = checksum.of_comparison(needle, witness, pair.orientation, objection, mark)
    return needle, witness, pair.orientation, label, *objection, seal


def _reason_in(text: str | None) -> Reason | None:
    try:
        return decode(text)
    except (ValueError, TypeError) as error:
        raise DamagedError("how two files were compared cannot be read") from error


def forget_comparisons_but(file: CacheFile, entries: Iterable[FileEntry]) -> None:
    """Drop the comparisons of files that are not among ``entries``, as a part of the caller's transaction."""
    if not file.has_table("comparison"):
        return
    file.connection.execute("CREATE TEMP TABLE there (identity BLOB PRIMARY KEY) WITHOUT ROWID")
    file.connection.executemany("INSERT OR IGNORE INTO there VALUES (?)", ((identity(entry),) for entry in entries))
    file.connection.execute(
        "DELETE FROM comparison WHERE needle NOT IN (SELECT identity FROM there) "
        "OR witness NOT IN (SELECT identity FROM there)"
    )
    file.connection.execute("DROP TABLE there")


class Answer(NamedTuple):
    """One row: what was found, and by which recipe; None where no recipe had a part in it."""

    recipe: str | None
    data: bytes


def find_answer(file: CacheFile, key: bytes) -> Answer | None:
    """Return the whole answer that was kept under ``key``; raises likewise."""
    with translated():
        if not file.has_table("answer"):
            return None
        row = file.connection.execute("SELECT recipe, data FROM answer WHERE key = ?", (key,)).fetchone()
        return None if row is None else Answer(*row)


def keep_answer(file: CacheFile, key: bytes, answer: Answer) -> None:
    """Keep an answer, and of all the newest only; one that is too large is not kept; raises likewise."""
    if len(answer.data) > MOST_ANSWER_BYTES or not file.is_writable:
        return
    with file.transaction():
        file.connection.execute(ANSWER_TABLE)
        file.connection.execute("DELETE FROM answer WHERE key = ?", (key,))
        file.connection.execute("INSERT INTO answer (key, recipe, data) VALUES (?, ?, ?)", (key, *answer))
        file.connection.execute(
            "DELETE FROM answer WHERE id NOT IN (SELECT id FROM answer ORDER BY id DESC LIMIT ?)", (MOST_ANSWERS,)
        )


def count_answers(file: CacheFile) -> int:
    """Count the answers that are kept; raises likewise."""
    with translated():
        return file.connection.execute("SELECT count(*) FROM answer").fetchone()[0] if file.has_table("answer") else 0


def forget_answers(file: CacheFile) -> None:
    """Drop all answers, as a part of the caller's transaction."""
    if file.has_table("answer"):
        file.connection.execute("DELETE FROM answer")
