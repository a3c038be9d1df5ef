"""What a TIFF holds beside its first page: further pages, reduced copies, layers, channels, finer samples.

Decodes nothing: Pillow reads the directories of pages, and those below a page are looked at where they lie. What
neither points to is the affair of :mod:`dupfind.pictures.tiff_extent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Literal

from PIL import Image, TiffImagePlugin

from dupfind.pictures import container_format, kinds, tiff_data, tiff_extent
from dupfind.pictures.container_format import Reader

_MOST_ENTRIES = 64
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
    for index in range(1, min(count, _MOST_ENTRIES)):
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
        is_readable = len(places) <= _MOST_ENTRIES and int.from_bytes(reader.at(2, 2), order) != _BIG_TIFF
        if not (is_readable and all(container_format.is_reduced_ifd(reader, int(place), order) for place in places)):
            yield kinds.PAGES
    yield from tiff_extent.kinds_of(tiff_data.mapped(file))
