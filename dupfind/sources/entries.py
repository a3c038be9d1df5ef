"""Entries: what the system says of one file, as values, and entries of sources that the system knows nothing of.

Here is the one place that looks at an entry again or opens it, whatever source it came from. An entry crosses to
another process as it is, so whoever opens it there needs no table of sources.
"""

from __future__ import annotations

import errno
import os
import stat
from abc import abstractmethod
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import repeat
from typing import IO, Any, Self

from dupfind.values import FILE_CODES, FileEntry, FolderId

_READ_ONLY = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_WITHOUT_BLOCKING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
"""A file that was replaced by a named pipe would block the open for ever."""

_BLOCK_BYTES = 1 << 20

HAS_HANDLES = os.stat in os.supports_dir_fd
"""Whether files can be looked at from a handle of their folder."""
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)

_new = tuple.__new__
"""Makes a named tuple of a tuple in half the time."""


def entry_of(path: str, state: os.stat_result) -> FileEntry:
    """Return the entry of a file that the system gave this of."""
    return _new(FileEntry, (path, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino))


def open_folder(folder: str, *, may_be_link: bool = True) -> int:
    """Return a handle of a folder, for who looks at many of its files; raises ``OSError``."""
    return os.open(folder, _FOLDER_FLAGS | (0 if may_be_link else _NO_LINK))


def not_as_listed(entries: Sequence[FileEntry], names: Iterable[str], folder: int) -> list[FileEntry]:
    """Return those of ``entries`` that are not as they were listed, or of which only a closer look can tell.

    They are files on disk, called ``names``, in the folder of this handle: the way to it need not be gone, nor a value
    made, for each of them. A closer look is :func:`entry_now`.
    """
    doubtful = []
    look, is_regular = os.stat, stat.S_ISREG
    for entry, name in zip(entries, names, strict=True):
        try:
            now = look(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            doubtful.append(entry)
            continue
        state = now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino
        if state != entry[1:] or not is_regular(now.st_mode):
            doubtful.append(entry)
    return doubtful


def columns_of(names: Iterable[str], folder: int) -> tuple[bytes, ...]:
    """Look at files called ``names`` in the folder of this handle; returns their sizes, mtimes, ctimes and inodes.

    Each is the bytes of an array of 64 bits. Raises ``OSError``, also for what is no regular file, and
    ``OverflowError``.
    """
    look, is_regular = os.stat, stat.S_ISREG
    states = []
    for name in names:
        now = look(name, dir_fd=folder, follow_symlinks=False)
        if not is_regular(now.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        states.append((now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino))
    columns = zip(*states, strict=True) if states else repeat((), len(FILE_CODES))
    return tuple(array(code, column).tobytes() for code, column in zip(FILE_CODES, columns, strict=True))


def without_inode(entry: FileEntry) -> FileEntry:
    """Return the same file, known by less."""
    return entry._replace(inode=0)


def number_of(place: bytes) -> int:
    """Return 56 bits of a digest of a place, for what has no inode number of its own."""
    from hashlib import blake2b  # brings OpenSSL

    return int.from_bytes(blake2b(place, digest_size=7).digest())


def is_same_folder(first: FolderId, second: FolderId, forgetful: Collection[int]) -> bool:
    """Tell whether two looks at one path met the same directory, as far as its file system can tell."""
    return first == second or (first[0] == second[0] and first[0] in forgetful)


class ChangedError(Exception):
    """A file is not, or not any more, the one that was listed."""


class StoredEntry(FileEntry):
    """An entry of a source that is no folder: no path of the system leads to it, and it opens itself.

    ``path`` is its name and its key: unlike that of any other entry of the run, with ``/`` between folders. Size and
    times tell two states of it apart. ``inode`` is a number that no other entry of this size and these times has, or
    0 where there is none, and then nothing is remembered of it: the cache knows files by it that were moved.

    What a subclass keeps beside these five travels with it to the process that reads. Keep it small: thousands may
    wait in line.
    """

    __slots__ = ()

    @property
    def is_on_disk(self) -> bool:
        """Tell that the system knows nothing of it."""
        return False

    @property
    def is_only_here(self) -> bool:
        """Tell whether only processes of this machine can open it; False where any that sees the same roots can."""
        return False

    @property
    def modified_ns(self) -> int | None:
        """Return None: its ``mtime_ns`` tells states apart, and is nobody's work on it."""
        return None

    @abstractmethod
    def open(self) -> AbstractContextManager[IO[bytes]]:
        """Open it for reading, as a binary file that can seek. Runs in a worker.

        Raises ``OSError`` where it cannot be read, and :class:`ChangedError`, when it is opened and again when it is
        closed, where it is not the one that was listed: what was read in between is worth nothing then.
        """

    def blocks(self) -> Iterator[bytes]:
        """Yield all of its bytes in order, cut anywhere; raises as :meth:`open`, which makes them worthless.

        For a digest: what is unpacked need not be kept for whoever goes back.
        """
        with self.open() as file:
            while block := file.read(_BLOCK_BYTES):
                yield block

    @abstractmethod
    def now(self) -> FileEntry | None:
        """Look at it again; returns the entry as it is now, None where it is gone. Raises ``OSError``."""

    def _replace(self, **fields: Any) -> Self:  # noqa: ANN401 - as the method of any named tuple
        """Return the same with other ``fields``; what a subclass keeps besides comes along."""
        copy = super()._replace(**fields)
        if hasattr(self, "__dict__"):
            vars(copy).update(vars(self))
        return copy


def entry_now(entry: FileEntry, *, follow_symlinks: bool) -> FileEntry | None:
    """Look at a file again; returns the entry as it is now, None where no file is there. Raises ``OSError``."""
    if isinstance(entry, StoredEntry):
        return entry.now()
    state = os.stat(entry.path, follow_symlinks=follow_symlinks)
    if not stat.S_ISREG(state.st_mode):
        return None
    now = entry_of(entry.path, state)
    return now if entry.inode else without_inode(now)


@contextmanager
def open_entry(entry: FileEntry, *, is_buffered: bool = True) -> Iterator[IO[bytes]]:
    """Open the file of ``entry``, and see before and after that it is the one that was listed.

    Raises ``OSError`` and :class:`ChangedError`.
    """
    if isinstance(entry, StoredEntry):
        with entry.open() as file:
            yield file
        return
    with open(entry.path, "rb", buffering=-1 if is_buffered else 0, opener=_open_without_blocking) as file:
        if not _is_as_listed(file.fileno(), entry):
            raise ChangedError
        yield file
        if not _is_as_listed(file.fileno(), entry):
            raise ChangedError


def read_small(entry: FileEntry) -> bytes | None:
    """Read a small file on disk by as few calls of the system as can be; None where anything is not as usual."""
    if not entry.is_on_disk:
        return None
    try:
        handle = _open_without_blocking(entry.path, _READ_ONLY)
        try:
            if _is_as_listed(handle, entry):
                content = os.read(handle, entry.size_bytes + 1)
                if len(content) == entry.size_bytes and _is_as_listed(handle, entry):
                    return content
        finally:
            os.close(handle)
    except OSError:
        pass
    return None


def _open_without_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | _WITHOUT_BLOCKING)


def open_unfollowed(path: str, flags: int, mode: int = 0o600, *, folder: int | None = None) -> int:
    """Open a file that is no link, relative to the handle ``folder`` if given; returns its handle, which never waits.

    Where the system has no O_NOFOLLOW, the name is looked at before and after. Raises OSError.
    """
    flags |= sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_BINARY"))
    if hasattr(os, "O_NOFOLLOW"):
        return os.open(path, flags, mode, dir_fd=folder)
    try:
        _refuse_unless_regular(os.stat(path, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
        try:
            return os.open(path, flags | os.O_EXCL, mode, dir_fd=folder)  # which follows no link that is planted now
        except FileExistsError:  # another run has made it meanwhile
            return open_unfollowed(path, flags, mode, folder=folder)
    handle = os.open(path, flags & ~os.O_CREAT, mode, dir_fd=folder)
    try:
        _refuse_unless_regular(os.stat(path, dir_fd=folder, follow_symlinks=False), handle)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _refuse_unless_regular(status: os.stat_result, handle: int | None = None) -> None:
    """Raise OSError for a link, for a pipe, which would keep us waiting, and where ``handle`` is of another file."""
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if handle is not None and not os.path.samestat(status, os.fstat(handle)):
        raise OSError(errno.ESTALE, "it was replaced as it was opened")


def _is_as_listed(handle: int, entry: FileEntry) -> bool:
    state = os.fstat(handle)
    return (
        stat.S_ISREG(state.st_mode)
        and (state.st_size, state.st_mtime_ns, state.st_ctime_ns) == (entry.size_bytes, entry.mtime_ns, entry.ctime_ns)
        and entry.inode in (0, state.st_ino)  # 0: a system that lists no inodes
    )
