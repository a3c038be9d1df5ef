"""The linkage without chains: against its own definition, brute force, and chains of gradually changing items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.grouping.linkage import Alive, link


class Fake:
    """A relation by two tables over items that have a place on a line: who proves whom, and who agrees with whom."""

    def __init__(
        self,
        count: int,
        proves: Callable[[int, int], bool],
        agree: Callable[[int, int], bool],
        superior: Callable[[int, int], bool] = lambda _, __: False,
    ) -> None:
        self._count = count
        self._proves = proves
        self._agree = agree
        self._superior = superior

    def near(self, head: int, alive: Alive) -> Sequence[int]:
        """As the protocol says."""
        return [item for item in range(self._count) if alive[item] and item != head]

    def superior(self, head: int, near: Sequence[int]) -> int | None:
        """As the protocol says."""
        return next((item for item in sorted(near) if self._superior(item, head)), None)

    def proves(self, head: int, item: int) -> bool:
        """As the protocol says."""
        return self._proves(head, item)

    def agrees(self, head: int, item: int, members: Sequence[int]) -> bool:
        """As the protocol says."""
        return all(self._agree(item, member) for member in members)


def on_a_line(places: Sequence[float], reach: float) -> Fake:
    """Items that prove and agree with each other where they are no further apart than ``reach``."""

    def are_near(one: int, other: int) -> bool:
        return abs(places[one] - places[other]) <= reach

    return Fake(len(places), are_near, are_near)


def test_a_chain_of_gradual_changes_is_cut() -> None:
    """A ~ b ~ c ~ d, and a and d are unlike: they never come together, though all are joined by neighbours."""
    groups = link(4, on_a_line([0, 1, 2, 3], 1.5))
    assert [[0, 1], [2, 3]] == groups
    assert [[0, 1, 2, 3]] == link(4, on_a_line([0, 1, 2, 3], 3))


def test_the_head_alone_is_not_enough() -> None:
    """Both ends are near the one in the middle, which is the head, and unlike each other: one of them stays out."""
    assert [[0, 1], [2]] == link(3, on_a_line([0, -1, 1], 1))


def test_a_superior_one_becomes_the_head() -> None:
    """The one that ranks highest proves nobody; the one that proves it takes its place."""
    relation = Fake(3, lambda head, _: head == 2, lambda _, __: True, lambda item, head: item == 2 and head != 2)
    assert [[2, 0, 1]] == link(3, relation)


def test_superiority_in_a_ring_ends() -> None:
    """Each is superior to the one before it: still, somebody is the head."""
    relation = Fake(3, lambda _, __: True, lambda _, __: True, lambda item, head: item == (head + 1) % 3)
    (group,) = link(3, relation)
    assert [0, 1, 2] == sorted(group)


def test_nobody_and_one() -> None:
    """The smallest sets."""
    assert [] == link(0, on_a_line([], 1))
    assert [[0]] == link(1, on_a_line([5], 1))


@pytest.mark.slow
@given(st.data())
def test_the_definition_on_random_relations(data: st.DataObject) -> None:
    """Every item is in one group, every member is proved by its head, and no two members speak against each other.

    And no group could take what a later one begins with: it was left out for a reason.
    """
    count = data.draw(st.integers(0, 7))
    pairs = [(one, other) for one in range(count) for other in range(count) if one != other]
    proofs = {pair for pair in pairs if data.draw(st.booleans())}
    agreeing = {frozenset(pair) for pair in pairs if data.draw(st.booleans())}
    groups = link(count, Fake(count, lambda a, b: (a, b) in proofs, lambda a, b: frozenset((a, b)) in agreeing))
    assert list(range(count)) == sorted(item for group in groups for item in group)
    for head, *members in groups:
        assert all((head, member) in proofs for member in members)
        assert all(frozenset(pair) in agreeing for pair in combinations(members, 2))
    for index, (head, *members) in enumerate(groups):
        for later in groups[index + 1 :]:
            could_join = (head, later[0]) in proofs and all(frozenset((later[0], one)) in agreeing for one in members)
            assert not could_join


@given(st.lists(st.integers(0, 3), max_size=9))
def test_classes_come_out_whole(kinds: list[int]) -> None:
    """Where the relation is an equivalence, the groups are its classes, as brute force finds them."""
    relation = Fake(len(kinds), lambda a, b: kinds[a] == kinds[b], lambda a, b: kinds[a] == kinds[b])
    expected = [[item for item, one in enumerate(kinds) if one == kind] for kind in dict.fromkeys(kinds)]
    assert expected == link(len(kinds), relation)
