"""The image data of a PNG: by pixels up to 8 bits, and as it is stored above, where Pillow drops the lower bits."""

from __future__ import annotations

import re
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
_CHUNK_HEAD_BYTES, _CRC_BYTES = 8, 4
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_INTERLACED_PLACE = 28
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of a pixel, by the type of colour (ISO/IEC 15948, 11.2.2)."""
_PASSES = (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
"""Adam7: the first column and row of each pass, and the steps to the next ones."""
_FRAME, _FRAME_DATA, _NUMBER_BYTES = b"fcTL", b"fdAT", 4
_ANIMATION, _PIXELS = b"acTL", b"IDAT"
_TOGETHER_BYTES = 1 << 20
_LONGEST = {
    b"IHDR": 13, b"PLTE": 768, b"IEND": 0, b"acTL": 8, b"bKGD": 6, b"cHRM": 32, b"cICP": 4, b"cLLI": 8, b"fcTL": 26,
    b"gAMA": 4, b"gIFg": 4, b"hIST": 512, b"iDOT": 256, b"mDCV": 24, b"oFFs": 9, b"orNT": 1, b"pHYs": 9, b"sBIT": 4,
    b"sRGB": 1, b"sTER": 1, b"tIME": 7, b"tRNS": 256, b"vpAg": 9, b"caNv": 16,
    b"dSIG": 0, b"gIFt": 0, b"gIFx": 0, b"pCAL": 0, b"sCAL": 0, b"sPLT": 0,
}  # fmt: skip
"""How long chunks are at most whose names are known (ISO/IEC 15948, its extensions, ImageMagick): what goes on behind
that is looked at by nobody. Of those that may be of any length every byte counts: they are short, or as good as never
there."""
_OFTEN = frozenset({b"fcTL"})
"""Of these there are several. Of the others decoders take one."""
_PROFILE_NAME = re.compile(rb"[^\0]{1,79}\0\0")


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
    """Tell whether ``file`` is a PNG whose packed data go on behind its pixels, where no decoder looks, or that has
    frames that none shows, or more than small notes in chunks that are longer than they can be.

    True also where they cannot be unpacked.
    """
    reader = Reader(file)
    if reader.at(0, len(_SIGNATURE)) != _SIGNATURE or reader.length < _HEADER_BYTES:
        return False
    chunks = list(container_format.png_chunks(reader))
    if _has_unshown_frames(reader, chunks) or _unread_bytes(reader, chunks) > descriptive.SMALL_BYTES:
        return True
    return _hides_any(reader, chunks)


def _has_unshown_frames(reader: Reader, chunks: list[Part]) -> bool:
    """Tell whether there are pixels of frames besides those that the file says to have.

    It says so once, before the pixels, or it is a still picture for all who show it (PNG, third edition, 11.3.6.1).
    """
    said = [number for number, part in enumerate(chunks) if part.kind == _ANIMATION]
    pixels = next((number for number, part in enumerate(chunks) if part.kind == _PIXELS), len(chunks))
    is_animation = len(said) == 1 and said[0] < pixels
    left = reader.number(chunks[said[0]].start + _CHUNK_HEAD_BYTES, 4) if is_animation else 0
    is_shown = False
    for part in chunks:
        if part.kind == _FRAME:
            left -= 1
            is_shown = left >= 0
        elif part.kind == _PIXELS:
            is_shown = False  # of a frame before them these are the pixels
        elif part.kind == _FRAME_DATA and not is_shown:
            return True
    return False


def _unread_bytes(reader: Reader, chunks: list[Part]) -> int:
    """Count what lies in chunks of known kinds behind what they can hold, in second ones, and in texts beside them."""
    seen: set[bytes] = set()
    profiles_bytes: list[int] = []
    unread_bytes = 0
    for part in chunks:
        length_bytes = part.stop - part.start - _CHUNK_HEAD_BYTES - _CRC_BYTES
        if part.kind in _LONGEST:
            longest = 0 if part.kind in seen - _OFTEN else _LONGEST[part.kind]
            unread_bytes += max(0, length_bytes - longest)
            seen.add(part.kind)
        elif part.kind == profiles.PROFILE:
            profiles_bytes.append(length_bytes)
            unread_bytes += _unread_of_profile(container_format.png_payload(reader, part))
        elif part.kind in png_texts.CHUNKS:
            unread_bytes += png_texts.unread_bytes(part.kind, container_format.png_payload(reader, part))
    # Some decoders take the first, others the last.
    return unread_bytes + sum(profiles_bytes) - min(profiles_bytes, default=0)


def _unread_of_profile(payload: bytes) -> int:
    """Count the bytes of a profile's chunk that are none of its name and of what is packed (ISO/IEC 15948, 11.3.3.3).

    All of them where it cannot be unpacked.
    """
    name = _PROFILE_NAME.match(payload)
    return len(payload) if name is None else png_texts.behind_packed(payload[name.end() :])


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
