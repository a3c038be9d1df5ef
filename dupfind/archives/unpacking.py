"""Compressed bytes to plain ones, as a stream, bounded in memory; every byte that goes in is accounted for."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Protocol

from dupfind.archives.contents import BrokenArchiveError, read_fully
from dupfind.archives.limits import MOST_DICTIONARY_BYTES, MOST_EXTRA_BYTES

_BLOCK_BYTES = 1 << 18
_OUT_BYTES = 1 << 20
_GZIP, _RAW = 31, -15
"""Window sizes by which zlib knows a gzip stream, and one without any header."""
_GZIP_HEADER_BYTES = 10
_MOST_GZIP_HEADER_BYTES = _GZIP_HEADER_BYTES + MOST_EXTRA_BYTES + 1
_HAS_EXTRA, _HAS_NAME, _HAS_COMMENT = 4, 8, 16
"""Flags of a gzip header: what follows it, in this order."""
_MAGICS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz"}
_LONGEST_MAGIC = max(map(len, _MAGICS))
ERRORS = (zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
"""What unpacking raises where the data is damaged; of ``OSError`` also what the system says."""


class _Decompressor(Protocol):
    """What :mod:`bz2` and :mod:`lzma` give."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Inflater:
    """zlib's decompressor with the interface of the others."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)
        self._waiting = b""
        self._may_hold_more = False

    @property
    def eof(self) -> bool:
        """Tell whether the stream has come to its end."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """Tell whether nothing comes without more."""
        return not (self._waiting or self._may_hold_more or self._inner.eof)

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the end."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Unpack up to ``max_length`` bytes."""
        out = self._inner.decompress(self._waiting + data if self._waiting else data, max(0, max_length))
        self._waiting = self._inner.unconsumed_tail
        self._may_hold_more = len(out) == max_length  # zlib may have taken all of the input and still owe bytes
        return out


def raw_inflater() -> Inflater:
    """Return what unpacks a member of a ZIP."""
    return Inflater(_RAW)


_MAKERS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": lambda: Inflater(_GZIP),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, MOST_DICTIONARY_BYTES),
}


def kind_of(head: bytes) -> str | None:
    """Tell by its first bytes how a file is compressed; None where it is not in a way that is known."""
    return next((kind for magic, kind in _MAGICS.items() if head.startswith(magic)), None)


class _Headers:
    """What the headers of all streams of a file hold beside their data; only those of gzip hold anything."""

    def __init__(self, kind: str) -> None:
        self._is_gzip = kind == "gzip"
        self._fields_bytes = 0

    def look_at(self, file: IO[bytes], data: bytes, left_bytes: int) -> tuple[bytes, int]:
        """Look at the header that ``data`` begins with; returns it with what had to be read, and what is left then.

        Raises :class:`BrokenArchiveError` where there are more than a few words.
        """
        if not self._is_gzip:
            return data, left_bytes
        more = read_fully(file.read, min(left_bytes, max(0, _MOST_GZIP_HEADER_BYTES - len(data))))
        data += more
        self._fields_bytes += _fields_bytes(data)
        if self._fields_bytes > MOST_EXTRA_BYTES:
            raise BrokenArchiveError(f"its gzip headers hold more than {MOST_EXTRA_BYTES:,} bytes of names and words")
        return data, left_bytes - len(more)


def _fields_bytes(data: bytes) -> int:
    """Count what lies between the fixed part of a gzip header and the data: extra fields, a name, a comment."""
    if len(data) < _GZIP_HEADER_BYTES:
        return 0  # cut off, as zlib will say
    flags, place = data[3], _GZIP_HEADER_BYTES
    if flags & _HAS_EXTRA:
        place += 2 + int.from_bytes(data[place : place + 2], "little")
    for flag in (_HAS_NAME, _HAS_COMMENT):
        if flags & flag:
            end = data.find(b"\0", place)
            place = len(data) if end < 0 else end + 1
    return place - _GZIP_HEADER_BYTES


def unpack(file: IO[bytes], size_bytes: int, kind: str) -> Iterator[bytes]:
    """Yield what a compressed file of this length holds; several streams in a row are one, as for gzip itself.

    Raises :class:`BrokenArchiveError` where it ends too early or something else follows, and :data:`ERRORS`.
    """
    left_bytes = size_bytes
    data = b""
    headers = _Headers(kind)
    while True:
        stream = _MAKERS[kind]()
        data, left_bytes = headers.look_at(file, data, left_bytes)
        while not stream.eof:
            if stream.needs_input and not data:
                data = file.read(min(_BLOCK_BYTES, left_bytes))
                left_bytes -= len(data)
                if not data:
                    raise BrokenArchiveError("it is cut off")
            out = stream.decompress(data, _OUT_BYTES)
            data = b""
            if out:
                yield out
        data = stream.unused_data
        while left_bytes and len(data.lstrip(b"\0")) < _LONGEST_MAGIC:
            more = file.read(min(_BLOCK_BYTES, left_bytes))
            if not more:
                raise BrokenArchiveError("it is cut off")
            left_bytes -= len(more)
            data = data.lstrip(b"\0") + more
        data = data.lstrip(b"\0")  # what a tape or a disk is filled up with
        if not data:
            return
        # Streams in a row are one file to gzip, and so here; other bytes behind them may be anything.
        if kind_of(data) != kind:
            raise BrokenArchiveError("bytes follow its end")
