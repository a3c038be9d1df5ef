"""Tell whether a picture file holds data among its pixels that no decoder shows: a copy of the picture would lose them.

They lie behind what the last pixel is made of, in a gap before the first one, or in parts of a picture that nothing is
made of. Packed pixels are asked by decoding them without their end: where that gives all pixels, the end made none.
"""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator
from typing import IO

from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.pictures import (
    container_format,
    decode_errors,
    descriptive,
    heif_data,
    jxl,
    jxl_data,
    kinds,
    pixel_data,
    png_data,
    tiff_data,
    trailers,
)
from dupfind.pictures.container_format import BEHIND, Part, Reader

_LEFT_OUT_BYTES = 256
"""What is left out of the end of packed pixels; less is not looked for. A GIF has blocks of 255. Of 100 WebPs none
gives all pixels without its last 16 bytes."""

_BMP_COLOURS, _BMP_ENTRY_BYTES, _BMP_OLD_ENTRY_BYTES, _BMP_OLD_BYTES, _BMP_SHORT_BYTES = 8, 4, 3, 12, 40
_BMP_MASKS = {3: 12, 6: 16}
"""Bytes of the masks behind a header without them, by the kind of packing."""
_BMP_WITH_PROFILE_BYTES = 124

_JP2_HEAD, _JP2_CODESTREAM, _J2K_HEAD = b"\0\0\0\x0cjP  ", b"jp2c", b"\xff\x4f\xff\x51"
_JP2_FREE = frozenset({b"free", b"skip"})
_J2K_TILE_PART, _J2K_END, _MOST_MARKERS = 0xFF90, 0xFFD9, 1 << 20

_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = 0x2C, 0x21, b"\0;"
_MOST_BLOCKS = 1 << 20

_WEBP_HEAD, _WEBP_FRAME, _WEBP_ALPHA, _WEBP_PIXELS = b"VP8X", b"ANMF", b"ALPH", (b"VP8 ", b"VP8L")
_WEBP_LENGTHS = {b"ANIM": 6}
_WEBP_HAS_ALPHA, _WEBP_FRAME_BYTES = b"\x10\0\0\0", 16

_WIDTH, _HEIGHT, _BITS, _PACKING, _SAMPLES, _ROWS, _PLANAR = 256, 257, 258, 259, 277, 278, 284
_PHOTOMETRIC, _TILE_WIDTH, _TILE_HEIGHT, _TILE_PLACES = 262, 322, 323, 324
_DECODED_IN_ANY_PLANE = frozenset({_PACKING, 266, 317, 339})
_DECODED = _DECODED_IN_ANY_PLANE | {_BITS, _PHOTOMETRIC, _SAMPLES, 320, 338, 530, 531, 532}
"""Tags that the pixels of a strip are decoded by, beside its size."""
_NOT_PACKED, _PACKED = 1, frozenset({5, 8, 32773, 32946})
"""Kinds of packing (TIFF 6.0, 259): none; LZW, Deflate, PackBits. A decoder of JPEG takes one without its end."""
_ONE_PLANE, _BLACK_IS_ZERO, _SHORT, _LONG = 2, 1, 3, 4


def hides_data(file: IO[bytes], max_pixels: int) -> bool:  # noqa: PLR0911 - one for each format
    """Tell whether ``file`` is of a format that is looked into here, and holds such data.

    ``max_pixels`` bounds what is decoded. True also where packed data of a PNG cannot be unpacked. It takes 0.4 of the
    time of decoding a PNG, and up to once that time of others.
    """
    reader = Reader(file)
    head = reader.at(0, 16)
    if head.startswith(b"GIF8"):
        return any(_are_all_shown(content, max_pixels) for content in _shortened_gifs(reader))
    if head.startswith(b"BM"):
        return _has_gap(reader)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _hides_in_webp(reader, max_pixels)
    if head[:4] in descriptive.ORDERS:
        return _hides_in_tiff(container_format.mapped(file), max_pixels)
    if jxl.is_jxl(head):
        return _is_jxl_longer_than_shown(file)
    if head.startswith((_JP2_HEAD, _J2K_HEAD)):
        return _hides_in_jpeg_2000(reader)
    return heif_data.hides_data(file) if head[4:8] == b"ftyp" else png_data.hides_data(file)


def _are_all_shown(content: bytes, max_pixels: int) -> bool:
    """Tell whether a file gives all pixels."""
    try:
        with decode_errors.in_plain_words(lambda: 0), pixel_data.opened(io.BytesIO(content), max_pixels) as image:
            image.load()
    except (NotAPictureError, UndecodableError):
        return False
    return True


def _is_jxl_longer_than_shown(file: IO[bytes]) -> bool:
    """Tell whether a JPEG XL, which was decoded before within all bounds, is all there without its end."""
    shortened = jxl_data.codestream(file)[:-_LEFT_OUT_BYTES]
    try:
        with decode_errors.in_plain_words(lambda: 0), jxl.open_image(io.BytesIO(shortened)) as image:
            image.load()
    except (NotAPictureError, UndecodableError):
        return False
    return True


def _has_gap(reader: Reader) -> bool:
    """Tell whether a BMP holds more than small notes between its head and its pixels."""
    header, pixels = (reader.number(place, 4, "little") for place in (14, 10))
    is_old = header == _BMP_OLD_BYTES
    depth = reader.number(24 if is_old else 28, 2, "little")
    most = 1 << depth if depth <= _BMP_COLOURS else 0
    colours = most if is_old else min(reader.number(46, 4, "little") or most, most)
    end = 14 + header + colours * (_BMP_OLD_ENTRY_BYTES if is_old else _BMP_ENTRY_BYTES)
    if header == _BMP_SHORT_BYTES:
        end += _BMP_MASKS.get(reader.number(30, 4, "little"), 0)
    written = trailers.written_bytes(reader, end, min(pixels, reader.length))
    if header >= _BMP_WITH_PROFILE_BYTES and reader.number(126, 4, "little") + 14 < pixels:
        written -= reader.number(130, 4, "little")
    return written > kinds.SMALL_BYTES


def _hides_in_jpeg_2000(reader: Reader) -> bool:
    """Tell whether more than small notes lie behind the end of a codestream, or in boxes that are said to be free."""
    is_bare = reader.at(0, 4) == _J2K_HEAD
    boxes = [Part(_JP2_CODESTREAM, 0, reader.length)] if is_bare else container_format.boxes(reader, 0, reader.length)
    written = 0
    for box in boxes:
        start = box.start if is_bare else box.start + (16 if reader.number(box.start, 4) == 1 else 8)
        if box.kind == _JP2_CODESTREAM:
            written += trailers.written_bytes(reader, _end_of_codestream(reader, start, box.stop), box.stop)
        elif box.kind in _JP2_FREE:
            written += trailers.written_bytes(reader, start, box.stop)
    return written > kinds.SMALL_BYTES


def _end_of_codestream(reader: Reader, start: int, stop: int) -> int:
    """Return where a JPEG 2000 codestream ends (ITU-T T.800, A.4): behind its main header and its tile-parts.

    Each tile-part tells its length. The last one may tell none: it goes on to ``stop``, and OpenJPEG decodes nothing
    that lies behind it. Where they cannot be followed, all from there on is taken for more.
    """
    place = start + 2
    for _ in range(_MOST_MARKERS):
        marker = reader.number(place, 2)
        if marker == _J2K_END:
            return place + 2
        length = reader.number(place + 6, 4) if marker == _J2K_TILE_PART else 2 + reader.number(place + 2, 2)
        if not length:
            return stop
        if place + length > stop:
            break
        place += length
    return place


def _shortened_gifs(reader: Reader) -> Iterator[bytes]:
    """Yield each frame of a GIF as a picture of its own, without the end of its packed pixels."""
    flags = reader.number(10, 1)
    place = 13 + _colours_bytes(flags)
    colours = reader.at(13, place - 13)
    for _ in range(_MOST_BLOCKS):
        kind = reader.number(place, 1)
        if kind not in (_GIF_IMAGE, _GIF_EXTENSION):
            return
        start = place + 2
        if kind == _GIF_IMAGE:
            start = place + 11 + _colours_bytes(reader.number(place + 9, 1))
        ends = list(_block_ends(reader, start))
        packed = reader.at(start, ends[-1] - start) if ends else b""
        if kind == _GIF_IMAGE and (left := [end for end in ends if end <= ends[-1] - _LEFT_OUT_BYTES]):
            size, own = reader.at(place + 5, 4), reader.at(place + 9, start - place - 9)
            head = reader.at(0, 6) + size + reader.at(10, 3) + colours + b"," + bytes(4) + size + own
            yield head + packed[: left[-1] - start] + _GIF_END
        place = (ends[-1] if ends else start) + 1


def _colours_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _block_ends(reader: Reader, place: int) -> Iterator[int]:
    """Yield where each block of a GIF ends, of those that lie one behind the other from ``place`` on."""
    for _ in range(_MOST_BLOCKS):
        length = reader.number(place, 1)
        if not length:
            return
        place += 1 + length
        yield place


Chunk = tuple[bytes, bytes]
"""Of a WebP: its kind and what it holds."""


def _hides_in_webp(reader: Reader, max_pixels: int) -> bool:
    still: list[Chunk] = []
    size, unused_bytes = b"", 0
    for part in container_format.riff_chunks(reader):
        payload = b"" if part.kind == BEHIND else container_format.riff_payload(reader, part)
        unused_bytes += max(0, len(payload) - _WEBP_LENGTHS.get(part.kind, len(payload)))
        if part.kind == _WEBP_HEAD:
            size = size or payload[4:10]
        elif part.kind in (_WEBP_ALPHA, *_WEBP_PIXELS):
            still.append((part.kind, payload))
        elif part.kind == _WEBP_FRAME:
            inside = Reader(io.BytesIO(bytes(12) + payload[_WEBP_FRAME_BYTES:]))
            chunks = [(part.kind, container_format.riff_payload(inside, part)) for part in _frame_chunks(inside)]
            unused_bytes += _unused_bytes(chunks)
            if _is_longer_than_shown(payload[6:12], chunks, max_pixels):
                return True
    unused_bytes += _unused_bytes(still)
    return unused_bytes > kinds.SMALL_BYTES or _is_longer_than_shown(size, still, max_pixels)


def _frame_chunks(reader: Reader) -> Iterator[Part]:
    """Yield the chunks of a frame, from byte 12 on; what cannot be followed is one of the kind ``BEHIND``."""
    place = 12
    while place < reader.length:
        stop = place + 8 + reader.number(place + 4, 4, "little")
        if stop > reader.length:
            yield Part(BEHIND, place - 8, reader.length)
            return
        yield Part(reader.at(place, 4), place, stop)
        place = stop + (stop - place) % 2


def _unused_bytes(chunks: list[Chunk]) -> int:
    """Return how many bytes lie in chunks that no pixel is made of: all but the first of each kind that is known."""
    used = {next((number for number, chunk in enumerate(chunks) if chunk[0] in known), -1)
            for known in (_WEBP_PIXELS, (_WEBP_ALPHA,))}  # fmt: skip
    return sum(len(payload) for number, (_, payload) in enumerate(chunks) if number not in used)


def _is_longer_than_shown(size: bytes, chunks: list[Chunk], max_pixels: int) -> bool:
    """Tell whether a picture of these chunks, of this size as a WebP has it, is all there without an end of them."""
    pixels = next((chunk for chunk in chunks if chunk[0] in _WEBP_PIXELS), None)
    if pixels is None:
        return False
    alpha = next((chunk for chunk in chunks if chunk[0] == _WEBP_ALPHA), None)
    shortened = [[_shortened(pixels)]]
    if alpha is not None and pixels[0] == _WEBP_PIXELS[0]:
        shortened.append([(_WEBP_HEAD, _WEBP_HAS_ALPHA + size), _shortened(alpha), pixels])
    return any(_are_all_shown(_webp(picture), max_pixels) for picture in shortened)


def _shortened(chunk: Chunk) -> Chunk:
    return chunk[0], chunk[1][:-_LEFT_OUT_BYTES]


def _webp(chunks: list[Chunk]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) % 2) for kind, payload in chunks
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _hides_in_tiff(block: mmap.mmap | bytes, max_pixels: int) -> bool:
    order = descriptive.ORDERS[bytes(block[:4])]
    try:
        return any(_hides_in_page(block, page, order, max_pixels) for page in tiff_data.pages(block, order))
    except descriptive.BrokenError:
        return False


def _hides_in_page(
    block: mmap.mmap | bytes, page: descriptive.Directory, order: descriptive.Order, max_pixels: int
) -> bool:
    """Tell whether strips or tiles of a page go on behind their pixels."""
    numbers = {tag.number: tiff_data.numbers(tag, order) for tag in page.tags if tag.kind in (_SHORT, _LONG)}

    def number(tag: int, usual: int) -> int:
        return next(iter(numbers.get(tag, ())), usual)

    packing, height = number(_PACKING, _NOT_PACKED), number(_HEIGHT, 0)
    width, rows = number(_WIDTH, 0), min(number(_ROWS, height), height)
    if is_tiled := _TILE_PLACES in numbers:  # each is whole, whatever the page shows of it
        width, rows = number(_TILE_WIDTH, 0), number(_TILE_HEIGHT, 0)
    samples = 1 if number(_PLANAR, 1) == _ONE_PLANE else number(_SAMPLES, 1)
    strips = tiff_data.strips(page, order)
    in_plane = 1 if is_tiled else max(1, -(-height // max(1, rows)))
    unshown_bytes = 0
    for place, (start, stop) in enumerate(strips):
        left = rows if is_tiled else min(rows, height - place % in_plane * rows)
        if packing == _NOT_PACKED:
            # Some programs fill up the last strip to its usual number of rows.
            shown = left * -(-width * samples * number(_BITS, 1) // 8)
            unshown_bytes += kinds.written_bytes(bytes(block[min(start + shown, stop) : stop]))
        elif packing in _PACKED and stop - start > _LEFT_OUT_BYTES:
            tags = {tag.number: tag for tag in page.tags if tag.number in _DECODED}
            if samples == 1 and number(_SAMPLES, 1) > 1:
                tags = {_BITS: tiff_data.numbered(_BITS, number(_BITS, 1), order)}
                tags |= {tag.number: tag for tag in page.tags if tag.number in _DECODED_IN_ANY_PLANE}
                tags[_PHOTOMETRIC] = tiff_data.numbered(_PHOTOMETRIC, _BLACK_IS_ZERO, order)
            for tag, value in ((_WIDTH, width), (_HEIGHT, left), (_ROWS, left)):
                tags[tag] = tiff_data.numbered(tag, value, order)
            strip = bytes(block[start : stop - _LEFT_OUT_BYTES])
            if _are_all_shown(tiff_data.of_one_strip(tags, strip, order), max_pixels):
                return True
    return unshown_bytes > kinds.SMALL_BYTES
