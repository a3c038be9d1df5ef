"""A strip of a picture that went wrong: told of lamps that flicker and lost bits, not of what codecs and tones make."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dupfind.evidence import cells, color_cells, full_size, strips
from dupfind.evidence.full_size import COLOR_STRIP_BOUND, STRIP_BOUND, Facts
from dupfind.evidence.pixels import Pixels
from dupfind.evidence.strips import NOTHING, Strips
from dupfind.reasons import AT_FULL_SIZE, Reason
from dupfind.reasons import ReasonCode as Code
from tests.helpers.details import grainy
from tests.helpers.pictures_again import again

SIZE = 480, 360
ALL_ALONG = slice(None)


def pixels(image: Image.Image) -> Pixels:
    """What is compared of ``image``: its brightness, and its colour in cells of 2 x 2 pixels."""
    luma, *planes = image.convert("YCbCr").split()
    return Pixels(np.asarray(luma), np.stack([np.asarray(plane.reduce(2)) for plane in planes]))


def colourful(seed: int) -> Image.Image:
    """A photo whose colour has steps."""
    image = grainy(seed, SIZE)
    other = grainy(seed + 3, SIZE).convert("YCbCr").split()
    return Image.merge("YCbCr", (image.convert("L"), *other[1:])).convert("RGB")


def strips_of(needle: Image.Image, witness: Image.Image, *, turned: bool = False) -> Strips:
    """The worst strip of two pictures; ``turned`` has their columns lie in memory as rows do."""
    sides = [pixels(image) for image in (needle, witness)]
    if turned:
        sides = [Pixels(np.asfortranarray(side.gray), side.color) for side in sides]
    levels = cells.levels(*sides)
    gain, _, _ = cells.tone(levels)
    own, other = (color_cells.of_four_pixels(side) for side in sides)
    return strips.compare_strips(levels, gain, (own, other))


def lit(image: Image.Image, levels: NDArray[np.float64], tint: tuple[float, float, float] = (1, 1, 1)) -> Image.Image:
    """``image`` with so many levels more at each pixel."""
    changed = np.asarray(image, np.float64) + levels[..., None] * np.array(tint)
    return Image.fromarray(changed.round().clip(0, 255).astype(np.uint8))


def row_of_blocks(levels: float, columns: slice = ALL_ALONG, rows: slice = slice(240, 248)) -> NDArray[np.float64]:
    """So many levels in these rows and columns, and none elsewhere."""
    plane = np.zeros(SIZE[::-1])
    plane[rows, columns] = levels
    return plane


@pytest.mark.parametrize("turned", [False, True], ids=["as rows", "as columns"])
@pytest.mark.parametrize("columns", [ALL_ALONG, slice(120, None), slice(0, 240), slice(120, 240)])
def test_a_row_of_blocks(columns: slice, *, turned: bool) -> None:
    """Lighter by some levels, all along or in a part: how far is told, and where; however the picture lies."""
    image = grainy(5, SIZE)
    witness = again(lit(image, row_of_blocks(6, columns)), quality=92)
    found = strips_of(image, witness, turned=turned)
    assert STRIP_BOUND < found.light <= 6.5
    middle = (columns.start or 0) + (columns.stop or SIZE[0])
    assert found.light_where == pytest.approx((244 / SIZE[1], middle / 2 / SIZE[0]), abs=0.14)
    assert found.light_where[0] == pytest.approx(244 / SIZE[1], abs=0.02)


def test_a_column_of_blocks() -> None:
    """A photo that is turned has its rows stand upright."""
    image = grainy(5, SIZE)
    plane = np.zeros(SIZE[::-1])
    plane[:, 160:168] = -5
    found = strips_of(image, again(lit(image, plane), quality=92))
    assert found.light > STRIP_BOUND
    assert found.light_where[1] == pytest.approx(164 / SIZE[0], abs=0.02)


def test_another_tint() -> None:
    """A row of blocks that is as bright as before and of another colour: Cb, or Cr."""
    image = colourful(4)
    for tint in ((0.7, 0.0, -1.87), (1.4, -0.71, 0.0)):
        found = strips_of(image, again(lit(image, row_of_blocks(8), tint), quality=92, subsampling=0))
        assert found.color > COLOR_STRIP_BOUND
        assert found.color_where[0] == pytest.approx(244 / SIZE[1], abs=0.03)


def test_light_and_tint_in_two_places() -> None:
    """Each is told with its own place, whichever is more levels."""
    image = colourful(4)
    tinted = lit(image, row_of_blocks(8, rows=slice(64, 72)), (1.4, -0.71, 0.0))
    found = strips_of(image, again(lit(tinted, row_of_blocks(3)), quality=95, subsampling=0))
    assert found.color > found.light > STRIP_BOUND
    assert found.light_where[0] == pytest.approx(244 / SIZE[1], abs=0.03)
    assert found.color_where[0] == pytest.approx(68 / SIZE[1], abs=0.03)


def test_bands_of_a_lamp() -> None:
    """Lighter and darker by 3% in turn, five times from top to bottom."""
    image = grainy(5, SIZE)
    down = np.arange(SIZE[1])[:, None] / SIZE[1]
    bands = np.asarray(image.convert("L"), np.float64) * 0.03 * np.sin(2 * np.pi * 5 * down)
    assert strips_of(image, again(lit(image, bands), quality=92)).light > STRIP_BOUND


@pytest.mark.parametrize(("kind", "quality"), [("JPEG", 45), ("JPEG", 75), ("JPEG", 95), ("WEBP", 70), ("AVIF", 70)])
def test_copies(kind: str, quality: int) -> None:
    """What a codec leaves cancels out along a strip, in either direction."""
    for image in (grainy(5, SIZE), colourful(4)):
        copy = again(image, kind, quality=quality)
        for found in (strips_of(image, copy), strips_of(copy, image)):
            assert found.light < 0.7 * STRIP_BOUND
            assert found.color < 0.8 * COLOR_STRIP_BOUND


def test_tone_is_no_strip() -> None:
    """A slope from dark to light whose darks were lifted: strips differ by what all places as bright differ by."""
    slope = Image.linear_gradient("L").resize(SIZE).convert("RGB")
    lifted = slope.point([min(255, level + round(5 * (1 - level / 255))) for level in range(256)] * 3)
    assert strips_of(slope, lifted).light < 0.5 * STRIP_BOUND


def test_the_lines_of_a_table_are_no_strip() -> None:
    """A codec smears a line from end to end in the same way."""
    page = Image.new("RGB", SIZE, (250, 245, 220))
    pen = ImageDraw.Draw(page)
    for y in range(20, SIZE[1], 37):
        pen.line((0, y, SIZE[0], y), (200, 30, 30), 2)
    for x in range(15, SIZE[0], 61):
        pen.line((x, 0, x, SIZE[1]), (200, 30, 30), 2)
    found = strips_of(again(page, quality=60), page)
    assert found.light < 0.5 * STRIP_BOUND
    assert found.color < 0.85 * COLOR_STRIP_BOUND


def test_noise_is_no_strip() -> None:
    """Of many runs along strips of noise the worst differs by chance, and not by what is told of it."""
    source = np.random.default_rng(3)
    first, second = (
        Image.fromarray(source.normal(128, 12, (*SIZE[::-1], 3)).clip(0, 255).astype(np.uint8)) for _ in range(2)
    )
    assert strips_of(first, second).light < 0.3


def test_the_outermost_strips_are_left_out() -> None:
    """A program that reduces makes the first and the last rows otherwise."""
    image = grainy(5, SIZE)
    for rows in (slice(0, 8), slice(352, 360)):
        assert strips_of(image, lit(image, row_of_blocks(6, rows=rows))).light < STRIP_BOUND


def test_too_little_to_ask_for() -> None:
    """A small picture, one of one tone, one without colour, and one whose side is not that of a cell."""
    small = grainy(5, (180, 150))
    assert strips_of(small, small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).light == 0
    flat = Image.new("RGB", SIZE, (90, 120, 150))
    assert strips_of(flat, flat) == NOTHING
    gray = pixels(grainy(5, SIZE))._replace(color=None)
    levels = cells.levels(gray, gray)
    assert strips.compare_strips(levels, 1.0, (None, None)) == NOTHING


@pytest.mark.parametrize(
    ("levels", "tint", "code"), [(4, (1, 1, 1), Code.PLACE), (5, (0.7, 0.0, -1.87), Code.COLOR)], ids=["light", "tint"]
)
def test_verdict(levels: float, tint: tuple[float, float, float], code: Code) -> None:
    """Beside a coarse needle, where nothing else tells: what went wrong is named with its place. The copy passes."""
    image = colourful(4)
    needle, facts = again(image, quality=50), Facts(quality=50)
    assert full_size.compare(pixels(needle), pixels(again(image, quality=92)), facts) is None
    changed = lit(image, row_of_blocks(levels, slice(240, None)), tint)
    measures = full_size.measure(pixels(needle), pixels(again(changed, quality=92)))
    assert full_size.judge(measures._replace(strips=NOTHING), facts) is None
    assert full_size.judge(measures, facts) == Reason(code, (AT_FULL_SIZE, "near the bottom right"))
