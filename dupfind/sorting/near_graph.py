"""The nearest neighbours of points, in more dimensions than trees of boxes are good for; pure numpy.

Up to some thousand points every pair is compared. More are cut into leaves by random projection trees (S. Dasgupta and
Y. Freund, "Random projection trees and low dimensional manifolds", STOC 2008), every pair of a leaf is compared, and
several trees are put together: near points are parted by one tree and hardly by all. The random numbers are those of a
fixed seed, so the same points give the same neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Indexes = NDArray[np.int64]
Lengths = NDArray[np.float32]

EXACT = 2048
"""Up to so many points every pair is compared."""
_LEAF = 256
_TREES = 6
_SEED = 20260101


def neighbours(points: Points, count: int, labels: Indexes | None = None) -> tuple[Indexes, Lengths]:
    """Return for each point the indexes of ``count`` others, the nearest first, and how far they are: (points,
    count) each.

    ``labels`` keeps points with one label from being each other's neighbours. Where there are fewer, -1 and infinity
    stand.
    """
    near = np.full((len(points), count), -1, np.int64)
    apart = np.full((len(points), count), np.inf, np.float32)
    rng = np.random.default_rng(_SEED)
    for _ in range(1 if len(points) <= EXACT else _TREES):
        for leaf in _leaves(points, rng):
            _meet(points, leaf, labels, near, apart)
    return near, apart


def lengths(points: Points, starts: Indexes, ends: Indexes) -> Lengths:
    """Compute how far ``starts`` and ``ends`` are from each other, by their indexes; 0 where one of the two is -1."""
    steps = np.empty(starts.shape, np.float32)
    flat, first, second = steps.reshape(-1), starts.reshape(-1), ends.reshape(-1)
    for start in range(0, len(flat), 1 << 16):
        batch = slice(start, start + (1 << 16))
        apart = points[first[batch]] - points[second[batch]]
        flat[batch] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    steps[(starts < 0) | (ends < 0)] = 0
    return steps


def _leaves(points: Points, rng: np.random.Generator) -> Iterator[Indexes]:
    """Yield sets of near points, each point in one of them."""
    if len(points) <= EXACT:
        yield np.arange(len(points))
        return
    pending = [np.arange(len(points))]
    while pending:
        indexes = pending.pop()
        if len(indexes) <= _LEAF:
            yield indexes
            continue
        # Along the line between two of them: where the points spread, a random direction seldom follows.
        left, right = points[rng.choice(indexes, 2, replace=False)]
        order = np.argsort(points[indexes] @ (left - right), kind="stable")
        cut = int(len(indexes) * rng.uniform(0.4, 0.6))
        pending += [np.sort(indexes[order[:cut]]), np.sort(indexes[order[cut:]])]


def _meet(points: Points, leaf: Indexes, labels: Indexes | None, near: Indexes, apart: Lengths) -> None:
    """Let the points of a leaf know each other, keeping the nearest that each has met."""
    members = points[leaf].astype(np.float64)
    squares = np.einsum("ij,ij->i", members, members)
    between = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * members @ members.T, 0)).astype(np.float32)
    np.fill_diagonal(between, np.inf)
    if labels is not None:
        between[labels[leaf][:, None] == labels[leaf][None, :]] = np.inf
    count = near.shape[1]
    if len(leaf) > count:
        best = np.sort(np.argpartition(between, count - 1, axis=1)[:, :count], axis=1)
    else:
        best = np.broadcast_to(np.arange(len(leaf)), (len(leaf), len(leaf)))
    candidates = np.concatenate([near[leaf], leaf[best]], axis=1)
    far = np.concatenate([apart[leaf], np.take_along_axis(between, best, axis=1)], axis=1)
    candidates[np.isinf(far)] = -1
    # One that was met before is not met again.
    order = np.lexsort((candidates, far), axis=1)
    candidates, far = np.take_along_axis(candidates, order, axis=1), np.take_along_axis(far, order, axis=1)
    again = np.zeros(candidates.shape, np.bool_)
    again[:, 1:] = (candidates[:, 1:] == candidates[:, :-1]) & (candidates[:, 1:] >= 0)
    far[again], candidates[again] = np.inf, -1
    order = np.argsort(far, axis=1, kind="stable")[:, :count]
    near[leaf] = np.take_along_axis(candidates, order, axis=1)
    apart[leaf] = np.take_along_axis(far, order, axis=1)
