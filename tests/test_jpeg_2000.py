"""JPEG 2000 at a part of its size: it finds, and proves nothing."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from dupfind.pictures import color_modes, decode, jpeg_2000
from dupfind.pictures.container_format import Reader
from dupfind.values import Thumbnail
from fixtures import pictures

SIDE = 64
"""The least that the tests leave of a side, for pictures that are made at once."""


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small pictures be large enough."""
    monkeypatch.setattr(color_modes, "REDUCED_SIDE", SIDE)


def encoded(image: Image.Image, **options: Any) -> bytes:
    """As a file."""
    file = io.BytesIO()
    image.save(file, "JPEG2000", **options)
    return file.getvalue()


def photo(size: tuple[int, int] = (512, 384)) -> Image.Image:
    """A soft photo: what is left of it is no larger than a thumbnail, in which sharp edges would be others."""
    return pictures.photo(3, size).filter(ImageFilter.GaussianBlur(5))


def read(content: bytes, *, may_be_coarse: bool = True) -> Thumbnail:
    """Its thumbnail."""
    return decode.read_thumbnail(io.BytesIO(content), "a.jp2", 10**9, may_be_coarse=may_be_coarse)


def reduced(content: bytes, size: tuple[int, int] = (512, 384)) -> jpeg_2000.Reduced | None:
    """What its header allows."""
    return jpeg_2000.reduced(Reader(io.BytesIO(content)), size, SIDE)


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("options", [{}, {"no_jp2": True}, {"tile_size": (128, 128)}, {"irreversible": True}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_it_is_a_preview_that_looks_like_the_whole(mode: str, options: dict[str, Any]) -> None:
    """It says the same of the file, and shows the same."""
    content = encoded(photo().convert(mode), **options)
    small, whole = read(content), read(content, may_be_coarse=False)
    assert (True, False) == (small.is_coarse, whole.is_coarse)
    assert (whole.width, whole.height, whole.data_bytes) == (small.width, small.height, small.data_bytes)
    levels = [np.frombuffer(one.pixels, np.uint8).astype(int) for one in (small, whole)]
    assert np.abs(levels[0] - levels[1]).mean() < 2


def test_as_small_as_is_allowed() -> None:
    """By what is left of the shorter side, and by the levels that the file has."""
    found = reduced(encoded(photo()))
    assert found is not None
    assert (2, (128, 96)) == found[:2]
    found = reduced(encoded(photo(), num_resolutions=2))
    assert found is not None
    assert 1 == found.levels
    assert reduced(encoded(photo(), num_resolutions=1)) is None
    assert reduced(encoded(photo((120, 120))), (120, 120)) is None


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("size", [(513, 385), (514, 387), (517, 386), (515, 391)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    """Decoded to what the header promised, and to where it lies, or whole; never refused."""
    content = encoded(photo(size))
    small, whole = read(content), read(content, may_be_coarse=False)
    assert (size, size) == ((small.width, small.height), (whole.width, whole.height))
    levels = [np.frombuffer(one.pixels, np.uint8).astype(int) for one in (small, whole)]
    assert np.abs(levels[0] - levels[1]).mean() < 2


def test_what_is_not_plain_is_decoded_whole() -> None:
    """What is cut off is to be seen, and the others are decoded as they always were."""
    content = encoded(photo(), no_jp2=True)
    assert reduced(content) is not None
    assert reduced(content[:-2]) is None
    assert reduced(content + bytes(9)) is None
    assert reduced(bytes(100)) is None
    assert reduced(content, (500, 384)) is None


@pytest.mark.parametrize(
    ("place", "value"),
    [(16, b"\0\0\0\x08"), (24, b"\0\0\0\x83"), (32, b"\0\0\0\x08"), (42, b"\x0f"), (42, b"\x87"), (44, b"\2")],
    ids=["an offset", "uneven tiles", "tiles with an offset", "16 bits", "a sign", "fewer samples than pixels"],
)
def test_headers_that_are_not_plain(place: int, value: bytes) -> None:
    """Each field of the size that says anything but the usual."""
    content = bytearray(encoded(photo(), no_jp2=True))
    content[place : place + len(value)] = value
    assert reduced(bytes(content)) is None


def test_other_levels_in_a_component() -> None:
    """A segment of its own for a component may say anything."""
    content = encoded(photo(), no_jp2=True)
    place = content.index(b"\xff\x5c")  # behind the defaults
    of_component = b"\xff\x53\x00\x09\x00\x00\x01\x04\x04\x00\x01"
    assert reduced(content) is not None
    assert reduced(content[:place] + of_component + content[place:]) is None


def test_a_decoder_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tile may have fewer levels than the header says: the whole is decoded, and nothing is lost."""
    content = encoded(photo())
    true = reduced(content)
    assert true is not None
    monkeypatch.setattr(jpeg_2000, "reduced", lambda *_: true._replace(levels=9))
    assert read(content, may_be_coarse=False) == read(content)


def test_time_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Late is late: the whole would take longer."""

    def ring(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(decode, "_reduced", ring)
    with pytest.raises(TimeoutError):
        read(encoded(photo()))
