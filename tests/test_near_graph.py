"""Nearest neighbours: exact for few points, nearly so for many, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.sorting import seriation
from dupfind.sorting.seriation import lengths, neighbours


def points(count: int, seed: int = 1, dimensions: int = 8) -> seriation.Points:
    """Random points."""
    return np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)


def brute_force(some: seriation.Points, count: int, labels: seriation.Indexes | None = None) -> seriation.Lengths:
    """How far the nearest ``count`` of each are, by comparing all."""
    apart = np.sqrt(((some[:, None] - some[None, :]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    if labels is not None:
        apart[labels[:, None] == labels[None, :]] = np.inf
    return np.sort(apart, axis=1)[:, :count]


@given(st.integers(2, 30), st.integers(1, 12), st.integers(0, 9), st.booleans())
def test_few_points_by_brute_force(count: int, wanted: int, seed: int, labelled: bool) -> None:
    """Exactly the nearest, each once; where there are fewer, nothing stands in their place."""
    some = points(count, seed)
    labels = np.arange(count) // 2 if labelled else None
    wanted = min(wanted, count - 1)
    found, apart = neighbours(some, wanted, labels)
    assert np.allclose(brute_force(some, wanted, labels), apart, atol=1e-4)
    assert (np.isinf(apart) == (found < 0)).all()
    for row, near in enumerate(found):
        real = [other for other in near if other >= 0]
        assert len(set(real)) == len(real)
        assert row not in real


@pytest.mark.slow
def test_many_points_by_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs of near points know each other; of the nearest of all, most are found; twice the same."""
    monkeypatch.setattr(seriation, "EXACT", 300)
    base = points(1500)
    some = np.concatenate([base, base + points(1500, 2) * 0.01]).astype(np.float32)
    found, apart = neighbours(some, 5)
    twin = (np.arange(3000) + 1500) % 3000
    assert (found[:, 0] == twin).mean() > 0.95
    assert np.isclose(apart, brute_force(some, 5), atol=1e-3).mean() > 0.5
    assert (neighbours(some, 5)[0] == found).all()


def test_lengths() -> None:
    """Of any pairs; 0 where one of the two is nobody."""
    some = np.array([[0, 0], [3, 4]], np.float32)
    assert [5.0, 0.0, 0.0] == lengths(some, np.array([0, 1, -1]), np.array([1, 1, 0])).tolist()
