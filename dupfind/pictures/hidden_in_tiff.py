"""Tell whether strips or tiles of a TIFF, or of a BigTIFF, go on behind their pixels."""

from __future__ import annotations

import io
import mmap
from collections.abc import Mapping

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
_JPEG_WORDS = frozenset({0xFE, *range(0xE0, 0xF0)})


def hides_data(block: mmap.mmap | bytes, max_pixels: int) -> bool:
    """Tell whether a page holds data that no pixel is made of; False where its pages cannot be followed.

    Of a BigTIFF also what its pages do not account for, which no thumbnail looks for.
    """
    if tiff.is_big(block) and any(tiff.loose_kinds(block)):
        return True
    order = tiff.order_of(block)
    try:
        return any(_hides_in_page(block, page, order, max_pixels) for page in tiff_data.pages(block, order))
    except descriptive.BrokenError:
        return False


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
    in_plane = 1 if is_tiled else max(1, -(-height // max(1, rows)))
    unshown_bytes = sum(_unshown_of_jpeg(tag.value) for tag in page.tags if tag.number == _JPEG_TABLES)
    for place, (start, stop) in enumerate(strips):
        left = rows if is_tiled else min(rows, height - place % in_plane * rows)
        if packing == _NOT_PACKED:
            # Some programs fill up the last strip to its usual number of rows.
            shown = left * -(-width * samples * number(_BITS, 1) // 8)
            unshown_bytes += kinds.written_bytes(bytes(block[min(start + shown, stop) : stop]))
            continue
        if packing == _JPEG:
            unshown_bytes += _unshown_of_jpeg(bytes(block[start:stop]))
        if stop - start > unshown.LEFT_OUT_BYTES:
            tags = {tag.number: tag for tag in page.tags if tag.number in _DECODED}
            if samples == 1 and number(_SAMPLES, 1) > 1:
                tags = {_BITS: tiff_data.numbered(_BITS, number(_BITS, 1), order)}
                tags |= {tag.number: tag for tag in page.tags if tag.number in _DECODED_IN_ANY_PLANE}
                tags[_PHOTOMETRIC] = tiff_data.numbered(_PHOTOMETRIC, _BLACK_IS_ZERO, order)
            for tag, value in ((_WIDTH, width), (_HEIGHT, left), (_ROWS, left)):
                tags[tag] = tiff_data.numbered(tag, value, order)
            is_longer = _is_longer_than_shown if packing in _PACKED else _ends_unshown
            if is_longer(tags, bytes(block[start:stop]), order, max_pixels):
                return True
    return unshown_bytes > kinds.SMALL_BYTES


def _is_longer_than_shown(tags: Mapping[int, Tag], strip: bytes, order: descriptive.Order, max_pixels: int) -> bool:
    """Tell whether a strip gives all pixels without its end."""
    shortened = tiff_data.of_one_strip(tags, strip[: -unshown.LEFT_OUT_BYTES], order)
    return unshown.are_all_shown(shortened, max_pixels)


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
