"""Kinds of pairs whose needle is smaller than the witness, reduced as programs do it: with which kernel is not known.

By the wrong kernel a copy seems to have noise of its own, and in that noise a changed figure hides.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.drawing import another, digits, font
from benchmarks.edits import Case, Source
from benchmarks.filters import blurred_by, enlarged
from benchmarks.fine_kinds import marked, wire
from benchmarks.kinds import COPIES, LACKING, Make, PairKind
from benchmarks.mixed_kinds import changed_part
from benchmarks.saving import jpeg, needle_file

Reduce = Callable[[Image.Image, tuple[int, int]], Image.Image]
Pair = tuple[Image.Image, Image.Image]
"""What the needle is reduced from, and the witness."""

_KERNELS = {
    "Lanczos": Image.Resampling.LANCZOS,
    "averages": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "every so many pixels": Image.Resampling.NEAREST,
}
_LEAST_SIDE = 128


def _resized(kernel: Image.Resampling, image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, kernel)


def _sharpened(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """As programs that export for a screen do."""
    return image.resize(size, Image.Resampling.LANCZOS).filter(ImageFilter.UnsharpMask(0.6, 40, 0))


def _between_four(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Interpolate between the four pixels around each place: OpenCV's default, and that of many video chips."""
    across, down = image.width / size[0], image.height / size[1]
    return image.transform(size, Image.Transform.AFFINE, (across, 0, 0, 0, down, 0), Image.Resampling.BILINEAR)


def _blurred_before(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Blur by a Gaussian first, as scikit-image does."""
    return blurred_by(image, 0.5 * image.width / size[0]).resize(size, Image.Resampling.BICUBIC)


def _halved(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Halve as often as possible and interpolate the rest: the levels of detail of graphics chips."""
    while image.width >= 2 * size[0]:
        image = image.reduce(2)
    return _between_four(image, size)


def _in_linear_light(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Average the light and not its numbers."""
    light = (np.asarray(image, np.float32) / 255) ** np.float32(2.2)
    planes = [Image.fromarray(light[..., band]).resize(size, Image.Resampling.BICUBIC) for band in range(3)]
    levels = np.stack([np.asarray(plane) for plane in planes], -1).clip(0, 1) ** np.float32(1 / 2.2)
    return Image.fromarray(np.rint(levels * 255).astype(np.uint8))


def _twice(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Reduce in two steps: a copy of a copy."""
    between = tuple(round(math.sqrt(whole * part)) for whole, part in zip(image.size, size, strict=True))
    return image.resize((between[0], between[1]), Image.Resampling.BICUBIC).resize(size, Image.Resampling.LANCZOS)


def _smaller(image: Image.Image, dice: Random) -> tuple[int, int] | None:
    """Return the size of a needle; None where it would be too small."""
    factor = dice.uniform(0.35, 0.97)
    size = round(image.width * factor), round(image.height * factor)
    return size if min(size) >= _LEAST_SIDE else None


def _copy(reduce: Reduce, source: Source, dice: Random) -> Case | None:
    size = _smaller(source.image, dice)
    if size is None:
        return None
    small = reduce(source.image, size)
    kind = dice.choice(("JPEG", "JPEG", "WEBP", "PNG", "HEIF"))
    needle = jpeg(small, dice, 65, 95) if kind == "JPEG" else needle_file(small, kind, dice)
    return Case(needle, source.data if dice.random() < 0.5 else jpeg(source.image, dice, 85, 95))


def _siblings(low: float, high: float, source: Source, dice: Random) -> Case | None:
    """Two copies of one original, reduced by two programs: the witness is larger by so many times."""
    ways = list({**_TUNED, **_HELD_OUT}.values())
    factor = dice.uniform(0.5, 0.95)
    scale = dice.uniform(low, high)
    sizes = [tuple(round(side * share) for side in source.image.size) for share in (factor, factor / scale)]
    if min(sizes[1]) < _LEAST_SIDE:
        return None
    witness, needle = (dice.choice(ways)(source.image, (size[0], size[1])) for size in sizes)
    return Case(jpeg(needle, dice, 65, 90), jpeg(witness, dice, 72, 92))


def _part(image: Image.Image, _: float, dice: Random) -> Pair | None:
    changed = changed_part(image, dice)
    return None if changed is None else (image, changed)


def _figure(image: Image.Image, scale: float, dice: Random) -> Pair | None:
    """A number of which one figure is another, of 10 to 16 pixels' height in the needle."""
    height = round(dice.uniform(10, 16) * scale)
    if 5 * height > image.width or 3 * height > image.height:
        return None
    text = digits(dice, 5)
    place = dice.randrange(4, image.width - 4 * height), dice.randrange(4, image.height - 2 * height)
    sides = []
    for words in (text, another(text, dice)):
        side = image.copy()
        ground = side.resize((1, 1), Image.Resampling.BOX, box=(*place, place[0] + 4 * height, place[1] + height))
        is_light = ground.convert("L").tobytes()[0] > 127
        ImageDraw.Draw(side).text(place, words, (25, 25, 25) if is_light else (235, 235, 230), font(height))
        sides.append(side)
    return sides[0], sides[1]


def _wire(image: Image.Image, scale: float, dice: Random) -> Pair:
    """A wire, 1 to 2 pixels thick in the needle."""
    mask = Image.new("L", image.size)
    wire(mask, dice, width=round(dice.uniform(1.1, 2) * scale))
    return marked(image, mask, dice), image


def _enlarged(image: Image.Image, scale: float, dice: Random) -> Pair:
    """The library's copy has no more than a picture of 0.45 to 0.7 of the needle's size."""
    return image, enlarged(image, dice.uniform(0.45, 0.7) / scale)


def _lacking(
    change: Callable[[Image.Image, float, Random], Pair | None], reduce: Reduce, source: Source, dice: Random
) -> Case | None:
    size = _smaller(source.image, dice)
    pair = None if size is None else change(source.image, source.image.width / size[0], dice)
    if size is None or pair is None:
        return None
    return Case(jpeg(reduce(pair[0], size), dice, 75, 95), jpeg(pair[1], dice, 80, 95))


_TUNED: dict[str, Reduce] = {
    **{f"by {name}": partial(_resized, kernel) for name, kernel in _KERNELS.items()},
    "and sharpened": _sharpened,
}
_HELD_OUT: dict[str, Reduce] = {
    "between four pixels": _between_four,
    "blurred before": _blurred_before,
    "halved": _halved,
    "in linear light": _in_linear_light,
    "twice": _twice,
}
_CHANGES = {
    "a part changed": _part,
    "a figure changed": _figure,
    "a wire lost": _wire,
    "enlarged from less": _enlarged,
}


def _kinds(ways: dict[str, Reduce]) -> tuple[PairKind, ...]:
    copies: dict[str, Make] = {f"smaller, reduced {how}": partial(_copy, reduce) for how, reduce in ways.items()}
    lacking: dict[str, Make] = {
        f"smaller, reduced {how}: {what}": partial(_lacking, change, reduce)
        for how, reduce in ways.items()
        for what, change in _CHANGES.items()
    }
    return (
        *(PairKind(name, LACKING, make) for name, make in lacking.items()),
        *(PairKind(name, COPIES, make) for name, make in copies.items()),
    )


_SIBLINGS: dict[str, Make] = {
    "siblings of nearly one size": partial(_siblings, 1.005, 1.1),
    "siblings, the witness larger": partial(_siblings, 1.3, 2.5),
}
REDUCED_KINDS = *_kinds(_TUNED), *(PairKind(name, COPIES, make) for name, make in _SIBLINGS.items())
HELD_OUT_REDUCED_KINDS = _kinds(_HELD_OUT)
