"""Modes: different pictures stay different whatever holds their values, and copies stay copies."""

from __future__ import annotations

import io
import itertools
import struct
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from dupfind.evidence import evidence
from dupfind.evidence.fingerprint import check_hash, pixels, search_hashes, turn
from dupfind.pictures import color_modes, decode
from dupfind.values import NEUTRAL_CHROMA, Evidence, Thumbnail
from fixtures import icc, pictures

SEEDS = (1, 2, 3, 4)
SIZE = (480, 360)


@cache
def photo(seed: int, size: tuple[int, int]) -> Image.Image:
    """A picture, made once; not to be altered."""
    return pictures.photo(seed, size)


def save(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of a file of this format."""
    file = io.BytesIO()
    image.save(file, kind, **{**pictures.QUICKLY.get(kind, {}), **options})
    return file.getvalue()


def read(content: bytes) -> Thumbnail:
    """Its thumbnail."""
    return decode.read_thumbnail(io.BytesIO(content), "a.bin", 10**9)


def judged(needle: Thumbnail, witness: Thumbnail) -> Evidence | None:
    """What the second proves of the first."""
    return evidence.judge(evidence.prepare(needle), evidence.prepare(witness)).evidence


def grey(seed: int) -> Any:
    """The grey values of a photo as an array."""
    return np.asarray(photo(seed, SIZE).convert("L"))


def srgb_to_lab(image: Image.Image) -> Image.Image:
    """The picture in CIE L*a*b*."""
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    found = ImageCms.applyTransform(image, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    assert found is not None
    return found


def cmyk(image: Image.Image, transform: int | None) -> bytes:
    """A CMYK JPEG: inverted as Adobe's (0), in YCCK (2), or without Adobe's mark and so not inverted (None)."""
    content = save(image.convert("CMYK"), "JPEG", quality=95)
    mark = content.index(b"\xff\xee\0\x0eAdobe")
    if transform is None:
        return content[:mark] + content[mark + 16 :]
    return content[: mark + 15] + bytes([transform]) + content[mark + 16 :]


def png_16_bit_colour(image: Image.Image) -> bytes:
    """A PNG of 16 bits a channel, which Pillow reads and does not write."""
    import zlib

    wide = np.asarray(image).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in wide)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", image.width, image.height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def alpha_only(image: Image.Image, colour: int) -> Image.Image:
    """One colour everywhere, the drawing in the transparency."""
    found = Image.new("LA", image.size, colour)
    found.putalpha(image.convert("L"))
    return found


def twelve_bits(values: Any) -> bytes:
    """A TIFF that says that its samples have 12 bits, packed."""
    wide = values.astype(np.uint16) * 16 + values // 16
    first, second = wide[:, ::2], wide[:, 1::2]
    packed = np.stack((first >> 4, (first & 15) << 4 | second >> 8, second & 255), -1).astype(np.uint8).tobytes()
    tags = [(256, 3, values.shape[1]), (257, 3, values.shape[0]), (258, 3, 12), (259, 3, 1), (262, 3, 1)]
    tags += [(273, 4, 134), (277, 3, 1), (278, 3, values.shape[0]), (279, 4, len(packed))]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return (b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + table + bytes(4)).ljust(134, b"\0") + packed


MODES = {
    "1": lambda image: save(image.convert("1")),
    "2 bits": lambda image: save(image.quantize(4), bits=2),
    "4 bits": lambda image: save(image.quantize(16), bits=4),
    "palette": lambda image: save(image.quantize(64)),
    "palette, transparent": lambda image: save(image.quantize(64), transparency=3),
    "palette, alpha": lambda image: save(image.convert("RGBA").quantize(64)),
    "grey, transparent": lambda image: save(image.convert("L"), transparency=7),
    "LA": lambda image: save(image.convert("LA")),
    "RGBA": lambda image: save(image.convert("RGBA")),
    "black by alpha": lambda image: save(alpha_only(image, 0)),
    "grey by alpha": lambda image: save(alpha_only(image, 128)),
    "white by alpha": lambda image: save(alpha_only(image, 255)),
    "PNG, 16 bits": lambda image: save(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)),
    "PNG, 16 bits, colour": png_16_bit_colour,
    "TIFF, 16 bits": lambda image: save(
        Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257), "TIFF"
    ),
    "TIFF, 12 bits": lambda image: twelve_bits(np.asarray(image.convert("L"))),
    "TIFF, 32 bits": lambda image: save(Image.fromarray(np.asarray(image.convert("L")).astype(np.int32) << 23), "TIFF"),
    "float": lambda image: save(Image.fromarray(np.asarray(image.convert("L")) / np.float32(255)), "TIFF"),
    "float to 255": lambda image: save(Image.fromarray(np.asarray(image.convert("L")).astype(np.float32)), "TIFF"),
    "float, signed": lambda image: save(Image.fromarray(np.asarray(image.convert("L")) - np.float32(100)), "TIFF"),
    "LAB": lambda image: save(srgb_to_lab(image), "TIFF"),
    "YCbCr": lambda image: save(image.convert("YCbCr"), "TIFF"),
    "CMYK": lambda image: save(image.convert("CMYK"), "TIFF"),
    "CMYK, Adobe's": lambda image: cmyk(image, 0),
    "CMYK, plain": lambda image: cmyk(image, None),
    "YCCK": lambda image: cmyk(image, 2),
}


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("make", MODES.values(), ids=MODES)
def test_different_pictures_have_different_hashes(make: Any) -> None:
    """Every two of four, by far, whatever holds them; and so are they from an even picture in the same mode."""
    images = [photo(seed, SIZE) for seed in SEEDS]
    found = [read(make(image)) for image in [*images, Image.new("RGB", SIZE, (200, 200, 200))]]
    for one, other in itertools.combinations(found, 2):
        assert (check_hash(pixels(one.pixels)) ^ check_hash(pixels(other.pixels))).bit_count() > 60
        assert search_hashes(pixels(one.pixels), "phash", 1) != search_hashes(pixels(other.pixels), "phash", 1)


FAITHFUL = sorted(
    set(MODES) - {"1", "2 bits", "4 bits", "palette", "palette, transparent", "palette, alpha", "float, signed"}
    - {"black by alpha", "grey by alpha", "white by alpha", "CMYK, plain", "YCCK", "grey, transparent"}
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mode", FAITHFUL)
def test_a_copy_in_another_mode_is_the_same(mode: str) -> None:
    """Those that lose nothing that can be seen: the grey ones prove the grey picture, and so do finer samples."""
    image = photo(1, SIZE)
    found = read(MODES[mode](image))
    expected = read(save(image if found.chroma != NEUTRAL_CHROMA else image.convert("L")))
    assert Evidence.SAME is judged(expected, found)


def test_colours_of_lab() -> None:
    """They are those of the picture, not dropped."""
    colours = np.frombuffer(read(save(srgb_to_lab(Image.new("RGB", SIZE, (200, 40, 40))), "TIFF")).chroma, np.uint8)
    expected = np.frombuffer(read(save(Image.new("RGB", SIZE, (200, 40, 40)))).chroma, np.uint8)
    assert np.abs(colours.astype(int) - expected).max() <= 2
    assert np.abs(expected.astype(int) - 128).max() > 60


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_exposures_are_not_each_other(seed: int) -> None:
    """16-bit pictures shorter by powers of two: they resemble each other, and none is called the same."""
    values = grey(seed).astype(np.uint16) * 257
    found = [read(save(Image.fromarray(values >> stops))) for stops in (0, 2, 4, 6, 8)]
    assert len(found) == len({thumbnail.pixels for thumbnail in found})
    for needle, witness in itertools.permutations(found, 2):
        assert Evidence.SIMILAR is judged(needle, witness)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_few_bits_in_a_wide_container(bits: int) -> None:
    """A sensor's 12 bits in 16 that say nothing of it: found as a copy of its 8-bit copy, and proved by bytes only."""
    values = grey(2).astype(np.uint16)
    narrow = Image.fromarray(values << (bits - 8) | values >> (16 - bits))
    found, copy = read(save(narrow, "TIFF")), read(save(Image.fromarray(values.astype(np.uint8))))
    assert Evidence.SIMILAR is judged(found, copy) is judged(copy, found)
    assert found.pixels == read(save(narrow, "PNG")).pixels
    assert Evidence.SIMILAR is judged(found, read(save(narrow, "PNG")))


@pytest.mark.parametrize("high", [0, 1, 255, 4095, 65535, 2**31 - 1, -5])
def test_flat_pictures_of_many_bits(high: int) -> None:
    """Any value, alone, is a grey level and no warning."""
    found = color_modes.to_working_mode(Image.fromarray(np.full((4, 4), high, np.int32)))
    assert 0 <= float(np.asarray(found).min()) == float(np.asarray(found).max()) <= 1


@pytest.mark.parametrize("colour", [0, 90, 128, 170, 255])
def test_transparency_is_not_a_flat_background(colour: int) -> None:
    """A drawing on nothing, and the same laid over black, grey or white: what was transparent is seen as lost."""
    drawing = alpha_only(photo(3, SIZE).convert("L").point(lambda value: 255 * (value > 120)), colour)
    found = read(save(drawing))
    assert found.pixels != read(save(alpha_only(photo(4, SIZE), colour))).pixels
    for background in (0, 128, 255):
        flat = Image.alpha_composite(Image.new("RGBA", SIZE, (background,) * 3 + (255,)), drawing.convert("RGBA"))
        assert Evidence.SAME is not judged(found, read(save(flat.convert("RGB"))))


def test_transparent_copies_are_the_same() -> None:
    """A photo with a soft transparent border, as PNG and as WebP."""
    image = photo(1, SIZE).copy()
    image.putalpha(Image.radial_gradient("L").resize(SIZE).point(lambda value: min(255, 2 * (255 - value))))
    found = read(save(image)), read(save(image, "WEBP", lossless=True)), read(save(image, "TIFF"))
    assert Evidence.SAME is judged(found[0], found[1]) is judged(found[1], found[2])


def test_what_is_wholly_transparent_is_invisible() -> None:
    """Colours under full transparency do not count."""
    one, other = (Image.new("RGBA", SIZE, (level, level, level, 0)) for level in (10, 240))
    assert read(save(one)).pixels == read(save(other)).pixels


def test_other_colour_spaces_are_left_as_they_are() -> None:
    """An ICC profile is not applied: values decide, and a converted copy differs in colour rather than being missed."""
    image = photo(1, SIZE)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain, tagged = read(save(image)), read(save(image, icc_profile=profile))
    assert plain.pixels == tagged.pixels


def test_tiff_of_half_the_bits() -> None:
    """What a file declares counts only where its values keep to it."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    image = Image.fromarray(grey(1).astype(np.uint16) * 257)
    image.tag_v2 = tags  # type: ignore[attr-defined]
    tags[258] = (12,)
    found = np.asarray(color_modes.to_working_mode(image))
    assert 0 <= found.min() <= found.max() <= 1


@pytest.mark.parametrize("mode", ["L", "RGB", "YCbCr"])
@pytest.mark.parametrize("box", [(0, 0, 599.125, 449.5), (0, 0, 599.5, 450), (0, 0, 600, 449.125)])
def test_what_lies_beyond_the_picture_does_not_count(mode: str, box: color_modes.Box) -> None:
    """A decoder that reduces fills the last column and row from beyond: whatever is there, the planes are the same."""
    image = photo(2, (600, 450)).convert(mode)
    spoilt = image.copy()
    if box[2] < 600:
        spoilt.paste(0, (599, 0, 600, 450))
    if box[3] < 450:
        spoilt.paste(0, (0, 449, 600, 450))
    one, other = (color_modes.shrink(picture.copy(), box) for picture in (image, spoilt))
    assert one.grey.tobytes() == other.grey.tobytes()
    assert [plane.tobytes() for plane in one.colour] == [plane.tobytes() for plane in other.colour]
    assert color_modes.texture_plane(one, 1).tolist() == color_modes.texture_plane(other, 1).tolist()


@pytest.mark.parametrize("size", [(1000, 700), (256, 256), (255, 400), (90, 60)])
def test_texture_is_measured_at_one_size(size: tuple[int, int]) -> None:
    """Averages of large pictures, smooth enlargements of small ones."""
    image = photo(2, (1000, 700)).convert("L").resize(size)
    resampling = Image.Resampling.BOX if min(size) >= 256 else Image.Resampling.BICUBIC
    factors = max(1, size[0] // 512), max(1, size[1] // 512)
    expected = np.asarray(image.reduce(factors).resize((256, 256), resampling))
    assert expected.tolist() == color_modes.texture_plane(color_modes.shrink(image), 1).tolist()


def test_texture_is_that_of_the_picture_alone() -> None:
    """What lies right of its box belongs to no picture."""
    image = photo(2, (400, 300)).convert("L")
    wider = Image.new("L", (480, 300), 255)
    wider.paste(image)
    found = color_modes.texture_plane(color_modes.shrink(wider, (0, 0, 400, 300)), 1)
    assert color_modes.texture_plane(color_modes.shrink(image), 1).tolist() == found.tolist()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_texture_is_measured_upright(orientation: int) -> None:
    """Turned as EXIF says, for what lies left and what above is not the same."""
    shrunk = color_modes.shrink(photo(2, (400, 300)).convert("L"))
    stored = color_modes.texture_plane(shrunk, 1)
    assert turn(stored, orientation - 1).tolist() == color_modes.texture_plane(shrunk, orientation).tolist()


INKS = np.array([(0, 0.35, 0.6), (0.6, 0.05, 0.3), (0.8, 0.7, 0.1), (0.2, 0.2, 0.2)])
"""How much of red, green and blue paper that is all cyan, magenta, yellow or black gives back."""


def printed(amounts: np.ndarray) -> Image.Image:
    """What inks of these amounts, shape (..., 4) from 0 to 1, look like on paper, in sRGB."""
    seen = np.prod(1 - amounts[..., None] * (1 - INKS), axis=-2)
    return Image.fromarray(np.rint(seen * 255).astype(np.uint8))


def ink_profile() -> bytes:
    """An ICC profile of version 2 (ICC.1:2001-04, 6.5.8) of these inks: L*a*b* on a grid of 9 steps of each ink."""
    steps = np.linspace(0, 1, 9)
    grid = np.stack(np.meshgrid(steps, steps, steps, steps, indexing="ij"), axis=-1).reshape(81, 81, 4)
    lab = np.asarray(srgb_to_lab(printed(grid))) ^ np.array([0, 128, 128], np.uint8)  # Pillow's a* and b* have signs
    even = bytes(range(256))
    unit = struct.pack(">9i", *(65536 if place % 4 == 0 else 0 for place in range(9)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 9, 0]) + unit + even * 4 + lab.tobytes() + even * 3
    tags = {b"desc": icc.name(b"inks"), b"wtpt": icc.point(icc.WHITE), b"A2B0": table}
    return icc.profile(b"prtr", b"CMYK", b"Lab ", tags)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_are_seen_through_their_profile(kind: str) -> None:
    """A picture that was prepared for print is the picture that it looks like, both ways; without one it is not."""
    inks = photo(1, SIZE).convert("CMYK")
    original = read(save(printed(np.asarray(inks) / 255)))
    with_profile = read(save(inks, kind, icc_profile=ink_profile(), quality=95))
    without = read(save(inks, kind, quality=95))
    apart, far = (
        np.abs(pixels(original.pixels).astype(int) - pixels(found.pixels)).mean() for found in (with_profile, without)
    )
    assert (apart < 2, far > 15) == (True, True)
    assert [Evidence.SAME, Evidence.SAME] == [judged(original, with_profile), judged(with_profile, original)]
    assert Evidence.SAME not in (judged(original, without), judged(without, original))


@pytest.mark.parametrize("profile", [b"broken", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()])
def test_a_profile_of_no_inks(profile: bytes) -> None:
    """Is as none at all."""
    inks = photo(1, SIZE).convert("CMYK")
    assert read(save(inks, "JPEG")).pixels == read(save(inks, "JPEG", icc_profile=profile)).pixels


def test_light_is_averaged() -> None:
    """Half of the light of white looks like 188, and even ground stays what it is, in every band."""
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[::2, :, 0] = 255
    half = color_modes.reduced_in_light(Image.fromarray(stripes), (4, 4), Image.Resampling.BOX)
    assert {(188, 0, 0)} == set(half.get_flattened_data())
    for level in (0, 1, 10, 11, 128, 254, 255):
        even = Image.new("L", (8, 8), level)
        assert color_modes.reduced_in_light(even, (4, 4), Image.Resampling.LANCZOS).getextrema() == (level, level)
    deep = Image.fromarray(np.full((8, 8), 0.5, np.float32))
    assert color_modes.reduced_in_light(deep, (4, 4), Image.Resampling.BOX).getextrema() == (128, 128)


@pytest.mark.parametrize("cell", [2, 4])
@pytest.mark.parametrize("size", [(48, 36), (49, 36), (48, 37), (51, 39), (5, 3), (3, 2), (1, 1)])
def test_colour_is_that_of_averages(size: tuple[int, int], cell: int) -> None:
    """However sides are cut into cells: sooner is not otherwise."""
    image = photo(1, SIZE).crop((100, 100, 100 + size[0], 100 + size[1]))
    whole = max(1, size[0] // cell), max(1, size[1] // cell)
    slow = image.resize(whole, Image.Resampling.BOX).convert("YCbCr").split()[1:]
    for plane, expected in zip(color_modes.color(image, size, cell), slow, strict=True):
        assert plane.size == whole
        assert np.abs(np.asarray(plane, int) - np.asarray(expected, int)).max() <= 1


def test_a_convolution_is_a_sum_of_neighbours() -> None:
    """As plain loops make it, down and across; what has no two neighbours on every side stays."""
    source = np.random.Generator(np.random.PCG64(3))
    levels = source.integers(40, 200, (9, 11), np.uint8)
    weights = source.uniform(-0.1, 0.1, (5, 5))
    weights[2, 2] += 1 - weights.sum()
    expected = levels.astype(float)
    for down, across in np.ndindex(5, 7):
        expected[down + 2, across + 2] = (levels[down : down + 5, across : across + 5] * weights).sum()
    assert np.abs(color_modes.convolved(levels, weights) - expected).max() <= 0.51
