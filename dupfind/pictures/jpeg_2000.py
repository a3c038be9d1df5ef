"""The header of a JPEG 2000 (ITU-T T.800, annexes A and I): how far its decoder may leave the picture smaller; pure.

A codestream holds the picture at a half, a quarter, an eighth of its size and so on, each level as what it adds to the
one below. Decoding a quarter of 12 megapixels takes a quarter of the time, an eighth a thirteenth.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dupfind.pictures.container_format import Reader

END = b"\xff\xd9"
"""The marker behind a codestream."""
_START = b"\xff\x4f\xff\x51"
_HEAD_BYTES = 1 << 16
_SIZE, _DEFAULTS, _OF_COMPONENT, _TILE = 0x51, 0x52, 0x53, 0x90
_MOST_LEVELS = 32
_EIGHT_BITS = 7
"""As the header says it: one less, the highest bit for a sign."""


class Reduced(NamedTuple):
    """What the decoder leaves of a picture."""

    levels: int
    """How often its sides are halved."""
    size: tuple[int, int]
    """Width and height that are left: those of the picture, divided and rounded up."""
    box: tuple[float, float, float, float]
    """The part of it that the picture takes. Its samples are those of every so many pixels, and not means of as many:
    they lie half a step further to the left and the top, so the picture begins as much to the right."""


def reduced(reader: Reader, size: tuple[int, int], least_side: int) -> Reduced | None:
    """Return the smallest decode that leaves ``least_side`` pixels of each side of a picture of this ``size``.

    None where there is none, or where the header is not a plain one: samples of 8 bits at every pixel, the picture and
    its tiles at whole steps, the same levels in all components, an end behind the codestream.
    """
    levels = _levels(reader)
    while levels and (min(size) >> levels < least_side or not _is_at_whole_steps(reader, size, 1 << levels)):
        levels -= 1
    if not levels or reader.at(reader.length - len(END), len(END)) != END:
        return None
    step = 1 << levels
    width, height = (-(-side // step) for side in size)
    shift = 0.5 - 0.5 / step
    box = shift, shift, min(width, size[0] / step + shift), min(height, size[1] / step + shift)
    return Reduced(levels, (width, height), box)


def _levels(reader: Reader) -> int:
    """Return how often the picture can be halved, by its main header; 0 where components or tiles may differ in it."""
    levels = 0
    for marker, place in _segments(reader):
        if marker == _DEFAULTS:
            levels = reader.number(place + 9, 1)
        elif marker == _OF_COMPONENT or (marker == _SIZE and not _is_plain(reader, place)):
            return 0
    return levels if levels <= _MOST_LEVELS else 0


def _segments(reader: Reader) -> Iterator[tuple[int, int]]:
    """Yield the markers of the main header with their places; nothing where the codestream does not begin early."""
    start = reader.at(0, _HEAD_BYTES).find(_START)
    place = start + 2
    while start >= 0 and place < _HEAD_BYTES and reader.number(place, 1) == END[0]:
        marker = reader.number(place + 1, 1)
        if marker == _TILE:
            return
        yield marker, place
        place += 2 + max(2, reader.number(place + 2, 2))


def _is_plain(reader: Reader, place: int) -> bool:
    """Tell whether the segment of the size has 8 bits a sample and one sample a pixel in each component."""
    components = reader.at(place + 40, 3 * reader.number(place + 38, 2))
    return bool(components) and all(
        components[at : at + 3] == bytes((_EIGHT_BITS, 1, 1)) for at in range(0, len(components), 3)
    )


def _is_at_whole_steps(reader: Reader, size: tuple[int, int], step: int) -> bool:
    """Tell whether a picture and its tiles begin at 0, the tiles end at whole steps, and both ways to round the size
    agree: OpenJPEG rounds up, and Pillow to the nearest.
    """
    place = next(place for marker, place in _segments(reader) if marker == _SIZE)
    numbers = [reader.number(place + 6 + 4 * index, 4) for index in range(8)]
    width, height, left, top, tile_width, tile_height, tiles_left, tiles_top = numbers
    are_tiles_whole = all(
        tile >= side or tile % step == 0 for tile, side in ((tile_width, width), (tile_height, height))
    )
    is_rounded_alike = all(-(-side // step) == (side + step // 2) // step for side in size)
    is_at_origin = not any((left, top, tiles_left, tiles_top))
    return (width, height) == size and is_at_origin and are_tiles_whole and is_rounded_alike
