"""Boxes of MOV and MP4, taken apart and put together again; the films are such as have their header behind the data."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

INSIDE = {
    b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"edts": 0, b"udta": 0, b"dinf": 0, b"stsd": 8,
    b"avc1": 78, b"mp4v": 78, b"mp4a": 28, b"dref": 8, b"ilst": 0, b"tref": 0,
}  # fmt: skip
"""How many bytes of a box come before the boxes within it."""

Box = tuple[bytes, bytes]
Change = Callable[[bytes], bytes]


def box(kind: bytes, content: bytes = b"") -> bytes:
    """Make a box."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def boxes(content: bytes) -> Iterator[Box]:
    """Yield kind and content of the boxes in a row."""
    place = 0
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        length = length or len(content) - place
        yield kind, content[place + 8 : place + length]
        place += length


def joined(parts: Iterable[Box]) -> bytes:
    """Put boxes in a row."""
    return b"".join(box(kind, content) for kind, content in parts)


def changed(content: bytes, path: str, change: Change, *, track: int = 0) -> bytes:
    """Change the content of the box at ``path``, such as ``moov/trak/tkhd``, of the track of that number."""
    first, _, rest = path.partition("/")
    done = False
    parts = []
    number = -1
    for kind, value in boxes(content):
        new = value
        number += kind == b"trak"
        if kind == first.encode() and not done and (kind != b"trak" or number == track):
            done = True
            head = INSIDE.get(kind, 0)
            new = value[:head] + changed(value[head:], rest, change, track=track) if rest else change(value)
        parts.append((kind, new))
    assert done, path
    return joined(parts)


def poked(place: int, value: bytes) -> Change:
    """Put other bytes at a place."""
    return lambda content: content[:place] + value + content[place + len(value) :]


def added(extra: bytes) -> Change:
    """Add boxes behind those that are there."""
    return lambda content: content + extra


def without(kind: bytes) -> Change:
    """Leave out boxes of a kind."""
    return lambda content: joined(part for part in boxes(content) if part[0] != kind)


def at(content: bytes, path: str, *, track: int = 0) -> bytes:
    """Return the content of the box at ``path``."""
    found: list[bytes] = []

    def look(value: bytes) -> bytes:
        found.append(value)
        return value

    changed(content, path, look, track=track)
    return found[0]


def in_front(content: bytes) -> bytes:
    """Move the header before the data, as for the web, with the places in it moved along."""
    parts = dict(boxes(content))
    length = 8 + len(parts[b"moov"])

    def moved(value: bytes) -> bytes:
        count = struct.unpack_from(">I", value, 4)[0]
        places = struct.unpack_from(f">{count}I", value, 8)
        return value[:8] + struct.pack(f">{count}I", *(place + length for place in places))

    tracks = [kind for kind, _ in boxes(parts[b"moov"])].count(b"trak")
    header = box(b"moov", parts[b"moov"])
    for track in range(tracks):
        header = changed(header, "moov/trak/mdia/minf/stbl/stco", moved, track=track)
    rest = [(kind, value) for kind, value in boxes(content) if kind != b"moov"]
    return joined(rest[:1]) + header + joined(rest[1:])
