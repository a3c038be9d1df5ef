"""A kind of pairs: how a needle and its witness are made, and what is expected of a program that compares them.

In a *lossy* kind the witness lacks something that the needle has and a person would miss, so `same` is wrong. In a
kind of *copies* nothing is lost when the needle goes, so `same` is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from benchmarks.edits import Case, Source

Make = Callable[[Source, Random], Case | None]


@dataclass(frozen=True)
class Group:
    """Kinds that share a target."""

    title: str
    most_same: float | None = None
    """Largest share that may be called `same`; None where there is no such bound."""
    least_same: float | None = None
    """Smallest share that must be called `same`."""

    @property
    def target(self) -> str:
        """Return the target in words."""
        if self.most_same is not None:
            return f"<= {self.most_same:.1%}"
        return f">= {self.least_same:.0%}" if self.least_same is not None else "none"

    def meets(self, share: float) -> bool:
        """Tell whether that share of `same` keeps to the target."""
        return (self.most_same is None or share <= self.most_same) and (
            self.least_same is None or share >= self.least_same
        )


LACKING = Group("the library's copy lacks something", most_same=0.005)
PAGES = Group("screens and pages with one thing changed", most_same=0.01)
STILL = Group("frames of a static camera", most_same=0.01)
COPIES = Group("true copies", least_same=0.99)
CURVES = Group("in between: no target, shown as a curve")
GROUPS = (LACKING, PAGES, STILL, COPIES, CURVES)


class PairKind(NamedTuple):
    """A named way to make pairs."""

    name: str
    group: Group
    make: Make
    has_own_size: bool = False
    """True for drawn pages and ready pairs whose size does not depend on the photo: asked for one set only."""

    def pair(self, source: Source, seed: int) -> Case | None:
        """Make a pair of ``source``; None where what is lost would not show in it."""
        return self.make(source, Random(f"{self.name} {source.name} {seed}"))  # noqa: S311 - chance for pictures
