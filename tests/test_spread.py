"""What differs by little and over large parts: told of light and of lenses, not of what codecs and programs make."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.smooth_kinds import color_moved, remapped
from dupfind.evidence import cells, color_cells, full_size, spread
from dupfind.evidence.full_size import MOST_SPREAD, MOST_SPREAD_OF_SCALED, Facts
from dupfind.evidence.pixels import Pixels
from dupfind.evidence.spread import NOTHING, Spread
from dupfind.reasons import AT_FULL_SIZE, Reason
from dupfind.reasons import ReasonCode as Code
from tests.helpers.details import grainy
from tests.helpers.pictures_again import again

Plane = NDArray[np.float32]
SIZE = 480, 360


def pixels(image: Image.Image) -> Pixels:
    """What is compared of ``image``: its brightness, and its colour in cells of 2 x 2 pixels."""
    luma, *planes = image.convert("YCbCr").split()
    color = np.stack([np.asarray(plane.reduce(2)) for plane in planes])
    return Pixels(np.asarray(luma), color)


def spread_of(needle: Image.Image, witness: Image.Image, *, turned: bool = False) -> Spread:
    """What is spread over two pictures; ``turned`` has their columns lie in memory as rows do."""
    sides = [pixels(image) for image in (needle, witness)]
    if turned:
        sides = [Pixels(np.asfortranarray(side.gray), side.color) for side in sides]
    levels = cells.levels(*sides)
    gain, _, _ = cells.tone(levels)
    own, other = (color_cells.of_four_pixels(side) for side in sides)
    return spread.compare_spread(levels, gain, (own, other))


def places() -> tuple[Plane, Plane]:
    """How far each pixel lies from the middle, down and right, in halves of the longer side."""
    down, right = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    return (down - SIZE[1] / 2) / (SIZE[0] / 2), (right - SIZE[0] / 2) / (SIZE[0] / 2)


def lit(image: Image.Image, levels: Plane, tint: tuple[float, float, float] = (1, 1, 1)) -> Image.Image:
    """``image`` with so many levels more at each pixel."""
    changed = np.asarray(image, np.float32) + levels[..., None] * np.array(tint, np.float32)
    return Image.fromarray(changed.round().clip(0, 255).astype(np.uint8))


def soft_spot(levels: float) -> Plane:
    """A spot of a third of the width."""
    down, right = places()
    return np.asarray(levels * np.exp(-((down - 0.2) ** 2 + (right + 0.3) ** 2) / 0.1), np.float32)


def drawn(image: Image.Image, way: Callable[[Plane, Plane], tuple[Plane | float, Plane | float]]) -> Image.Image:
    """``image`` with each pixel taken from elsewhere: ``way`` gives how far, in halves of the longer side."""
    down, right = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    by_down, by_right = way(*places())
    half = np.float32(SIZE[0] / 2)
    return remapped(image, np.asarray(down + half * by_down), np.asarray(right + half * by_right))


WAYS: dict[str, Callable[[Plane, Plane], tuple[Plane | float, Plane | float]]] = {
    "turned": lambda down, right: (0.0017 * right, -0.0017 * down),
    "sheared": lambda down, right: (0.0, 0.002 * down),
    "lens": lambda down, right: (0.003 * down * (down**2 + right**2), 0.003 * right * (down**2 + right**2)),
    "keystone": lambda down, right: (0.003 * down * down, 0.003 * down * right),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_drawn_otherwise(way: Callable[[Plane, Plane], tuple[Plane | float, Plane | float]]) -> None:
    """By less than a pixel at the corners, saved well; however the picture lies."""
    image = grainy(5, SIZE)
    witness = again(drawn(image, way), quality=92)
    expected = np.hypot(*(np.broadcast_to(part, SIZE[::-1]) for part in way(*places()))) * SIZE[0] / 2
    assert MOST_SPREAD.drawn < spread_of(image, witness).drawn < 1.3 * math.sqrt(float((expected**2).mean()))
    turned = [side.transpose(Image.Transpose.TRANSPOSE) for side in (image, witness)]
    assert spread_of(turned[0], turned[1], turned=True).drawn > MOST_SPREAD.drawn


@pytest.mark.parametrize("pixels_moved", [0.3, 0.6])
def test_moved_as_a_whole(pixels_moved: float) -> None:
    """By a part of a pixel: nothing is drawn otherwise, and how far it was moved is told."""
    image = grainy(5, SIZE)
    part = np.float32(pixels_moved * 2 / SIZE[0])
    found = spread_of(image, again(drawn(image, lambda down, right: (0.0, part)), quality=92))
    assert found.moved == pytest.approx(pixels_moved, rel=0.25)
    assert found.drawn < MOST_SPREAD.drawn


def test_other_light() -> None:
    """A soft spot of three levels, a gradient of as many, a ghost of another picture at 3%; in gray too."""
    image = grainy(5, SIZE)
    _, right = places()
    ghost = Image.blend(image, grainy(8, SIZE), 0.03)
    for changed in (lit(image, soft_spot(3)), lit(image, soft_spot(-3)), lit(image, 3 * right), ghost):
        witness = again(changed, quality=92)
        assert spread_of(image, witness).light > MOST_SPREAD.light
        assert spread_of(image.convert("L"), witness.convert("L")).light > MOST_SPREAD.light


def test_stripes_of_light() -> None:
    """A level up and down: no part stands out, and all of them differ."""
    image = grainy(5, SIZE)
    _, right = places()
    stripes = np.asarray(np.sign(np.sin(2 * np.pi * right + 0.3)), np.float32)
    assert spread_of(image, lit(image, stripes)).light > MOST_SPREAD.light


def test_a_tone_curve_is_no_other_light() -> None:
    """What all places of one brightness have in common is asked for by the tone."""
    image = grainy(5, SIZE)
    curve = [round(level + 3 * math.sin(level / 255 * 2 * math.pi)) for level in range(256)]
    assert spread_of(image, image.point(curve * 3)).light < MOST_SPREAD.light


def test_a_small_soft_spot() -> None:
    """Of one part of 64 alone: the mean of all parts does not tell of it."""
    image = grainy(5, SIZE)
    down, right = places()
    spot = 4 * np.exp(-((down - 0.1) ** 2 + (right - 0.1) ** 2) / 0.008)
    found = spread_of(image, lit(image, np.asarray(spot, np.float32)))
    assert found.light > MOST_SPREAD.light


def test_coloured_light() -> None:
    """A yellow and a red spot that are as bright as what was there."""
    image = grainy(5, SIZE)
    for tint in ((0.7, 0.0, -1.87), (1.0, -0.51, 0.0)):
        found = spread_of(image, again(lit(image, soft_spot(5), tint), quality=92))
        assert found.color_light > MOST_SPREAD.color_light
        assert found.light < MOST_SPREAD.light


def colourful(seed: int) -> Image.Image:
    """A photo whose colour has steps."""
    image = grainy(seed, SIZE)
    other = grainy(seed + 3, SIZE).convert("YCbCr").split()
    return Image.merge("YCbCr", (image.convert("L"), *other[1:])).convert("RGB")


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_colour_moved(degrees: int, subsampling: int) -> None:
    """By 1.5 pixels and more, whether files keep colour whole or halved; where colour lies within a cell of it is a
    convention.
    """
    image = colourful(4)
    needle = again(image, quality=92, subsampling=subsampling)
    for way, is_seen in ((1.5, True), (2.0, True), (0.5, False), (0.0, False)):
        moved = color_moved(image, way, degrees) if way else image
        assert moved is not None
        found = spread_of(needle, again(moved, quality=92, subsampling=subsampling))
        assert (found.color_moved > MOST_SPREAD.color_moved) is is_seen
        assert found.color_moved == pytest.approx(
            way, rel=0.4, abs=0.1
        )  # steps between cells of 8 pixels are not straight


@pytest.mark.parametrize(("kind", "quality"), [("JPEG", 75), ("JPEG", 90), ("WEBP", 80), ("AVIF", 70)])
def test_copies(kind: str, quality: int) -> None:
    """What a codec leaves cancels out, in either direction."""
    for image in (grainy(5, SIZE), colourful(4)):
        copy = again(image, kind, quality=quality)
        for found in (spread_of(image, copy), spread_of(copy, image)):
            assert all(value < 0.8 * most for value, most in zip(found, MOST_SPREAD, strict=True))


@pytest.mark.parametrize("kernel", [Image.Resampling.LANCZOS, Image.Resampling.BOX, Image.Resampling.BICUBIC])
def test_reduced_by_two_programs(kernel: Image.Resampling) -> None:
    """Kernels move every edge a little, and none of them bends the picture."""
    image = grainy(5, (960, 720))
    ours, theirs = image.resize(SIZE, kernel), image.resize(SIZE, Image.Resampling.HAMMING)
    found = spread_of(again(ours, quality=85), theirs)
    assert all(value < most for value, most in zip(found[:4], MOST_SPREAD_OF_SCALED[:4], strict=True))


def test_too_little_to_ask_for() -> None:
    """A tiny picture, one of one tone, and one whose colour is the same everywhere."""
    image = grainy(5, (40, 30))
    assert spread_of(image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == NOTHING
    flat = Image.new("RGB", SIZE, (90, 120, 150))
    assert spread_of(flat, flat) == NOTHING
    tinted = Image.new("RGB", SIZE, (92, 120, 150))
    assert max(spread_of(flat, tinted)) == 0
    gray = grainy(5, SIZE).convert("L")
    assert spread_of(gray.convert("RGB"), again(gray.convert("RGB"), quality=80)).color_moved == 0


def test_a_large_picture_is_sampled() -> None:
    """In rows that are spread evenly: what is found is the same."""
    image = grainy(5, SIZE)
    witness = drawn(lit(image, soft_spot(4)), WAYS["turned"])
    small = spread_of(image, witness)
    large = spread_of(*(side.resize((1920, 1440), Image.Resampling.BICUBIC) for side in (image, witness)))
    assert large.light == pytest.approx(small.light, rel=0.2)
    assert large.drawn == pytest.approx(4 * small.drawn, rel=0.2)


COPY = Facts(quality=92)
PARTS: list[tuple[str, float, Reason]] = [
    ("light", MOST_SPREAD.light, Reason(Code.BRIGHTNESS, (AT_FULL_SIZE,))),
    ("color_light", MOST_SPREAD.color_light, Reason(Code.COLOR, (AT_FULL_SIZE, "all over"))),
    ("color_moved", MOST_SPREAD.color_moved, Reason(Code.COLOR, (AT_FULL_SIZE, "all over"))),
    ("drawn", MOST_SPREAD.drawn, Reason(Code.SHIFTED)),
    ("moved", MOST_SPREAD.moved, Reason(Code.SHIFTED)),
]


@pytest.mark.parametrize(("name", "bound", "reason"), PARTS, ids=[part[0] for part in PARTS])
def test_each_part_refuses(name: str, bound: float, reason: Reason) -> None:
    """A hair beyond the bound, and not a hair below it."""
    image = grainy(5, SIZE)
    measures = full_size.measure(pixels(image), pixels(again(image, quality=92)))
    judged = partial(full_size.judge, facts=COPY)
    assert judged(measures) is None
    assert judged(measures._replace(spread=NOTHING._replace(**{name: 1.01 * bound}))) == reason
    assert judged(measures._replace(spread=NOTHING._replace(**{name: 0.99 * bound}))) is None


def test_bounds_depend_on_the_needle() -> None:
    """A poor needle has noise of its own; what moves all of a picture is asked for at one size only."""
    image = grainy(5, SIZE)
    measures = full_size.measure(pixels(image), pixels(again(image, quality=92)))
    moved = measures._replace(spread=NOTHING._replace(moved=1.0))
    assert full_size.judge(moved, Facts(quality=92, scale=1.5)) is None
    dim = measures._replace(spread=NOTHING._replace(light=0.45))
    for facts, is_refused in (
        (Facts(), True),
        (Facts(bits=2.0), True),
        (Facts(quality=70), False),
        (Facts(quality=50), False),
        (Facts(quality=92, scale=1.5), False),
        (Facts(has_palette=True), False),
    ):
        assert (full_size.judge(dim, facts) is not None) is is_refused


def test_a_pair_is_refused() -> None:
    """From pixels to the reason."""
    image = grainy(5, SIZE)
    needle = pixels(image)
    _, right = places()
    for changed, code in (
        (lit(image, 2 * right), Code.BRIGHTNESS),
        (lit(image, 3 * right, (0.7, 0.0, -1.87)), Code.COLOR),
        (drawn(image, lambda down, right: (0.001 * down * down, 0.001 * down * right)), Code.SHIFTED),
    ):
        reason = full_size.compare(needle, pixels(again(changed, quality=95)), Facts(quality=95))
        assert reason is not None
        assert reason.code is code


def test_siblings_may_have_their_colour_further_apart() -> None:
    """Two programs reduced one original to nearly one size, and its halved colour each in its own way."""
    of_siblings, of_reduced = (full_size.Facts(quality=75, scale=scale).most_spread for scale in (1.02, 1.2))
    assert of_siblings.color_moved > of_reduced.color_moved
    assert of_siblings._replace(color_moved=of_reduced.color_moved) == of_reduced
