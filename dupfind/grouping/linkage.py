"""Items to groups by a relation between them, without chains: a head, and members that it proves and that agree; pure.

Single linkage puts a and d together when a is near b, b near c and c near d, however far a is from d. Here two things
are asked of a member: its head speaks for it, and no other member speaks against it. That is complete linkage
(T. Sørensen, "A method of establishing groups of equal amplitude in plant sociology", 1948) with the proof
itself always between a member and its head, since proof has a direction: a large picture proves its small copy.

Knows no pictures: what the relation is, the caller says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Alive = NDArray[np.bool_]


class Relation(Protocol):
    """What is known of items ``0 .. count - 1``, of which the lower one ranks higher."""

    def near(self, head: int, alive: Alive) -> Sequence[int]:
        """The items among ``alive``, without ``head``, that it may speak for; those that are to be asked first come
        first.
        """

    def superior(self, head: int, near: Sequence[int]) -> int | None:
        """The one of ``near`` that should be the head in the place of ``head``, or None."""

    def proves(self, head: int, item: int) -> bool:
        """Whether ``head`` speaks for ``item``."""

    def agrees(self, head: int, item: int, members: Sequence[int]) -> bool:
        """Whether ``item`` may stand in one group with ``members``, all of which ``head`` speaks for."""


def link(count: int, relation: Relation) -> list[list[int]]:
    """Each item in exactly one group, the head of each first; groups of one are groups too.

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
    """From ``first`` up to one that none near it is superior to; never comes to one twice."""
    head, passed = first, {first}
    while True:
        near = relation.near(head, alive)
        above = relation.superior(head, [item for item in near if item not in passed])
        if above is None:
            return head, near
        head = above
        passed.add(head)
