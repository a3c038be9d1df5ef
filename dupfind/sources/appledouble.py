"""Tells AppleDouble files by their content: what a Mac keeps of a file where a disk has no place for it.

Such a file is named after its owner, ``._IMG.jpg`` for ``IMG.jpg``, but a picture may bear such a name too. The number
is that of the format's definition, RFC 1740, appendix B. AppleSingle has another one, because it holds the file itself.
"""

from __future__ import annotations

import os
import struct

HEAD_BYTES = 1 << 16
"""What is read of a file; nearly all have 4 KiB or less."""
_START = bytes.fromhex("0005160700020000")
"""The number and the version."""
_HEADER, _ENTRY, _RESOURCE_HEADER = struct.Struct(">8s16sH"), struct.Struct(">3I"), struct.Struct(">4I")
_DATA, _RESOURCES, _FINDER_INFO = 1, 2, 9
_FINDER_INFO_BYTES, _ATTRIBUTES_AT = 32, 34
"""Behind what the Finder keeps of a file, and two bytes, a Mac keeps extended attributes in the same entry."""
_MOST_ENTRY_BYTES = _MOST_GAP_BYTES = 1 << 12
"""Names, comments, dates; and what lies between entries."""
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that came in the place of the file must not keep the walk waiting
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def is_appledouble(path: str, folder: int | None = None) -> bool:
    """Tell whether the file at ``path`` is AppleDouble; False where it cannot be read, so that nobody overlooks it.

    ``folder`` is a handle of the folder that ``path`` is relative to.
    """
    return holds_appledouble(*_read(path, HEAD_BYTES, folder))


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
    """Read so many bytes of the file at ``path``; gives nothing where it cannot be read or is behind a link."""
    return _read(path, size_bytes, folder)[0]


def _read(path: str, size_bytes: int, folder: int | None) -> tuple[bytes, int]:
    """Read likewise, and tell how many bytes the file has."""
    try:
        handle = os.open(path, _FLAGS, dir_fd=folder)
    except (OSError, ValueError):
        return b"", 0
    try:
        return os.read(handle, size_bytes), os.fstat(handle).st_size
    except OSError:
        return b"", 0
    finally:
        os.close(handle)
