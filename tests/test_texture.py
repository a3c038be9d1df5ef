"""Texture: detail and text against slow loops over the same definition, and on pages and photos."""

from __future__ import annotations

import io
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dupfind.evidence import evidence, facts
from dupfind.pictures import decode
from dupfind.pictures.texture import TEXTURE_SIDE, Grey, detail, text
from dupfind.values import Thumbnail
from fixtures import documents, pictures


def grey_of(image: Image.Image) -> Grey:
    """The picture at the size that is measured."""
    return np.asarray(image.convert("L").resize((TEXTURE_SIDE, TEXTURE_SIDE), Image.Resampling.BOX))


def slow_detail(grey: Grey) -> float:
    """Block by block: what four pixels differ from their mean, squared and averaged."""
    total = 0.0
    values = grey.tolist()
    for down in range(0, TEXTURE_SIDE, 2):
        for right in range(0, TEXTURE_SIDE, 2):
            four = [values[down + row][right + column] for row in (0, 1) for column in (0, 1)]
            mean = sum(four) / 4
            total += sum((one - mean) ** 2 for one in four)
    return math.sqrt(total / TEXTURE_SIDE**2)


def is_marked(tile: list[list[int]], crossings: int) -> bool:
    """Whether a tile is fine marks on an even ground: dark ones on light, or light ones on dark."""
    levels = sorted(level for row in tile for level in row)

    def at(share: float) -> int:
        return levels[int(share * (len(levels) - 1))]

    dark, light = at(0.8) - at(0.03), at(0.97) - at(0.2)
    if at(0.95) - at(0.6) <= 5 and dark >= 18:
        border = at(0.8) - max(9, dark // 3)
        if borders([[level < border for level in row] for row in tile]) >= crossings:
            return True
    border = at(0.2) + max(9, light // 3)
    is_light = [[level > border for level in row] for row in tile]
    return at(0.4) - at(0.05) <= 5 and light >= 18 and borders(is_light) >= crossings


def borders(marks: list[list[bool]]) -> int:
    """How often the marks begin or end, along the rows and along the columns."""
    lines = [*marks, *(list(column) for column in zip(*marks, strict=True))]
    return sum(one != other for line in lines for one, other in itertools.pairwise(line))


def slow_text(grey: Grey) -> float:
    """Tile by tile: of large ones the share that is marked, of small ones half the share of those that show a thing."""
    values = grey.tolist()

    def cut(side: int) -> list[list[list[int]]]:
        corners = range(0, TEXTURE_SIDE, side)
        return [
            [row[right : right + side] for row in values[down : down + side]] for down in corners for right in corners
        ]

    large, small = cut(16), cut(8)
    shown = sum(max(map(max, tile)) - min(map(min, tile)) > 4 for tile in small) / len(small)
    of_large = sum(is_marked(tile, 40) for tile in large) / len(large)
    of_small = sum(is_marked(tile, 7) for tile in small) / len(small)
    return max(of_large, of_small / max(0.2, shown) / 2)


def written(seed: int) -> Grey:
    """An uneven ground, and strokes of all sizes on a part of it or all over, dark or light."""
    dice = np.random.default_rng(seed)
    ground, unevenness = int(dice.integers(60, 195)), int(dice.integers(0, 5))
    values = ground + dice.integers(-unevenness, unevenness + 1, (TEXTURE_SIDE, TEXTURE_SIDE))
    right = int(dice.choice((60, 160, TEXTURE_SIDE)))
    values[:, right:] = ground
    depth = int(dice.choice((-1, 1))) * int(dice.integers(14, 60))
    longest = int(dice.integers(2, 9))
    for _ in range(int(dice.integers(1, 24000 // longest**2))):
        row, column = dice.integers(0, TEXTURE_SIDE), dice.integers(0, right)
        height, width = dice.integers(1, longest, 2)
        values[row : row + height, column : column + width] = ground + depth
    return values.clip(0, 255).astype(np.uint8)


noise = st.integers(0, 999).map(lambda seed: np.random.default_rng(seed).integers(0, 256, (256, 256), np.uint8))
pages = st.integers(0, 9999).map(written)


@pytest.mark.slow
@settings(max_examples=12)
@given(noise | pages)
def test_detail_is_what_four_pixels_differ(grey: Grey) -> None:
    """Against the loop over the blocks."""
    assert slow_detail(grey) == pytest.approx(detail(grey), rel=1e-4)


@pytest.mark.mostly_slow(fast=5)
@pytest.mark.parametrize("seed", range(16))
def test_text_is_counted_tile_by_tile(seed: int) -> None:
    """Against the loop over the tiles."""
    assert slow_text(written(seed)) == pytest.approx(text(written(seed)), abs=1e-9)


def test_the_loop_has_something_to_count() -> None:
    """The pages of the test above are neither all text nor none."""
    found = [text(written(seed)) for seed in range(16)]
    assert 3 < sum(0 < share < 0.5 for share in found)


def test_nothing_shows_neither() -> None:
    """A blank page has no detail and no text."""
    assert (0.0, 0.0) == (detail(np.full((256, 256), 250, np.uint8)), text(np.full((256, 256), 250, np.uint8)))


def test_detail_of_a_chequered_pattern() -> None:
    """Every pixel lies 10 levels from the mean of its block; what is as coarse as the blocks is no detail."""
    down, across = np.indices((256, 256))
    fine, coarse = (np.where((down // side + across // side) % 2, 110, 90).astype(np.uint8) for side in (1, 2))
    assert (10.0, 0.0) == (detail(fine), detail(coarse))


def through_decode(image: Image.Image, **options: object) -> Thumbnail:
    """The thumbnail of the picture as a file."""
    file = io.BytesIO()
    image.save(file, **{"format": "PNG", **options})
    file.seek(0)
    return decode.read_thumbnail(file, "a", 10**9)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "text, black on white",
        "text, light on dark",
        "text on a coloured ground",
        "text, dense",
        "receipt",
        "one form, filled differently",
        "chat, light",
        "chat, dark",
    ],
)
def test_pages_are_text(kind: str) -> None:
    """Every class of made-up pages and screens is above the bound, as a JPEG too."""
    page = documents.CLASSES[kind](4)
    assert through_decode(page, format="JPEG", quality=80).text > evidence.TEXT_BOUND


@pytest.mark.parametrize("seed", range(8))
def test_photos_are_no_text(seed: int) -> None:
    """Made-up photos, with windows and grain, stay below."""
    assert through_decode(pictures.photo(seed), format="JPEG", quality=80).text < evidence.TEXT_BOUND


@pytest.mark.slow
@pytest.mark.parametrize("reduced", [(80, 60), (40, 30)])
def test_an_enlarged_copy_has_less_detail(reduced: tuple[int, int]) -> None:
    """The thumbnail is nearly the same, the detail is not."""
    image = pictures.photo(3)
    enlarged = image.resize(reduced, Image.Resampling.LANCZOS).resize(image.size, Image.Resampling.BICUBIC)
    whole, left = (through_decode(one).detail + facts.DETAIL_FLOOR for one in (image, enlarged))
    assert whole > facts.DETAIL_BOUND * left
