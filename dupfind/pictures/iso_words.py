"""Which metadata of a MOV or MP4 film only describe it; everything else there counts as it is stored.

Names are those of Apple's QuickTime File Format Specification, of iTunes, of 3GPP TS 26.244 and of Microsoft's
programs, as ExifTool's QuickTime.pm lists them. A value that is larger than words are may hold anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from dupfind.pictures import container_format, descriptive
from dupfind.pictures.container_format import BEHIND, Part
from dupfind.pictures.film_pieces import FilmReader, Piece, Span

MOST_FREE_BYTES = 256
"""Empty space may say in a line which program wrote the file."""
_HEAD_BYTES, _FULL_HEAD_BYTES = 8, 12
_MOST_NUMBER_BYTES = 64
_MOST_XMP_BYTES = 1 << 20
_MOST_ITEMS = 1024
_MOST_NAMES_BYTES = 1 << 14
_XMP_UUID = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_TEXT_MARK = b"\xa9"

_USER_WORDS = frozenset({
    b"titl", b"auth", b"dscp", b"cprt", b"perf", b"gnre", b"rtng", b"clsf", b"kywd", b"loci", b"albm", b"yrrc",
    b"name", b"date", b"Xtra", b"manu", b"modl",
})  # fmt: skip
_ITEM_WORDS = frozenset({
    b"aART", b"akID", b"apID", b"atID", b"catg", b"cnID", b"cpil", b"cprt", b"desc", b"disk", b"egid", b"geID",
    b"gnre", b"hdvd", b"keyw", b"ldes", b"ownr", b"pcst", b"pgap", b"plID", b"purd", b"purl", b"rate", b"rtng",
    b"sfID", b"shwm", b"soaa", b"soal", b"soar", b"soco", b"sonm", b"sosn", b"stik", b"tmpo", b"trkn", b"tven",
    b"tves", b"tvnn", b"tvsh", b"tvsn", b"xid ",
})  # fmt: skip
_APPLE = b"com.apple.quicktime."
_KEY_WORDS = frozenset(
    [_APPLE + word for word in (
        b"album", b"artist", b"author", b"collection.user", b"comment", b"copyright", b"creationdate", b"description",
        b"director", b"displayname", b"genre", b"information", b"keywords", b"location.ISO6709",
        b"location.accuracy.horizontal", b"location.body", b"location.date", b"location.facing", b"location.name",
        b"location.note", b"location.role", b"make", b"model", b"originalartist", b"performer", b"phonogramrights",
        b"producer", b"publisher", b"rating.user", b"software", b"songwriter", b"title", b"year",
        b"camera.identifier", b"camera.lens_model", b"camera.focal_length.35mm_equivalent",
    )]
    + [b"album", b"artist", b"comment", b"composer", b"copyright", b"creation_time", b"date", b"description",
       b"encoder", b"genre", b"keywords", b"location", b"make", b"model", b"software", b"synopsis", b"title", b"year",
       b"major_brand", b"minor_version", b"compatible_brands", b"com.android.version",
       b"com.android.manufacturer", b"com.android.model"]
)  # fmt: skip
"""The number that pairs a film with its still and how fast it is to be played are no words, so they are not here."""
_PLAYED_WORDS = b"iTunSMPB"
"""How much of the sound at both ends is not to be played."""
_TEXTS, _NUMBERS = frozenset({1, 2, 4, 5}), frozenset({0, 21, 22, 23, 24, *range(65, 79)})
"""Kinds of values: UTF-8, UTF-16 and what sorts like them; numbers, and what a name alone explains."""


def is_printable(content: bytes) -> bool:
    r"""Tell whether this is a line of text, or nothing.

    >>> is_printable(b"made by a program\0"), is_printable(b"\xff\xd8\xff\xe0")
    (True, False)
    """
    try:
        text = content.strip(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(sign.isprintable() or sign in "\t\r\n" for sign in text)


def counting_of_user_data(reader: FilmReader, boxes: list[Part]) -> list[Piece]:
    """Return what counts of the boxes of user data (``udta``)."""
    pieces: list[Piece] = []
    for box in boxes:
        if box.kind == b"meta":
            pieces += counting_of_meta(reader, box)
        elif box.kind == b"XMP_":
            pieces += _counting_of_xmp(reader, box, _HEAD_BYTES)
        elif box.kind in {b"free", b"skip"} and _is_zero(reader, box):
            continue
        elif not (box.kind in _USER_WORDS or box.kind[:1] == _TEXT_MARK) or not _is_small(reader, box):
            pieces += [b"udta", box.kind, Span(box.start, box.stop)]
        elif not _is_zero(reader, box):
            reader.leave_out(box.stop - box.start)
    return pieces


def counting_of_uuid(reader: FilmReader, box: Part) -> list[Piece]:
    """Return what counts of a box that somebody has made up: all but XMP that is words."""
    if reader.at(box.start + _HEAD_BYTES, 16) == _XMP_UUID:
        return _counting_of_xmp(reader, box, _HEAD_BYTES + 16)
    return [b"uuid", Span(box.start, box.stop)]


def counting_of_meta(reader: FilmReader, box: Part) -> list[Piece]:
    """Return what counts of tags (``meta``), those of iTunes and those of QuickTime alike."""
    # QuickTime's own has no version, ISO's has: the first box within it is the one that names the kind of tags.
    start = box.start + (_HEAD_BYTES if reader.at(box.start + 12, 4) == b"hdlr" else _FULL_HEAD_BYTES)
    parts = list(container_format.boxes(reader, start, box.stop))
    keys: dict[int, bytes] = {}
    pieces: list[Piece] = []
    for part in parts:
        if part.kind == b"keys":
            keys = dict(enumerate(_keys(reader.at(part.start, min(part.stop - part.start, 1 << 16))), 1))
    for part in parts:
        if part.kind == b"ilst":
            for item in container_format.boxes(reader, part.start + _HEAD_BYTES, part.stop):
                if not _is_words(reader, item, keys):
                    name = keys.get(int.from_bytes(item.kind, "big"), item.kind)
                    pieces += [b"ilst", name, Span(min(item.start + _HEAD_BYTES, item.stop), item.stop)]
                elif item.kind != BEHIND:
                    reader.leave_out(item.stop - item.start)
        elif part.kind in {b"hdlr", b"keys"} and part.stop - part.start <= _MOST_NAMES_BYTES:
            reader.leave_out(part.stop - part.start)
        elif part.kind not in {b"free", b"skip", BEHIND} or not _is_zero(reader, part):
            pieces += [b"meta", part.kind, Span(part.start, part.stop)]
    return pieces


def _keys(content: bytes) -> Iterator[bytes]:
    """Yield the names of QuickTime's keys, which items call by their numbers."""
    place = 16
    for _ in range(_MOST_ITEMS):
        length = int.from_bytes(content[place : place + 4], "big")
        if length < _HEAD_BYTES or place + length > len(content):
            return
        yield content[place + 8 : place + length]
        place += length


def _is_words(reader: FilmReader, item: Part, keys: dict[int, bytes]) -> bool:
    """Tell whether an item of tags only describes the film."""
    if item.kind == BEHIND:
        return _is_zero(reader, item)
    parts = list(container_format.boxes(reader, item.start + _HEAD_BYTES, item.stop))
    if item.kind == b"----":
        names = [reader.at(part.start, min(64, part.stop - part.start))[_FULL_HEAD_BYTES:] for part in parts
                 if part.kind == b"name"]  # fmt: skip
        is_known = len(names) == 1 and names[0] != _PLAYED_WORDS
        values = [part for part in parts if part.kind not in {b"mean", b"name"}]
    else:
        is_known = item.kind in _ITEM_WORDS or item.kind[:1] == _TEXT_MARK
        is_known = is_known or keys.get(int.from_bytes(item.kind, "big")) in _KEY_WORDS
        values = [part for part in parts if part.kind != b"name"]
    are_small = item.stop - item.start <= descriptive.SMALL_BYTES
    return is_known and are_small and all(_is_value_of_words(reader, part) for part in values)


def _is_value_of_words(reader: FilmReader, part: Part) -> bool:
    kind = reader.number(part.start + _HEAD_BYTES, 4)
    size_bytes = part.stop - part.start - 16
    return part.kind == b"data" and (kind in _TEXTS or (kind in _NUMBERS and size_bytes <= _MOST_NUMBER_BYTES))


def _counting_of_xmp(reader: FilmReader, box: Part, head_bytes: int) -> list[Piece]:
    span = Span(box.start + head_bytes, box.stop)
    is_small = box.stop - box.start <= _MOST_XMP_BYTES
    return [] if is_small and not descriptive.xmp_counts(b"".join(span.blocks(reader))) else [b"XMP", span]


def _is_small(reader: FilmReader, box: Part) -> bool:
    return box.stop - box.start <= descriptive.SMALL_BYTES or _is_zero(reader, box)


def _is_zero(reader: FilmReader, box: Part) -> bool:
    head_bytes = 0 if box.kind == BEHIND else _HEAD_BYTES
    return not any(content.strip(b"\0") for content in Span(box.start + head_bytes, box.stop).blocks(reader))
