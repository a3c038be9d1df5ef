"""Metadata that stand before the pixels, behind them or among them: the same bytes give one answer."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pillow_heif
import pytest
from PIL import Image

from dupfind.pictures import containers, decode, jpeg_stream, kinds
from fixtures import pictures
from tests.helpers.image_data import chunk
from tests.helpers.jpegs import photo
from tests.helpers.stamped import block, digest, saved

pillow_heif.register_heif_opener()
SIZE = (64, 48)
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a GPano:ProjectionType='cylindrical'/></x:xmpmeta>"
SAID = kinds.PROJECTION
LOOSE = block({}, loose=saved(photo(2, SIZE), "JPEG"))
KEY = b"XML:com.adobe.xmp\0"


def more(content: bytes) -> str | None:
    """What the file holds beside its picture."""
    return decode.read_thumbnail(io.BytesIO(content), "a.bin", 10**9).more


def digits(name: bytes, content: bytes) -> bytes:
    """A raw profile as ImageMagick and ExifTool write it."""
    return b"\n" + name + b"\n%8d\n" % len(content) + content.hex().encode() + b"\n"


CHUNKS = {
    "iTXt": (chunk(b"iTXt", KEY + b"\0\0\0\0" + XMP), SAID),
    "iTXt, packed": (chunk(b"iTXt", KEY + b"\1\0\0\0" + zlib.compress(XMP)), SAID),
    "zTXt": (chunk(b"zTXt", KEY + b"\0" + zlib.compress(XMP)), SAID),
    "tEXt": (chunk(b"tEXt", KEY + XMP), SAID),
    "raw profile": (chunk(b"tEXt", b"Raw profile type xmp\0" + digits(b"xmp", XMP)), SAID),
    "packed raw profile": (chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(digits(b"xmp", XMP))), SAID),
    "raw profile of APP1": (
        chunk(b"tEXt", b"Raw profile type APP1\0" + digits(b"app1", b"http://ns.adobe.com/xap/1.0/\0" + XMP)), SAID,
    ),
    "raw profile of Exif": (chunk(b"tEXt", b"Raw profile type exif\0" + digits(b"exif", LOOSE)), kinds.SECOND_PICTURE),
    "raw profile without digits": (chunk(b"tEXt", b"Raw profile type xmp\0" + XMP), SAID),
    "eXIf": (chunk(b"eXIf", LOOSE), kinds.SECOND_PICTURE),
}  # fmt: skip


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_chunks_of_a_png(name: str, place: str) -> None:
    """ExifTool writes XMP behind the pixels, where Pillow sees it only once they are decoded."""
    plain = saved(photo(1, SIZE), "PNG")
    at = 33 if place == "before" else len(plain) - 12
    added, expected = CHUNKS[name]
    content = plain[:at] + added + plain[at:]
    assert expected == more(content)
    assert more(plain) is None
    assert digest(plain) != digest(content) is not None


def test_two_packets_in_a_png() -> None:
    """Both are looked at, in any order."""
    plain = saved(photo(1, SIZE), "PNG")
    said, words = chunk(b"iTXt", KEY + b"\0\0\0\0" + XMP), chunk(b"iTXt", KEY + b"\0\0\0\0<x/>")
    for added in (said + words, words + said):
        assert SAID == more(plain[:33] + added + plain[33:])


def riff(*chunks: tuple[bytes, bytes], flags: int = 4) -> bytes:
    """A WebP of the extended kind with these chunks, of which one is the pixels."""
    head = bytes([flags, 0, 0, 0]) + (SIZE[0] - 1).to_bytes(3, "little") + (SIZE[1] - 1).to_bytes(3, "little")
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
        for kind, content in ((b"VP8X", head), *chunks)
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(("kind", "content"), [(b"XMP ", XMP), (b"EXIF", LOOSE)])
@pytest.mark.parametrize("flags", [0, 4, 12])
def test_chunks_of_a_webp(kind: bytes, content: bytes, flags: int) -> None:
    """Before and behind the pixels, alone or as the second of its kind, announced or not."""
    pixels = b"VP8L", saved(photo(1, SIZE), "WEBP", lossless=True)[20:]
    added, words = (kind, content), (kind, b"<x/>" if kind == b"XMP " else block({}))
    expected = SAID if kind == b"XMP " else kinds.SECOND_PICTURE
    for chunks in ((added, pixels), (pixels, added), (pixels, words, added), (words, pixels, added)):
        assert expected == more(riff(*chunks, flags=flags))
    assert more(riff(words, pixels, words, flags=flags)) is None


@pytest.mark.parametrize("place", ["before", "behind"])
def test_xmp_in_a_gif(place: str) -> None:
    """Before and behind the picture; it is not cut into blocks, and 258 bytes close it."""
    plain = saved(photo(1, SIZE).quantize(64), "GIF")
    at = 13 + 3 * 64 if place == "before" else len(plain) - 1
    magic = b"\1" + bytes(range(255, -1, -1)) + b"\0"
    assert SAID == more(plain[:at] + b"\x21\xff\x0bXMP DataXMP" + XMP + magic + plain[at:])


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


SEGMENTS = {
    "XMP": (segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP), SAID),
    "Exif": (segment(0xE1, b"Exif\0\0" + LOOSE), kinds.SECOND_PICTURE),
    "heat": (segment(0xE1, b"FLIR\0" + b"x" * 99), kinds.TEMPERATURES),
    "sound": (segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<a GAudio:Mime='a'/>"), kinds.SOUND),
    "unknown": (segment(0xE9, b"words, " * 900), "unknown data in APP9 segments (7 kB)"),
    "comment": (segment(0xFE, b"words, " * 900), "unknown data in its comments (7 kB)"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("place", ["before", "among", "behind"])
@pytest.mark.parametrize("is_progressive", [False, True])
def test_segments_of_a_jpeg(name: str, place: str, *, is_progressive: bool) -> None:
    """Before the first scan, before the last, and behind the last."""
    plain = saved(photo(1, SIZE), "JPEG", progressive=is_progressive)
    at = {"before": 2, "among": plain.rindex(b"\xff\xda"), "behind": len(plain) - 2}[place]
    added, expected = SEGMENTS[name]
    content = plain[:at] + added + plain[at:]
    assert expected == more(content)
    assert more(plain) is None
    assert jpeg_stream.inspect(content).damage is None
    assert digest(plain) != digest(content)


def box(kind: bytes, body: bytes) -> bytes:
    """A box of ISO base media."""
    return struct.pack(">I", 8 + len(body)) + kind + body


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (box(b"xml ", XMP), SAID),
        (box(b"Exif", bytes(4) + LOOSE), kinds.SECOND_PICTURE),
        (box(b"Exif", b"\0\0\0\6Exif\0\0" + LOOSE), kinds.SECOND_PICTURE),
        (box(b"brob", b"xml " + b"packed"), kinds.UNCLEAR),
        (box(b"brob", b"Exif" + b"packed" * 700), kinds.UNCLEAR),
        (box(b"brob", b"jumb" + b"packed" * 700), kinds.UNCLEAR),
        (box(b"brob", b"Exif" + b"packed"), None),
        (box(b"xml ", b"<x/>"), None),
        (box(b"Exif", bytes(4) + block({})), None),
    ],
)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_boxes_of_a_jpeg_xl(added: bytes, expected: str | None, place: str) -> None:
    """Before and behind the codestream; what is packed, and not unpacked by the decoder, could not be read."""
    start, stream = (
        b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl "),
        box(b"jxlc", b"\xff\x0a" + bytes(99)),
    )
    content = start + (added + stream if place == "before" else stream + added)
    assert expected == containers.more_in_jxl(Image.new("L", SIZE), io.BytesIO(content), is_deep=False)


def test_packed_boxes_that_the_decoder_reads() -> None:
    """Are looked at as it gives them."""
    image = Image.new("L", SIZE)
    image.info.update(exif=block({}), xmp=b"<x/>")
    start = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    content = io.BytesIO(start + box(b"brob", b"xml packed") + box(b"brob", b"Exif" + b"packed" * 700))
    assert containers.more_in_jxl(image, content, is_deep=False) is None
    image.info["xmp"] = XMP
    assert SAID == containers.more_in_jxl(image, content, is_deep=False)
    image.info.update(exif=LOOSE, xmp=b"<x/>")
    assert kinds.SECOND_PICTURE == containers.more_in_jxl(image, content, is_deep=False)
    second = io.BytesIO(content.getvalue() + box(b"brob", b"xml packed"))
    image.info["exif"] = block({})
    assert kinds.UNCLEAR == containers.more_in_jxl(image, second, is_deep=False)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
@pytest.mark.parametrize(("options", "expected"), [({"xmp": XMP}, SAID), ({"exif": LOOSE}, kinds.SECOND_PICTURE)])
def test_items_of_heif(kind: str, options: dict[str, Any], expected: str) -> None:
    """Every item is looked at where it lies, whatever the decoder gives of them."""
    content = saved(photo(1, SIZE), kind, **options)
    image = Image.open(io.BytesIO(content))
    image.info.clear()
    assert expected == containers.more(image, io.BytesIO(content))


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (box(b"xml ", XMP), SAID),
        (box(b"uuid", bytes.fromhex("4a706754696666457869662d3e4a5032") + LOOSE), kinds.SECOND_PICTURE),
        (box(b"uuid", bytes.fromhex("4a706754696666457869662d3e4a5032") + block({})), None),
    ],
)
def test_boxes_of_jpeg_2000(added: bytes, expected: str | None) -> None:
    """Its last box, of the codestream, reaches to the end of the file or says how long it is."""
    plain = saved(photo(1, SIZE), "JPEG2000")
    place = plain.index(b"jp2c") - 4
    sized = plain[:place] + struct.pack(">I", len(plain) - place) + plain[place + 4 :]
    assert expected == more(plain[:32] + added + plain[32:])
    assert expected == more(sized + added)


@pytest.mark.parametrize("order", ["<", ">"])
def test_xmp_of_a_tiff(order: str) -> None:
    """Its tag leads to it wherever it lies; Pillow writes it before the pixels, and here it lies behind them."""
    pixels = bytes(pictures.photo(1, SIZE).tobytes())

    def tags(start: int) -> dict[int, Any]:
        number = lambda value: (4, struct.pack(order + "I", value))  # noqa: E731
        return {
            256: number(SIZE[0]), 257: number(SIZE[1]), 258: (3, struct.pack(order + "3H", 8, 8, 8)), 259: number(1),
            262: number(2), 273: number(start), 277: number(3), 278: number(SIZE[1]), 279: number(len(pixels)),
            700: (1, XMP),
        }  # fmt: skip

    before = block(tags(0), order=order)
    content = block(tags(len(before)), order=order, loose=pixels)
    at = content.index(XMP)
    place = struct.pack(order + "I", at)
    late = content.replace(place, struct.pack(order + "I", len(content)), 1).replace(XMP, bytes(len(XMP)), 1) + XMP
    assert SAID == more(content) == more(late)
