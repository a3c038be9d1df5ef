"""The image data of a JPEG: the file byte for byte, without the parts of its header that only describe it.

Tables, scans, profiles, every segment that is not known, and all that lies behind the first scan count as they are
stored: further pictures, videos and whatever else follows the end among it. Nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from dupfind.digest import Piece, read_blocks
from dupfind.pictures import container_format, descriptive, exif_extent
from dupfind.pictures.container_format import Reader

_HEADER_BYTES = 1 << 15
"""Read at once: most headers are no longer."""
_SCAN_MARK, _FILLING = b"\xda", b"\xff"
_JFIF_SEGMENT, _APP1, _APP2, _APP13, _ADOBE, _COMMENT = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JFIF, _EXIF, _MPF, _PHOTOSHOP = b"JFIF\0", b"Exif\0\0", b"MPF\0", b"Photoshop 3.0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PLAIN_JFIF_BYTES = 14
"""Of a JFIF segment without a thumbnail."""
_TRANSFORM, _YCC = 11, 1
_PLAIN_COMPONENTS = (b"\x01", b"\x01\x02\x03")
"""Grey alone, and the numbers by which libjpeg knows YCbCr without being told."""
_MP_ENTRY, _ENTRY_BYTES = 0xB002, 16


def counting(file: IO[bytes]) -> Iterator[Piece] | None:
    """Return what counts of the JPEG in ``file``, in pieces for a digest; None where its header cannot be followed."""
    reader = Reader(file, _HEADER_BYTES)
    segments = [(marker, part.start, part.stop) for marker, part in container_format.jpeg_segments(reader)]
    scans = segments[-1][2] if segments else 0
    if not reader.at(scans, 16).lstrip(_FILLING).startswith(_SCAN_MARK):
        return None
    header = _Header(reader)
    for marker, start, stop in segments:
        header.add(marker, reader.at(start, stop - start))
    return _pieces(file, header.pieces(), scans)


def _pieces(file: IO[bytes], header: list[bytes], scans: int) -> Iterator[Piece]:
    """Yield what follows the header, the header, and how long the first of the two is.

    In this order, since BLAKE3 takes a fifth longer for blocks that do not begin at a multiple of their length.
    """
    file.seek(scans)
    length_bytes = 0
    for block in read_blocks(file):
        yield block
        length_bytes += len(block)
    parts = [part for piece in header for part in (len(piece).to_bytes(8, "big"), piece)]
    yield b"".join([*parts, length_bytes.to_bytes(8, "big")])


class _Header:
    """The segments before the first scan, taken one by one."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._counting: list[bytes] = []
        self._exif: list[bytes] = []
        self._xmp: list[bytes] = []
        self._photoshop: list[bytes] = []
        self._comments: list[bytes] = []
        self._has_jfif = False
        self._transform: int | None = None
        self._components = b""

    def add(self, marker: int, payload: bytes) -> None:
        """Take in a segment."""
        if marker == _JFIF_SEGMENT and payload.startswith(_JFIF):
            self._has_jfif = True
            if len(payload) > _PLAIN_JFIF_BYTES:
                self._counting += [b"JFIF thumbnail", payload[12:]]
        elif marker == _APP1 and payload.startswith(_EXIF):
            self._exif.append(payload[len(_EXIF) :])
        elif marker == _APP1 and payload.startswith(_XMP) and not self._xmp:
            self._xmp.append(payload[len(_XMP) :])
        elif marker == _APP2 and payload.startswith(_MPF):
            self._counting += [b"MPF", *_counting_of_index(payload[len(_MPF) :], self._reader)]
        elif marker == _APP13 and payload.startswith(_PHOTOSHOP):
            self._photoshop.append(payload[len(_PHOTOSHOP) :])
        elif marker == _COMMENT:
            self._comments.append(payload)
        else:
            self._learn(marker, payload)
            self._counting += [bytes([marker]), payload]

    def _learn(self, marker: int, payload: bytes) -> None:
        if marker in _FRAMES:
            self._components = payload[6::3]
        elif marker == _ADOBE and payload.startswith(b"Adobe"):
            self._transform = payload[_TRANSFORM] if len(payload) > _TRANSFORM else -1

    def pieces(self) -> list[bytes]:
        """Return what counts of all of them."""
        orientation = 1
        pieces = list(self._counting)
        if self._xmp:
            orientation = descriptive.xmp_orientation(self._xmp[0]) or 1
            if descriptive.xmp_counts(self._xmp[0]):
                pieces += [b"XMP", self._xmp[0]]
        exif = descriptive.read_exif(self._exif[0]) if len(self._exif) == 1 else None
        if exif is not None:
            orientation = exif.orientation or orientation
            counting = [*exif.counting, *exif_extent.counting(self._exif[0])]
            pieces += [b"Exif", *counting] if counting else []
        elif self._exif:
            pieces += [b"Exif", *self._exif]
        resources = descriptive.counting_resources(b"".join(self._photoshop))
        pieces += [b"Photoshop", *resources] if resources else []
        if descriptive.text_counts(b"".join(self._comments)):
            pieces += [b"comments", *self._comments]
        return [b"jpeg", b"orientation %d" % orientation, *self._colour(), *pieces]

    def _colour(self) -> list[bytes]:
        """Return whether there is a JFIF segment, where decoders take it for word on what the components are."""
        is_plain = self._components in _PLAIN_COMPONENTS and self._transform in (None, _YCC)
        return [] if is_plain else [b"JFIF" if self._has_jfif else b"no JFIF"]


def _counting_of_index(index: bytes, reader: Reader) -> list[bytes]:
    """Return what counts of an MPF index: kinds and lengths of the pictures, and where they lie, seen from the end.

    Seen from its beginning they lie elsewhere as soon as the header grows. The length of the first picture, which has
    the header in it, is left out.
    """
    order = descriptive.ORDERS.get(index[:4])
    base = container_format.mpo_base(reader)
    try:
        if order is None or len(index) > descriptive.SMALL_BYTES:  # a hundred pictures take half of that
            return [index]
        entries = descriptive.directory(index, int.from_bytes(index[4:8], order), order)
    except descriptive.BrokenError:
        return [index]
    counting = []
    for tag in entries.tags:
        counting.append(tag.number.to_bytes(2, "big"))
        if tag.number != _MP_ENTRY:
            counting.append(tag.value)
            continue
        for at in range(0, len(tag.value), _ENTRY_BYTES):
            entry = tag.value[at : at + _ENTRY_BYTES]
            size_bytes, offset = int.from_bytes(entry[4:8], order), int.from_bytes(entry[8:12], order)
            from_end = reader.length - base - offset if offset else 0
            where = (b"%d %d" % (size_bytes if at else 0, from_end),)
            counting += [entry[:4], entry[12:], *where]
    if entries.following:
        counting += _counting_of_attributes(index, entries.following, order)
    return counting


def _counting_of_attributes(index: bytes, place: int, order: descriptive.Order) -> list[bytes]:
    """Return the directory of an MPF index that tells of views and angles, without offsets."""
    try:
        tags = descriptive.directory(index, place, order).tags
        return [piece for tag in tags for piece in (tag.number.to_bytes(2, "big"), tag.value)]
    except descriptive.BrokenError:
        return [index]
