"""The comparison at full size: copies pass, a small change and lost detail do not."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from dupfind.evidence import scrutiny
from fixtures import pictures
from tests.conftest import SHARED_DATA, needs_shared_data

Pixels = NDArray[np.uint8]

DIFFERS, LESS = "at full size something differs", "the haystack's copy shows less detail at full size"


def grainy(seed: int, size: tuple[int, int] = (960, 720)) -> Image.Image:
    """A photo with detail of the size of its pixels."""
    grain = np.random.Generator(np.random.PCG64(seed)).integers(-14, 15, (size[1], size[0], 1))
    smooth = np.asarray(pictures.photo(seed, size), np.int16)
    return Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> Image.Image:
    """``image`` as it comes out of a file of this kind."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return Image.open(file)


def grey(image: Image.Image) -> Pixels:
    """The pixels that are compared."""
    return np.asarray(image.convert("L"))


def enlarged(image: Image.Image, factor: int) -> Image.Image:
    """A preview of ``image``, at the full size again."""
    small = image.resize((image.width // factor, image.height // factor), Image.Resampling.LANCZOS)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def with_letters(image: Image.Image, place: tuple[int, int], side: int) -> Image.Image:
    """``image`` with a little square in other greys at ``place``."""
    changed = image.copy()
    x, y = place
    around = int(np.asarray(image.convert("L").crop((x, y, x + side, y + side))).mean())
    changed.paste((250, 250, 250) if around < 128 else (10, 10, 10), (x, y, x + side, y + side))
    return changed


COPIES: dict[str, tuple[str, dict[str, Any]]] = {
    "q95": ("JPEG", {"quality": 95}),
    "q75": ("JPEG", {"quality": 75}),
    "q50": ("JPEG", {"quality": 50}),
    "webp": ("WEBP", {"quality": 80}),
    "progressive": ("JPEG", {"quality": 85, "progressive": True}),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("kind", "options"), COPIES.values(), ids=COPIES)
def test_copies_pass(seed: int, kind: str, options: dict[str, Any]) -> None:
    """A needle that was encoded again from the witness."""
    image = pictures.photo(seed, (640, 480))
    assert scrutiny.doubt(grey(encoded(image, kind, **options)), grey(image)) is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_copy_that_was_made_lighter_passes(seed: int) -> None:
    """One tone curve is no difference; what the thumbnails allow of it is their business."""
    image = grey(grainy(seed))
    lighter = (image * 0.9 + 12).astype(np.uint8)
    assert scrutiny.doubt(lighter, image) is None
    assert scrutiny.doubt(image, lighter) is None


@pytest.mark.parametrize("place", [(40, 30), (480, 340), (900, 690)])
@pytest.mark.parametrize("quality", [95, 75])
def test_a_small_change_is_seen_and_its_place_named(place: tuple[int, int], quality: int) -> None:
    """A 20,000th of the area; the words for the place are those of the thumbnail's."""
    image = grainy(4)
    witness = encoded(with_letters(image, place, 6), quality=quality)
    names = {(40, 30): "near the top left", (480, 340): "near the centre", (900, 690): "near the bottom right"}
    assert f"{DIFFERS} {names[place]}" == scrutiny.doubt(grey(image), grey(witness))


def test_every_cell_is_looked_at() -> None:
    """Strips and blocks leave nothing out, up to the last pairs of rows and columns, also of odd sizes."""
    image = grainy(5, (601, 531))
    for x, y in ((0, 0), (590, 0), (0, 520), (592, 522), (300, 252), (300, 508)):
        doubt = scrutiny.doubt(grey(image), grey(with_letters(image, (x, y), 8)))
        assert doubt is not None
        assert doubt.startswith(DIFFERS), (x, y)


def test_lost_detail_is_seen() -> None:
    """A preview at full size again, and blur; not the other way round, where the needle is the poorer one."""
    image = grainy(6)
    for poor in (enlarged(image, 2), enlarged(image, 4), image.filter(ImageFilter.GaussianBlur(1))):
        doubt = scrutiny.doubt(grey(image), grey(encoded(poor, quality=95)))
        assert doubt is not None
        assert doubt.startswith(LESS)


@pytest.mark.parametrize("side", [2, 4])
def test_lost_detail_of_each_size_is_seen(side: int) -> None:
    """Where the finest detail is kept and coarser detail is not, as a sharpened enlargement has it."""
    image = grainy(7)
    small = image.resize((960 // side, 720 // side), Image.Resampling.BOX)
    coarse = small.filter(ImageFilter.GaussianBlur(2)).resize(image.size, Image.Resampling.NEAREST)
    kept = np.asarray(image, np.int16) - np.asarray(small.resize(image.size, Image.Resampling.NEAREST))
    witness = Image.fromarray((np.asarray(coarse, np.int16) + kept).clip(0, 255).astype(np.uint8))
    found = scrutiny.compare(grey(image), grey(witness))
    assert found.details[1] > scrutiny.DETAIL_BOUNDS[1]
    assert found.details[side] < scrutiny.DETAIL_BOUNDS[side]


def test_even_ground_is_the_measure_of_what_lies_on_it() -> None:
    """A letter on a wall has the contrast of the hedge beside it, and is not measured by what a codec did there."""
    values = np.full((400, 600), 128, np.int16)
    values[:, 300:] += np.random.Generator(np.random.PCG64(1)).integers(-60, 61, (400, 300))
    image = Image.fromarray(values.astype(np.uint8))
    needle, letter = encoded(image, quality=90), image.copy()
    letter.paste(123, (100, 200, 104, 204))
    assert scrutiny.doubt(grey(needle), grey(image)) is None
    assert f"{DIFFERS} near the left edge" == scrutiny.doubt(grey(needle), grey(letter))
    assert f"{DIFFERS} near the left edge" == scrutiny.doubt(grey(encoded(letter, quality=90)), grey(image))


def test_a_wide_faint_change_is_seen() -> None:
    """What does not stand out in any cell does so in a mean of many."""
    image = pictures.photo(8, (640, 480))
    values = np.asarray(image, np.int16).copy()
    values[300:340, 100:140] += 9
    witness = encoded(Image.fromarray(values.clip(0, 255).astype(np.uint8)), quality=90)
    doubt = scrutiny.doubt(grey(image), grey(witness))
    assert doubt is not None
    assert doubt.startswith(DIFFERS)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 9))
def test_any_size(width: int, height: int, seed: int) -> None:
    """Small pictures, single rows and columns: no error, and a picture is its own copy."""
    image = np.random.Generator(np.random.PCG64(seed)).integers(0, 256, (height, width), np.uint8)
    assert scrutiny.doubt(image, image) is None


def test_an_even_picture_is_its_own_copy() -> None:
    """Nothing to see and nothing against it, but a dot."""
    even = np.full((300, 400), 128, np.uint8)
    assert scrutiny.doubt(even, even) is None
    dotted = even.copy()
    dotted[100:104, 100:104] = 90
    assert DIFFERS in str(scrutiny.doubt(even, dotted))
    assert scrutiny.doubt(dotted, even) is not None


@pytest.mark.slow
@needs_shared_data("kodak")
def test_real_pictures() -> None:
    """Of six photos, every copy passes and every enlargement does not; a changed 2,000th of the area is seen."""
    for path in sorted((SHARED_DATA / "kodak").iterdir())[:6]:
        with Image.open(path) as file:
            image = file.convert("RGB")
        needle = grey(image)
        for quality in (95, 75):
            assert scrutiny.doubt(needle, grey(encoded(image, quality=quality))) is None
        assert str(scrutiny.doubt(needle, grey(enlarged(image, 2)))).startswith(LESS)
        assert scrutiny.doubt(needle, grey(encoded(with_letters(image, (300, 200), 14), quality=90))) is not None
