"""A second process that looks at folders from the end, while this one looks from the beginning, until they meet.

Looking at a file takes the system some microseconds, and threads would wait for each other's turn in the interpreter.
The second process is forked, so that it knows what this one knows. It tells what it saw through a pipe, and ends with
it. What it has not told is looked at here, as it would be without it: where it fails, hangs or cannot be started,
nothing is lost but time, and nothing counts as seen that nobody saw.
"""

from __future__ import annotations

import marshal
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple

from dupfind import forking
from dupfind.forking import ForkedProcess
from dupfind.sources.entries import HAS_HANDLES, columns_of, open_folder
from dupfind.sources.ignore import (
    are_common_files,
    is_junk_folder,
    may_hold_left_overs,
    why_folder_not_trusted,
)
from dupfind.values import FILE_CODES, FileEntry, FolderId

FEWEST_FILES = 4_000
"""With fewer files to look at, the second process is not worth its start: two to eight milliseconds, by how much memory
this one has."""
_WRITE_BYTES = 1 << 11
"""What is told at once: of folders that only are as they were, some twenty. What was seen and is not told when both
processes meet is looked at twice: with sixteen times as much, a tenth of a warm run went into that."""
_READ_BYTES = 1 << 16
_LENGTH_BYTES = 4
_NAME = attrgetter("name")
_new = tuple.__new__

Looks = Callable[[], Iterable[tuple[str, Any]]]
"""Gives each folder with what was seen in it, as values that :mod:`marshal` knows; the last folder first. What it does
in the second process has no effect here."""


class LookAhead:
    """What a second process tells of folders; nothing until it is begun, where there is none, and after its end."""

    def __init__(self, *, may_fork: bool = False) -> None:
        self._may_fork = may_fork
        self._process = ForkedProcess()
        self._heard = bytearray()
        """The beginning of what is not here as a whole yet."""
        self._told: dict[str, Any] = {}

    def begin(self, looks: Looks, files: int) -> None:
        """Start the second process, unless one was started, or this system or this process had better have none.

        ``files`` is how many there are to look at, as far as that is known.
        """
        if files <= FEWEST_FILES or self._process.is_begun or not self._may_fork:
            return
        if not (HAS_HANDLES and forking.can_fork()):
            return
        try:
            self._process.begin(partial(_tell, looks))
        except OSError:
            self._may_fork = False
        if self._process.pipe is not None:
            os.set_blocking(self._process.pipe, False)

    def told(self, folder: str) -> Any:  # noqa: ANN401 - what the looks give
        """Return what was seen in a folder, once; None where nothing has been told of it until now."""
        told = self._told.pop(folder, None)
        if told is None and self._process.pipe is not None:
            self._hear(self._process.pipe)
            told = self._told.pop(folder, None)
        return told

    def end(self) -> None:
        """End the second process, and forget what it has told."""
        self._told.clear()
        self._heard.clear()
        self._process.end()

    def _hear(self, pipe: int) -> None:
        """Take in what has been told by now, without waiting for more."""
        heard = self._heard
        try:
            while data := os.read(pipe, _READ_BYTES):
                heard += data
                if len(data) < _READ_BYTES:
                    break
            else:
                self._process.close()
        except BlockingIOError:
            return
        start = 0
        while len(heard) >= start + _LENGTH_BYTES:
            end = start + _LENGTH_BYTES + int.from_bytes(heard[start : start + _LENGTH_BYTES], "big")
            if end > len(heard):
                break
            folder, seen = marshal.loads(heard[start + _LENGTH_BYTES : end])  # noqa: S302 - nobody else has the pipe
            self._told[folder] = seen
            start = end
        del heard[:start]


def _tell(looks: Looks, pipe: int) -> None:
    """Be the second process: write what is seen."""
    told = bytearray()
    for look in looks():
        data = marshal.dumps(look)
        told += len(data).to_bytes(_LENGTH_BYTES, "big") + data
        if len(told) >= _WRITE_BYTES:
            forking.write(pipe, told)
            told.clear()
    forking.write(pipe, told)


class Look(NamedTuple):
    """A folder of nothing but common files and folders, as it was seen."""

    device: int
    inode: int
    names: str
    """Of its files in order, with a NUL between two."""
    columns: tuple[bytes, ...]
    """Of its files, see :func:`~dupfind.sources.entries.columns_of`."""
    folders: str
    """Names of its folders in order, likewise."""

    @property
    def identity(self) -> FolderId:
        """Tell which folder it was."""
        return self.device, self.inode

    def entries(self, folder: str) -> list[FileEntry]:
        """Return the entries of its files."""
        if not self.names:
            return []
        own = os.path.join(folder, "")
        paths = [own + name for name in self.names.split("\0")]
        columns = (array(code, column) for code, column in zip(FILE_CODES, self.columns, strict=True))
        return list(map(_new, repeat(FileEntry), zip(paths, *columns, strict=True)))

    def subfolders(self, folder: str) -> list[Subfolder]:
        """Return its folders."""
        own = os.path.join(folder, "")
        return [Subfolder(own + name, name) for name in self.folders.split("\0")] if self.folders else []


class Subfolder(NamedTuple):
    """A folder within another one, as :class:`os.DirEntry` has it."""

    path: str
    name: str

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Look at it now; raises ``OSError``."""
        return os.stat(self.path, follow_symlinks=follow_symlinks)


def looks_below(folders: Sequence[str]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Look at ``folders`` and what lies below them, the last one first.

    Yields those of which a :class:`Look` tells all, as tuples. Folders that a walk may not enter are not looked into:
    what is mounted there would come.
    """
    pending = list(folders)
    while pending:
        folder = pending.pop()
        try:
            look, inside = _look(folder)
        except (OSError, OverflowError):  # a time that does not fit into 64 bits
            continue
        own = os.path.join(folder, "")
        pending += [own + name for name in inside if _is_entered(name)]
        if look is not None:
            yield folder, tuple(look)


def _is_entered(name: str) -> bool:
    return not is_junk_folder(name, is_haystack=True) and why_folder_not_trusted(name) is None


def _look(folder: str) -> tuple[Look | None, list[str]]:
    """Look at a folder, in the order of :meth:`~dupfind.sources.walk.Walk.folders`.

    Also returns its folders. None where it holds anything that has to be decided by itself. Raises ``OSError``.
    """
    with os.scandir(folder) as scanned:
        items = sorted(scanned, key=_NAME)
    names = list(map(_NAME, items))
    files = [item.name for item in items if item.is_file(follow_symlinks=False)]
    folders = [item.name for item in items if item.is_dir(follow_symlinks=False)]
    is_plain = len(files) + len(folders) == len(items) and are_common_files(files)
    if not is_plain or may_hold_left_overs(folder, names):
        return None, folders
    handle = open_folder(folder)
    try:
        state = os.fstat(handle)
        columns = columns_of(files, handle)
    finally:
        os.close(handle)
    return Look(state.st_dev, state.st_ino, "\0".join(files), columns, "\0".join(folders)), folders
