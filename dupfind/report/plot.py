"""The false candidates of ``dupfind calibrate`` as a picture, drawn with Pillow."""

from __future__ import annotations

import math
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from dupfind.answers.calibrate import MOST_FALSE_CANDIDATES, NEEDLES, THRESHOLDS, Calibration, Spread
from dupfind.report.text import count

_SIZE = 960, 640
_OVERSAMPLING = 3
"""Drawn so many times as large and then reduced, since Pillow draws lines without smoothing their edges."""
_LEFT, _TOP, _RIGHT, _BOTTOM = 100, 60, 930, 570
_INK, _GRID, _FAINT = (40, 40, 40), (225, 225, 225), (110, 110, 110)
# Told apart by people who do not see all colours (Okabe and Ito), and by the shape of their marks in print.
_COLOURS = {"phash": (0, 114, 178), "dhash": (213, 94, 0), "ahash": (0, 158, 115), "whash": (204, 121, 167)}
_CORNERS = {"phash": 0, "dhash": 4, "ahash": 3, "whash": -4}
"""Corners of the marks: a disc, a square, a triangle, a square on its tip."""

Point = tuple[float, float]


def render(calibration: Calibration) -> bytes:
    """Draw a PNG of 960 x 640 pixels: false candidates against the threshold, a curve for each algorithm."""
    return _Plot(calibration).png()


class _Plot:
    """One drawing; places are given in the pixels of the finished picture."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration
        values = [spread.false_candidates(bits) for spread in calibration.spreads for bits in THRESHOLDS]
        seen = [value for value in values if value > 0]
        self._low = math.floor(math.log10(min([*seen, MOST_FALSE_CANDIDATES])))
        self._high = math.ceil(math.log10(max([*seen, MOST_FALSE_CANDIDATES]) * 1.01))
        self._image = Image.new("RGB", (_SIZE[0] * _OVERSAMPLING, _SIZE[1] * _OVERSAMPLING), "white")
        self._draw = ImageDraw.Draw(self._image)

    def png(self) -> bytes:
        """Draw everything."""
        self._axes()
        for spread in self._calibration.spreads:
            self._curve(spread)
        self._legend()
        file = BytesIO()
        self._image.resize(_SIZE, Image.Resampling.BOX).save(file, "PNG", optimize=True)
        return file.getvalue()

    def _axes(self) -> None:
        calibration = self._calibration
        for exponent in range(self._low, self._high + 1):
            _, y = self._place(0, 10.0**exponent)
            self._line([(_LEFT, y), (_RIGHT, y)], _GRID, 1)
            self._text((_LEFT - 10, y), f"{10.0**exponent:,.{max(0, -exponent)}f}", "rm")
        for bits in THRESHOLDS[::2]:
            x, _ = self._place(bits, 1)
            self._line([(x, _TOP), (x, _BOTTOM)], _GRID, 1)
            self._text((x, _BOTTOM + 8), str(bits), "mt")
        _, y = self._place(0, MOST_FALSE_CANDIDATES)
        self._line([(_LEFT, y), (_RIGHT, y)], _FAINT, 1.5)
        self._text((_RIGHT - 4, y + 4), "one false candidate a needle", "rt", _FAINT, 14)
        self._line([(_LEFT, _TOP), (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)], _INK, 1.5)
        self._text(((_LEFT + _RIGHT) / 2, _BOTTOM + 34), "threshold in bits", "mt")
        turned = "with" if calibration.rotations else "without"
        haystack = f"a haystack of {count(calibration.pictures, 'picture')}, {turned} rotations"
        self._text((16, 16), f"False candidates of {NEEDLES:,} needles in {haystack}", "lt", size=20)

    def _curve(self, spread: Spread) -> None:
        """Draw the expectations above zero, joined; a larger mark at the suggested threshold."""
        colour = _COLOURS[spread.algorithm]
        points = [
            (bits, self._place(bits, value)) for bits in THRESHOLDS if (value := spread.false_candidates(bits)) > 0
        ]
        if len(points) > 1:
            self._line([place for _, place in points], colour, 2.5)
        for bits, place in points:
            self._mark(spread.algorithm, place, 9 if bits == spread.suggested_bits else 3.5)

    def _legend(self) -> None:
        x, y = _LEFT + 24, _TOP + 16
        self._draw.rectangle(self._scaled([(x - 12, y - 10), (x + 300, y + 118)]), "white", _GRID)
        for row, spread in enumerate(self._calibration.spreads):
            middle = y + 10 + row * 22
            self._line([(x, middle), (x + 32, middle)], _COLOURS[spread.algorithm], 2.5)
            self._mark(spread.algorithm, (x + 16, middle), 6)
            text = f"{spread.algorithm}: suggested {spread.suggested_bits}, default {spread.default_bits}"
            self._text((x + 44, middle), text, "lm")
        self._text((x, y + 102), "large marks: suggested thresholds", "lm", _FAINT, 14)

    def _place(self, bits: float, value: float) -> Point:
        x = _LEFT + (_RIGHT - _LEFT) * bits / THRESHOLDS[-1]
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return x, _BOTTOM - (_BOTTOM - _TOP) * share

    def _mark(self, algorithm: str, place: Point, radius: float) -> None:
        x, y = self._scaled([place])[0]
        corners, radius, colour = _CORNERS[algorithm], radius * _OVERSAMPLING, _COLOURS[algorithm]
        if corners:
            self._draw.regular_polygon((x, y, radius), abs(corners), 45 if corners < 0 else 0, colour, "white")
        else:
            self._draw.circle((x, y), radius, colour, "white")

    def _line(self, points: list[Point], colour: tuple[int, int, int], width: float) -> None:
        self._draw.line(self._scaled(points), colour, round(width * _OVERSAMPLING), "curve")

    def _text(
        self, place: Point, text: str, anchor: str, colour: tuple[int, int, int] = _INK, size: float = 16
    ) -> None:
        font = ImageFont.load_default(size * _OVERSAMPLING)
        self._draw.text(self._scaled([place])[0], text, colour, font, anchor)

    @staticmethod
    def _scaled(points: list[Point]) -> list[Point]:
        return [(x * _OVERSAMPLING, y * _OVERSAMPLING) for x, y in points]
