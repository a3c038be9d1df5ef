"""Pictures as text: what is light is light, what differs is seen, and nothing is wider than the screen."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from dupfind.report import Screen
from dupfind.report.look import Page
from dupfind.report.visual import draw
from dupfind.values import Evidence
from tests.helpers.comparisons import DARK, LOST, PIXELS, SAME, compared, printed, proof

TERMINAL = Screen(80, is_terminal=True)
_CELL = re.compile(r"\x1b\[38;2;(\d+);\1;\1;48;2;(\d+);\2;\2m▀")


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that knows every colour."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


def rows(screen: Screen, sides: tuple[int, int] = (640, 480), seen: tuple[bytes, bytes] = (PIXELS, DARK)) -> list[str]:
    """The lines of a drawing."""
    thumbnail = compared().thumbnail
    assert thumbnail is not None
    other = compared(thumbnail=replace(thumbnail, width=sides[0], height=sides[1]))
    page = Page(screen)
    draw(page, replace(SAME, other=other, seen=seen), ("A", "B"), screen.width)
    return page.encoded().decode().splitlines()


def test_blocks_have_the_shades_of_the_pixels() -> None:
    """A ramp from black to white, a black picture, and the difference, four times as strong."""
    head, *lines = rows(TERMINAL)
    assert ["A", "B", "difference"] == head.split()
    assert 9 == len(lines)
    for line in lines:
        cells = np.array([(int(upper), int(lower)) for upper, lower in _CELL.findall(line)])
        assert 3 * 24 == len(cells)
        ramp, dark, difference = cells[:24], cells[24:48], cells[48:]
        assert (np.diff(ramp, axis=0) > 0).all()
        assert (dark == 0).all()
        assert (abs(difference - np.minimum(4 * ramp, 255)) <= 6).all()


@pytest.mark.parametrize(("sides", "expected"), [((640, 480), (24, 9)), ((480, 640), (18, 12)), ((64, 64), (24, 12))])
def test_shapes_are_kept(sides: tuple[int, int], expected: tuple[int, int]) -> None:
    """A block is as wide as it is high."""
    _, *lines = rows(TERMINAL, sides)
    assert expected == (lines[0].count("▀") // 3, len(lines))


@pytest.mark.parametrize("sides", [(100_000, 1), (1, 100_000)])
def test_any_shape_can_be_drawn(sides: tuple[int, int]) -> None:
    """A line is at least a block high and wide."""
    _, *lines = rows(TERMINAL, sides)
    assert lines
    assert lines[0].count("▀") >= 3


@pytest.mark.parametrize("width", [20, 40, 80, 200, 1000])
def test_nothing_is_wider_than_the_screen(width: int) -> None:
    """But for one that is too narrow for anything; no picture is larger than its thumbnail."""
    _, *lines = rows(Screen(width, is_terminal=True))
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
    assert max(map(len, plain)) <= max(width, 30)
    assert plain[0].count("▀") <= 3 * 64


@pytest.mark.parametrize(
    ("name", "value", "screen"),
    [
        ("TERM", "xterm-256color", Screen()),
        ("TERM", "dumb", TERMINAL),
        ("NO_COLOR", "1", TERMINAL),
        ("TERM", "xterm-256color", Screen(80, is_terminal=True, encoding="ascii")),
    ],
    ids=["no terminal", "dumb", "no colour", "ascii"],
)
def test_a_ramp_where_there_are_no_colours(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, screen: Screen
) -> None:
    """Letters from dark to light."""
    monkeypatch.setenv(name, value)
    if value == "dumb":
        monkeypatch.delenv("COLORTERM")
    _, *lines = rows(screen)
    assert 9 == len(lines)
    assert all(line.isascii() for line in lines)
    ramp = lines[0][2:26]
    levels = [" .:-=+*#%@".index(letter) for letter in ramp]
    assert levels == sorted(levels)
    assert (0, 9) == (levels[0], levels[-1])


def test_drawn_below_its_pair_only_where_asked() -> None:
    """And where there are two pictures."""
    assert "difference" not in printed(SAME)
    assert "difference" in printed(SAME, visual=True)
    assert "difference" not in printed(LOST, visual=True)
    assert 2 == printed(SAME, SAME, visual=True).count("difference")
    nothing = replace(SAME, seen=None, first_by_other=proof(Evidence.SAME))
    page = Page(Screen())
    draw(page, nothing, ("A", "B"), 80)
    assert b"\n" == page.encoded()
