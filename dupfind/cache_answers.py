"""The cache's table of whole answers: what it is asked and told. The newest few are kept."""

from __future__ import annotations

from dupfind.cache_file import CacheFile, translated
from dupfind.cache_schema import ANSWER_TABLE

MOST_ANSWERS = 8
MOST_ANSWER_BYTES = 16 << 20
"""A million needles that all have a witness take some megabytes."""


class Answers(CacheFile):
    """A cache file as the keeper of answers.

    The table is made when the first answer is kept, so that a cache from before there were answers goes on serving.
    """

    def find(self, key: bytes) -> tuple[str | None, bytes] | None:
        """The recipe and the data that were kept under ``key``. Raises the errors of :mod:`dupfind.cache_file`."""
        with translated():
            if not self._has_table():
                return None
            row: tuple[str | None, bytes] | None = self.connection.execute(
                "SELECT recipe, data FROM answer WHERE key = ?", (key,)
            ).fetchone()
            return row

    def keep(self, key: bytes, recipe: str | None, data: bytes) -> None:
        """Keep an answer, and of all the newest only; one that is too large is not kept. Raises likewise."""
        if len(data) > MOST_ANSWER_BYTES or not self.is_writable:
            return
        with self.transaction():
            self.connection.execute(ANSWER_TABLE)
            self.connection.execute("DELETE FROM answer WHERE key = ?", (key,))
            self.connection.execute("INSERT INTO answer (key, recipe, data) VALUES (?, ?, ?)", (key, recipe, data))
            self.connection.execute(
                "DELETE FROM answer WHERE id NOT IN (SELECT id FROM answer ORDER BY id DESC LIMIT ?)", (MOST_ANSWERS,)
            )

    def count(self) -> int:
        """How many answers are kept. Raises likewise."""
        with translated():
            if not self._has_table():
                return 0
            (number,) = self.connection.execute("SELECT count(*) FROM answer").fetchone()
            return int(number)

    def forget(self) -> None:
        """Drop all answers; a part of somebody's transaction."""
        if self._has_table():
            self.connection.execute("DELETE FROM answer")

    def _has_table(self) -> bool:
        row = self.connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'answer'").fetchone()
        return row is not None
