"""One file among the temporary ones for what has to be unpacked to be read in any order; it goes with the run.

A compressed TAR is one stream: to read a member, all before it has to be unpacked. So the stream is unpacked once
(:mod:`dupfind.archives.unpacked`), and members are read where they lie in the scratch file. On Linux it loses its name
as soon as it is made, so that it is gone with the process however that ends; workers reach it through ``/proc``.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from dupfind.archives.contents import BrokenArchiveError
from dupfind.archives.limits import FREE_SHARE, MOST_SCRATCH_BYTES


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
        """Append these; gives where they begin and how many bytes they are.

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
