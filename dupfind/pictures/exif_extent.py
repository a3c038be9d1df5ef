"""What an Exif block holds that none of its tags accounts for: stretches that nothing points to, and whole files; pure.

A picture can stand in the block behind its directories, where no program that edits words looks, and is lost with the
first of them that writes the block anew. Broken directories never raise: what they fail to point to is loose.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from dupfind.pictures import descriptive, kinds

HEAD = b"Exif\0\0"
"""What stands before the block in a JPEG, and by mistake in other formats."""
_TIFF_HEAD_BYTES, _OFFSET_BYTES = 8, 4
_TO_DIRECTORIES = frozenset({*descriptive.BELOW, descriptive.SUB_IFDS})
_THUMBNAILS = (
    (descriptive.THUMBNAIL, descriptive.THUMBNAIL_LENGTH),
    (descriptive.STRIPS, descriptive.STRIP_LENGTHS),
)
"""Tags of the second directory: where its picture is, and how long."""
_LEADING = _TO_DIRECTORIES | {tag for pair in _THUMBNAILS for tag in pair}
_BESIDE_NOTES_BYTES = 1 << 14
"""Up to here what is loose beside a maker's note may be its own, as its offsets lead anywhere in the block. Of 50
blocks of real files one has 15 kB."""
_SMALLEST_FILE_BYTES = 64
_MOST_FILES = 1024
_MOST_ENTRIES, _MOST_DIRECTORIES, _MOST_STRIPS = 1024, 16, 1024
_FILES = re.compile(
    rb"\xff\xd8\xff[\xc0-\xfe]|\x89PNG\r\n\x1a\n|GIF8[79]a|8BPS\0\x01|RIFF.{4}(?:WEBP|WAVE|AVI )"
    rb"|\0\0\0\x0c(?:JXL |jP  )|\0\0..ftyp|PK\x03\x04|%PDF-|\x1aE\xdf\xa3|OggS|fLaC|Rar!|7z\xbc\xaf\x27\x1c",
    re.DOTALL,
)
"""How pictures, films, sound, archives and documents begin."""
_PAIRS = b"\xff\xd8", b"\x89P", b"GI", b"8B", b"RI", b"PK", b"%P", b"\x1aE", b"Og", b"fL", b"Ra", b"7z"
"""The first two bytes of those that begin with no zeros, of which a block may have many."""
_LATER_PAIRS, _LATER_PLACE = (b"JX", b"jP", b"ft"), 4
"""Two bytes of the others, and where they stand."""
_MARKS = re.compile(rb"\xff\xd8\xff|\x89PN|GIF|8BP|RIF|PK\x03|%PD|\x1aE\xdf|Ogg|fLa|Rar|7z\xbc")
_LATER_MARKS = b"JXL", b"jP ", b"fty"
_MARK_BYTES = 3
"""The first bytes of those that begin with no zeros, and bytes of the others, which stand at the same place. To look
for these takes a sixth of the time: of zeros an Exif block has many."""
_IN_NO_PAIR = bytes({*range(256)} - {pair[0] for pair in _PAIRS + _LATER_PAIRS})
"""Whatever :data:`_FILES` matches has a byte in it that is none of these."""
_LONGEST_MATCH_BYTES = 12
_HEAD_OF_FILE_BYTES = 16


class Loose(NamedTuple):
    """What of an Exif block counts as more than words."""

    kind: str
    """In the words of :mod:`dupfind.pictures.kinds`."""
    pieces: list[bytes]


Spans = Sequence[tuple[int, int]]
"""Stretches of a block, each from its first byte to that behind its last."""


class _Entry(NamedTuple):
    tag: int
    start: int
    """Of its value within the block."""
    stop: int


def loose(block: bytes) -> Loose | None:
    """Return what ``block`` holds that no tag accounts for; None where that is slack, or small and of no known kind.

    ``block`` may begin with the mark of a JPEG's segment. A block that is no TIFF is loose as a whole, and so is one in
    which a file begins anywhere but in the one thumbnail or in a maker's note, which are words whatever they hold.
    """
    block = block.removeprefix(HEAD)
    order = descriptive.ORDERS.get(block[:4])
    if order is None:
        return Loose(_kind_within(block) or kinds.UNCLEAR, [block]) if block.strip(b"\0\xff ") else None
    walk = _Walk(block, order)
    walk.follow()
    gaps = list(_gaps(walk.known, len(block)))
    if (kind := _kind_within(block, walk.exempt, lambda: list(_small(walk.values(), gaps)))) is not None:
        return Loose(kind, [block])
    stretches = [block[start:stop] for start, stop in gaps]
    size_bytes = sum(kinds.written_bytes(stretch) for stretch in stretches)
    if size_bytes > (_BESIDE_NOTES_BYTES if walk.maker_notes else kinds.SMALL_BYTES):
        return Loose(kinds.unknown("within its Exif block", size_bytes), stretches)
    return None


def kinds_of(block: bytes) -> Iterator[str]:
    """Yield the kind of what is loose in ``block``."""
    if (leftover := loose(block)) is not None:
        yield leftover.kind


def counting(block: bytes) -> list[bytes]:
    """Return what is loose in ``block``, for a digest."""
    leftover = loose(block)
    return [] if leftover is None else [b"loose", *leftover.pieces]


def before_block(content: bytes) -> int:
    """Count the bytes between the offset that an item of HEIF or a box of JPEG XL begins with and the block that it
    leads to, but for the mark of a JPEG's segment.
    """
    offset = int.from_bytes(content[:_OFFSET_BYTES], "big")
    marked = len(HEAD) if content[:offset].endswith(HEAD) or content[_OFFSET_BYTES:].startswith(HEAD) else 0
    return max(0, min(offset, len(content) - _OFFSET_BYTES) - marked)


def joined(segments: list[bytes]) -> list[bytes]:
    """Return the Exif blocks of a JPEG, each without its mark of six bytes; a long one goes on in further segments."""
    blocks: list[bytes] = []
    for segment in segments:
        part = segment[len(HEAD) :]
        if blocks and part[:4] not in descriptive.ORDERS:
            blocks[-1] += part
        else:
            blocks.append(part)
    return blocks


def _kind_within(block: bytes, exempt: Spans = (), small: Callable[[], Spans] = tuple) -> str | None:
    """Return the kind of the first file that begins in ``block``, but for where it is ``exempt``, or within what
    ``small`` gives, which is asked where a file begins elsewhere; None for none.
    """
    if exempt and not _may_count(block, exempt):
        return None
    too_small: Spans | None = None
    for number, match in enumerate(_files(block)):
        if number <= _MOST_FILES:
            if _is_within(match, exempt):
                continue
            too_small = small() if too_small is None else too_small
            if _is_within(match, too_small):
                continue
        return kinds.of_start(block[match.start() :][:_HEAD_OF_FILE_BYTES]) or kinds.SECOND_PICTURE
    return None


def _may_count(block: bytes, exempt: Spans) -> bool:
    """Tell whether a file may begin elsewhere than in what is ``exempt``, or more than :data:`_MOST_FILES` within it.

    A thumbnail is most of many a block, and need not be searched for that: each file in it would have one of a few
    bytes to itself.
    """
    for start, stop in _gaps([(start, stop - _LONGEST_MATCH_BYTES + 1) for start, stop in exempt], len(block)):
        if _MARKS.search(block, start, stop + _MARK_BYTES - 1) or any(
            block.find(mark, start, stop + _LATER_PLACE + _MARK_BYTES - 1) >= 0 for mark in _LATER_MARKS
        ):
            return True
    return sum(len(block[start:stop].translate(None, _IN_NO_PAIR)) for start, stop in exempt) > _MOST_FILES


def _is_within(match: re.Match[bytes], spans: Spans) -> bool:
    return any(start <= match.start() and match.end() <= stop for start, stop in spans)


def _files(block: bytes) -> Iterator[re.Match[bytes]]:
    """Yield what ``finditer`` of :data:`_FILES` does, in a third of its time: few pairs of bytes can begin one."""
    firsts, seconds = (np.frombuffer(block.translate(table), np.uint8) for table in _TABLES_OF_PAIRS)
    starts = {
        place - before
        for place in np.flatnonzero(firsts[:-1] & seconds[1:] != 0).tolist()  # nine times as fast by truth values
        for before in ((0, _LATER_PLACE) if block[place : place + 2] in _LATER_PAIRS else (0,))
    }
    behind = 0
    for start in sorted(starts):
        if start >= behind and (match := _FILES.match(block, start)):
            behind = match.end()
            yield match


def _tables_of_pairs() -> tuple[bytes, bytes]:
    """Return a bit for each of the first bytes of pairs, and the same bits for the second ones; some pairs share one.

    Small tables stay in the cache of a core while a file is hashed.
    """
    firsts, seconds = bytearray(256), bytearray(256)
    for number, (first, second) in enumerate(_PAIRS + _LATER_PAIRS):
        bit = 1 << number % 8
        firsts[first] |= bit
        seconds[second] |= bit
    return bytes(firsts), bytes(seconds)


_TABLES_OF_PAIRS = _tables_of_pairs()


def _small(spans: Iterable[tuple[int, int]], gaps: Spans) -> Iterator[tuple[int, int]]:
    """Yield what is too small for a file, such as a text that happens to begin like one, if nothing loose goes on."""
    begins = [start for start, stop in gaps if stop - start > 1]  # not the byte that fills up to an even length
    for start, stop in spans:
        near = bisect_left(begins, start)
        goes_on = near < len(begins) and begins[near] <= stop + _SMALLEST_FILE_BYTES
        if stop - start < _SMALLEST_FILE_BYTES and not goes_on:
            yield start, stop


def _gaps(spans: Spans, length: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches from 0 to ``length`` that no span covers."""
    place = 0
    for start, stop in [*sorted(spans), (length, length)]:
        if start > place:
            yield place, start
        place = max(place, stop)


class _Walk:
    """The directories of an Exif block, followed as far as they can be."""

    def __init__(self, block: bytes, order: descriptive.Order) -> None:
        self._block = block
        self._order = order
        self.known = [(0, _TIFF_HEAD_BYTES)]
        """What is accounted for: directories, and values that stand elsewhere."""
        self._tables: list[tuple[int, int]] = []
        """Where the entries of each directory are."""
        self.maker_notes: list[tuple[int, int]] = []
        self._thumbnail: list[tuple[int, int]] = []

    @property
    def exempt(self) -> list[tuple[int, int]]:
        """Where a file may begin."""
        return self.maker_notes + self._thumbnail

    def follow(self) -> None:
        """Go through all directories."""
        seen: set[int] = set()
        pending = [(self._number(4, 4), False)]
        is_main = True
        while pending and len(seen) < _MOST_DIRECTORIES:
            place, is_thumbnail = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            entries, following = self._directory(place)
            if is_thumbnail:
                self._add_thumbnail(entries)
            pending += [
                (self._number(entry.start, 4), False)
                for entry in entries
                if entry.tag in _TO_DIRECTORIES and entry.stop - entry.start >= descriptive.INLINE_BYTES
            ]
            if following and is_main:
                pending.append((following, True))
            is_main = False

    def _number(self, place: int, count: int) -> int:
        return int.from_bytes(self._block[place : place + count], self._order)

    def _directory(self, place: int) -> tuple[list[_Entry], int]:
        """Return the entries of a directory that lead anywhere, and where the next directory is.

        Nothing where it does not lie within the block.
        """
        count = self._number(place, 2)
        end = place + 2 + 12 * count
        if not _TIFF_HEAD_BYTES <= place <= len(self._block) - 2 or count > _MOST_ENTRIES or end > len(self._block):
            return [], 0
        whole, first = len(self._block), place + 2
        self.known.append((place, min(end + 4, whole)))
        self._tables.append((first, end))
        listing = descriptive.listing(self._block[first:end], self._order)
        self.known += listing.outside if listing.end <= whole else [at for at in listing.outside if at[1] <= whole]
        entries = []
        for tag, _, at, size_bytes in listing.telling:
            start = at if size_bytes > descriptive.INLINE_BYTES else first + at
            stop = start + size_bytes
            if stop > whole:
                continue
            if tag == descriptive.MAKER_NOTE:
                self.maker_notes.append((start, stop))
            elif tag in _LEADING:
                entries.append(_Entry(tag, start, stop))
        return entries, self._number(end, 4)

    def values(self) -> Iterator[tuple[int, int]]:
        """Yield where each value is, those of a few bytes that stand within a directory too."""
        yield from self.known
        for start, stop in self._tables:
            place = start + descriptive.INLINE_PLACE
            for _, kind, values, _ in descriptive.ENTRIES[self._order].iter_unpack(self._block[start:stop]):
                size_bytes = descriptive.KIND_BYTES.get(kind, 0) * values
                if size_bytes <= descriptive.INLINE_BYTES:
                    yield place, place + size_bytes
                place += descriptive.ENTRY_BYTES

    def _add_thumbnail(self, entries: list[_Entry]) -> None:
        """Account for the picture that the second directory points to."""
        first = {entry.tag: entry for entry in reversed(entries)}
        for places, lengths in _THUMBNAILS:
            if places in first and lengths in first:
                starts, sizes = self._numbers(first[places]), self._numbers(first[lengths])
                self._thumbnail += [(start, start + size) for start, size in zip(starts, sizes, strict=False)]
        self.known += self._thumbnail

    def _numbers(self, entry: _Entry) -> list[int]:
        """Return the values of a tag of whole numbers."""
        width = 2 if entry.stop - entry.start == 2 else 4  # noqa: PLR2004 - one short; many shorts are rare here
        return [self._number(at, width) for at in range(entry.start, entry.stop, width)][:_MOST_STRIPS]
