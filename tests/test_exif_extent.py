"""What an Exif block holds that none of its tags accounts for, in every format, and in the digest of the image data."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.pictures import container_format, decode, exif_extent, kinds
from tests.helpers.image_data import chunk, png48, with_chunks
from tests.helpers.jpegs import jpeg, noise, photo
from tests.helpers.places import SHARED_DATA, needs_shared_data
from tests.helpers.stamped import (
    APP1,
    ASCII,
    EXIF,
    LONG,
    UNDEFINED,
    block,
    block_with_thumbnail,
    digest,
    saved,
    short,
    with_segments,
)

SIZE = (64, 48)
PICTURE = saved(photo(2, SIZE), "JPEG")
DATE = (ASCII, b"2006:12:25 10:11:12\0")
WORDS: dict[int, Any] = {0x0110: (ASCII, b"a camera!\0"), EXIF: {0x9003: DATE}}
NOTE: dict[int, Any] = {**WORDS, EXIF: {0x9003: DATE, 0x927C: (UNDEFINED, b"a maker's note")}}
BOUND, NOTE_BOUND = kinds.SMALL_BYTES, 1 << 14


def with_thumbnail(picture: bytes, *, pointed: int | None = None) -> bytes:
    """A block of words with a thumbnail."""
    return block_with_thumbnail(WORDS, picture, pointed=pointed)


@pytest.mark.parametrize(
    "content",
    [
        b"", bytes(9999), block({}), block(WORDS), block(WORDS, order=">"), block(NOTE), b"Exif\0\0" + block(WORDS),
        with_thumbnail(PICTURE), with_thumbnail(noise(9000)), block(WORDS, loose=bytes(99_999)),
        block(WORDS, loose=noise(BOUND)), block(NOTE, loose=noise(NOTE_BOUND)),
        block({0x010E: (ASCII, b"%PDF-1.4\0\0")}), block({0x010E: (ASCII, b"%PDF-1.4\0")}),
        block({0x9286: (UNDEFINED, noise(9000))}), block({EXIF: {0x927C: (UNDEFINED, PICTURE)}}),
    ],
)  # fmt: skip
def test_what_is_accounted_for(content: bytes) -> None:
    """Words, a maker's note and what may be its own, the thumbnail, slack."""
    assert exif_extent.loose(content) is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PICTURE, kinds.SECOND_PICTURE),
        (b"words", kinds.UNCLEAR),
        (b"II*\0" + PICTURE, kinds.SECOND_PICTURE),
        (block({}, loose=PICTURE), kinds.SECOND_PICTURE),
        (block(NOTE, loose=b"ab" + PICTURE), kinds.SECOND_PICTURE),
        (block(WORDS, loose=b"\x89PNG\r\n\x1a\n"), kinds.SECOND_PICTURE),
        (block(WORDS, loose=b"\0\0\0\x18ftypheic" + bytes(9)), kinds.SECOND_PICTURE),
        (block(WORDS, loose=b"\0\0\0\x18ftypmp42" + bytes(9)), kinds.VIDEO),
        (block(WORDS, loose=b"\0\0\0\x0cJXL \r\n\x87\n"), kinds.SECOND_PICTURE),
        (block(WORDS, loose=b"PK\x03\x04"), kinds.ARCHIVE),
        (block({0x9286: (UNDEFINED, PICTURE)}), kinds.SECOND_PICTURE),
        (block({0x9286: (UNDEFINED, b"ASCII\0\0\0" + PICTURE)}), kinds.SECOND_PICTURE),
        (block(WORDS, loose=noise(BOUND + 1)), "unknown data within its Exif block (5 kB)"),
        (block(NOTE, loose=noise(NOTE_BOUND + 1)), "unknown data within its Exif block (17 kB)"),
        (block({0x010E: (ASCII, PICTURE[:60])}, loose=PICTURE[60:]), kinds.SECOND_PICTURE),
        (block({270: (ASCII, PICTURE[:20]), 271: (ASCII, PICTURE[20:40])}, loose=PICTURE[40:]), kinds.SECOND_PICTURE),
        (with_thumbnail(PICTURE, pointed=0), kinds.SECOND_PICTURE),
        (with_thumbnail(noise(9000), pointed=100), "unknown data within its Exif block (9 kB)"),
        (with_thumbnail(noise(9000)) + PICTURE, kinds.SECOND_PICTURE),
    ],
)  # fmt: skip
def test_what_is_loose(content: bytes, expected: str) -> None:
    """No TIFF; a file behind the directories or as the value of a tag; much that nothing points to."""
    loose = exif_extent.loose(content)
    assert loose is not None
    assert expected == loose.kind
    assert loose.pieces


def test_a_thumbnail_of_the_first_directory() -> None:
    """Is none: it is the second directory that has it (Exif 2.32, 4.5.5), and one in each would be two pictures."""
    tags = {0x0201: (LONG, bytes(4)), 0x0202: (LONG, struct.pack("<I", len(PICTURE)))}
    tags[0x0201] = LONG, struct.pack("<I", len(block(tags)))
    assert exif_extent.loose(block(tags, loose=PICTURE)) is not None


def test_a_thumbnail_of_the_third_directory() -> None:
    """Would be one more picture."""
    tags = {0x0201: (LONG, bytes(4)), 0x0202: (LONG, struct.pack("<I", len(PICTURE)))}
    plain = bytearray(block({}, following={}))
    plain[-4:] = struct.pack("<I", len(plain))  # behind the second directory a third one follows
    third = struct.pack("<H", 2) + b"".join(
        struct.pack("<HHI", number, LONG, 1) + value
        for number, value in ((0x0201, struct.pack("<I", len(plain) + 30)), (0x0202, tags[0x0202][1]))
    )
    assert exif_extent.loose(bytes(plain) + third + bytes(4) + PICTURE) is not None


def test_parts_of_a_block() -> None:
    """A long block goes on in further segments; a second one stands for itself."""
    whole = b"Exif\0\0" + block({0x9286: (UNDEFINED, noise(9000))})
    cut = [whole[:5000], b"Exif\0\0" + whole[5000:]]
    assert [whole[6:]] == exif_extent.joined(cut)
    assert [whole[6:], whole[6:]] == exif_extent.joined([whole, whole])


@given(st.data())
def test_broken_blocks(data: st.DataObject) -> None:
    """Never raise, and are never read for long."""
    content = bytearray(with_thumbnail(PICTURE[:300]))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    exif_extent.loose(bytes(content[: data.draw(st.integers(0, len(content)))]))


PARTS = (
    b"\xff\xd8\xff\xe0", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"8BPS\0\x01", b"RIFF1234WEBP",
    b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\xff\xd8\xff\xe0AVI ", b"\0\0\0\x0cJXL ", b"\0\0\0\x0cjP  ",
    b"\0\0\0\x18ftyp", b"\0\0", b"ft", b"JX", b"PK\x03\x04", b"%PDF-", b"\x1aE\xdf\xa3", b"OggS", b"fLaC",
    b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\0", b"\xff", b"x",
)  # fmt: skip
"""Heads of all files that are known, and pieces of them."""


@given(st.lists(st.sampled_from(PARTS) | st.binary(max_size=3), max_size=12).map(b"".join))
def test_files_are_found_as_by_their_expression(block: bytes) -> None:
    """Going by pairs of bytes finds what searching the whole block does, in the same order."""
    found = [match.span() for match in exif_extent._files(block)]
    assert found == [match.span() for match in exif_extent._FILES.finditer(block)]


@pytest.mark.parametrize("file", [part for part in PARTS if exif_extent._FILES.match(part)])
def test_a_file_is_looked_for_where_one_may_count(file: bytes) -> None:
    """Nothing is left out but what begins and ends within one exempt stretch."""
    block = bytes(20) + file + bytes(20)
    first, last = 20, 20 + len(file)
    for cut in range(len(block) + 1):
        assert exif_extent._may_count(block, [(0, cut)]) or last <= cut
        assert exif_extent._may_count(block, [(cut, len(block))]) or cut <= first
        assert exif_extent._may_count(block, [(0, cut), (cut, len(block))]) or last <= cut or cut <= first


@pytest.mark.parametrize(("files", "expected"), [(1025, None), (1026, kinds.SOUND)])
def test_files_without_end(files: int, expected: str | None) -> None:
    """A thumbnail is a thumbnail, but nothing is taken for one that begins like more than a thousand files."""
    assert expected == next(exif_extent.kinds_of(with_thumbnail(b"OggS" * files + bytes(12))), None)


@given(st.integers(0, 400), st.integers(0, 400))
def test_gaps(first: int, second: int) -> None:
    """Are the bytes that no span covers, as counted one by one."""
    spans = [(first, first + 50), (second, second + 100), (30, 30)]
    expected = [place for place in range(500) if not any(start <= place < stop for start, stop in spans)]
    assert expected == [place for start, stop in exif_extent._gaps(spans, 500) for place in range(start, stop)]


def in_webp(exif: bytes) -> bytes:
    """A WebP with this block."""
    return saved(photo(1, SIZE), "WEBP", lossless=True, exif=exif)


FILES: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": lambda exif: with_segments(jpeg(1, SIZE), (APP1, b"Exif\0\0" + exif)),
    "PNG": lambda exif: with_chunks(saved(photo(1, SIZE), "PNG"), chunk(b"eXIf", exif)),
    "PNG of 16 bits": lambda exif: with_chunks(png48(), chunk(b"eXIf", exif)),
    "PNG, in digits": lambda exif: with_chunks(
        saved(photo(1, SIZE), "PNG"),
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n%8d\n" % len(exif) + exif.hex().encode()),
    ),
    "WebP": in_webp,
    "HEIC": lambda exif: saved(photo(1, SIZE), "HEIF", exif=b"Exif\0\0" + exif),
    "AVIF": lambda exif: saved(photo(1, SIZE), "AVIF", exif=exif),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_format(kind: str) -> None:
    """Says what is loose in it, and has other image data with it than without."""
    make = FILES[kind]
    plain, loose = make(block(WORDS)), make(block(WORDS, loose=PICTURE))
    if kind != "PNG of 16 bits":
        held = [decode.read_thumbnail(io.BytesIO(content), "a.bin", 10**9).more for content in (plain, loose)]
        assert [None, kinds.SECOND_PICTURE] == held
    digests = {digest(plain), digest(loose), digest(make(block(WORDS, loose=PICTURE[:-2])))}
    assert len(digests) == 3
    assert digest(plain) == digest(make(block({0x0110: (ASCII, b"another\0")})))
    turned = make(block({0x0112: short(1), **WORDS}))
    assert digest(plain) == digest(turned)


@pytest.mark.slow
@needs_shared_data("camera")
def test_real_blocks() -> None:
    """Of cameras and phones, edited and not, none is refused."""
    count = 0
    for folder in ("camera", "photos"):
        for path in (SHARED_DATA / folder).glob("*.[jJ][pP]*[gG]"):
            with path.open("rb") as file:
                reader = container_format.Reader(file)
                parts = [part for marker, part in container_format.jpeg_segments(reader) if marker == APP1]
                segments = [reader.at(part.start, part.stop - part.start) for part in parts]
            for content in exif_extent.joined([segment for segment in segments if segment.startswith(b"Exif\0")]):
                assert exif_extent.loose(content) is None, path.name
                count += 1
    assert count >= 20
