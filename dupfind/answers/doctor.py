"""Answer of `dupfind doctor`, as values that reports render. No path and no name of a file is in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Fact(NamedTuple):
    """One thing of this machine or this installation."""

    name: str
    value: str
    advice: str | None = None
    """What is wrong with it and what helps; None where nothing is."""


class Section(NamedTuple):
    """Facts that belong together."""

    title: str
    facts: Sequence[Fact]


class Diagnosed(NamedTuple):
    """All of them."""

    sections: Sequence[Section]

    @property
    def is_healthy(self) -> bool:
        """Whether no fact has advice."""
        return all(fact.advice is None for section in self.sections for fact in section.facts)
