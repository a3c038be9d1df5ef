"""The image data of a PNG: by pixels up to 8 bits, and as it is stored above, where Pillow drops the lower bits."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO

from dupfind.digest import Piece
from dupfind.pictures import container_format, descriptive, pixel_data, png_texts, profiles
from dupfind.pictures.container_format import BEHIND, Part, Reader

_EIGHT_BITS, _GREY, _DEPTH_PLACE = 8, 0, 24
_STORED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT"})
"""Chunks that pixels, frames and their times are decoded from."""
_DESCRIPTIVE = frozenset({b"IEND", b"tIME", b"sBIT", b"hIST", b"sPLT", b"iDOT"})
_PROFILE_KEY = b"Raw profile type ic"
_COLOURS = profiles.PNG_CHUNKS - {profiles.CODE_POINTS}
_RESOLUTION = b"pHYs"
_HEADER_BYTES = 33
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_INTERLACED_PLACE = 28
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of a pixel, by the type of colour (ISO/IEC 15948, 11.2.2)."""
_PASSES = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
"""Adam7: the first column and row of each pass, and the steps to the next ones."""
_FRAME, _FRAME_DATA, _NUMBER_BYTES = b"fcTL", b"fdAT", 4
_TOGETHER_BYTES = 1 << 20


def counting(file: IO[bytes], max_pixels: int) -> Iterator[Piece] | None:
    """Return what counts of the PNG in ``file``, in pieces for a digest."""
    reader = Reader(file)
    chunks = list(container_format.png_chunks(reader))
    beside, colours = [], {}
    texts: list[png_texts.Text] = []
    for part in chunks:
        if part.kind in _COLOURS:
            colours[part.kind] = container_format.png_payload(reader, part)
        elif part.kind == BEHIND:
            beside += [b"behind", reader.at(part.start, part.stop - part.start)] if part.stop > part.start else []
        elif part.kind in png_texts.CHUNKS and not (payload := container_format.png_payload(reader, part)).startswith(
            _PROFILE_KEY
        ):
            text = png_texts.read(part.kind, payload)
            beside += _counting_of_text(text)
            if text.keyword != png_texts.XMP:
                texts.append(text)
        elif part.kind not in _STORED | _DESCRIPTIVE:
            beside += _counting_of_chunk(part.kind, container_format.png_payload(reader, part))
    if reader.length < _HEADER_BYTES or any(
        part.kind == b"CgBI" for part in chunks
    ):  # Apple's own kind, whose pixels Pillow does not read
        return None
    depth, kind = reader.at(_DEPTH_PLACE, 2)
    # Of grey with few levels Pillow does not see which of them is transparent.
    is_unseen = kind == _GREY and depth < _EIGHT_BITS and any(part.kind == b"tRNS" for part in chunks)
    is_stored = depth > _EIGHT_BITS or is_unseen
    beside += png_texts.counting(texts)
    beside += profiles.of_png_chunks(colours)
    if is_stored and profiles.PROFILE in colours:  # of pixels Pillow gives it
        beside += [profiles.PROFILE, colours[profiles.PROFILE]]
    return _stored(reader, chunks, beside) if is_stored else pixel_data.of_pixels(file, max_pixels, beside)


def hides_data(file: IO[bytes]) -> bool:
    """Tell whether ``file`` is a PNG whose packed data go on behind its pixels, where no decoder looks.

    True also where they cannot be unpacked.
    """
    reader = Reader(file)
    if reader.at(0, len(_SIGNATURE)) != _SIGNATURE or reader.length < _HEADER_BYTES:
        return False
    return _hides_any(reader, list(container_format.png_chunks(reader)))


def _hides_any(reader: Reader, chunks: list[Part]) -> bool:
    """Tell it of the picture itself and of every frame of an animation."""
    pictures = [(_size(reader, 16), [part for part in chunks if part.kind == b"IDAT"], 0)]
    frame: list[Part] = []
    for part in chunks:
        if part.kind == _FRAME:
            frame = []
            pictures.append((_size(reader, part.start + 12), frame, _NUMBER_BYTES))
        elif part.kind == _FRAME_DATA:
            frame.append(part)
    return any(_hides(reader, size, parts, skipped) for size, parts, skipped in pictures if parts)


def _size(reader: Reader, place: int) -> tuple[int, int]:
    return reader.number(place, 4), reader.number(place + 4, 4)


def _hides(reader: Reader, size: tuple[int, int], parts: list[Part], skipped_bytes: int) -> bool:
    """Tell whether these chunks together hold more than the pixels of a picture of this size."""
    left = _unpacked_bytes(reader, size)
    unpack = zlib.decompressobj()
    try:
        for part in parts:
            data = container_format.png_payload(reader, part)[skipped_bytes:]
            while data:
                left -= len(unpack.decompress(data, _TOGETHER_BYTES))
                if left < 0:  # it may go on for a thousand times the length of the file
                    return True
                data = unpack.unconsumed_tail
        return len(unpack.flush()) > left or bool(unpack.unused_data)
    except zlib.error:
        return True


def _unpacked_bytes(reader: Reader, size: tuple[int, int]) -> int:
    """Return how long the rows of a picture of this size are, each with the byte that tells its filter."""
    depth, kind = reader.at(_DEPTH_PLACE, 2)
    bits = depth * _SAMPLES.get(kind, 0)
    passes = _PASSES if reader.number(_INTERLACED_PLACE, 1) else ((0, 0, 1, 1),)
    length = 0
    for first_column, first_row, across, down in passes:
        columns, rows = -((first_column - size[0]) // across), -((first_row - size[1]) // down)
        if columns > 0 and rows > 0:
            length += rows * (1 + -(-columns * bits // 8))
    return length


def _counting_of_chunk(kind: bytes, payload: bytes) -> list[bytes]:
    if kind == b"eXIf":
        return pixel_data.exif_pieces(payload)
    if kind == _RESOLUTION:
        return [kind, payload] if payload[:4] != payload[4:8] else []  # pixels that are not square
    return [kind, payload]


def _counting_of_text(text: png_texts.Text) -> list[bytes]:
    """Return what counts of a text that is XMP or Exif, beside what counts of it as a text."""
    if text.xmp is not None:
        return pixel_data.xmp_pieces(text.xmp)
    return [] if text.exif is None else pixel_data.exif_pieces(text.exif)


def _stored(reader: Reader, chunks: list[Part], beside: list[bytes]) -> Iterator[Piece]:
    """Yield the coded pixels as they are, wherever they are cut into chunks."""
    exif = next((container_format.png_payload(reader, part) for part in chunks if part.kind == b"eXIf"), b"")
    facts = descriptive.read_exif(exif)
    orientation = (facts.orientation if facts else None) or 1
    for piece in (b"png", b"orientation %d" % orientation, *beside):
        yield len(piece).to_bytes(8, "big")
        yield piece
    for part in chunks:
        if part.kind in _STORED and part.kind != b"IDAT":
            payload = container_format.png_payload(reader, part)
            yield part.kind + len(payload).to_bytes(8, "big")
            yield payload
    yield b"IDAT"
    for part in chunks:
        if part.kind == b"IDAT":
            yield container_format.png_payload(reader, part)
