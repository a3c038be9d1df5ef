"""An order of points in which neighbours are near each other; pure numpy.

The shortest open path through all points is what seriation asks for (M. Hahsler, K. Hornik and C. Buchta, "Getting
Things in Order: an introduction to the R package seriation", Journal of Statistical Software 25, 2008), and the
travelling salesman's problem. As there: a greedy path, made better by exchanging two of its steps for two shorter ones
and by moving short pieces of it (J. L. Bentley, "Fast algorithms for geometric traveling salesman problems", ORSA
Journal on Computing 4, 1992), both along the nearest neighbours only. That takes no table of all distances.
"""

from __future__ import annotations

import numpy as np

from dupfind.sorting.near_graph import Indexes, Points, lengths, neighbours
from dupfind.sorting.route import improve

_NEIGHBOURS = 10
_STEPS = 1 << 16
"""Steps that are looked at together: as Python's numbers they take ten times their room."""
_STUCK = 0.95
"""Share of the ends that are left after a round which says that all points are equally far from each other."""


def seriate(points: Points) -> Indexes:
    """The indexes of all points, in the order of the path; of its two ends the lower index comes first.

    >>> seriate(np.array([[0], [9], [4], [5], [1]], np.float32)).tolist()
    [0, 4, 2, 3, 1]
    """
    if len(points) < 3:  # noqa: PLR2004 - two can be in no wrong order
        return np.arange(len(points))
    near, apart = neighbours(points, min(_NEIGHBOURS, len(points) - 1))
    path = improve(points, _greedy(points, near, apart), near)
    return path if path[0] < path[-1] else path[::-1]


def length(points: Points, path: Indexes) -> float:
    """The sum of all steps of a path."""
    return float(lengths(points, path[:-1], path[1:]).sum(dtype=np.float64))


def _greedy(points: Points, near: Indexes, apart: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Indexes:
    """A path through all points: the shortest steps first, as long as none has three and no ring closes."""
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
        self, ones: Indexes, near: Indexes, apart: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    ) -> None:
        """Join pieces along the steps from each of ``ones`` to those in its row of ``near``, the shortest first."""
        first = np.repeat(ones, near.shape[1])
        second, far = near.reshape(-1), apart.reshape(-1)
        is_step = second >= 0
        low, high = np.minimum(first, second)[is_step], np.maximum(first, second)[is_step]
        order = np.lexsort((high, low, far[is_step]))
        links, other_end = self._links, self._other_end
        for start in range(0, len(order), _STEPS):
            some = order[start : start + _STEPS]
            for one, other in zip(low[some].tolist(), high[some].tolist(), strict=True):
                if len(links[one]) < 2 and len(links[other]) < 2 and other_end[one] != other:  # noqa: PLR2004
                    links[one].append(other)
                    links[other].append(one)
                    ends = other_end[one], other_end[other]
                    other_end[ends[0]], other_end[ends[1]] = ends[1], ends[0]

    def ends(self) -> tuple[Indexes, Indexes]:
        """The ends of all pieces, and for each which piece it is of."""
        found = [one for one, links in enumerate(self._links) if len(links) < 2]  # noqa: PLR2004
        return np.array(found), np.array([min(one, self._other_end[one]) for one in found])

    def join_all(self) -> None:
        """Join all pieces as they come, whatever their steps."""
        first, *others = np.unique(self.ends()[1]).tolist()
        last = self._other_end[first]
        for other in others:
            self._links[last].append(other)
            self._links[other].append(last)
            last = self._other_end[other]
        self._other_end[first], self._other_end[last] = last, first

    def path(self) -> Indexes:
        """The only piece that is left, from one end to the other."""
        here = next(one for one, links in enumerate(self._links) if len(links) < 2)  # noqa: PLR2004
        before, found = -1, [here]
        while True:
            after = [other for other in self._links[here] if other != before]
            if not after:
                return np.array(found)
            before, here = here, after[0]
            found.append(here)
