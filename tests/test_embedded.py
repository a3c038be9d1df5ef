"""Embedded JPEGs: a smaller copy of the picture, or something else."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from dupfind.pictures import embedded
from tests.helpers.jpegs import EXTENDED_XMP, SIZE, XMP, jpeg, photo, preview, saved

SHOWN = embedded.Shown(photo(), None, *SIZE)


def small(image: Image.Image, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """The picture reduced."""
    return image.resize(size, Image.Resampling.BOX)


def barred(level: int) -> Image.Image:
    """A preview between bars of this grey."""
    canvas = Image.new("RGB", (200, 120), (level,) * 3)
    canvas.paste(small(photo()), (20, 0))
    return canvas


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (small(photo()), True),
        (small(photo(), (240, 180)), True),
        (small(photo(), (80, 60)), True),
        (barred(0), True),
        (photo(), False),
        (small(photo(), (300, 225)), False),
        (small(photo(2)), False),
        (barred(90), False),
        (small(photo()).transpose(Image.Transpose.FLIP_LEFT_RIGHT), False),
        (small(photo().crop((40, 30, 320, 240))), False),
        (small(photo()).convert("L").point(lambda value: max(0, value - 128) * 2), False),
        (small(photo()).convert("L").point(lambda value: 255 - value), False),
    ],
    ids="half large quarter barred equal nearly other grey-bars mirrored cropped gain negative".split(),
)
def test_smaller_copies(image: Image.Image, *, expected: bool) -> None:
    """By their pixels, at any size that is clearly smaller."""
    with Image.open(io.BytesIO(saved(image, 75))) as smaller:
        assert expected == embedded.is_smaller_copy(smaller, SHOWN)


def test_what_cannot_be_decoded_is_no_copy() -> None:
    """And what is no JPEG is said to be none."""
    content = preview()
    with Image.open(io.BytesIO(content[: len(content) // 2])) as smaller:
        assert not embedded.is_smaller_copy(smaller, SHOWN)
    with pytest.raises(ValueError, match="identify"):
        embedded.describe(b"\xff\xd8\xffnothing", SHOWN)


def test_a_reduced_decode_is_compared_with_its_box() -> None:
    """The picture as it was decoded may have a part of a column more than it shows."""
    canvas = Image.new("RGB", (330, 250))
    canvas.paste(photo(), (0, 0))
    shown = embedded.Shown(canvas, (0, 0, 320, 240), 3200, 2400)
    assert embedded.describe(preview(), shown) is None
    assert embedded.describe(preview(), shown._replace(box=None)) is not None


def test_what_an_index_calls_a_preview() -> None:
    """Is one where it is smaller, whatever it shows; without a picture to compare with nothing is."""
    other = saved(small(photo(2)))
    assert embedded.describe(other, SHOWN, is_preview=True) is None
    assert "a second picture" == embedded.describe(jpeg(2), SHOWN, is_preview=True)
    assert "a second picture" == embedded.describe(preview(), None)


def test_xmp_in_parts() -> None:
    """The extended parts follow the standard one, without their heads."""
    segments = [
        ("APP1", XMP + b"a"),
        ("APP2", XMP + b"b"),
        ("APP1", EXTENDED_XMP + bytes(40) + b"c"),
        ("APP1", b"Exif"),
    ]
    assert b"ac" == embedded.xmp_of(segments)
