"""What counts of an Ogg file (RFC 3533): packets, when each page ends, and of the comments what is no words.

Who writes the comments anew moves the pages behind them, so that their numbers and checksums are only looked at: a
damaged page has others than it should have, and players leave it out.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from dupfind.digest import RunningDigest
from dupfind.pictures import sound_tags
from dupfind.pictures.film_packets import BrokenError
from dupfind.pictures.film_pieces import FilmReader, Piece

CAPTURE = b"OggS"
_HEAD_BYTES = 27
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_ALL_BITS = (1 << 32) - 1
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_NO_TIME = (1 << 64) - 1
_MOST_STREAMS = 64
_MOST_PACKET_BYTES = 1 << 26
_FACT_PACKETS = 64
_COMMENTS = {
    b"\x01vorbis": b"\x03vorbis", b"OpusHead": b"OpusTags", b"\x80theora": b"\x81theora",
}  # fmt: skip
"""By how the first packet of a stream begins, how its comments begin."""
_FLAC, _FLAC_COMMENTS = b"\x7fFLAC", 4


class _Page(NamedTuple):
    flags: int
    time: int
    serial: int
    number: int
    lengths: bytes
    content: bytes


class _Stream:
    """One stream, as far as its pages have come."""

    def __init__(self, reader: FilmReader) -> None:
        self._reader = reader
        self._next_number: int | None = None
        self.first = b""
        self.sizes: list[int] = []
        """Of the first packets behind the comments."""
        self.pieces: list[Piece] = []
        """Comments that count."""
        self.packets = 0
        self.has_ended = False
        self._digest = RunningDigest()
        self._open: list[bytes] = []
        self._open_bytes = 0

    def add(self, page: _Page) -> None:
        """Take the next page in; raises where it does not follow on the one before."""
        if self._next_number not in {None, page.number}:
            raise BrokenError
        self._next_number = page.number + 1
        if self.has_ended or bool(page.flags & _CONTINUED) != bool(self._open):
            raise BrokenError
        place, ends = 0, 0
        for length in page.lengths:
            self._open.append(page.content[place : place + length])
            self._open_bytes += length
            place += length
            if self._open_bytes > _MOST_PACKET_BYTES:
                raise BrokenError
            if length < 255:  # noqa: PLR2004 - of a packet that goes on
                self._packet(b"".join(self._open))
                self._open, self._open_bytes, ends = [], 0, ends + 1
        if ends and page.time != _NO_TIME and self.packets > 2:  # noqa: PLR2004 - a head and comments have no time
            self._digest.add(b"%d ends at %d " % (self.packets, page.time))
        self.has_ended = bool(page.flags & _LAST)

    def _packet(self, content: bytes) -> None:
        number, self.packets = self.packets, self.packets + 1
        if number == 0:
            self.first = content
        comments = self._comments(content) if number == 1 else None
        if comments is not None:
            self.pieces += sound_tags.comment_pieces(self._reader, comments)
            return
        if number > 1 and len(self.sizes) < _FACT_PACKETS:
            self.sizes.append(len(content))
        self._digest.add(b"%d " % len(content))
        self._digest.add(content)

    def _comments(self, content: bytes) -> bytes | None:
        """Return the comments in a packet; None where it holds something else."""
        if self.first.startswith(_FLAC):
            is_comments = content[:1] and content[0] & 0x7F == _FLAC_COMMENTS
            return content[4:] if is_comments else None
        for head, mark in _COMMENTS.items():
            if self.first.startswith(head) and content.startswith(mark):
                return content[len(mark) :]
        return None

    def value(self) -> bytes:
        """Return the digest of its packets."""
        if self._open or not self.has_ended:
            raise BrokenError
        return self._digest.value()


def facts(reader: FilmReader) -> list[object]:
    """Return the first packet of each stream, and the sizes of some that follow, from the beginning of a file."""
    streams: dict[int, _Stream] = {}
    for page in _pages(reader):
        _add(reader, streams, page)
        if any(len(stream.sizes) == _FACT_PACKETS for stream in streams.values()):
            break
    return ["ogg", *((stream.first, tuple(stream.sizes)) for stream in streams.values())]


def pieces(reader: FilmReader) -> list[Piece]:
    """Return what counts of a file; raises :class:`~dupfind.pictures.film_packets.BrokenError`."""
    streams: dict[int, _Stream] = {}
    for page in _pages(reader):
        _add(reader, streams, page)
    counting: list[Piece] = []
    for stream in streams.values():
        counting += [b"stream", *stream.pieces, stream.value()]
    return counting


def _add(reader: FilmReader, streams: dict[int, _Stream], page: _Page) -> None:
    is_new = page.serial not in streams
    if is_new != bool(page.flags & _FIRST) or len(streams) > _MOST_STREAMS:
        raise BrokenError
    if is_new and any(stream.packets > 1 for stream in streams.values()):
        raise BrokenError  # a second file behind the first
    if not page.lengths:
        reader.leave_out(_HEAD_BYTES)
    streams.setdefault(page.serial, _Stream(reader)).add(page)


def _checksum(page: bytes) -> bytes:
    """Return the checksum of a page: that of zlib, with all bits the other way round, which begins with 0."""
    value = zlib.crc32(page.translate(_TURNED), _ALL_BITS) ^ _ALL_BITS
    return value.to_bytes(4, "big").translate(_TURNED)


def _pages(reader: FilmReader) -> Iterator[_Page]:
    place = 0
    while place < reader.length:
        head = reader.at(place, _HEAD_BYTES + 255)
        if len(head) < _HEAD_BYTES:
            raise BrokenError
        count = head[26]
        lengths = head[_HEAD_BYTES : _HEAD_BYTES + count]
        start, size_bytes = place + _HEAD_BYTES + count, sum(lengths)
        content = reader.at(start, size_bytes)
        if not head.startswith(CAPTURE) or head[4] or len(lengths) < count or len(content) < size_bytes:
            raise BrokenError
        if _checksum(head[:22] + bytes(4) + head[26 : _HEAD_BYTES + count] + content) != head[22:26]:
            raise BrokenError
        yield _Page(
            head[5],
            int.from_bytes(head[6:14], "little"),
            int.from_bytes(head[14:18], "little"),
            int.from_bytes(head[18:22], "little"),
            lengths,
            content,
        )
        place = start + size_bytes
