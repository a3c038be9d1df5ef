"""Tell whether a picture file holds data among its pixels that no decoder shows: a copy of the picture would lose them.

They lie behind what the last pixel is made of, in a gap before the first one, or in parts of a picture that nothing is
made of. Packed pixels are asked by decoding them without their end: where that gives all pixels, the end made none.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO

from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.pictures import (
    container_format,
    decode_errors,
    descriptive,
    exif_extent,
    heif_data,
    hidden_in_jpeg_2000,
    hidden_in_tiff,
    jpeg_stream,
    jxl,
    jxl_data,
    kinds,
    png_data,
    tiff,
    trailers,
    unshown,
)
from dupfind.pictures.container_format import BEHIND, Part, Reader

JPEG_HEAD = b"\xff\xd8"

_BMP_COLOURS, _BMP_ENTRY_BYTES, _BMP_OLD_ENTRY_BYTES, _BMP_OLD_BYTES, _BMP_SHORT_BYTES = 8, 4, 3, 12, 40
_BMP_MASKS = {3: 12, 6: 16}
"""Bytes of the masks behind a header without them, by the kind of packing."""
_BMP_WITH_PROFILE_BYTES = 124

_BMP_PIXELS_A_BYTE = {1: 1, 2: 2}
"""By the kinds of packing that are made of runs."""
_BMP_END_OF_ROW, _BMP_END, _BMP_STEP = 0, 1, 2

_JXL_EXIF = b"Exif"
_JXL_UNSHOWN = frozenset({b"JXL ", b"ftyp", b"jxll", b"jxli", b"jbrd"})

_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = 0x2C, 0x21, b"\0;"
_GIF_CONTROL, _GIF_APPLICATION, _GIF_LOOPS = 0xF9, 0xFF, (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_GIF_CONTROL_BYTES, _GIF_LOOP_BYTES = 5, 12 + 9
"""How long these extensions are: how a frame is shown; how often a film, and how much of it is to be buffered."""
_MOST_BLOCKS = 1 << 20

_WEBP_HEAD, _WEBP_FRAME, _WEBP_ALPHA, _WEBP_PIXELS = b"VP8X", b"ANMF", b"ALPH", (b"VP8 ", b"VP8L")
_WEBP_LENGTHS = {b"ANIM": 6, b"VP8X": 10}
_WEBP_PROFILE, _WEBP_PLAYS, _WEBP_SHOWS_ALPHA, _WEBP_HAS_PROFILE = b"ICCP", 0x02, 0x10, 0x20
_VP8, _VP8_HEAD_BYTES, _VP8_TAG_BITS = b"VP8 ", 10, 5
_WEBP_HAS_ALPHA, _WEBP_FRAME_BYTES = b"\x10\0\0\0", 16


def hides_data(file: IO[bytes], max_pixels: int) -> bool:  # noqa: PLR0911 - one for each format
    """Tell whether ``file`` is of a format that is looked into here, and holds such data.

    ``max_pixels`` bounds what is decoded. True also where packed data of a PNG cannot be unpacked. It takes 0.4 of the
    time of decoding a PNG, and up to once that time of others.
    """
    reader = Reader(file)
    head = reader.at(0, 16)
    if head.startswith(JPEG_HEAD):
        return jpeg_stream.unused_bytes(bytes(container_format.mapped(file)[:])) > kinds.SMALL_BYTES
    if head.startswith(b"GIF8"):
        return _unshown_of_gif(reader) > kinds.SMALL_BYTES or any(
            unshown.are_all_shown(content, max_pixels) for content in _shortened_gifs(reader)
        )
    if head.startswith(b"BM"):
        return _has_gap(reader) or _goes_on_behind_runs(reader)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _hides_in_webp(reader, max_pixels)
    if head[:4] in descriptive.ORDERS or tiff.is_big(head):
        return hidden_in_tiff.hides_data(container_format.mapped(file), max_pixels)
    if jxl.is_jxl(head):
        return _hides_in_jxl_boxes(reader) or _is_jxl_longer_than_shown(file)
    if head.startswith(hidden_in_jpeg_2000.HEADS):
        return hidden_in_jpeg_2000.hides_data(reader, max_pixels)
    return heif_data.hides_data(file) if head[4:8] == b"ftyp" else png_data.hides_data(file)


def _is_jxl_longer_than_shown(file: IO[bytes]) -> bool:
    """Tell whether a JPEG XL, which was decoded before within all bounds, is all there without its end."""
    shortened = jxl_data.codestream(file)[: -unshown.LEFT_OUT_BYTES]
    try:
        with decode_errors.in_plain_words(lambda: 0), jxl.open_image(io.BytesIO(shortened)) as image:
            image.load()
    except (NotAPictureError, UndecodableError):
        return False
    return True


def _hides_in_jxl_boxes(reader: Reader) -> bool:
    """Tell whether boxes of a JPEG XL that tell how it is decoded, or how its JPEG was, hold more than small notes.

    What lies behind the end of a JPEG, and segments that no program knows, are kept in the box that makes it anew.
    """
    if reader.at(0, len(jxl.CONTAINER)) != jxl.CONTAINER:
        return False
    unshown_bytes = 0
    for box in container_format.boxes(reader, 0, reader.length):
        if box.kind in _JXL_UNSHOWN:
            unshown_bytes += trailers.written_bytes(reader, box.start, box.stop)
        elif box.kind == _JXL_EXIF:
            unshown_bytes += exif_extent.before_block(container_format.box_payload(reader, box))
    return unshown_bytes > kinds.SMALL_BYTES


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


def _goes_on_behind_runs(reader: Reader) -> bool:
    """Tell whether a BMP packed by runs goes on behind its last row, or its rows behind their last pixel.

    Follows the runs (Windows GDI, "Bitmap compression") and counts those bytes of them that show nothing.
    """
    packing, start = reader.number(30, 4, "little"), reader.number(10, 4, "little")
    if reader.number(14, 4, "little") < _BMP_SHORT_BYTES or packing not in _BMP_PIXELS_A_BYTE:
        return False
    width, height = (abs(int.from_bytes(reader.at(place, 4), "little", signed=True)) for place in (18, 22))
    content = reader.at(start, max(0, reader.length - start))
    place, across, down, unshown_bytes = 0, 0, 0, 0
    while place + 1 < len(content) and down < height:
        count, value = content[place], content[place + 1]
        place += 2
        if count:
            unshown_bytes += 2 * (across >= width)
            across += count
        elif value == _BMP_END_OF_ROW:
            across, down = 0, down + 1
        elif value == _BMP_END:
            break
        elif value == _BMP_STEP:
            right, up = content[place : place + 2].ljust(2, b"\0")  # the file may end here
            across, down = across + right, down + up
            place += 2
        else:
            length = -(-value // _BMP_PIXELS_A_BYTE[packing])
            shown = -(-min(value, max(0, width - across)) // _BMP_PIXELS_A_BYTE[packing])
            unshown_bytes += length - shown
            across += value
            place += length + length % 2
    unshown_bytes += kinds.written_bytes(content[place:])
    return unshown_bytes > kinds.SMALL_BYTES


def _unshown_of_gif(reader: Reader) -> int:
    """Count the bytes of a GIF that are in extensions that no program knows, or are more than those have that it does,
    and of comments.

    Extensions of programs by name, where only one picture is shown, are looked at elsewhere.
    """
    unshown_bytes = 0
    place = 13 + _colours_bytes(reader.number(10, 1))
    for _ in range(_MOST_BLOCKS):
        kind, label = reader.number(place, 1), reader.number(place + 1, 1)
        if kind not in (_GIF_IMAGE, _GIF_EXTENSION):
            break
        start = place + 2
        if kind == _GIF_IMAGE:
            start = place + 11 + _colours_bytes(reader.number(place + 9, 1))
        ends = list(_block_ends(reader, start))
        place = (ends[-1] if ends else start) + 1
        if kind == _GIF_EXTENSION and label != _GIF_APPLICATION:
            known_bytes = _GIF_CONTROL_BYTES if label == _GIF_CONTROL else 0
            unshown_bytes += max(0, trailers.written_bytes(reader, start, place - 1) - known_bytes)
        elif kind == _GIF_EXTENSION and reader.at(start + 1, 11) in _GIF_LOOPS:
            unshown_bytes += max(0, trailers.written_bytes(reader, start, place - 1) - _GIF_LOOP_BYTES)
    return unshown_bytes


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
        if kind == _GIF_IMAGE and (left := [end for end in ends if end <= ends[-1] - unshown.LEFT_OUT_BYTES]):
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
    parts = list(container_format.riff_chunks(reader))
    chunks = [(part.kind, container_format.riff_payload(reader, part)) for part in parts if part.kind != BEHIND]
    flags = chunks[0][1][0] if chunks and chunks[0][0] == _WEBP_HEAD and chunks[0][1] else 0
    taken, unused_bytes = _shown_chunks(chunks, flags)
    size, still = b"", []
    for kind, payload in taken:
        unused_bytes += max(0, len(payload) - _WEBP_LENGTHS.get(kind, len(payload)))
        if kind == _WEBP_HEAD:
            size = payload[4:10]
        elif kind in (_WEBP_ALPHA, *_WEBP_PIXELS):
            still.append((kind, payload))
        elif kind == _WEBP_FRAME:
            inside = Reader(io.BytesIO(bytes(12) + payload[_WEBP_FRAME_BYTES:]))
            of_frame = [(part.kind, container_format.riff_payload(inside, part)) for part in _frame_chunks(inside)]
            unused_bytes += _unused_bytes(of_frame)
            if _is_longer_than_shown(payload[6:12], of_frame, max_pixels):
                return True
    unused_bytes += _unused_bytes(still)
    return unused_bytes > kinds.SMALL_BYTES or _is_longer_than_shown(size, still, max_pixels)


def _shown_chunks(chunks: list[Chunk], flags: int) -> tuple[list[Chunk], int]:
    """Return the chunks that decoders look at, and the bytes of those of known kinds that they pass over.

    The ``flags`` of its head tell whether there are frames, or else a picture, a
    profile, and transparency beside lossy pixels (WebP container specification). A file has one head and one profile.
    """
    has_frames, has_alpha = flags & _WEBP_PLAYS, flags & _WEBP_SHOWS_ALPHA
    is_lossy = any(kind == _VP8 for kind, _ in chunks)
    once = {_WEBP_HEAD, _WEBP_PROFILE, *_WEBP_LENGTHS}
    taken: list[Chunk] = []
    unused_bytes = 0
    for kind, payload in chunks:
        is_passed = kind in once and any(kind == other for other, _ in taken)
        is_passed |= kind in (_WEBP_ALPHA, *_WEBP_PIXELS) and bool(has_frames)
        is_passed |= kind in (_WEBP_FRAME, b"ANIM") and not has_frames
        is_passed |= kind == _WEBP_PROFILE and not flags & _WEBP_HAS_PROFILE
        is_passed |= kind == _WEBP_ALPHA and not (has_alpha and is_lossy)
        if is_passed:
            unused_bytes += len(payload)
        else:
            taken.append((kind, payload))
    return taken, unused_bytes


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
    used = {next((number for number, chunk in enumerate(chunks) if chunk[0] in wanted), -1)
            for wanted in (_WEBP_PIXELS, (_WEBP_ALPHA,))}  # fmt: skip
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
    shortened += [[(pixels[0], vp8)] for vp8 in _vp8_without_ends(pixels[1]) if pixels[0] == _VP8]
    return any(unshown.are_all_shown(_webp(picture), max_pixels) for picture in shortened)


def _vp8_without_ends(frame: bytes) -> Iterator[bytes]:
    """Yield a frame of VP8 without the end of each of its partitions but the last (RFC 6386, 9.1 and 9.5).

    How many there are stands among what is packed in the first. So each number of them that fits is taken: what is no
    end of a partition cannot be left out.
    """
    first = int.from_bytes(frame[:3], "little") >> _VP8_TAG_BITS
    table = _VP8_HEAD_BYTES + first
    if table > len(frame):
        return
    if first > unshown.LEFT_OUT_BYTES:
        shorter = int.from_bytes(frame[:3], "little") - (unshown.LEFT_OUT_BYTES << _VP8_TAG_BITS)
        yield shorter.to_bytes(3, "little") + frame[3 : table - unshown.LEFT_OUT_BYTES] + frame[table:]
    for count in (1, 3, 7):  # besides the last one
        stop = table + 3 * count
        for place in range(table, table + 3 * count, 3):
            length = int.from_bytes(frame[place : place + 3], "little")
            stop += length
            if stop > len(frame):
                break
            if length > unshown.LEFT_OUT_BYTES:
                size = (length - unshown.LEFT_OUT_BYTES).to_bytes(3, "little")
                head = frame[:place] + size + frame[place + 3 : stop - unshown.LEFT_OUT_BYTES]
                yield head + frame[stop:]


def _shortened(chunk: Chunk) -> Chunk:
    return chunk[0], chunk[1][: -unshown.LEFT_OUT_BYTES]


def _webp(chunks: list[Chunk]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + len(payload).to_bytes(4, "little") + payload + bytes(len(payload) % 2) for kind, payload in chunks
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body
