"""What ``dupfind import`` plans and what it did, as values that reports render. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from dupfind.values import Evidence, FileEntry, Problem


class Why(StrEnum):
    """Why a file is to be brought over."""

    MISSING = "missing"
    SIMILAR = "similar"
    FRAGMENT = "fragment"
    BETTER = "better"
    UNREADABLE = "unreadable"


ALSO = (Why.SIMILAR.value, Why.FRAGMENT.value, Why.BETTER.value, Why.UNREADABLE.value)
"""What can be asked for beside what is missing."""


class Item(NamedTuple):
    """A file that is to be brought over."""

    path: str
    """As a scan reports it."""
    entry: FileEntry
    why: Why
    folder: tuple[str, ...]
    """Where it is to lie, below the destination."""
    plain: str
    """Its name there, where that is free."""
    group: int
    """Files of one number belong together and get one number where a name is taken: a picture and its sidecars."""
    shift: int
    """How many characters of the name a number stands behind."""
    number: int = 1
    """The number that its name has got; 1 for none."""

    @property
    def name(self) -> str:
        """Return its name there."""
        return numbered(self.plain, self.number, self.shift)

    @property
    def target(self) -> str:
        """Return the path below the destination."""
        return "/".join((*self.folder, self.name))


def numbered(name: str, number: int, shift: int) -> str:
    """Return a name with a number behind its first ``shift`` characters; 1 is the name itself.

    >>> numbered("a.jpg.xmp", 2, 1), numbered("a.jpg", 1, 1)
    ('a (2).jpg.xmp', 'a.jpg')
    """
    return name if number == 1 else f"{name[:shift]} ({number}){name[shift:]}"


class Duplicate(NamedTuple):
    """A file that is not brought over, since another one is."""

    path: str
    of: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What is to be brought over, and where to."""

    version: str
    destination: str
    """As the user gave it."""
    real: str
    """Absolute, without links."""
    layout: str
    items: Sequence[Item]
    duplicates: Sequence[Duplicate]
    left: Mapping[str, int]
    """How many files are not present and not brought over either, by their verdicts."""
    present: int
    problems: Sequence[Problem]
    free_bytes: int | None = None
    """What is free at the destination; None where that cannot be told."""
    is_outside: bool = False
    """Whether the destination lies in no haystack that was named, so that the next scan would not look there."""
    left_fragments: int = 0
    """How many of the similar ones that are left show parts of pictures."""

    @property
    def size_bytes(self) -> int:
        """Of all that is to be brought over."""
        return sum(item.entry.size_bytes for item in self.items)


class Fate(StrEnum):
    """What became of a file that was to be brought over."""

    IMPORTED = "imported"
    THERE = "there"
    """The same bytes lay there already."""
    FAILED = "failed"
    NOT_DONE = "not done"


class Done(NamedTuple):
    """What became of one file."""

    item: Item
    fate: Fate
    target: str | None = None
    """Where it lies, below the destination."""
    reason: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    plan: ImportPlan
    done: Sequence[Done]
    journal: str | None
    """Its path; None where nothing was to be done."""
    elapsed_seconds: float = 0.0
    stopped: int | None = None
    """The number of the signal that stopped it."""
    left_overs: int = 0
    """Temporary files of earlier runs that were removed."""
    numbers: Counter[Fate] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        self.numbers.update(done.fate for done in self.done)

    @property
    def size_bytes(self) -> int:
        """Of what was brought over."""
        return sum(done.item.entry.size_bytes for done in self.done if done.fate is Fate.IMPORTED)

    @property
    def is_complete(self) -> bool:
        """Whether all that was planned is there."""
        return self.stopped is None and not self.numbers[Fate.FAILED] and not self.numbers[Fate.NOT_DONE]

    @property
    def has_done_nothing(self) -> bool:
        """Whether there was something to do, and none of it could be done."""
        return bool(self.plan.items) and not self.numbers[Fate.IMPORTED] and not self.numbers[Fate.THERE]
