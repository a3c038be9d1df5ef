"""A second process that looks at folders from the end, while this one looks from the beginning, until they meet.

Looking at a file takes the system some microseconds, and threads would wait for each other's turn in the interpreter.
The second process is forked, so that it knows what this one knows. It tells what it saw through a pipe, and ends with
it. What it has not told is looked at here, as it would be without it: where it fails, hangs or cannot be started,
nothing is lost but time, and nothing counts as seen that nobody saw.
"""

from __future__ import annotations

import _thread
import atexit
import gc
import marshal
import os
import signal
import sys
import time
import warnings
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple, NoReturn

from dupfind.sources.entries import CODES, HAS_HANDLES, columns_of, open_folder
from dupfind.sources.ignore import (
    are_common_files,
    is_junk_folder,
    may_hold_left_overs,
    why_folder_not_trusted,
)
from dupfind.values import FileEntry, FolderId

FEWEST_FILES = 4_000
"""With fewer files to look at, the second process is not worth its start: two to eight milliseconds, by how much memory
this one has."""
_WRITE_BYTES = 1 << 15
_READ_BYTES = 1 << 16
_LENGTH_BYTES = 4
_MOST_HANDLES = 256
_PATIENCE_SECONDS = 0.2
"""How long a process that was killed is waited for: one that hangs in a disk ends when the disk does."""
_killed: list[int] = []
"""Processes that have not been waited for yet."""
_NAME = attrgetter("name")
_new = tuple.__new__

Looks = Callable[[], Iterable[tuple[str, Any]]]
"""Gives each folder with what was seen in it, as values that :mod:`marshal` knows; the last folder first. What it does
in the second process has no effect here."""


class LookAhead:
    """What a second process tells of folders; nothing until it is begun, where there is none, and after its end."""

    def __init__(self, *, may_fork: bool = False) -> None:
        self._may_fork = may_fork
        self._process: int | None = None
        self._handle: int | None = None
        self._heard = bytearray()
        """The beginning of what is not here as a whole yet."""
        self._told: dict[str, Any] = {}

    def begin(self, looks: Looks, files: int) -> None:
        """Start the second process, unless one was started, or this system or this process had better have none.

        ``files`` is how many there are to look at, as far as that is known.
        """
        if files <= FEWEST_FILES or self._process is not None or not self._may_fork or not can_fork():
            return
        try:
            reading, writing = os.pipe()
        except OSError:  # no handle is left
            self._may_fork = False
            return
        # A signal that comes in between would be answered by both.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ending())
        try:
            with warnings.catch_warnings():  # from Python 3.12 on of threads of libraries, which hold no lock of ours
                warnings.simplefilter("ignore", DeprecationWarning)
                process = os.fork()
            if process == 0:
                _tell(looks, writing)
            os.set_blocking(reading, False)
            self._process, self._handle = process, reading
        except OSError:  # no process or no memory is left
            os.close(reading)
            self._may_fork = False
        finally:
            os.close(writing)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def told(self, folder: str) -> Any:  # noqa: ANN401 - what the looks give
        """Return what was seen in a folder, once; None where nothing has been told of it until now."""
        told = self._told.pop(folder, None)
        if told is None and self._handle is not None:
            self._hear(self._handle)
            told = self._told.pop(folder, None)
        return told

    def end(self) -> None:
        """End the second process, and forget what it has told."""
        handle, process = self._handle, self._process
        self._handle = self._process = None
        self._told.clear()
        self._heard.clear()
        if handle is not None:
            os.close(handle)
        if process is not None:
            _end(process)

    def _hear(self, handle: int) -> None:
        """Take in what has been told by now, without waiting for more."""
        heard = self._heard
        try:
            while data := os.read(handle, _READ_BYTES):
                heard += data
                if len(data) < _READ_BYTES:
                    break
            else:
                self._handle = None
                os.close(handle)
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


def can_fork() -> bool:
    """Tell whether this process may be forked: not on macOS, whose libraries do not bear it, nor beside threads."""
    has_all = HAS_HANDLES and hasattr(os, "fork") and hasattr(signal, "pthread_sigmask")
    return has_all and sys.platform != "darwin" and _thread._count() == 0  # noqa: SLF001 - what threading counts by


def _ending() -> list[int]:
    """Return the signals that end a run."""
    return [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def _tell(looks: Looks, handle: int) -> NoReturn:
    """Be the second process: write what is seen, and end, whatever happens. Nothing is closed, flushed or printed."""
    try:
        for number in (*_ending(), signal.SIGPIPE):  # silently, and with the first write after the other has ended
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        gc.disable()  # it would touch, and so copy, all memory
        _let_go(handle)
        told = bytearray()
        for look in looks():
            data = marshal.dumps(look)
            told += len(data).to_bytes(_LENGTH_BYTES, "big") + data
            if len(told) >= _WRITE_BYTES:
                _write(handle, told)
        _write(handle, told)
    finally:
        os._exit(0)


def _let_go(kept: int) -> None:
    """Close all handles but one, so that no reader of our output and no lock waits for this process."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in range(3):
        if handle != kept:
            os.dup2(nothing, handle)
    os.closerange(3, kept)
    os.closerange(max(3, kept + 1), _MOST_HANDLES)


def _write(handle: int, data: bytearray) -> None:
    while data:
        del data[: os.write(handle, data)]


def _end(process: int) -> None:
    """Kill a process; that it gives its memory back, which takes it ten milliseconds, is not waited for here."""
    _bury()
    with suppress(OSError):  # somebody else has waited for it
        if os.waitpid(process, os.WNOHANG) == (0, 0):
            os.kill(process, signal.SIGKILL)
            _killed.append(process)


def _bury(until_seconds: float = 0.0) -> None:
    """Wait for the processes that were killed, until this time of the monotonic clock at most."""
    for process in list(_killed):
        with suppress(OSError):
            while os.waitpid(process, os.WNOHANG) == (0, 0):
                if time.monotonic() >= until_seconds:
                    return
                time.sleep(0.0005)
        _killed.remove(process)


def _bury_at_the_end() -> None:
    if _killed:
        _bury(time.monotonic() + _PATIENCE_SECONDS)


atexit.register(_bury_at_the_end)


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
        columns = (array(code, column) for code, column in zip(CODES, self.columns, strict=True))
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
