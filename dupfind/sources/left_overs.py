"""Tells junk whose name does not say enough by a look at the file: left-overs, and AppleDouble.

What systems, cameras and drives leave behind has rules in :mod:`dupfind.sources.junk_names`. AppleDouble is what a Mac
keeps of a file where a disk has no place for it. Such a file is named after its owner, ``._IMG.jpg`` for ``IMG.jpg``,
but a picture may bear such a name too. The number is that of the format's definition, RFC 1740, appendix B. AppleSingle
has another one, because it holds the file itself.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable, Iterator
from functools import cached_property, partial

from dupfind.sources.entries import open_unfollowed
from dupfind.sources.ignore import is_junk_file, may_be_appledouble
from dupfind.sources.junk_names import guards_of, is_left_over

HEAD_BYTES = 1 << 16
"""What is read of a file; nearly all have 4 KiB or less."""
_START = bytes.fromhex("0005160700020000")
"""The number and the version of AppleDouble."""
_HEADER, _ENTRY, _RESOURCE_HEADER = struct.Struct(">8s16sH"), struct.Struct(">3I"), struct.Struct(">4I")
_DATA, _RESOURCES, _FINDER_INFO = 1, 2, 9
_FINDER_INFO_BYTES, _ATTRIBUTES_AT = 32, 34
"""Behind what the Finder keeps of a file, and two bytes, a Mac keeps extended attributes in the same entry."""
_MOST_ENTRY_BYTES = _MOST_GAP_BYTES = 1 << 12
"""Names, comments, dates; and what lies between entries."""


class LeftOvers:
    """Which files of one folder are left-overs.

    ``names`` are the names in it, for rules that ask for a companion. ``handle`` is an open handle of the folder, where
    the system has such.
    """

    def __init__(self, folder: str, names: Iterable[str], handle: int | None = None) -> None:
        self._folder = folder
        self._names = names
        self._handle = handle

    def include(self, name: str) -> bool:
        """Tell whether a file is a left-over; False where it cannot be looked at, so that nobody overlooks it."""
        low = name.lower()
        above, folder = os.path.split(self._folder.lower())
        rules = guards_of(low, folder, os.path.basename(above))
        if not rules:
            return False
        size_bytes = self._size_bytes(name)
        if size_bytes is None:
            return False
        stem = low.rpartition(".")[0]
        head = partial(first_bytes, self._where(name), folder=self._handle)
        return any(is_left_over(rule, stem, size_bytes, self._holds_something, head) for rule in rules)

    def _holds_something(self, low: str) -> bool:
        return any(self._size_bytes(name) for name in self._spelt.get(low, ()))

    @cached_property
    def _spelt(self) -> dict[str, list[str]]:
        """The names in the folder by how they are in lower case."""
        spelt: dict[str, list[str]] = {}
        for name in self._names:
            spelt.setdefault(name.lower(), []).append(name)
        return spelt

    def _size_bytes(self, name: str) -> int | None:
        """Return the size of a regular file; None for what is none, or cannot be looked at."""
        try:
            state = os.stat(self._where(name), dir_fd=self._handle, follow_symlinks=False)
        except (OSError, ValueError):
            return None
        return state.st_size if stat.S_ISREG(state.st_mode) else None

    def _where(self, name: str) -> str:
        return os.path.join(self._folder, name) if self._handle is None else name


def is_junk(path: str) -> bool:
    """Tell whether the file at ``path`` is ignored on both sides, by its name or by what it is."""
    folder, name = os.path.split(path)
    if is_junk_file(name) or (may_be_appledouble(name) and is_appledouble(path)):
        return True
    folder = os.path.abspath(folder)
    return LeftOvers(folder, _Listed(folder)).include(name)


class _Listed:
    """The names in a folder, listed when they are asked for."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[str]:
        try:
            return iter(os.listdir(self._folder))
        except OSError:
            return iter(())


def is_appledouble(path: str, folder: int | None = None) -> bool:
    """Tell whether the file at ``path`` is AppleDouble; False where it cannot be read, so that nobody overlooks it.

    ``folder`` is a handle of the folder that ``path`` is relative to.
    """
    return holds_appledouble(*_read_head(path, HEAD_BYTES, folder))


def holds_appledouble(head: bytes, size_bytes: int) -> bool:
    """Tell whether a file of this size is AppleDouble to its last byte, to go by its first :data:`HEAD_BYTES`.

    Each entry has to lie in the file and to be what its number says, as far as that is seen, and nothing but zeros
    follows the last.
    """
    if not head.startswith(_START) or len(head) < _HEADER.size:
        return False
    count = int.from_bytes(head[_HEADER.size - 2 : _HEADER.size], "big")
    place = _HEADER.size + count * _ENTRY.size
    if place > len(head):
        return False
    entries = sorted((start, length, kind) for kind, start, length in _ENTRY.iter_unpack(head[_HEADER.size : place]))
    for start, length, kind in entries:
        if start + length > size_bytes or start - place > _MOST_GAP_BYTES:
            return False
        if length and not (start >= _HEADER.size and _is_what_it_says(head[start : start + length], length, kind)):
            return False
        place = max(place, start + length)
    return place >= size_bytes or (len(head) == size_bytes and not head[place:].strip(b"\0"))


def _is_what_it_says(data: bytes, length: int, kind: int) -> bool:
    """Tell whether an entry of this kind may hold what begins with ``data``; a file's own bytes are none."""
    if kind == _RESOURCES:
        if len(data) < _RESOURCE_HEADER.size:
            return False
        data_start, map_start, data_bytes, map_bytes = map(int, _RESOURCE_HEADER.unpack_from(data))
        starts_behind: bool = min(data_start, map_start) >= _RESOURCE_HEADER.size
        return starts_behind and data_start + data_bytes <= length and map_start + map_bytes <= length
    if kind == _FINDER_INFO and length > _FINDER_INFO_BYTES:
        return data[_ATTRIBUTES_AT:].startswith(b"ATTR")
    return kind != _DATA and length <= _MOST_ENTRY_BYTES


def first_bytes(path: str, size_bytes: int, folder: int | None = None) -> bytes:
    """Read so many bytes of the file at ``path``; returns nothing where it cannot be read or is behind a link."""
    return _read_head(path, size_bytes, folder)[0]


def _read_head(path: str, size_bytes: int, folder: int | None) -> tuple[bytes, int]:
    """Read likewise, and tell how many bytes the file has."""
    try:
        handle = open_unfollowed(path, os.O_RDONLY, folder=folder)
    except (OSError, ValueError):
        return b"", 0
    try:
        return os.read(handle, size_bytes), os.fstat(handle).st_size
    except OSError:
        return b"", 0
    finally:
        os.close(handle)
