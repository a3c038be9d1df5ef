"""What listing an archive gives, as values, and as the cache keeps it from run to run: nothing is unpacked to be
listed again."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, NamedTuple


class BrokenArchiveError(Exception):
    """An archive cannot be listed; the text says why, in words for the user."""


class Member(NamedTuple):
    """One file in an archive, and where its bytes lie."""

    name: str
    """As the archive spells it."""
    size_bytes: int
    offset: int
    """Of its bytes in the file that was listed."""
    stored_bytes: int
    """How many lie there; as many as ``size_bytes`` where they are not compressed."""
    is_deflated: bool = False
    crc: int | None = None
    """CRC-32 of its content; None where the archive has none."""
    modified_ns: int | None = None
    """When it was changed before it was packed, as the archive says; None where it says nothing."""


class Trouble(NamedTuple):
    """Why something of an archive was skipped."""

    name: str
    """Of the member; nothing where it is about the archive."""
    reason: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds, in its order."""

    members: list[Member] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)


class Piece:
    """A part of an open file as a file of its own, for libraries that read archives.

    It refuses to read more than ``most_bytes`` in one go: both :mod:`zipfile` and :mod:`tarfile` read as much as a
    header tells them to, into memory.
    """

    def __init__(self, file: IO[bytes], start: int, size_bytes: int, most_bytes: int) -> None:
        self._file = file
        self._start = start
        self._size_bytes = size_bytes
        self._most_bytes = most_bytes
        self._place = 0

    def read(self, count: int = -1) -> bytes:
        """Read up to ``count`` bytes; raises :class:`BrokenArchiveError` where that is too many."""
        left_bytes = max(0, self._size_bytes - self._place)
        count = left_bytes if count < 0 else min(count, left_bytes)
        if count > self._most_bytes:
            raise BrokenArchiveError(f"its headers take {count:,} bytes: more than {self._most_bytes:,}")
        if not count:
            return b""
        self._file.seek(self._start + self._place)
        data = read_fully(self._file.read, count)
        self._place += len(data)
        return data

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place, as in any file."""
        place += (0, self._place, self._size_bytes)[whence]
        if place < 0:
            raise OSError("a place before the beginning")  # what files raise, and zipfile expects
        self._place = place
        return place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def seekable(self) -> bool:
        """Tell that it is."""
        return True

    def readable(self) -> bool:
        """Tell that it is."""
        return True


def read_fully(read: Callable[[int], bytes | None], count: int) -> bytes:
    """Read ``count`` bytes, or fewer where the file ends; the system may give fewer at a time."""
    data = read(count) or b""
    if len(data) == count or not data:
        return data
    pieces = [data]
    left = count - len(data)
    while left and (data := read(left) or b""):
        pieces.append(data)
        left -= len(data)
    return b"".join(pieces)


_BLOCK_BYTES = 1 << 20


def is_blank(piece: Piece, start: int, end: int) -> bool:
    """Tell whether a stretch holds zeros only."""
    piece.seek(start)
    while start < end:
        data = piece.read(min(_BLOCK_BYTES, end - start))
        if not data or data.strip(b"\0"):
            return False
        start += len(data)
    return True


_MOST_BYTES = 8 << 20
"""What is kept of one archive, packed; one of 100,000 members takes some three."""
_MOST_PLAIN_BYTES = 128 << 20
_LEVEL = 1


class Listed(NamedTuple):
    """What listing an archive gave."""

    contents: Contents
    unpacked_bytes: int | None
    """How many bytes it unpacks to; None where it is read where it lies."""
    left_behind: dict[int, bool]
    """By the number of a member, where that took a look at its content: whether it is what a system leaves behind."""


def pack_listed(listed: Listed) -> bytes | None:
    """Pack what listing an archive gave, for the cache; returns None where that is too much to be kept."""
    parts = {
        "members": listed.contents.members,
        "troubles": listed.contents.troubles,
        "unpacked": listed.unpacked_bytes,
        "left": list(listed.left_behind.items()),
    }
    plain = json.dumps(parts, separators=(",", ":")).encode("ascii")
    data = zlib.compress(plain, _LEVEL)
    return data if len(plain) <= _MOST_PLAIN_BYTES and len(data) <= _MOST_BYTES else None


def unpack_listed(data: bytes) -> Listed:
    """Return what :func:`pack_listed` was given; ``data`` is what it gave, which is for the cache to see."""
    parts = json.loads(zlib.decompress(data))
    contents = Contents([Member(*member) for member in parts["members"]], [Trouble(*row) for row in parts["troubles"]])
    return Listed(contents, parts["unpacked"], dict(map(tuple, parts["left"])))
