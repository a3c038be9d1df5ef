"""What of a JPEG is its image data: words about the picture do not count, and everything else does."""

from __future__ import annotations

import shutil
import struct
import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import pictures
from tests.helpers import stamped
from tests.helpers.stamped import (
    APP1,
    APP2,
    APP3,
    APP13,
    APP14,
    ASCII,
    COMMENT,
    EXIF,
    GPS,
    INTEROPERABILITY,
    LONG,
    RATIONAL,
    UNDEFINED,
    XMP_HEAD,
    block,
    block_with_thumbnail,
    digest,
    resource,
    saved,
    short,
    with_exif,
    with_segments,
    xmp,
)

PHOTOSHOP = b"Photoshop 3.0\0"
DATE = (ASCII, b"2006:12:25 10:11:12\0")
RATIONALS = (RATIONAL, struct.pack("<6I", 299, 1000, 587, 1000, 114, 1000))


@cache
def jpeg(seed: int = 1, quality: int = 80) -> bytes:
    """A JPEG with a JFIF segment, made once."""
    return saved(pictures.photo(seed, (64, 48)), "JPEG", quality=quality)


def apple(number: int, value: int) -> tuple[int, bytes]:
    """A maker's note of Apple with one number in it."""
    entry = struct.pack(">HHI", number, LONG, 1) + struct.pack(">I", value)
    return UNDEFINED, b"Apple iOS\0\0\1MM" + struct.pack(">H", 1) + entry + bytes(4)


DESCRIPTIVE = {
    "capture time": with_exif(jpeg(), {EXIF: {0x9003: DATE}}),
    "place": with_exif(jpeg(), {GPS: {1: (ASCII, b"N\0"), 2: (RATIONAL, bytes(23) + b"\1")}}),
    "other byte order": with_exif(jpeg(), {0x010F: (ASCII, b"Camera\0"), EXIF: {0x9003: DATE}}, order=">"),
    "upright": with_exif(jpeg(), {0x0112: short(1)}),
    "an orientation that is none": with_exif(jpeg(), {0x0112: short(9)}),
    "sRGB": with_exif(jpeg(), {EXIF: {0xA001: short(1), INTEROPERABILITY: {1: (ASCII, b"R98\0")}}}),
    "uncalibrated": with_exif(jpeg(), {EXIF: {0xA001: short(0xFFFF)}}),
    "the usual coefficients": with_exif(jpeg(), {0x0211: RATIONALS}),
    "a maker's note": with_exif(jpeg(), {EXIF: {0x927C: (UNDEFINED, b"Canon" * 3000)}}),
    "Apple's note": with_exif(jpeg(), {EXIF: {0x927C: apple(0x11, 7)}}),
    "padding": with_exif(jpeg(), {0xEA1C: (UNDEFINED, bytes(6000))}),
    "a thumbnail": with_segments(jpeg(), (APP1, b"Exif\0\0" + block_with_thumbnail({}, jpeg(2)))),
    "XMP": with_segments(jpeg(), (APP1, XMP_HEAD + xmp("xmp:Rating='5'"))),
    "applied settings": with_segments(
        jpeg(), (APP1, XMP_HEAD + xmp("crs:HasSettings='True' crs:AlreadyApplied='True'"))
    ),
    "IPTC": with_segments(jpeg(), (APP13, PHOTOSHOP + resource(0x0404, b"\x1c\x02\x05\0\1a"))),
    "a printer": with_segments(jpeg(), (APP13, PHOTOSHOP + resource(0x03E9, b"odd") + resource(0x03ED, b"dpi"))),
    "a comment": with_segments(jpeg(), (COMMENT, b"at the lake")),
    "resolution": jpeg().replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\2\1\1\x2c\1\x2c"),
    "no JFIF": jpeg()[:2] + jpeg()[20:],
}  # fmt: skip

COUNTING = {
    "turned": with_exif(jpeg(), {0x0112: short(6)}),
    "turned, by XMP": with_segments(jpeg(), (APP1, XMP_HEAD + xmp("tiff:Orientation='6'"))),
    "Adobe RGB by a number": with_exif(jpeg(), {EXIF: {0xA001: short(2)}}),
    "Adobe RGB by the index": with_exif(
        jpeg(), {EXIF: {0xA001: short(0xFFFF), INTEROPERABILITY: {1: (ASCII, b"R03\0")}}}
    ),
    "a white point": with_exif(jpeg(), {0x013E: (RATIONAL, struct.pack("<4I", 3127, 10000, 329, 1000))}),
    "a gamma": with_exif(jpeg(), {EXIF: {0xA500: (RATIONAL, struct.pack("<2I", 18, 10))}}),
    "other coefficients": with_exif(jpeg(), {0x0211: (RATIONAL, struct.pack("<6I", 2, 9, 6, 9, 1, 9))}),
    "a large value": with_exif(jpeg(), {EXIF: {0x9286: (UNDEFINED, b"x" * 5000)}}),
    "pictures below": with_exif(jpeg(), {0x014A: (LONG, bytes(4))}),
    "pictures behind the thumbnail": with_segments(
        jpeg(), (APP1, b"Exif\0\0" + block({}, following={0x0103: short(6)})[:-4] + struct.pack("<I", 8))
    ),
    "how bright a gain map is": with_exif(jpeg(), {EXIF: {0x927C: apple(0x21, 7)}}),
    "broken EXIF": with_segments(jpeg(), (APP1, b"Exif\0\0II*\0\xff\0\0\0")),
    "two blocks of EXIF": with_segments(jpeg(), *[(APP1, b"Exif\0\0" + block({}))] * 2),
    "two packets of XMP": with_segments(jpeg(), *[(APP1, XMP_HEAD + xmp())] * 2),
    "extended XMP": with_segments(jpeg(), (APP1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40))),
    "XMP that says so": with_segments(jpeg(), (APP1, XMP_HEAD + xmp("xmpNote:HasExtendedXMP='0'"))),
    "depth": with_segments(jpeg(), (APP1, XMP_HEAD + xmp("GDepth:Data='AAAA'"))),
    "a gain map": with_segments(jpeg(), (APP1, XMP_HEAD + xmp("hdrgm:Version='1.0'"))),
    "a container": with_segments(jpeg(), (APP1, XMP_HEAD + xmp("Container:Directory='1'"))),
    "a picture in XMP": with_segments(jpeg(), (APP1, XMP_HEAD + xmp(f"a:b='{'Qk1' * 300}'"))),
    "a picture in lines": with_segments(jpeg(), (APP1, XMP_HEAD + xmp(f"a:b='{('Qk1' * 20 + '&#xA;') * 9}'"))),
    "settings to be applied": with_segments(jpeg(), (APP1, XMP_HEAD + xmp("crs:HasSettings='True'"))),
    "a path": with_segments(jpeg(), (APP13, PHOTOSHOP + resource(0x07D0, b"path"))),
    "a broken resource": with_segments(jpeg(), (APP13, PHOTOSHOP + resource(0x0404, b"text") + b"8BI")),
    "a preview in IPTC": with_segments(jpeg(), (APP13, PHOTOSHOP + resource(0x0404, b"\x1c\x02\xca\0\4jpeg"))),
    "a long comment": with_segments(jpeg(), (COMMENT, b"x" * 5000)),
    "many comments": with_segments(jpeg(), *[(COMMENT, b"x" * 1000)] * 5),
    "a profile": with_segments(jpeg(), (APP2, b"ICC_PROFILE\0\1\1profile")),
    "an unknown segment": with_segments(jpeg(), (APP3, b"temperatures")),
    "a transform": with_segments(jpeg(), (APP14, b"Adobe\0\x64\0\0\0\0\0")),
    "a thumbnail in JFIF": jpeg()[:2] + b"\xff\xe0\0\x13" + jpeg()[6:18] + b"\1\1RGB" + jpeg()[20:],
    "behind the end": jpeg() + b"a film",
    "another picture": jpeg(2),
    "another quality": jpeg(1, 81),
}  # fmt: skip


@pytest.mark.parametrize("what", DESCRIPTIVE)
def test_what_describes_does_not_count(what: str) -> None:
    """A picture with these words is the picture without them."""
    assert DESCRIPTIVE[what] != jpeg()
    assert digest(jpeg()) == digest(DESCRIPTIVE[what]) is not None


@pytest.mark.parametrize("what", COUNTING)
def test_everything_else_counts(what: str) -> None:
    """It is another picture, or may hold one."""
    assert digest(jpeg()) != digest(COUNTING[what])


def test_all_that_counts_differs() -> None:
    """No two of these have one digest, but for the turn, whoever tells of it."""
    digests = [digest(content) for content in COUNTING.values()]
    assert len(COUNTING) - 1 == len(set(digests))
    assert digest(COUNTING["turned"]) == digest(COUNTING["turned, by XMP"])
    assert None not in digests


def test_a_file_counts_to_its_last_byte() -> None:
    """It is read in blocks."""
    film = bytes(3 << 20)
    assert digest(jpeg() + film + b"a") != digest(jpeg() + film + b"b")


def test_exif_holds_against_xmp() -> None:
    """Where both say how the camera was held, programs go by EXIF."""
    turned = with_exif(jpeg(), {0x0112: short(6)})
    assert digest(turned) == digest(with_segments(turned, (APP1, XMP_HEAD + xmp("tiff:Orientation='3'"))))


@pytest.mark.parametrize("marks", [b"\xff\xc0", b"\xff\xdb", b"\xff\xc4"])
def test_tables_count(marks: bytes) -> None:
    """The last byte of a frame, of steps and of codes."""
    place = jpeg().index(marks)
    end = place + 2 + int.from_bytes(jpeg()[place + 2 : place + 4], "big")
    changed = jpeg()[: end - 1] + bytes([jpeg()[end - 1] ^ 1]) + jpeg()[end:]
    assert digest(jpeg()) != digest(changed)


def test_who_says_what_the_components_are() -> None:
    """Without JFIF, components of these names are red, green and blue."""
    place = jpeg().index(b"\xff\xc0") + 10
    named = bytearray(jpeg())
    named[place : place + 9 : 3] = b"RGB"
    assert digest(bytes(named)) != digest(bytes(named[:2] + named[20:]))


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff", jpeg()[:100], jpeg()[:2] + b"\0" + jpeg()[2:], b"\xff\xd8\xff\xd9"]
)
def test_a_header_without_scans_has_no_digest(content: bytes) -> None:
    """What cannot be followed proves nothing."""
    assert digest(content) is None


def index_of(first_bytes: int, *others: tuple[int, int, int]) -> bytes:
    """An MPF index: the kinds, lengths and offsets of the pictures behind the first."""
    entries = struct.pack("<IIIHH", 0x030000, first_bytes, 0, 0, 0)
    entries += b"".join(struct.pack("<IIIHH", *other, 0, 0) for other in others)
    return b"MPF\0" + block({0xB000: (UNDEFINED, b"0100"), 0xB001: (LONG, b"\2\0\0\0"), 0xB002: (UNDEFINED, entries)})


def mpo(before: bytes = b"", *, kind: int = 0, size_bytes: int | None = None, shift: int = 0) -> bytes:
    """A JPEG with a second one behind it, and a comment before the index that says where it is."""
    second = jpeg(2)
    comments = [(COMMENT, before)] if before else []
    index = index_of(0, (kind, len(second), 0))
    length = len(with_segments(jpeg(), (APP2, index), *comments))
    base = 2 + sum(4 + len(body) for _, body in comments) + 8
    index = index_of(length, (kind, len(second) if size_bytes is None else size_bytes, length - base + shift))
    return with_segments(jpeg(), *comments, (APP2, index)) + second


def test_where_further_pictures_lie_does_not_count() -> None:
    """Their places move when the header grows; what and how large they are counts, and whether they are found."""
    assert digest(mpo()) == digest(mpo(b"words"))
    others = [jpeg(), mpo(kind=0x020002), mpo(size_bytes=100), mpo(shift=4), mpo() + b"\0"]
    assert len(others) + 1 == len({digest(content) for content in (mpo(), *others)})


def named(text: bytes, order: str) -> bytes:
    """An EXIF block with a title and a date."""
    return block({0x010E: (ASCII, text + b"\0"), EXIF: {0x9003: DATE}}, order=order)


words = st.one_of(
    st.builds(lambda text: (COMMENT, text), st.binary(max_size=60)),
    st.builds(lambda text: (APP1, XMP_HEAD + xmp(f"dc:title='{text}'")), st.text("abcde ", max_size=20)),
    st.builds(
        lambda text: (APP1, b"Exif\0\0" + named(text, "<>"[len(text) % 2])),
        st.binary(max_size=60).filter(lambda text: b"ftyp" not in text),  # a film, behind the zeros of a directory
    ),
    st.builds(lambda text: (APP13, PHOTOSHOP + resource(0x0404, b"\x1c\x02\x78\0\1" + text)), st.just(b"abc")),
)  # fmt: skip


@given(st.lists(words, max_size=5, unique_by=lambda one: (one[0], one[1][:5])))
def test_any_words_keep_the_digest(segments: list[tuple[int, bytes]]) -> None:
    """However many, in whatever order."""
    assert digest(jpeg()) == digest(with_segments(jpeg(), *segments))


@given(st.integers(0, 10**6), st.integers(0, 7))
def test_any_bit_behind_the_header_counts(place: int, bit: int) -> None:
    """One coefficient is enough."""
    start = jpeg().index(b"\xff\xda")
    place = start + 2 + place % (len(jpeg()) - start - 2)
    changed = bytearray(jpeg())
    changed[place] ^= 1 << bit
    assert digest(jpeg()) != digest(bytes(changed))


EDITS = (
    ("-AllDates=2004:06:01 12:00:00",), ("-EXIF:all=", "-XMP:all="), ("-GPSLatitude=48.1", "-GPSLatitudeRef=N"),
    ("-IPTC:Keywords=lake", "-XMP:Title=lake", "-Comment=lake", "-Rating=5"), ("-IFD1:all=",), ("-MakerNotes:all=",),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_what_exiftool_edits(tmp_path: Path) -> None:
    """One edit on the other, as people do it for years; the turn is another picture."""
    path = tmp_path / "a.jpg"
    path.write_bytes(with_exif(jpeg(), {0x010F: (ASCII, b"Canon\0"), EXIF: {0x9003: DATE}}))
    contents = [path.read_bytes()]
    for edit in (*EDITS, ("-Orientation#=6",)):
        subprocess.run(["exiftool", "-q", "-m", "-overwrite_original", *edit, path], check=True, capture_output=True)
        contents.append(path.read_bytes())
    assert any(one != other for one, other in pairwise(contents))
    digests = [digest(content) for content in contents]
    assert {digest(jpeg())} == set(digests[:-1])
    assert digests[-1] not in digests[:-1]
    assert digests[-1] == digest(COUNTING["turned"])


def test_the_tests_helpers_make_what_they_say() -> None:
    """Pillow reads the blocks that are made here."""
    from PIL import Image

    image = Image.Exif()
    image.load(b"Exif\0\0" + stamped.block({0x0112: short(6, ">"), EXIF: {0x9003: DATE}}, order=">"))
    assert (6, "2006:12:25 10:11:12") == (image[0x0112], image.get_ifd(EXIF)[0x9003])
