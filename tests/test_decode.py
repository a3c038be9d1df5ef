"""Decoding: one picture gives one thumbnail whatever holds it, and no bytes do harm."""

from __future__ import annotations

import errno
import io
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from dupfind.errors import NotAPictureError, UndecodableError
from dupfind.evidence.fingerprint import check_hash, pixels
from dupfind.pictures import decode, exif, jpeg, jpeg_stream
from dupfind.values import CHROMA_SIDE, THUMBNAIL_SIDE, Thumbnail
from fixtures import pictures
from tests.helpers.places import SHARED_DATA, needs_shared_data
from tests.helpers.stamped import block

pillow_heif.register_heif_opener()
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF", "JPEG2000", "PPM", "DIB")
TRANSPOSED = dict(zip(range(2, 9), [Image.Transpose(number) for number in (0, 3, 1, 5, 2, 6, 4)], strict=True))
"""What a camera that writes this orientation did to the upright picture (6 and 8 the other way than to undo it)."""


def save(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of a file of this format."""
    file = io.BytesIO()
    image.save(file, kind, **{**pictures.QUICKLY.get(kind, {}), **options})
    return file.getvalue()


def read(content: bytes | Image.Image, name: str = "a.bin", max_pixels: int = 10**9) -> Thumbnail:
    """Its thumbnail; a picture is written as PNG, or as TIFF where that has no such mode."""
    if isinstance(content, Image.Image):
        content = save(content, "PNG" if content.mode in ("1", "L", "LA", "P", "RGB", "RGBA") else "TIFF")
    return decode.read_thumbnail(io.BytesIO(content), name, max_pixels)


@cache
def photo(seed: int = 1, size: tuple[int, int] = (480, 360)) -> Image.Image:
    """A picture, made once."""
    return pictures.photo(seed, size)


def apart(one: Thumbnail, other: Thumbnail) -> float:
    """Mean absolute difference of two thumbnails in grey levels, after both were spread over the whole range."""

    def spread(thumbnail: Thumbnail) -> np.ndarray[Any, Any]:
        values = pixels(thumbnail.pixels).astype(float)
        return (values - values.min()) * 255 / (np.ptp(values) or 1)

    return float(np.abs(spread(one) - spread(other)).mean())


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_thumbnail(kind: str) -> None:
    """One picture, eleven files, one thumbnail and one set of facts."""
    found = read(save(photo(), kind, **({"quality": 90} if kind in ("JPEG", "WEBP", "HEIF", "AVIF") else {})))
    assert apart(read(photo()), found) < (3 if kind == "GIF" else 1.5)
    assert (480, 360, kind, 1, None) == (found.width, found.height, found.format, found.frames, found.captured)
    assert (THUMBNAIL_SIDE**2, 2 * CHROMA_SIDE**2) == (len(found.pixels), len(found.chroma))


ORIENTABLE = [(kind, {}) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF")] + [
    ("TIFF", {"compression": "tiff_lzw"})
]


def held(upright: Image.Image, kind: str, options: dict[str, str], orientation: int) -> bytes:
    """The file of a camera that was held so: turned pixels, and a tag that says how to bring them ``upright``."""
    turned = TRANSPOSED.get(orientation)
    stored = upright if turned is None else upright.transpose(turned)
    if kind == "TIFF":
        return save(stored, kind, tiffinfo={0x0112: orientation}, **(options if turned else {}))
    return save(stored, kind, exif=pictures.exif(orientation), **options)


@pytest.mark.mostly_slow(fast=10)
@pytest.mark.parametrize("orientation", [*range(10), 65535])
@pytest.mark.parametrize(("kind", "options"), ORIENTABLE)
def test_every_orientation_comes_out_upright(kind: str, options: dict[str, str], orientation: int) -> None:
    """However the camera was held; 0, 9 and nonsense mean upright. The size is that of the upright picture."""
    upright = photo(2, (400, 200))
    content = held(upright, kind, options, orientation)
    found = read(content)
    assert (400, 200) == (found.width, found.height)
    assert apart(read(upright), found) < 2


MODES = ("1", "CMYK JPEG", "L", "P", "LA", "RGBA", "LAB", "CMYK", "YCbCr", "I;16", "I", "F", "P+", "I;16B")


def in_mode(image: Image.Image, mode: str) -> bytes:
    """A file that holds the picture in this mode."""
    grey = np.asarray(image.convert("L"))
    if mode == "CMYK JPEG":
        return save(image.convert("CMYK"), "JPEG", quality=90)
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        found = ImageCms.applyTransform(image.convert("RGB"), ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
        assert found is not None
        return save(found, "TIFF")
    if mode == "P+":
        return save(image.quantize(128), "PNG", transparency=127)
    if mode in ("I;16", "I;16B"):
        wide = Image.fromarray(grey.astype(np.uint16) * 257)
        return save(wide, "PNG") if mode == "I;16" else b"P5 %d %d 65535\n" % image.size + wide.tobytes("raw", "I;16B")
    if mode in ("I", "F"):
        return save(Image.fromarray(grey.astype(np.int32) << 23 if mode == "I" else grey / np.float32(255)), "TIFF")
    return save(image.convert(mode), "TIFF" if mode in ("CMYK", "YCbCr") else "PNG")


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_keeps_pictures_apart(mode: str) -> None:
    """No mode clips all pictures to one grey; the same picture in another mode stays the same."""
    found = [read(in_mode(photo(seed), mode)) for seed in (1, 2, 3)]
    assert 3 == len({thumbnail.pixels for thumbnail in found})
    for seed, thumbnail in zip((1, 2, 3), found, strict=True):
        assert apart(read(photo(seed)), thumbnail) < {"1": 9, "P+": 15}.get(mode, 3)  # "P+" has holes


def test_pictures_that_are_in_the_alpha_alone() -> None:
    """Logos and signatures: one colour everywhere, the drawing in the transparency."""
    found = set()
    for seed in (1, 2):
        for colour in (0, 255):
            image = Image.new("LA", (480, 360), colour)
            image.putalpha(photo(seed).convert("L"))
            found.add(read(image).pixels)
    assert 4 == len(found)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38])
def test_floats_that_are_no_numbers(value: float) -> None:
    """They neither fail nor warn nor, but for the largest numbers, wash the picture out."""
    found = []
    for seed in (1, 2):
        values = np.asarray(photo(seed).convert("L")).astype(np.float32) / 255
        values[:20, :20] = value
        found.append(read(Image.fromarray(values)).pixels)
    assert abs(value) == 3e38 or found[0] != found[1]


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (63, 65), (255, 257), (501, 333), (2, 20000), (1025, 3)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_odd_sizes(kind: str, size: tuple[int, int]) -> None:
    """Any size has a thumbnail and keeps its facts."""
    found = read(save(photo(3).resize(size), kind))
    assert (*size, THUMBNAIL_SIDE**2) == (found.width, found.height, len(found.pixels))


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("size", [(1001, 667), (1033, 777), (2047, 1531), (515, 389)])
@pytest.mark.parametrize("seed", [1, 4])
def test_a_smaller_copy_is_not_shifted(seed: int, size: tuple[int, int]) -> None:
    """The exact box: half of an odd-sized photo stays within 8 of 256 bits, PNG and progressive JPEG within 4."""
    large = photo(seed, (2048, 1536)).resize(size)
    whole = check_hash(pixels(read(save(large, "JPEG", quality=92)).pixels))
    half = large.resize((size[0] // 2, size[1] // 2), Image.Resampling.LANCZOS)
    assert (whole ^ check_hash(pixels(read(save(half, "JPEG", quality=92)).pixels))).bit_count() <= 8
    assert (whole ^ check_hash(pixels(read(large).pixels))).bit_count() <= 4
    assert (whole ^ check_hash(pixels(read(save(large, "JPEG", progressive=True)).pixels))).bit_count() <= 4


def png(width: int, height: int) -> bytes:
    """A PNG's header with nothing behind it."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT"


def test_too_large_is_seen_in_the_header() -> None:
    """3.6 billion pixels are refused before memory is asked for, not for ever: --max-pixels may be raised."""
    with pytest.raises(UndecodableError, match="3,600,000,000 pixels are more than --max-pixels allows") as caught:
        read(png(60000, 60000), max_pixels=1000)
    assert not caught.value.lasting
    content = save(photo().resize((20, 10)))
    assert read(content, max_pixels=200).width == 20
    with pytest.raises(UndecodableError):
        read(content, max_pixels=199)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["EPS", "PDF", "ICNS", "ICO", "TGA", "PCX", "SGI", "SPIDER", "MSP", "text"])
def test_formats_that_are_not_asked_for(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no pictures to us, and no other program is started for them."""
    monkeypatch.setattr(subprocess, "Popen", None)
    image = photo().convert({"SPIDER": "F", "MSP": "1"}.get(kind, "RGB")).resize((64, 64))
    with pytest.raises(NotAPictureError):
        read(b"Dear Josie,\n" * 99 if kind == "text" else save(image, kind), "a.jpg")


@pytest.mark.parametrize(
    ("kind", "frames"), [("GIF", 3), ("PNG", 3), ("WEBP", 3), ("TIFF", 3), ("AVIF", 3), ("MPO", 1)]
)
def test_frames_are_counted(kind: str, frames: int) -> None:
    """The first frame proves nothing of the rest; an MPO's others are previews."""
    more = [photo(seed, (64, 48)).copy() for seed in (2, 3)]
    found = read(save(photo(1, (64, 48)), kind, save_all=True, append_images=more))
    assert frames == found.frames
    assert apart(read(photo(1, (64, 48))), found) < 6


@pytest.mark.parametrize(
    "block", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_broken_exif_costs_the_facts_only(block: bytes) -> None:
    """The picture is decoded as it is stored."""
    found = read(save(photo(), "JPEG", exif=block))
    assert (480, 360, None) == (found.width, found.height, found.captured)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tags", "captured"),
    [
        ({}, None),
        ({0x9003: "2017:07:18 15:31:30"}, "2017:07:18 15:31:30"),
        ({0x9003: "2017:07:18 15:31:30\0", 0x9291: "25 "}, "2017:07:18 15:31:30.25"),
        ({0x9003: "2017:07:18 15:31:30", 0x9291: "25", 0x9011: "+02:00"}, "2017:07:18 15:31:30.25+02:00"),
        ({0x9003: "2017:07:18 15:31:30", 0x9291: "x", 0x9011: "   :  "}, "2017:07:18 15:31:30"),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({0x9003: "    :  :     :  :  "}, None),
        ({0x9003: "2017"}, None),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "HEIF", "PNG", "TIFF", "WEBP", "AVIF", "MPO"])
def test_capture_time(kind: str, tags: dict[int, str], captured: str | None) -> None:
    """With sub-seconds and offset where given; a blank one, as EXIF spells "unknown", costs nothing else."""
    exif = Image.Exif()
    exif.get_ifd(0x8769).update(tags)
    held = {"tiffinfo": {0x8769: tags} if tags else {}} if kind == "TIFF" else {"exif": exif.tobytes()}
    assert captured == read(save(photo(1, (64, 48)), kind, **held)).captured


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF"])
def test_a_failing_disk_is_not_the_picture_s_fault(kind: str) -> None:
    """An input error is not remembered for ever."""

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 2000:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    with pytest.raises(UndecodableError, match="Input/output error") as caught:
        decode.read_thumbnail(Failing(save(photo(), kind)), "a", 10**9)
    assert not caught.value.lasting


SMALL = {kind: save(photo(1, (40, 30)), kind) for kind in FORMATS}


@pytest.mark.slow
@settings(max_examples=250)
@given(
    st.sampled_from(FORMATS),
    st.integers(0, 99),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), max_size=4),
)
def test_hostile_bytes(kind: str, percent: int, flips: list[tuple[int, int]]) -> None:
    """Cut off and altered files give a thumbnail or one of the two errors, and no warning."""
    content = bytearray(SMALL[kind][: len(SMALL[kind]) * (percent + 1) // 100])
    for place, change in flips:
        content[place % max(1, len(content)) : place % max(1, len(content)) + 1] = bytes([change])
    with suppress(NotAPictureError, UndecodableError):
        read(bytes(content), max_pixels=10**6)


def test_what_a_jpeg_says_of_itself() -> None:
    """Quality, the length of the picture without what lies around it, and damage."""
    exif = b"Exif\0\0" + bytes(5000)
    content = save(photo(), "JPEG", quality=83)
    sound, tagged = read(content), read(save(photo(), "JPEG", quality=83, exif=exif) + b"trailer")
    assert (83, None) == (sound.quality, sound.damage)
    assert len(content) - 700 < sound.data_bytes < len(content)
    assert sound == tagged
    damaged = read(content[:-2000] + content[-1500:])
    assert "its JPEG data is damaged: premature end of data segment" == damaged.damage
    assert sound.data_bytes - 500 == damaged.data_bytes
    assert sound.pixels != damaged.pixels
    zeroed = read(save(Image.new("L", (4, 4)), "JPEG")[:-2] + bytes(64) + b"\xff\xd9")
    assert (zeroed.damage or "").startswith("its JPEG data is damaged: ")


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"JPEG"}))
def test_what_others_say_of_themselves(kind: str) -> None:
    """Their length is that of the file, and they have no quality."""
    content = save(photo(1, (64, 48)), kind)
    found = read(content)
    assert (None, len(content), None) == (found.quality, found.data_bytes, found.damage)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_two_hundred_megapixels(options: dict[str, bool], tmp_path: Path) -> None:
    """The largest that phones write are decoded by a process that never holds the whole picture."""
    path = tmp_path / "a.jpg"
    photo(1, (2040, 1530)).convert("L").resize((16320, 12240), Image.Resampling.NEAREST).save(path, **options)
    code = (
        "import resource, sys; from dupfind.pictures import decode; "
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; "
        "found = decode.read_thumbnail(open(sys.argv[1], 'rb'), 'a.jpg', 10**9); "
        "print(found.width, found.height, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True)
    width, height, grown_mib = map(int, done.stdout.split())
    assert (16320, 12240) == (width, height)
    assert grown_mib < (450 if options else 60)  # progressive: all coefficients, 2 bytes each


@pytest.mark.parametrize(
    ("behind", "has_more"), [(b"", False), (b"x" * 4096, False), (b"x" * 4097, True), (bytes(10000), False)]
)
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_video_behind_the_picture(behind: bytes, has_more: bool, options: dict[str, bool]) -> None:
    """More than what some phones write behind every photo, and no padding."""
    content = save(photo(), "JPEG", exif=b"Exif\0\0" + block({}, loose=b"\xff\xd9"), **options) + behind
    assert has_more == (read(content).more is not None)


@needs_shared_data("formats")
@pytest.mark.parametrize("name", ["frozenpond.mpo", "sugarshack.mpo"])
def test_the_other_eye_is_more_than_the_picture(name: str) -> None:
    """Stereo pairs say so in their index; an MPO whose second picture is a preview does not."""
    assert "another view (stereo)" == read((SHARED_DATA / "formats" / name).read_bytes()).more


@pytest.mark.mostly_slow(fast=1)
@needs_shared_data("hostile")
@pytest.mark.parametrize("folder", ["hostile", "formats"])
def test_real_files(folder: str) -> None:
    """What has crashed others, and what they could not read: a thumbnail or one of the two errors."""
    files = [path for path in sorted((SHARED_DATA / folder).rglob("*")) if path.is_file()]
    decoded = 0
    for path in files:
        with path.open("rb") as file, suppress(NotAPictureError, UndecodableError):
            decoded += len(decode.read_thumbnail(file, str(path), 5 * 10**6).pixels) == THUMBNAIL_SIDE**2
    assert decoded > (20 if folder == "formats" else 5)


@needs_shared_data("formats")
def test_layers_are_more_than_the_picture() -> None:
    """A PSD with layers says so, a flat picture does not."""
    path = SHARED_DATA / "formats" / "hopper.psd"
    assert "layers" == read(path.read_bytes()).more
    assert read(Image.new("RGB", (20, 10))).more is None


def whole(content: bytes | Image.Image, size: tuple[int, int], name: str = "a.bin", max_pixels: int = 10**9) -> Any:
    """The grey values of a picture at this size."""
    content = save(content, "TIFF") if isinstance(content, Image.Image) else content
    return decode.read_full_size(io.BytesIO(content), name, max_pixels, size).gray


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF", "JPEG2000", "JXL"])
def test_whole_pictures(kind: str) -> None:
    """Every pixel, as near as its codec keeps it; the file may stand anywhere."""
    image = photo(3, (320, 241))
    options = {"quality": 95} if kind in ("JPEG", "WEBP", "AVIF", "HEIF") else {}
    if kind == "JXL":
        pytest.importorskip("pillow_jxl")
    found = whole(save(image, kind, **options), (320, 241))
    assert ((241, 320), np.uint8) == (found.shape, found.dtype)
    expected = np.asarray(image.convert("L"), float)
    assert np.abs(found - expected).mean() < (6 if kind == "GIF" else 2.5)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_of_the_upright_picture_lies_in_the_stored_one(orientation: int) -> None:
    """Cut out and turned upright it shows what it shows."""
    stored = photo(3, (40, 24))
    upright = exif.upright(stored, orientation)
    box = (3, 5, 14, 20)
    cut = stored.crop(exif.stored_box(box, stored.size, orientation))
    assert exif.upright(cut, orientation).tobytes() == upright.crop(box).tobytes()


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
@pytest.mark.parametrize("size", [(300, 200), (500, 333)])
def test_a_kernel_is_picked_by_tiles_of_what_would_come_out(orientation: int, size: tuple[int, int]) -> None:
    """One tile of a small picture, six of others; the picture comes out by the kernel that was picked."""
    picked: list[decode.Tiles] = []
    width, height = (900, 600) if orientation < 5 else (600, 900)
    content = save(photo(3, (width, height)), "PNG", exif=pictures.exif(orientation))

    def read_by(way: decode.Way) -> decode.FullSize:
        def pick(tiles: decode.Tiles) -> decode.Way:
            picked.append(tiles)
            return way

        return decode.read_full_size(io.BytesIO(content), "a.png", 10**9, size, pick)

    for way in decode.WAYS:
        read = read_by(way)
        assert way is read.way
        tiles = picked[-1]
        assert (1 if size == (300, 200) else 6) == len(tiles.boxes)
        for (left, top, right, bottom), tile in zip(tiles.boxes, tiles.versions[way], strict=True):
            apart = np.abs(read.gray[top:bottom, left:right].astype(int) - tile)
            assert apart.mean() < 0.5 if way.in_light else apart.max() <= 1  # a tile is of gray, a picture of colours
    unlike = [read_by(way).gray for way in decode.WAYS]
    assert len({gray.tobytes() for gray in unlike}) == len(decode.WAYS)


@pytest.mark.parametrize(
    ("size", "smaller", "is_asked"),
    [((301, 200), (151, 100), True), ((301, 202), (101, 68), True), ((300, 200), (150, 100), False),
     ((301, 200), (150, 100), False), ((301, 200), (270, 179), False)],
)  # fmt: skip
def test_a_size_that_was_rounded_up(size: tuple[int, int], smaller: tuple[int, int], *, is_asked: bool) -> None:
    """Then each pixel may be the mean of 2 x 2 or 3 x 3, without the half pixel that others spread over the picture."""
    image, factor = photo(3, size).convert("L"), round(size[0] / smaller[0])
    way = decode.Way(Image.Resampling.BOX, by_whole=True)
    picked: list[decode.Tiles] = []

    def pick(tiles: decode.Tiles) -> decode.Way:
        picked.append(tiles)
        return way if is_asked else decode.WAYS[0]

    read = decode.read_full_size(io.BytesIO(save(image, "PNG")), "a.png", 10**9, smaller, pick)
    assert is_asked == (way in picked[0].versions)
    if is_asked:
        assert np.array_equal(read.gray, np.asarray(image.reduce(factor)))
        assert np.array_equal(picked[0].versions[way][0], read.gray)


@pytest.mark.parametrize(("size", "cell"), [((301, 200), 2), ((2048, 1024), 2), ((2049, 1024), 4)])
def test_a_value_of_colour_stands_for_few_pixels(size: tuple[int, int], cell: int) -> None:
    """For 4 x 4 of a large picture, whose figures are larger."""
    image = Image.new("RGB", size, (200, 90, 30))
    read = decode.read_full_size(io.BytesIO(save(image, "BMP")), "a.bmp", 10**9, size)
    assert read.color is not None
    assert (2, size[1] // cell, size[0] // cell) == read.color.shape


def _picked(way: decode.Way, _: decode.Tiles) -> decode.Way:
    return way


def test_colours_are_reduced_as_the_picture_is() -> None:
    """Every so many pixels have other colours than averages."""
    image = Image.fromarray(np.random.Generator(np.random.PCG64(1)).integers(0, 256, (80, 120, 3), np.uint8))
    file, reads = save(image, "PNG"), []
    for kernel in (Image.Resampling.NEAREST, Image.Resampling.LANCZOS):
        way = decode.Way(kernel)
        reads.append(decode.read_full_size(io.BytesIO(file), "a.png", 10**9, (60, 40), partial(_picked, way)))
    few = image.resize((60, 40), Image.Resampling.NEAREST)
    alone = decode.read_full_size(io.BytesIO(save(few, "PNG")), "a.png", 10**9, (60, 40))
    assert np.array_equal(reads[0].color, alone.color)
    assert not np.array_equal(reads[1].color, alone.color)


@pytest.mark.parametrize("orientation", [*range(10), 65535])
def test_an_upright_array_is_the_upright_picture(orientation: int) -> None:
    """Value by value, however it lies in the memory."""
    plane = Image.fromarray(np.arange(35, dtype=np.uint8).reshape(5, 7))
    expected = np.asarray(exif.upright(plane, orientation))
    assert expected.tolist() == exif.upright_array(plane, orientation).tolist()


def test_an_array_does_not_depend_on_how_pillow_pastes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Pillow that pastes into a copy gives the same array."""
    plane = pictures.photo(1, (40, 30)).convert("L")
    monkeypatch.setattr(Image.Image, "paste", lambda *_: None)
    assert np.array_equal(np.asarray(plane), exif.upright_array(plane, 1))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stays_while_the_next_is_decoded(mode: str, orientation: int) -> None:
    """Nothing of it lies in the memory that the next is decoded into."""
    files = []
    for number in range(2):
        exif_data = Image.Exif()
        exif_data[0x0112] = orientation
        files.append(save(pictures.photo(number, (64, 48)).convert(mode), "JPEG", exif=exif_data))
    size = (48, 64) if orientation >= 5 else (64, 48)
    reads = [decode.read_full_size(io.BytesIO(file), "a.jpg", 10**9, size) for file in files]
    for file, read in zip(files, reads, strict=True):
        jpeg._memory.pixels = None
        alone = decode.read_full_size(io.BytesIO(file), "a.jpg", 10**9, size)
        assert np.array_equal(alone.gray, read.gray)
        assert (alone.color is None) == (mode == "L")
        assert alone.color is None or np.array_equal(alone.color, read.color)


@pytest.mark.mostly_slow(fast=20)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "options"), ORIENTABLE)
def test_whole_pictures_come_out_upright(kind: str, options: dict[str, str], orientation: int) -> None:
    """The size that is asked for is that of the upright picture."""
    upright = photo(2, (200, 100))
    content = held(upright, kind, options, orientation)
    for size in ((200, 100), (100, 50)):
        found = whole(content, size)
        assert size == found.shape[::-1]
        expected = np.asarray(upright.convert("L").resize(size, Image.Resampling.LANCZOS), float)
        assert np.abs(found - expected).mean() < 3


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "I;16", "F", "RGBA", "LAB"])
def test_whole_pictures_of_every_mode(mode: str) -> None:
    """What a thumbnail is made of, at full size."""
    content = in_mode(photo(1, (320, 240)), mode)
    small = Image.fromarray(whole(content, (320, 240))).resize((64, 64), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(small, float) - pixels(read(content).pixels)).mean() < 1


def test_whole_pictures_are_refused_as_thumbnails_are() -> None:
    """By size before they are decoded, damaged, no picture, a disk that fails."""
    sound = save(photo(), "JPEG")
    with pytest.raises(UndecodableError, match="more than --max-pixels"):
        whole(sound, (480, 360), max_pixels=100)
    damaged = sound[:-400] + bytes(60) + sound[-340:]
    with pytest.raises(UndecodableError, match="its JPEG data is damaged"):
        whole(damaged, (480, 360))
    with pytest.raises(NotAPictureError):
        whole(b"text", (10, 10))
    with pytest.raises(UndecodableError, match="cannot be decoded"):
        whole(save(photo(), "PNG")[:3000], (480, 360))


def test_a_coarse_thumbnail_is_that_of_the_whole() -> None:
    """The same pixels within a level or two, upright, and the same facts as far as the beginning tells."""
    large = photo().resize((2560, 2048))
    content = save(large, "JPEG", progressive=True, exif=pictures.exif(6, "2020:01:02 03:04:05"))
    whole = decode.read_thumbnail(io.BytesIO(content), "a", 10**9)
    found = decode.read_thumbnail(io.BytesIO(content), "a", 10**9, may_be_coarse=True)
    assert (False, True) == (whole.is_coarse, found.is_coarse)
    levels = np.abs(pixels(whole.pixels).astype(int) - pixels(found.pixels))
    assert levels.max() <= 2
    for name in ("width", "height", "format", "frames", "captured", "quality", "damage", "more"):
        assert getattr(whole, name) == getattr(found, name)
    assert (2048, 2560) == (found.width, found.height)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_may_be_coarse_is_whole_where_that_is_no_slower(kind: str) -> None:
    """The same thumbnail as ever."""
    content = save(photo(), kind)
    found = decode.read_thumbnail(io.BytesIO(content), "a", 10**9, may_be_coarse=True)
    assert read(content) == found


@pytest.mark.parametrize("is_checked", [True, False])
def test_what_cannot_be_checked_is_doubtful(monkeypatch: pytest.MonkeyPatch, *, is_checked: bool) -> None:
    """A decoder that does not complain says nothing of damage: such a picture proves nothing, small or at full size."""
    content = save(photo(), "JPEG")
    real = jpeg.decode

    def decoded(*arguments: Any, **options: Any) -> jpeg.Decoded:
        return real(*arguments, **options)._replace(is_checked=is_checked)

    monkeypatch.setattr(jpeg, "decode", decoded)
    doubt = None if is_checked else "it is a JPEG of a rare kind, which cannot be checked for damage"
    assert doubt == read(content).damage
    if is_checked:
        decode.read_full_size(io.BytesIO(content), "a", 10**9, (48, 36))
    else:
        with pytest.raises(UndecodableError, match="cannot be checked"):
            decode.read_full_size(io.BytesIO(content), "a", 10**9, (48, 36))


def test_each_sign_of_damage_is_enough() -> None:
    """What the outline of a JPEG shows where the decoder is content, and what the decoder says where the outline is
    sound; whatever else is in order.
    """
    sound = save(photo(), "JPEG", quality=90)
    start = jpeg_stream.inspect(sound).scan_start
    place = (start + len(sound)) // 2
    for content, words in (
        (save(photo(), "JPEG", quality=90, progressive=True), None),
        (sound, None),
        (sound[:place] + bytes(64) + sound[place + 64 :], "a run of zeros within the picture"),
        (sound[:place] + sound[place + 300 : -2] + jpeg_stream.END, "premature end of data segment"),
        (_without_the_last_scan(), "the scans that refine it are missing"),
    ):
        found = read(content).damage
        assert found == (words and f"its JPEG data is damaged: {words}")


def _without_the_last_scan() -> bytes:
    content = save(photo(), "JPEG", quality=90, progressive=True)
    return content[: content.rindex(b"\xff\xda")] + jpeg_stream.END


@pytest.mark.parametrize(
    "name", ["pillow_version", "pillow_heif.__version__", "jpeg.version", "jxl.version", "raw.version"]
)
def test_every_decoder_counts_for_the_recipe(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of any of them makes other thumbnails."""
    before = decode.versions()
    monkeypatch.setattr(
        f"dupfind.pictures.decode.{name}", (lambda: "another") if name.endswith(".version") else "another"
    )
    assert before != decode.versions()
