"""What a TIFF holds beside its first page: further pages, reduced copies, layers, channels, finer samples, loose bytes.

Decodes nothing: Pillow reads the directories of pages, and those below a page are looked at where they lie. Then what
is part of no page: bytes that no directory points to, and values of unknown tags. Programs of microscopes write a stack
of pictures behind one page (ImageJ), scanners keep drawings in tags of their own, and anything can be appended. A copy
in another format has none of it. Broken directories never raise: what they fail to point to is loose.
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap
from typing import IO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from dupfind.pictures import container_format, descriptive, kinds
from dupfind.pictures.container_format import Reader

_MOST_PAGES = 64
_EIGHT_BITS = 8
_NEW_SUBFILE_TYPE, _BITS_PER_SAMPLE, _SAMPLES, _SUB_IFDS, _PHOTOSHOP_LAYERS = 254, 258, 277, 330, 37724
_REDUCED = 1
_BIG_TIFF = 43
_SHAPE_BOUND = 0.05
"""Share by which the shape of a reduced copy may differ, as a side of few pixels is rounded."""


def count_pages(image: TiffImagePlugin.TiffImageFile) -> int:
    """Return how many pages of ``image`` are pictures of their own; loads none, and leaves it at the first.

    A page that is marked as a reduced copy does not count, if it has the shape of the first page and is smaller. Where
    the first page itself is marked, every page counts: the whole picture is another one.
    """
    count = int(image.n_frames)
    if count == 1 or _is_reduced(image):
        return count
    width, height = image.size
    reduced = 0
    for index in range(1, min(count, _MOST_PAGES)):
        image.seek(index)
        stretch = image.width * height / (image.height * width)
        is_like = 1 - _SHAPE_BOUND < stretch < 1 + _SHAPE_BOUND
        reduced += _is_reduced(image) and image.width < width and image.height < height and is_like
    image.seek(0)
    return count - reduced


def _is_reduced(page: TiffImagePlugin.TiffImageFile) -> bool:
    kind = page.tag_v2.get(_NEW_SUBFILE_TYPE, 0)
    return isinstance(kind, int) and bool(kind & _REDUCED)


def kinds_of(image: Image.Image, file: IO[bytes]) -> Iterator[str]:
    """Yield Photoshop's layers, pictures below the page that are not marked as reduced, channels, more than 8 bits.

    Then what no page accounts for.
    """
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    tags = image.tag_v2
    bits = tags.get(_BITS_PER_SAMPLE, ())
    if max(bits if isinstance(bits, tuple) else (bits,), default=1) > _EIGHT_BITS:
        yield kinds.DEEP
    if _PHOTOSHOP_LAYERS in tags:
        yield kinds.LAYERS
    if int(tags.get(_SAMPLES, 1)) > len(image.getbands()):
        yield kinds.CHANNELS
    if _SUB_IFDS in tags:
        reader = Reader(file)
        order: Literal["big", "little"] = "little" if reader.at(0, 2) == b"II" else "big"
        places = tags[_SUB_IFDS]
        places = places if isinstance(places, tuple) else (places,)
        is_readable = len(places) <= _MOST_PAGES and int.from_bytes(reader.at(2, 2), order) != _BIG_TIFF
        if not (is_readable and all(container_format.is_reduced_ifd(reader, int(place), order) for place in places)):
            yield kinds.PAGES
    yield from loose_kinds(container_format.mapped(file))


Spans = NDArray[np.int64]
"""Stretches of the file, each from its first byte to that behind its last: shape (n, 2)."""


class Entry(NamedTuple):
    """An entry of a directory, and where its value lies in the file."""

    tag: int
    kind: int
    start: int
    stop: int


class Listing(NamedTuple):
    """A directory: its entries, where it ends, and the place of the next one; all empty where it lies outside."""

    entries: list[Entry]
    stop: int
    following: int


class _Layout(NamedTuple):
    """How many bytes the parts of a directory take."""

    count_bytes: int
    place: int
    """Also how many bytes a value may have that stands in its entry."""
    entry: int
    kinds: dict[int, int]
    """Bytes of one value, by its kind."""


LONG_KINDS = (16, 17, 18)
"""Numbers of 64 bits, which a BigTIFF has besides."""
_LAYOUT = _Layout(2, 4, 12, descriptive.KIND_BYTES)
_BIG_LAYOUT = _Layout(8, 8, 20, descriptive.KIND_BYTES | dict.fromkeys(LONG_KINDS, 8))
_HEAD_BYTES, _BIG_HEAD_BYTES = 8, 16
_BIG_ORDERS: dict[bytes, descriptive.Order] = {b"II+\0": "little", b"MM\0+": "big"}
_MOST_ENTRIES, _MOST_DIRECTORIES = 4096, 256
_NUMBERS = {3: "u2", 4: "u4", 13: "u4"} | dict.fromkeys(LONG_KINDS, "u8")
_PAIRS = ((273, 279), (324, 325), (288, 289), (513, 514))
"""Tags that say where something lies, and how long it is: strips, tiles, free space, a JPEG of the old kind."""
_MAKER_NOTE = 0x927C
_BESIDE_NOTES_BYTES = 1 << 14
"""Up to here what is loose beside a maker's note may be its own, see :mod:`dupfind.pictures.exif_extent`."""
_KNOWN = descriptive.DECODED_TAGS | descriptive.DESCRIPTIVE_TAGS | frozenset({
    254, 255, 273, 279, 288, 289, 324, 325, 700, 33723, 34377, 37723, 37724, *range(512, 522), *descriptive.BELOW,
    descriptive.SUB_IFDS,
})  # fmt: skip
"""Tags of the specification, of words, and those that are looked at elsewhere (XMP, IPTC, Photoshop's)."""
_BLOCK_BYTES, _MOST_BLOCKS = 1 << 16, 4096
_HEAD_OF_FILE_BYTES = 16


def loose_kinds(block: mmap | bytes) -> Iterator[str]:
    """Yield what a whole TIFF holds beside its pages, if it is more than small notes or slack."""
    if bytes(block[:4]) not in descriptive.ORDERS | _BIG_ORDERS:
        return
    order = order_of(block)
    walk = _Walk(block, order)
    walk.follow()
    if walk.unknown_bytes > kinds.SMALL_BYTES:
        yield kinds.unknown("in tags", walk.unknown_bytes)
    gaps = walk.gaps()
    size_bytes = sum(_written_bytes(block, start, stop) for start, stop in gaps)
    if size_bytes > (_BESIDE_NOTES_BYTES if walk.has_maker_note else kinds.SMALL_BYTES):
        kinds_there = (_kind(block, start, stop) for start, stop in gaps)
        yield next(filter(None, kinds_there), None) or kinds.unknown("beside its pages", size_bytes)


def unread_bytes(block: mmap | bytes, most_directories: int) -> int:
    """Count the bytes of a whole TIFF that no directory points to, and so none of its pages accounts for, slack too.

    Those that two point to are accounted for once, so that they make up for no other ones.
    """
    walk = _Walk(block, order_of(block))
    walk.follow(most_directories)
    return sum(stop - start for start, stop in walk.gaps())


def is_big(block: mmap | bytes) -> bool:
    """Tell whether a TIFF counts its places by 64 bits."""
    return bytes(block[:4]) in _BIG_ORDERS


def order_of(block: mmap | bytes) -> descriptive.Order:
    """Return in which order the bytes of numbers stand in a TIFF or BigTIFF."""
    return "little" if block[:2] == b"II" else "big"


def listing(block: mmap | bytes, place: int, order: descriptive.Order) -> Listing:
    """Return the directory at ``place`` without the entries that lead outside."""
    layout = _BIG_LAYOUT if is_big(block) else _LAYOUT

    def number(place: int, count: int) -> int:
        return int.from_bytes(block[place : place + count], order)

    count = number(place, layout.count_bytes)
    end = place + layout.count_bytes + layout.entry * count
    if not _HEAD_BYTES <= place <= len(block) - 2 or count > _MOST_ENTRIES or end > len(block):
        return Listing([], 0, 0)
    held = []
    for at in range(place + layout.count_bytes, end, layout.entry):
        kind, value = number(at + 2, 2), at + 4 + layout.place
        size_bytes = layout.kinds.get(kind, 0) * number(at + 4, layout.place)
        start = value if size_bytes <= layout.place else number(value, layout.place)
        if start + size_bytes <= len(block):
            held.append(Entry(number(at, 2), kind, start, start + size_bytes))
    return Listing(held, min(end + layout.place, len(block)), number(end, layout.place))


def _kind(block: mmap | bytes, start: int, stop: int) -> str | None:
    """Return the kind of the file that a stretch begins with, behind its padding; None where it is not known."""
    head = bytes(block[start : min(stop, start + _BLOCK_BYTES)]).lstrip(b"\0")
    return kinds.of_start(head[:_HEAD_OF_FILE_BYTES])


def _written_bytes(block: mmap | bytes, start: int, stop: int) -> int:
    """Return how many bytes of a stretch are not slack; past 256 MiB every one counts."""
    places = range(start, stop, _BLOCK_BYTES)
    count = max(0, stop - start - _MOST_BLOCKS * _BLOCK_BYTES)
    blocks = (bytes(block[place : min(stop, place + _BLOCK_BYTES)]) for place in places[:_MOST_BLOCKS])
    return count + sum(map(kinds.written_bytes, blocks))


class _Walk:
    """All directories of a file, followed as far as they can be."""

    def __init__(self, block: mmap | bytes, order: descriptive.Order) -> None:
        self._block = block
        self._order = order
        self._known: list[Spans] = [np.array([[0, _BIG_HEAD_BYTES if is_big(block) else _HEAD_BYTES]], np.int64)]
        self.unknown_bytes = 0
        """Of the values of unknown tags."""
        self.has_maker_note = False

    def follow(self, most_directories: int = _MOST_DIRECTORIES) -> None:
        """Go through all directories."""
        seen: set[int] = set()
        words: set[int] = set()  # directories of EXIF
        pending = [self._number(8, 8) if is_big(self._block) else self._number(4, 4)]
        while pending and len(seen) < most_directories:
            place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            entries, following = self._directory(place)
            if place not in words:
                self.unknown_bytes += sum(entry.stop - entry.start for entry in entries if entry.tag not in _KNOWN)
            words.update(
                int(number) for entry in entries if entry.tag in descriptive.BELOW for number in self._numbers(entry)
            )
            below = [entry for entry in entries if entry.tag in (*descriptive.BELOW, descriptive.SUB_IFDS)]
            pending += [following, *(int(number) for entry in below for number in self._numbers(entry))]
            by_tag = {entry.tag: entry for entry in entries}
            for places, lengths in _PAIRS:
                if places in by_tag and lengths in by_tag:
                    self._add_data(self._numbers(by_tag[places]), self._numbers(by_tag[lengths]))

    def gaps(self) -> list[tuple[int, int]]:
        """Return the stretches that nothing points to."""
        spans = np.concatenate(self._known)
        spans = spans[np.argsort(spans[:, 0], kind="stable")]
        length = len(self._block)
        ends = np.maximum.accumulate(spans[:, 1])
        starts, stops = np.minimum(ends, length), np.minimum(np.append(spans[1:, 0], length), length)
        is_gap = stops > starts
        return list(zip(starts[is_gap].tolist(), stops[is_gap].tolist(), strict=True))

    def _add_data(self, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> None:
        count = min(len(starts), len(lengths))
        self._known.append(np.stack([starts[:count], starts[:count] + lengths[:count]], axis=1))

    def _number(self, place: int, count: int) -> int:
        return int.from_bytes(self._block[place : place + count], self._order)

    def _numbers(self, entry: Entry) -> NDArray[np.int64]:
        form = _NUMBERS.get(entry.kind)
        if form is None:
            return np.empty(0, np.int64)
        mark = "<" if self._order == "little" else ">"
        return np.frombuffer(bytes(self._block[entry.start : entry.stop]), mark + form).astype(np.int64)

    def _directory(self, place: int) -> tuple[list[Entry], int]:
        """Return the entries of a directory and the place of the next, and remember where all of it lies."""
        held, stop, following = listing(self._block, place, self._order)
        if stop:
            spans = [(place, stop), *((entry.start, entry.stop) for entry in held)]
            self._known.append(np.array(spans, np.int64))
            self.has_maker_note = self.has_maker_note or any(entry.tag == _MAKER_NOTE for entry in held)
        return held, following
