"""What of a picture's metadata does more than describe it, and so counts as image data; pure.

Metadata blocks come in as bytes, and what counts of them goes out as bytes: nothing of a plain capture time, place,
title or rating, everything of what cannot be told. In doubt a block counts whole, so that two files that differ in it
are not taken for one picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from struct import Struct, unpack_from
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from mmap import mmap

    Block = bytes | mmap

SMALL_BYTES = 4096
"""A single value that is larger than this may hold a picture, a drawing or sound, whatever it is called."""

Order = Literal["little", "big"]
ORDERS: dict[bytes, Order] = {b"II*\0": "little", b"MM\0*": "big"}
"""By the first bytes of a TIFF or EXIF block."""

KIND_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Of one value, by the kind that a directory's entry names."""
INLINE_BYTES, INLINE_PLACE = 4, 8
"""A value of no more bytes stands in its entry, in the place of its offset (TIFF 6.0)."""
ENTRY_BYTES = 12
ENTRIES: Mapping[Order, Struct] = {"little": Struct("<HHII"), "big": Struct(">HHII")}
"""An entry: tag, kind, number of values, and where they are."""
_RATIONALS = {5: "II", 10: "ii"}
_MOST_ENTRIES = 1024

ORIENTATION, _COLOUR_SPACE, MAKER_NOTE = 0x0112, 0xA001, 0x927C
STRIPS, STRIP_LENGTHS, THUMBNAIL, THUMBNAIL_LENGTH = 0x0111, 0x0117, 0x0201, 0x0202
_EXIF_IFD, _GPS_IFD, _INTEROPERABILITY_IFD, SUB_IFDS = 0x8769, 0x8825, 0xA005, 0x014A
BELOW = (_EXIF_IFD, _GPS_IFD, _INTEROPERABILITY_IFD)
"""Tags that lead to the directories of EXIF."""
_INTEROPERABILITY_INDEX, _ADOBE_RGB = 0x0001, b"R03"
_PLAIN_COLOUR_SPACES = (None, 1, 0xFFFF)
"""Absent, sRGB and "uncalibrated": every viewer shows all three as sRGB where there is no profile. A program that
makes an EXIF block for a date writes the last of them."""
_SHOWN = frozenset({0x012D, 0x013E, 0x013F, 0xA500})
"""Transfer function, white point, primaries, gamma: what the colours mean."""
_USUAL: dict[int, tuple[tuple[Fraction, ...], ...]] = {
    0x0211: (tuple(Fraction(number, 1000) for number in (299, 587, 114)),),
    0x0214: tuple(tuple(map(Fraction, values)) for values in ((0, 255, 128, 255, 128, 255), (0, 255, 0, 255, 0, 255))),
}
"""The values of YCbCrCoefficients and ReferenceBlackWhite that a JPEG has anyhow."""
_APPLE, _APPLE_HEAD_BYTES = b"Apple iOS\0", 14
_APPLE_HDR = frozenset({0x0021, 0x0030})
"""How bright the gain map of a picture is to be shown: headroom and gain."""
_TELLING = frozenset({
    ORIENTATION, _COLOUR_SPACE, MAKER_NOTE, SUB_IFDS, _INTEROPERABILITY_INDEX, *BELOW, *_SHOWN, *_USUAL, *_APPLE_HDR,
    STRIPS, STRIP_LENGTHS, THUMBNAIL, THUMBNAIL_LENGTH,
})  # fmt: skip

DECODED_TAGS = frozenset({
    256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, 322,
    323, 324, 325, 338, 339, 347, 530, 531, 34675,
})  # fmt: skip
"""Tags of a TIFF that its pixels are decoded by, and the profile, which counts by itself."""
DESCRIPTIVE_TAGS = frozenset({
    269, 270, 271, 272, 282, 283, 285, 286, 287, 296, 297, 305, 306, 315, 316, 18246, 18249, 33432, 36867, 36868,
    40091, 40092, 40093, 40094, 40095, 50341,
})  # fmt: skip
"""Tags of a TIFF that describe it: names, texts, programs, times, resolution, page numbers, ratings, copyright."""

_XMP_WORDS = (
    b"HasExtendedXMP", b"ns.google.com/photos/1.0/", b"GDepth:", b"GImage:", b"GAudio:", b"GPano:", b"Container:",
    b"MotionPhoto", b"MicroVideo", b"hdrgm:", b"hdr-gain-map", b"HDRGainMap", b"xmpGImg:image", b"depthData",
)  # fmt: skip
"""Of XMP: pictures, depth, sound and gain maps within it or placed by it, and the projection of a panorama."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]{512}|(?:[A-Za-z0-9+/=]{40,}(?:\s|&#x[aAdD];)+){8}")
_NOT_YET_APPLIED = re.compile(rb"crs:HasSettings(?:=[\"']|>)True", re.IGNORECASE)
_APPLIED = re.compile(rb"crs:AlreadyApplied(?:=[\"']|>)True", re.IGNORECASE)
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])\b")

_RESOURCE = b"8BIM"
_IPTC = 0x0404
_IPTC_PICTURES = (b"\x1c\x02\xca", b"\x1c\x07", b"\x1c\x08")
"""A preview among the data sets of IPTC, and the records that hold a whole object."""
_DESCRIPTIVE_RESOURCES = frozenset({
    0x03E9, 0x03ED, 0x03F3, 0x03F5, 0x03F8, _IPTC, 0x0406, 0x0408, 0x0409, 0x040A, 0x040B, 0x040C, 0x040D, 0x0414,
    0x0419, 0x041A, 0x041E, 0x0421, 0x0425, 0x0426, 0x043A, 0x043B, 0x2710,
})  # fmt: skip
"""Photoshop's resources about printing, resolution, guides, captions, links, thumbnails and versions. Paths, names of
alpha channels, profiles, pixel aspect and all that is not in this list count."""


class BrokenError(ValueError):
    """A structure that cannot be followed."""


class Tag(NamedTuple):
    """One entry of a TIFF directory."""

    number: int
    kind: int
    value: bytes
    """As it is stored."""


class Directory(NamedTuple):
    """One directory of a TIFF or EXIF block."""

    tags: list[Tag]
    following: int
    """Offset of the next directory; 0 for none."""


class Entry(NamedTuple):
    """One entry of a directory, told by itself."""

    number: int
    kind: int
    start: int
    """Of its value in the block, or among the entries if it has no more than :data:`INLINE_BYTES`."""
    size_bytes: int
    """0 for a kind that is not known."""


class Listing(NamedTuple):
    """The entries of a directory."""

    telling: tuple[Entry, ...]
    """Those that lead on, or may count."""
    outside: tuple[tuple[int, int], ...]
    """Where in the block each value is that does not stand among the entries: its first byte, and that behind its
    last."""
    end: int
    """Where the last of those ends."""
    is_known: bool
    """False where one is of no known kind."""


class Exif(NamedTuple):
    """What an EXIF block says that counts."""

    orientation: int | None
    """1 to 8; None where it does not say."""
    counting: list[bytes]
    """The rest that counts, in a fixed order."""


def read_exif(block: bytes) -> Exif | None:
    """Return what counts of an EXIF block, which begins with its TIFF header; None where it cannot be followed.

    A maker's note does not count: whatever program moves it writes it anew, previews in it are smaller copies, and an
    identifier in it that pairs a picture with its film says nothing of the picture. Apple's two numbers for the
    brightness of a gain map do count.
    """
    order = ORDERS.get(block[:4])
    if order is None:
        return None
    try:
        main = _exif_directory(block, int.from_bytes(block[4:8], order), order)
        if main.following:
            thumbnail = _exif_directory(block, main.following, order)
            if thumbnail.following or any(tag.number == SUB_IFDS for tag in thumbnail.tags):
                return None  # more pictures than a thumbnail
        return counting_of(block, main, order)
    except BrokenError:
        return None


def xmp_counts(packet: bytes) -> bool:
    """Tell whether XMP holds or places a picture, or says how the picture is to be developed or shown."""
    if b"\0" in packet or any(word in packet for word in _XMP_WORDS) or _BASE64.search(packet):
        return True
    return is_to_be_developed(packet)


def is_to_be_developed(packet: bytes) -> bool:
    """Tell whether XMP has settings of Adobe's raw converter that the pixels do not show yet."""
    return bool(_NOT_YET_APPLIED.search(packet)) and not _APPLIED.search(packet)


def xmp_orientation(packet: bytes) -> int | None:
    """Return the orientation that XMP repeats, 1 to 8; it holds where EXIF says none."""
    match = _XMP_ORIENTATION.search(packet)
    return int(match[1]) if match else None


def counting_resources(block: bytes) -> list[bytes]:
    """Return what counts of Photoshop's image resources (``8BIM``); the whole block where it cannot be followed."""
    counting: list[bytes] = []
    place = 0
    while place < len(block):
        number = int.from_bytes(block[place + 4 : place + 6], "big")
        name_bytes = 1 + block[place + 6] if place + 6 < len(block) else 0
        start = place + 6 + name_bytes + name_bytes % 2
        size_bytes = int.from_bytes(block[start : start + 4], "big")
        stop = start + 4 + size_bytes
        if block[place : place + 4] != _RESOURCE or not name_bytes or start + 4 > len(block) or stop > len(block):
            return [block] if block[place:].strip(b"\0") else counting
        content = block[start + 4 : stop]
        if number not in _DESCRIPTIVE_RESOURCES or (number == _IPTC and iptc_counts(content)):
            counting += [number.to_bytes(2, "big"), block[place + 6 : start], content]
        place = stop + size_bytes % 2
    return counting


def iptc_counts(block: bytes) -> bool:
    """Tell whether IPTC data sets may hold a picture."""
    return any(mark in block for mark in _IPTC_PICTURES)


def text_counts(content: bytes) -> bool:
    """Tell whether a comment or a text is too large to be taken for words about the picture."""
    return len(content) > SMALL_BYTES and bool(content.strip(b"\0"))


def directory(block: Block, place: int, order: Order) -> Directory:
    """Return the TIFF directory at ``place`` of ``block``; raises :class:`BrokenError` where it does not lie within."""
    start, end = _extent(block, place, order)
    tags = []
    whole = len(block)
    for number, kind, values, at in ENTRIES[order].iter_unpack(block[start:end]):
        size_bytes = KIND_BYTES.get(kind, -1) * values
        if size_bytes <= INLINE_BYTES:
            at = start + INLINE_PLACE  # noqa: PLW2901
        if size_bytes < 0 or at + size_bytes > whole:
            raise BrokenError
        tags.append(Tag(number, kind, block[at : at + size_bytes]))
        start += ENTRY_BYTES
    return Directory(tags, int.from_bytes(block[end : end + 4], order))


def _exif_directory(block: Block, place: int, order: Order) -> Directory:
    """Return the same with those tags only that may count in EXIF: of a hundred a file, few do."""
    start, end = _extent(block, place, order)
    entries = listing(block[start:end], order)
    if not entries.is_known or entries.end > len(block):
        raise BrokenError
    tags = []
    for number, kind, at, size_bytes in entries.telling:
        begin = at if size_bytes > INLINE_BYTES else start + at
        tags.append(Tag(number, kind, block[begin : begin + size_bytes]))
    return Directory(tags, int.from_bytes(block[end : end + 4], order))


def _extent(block: Block, place: int, order: Order) -> tuple[int, int]:
    """Return where the entries of the directory at ``place`` are; raises :class:`BrokenError`."""
    if not 0 < place <= len(block) - 2:
        raise BrokenError
    count = int.from_bytes(block[place : place + 2], order)
    end = place + 2 + ENTRY_BYTES * count
    if count > _MOST_ENTRIES or end + 4 > len(block):
        raise BrokenError
    return place + 2, end


@lru_cache(maxsize=16)
def listing(table: bytes, order: Order) -> Listing:
    """Return what the entries of a directory tell, given their bytes: asked for twice in each EXIF block."""
    telling, outside = [], []
    is_known, last, inside = True, 0, INLINE_PLACE
    bytes_of, may_tell = KIND_BYTES.get, _TELLING
    for number, kind, values, start in ENTRIES[order].iter_unpack(table):
        size_bytes = bytes_of(kind, -1) * values
        if size_bytes > INLINE_BYTES:
            stop = start + size_bytes
            outside.append((start, stop))
            if stop > last:  # noqa: PLR1730 - a call takes three times as long
                last = stop
            if number in may_tell or size_bytes > SMALL_BYTES:
                telling.append(Entry(number, kind, start, size_bytes))
        else:
            if size_bytes < 0:
                is_known, size_bytes = False, 0
            if number in may_tell:
                telling.append(Entry(number, kind, inside, size_bytes))
        inside += ENTRY_BYTES
    return Listing(tuple(telling), tuple(outside), last, is_known)


def counting_of(block: Block, main: Directory, order: Order) -> Exif:
    """Return what counts of an EXIF directory and of those below it; raises :class:`BrokenError`."""
    orientation: int | None = None
    colour_space: int | None = None
    counting: list[bytes] = []
    for place, tag in _all_tags(block, main, order):
        number = int.from_bytes(tag.value[:2], order)
        if tag.number == SUB_IFDS:
            raise BrokenError  # further pictures
        if place == 0 and tag.number == ORIENTATION:
            orientation = number if 1 <= number <= 8 else None  # noqa: PLR2004 - EXIF, 4.6.4
        elif tag.number == _COLOUR_SPACE:
            colour_space = number
        elif tag.number == MAKER_NOTE:
            counting += _counting_of_maker(tag.value)
        elif _is_counted(place, tag, order):
            counting += [place.to_bytes(2, "big"), tag.number.to_bytes(2, "big"), tag.value]
    if colour_space not in _PLAIN_COLOUR_SPACES:
        counting.append(b"colour space %d" % colour_space)
    return Exif(orientation, counting)


def _all_tags(block: Block, main: Directory, order: Order) -> Iterator[tuple[int, Tag]]:
    """Yield each tag that may count, with the tag that leads to its directory; 0 for the main one."""
    pending = [(0, main)]
    while pending:
        place, current = pending.pop()
        for tag in current.tags:
            if tag.number in BELOW:
                if place == tag.number:
                    raise BrokenError
                below = _exif_directory(block, int.from_bytes(tag.value[:4], order), order)
                pending.append((tag.number, below))
                if len(pending) > len(BELOW):
                    raise BrokenError
            else:
                yield place, tag


def _is_counted(place: int, tag: Tag, order: Order) -> bool:
    if place == _INTEROPERABILITY_IFD and tag.number == _INTEROPERABILITY_INDEX:
        return tag.value.startswith(_ADOBE_RGB)
    if tag.number in _USUAL and place == 0:
        return _fractions(tag, order) not in _USUAL[tag.number]
    return (tag.number in _SHOWN and place != _GPS_IFD) or text_counts(tag.value)


def _fractions(tag: Tag, order: Order) -> tuple[Fraction, ...]:
    """Return the values of a tag of rationals; empty for another kind, and where one divides by zero."""
    form = _RATIONALS.get(tag.kind)
    if form is None:
        return ()
    mark = "<" if order == "little" else ">"
    pairs = [unpack_from(mark + form, tag.value, at) for at in range(0, len(tag.value), 8)]
    return tuple(Fraction(above, below) for above, below in pairs) if all(below for _, below in pairs) else ()


def _counting_of_maker(note: bytes) -> list[bytes]:
    if not note.startswith(_APPLE):
        return []
    order: Order = "little" if note[12:14] == b"II" else "big"
    tags = _exif_directory(note, _APPLE_HEAD_BYTES, order).tags
    return [tag.number.to_bytes(2, "big") + tag.value for tag in tags if tag.number in _APPLE_HDR]
