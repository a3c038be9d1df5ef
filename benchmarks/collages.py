"""Collages and pages of albums, made of photos: needles that show several pictures of a haystack.

Those of :data:`LAYOUTS` were looked at while the search was tuned; those of :data:`HELD_OUT` were measured once, at the
end.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Layout = Callable[[Sequence[Image.Image], random.Random], Image.Image]
_SIZE = 1600, 1200
_COLUMNS = {2: 2, 3: 2, 4: 2, 6: 3, 9: 3}


def _cells(count: int) -> list[tuple[int, int, int, int]]:
    """Cut a page into equal cells, left, top, right, bottom, row by row."""
    columns = _COLUMNS[count]
    rows = -(-count // columns)
    width, height = _SIZE[0] // columns, _SIZE[1] // rows
    cells = []
    for number in range(count):
        row, column = divmod(number, columns)
        cells.append((column * width, row * height, (column + 1) * width, (row + 1) * height))
    return cells


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    factor = min(size[0] / image.width, size[1] / image.height)
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)


def _filling(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Cut off what is too much at two sides, so that it fills a cell."""
    factor = max(size[0] / image.width, size[1] / image.height)
    whole = image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)
    left, top = (whole.width - size[0]) // 2, (whole.height - size[1]) // 2
    return whole.crop((left, top, left + size[0], top + size[1]))


def _paste(page: Image.Image, image: Image.Image, cell: tuple[int, int, int, int], mask: Image.Image | None) -> None:
    left, top, right, bottom = cell
    page.paste(image, ((left + right - image.width) // 2, (top + bottom - image.height) // 2), mask)


def plain(images: Sequence[Image.Image], _: random.Random) -> Image.Image:
    """On white, with a margin."""
    page = Image.new("RGB", _SIZE, "white")
    for image, cell in zip(images, _cells(len(images)), strict=True):
        _paste(page, _fitted(image, (cell[2] - cell[0] - 24, cell[3] - cell[1] - 24)), cell, None)
    return page


def framed(images: Sequence[Image.Image], _: random.Random) -> Image.Image:
    """Each in a white border with a dark line, on grey."""
    page = Image.new("RGB", _SIZE, (120, 118, 110))
    for image, cell in zip(images, _cells(len(images)), strict=True):
        small = _fitted(image, (cell[2] - cell[0] - 84, cell[3] - cell[1] - 84))
        card = Image.new("RGB", (small.width + 40, small.height + 40), "white")
        card.paste(small, (20, 20))
        ImageDraw.Draw(card).rectangle((0, 0, card.width - 1, card.height - 1), outline="black", width=3)
        _paste(page, card, cell, None)
    return page


def turned(images: Sequence[Image.Image], rng: random.Random) -> Image.Image:
    """Each turned by up to 12 degrees, with a shadow, on the dark paper of an album."""
    page = Image.new("RGB", _SIZE, (58, 44, 36))
    for image, cell in zip(images, _cells(len(images)), strict=True):
        small = _fitted(image, (round((cell[2] - cell[0]) * 0.78), round((cell[3] - cell[1]) * 0.78)))
        card = Image.new("RGBA", (small.width + 20, small.height + 20), "white")
        card.paste(small, (10, 10))
        card = card.rotate(rng.uniform(-12, 12), Image.Resampling.BICUBIC, expand=True)
        shadow = Image.new("RGB", card.size)
        dark = card.getchannel("A").filter(ImageFilter.GaussianBlur(8)).point(lambda level: level * 6 // 10)
        _paste(page, shadow, (cell[0] + 14, cell[1] + 16, cell[2] + 14, cell[3] + 16), dark)
        _paste(page, card.convert("RGB"), cell, card.getchannel("A"))
    return page


def mosaic(images: Sequence[Image.Image], _: random.Random) -> Image.Image:
    """Without gaps, each cut to fill its cell."""
    page = Image.new("RGB", _SIZE)
    for image, cell in zip(images, _cells(len(images)), strict=True):
        page.paste(_filling(image, (cell[2] - cell[0], cell[3] - cell[1])), cell[:2])
    return page


def captioned(images: Sequence[Image.Image], _: random.Random) -> Image.Image:
    """A line of words below each, as a program that prints albums makes them."""
    page = Image.new("RGB", _SIZE, (250, 246, 236))
    draw = ImageDraw.Draw(page)
    for number, (image, cell) in enumerate(zip(images, _cells(len(images)), strict=True)):
        small = _fitted(image, (cell[2] - cell[0] - 50, cell[3] - cell[1] - 90))
        _paste(page, small, (cell[0], cell[1], cell[2], cell[3] - 50), None)
        draw.text((cell[0] + 40, cell[3] - 48), f"Summer {1990 + number}, at the lake", fill="black", font_size=28)
    return page


def uneven(images: Sequence[Image.Image], _: random.Random) -> Image.Image:
    """One large, the others in a strip at the right, each cut to fill its cell."""
    page = Image.new("RGB", _SIZE, "white")
    width, height = _SIZE
    large = 1100
    page.paste(_filling(images[0], (large - 10, height)), (0, 0))
    rest = images[1:]
    columns = 1 if len(rest) <= 3 else 2
    rows = -(-len(rest) // columns)
    size = (width - large) // columns - 8, height // rows - 8
    for number, image in enumerate(rest):
        row, column = divmod(number, columns)
        page.paste(_filling(image, size), (large + column * (size[0] + 8), row * (size[1] + 8)))
    return page


def heap(images: Sequence[Image.Image], rng: random.Random) -> Image.Image:
    """Turned by up to 20 degrees on a rough ground, each of them reaching over its cell."""
    chance = np.random.default_rng(rng.randrange(2**32))
    rough = chance.normal(140, 26, (_SIZE[1] // 4, _SIZE[0] // 4, 1)) + np.array([10, 0, -16])
    page = Image.fromarray(np.clip(rough, 0, 255).astype(np.uint8)).resize(_SIZE, Image.Resampling.BICUBIC)
    for image, cell in zip(images, _cells(len(images)), strict=True):
        small = _fitted(image, (round((cell[2] - cell[0]) * 0.98), round((cell[3] - cell[1]) * 0.98)))
        card = Image.new("RGBA", (small.width + 24, small.height + 24), (244, 240, 228))
        card.paste(small, (12, 12))
        card = card.rotate(rng.uniform(-20, 20), Image.Resampling.BICUBIC, expand=True)
        _paste(page, card.convert("RGB"), cell, card.getchannel("A"))
    return page


LAYOUTS: dict[str, Layout] = {"plain": plain, "framed": framed, "turned, with shadows": turned}
HELD_OUT: dict[str, Layout] = {
    "cut to fill, no gaps": mosaic,
    "words below": captioned,
    "one large, others small": uneven,
    "a heap on a rough ground": heap,
}
COUNTS = (2, 3, 4, 6, 9)
