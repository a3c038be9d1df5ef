"""Files that are held open, for the processes that decode: what they read is that very file, whatever it is called."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from dupfind.sources.entries import ChangedError, StoredEntry, entry_of, without_inode
from dupfind.values import FileEntry


class HeldEntry(StoredEntry):
    """A file that this program's own process holds open; any process of the user reads it by that handle.

    It keeps the path by which it was listed, since names have a part in judgements.
    """

    way: str
    """The handle, as Linux shows it: ``/proc/PID/fd/NUMBER``."""

    @classmethod
    def of(cls, entry: FileEntry, handle: int) -> HeldEntry:
        """Hold ``entry``, which was opened as ``handle``."""
        held = cls(*entry)
        held.way = f"/proc/{os.getpid()}/fd/{handle}"
        return held

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open it once more; raises :class:`ChangedError` before and after where it is not what was listed."""
        with open(self.way, "rb") as file:
            self._check(file)
            yield file
            self._check(file)

    def now(self) -> FileEntry | None:
        """Look at it again."""
        now = entry_of(self.path, os.stat(self.way))
        return now if self.inode else without_inode(now)

    def _check(self, file: IO[bytes]) -> None:
        now = entry_of(self.path, os.fstat(file.fileno()))
        if now[1:4] != self[1:4] or self.inode not in (0, now.inode):
            raise ChangedError
