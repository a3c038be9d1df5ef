"""The order in which neighbours are near: against the shortest path of all, and on real pictures."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.sorting import seriation
from dupfind.sorting.seriation import length, seriate


@pytest.mark.slow
@given(st.integers(0, 7), st.integers(0, 100), st.integers(1, 3))
def test_against_every_order(count: int, seed: int, dimensions: int) -> None:
    """No order of a few points is more than a fifth shorter, and it begins with the lower of its ends."""
    points = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    path = seriate(points)
    assert list(range(count)) == sorted(path.tolist())
    if count > 1:
        shortest = min(length(points, np.array(order)) for order in permutations(range(count)))
        assert path[0] < path[-1]
        assert length(points, path) <= 1.2 * shortest + 1e-5


def test_points_on_a_line() -> None:
    """They come out as they lie."""
    places = np.random.default_rng(1).permutation(500).astype(np.float32)[:, None]
    found = places[seriate(places), 0]
    assert (np.abs(np.diff(found)) == 1).all()


@pytest.mark.slow
def test_clusters_stay_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where neighbours are found by trees."""
    monkeypatch.setattr(seriation, "EXACT", 400)
    dice = np.random.default_rng(2)
    centres = dice.normal(size=(300, 12)) * 100
    points = np.repeat(centres, 5, axis=0) + dice.normal(size=(1500, 12))
    order = dice.permutation(1500)
    path = seriate(points[order].astype(np.float32))
    clusters = order[path] // 5
    assert 299 == (np.diff(clusters) != 0).sum()


def test_points_that_are_all_equally_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is better than another, and joining the pieces does not take forever."""
    monkeypatch.setattr(seriation, "_NEIGHBOURS", 1)
    path = seriate(np.eye(300, dtype=np.float32))
    assert list(range(300)) == sorted(path.tolist())


@pytest.mark.slow
def test_the_same_every_time() -> None:
    """Twice the same points, twice the same order."""
    points = np.random.default_rng(3).normal(size=(3000, 6)).astype(np.float32)
    assert (seriate(points) == seriate(points)).all()
