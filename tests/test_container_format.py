"""The parts of picture files: found where they lie, with an end whatever the bytes."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dupfind.pictures import container_format
from dupfind.pictures.container_format import BEHIND, Part, Reader


def reader(content: bytes) -> Reader:
    """A file of this content."""
    return Reader(io.BytesIO(content))


def test_what_lies_outside_is_empty() -> None:
    """Before the start, behind the end, and beyond all files."""
    found = reader(b"\x01\x02")
    assert [b"\x02", b"", b"", b""] == [found.at(place, 9) for place in (1, 2, -1, 2**70)]
    assert (0x0102, 0x0201, 0) == (found.number(0, 2), found.number(0, 2, "little"), found.number(5, 4))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\0\0\0\x08free", [Part(b"free", 0, 8)]),
        (b"\0\0\0\x01free" + struct.pack(">Q", 17) + b"x", [Part(b"free", 0, 17)]),
        (b"\0\0\0\x00mdat12", [Part(b"mdat", 0, 10)]),
        (b"\0\0\0\x08free\0\0\0\x09mdat", [Part(b"free", 0, 8), Part(BEHIND, 8, 16)]),
        (b"\0\0\0\x07free", [Part(BEHIND, 0, 8)]),
        (b"\0\0\0\x01free", [Part(BEHIND, 0, 8)]),
    ],
)
def test_boxes(content: bytes, expected: list[Part]) -> None:
    """With short, long and open lengths; what is none is behind."""
    assert expected == list(container_format.boxes(reader(content), 0, len(content)))


def test_loops_are_bounded() -> None:
    """Of a file of nothing but empty boxes, the rest is behind."""
    content = b"\0\0\0\x08free" * 5000
    found = list(container_format.boxes(reader(content), 0, len(content)))
    assert (4097, Part(BEHIND, 4096 * 8, 40000)) == (len(found), found[-1])
    assert list(container_format.jpeg_segments(reader(b"\xff\xd8" + b"\xff\xe0\0\x02" * 9999)))[4095:] == [
        (0xE0, Part(b"\xff\xe0", 2 + 4095 * 4 + 4, 2 + 4096 * 4))
    ]


@pytest.mark.parametrize("fill", [b"", b"\xff\xff\xff"])
def test_segments_anywhere(fill: bytes) -> None:
    """Also behind bytes that fill, and none where no JPEG begins."""
    file = io.BytesIO()
    Image.new("L", (70, 30)).save(file, "JPEG")
    content = b"abc" + file.getvalue()[:2] + fill + file.getvalue()[2:]
    found = [
        [marker for marker, _ in container_format.jpeg_segments(reader(content), place)] for place in (3, 0, 10**6)
    ]
    assert [[0xE0, 0xDB, 0xC0, 0xC4, 0xC4], [], []] == found


@given(
    st.binary(max_size=400), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF89a", b"RIFF\xff\0\0\0WEBP"])
)
def test_any_bytes(content: bytes, head: bytes) -> None:
    """Every walk ends, and stays within the file."""
    content = head + content
    found = reader(content)
    for walk in (
        container_format.boxes(found, 0, len(content)),
        container_format.png_chunks(found),
        container_format.riff_chunks(found),
    ):
        assert all(0 <= part.start <= part.stop <= max(len(content), 12) for part in walk)
    assert all(0 <= part.start <= part.stop <= len(content) for part in container_format.gif_parts(found))
    assert container_format.jpeg_2000_bits(found) <= 128
    assert container_format.is_reduced_ifd(found, 0, "little") in (True, False)
    assert [] == list(container_format.heif_auxiliaries(found)) or b"auxC" in content
