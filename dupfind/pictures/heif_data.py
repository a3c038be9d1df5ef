"""The image data of a HEIC or AVIF still: each of its items as it is stored, but for EXIF and XMP.

The coded pictures, their properties (size, depth, colour, turn, crop) and how they belong together count: the main
picture, its tiles, transparency, depth and gain maps alike. Where an item lies in the file does not count (ISO/IEC
14496-12, 8.11). A sequence, which has its samples elsewhere, has no digest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

from dupfind.digest import Piece
from dupfind.pictures import container_format, descriptive, exif_extent, kinds, pixel_data, trailers
from dupfind.pictures.container_format import BEHIND, Part, Reader

_FULL_HEAD_BYTES = 12
_FILE_TYPE, _META, _DATA, _FREE = b"ftyp", b"meta", b"mdat", frozenset({b"free", b"skip"})
_MOVIE = b"moov"
_ITEM_INFO, _LOCATIONS, _REFERENCES, _ITEM_DATA = b"iinf", b"iloc", b"iref", b"idat"
_IGNORED = frozenset({_ITEM_INFO, _LOCATIONS, _REFERENCES, _ITEM_DATA, *_FREE})
_EXIF, _MIME = b"Exif", b"mime"
_XMP_TYPE = b"application/rdf+xml"
_IN_FILE, _IN_ITEM_DATA = 0, 1
_MOST_ITEMS = 1 << 16
_PRIMARY, _THUMBNAIL = b"pitm", b"thmb"
_CODED = frozenset({b"hvc1", b"av01"})
_SLICES = frozenset({*range(10), *range(16, 22)})
"""Units of HEVC that pixels are made of (ITU-T H.265, table 7-1)."""
_AV1_HEADER, _AV1_TILES, _AV1_FRAME = 3, 4, 6
"""Units of AV1: the header of a frame, tiles behind it, and a header with its tiles (AV1, 6.2.2)."""
"""Items that are one coded picture, and so complete without others."""
_HEVC, _AV1 = b"hvc1", b"av01"
_LENGTH_BYTES, _UNIT_HEAD_BYTES = 4, 2
_MOST_SPARSE_BYTES, _MOST_DESCRIBED_BYTES, _MOST_COPY_BYTES, _MOST_REFERENCE_BYTES = 1 << 27, 1 << 18, 1 << 16, 1 << 10


_PROPERTIES, _GROUPS = b"iprp", b"grpl"
_HEADS_OF_LISTS = {_ITEM_INFO: (14, 16), _REFERENCES: (12, 12)}
"""By the version of the box: where its entries begin."""
_LONGEST_HEAD, _LONGEST_OF_ITEM = 1024, 256
"""How long at most are a box that says one thing, and what is said of one item in each."""
_COLOURS, _PROFILES = b"colr", (b"prof", b"rICC")
_SHORT_BOXES = frozenset({b"hdlr", b"dinf", _PRIMARY})
_PROPERTY_KINDS = frozenset(
    b"colr hvcC av1C avcC vvcC jpgC j2kH ispe pixi irot imir clap auxC pasp clli mdcv amve cclv lsel rloc a1op a1lx "
    b"oinf tols udes altt aebr wbbr fobr afbr dobr pano subs iscl ster cmin cmex ndwt reve rref crtt mdft".split()
)
"""Of pictures (ISO/IEC 23008-12, 6.5, and its amendments)."""


class _Item(NamedTuple):
    """An item that a file says that it has."""

    kind: bytes
    is_xmp: bool
    said: bytes
    """Its entry, without its number."""


class _BrokenError(ValueError):
    """A structure that cannot be followed, or that is none of those known here."""


def counting(file: IO[bytes]) -> Iterator[Piece] | None:
    """Return what counts of the file, in pieces for a digest; None where its boxes or items cannot be followed."""
    reader = Reader(file)
    try:
        return _counting(reader)
    except (_BrokenError, descriptive.BrokenError):
        return None


def words(file: IO[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Yield each item of EXIF or XMP, and whether it is the latter; none where the items cannot be followed."""
    reader = Reader(file)
    try:
        metas = [box for box in container_format.boxes(reader, 0, reader.length) if box.kind == _META]
        for meta in metas:
            inside = _inside(reader, meta)
            items = _items(reader, inside[_ITEM_INFO])
            for number, extents in _Locations(reader, inside[_LOCATIONS], inside.get(_ITEM_DATA)).items():
                if (item := items.get(number)) and (item.kind == _EXIF or item.is_xmp):
                    content = b"".join(reader.at(start, stop - start) for start, stop in extents)
                    start = 0 if item.is_xmp else 4 + int.from_bytes(content[:4], "big")
                    yield item.is_xmp, content[start:]
    except _BrokenError:
        return


def hides_data(file: IO[bytes]) -> bool:
    """Tell whether a still holds more than small notes or slack where its items lie, and no item has it, or no pixel of
    a coded picture is made of it, or where they are described, and it describes none.

    Of items that cannot be followed the last alone. False for a sequence, whose samples lie there.
    """
    reader = Reader(file)
    tops = list(container_format.boxes(reader, 0, reader.length))
    metas = [box for box in tops if box.kind == _META]
    if len(metas) != 1 or any(box.kind == _MOVIE for box in tops):
        return False
    within = list(container_format.boxes(reader, metas[0].start + _FULL_HEAD_BYTES, metas[0].stop))
    unread_bytes = _unread_of_description(reader, tops, within)
    try:
        inside = _inside(reader, metas[0])
        locations = _Locations(reader, inside[_LOCATIONS], inside.get(_ITEM_DATA))
        extents = dict(locations.items())
        items = _items(reader, inside[_ITEM_INFO])
    except _BrokenError:
        unread_bytes += sum(box.stop - box.start for box in within if box.kind == _LOCATIONS)
        return unread_bytes > descriptive.SMALL_BYTES
    unread_bytes += locations.unread_bytes
    spans = sorted(span for of_item in extents.values() for span in of_item)
    for box in [*tops, *within]:
        if box.kind in (_DATA, _ITEM_DATA) or box.kind in _FREE:
            place = box.start + 8
            for start, stop in [*(span for span in spans if box.start <= span[0] < box.stop), (box.stop, box.stop)]:
                unread_bytes += trailers.written_bytes(reader, place, max(place, start))
                place = max(place, stop)
    unshown: set[bytes] = set()  # an encoder that writes its settings into each of fifty tiles says them once
    for number, item in items.items():
        if item.kind in _CODED or item.kind == _EXIF:
            content = b"".join(reader.at(start, stop - start) for start, stop in extents.get(number, ()))
            if item.kind == _EXIF:
                unread_bytes += exif_extent.before_block(content)
            else:
                unshown.update(_unshown_of_hevc(content) if item.kind == _HEVC else _unshown_of_av1(content))
    return unread_bytes + sum(map(kinds.written_bytes, unshown)) > descriptive.SMALL_BYTES


def _unread_of_description(reader: Reader, tops: list[Part], within: list[Part]) -> int:
    """Count the bytes of the boxes that describe the items that describe none, as far as that can be told of each kind:
    of those that are not known all, of the others what is more than they can have to say.
    """
    entries = {
        box.kind: list(container_format.boxes(reader, box.start + head_bytes, box.stop))
        for box in within
        for head_bytes in _HEADS_OF_LISTS.get(box.kind, ())[: 1 + reader.number(box.start + 8, 1)][-1:]
    }
    of_items = _LONGEST_OF_ITEM * len(entries.get(_ITEM_INFO, ()))
    unread_bytes = sum(max(0, box.stop - box.start - _LONGEST_HEAD) for box in tops if box.kind == _FILE_TYPE)
    for box in within:
        length_bytes = box.stop - box.start
        if box.kind in (_ITEM_INFO, _REFERENCES):
            unread_bytes += sum(_more_than_said(reader, box.kind, entry) for entry in entries[box.kind])
        elif box.kind == _PROPERTIES:
            unread_bytes += _unread_of_properties(reader, box, of_items)
        elif box.kind == _GROUPS:
            unread_bytes += max(0, length_bytes - _LONGEST_HEAD - of_items)
        elif box.kind in _SHORT_BOXES:
            unread_bytes += max(0, length_bytes - _LONGEST_HEAD)
        elif box.kind not in (_LOCATIONS, _ITEM_DATA, *_FREE):
            unread_bytes += trailers.written_bytes(reader, box.start, box.stop)
    return unread_bytes


def _more_than_said(reader: Reader, kind: bytes, entry: Part) -> int:
    """Count the bytes of an entry that are more than it can say of an item, or of the items that one refers to."""
    length_bytes = entry.stop - entry.start
    if kind == _ITEM_INFO:
        return max(0, length_bytes - (_LONGEST_OF_ITEM if entry.kind == b"infe" else 0))
    for number_bytes in (2, 4):
        count = reader.number(entry.start + 8 + number_bytes, 2)
        if length_bytes == 8 + number_bytes + 2 + count * number_bytes:
            return 0
    return length_bytes


def _unread_of_properties(reader: Reader, box: Part, of_items: int) -> int:
    """Count the bytes of properties that are not known, or longer than they can be; of which item has which, too."""
    unread_bytes = 0
    for part in container_format.boxes(reader, box.start + 8, box.stop):
        if part.kind != b"ipco":
            unread_bytes += max(0, part.stop - part.start - (_LONGEST_HEAD + of_items if part.kind == b"ipma" else 0))
            continue
        for held in container_format.boxes(reader, part.start + 8, part.stop):
            longest = _LONGEST_HEAD if held.kind in _PROPERTY_KINDS else 0
            if held.kind == _COLOURS and reader.at(held.start + 8, 4) in _PROFILES:
                continue  # a profile is as long as it likes, and counts as one
            unread_bytes += max(0, held.stop - held.start - longest)
    return unread_bytes


def _unshown_of_hevc(content: bytes) -> Iterator[bytes]:
    """Yield the units of a coded picture that are none of its slices: parameters, which are short, words, filling,
    kinds and layers that decoders pass over, and further pictures (ITU-T H.265, 7.3.1).
    """
    place, pictures = 0, [b""]
    while place < len(content):
        start = place + _LENGTH_BYTES
        place = start + int.from_bytes(content[place:start], "big")
        unit = content[start:place]
        is_cut = len(unit) <= _UNIT_HEAD_BYTES or place > len(content)
        if is_cut or unit[0] >> 1 not in _SLICES or unit[1] >> 3:
            yield unit
        elif unit[2] >> 7:  # the first slice of a picture
            pictures.append(unit)
        else:
            pictures[-1] += unit
    yield from sorted(pictures, key=len)[:-1]


def _unshown_of_av1(content: bytes) -> Iterator[bytes]:
    """Yield the units of a coded picture that are not the largest of its frames: headers are short (AV1, 5.3)."""
    place, frames = 0, [b""]
    while place < len(content):
        kind, has_size, is_extended = content[place] >> 3 & 15, content[place] & 2, content[place] & 4
        start = place + (2 if is_extended else 1)
        length, place = _size_of_av1(content, start) if has_size else (len(content) - start, start)
        start, place = place, place + length
        unit = content[start:place]
        if kind == _AV1_FRAME:
            frames.append(unit)
        elif kind == _AV1_TILES:
            frames[-1] += unit
        else:
            yield unit
            if kind == _AV1_HEADER:
                frames.append(b"")
    yield from sorted(frames, key=len)[:-1]


def _size_of_av1(content: bytes, place: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, the lowest first, and where it ends (AV1, 4.10.5)."""
    number = 0
    for step, byte in enumerate(content[place : place + 8]):
        number |= (byte & 127) << 7 * step
        if byte < 128:  # noqa: PLR2004 - the highest bit says that it goes on
            return number, place + step + 1
    return len(content), place


def with_smaller_copies(file: IO[bytes]) -> bytes | None:
    """Return the file with the description of its items, its EXIF and the smaller copies of its main picture, the rest
    zeros and not read; None where it has no such copy, or cannot be followed.
    """
    reader = Reader(file)
    try:
        spans = _spans_of_copies(reader)
    except _BrokenError:
        return None
    if not spans or reader.length > _MOST_SPARSE_BYTES:
        return None
    content = bytearray(reader.length)
    for start, stop in spans:
        content[start:stop] = reader.at(start, stop - start)
    return bytes(content) if len(content) == reader.length else None


def _spans_of_copies(reader: Reader) -> list[tuple[int, int]]:
    tops = list(container_format.boxes(reader, 0, reader.length))
    heads = [box for box in tops if box.kind in {_FILE_TYPE, _META}]
    metas = [box for box in heads if box.kind == _META]
    if len(metas) != 1 or sum(box.stop - box.start for box in heads) > _MOST_DESCRIBED_BYTES:
        raise _BrokenError
    inside = _inside(reader, metas[0])
    if _REFERENCES not in inside or _PRIMARY not in inside:
        return []
    items = _items(reader, inside[_ITEM_INFO])
    copies = _smaller_copies(reader, inside[_REFERENCES], inside[_PRIMARY])
    spans = []
    for number, extents in _Locations(reader, inside[_LOCATIONS], inside.get(_ITEM_DATA)).items():
        item = items.get(number)
        is_small = sum(stop - start for start, stop in extents) <= _MOST_COPY_BYTES
        if item is not None and is_small and (item.kind == _EXIF or (number in copies and item.kind in _CODED)):
            spans += [(number in copies, span) for span in extents]
    if not any(is_copy for is_copy, _ in spans):
        return []
    return [(box.start, box.stop) for box in heads] + [span for _, span in spans]


def _smaller_copies(reader: Reader, references: Part, primary: Part) -> set[int]:
    """Return the numbers of the items that are said to be thumbnails of the main one."""
    main = reader.number(primary.start + _FULL_HEAD_BYTES, 4 if reader.number(primary.start + 8, 1) else 2)
    number_bytes = 4 if reader.number(references.start + 8, 1) else 2
    copies = set()
    for entry in container_format.boxes(reader, references.start + _FULL_HEAD_BYTES, references.stop):
        if entry.kind == _THUMBNAIL:
            content = reader.at(entry.start + 8, min(entry.stop - entry.start - 8, _MOST_REFERENCE_BYTES))
            first = number_bytes + 2  # behind the item's own number and how many follow
            of = {
                int.from_bytes(content[place : place + number_bytes], "big")
                for place in range(first, len(content), number_bytes)
            }
            if main in of:
                copies.add(int.from_bytes(content[:number_bytes], "big"))
    return copies


def _counting(reader: Reader) -> Iterator[Piece]:
    tops = list(container_format.boxes(reader, 0, reader.length))
    metas = [box for box in tops if box.kind == _META]
    if len(metas) != 1 or any(box.kind == _MOVIE or (box.kind == BEHIND and box.stop > box.start) for box in tops):
        raise _BrokenError
    pieces = [b"heif"]
    for box in tops:
        if box.kind not in {_FILE_TYPE, _META, _DATA, BEHIND, *_FREE}:
            pieces += [box.kind, reader.at(box.start, box.stop - box.start)]
    inside = _inside(reader, metas[0])
    items = _items(reader, inside[_ITEM_INFO])
    words = {number for number, item in items.items() if item.kind == _EXIF or item.is_xmp}
    for kind in sorted(inside.keys() - _IGNORED - {BEHIND}):
        pieces += [kind, reader.at(inside[kind].start, inside[kind].stop - inside[kind].start)]
    if _REFERENCES in inside:
        pieces += _references(reader, inside[_REFERENCES], words)
    extents = dict(_Locations(reader, inside[_LOCATIONS], inside.get(_ITEM_DATA)).items())
    if not extents.keys() <= items.keys() or _unread_bytes(tops, extents) > descriptive.SMALL_BYTES:
        raise _BrokenError
    for number in sorted(words):
        pieces += _counting_of_words(reader, items[number], extents.get(number, []))
    return _pieces(reader, pieces, [(number, items[number], extents.get(number, [])) for number in sorted(items)
                                    if number not in words])  # fmt: skip


def _pieces(
    reader: Reader, pieces: list[bytes], items: list[tuple[int, _Item, list[tuple[int, int]]]]
) -> Iterator[Piece]:
    for piece in pieces:
        yield len(piece).to_bytes(8, "big")
        yield piece
    for number, item, extents in items:
        length_bytes = sum(stop - start for start, stop in extents)
        yield b"item %d: %d bytes of " % (number, length_bytes) + item.said
        for start, stop in extents:
            yield reader.at(start, stop - start)


def _inside(reader: Reader, meta: Part) -> dict[bytes, Part]:
    """Return the boxes within the one that describes the items, by their kinds."""
    inside: dict[bytes, Part] = {}
    for box in container_format.boxes(reader, meta.start + _FULL_HEAD_BYTES, meta.stop):
        if box.kind in inside or (box.kind == BEHIND and box.stop > box.start):
            raise _BrokenError
        inside[box.kind] = box
    if not {_ITEM_INFO, _LOCATIONS} <= inside.keys():
        raise _BrokenError
    return inside


def _counting_of_words(reader: Reader, item: _Item, extents: list[tuple[int, int]]) -> list[bytes]:
    """Return what counts of EXIF or XMP; how the picture is turned is said by its properties alone (clause 6.5.10)."""
    content = b"".join(reader.at(start, stop - start) for start, stop in extents)
    if item.kind != _EXIF:
        return pixel_data.xmp_pieces(content)
    start = 4 + int.from_bytes(content[:4], "big")
    return pixel_data.exif_pieces(content[start:])


def _items(reader: Reader, box: Part) -> dict[int, _Item]:
    """Return the items by their numbers (``iinf``)."""
    version = reader.number(box.start + 8, 1)
    first = box.start + _FULL_HEAD_BYTES + (2 if version == 0 else 4)
    items: dict[int, _Item] = {}
    for entry in container_format.boxes(reader, first, box.stop):
        if entry.kind == BEHIND and entry.stop == entry.start:
            continue
        content = reader.at(entry.start + 8, entry.stop - entry.start - 8)
        number_bytes = {2: 2, 3: 4}.get(content[0] if content else 0)
        if entry.kind != b"infe" or number_bytes is None or len(items) > _MOST_ITEMS:
            raise _BrokenError
        number = int.from_bytes(content[4 : 4 + number_bytes], "big")
        kind = content[6 + number_bytes : 10 + number_bytes]
        names = content[10 + number_bytes :].split(b"\0")
        is_xmp = kind == _MIME and names[1:2] == [_XMP_TYPE] and names[2:] in ([b""], [b"", b""])
        if number in items:
            raise _BrokenError
        items[number] = _Item(kind, is_xmp, content[:4] + content[4 + number_bytes :])
    return items


def _references(reader: Reader, box: Part, words: set[int]) -> list[bytes]:
    """Return what items say of each other, without what EXIF and XMP are said to describe (``iref``)."""
    number_bytes = 4 if reader.number(box.start + 8, 1) else 2
    pieces = []
    for entry in container_format.boxes(reader, box.start + _FULL_HEAD_BYTES, box.stop):
        if entry.kind == BEHIND and entry.stop == entry.start:
            continue
        if entry.kind == BEHIND:
            raise _BrokenError
        content = reader.at(entry.start + 8, entry.stop - entry.start - 8)
        if int.from_bytes(content[:number_bytes], "big") not in words:
            pieces += [entry.kind, content]
    return pieces


def _unread_bytes(tops: list[Part], extents: dict[int, list[tuple[int, int]]]) -> int:
    """Return how many bytes of the data boxes belong to no item."""
    held = sum(box.stop - box.start - 8 for box in tops if box.kind == _DATA or box.kind in _FREE)
    spans = sorted({span for of_item in extents.values() for span in of_item})
    inside = [
        (start, stop)
        for start, stop in spans
        if any(box.start <= start < box.stop for box in tops if box.kind == _DATA)
    ]
    covered, place = 0, 0
    for start, stop in inside:
        covered += max(0, stop - max(start, place))
        place = max(place, stop)
    return held - covered


class _Locations:
    """Where the bytes of items lie (``iloc``)."""

    def __init__(self, reader: Reader, box: Part, item_data: Part | None) -> None:
        self._reader = reader
        self._item_data = item_data
        self._content = reader.at(box.start + 8, box.stop - box.start - 8)
        self._place = 4

    @property
    def unread_bytes(self) -> int:
        """How many bytes of the box follow behind all that was taken."""
        return len(self._content) - self._place

    def items(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Yield the number of each item and the places of its parts in the file."""
        version = self._content[0] if self._content else 0
        sizes = self._take(2)
        offset_bytes, length_bytes, base_bytes = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_bytes = sizes & 15 if version else 0
        wide = 4 if version == 2 else 2  # noqa: PLR2004 - 8.11.3
        for _ in range(self._take(wide)):
            number = self._take(wide)
            method = self._take(2) & 15 if version else _IN_FILE
            if self._take(2):  # in another file
                raise _BrokenError
            base = self._take(base_bytes)
            extents = []
            for _ in range(self._take(2)):
                self._take(index_bytes)
                start, length = base + self._take(offset_bytes), self._take(length_bytes)
                extents.append(self._span(method, start, length))
            yield number, extents

    def _span(self, method: int, start: int, length: int) -> tuple[int, int]:
        end = self._reader.length
        if method == _IN_ITEM_DATA and self._item_data is not None:
            start, end = start + self._item_data.start + 8, self._item_data.stop
        elif method != _IN_FILE:
            raise _BrokenError
        if not length or start + length > end:  # none: up to the end, wherever that is
            raise _BrokenError
        return start, start + length

    def _take(self, count: int) -> int:
        if self._place + count > len(self._content):
            raise _BrokenError
        self._place += count
        return int.from_bytes(self._content[self._place - count : self._place], "big")
