"""What a file holds beside its picture: each container with and without it, built by hand."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from dupfind.pictures import container_format, containers, decode, embedded, kinds
from fixtures import pictures
from tests.helpers.jpegs import noise
from tests.helpers.places import SHARED_DATA, needs_shared_data

pillow_heif.register_heif_opener()
SIZE, LARGE_SIZE = (64, 48), (320, 240)
VIDEO = b"\0\0\0\x18ftypmp42" + b"x" * 5000
GOOGLE = "http://ns.google.com/photos/1.0/"


@cache
def photo(seed: int = 1, size: tuple[int, int] = SIZE) -> Image.Image:
    """A picture, made once."""
    return pictures.photo(seed, size)


def save(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file of this format."""
    file = io.BytesIO()
    image.copy().save(file, kind, **{**pictures.QUICKLY.get(kind, {}), **options})
    return file.getvalue()


def more(content: bytes) -> str | None:
    """What the thumbnail says; the picture itself has to be read."""
    found = decode.read_thumbnail(io.BytesIO(content), "a.bin", 10**9)
    assert (found.width, found.height) in (SIZE, LARGE_SIZE)
    return found.more


def has_more(content: bytes) -> bool:
    """Whether it says anything."""
    return more(content) is not None


def box(kind: bytes, body: bytes) -> bytes:
    """A box of ISO base media."""
    return struct.pack(">I", 8 + len(body)) + kind + body


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def psd(layers: list[int]) -> bytes:
    """A PSD with a composite, and layers of so many channels each."""
    width, height = SIZE
    records = b""
    for channels in layers:
        lengths = b"".join(struct.pack(">hI", index - 2, 2) for index in range(channels))
        names = struct.pack(">IIB3x", 0, 0, 0)
        record = struct.pack(">4iH", 0, 0, height, width, channels) + lengths + b"8BIMnorm\xff\0\0\0"
        records += record + struct.pack(">I", len(names)) + names
    information = struct.pack(">h", -len(layers)) + records + bytes(2 * sum(layers))
    block = struct.pack(">I", len(information)) + information + bytes(4) if layers else b""
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3) + bytes(8)
    planes = np.asarray(photo()).transpose(2, 0, 1).tobytes()
    return head + struct.pack(">I", len(block)) + block + bytes(2) + planes


@pytest.mark.parametrize(
    ("layers", "expected"), [([], False), ([3], True), ([5], True), ([3, 5], True), ([3, 4], True)]
)
def test_layers_of_a_psd(layers: list[int], *, expected: bool) -> None:
    """Also one alone, and those of more than four channels, which Pillow does not count."""
    assert expected == has_more(psd(layers))


def tiff(tags: dict[int, Any]) -> bytes:
    """A TIFF with further tags: their types and values."""
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, (kind, value) in tags.items():
        directory.tagtype[tag] = kind
        directory[tag] = value
    return save(photo(), "TIFF", tiffinfo=directory)


def test_photoshop_s_layers_in_a_tiff() -> None:
    """They are in a tag of their own."""
    assert has_more(tiff({37724: (7, b"Adobe Photoshop Document Data Block\0" + bytes(99))}))
    assert not has_more(tiff({37723: (7, b"Adobe")}))


@pytest.mark.parametrize(
    ("kind", "expected"), [(1, False), (0, True), (None, True)], ids=["reduced", "full", "unmarked"]
)
def test_pictures_below_a_page(kind: int | None, *, expected: bool) -> None:
    """A directory that is not said to be that of a smaller copy."""
    content = tiff({330: (4, 0x12345678)})
    entries = [(256, 3, 1, 8)] if kind is None else [(254, 4, 1, kind)]
    directory = struct.pack("<H", 1) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    place = struct.pack("<I", len(content))
    assert expected == has_more(content.replace(struct.pack("<I", 0x12345678), place) + directory)


@pytest.mark.parametrize("value", [8, 0x7FFFFFFF])
def test_pictures_below_a_page_that_lead_nowhere(value: int) -> None:
    """In doubt there is more."""
    assert has_more(tiff({330: (4, value)}))


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_boxes(kind: str) -> None:
    """A motion photo's box, a movie, a second file, anything else that is not small; padding is nothing."""
    plain = save(photo(), kind)
    for behind in (b"", box(b"free", bytes(9999)), bytes(9999), box(b"sefd", b"x" * 4000), box(b"free", b"x" * 9999)):
        assert not has_more(plain + behind)
    more = (box(b"mpvd", b"x"), box(b"moov", b"x"), VIDEO, b"x" * 4097, box(b"uuid", b"x" * 4090), box(b"meta", b""))
    for behind in more:
        assert has_more(plain + behind)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
@pytest.mark.parametrize(("name", "expected"), [(b"hevc:2015:auxid:2", True), (b"hevc:2015:auxid:1", False)])
def test_auxiliary_pictures(kind: str, name: bytes, *, expected: bool) -> None:
    """Depth; transparency is part of the picture. The property belongs to no item here, which decoders allow."""
    content = save(photo(), kind)
    auxiliary = box(b"auxC", bytes(4) + b"urn:mpeg:" + name + b"\0")
    known = box(b"meta", bytes(4) + box(b"iprp", box(b"ipco", auxiliary)))
    held = containers.more(Image.open(io.BytesIO(content)), io.BytesIO(known))
    assert (kinds.DEPTH if expected else None) == held


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "WEBP", "PNG", "JPEG"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("GCamera:MotionPhoto='1'", "a video"),
        ("GImage:Mime='a'", "a second picture"),
        ("GDepth:Near='1'", "a depth map"),
        ("GAudio:Mime='a'", "sound"),
        ("GPano:ProjectionType='equirectangular'", "the projection of a panorama"),
        ("crs:HasSettings='True' crs:AlreadyApplied='False'", "settings to develop it by (XMP)"),
        ("crs:HasSettings='True' crs:AlreadyApplied='True'", None),
        ("hdrgm:Version='1'", None),
    ],
)
def test_what_xmp_says(kind: str, words: str, expected: str | None) -> None:
    """A video, a picture or sound, how it is shown; a gain map lies elsewhere, and behind a JPEG a video does."""
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a {words}/></x:xmpmeta>".encode()
    content = save(photo(), kind, **({} if kind == "PNG" else {"xmp": xmp}))
    if kind == "PNG":
        content = content[:33] + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp) + content[33:]
    assert (None if kind == "JPEG" and expected == "a video" else expected) == more(content)
    if kind == "JPEG" and expected == "a video":
        assert expected == more(content + b"unknown")


@pytest.mark.parametrize("name", ["image/", "audio/", "depthmap/", "other/"])
@pytest.mark.parametrize("cut", [0, 40])
def test_extended_xmp(name: str, cut: int) -> None:
    """Of a JPEG, also where a word is cut in two by the end of a segment."""
    words = (" " * 20 + GOOGLE + name + " " * 100).encode()
    head = b"http://ns.adobe.com/xmp/extension/\0" + bytes(40)
    pieces = [words[:cut], words[cut:]]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", 2 + len(head + piece)) + head + piece for piece in pieces)
    content = save(photo(), "JPEG")
    assert (name != "other/") == has_more(content[:2] + segments + content[2:])


LARGE = photo(1, LARGE_SIZE)
PREVIEW, OTHER = LARGE.resize((160, 120)), photo(2, (160, 120))


def mpo(second: Image.Image, kind: int) -> bytes:
    """Two pictures, the second of this kind."""
    content = save(LARGE.copy(), "MPO", save_all=True, append_images=[second.copy()])
    entry = content.index(struct.pack("<I", 0x030000), 70) + 16
    return content[:entry] + struct.pack("<I", kind) + content[entry + 4 :]


@pytest.mark.parametrize(
    ("second", "kind", "expected"),
    [
        (PREVIEW, 0, None),
        (PREVIEW, 0x010001, None),
        (OTHER, 0, kinds.SECOND_PICTURE),
        (OTHER, 0x010002, None),
        (LARGE, 0, kinds.SECOND_PICTURE),
        (photo(2, LARGE_SIZE), 0x010001, kinds.SECOND_PICTURE),
        (PREVIEW, 0x020001, "a part of a panorama"),
        (PREVIEW, 0x020002, "another view (stereo)"),
        (photo(2, LARGE_SIZE), 0x020003, "another view"),
    ],
)
def test_further_pictures_of_an_mpo(second: Image.Image, kind: int, expected: str | None) -> None:
    """A preview is a smaller copy, or smaller and called one by the index; a view is more even where it looks alike."""
    assert expected == more(mpo(second, kind))


@pytest.mark.parametrize(("behind", "expected"), [(b"x" * 4096, False), (bytes(9999), False), (b"x" * 4097, True)])
def test_behind_an_mpo(behind: bytes, *, expected: bool) -> None:
    """Behind the last picture of its index."""
    assert expected == has_more(mpo(PREVIEW, 0) + behind)


def test_an_index_that_outlived_its_pictures() -> None:
    """A program that kept the index and wrote the first picture only: nothing is there."""
    content = mpo(OTHER, 0x020002)
    first = content[: content.index(b"\xff\xd9", 1000) + 2]
    assert more(first) is None


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "DIB"])
@pytest.mark.parametrize(("behind", "expected"), [(b"x" * 4096, False), (bytes(9999), False), (b"x" * 4097, True)])
def test_behind_the_end(kind: str, behind: bytes, *, expected: bool) -> None:
    """A video or an archive behind the picture; padding and small notes are none."""
    assert expected == has_more(save(photo(), kind) + behind)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_the_length_of_a_bmp(mode: str) -> None:
    """Its rows are padded, whatever their bits."""
    content = save(photo().convert(mode), "BMP")
    assert [False, True] == [has_more(content + b"x" * count) for count in (4096, 4097)]


def test_gifs_with_tables_and_comments() -> None:
    """Their blocks are followed to the end."""
    content = save(photo().quantize(255), "GIF", comment=b"c" * 5000, transparency=3, interlace=True)
    assert [False, True] == [has_more(content + b"x" * count) for count in (4096, 4097)]


@pytest.mark.parametrize(
    ("kind", "length", "expected"),
    [(b"mkBT", 10, True), (b"abCd", 4097, True), (b"abCd", 4000, False), (b"prVW", 9999, False)],
)
def test_unknown_chunks_of_a_png(kind: bytes, length: int, *, expected: bool) -> None:
    """Fireworks keeps its drawing there, and a preview of it."""
    content = save(photo(), "PNG")
    assert expected == has_more(content[:33] + chunk(kind, b"a\0" + b"x" * length) + content[33:])


def test_unknown_chunks_of_a_webp() -> None:
    """Within the length that it states."""
    content = save(photo(), "WEBP", exif=b"Exif\0\0" + bytes(6000))
    assert not has_more(content)
    unknown = b"ABCD" + struct.pack("<I", 5000) + b"x" * 5000
    assert has_more(content[:4] + struct.pack("<I", len(content) - 8 + len(unknown)) + content[8:] + unknown)


def png_of(depth: int) -> bytes:
    """A colour PNG of 8 or 16 bits a sample."""
    wide = np.asarray(photo()).astype(">u2" if depth > 8 else "u1")
    rows = b"".join(b"\0" + row.tobytes() for row in wide)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *SIZE, depth, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff_of(depth: int) -> bytes:
    """A colour TIFF of 8 or 16 bits a sample."""
    data = np.asarray(photo()).astype("<u2" if depth > 8 else "u1").tobytes()
    tags = [(256, 3, 1, SIZE[0]), (257, 3, 1, SIZE[1]), (258, 3, 3, 122), (259, 3, 1, 1), (262, 3, 1, 2)]
    tags += [(273, 4, 1, 128), (277, 3, 1, 3), (278, 3, 1, SIZE[1]), (279, 4, 1, len(data))]
    table = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + table + bytes(4)
    return head + struct.pack("<HHH", depth, depth, depth) + data


def ppm_of(depth: int) -> bytes:
    """A colour PPM of 8 or 16 bits a sample."""
    values = np.asarray(photo()).astype(">u2" if depth > 8 else "u1")
    return b"P6 %d %d %d\n" % (*SIZE, 2**depth - 1) + values.tobytes()


@pytest.mark.parametrize("make", [png_of, tiff_of, ppm_of])
def test_colours_of_sixteen_bits(make: Any) -> None:
    """Pillow gives 8 of them without a word."""
    assert [False, True] == [has_more(make(depth)) for depth in (8, 16)]


def test_colours_of_jpeg_2000() -> None:
    """Its header says so of each component; one of more than 8 bits is enough."""
    content = save(photo(), "JPEG2000")
    sizes = content.index(b"\xff\x4f\xff\x51") + 42
    finer = content[: sizes + 3] + b"\x0b" + content[sizes + 4 :]
    image = Image.open(io.BytesIO(content))
    assert [None, kinds.DEEP] == [containers.more(image, io.BytesIO(file)) for file in (content, finer)]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM", "JPEG2000"])
def test_greys_of_sixteen_bits(kind: str) -> None:
    """An 8-bit copy has fewer tones, which no thumbnail shows."""
    grey = np.asarray(photo().convert("L"))
    assert has_more(save(Image.fromarray(grey.astype(np.uint16) * 257), kind))
    assert not has_more(save(Image.fromarray(grey), kind))


@pytest.mark.parametrize("values", [np.int32, np.float32])
def test_greys_of_thirty_two_bits(values: Any) -> None:
    """Integers and floats."""
    assert has_more(save(Image.fromarray(np.asarray(photo().convert("L")).astype(values)), "TIFF"))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_frames_are_no_more(kind: str) -> None:
    """They are counted, and have a reason of their own."""
    assert not has_more(save(photo(), kind, save_all=True, append_images=[photo(2).copy(), photo(3).copy()]))


def heif_with(*properties: bytes) -> io.BytesIO:
    """The boxes of HEIF down to these properties of its pictures."""
    container = box(b"ipco", b"".join(properties))
    return io.BytesIO(box(b"ftyp", b"heic") + box(b"meta", bytes(4) + box(b"iprp", container)))


@pytest.mark.parametrize(
    ("properties", "bits"),
    [
        ((), 0),
        ((box(b"pixi", bytes(4) + b"\3\x08\x08\x08"),), 8),
        ((box(b"pixi", bytes(4) + b"\1\x08"), box(b"pixi", bytes(4) + b"\3\x0a\x0a\x0a")), 10),
        ((box(b"pixi", bytes(4) + b"\3"),), 0),
        ((box(b"hvcC", bytes(17) + b"\xf8\xf8" + bytes(4)),), 8),
        ((box(b"hvcC", bytes(17) + b"\xfa\xfa" + bytes(4)),), 10),
        ((box(b"av1C", b"\x81\x20\x0c\0"),), 8),
        ((box(b"av1C", b"\x81\x20\x4c\0"),), 10),
        ((box(b"av1C", b"\x81\x20\x6c\0"),), 12),
    ],
)
def test_bits_of_heif_and_avif(properties: tuple[bytes, ...], bits: int) -> None:
    """By what is said of the pixels, or of how they are coded; Pillow drops what is beyond 8."""
    assert bits == container_format.heif_bits(container_format.Reader(heif_with(*properties)))


def test_ten_bits_of_heif() -> None:
    """As new cameras and phones store them."""
    file = io.BytesIO()
    pillow_heif.encode("RGB;16", (64, 48), noise(64 * 48 * 6), file, quality=90)
    assert kinds.DEEP == more(file.getvalue())


@pytest.mark.slow
@needs_shared_data("formats")
def test_real_samples() -> None:
    """Of HEIF and AVIF those with a depth map or 10 bits a sample."""
    found = set()
    paths = [path for path in (SHARED_DATA / "formats").iterdir() if path.suffix in (".heic", ".hif", ".avif")]
    for path in paths:
        with path.open("rb") as file:
            if decode.read_thumbnail(file, path.name, 10**9).more is not None:
                found.add(path.name)
    assert len(paths) > 10
    assert {"pug.heic", "cat.hif", "10bit-HDR-P3-nclx.avif"} == found


FILES = {
    "PSD": psd([3, 5]), "TIFF": tiff({330: (4, 8)}), "PNG": save(photo(), "PNG"), "WEBP": save(photo(), "WEBP"),
    "GIF": save(photo(), "GIF"), "BMP": save(photo(), "BMP"), "HEIF": save(photo(), "HEIF"), "PPM": ppm_of(8),
    "JPEG2000": save(photo(), "JPEG2000"), "MPO": mpo(PREVIEW, 0),
}  # fmt: skip


@pytest.mark.mostly_slow(fast=3)
@pytest.mark.parametrize("kind", FILES)
@given(st.data())
def test_broken_structures(kind: str, data: st.DataObject) -> None:
    """Whatever the bytes behind a header that could be read: an answer, and the file where it was."""
    content = bytearray(FILES[kind])
    with Image.open(io.BytesIO(content)) as image:
        for place, value in data.draw(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=8)):
            content[place % len(content)] = value
        file = io.BytesIO(content[: data.draw(st.integers(0, len(content)))])
        if kind == "MPO":
            shown = embedded.Shown(photo(), None, *SIZE)
            held = containers.more_in_jpeg(image, file, 5000, shown)  # type: ignore[arg-type]
        else:
            file.seek(7)
            held = containers.more(image, file)
            assert 7 == file.tell()
        assert held is None or held


def heif_list(version: int, kind: bytes) -> bytes:
    """The list of items of a HEIF, with one of this type."""
    number = (b"\0\1" if version == 2 else b"\0\0\0\1") + bytes(2)
    entry = box(b"infe", bytes([version, 0, 0, 0]) + number + kind + b"\0")
    count = bytes(4) + b"\0\1" if version == 2 else b"\1\0\0\0" + b"\0\0\0\1"
    return box(b"meta", bytes(4) + box(b"hdlr", bytes(20)) + box(b"iinf", count + entry))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(("kind", "expected"), [(b"tmap", "a gain map (HDR)"), (b"hvc1", None)])
def test_tone_mapped_pictures(version: int, kind: bytes, expected: str | None) -> None:
    """An item that puts a gain map on the picture (ISO 21496-1)."""
    image = Image.open(io.BytesIO(save(photo(), "HEIF")))
    assert expected == containers.more(image, io.BytesIO(heif_list(version, kind)))


CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
DESCRIPTIVE = "be7acfcb97a942e89c71999491e3afac", "33c7a4d2b81d4723a0baf1a3e097ad38"


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "JPEG2000"])
def test_boxes_that_are_named_by_a_number(kind: str) -> None:
    """Words about the picture, signed credentials, and anything else that is large."""
    plain = save(photo(), kind)
    place = 32 if kind == "JPEG2000" else len(plain)  # behind its two first boxes; its last reaches to the end
    head, rest = plain[:place], plain[place:]

    def with_box(identity: bytes, body: bytes) -> str | None:
        return more(head + box(b"uuid", identity + body) + rest)

    for identity in map(bytes.fromhex, DESCRIPTIVE):
        assert with_box(identity, b"words, " * 1300) is None
    assert "a depth map" == with_box(bytes.fromhex(DESCRIPTIVE[0]), b"<a GDepth:Near='1'/>")
    assert "content credentials (C2PA)" == with_box(CREDENTIALS, b"x" * 9000)
    assert "unknown data (uuid) (10 kB)" == with_box(bytes(16), b"x" * 9000 + b"y")


@pytest.mark.parametrize(("kind", "chunk_kind"), [("PNG", b"caBX"), ("WEBP", b"C2PA")])
def test_credentials_in_chunks(kind: str, chunk_kind: bytes) -> None:
    """Their signature is nowhere else."""
    content, body = save(photo(), kind), b"c2pa" * 2000
    if kind == "PNG":
        content = content[:33] + chunk(chunk_kind, body) + content[33:]
    else:
        unknown = chunk_kind + struct.pack("<I", len(body)) + body
        content = content[:4] + struct.pack("<I", len(content) - 8 + len(unknown)) + content[8:] + unknown
    assert "content credentials (C2PA)" == more(content)


@pytest.mark.parametrize(
    ("behind", "expected"),
    [(VIDEO, "a video"), (b"PK\x03\x04" + b"x" * 99, "an archive"), (save(photo(2), "JPEG"), "a second picture")],
)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "HEIF", "AVIF", "PPM"])
def test_what_is_behind_the_end(kind: str, behind: bytes, expected: str) -> None:
    """Told by what it is, whatever the format of the picture."""
    content = ppm_of(8) if kind == "PPM" else save(photo(), kind)
    assert expected == more(content + behind)


def test_a_second_picture_in_a_ppm() -> None:
    """The format allows any number of them, one behind the other."""
    assert more(ppm_of(8) + ppm_of(8)) is not None
    assert more(ppm_of(8)) is None


def test_channels_of_a_psd() -> None:
    """Saved selections and spot colours, which are not seen."""
    content = psd([])
    more_channels = content[:12] + struct.pack(">H", 5) + content[14:] + bytes(2 * SIZE[0] * SIZE[1])
    assert "further channels" == more(more_channels)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (b"jhgm", "a gain map (HDR)"), (b"jumb", "JUMBF data"), (b"abcd", "unknown data (abcd) (10 kB)"),
        (b"jbrd", None),
    ],
)  # fmt: skip
def test_boxes_of_jpeg_xl(kind: bytes, expected: str | None) -> None:
    """Of its container; a bare codestream has none."""
    image = Image.new("L", SIZE)
    start = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl ") + box(b"jxlc", b"\xff\x0a" + bytes(99))
    content = io.BytesIO(start + box(kind, b"x" * 9000 + b"y"))
    assert expected == containers.more_in_jxl(image, content, is_deep=False)
    assert kinds.DEEP == containers.more_in_jxl(image, io.BytesIO(b"\xff\x0a" + b"x" * 9999), is_deep=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"XMP DataXMP", None), (b"ICCRGBG1012", None), (b"C2PA_GIF\1\2\3", "content credentials (C2PA)"),
        (b"\0programXYZ", "unknown data (extension) (9 kB)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("count", [3, 40])
def test_extensions_of_a_gif(name: bytes, expected: str | None, count: int) -> None:
    """Of programs that are known, and of others, from 4 KiB on."""
    content = save(photo().quantize(64), "GIF")
    place = 13 + 3 * 64
    blocks = (b"\xdc" + b"words, " * 31 + b"abc") * count
    extension = b"\x21\xff\x0b" + name + blocks + b"\0"
    assert (expected if count > 3 else None) == more(content[:place] + extension + content[place:])
