"""Tell whether a JPEG 2000 holds data that no decoder shows: in boxes, in segments, behind the pixels of a tile.

Boxes by ITU-T T.800, annex I, and T.801, annex M; the codestream by T.800, annex A.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures import container_format, kinds, trailers, unshown
from dupfind.pictures.container_format import BEHIND, Part, Reader

HEADS = b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"
_BARE = HEADS[1]

_CODESTREAM, _XMP, _NAMED = b"jp2c", b"xml ", b"uuid"
_WITH_BOXES = frozenset({b"jp2h", b"res ", b"asoc", b"jpch", b"jplh", b"uinf"})
_DECODED_BOXES = frozenset({b"jP  ", b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"resc", b"resd"})
_LOOKED_AT_ELSEWHERE = frozenset({_XMP, _NAMED, BEHIND})
"""At the top of a file: by :mod:`dupfind.pictures.containers`."""
_MOST_DEPTH = 4

_SIZE, _TILE_PART, _DATA, _END, _MOST_MARKERS = 0xFF51, 0xFF90, 0xFF93, 0xFFD9, 1 << 20
_PACKET_LENGTHS = 0xFF58
_DECODED_SEGMENTS = frozenset({_SIZE, _TILE_PART, 0xFF52, 0xFF53, 0xFF5C, 0xFF5D, 0xFF5E, 0xFF5F, 0xFF60, 0xFF61})
"""Size, how it is coded and quantised, regions, order, headers of packets that were moved."""
_TILE_LENGTHS, _MOST_ENTRY_BYTES = 0xFF55, 6
_MOST_ALONE = 16
"""Tiles whose ends are altered one by one, where the decoder refuses a picture with all of them altered."""


def hides_data(reader: Reader, max_pixels: int) -> bool:
    """Tell whether more than small notes lie in boxes and segments that no pixel is made of, or behind a tile's."""
    is_bare = reader.at(0, 4) == _BARE
    boxes = [Part(_CODESTREAM, 0, reader.length)] if is_bare else container_format.boxes(reader, 0, reader.length)
    written = 0
    streams = []
    for box in boxes:
        if box.kind == _CODESTREAM:
            start = box.start if is_bare else _inside(reader, box)
            stream = _follow(reader, start, box.stop)
            written += trailers.written_bytes(reader, stream.end, box.stop) + stream.unused_bytes
            streams.append(stream)
        elif box.kind not in _LOOKED_AT_ELSEWHERE:
            written += _unused_bytes(reader, box, 0)
    if written > kinds.SMALL_BYTES:
        return True
    return len(streams) == 1 and _ends_unshown(reader, streams[0], max_pixels)


def _inside(reader: Reader, box: Part) -> int:
    return box.start + (16 if reader.number(box.start, 4) == 1 else 8)


def _unused_bytes(reader: Reader, box: Part, depth: int) -> int:
    """Count what lies in boxes within ``box`` that nothing is made of; of XMP what it carries, if that is no word."""
    start = _inside(reader, box)
    if box.kind in _DECODED_BOXES:
        return 0
    if box.kind in _WITH_BOXES and depth < _MOST_DEPTH:
        return sum(_unused_bytes(reader, part, depth + 1) for part in container_format.boxes(reader, start, box.stop))
    if box.kind == _XMP and not any(kinds.of_xmp(reader.at(start, box.stop - start))):
        return 0
    start = box.start if box.kind == BEHIND else start
    return trailers.written_bytes(reader, start, box.stop)


class _TilePart(NamedTuple):
    tile: int
    start: int
    """Of its packets."""
    stop: int


class _Stream(NamedTuple):
    """A codestream, followed as far as it can be."""

    head: int
    """Where it begins."""
    end: int
    """Where it ends, or where it cannot be followed any more: all from there on is taken for more."""
    unused_bytes: int
    """In segments that nothing is decoded by."""
    parts: list[_TilePart]


def _follow(reader: Reader, start: int, stop: int) -> _Stream:
    """Follow a codestream (A.4): its main header, its tile-parts.

    Each tile-part tells its length. The last one may tell none: it goes on to ``stop``, and OpenJPEG decodes nothing
    that lies behind it.
    """
    place, unused_bytes, tile_lengths_bytes = start + 2, 0, 0
    parts: list[_TilePart] = []
    for _ in range(_MOST_MARKERS):
        marker = reader.number(place, 2)
        if marker == _END:
            place += 2
            break
        length = 2 + reader.number(place + 2, 2)
        if marker == _TILE_PART:
            length = reader.number(place + 6, 4) or stop - place
        if place + length > stop:
            break
        if marker == _TILE_PART:
            data, unused = _header_of_part(reader, place, place + length)
            parts.append(_TilePart(reader.number(place + 4, 2), data, place + length))
            unused_bytes += unused
        elif marker == _TILE_LENGTHS:
            tile_lengths_bytes += length
        elif marker not in _DECODED_SEGMENTS:
            unused_bytes += trailers.written_bytes(reader, place, place + length)
        place += length
        if place == stop:
            break
    unused_bytes += max(0, tile_lengths_bytes - _MOST_ENTRY_BYTES * (len(parts) + 1))
    return _Stream(start, place, unused_bytes, parts)


def _header_of_part(reader: Reader, place: int, stop: int) -> tuple[int, int]:
    """Return where the packets of a tile-part begin, and how many bytes of its header nothing is decoded by.

    Lengths of packets that do not add up to the packets are none.
    """
    unused_bytes, lengths, lengths_bytes = 0, [], 0
    for _ in range(_MOST_MARKERS):
        marker, length = reader.number(place, 2), 2 + reader.number(place + 2, 2)
        if marker == _DATA:
            place += 2
            break
        if place + length > stop:
            return stop, unused_bytes
        if marker == _PACKET_LENGTHS:
            lengths.append(reader.at(place + 5, length - 5))
            lengths_bytes += length
        elif marker not in _DECODED_SEGMENTS:
            unused_bytes += trailers.written_bytes(reader, place, place + length)
        place += length
    is_true = sum(_numbers(b"".join(lengths))) == stop - place
    return place, unused_bytes + (0 if is_true else lengths_bytes)


def _numbers(packed: bytes) -> Iterator[int]:
    """Yield numbers of seven bits a byte, the last byte of each below 128 (A.7.3)."""
    number = 0
    for byte in packed:
        number = (number << 7) + (byte & 0x7F)
        if byte < 0x80:  # noqa: PLR2004 - the standard's
            yield number
            number = 0


def _ends_unshown(reader: Reader, stream: _Stream, max_pixels: int) -> bool:
    """Tell whether a tile shows the same with other bytes at its end: they lie behind its packets then."""
    ends = {part.tile: part.stop for part in stream.parts if part.stop - part.start > unshown.LEFT_OUT_BYTES}
    content = reader.at(0, reader.length)
    plain = unshown.pixels(content, max_pixels, unshown.JPEG_2000_FORMATS) if ends else None
    if plain is None:
        return False
    together = unshown.pixels(unshown.altered(content, ends.values()), max_pixels, unshown.JPEG_2000_FORMATS)
    if together is not None:
        return any(_is_same_tile(reader, stream.head, tile, plain, together) for tile in ends)
    alone = list(ends.values())[:_MOST_ALONE] if len(ends) > 1 else []
    for end in alone:
        changed = unshown.pixels(unshown.altered(content, [end]), max_pixels, unshown.JPEG_2000_FORMATS)
        if changed is not None and np.array_equal(plain, changed):
            return True
    return False


def _is_same_tile(reader: Reader, head: int, tile: int, plain: NDArray[Any], changed: NDArray[Any]) -> bool:
    """Tell whether two pictures are equal in a tile (A.5.1, B.3), of which there is something to see."""
    across, _, left, top, width, height, first_left, first_top = (
        reader.number(head + 8 + 4 * place, 4) for place in range(8)
    )
    if not (width and height):
        return False
    row, column = divmod(tile, -(-(across - first_left) // width))
    rows = slice(max(0, first_top + row * height - top), max(0, first_top + (row + 1) * height - top))
    columns = slice(max(0, first_left + column * width - left), max(0, first_left + (column + 1) * width - left))
    part = plain[rows, columns]
    return part.size > 0 and np.array_equal(part, changed[rows, columns])
