"""Kinds of pairs in which only something small and fine is lost: wires, stars, figures, the brightest tones.

Each is drawn as strong as it has to be for a person to see it where it lies: a wire of 20 levels shows before the sky
and not before leaves.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from benchmarks.drawing import another, digits, font
from benchmarks.edits import Case, Source, encode
from benchmarks.filters import noisy, toned
from benchmarks.kinds import LACKING, Make, PairKind
from benchmarks.lacking import changed_witness
from benchmarks.saving import jpeg
from fixtures import pictures

Draw = Callable[[Image.Image, Random], None]

_LEAST_LEVELS, _TIMES_TEXTURE = 20, 2.5
"""How strong a mark is drawn: so many levels, or so many times the texture that it lies on."""


def _texture(image: Image.Image, where: Image.Image) -> float:
    """Return the mean step to the next pixel, in levels, where the mask is not 0."""
    gray = np.asarray(image.convert("L"), np.int16)
    steps = np.abs(np.diff(gray, axis=1, append=gray[:, -1:])) + np.abs(np.diff(gray, axis=0, append=gray[-1:]))
    return float(steps[np.asarray(where.filter(ImageFilter.MaxFilter(9))) > 0].mean() / 2)


def marked(image: Image.Image, mask: Image.Image, dice: Random) -> Image.Image:
    """Draw a mask onto the picture, darker or lighter, as strong as is needed there."""
    levels = round(max(_LEAST_LEVELS, _TIMES_TEXTURE * _texture(image, mask)) * dice.uniform(1, 1.8))
    marks = mask.point([level * min(levels, 255) // 255 for level in range(256)]).convert("L")
    gray = float(np.asarray(image.convert("L"))[np.asarray(mask) > 0].mean())
    paint = ImageChops.subtract if gray > 127 else ImageChops.add
    return paint(image, Image.merge("RGB", (marks,) * 3))


def _pair(with_marks: Image.Image, without: Image.Image, dice: Random) -> Case:
    """A good needle with the marks, PNG or JPEG, and a witness of a quality that is usual."""
    is_png = dice.random() < 0.3
    needle = encode(with_marks, "PNG", **pictures.QUICKLY["PNG"]) if is_png else jpeg(with_marks, dice, 90, 97)
    return Case(needle, jpeg(without, dice, 75, 95))


def _lost(draw: Draw) -> Make:
    """Pairs whose needle has what ``draw`` draws into a mask."""

    def make(source: Source, dice: Random) -> Case:
        mask = Image.new("L", source.image.size)
        draw(mask, dice)
        return _pair(marked(source.image, mask, dice), source.image, dice)

    return make


def wire(mask: Image.Image, dice: Random, width: int = 1) -> None:
    """Draw a wire of so many pixels from side to side."""
    ends = [dice.uniform(0.05, 0.95) * mask.height for _ in range(2)]
    ImageDraw.Draw(mask).line((0, ends[0], mask.width, ends[1]), fill=255, width=width)


def _stars(mask: Image.Image, dice: Random) -> None:
    """Stars of a pixel each, of all brightnesses."""
    for _ in range(dice.randint(15, 150)):
        mask.putpixel((dice.randrange(mask.width), dice.randrange(mask.height)), dice.randint(110, 255))


def _night(source: Source, dice: Random) -> Case:
    """The sky of a night, with its noise, and stars that a program took for noise."""
    sky = noisy(toned(source.image, dice.uniform(0.08, 0.25)), dice.uniform(0.5, 3), dice)
    mask = Image.new("L", sky.size)
    _stars(mask, dice)
    return _pair(marked(sky, mask, dice), sky, dice)


def _crack(mask: Image.Image, dice: Random) -> None:
    """A hairline crack, an eighth of the picture long."""
    x, y = dice.uniform(0.2, 0.8) * mask.width, dice.uniform(0.2, 0.6) * mask.height
    pen = ImageDraw.Draw(mask)
    slope = dice.uniform(-0.6, 0.6)
    for _ in range(mask.height // 8):
        pen.point((x, y), 255)
        x, y = x + slope + dice.uniform(-0.5, 0.5), y + 1


def _dust(mask: Image.Image, dice: Random) -> None:
    """Spots of 2 pixels: freckles, dust, calcifications."""
    pen = ImageDraw.Draw(mask)
    for _ in range(dice.randint(8, 40)):
        x, y = dice.randrange(mask.width - 2), dice.randrange(mask.height - 2)
        pen.rectangle((x, y, x + 1, y + 1), fill=255)


def _minus(mask: Image.Image, dice: Random) -> None:
    """A minus or a point before a figure."""
    x, y = dice.randrange(20, mask.width - 20), dice.randrange(20, mask.height - 20)
    size = dice.choice(((5, 1), (2, 2), (4, 2)))
    ImageDraw.Draw(mask).rectangle((x, y, x + size[0] - 1, y + size[1] - 1), fill=255)


def _figures(source: Source, dice: Random) -> Case:
    """A small number on a plate, a scale or a label: one figure is another."""
    height = dice.randint(8, 13)
    text = digits(dice, 5)
    x = dice.randrange(10, source.image.width - 5 * height)
    y = dice.randrange(10, source.image.height - 2 * height)
    sides = []
    for words in (text, another(text, dice)):
        side = source.image.copy()
        pen = ImageDraw.Draw(side)
        ground = side.resize((1, 1), Image.Resampling.BOX, box=(x, y, x + 4 * height, y + height)).getpixel((0, 0))
        assert isinstance(ground, tuple)
        is_light = sum(ground) > 3 * 127
        pen.text((x, y), words, font=font(height), fill=(25, 25, 25) if is_light else (235, 235, 230))
        sides.append(side)
    return _pair(sides[0], sides[1], dice)


def _clipped(image: Image.Image, dice: Random) -> Image.Image | None:
    """The brightest tones, or the darkest, are all one."""
    if dice.random() < 0.6:
        edge = dice.randint(228, 246)
        table = [min(level, edge) for level in range(256)]
    else:
        edge = dice.randint(12, 28)
        table = [max(level, edge) for level in range(256)]
    changed = image.point(table * 3)
    difference = np.abs(np.asarray(image, np.int16) - np.asarray(changed, np.int16)).max(-1)
    return changed if (difference >= 6).mean() > 0.005 else None


def _embossed(image: Image.Image, dice: Random) -> Image.Image | None:
    """A name across the picture, of light and shadow only."""
    mask = Image.new("L", image.size)
    height = image.height // 6
    ImageDraw.Draw(mask).text(
        (image.width // 12, dice.uniform(0.1, 0.7) * image.height), "Studio Meyer", 255, font(height)
    )
    letters = np.asarray(mask, np.int16)
    relief = (np.roll(letters, 1, 1) - np.roll(letters, -1, 1)) / 255 * dice.randint(8, 16)
    changed = np.clip(np.asarray(image, np.int16) + np.rint(relief)[..., None], 0, 255).astype(np.uint8)
    return Image.fromarray(changed)


_TUNED: dict[str, Make] = {
    "wire of a pixel": _lost(wire),
    "faint stars": _night,
    "small figures": _figures,
    "brightest or darkest tones": changed_witness(_clipped),
}
_HELD_OUT: dict[str, Make] = {
    "hairline crack": _lost(_crack),
    "dust": _lost(_dust),
    "minus or point": _lost(_minus),
    "embossed name": changed_witness(_embossed),
}
FINE_KINDS, HELD_OUT_FINE_KINDS = (
    tuple(PairKind(name, LACKING, make) for name, make in kinds.items()) for kinds in (_TUNED, _HELD_OUT)
)
