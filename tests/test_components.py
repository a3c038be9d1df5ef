"""Sets of hashes that no near pair leaves: against brute force over all pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dupfind.grouping.linkage import components


def brute_force(hashes: list[list[int]], orientations: list[int], radius_bits: int) -> list[list[int]]:
    """Every pair compared, sets grown until nothing changes."""
    labels = list(range(len(hashes)))
    for _ in hashes:
        for one, mine in enumerate(hashes):
            for other, theirs in enumerate(hashes):
                if any((mine[turn] ^ theirs[0]).bit_count() <= radius_bits for turn in orientations):
                    labels[one] = labels[other] = min(labels[one], labels[other])
    sets = [[row for row, label in enumerate(labels) if label == wanted] for wanted in dict.fromkeys(labels)]
    return sorted(rows for rows in sets if len(rows) > 1)


@given(
    st.lists(st.lists(st.integers(0, 255), min_size=8, max_size=8), max_size=12),
    st.sets(st.integers(0, 7)),
    st.integers(0, 3),
)
def test_all_pairs_by_brute_force(hashes: list[list[int]], turns: set[int], radius_bits: int) -> None:
    """The same sets, whatever the orientations and the radius; orientation 0 is always among them."""
    orientations = sorted({0, *turns})
    array = np.array(hashes, np.uint64).reshape(len(hashes), 8)
    assert brute_force(hashes, orientations, radius_bits) == components(array, orientations, radius_bits)


def test_ten_thousand_equal_hashes() -> None:
    """They are one hash to the search, and one set."""
    hashes = np.zeros((10_001, 1), np.uint64)
    hashes[-1] = 2**40 - 1
    assert [list(range(10_000))] == components(hashes, [0], 10)


def test_nothing_is_near() -> None:
    """No sets, also of nothing."""
    assert [] == components(np.array([[0], [2**63 - 1]], np.uint64), [0], 10)
    assert [] == components(np.empty((0, 8), np.uint64), [0, 2], 10)
