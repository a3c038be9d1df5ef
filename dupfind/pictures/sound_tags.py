"""Which tags of a sound file only describe it: ID3, APE and Vorbis comments; everything else in them counts.

Names are those of id3.org (ID3v2.2 to 2.4), of the APEv2 specification and of xiph.org. What is larger than words are,
covers, chapters, volumes and what only some program knows, counts as it is stored.
"""

from __future__ import annotations

from collections.abc import Iterator

from dupfind.pictures import descriptive
from dupfind.pictures.film_packets import BrokenError
from dupfind.pictures.film_pieces import FilmReader, Piece, Span

_MOST_TAG_BYTES = 1 << 26
_MOST_ITEMS = 1 << 14
_ID3, _ID3_BYTES, _ID3V1, _ID3V1_BYTES = b"ID3", 10, b"TAG", 128
_UNSYNCHRONISED, _HAS_MORE_HEAD, _HAS_FOOTER = 0x80, 0x40, 0x10
_APE, _APE_BYTES = b"APETAGEX", 32
_FRAME_HEADS = {2: (3, 3, 6), 3: (4, 4, 10), 4: (4, 4, 10)}
"""By version of ID3: how long are the name of a frame, its size, and its whole head."""
_ID3_WORDS = frozenset({b"COMM", b"COM", b"POPM", b"POP", b"PCNT", b"CNT", b"UFID", b"UFI", b"USLT", b"ULT", b"MCDI",
                        b"MCI", b"IPLS", b"IPL", b"USER", b"OWNE"})  # fmt: skip
_ID3_TEXT = (b"T", b"W")
_PLAYED_WORDS = (b"iTunSMPB", b"i\0T\0u\0n\0S\0M\0P\0B", b"\0i\0T\0u\0n\0S\0M\0P\0B")
"""How much of the sound at both ends is not to be played, as iTunes says it in a comment."""
_COMMENTS_THAT_COUNT = (b"METADATA_BLOCK_PICTURE", b"COVERART", b"WAVEFORMATEXTENSIBLE", b"CHAPTER", b"CUESHEET")
_APE_TEXT = 0
_LONGEST_KEY = 255


def around(reader: FilmReader) -> tuple[Span, list[Piece]]:
    """Return where the sound lies between the tags of a file, and what counts of the tags."""
    start, stop = 0, reader.length
    pieces: list[Piece] = []
    while (head := reader.at(start, _ID3_BYTES)).startswith(_ID3) and len(head) == _ID3_BYTES:
        size_bytes = _synchsafe(head[6:])
        if size_bytes > _MOST_TAG_BYTES or start + _ID3_BYTES + size_bytes > stop:
            raise BrokenError
        pieces += id3_pieces(reader, head + reader.at(start + _ID3_BYTES, size_bytes))
        ends_bytes = _ID3_BYTES + (_ID3_BYTES if head[5] & _HAS_FOOTER else 0)
        reader.leave_out(ends_bytes)
        start += ends_bytes + size_bytes
    if stop - start >= _ID3V1_BYTES and reader.at(stop - _ID3V1_BYTES, 3) == _ID3V1:
        stop -= _ID3V1_BYTES
    footer = reader.at(stop - _APE_BYTES, _APE_BYTES)
    if footer.startswith(_APE):
        size_bytes = int.from_bytes(footer[12:16], "little")
        items_start = stop - size_bytes
        if not _APE_BYTES <= size_bytes <= min(_MOST_TAG_BYTES, stop - start):
            raise BrokenError
        pieces += _ape_pieces(reader, reader.at(items_start, size_bytes - _APE_BYTES))
        stop = items_start - (_APE_BYTES if reader.at(items_start - _APE_BYTES, 8) == _APE else 0)
    return Span(start, stop), pieces


def _synchsafe(content: bytes) -> int:
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
    return value


def id3_pieces(reader: FilmReader, tag: bytes) -> list[Piece]:
    """Return what counts of an ID3v2 tag, which begins with its head; all of it where it cannot be followed."""
    version, flags, content = tag[3], tag[5], tag[_ID3_BYTES:]
    head = _FRAME_HEADS.get(version)
    if head is None or flags & _HAS_MORE_HEAD:
        return [b"ID3", content]
    if flags & _UNSYNCHRONISED and version < 4:  # noqa: PLR2004 - later each frame says it of itself
        content = content.replace(b"\xff\0", b"\xff")
    name_bytes, size_place, head_bytes = head[0], head[0], head[2]
    pieces: list[Piece] = []
    place = 0
    for _ in range(_MOST_ITEMS):
        if not content[place:].strip(b"\0"):
            return pieces
        name = content[place : place + name_bytes]
        packed = content[place + size_place : place + size_place + head[1]]
        size_bytes = _synchsafe(packed) if version == 4 else int.from_bytes(packed, "big")  # noqa: PLR2004
        value = content[place + head_bytes : place + head_bytes + size_bytes]
        if not name.isalnum() or not size_bytes or len(value) < size_bytes:
            break
        if not _is_id3_words(name, value):
            pieces += [b"ID3", name, value]
        else:
            reader.leave_out(head_bytes + size_bytes)
        place += head_bytes + size_bytes
    return [b"ID3", content]


def _is_id3_words(name: bytes, value: bytes) -> bool:
    is_known = name in _ID3_WORDS or name.startswith(_ID3_TEXT)
    return is_known and not descriptive.text_counts(value) and not any(word in value for word in _PLAYED_WORDS)


def _ape_pieces(reader: FilmReader, content: bytes) -> list[Piece]:
    """Return what counts of an APEv2 tag."""
    pieces: list[Piece] = []
    place = 0
    for _ in range(_MOST_ITEMS):
        if place == len(content):
            return pieces
        size_bytes, flags = (int.from_bytes(content[at : at + 4], "little") for at in (place, place + 4))
        end = content.find(b"\0", place + 8)
        stop = end + 1 + size_bytes
        if not 0 <= end - place - 8 <= _LONGEST_KEY or stop > len(content):
            break
        value = content[end + 1 : stop]
        if flags >> 1 & 3 != _APE_TEXT or descriptive.text_counts(value):
            pieces += [b"APE", content[place + 8 : end], value]
        else:
            reader.leave_out(stop - place)
        place = stop
    return [b"APE", content]


def comment_pieces(reader: FilmReader, content: bytes) -> list[Piece]:
    """Return what counts of Vorbis comments, which begin with the name of the program; all where it is not clear."""
    try:
        comments = list(_comments(content))
    except BrokenError:
        return [b"comments", content]
    pieces: list[Piece] = []
    for comment in comments:
        if comment.upper().startswith(_COMMENTS_THAT_COUNT) or descriptive.text_counts(comment):
            pieces += [b"comment", comment]
        else:
            reader.leave_out(len(comment))
    return pieces


def _comments(content: bytes) -> Iterator[bytes]:
    vendor_bytes = int.from_bytes(content[:4], "little")
    place = 4 + vendor_bytes
    count = int.from_bytes(content[place : place + 4], "little")
    if place + 4 > len(content) or count > _MOST_ITEMS or vendor_bytes > descriptive.SMALL_BYTES:
        raise BrokenError
    place += 4
    for _ in range(count):
        length = int.from_bytes(content[place : place + 4], "little")
        comment = content[place + 4 : place + 4 + length]
        if place + 4 + length > len(content):
            raise BrokenError
        yield comment
        place += 4 + length
    if content[place:].strip(b"\0") not in {b"", b"\1"}:  # Vorbis ends them by a bit
        raise BrokenError
