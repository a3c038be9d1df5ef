"""What loses detail in pictures, and whether the loss shows: filters and measures that the kinds of pairs are made of.

Pure: pixels in, pixels out. Lengths are given for a picture of 12 megapixels, as people know them from phones, and
:func:`scaled` brings them to the size of the picture at hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.edits import LANCZOS, grey_difference

Box = tuple[int, int, int, int]
Change = Callable[[Image.Image], Image.Image]
Plane = NDArray[np.float32]

WIDTH_OF_12_MEGAPIXELS = 4032
_ATTEMPTS = 20


def scaled(image: Image.Image, pixels: float, least: float) -> float:
    """Return a length given for 12 megapixels at the size of ``image``, but no less than ``least`` pixels."""
    return max(least, pixels * max(image.size) / WIDTH_OF_12_MEGAPIXELS)


def log_uniform(dice: Random, low: float, high: float) -> float:
    """Return a number between the two whose logarithm is uniform: as often from 2 to 4 as from 4 to 8."""
    return math.exp(dice.uniform(math.log(low), math.log(high)))


def blurred_by(image: Image.Image, sigma: float) -> Image.Image:
    """Blur by a Gaussian of ``sigma`` pixels."""
    return image.filter(ImageFilter.GaussianBlur(sigma))


def moved_by(image: Image.Image, length: float, degrees: float) -> Image.Image:
    """Blur along a line of ``length`` pixels: the camera shook during the exposure."""
    pixels = np.asarray(image, np.uint8)
    steps = max(3, round(length) + 1)
    total = np.zeros(pixels.shape, np.uint16)
    across, down = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    for step in range(steps):
        offset = (step / (steps - 1) - 0.5) * length
        total += np.roll(pixels, (round(offset * down), round(offset * across)), (0, 1))
    return Image.fromarray(((total + steps // 2) // steps).astype(np.uint8))


def enlarged(image: Image.Image, scale: float, how: Image.Resampling = LANCZOS) -> Image.Image:
    """Reduce by ``scale`` and enlarge again to the same size."""
    small = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), LANCZOS)
    return small.resize(image.size, how)


def mosaic(image: Image.Image, blocks: int) -> Image.Image:
    """Pixelate into ``blocks`` blocks across."""
    down = max(1, round(blocks * image.height / image.width))
    return image.resize((blocks, down), Image.Resampling.BOX).resize(image.size, Image.Resampling.NEAREST)


def smoothed(image: Image.Image, radius: int, levels: float) -> Image.Image:
    """Remove noise and fine texture, but keep edges of more than ``levels``: the guided filter of He et al. (2013)."""
    planes = [_guided(np.asarray(plane, np.float32), radius, levels) for plane in image.split()]
    return Image.merge(image.mode, [Image.fromarray(np.clip(plane + 0.5, 0, 255).astype(np.uint8)) for plane in planes])


def _guided(plane: Plane, radius: int, levels: float) -> Plane:
    mean = _box_mean(plane, radius)
    variance = _box_mean(plane * plane, radius) - mean * mean
    share = np.asarray(variance / (variance + levels * levels), np.float32)
    offset = np.asarray(mean * (1 - share), np.float32)
    return np.asarray(_box_mean(share, radius) * plane + _box_mean(offset, radius), np.float32)


def _box_mean(plane: Plane, radius: int) -> Plane:
    """Return the mean of the square of ``2 * radius + 1`` pixels around each; the edge is continued."""
    side = 2 * radius + 1
    for axis in (0, 1):
        margin = [(0, 0), (0, 0)]
        margin[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(plane, margin, "edge"), axis, np.float64)
        ends = np.take(sums, range(side, sums.shape[axis]), axis)
        starts = np.take(sums, range(sums.shape[axis] - side), axis)
        plane = ((ends - starts) / side).astype(np.float32)
    return plane


def noisy(image: Image.Image, sigma: float, dice: Random) -> Image.Image:
    """Add the noise of a sensor: ``sigma`` levels, half of it common to the three colours."""
    source = np.random.Generator(np.random.PCG64(dice.getrandbits(32)))
    pixels = np.asarray(image, np.float32)
    grain = source.standard_normal(pixels.shape[:2], np.float32)[..., None] * np.float32(0.8 * sigma)
    grain = grain + source.standard_normal(pixels.shape, np.float32) * np.float32(0.6 * sigma)
    return Image.fromarray(np.clip(pixels + grain + 0.5, 0, 255).astype(np.uint8))


def toned(image: Image.Image, factor: float) -> Image.Image:
    """Multiply every level, as exposure does."""
    return image.point([min(255, round(level * factor)) for level in range(256)] * len(image.getbands()))


def random_box(image: Image.Image, share: float, dice: Random, aspect: float = 1.0) -> Box:
    """Return a box of ``share`` of the area, its centre in the middle three fifths, where people are."""
    area = share * image.width * image.height
    width = min(image.width, max(4, round(math.sqrt(area * aspect))))
    height = min(image.height, max(4, round(math.sqrt(area / aspect))))
    left = round(dice.uniform(0.2, 0.8) * image.width - width / 2)
    top = round(dice.uniform(0.2, 0.8) * image.height - height / 2)
    left, top = min(max(0, left), image.width - width), min(max(0, top), image.height - height)
    return left, top, left + width, top + height


def changed_where_it_shows(
    image: Image.Image, share: float, change: Change, dice: Random, *, least: float, is_soft: bool = False
) -> Image.Image | None:
    """Return ``image`` with a part changed that differs by ``least`` grey levels on average; None where none does.

    ``is_soft`` changes an ellipse with a soft edge instead of a rectangle.
    """
    for _ in range(_ATTEMPTS):
        box = random_box(image, share, dice, dice.uniform(0.7, 1.4))
        before = image.crop(box)
        after = change(before)
        if grey_difference(before, after).mean() >= least:
            changed = image.copy()
            changed.paste(after, box[:2], ellipse(before.size) if is_soft else None)
            return changed
    return None


def ellipse(size: tuple[int, int], softness: float = 0.04) -> Image.Image:
    """Return a mask of ``size``: an ellipse with an edge as soft as ``softness`` of its width."""
    mask = Image.new("L", size)
    inset_across, inset_down = size[0] * softness, size[1] * softness
    ImageDraw.Draw(mask).ellipse((inset_across, inset_down, size[0] - inset_across, size[1] - inset_down), fill=255)
    return blurred_by(mask, size[0] * softness / 2)


def shows(before: Image.Image, after: Image.Image, least: float) -> bool:
    """Tell whether a twentieth of the picture, in blocks of 1/64 of its width, differs by ``least`` grey levels."""
    return worst_blocks(before, after, 0.95) >= least


def worst_blocks(before: Image.Image, after: Image.Image, share: float) -> float:
    """Return the mean difference in grey levels of the block at that share of all blocks, 1 for the worst."""
    side = max(4, max(before.size) // 64)
    difference = grey_difference(before, after)
    rows, columns = difference.shape[0] // side, difference.shape[1] // side
    blocks = difference[: rows * side, : columns * side].reshape(rows, side, columns, side).mean((1, 3))
    return float(np.quantile(blocks, share))


def changed_share(before: Image.Image, after: Image.Image, levels: int = 20) -> float:
    """Return the share of the pixels that differ by ``levels`` or more in some colour."""
    difference = np.abs(np.asarray(before, np.int16) - np.asarray(after, np.int16))
    return float((difference.max(-1) >= levels).mean())


def colourfulness(image: Image.Image, share: float = 0.95) -> float:
    """Return how far Cb or Cr lies from grey, in levels, at that share of the pixels, in 64 x 64."""
    small = np.asarray(image.convert("YCbCr").resize((64, 64), Image.Resampling.BOX), np.int16)[..., 1:]
    return float(np.quantile(np.abs(small - 128).max(-1), share))
