"""The cache's table of whole answers: what it is asked and told. The newest few are kept.

The table is made when the first answer is kept, so that a cache from before there were answers goes on serving.
"""

from __future__ import annotations

from typing import NamedTuple

from dupfind.cache.cache_file import CacheFile, translated
from dupfind.cache.cache_schema import ANSWER_TABLE

MOST_ANSWERS = 8
MOST_ANSWER_BYTES = 16 << 20
"""A copy of a million files takes some kilobytes, a million pictures that each have a reason some megabytes."""


class Answer(NamedTuple):
    """One row: what was found, and by which recipe; None where no recipe had a part in it."""

    recipe: str | None
    data: bytes


def find(file: CacheFile, key: bytes) -> Answer | None:
    """Return what was kept under ``key``. Raises the errors of :mod:`dupfind.cache.cache_file`."""
    with translated():
        if not _has_table(file):
            return None
        row = file.connection.execute("SELECT recipe, data FROM answer WHERE key = ?", (key,)).fetchone()
        return None if row is None else Answer(*row)


def keep(file: CacheFile, key: bytes, answer: Answer) -> None:
    """Keep an answer, and of all the newest only; one that is too large is not kept. Raises likewise."""
    if len(answer.data) > MOST_ANSWER_BYTES or not file.is_writable:
        return
    with file.transaction():
        file.connection.execute(ANSWER_TABLE)
        file.connection.execute("DELETE FROM answer WHERE key = ?", (key,))
        file.connection.execute("INSERT INTO answer (key, recipe, data) VALUES (?, ?, ?)", (key, *answer))
        file.connection.execute(
            "DELETE FROM answer WHERE id NOT IN (SELECT id FROM answer ORDER BY id DESC LIMIT ?)", (MOST_ANSWERS,)
        )


def count(file: CacheFile) -> int:
    """Count the answers that are kept. Raises likewise."""
    with translated():
        return file.connection.execute("SELECT count(*) FROM answer").fetchone()[0] if _has_table(file) else 0


def forget(file: CacheFile) -> None:
    """Drop all answers, as a part of the caller's transaction."""
    if _has_table(file):
        file.connection.execute("DELETE FROM answer")


def _has_table(file: CacheFile) -> bool:
    tables = file.connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'answer'")
    return tables.fetchone() is not None
