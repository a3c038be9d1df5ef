"""What counts of MP3, AAC, FLAC, WAV and AVI files: all of the file as it is stored, but for words about it.

Nobody puts their packets together in another way without encoding them anew, so that tags are all that differs.
"""

from __future__ import annotations

from typing import NamedTuple

from dupfind.pictures import descriptive, sound_tags
from dupfind.pictures.film_packets import BrokenError
from dupfind.pictures.film_pieces import FilmReader, Piece, Span

_MOST_PARTS = 4096
_MOST_SMALL_BYTES = 1 << 26
_FLAC, _FLAC_STREAM, _FLAC_PADDING, _FLAC_SEEKS, _FLAC_COMMENTS = b"fLaC", 0, 1, 3, 4
_FLAC_STREAM_BYTES, _FLAC_SEEK_BYTES, _MOST_SEEKS_BYTES = 34, 18, 1 << 16
_SYNC, _LAYER_BITS = 0xE0, 0x06
_RIFF, _WAVE, _AVI, _AVI_MORE = b"RIFF", b"WAVE", b"AVI ", b"AVIX"
_EMPTY = frozenset({b"JUNK", b"junk", b"PAD ", b"FLLR"})
_TAGS = frozenset({b"id3 ", b"ID3 "})
_INFO_DATE = b"IDIT"


class Stored(NamedTuple):
    """A file that counts as it is stored."""

    container: str
    """As FFmpeg calls it."""
    facts: list[object]
    """What it has in common with every file of equal image data."""
    pieces: list[Piece]


def read(reader: FilmReader) -> Stored | None:
    """Return what counts of a file; None where it is of none of these formats.

    Raises :class:`~dupfind.pictures.film_packets.BrokenError` where it cannot be followed.
    """
    if reader.at(0, 4) == _RIFF:
        return _riff(reader)
    sound, pieces = sound_tags.around(reader)
    head = reader.at(sound.start, 4)
    if head == _FLAC:
        return _flac(reader, sound, pieces)
    if len(head) == 4 and head[0] == 0xFF and head[1] & _SYNC == _SYNC:  # noqa: PLR2004 - eleven bits of ones
        container = "mp3" if head[1] & _LAYER_BITS else "aac"
        length = sound.stop - sound.start
        return Stored(container, [container, length, reader.at(sound.start, 64)], [*pieces, b"frames", sound])
    return None


def _flac(reader: FilmReader, sound: Span, pieces: list[Piece]) -> Stored:
    place, stream = sound.start + 4, b""
    for number in range(_MOST_PARTS):
        head = reader.at(place, 4)
        length = int.from_bytes(head[1:], "big")
        kind, span = head[0] & 0x7F if head else -1, Span(place + 4, place + 4 + length)
        if len(head) < 4 or span.stop > sound.stop or (kind == _FLAC_STREAM) != (number == 0):  # noqa: PLR2004
            raise BrokenError
        content = reader.at(span.start, length)
        if kind == _FLAC_STREAM:
            stream = content
        if kind == _FLAC_COMMENTS:
            pieces += sound_tags.comment_pieces(reader, content)
        elif not _is_seek_table(kind, length) and (kind != _FLAC_PADDING or content.strip(b"\0")):
            pieces += [b"block %d" % kind, span]
        elif kind == _FLAC_SEEKS:
            reader.leave_out(length)
        place = span.stop
        if head[0] & 0x80:
            break
    else:
        raise BrokenError
    if len(stream) != _FLAC_STREAM_BYTES:
        raise BrokenError
    return Stored("flac", ["flac", stream, sound.stop - place], [*pieces, b"frames", Span(place, sound.stop)])


def _is_seek_table(kind: int, length: int) -> bool:
    return kind == _FLAC_SEEKS and length % _FLAC_SEEK_BYTES == 0 and length <= _MOST_SEEKS_BYTES


def _riff(reader: FilmReader) -> Stored | None:
    form = reader.at(8, 4)
    if form not in {_WAVE, _AVI}:
        return None
    pieces: list[Piece] = [form]
    facts: list[object] = [form]
    place = 0
    for _ in range(_MOST_PARTS):
        if reader.at(place, 4) != _RIFF or (place and reader.at(place + 8, 4) != _AVI_MORE):
            break
        stop = place + 8 + reader.number(place + 4, 4, "little")
        if stop > reader.length:
            raise BrokenError
        _chunks(reader, Span(place + 12, stop), pieces, facts)
        place = stop + stop % 2
    behind = Span(min(place, reader.length), reader.length)
    if any(content.strip(b"\0") for content in behind.blocks(reader)):
        pieces += [b"behind", behind]
    return Stored("wav" if form == _WAVE else "avi", facts, pieces)


def _chunks(reader: FilmReader, span: Span, pieces: list[Piece], facts: list[object]) -> None:
    """Add what counts of the chunks of a file, and the lengths of those that hold its packets to its facts."""
    place = span.start
    for _ in range(_MOST_PARTS):
        if place >= span.stop:
            return
        kind, length = reader.at(place, 4), reader.number(place + 4, 4, "little")
        inside = Span(place + 8, place + 8 + length)
        if len(kind) < 4 or inside.stop > span.stop:  # noqa: PLR2004
            raise BrokenError
        if kind == b"data" or (kind == b"LIST" and reader.at(inside.start, 4) == b"movi"):
            facts += [kind, length, reader.at(inside.start, 64)]
        pieces += _chunk(reader, kind, inside)
        place = inside.stop + inside.stop % 2
    raise BrokenError


def _chunk(reader: FilmReader, kind: bytes, inside: Span) -> list[Piece]:
    if kind in _EMPTY and not any(content.strip(b"\0") for content in inside.blocks(reader)):
        return []
    if kind in _TAGS and inside.stop - inside.start <= _MOST_SMALL_BYTES:
        content = reader.at(inside.start, inside.stop - inside.start)
        return sound_tags.id3_pieces(reader, content) if content.startswith(b"ID3") else [kind, inside]
    if kind == b"LIST" and reader.at(inside.start, 4) == b"INFO":
        return _info(reader, Span(inside.start + 4, inside.stop))
    is_words = kind == _INFO_DATE and inside.stop - inside.start <= descriptive.SMALL_BYTES
    if is_words:
        reader.leave_out(inside.stop - inside.start)
    return [] if is_words else [kind, inside]


def _info(reader: FilmReader, span: Span) -> list[Piece]:
    """Return what counts of a list of texts about the file."""
    if span.stop - span.start > _MOST_SMALL_BYTES:
        return [b"INFO", span]
    content = reader.at(span.start, span.stop - span.start)
    pieces: list[Piece] = []
    place = 0
    while place + 8 <= len(content):
        length = int.from_bytes(content[place + 4 : place + 8], "little")
        value = content[place + 8 : place + 8 + length]
        is_text = content[place : place + 1] == b"I" and not descriptive.text_counts(value)
        if len(value) < length or not is_text:
            pieces += [b"INFO", content[place : place + 8], value]
        else:
            reader.leave_out(8 + length)
        place += 8 + length + length % 2
    return pieces
