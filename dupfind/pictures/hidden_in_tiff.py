"""Tell whether strips or tiles of a TIFF, or of a BigTIFF, go on behind their pixels, or are more than it shows."""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator, Mapping

import numpy as np

from dupfind.pictures import container_format, descriptive, jpeg_stream, kinds, tiff, tiff_data, unshown
from dupfind.pictures.container_format import Reader
from dupfind.pictures.descriptive import Tag

_WIDTH, _HEIGHT, _BITS, _PACKING, _SAMPLES, _ROWS, _PLANAR = 256, 257, 258, 259, 277, 278, 284
_PHOTOMETRIC, _TILE_WIDTH, _TILE_HEIGHT, _TILE_PLACES = 262, 322, 323, 324
_FAX_OPTIONS, _JPEG_TABLES = (292, 293), 347
_DECODED_IN_ANY_PLANE = frozenset({_PACKING, 266, 317, 339, *_FAX_OPTIONS, _JPEG_TABLES})
_DECODED = _DECODED_IN_ANY_PLANE | {_BITS, _PHOTOMETRIC, _SAMPLES, 320, 338, 530, 531, 532}
"""Tags that the pixels of a strip are decoded by, beside its size."""
_NOT_PACKED, _PACKED, _JPEG = 1, frozenset({5, 8, 32773, 32946}), 7
"""Kinds of packing (TIFF 6.0, 259): none; LZW, Deflate, PackBits; JPEG. Decoders of the second kind refuse data that
end early. Those of JPEG, fax and all others may not."""
_ONE_PLANE, _BLACK_IS_ZERO, _SHORT, _LONG = 2, 1, 3, 4
_COLOURS, _PALETTE, _PROFILE, _PLACES_AND_LENGTHS = 320, 3, 34675, frozenset({273, 279, 324, 325})
_MOST_OF_SAMPLES_BYTES = 256
"""Of numbers that tell something of each sample: of 128 of them, and more than that are shown by nobody."""
_JPEG_WORDS = frozenset({0xFE, *range(0xE0, 0xF0)})
_LEAST_LEFT_OUT_BYTES = 16
"""Of a strip among many, which together hide no more than small notes. An empty block and a checksum of Deflate take
11."""


def hides_data(block: mmap.mmap | bytes, max_pixels: int) -> bool:
    """Tell whether a page holds data that no pixel is made of; True where its pixels cannot be followed.

    Of a BigTIFF also what its pages do not account for, which no thumbnail looks for.
    """
    if tiff.is_big(block) and any(tiff.loose_kinds(block)):
        return True
    order = tiff.order_of(block)
    try:
        return any(_hides_in_page(block, page, order, max_pixels) for page in _pages(block, order))
    except descriptive.BrokenError:
        return True


def _pages(block: mmap.mmap | bytes, order: descriptive.Order) -> Iterator[descriptive.Directory]:
    """Yield the directories of all pages as decoders take them: without the tags that cannot be read.

    Raises :class:`~dupfind.pictures.descriptive.BrokenError` where there is none. What a further one that cannot be
    followed leads to is loose, and counted as that.
    """
    place = int.from_bytes(block[8:16] if tiff.is_big(block) else block[4:8], order)
    seen: set[int] = set()
    while place not in seen and (page := tiff_data.readable(block, place, order)).tags:
        seen.add(place)
        yield page
        place = page.following
    if not seen:
        raise descriptive.BrokenError


def _hides_in_page(
    block: mmap.mmap | bytes, page: descriptive.Directory, order: descriptive.Order, max_pixels: int
) -> bool:
    """Tell whether strips or tiles of a page go on behind their pixels."""
    numbers = {tag.number: tiff_data.numbers(tag, order) for tag in page.tags if tag.kind in (_SHORT, _LONG)}

    def number(tag: int, usual: int) -> int:
        return next(iter(numbers.get(tag, ())), usual)

    packing, height = number(_PACKING, _NOT_PACKED), number(_HEIGHT, 0)
    width, rows = number(_WIDTH, 0), min(number(_ROWS, height), height)
    if is_tiled := _TILE_PLACES in numbers:  # each is whole, whatever the page shows of it
        width, rows = number(_TILE_WIDTH, 0), number(_TILE_HEIGHT, 0)
    samples = 1 if number(_PLANAR, 1) == _ONE_PLANE else number(_SAMPLES, 1)
    strips = tiff_data.strips(page, order)
    in_plane = max(1, -(-height // max(1, rows))) * max(1, -(-number(_WIDTH, 0) // max(1, width)))
    shown_strips = in_plane * (number(_SAMPLES, 1) if samples == 1 else 1)
    left_out_bytes = _left_out_bytes(packing, len(strips))
    tags = _tags_of_strips(page, number(_BITS, 1), order, is_plane=samples == 1 and number(_SAMPLES, 1) > 1)
    unshown_bytes = sum(_unshown_of_jpeg(tag.value) for tag in page.tags if tag.number == _JPEG_TABLES)
    unshown_bytes += _unread_of_tags(page, packing, shown_strips)
    # Decoders take as many as the page needs. Some show the last ones, others the first.
    unshown_bytes += sum(kinds.written_bytes(bytes(block[start:stop])) for start, stop in strips[shown_strips:])
    for place, (start, stop) in enumerate(strips):
        left = rows if is_tiled else min(rows, height - place % in_plane * rows)
        if packing == _NOT_PACKED:
            # Some programs fill up the last strip to its usual number of rows.
            shown = left * -(-width * samples * number(_BITS, 1) // 8)
            unshown_bytes += kinds.written_bytes(bytes(block[min(start + shown, stop) : stop]))
            continue
        if packing == _JPEG:
            unshown_bytes += _unshown_of_jpeg(bytes(block[start:stop]))
        if stop - start > left_out_bytes:
            for tag, value in ((_WIDTH, width), (_HEIGHT, left), (_ROWS, left)):
                tags[tag] = tiff_data.numbered(tag, value, order)
            strip = bytes(block[start:stop])
            if packing in _PACKED:
                is_longer = _is_shown_without(left_out_bytes, tags, strip, order, max_pixels)
            else:
                is_longer = _ends_unshown(tags, strip, order, max_pixels)
            if is_longer:
                return True
    return unshown_bytes > kinds.SMALL_BYTES


def _unread_of_tags(page: descriptive.Directory, packing: int, shown_strips: int) -> int:
    """Count the bytes of tags of a page by which nothing is decoded: more numbers than pixels take, colours of none."""
    unread_bytes = 0
    for tag in page.tags:
        longest = _MOST_OF_SAMPLES_BYTES
        if tag.number in _PLACES_AND_LENGTHS:
            longest += tiff_data.LONGEST_NUMBER_BYTES * shown_strips
        elif tag.number == _COLOURS:
            has_palette = any(tag.number == _PHOTOMETRIC and _PALETTE in tag.value[:4] for tag in page.tags)
            longest += len(tag.value) if has_palette else 0
        elif tag.number == _PROFILE or (tag.number == _JPEG_TABLES and packing == _JPEG):
            continue
        if tag.number in descriptive.DECODED_TAGS:
            unread_bytes += max(0, len(tag.value) - longest)
    return unread_bytes


def _left_out_bytes(packing: int, strips: int) -> int:
    """Return how many bytes at the end of a strip have to make a pixel: of many strips fewer each."""
    if packing not in _PACKED:
        return unshown.LEFT_OUT_BYTES
    return min(unshown.LEFT_OUT_BYTES, max(_LEAST_LEFT_OUT_BYTES, kinds.SMALL_BYTES // strips))


def _tags_of_strips(
    page: descriptive.Directory, bits: int, order: descriptive.Order, *, is_plane: bool
) -> dict[int, Tag]:
    """Return the tags that strips are decoded by, without their sizes; those of one plane are gray."""
    if not is_plane:
        return {tag.number: tag for tag in page.tags if tag.number in _DECODED}
    tags = {tag.number: tag for tag in page.tags if tag.number in _DECODED_IN_ANY_PLANE}
    tags[_PHOTOMETRIC] = tiff_data.numbered(_PHOTOMETRIC, _BLACK_IS_ZERO, order)
    tags[_BITS] = tiff_data.numbered(_BITS, bits, order)
    return tags


def _is_shown_without(
    end_bytes: int, tags: Mapping[int, Tag], strip: bytes, order: descriptive.Order, max_pixels: int
) -> bool:
    """Tell whether a strip gives all pixels without its end."""
    return unshown.are_all_shown(tiff_data.of_one_strip(tags, strip[:-end_bytes], order), max_pixels)


def _ends_unshown(tags: Mapping[int, Tag], strip: bytes, order: descriptive.Order, max_pixels: int) -> bool:
    """Tell whether a strip gives the same pixels with another end."""
    plain = unshown.pixels(tiff_data.of_one_strip(tags, strip, order), max_pixels)
    if plain is None:
        return False
    changed = unshown.altered(strip, [len(strip)])
    as_changed = unshown.pixels(tiff_data.of_one_strip(tags, changed, order), max_pixels)
    return as_changed is not None and np.array_equal(plain, as_changed)


def _unshown_of_jpeg(strip: bytes) -> int:
    """Count the bytes of segments that describe a JPEG, and of what lies behind its end."""
    segments = container_format.jpeg_segments(Reader(io.BytesIO(strip)))
    described = sum(part.stop - part.start for marker, part in segments if marker in _JPEG_WORDS)
    stream = jpeg_stream.inspect(strip)
    described += sum(len(payload) for _, payload in stream.late)
    return described + (0 if stream.end is None else kinds.written_bytes(strip[stream.end :]))
