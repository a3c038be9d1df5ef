"""Drawn screens and pages that nothing is tuned on; see :mod:`benchmarks.held_out`."""

from __future__ import annotations

from random import Random
from typing import Any

from PIL import Image, ImageFilter

from benchmarks.drawing import Pen, digits, fitted, sentence, vivid
from benchmarks.edits import Source
from benchmarks.filters import scaled
from benchmarks.kinds import PAGES, PairKind
from benchmarks.screens import Draw, twice


def route_map(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A map of a phone with a pin; the pin stands elsewhere."""
    width, height = dice.choice(((1080, 1920), (1170, 2532)))
    page = Image.new("RGB", (width, height), (232, 228, 218))
    pen = Pen(page)
    for _ in range(18):
        x, y = dice.random() * width, dice.random() * height
        wide, tall = dice.uniform(80, 300), dice.uniform(80, 300)
        pen.box((x, y, x + wide, y + tall), dice.choice(((190, 220, 180), (170, 205, 235), (222, 214, 200))))
    for _ in range(14):
        ends = [(dice.random() * width, dice.random() * height) for _ in range(2)]
        pen.line(ends, (255, 255, 255), 22)
        pen.text(ends[0], sentence(dice, 1).title(), 28, (90, 90, 90))
    page.paste(fitted(source.image, (width // 3, width // 4)), (30, 60))
    first, second = ((dice.uniform(0.2, 0.8) * width, dice.uniform(0.3, 0.9) * height) for _ in range(2))
    pen.disc(second if is_changed else first, width * 0.012, (210, 40, 40))
    return page


def sudoku(_: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A puzzle in colours; one number is another."""
    side = dice.choice((540, 720, 900))
    page, cell = Image.new("RGB", (side, side), "white"), side / 9
    pen, filled = Pen(page), dice.sample(range(81), 32)
    chosen = dice.choice(filled)
    for block in range(9):
        x, y = block % 3 * 3 * cell, block // 3 * 3 * cell
        pen.box((x, y, x + 3 * cell, y + 3 * cell), vivid(dice, 0.6 if block % 2 else 0.9))
    for field in range(81):
        x, y = field % 9 * cell, field // 9 * cell
        pen.frame((x, y, x + cell, y + cell), (120, 120, 120))
        figure = dice.randint(1, 9)
        shown = figure % 9 + 1 if is_changed and field == chosen else figure
        if field in filled:
            pen.text((x + cell * 0.32, y + cell * 0.15), str(shown), cell * 0.6)
    return page


def display(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A photo of a scale or thermometer; a bar of one figure of its display is off."""
    picture, pen_side = source.image.copy(), min(source.image.size)
    size = max(12, pen_side * dice.uniform(0.035, 0.08))
    x, y = picture.width * dice.uniform(0.1, 0.5), picture.height * dice.uniform(0.2, 0.7)
    pen, text = Pen(picture), digits(dice, 4)
    place = dice.randrange(4)
    changed = text[:place] + str((int(text[place]) + dice.randint(1, 9)) % 10) + text[place + 1 :]
    pen.round((x - size * 0.4, y - size * 0.3, x + size * 2.9, y + size * 1.4), size * 0.2, (150, 168, 140))
    pen.text((x, y), changed if is_changed else text, size, (30, 36, 30))
    return picture.filter(ImageFilter.GaussianBlur(scaled(picture, 1, 0.3)))


def signed(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A letterhead with a photo; it is signed or not."""
    page = Image.new("RGB", (1240, 1754), (252, 250, 244))
    page.paste(fitted(source.image, (1240, 520)), (0, 0))
    pen = Pen(page)
    for row in range(18):
        pen.text((100, 600 + row * 48), sentence(dice, 10)[:70], 27)
    points = [(140 + step * 22, 1600 + dice.uniform(-36, 36)) for step in range(14)]
    if is_changed:
        pen.line(points, (30, 40, 130), 5)
    return page


_DRAWN: dict[str, tuple[Draw, dict[str, Any]]] = {
    "held out: map with a pin": (route_map, {}),
    "held out: sudoku": (sudoku, {}),
    "held out: display of a scale": (display, {"as_photo": True}),
    "held out: signed or not": (signed, {"as_photo": True}),
}
HELD_OUT_PAGE_KINDS = tuple(
    PairKind(name, PAGES, twice(draw, **options), has_own_size="as_photo" not in options)
    for name, (draw, options) in _DRAWN.items()
)
