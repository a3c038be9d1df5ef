"""Answer of `dupfind selftest`, as values that reports render."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What came of one check."""

    OK = "ok"
    DIFFERS = "differs"
    """Not as tested, and near enough to be used."""
    ABSENT = "absent"
    """An extra is not installed: such files are compared by their bytes."""
    NOT_TRIED = "not-tried"
    """This system cannot be brought into that state."""
    FAILED = "failed"


class Check(NamedTuple):
    """One thing that was tried."""

    name: str
    outcome: Outcome
    note: str = ""
    """What there is to say of it, a clause without a stop."""


class OtherVersion(NamedTuple):
    """A library of another version than the known values were made with."""

    name: str
    installed: str | None
    tested: str


class SelftestResult(NamedTuple):
    """Everything that was tried, in its order."""

    pictures: Sequence[Check]
    """Each format: does a known picture give its known thumbnail and hash?"""
    broken: Sequence[Check]
    """Each format: is the picture refused, or called damaged, when half of the file is missing?"""
    runs: Sequence[Check]
    """Whole runs of the program."""
    libraries: Sequence[OtherVersion]
    seconds: float

    @property
    def checks(self) -> list[Check]:
        """All of them."""
        return [*self.pictures, *self.broken, *self.runs]

    @property
    def has_passed(self) -> bool:
        """Whether nothing failed."""
        return all(check.outcome is not Outcome.FAILED for check in self.checks)
