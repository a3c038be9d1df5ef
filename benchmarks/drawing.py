"""A pen for drawn screens and pages, and the words and figures that stand on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

Colour = tuple[int, int, int]
Place = tuple[float, float]
Edges = tuple[float, float, float, float]

_WORDS = (
    "account amount balance bank bread bridge bus card carriage charge city coffee contract customer date day delivery "
    "flight garden gate green harbour house invoice island journey kitchen lamp letter library market meter month name "
    "notice office order paper payment period platform price quarter receipt river room seat service shop station "
    "street summer table ticket total tower town train tram unit valley water week window winter year"
).split()
_VIVID: tuple[Colour, ...] = (
    (206, 48, 44), (238, 178, 40), (40, 96, 168), (60, 132, 84), (120, 58, 132), (236, 120, 44), (86, 176, 190),
)  # fmt: skip


_STAMPED_COLOUR = (255, 140, 20)


@cache
def font(height: int) -> Any:  # noqa: ANN401 - Pillow has two classes of fonts
    """Return the font that comes with Pillow, so that every machine draws the same."""
    return ImageFont.load_default(height)


class Pen:
    """Draws on one picture; places and sizes may be fractions of a pixel."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)

    def text(self, place: Place, text: str, height: float, ink: Colour | str = (25, 25, 25)) -> None:
        """Write a line whose letters are about ``height`` pixels high."""
        self._draw.text(place, text, ink, font(max(6, round(height))))

    def box(self, edges: Edges, fill: Colour) -> None:
        """Fill a rectangle."""
        self._draw.rectangle(edges, fill=fill)

    def frame(self, edges: Edges, ink: Colour, width: int = 1) -> None:
        """Draw the edge of a rectangle."""
        self._draw.rectangle(edges, outline=ink, width=width)

    def round(self, edges: Edges, radius: float, fill: Colour) -> None:
        """Fill a rectangle with round corners."""
        self._draw.rounded_rectangle(edges, radius, fill=fill)

    def disc(self, centre: Place, radius: float, fill: Colour) -> None:
        """Fill a circle."""
        x, y = centre
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def line(self, points: Sequence[Place], ink: Colour, width: float) -> None:
        """Draw a line through these points."""
        self._draw.line(points, ink, max(1, round(width)), "curve")


def another(text: str, dice: Random) -> str:
    """Return ``text`` with one of its figures replaced by another one."""
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    place = dice.choice(places)
    figure = dice.choice([figure for figure in "0123456789" if figure != text[place]])
    return text[:place] + figure + text[place + 1 :]


def digits(dice: Random, count: int) -> str:
    """Return so many figures."""
    return "".join(str(dice.randrange(10)) for _ in range(count))


def money(dice: Random) -> str:
    """Return an amount with two decimals."""
    return f"{dice.randint(10, 9999)}.{dice.randint(10, 99)}"


def sentence(dice: Random, words: int) -> str:
    """Return so many words."""
    return " ".join(dice.choice(_WORDS) for _ in range(words))


def vivid(dice: Random, towards_white: float = 0.0) -> Colour:
    """Return a strong colour, brought towards white by that share, or towards black where it is negative."""
    goal, share = (255, towards_white) if towards_white >= 0 else (0, -towards_white)
    red, green, blue = (round(level + (goal - level) * share) for level in dice.choice(_VIVID))
    return red, green, blue


def fitted(photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return ``photo`` cut and resized to ``size``."""
    return ImageOps.fit(photo, size, Image.Resampling.BICUBIC)


def stamped(image: Image.Image, dice: Random, text: str, height: float) -> Image.Image:
    """Return ``image`` with ``text`` burnt in near a lower corner; ``height`` is a share of the picture's width."""
    copy = image.copy()
    pen = ImageDraw.Draw(copy)
    letters = font(max(8, round(height * image.width)))
    left, _, right, bottom = pen.textbbox((0, 0), text, font=letters)
    across = dice.choice((0.03, 0.97 - (right - left) / image.width))
    place = across * image.width - left, dice.uniform(0.9, 0.96) * image.height - bottom
    pen.text(place, text, _STAMPED_COLOUR, letters)
    return copy


def random_date(dice: Random) -> str:
    """Return a date as cameras burn it in."""
    return f"{dice.randint(1, 28):02}.{dice.randint(1, 12):02}.{dice.randint(1998, 2024)}"
