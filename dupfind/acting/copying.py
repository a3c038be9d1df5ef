"""A copy that is the file, or is not there: read once, digested on the way, written through, and read back.

Knows files and digests, and nothing of plans.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from contextlib import suppress
from typing import IO, NamedTuple

from dupfind.acting.marks import give_marks
from dupfind.acting.places import Folder, Temporary
from dupfind.answers.clean import Marks
from dupfind.digest import RunningDigest, digest
from dupfind.errors import reason_of
from dupfind.sources.entries import ChangedError, open_entry
from dupfind.values import FileEntry

_BLOCK_BYTES = 1 << 20
_ATTRIBUTES = "user."
"""Whose extended attributes are the user's: all others say what the file system, or a guard, knows of a file."""


class Copied(NamedTuple):
    """What a copy is."""

    digest: bytes
    size_bytes: int
    state: os.stat_result
    notes: tuple[str, ...]
    """What could not be kept of it beside its bytes."""


class NotCopiedError(Exception):
    """A file was not copied; the text says why, and ``is_final`` that the next one will not be either."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


def copy(
    entry: FileEntry, target: Temporary, folder: Folder, advance: Callable[[int], None], marks: Marks | None = None
) -> Copied:
    """Copy the file of ``entry`` to ``target``, a new file in ``folder``, and read it back.

    Its digest is made of what was read, which happens once, and again of what the disk gives back. It keeps the time
    and the user's extended attributes, or, where they are given, all of ``marks``. Raises :class:`NotCopiedError`.
    """
    try:
        with open_entry(entry, is_buffered=False) as file:
            before = _identity(file, entry)
            read_digest, size_bytes = _write(file, target.handle, advance)
            if size_bytes != entry.size_bytes:
                raise NotCopiedError("it has another length than was listed")
            notes = _attributes(file, target.handle) if entry.is_on_disk and marks is None else ()
            if _identity(file, entry) != before:
                raise NotCopiedError("it changed while it was copied")
    except ChangedError:
        raise NotCopiedError("it changed while it was copied") from None
    except OSError as error:
        raise NotCopiedError(f"cannot be read: {reason_of(error)}") from error
    try:
        if marks is not None:
            notes = give_marks(marks, target.handle)
        elif (note := _set_times(entry, target.handle)) is not None:
            notes = (*notes, note)
    except OSError as error:
        raise _cannot_write(error) from error
    return _finished(target, folder, read_digest, size_bytes, notes)


def _finished(target: Temporary, folder: Folder, read_digest: bytes, size_bytes: int, notes: tuple[str, ...]) -> Copied:
    """Write the copy through to the disk, and read it back."""
    try:
        os.fsync(target.handle)
        again, length_bytes, state = _read_back(target, folder)
    except OSError as error:
        raise _cannot_write(error) from error
    # Only what the disk gives back shows what it holds; the write itself succeeds on a broken cable, too.
    if (again, length_bytes) != (read_digest, size_bytes):
        raise NotCopiedError("the copy, read back, has other bytes: the disk or its cable may be broken")
    return Copied(read_digest, size_bytes, state, notes)


def _identity(file: IO[bytes], entry: FileEntry) -> tuple[int, ...]:
    """Return what tells a file on disk from every other; nothing for what is no file of the system."""
    if not entry.is_on_disk:
        return ()
    state = os.fstat(file.fileno())
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _write(file: IO[bytes], handle: int, advance: Callable[[int], None]) -> tuple[bytes, int]:
    """Write what ``file`` holds; returns the digest of what was read, and its length."""
    running, size_bytes = RunningDigest(), 0
    while block := file.read(_BLOCK_BYTES):
        running.add(block)
        unwritten = memoryview(block)
        try:
            while unwritten:
                unwritten = unwritten[os.write(handle, unwritten) :]
        except OSError as error:
            raise _cannot_write(error) from error
        size_bytes += len(block)
        advance(len(block))
    return running.value(), size_bytes


def _cannot_write(error: OSError) -> NotCopiedError:
    is_final = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENODEV, errno.ESTALE)
    return NotCopiedError(f"cannot be written: {reason_of(error)}", is_final=is_final)


def _set_times(entry: FileEntry, handle: int) -> str | None:
    """Keep the time of modification; returns a note where the file system has not taken it."""
    modified_ns = entry.mtime_ns if entry.modified_ns is None else entry.modified_ns
    try:
        os.utime(handle, ns=(modified_ns, modified_ns))
    except (OSError, OverflowError) as error:
        return f"its time was not kept: {reason_of(error) if isinstance(error, OSError) else error}"
    return None


def _attributes(file: IO[bytes], handle: int) -> tuple[str, ...]:
    """Keep the user's extended attributes; returns a note for those that the other file system has not taken."""
    if not hasattr(os, "listxattr"):
        return ()
    lost = []
    with suppress(OSError):  # a file system without any
        for name in os.listxattr(file.fileno()):
            if name.startswith(_ATTRIBUTES):
                try:
                    os.setxattr(handle, name, os.getxattr(file.fileno(), name))
                except OSError:
                    lost.append(name)
    return (f"extended attributes were not kept: {', '.join(lost)}",) if lost else ()


def _read_back(target: Temporary, folder: Folder) -> tuple[bytes, int, os.stat_result]:
    """Return the digest of what lies on the disk, its length and its state; by name, as everybody will find it."""
    handle = folder.open_file(target.name)
    with io.FileIO(handle) as file:
        state = os.fstat(handle)
        if not os.path.samestat(state, os.fstat(target.handle)):
            raise NotCopiedError("another file came in the place of the copy")
        if hasattr(os, "posix_fadvise"):
            with suppress(OSError):  # advice only: read from the disk, not from memory
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        value, length_bytes = digest(file)
        return value, length_bytes, os.fstat(handle)
