"""Stretches of a film that no packet covers, and times as fractions, against the slow obvious answer."""

from __future__ import annotations

import io
from array import array
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dupfind.pictures import film_data
from dupfind.pictures.container_format import Reader
from dupfind.pictures.film_pieces import Span, gaps, marked

SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda one: Span(one[0], one[0] + one[1])), max_size=8
)


def apart(spans: list[Span]) -> list[Span]:
    """Those of the spans that do not overlap an earlier one, as boxes do not."""
    kept: list[Span] = []
    for span in sorted(spans):
        if not kept or span.start >= kept[-1].stop:
            kept.append(span)
    return kept


@given(SPANS, SPANS)
def test_gaps(spans: list[Span], covered: list[Span]) -> None:
    """Every place that is in a span and in no packet is in exactly one gap, whatever overlaps."""
    spans = apart(spans)
    found = [place for gap in gaps(spans, sorted(covered)) for place in range(*gap)]
    inside = {place for span in spans for place in range(*span)}
    assert sorted(inside - {place for span in covered for place in range(*span)}) == found


@given(st.lists(st.binary(max_size=5), max_size=4), st.lists(st.binary(max_size=5), max_size=4))
def test_no_two_rows_of_pieces_are_one(first: list[bytes], second: list[bytes]) -> None:
    """The bytes of a row tell its pieces, and a stretch of the file counts as what stands there."""
    content = b"".join(first)
    reader = Reader(io.BytesIO(content))
    packed = b"".join(marked(reader, first))
    assert (first == second) == (packed == b"".join(marked(reader, second)))
    places = [sum(map(len, first[:index])) for index in range(len(first) + 1)]
    assert packed == b"".join(marked(reader, [Span(*ends) for ends in pairwise(places)]))


@given(
    st.lists(st.integers(-500, 500), min_size=1, max_size=6), st.lists(st.integers(-500, 500), min_size=1, max_size=6),
    st.integers(1, 40), st.integers(1, 40), st.integers(-20, 20), st.integers(-20, 20),
)  # fmt: skip
def test_times_are_fractions(first: list[int], second: list[int], one: int, other: int, move: int, shift: int) -> None:
    """Two rows of times are one row of bytes only where they are the same fractions, whatever they are counted in."""

    def packed(ticks: list[int], factor: int, whole: int, by: int) -> bytes:
        return film_data._in_lowest_terms(array("q", ticks), factor, by, whole)

    def exact(ticks: list[int], whole: int, by: int) -> list[Fraction]:
        return [Fraction(tick + by, whole) for tick in ticks]

    assert packed(first, 1, one, move) == packed(first, other, one * other, move * other)
    are_one = exact(first, one, move) == exact(second, other, shift)
    assert are_one == (packed(first, 1, one, move) == packed(second, 1, other, shift))
