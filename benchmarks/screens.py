"""Screens and pages of which one number, word or mark differs: what a person reads, and a thumbnail does not show.

Each class draws one picture twice from the same seed; the second time one thing is another. Needle and witness are
saved alike, as screens and cameras do. The font is the one that comes with Pillow, so every machine draws the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from PIL import Image, ImageChops, ImageFilter

from benchmarks.drawing import Pen, another, digits, fitted, money, random_date, sentence, stamped, vivid
from benchmarks.edits import Case, Source, encode, grey_difference
from benchmarks.filters import noisy, scaled
from benchmarks.kinds import PAGES, PairKind
from fixtures import pictures

_LEAST_HEIGHT, _LEGIBLE_LEVELS, _LEGIBLE_PIXELS = 6, 40, 8
Draw = Callable[[Source, Random, bool], Image.Image]
"""Draw from a photo and chance; True for the version in which one thing is another."""


def twice(draw: Draw, *, as_photo: bool = False) -> Callable[[Source, Random], Case | None]:
    """Make pairs of a drawing and the drawing with one thing changed, either the needle.

    ``as_photo`` saves as a camera does: blur of the lens, noise, JPEG; else as a screen, PNG or JPEG.
    """

    def make(source: Source, dice: Random) -> Case | None:
        state = dice.getrandbits(64)
        first, second = (draw(source, Random(state), is_changed) for is_changed in (False, True))  # noqa: S311
        if not _is_legible(first, second):
            return None
        save = _as_photo(dice) if as_photo else _as_screen(dice)
        pair = Case(save(first), save(second))
        return pair if dice.random() < 0.5 else Case(pair.witness, pair.needle)

    return make


def _is_legible(first: Image.Image, second: Image.Image) -> bool:
    """Tell whether the change has the pixels and the contrast that a figure needs to be read."""
    box = ImageChops.difference(first, second).point([255 * (level >= 10) for level in range(256)] * 3).getbbox()
    if box is None or box[3] - box[1] < _LEAST_HEIGHT:
        return False
    return bool((grey_difference(first.crop(box), second.crop(box)) >= _LEGIBLE_LEVELS).sum() >= _LEGIBLE_PIXELS)


def _as_screen(dice: Random) -> Callable[[Image.Image], bytes]:
    if dice.random() < 0.5:
        return lambda image: encode(image, "PNG", **pictures.QUICKLY["PNG"])
    quality = dice.randint(80, 95)
    return lambda image: encode(image, quality=quality)


def _as_photo(dice: Random) -> Callable[[Image.Image], bytes]:
    quality, sigma = dice.randint(85, 95), dice.uniform(0, 1.5)
    grain = Random(dice.random())  # noqa: S311
    return lambda image: encode(noisy(image, sigma, grain) if sigma > 0.3 else image, quality=quality)


def camera_stamp(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A photo with the date burnt in; a figure of the date is another."""
    text, place = random_date(dice), Random(dice.random())  # noqa: S311
    changed = another(text, dice)
    return stamped(source.image, place, changed if is_changed else text, dice.uniform(0.025, 0.045))


def spreadsheet(_: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A table in bands of colour; one of its numbers is another."""
    columns, rows = dice.randint(6, 12), dice.randint(22, 40)
    width, height = dice.choice(((1280, 800), (1600, 900), (1920, 1080)))
    page = Image.new("RGB", (width, height), "white")
    pen = Pen(page)
    wide, tall = width / columns, (height - 60) / rows
    band, bar = vivid(dice, 0.75), vivid(dice)
    chosen = dice.randrange(rows * (columns - 1))
    pen.box((0, 0, width, 60), bar)
    for row in range(rows):
        top = 60 + row * tall
        if row % 2:
            pen.box((0, top, width, top + tall), band)
        pen.text((8, top + 2), sentence(dice, 2)[: round(wide / 10)], tall * 0.62)
        for column in range(1, columns):
            value = money(dice)
            changed = another(value, dice)
            is_here = is_changed and row * (columns - 1) + column - 1 == chosen
            pen.text((column * wide + 8, top + 2), changed if is_here else value, tall * 0.62)
    return page


def long_page(source: Source, dice: Random, is_changed: bool, *, what: str = "number") -> Image.Image:
    """A web page in one picture of 7,000 to 18,000 pixels; a price or a paragraph is another."""
    width, height = dice.choice((1080, 1170, 1280)), dice.randint(7000, 18000)
    page = Image.new("RGB", (width, height), vivid(dice, 0.93))
    pen, top, size = Pen(page), 40, width // 36
    chosen, number = dice.randint(1, max(2, height // 2600)), 0
    while top < height - 900:
        photo = fitted((source.image, source.other)[number % 2], (width - 80, dice.randint(300, 620)))
        page.paste(photo, (40, top))
        top += photo.height + 30
        pen.text((40, top), sentence(dice, 5).title(), size * 1.6, vivid(dice, -0.3))
        price = money(dice)
        changed = another(price, dice)
        is_here = is_changed and number == chosen
        pen.text((40, top + size * 2.4), changed if is_here and what == "number" else price, size * 1.3, (180, 30, 30))
        top += round(size * 4.6)
        text = Random(dice.random())  # noqa: S311
        if is_here and what == "paragraph":
            text = Random(dice.random() + 2)  # noqa: S311
        else:
            dice.random()
        for _ in range(dice.randint(5, 12)):
            pen.text((40, top), sentence(text, 14)[: round((width - 80) / size / 0.5)], size)
            top += round(size * 1.5)
        top += size * 2
        number += 1
    return page


def meter(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A photo of a meter; one wheel of its counter shows another figure."""
    width, height = source.image.size
    picture = source.image.filter(ImageFilter.GaussianBlur(scaled(source.image, 20, 2)))
    pen, side = Pen(picture), min(width, height)
    left, top = dice.uniform(0.05, 0.2) * width, dice.uniform(0.1, 0.3) * height
    across = side * dice.uniform(0.3, 0.72)
    right, bottom = left + across, top + across * 0.7
    pen.round((left, top, right, bottom), across * 0.04, vivid(dice, 0.7))
    reading = digits(dice, dice.randint(5, 7))
    changed = another(reading, dice)
    wheel = (right - left) * 0.86 / len(reading)
    for number, figure in enumerate(changed if is_changed else reading):
        x, y = left + (right - left) * 0.07 + number * wheel, top + across * 0.14
        ground = (150, 20, 20) if number >= len(reading) - 2 else (18, 18, 20)
        pen.box((x, y, x + wheel * 0.9, y + wheel * 1.25), ground)
        pen.text((x + wheel * 0.18, y + wheel * 0.1), figure, wheel * 0.95, (240, 240, 236))
    pen.text((left + across * 0.07, top + across * 0.5), f"kWh  {digits(dice, 8)}", across * 0.07)
    return picture.filter(ImageFilter.GaussianBlur(scaled(picture, 1.5, 0.4)))


def slide(source: Source, dice: Random, is_changed: bool, *, what: str = "figure") -> Image.Image:
    """A slide: a title, a photo, lines and the number of the page; a figure or that number is another."""
    width, height = dice.choice(((1280, 720), (1600, 900), (1920, 1080)))
    page = Image.new("RGB", (width, height), vivid(dice, dice.choice((0.92, -0.75))))
    is_light = sum(page.getpixel((0, 0))) > 380  # type: ignore[arg-type]
    ink = (25, 25, 30) if is_light else (235, 235, 235)
    pen = Pen(page)
    pen.box((0, 0, width, height * 0.13), vivid(dice))
    pen.text((width * 0.04, height * 0.03), sentence(dice, 4).title(), height * 0.06, "white")
    photo = fitted(source.image, (round(width * 0.45), round(height * 0.66)))
    page.paste(photo, (round(width * 0.51), round(height * 0.19)))
    number = str(dice.randint(10, 99))
    other = another(number, dice)
    pen.text((width * 0.94, height * 0.93), other if is_changed and what == "page" else number, height * 0.035, ink)
    chosen = dice.randrange(6)
    for line in range(6):
        figure = f"{dice.randint(10, 99)}%"
        changed = another(figure, dice)
        shown = changed if is_changed and what == "figure" and line == chosen else figure
        pen.text((width * 0.04, height * (0.22 + 0.1 * line)), f"{sentence(dice, 3)[:18]} {shown}", height * 0.046, ink)
    return page


def slide_on_a_photo(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A photo of a room in which a slide is projected."""
    room = source.image.point([round(level * 0.45) for level in range(256)] * 3)
    shown = slide(Source(source.name, source.data, source.other, source.image), dice, is_changed)
    width = round(room.width * dice.uniform(0.75, 0.95))
    shown = shown.resize((width, round(width * shown.height / shown.width)), Image.Resampling.LANCZOS)
    turned = shown.convert("RGBA").rotate(dice.uniform(-2, 2), Image.Resampling.BICUBIC, expand=True)
    room.paste(turned, (round(room.width * 0.02), round(room.height * 0.05)), turned)
    return room


def calendar(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A month below a photo, with appointments; the time of one of them is another."""
    width, height = dice.choice(((1240, 1754), (1080, 1600)))
    page = Image.new("RGB", (width, height), "white")
    page.paste(fitted(source.image, (width, round(height * 0.45))), (0, 0))
    pen, wide, tall = Pen(page), width / 7, height * 0.48 / 5
    chosen = dice.randrange(31)
    accent = vivid(dice)
    pen.text((30, height * 0.46), sentence(dice, 1).title(), height * 0.03, accent)
    for day in range(31):
        x, y = day % 7 * wide, height * 0.51 + day // 7 * tall
        pen.frame((x, y, x + wide, y + tall), (170, 170, 170))
        pen.text((x + 8, y + 6), str(day + 1), tall * 0.24)
        time = f"{dice.randint(8, 19)}:{dice.choice(('00', '15', '30', '45'))}"
        changed = another(time, dice)
        busy, word = dice.random() < 0.4, sentence(dice, 1)
        if busy or day == chosen:
            pen.box((x + 4, y + tall * 0.4, x + wide - 4, y + tall * 0.92), accent)
            shown = changed if is_changed and day == chosen else time
            pen.text((x + 8, y + tall * 0.46), f"{shown} {word}", tall * 0.2, "white")
    return page


def price_label(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A photo of goods with a label; one figure of the price is another."""
    picture = source.image.copy()
    price = f"{dice.randint(1, 99)}.{dice.randint(10, 99)}"
    changed = another(price, dice)
    size = max(13, picture.width * dice.uniform(0.025, 0.07))
    x, y = dice.uniform(0.1, 0.6) * picture.width, dice.uniform(0.15, 0.75) * picture.height
    pen = Pen(picture)
    pen.round((x, y, x + size * 3.3, y + size * 1.5), size * 0.15, dice.choice(((250, 220, 40), (250, 250, 245))))
    pen.text((x + size * 0.25, y + size * 0.15), changed if is_changed else price, size, (200, 20, 20))
    return picture.filter(ImageFilter.GaussianBlur(scaled(picture, 1.2, 0.4)))


def heat_map(_: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A matrix in colours with a number in each cell; one number is another, its colour is not."""
    columns, rows = dice.randint(7, 14), dice.randint(6, 12)
    cell = dice.randint(56, 110)
    size = max(12.0, cell * dice.uniform(0.18, 0.34))
    page = Image.new("RGB", (columns * cell + 160, rows * cell + 60), "white")
    pen, chosen = Pen(page), dice.randrange(columns * rows)
    fx, fy = dice.uniform(0.2, 0.9), dice.uniform(0.2, 0.9)
    for number in range(columns * rows):
        column, row = number % columns, number // columns
        heat = 0.5 + 0.4 * math.sin(fx * column + fy * row) + dice.uniform(-0.1, 0.1)
        x, y = 150 + column * cell, 10 + row * cell
        pen.box((x, y, x + cell, y + cell), (round(255 * heat), round(120 * heat + 60), round(230 * (1 - heat))))
        value = f"{min(max(heat, 0.1), 0.99):.2f}"
        changed = "0." + another(value[2:], dice)
        pen.text((x + cell * 0.16, y + cell * 0.3), changed if is_changed and number == chosen else value, size)
        if not column:
            pen.text((6, y + cell * 0.3), sentence(dice, 2)[:13], 17)
    return page


def number_plate(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A street with the plate of a car; one character of it is another."""
    picture = source.image.copy()
    text = f"{''.join(dice.choice('ABCDEFGHKLMNPRSTUVWXYZ') for _ in range(2))} {digits(dice, 4)}"
    changed = another(text, dice)
    size = max(13, picture.width * dice.uniform(0.025, 0.05))
    x, y = dice.uniform(0.15, 0.65) * picture.width, dice.uniform(0.4, 0.85) * picture.height
    pen = Pen(picture)
    pen.box((x - size * 0.5, y - size * 0.3, x + size * 5.4, y + size * 1.5), (25, 25, 28))
    pen.box((x - size * 0.3, y - size * 0.1, x + size * 5.2, y + size * 1.3), (236, 236, 230))
    pen.text((x, y), changed if is_changed else text, size, (15, 15, 15))
    return picture.filter(ImageFilter.GaussianBlur(scaled(picture, 1.2, 0.4)))


def chat(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A chat of 2,340 to 18,000 pixels; one time or amount in it is another."""
    height, is_dark = round(2340 * 7.7 ** dice.random()), dice.random() < 0.5
    page = Image.new("RGB", (1080, height), (14, 20, 26) if is_dark else (200, 214, 220))
    pen, ink = Pen(page), (230, 230, 230) if is_dark else (20, 20, 20)
    page.paste(fitted(source.image, (620, 420)), (40, 60))
    top, number, chosen = 520, 0, dice.randint(1, max(2, height // 400))
    while top < height - 320:
        x, lines, amount = dice.choice((40, 220)), dice.randint(1, 4), money(dice)
        changed = another(amount, dice)
        fill = ((0, 92, 75), (32, 44, 51)) if is_dark else ((220, 248, 198), (255, 255, 255))
        pen.round((x, top, x + 800, top + 30 + 50 * lines), 24, fill[x > 100])
        for line in range(lines):
            text = sentence(dice, 5)[:26] + (
                f" {changed if is_changed and number == chosen else amount}" if not line else ""
            )
            pen.text((x + 24, top + 12 + 50 * line), text, 36, ink)
        top += 56 + 50 * lines
        number += 1
    return page


_DRAWN: dict[str, tuple[Draw, dict[str, Any]]] = {
    "camera stamp": (camera_stamp, {"as_photo": True}),
    "banded spreadsheet": (spreadsheet, {}),
    "long web page, a price": (long_page, {}),
    "long web page, a paragraph": (partial(long_page, what="paragraph"), {}),
    "meter": (meter, {"as_photo": True}),
    "slide, a figure": (slide, {}),
    "slide, its number": (partial(slide, what="page"), {}),
    "slide on a photo": (slide_on_a_photo, {"as_photo": True}),
    "calendar": (calendar, {}),
    "price label": (price_label, {"as_photo": True}),
    "annotated heat map": (heat_map, {}),
    "number plate": (number_plate, {"as_photo": True}),
    "long chat": (chat, {}),
}
PAGE_KINDS = tuple(
    PairKind(name, PAGES, twice(draw, **options), has_own_size="as_photo" not in options)
    for name, (draw, options) in _DRAWN.items()
)
