"""A path made shorter: never longer, always whole, and every gain is a real one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dupfind.sorting.seriation import _Route, improve, length, neighbours


@given(st.integers(3, 40), st.integers(0, 50), st.integers(1, 3))
def test_every_gain_is_real(count: int, seed: int, dimensions: int) -> None:
    """Each round shortens the path by what it says, and every point stays on it once."""
    dice = np.random.default_rng(seed)
    points = dice.normal(size=(count, dimensions)).astype(np.float32) * 50
    near, _ = neighbours(points, min(6, count - 1))
    route = _Route(points, dice.permutation(count), near)
    before = route.length()
    for change in (route.cross, route.move, route.cross, route.move):
        gained = change()
        assert gained >= 0
        assert abs(before - gained - route.length()) < 0.05
        before = route.length()
        assert list(range(count)) == sorted(route.path.tolist())
        assert (route.path[route._places] == np.arange(count)).all()


def test_a_crossing_is_undone() -> None:
    """Two steps that cross on the way around a square."""
    points = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], np.float32)
    near, _ = neighbours(points, 3)
    assert 3.0 == length(points, improve(points, np.array([0, 2, 1, 3]), near))


def test_a_misplaced_piece_is_moved() -> None:
    """Two points that were put at the wrong end of a line."""
    points = np.arange(8, dtype=np.float32)[:, None]
    near, _ = neighbours(points, 3)
    path = improve(points, np.array([0, 1, 4, 5, 6, 7, 2, 3]), near)
    assert 7.0 == length(points, path)
