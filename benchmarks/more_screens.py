"""Drawn screens and pages of kinds that were not reported, with one thing changed: a board, a code, a chart, a card."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from PIL import Image, ImageFilter

from benchmarks.drawing import Pen, another, digits, fitted, sentence, vivid
from benchmarks.edits import Source
from benchmarks.filters import scaled
from benchmarks.kinds import PAGES, PairKind
from benchmarks.screens import Draw, twice


def chess(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A board on a screen beside a photo; one piece stands on the next field."""
    side = dice.choice((640, 800, 960))
    page = Image.new("RGB", (side + side // 2, side), (40, 42, 46))
    page.paste(fitted(source.image, (side // 2, side // 2)), (side, 0))
    pen, cell = Pen(page), side / 8
    light, dark = vivid(dice, 0.8), vivid(dice, 0.3)
    fields = dice.sample(range(64), dice.randint(8, 20))
    free = [field for field in range(64) if field not in fields]
    moved = dice.choice(free)
    for field in range(64):
        x, y = field % 8 * cell, field // 8 * cell
        pen.box((x, y, x + cell, y + cell), light if (field + field // 8) % 2 else dark)
    for number, field in enumerate(fields):
        place = moved if is_changed and not number else field
        x, y = (place % 8 + 0.5) * cell, (place // 8 + 0.5) * cell
        pen.disc((x, y), cell * 0.3, (245, 245, 240) if number % 2 else (25, 25, 25))
        pen.text((x - cell * 0.12, y - cell * 0.2), "KQRBNP"[number % 6], cell * 0.34, (120, 120, 120))
    return page


def scoreboard(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A frame of a match with the score in a corner; the score is another."""
    picture = source.image.copy()
    score = f"{dice.randint(0, 9)}:{dice.randint(0, 9)}"
    changed = another(score, dice)
    size = max(11, picture.width * dice.uniform(0.022, 0.035))
    x, y = picture.width * 0.04, picture.height * 0.05
    pen = Pen(picture)
    pen.box((x, y, x + size * 9, y + size * 1.5), (15, 30, 80))
    pen.text(
        (x + size * 0.3, y + size * 0.15),
        f"HOM {changed if is_changed else score} GUE  {dice.randint(10, 89)}'",
        size,
        "white",
    )
    return picture


def departures(_: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A board of trains; one platform or time is another."""
    width, height = dice.choice(((1280, 720), (1600, 1000)))
    page = Image.new("RGB", (width, height), (8, 22, 70))
    pen, rows = Pen(page), dice.randint(9, 14)
    chosen, tall = dice.randrange(rows), height / (rows + 1)
    for row in range(rows):
        y = (row + 0.6) * tall
        time = f"{dice.randint(10, 23)}:{dice.randint(10, 59)}"
        changed = another(time, dice)
        if row % 2:
            pen.box((0, y - tall * 0.15, width, y + tall * 0.85), (20, 40, 110))
        pen.text((width * 0.03, y), changed if is_changed and row == chosen else time, tall * 0.5, (250, 220, 80))
        pen.text((width * 0.2, y), sentence(dice, 2).title(), tall * 0.5, "white")
        pen.text((width * 0.85, y), str(dice.randint(1, 24)), tall * 0.5, "white")
    return page


def matrix_code(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A poster with a matrix code; some dozen of its cells are others: another content."""
    picture = source.image.copy()
    cells, side = 29, round(min(picture.size) * dice.uniform(0.16, 0.4)) // 29 * 29
    left, top = round(picture.width * dice.uniform(0.05, 0.5)), round(picture.height * dice.uniform(0.1, 0.45))
    pen, cell = Pen(picture), side / cells
    pen.box((left - cell * 2, top - cell * 2, left + side + cell * 2, top + side + cell * 2), (255, 255, 255))
    flipped = set(dice.sample(range(cells * cells), 12))
    for number in range(cells * cells):
        is_black = dice.random() < 0.5
        if is_black != (is_changed and number in flipped):
            x, y = left + number % cells * cell, top + number // cells * cell
            pen.box((x, y, x + cell - 1, y + cell - 1), (10, 10, 10))
    return picture


def bar_chart(_: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A coloured chart; one bar is a little higher, and its label says so."""
    width, height = dice.choice(((960, 600), (1280, 800)))
    page = Image.new("RGB", (width, height), vivid(dice, 0.9))
    pen, bars = Pen(page), dice.randint(8, 16)
    chosen, wide = dice.randrange(bars), width * 0.9 / bars
    for bar in range(bars):
        value = dice.randint(20, 90)
        changed = value + dice.choice((-7, -5, 5, 7))
        shown = changed if is_changed and bar == chosen else value
        x = width * 0.06 + bar * wide
        pen.box((x, height * (0.92 - shown / 125), x + wide * 0.75, height * 0.92), vivid(dice))
        pen.text((x, height * (0.87 - shown / 125)), str(shown), height * 0.035)
    return page


def ticked(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A screen of settings below a photo; one box is ticked or not."""
    width = dice.choice((720, 1080))
    page = Image.new("RGB", (width, width * 2), vivid(dice, 0.95))
    page.paste(fitted(source.image, (width, width * 3 // 4)), (0, 0))
    pen, tall = Pen(page), width / 11
    chosen = dice.randrange(12)
    for row in range(12):
        y = width * 0.8 + row * tall
        is_on = dice.random() < 0.5
        pen.text((width * 0.05, y), sentence(dice, 3), tall * 0.45)
        pen.round((width * 0.84, y, width * 0.94, y + tall * 0.55), tall * 0.27, (200, 200, 205))
        if is_on != (is_changed and row == chosen):
            pen.round((width * 0.84, y, width * 0.94, y + tall * 0.55), tall * 0.27, (40, 160, 80))
        across = 0.915 if is_on != (is_changed and row == chosen) else 0.865
        pen.disc((width * across, y + tall * 0.27), tall * 0.22, (255, 255, 255))
    return page


def clock(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A photo with a clock on the wall; its hand has moved by some minutes."""
    picture = source.image.copy()
    radius = min(picture.size) * dice.uniform(0.04, 0.11)
    x, y = picture.width * dice.uniform(0.2, 0.8), picture.height * dice.uniform(0.2, 0.5)
    pen, minute, later = Pen(picture), dice.randrange(60), dice.choice((3, 5, 10, 20))
    pen.disc((x, y), radius * 1.12, (40, 36, 34))
    pen.disc((x, y), radius, (244, 243, 238))
    for length, turn in ((0.85, minute + later * is_changed), (0.55, dice.randrange(60))):
        angle = math.tau * turn / 60
        tip = x + radius * length * math.sin(angle), y - radius * length * math.cos(angle)
        pen.line([(x, y), tip], (15, 15, 15), radius * 0.08)
    return picture.filter(ImageFilter.GaussianBlur(scaled(picture, 1.2, 0.3)))


def subtitle(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A frame of a film; another line is spoken."""
    picture = source.image.copy()
    first = sentence(dice, 4)
    second = f"{first.rpartition(' ')[0]} {sentence(dice, 1)}"
    size = max(12, picture.width / 36)
    text = second if is_changed else first
    pen, place = Pen(picture), (picture.width * 0.5 - len(text) * size * 0.25, picture.height * 0.88)
    pen.text((place[0] + size * 0.07, place[1] + size * 0.07), text, size, (0, 0, 0))
    pen.text(place, text, size, (250, 250, 235))
    return picture


def identity_card(source: Source, dice: Random, is_changed: bool) -> Image.Image:
    """A card with a face and a number, on a table; one figure of the number is another."""
    card = Image.new("RGB", (1012, 638), vivid(dice, 0.85))
    card.paste(fitted(source.image, (270, 350)), (50, 150))
    pen, number = Pen(card), digits(dice, 9)
    changed = another(number, dice)
    pen.box((0, 0, 1012, 96), vivid(dice, 0.2))
    pen.text((50, 26), "IDENTITY CARD", 46, "white")
    for row in range(5):
        pen.text((370, 150 + row * 62), sentence(dice, 2).title(), 34)
    pen.text((370, 500), changed if is_changed else number, 52, (150, 20, 20))
    table = fitted(source.other, (1600, 1200)).filter(ImageFilter.GaussianBlur(3))
    scale = dice.uniform(0.45, 0.95)
    table.paste(card.resize((round(1012 * scale), round(638 * scale))), (dice.randint(40, 500), dice.randint(40, 400)))
    return table


_DRAWN: dict[str, tuple[Draw, dict[str, Any]]] = {
    "chess board": (chess, {}),
    "scoreboard": (scoreboard, {"as_photo": True}),
    "departures": (departures, {"as_photo": True}),
    "matrix code": (matrix_code, {"as_photo": True}),
    "bar chart": (bar_chart, {}),
    "switch of a setting": (ticked, {}),
    "clock on a wall": (clock, {"as_photo": True}),
    "subtitle": (subtitle, {"as_photo": True}),
    "identity card": (identity_card, {"as_photo": True}),
}
MORE_PAGE_KINDS = tuple(
    PairKind(name, PAGES, twice(draw, **options), has_own_size="as_photo" not in options)
    for name, (draw, options) in _DRAWN.items()
)
