"""The image data of a JPEG XL: its codestream as it is stored, and every box that is not words about the picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from dupfind.digest import Piece
from dupfind.pictures import container_format, descriptive, pixel_data
from dupfind.pictures.container_format import BEHIND, Reader
from dupfind.pictures.jxl import CODESTREAM

_FRAME = frozenset({b"JXL ", b"ftyp", b"jxll"})
_WHOLE, _PARTIAL, _EXIF, _XMP = b"jxlc", b"jxlp", b"Exif", b"xml "
_NUMBER_BYTES = 4


def counting(file: IO[bytes]) -> Iterator[Piece] | None:
    """Return what counts of the JPEG XL in ``file``, in pieces; None where its boxes cannot be followed."""
    reader = Reader(file)
    if reader.at(0, len(CODESTREAM)) == CODESTREAM:
        return _pieces([b"jxl", b"orientation 1"], [reader.at(0, reader.length)])
    stream, beside, orientation = [], [], 1
    for box in container_format.boxes(reader, 0, reader.length):
        payload = container_format.box_payload(reader, box)
        if box.kind == BEHIND:
            if box.stop > box.start:
                return None
        elif box.kind == _WHOLE:
            stream.append(payload)
        elif box.kind == _PARTIAL:
            stream.append(payload[_NUMBER_BYTES:])
        elif box.kind == _EXIF:
            exif = payload[_NUMBER_BYTES + int.from_bytes(payload[:_NUMBER_BYTES], "big") :]
            facts = descriptive.read_exif(exif)
            orientation = (facts.orientation if facts else None) or 1
            beside += pixel_data.exif_pieces(exif)
        elif box.kind == _XMP:
            beside += pixel_data.xmp_pieces(payload)
        elif box.kind not in _FRAME:
            beside += [box.kind, payload]
    return _pieces([b"jxl", b"orientation %d" % orientation, *beside], stream) if stream else None


def _pieces(beside: list[bytes], stream: list[bytes]) -> Iterator[Piece]:
    for piece in beside:
        yield len(piece).to_bytes(8, "big")
        yield piece
    yield b"stream"
    yield from stream


def codestream(file: IO[bytes]) -> bytes:
    """Return the codestream of the JPEG XL in ``file``, whatever lies around and between its parts."""
    reader = Reader(file)
    if reader.at(0, len(CODESTREAM)) == CODESTREAM:
        return reader.at(0, reader.length)
    parts = []
    for box in container_format.boxes(reader, 0, reader.length):
        if box.kind in (_WHOLE, _PARTIAL):
            payload = container_format.box_payload(reader, box)
            parts.append(payload[_NUMBER_BYTES:] if box.kind == _PARTIAL else payload)
    return b"".join(parts)
