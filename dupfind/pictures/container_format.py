"""The parts that picture files are made of, read where they lie: boxes, chunks, segments, blocks, directories.

Structures only; what they mean is said in :mod:`dupfind.pictures.containers`. Nothing here raises on broken files: a
number that is not there is 0, and what cannot be followed is one part of kind ``BEHIND``. Only a failing disk raises.
"""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import Iterator
from typing import IO, Literal, NamedTuple

from PIL import Image

BEHIND = b""
"""The kind of what is no part of the structure, such as what follows its end."""

_MOST_PARTS = 1 << 17
_MOST_BLOCKS = 1 << 20
_MOST_BOXES = 4096
_MOST_SEGMENTS = 4096
_JPEG_APP2, _JPEG_SCAN = 0xE2, 0xDA
_NEW_SUBFILE_TYPE, _REDUCED = 254, 1
_CHUNK_HEAD_BYTES = 8
_SEGMENT_HEAD_BYTES, _MARK = 4, 0xFF
_BMP_WITH_PROFILE_BYTES = 124
"""The length of the first header that tells of a colour profile."""
_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = 0x2C, 0x21, 0x3B
_GIF_APPLICATION, _GIF_NAME_BYTES = 0xFF, 11
_JPEG_2000_HEAD_BYTES = 1 << 16
_LONGEST_NAME = 256
_SHORT_ITEM = 2
"""The version of an item's entry in which its number takes 16 bits."""


class Part(NamedTuple):
    """A box, chunk or segment, with its head."""

    kind: bytes
    start: int
    """Offset in the file."""
    stop: int


class Reader:
    """A file of which small parts are read; what lies outside it is empty."""

    def __init__(self, file: IO[bytes], head_bytes: int = 0) -> None:
        """Read as many bytes of the head at once, for who asks for many parts of it."""
        self._file = file
        self.length = file.seek(0, os.SEEK_END)
        self._head = b""
        if head_bytes:
            file.seek(0)
            self._head = file.read(head_bytes)

    def at(self, place: int, count: int) -> bytes:
        """Up to ``count`` bytes from ``place``."""
        if not 0 <= place < self.length:
            return b""
        if place + count <= len(self._head):
            return self._head[place : place + count]
        self._file.seek(place)
        return self._file.read(count)

    def number(self, place: int, count: int, order: Literal["big", "little"] = "big") -> int:
        """Return the unsigned integer of ``count`` bytes at ``place``."""
        return int.from_bytes(self.at(place, count), order)


def mapped(file: IO[bytes]) -> mmap.mmap | bytes:
    """Return everything in a file, mapped where it can be."""
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (io.UnsupportedOperation, OSError, ValueError):
        file.seek(0)
        return file.read()


def boxes(reader: Reader, place: int, end: int) -> Iterator[Part]:
    """Yield the boxes of ISO base media (ISO/IEC 14496-12) from ``place`` to ``end``."""
    for _ in range(_MOST_BOXES):
        if place >= end:
            return
        head = reader.at(place, 16)
        length, least = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, least = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = end - place
        if len(head) < least or length < least or place + length > end:
            break
        yield Part(head[4:8], place, place + length)
        place += length
    yield Part(BEHIND, place, end)


def box_payload(reader: Reader, box: Part) -> bytes:
    """Return what a box holds."""
    head = 16 if reader.number(box.start, 4) == 1 else 8
    return reader.at(box.start + head, box.stop - box.start - head)


def heif_has_item(reader: Reader, kind: bytes) -> bool:
    """Tell whether HEIF lists an item of this type (ISO/IEC 14496-12, 8.11.6), such as ``tmap``."""
    tops = (box for box in boxes(reader, 0, reader.length) if box.kind == b"meta")
    lists = (box for top in tops for box in boxes(reader, top.start + 12, top.stop) if box.kind == b"iinf")
    for item_list in lists:
        start = item_list.start + (14 if reader.number(item_list.start + 8, 1) == 0 else 16)
        for box in boxes(reader, start, item_list.stop):
            type_place = box.start + (16 if reader.number(box.start + 8, 1) == _SHORT_ITEM else 18)
            if box.kind == b"infe" and reader.at(type_place, 4) == kind:
                return True
    return False


def heif_auxiliaries(reader: Reader) -> Iterator[bytes]:
    """Yield what HEIF's auxiliary pictures are, as URNs (ISO/IEC 23008-12, 6.5.8)."""
    for box in _heif_properties(reader):
        if box.kind == b"auxC":
            yield reader.at(box.start + 12, min(box.stop - box.start - 12, _LONGEST_NAME)).partition(b"\0")[0]


def heif_bits(reader: Reader) -> int:
    """Return the most bits a sample that HEIF or AVIF tells of any of its pictures; 0 where it tells none.

    By the pixel information (ISO/IEC 23008-12, 6.5.6) and the configurations of HEVC (ISO/IEC 14496-15, 8.3.3.1) and
    AV1 (AV1 in ISOBMFF, 2.3.3).
    """
    bits = 0
    for box in _heif_properties(reader):
        if box.kind == b"pixi":
            bits = max(bits, *reader.at(box.start + 13, reader.number(box.start + 12, 1)), 0)
        elif box.kind == b"hvcC":
            bits = max(bits, *(8 + (byte & 7) for byte in reader.at(box.start + 25, 2)), 0)
        elif box.kind == b"av1C":
            flags = reader.number(box.start + 10, 1)
            bits = max(bits, 8 if not flags & 0x40 else 12 if flags & 0x20 else 10)
    return bits


def heif_code_points(reader: Reader) -> bytes:
    """Return the code points of HEIF's or AVIF's colours, primaries and transfer function, a byte each; or nothing.

    ISO/IEC 14496-12, 12.1.5.
    """
    for box in _heif_properties(reader):
        if box.kind == b"colr" and reader.at(box.start + 8, 4) == b"nclx":
            return reader.at(box.start + 13, 1) + reader.at(box.start + 15, 1)
    return b""


def _heif_properties(reader: Reader) -> Iterator[Part]:
    """Yield the properties of all pictures of HEIF (ISO/IEC 23008-12, 9.3)."""
    tops = (box for box in boxes(reader, 0, reader.length) if box.kind == b"meta")
    properties = (box for top in tops for box in boxes(reader, top.start + 12, top.stop) if box.kind == b"iprp")
    containers = (
        box for of_all in properties for box in boxes(reader, of_all.start + 8, of_all.stop) if box.kind == b"ipco"
    )
    for container in containers:
        yield from boxes(reader, container.start + 8, container.stop)


def png_chunks(reader: Reader) -> Iterator[Part]:
    """Yield the chunks of a PNG, and what is behind its end."""
    place = 8
    for _ in range(_MOST_PARTS):
        head = reader.at(place, 8)
        stop = place + 12 + int.from_bytes(head[:4], "big")
        if len(head) < _CHUNK_HEAD_BYTES or stop > reader.length:
            break
        yield Part(head[4:], place, stop)
        place = stop
        if head[4:] == b"IEND":
            break
    yield Part(BEHIND, min(place, reader.length), reader.length)


def png_payload(reader: Reader, chunk: Part) -> bytes:
    """Return what a chunk of a PNG holds."""
    return reader.at(chunk.start + 8, chunk.stop - chunk.start - 12)


def riff_payload(reader: Reader, chunk: Part) -> bytes:
    """Return what a chunk of a WebP holds."""
    return reader.at(chunk.start + 8, min(chunk.stop - chunk.start - 8, reader.number(chunk.start + 4, 4, "little")))


def riff_chunks(reader: Reader) -> Iterator[Part]:
    """Yield the chunks of a WebP, and what is behind its end."""
    end = min(reader.length, 8 + reader.number(4, 4, "little"))
    place = 12
    for _ in range(_MOST_PARTS):
        head = reader.at(place, 8)
        length = int.from_bytes(head[4:], "little")
        stop = place + 8 + length + length % 2
        if len(head) < _CHUNK_HEAD_BYTES or stop > end + 1:  # the last is not always padded
            break
        yield Part(head[:4], place, min(stop, end))
        place = min(stop, end)
        if place >= end:
            break
    yield Part(BEHIND, min(place, reader.length), reader.length)


def webp_size(head: bytes) -> tuple[int, int]:
    """Return the width and height of a WebP that begins with ``head``, of 30 bytes at least; zeros where it is none."""
    kind, numbers = head[12:16], [int.from_bytes(head[at : at + 3], "little") for at in (24, 27)]
    if head[8:12] != b"WEBP":
        return 0, 0
    if kind == b"VP8X":
        return numbers[0] + 1, numbers[1] + 1
    if kind == b"VP8L":
        sides = int.from_bytes(head[21:25], "little")
        return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def gif_parts(reader: Reader) -> Iterator[Part]:
    """Yield the application extensions of a GIF by their identifiers, and what is behind its end mark.

    Where its blocks cannot be followed, all the rest is behind.
    """
    flags = reader.number(10, 1)
    place = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    blocks = 0
    while blocks < _MOST_BLOCKS:
        start, kind = place, reader.number(place, 1)
        if kind == _GIF_EXTENSION:
            place += 2
        elif kind == _GIF_IMAGE:
            flags = reader.number(place + 9, 1)
            place += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        else:
            place += kind == _GIF_END
            break
        while blocks < _MOST_BLOCKS and (length := reader.number(place, 1)):
            place += 1 + length
            blocks += 1
        place += 1
        blocks += 1
        if kind == _GIF_EXTENSION and reader.number(start + 1, 1) == _GIF_APPLICATION:
            yield Part(reader.at(start + 3, _GIF_NAME_BYTES), start, min(place, reader.length))
    yield Part(BEHIND, min(place, reader.length), reader.length)


def bmp_end(reader: Reader, image: Image.Image) -> int:
    """Return the offset behind the pixels, and behind the colour profile that may follow
    them, of a BMP that is not loaded.
    """
    has_file_header = reader.at(0, 2) == b"BM"
    header = 14 if has_file_header else 0
    codec, _, pixels, arguments = image.tile[0]  # type: ignore[attr-defined]
    is_plain = codec == "raw"  # with the bytes of a row; the others are as long as they say
    stated = reader.number(header + 20, 4, "little")
    end = pixels + (arguments[1] * image.height if is_plain else stated or reader.length)
    if reader.number(header, 4, "little") >= _BMP_WITH_PROFILE_BYTES:
        profile, length = (reader.number(header + place, 4, "little") for place in (112, 116))
        end = max(end, header + profile + length)
    return min(int(end), reader.length)


def jpeg_segments(reader: Reader, place: int = 0) -> Iterator[tuple[int, Part]]:
    """Yield the segments before the first scan of the JPEG at ``place``, by their
    markers; each part without its marker.
    """
    if reader.at(place, 2) != b"\xff\xd8":
        return
    place += 2
    for _ in range(_MOST_SEGMENTS):
        head = reader.at(place, 4)
        if len(head) < _SEGMENT_HEAD_BYTES or head[0] != _MARK or head[1] == _JPEG_SCAN:
            return
        if head[1] == _MARK:  # filling
            place += 1
            continue
        stop = place + 2 + max(2, int.from_bytes(head[2:], "big"))
        yield head[1], Part(head[:2], place + 4, stop)
        place = stop


def mpo_base(reader: Reader) -> int:
    """Return what the offsets of an MPO's index count from (CIPA DC-007, 5.2.2.1)."""
    for marker, part in jpeg_segments(reader):
        if marker == _JPEG_APP2 and reader.at(part.start, 4) == b"MPF\0":
            return part.start + 4
    return 0


def jpeg_2000_bits(reader: Reader) -> int:
    """Return bits of the finest component of a JPEG 2000 (ITU-T T.800, A.5.1); 0 where
    its codestream does not begin early.
    """
    head = reader.at(0, _JPEG_2000_HEAD_BYTES)
    start = head.find(b"\xff\x4f\xff\x51")
    if start < 0:
        return 0
    count = reader.number(start + 40, 2)
    return max((1 + (size & 0x7F) for size in reader.at(start + 42, 3 * count)[::3]), default=0)


def is_reduced_ifd(reader: Reader, place: int, order: Literal["big", "little"]) -> bool:
    """Tell whether the directory of a TIFF at ``place`` is of a picture that is marked as a smaller copy."""
    for entry in range(min(reader.number(place, 2, order), _MOST_BOXES)):
        start = place + 2 + 12 * entry
        if reader.number(start, 2, order) == _NEW_SUBFILE_TYPE:
            kind, count, value = reader.number(start + 2, 2, order), reader.number(start + 4, 4, order), start + 8
            size = {3: 2, 4: 4}.get(kind, 0)
            return count == 1 and bool(reader.number(value, size, order) & _REDUCED)
    return False
