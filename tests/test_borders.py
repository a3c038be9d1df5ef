"""Borders: frames of every shape are found, pictures without one are left alone, and what is inside is the photo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from dupfind.evidence.fingerprint import check_hash, pixels, search_hash, turn
from dupfind.pictures import borders
from dupfind.values import ORIENTATIONS
from fixtures import pictures
from tests.helpers.frames import SIZE, Colour, Sides, framed, photo, read

SIDE = 256
Grey = NDArray[np.uint8]


def shares(frame: bytes | None) -> Sides | None:
    """What a packed frame says: left, top, right and bottom as shares of the whole."""
    if frame is None:
        return None
    numbers = np.frombuffer(frame, ">u2") / 65536
    left, top, right, bottom = numbers.tolist()
    return left, top, right, bottom


def whole(sides: Sides) -> Sides:
    """Shares of the picture as shares of the picture with its frame."""
    width, height = 1 + sides[0] + sides[2], 1 + sides[1] + sides[3]
    return sides[0] / width, sides[1] / height, sides[2] / width, sides[3] / height


def noise(seed: int) -> Grey:
    """A picture that is flat nowhere."""
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE), np.uint8)


def coarse(values: Grey) -> NDArray[np.float64]:
    """Means of 4 x 4 pixels."""
    return np.asarray(values.reshape(16, 4, 16, 4).mean((1, 3)))


ALL_AROUND = (0.05, 0.05, 0.05, 0.05)
FRAMES = {
    "1%": (0.01, 0.01, 0.01, 0.01),
    "2%": (0.02, 0.02, 0.02, 0.02),
    "5%": ALL_AROUND,
    "instant print": (0.06, 0.07, 0.06, 0.25),
    "letterbox": (0.0, 0.15, 0.0, 0.15),
    "pillarbox": (0.2, 0.0, 0.2, 0.0),
    "uneven": (0.02, 0.04, 0.07, 0.03),
}


@pytest.mark.mostly_slow(fast=7)
@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("seed", [1, 3, 4])
def test_a_frame_is_as_wide_as_it_is(name: str, seed: int) -> None:
    """On each side, to one of the 256 pixels, and none is found where there is none."""
    expected = whole(FRAMES[name])
    found = shares(read(framed(photo(seed), FRAMES[name])).border)
    assert found is not None
    assert expected == pytest.approx(found, abs=1.01 / SIDE)
    assert [share == 0 for share in expected] == [share == 0 for share in found]


@pytest.mark.mostly_slow(fast=5)
@pytest.mark.parametrize("colour", ["white", "black", (128, 128, 128), (60, 20, 140), (200, 180, 30)])
@pytest.mark.parametrize("quality", [None, 90, 50])
def test_a_frame_in_any_shade(colour: Colour, quality: int | None) -> None:
    """White and black, grey and coloured, with what JPEG leaves around the edges of the picture."""
    expected = whole(ALL_AROUND)
    for seed in (1, 2, 4):
        found = shares(read(framed(photo(seed), ALL_AROUND, colour), quality).border)
        assert found is not None
        assert expected == pytest.approx(found, abs=2.01 / SIDE)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("quality", [None, 50])
def test_a_photo_has_no_frame(seed: int, quality: int | None) -> None:
    """Skies, seas, tables, walls."""
    assert read(photo(seed), quality).border is None


def scene(*, upper: int, lower: int) -> Image.Image:
    """Two even halves, the lower one rough."""
    image = Image.new("L", SIZE, upper)
    ground = Image.effect_noise((SIZE[0], SIZE[1] // 2), 60)
    ground = Image.blend(ground, Image.new("L", ground.size, lower), 0.5)
    image.paste(ground, (0, SIZE[1] // 2))
    return image


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(scene(upper=190, lower=70), id="an even sky over land"),
        pytest.param(scene(upper=250, lower=20), id="snow with a dark foreground"),
        pytest.param(scene(upper=250, lower=20).rotate(180), id="a dark sky over snow"),
        pytest.param(scene(upper=250, lower=20).transpose(Image.Transpose.ROTATE_90), id="a wall on one side"),
    ],
)
def test_one_even_side_is_no_frame(image: Image.Image) -> None:
    """It takes two that lie opposite each other."""
    assert read(image).border is None


def test_two_even_sides_in_two_shades_are_no_frame() -> None:
    """A clear sky above a calm lake."""
    values = noise(1)
    values[:40], values[-40:] = 200, 120
    assert borders.find(values) is None
    values[-40:] = 196
    assert (0, 40 / SIDE, 0, 40 / SIDE) == shares(borders.find(values))


def test_neighbouring_sides_alone_are_no_frame() -> None:
    """The corner of a page."""
    values = noise(2)
    values[:40], values[:, :30] = 255, 255
    assert borders.find(values) is None


def test_what_slowly_changes_is_no_frame_to_the_end() -> None:
    """A sky that grows lighter is left as soon as it is another shade than at the edge."""
    values = noise(3)
    for row in range(60):
        values[row], values[-1 - row] = 100 + row, 100 + row
    assert (0, 6 / SIDE, 0, 6 / SIDE) == shares(borders.find(values))


def test_a_line_that_is_not_even_ends_the_frame() -> None:
    """A date in the margin, a scratch across it."""
    values = noise(4)
    values[:50], values[-50:] = 255, 255
    values[20, 100] = 242
    assert (0, 20 / SIDE, 0, 50 / SIDE) == shares(borders.find(values))
    values[20, 100] = 243  # no more than codecs leave
    assert (0, 50 / SIDE, 0, 50 / SIDE) == shares(borders.find(values))


def product() -> Image.Image:
    """A thing on white."""
    image = Image.new("RGB", SIZE, "white")
    image.paste(photo(5).resize((300, 220)), (170, 130))
    ImageDraw.Draw(image).ellipse((250, 60, 390, 420), (140, 40, 30))
    return image


def test_the_white_around_a_thing_is_harmless() -> None:
    """It counts as a frame; what is inside it still is a picture of that thing, nearer."""
    thumbnail = read(product())
    assert thumbnail.border is not None
    box = (170, 60, 470, 420)
    nearer = pixels(read(product().crop(box)).pixels).astype(int)
    inside = borders.inner(pixels(thumbnail.pixels), thumbnail.border)
    assert 40 < inside.std()
    assert 12 > np.abs(inside - nearer).mean()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_stays_blank(level: int) -> None:
    """Nothing is left of the middle of nothing, and nothing fails."""
    values = np.full((SIDE, SIDE), level, np.uint8)
    frame = borders.find(values)
    assert frame is not None
    assert np.array_equal(values[:64, :64], borders.inner(values[:64, :64], frame))


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("quality", [None, 50])
def test_the_inner_picture_is_the_photo(name: str, quality: int | None) -> None:
    """Within a few grey levels of the photo's own thumbnail, 4 x 4 pixels at a time, and within few bits of its hashes.

    What the frame took of the 64 pixels is missing in sharpness, so single pixels differ by more.
    """
    for seed in (1, 4):
        own = pixels(read(photo(seed)).pixels)
        thumbnail = read(framed(photo(seed), FRAMES[name]), quality)
        assert thumbnail.border is not None
        seen = pixels(thumbnail.pixels)
        found = borders.inner(seen, thumbnail.border)
        assert ((64, 64), "uint8") == (found.shape, found.dtype.name)
        assert 4 > np.abs(coarse(found) - coarse(own)).mean()
        assert np.abs(coarse(found) - coarse(own)).mean() < 0.5 * np.abs(coarse(seen) - coarse(own)).mean()
        assert 4 >= (search_hash(found, "phash") ^ search_hash(own, "phash")).bit_count()
        assert 24 >= (check_hash(found) ^ check_hash(own)).bit_count()


@pytest.mark.parametrize("orientation", range(2, 9))
def test_the_frame_is_found_upright(orientation: int) -> None:
    """A picture that EXIF turns has its frame where the person who looks at it sees it."""
    upright = framed(photo(1), FRAMES["instant print"])
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    stored = upright.transpose(Image.Transpose(back))
    options = {"exif": pictures.exif(orientation)}
    assert read(upright, 95).border == read(upright, 95, exif=pictures.exif(1)).border
    expected, found = shares(read(upright, 95).border), shares(read(stored, 95, **options).border)
    assert found is not None
    assert expected == pytest.approx(found, abs=1.01 / SIDE)
    assert found[3] > 2 * found[1]


widths = st.integers(0, 80)


@given(st.integers(0, 999), widths, widths, widths, widths, st.sampled_from([0, 7, 128, 255]))
@example(0, 1, 1, 1, 1, 0)
@example(1, 80, 80, 80, 80, 255)
@example(2, 0, 9, 4, 9, 128)
@example(3, 0, 0, 0, 0, 0)
def test_any_frame(seed: int, left: int, top: int, right: int, bottom: int, shade: int) -> None:
    """Of opposite sides both or none, each exactly as wide as it is, and packed without loss."""
    values = noise(seed)
    inner = (slice(top, SIDE - bottom), slice(left, SIDE - right))
    bordered = np.full_like(values, shade)
    bordered[inner] = values[inner]
    expected = [left, top, right, bottom]
    for one, other in ((0, 2), (1, 3)):
        if not (expected[one] and expected[other]):
            expected[one] = expected[other] = 0
    found = shares(borders.find(bordered))
    assert (tuple(width / SIDE for width in expected) if any(expected) else None) == found


@given(st.integers(0, 999), st.integers(1, ORIENTATIONS - 1))
def test_a_turned_picture_has_its_frame_turned(seed: int, orientation: int) -> None:
    """The inner picture of a turned one is the inner picture, turned."""
    values = noise(seed)
    dice = np.random.default_rng(seed)
    top, bottom, left, right = dice.integers(1, 80, 4).tolist()
    values[:top], values[-bottom:], values[:, :left], values[:, -right:] = 9, 9, 9, 9
    small = dice.integers(0, 256, (64, 64), np.uint8)
    frame = borders.find(values)
    turned = borders.find(np.ascontiguousarray(turn(values, orientation)))
    assert frame is not None
    assert turned is not None
    one = turn(borders.inner(small, frame), orientation).astype(int)
    other = borders.inner(np.ascontiguousarray(turn(small, orientation)), turned)
    assert 1 >= np.abs(one - other).max()


@pytest.mark.parametrize("share", [0, 1 / 64, 16 / 64])
def test_what_is_cut_is_enlarged_as_pillow_does(share: float) -> None:
    """Against the library that does the same in another way; no frame at all leaves the picture as it is."""
    frame = np.array([share, share / 2, share, share / 2]) * 65536
    small = pixels(read(photo(6)).pixels)
    found = borders.inner(small, frame.astype(">u2").tobytes())
    box = (share * 64, share * 32, 64 - share * 64, 64 - share * 32)
    expected = Image.fromarray(small).resize((64, 64), Image.Resampling.LANCZOS, box=box)
    difference = ImageChops.difference(Image.fromarray(found), expected)
    assert 6 >= np.asarray(difference)[4:-4, 4:-4].max()
    assert share or not difference.getbbox()
