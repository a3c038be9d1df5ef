"""What ``dupfind undo`` did, and what there is to be undone, as values that reports render. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Back(NamedTuple):
    """What became of one thing that a run had done."""

    path: str
    """Where it lay after the run."""
    is_undone: bool
    to: str | None = None
    """Where it lies now."""
    reason: str | None = None
    """Why it was left as it is."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did."""

    version: str
    journal: str
    id: str
    command: str
    started: str
    """Of the run that was undone: ISO 8601."""
    files: Sequence[Back]
    before: int = 0
    """Files that an earlier undo had put back."""
    stopped: int | None = None
    notes: Sequence[str] = ()
    """What of folders that were made again is not as it was, and which journals of cleans cannot be read."""
    earlier: str | None = None
    """Path of the journal of the next run before this one of which something is left to be undone."""
    is_plan: bool = False
    """Whether nothing was changed: ``is_undone`` says what could be taken back."""

    @property
    def is_complete(self) -> bool:
        """Whether all is as it was before the run."""
        return self.stopped is None and all(file.is_undone for file in self.files)

    @property
    def has_done_nothing(self) -> bool:
        """Whether there was something to undo, and nothing could be."""
        return bool(self.files) and not any(file.is_undone for file in self.files)


class JournalLine(NamedTuple):
    """A journal, for a list of them."""

    journal: str
    id: str
    command: str
    started: str
    files: int
    """How many files the run copied or moved."""
    undone: int
    """How many of them were put back."""
    state: str
    """``running``, ``ended`` or ``cut off``: it was killed, and undo works all the same."""
    places: Sequence[str]
    """What it was about: the destination, or the needles."""
    is_settled: bool = False
    """Whether nothing is left to be undone: all was put back, or is not there any more."""
    to: str | None = None
    """Where files went to; None for the trash."""

    @property
    def undo(self) -> str:
        """Return what an undo could do: ``possible``, ``partly`` done, ``done``, ``gone``, ``nothing``, ``running``."""
        if self.state == "running":
            return "running"
        if not self.files:
            return "nothing"
        if self.undone == self.files:
            return "done"
        if self.is_settled:
            return "gone"
        return "partly" if self.undone else "possible"


@dataclass(frozen=True, slots=True)
class Journals:
    """All journals that are known."""

    version: str
    folder: str
    journals: Sequence[JournalLine]
    unreadable: Sequence[str] = ()
    """Paths of those of cleans that cannot be read: no import is undone while nobody knows what rests on it."""
