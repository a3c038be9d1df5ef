"""An order of points in which neighbours are near each other; pure numpy.

The shortest open path through all points is what seriation asks for (M. Hahsler, K. Hornik and C. Buchta, "Getting
Things in Order: an introduction to the R package seriation", Journal of Statistical Software 25, 2008), and the
travelling salesman's problem. As there: a greedy path, made better by exchanging two of its steps for two shorter ones
and by moving short pieces of it (J. L. Bentley, "Fast algorithms for geometric traveling salesman problems", ORSA
Journal on Computing 4, 1992), both along the nearest neighbours only. That takes no table of all distances.

Neighbours lie in more dimensions than trees of boxes are good for. Up to some thousand points every pair is compared.
More are cut into leaves by random projection trees (S. Dasgupta and Y. Freund, "Random projection trees and low
dimensional manifolds", STOC 2008), every pair of a leaf is compared, and several trees are put together: near points
are split by one tree and hardly by all. The random numbers are those of a fixed seed, so the same points give the same
neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

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
_NEIGHBOURS = 10
_STEPS = 1 << 16
"""Steps that are looked at together: as Python's numbers they take ten times their room."""
_STUCK = 0.95
"""Share of the ends that are left after a round which says that all points are equally far from each other."""
_MOST_ROUNDS = 20
_LEAST_GAIN = 1e-3
"""Share of the path below which a round was not worth the next one."""
_PIECES = (1, 2, 3)
"""Lengths of the pieces that are moved."""
_EPSILON = 1e-4


def seriate(points: Points) -> Indexes:
    """Order all points along a path, by their indexes; of its two ends the lower index comes first.

    >>> seriate(np.array([[0], [9], [4], [5], [1]], np.float32)).tolist()
    [0, 4, 2, 3, 1]
    """
    if len(points) < 3:  # noqa: PLR2004 - two can be in no wrong order
        return np.arange(len(points))
    near, apart = neighbours(points, min(_NEIGHBOURS, len(points) - 1))
    path = improve(points, _greedy(points, near, apart), near)
    return path if path[0] < path[-1] else path[::-1]


def length(points: Points, path: Indexes) -> float:
    """Sum up all steps of a path."""
    return float(lengths(points, path[:-1], path[1:]).sum(dtype=np.float64))


def _greedy(points: Points, near: Indexes, apart: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Indexes:
    """Make a path through all points: the shortest steps first, as long as none has three and no ring closes."""
    pieces = _Pieces(len(points))
    pieces.join_along(np.arange(len(points)), near, apart)
    while True:
        ends, labels = pieces.ends()
        if len(ends) <= 2:  # noqa: PLR2004 - one piece is left
            return pieces.path()
        near, apart = neighbours(points[ends], min(_NEIGHBOURS, len(ends) - 1), labels)
        pieces.join_along(ends, np.where(near < 0, -1, ends[near]), apart)
        if len(pieces.ends()[0]) > _STUCK * len(ends):
            pieces.join_all()


class _Pieces:
    """Paths that are joined at their ends."""

    def __init__(self, count: int) -> None:
        self._links: list[list[int]] = [[] for _ in range(count)]
        self._other_end = list(range(count))
        """Of each end of a piece, the other one."""

    def join_along(
        self, starts: Indexes, near: Indexes, apart: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    ) -> None:
        """Join pieces along the steps from each of ``starts`` to those in its row of ``near``, the shortest first."""
        first = np.repeat(starts, near.shape[1])
        second, far = near.reshape(-1), apart.reshape(-1)
        is_step = second >= 0
        low, high = np.minimum(first, second)[is_step], np.maximum(first, second)[is_step]
        order = np.lexsort((high, low, far[is_step]))
        links, other_end = self._links, self._other_end
        for start in range(0, len(order), _STEPS):
            batch = order[start : start + _STEPS]
            for left, right in zip(low[batch].tolist(), high[batch].tolist(), strict=True):
                if len(links[left]) < 2 and len(links[right]) < 2 and other_end[left] != right:  # noqa: PLR2004
                    links[left].append(right)
                    links[right].append(left)
                    ends = other_end[left], other_end[right]
                    other_end[ends[0]], other_end[ends[1]] = ends[1], ends[0]

    def ends(self) -> tuple[Indexes, Indexes]:
        """Return the ends of all pieces, and for each which piece it is of."""
        loose = [end for end, links in enumerate(self._links) if len(links) < 2]  # noqa: PLR2004
        return np.array(loose), np.array([min(end, self._other_end[end]) for end in loose])

    def join_all(self) -> None:
        """Join all pieces as they come, whatever their steps."""
        first, *later = np.unique(self.ends()[1]).tolist()
        last = self._other_end[first]
        for end in later:
            self._links[last].append(end)
            self._links[end].append(last)
            last = self._other_end[end]
        self._other_end[first], self._other_end[last] = last, first

    def path(self) -> Indexes:
        """Return the only piece that is left, from one end to the other."""
        here = next(end for end, links in enumerate(self._links) if len(links) < 2)  # noqa: PLR2004
        before, visited = -1, [here]
        while True:
            after = [neighbour for neighbour in self._links[here] if neighbour != before]
            if not after:
                return np.array(visited)
            before, here = here, after[0]
            visited.append(here)


def improve(points: Points, path: Indexes, near: Indexes) -> Indexes:
    """Return ``path`` with shorter steps; ``near`` are the neighbours that each point may come to stand next to.

    In each round all changes are weighed at once, and the best are made that do not touch each other's steps.
    """
    route = _Route(points, path, near)
    for _ in range(_MOST_ROUNDS):
        if route.cross() + route.move() <= _LEAST_GAIN * route.length():
            break
    return route.path


class _Route:
    """The path as it is, and where each point stands on it. Before the first and after the last stands -1."""

    def __init__(self, points: Points, path: Indexes, near: Indexes) -> None:
        self.path = path.copy()
        self._points = points
        self._places = np.empty(len(path), np.int64)
        self._places[path] = np.arange(len(path))
        self._starts = np.repeat(np.arange(len(path)), near.shape[1])
        self._neighbours = near.reshape(-1)
        is_there = self._neighbours >= 0
        self._starts, self._neighbours = self._starts[is_there], self._neighbours[is_there]
        self._apart = self._between(self._starts, self._neighbours)

    def length(self) -> float:
        """Sum up all steps."""
        return float(self._between(self.path[:-1], self.path[1:]).sum(dtype=np.float64))

    def cross(self) -> float:
        """Exchange steps (a, next of a), (b, next of b) for (a, b) and one between the two nexts; returns the gain."""
        total = 0.0
        for side in (1, -1):
            # One of the two new steps is shorter than one of the old ones; each pair is met from both of its sides.
            starts, neighbours, apart = self._shorter(side)
            after, also = self._beside(starts, side), self._beside(neighbours, side)
            gain = self._between(starts, after) + self._between(neighbours, also) - apart - self._between(after, also)
            for row in _best(gain):
                point, neighbour, behind, beyond = (int(values[row]) for values in (starts, neighbours, after, also))
                if self._cross(point, neighbour, behind, beyond):
                    total += float(gain[row])
        return total

    def _cross(self, point: int, neighbour: int, after: int, also: int) -> bool:
        """Exchange the steps if both are still there, and run the same way."""
        side = self._side(point, after, neighbour, also)
        if side == 0:
            return False
        first, last = sorted((int(self._places[point]), int(self._places[neighbour])))
        if side == 1:
            self._reverse(first + 1, last)
        else:
            self._reverse(first, last - 1)
        return True

    def _side(self, point: int, after: int, neighbour: int, also: int) -> int:
        """Return 1 where ``after`` and ``also`` are right behind ``point`` and
        ``neighbour``, -1 right before, else 0.
        """
        for side in (1, -1):
            if (
                self._at(int(self._places[point]) + side) == after
                and self._at(int(self._places[neighbour]) + side) == also
            ):
                return side
        return 0

    def move(self) -> float:
        """Move pieces of up to three points next to a neighbour of one of their ends; returns what was gained."""
        total = 0.0
        for count in _PIECES:
            if count + 1 >= len(self.path):
                break
            for side in (1, -1):
                for where in (1, -1):
                    total += self._move_all(count, side, where)
        return total

    def _move_all(self, count: int, side: int, where: int) -> float:
        """Move pieces that reach from a point ``count - 1`` further to ``side``; the point next to its neighbour, which
        keeps its place, and the rest of the piece towards ``where`` of it.
        """
        starts, neighbours, apart = self._shorter(-side)
        place = self._places[starts]
        far = place + side * (count - 1)
        is_whole = (far >= 0) & (far < len(self.path))
        distance = (self._places[neighbours] - place) * side
        is_whole &= (distance < 0) | (distance >= count)
        starts, neighbours, apart = starts[is_whole], neighbours[is_whole], apart[is_whole]
        ends = self.path[far[is_whole]]
        before, behind = self._beside(starts, -side), self._beside(ends, side)
        beside = self._beside(neighbours, where)
        # What stands beside the neighbour may be the piece itself: then there is nothing to part.
        is_free = (beside != starts) & (beside != ends)
        removed = self._between(before, starts) + self._between(ends, behind) + self._between(neighbours, beside)
        gain = removed - self._between(before, behind) - apart - self._between(ends, beside)
        gain[~is_free] = 0
        total = 0.0
        for row in _best(gain):
            piece = _Piece(*(int(values[row]) for values in (starts, ends, neighbours, before, behind, beside)))
            if self._move(piece, count):
                total += float(gain[row])
        return total

    def _move(self, moved: _Piece, count: int) -> bool:
        """Move the piece if everything around is still as it was."""
        point, end, neighbour, before, behind, beside = moved
        start, stop = int(self._places[point]), int(self._places[end])
        side = -self._side(point, before, point, before)
        if side == 0 or stop - start != side * (count - 1) or self._at(stop + side) != behind:
            return False
        place = int(self._places[neighbour])
        way = self._side(neighbour, beside, neighbour, beside)
        if way == 0 or 0 <= (place - start) * side < count:
            return False
        first, last = min(start, stop), max(start, stop)
        piece = self.path[first : last + 1].copy()
        if (piece[0] == point) != (way == 1):  # the point is to stand next to its neighbour
            piece = piece[::-1]
        gap = place + 1 if way == 1 else place  # the piece goes before what stands here
        if gap > last:
            self.path[first : gap - count] = self.path[last + 1 : gap].copy()
            self.path[gap - count : gap] = piece
            self._place(first, gap)
        else:
            self.path[gap + count : last + 1] = self.path[gap:first].copy()
            self.path[gap : gap + count] = piece
            self._place(gap, last + 1)
        return True

    def _shorter(self, side: int) -> tuple[Indexes, Indexes, Lengths]:
        """Return the points with those neighbours that are nearer than what stands beside them, and how near."""
        everyone = np.arange(len(self.path))
        steps = self._between(everyone, self._beside(everyone, side))
        is_shorter = self._apart < steps[self._starts]
        return self._starts[is_shorter], self._neighbours[is_shorter], self._apart[is_shorter]

    def _reverse(self, first: int, last: int) -> None:
        self.path[first : last + 1] = self.path[first : last + 1][::-1].copy()
        self._place(first, last + 1)

    def _place(self, first: int, end: int) -> None:
        self._places[self.path[first:end]] = np.arange(first, end)

    def _at(self, place: int) -> int:
        return int(self.path[place]) if 0 <= place < len(self.path) else -1

    def _beside(self, starts: Indexes, side: int) -> Indexes:
        """Return what stands ``side`` steps behind each of ``starts``, or -1."""
        places = self._places[starts] + side
        standing = self.path[np.clip(places, 0, len(self.path) - 1)]
        standing[(places < 0) | (places >= len(self.path)) | (starts < 0)] = -1
        return standing

    def _between(self, starts: Indexes, ends: Indexes) -> Lengths:
        return lengths(self._points, starts, ends)


class _Piece(NamedTuple):
    """Points that are to be moved, and what is around them."""

    point: int
    """The end that is to stand next to ``neighbour``."""
    end: int
    neighbour: int
    before: int
    """What stands beside ``point``; ``behind`` beside ``end``."""
    behind: int
    beside: int
    """What stands beside ``neighbour`` where the piece is to come between them."""


def _best(gain: Lengths) -> Iterator[int]:
    """Yield the rows with a gain, the largest first."""
    rows = np.flatnonzero(gain > _EPSILON)
    yield from rows[np.argsort(-gain[rows], kind="stable")].tolist()


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
