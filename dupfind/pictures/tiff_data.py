"""The image data of a TIFF: by pixels where every page is plain and of 8 bits at most, else as it is stored."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from struct import unpack_from
from typing import IO

from dupfind.digest import Piece
from dupfind.pictures import container_format, descriptive, pixel_data, tiff
from dupfind.pictures.descriptive import BELOW, ORIENTATION, SUB_IFDS, BrokenError, Directory, Order, Tag

_MOST_PAGES = 4096
_BITS, _PHOTOMETRIC, _SAMPLES = 258, 262, 277
_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 273, 279, 324, 325
_SUBFILE, _EXTRA_SAMPLES, _SAMPLE_FORMAT, _COLOUR_MAP = 254, 338, 339, 320
_XMP, _IPTC, _PHOTOSHOP = 700, 33723, 34377
_OLD_JPEG = range(512, 522)
_PLACES = frozenset({_STRIPS, _TILES, 288, 289})
"""Tags that say where something lies."""
_SAMPLES_OF = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3}
"""By the photometric interpretation."""
_PALETTE, _EIGHT_BITS, _STRAIGHT_ALPHA, _RGB = 3, 8, 2, 2
_SHORT, _LONG, _INLINE_BYTES = 3, 4, 4
LONGEST_NUMBER_BYTES = 8
"""Of a place, or of a length, in a BigTIFF."""
_MOST_LONG = (1 << 32) - 1


def counting(file: IO[bytes], max_pixels: int) -> Iterator[Piece] | None:
    """Return what counts of the TIFF in ``file``, in pieces; None where it holds what cannot be followed."""
    block = container_format.mapped(file)
    order = descriptive.ORDERS[block[:4]]
    try:
        all_pages = list(pages(block, order))
        if any(tag.number == SUB_IFDS or tag.number in _OLD_JPEG for page in all_pages for tag in page.tags):
            return None
        directories = sum(_count_directories(block, page, order) for page in all_pages)
        if tiff.unread_bytes(block, 1 + directories) > descriptive.SMALL_BYTES:  # none follows the last: one at 0
            return None
        beside = [piece for page in all_pages for piece in _counting_of_page(block, page, order)]
        if all(_is_plain(page, order) for page in all_pages):
            return pixel_data.of_pixels(file, max_pixels, beside)
        return _stored(block, all_pages, beside, order)
    except BrokenError:
        return None


def pages(block: mmap.mmap | bytes, order: Order) -> Iterator[Directory]:
    """Yield the directories of all pages, of a BigTIFF as those of a TIFF.

    Raises :class:`~dupfind.pictures.descriptive.BrokenError`, also where a number needs more than 32 bits.
    """
    is_big = tiff.is_big(block)
    place = int.from_bytes(block[8:16] if is_big else block[4:8], order)
    for _ in range(_MOST_PAGES):
        page = _big_directory(block, place, order) if is_big else descriptive.directory(block, place, order)
        yield page
        place = page.following
        if not place:
            return
    raise BrokenError


def _big_directory(block: mmap.mmap | bytes, place: int, order: Order) -> Directory:
    """Return a directory of a BigTIFF, its numbers of 64 bits as numbers of 32."""
    directory = readable(block, place, order)
    if not directory.tags or any(tag.kind in tiff.LONG_KINDS for tag in directory.tags):
        raise BrokenError
    return directory


def readable(block: mmap.mmap | bytes, place: int, order: Order) -> Directory:
    """Return the directory at ``place`` of a TIFF or BigTIFF as decoders read it: without tags that lead outside
    or are of no kind that is known.

    Its numbers of 64 bits are numbers of 32 where these hold them. It is empty where it lies outside.
    """
    tags = []
    listing = tiff.listing(block, place, order)
    for entry in listing.entries:
        kind, value = entry.kind, bytes(block[entry.start : entry.stop])
        if kind not in descriptive.KIND_BYTES and kind not in tiff.LONG_KINDS:
            continue
        if kind in tiff.LONG_KINDS:
            longs = [int.from_bytes(value[at : at + 8], order) for at in range(0, len(value), 8)]
            if max(longs, default=0) <= _MOST_LONG:
                kind, value = _LONG, b"".join(long.to_bytes(4, order) for long in longs)
        tags.append(Tag(entry.tag, kind, value))
    return Directory(tags, listing.following)


def _counting_of_page(block: mmap.mmap | bytes, page: Directory, order: Order) -> Iterator[bytes]:
    """Yield what counts of a page's tags beside its pixels; every tag that is not known does."""
    exif = descriptive.counting_of(block, Directory([tag for tag in page.tags if tag.number in BELOW], 0), order)
    yield from exif.counting
    for tag in page.tags:
        number = tag.number
        if number == _XMP:
            yield from pixel_data.xmp_pieces(tag.value)
        elif number == _PHOTOSHOP:
            yield from descriptive.counting_resources(tag.value)
        elif number == _IPTC:
            yield from [tag.value] if descriptive.iptc_counts(tag.value) else []
        elif number in descriptive.DECODED_TAGS or number in _PLACES or number in BELOW:
            continue
        elif number not in descriptive.DESCRIPTIVE_TAGS | {_SUBFILE} or descriptive.text_counts(tag.value):
            yield from (number.to_bytes(2, "big"), tag.value)
        elif number == _SUBFILE and tag.value.strip(b"\0"):  # a mask, or a smaller copy; not a page
            yield b"subfile %d" % (int.from_bytes(tag.value, order) & ~2)


def _is_plain(page: Directory, order: Order) -> bool:
    """Tell whether Pillow gives the samples of a page as they are: 8 bits at most, none beside colour and alpha."""
    tags = {tag.number: numbers(tag, order) for tag in page.tags if tag.kind in (_SHORT, _LONG)}
    photometric, samples = tags.get(_PHOTOMETRIC, [0])[0], tags.get(_SAMPLES, [1])[0]
    extra = tags.get(_EXTRA_SAMPLES, [])
    is_known = samples - len(extra) == _SAMPLES_OF.get(photometric)
    is_alpha = not extra or (photometric == _RGB and extra == [_STRAIGHT_ALPHA])
    is_eight = max(tags.get(_BITS, [1])) <= _EIGHT_BITS and set(tags.get(_SAMPLE_FORMAT, [1])) == {1}
    is_coarse = photometric != _PALETTE or not any(_has_finer_bits(number) for number in tags.get(_COLOUR_MAP, []))
    return is_known and is_alpha and is_eight and is_coarse


def _has_finer_bits(colour: int) -> bool:
    """Tell whether 16 bits of a palette hold more than 8 do."""
    high, low = divmod(colour, 256)
    return low not in (0, high)


def _stored(
    block: mmap.mmap | bytes, pages: Sequence[Directory], beside: Sequence[bytes], order: Order
) -> Iterator[Piece]:
    pieces = [b"tiff", order.encode(), b"%d pages" % len(pages), *beside]
    coded = []
    for page in pages:
        for tag in page.tags:
            if tag.number == ORIENTATION:
                turned = numbers(tag, order)
                pieces += [b"orientation %d" % turned[0]] if turned not in ([1], [0], []) else []
            elif tag.number in descriptive.DECODED_TAGS - _PLACES:
                pieces += [b"%d %d" % (tag.number, tag.kind), tag.value]
        coded += strips(page, order)
    if any(stop > len(block) for _, stop in coded):
        raise BrokenError
    return _pieces(block, pieces, coded)


def _pieces(block: mmap.mmap | bytes, pieces: Sequence[bytes], strips: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    for piece in pieces:
        yield len(piece).to_bytes(8, "big")
        yield piece
    for start, stop in strips:
        yield (stop - start).to_bytes(8, "big")
        yield block[start:stop]


def strips(page: Directory, order: Order) -> list[tuple[int, int]]:
    """Return where the coded pixels of a page begin and end, strip by strip or tile by tile.

    Raises :class:`~dupfind.pictures.descriptive.BrokenError`.
    """
    tags = {tag.number: numbers(tag, order) for tag in page.tags if tag.kind in (_SHORT, _LONG)}
    coded = []
    for places, lengths in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
        if len(tags.get(places, [])) != len(tags.get(lengths, [])):
            raise BrokenError
        coded += [
            (start, start + count) for start, count in zip(tags.get(places, []), tags.get(lengths, []), strict=True)
        ]
    if not coded:
        raise BrokenError
    return coded


def _count_directories(block: mmap.mmap | bytes, page: Directory, order: Order) -> int:
    """Count a page and the directories below it.

    Raises :class:`~dupfind.pictures.descriptive.BrokenError`, also where the pixels of the page cannot be followed.
    """
    strips(page, order)
    pending = [page]
    for count in range(2 + len(BELOW)):
        if not pending:
            return count
        below = [tag for tag in pending.pop().tags if tag.number in BELOW]
        pending += [descriptive.directory(block, int.from_bytes(tag.value[:4], order), order) for tag in below]
    raise BrokenError


def numbers(tag: Tag, order: Order) -> list[int]:
    """Return the numbers of a tag of 16 or 32 bits; none of another one."""
    form = {_SHORT: "H", _LONG: "I"}.get(tag.kind)
    if form is None:
        return []
    mark, size_bytes = "<" if order == "little" else ">", 2 if form == "H" else 4
    return list(unpack_from(f"{mark}{len(tag.value) // size_bytes}{form}", tag.value))


def numbered(number: int, value: int, order: Order) -> Tag:
    """Return a tag of one number."""
    return Tag(number, _LONG, value.to_bytes(4, order))


def of_one_strip(tags: Mapping[int, Tag], strip: bytes, order: Order) -> bytes:
    """Return a file of one page of this one strip; ``tags``, by their numbers, are all others that it has."""
    lengths = numbered(_STRIP_BYTES, len(strip), order)
    entries = sorted([*tags.values(), lengths, numbered(_STRIPS, 0, order)])
    place = 8 + 2 + 12 * len(entries) + 4
    directory, values = len(entries).to_bytes(2, order), b""
    for tag in entries:
        value = tag.value
        if tag.number == _STRIPS:
            held = sum(len(tag.value) for tag in entries if len(tag.value) > _INLINE_BYTES)
            value = (place + held).to_bytes(4, order)
        directory += tag.number.to_bytes(2, order) + tag.kind.to_bytes(2, order)
        directory += (len(value) // descriptive.KIND_BYTES[tag.kind]).to_bytes(4, order)
        if len(value) > _INLINE_BYTES:
            directory += (place + len(values)).to_bytes(4, order)
            values += value
        else:
            directory += value.ljust(_INLINE_BYTES, b"\0")
    head = (b"II*\0" if order == "little" else b"MM\0*") + (8).to_bytes(4, order)
    return head + directory + bytes(4) + values + strip
