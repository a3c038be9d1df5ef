"""Folders among the temporary files that nobody else may look into, and what killed runs have left of theirs."""

from __future__ import annotations

import os
import stat
import weakref
from collections.abc import Collection
from contextlib import suppress
from typing import Self

PREFIX = "dupfind-"
_LOCK = "run.lock"
"""In each folder; locked as long as its run lives. The system gives a lock back however a process ends."""
_PLACES = ("TMPDIR", "TEMP", "TMP")


class PrivateFolder:
    """A new folder; gone with :meth:`remove`, at the end of a ``with``, or when nothing refers to it any more."""

    def __init__(self, name: str = "") -> None:
        import tempfile  # brings OpenSSL

        self.path = tempfile.mkdtemp(prefix=PREFIX + name)
        self.remove = weakref.finalize(self, _remove, self.path, _locked(self.path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def usual_place() -> str:
    """Return where temporary files go, but for folders that cannot be written to; without loading :mod:`tempfile`."""
    named = (os.environ.get(name) for name in _PLACES)
    return os.path.realpath(next((folder for folder in named if folder), "/tmp"))  # noqa: S108 - only looked at


def left_behind(place: str) -> list[str]:
    """Return the folders in ``place`` that may be of runs that are gone; few calls of the system, as each run asks."""
    with suppress(OSError):
        return [os.path.join(place, name) for name in sorted(os.listdir(place)) if name.startswith(PREFIX)]
    return []


def remove_left_behind(folders: Collection[str], spared: Collection[str]) -> None:
    """Remove those of ``folders`` whose run is gone: the user's own, closed to others, with a lock that nobody holds.

    A folder that holds one of the ``spared`` paths stays. Where the system has no such locks or users (Windows), or
    would follow a link to a lock, all stay.
    """
    try:
        import fcntl

        user, flags = os.geteuid(), os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
    except (ImportError, AttributeError):
        return
    for folder in folders:
        if any(path.startswith(folder + os.sep) or path == folder for path in spared):
            continue
        with suppress(OSError):  # gone meanwhile, no folder of ours, or of a run that lives
            state = os.lstat(folder)
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != user or state.st_mode & 0o077:
                continue
            handle = os.open(os.path.join(folder, _LOCK), flags)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder, None)
            finally:
                os.close(handle)


def _locked(folder: str) -> int | None:
    """Put a lock into a new folder; returns its handle. It gets its name once it is locked: nobody is too early."""
    try:
        import fcntl

        path = os.path.join(folder, _LOCK)
        handle = os.open(f"{path}.new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except (ImportError, OSError):  # without a lock nobody else ever removes the folder
        return None
    with suppress(OSError):  # a file system without locks: likewise
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(f"{path}.new", path)
    return handle


def _remove(folder: str, handle: int | None) -> None:
    import shutil

    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name != _LOCK:  # which goes last: who is killed in here leaves what the next run can remove
            path = os.path.join(folder, name)
            shutil.rmtree(path, ignore_errors=True)  # which follows no link
            with suppress(OSError):
                os.unlink(path)
    shutil.rmtree(folder, ignore_errors=True)
    if handle is not None:
        os.close(handle)
