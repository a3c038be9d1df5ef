"""Pairs of photos whose witness lacks what a person would miss: sharpness, a censored face, colour, fine quality.

Each kind draws its strength from a range, so that no bound can be fitted to a single value. What does not show in a
photo, such as a blurred sky, makes no pair of it. :mod:`benchmarks.lacking_more` has kinds beyond these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from benchmarks.drawing import random_date, stamped
from benchmarks.edits import LANCZOS, Case, Source, encode, resized
from benchmarks.filters import (
    blurred_by,
    changed_where_it_shows,
    colourfulness,
    enlarged,
    log_uniform,
    mosaic,
    moved_by,
    random_box,
    scaled,
    shows,
    smoothed,
    toned,
)
from benchmarks.kinds import LACKING, Make, PairKind
from benchmarks.saving import decoded, jpeg, needle_file
from fixtures import pictures

_SOFT_LEVELS = 1.5
"""Mean difference in grey levels over a blurred subject; 8 bits and a good look show it on edges."""
_SOFTER_LEVELS = 3.0
"""The same in the twentieth of the picture that has most detail."""
_CENSORED_LEVELS = 8.0
_COLOUR_LEVELS = 8.0
"""Distance from grey, in levels of Cb or Cr, that a twentieth of a picture reaches whose colour a person sees."""


def changed_witness(change: Callable[[Image.Image, Random], Image.Image | None]) -> Make:
    """Make pairs whose witness went through ``change``, both JPEG; the needle may be the file as it is."""

    def make(source: Source, dice: Random) -> Case | None:
        changed = change(source.image, dice)
        if changed is None:
            return None
        needle = source.data if dice.random() < 0.3 else jpeg(source.image, dice)
        return Case(needle, jpeg(changed, dice))

    return make


def defocused_subject(image: Image.Image, dice: Random) -> Image.Image | None:
    """Blur a subject of a ninth of the area by 2 to 12 pixels at 12 megapixels."""
    sigma = scaled(image, log_uniform(dice, 2, 12), 0.7)
    return changed_where_it_shows(
        image, 1 / 9, lambda part: blurred_by(part, sigma), dice, least=_SOFT_LEVELS, is_soft=True
    )


def _where_it_shows(change: Callable[[Image.Image, Random], Image.Image]) -> Make:
    def checked(image: Image.Image, dice: Random) -> Image.Image | None:
        changed = change(image, dice)
        return changed if shows(image, changed, _SOFTER_LEVELS) else None

    return changed_witness(checked)


def _softer(image: Image.Image, dice: Random) -> Image.Image:
    return blurred_by(image, scaled(image, dice.uniform(1.7, 2.5), dice.uniform(0.7, 1.0)))


def _shaken(image: Image.Image, dice: Random) -> Image.Image:
    return moved_by(image, scaled(image, dice.uniform(8, 13), dice.uniform(2.5, 4)), dice.uniform(0, 180))


def _denoised(image: Image.Image, dice: Random) -> Image.Image:
    if dice.random() < 0.3:
        return image.filter(ImageFilter.MedianFilter(5))
    return smoothed(image, round(scaled(image, 5, 2)), dice.uniform(14, 24))


def _enlarged_and_sharpened(scale: float, image: Image.Image, dice: Random) -> Image.Image:
    sharp = ImageFilter.UnsharpMask(dice.uniform(1, 2.5), dice.randint(60, 150), 0)
    return enlarged(image, scale, dice.choice((LANCZOS, Image.Resampling.BICUBIC))).filter(sharp)


def _enlarged_from_half(image: Image.Image, dice: Random) -> Image.Image:
    return enlarged(image, dice.uniform(0.45, 0.6), dice.choice((LANCZOS, Image.Resampling.BICUBIC)))


def _censored(share: float, blocks: int, image: Image.Image, dice: Random) -> Image.Image | None:
    area, count = share * dice.uniform(0.8, 1.25), blocks + dice.randint(-1, 2)
    return changed_where_it_shows(image, area, lambda part: mosaic(part, count), dice, least=_CENSORED_LEVELS)


def _blurred_patch(share: float, image: Image.Image, dice: Random) -> Image.Image | None:
    sigma = image.width / 100 * dice.uniform(0.8, 1.3)
    area = share * dice.uniform(0.8, 1.25)
    return changed_where_it_shows(image, area, lambda part: blurred_by(part, sigma), dice, least=4.0, is_soft=True)


def _without_colour(source: Source, dice: Random) -> Case | None:
    """A weakly coloured photo, by nature or faded, and its black-and-white copy."""
    image = source.image
    strength = colourfulness(image)
    if strength > 14:
        image = ImageEnhance.Color(image).enhance(dice.uniform(9, 14) / strength)
    if colourfulness(image) < _COLOUR_LEVELS:
        return None
    grey = image.convert("L")
    return Case(jpeg(image, dice), jpeg(grey if dice.random() < 0.5 else grey.convert("RGB"), dice))


def _stamped(image: Image.Image, dice: Random) -> Image.Image:
    return stamped(image, dice, random_date(dice), dice.uniform(0.018, 0.03))


def _coloured(low: float, high: float, image: Image.Image, dice: Random) -> Image.Image | None:
    if colourfulness(image) < _COLOUR_LEVELS:
        return None
    changed = ImageEnhance.Color(image).enhance(dice.uniform(low, high))
    moved = np.abs(np.asarray(image.convert("YCbCr"), np.int16) - np.asarray(changed.convert("YCbCr"), np.int16))
    return changed if float(np.quantile(moved[::4, ::4, 1:].max(-1), 0.9)) >= 4 else None


def _recoloured(image: Image.Image, dice: Random) -> Image.Image | None:
    """Turn the hue of an object of 0.3% of the area; its brightness stays."""
    turn = dice.randint(60, 196)

    def recoloured(part: Image.Image) -> Image.Image:
        hue, saturation, _ = part.convert("HSV").split()
        hue = hue.point([(level + turn) % 256 for level in range(256)])
        saturation = saturation.point([max(level, 90) for level in range(256)])
        other = Image.merge("HSV", (hue, saturation, part.convert("HSV").split()[2])).convert("YCbCr")
        return Image.merge("YCbCr", (part.convert("L"), *other.split()[1:])).convert("RGB")

    for _ in range(20):
        box = random_box(image, 0.003 * dice.uniform(0.9, 1.3), dice)
        before = image.crop(box)
        after = recoloured(before)
        moved = np.abs(np.asarray(before, np.int16) - np.asarray(after, np.int16)).max(-1).mean()
        if moved >= 30:
            changed = image.copy()
            changed.paste(after, box)
            return changed
    return None


def _dark_scene(source: Source, dice: Random) -> Case:
    """A scene with little light, and the same exposed a third of a stop less or more."""
    mean = float(np.asarray(source.image.convert("L").resize((64, 64))).mean())
    scene = toned(source.image, min(1.0, dice.uniform(18, 45) / max(mean, 1)))
    stops = dice.choice((-1, 1)) * dice.uniform(0.3, 0.4)
    return Case(jpeg(scene, dice), jpeg(toned(scene, 2 ** (stops / 2.2)), dice))


def _coarse_then_fine(source: Source, dice: Random) -> Case:
    coarse = decoded(encode(source.image, quality=dice.randint(18, 23)))
    return Case(jpeg(source.image, dice, 92, 97), encode(coarse, quality=dice.randint(90, 95)))


def _worse_file(needles: tuple[str, ...], kind: str, low: int, high: int, source: Source, dice: Random) -> Case:
    """A good needle of one of these formats beside a witness of poor quality."""
    options: dict[str, Any] = {"method": 1} if kind == "WEBP" else {"speed": 10} if kind == "AVIF" else {}
    witness = encode(source.image, kind, quality=dice.randint(low, high), **options)
    return Case(needle_file(source.image, dice.choice(needles), dice), witness)


def _few_colours(source: Source, dice: Random) -> Case:
    method = dice.choice((Image.Quantize.MEDIANCUT, Image.Quantize.FASTOCTREE))
    dither = dice.choice((Image.Dither.NONE, Image.Dither.FLOYDSTEINBERG))
    palette = source.image.quantize(256, method)
    few = source.image.quantize(256, palette=palette, dither=dither)
    kind = dice.choice(("PNG", "JPEG"))
    return Case(needle_file(source.image, kind, dice), encode(few, "PNG", compress_level=1))


def _jpeg_2000(source: Source, dice: Random) -> Case:
    rate = dice.uniform(55, 75)
    witness = encode(source.image, "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[rate])
    return Case(encode(source.image, "PNG", **pictures.QUICKLY["PNG"]), witness)


def _three_times_the_bits(source: Source, dice: Random) -> Case | None:
    """An original, and a copy of the same size in a third of its bytes or less."""
    needle = encode(source.image, quality=dice.randint(95, 99), subsampling=0)
    for quality in range(dice.randint(45, 75), 39, -3):
        witness = encode(source.image, quality=quality)
        if 3.2 * len(witness) <= len(needle):
            return Case(needle, witness)
    return None


def _cropped_size(source: Source, dice: Random) -> Case:
    """The witness was reduced to between a half and nine tenths."""
    small = resized(source.image, dice.uniform(0.5, 0.9))
    return Case(jpeg(source.image, dice), jpeg(small, dice, 92, 97))


_NOT_JPEG = ("PNG", "HEIF", "AVIF", "WEBP")


def _kinds() -> dict[str, Make]:
    worse = {
        f"{'/'.join(needles)}, witness {kind} q{low}-{high}": partial(_worse_file, needles, kind, low, high)
        for needles, kind, low, high in (
            (_NOT_JPEG, "JPEG", 7, 9), (_NOT_JPEG, "JPEG", 14, 16), (("HEIF",), "JPEG", 17, 19),
            (_NOT_JPEG, "JPEG", 23, 26), (_NOT_JPEG, "WEBP", 7, 11), (("PNG",), "WEBP", 7, 9),
            (("JPEG", "PNG"), "WEBP", 18, 22), (("PNG",), "AVIF", 17, 22),
        )
    }  # fmt: skip
    return {
        "subject out of focus": changed_witness(defocused_subject),
        "whole picture softer": _where_it_shows(_softer),
        "shaken": _where_it_shows(_shaken),
        "strong noise reduction": _where_it_shows(_denoised),
        "enlarged from a quarter, sharpened": _where_it_shows(partial(_enlarged_and_sharpened, 0.25)),
        "enlarged from half, sharpened": _where_it_shows(partial(_enlarged_and_sharpened, 0.5)),
        "enlarged from half": _where_it_shows(_enlarged_from_half),
        "1% pixelated into 6": changed_witness(partial(_censored, 0.01, 6)),
        "2% pixelated into 8": changed_witness(partial(_censored, 0.02, 8)),
        "4% pixelated into 12": changed_witness(partial(_censored, 0.04, 12)),
        "2% blurred": changed_witness(partial(_blurred_patch, 0.02)),
        "4% blurred": changed_witness(partial(_blurred_patch, 0.04)),
        "black and white, of weak colour": _without_colour,
        "small stamp": changed_witness(_stamped),
        "colour 1.6": changed_witness(partial(_coloured, 1.5, 1.7)),
        "colour 0.8": changed_witness(partial(_coloured, 0.77, 0.83)),
        "0.3% recoloured": changed_witness(_recoloured),
        "a third of a stop, dark scene": _dark_scene,
        "q20, then q92": _coarse_then_fine,
        "256 colours": _few_colours,
        "PNG, witness JPEG 2000 60:1": _jpeg_2000,
        "three times the bits": _three_times_the_bits,
        "witness smaller": _cropped_size,
        **worse,
    }


LACKING_KINDS = tuple(PairKind(name, LACKING, make) for name, make in _kinds().items())
