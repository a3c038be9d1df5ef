"""Answer of ``dupfind sort``, as values that reports render; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dupfind.values import Cataloged, Problem


class Placed(NamedTuple):
    """One picture in its place."""

    path: str
    """The root as the user gave it joined with the rest."""
    distance: float | None
    """From the picture before it, or from the one that all are compared with; see :mod:`dupfind.sorting.likeness`. None
    for the first one of a path.
    """


@dataclass(frozen=True, slots=True)
class SortResult:
    """Everything that one run of ``dupfind sort`` has to say."""

    version: str
    folders: Sequence[str]
    """As the user spelt them."""
    like: str | None
    """The picture that all are compared with, as the user spelt it; None where neighbours are to be alike."""
    pictures: Sequence[Placed]
    problems: Sequence[Problem]
    catalogs: Sequence[Cataloged] = ()
    """What stood for folders that were not looked at."""

    @property
    def is_whole(self) -> bool:
        """True when no picture was skipped because it could not be looked at."""
        return all(problem.is_note for problem in self.problems)

    @property
    def mean_distance(self) -> float | None:
        """The mean of all distances; None where there is none."""
        distances = [picture.distance for picture in self.pictures if picture.distance is not None]
        return sum(distances) / len(distances) if distances else None
