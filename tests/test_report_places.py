"""Words for a part of a picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.report.places import Box, place


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((0, 0, 100, 100), "all"),
        ((3, 4, 97, 100), "all"),
        ((5, 0, 90, 100), "nearly all"),
        ((25, 0, 75, 100), "the middle half"),
        ((0, 0, 50, 100), "the left half"),
        ((0, 50, 100, 100), "the bottom half"),
        ((0, 33, 100, 67), "the middle third"),
        ((50, 0, 100, 50), "the top right quarter"),
        ((0, 70, 60, 100), "the bottom left fifth"),
        ((0, 0, 75, 100), "the left three quarters"),
        ((33, 0, 100, 100), "the right two thirds"),
        ((60, 60, 90, 90), "the bottom right tenth"),
        ((45, 45, 55, 55), "a small part in the middle"),
        ((90, 45, 100, 55), "a small part at the right"),
    ],
)
def test_place(box: Box, words: str) -> None:
    """As a person would say it."""
    assert words == place(box)


@given(st.tuples(*[st.integers(0, 100)] * 4))
def test_every_box_has_a_place(numbers: tuple[int, int, int, int]) -> None:
    """Some words for each, with an edge only where it lies nearer to that."""
    left, right = sorted(numbers[:2])
    top, bottom = sorted(numbers[2:])
    words = place((left, top, right, bottom))
    assert words
    assert not ("left" in words and left + right > 100)
    assert not ("top" in words and top + bottom > 100)
