"""What an archive unpacks to, where it has to be unpacked to be read: once a run, and not before somebody asks for it.

What a compressed TAR holds may be known from an earlier run, and every digest of it as well. So an archive is unpacked
when the first of its bytes is asked for: where it is listed, where a member is opened, where one goes to another
process. Whatever goes wrong then is said again of each further member, and not tried again.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from typing import IO

from dupfind.archives import unpacking
from dupfind.archives.contents import BrokenArchiveError, read_fully
from dupfind.archives.limits import LEAST_BOMB_BYTES, MOST_RATIO
from dupfind.archives.scratch import Scratch, ScratchFile
from dupfind.sources.entries import ChangedError, open_entry
from dupfind.values import FileEntry

_HEAD_BYTES = 512
_BLOCK_BYTES = 1 << 20


class Unpacked:
    """What ``archive``, on disk or in another archive, unpacks to in the scratch file of the run.

    ``known_bytes`` is how many bytes that were when its members were listed in an earlier run.
    """

    def __init__(self, archive: FileEntry, scratch: Scratch, known_bytes: int | None = None) -> None:
        self._archive = archive
        self._scratch = scratch
        self._known_bytes = known_bytes
        self._start: int | None = None
        self._size_bytes = 0
        self._why_not: Exception | None = None
        self._lock = threading.Lock()

    def unpack(self) -> tuple[ScratchFile, int, int]:
        """Unpack it, where that was not done before; gives the scratch file, where it begins there, and its length.

        Raises :class:`~dupfind.archives.contents.BrokenArchiveError`,
        :class:`~dupfind.sources.entries.ChangedError`, and what is raised by damaged data
        (:data:`~dupfind.archives.unpacking.ERRORS`).
        """
        with self._lock:
            if self._why_not is not None:
                raise self._why_not
            if self._start is None:
                try:
                    self._start, self._size_bytes = self._unpack()
                except (BrokenArchiveError, ChangedError, *unpacking.ERRORS) as error:
                    self._why_not = error
                    raise
            return self._scratch.file, self._start, self._size_bytes

    def place(self) -> tuple[ScratchFile, int]:
        """Give the scratch file and where it begins there.

        Raises ``OSError`` where it cannot be unpacked, and :class:`~dupfind.sources.entries.ChangedError`.
        """
        try:
            file, start, _ = self.unpack()
        except OSError:
            raise
        except (BrokenArchiveError, *unpacking.ERRORS) as error:
            raise OSError(errno.EIO, f"the archive cannot be unpacked: {error}") from None
        return file, start

    def _unpack(self) -> tuple[int, int]:
        with open_entry(self._archive, is_buffered=False) as file:
            kind = unpacking.kind_of(read_fully(file.read, _HEAD_BYTES))
            file.seek(0)
            size_bytes = self._archive.size_bytes
            if kind is None:
                start, unpacked_bytes = self._scratch.add(_blocks(file), size_bytes)
            else:
                most_bytes = max(LEAST_BOMB_BYTES, MOST_RATIO * size_bytes)
                start, unpacked_bytes = self._scratch.add(unpacking.unpack(file, size_bytes, kind), most_bytes)
        if self._known_bytes not in (None, unpacked_bytes):
            raise BrokenArchiveError("it unpacks to something else than before")
        return start, unpacked_bytes


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK_BYTES):
        yield block
