"""What a collection's pictures are gathered into: stacks of copies, and rows of stacks that look alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dupfind.reasons import Reason
from dupfind.values import Evidence


class Tie(NamedTuple):
    """What holds a picture to the one that it belongs to."""

    evidence: Evidence
    distance_bits: int
    reason: Reason | None
    orientation: int = 0
    """How it is turned to meet the other."""


class Stack(NamedTuple):
    """One picture in several files, by their positions."""

    best: int
    ties: Mapping[int, Tie]
    """Of each of the others, to the best."""

    @property
    def positions(self) -> tuple[int, ...]:
        """Of all its pictures, the best first."""
        return self.best, *self.ties


class Row(NamedTuple):
    """Stacks that look alike."""

    stacks: Sequence[Stack]
    """The best first."""
    ties: Sequence[Tie]
    """Of the best of each stack but the first, to the best of the first."""

    @property
    def is_several(self) -> bool:
        """Whether it holds more than one picture."""
        return len(self.stacks) > 1 or bool(self.stacks[0].ties)
