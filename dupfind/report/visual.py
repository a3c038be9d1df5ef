"""Two pictures and their difference side by side, as text.

Half blocks, each two pixels one above the other, where the terminal has colours for them; else a ramp of ASCII.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.color import Color
from rich.style import Style
from rich.text import Text

from dupfind.answers.compare import Comparison
from dupfind.report.look import Page
from dupfind.values import THUMBNAIL_SIDE

DIFFERENCE_SHOWN_TIMES = 4
"""White is where the two differ by 64 of 256 grey levels or more."""
_RAMP = " .:-=+*#%@"
_GAP, _INDENT, _LEAST_WIDTH = 2, 2, 8
_Grey = NDArray[np.uint8]


def draw(page: Page, comparison: Comparison, names: tuple[str, str], width: int) -> None:
    """Add the two pictures under their ``names``, and their difference, in ``width`` columns."""
    if comparison.seen is None or comparison.other.thumbnail is None:
        return
    columns = min(THUMBNAIL_SIDE, max(_LEAST_WIDTH, (width - _INDENT - 2 * _GAP) // 3))
    shape = comparison.other.thumbnail
    # A block is as wide as it is high; no more rows than a square picture has of columns, so that it fits a screen.
    scale = min(columns / shape.width, columns / shape.height)
    size = max(1, round(shape.width * scale)), 2 * max(1, round(shape.height * scale / 2))
    first, second = (
        np.frombuffer(plane, np.uint8).reshape(THUMBNAIL_SIDE, THUMBNAIL_SIDE) for plane in comparison.seen
    )
    difference = np.abs(first.astype(np.int16) - second) * DIFFERENCE_SHOWN_TIMES
    planes = [
        np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX))
        for plane in (first, second, difference.clip(0, 255).astype(np.uint8))
    ]
    heads = (name[: size[0]].ljust(size[0]) for name in (*names, "difference"))
    page.add(" " * _INDENT + (" " * _GAP).join(heads))
    line = _blocks if page.has_shades else _letters
    for row in range(0, size[1], 2):
        text = Text(" " * _INDENT)
        for number, plane in enumerate(planes):
            text.append(" " * _GAP if number else "")
            text.append_text(line(plane[row], plane[row + 1]))
        page.add(text)


def _blocks(upper: _Grey, lower: _Grey) -> Text:
    text = Text()
    for above, below in zip(upper.tolist(), lower.tolist(), strict=True):
        colours = Color.from_rgb(above, above, above), Color.from_rgb(below, below, below)
        text.append("▀", Style(color=colours[0], bgcolor=colours[1]))
    return text


def _letters(upper: _Grey, lower: _Grey) -> Text:
    levels = (upper.astype(int) + lower) * len(_RAMP) // 512
    return Text("".join(_RAMP[level] for level in levels))
