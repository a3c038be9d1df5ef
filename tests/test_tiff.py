"""TIFF: which of its pages are pictures of their own, and what else it holds."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from PIL import Image, TiffImagePlugin

from dupfind.pictures import decode, tiff
from dupfind.values import Thumbnail
from fixtures import pictures

SIZE = (320, 240)


def page(seed: int, size: tuple[int, int] = SIZE, **tags: int) -> Image.Image:
    """One page, with tags."""
    image = pictures.photo(seed, size)
    image.encoderinfo = {"tiffinfo": directory(**tags)}
    return image


def directory(**tags: int) -> TiffImagePlugin.ImageFileDirectory_v2:
    """Tags by name: ``kind`` is NewSubfileType."""
    found = TiffImagePlugin.ImageFileDirectory_v2()
    for name, value in tags.items():
        found[{"kind": 254}[name]] = value
    return found


def pages(*images: Image.Image) -> bytes:
    """A TIFF of these pages; each keeps its own tags."""
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file) as writer:
        for image in images:
            image.save(writer, "TIFF", **image.encoderinfo)
            writer.newFrame()
    return file.getvalue()


def read(content: bytes) -> Thumbnail:
    """Its thumbnail."""
    return decode.read_thumbnail(io.BytesIO(content), "a.tif", 10**9)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ([page(1)], 1),
        ([page(1), page(1, (160, 120), kind=1)], 1),
        ([page(1), page(1, (160, 120), kind=1), page(1, (80, 60), kind=1)], 1),
        ([page(1, kind=2), page(2, kind=2), page(2, (160, 120), kind=1)], 2),
        ([page(1), page(2)], 2),
        ([page(1), page(2, (160, 120))], 2),
        ([page(1), page(2, SIZE, kind=1)], 2),
        ([page(1), page(2, (160, 160), kind=1)], 2),
        ([page(1), page(1, SIZE, kind=4)], 2),
    ],
    ids=["one", "thumbnail", "pyramid", "document", "two", "unmarked", "as large", "shape", "mask"],
)
def test_reduced_copies_are_no_pages(images: list[Image.Image], expected: int) -> None:
    """By their mark, where they are smaller and of the shape of the first."""
    found = read(pages(*images))
    assert (*images[0].size, expected, None) == (found.width, found.height, found.frames, found.more)


def test_counting_leaves_the_first_page() -> None:
    """So that it is the one that is decoded."""
    with Image.open(io.BytesIO(pages(page(1), page(2, (160, 120), kind=1)))) as image:
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        assert 1 == tiff.count_pages(image)
        assert (0, SIZE) == (image.tell(), image.size)


@pytest.mark.parametrize("others", [[page(2)], [page(1, (80, 60), kind=1)]], ids=["whole", "reduced"])
def test_a_first_page_that_is_reduced(others: list[Image.Image]) -> None:
    """Then every page counts: what is compared is not the picture."""
    with Image.open(io.BytesIO(pages(page(1, (160, 120), kind=1), *others))) as image:
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        assert 2 == tiff.count_pages(image)


def with_a_sample_more(image: Image.Image) -> bytes:
    """The picture with a fourth sample of which nothing is said, as of a saved selection."""
    width, height = image.size
    data = image.convert("RGBA").tobytes()
    tags: list[tuple[Any, ...]] = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 4, 134), (259, 3, 1, 1)]
    tags += [
        (262, 3, 1, 2),
        (273, 4, 1, 142),
        (277, 3, 1, 4),
        (278, 3, 1, height),
        (279, 4, 1, len(data)),
        (338, 3, 1, 0),
    ]
    table = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + table + bytes(4) + struct.pack("<4H", 8, 8, 8, 8) + data


def test_channels_that_are_not_shown() -> None:
    """They are lost in a copy of what is seen."""
    assert "further channels" == read(with_a_sample_more(page(1))).more
