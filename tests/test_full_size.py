"""The comparison at full size: copies pass, and whatever the witness lacks does not."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from benchmarks import filters
from benchmarks.drawing import font
from dupfind.evidence import cells, color_cells, detail, full_size
from dupfind.evidence.full_size import Facts
from dupfind.evidence.pixels import Pixels
from dupfind.pictures import decode
from dupfind.pool import full_size as pool_full_size
from dupfind.reasons import AT_FULL_SIZE, BETTER_NEEDLE, Reason
from dupfind.reasons import ReasonCode as Code
from fixtures import pictures
from tests.helpers.details import enlarged, grainy, with_letters
from tests.helpers.places import SHARED_DATA, needs_shared_data

PNG, JPEG_90, JPEG_70 = Facts(), Facts(quality=90), Facts(quality=70)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> Image.Image:
    """``image`` as it comes out of a file of this kind."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return Image.open(file)


def pixels(image: Image.Image, size: tuple[int, int] | None = None, like: Image.Image | None = None) -> Pixels:
    """What is compared of ``image``, by the program's own way from a file; resampled as ``like`` seems to be."""
    file = io.BytesIO()
    image.convert("RGB" if image.mode == "P" else image.mode).save(file, "BMP" if image.mode != "L" else "PNG")
    file.seek(0)
    pick = None if like is None else pool_full_size.like(pixels(like).gray)
    read = decode.read_full_size(file, "a", 10**9, size or image.size, pick)
    return Pixels(read.gray, read.color)


def objection(needle: Image.Image, witness: Image.Image, facts: Facts = PNG) -> Code | None:
    """The code of what speaks against ``witness``, compared at the size of ``needle``."""
    against = full_size.compare(pixels(needle), pixels(witness, needle.size), facts)
    return None if against is None else against.code


def scaled(image: Image.Image, factor: float, kernel: Image.Resampling = Image.Resampling.LANCZOS) -> Image.Image:
    """``image`` at another size."""
    return image.resize((round(image.width * factor), round(image.height * factor)), kernel)


COPIES: dict[str, tuple[str, dict[str, Any]]] = {
    "q95": ("JPEG", {"quality": 95}),
    "q75": ("JPEG", {"quality": 75}),
    "q50": ("JPEG", {"quality": 50}),
    "q40": ("JPEG", {"quality": 40}),
    "colour in full": ("JPEG", {"quality": 80, "subsampling": 0}),
    "webp": ("WEBP", {"quality": 80}),
    "heic": ("HEIF", {"quality": 70}),
    "avif": ("AVIF", {"quality": 70, "speed": 9}),
    "progressive": ("JPEG", {"quality": 85, "progressive": True}),
}


def facts_of(kind: str, options: dict[str, Any], scale: float = 1.0) -> Facts:
    """What is known of a needle of this kind."""
    quality = options["quality"] if kind == "JPEG" else None
    return Facts(quality, None if kind == "JPEG" else 2.0, scale)


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("kind", "options"), COPIES.values(), ids=COPIES)
def test_copies_pass(seed: int, kind: str, options: dict[str, Any]) -> None:
    """A needle that was encoded again from the witness."""
    image = pictures.photo(seed, (640, 480))
    assert objection(encoded(image, kind, **options), image, facts_of(kind, options)) is None


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("factor", [0.25, 0.5, 0.7, 0.95])
def test_reduced_copies_pass(seed: int, factor: float) -> None:
    """A needle that was made smaller, and sharpened a little as programs do that make pictures smaller."""
    image = grainy(seed, (1280, 960))
    small = scaled(image, factor)
    for needle in (small, encoded(small, quality=80), small.filter(ImageFilter.UnsharpMask(0.6, 40, 0))):
        if needle is not small and factor > 0.9:
            continue
        assert objection(needle, image, Facts(80, None, 1 / factor)) is None


@pytest.mark.parametrize("quality", [75, 85, 95])
def test_a_witness_that_is_hardly_worse_passes(quality: int) -> None:
    """The library holds a good JPEG of the needle."""
    image = pictures.photo(4, (640, 480))
    assert objection(image, encoded(image, quality=quality)) is None


LOSSLESS = Facts(is_lossless=True)


@pytest.mark.parametrize("ink", [(3, 0, -8), (4, 4, 4), (-8, 0, 8)], ids=str)
def test_faint_marks_between_lossless_files(ink: tuple[int, int, int]) -> None:
    """Letters of a few levels, of colour alone or of brightness: no codec has touched the rest."""
    image = pictures.photo(4, (640, 480))
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).text((200, 300), "12.07", 255, font(20))
    inked = Image.merge(
        "RGB",
        [
            band.point([min(255, max(0, v + more)) for v in range(256)])
            for band, more in zip(image.split(), ink, strict=True)
        ],
    )
    marked = Image.composite(inked, image, mask)
    assert objection(marked, image, LOSSLESS) is Code.PLACE
    assert objection(image, marked, LOSSLESS) is Code.PLACE


def test_rounding_between_lossless_files() -> None:
    """A level or two, here and there or all over, is no change; nor is noise all over a place that changed."""
    image = pictures.photo(4, (640, 480))
    levels = np.asarray(image, np.int16)
    dice = np.random.default_rng(1)
    for share in (0.1, 0.9):
        steps = (dice.random(levels.shape) < share) * dice.choice((-1, 1), levels.shape)
        rounded = Image.fromarray((levels + steps).clip(0, 255).astype(np.uint8))
        assert objection(image, rounded, LOSSLESS) is None
    assert objection(image, encoded(image, quality=95), LOSSLESS) is None


def test_brightness_is_seen() -> None:
    """Lighter, flatter, and a third of a stop in a dark scene, in either direction."""
    image = pictures.photo(5, (640, 480))
    dark = image.point([round(level * 0.2) for level in range(256)] * 3)
    stop = [min(255, round(255 * ((level / 255) ** 2.2 * 1.26) ** (1 / 2.2))) for level in range(256)] * 3
    for one, other in ((image, image.point(stop)), (dark, dark.point(stop)), (image, scaled_tone(image, 0.9, 12))):
        assert objection(one, other) is Code.BRIGHTNESS
        assert objection(other, one) is Code.BRIGHTNESS


def scaled_tone(image: Image.Image, gain: float, offset: float) -> Image.Image:
    """``image`` under a straight tone curve."""
    return image.point([round(level * gain + offset) for level in range(256)] * 3)


def test_colour_is_seen() -> None:
    """Weaker, stronger, without, and one thing in another colour of the same brightness."""
    image = pictures.photo(6, (640, 480))
    for strength in (0.0, 0.8, 1.6):
        assert objection(image, ImageEnhance.Color(image).enhance(strength)) is Code.COLOR_STRENGTH
    assert objection(image, image.convert("L")) is Code.COLOR_STRENGTH
    assert objection(image.convert("L"), image) is Code.COLOR_STRENGTH
    luma, *_ = image.convert("YCbCr").split()
    recolored = image.copy()
    thing = (300, 200, 332, 232)
    planes = [luma.crop(thing), *(Image.new("L", (32, 32), level) for level in (90, 180))]
    recolored.paste(Image.merge("YCbCr", planes).convert("RGB"), thing)
    against = full_size.compare(pixels(image), pixels(recolored), PNG)
    assert against in [Reason(code, (AT_FULL_SIZE, "near the centre")) for code in (Code.COLOR, Code.PLACE)]


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("place", [(40, 30), (480, 340), (900, 690)])
@pytest.mark.parametrize("quality", [95, 75])
def test_a_small_change_is_seen_and_its_place_named(place: tuple[int, int], quality: int) -> None:
    """A 20,000th of the area; the words for the place are those of the thumbnail's."""
    image = grainy(4)
    witness = encoded(with_letters(image, place, 6), quality=quality)
    names = {(40, 30): "near the top left", (480, 340): "near the centre", (900, 690): "near the bottom right"}
    against = full_size.compare(pixels(image), pixels(witness), JPEG_90)
    assert Reason(Code.PLACE, (AT_FULL_SIZE, names[place])) == against


def test_every_cell_is_looked_at() -> None:
    """Nothing is left out, up to the last pairs of rows and columns, also of odd sizes."""
    image = grainy(5, (601, 531))
    for x, y in ((0, 0), (590, 0), (0, 520), (592, 522), (300, 252), (300, 508)):
        assert objection(image, with_letters(image, (x, y), 8)) is Code.PLACE, (x, y)


def worse(image: Image.Image) -> dict[str, Image.Image]:
    """Witnesses that lack detail."""
    webp = encoded(image, "WEBP", quality=10)
    return {
        "q25": encoded(image, quality=25),
        "q20, then q92": encoded(encoded(image, quality=20), quality=92),
        "webp q10": webp,
        "webp q10 as PNG": encoded(webp.convert("RGB"), "PNG"),
        "avif q20": encoded(image, "AVIF", quality=20, speed=9),
        "jpeg 2000": encoded(image, "JPEG2000", quality_mode="rates", quality_layers=[60]),
        "softer": image.filter(ImageFilter.GaussianBlur(1)),
        "softer, saved again": encoded(image.filter(ImageFilter.GaussianBlur(2)), quality=95),
        "enlarged from half": enlarged(image, 2),
        "enlarged from a quarter": encoded(enlarged(image, 4), quality=95),
        "noise reduced": image.filter(ImageFilter.MedianFilter(5)),
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", [6, 7])
def test_lost_detail_is_seen(seed: int) -> None:
    """Whatever took it; not the other way round where the needle is a JPEG of low quality."""
    image = grainy(seed)
    for name, witness in worse(image).items():
        assert objection(image, witness, PNG) in (Code.LESS_DETAIL, Code.PLACE, Code.COLOR), name
    assert objection(encoded(image, quality=50), image, Facts(50)) is None


@pytest.mark.slow
def test_a_larger_witness_may_be_softer() -> None:
    """A needle that was sharpened when it was reduced; a witness that was enlarged has nothing of its detail."""
    image = grainy(8, (1600, 1200))
    needle = scaled(image, 0.5).filter(ImageFilter.UnsharpMask(0.7, 120, 0))
    facts = Facts(scale=2.0)
    assert objection(needle, image, facts) is None
    assert objection(needle, image, facts._replace(scale=1.0)) is Code.LESS_DETAIL
    assert objection(needle, enlarged(image, 4), facts) is not None


def test_a_blurred_subject_is_seen() -> None:
    """A ninth of the picture out of focus, as a portrait's background or another focus has it."""
    image = grainy(9, (1280, 960))
    for sigma in (2, 6):
        blurred = image.copy()
        blurred.paste(image.filter(ImageFilter.GaussianBlur(sigma)).crop((400, 300, 820, 620)), (400, 300))
        assert objection(image, blurred) in (Code.LESS_DETAIL, Code.PLACE)
        assert objection(blurred, image) is not None


@pytest.mark.slow
def test_a_part_that_is_a_little_out_of_focus() -> None:
    """By less than a pixel, beside a needle whose own detail was rounded: the rest of the pair tells what to expect."""
    image = grainy(9, (1280, 960))
    blurred = image.copy()
    blurred.paste(image.filter(ImageFilter.GaussianBlur(0.6)).crop((400, 300, 820, 620)), (400, 300))
    needle, witness, other = (
        pixels(encoded(picture, quality=quality)) for picture, quality in ((image, 86), (blurred, 90), (image, 90))
    )
    soft, even = full_size.measure(needle, witness), full_size.measure(needle, other)
    assert min(least.share for of_band in even.detail.evenness for least in of_band.values()) > 0.95
    least = soft.detail.evenness[0][1, 1]
    assert least.share < full_size.EVENNESS_BOUNDS[1, 1][0]
    assert (0.3 < least.where[0] < 0.7, 0.3 < least.where[1] < 0.7) == (True, True)
    assert full_size.judge(even, Facts(86)) is None
    against = full_size.judge(soft, Facts(86))
    assert Reason(Code.LESS_SHARP_PART, ("near the centre",)) == against


def of_two_grounds(faint: float) -> Image.Image:
    """Grain of 16 levels on the left, and of ``faint`` levels on the right."""
    grain = np.random.Generator(np.random.PCG64(3)).normal(128, 40, (384, 512))
    soft = Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7))
    levels = np.asarray(soft, np.float32) - 128
    strength = np.where(np.arange(512) < 256, 16, faint) / levels.std()
    return Image.fromarray(np.clip(128 + levels * strength, 0, 255).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("quality", [45, 60, 75])
@pytest.mark.parametrize("faint", [1.5, 2.5, 4])
def test_what_a_codec_rounds_up_is_not_missing(faint: float, quality: int) -> None:
    """It rounds up more where little lies, so that the needle seems to be sharper there than its original."""
    image = of_two_grounds(faint)
    assert objection(encoded(image, quality=quality), image, Facts(quality)) is None


@pytest.mark.parametrize(("faint", "quality"), [(2, 75), (2, 88), (2.5, 60), (2.5, 75), (3, 45), (3, 60), (5, 45)])
def test_a_faint_ground_that_was_smoothed(faint: float, quality: int) -> None:
    """What is missing there is more than a codec can have made up."""
    image = of_two_grounds(faint)
    smooth = image.copy()
    smooth.paste(image.filter(ImageFilter.GaussianBlur(1)).crop((320, 100, 480, 300)), (320, 100))
    assert objection(encoded(image, quality=quality), smooth, Facts(quality)) is Code.LESS_SHARP_PART


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize(("area", "count"), [(0.01, 6), (0.02, 8), (0.04, 12)])
def test_a_mosaic_is_seen(area: float, count: int) -> None:
    """A censored face: the mean of each cell is that of what it hides."""
    image = grainy(10)
    side = round(math.sqrt(area * image.width * image.height))
    corner = (200, 150, 200 + side, 150 + side)
    hidden = image.copy()
    patch = image.crop(corner).resize((count, count), Image.Resampling.BOX)
    hidden.paste(patch.resize((side, side), Image.Resampling.NEAREST), corner)
    for quality in (90, 60):
        assert objection(encoded(image, quality=90), encoded(hidden, quality=quality), JPEG_90) is not None


def test_another_grain_is_seen() -> None:
    """Two shots of one still scene: all that differs is the noise of the sensor."""
    scene = pictures.photo(11, (640, 480))
    shots = []
    for seed in (1, 2):
        noise = np.random.Generator(np.random.PCG64(seed)).normal(0, 6, (480, 640, 1))
        shots.append(Image.fromarray((np.asarray(scene) + noise).clip(0, 255).astype(np.uint8)))
    assert objection(encoded(shots[0], quality=92), encoded(shots[1], quality=92), JPEG_90) is not None
    assert objection(encoded(shots[0], quality=92), shots[0], JPEG_90) is None


def objection_of_reduced(needle: Image.Image, witness: Image.Image) -> Code | None:
    """The code of what speaks against a larger ``witness``, reduced as the needle was."""
    facts = Facts(scale=witness.width / needle.width)
    own = pixels(needle)
    other = pool_full_size.fitted(pixels(witness, needle.size, like=needle), own)
    against = full_size.compare(own, other, facts)
    return None if against is None else against.code


def gravel(seed: int) -> Image.Image:
    """A picture that is as rough as can be from pixel to pixel."""
    grain = np.random.Generator(np.random.PCG64(seed)).integers(-45, 46, (480, 640, 1))
    scene = np.asarray(pictures.photo(seed, (640, 480))) / 2 + 64
    return Image.fromarray((scene + grain).clip(0, 255).astype(np.uint8))


@pytest.mark.mostly_slow(fast=4)
@pytest.mark.parametrize("factor", [0.45, 0.8, 0.95])
@pytest.mark.parametrize("kernel", decode.KERNELS)
def test_a_needle_is_compared_as_it_was_reduced(kernel: Image.Resampling, factor: float) -> None:
    """Each program has its kernel, and what the others leave hides a change: a square of 8 pixels in 640."""
    original = gravel(3)
    changed = original.copy()
    changed.paste(original.crop((300, 300, 312, 312)), (200, 200))
    assert objection_of_reduced(encoded(scaled(original, factor, kernel), quality=92), original) is None
    assert objection_of_reduced(encoded(scaled(changed, factor, kernel), quality=92), original) is not None


def stamped(figures: str, height: int, seed: int = 7) -> Image.Image:
    """A photo with a number on it."""
    image = pictures.photo(seed, (720, 540))
    ImageDraw.Draw(image).text(
        (150, 330), figures, (245, 245, 240), font(height), stroke_width=1, stroke_fill=(20, 20, 20)
    )
    return image


def in_light(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """``image`` reduced by its light, as careful programs do."""
    light = (np.asarray(image, np.float32) / 255) ** np.float32(2.2)
    planes = [np.asarray(Image.fromarray(light[..., band]).resize(size, Image.Resampling.BOX)) for band in range(3)]
    return Image.fromarray(np.rint(np.stack(planes, -1).clip(0, 1) ** (1 / 2.2) * 255).astype(np.uint8))


REDUCTIONS: Mapping[str, Callable[[Image.Image, float], Image.Image]] = {
    "sharpened": lambda image, factor: scaled(image, factor).filter(ImageFilter.UnsharpMask(0.6, 40, 0)),
    "in light": lambda image, factor: in_light(image, (round(image.width * factor), round(image.height * factor))),
    "averages": lambda image, factor: scaled(image, factor, Image.Resampling.BOX),
    "between four pixels": lambda image, factor: image.transform(
        (round(image.width * factor), round(image.height * factor)),
        Image.Transform.AFFINE,
        (1 / factor, 0, 0, 0, 1 / factor, 0),
        Image.Resampling.BILINEAR,
    ),
}


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("factor", [0.5, 2 / 3, 1 / 3])
@pytest.mark.parametrize("reduce", REDUCTIONS.values(), ids=REDUCTIONS)
def test_a_figure_is_seen_in_a_smaller_needle(
    reduce: Callable[[Image.Image, float], Image.Image], factor: float
) -> None:
    """Of 9 pixels' height in the needle, whichever way that was reduced; the same number passes."""
    height = round(12 / factor)
    needle = encoded(reduce(stamped("20468", height), factor), quality=82)
    assert objection_of_reduced(needle, encoded(stamped("20408", height), quality=90)) is Code.PLACE
    assert objection_of_reduced(needle, encoded(stamped("20468", height), quality=90)) is None


def test_a_needle_reduced_in_an_unusual_way_is_not_called_the_better_copy() -> None:
    """Its larger original has what it lacks: neither holds all of the other, so nothing is said of which is better."""
    original, factor = gravel(1), 0.78
    size = (round(original.width * factor), round(original.height * factor))
    between_four_pixels = (1 / factor, 0, 0, 0, 1 / factor, 0)
    needle = original.transform(size, Image.Transform.AFFINE, between_four_pixels, Image.Resampling.BILINEAR)
    assert objection_of_reduced(encoded(needle, quality=92), original) is Code.DETAIL
    assert Code.DETAIL not in BETTER_NEEDLE


@pytest.mark.slow
def test_the_kernel_is_recognised() -> None:
    """Also in a JPEG; of a picture without detail the first one is taken, that of Lanczos."""
    original = gravel(5)
    for kernel in decode.KERNELS:
        needle = encoded(scaled(original, 0.6, kernel), quality=85)
        versions = {way: [np.asarray(scaled(original, 0.6, way).convert("L"))] for way in decode.KERNELS}
        gray = np.asarray(needle.convert("L"))
        assert detail.closest(gray, [(0, 0, *needle.size)], versions) == kernel
    even = np.full((7, 700), 9, np.uint8)
    assert detail.closest(even, [(0, 0, 700, 7)], {kernel: [even] for kernel in decode.KERNELS}) == decode.KERNELS[0]


def tones_kept(needle: Image.Image, witness: Image.Image) -> tuple[float, ...]:
    """Share of the needle's tones on even ground that the witness has."""
    return full_size.measure(pixels(needle), pixels(witness)).tones


@pytest.mark.slow
@pytest.mark.parametrize(("step", "most"), [(10, 0.92), (16, 0.7)])
def test_a_posterised_sky_is_seen(step: int, most: float) -> None:
    """Bands in place of a slow change; a JPEG of quality 40 has its tones 2.5 levels apart and keeps them."""
    random = np.random.Generator(np.random.PCG64(1))
    slope = np.linspace(60, 200, 640)[None, :, None] + np.linspace(0, 40, 480)[:, None, None]
    sky = Image.fromarray((slope + random.normal(0, 1, (480, 640, 3))).clip(0, 255).astype(np.uint8))
    bands = sky.point([min(255, level // step * step + step // 2) for level in range(256)] * 3)
    assert min(tones_kept(sky, encoded(bands, quality=92))) < most
    assert min(tones_kept(sky, encoded(sky, quality=40))) > 0.95
    assert tones_kept(bands, sky) >= (1, 1)


@pytest.mark.parametrize(("quality", "most"), [(92, 0.15), (70, 0.25), (45, 0.36)])
def test_marks_where_colour_is_in_full(quality: int, most: float) -> None:
    """A lower bound where both files have a value of colour for each pixel, and one size."""
    facts = Facts(quality, has_full_color=True)
    assert facts.most_mark == most < Facts(quality).most_mark
    assert facts._replace(scale=1.5).most_mark == Facts(quality, scale=1.5).most_mark


def test_tones_in_steps_are_seen() -> None:
    """Whatever else agrees."""
    image = pictures.photo(4, (320, 240))
    plain, measures = encoded(image, quality=90), full_size.measure(pixels(image), pixels(encoded(image, quality=90)))
    assert full_size.judge(measures, Facts(steps=full_size.STEPS_BOUND)) is None
    assert objection(image, plain, Facts(steps=0.2)) is Code.FEWER_TONES


@pytest.mark.parametrize("quality", [90, 70])
def test_enlarged_by_a_ninth(quality: int) -> None:
    """Seen by the highest frequencies alone, of which a coarse needle has made half itself: it is not asked."""
    image = pictures.photo(4, (320, 240))
    measures = full_size.measure(pixels(image), pixels(encoded(image, quality=90)))._replace(highest_to_high=0.5)
    reason = full_size.judge(measures, Facts(quality))
    assert (reason is not None and reason.code is Code.LESS_DETAIL) is (quality == 90)
    assert full_size.judge(measures, Facts(quality, scale=1.5)) is None


def test_a_ninth_that_was_saved_coarsely() -> None:
    """Pasted into the witness of a smaller needle: no place of it differs by much."""
    image = grainy(3, (720, 540))
    part = image.crop((200, 150, 440, 330))
    witness = image.copy()
    witness.paste(encoded(part, quality=15), (200, 150))
    needle = encoded(scaled(image, 0.6), quality=92)
    coarse, even = (full_size.measure(pixels(needle), pixels(other, needle.size)) for other in (witness, image))
    assert coarse.uneven > full_size.UNEVEN_BOUND > even.uneven
    assert even.uneven_where != coarse.uneven_where == pytest.approx((240 / 540, 320 / 720), abs=0.1)
    for scale, slack in ((1, 1.0), (1 / 0.6, 1.0), (1.1, full_size.SCALED_SLACK)):
        facts, most = Facts(92, None, scale), full_size.UNEVEN_BOUND * slack
        assert full_size.judge(even._replace(uneven=most), facts) is None
        reason = full_size.judge(even._replace(uneven=most + 0.01), facts)
        assert reason is not None
        assert reason.code is Code.PLACE


def test_tones_of_drawings_are_not_counted() -> None:
    """A page has few: what another encoder makes of their rims says nothing. So has a picture without even ground."""
    page = Image.new("L", (400, 300), 250)
    page.paste(90, (40, 40, 200, 200))
    assert tones_kept(page.convert("RGB"), encoded(page.convert("RGB"), quality=30)) == (1, 1)
    random = np.random.Generator(np.random.PCG64(2))
    noise = random.integers(0, 256, (300, 400, 3), np.uint8)
    assert tones_kept(Image.fromarray(noise), encoded(Image.fromarray(noise), quality=60)) == (1, 1)
    noise[:28] = np.linspace(20, 230, 400)[None, :, None]  # not a tenth of it is even
    grain = Image.fromarray(noise)
    assert tones_kept(grain, grain.point([level // 16 * 16 for level in range(256)] * 3)) == (1, 1)


def uneven(window: detail.Window, band: int, share: float) -> tuple[detail.Evenness, detail.Evenness]:
    """Even detail, but for the windows of one size in one band."""
    bands = [dict(detail.EVEN), dict(detail.EVEN)]
    bands[band][window] = detail.Least(share, (0.5, 0.5))
    return bands[0], bands[1]


def measured(**changes: Any) -> full_size.Measures:
    """Measures of two equal pictures, but for ``changes``."""
    kept = detail.Kept(1.0, 0.0)
    equal = full_size.Measures(
        gain=1.0,
        curve=0.0,
        tones=(1.0, 1.0),
        spots={2: 1.0},
        patches={2: 0.5},
        where=(0.5, 0.5),
        color_gain=1.0,
        color_shift=0.0,
        color_loss=0.0,
        color_kept=1.0,
        color_spots=((0, 0), (0, 0)),
        color_where=(0.5, 0.5),
        detail=detail.Detail(kept, kept, 1.0, 1.0, 1.0, 0.0, (detail.EVEN, detail.EVEN)),
    )
    of_detail = {name: changes.pop(name) for name in detail.Detail._fields if name in changes}
    return equal._replace(**changes, detail=equal.detail._replace(**of_detail))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"gain": 1.06}, Code.BRIGHTNESS),
        ({"gain": 0.94}, Code.BRIGHTNESS),
        ({"curve": 4.5}, Code.BRIGHTNESS),
        ({"tones": (0.9, 1.0)}, Code.FEWER_TONES),
        ({"tones": (1.0, 0.87)}, Code.FEWER_TONES),
        ({"tones": (0.93, 0.89)}, None),
        ({"tones": ()}, None),
        ({"color_gain": 0.85}, Code.COLOR_STRENGTH),
        ({"color_gain": None}, None),
        ({"color_shift": 3.5}, Code.COLOR),
        ({"color_loss": 4.0}, Code.LESS_COLOR),
        ({"color_kept": 0.4}, Code.LESS_COLOR_DETAIL),
        ({"color_kept": None}, None),
        ({"kept_coarse": detail.Kept(1.3, 0.1)}, Code.LESS_DETAIL),
        ({"spots": {2: 8.0}}, Code.PLACE),
        ({"spots": {4: 5.0}}, Code.PLACE),
        ({"spots": {8: 4.5}}, Code.PLACE),
        ({"patches": {2: 2.7}}, Code.PLACE),
        ({"patches": {4: 2.3}}, Code.PLACE),
        ({"patches": {8: 2.1}}, Code.PLACE),
        ({"color_spots": ((8.5, 3.8), (0, 0))}, Code.COLOR),
        ({"color_spots": ((8.5, 3.0), (5.5, 3.5))}, None),
        ({"color_spots": ((0, 0), (6.5, 3.5))}, Code.COLOR),
        ({"mark": 1.1}, Code.COLOR),  # 0.42 of 2.6
        ({"mark": 1.08}, None),
        ({"kept": detail.Kept(0.7, 0.1)}, Code.LESS_DETAIL),
        ({"kept": detail.Kept(1.0, 0.7)}, Code.LESS_DETAIL),
        ({"kept_coarse": detail.Kept(0.7, 0.1)}, Code.LESS_DETAIL),
        ({"kept": None, "kept_coarse": detail.Kept(1.0, 0.7)}, Code.LESS_DETAIL),
        ({"kept": None, "kept_coarse": None}, Code.PLAIN),
        ({"strong": 0.94}, Code.LESS_DETAIL),
        ({"strong": None}, None),
        ({"finest": 0.44}, Code.LESS_DETAIL),
        ({"finest": None}, None),
        ({"highest": 0.41}, Code.LESS_DETAIL),
        ({"highest": 0.43}, None),
        ({"highest": None}, None),
        ({"region": 0.55}, Code.LESS_DETAIL),
        ({"region": None}, None),
        ({"grain": 0.25}, Code.GRAIN),
        ({"grain": None}, None),
    ],
)
def test_each_bound_counts(changes: dict[str, Any], code: Code | None) -> None:
    """What is beyond one bound, and within all others."""
    against = full_size.judge(measured(**changes), PNG)
    assert code == (None if against is None else against.code)


@pytest.mark.parametrize(
    ("facts", "most"),
    [
        (PNG, 0.42 * 2.6),
        (JPEG_90, 0.42 * 2.6),
        (JPEG_70, 0.42 * 2.6),
        (Facts(bits=2.0), 0.48 * 2.6),
        (Facts(bits=0.5), 0.9 * 2.6),
        (Facts(quality=60), 0.42 * 2.6),
        (Facts(quality=59), 0.75 * 2.6),
        (Facts(quality=85, scale=2.0), 0.42 * 1.9),
        (Facts(quality=67, scale=2.0), 0.48 * 1.9),
        (Facts(quality=66, scale=2.0), 0.62 * 1.9),
        (Facts(quality=59, scale=2.0), 0.75 * 1.9),
        (Facts(scale=2.0), 0.42 * 1.9),
        (Facts(scale=1.1), 0.42 * 1.9 * full_size.SCALED_SLACK),
    ],
)
def test_each_bound_of_marks_counts(facts: Facts, most: float) -> None:
    """A coarser needle is allowed more, and one that was fitted less."""
    for mark, code in ((most * 1.01, Code.COLOR), (most * 0.99, None)):
        against = full_size.judge(measured(mark=mark, mark_where=(0.9, 0.1)), facts)
        assert (None if code is None else Reason(code, (AT_FULL_SIZE, "near the bottom left"))) == against


def test_marks_are_not_asked_for_where_colours_are_dots() -> None:
    """Of 20 photos as GIF 9 pass, and 5 of those differ by more than twice the bound."""
    assert full_size.judge(measured(mark=9.0), Facts(has_palette=True)) is None


def dated(date: str, height: int) -> Image.Image:
    """A grainy photo with a date on it, in an orange that is as bright as the ground."""
    noise = np.random.Generator(np.random.PCG64(2)).normal(0, 6, (360, 480, 1))
    scene = np.asarray(pictures.photo(2, (480, 360)), np.float32) / 4
    image = Image.fromarray((scene + 121 + noise).clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(image).text((120, 300), date, (255, 140, 20), font(height))
    return image


def test_a_figure_in_colour_alone_is_seen_in_a_smaller_needle() -> None:
    """Of 8 pixels' height: neither its brightness nor its colour would tell by itself."""
    needle = encoded(scaled(dated("18.05.2004", 20), 0.5), quality=90)
    for date, code in (("18.05.2004", None), ("18.06.2004", Code.COLOR)):
        witness = encoded(dated(date, 20), quality=92)
        own = pixels(needle)
        other = pool_full_size.fitted(pixels(witness, needle.size, like=needle), own)
        measures, facts = full_size.measure(own, other), Facts(quality=90, scale=2.0)
        against = full_size.judge(measures, facts)
        assert code == (None if against is None else against.code)
        assert full_size.judge(measures._replace(mark=0.0), facts) is None


@given(st.integers(0, 2**32 - 1), st.sampled_from([(3, 3), (4, 9), (17, 12)]), st.sampled_from([2, 30, 120]))
def test_the_worst_mark_is_that_of_a_slow_search(seed: int, shape: tuple[int, int], most: int) -> None:
    """Cell by cell, wherever the colour of a cell differs by more than is usual."""
    source = np.random.Generator(np.random.PCG64(seed))
    ours = source.integers(100, 120, (2, *shape), np.uint8)
    theirs = ours.copy()
    theirs[:, : shape[0] // 2 + 1, : shape[1] // 2 + 1] += source.integers(0, most, (2, 1, 1), np.uint8)
    ratios = source.random(shape, np.float32)
    squares = ((ours.astype(float) - theirs) ** 2).sum(0)
    floor, worst = 64 + np.quantile(squares, 0.9), 0.0
    for down, right in np.ndindex(shape[0] - 2, shape[1] - 2):
        window = slice(down, down + 3), slice(right, right + 3)
        if squares[down + 1, right + 1] >= 0.4 * floor:
            shown = max(side[:, *window].var((1, 2)).sum() for side in (ours, theirs))
            worst = max(worst, squares[window].mean() / (floor + shown) * ratios[window].mean())
    empty = np.zeros(shape, np.uint16)
    made = cells.Ratios(
        empty,
        empty,
        empty.astype(np.uint8),
        np.ones(256, np.float32),
        (1.0, 0.0),
        2,
        False,
        np.pad(ratios, 1, mode="edge"),
    )
    mark, (down, right) = color_cells.worst_mark(ours, theirs, made)
    assert mark == pytest.approx(worst, rel=1e-4)
    assert 0 <= down < 1
    assert 0 <= right < 1


def test_colour_of_two_pixels_gives_that_of_four() -> None:
    """Mean by mean, whatever the size; what has no more is left as it is."""
    for width, height in ((40, 24), (43, 27), (38, 30)):
        color = np.random.Generator(np.random.PCG64(1)).integers(0, 256, (2, height // 2, width // 2), np.uint8)
        fine = Pixels(np.zeros((height, width), np.uint8), color)
        coarse = color_cells.of_four_pixels(fine)
        assert coarse is not None
        assert (2, height // 4, width // 4) == coarse.shape
        assert color_cells.cell_side(fine) == 2
        assert color_cells.cell_side(fine._replace(color=coarse)) == 4
        assert color_cells.of_four_pixels(fine._replace(color=coarse)) is coarse
        assert np.abs(coarse[:, 3, 5] - color[:, 6:8, 10:12].mean((1, 2))).max() <= 0.5
    assert color_cells.of_four_pixels(Pixels(fine.gray, None)) is None


@pytest.mark.parametrize("side", [2, 4, 8])
@pytest.mark.parametrize("scale", [0.94, 1.1, 2.0])
def test_places_count_sooner_where_sizes_differ(side: int, scale: float) -> None:
    """Since the larger one was fitted; a witness of nearly the needle's size may be another copy of its original."""
    slack = 1.0 if scale == 2 else full_size.SCALED_SLACK
    for name, bounds in (("spots", full_size.SPOT_BOUNDS_OF_SCALED), ("patches", full_size.PATCH_BOUNDS_OF_SCALED)):
        for value, is_enough in ((bounds[side] * slack + 0.01, False), (bounds[side] * slack - 0.01, True)):
            against = full_size.judge(measured(**{name: {side: value}}), JPEG_90._replace(scale=scale))
            assert (against is None) is is_enough
        for near in (0.96, 1.0, 1.04):  # two reductions of one original, of which none was made of the other
            nearly = JPEG_90._replace(scale=near)
            assert full_size.judge(measured(**{name: {side: bounds[side] + 0.01}}), nearly) is None


@pytest.mark.parametrize(
    ("facts", "bounds"),
    [
        (PNG, full_size.EVENNESS_BOUNDS_OF_CLEAN),
        (JPEG_90, full_size.EVENNESS_BOUNDS_OF_CLEAN),
        (JPEG_90._replace(scale=1.1), full_size.EVENNESS_BOUNDS_OF_GOOD),
        (PNG._replace(has_palette=True), full_size.EVENNESS_BOUNDS_OF_GOOD),
        (Facts(bits=2.0), full_size.EVENNESS_BOUNDS_OF_GOOD),
        (JPEG_70, full_size.EVENNESS_BOUNDS),
        (Facts(bits=0.5), full_size.EVENNESS_BOUNDS),
        (JPEG_70._replace(scale=1.1), full_size.EVENNESS_BOUNDS_OF_REDUCED),
        (Facts(bits=0.5, scale=2.0), full_size.EVENNESS_BOUNDS_OF_REDUCED),
    ],
)
def test_each_bound_of_evenness_counts(facts: Facts, bounds: Mapping[detail.Window, tuple[float, float]]) -> None:
    """By window and band; a needle that was rounded coarsely is asked for less."""
    for window, of_window in bounds.items():
        for band, bound in enumerate(of_window):
            if bound:
                against = full_size.judge(measured(evenness=uneven(window, band, bound - 0.004)), facts)
                assert against is not None, (window, band)
                assert against.code is Code.LESS_SHARP_PART
                assert full_size.judge(measured(evenness=uneven(window, band, bound + 0.004)), facts) is None


@pytest.mark.parametrize("facts", [PNG, JPEG_90, JPEG_70, Facts(quality=40), Facts(bits=2.0), Facts(bits=0.5)])
def test_strong_marks_are_asked_for_at_equal_size(facts: Facts) -> None:
    """However poor the needle is; one of another size may have been sharpened when it was reduced."""
    for share, is_enough in ((0.94, False), (0.96, True)):
        against = full_size.judge(measured(strong=share), facts)
        assert (against is None) is is_enough
        assert full_size.judge(measured(strong=share), facts._replace(scale=2.0)) is None


@pytest.mark.parametrize(("scale", "least"), [(1.0, 0.45), (1.1, 0.54), (2.0, 0.54)])
def test_more_of_the_finest_detail_is_asked_for_where_sizes_differ(scale: float, least: float) -> None:
    """A larger witness may have been reduced below the needle's size and enlarged again."""
    for share, is_enough in ((least - 0.01, False), (least + 0.01, True)):
        assert (full_size.judge(measured(finest=share), JPEG_90._replace(scale=scale)) is None) is is_enough


def test_noise_reduction_softens_outlines() -> None:
    """What no JPEG takes, not even one of quality 40."""
    image = pictures.photo(12, (640, 480))
    clear = image.copy()
    for step in range(0, 640, 16):
        clear.paste((60, 70, 80), (step, 100, step + 6, 400))
    needle = pixels(encoded(clear, quality=85))
    lost, kept = (
        full_size.measure(needle, pixels(witness)).detail.strong
        for witness in (encoded(filters.smoothed(clear, 2, 18), quality=95), encoded(clear, quality=40))
    )
    assert lost is not None
    assert kept is not None
    assert lost < full_size.STRONG_BOUND < kept


@pytest.mark.slow
def test_an_enlargement_that_was_sharpened_has_no_finest_detail() -> None:
    """Half of the detail of a poor needle is its own noise, but what was never there cannot be sharpened."""
    image = grainy(12, (640, 480))
    for quality in (70, 90):
        needle = pixels(encoded(image, quality=quality))
        half = enlarged(image, 2).filter(ImageFilter.UnsharpMask(1, 60, 0))
        lost, kept = (
            full_size.measure(needle, pixels(encoded(witness, quality=92))).detail.finest for witness in (half, image)
        )
        assert lost is not None
        assert kept is not None
        assert lost < 0.3 < full_size.FINEST_BOUND < kept


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("factor", [0.85, 0.8, 0.7])
@pytest.mark.parametrize("kernel", [Image.Resampling.LANCZOS, Image.Resampling.BICUBIC])
def test_an_enlargement_by_little_lacks_the_highest_frequency(kernel: Image.Resampling, factor: float) -> None:
    """Also one that was sharpened afterwards; where the needle is as soft, nothing is asked."""
    image = grainy(12, (640, 480))
    again = scaled(scaled(image, factor), 1 / factor, kernel).resize(image.size)
    sharpened = again.filter(ImageFilter.UnsharpMask(1, 60, 0))
    for quality in (90, 78):
        needle = pixels(encoded(image, quality=quality))
        for witness, has_it in ((again, False), (sharpened, False), (image, True)):
            highest = full_size.measure(needle, pixels(encoded(witness, quality=93))).detail.highest
            assert highest is not None
            assert (highest >= full_size.HIGHEST_BOUND) is has_it
    soft = image.filter(ImageFilter.GaussianBlur(1.5))
    assert full_size.measure(pixels(soft), pixels(encoded(soft, quality=93))).detail.highest is None
    scarce = measured(highest=0.2)
    assert full_size.judge(scarce, JPEG_90) is not None
    for scale in (0.998, 1.003, 2.0):
        assert full_size.judge(scarce, JPEG_90._replace(scale=scale)) is None


@pytest.mark.slow
@pytest.mark.parametrize("turn", [None, Image.Transpose.ROTATE_90])
def test_two_frames_of_a_focus_stack(turn: Image.Transpose | None) -> None:
    """One is a little sharper on one side, one on the other: no place is enough to tell by, half of the picture is."""
    image = grainy(9, (1280, 960))
    soft, ramp = image.filter(ImageFilter.GaussianBlur(0.7)), Image.linear_gradient("L").resize(image.size)
    if turn is not None:
        ramp = ramp.transpose(turn).resize(image.size)
    frames = Image.composite(image, soft, ramp), Image.composite(soft, image, ramp)
    needle, witness = (pixels(encoded(frame, quality=90)) for frame in frames)
    whole = full_size.judge(full_size.measure(needle, witness), JPEG_90)
    assert whole is not None
    assert whole.code is Code.LESS_SHARP_PART
    again = pixels(encoded(frames[0], quality=80))
    assert full_size.judge(full_size.measure(needle, again), JPEG_90) is None


def test_equal_numbers_that_mean_other_colours() -> None:
    """By another profile, however equal the pictures are."""
    image = Pixels(np.full((64, 64), 90, np.uint8), None)
    assert full_size.compare(image, image, PNG._replace(shown_apart=1.0)) is None
    against = full_size.compare(image, image, PNG._replace(shown_apart=3.0))
    assert Reason(Code.COLOR_PROFILE) == against


def test_facts_move_the_bounds() -> None:
    """A poor needle has noise of its own, a reduced one was resampled somehow, a palette holds 256 colours."""
    noisy = measured(kept=detail.Kept(1.0, 0.8), grain=0.3)
    assert full_size.judge(noisy, PNG._replace(quality=50)) is None
    assert full_size.judge(noisy, PNG._replace(quality=60)) is not None
    assert full_size.judge(measured(kept=detail.Kept(1.0, 0.7)), PNG._replace(quality=60)) is None
    assert full_size.judge(measured(grain=0.3), PNG._replace(bits=2.0)) is None
    assert full_size.judge(measured(grain=0.6), PNG._replace(bits=2.0)) is not None
    for scale in (1.1, 2.0):
        assert full_size.judge(measured(grain=0.29), PNG._replace(scale=scale, bits=2.0)) is None
        assert full_size.judge(measured(grain=0.31), PNG._replace(scale=scale, bits=2.0)) is not None
        for share, most in ((0.80, 0.27), (0.82, 0.5 if scale < 1.25 else 0.27)):  # noise of two programs
            kept = detail.Kept(share, most - 0.01)
            assert full_size.judge(measured(kept=kept), JPEG_70._replace(scale=scale)) is None
            kept = detail.Kept(share, most + 0.01)
            assert full_size.judge(measured(kept=kept), JPEG_70._replace(scale=scale)) is not None
    assert full_size.judge(measured(region=0.55), PNG._replace(scale=2.0)) is None
    assert full_size.judge(measured(region=0.53), PNG._replace(scale=2.0)) is not None
    assert full_size.judge(measured(kept=detail.Kept(0.63, 0.1)), PNG._replace(scale=2.0)) is None
    assert full_size.judge(measured(kept=detail.Kept(0.61, 0.1)), PNG._replace(scale=2.0)) is not None
    assert full_size.judge(measured(region=0.4), PNG._replace(quality=80)) is None
    assert full_size.judge(measured(region=0.2), PNG._replace(quality=80)) is not None
    assert full_size.judge(measured(region=0.4), PNG._replace(quality=88)) is None
    assert full_size.judge(measured(region=0.3), PNG._replace(quality=88)) is not None
    assert full_size.judge(measured(region=0.6), PNG._replace(quality=92)) is not None
    assert full_size.judge(measured(region=0.51), PNG._replace(bits=1.1)) is None
    assert full_size.judge(measured(region=0.49), PNG._replace(bits=1.1)) is not None
    assert full_size.judge(measured(kept=detail.Kept(0.71, 0.1)), PNG._replace(bits=1.1)) is not None
    assert full_size.judge(measured(kept=detail.Kept(0.6, 0.1)), PNG._replace(quality=80)) is None
    assert full_size.judge(measured(kept=detail.Kept(0.55, 0.1)), PNG._replace(quality=80)) is not None
    assert full_size.judge(noisy, PNG._replace(bits=0.7)) is None
    assert full_size.judge(noisy, PNG._replace(bits=0.9)) is not None
    dotted = measured(spots={2: 9.0}, patches={2: 3.5})
    assert full_size.judge(dotted, PNG._replace(has_palette=True)) is None
    assert full_size.judge(measured(spots={2: 12.0}), PNG._replace(has_palette=True)) is not None
    assert full_size.judge(measured(spots={2: 5.2}), PNG._replace(scale=1.1)) is None
    for scale, value in ((1.0, 8.0), (1.5, 5.2)):
        assert full_size.judge(measured(spots={2: value}), PNG._replace(scale=scale)) is not None
    against = full_size.judge(measured(), PNG._replace(lost_colors=True))
    assert Reason(Code.FEWER_COLORS) == against


def test_a_palette_gives_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the needle's palette a witness may get colours and tones that its file has not; nor have dots a bound more."""
    image = pictures.photo(5, (320, 240))
    needle, facts = pixels(image), Facts(has_palette=True)
    grey, dark = pixels(image.convert("L").convert("RGB")), pixels(ImageEnhance.Brightness(image).enhance(0.85))
    for witness, code in ((grey, Code.LESS_COLOR), (dark, Code.BRIGHTNESS)):
        against = full_size.compare(needle, witness, facts, needle)
        assert against is not None
        assert against.code is code
    for is_recolored in (False, True):
        against = full_size.judge(measured(spots={2: 9.0}), facts._replace(is_recolored=is_recolored))
        assert (against is not None) is is_recolored
    asked: list[Facts] = []
    monkeypatch.setattr(full_size, "judge", lambda _, facts: asked.append(facts))
    assert full_size.compare(needle, grey, facts, needle) is None
    assert [facts._replace(is_recolored=True)] == asked


def test_even_ground_is_the_measure_of_what_lies_on_it() -> None:
    """A letter on a wall has the contrast of the hedge beside it, and is not measured by what a codec did there."""
    values = np.full((400, 600), 128, np.int16)
    values[:, 300:] += np.random.Generator(np.random.PCG64(1)).integers(-60, 61, (400, 300))
    image = Image.fromarray(values.astype(np.uint8))
    needle, letter = encoded(image, quality=90), image.copy()
    letter.paste(123, (100, 200, 104, 204))
    assert objection(needle, image, JPEG_90) is None
    assert objection(needle, letter, JPEG_90) is Code.PLACE
    assert objection(encoded(letter, quality=90), image, JPEG_90) is Code.PLACE


def test_a_wide_faint_change_is_seen() -> None:
    """What does not stand out in any cell does so in a mean of many."""
    image = pictures.photo(8, (640, 480))
    values = np.asarray(image, np.int16).copy()
    values[300:340, 100:140] += 9
    changed = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    assert objection(image, encoded(changed, quality=90), JPEG_90) is Code.PLACE


@pytest.mark.slow
def test_one_number_of_a_page_is_seen() -> None:
    """A digit of a screen of 1080 x 4000 pixels."""

    def page(number: int) -> Image.Image:
        image = Image.new("RGB", (1080, 4000), "white")
        draw, chance = ImageDraw.Draw(image), random.Random(3)  # noqa: S311 - no secret
        for row in range(0, 3900, 40):
            draw.text((60, row), "".join(chance.choice("abcdefg hijk lmno") for _ in range(90)), "black", font_size=24)
        draw.text((600, 2000), f"{number}", "black", font_size=24)
        return image

    assert objection(page(41), page(47)) is Code.PLACE
    assert objection(encoded(page(41), quality=90), encoded(page(47), quality=80), JPEG_90) is Code.PLACE
    assert objection(encoded(page(41), quality=90), page(41), JPEG_90) is None


@pytest.mark.slow
@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 9))
def test_any_size(width: int, height: int, seed: int) -> None:
    """Small pictures, single rows and columns: no error, and a picture is its own copy."""
    values = np.random.Generator(np.random.PCG64(seed)).integers(0, 256, (height, width), np.uint8)
    own = Pixels(values, None)
    assert full_size.compare(own, own, PNG) is None
    full_size.measure(own, Pixels(values[::-1], None))


def test_an_even_picture_is_its_own_copy() -> None:
    """There is nothing to see, but what is equal is equal."""
    even = Image.new("RGB", (400, 300), (128, 130, 140))
    assert objection(even, even) is None
    dotted = even.copy()
    dotted.paste((90, 90, 90), (100, 100, 104, 104))
    assert objection(even, dotted) is not None
    assert objection(dotted, even) is not None
    assert objection(even, encoded(even, quality=60)) in (Code.PLAIN, None)


@given(st.integers(8, 60), st.integers(8, 60), st.integers(0, 10**6))
def test_a_layout_in_the_memory_changes_nothing(height: int, width: int, seed: int) -> None:
    """A photo that its file holds turned is compared as it lies."""
    random = np.random.Generator(np.random.PCG64(seed))
    own, other = random.integers(0, 256, (2, height, width), np.uint8)
    straight = full_size.measure(Pixels(own, None), Pixels(other, None))
    for one, two in ((own.T.copy().T, other.T.copy().T), (own, other.T.copy().T), (own[::-1].copy()[::-1], other)):
        measures = full_size.measure(Pixels(one, None), Pixels(two, None))
        for of_cells, same in ((measures.spots, straight.spots), (measures.patches, straight.patches)):
            assert of_cells == pytest.approx(same, rel=1e-5)
        assert measures.detail.kept == straight.detail.kept
        assert measures.uneven == pytest.approx(straight.uneven, rel=1e-6)  # sums in another order
        same = straight._replace(spots={}, patches={}, uneven=1.0)
        assert measures._replace(spots={}, patches={}, uneven=1.0) == same


def test_what_is_kept_of_a_witness_changes_nothing() -> None:
    """Needles of one witness, each of another tone, are measured as if each were alone."""
    image = grainy(3, (240, 180))
    witness = pixels(image)
    kept = witness._replace(made={})
    for gain in (1.0, 1.05, 1.0, 0.95):
        needle = pixels(scaled_tone(image, gain, 2))
        assert full_size.measure(needle, witness) == full_size.measure(needle, kept)
    assert {"cells", "coefficients", "spectrum"} == set(kept.made or ())


@pytest.mark.slow
@needs_shared_data("kodak")
def test_real_pictures() -> None:
    """Of six photos, every copy passes and no enlargement does; a changed 2,000th of the area is seen."""
    for path in sorted((SHARED_DATA / "kodak").iterdir())[:6]:
        with Image.open(path) as file:
            image = file.convert("RGB")
        for quality in (95, 75):
            assert objection(encoded(image, quality=quality), image, Facts(quality)) is None
            assert objection(image, encoded(image, quality=quality)) is None
        assert objection(image, enlarged(image, 2)) is not None
        assert objection(image, encoded(with_letters(image, (300, 200), 14), quality=90)) is not None
