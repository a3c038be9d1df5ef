"""The cache's table of comparisons at full size, by the two files as they were: what it is asked and told.

The table is made when the first comparison is kept, so that a cache from before there were any goes on serving.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from dupfind.cache import checksum
from dupfind.cache.cache_file import CacheFile, DamagedError, translated
from dupfind.cache.cache_schema import COMPARISON_TABLE, Compared, FilePair
from dupfind.reasons import Reason, decode, encode
from dupfind.values import FileEntry

_IDENTITY_BYTES = 16
_MOST_VARIABLES = 500


def identity(entry: FileEntry) -> bytes:
    """Return what stands for a file in one state: a digest of its path, size, times and inode."""
    path, *state = entry
    return blake2b(os.fsencode(path) + repr(state).encode(), digest_size=_IDENTITY_BYTES).digest()


def find(file: CacheFile, label: int | None, recipe: str, pairs: Sequence[FilePair]) -> dict[FilePair, Compared]:
    """Return what is kept of these pairs under this recipe. Raises the errors of :mod:`dupfind.cache.cache_file`."""
    kept: dict[FilePair, Compared] = {}
    if label is None:
        return kept
    by_key = {(identity(pair.needle), identity(pair.witness), pair.orientation): pair for pair in pairs}
    needles, mark = sorted({needle for needle, *_ in by_key}), checksum.of_text(recipe)
    with translated():
        if not _has_table(file):
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
                kept[pair] = Compared(_read(reason))
    return kept


def keep(file: CacheFile, label: int, recipe: str, comparisons: Iterable[tuple[FilePair, Compared]]) -> None:
    """Keep comparisons, as a part of the caller's transaction."""
    mark = checksum.of_text(recipe)
    file.connection.execute(COMPARISON_TABLE)
    file.connection.executemany(
        "INSERT OR REPLACE INTO comparison (needle, witness, orientation, recipe, code, reason, seal) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (_row(pair, compared, label, mark) for pair, compared in comparisons),
    )


def _row(pair: FilePair, compared: Compared, label: int, mark: int) -> tuple[object, ...]:
    needle, witness = identity(pair.needle), identity(pair.witness)
    reason = compared.objection
    objection = (None, None) if reason is None else (reason.code, encode(reason))
    seal = checksum.of_comparison(needle, witness, pair.orientation, objection, mark)
    return needle, witness, pair.orientation, label, *objection, seal


def _read(text: str | None) -> Reason | None:
    try:
        return decode(text)
    except (ValueError, TypeError) as error:
        raise DamagedError("how two files were compared cannot be read") from error


def forget_all_but(file: CacheFile, entries: Iterable[FileEntry]) -> None:
    """Drop the comparisons of files that are not among ``entries``, as a part of the caller's transaction."""
    if not _has_table(file):
        return
    file.connection.execute("CREATE TEMP TABLE there (identity BLOB PRIMARY KEY) WITHOUT ROWID")
    file.connection.executemany("INSERT OR IGNORE INTO there VALUES (?)", ((identity(entry),) for entry in entries))
    file.connection.execute(
        "DELETE FROM comparison WHERE needle NOT IN (SELECT identity FROM there) "
        "OR witness NOT IN (SELECT identity FROM there)"
    )
    file.connection.execute("DROP TABLE there")


def _has_table(file: CacheFile) -> bool:
    tables = file.connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'comparison'")
    return tables.fetchone() is not None
