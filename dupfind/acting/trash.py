"""The trash of the desktop, by freedesktop.org's Trash specification 1.0: the one door to it.

Own code, since the libraries (Send2Trash 2.2 and others) do not say where they put a file, rename over what came there
meanwhile, and copy and delete where a rename is not possible. Here a file is renamed on its own file system, under a
name that is free, or left where it is with the reason.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from dupfind.acting.journal import sync_folder
from dupfind.acting.layout import MOST_NAME_BYTES, shortened, split_name
from dupfind.acting.places import Folder
from dupfind.errors import ActingError, reason_of
from dupfind.values import is_below

_SUFFIX = ".trashinfo"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_MOST_NAMES = 10_000
_MOST_BYTES = MOST_NAME_BYTES - len(_SUFFIX) - len(f" {_MOST_NAMES}")
"""How long a name in the trash may be: its note has a suffix, and where it is taken it gets a number."""
_MODE = 0o700


class Claim(NamedTuple):
    """A name in a trash that nobody else can take: its note is written, and nothing lies there yet."""

    files: str
    """The path of the folder that holds what was thrown away."""
    name: str
    info: str
    """The path of the note."""


class Trash:
    """The trash of one file system, in which what lies at or below ``path`` can be thrown away.

    Raises :class:`~dupfind.errors.ActingError` where there is none: nothing is thrown away then.
    """

    def __init__(self, path: str) -> None:
        if sys.platform in ("win32", "darwin"):
            raise ActingError(
                "--trash works on systems with the trash of freedesktop.org (Linux); --move-to everywhere"
            )
        try:
            device = os.lstat(path).st_dev
            self._top: str | None = None
            self.path = os.path.realpath(_home_trash(device) or self._of_mount(path, device))
            self._files, self._info = (_own_folder(os.path.join(self.path, name)) for name in ("files", "info"))
            if os.stat(self._files).st_dev != device or os.stat(self._info).st_dev != device:
                raise ActingError(f"{path}: the trash lies on another file system")
        except OSError as error:
            raise ActingError(f"{path}: its file system has no trash: {reason_of(error)}") from error

    def _of_mount(self, path: str, device: int) -> str:
        """Return the trash at the top of a file system: the shared one where it is safe, else one of our own."""
        self._top = _top_of(path, device)
        shared = os.path.join(self._top, ".Trash")
        user = str(os.getuid())
        with suppress(OSError):
            mode = os.lstat(shared).st_mode
            # Without the sticky bit others could take away or replace what lies in a shared trash.
            if stat.S_ISDIR(mode) and mode & stat.S_ISVTX:
                return _own_folder(os.path.join(shared, user))
        return _own_folder(os.path.join(self._top, f".Trash-{user}"))

    def claim(self, path: str) -> Claim:
        """Take a name for what lies at ``path``, which is absolute: the note of where it was is written first."""
        stem, suffix = split_name(shortened(os.path.basename(path) or "files", _MOST_BYTES))
        # Below the top of its own file system the way from there is noted, since the drive may be mounted elsewhere.
        is_of_top = self._top is not None and is_below(path, self._top)
        noted = os.path.relpath(path, self._top) if is_of_top else path
        moment = datetime.now().isoformat(timespec="seconds")  # noqa: DTZ005 - local time, as the specification has it
        text = f"[Trash Info]\nPath={quote(os.fsencode(noted))}\nDeletionDate={moment}\n"
        for number in range(1, _MOST_NAMES):
            name = f"{stem}{suffix}" if number == 1 else f"{stem} {number}{suffix}"
            if os.path.lexists(os.path.join(self._files, name)):
                continue
            info = os.path.join(self._info, name + _SUFFIX)
            try:
                handle = os.open(info, _NEW, 0o600)
            except FileExistsError:
                continue
            with open(handle, "wb") as file:
                file.write(text.encode("ascii"))
                file.flush()
                os.fsync(handle)
            sync_folder(self._info)
            return Claim(self._files, name, info)
        raise OSError(errno.EEXIST, "no name is free in the trash")

    def give_back(self, claim: Claim) -> None:
        """Take back a claim of this run: nothing was thrown away."""
        if not os.path.lexists(os.path.join(claim.files, claim.name)):
            with suppress(OSError):
                os.unlink(claim.info)

    def open(self) -> Folder:
        """Open the folder that holds what was thrown away."""
        return Folder.open(self._files)


def trashes(path: str) -> list[str]:
    """Return where the trash of what lies at ``path`` is, or would be; makes nothing. Raises ``OSError``."""
    device = os.lstat(path).st_dev
    top, user = _top_of(path, device), str(os.getuid()) if hasattr(os, "getuid") else ""
    places = [os.path.join(top, ".Trash", user), os.path.join(top, f".Trash-{user}")]
    data = _data_folder()
    return [os.path.realpath(place) for place in (os.path.join(data, "Trash"), *places)]


def forget(info: str) -> None:
    """Remove the note of something that was put back, by its journal: a note, of nothing any more."""
    folder, name = os.path.split(info)
    files = os.path.join(os.path.dirname(folder), "files", name.removesuffix(_SUFFIX))
    if name.endswith(_SUFFIX) and os.path.basename(folder) == "info" and not os.path.lexists(files):
        with suppress(OSError):
            if stat.S_ISREG(os.lstat(info).st_mode):
                os.unlink(info)


def _home_trash(device: int) -> str | None:
    """Return the trash of the user's home where that lies on this device; None elsewhere."""
    data = _data_folder()
    if not os.path.isabs(data):
        return None
    near = data
    while not os.path.isdir(near):
        near = os.path.dirname(near)
    if os.stat(near).st_dev != device:
        return None
    os.makedirs(data, mode=_MODE, exist_ok=True)
    return _own_folder(os.path.join(data, "Trash"))


def _data_folder() -> str:
    return os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")


def _top_of(path: str, device: int) -> str:
    """Return the topmost folder of the file system that ``path`` lies on."""
    top = path if os.path.isdir(path) and not os.path.islink(path) else os.path.dirname(path)
    while (above := os.path.dirname(top)) != top and os.lstat(above).st_dev == device and not os.path.ismount(top):
        top = above
    return top


def _own_folder(path: str) -> str:
    """Return a folder of ours, made where it is not there; raises ``OSError`` for a link or a folder of others."""
    with suppress(FileExistsError):
        os.mkdir(path, _MODE)
    state = os.lstat(path)
    if not stat.S_ISDIR(state.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, f"{path} is not a folder")
    if state.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, f"{path} belongs to somebody else")
    return path
