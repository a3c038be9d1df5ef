"""SQLite that does not wait for the disk, which only the end of the power could tell from one that does."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Any


def never_wait_for_the_disk() -> None:
    """From now on every database that this process opens leaves it to the system when its changes reach the disk."""
    real = sqlite3.connect

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = real(*arguments, **options)
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA synchronous = OFF")
        return connection

    sqlite3.connect = connect  # type: ignore[assignment]
