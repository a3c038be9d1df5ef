"""Kinds of pairs whose loss is weak and spread out: light that falls otherwise, a lens that draws otherwise, colour
that lies otherwise.

Every edge is as sharp as before and no place stands out, so that neither detail nor the worst cell tells of them.
What would not show, less than two levels or a third of a pixel, makes no pair.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.edits import BICUBIC, LANCZOS, Case, Source, encode, resized
from benchmarks.filters import blurred_by, shows
from benchmarks.kinds import COPIES, LACKING, Make, PairKind
from benchmarks.lacking import changed_witness
from benchmarks.saving import decoded, jpeg, needle_file

Plane = NDArray[np.float32]
Change = Callable[[Image.Image, Random], "Image.Image | None"]

_LEAST_LEVELS = 2.0
"""By which 5% of the picture has to differ after it was blurred: less is seen by nobody."""
_LEAST_PIXELS = 0.3
"""By which a picture has to be moved at its corners."""


def _differs(image: Image.Image, changed: Image.Image, least: float = _LEAST_LEVELS) -> Image.Image | None:
    """Return ``changed`` where it differs enough in large and soft parts."""
    apart = [np.asarray(side.convert("L").reduce(8), np.int16) for side in (image, changed)]
    return changed if float(np.quantile(np.abs(apart[0] - apart[1]), 0.95)) >= least - 0.5 else None


def _around(image: Image.Image) -> tuple[Plane, Plane]:
    """Return how far each pixel lies from the middle, down and right, in halves of the longer side, (height, width)."""
    height, width = image.height, image.width
    down, right = np.mgrid[:height, :width].astype(np.float32)
    half = max(height, width) / 2
    return (down - (height - 1) / 2) / half, (right - (width - 1) / 2) / half


def _times(image: Image.Image, factor: Plane) -> Image.Image:
    pixels = np.asarray(image, np.float32) * factor[..., None]
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def _plus(image: Image.Image, levels: Plane, colors: tuple[float, float, float] = (1, 1, 1)) -> Image.Image:
    pixels = np.asarray(image, np.float32) + levels[..., None] * np.array(colors, np.float32)
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def _spot(image: Image.Image, dice: Random, least: float = 0.2, most: float = 0.5) -> Plane:
    """A soft spot, 1 in its middle: a lamp, a stain, a shadow."""
    down, right = _around(image)
    radius = dice.uniform(least, most)
    apart = np.hypot(down - dice.uniform(-0.4, 0.4), right - dice.uniform(-0.6, 0.6))
    return np.asarray(np.exp(-((apart / radius) ** 2)), np.float32)


def _ghost(source: Source, dice: Random) -> Image.Image | None:
    """Reflection, double exposure, a page that shines through."""
    other = source.other if dice.random() < 0.5 else ImageOps.mirror(source.image)
    return _differs(source.image, Image.blend(source.image, other, dice.uniform(0.018, 0.04)))


def _local_light(image: Image.Image, dice: Random) -> Image.Image | None:
    factor = 1 + dice.choice((-1, 1)) * dice.uniform(0.03, 0.06) * _spot(image, dice)
    return _differs(image, _times(image, factor))


def _vignette(image: Image.Image, dice: Random) -> Image.Image | None:
    down, right = _around(image)
    distance = (down**2 + right**2) / float(down.max() ** 2 + right.max() ** 2)
    return _differs(image, _times(image, 1 + dice.choice((-1, 1)) * dice.uniform(0.05, 0.1) * distance))


def _gradient(image: Image.Image, dice: Random) -> Image.Image | None:
    """A graduated filter, a scanner whose lamp is weaker on one side."""
    down, right = _around(image)
    angle, levels = dice.uniform(0, 2 * math.pi), dice.uniform(2, 5)
    ramp = math.sin(angle) * down + math.cos(angle) * right
    return _differs(image, _plus(image, np.asarray(levels * ramp / np.abs(ramp).max(), np.float32)))


def _stain(image: Image.Image, dice: Random) -> Image.Image | None:
    return _differs(image, _plus(image, dice.choice((-1, 1)) * dice.uniform(2, 4) * _spot(image, dice)))


def _coloured_light(image: Image.Image, dice: Random) -> Image.Image | None:
    """A lamp of another colour, which is as bright: yellowed paper, a cast on one side."""
    levels = dice.choice((-1, 1)) * dice.uniform(3, 6) * _spot(image, dice)
    tint = dice.choice(((0.7, 0.0, -1.87), (1.0, -0.51, 0.0)))
    changed = _plus(image, levels, tint)
    planes = (np.asarray(side.convert("YCbCr").reduce(8), np.int16)[..., 1:] for side in (image, changed))
    return changed if float(np.quantile(np.abs(np.subtract(*planes)).max(-1), 0.9)) >= _LEAST_LEVELS else None


def remapped(image: Image.Image, down: Plane, right: Plane) -> Image.Image:
    """Take each pixel from this place, in pixels, between four by a cubic kernel (Keys 1981, a = -0.5)."""
    pixels = np.asarray(image, np.float32)
    height, width = down.shape
    rows, columns = np.floor(down).astype(np.intp), np.floor(right).astype(np.intp)
    total = np.zeros(pixels.shape, np.float32)
    for step_down in (-1, 0, 1, 2):
        weight_down = _cubic(down - rows - step_down)
        row = np.clip(rows + step_down, 0, height - 1)
        for step_right in (-1, 0, 1, 2):
            weight = weight_down * _cubic(right - columns - step_right)
            column = np.clip(columns + step_right, 0, width - 1)
            total += pixels[row, column] * (weight if pixels.ndim == 2 else weight[..., None])
    return Image.fromarray(np.clip(total + 0.5, 0, 255).astype(np.uint8))


def _cubic(apart: Plane) -> Plane:
    far = np.abs(apart)
    near = (1.5 * far - 2.5) * far * far + 1
    outer = ((-0.5 * far + 2.5) * far - 4) * far + 2
    return np.asarray(np.where(far <= 1, near, np.where(far < 2, outer, 0)), np.float32)


def _moved(image: Image.Image, move_down: Plane, move_right: Plane) -> Image.Image | None:
    """Move by so many halves of the longer side, each (height, width)."""
    half = max(image.size) / 2
    if half * float(np.hypot(move_down, move_right).max()) < _LEAST_PIXELS:
        return None
    down, right = np.mgrid[: image.height, : image.width].astype(np.float32)
    changed = remapped(image, down + half * move_down, right + half * move_right)
    return changed if shows(image, changed, 1.5) else None


def _lens(image: Image.Image, dice: Random) -> Image.Image | None:
    """Barrel or pincushion, corrected; the picture is as large as before at its longer sides."""
    down, right = _around(image)
    bend = dice.choice((-1, 1)) * dice.uniform(0.0015, 0.004) * (down**2 + right**2 - 1)
    return _moved(image, bend * down, bend * right)


def _keystone(image: Image.Image, dice: Random) -> Image.Image | None:
    down, right = _around(image)
    lean = dice.choice((-1, 1)) * dice.uniform(0.0015, 0.004)
    return _moved(image, lean * down * down, lean * down * right)


def _rotated(image: Image.Image, dice: Random) -> Image.Image | None:
    down, right = _around(image)
    angle = dice.choice((-1, 1)) * math.radians(dice.uniform(0.08, 0.2))
    return _moved(image, angle * right, -angle * down)


def _sheared(image: Image.Image, dice: Random) -> Image.Image | None:
    """A rolling shutter before something that moves, or a scanner that is not square."""
    down, right = _around(image)
    lean = dice.choice((-1, 1)) * dice.uniform(0.0015, 0.004)
    none = np.zeros_like(down)
    return _moved(image, none, lean * down) if dice.random() < 0.5 else _moved(image, lean * right, none)


def color_moved(image: Image.Image, pixels: float, degrees: float) -> Image.Image | None:
    """Move Cb and Cr by so many pixels beside the brightness; None where that would not show."""
    luma, *planes = image.convert("YCbCr").split()
    down, right = np.mgrid[: image.height, : image.width].astype(np.float32)
    across, along = pixels * math.cos(math.radians(degrees)), pixels * math.sin(math.radians(degrees))
    moved = [remapped(plane, down + np.float32(along), right + np.float32(across)) for plane in planes]
    changed = Image.merge("YCbCr", (luma, *moved)).convert("RGB")
    apart = np.abs(np.asarray(image, np.int16) - np.asarray(changed, np.int16)).max(-1)
    return changed if float(np.quantile(apart, 0.98)) >= 4 else None


def _color_shifted(low: float, high: float, image: Image.Image, dice: Random) -> Image.Image | None:
    return color_moved(image, dice.uniform(low, high), dice.choice((0, 45, 90, 180)))


def _fringes(image: Image.Image, dice: Random) -> Image.Image | None:
    """Red and blue drawn larger than green, as a simple lens does, or that corrected."""
    down, right = _around(image)
    half = max(image.size) / 2
    rows, columns = np.mgrid[: image.height, : image.width].astype(np.float32)
    red, green, blue = image.split()
    scale = dice.choice((-1, 1)) * dice.uniform(0.001, 0.003)
    share = dice.uniform(-1, 0)
    moved = [
        remapped(plane, rows + half * by * down, columns + half * by * right)
        for plane, by in ((red, scale), (blue, scale * share))
    ]
    changed = Image.merge("RGB", (moved[0], green, moved[1]))
    apart = np.abs(np.asarray(image, np.int16) - np.asarray(changed, np.int16)).max(-1)
    return changed if half * abs(scale) >= _LEAST_PIXELS and float(np.quantile(apart, 0.98)) >= 4 else None


def _coarse_color(source: Source, dice: Random) -> Case | None:
    """Colour at a quarter of the size, as old video had it; the needle keeps it whole or halved."""
    luma, *planes = source.image.convert("YCbCr").split()
    coarse = (resized(plane, 1 / 4).resize(luma.size, BICUBIC) for plane in planes)
    changed = Image.merge("YCbCr", (luma, *coarse)).convert("RGB")
    apart = np.abs(np.asarray(source.image, np.int16) - np.asarray(changed, np.int16)).max(-1)
    return Case(jpeg(source.image, dice), jpeg(changed, dice)) if float(np.quantile(apart, 0.98)) >= 6 else None


def _ghosts(source: Source, dice: Random) -> Case | None:
    changed = _ghost(source, dice)
    return None if changed is None else Case(jpeg(source.image, dice), jpeg(changed, dice))


def _of_smaller(change: Change, source: Source, dice: Random) -> Case | None:
    """The needle was reduced by a messenger; the library's own was changed."""
    changed = change(source.image, dice)
    small = resized(source.image, dice.uniform(0.5, 0.9), dice.choice((LANCZOS, BICUBIC)))
    return None if changed is None else Case(jpeg(small, dice, 75, 95), jpeg(changed, dice))


def _of_poor(change: Change, source: Source, dice: Random) -> Case | None:
    changed = change(source.image, dice)
    return None if changed is None else Case(encode(source.image, quality=dice.randint(50, 75)), jpeg(changed, dice))


def _of_others(change: Change, source: Source, dice: Random) -> Case | None:
    changed = change(source.image, dice)
    kind = dice.choice(("HEIF", "AVIF", "WEBP", "PNG"))
    return None if changed is None else Case(needle_file(source.image, kind, dice), jpeg(changed, dice))


def _any_light(image: Image.Image, dice: Random) -> Image.Image | None:
    return dice.choice((_local_light, _vignette, _gradient, _stain))(image, dice)


def _any_lens(image: Image.Image, dice: Random) -> Image.Image | None:
    return dice.choice((_lens, _keystone, _rotated, _sheared))(image, dice)


_TUNED: dict[str, Make] = {
    "ghost of another picture": _ghosts,
    "soft spot of light": changed_witness(_local_light),
    "vignette": changed_witness(_vignette),
    "graduated light": changed_witness(_gradient),
    "soft stain": changed_witness(_stain),
    "spot of coloured light": changed_witness(_coloured_light),
    "lens correction": changed_witness(_lens),
    "keystone": changed_witness(_keystone),
    "turned by a tenth of a degree": changed_witness(_rotated),
    "sheared": changed_witness(_sheared),
    "colour moved by 1 to 1.5 pixels": changed_witness(partial(_color_shifted, 1, 1.5)),
    "colour moved by 2 to 3 pixels": changed_witness(partial(_color_shifted, 2, 3)),
    "coloured fringes": changed_witness(_fringes),
    "colour at a quarter of the size": _coarse_color,
    "smaller needle, other light": partial(_of_smaller, _any_light),
    "smaller needle, drawn otherwise": partial(_of_smaller, _any_lens),
    "smaller needle, colour moved": partial(_of_smaller, partial(_color_shifted, 2, 3)),
    "poor needle, other light": partial(_of_poor, _any_light),
    "poor needle, drawn otherwise": partial(_of_poor, _any_lens),
    "HEIC, AVIF, WebP or PNG, other light": partial(_of_others, _any_light),
    "HEIC, AVIF, WebP or PNG, drawn otherwise": partial(_of_others, _any_lens),
}


def _clarified(image: Image.Image, dice: Random) -> Image.Image | None:
    """Haze removed, or local contrast raised: what is brighter than all around it becomes brighter still."""
    pixels = np.asarray(image, np.float32)
    around = np.asarray(blurred_by(image, max(image.size) * dice.uniform(0.08, 0.2)), np.float32)
    changed = np.clip(pixels + dice.uniform(0.05, 0.1) * (pixels - around) + 0.5, 0, 255)
    return _differs(image, Image.fromarray(changed.astype(np.uint8)))


def _tone_mapped(image: Image.Image, dice: Random) -> Image.Image | None:
    """Dark parts lifted and bright ones held back, by little."""
    around = np.asarray(blurred_by(image.convert("L"), max(image.size) * 0.1), np.float32)
    factor = ((around + 1) / (float(around.mean()) + 1)) ** -dice.uniform(0.03, 0.06)
    return _differs(image, _times(image, np.asarray(factor, np.float32)))


def _dodged(image: Image.Image, dice: Random) -> Image.Image | None:
    """A few soft strokes of a brush that lightens, and of one that darkens."""
    factor = np.ones((image.height, image.width), np.float32)
    for _ in range(dice.randint(3, 6)):
        factor += dice.choice((-1, 1)) * np.float32(dice.uniform(0.03, 0.06)) * _spot(image, dice, 0.1, 0.25)
    return _differs(image, _times(image, factor))


def _evened(image: Image.Image, dice: Random) -> Image.Image | None:
    """Skin smoothed at a large radius: blotches are gone and pores are not."""
    fine, coarse = (blurred_by(image, max(image.size) * by) for by in (0.015, 0.06))
    blotches = np.asarray(fine, np.float32) - np.asarray(coarse, np.float32)
    levels = np.clip(blotches, -12, 12) * (dice.uniform(0.4, 0.8) * _spot(image, dice, 0.2, 0.4))[..., None]
    changed = np.clip(np.asarray(image, np.float32) - levels + 0.5, 0, 255).astype(np.uint8)
    return _differs(image, Image.fromarray(changed))


def _waved(image: Image.Image, dice: Random) -> Image.Image | None:
    """Paper that was not flat, a scanner that ran unevenly: rows are moved to and fro."""
    down, _ = _around(image)
    pixels = dice.uniform(0.5, 1.0) * max(image.size) / 500
    wave = np.sin(down * math.pi * dice.uniform(0.8, 1.6) + dice.uniform(0, 6)) * (pixels / (max(image.size) / 2))
    return _moved(image, np.zeros_like(down), np.asarray(wave, np.float32))


def _pinched(image: Image.Image, dice: Random) -> Image.Image | None:
    """A cheek or a waist made slimmer."""
    down, right = _around(image)
    spot = _spot(image, dice, 0.15, 0.3) * np.float32(dice.uniform(0.004, 0.01))
    return _moved(image, np.zeros_like(down), spot * np.sign(right))


def _stitched(image: Image.Image, dice: Random) -> Image.Image | None:
    """Two shots of a panorama that meet half a pixel beside each other, blended over a tenth of the width."""
    down, right = _around(image)
    share = 1 / (1 + np.exp(-right / 0.05))
    moved = dice.uniform(0.5, 1.0) * max(image.size) / 500 / (max(image.size) / 2)
    return _moved(image, np.asarray(share * moved, np.float32), np.zeros_like(down))


def _edge_lost(source: Source, dice: Random) -> Case | None:
    """A pixel or two at the edges cut off, and the rest enlarged to the size that it had."""
    image = source.image
    left, top = dice.uniform(0.3, 1.5), dice.uniform(0.3, 1.5)
    changed = image.resize(image.size, BICUBIC, (left, top, image.width, image.height))
    return Case(jpeg(image, dice), jpeg(changed, dice)) if shows(image, changed, 1.5) else None


def _colour_run(image: Image.Image, dice: Random) -> Image.Image | None:
    """Colour that was scanned line by line and lies further off the further down it is."""
    luma, *planes = image.convert("YCbCr").split()
    down, right = np.mgrid[: image.height, : image.width].astype(np.float32)
    shift = down / image.height * dice.uniform(2, 4)
    changed = Image.merge("YCbCr", (luma, *(remapped(plane, down, right + shift) for plane in planes))).convert("RGB")
    apart = np.abs(np.asarray(image, np.int16) - np.asarray(changed, np.int16)).max(-1)
    return changed if float(np.quantile(apart, 0.98)) >= 4 else None


def _faded_corner(image: Image.Image, dice: Random) -> Image.Image | None:
    """A print that the sun has bleached on one side: less colour there."""
    down, right = _around(image)
    share = np.clip(0.5 + 0.5 * (right if dice.random() < 0.5 else down), 0, 1) ** 2 * np.float32(
        dice.uniform(0.2, 0.4)
    )
    gray = np.asarray(image.convert("L"), np.float32)[..., None]
    pixels = np.asarray(image, np.float32)
    changed = Image.fromarray(np.clip(pixels + (gray - pixels) * share[..., None] + 0.5, 0, 255).astype(np.uint8))
    planes = (np.asarray(side.convert("YCbCr").reduce(8), np.int16)[..., 1:] for side in (image, changed))
    return changed if float(np.quantile(np.abs(np.subtract(*planes)).max(-1), 0.9)) >= _LEAST_LEVELS else None


def _resaved(source: Source, dice: Random) -> Case:
    """A copy of a copy by two formats, as a phone and then a cloud make them."""
    first = decoded(needle_file(source.image, dice.choice(("HEIF", "WEBP", "AVIF")), dice))
    return Case(encode(first, quality=dice.randint(60, 92), subsampling=dice.choice((0, 1, 2))), source.data)


def _plain_sky(source: Source, dice: Random) -> Case:
    """Mostly an even gradient, as a sky is: what a codec rounds there is rounded alike over a large part."""
    height, width = source.image.height, source.image.width
    sky = np.linspace(dice.randint(90, 160), dice.randint(170, 230), height, dtype=np.float32)[:, None, None]
    colors = np.array([0.75, 0.9, 1.1], np.float32) * sky * np.ones((1, width, 1), np.float32)
    picture = Image.fromarray(np.clip(colors, 0, 255).astype(np.uint8))
    picture.paste(source.image.crop((0, height * 2 // 3, width, height)), (0, height * 2 // 3))
    return Case(encode(picture, quality=dice.randint(55, 92)), encode(picture, quality=dice.randint(88, 97)))


_HELD_OUT: dict[str, Make] = {
    "held out: haze removed": changed_witness(_clarified),
    "held out: tone mapped": changed_witness(_tone_mapped),
    "held out: dodged and burnt": changed_witness(_dodged),
    "held out: skin evened": changed_witness(_evened),
    "held out: paper not flat": changed_witness(_waved),
    "held out: pinched": changed_witness(_pinched),
    "held out: stitched": changed_witness(_stitched),
    "held out: an edge cut off, enlarged": _edge_lost,
    "held out: colour runs away": changed_witness(_colour_run),
    "held out: bleached on one side": changed_witness(_faded_corner),
}
_HELD_OUT_COPIES: dict[str, Make] = {
    "held out: saved by two formats": _resaved,
    "held out: mostly sky": _plain_sky,
}
SMOOTH_KINDS = tuple(PairKind(name, LACKING, make) for name, make in _TUNED.items())
HELD_OUT_SMOOTH_KINDS = (
    *(PairKind(name, LACKING, make) for name, make in _HELD_OUT.items()),
    *(PairKind(name, COPIES, make) for name, make in _HELD_OUT_COPIES.items()),
)
