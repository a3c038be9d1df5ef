"""One file among the temporary ones for what has to be unpacked to be read in any order; it goes with the run.

A compressed TAR is one stream: to read a member, all before it has to be unpacked. So the stream is unpacked once, and
members are read where they lie in the scratch file. On Linux it loses its name as soon as it is made, so that it is
gone with the process however that ends; workers reach it through ``/proc``.

What a compressed TAR holds may be known from an earlier run, and every digest of it as well. So an archive is unpacked
when the first of its bytes is asked for: where it is listed, where a member is opened, where one goes to another
process. Whatever goes wrong then is said again of each further member, and not tried again.
"""

from __future__ import annotations

import errno
import os
import threading
import weakref
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from dupfind.archives import unpacking
from dupfind.archives.contents import BrokenArchiveError, read_fully
from dupfind.archives.limits import FREE_SHARE, LEAST_BOMB_BYTES, MOST_RATIO, MOST_SCRATCH_BYTES
from dupfind.sources.entries import ChangedError, open_entry
from dupfind.values import FileEntry

_HEAD_BYTES = 512
_BLOCK_BYTES = 1 << 20


class ScratchFile(NamedTuple):
    """Where the scratch file is found, and what tells that it is the one."""

    path: str
    device: int
    inode: int


def folder_for_large() -> str:
    """Return where large temporary files belong: ``/tmp`` often lies in memory, ``/var/tmp`` never."""
    if os.environ.get("TMPDIR") or not os.access("/var/tmp", os.W_OK | os.X_OK):  # noqa: S108
        import tempfile  # brings OpenSSL

        return tempfile.gettempdir()
    return "/var/tmp"  # noqa: S108 - as the standard for file systems has it


class Scratch:
    """The scratch file of a run; ``folder`` None allows none. Closed when nothing refers to it any more."""

    def __init__(self, folder: str | None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._end = 0
        self._most_bytes = 0
        self.file = ScratchFile("", 0, 0)

    def add(self, blocks: Iterable[bytes], most_bytes: int) -> tuple[int, int]:
        """Append these; returns where they begin and how many bytes they are.

        Raises :class:`BrokenArchiveError` where there are more than ``most_bytes`` or no room for them, and
        ``OSError``.
        """
        with self._lock:  # members are opened by several threads, and archives unpacked as that is asked for
            return self._add(blocks, most_bytes)

    def _add(self, blocks: Iterable[bytes], most_bytes: int) -> tuple[int, int]:
        handle = self._open()
        start = end = self._end
        try:
            for block in blocks:
                end += len(block)
                self._refuse(end - start, most_bytes, end)
                _write(handle, block, end - len(block))
        except BaseException:
            with suppress(OSError):
                os.ftruncate(handle, start)
            raise
        self._end = end
        return start, end - start

    def _refuse(self, size_bytes: int, most_bytes: int, end: int) -> None:
        if size_bytes > most_bytes:
            raise BrokenArchiveError(f"it unpacks to more than {most_bytes:,} bytes")
        if end > self._most_bytes:
            raise BrokenArchiveError(f"there is no room to unpack it in {self.folder}")

    def _open(self) -> int:
        if self._handle is not None:
            return self._handle
        if self.folder is None:
            raise BrokenArchiveError("it would have to be unpacked, and temporary files lie below what is compared")
        import shutil
        import tempfile

        free_bytes = shutil.disk_usage(self.folder).free
        self._most_bytes = min(MOST_SCRATCH_BYTES, int(free_bytes * FREE_SHARE))
        handle, path = tempfile.mkstemp(prefix="dupfind-", dir=self.folder)
        state = os.fstat(handle)
        shared = f"/proc/{os.getpid()}/fd/{handle}"
        if os.path.exists(shared):
            os.unlink(path)
            path = shared
        self.file = ScratchFile(path, state.st_dev, state.st_ino)
        self._handle = handle
        weakref.finalize(self, _close, handle, path)
        return handle


def _write(handle: int, block: bytes, place: int) -> None:
    view = memoryview(block)
    while view:
        count = os.pwrite(handle, view, place) if hasattr(os, "pwrite") else os.write(handle, view)
        place += count
        view = view[count:]


def _close(handle: int, path: str) -> None:
    with suppress(OSError):
        os.close(handle)
    if not path.startswith("/proc/"):
        with suppress(OSError):
            os.unlink(path)


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
        """Unpack it, where that was not done before; returns the scratch file, where it begins there, and its length.

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
                start, unpacked_bytes = self._scratch.add(iter(partial(file.read, _BLOCK_BYTES), b""), size_bytes)
            else:
                most_bytes = max(LEAST_BOMB_BYTES, MOST_RATIO * size_bytes)
                start, unpacked_bytes = self._scratch.add(unpacking.unpack(file, size_bytes, kind), most_bytes)
        if self._known_bytes not in (None, unpacked_bytes):
            raise BrokenArchiveError("it unpacks to something else than before")
        return start, unpacked_bytes
