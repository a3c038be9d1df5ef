"""Folders held open, so that nothing lands elsewhere: the only place that gives files and folders other names.

Whoever acts goes from a folder that is open to the next, never by a path from the root, and never through a link. What
is renamed never takes a name that is there: ``renameat2`` (Linux), or ``link`` and the removal of the temporary name
that was its own. Where a file system has neither, nothing is renamed there.

A file of the user is given up in one place, :func:`give_up`, by who has read back a copy of it right before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import signal
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Self

from dupfind.acting.journal import sync_folder
from dupfind.acting.listing import state_of
from dupfind.sources.ignore import UNFINISHED_PREFIX, UNFINISHED_SUFFIX
from dupfind.sources.mounts import read_mounts

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_ON_THE_WAY = _FOLDER | getattr(os, "O_PATH", 0)
"""A folder that is only passed through need not be readable."""
_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
# RENAME_NOREPLACE of Linux: the kernel refuses a name that is taken, in the same step.
_NOREPLACE = 1
_REPLACE = 0
_HAS_NOT = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_HAS_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)


class NoSafeRenameError(OSError):
    """A file system on which a name cannot be given without the risk of taking that of another file."""


class Folder:
    """A folder held open."""

    def __init__(self, handle: int, path: str) -> None:
        self.handle = handle
        self.path = path
        """How it was reached; nothing is opened by it."""

    @classmethod
    def open(cls, path: str) -> Self:
        """Open a folder by its absolute path, each on the way from the one around it; no part of it may be a link.

        Raises ``OSError``.
        """
        *parts, last = [part for part in path.split(os.sep) if part] or [os.curdir]
        handle = os.open(os.sep, _ON_THE_WAY)
        try:
            for part in parts:
                deeper = os.open(part, _ON_THE_WAY, dir_fd=handle)
                os.close(handle)
                handle = deeper
            return cls(os.open(last, _FOLDER, dir_fd=handle), path)
        finally:
            os.close(handle)

    def close(self) -> None:
        """Let go of it."""
        os.close(self.handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def inside(self, name: str) -> Folder:
        """Open a folder in it; raises ``OSError`` for a link, or for what is no folder."""
        return Folder(os.open(name, _FOLDER, dir_fd=self.handle), os.path.join(self.path, name))

    def below(self, parts: Sequence[str]) -> Folder:
        """Open a folder below it, each on the way from the one around it; of no parts, itself once more."""
        folder = Folder(os.dup(self.handle), self.path)
        for part in parts:
            try:
                deeper = folder.inside(part)
            finally:
                folder.close()
            folder = deeper
        return folder

    def make(self, name: str, mode: int = 0o777) -> None:
        """Make a folder in it; raises ``FileExistsError`` where the name is taken."""
        os.mkdir(name, mode, dir_fd=self.handle)
        sync_folder(self.handle)

    def remove_folder(self, name: str) -> None:
        """Remove a folder in it that is empty; raises ``OSError`` for any other."""
        os.rmdir(name, dir_fd=self.handle)

    def names(self) -> list[str]:
        """List it, in order."""
        return sorted(os.listdir(self.handle))

    def look(self, name: str) -> os.stat_result:
        """Look at what has this name in it, not at what a link leads to. Raises ``OSError``."""
        return os.stat(name, dir_fd=self.handle, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """Tell whether the name is taken."""
        try:
            self.look(name)
        except FileNotFoundError:
            return False
        return True

    def open_file(self, name: str) -> int:
        """Open a file in it for reading: a regular one, and no link. Raises ``OSError``."""
        handle = os.open(name, _FILE, dir_fd=self.handle)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, "not a regular file")
        return handle

    def is_where_it_was(self) -> bool:
        """Tell whether its path still leads to it."""
        try:
            return os.path.samestat(os.stat(self.path, follow_symlinks=False), os.fstat(self.handle))
        except OSError:
            return False


class Temporary:
    """A new file of our own in a folder, under a name by chance; gone again unless it is given its final name."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder = folder
        self.name = name
        self.handle = os.open(name, _NEW_FILE, 0o666, dir_fd=folder.handle)
        self._is_there = True

    def publish(self, name: str) -> None:
        """Give it its final name. Raises ``FileExistsError`` where that is taken, :class:`NoSafeRenameError`."""
        rename(self._folder, self.name, self._folder, name, is_own=True)
        self._is_there = False
        sync_folder(self._folder.handle)
        if not os.path.samestat(self._folder.look(name), os.fstat(self.handle)):
            raise OSError(errno.ESTALE, "another file came in the place of the copy")

    def keep(self) -> None:
        """Let it stay under the name that it was made with."""
        self._is_there = False
        sync_folder(self._folder.handle)

    def close(self) -> None:
        """Let go of it; what has no final name yet is removed, while it is the file that was made here."""
        with suppress(OSError):
            # By then another file may lie under our name; that one stays.
            if self._is_there and os.path.samestat(self._folder.look(self.name), os.fstat(self.handle)):
                os.unlink(self.name, dir_fd=self._folder.handle)
        os.close(self.handle)


def temporary_name() -> str:
    """Return a name that nobody else has, and that says what it is."""
    return f"{UNFINISHED_PREFIX}{secrets.token_hex(16)}{UNFINISHED_SUFFIX}"


def is_temporary_name(name: str) -> bool:
    """Tell whether a name is one of those."""
    middle = name.removeprefix(UNFINISHED_PREFIX).removesuffix(UNFINISHED_SUFFIX)
    is_framed = name == f"{UNFINISHED_PREFIX}{middle}{UNFINISHED_SUFFIX}"
    return is_framed and len(middle) == 32 and all(digit in "0123456789abcdef" for digit in middle)  # noqa: PLR2004


def remove_left_over(folder: Folder, name: str) -> bool:
    """Remove a temporary file that a run has left which is over, by its journal; returns whether it was there."""
    # The name comes from a journal, which a person can edit: nothing but our own kind of name is removed.
    if not is_temporary_name(name):
        return False
    try:
        if not stat.S_ISREG(folder.look(name).st_mode):
            return False
        os.unlink(name, dir_fd=folder.handle)
    except FileNotFoundError:
        return False
    return True


def rename(source: Folder, name: str, target: Folder, new_name: str, *, is_own: bool = False) -> None:
    """Give a file or folder another name, which must be free. Raises ``FileExistsError`` where it is taken.

    ``is_own`` is for a file of this run, whose old name may be removed after the new one was linked: where there is no
    ``renameat2``. Raises :class:`NoSafeRenameError` where neither is to be had, ``OSError`` otherwise.
    """
    number = _renameat2(source.handle, name, target.handle, new_name)
    if number == 0:
        return
    if number not in _HAS_NOT:
        raise OSError(number, os.strerror(number), new_name)
    if not is_own:
        raise NoSafeRenameError(number, "the file system cannot rename without the risk of replacing a file")
    try:
        os.link(name, new_name, src_dir_fd=source.handle, dst_dir_fd=target.handle, follow_symlinks=False)
    except OSError as error:
        if error.errno in _HAS_NO_LINKS:
            reason = "the file system has neither renameat2 nor hard links, by which a name is given safely"
            raise NoSafeRenameError(error.errno, reason) from error
        raise
    os.unlink(name, dir_fd=source.handle)


def give_up(
    folder: Folder, name: str, state: Sequence[int], parked: str, confirm: Callable[[int], None] | None = None
) -> int:
    """Take away the name of a file whose copy elsewhere the caller has read back; returns its time of change then.

    It is held open, nobody else may write to it, and it is in this ``state``, of which no number is left out; what
    ``confirm`` raises, who is given the open file, keeps it as well. Then it gets the name ``parked``, by chance, under
    which nobody else looks for it, is looked at once more, and goes: had another file come under its name in that
    moment, it would be that one which is parked, and it gets its name back. Raises ``OSError``: it is still there.
    """
    handle = folder.open_file(name)
    try:
        _keep_writers_out(handle, folder.path)
        if state_of(os.fstat(handle)) != tuple(state):
            raise OSError(errno.ESTALE, "it changed since it was copied")
        if confirm is not None:
            confirm(handle)
        if name != parked:
            _park(folder, name, parked)
        try:
            _check_parked(folder.look(parked), os.fstat(handle), state)
            os.unlink(parked, dir_fd=folder.handle)
        except OSError as error:
            raise _unparked(folder, name, parked, error) from error
        sync_folder(folder.handle)
        return os.fstat(handle).st_ctime_ns
    finally:
        os.close(handle)


def _what_lasts(file: os.stat_result) -> tuple[int, ...]:
    """Return of a state what a rename leaves as it is: all but the time of change."""
    return (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, stat.S_IFMT(file.st_mode))


def _check_parked(parked: os.stat_result, held: os.stat_result, state: Sequence[int]) -> None:
    """Raise where what is parked is not the file that is held open, in the state that it had."""
    if not _what_lasts(parked) == _what_lasts(held) == (*state[:4], state[5]):
        raise OSError(errno.ESTALE, "it changed, or another file came in its place")


def _unparked(folder: Folder, name: str, parked: str, error: OSError) -> OSError:
    """Give a parked file its name back; return what is to be said."""
    try:
        if name != parked and folder.has(parked):
            rename(folder, parked, folder, name)
    except OSError as again:
        text = f"{error.strerror}; it lies in {folder.path} as {parked}, and cannot get its name back: {again.strerror}"
        return OSError(error.errno, text)
    return error


def _park(folder: Folder, name: str, parked: str) -> None:
    """Give a file a name by chance, which nobody else has: safe also where a rename may replace."""
    if not is_temporary_name(parked):
        raise OSError(errno.EINVAL, "not a name by chance")
    number = _renameat2(folder.handle, name, folder.handle, parked)
    if number in _HAS_NOT and not folder.has(parked):
        number = _renameat2(folder.handle, name, folder.handle, parked, _REPLACE)
    if number:
        raise OSError(number, os.strerror(number), name)


def _keep_writers_out(handle: int, folder: str) -> None:
    """Hold a lease, until the file is closed: whoever opens it for writing waits so long. Raises where somebody has.

    Where a file system has no leases, or the file is not the user's own, its state has to do; and on a share, where it
    is the server that refuses one, for whatever reason (``nfs4_setlease``, ``cifs_setlease``).
    """
    try:
        import fcntl

        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)  # the usual signal would end the process
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except (ImportError, AttributeError):  # only Linux has them
        return
    except OSError as error:
        mount = read_mounts().around(folder)
        if error.errno == errno.EAGAIN and not (mount is not None and mount.system.is_remote):
            # Whatever it writes from now on would be in no copy.
            raise OSError(errno.EBUSY, "another program has it open for writing") from error


def free_bytes(path: str) -> int | None:
    """Return how much a user may write where a folder lies, or is to lie; None where that cannot be told."""
    if not hasattr(os, "statvfs"):
        return None
    try:
        system = os.statvfs(path if os.path.isdir(path) else os.path.dirname(path))
    except OSError:
        return None
    return system.f_bavail * system.f_frsize


def can_rename() -> bool:
    """Tell whether this system can rename without replacing."""
    return _function() is not None


@cache
def _function() -> ctypes._NamedFuncPointer | None:
    """Return ``renameat2`` of the C library, None where there is none."""
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return function


def _renameat2(source: int, name: str, target: int, new_name: str, flags: int = _NOREPLACE) -> int:
    """Rename, without replacing unless ``flags`` say so; returns the number of the error, 0 for none."""
    function = _function()
    if function is None:
        return errno.ENOSYS
    if "\0" in name + new_name:
        return errno.ENOENT
    ctypes.set_errno(0)
    failed = function(source, os.fsencode(name), target, os.fsencode(new_name), flags)
    return ctypes.get_errno() or errno.EIO if failed else 0
