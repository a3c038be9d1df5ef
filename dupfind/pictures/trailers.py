"""What lies in a file behind its picture: further pictures, films, sound, the blocks of Samsung's phones, or slack.

Follows the bytes and not what an index says of them: indexes outlive what they point to. Every loop is bounded.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from dupfind.pictures import embedded, jpeg_stream, kinds
from dupfind.pictures.container_format import Part, Reader, boxes

_BLOCK_BYTES, _MOST_BLOCKS = 1 << 16, 4096
_MOST_STEPS = 64
_MOST_PICTURE_BYTES = 1 << 26
_LENGTH_BYTES = 3
"""Of the four bytes before the type of a box as many may be zero, which looks like padding."""
_PADDING = re.compile(rb"(?:\xff\xd9|[\0\xff])*")
_PICTURE_START = b"\xff\xd8\xff"
_STARTS = re.compile(rb"\xff\xd8\xff|.{4}ftyp|RIFF.{4}(?:WAVE|AVI )", re.DOTALL)

_SAMSUNG_END, _SAMSUNG_DIRECTORY = b"SEFT", b"SEFH"
_SAMSUNG_HEAD_BYTES, _SAMSUNG_ENTRY_BYTES, _SAMSUNG_MOST_BYTES = 12, 12, 1 << 16
_SAMSUNG_BLOCK = re.compile(rb"\0\0..([\x04-\x40])\0\0\0(?=[A-Za-z0-9_.]{4})", re.DOTALL)
"""The head of a block: zeros, its type, the length of its name, its name."""
_SAMSUNG_KINDS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"MotionPhoto_Data|Interactive_Panorama_\d|Motion_Panorama_\w*\d|.*Video"), kinds.VIDEO),
    (re.compile(rb"SoundShot_\d|.*Audio"), kinds.SOUND),
    (re.compile(rb".*Depth_?Map(?!Info)"), kinds.DEPTH),
    (re.compile(rb".*Gain_?Map(?!Info)"), kinds.GAIN_MAP),
    (re.compile(rb"(?i).*(?:Drawing|Handwriting|Sketch|Doodle|Pen_?(?!el)|Memo)"), "a drawing"),
    (re.compile(rb"DualShot_\d|FlipPhoto_\d|.*Original_?Image"), kinds.SECOND_PICTURE),
)
"""By the names of blocks; the others are told by how their content begins."""

_MOST_SAMSUNG_BYTES = 1 << 16
"""Up to here blocks of an unknown name are notes, such as what the phone's editor needs to undo a change."""

_FILM = re.compile(rb".{4}ftyp(?:isom|mp4|qt  |3gp|M4V)", re.DOTALL)
_CANON_EDITS, _CANON_END_BYTES = b"CANON OPTIONAL DATA\0", 64


PREVIEW = ""
"""The kind of what an index calls a preview."""


class _Stretch(NamedTuple):
    """What a stretch of a file was found to be."""

    kinds: list[str]
    unknown_bytes: int


def of_bytes(content: bytes, shown: embedded.Shown) -> list[str]:
    """Return the kinds of what ``content``, which lies in segments of a file, holds."""
    stretch = _follow(Reader(io.BytesIO(content)), 0, len(content), shown, {}, [])
    return stretch.kinds or _of_unknown("in its segments", stretch.unknown_bytes)


def of_trailer(
    reader: Reader, start: int, shown: embedded.Shown | None, indexed: Mapping[int, str], said: list[str]
) -> list[str]:
    """Return the kinds of what lies from byte ``start`` of the file to its end, behind the picture that is ``shown``.

    Where that is None, no picture counts as a preview. ``indexed`` are the kinds that an index gives to pictures by
    where they begin, that of previews is :data:`PREVIEW`; ``said`` those that XMP tells of, in the order of the file.
    """
    if start >= reader.length:
        return []
    stop, kinds_of_blocks = _samsung_blocks(reader, start)
    stop = _without_edits(reader, start, stop)
    stretch = _follow(reader, start, stop, shown, indexed, said)
    return stretch.kinds + kinds_of_blocks or _of_unknown("behind its end", stretch.unknown_bytes)


def _of_unknown(where: str, size_bytes: int) -> list[str]:
    return [kinds.unknown(where, size_bytes)] if size_bytes > kinds.SMALL_BYTES else []


def outline(jpeg: bytes) -> tuple[bytes, jpeg_stream.Stream]:
    """Return the JPEG that ``jpeg`` begins with, and its outline.

    Samsung's panoramas lack the end marker, and their trailer begins where it should be. There the mark is added, so
    that the decoder can tell whether the picture is whole; the end of the outline is where the trailer begins.
    """
    stream = jpeg_stream.inspect(jpeg)
    if stream.damage is None and not jpeg.endswith(_SAMSUNG_END):
        return jpeg, stream
    starts = [find_samsung(jpeg, stream.scan_start)]
    starts += [match.start() for match in [_FILM.search(jpeg, stream.scan_start)] if match]
    start = min((start for start in starts if start is not None), default=None)
    if start is None or (stream.end is not None and stream.end <= start):
        return jpeg, stream
    ended = jpeg[:start] + jpeg_stream.END
    mended = jpeg_stream.inspect(ended)
    return (ended, replace(mended, end=start)) if mended.damage is None else (jpeg, stream)


def _follow(
    reader: Reader, place: int, stop: int, shown: embedded.Shown | None, indexed: Mapping[int, str], said: list[str]
) -> _Stretch:
    held: list[str] = []
    unknown_bytes = 0
    for _ in range(_MOST_STEPS):
        before, place = place, _behind_padding(reader, place, stop)
        unknown_bytes += written_bytes(reader, before, place)
        if place >= stop:
            return _Stretch(held, unknown_bytes)
        place = _start_of_box(reader, max(before, place - _LENGTH_BYTES), place)
        head = reader.at(place, min(16, stop - place))
        if head.startswith(_PICTURE_START):
            content = reader.at(place, min(stop - place, _MOST_PICTURE_BYTES))
            length = jpeg_stream.inspect(content).end or len(content)
            kind = _picture(content[:length], shown, indexed.get(place), said)
            if kind is not None:
                held.append(kind)
            place += length
        elif (kind := kinds.of_start(head)) is not None:
            held.append(kind)
            end = _end_of_boxes(reader, place, stop)
            if end == place:  # no box: where it ends cannot be told
                return _Stretch(held, unknown_bytes)
            place = end
        else:
            start = _next_start(reader, place, stop)
            unknown_bytes += written_bytes(reader, place, start)
            place = start
    return _Stretch(held, unknown_bytes + stop - place)


def _picture(content: bytes, shown: embedded.Shown | None, indexed: str | None, said: list[str]) -> str | None:
    """Return the kind of an embedded JPEG; None for a preview."""
    hints = [indexed] if indexed else [] if indexed == PREVIEW else said[:1]
    try:
        kind = embedded.describe(content, shown, hints, is_preview=indexed == PREVIEW)
    except ValueError:
        return kinds.SECOND_PICTURE
    if kind in said:
        said.remove(kind)
    return kind


def _behind_padding(reader: Reader, place: int, stop: int) -> int:
    """Return where something begins that is neither 0 nor 255 nor the mark of an end."""
    for _ in range(_MOST_BLOCKS):
        block = reader.at(place, min(_BLOCK_BYTES, stop - place))
        match = _PADDING.match(block)
        length = match.end() if match else 0
        if length < len(block) or not block:
            is_mark = length and block[length - 1] == _PICTURE_START[0] and block[length] == _PICTURE_START[1]
            return place + length - is_mark if block else stop
        place += max(1, length - 1) if block[-1] == _PICTURE_START[0] and place + length < stop else length
    return place


def _start_of_box(reader: Reader, least: int, place: int) -> int:
    """Return where a box begins whose length begins with zeros, from ``least`` on; ``place`` where none does."""
    for start in range(least, place):
        if kinds.of_start(reader.at(start, 16)) is not None:
            return start
    return place


def _next_start(reader: Reader, place: int, stop: int) -> int:
    """Return where the next known thing begins, or the end."""
    for _ in range(_MOST_BLOCKS):
        block = reader.at(place, min(_BLOCK_BYTES + 16, stop - place))
        match = _STARTS.search(block, 1)
        if match:
            return place + match.start()
        if len(block) <= _BLOCK_BYTES:
            break
        place += _BLOCK_BYTES
    return stop


def written_bytes(reader: Reader, place: int, stop: int) -> int:
    """Return how many bytes from ``place`` to ``stop`` are not slack; past 256 MiB every one counts."""
    starts = range(place, stop, _BLOCK_BYTES)
    count = max(0, stop - place - _MOST_BLOCKS * _BLOCK_BYTES)
    return count + sum(
        kinds.written_bytes(reader.at(start, min(_BLOCK_BYTES, stop - start))) for start in starts[:_MOST_BLOCKS]
    )


def _end_of_boxes(reader: Reader, place: int, stop: int) -> int:
    """Return where the boxes of a film that begins at ``place`` end."""
    for box in boxes(reader, place, stop):
        if not box.kind.isalnum():
            break
        place = box.stop
    return place


def _without_edits(reader: Reader, start: int, stop: int) -> int:
    """Return where the picture's trailer ends but for the recipe of Canon's raw converter."""
    tail = reader.at(max(start, stop - _CANON_END_BYTES), min(stop - start, _CANON_END_BYTES))
    if not tail.startswith(_CANON_EDITS) or len(tail) < _CANON_END_BYTES:
        return stop
    length = 28 + int.from_bytes(tail[20:24], "big") + _CANON_END_BYTES
    begins = reader.at(stop - length, len(_CANON_EDITS)) == _CANON_EDITS if stop - length >= start else False
    return stop - length if begins else stop


def _samsung_blocks(reader: Reader, start: int) -> tuple[int, list[str]]:
    """Return where the blocks of a Samsung phone begin, the file's end where there are none, and their kinds."""
    tail = reader.at(max(start, reader.length - _SAMSUNG_MOST_BYTES), _SAMSUNG_MOST_BYTES)
    directory = tail.rfind(_SAMSUNG_DIRECTORY)
    if not tail.endswith(_SAMSUNG_END) or directory < 0:
        return reader.length, []
    place = reader.length - len(tail) + directory
    blocks = list(_samsung_directory(reader, start, place))
    if not blocks:
        blocks = _samsung_scan(reader, start, place)
    first = min((block.start for block in blocks), default=place)
    held, unknown_bytes = [], 0
    for block in blocks:
        kind = _samsung_kind(reader, block)
        if kind is None:
            unknown_bytes += block.stop - block.start
        else:
            held.append(kind)
    if unknown_bytes > _MOST_SAMSUNG_BYTES:
        held.append(kinds.unknown("in the phone's trailer", unknown_bytes))
    return first, held


def _samsung_directory(reader: Reader, start: int, place: int) -> Iterator[Part]:
    """Yield the blocks that the directory at ``place`` lists; none where any is not where it says."""
    count = min(reader.number(place + 8, 4, "little"), _MOST_STEPS)
    for entry in range(count):
        at = place + _SAMSUNG_HEAD_BYTES + _SAMSUNG_ENTRY_BYTES * entry
        block_start = place - reader.number(at + 4, 4, "little")
        block_stop = block_start + reader.number(at + 8, 4, "little")
        if start <= block_start < block_stop <= place:
            yield Part(reader.at(at, 4), block_start, block_stop)


def _samsung_scan(reader: Reader, start: int, stop: int) -> list[Part]:
    """Return one block from the first head on, of a trailer without a sound directory."""
    content = reader.at(start, min(stop - start, _MOST_PICTURE_BYTES))
    first = find_samsung(content, 0)
    return [] if first is None else [Part(b"", start + first, stop)]


def find_samsung(content: bytes, start: int) -> int | None:
    """Return where the first block of a Samsung trailer begins in ``content``; None where there is none."""
    for match in _SAMSUNG_BLOCK.finditer(content, start):
        name = content[match.end() : match.end() + match[1][0]]
        if len(name) == match[1][0] and re.fullmatch(rb"[A-Za-z][A-Za-z0-9_.]*", name):
            return match.start()
    return None


def _samsung_kind(reader: Reader, block: Part) -> str | None:
    """Return what a block holds; None for notes."""
    length = reader.number(block.start + 4, 4, "little")
    name = reader.at(block.start + 8, min(length, 64))
    head = reader.at(block.start + 8 + length, min(16, max(0, block.stop - block.start - 8 - length)))
    by_name = next((kind for pattern, kind in _SAMSUNG_KINDS if pattern.match(name)), None)
    return by_name or kinds.of_start(head)
