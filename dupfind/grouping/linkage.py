"""Items to groups by a relation between them, without chains: a head, and members that it proves and that agree; pure.

Single linkage puts a and d together when a is near b, b near c and c near d, however far a is from d. Here two things
are asked of a member: its head speaks for it, and no other member speaks against it. That is complete linkage
(T. Sørensen, "A method of establishing groups of equal amplitude in plant sociology", 1948) with the proof
itself always between a member and its head, since proof has a direction: a large picture proves its small copy.

Components come first: sets that no pair within the threshold leaves, so that each can be linked alone. Such a set may
hold rows that are far apart, chained by others: it says who need not be compared with whom, and no more.

Knows no pictures: what the relation is, the caller says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dupfind.search.blocks import Hashes, Positions
from dupfind.search.hamming import HashDictionary

Alive = NDArray[np.bool_]


class Relation(Protocol):
    """What is known of items ``0 .. count - 1``, of which the lower one ranks higher."""

    def near(self, head: int, alive: Alive) -> Sequence[int]:
        """Return the items among ``alive``, without ``head``, that it may speak for,
        those that are to be asked first before the others.
        """

    def superior(self, head: int, near: Sequence[int]) -> int | None:
        """Return the one of ``near`` that should be the head in the place of ``head``, or None."""

    def proves(self, head: int, item: int) -> bool:
        """Tell whether ``head`` speaks for ``item``."""

    def agrees(self, head: int, item: int, members: Sequence[int]) -> bool:
        """Tell whether ``item`` may stand in one group with ``members``, all of which ``head`` speaks for."""


def link(count: int, relation: Relation) -> list[list[int]]:
    """Put each item in exactly one group, the head of each first; groups of one are groups too.

    The highest that is left becomes a head, unless one near it is superior, and takes everything that it may. What is
    given depends on the ranks and the relation, and on nothing else.
    """
    alive = np.ones(count, np.bool_)
    groups = []
    for first in range(count):
        while alive[first]:  # a superior one may come before it
            head, near = _head(first, alive, relation)
            members: list[int] = []
            for item in near:
                if relation.proves(head, item) and relation.agrees(head, item, members):
                    members.append(item)
            groups.append([head, *members])
            alive[groups[-1]] = False
    return groups


def _head(first: int, alive: Alive, relation: Relation) -> tuple[int, Sequence[int]]:
    """Go from ``first`` up to one that none near it is superior to; never comes to one twice."""
    head, passed = first, {first}
    while True:
        near = relation.near(head, alive)
        above = relation.superior(head, [item for item in near if item not in passed])
        if above is None:
            return head, near
        head = above
        passed.add(head)


def components(hashes: Hashes, orientations: Sequence[int], radius_bits: int) -> list[list[int]]:
    """Return sets of two and more rows of ``hashes``, rising, in the order of their first ones.

    ``hashes`` has the shape (rows, 8): of each, as it is and turned. Two rows are connected when one as it is lies
    within ``radius_bits`` of the other in one of ``orientations``. Equal hashes are searched for once, and no pair is
    kept: ten thousand blank pages take no more memory than as many photos.

    >>> components(np.array([[1], [255], [0], [254]], np.uint64), [0], 1)
    [[0, 2], [1, 3]]
    """
    dictionary = HashDictionary(hashes[:, 0])
    sets = _Sets(len(dictionary.keys))
    key_of = dictionary.equal(hashes[:, 0])
    for orientation in orientations:
        # Upright, each different hash is searched for once; turned, rows with one hash may differ.
        searched = dictionary.keys if orientation == 0 else hashes[:, orientation]
        keys = np.arange(len(searched)) if orientation == 0 else key_of
        for index, near, _ in dictionary.within(searched, radius_bits):
            sets.unite(int(keys[index]), near)
    several = np.bincount(key_of, minlength=len(dictionary.keys)) > 1
    rows_of_sets = [
        sorted(np.concatenate([dictionary.positions(key) for key in keys]).tolist()) for keys in sets.worth_it(several)
    ]
    return sorted(rows_of_sets)


class _Sets:
    """Disjoint sets of 0 .. count - 1, the smaller put to the larger: an item moves once for each doubling."""

    def __init__(self, count: int) -> None:
        self._labels = np.arange(count)
        self._members: dict[int, list[int]] = {}
        """Of the sets with more than one member, by their label."""

    def unite(self, item: int, items: Positions) -> None:
        """Make ``item`` and ``items`` one set."""
        if len(items) == 1 and items[0] == item:
            return
        labels = self._labels[items]
        if (labels == self._labels[item]).all():
            return
        merged = [self._members.get(label, [label]) for label in {*np.unique(labels).tolist(), int(self._labels[item])}]
        largest = max(merged, key=len)
        label = int(self._labels[largest[0]])
        for members in merged:
            if members is not largest:
                self._members.pop(int(self._labels[members[0]]), None)
                self._labels[members] = label
                largest.extend(members)
        self._members[label] = largest

    def worth_it(self, several: NDArray[np.bool_]) -> list[list[int]]:
        """Return every set of two and more, and those of one that is ``several``."""
        alone = several.copy()
        for members in self._members.values():
            alone[members] = False
        return [*self._members.values(), *([item] for item in np.flatnonzero(alone).tolist())]
