"""What follows from the counts: expectations and suggestions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.answers.calibrate import COPIES_END_BITS, EDITS_END_BITS, THRESHOLDS, Calibration, Spread
from dupfind.settings import DEFAULT_THRESHOLD_BITS


def spread(algorithm: str = "phash", pictures: int = 100, **pairs_at: int) -> Spread:
    """Pairs at the distances named: ``at_12=3``; the others of 10,000 lie 40 bits apart."""
    counts = [0] * 65
    for name, count in pairs_at.items():
        counts[int(name.removeprefix("at_"))] = count
    counts[40] += 10_000 - sum(counts)
    return Spread(algorithm, counts, pictures)


def test_expectations_are_cumulative_and_for_a_thousand_needles() -> None:
    """A share of the pairs, times the pictures of the haystack, times a thousand."""
    found = spread(at_2=1, at_10=3)
    assert [0.0, 0.0, 10.0, 10.0] == [found.false_candidates(bits) for bits in range(4)]
    assert (40.0, 40.0) == (found.false_candidates(10), found.false_candidates(32))
    assert 10.0 == Calibration("1", ["d"], True, 100, 100, 0, [found], []).least


@pytest.mark.parametrize(
    ("pairs_at", "expected"),
    [
        ({}, 14),  # nothing near: where edits end
        ({"at_12": 100}, 14),  # exactly one a needle is affordable
        ({"at_12": 101}, 11),  # more is not: the largest below
        ({"at_6": 101}, 5),
        ({"at_3": 5000}, 4),  # never below where copies end
        ({"at_0": 5000}, 4),
    ],
)
def test_the_suggestion(pairs_at: dict[str, int], expected: int) -> None:
    """The largest threshold with one false candidate a needle, between where copies and where edits end."""
    assert expected == spread(**pairs_at).suggested_bits


@given(
    st.lists(st.integers(0, 1000), min_size=65, max_size=65), st.integers(2, 10_000), st.sampled_from(list(THRESHOLDS))
)
def test_suggestions_keep_their_promise(counts: list[int], pictures: int, bits: int) -> None:
    """Whatever the counts: within the bounds, affordable unless at the floor, and no larger one would do."""
    counts[-1] += 1
    for algorithm in DEFAULT_THRESHOLD_BITS:
        found = Spread(algorithm, counts, pictures)
        floor, ceiling = COPIES_END_BITS[algorithm], EDITS_END_BITS[algorithm]
        suggested = found.suggested_bits
        assert floor <= suggested <= ceiling
        assert suggested == floor or found.false_candidates(suggested) <= 1000
        assert suggested == ceiling or found.false_candidates(suggested + 1) > 1000
        assert found.false_candidates(bits) == pytest.approx(1000 * pictures * sum(counts[: bits + 1]) / sum(counts))


def test_every_algorithm_has_its_bounds() -> None:
    """Copies end below edits, and the default lies between."""
    assert DEFAULT_THRESHOLD_BITS.keys() == COPIES_END_BITS.keys() == EDITS_END_BITS.keys()
    for algorithm, default in DEFAULT_THRESHOLD_BITS.items():
        assert COPIES_END_BITS[algorithm] <= default <= EDITS_END_BITS[algorithm]
