"""Image data of every format: lossless conversions keep the digest; one pixel, profile or duration changes it."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.pictures import decode, image_data, png_data
from fixtures import pictures
from tests.helpers.image_data import (
    FILMS,
    SIZE,
    chunk,
    film,
    pages,
    photo,
    png48,
    with_chunks,
    with_packed,
    with_packet,
)
from tests.helpers.stamped import ASCII, EXIF, LONG, SHORT, block, digest, saved, short, xmp

DATE = (ASCII, b"2006:12:25 10:11:12\0")
STAMP = b"Exif\0\0" + block({EXIF: {0x9003: DATE}})
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def grey16() -> Image.Image:
    """A grey picture of 16 bits."""
    return Image.fromarray(np.asarray(photo().convert("L")).astype(np.uint16) * 251)


def tiff48(value: int = 1000, *, orientation: int | None = None, words: bytes = b"", order: str = "<") -> bytes:
    """A TIFF of 48 bits a pixel, likewise."""
    pixels = struct.pack(order + "3H", value, 2 * value, 3 * value) * 12

    def tags(start: int) -> dict[int, Any]:
        return {
            256: short(4, order), 257: short(3, order), 258: (SHORT, struct.pack(order + "3H", 16, 16, 16)),
            259: short(1, order), 262: short(2, order), 273: (LONG, struct.pack(order + "I", start)),
            277: short(3, order), 278: short(3, order), 279: (LONG, struct.pack(order + "I", len(pixels))),
            **({274: short(orientation, order)} if orientation else {}), **({270: (ASCII, words)} if words else {}),
        }  # fmt: skip

    start = len(block(tags(0), order=order))
    return block(tags(start), order=order, loose=pixels)


LOSSLESS = {
    "PNG": saved(photo(), "PNG"),
    "a PNG of another encoder": saved(photo(), "PNG", compress_level=9),
    "a PNG with alpha": saved(photo().convert("RGBA"), "PNG"),
    "BMP": saved(photo(), "BMP"),
    "TIFF": saved(photo(), "TIFF"),
    "a TIFF by LZW": saved(photo(), "TIFF", compression="tiff_lzw"),
    "WebP": saved(photo(), "WEBP", lossless=True),
    "sRGB, in words": with_chunks(saved(photo(), "PNG"), chunk(b"sRGB", b"\0"), chunk(b"gAMA", bytes(4))),
    "the gamma of sRGB": with_chunks(saved(photo(), "PNG"), chunk(b"gAMA", struct.pack(">I", 45455))),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_conversions(kind: str) -> None:
    """They hold the same pixels."""
    assert digest(LOSSLESS["PNG"]) == digest(LOSSLESS[kind]) is not None


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA"])
def test_grey_and_palettes_are_resolved(mode: str) -> None:
    """As optimisers of screenshots store colours in fewer bits."""
    few = photo().quantize(16).convert("RGB") if mode == "P" else photo().convert(mode)
    narrow = few.quantize(16) if mode == "P" else few
    assert np.array_equal(np.asarray(few.convert("RGBA")), np.asarray(narrow.convert("RGBA")))
    assert digest(saved(few.convert("RGBA"), "PNG")) == digest(saved(narrow, "PNG")) is not None


SAVERS: dict[str, Callable[..., bytes]] = {
    "PNG": lambda image, **options: with_packet(saved(image, "PNG", **options), options.get("xmp")),
    "TIFF": lambda image, **options: saved(image, "TIFF", **options),
    "WEBP": lambda image, **options: saved(image, "WEBP", lossless=True, **options),
    "HEIF": lambda image, **options: saved(image, "HEIF", quality=60, **options),
    "AVIF": lambda image, **options: saved(image, "AVIF", quality=60, **options),
}


@pytest.mark.parametrize("kind", SAVERS)
def test_words_do_not_count(kind: str) -> None:
    """EXIF and XMP, added, changed or taken away."""
    save = SAVERS[kind]
    later = b"Exif\0\0" + block({0x010E: (ASCII, b"lake\0"), EXIF: {0x9003: (ASCII, b"2007:12:25 10:11:12\0")}})
    contents = [save(photo()), save(photo(), exif=STAMP), save(photo(), exif=later)]
    if kind != "TIFF":
        contents.append(save(photo(), exif=STAMP, xmp=xmp("dc:title='lake'")))
    assert 1 == len({digest(content) for content in contents})
    assert digest(contents[0]) is not None
    assert len(contents) == len(set(contents))


@pytest.mark.parametrize("kind", SAVERS)
def test_pixels_profiles_and_large_words_count(kind: str) -> None:
    """Each changes the digest."""
    save = SAVERS[kind]
    spoilt = photo().copy()
    spoilt.putpixel((5, 7), (255, 0, 255))
    contents = [
        save(photo()),
        save(spoilt),
        save(photo(), icc_profile=PROFILE),
        save(photo(2)),
        save(photo(1, (48, 64))),
    ]
    if kind != "TIFF":
        contents.append(save(photo(), xmp=xmp("GDepth:Data='AAAA'")))
        contents.append(save(photo(), exif=b"Exif\0\0" + block({EXIF: {0x9286: (ASCII, b"x" * 5000)}})))
    assert len(contents) == len({digest(content) for content in contents})


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_turn_is_done_before(kind: str) -> None:
    """A picture that is stored turned, with the note how to turn it back, is the picture."""
    stored = photo().transpose(Image.Transpose.ROTATE_90)
    options = {"exif": pictures.exif(6)} if kind != "TIFF" else {"tiffinfo": {274: 6}}
    assert digest(SAVERS[kind](photo())) == digest(SAVERS[kind](stored, **options))
    assert digest(SAVERS[kind](stored)) != digest(SAVERS[kind](photo()))


@pytest.mark.parametrize("kind", FILMS)
def test_how_frames_are_shown_counts(kind: str) -> None:
    """Which, how many, in what order, how long and how often."""
    others = [
        film(kind, (100, 50, 80)),
        film(kind, seeds=(1, 3, 2)),
        film(kind, (100, 120), (1, 2)),
        film(kind, loop=3),
    ]
    assert len(others) + 1 == len({digest(content) for content in (film(kind), *others)})


def gif_with(kind: int, content: bytes) -> bytes:
    """An animation with an extension behind its table of colours."""
    whole = film("GIF")
    place = 13 + (3 << (whole[10] & 7) + 1)
    blocks = b"".join(
        bytes([len(part)]) + part for part in (content[at : at + 255] for at in range(0, len(content), 255))
    )
    return whole[:place] + bytes([0x21, kind]) + blocks + b"\0" + whole[place:]


def test_extensions_of_a_gif() -> None:
    """Comments describe; what else an application or a text over the picture says counts, and so does a tail."""
    assert digest(film("GIF")) == digest(gif_with(0xFE, b"made at the lake"))
    others = [
        gif_with(0xFF, b"ICCRGBG1012"),
        gif_with(0x01, b"a text"),
        gif_with(0xFE, b"x" * 5000),
        film("GIF") + b"tail",
    ]
    assert len(others) + 1 == len({digest(content) for content in (film("GIF"), *others)})
    assert digest(film("GIF") + b"tail") != digest(film("GIF") + b"tale")


def test_xmp_in_a_gif() -> None:
    """It is stored in one piece, with a tail that closes it."""

    def with_packet(packet: bytes) -> bytes:
        whole = film("GIF")
        place = 13 + (3 << (whole[10] & 7) + 1)
        tail = b"\1" + bytes(range(255, -1, -1)) + b"\0"
        return whole[:place] + b"\x21\xff\x0bXMP DataXMP" + packet + tail + whole[place:]

    assert digest(film("GIF")) == digest(with_packet(xmp("dc:title='lake'")))
    assert digest(film("GIF")) != digest(with_packet(xmp("GImage:Data='AAAA'")))


PNG_CHUNKS = {
    "a gamma": chunk(b"gAMA", struct.pack(">I", 100000)),
    "primaries": chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),
    "cICP": chunk(b"cICP", b"\x0c\x0d\0\1"),
    "light": chunk(b"mDCV", bytes(24)),
    "a background": chunk(b"bKGD", bytes(6)),
    "pixels that are not square": chunk(b"pHYs", struct.pack(">IIB", 1000, 2000, 1)),
    "an unknown chunk": chunk(b"mkBF", b"layers"),
    "a large text": chunk(b"tEXt", b"workflow\0" + b"x" * 5000),
    "a large comment": chunk(b"tEXt", b"Comment\0" + b"z" * 5000),
    "a large text, packed": chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"y" * 5000)),
    "a small drawing": chunk(b"tEXt", b"mxfile\0<mxfile/>"),
    "a small drawing, packed": chunk(b"zTXt", b"MxGraphModel\0\0" + zlib.compress(b"<mxGraphModel/>")),
    "a character": chunk(b"iTXt", b"chara\0\0\0\0\0eyJ9"),
    "many small texts": b"".join(chunk(b"tEXt", b"node%d\0" % number + b"x" * 900) for number in range(5)),
    "depth in XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp("GDepth:Data='AAAA'")),
    "a profile as text": chunk(b"zTXt", b"Raw profile type icc\0\0" + zlib.compress(b"icc")),
    "an EXIF block of another kind": chunk(b"eXIf", b"nothing"),
}  # fmt: skip


@pytest.mark.parametrize("make", [lambda: saved(photo(), "PNG"), png48], ids=["8 bits", "16 bits"])
def test_chunks_of_a_png(make: Callable[[], bytes]) -> None:
    """What describes is left out; everything else counts."""
    plain = make()
    words = (
        chunk(b"tEXt", b"Title\0lake"), chunk(b"tIME", bytes(7)), chunk(b"eXIf", STAMP[6:]),
        chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1)), chunk(b"sBIT", b"\5\6\5"),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp("dc:title='lake'")),
    )  # fmt: skip
    assert digest(plain) == digest(with_chunks(plain, *words)) is not None
    others = [with_chunks(plain, one) for one in PNG_CHUNKS.values()] + [plain + b"behind"]
    assert len(others) + 1 == len({digest(content) for content in (plain, *others)})


HIDING: dict[str, Callable[[bytes], bytes]] = {
    "behind the packed data": lambda packed: packed + b"hidden",
    "further rows": lambda packed: zlib.compress(zlib.decompress(packed) + b"x"),
    "further rows, many": lambda packed: zlib.compress(zlib.decompress(packed) + bytes(3 << 20)),
    "a second stream": lambda packed: packed + zlib.compress(b"hidden"),
    "what cannot be unpacked": lambda packed: packed[:-4] + b"hide",
}


@pytest.mark.parametrize("change", HIDING.values(), ids=HIDING)
@pytest.mark.parametrize("make", [lambda: saved(photo(), "PNG"), png48], ids=["8 bits", "16 bits"])
def test_data_behind_the_pixels_of_a_png(make: Callable[[], bytes], change: Callable[[bytes], bytes]) -> None:
    """No decoder shows them, so that a copy of the pixels would lose them: there is no digest."""
    plain = make()
    again = with_packed(plain, lambda packed: zlib.compress(zlib.decompress(packed), 1))
    assert digest(again) is not None
    assert not png_data.hides_data(io.BytesIO(again))
    hiding = with_packed(plain, change)
    assert digest(hiding) is None
    assert png_data.hides_data(io.BytesIO(hiding))


def test_data_behind_the_pixels_take_no_memory() -> None:
    """Where 64 kB unpack to 64 MiB, no more than a block of them is unpacked."""
    bomb = with_packed(png48(), lambda packed: zlib.compress(zlib.decompress(packed) + bytes(64 << 20), 9))
    tracemalloc.start()
    try:
        assert png_data.hides_data(io.BytesIO(bomb))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 << 20


def test_packed_data_that_break_off_behind_the_pixels() -> None:
    """What the last repetition gives is counted, also where the data end within it."""
    rows = bytes(1 << 20)  # as much as is unpacked at once
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1023, 1024, 8, 0, 0, 0, 0))
    packed = zlib.compress(rows + bytes(200), 9)[:-5]  # without its end and its checksum
    for data, hides in ((packed, True), (zlib.compress(rows, 9), False)):
        png = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")
        assert png_data.hides_data(io.BytesIO(png)) is hides


def test_data_behind_the_pixels_of_a_frame() -> None:
    """The last frame of an animation."""
    assert digest(film("PNG")) is not None
    assert digest(with_packed(film("PNG"), HIDING["further rows"], b"fdAT")) is None


def test_a_chunk_behind_the_packed_data_of_a_png() -> None:
    """Another one of the same kind."""
    plain = saved(photo(), "PNG")
    assert digest(plain[:-12] + chunk(b"IDAT", b"hidden") + plain[-12:]) is None
    assert digest(plain[:-12] + chunk(b"IDAT", b"") + plain[-12:]) == digest(plain)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (3, 2), (5, 9), (8, 8), (33, 17)])
@pytest.mark.parametrize(("kind", "depth", "samples"), [(0, 1, 1), (3, 4, 1), (2, 8, 3), (6, 16, 4)])
def test_interlaced_rows_are_counted(size: tuple[int, int], kind: int, depth: int, samples: int) -> None:
    """Pass by pass, as Adam7 has them: a byte more is hidden."""
    rows = b""
    for pixels in _adam7(size):
        rows += (b"\0" + bytes(-(-pixels[0] * depth * samples // 8))) * pixels[1]
    header = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 1)
    for more in (b"", b"x"):
        parts = [chunk(b"IHDR", header), chunk(b"PLTE", bytes(48)), chunk(b"IDAT", zlib.compress(rows + more))]
        png = b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")
        assert png_data.hides_data(io.BytesIO(png)) is bool(more)


def _adam7(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Columns and rows of each pass, counted pixel by pixel (ISO/IEC 15948, 8.2)."""
    pattern = ("16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777")
    counts = []
    for number in "1234567":
        places = [(x, y) for y in range(size[1]) for x in range(size[0]) if pattern[y % 8][x % 8] == number]
        if places:
            counts.append((len({x for x, _ in places}), len({y for _, y in places})))
    return counts


def test_many_words_of_a_png() -> None:
    """Texts about the picture count alone or not at all, however many."""
    words = [chunk(b"tEXt", b"Comment\0" + b"x" * 900) for _ in range(9)]
    assert digest(with_chunks(LOSSLESS["PNG"], *words)) == digest(LOSSLESS["PNG"])


def test_sixteen_bits_count_whole() -> None:
    """One bit of 16, which Pillow does not show; and the order of the bytes is kept."""
    assert digest(png48(1000)) != digest(png48(1001))
    assert digest(tiff48(1000)) != digest(tiff48(1001))
    assert digest(saved(grey16(), "PNG")) is not None
    assert digest(saved(grey16(), "TIFF")) is not None
    assert Image.open(io.BytesIO(png48(1000))).tobytes() == Image.open(io.BytesIO(png48(1001))).tobytes()


def test_a_tagged_scan_of_sixteen_bits() -> None:
    """Words do not count; the turn does, and so does what is not known."""
    assert digest(tiff48()) == digest(tiff48(words=b"a print of 1962\0")) == digest(tiff48(orientation=1)) is not None
    assert digest(tiff48()) != digest(tiff48(orientation=6))
    assert digest(tiff48()) != digest(tiff48(words=b"x" * 5000))
    assert digest(tiff48() + bytes(10_000)) is None


@pytest.mark.parametrize("levels", [2, 4])
def test_grey_of_few_bits_with_one_transparent(levels: int) -> None:
    """Pillow shows it opaque, so that it counts as it is stored."""
    depth = {2: 1, 4: 2}[levels]
    header = struct.pack(">IIBBBBB", 8, 1, depth, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" + bytes([0b00011011] * depth))
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    opaque = b"\x89PNG\r\n\x1a\n" + b"".join(parts)
    assert digest(opaque) != digest(with_chunks(opaque, chunk(b"tRNS", struct.pack(">H", levels - 1))))


def test_pages_of_a_tiff() -> None:
    """All of them count, in their order."""
    assert digest(pages(1, 2, 3)) == digest(pages(1, 2, 3, compression="tiff_deflate")) is not None
    others = [pages(1, 2), pages(1, 3, 2), pages(1, 2, 4)]
    assert len(others) + 1 == len({digest(content) for content in (pages(1, 2, 3), *others)})


@pytest.mark.parametrize("number", [254, 37724, 65000, 50839])
def test_unknown_tags_of_a_tiff_count(number: int) -> None:
    """Layers, marks of a microscope, and that a page is a mask."""
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[number] = 4
    info.tagtype[number] = LONG
    assert digest(saved(photo(), "TIFF")) != digest(saved(photo(), "TIFF", tiffinfo=info))


def test_pictures_below_a_page_have_no_digest() -> None:
    """They are not followed."""
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[330] = 8
    info.tagtype[330] = LONG
    assert digest(saved(photo(), "TIFF", tiffinfo=info)) is None


def test_samples_that_pillow_leaves_out() -> None:
    """A fourth sample that is no alpha counts, by way of the stored bytes."""
    alpha = saved(photo().convert("RGBA"), "TIFF")
    said = struct.pack("<HHIH", 338, SHORT, 1, 2)
    assert said in alpha
    other = alpha.replace(said, said[:-2] + bytes(2))
    assert digest(saved(photo(), "TIFF")) == digest(alpha)
    assert digest(alpha) != digest(other) is not None


def bmp32(alpha: int) -> bytes:
    """A BMP of 32 bits of which Pillow leaves the last eight out."""
    head = struct.pack("<IiiHHIIiiII", 40, 2, 1, 1, 32, 0, 8, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 62, 0, 0, 54) + head + bytes([1, 2, 3, alpha] * 2)


def test_bmps_with_more_than_pillow_shows() -> None:
    """Bits that may be transparency, other colours, and what follows the pixels."""
    assert digest(bmp32(0)) is None
    assert digest(saved(photo(), "BMP")) != digest(saved(photo(), "BMP") + b"behind")
    other = bytearray(saved(photo(), "BMP"))
    other[14:18] = struct.pack("<I", 124)
    assert digest(bytes(other)) is None


def test_chunks_of_a_webp() -> None:
    """Unknown ones and what follows the end count."""
    content = saved(photo(), "WEBP", exif=STAMP)
    longer = content + b"ABCD" + struct.pack("<I", 4) + b"more"
    whole = longer[:4] + struct.pack("<I", len(longer) - 8) + longer[8:]
    assert 3 == len({digest(one) for one in (content, content + b"tail", whole)})


def test_items_of_a_heic() -> None:
    """A second picture, transparency and another profile count; the order in the file does not; a cut file has none."""
    whole = saved(photo(), "HEIF", quality=60)
    more = saved(photo(), "HEIF", quality=60, save_all=True, append_images=[photo(2)])
    clear = saved(photo().convert("RGBA"), "HEIF", quality=60)
    assert 3 == len({digest(content) for content in (whole, more, clear)})
    assert digest(whole) == digest(whole + struct.pack(">I", 8) + b"free")
    assert digest(whole) != digest(whole + struct.pack(">I", 12) + b"mpvdfilm")
    assert [None, None, None] == [digest(content) for content in (whole[:-20], whole + b"tail", whole[:60])]
    assert digest(whole + struct.pack(">I", 10_008) + b"mdat" + bytes(10_000)) is None


def test_boxes_of_a_jpeg_xl() -> None:
    """The codestream counts, with or without boxes around it; words in boxes do not."""

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", 8 + len(body)) + kind + body

    stream = b"\xff\x0a\x10\x20 a codestream"
    start = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    whole = start + box(b"jxlc", stream)
    exif = box(b"Exif", bytes(4) + STAMP[6:])
    parts = box(b"jxlp", bytes(4) + stream[:6]) + box(b"jxlp", b"\x80\0\0\1" + stream[6:])
    same = [stream, whole, whole + exif, start + box(b"xml ", xmp("dc:title='lake'")) + parts]
    assert 1 == len({digest(content) for content in same})
    turned = box(b"Exif", bytes(4) + block({0x0112: short(6)}))
    others = [start + box(b"jxlc", stream + b"x"), whole + box(b"jumb", b"more"), whole + turned,
              whole + box(b"xml ", xmp("GDepth:Data='AAAA'")), whole + box(b"brob", b"Exif")]  # fmt: skip
    assert len(others) + 1 == len({digest(content) for content in (whole, *others)})
    assert [None, None] == [digest(start), digest(whole[:-3])]


@pytest.mark.parametrize(
    "content", [b"", b"BM", b"words", b"II*\0", b"II*\0\x08\0\0\0\1\0", b"\x89PNG\r\n\x1a\n", b"\xff\x0a"[:1]]
)
def test_what_is_no_picture_has_none(content: bytes) -> None:
    """Whatever it begins with."""
    with suppress(OSError, SyntaxError):  # as Pillow says it
        assert digest(content) is None


def test_a_cut_file_has_none() -> None:
    """What cannot be decoded whole is not digested."""
    for kind in ("PNG", "TIFF", "GIF", "WEBP", "HEIF"):
        content = saved(photo().quantize(16) if kind == "GIF" else photo(), kind)
        found: bytes | None = b"none yet"
        with suppress(OSError, SyntaxError):  # as decoders say it
            found = digest(content[: len(content) // 2])
        assert found in (None, b"none yet")


def test_the_bound_on_pixels() -> None:
    """A larger picture is not decoded, and whoever remembers it may ask again."""
    for kind in ("PNG", "GIF", "BMP", "TIFF", "WEBP"):
        with pytest.raises(UndecodableError) as refused:
            digest(saved(photo().quantize(16) if kind == "GIF" else photo(), kind), SIZE[0] * SIZE[1] - 1)
        assert not refused.value.lasting


@given(st.integers(0, SIZE[0] - 1), st.integers(0, SIZE[1] - 1), st.integers(0, 2), st.integers(0, 7))
def test_any_bit_of_any_pixel_counts(x: int, y: int, channel: int, bit: int) -> None:
    """Of a picture of 8 bits."""
    pixels = np.array(photo())
    pixels[y, x, channel] ^= np.uint8(1 << bit)
    assert digest(LOSSLESS["PNG"]) != digest(saved(Image.fromarray(pixels), "PNG"))


@given(st.dictionaries(st.sampled_from(["Title", "Author", "Comment", "Creation Time"]), st.text("abc ", max_size=40)))
def test_any_words_keep_the_digest(texts: dict[str, str]) -> None:
    """Whatever a PNG is told."""
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    assert digest(LOSSLESS["PNG"]) == digest(saved(photo(), "PNG", pnginfo=info))


@given(st.sampled_from(["PNG", "TIFF", "GIF", "WEBP", "HEIF", "BMP", "JPEG"]), st.data())
def test_broken_files_raise_what_decoders_raise(kind: str, data: st.DataObject) -> None:
    """And nothing that the words of errors do not know."""
    content = bytearray(saved(photo().quantize(16) if kind == "GIF" else photo(), kind))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    file = io.BytesIO(bytes(content[: data.draw(st.integers(1, len(content)))]))
    with suppress(NotAPictureError, UndecodableError), decode.in_plain_words(file):
        image_data.read_digest(file, 10**6)


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF", "WEBP", "HEIF", "AVIF", "pages", "film", "scan", "png48"])
def test_what_exiftool_edits(tmp_path: Path, kind: str) -> None:
    """A date, a title and a place, in every format that it writes."""
    made = {"pages": lambda: pages(1, 2), "film": lambda: film("GIF"), "scan": tiff48, "png48": png48}
    content = made[kind]() if kind in made else saved(photo().quantize(16) if kind == "GIF" else photo(), kind)
    path = tmp_path / "a"
    path.write_bytes(content)
    edits = ["-XMP:Title=lake"]
    if kind not in ("GIF", "film"):
        edits += ["-EXIF:DateTimeOriginal=2004:06:01 12:00:00", "-GPSLatitude=48.1"]
    done = subprocess.run(
        ["exiftool", "-q", "-m", "-overwrite_original", *edits, path], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"this exiftool does not write {kind}")
    assert content != path.read_bytes()
    assert digest(content) == digest(path.read_bytes()) is not None


def test_the_file_stays_open() -> None:
    """Whoever opened a file goes on with it, also where a mode of Pillow's holds less than the file."""
    for mode in ("RGB", "YCbCr", "CMYK"):
        file = io.BytesIO(saved(photo().convert(mode), "TIFF"))
        assert (image_data.read_digest(file, 10**8) is None) == (mode == "YCbCr")
        assert not file.closed
