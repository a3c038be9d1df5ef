"""JPEG XL: told by content, bounded by its header, decoded where the extra is installed."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.evidence.fingerprint import check_hash, pixels
from dupfind.pictures import decode, jxl
from dupfind.values import Thumbnail
from fixtures import pictures
from tests.helpers.places import SHARED_DATA, needs_shared_data

has_extra = pytest.mark.skipif(not jxl.version(), reason="the extra dupfind[jxl] is not installed")


def read(content: bytes, max_pixels: int = 10**9) -> Thumbnail:
    """Its thumbnail."""
    return decode.read_thumbnail(io.BytesIO(content), "a.bin", max_pixels)


def encode(image: Image.Image, **options: Any) -> bytes:
    """The bytes of a file in this format."""
    import pillow_jxl  # noqa: F401 - registers it

    file = io.BytesIO()
    image.save(file, "JXL", **options)
    return file.getvalue()


def bits(*fields: tuple[int, int]) -> bytes:
    """Pack (value, number of bits), the lowest bit of each byte first."""
    number = place = 0
    for value, count in fields:
        number |= value << place
        place += count
    return number.to_bytes((place + 7) // 8, "little")


@pytest.mark.mostly_slow(fast=1)
@has_extra
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("container", [False, True])
def test_as_other_formats(mode: str, container: bool) -> None:
    """The thumbnail of its PNG."""
    image = pictures.photo(1, (480, 360))
    image = image.convert("L").convert("I;16") if mode == "I;16" else image.convert(mode)
    if mode == "I;16":
        image = image.point(lambda value: value * 257)
    found = read(encode(image, use_container=container, quality=95))
    file = io.BytesIO()
    image.save(file, "PNG")
    expected = read(file.getvalue())
    assert (480, 360, "JXL", 1, None) == (found.width, found.height, found.format, found.frames, found.damage)
    assert (mode == "I;16") == (found.more is not None)
    assert (check_hash(pixels(expected.pixels)) ^ check_hash(pixels(found.pixels))).bit_count() <= 6


@has_extra
def test_orientation_and_capture_time() -> None:
    """EXIF repeats the orientation that the decoder has seen to."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2017:07:18 15:31:30"
    found = read(encode(pictures.photo(1, (64, 48)), exif=exif.tobytes()))
    assert (64, 48, "2017:07:18 15:31:30") == (found.width, found.height, found.captured)


@has_extra
@pytest.mark.filterwarnings("ignore:Using JPEG reconstruction")
def test_a_jpeg_kept_inside(tmp_path: Any) -> None:
    """The pixels are those of the JPEG, and so is its orientation."""
    path = tmp_path / "a.jpg"
    pictures.photo(2, (64, 48)).save(path, exif=pictures.exif(6))
    with Image.open(path) as image:
        found = read(encode(image))
    expected = read(path.read_bytes())
    assert (48, 64) == (found.width, found.height)
    assert (check_hash(pixels(expected.pixels)) ^ check_hash(pixels(found.pixels))).bit_count() <= 4


@has_extra
def test_too_large_is_seen_in_the_header() -> None:
    """The plugin decodes all when it opens a file."""
    content = encode(pictures.photo(1, (40, 30)))
    assert read(content, max_pixels=1200).width == 40
    with pytest.raises(UndecodableError, match="1,200 pixels are more than --max-pixels allows") as caught:
        read(content, max_pixels=1199)
    assert not caught.value.lasting


@pytest.mark.mostly_slow(fast=5)
@has_extra
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (256, 256), (257, 8), (500, 375), (640, 360), (1000, 513), (9000, 3)])
@pytest.mark.parametrize("container", [False, True])
def test_sizes_of_the_encoder(size: tuple[int, int], container: bool) -> None:
    """However the header spells them."""
    found = jxl.read_header(io.BytesIO(encode(Image.new("L", size, 99), use_container=container)))
    assert (*size, False, False) == found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([(1, 1), (4, 5), (1, 3), (1, 1)], (40, 40, False, False)),
        ([(1, 1), (4, 5), (0, 3), (9, 5), (1, 1)], (80, 40, False, False)),
        ([(0, 1), (0, 2), (299, 9), (3, 3), (1, 1)], (400, 300, False, False)),
        ([(0, 1), (3, 2), (59999, 30), (0, 3), (2, 2), (69999, 18), (1, 1)], (70000, 60000, False, False)),
        ([(1, 1), (4, 5), (1, 3), (0, 1), (0, 1)], (40, 40, False, False)),
        ([(1, 1), (4, 5), (1, 3), (0, 1), (1, 1), (5, 3), (0, 1), (0, 1), (0, 1)], (40, 40, False, False)),
        ([(1, 1), (4, 5), (1, 3), (0, 1), (1, 1), (5, 3), (0, 1), (0, 1), (1, 1)], (40, 40, True, False)),
        (
            [(1, 1), (4, 5), (1, 3), (0, 1), (1, 1), (0, 3), (1, 1), (1, 1), (3, 5), (1, 3), (0, 1), (1, 1)],
            (40, 40, True, False),
        ),
        ([(1, 1), (4, 5), (1, 3), (0, 1), (1, 1), (5, 3), (0, 1), (1, 1)], (40, 40, True, False)),
        ([(1, 1), (4, 5), (1, 3), (0, 1), (0, 1), (0, 1), (1, 2)], (40, 40, False, True)),
        ([(1, 1), (4, 5), (1, 3), (0, 1), (0, 1), (0, 1), (3, 2), (7, 6)], (40, 40, False, False)),
        ([(1, 1), (4, 5), (1, 3), (0, 1), (0, 1), (0, 1), (3, 2), (15, 6)], (40, 40, False, True)),
        ([(1, 1), (4, 5), (1, 3), (0, 1), (0, 1), (1, 1)], (40, 40, False, True)),
    ],
)
@pytest.mark.parametrize("boxes", [0, 1, 2, 3])
def test_headers_bit_by_bit(fields: list[tuple[int, int]], expected: tuple[int, int, bool, bool], boxes: int) -> None:
    """The header of the standard, bare and in each kind of box."""
    codestream = jxl.CODESTREAM + bits(*fields)
    container = jxl.CONTAINER + b"\0\0\0\x14ftypjxl \0\0\0\0jxl " + b"\0\0\0\x0cExif1234"
    length = len(codestream)
    content = [
        codestream,
        container + (8 + length).to_bytes(4, "big") + b"jxlc" + codestream,
        container + (12 + length).to_bytes(4, "big") + b"jxlp\0\0\0\0" + codestream,
        container + b"\0\0\0\1jxlc" + (16 + length).to_bytes(8, "big") + codestream,
    ][boxes]
    assert jxl.is_jxl(content)
    assert expected == jxl.read_header(io.BytesIO(content))


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0jxlx", b"\0\0\0\x0cjunk----", b"\0\0\0\1junk" + bytes(8)])
def test_containers_that_hold_nothing(content: bytes) -> None:
    """They end, and are an error of the file."""
    with pytest.raises(UndecodableError, match="broken JPEG XL data"):
        read(jxl.CONTAINER + content)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install, and is asked again once that may have been done."""
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(UndecodableError, match=r"JPEG XL: .* with its extra jxl, dupfind looks at it") as caught:
        read(jxl.CODESTREAM + bits((1, 1), (4, 5), (1, 3), (1, 1)) + bytes(100))
    assert not caught.value.lasting


@has_extra
@settings(max_examples=100)
@given(st.integers(0, 100), st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=4))
def test_hostile_bytes(percent: int, changes: list[tuple[int, int]]) -> None:
    """Cut off and altered files give a thumbnail or one of the two errors."""
    content = bytearray(small())
    content = content[: len(content) * percent // 100]
    for place, value in changes:
        if content:
            content[place % len(content)] = value
    with suppress(NotAPictureError, UndecodableError):
        read(bytes(content), max_pixels=10**6)


def small() -> bytes:
    """A small file, made once."""
    if not _SMALL:
        _SMALL.append(encode(pictures.photo(1, (40, 30))))
    return _SMALL[0]


_SMALL: list[bytes] = []


@has_extra
@needs_shared_data("formats")
def test_a_real_file() -> None:
    """Another encoder's."""
    found = read((SHARED_DATA / "formats" / "8bit-sRGB.jxl").read_bytes())
    assert (1440, 1080, "JXL", 1) == (found.width, found.height, found.format, found.frames)


def test_a_box_that_ends_beyond_any_file() -> None:
    """Its length of 64 bits is no place to go to."""
    for length in ((1 << 64) - 1, 1 << 62, 1000):
        box = b"\0\0\0\1junk" + length.to_bytes(8, "big")
        with pytest.raises(UndecodableError, match="broken JPEG XL data"):
            jxl.read_header(io.BytesIO(jxl.CONTAINER + box))
