"""What ``dupfind clean`` plans and what it did, as values that reports render. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dupfind.values import Evidence, FileEntry, Problem


class Claimed(NamedTuple):
    """What a scan has found of one needle, and what is proved again before it goes."""

    needle: FileEntry
    """The file, or what lies in it where it is an archive."""
    witnesses: tuple[FileEntry, ...]
    """Each of them has to prove it; several where several were asked for."""
    evidence: Evidence
    is_same_data: bool = False
    """Whether it rests on equal image data."""


class Thing(NamedTuple):
    """Something in a folder that goes with it: a file that is proved, or one that needs no proof."""

    below: tuple[str, ...]
    """Its path below the folder; of none, the file itself that goes."""
    state: tuple[int, ...]
    """Device, inode, size, time of modification and of change, kind: what was listed."""
    claims: tuple[Claimed, ...] = ()
    """None for junk, and for what is empty or not wanted."""
    is_listed: bool = True
    """Whether a scan lists it; not so for junk."""
    members: int | None = None
    """Of an archive that was looked into, how many files a scan counts in its place."""

    @property
    def is_set_aside(self) -> bool:
        """Tell whether rules or a person have set it aside, so that nobody looked for it in the haystack."""
        return self.is_listed and not self.claims and bool(self.size_bytes)

    @property
    def size_bytes(self) -> int:
        """Return how long it is."""
        return self.state[2]


class Marks(NamedTuple):
    """What a file or a folder has beside its content."""

    mode: int
    uid: int
    gid: int
    mtime_ns: int
    attributes: tuple[tuple[str, bytes], ...] = ()
    """The user's extended attributes."""


class Inner(NamedTuple):
    """A folder in a folder that goes, or that one itself."""

    below: tuple[str, ...]
    marks: Marks


class Unit(NamedTuple):
    """What goes whole or not at all: a folder that is contained, or with ``--files`` a file that is present."""

    path: str
    """As a scan reports it."""
    real: str
    """Absolute, without links."""
    root: str
    """The root that it lies in, likewise."""
    device: int
    things: tuple[Thing, ...]
    folders: tuple[Inner, ...]
    """The outermost first; none for a file."""

    @property
    def size_bytes(self) -> int:
        """Of all that goes with it."""
        return sum(thing.size_bytes for thing in self.things)

    @property
    def proved(self) -> int:
        """How many files are proved before it goes."""
        return sum(bool(thing.claims) for thing in self.things)

    @property
    def set_aside(self) -> int:
        """How many files nobody looked for in the haystack."""
        return sum(thing.is_set_aside for thing in self.things)


class Left(NamedTuple):
    """What stays, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class CleanPlan:
    """What could go, and what stays."""

    version: str
    needles: Sequence[str]
    to: str | None
    """The folder to move to, as the user gave it; None for the trash."""
    real: str | None
    """The same, absolute and without links."""
    units: Sequence[Unit]
    left: Sequence[Left]
    problems: Sequence[Problem]
    are_files: bool = False
    witnesses: int = 1
    device: int | None = None
    """That of the folder to move to."""
    free_bytes: int | None = None
    """What is free there; None where that cannot be told."""

    @property
    def copied(self) -> Sequence[Unit]:
        """What lies on another file system than the folder to move to: it is copied, and then given up."""
        return [unit for unit in self.units if self.device not in (None, unit.device)]

    @property
    def copied_bytes(self) -> int:
        """How long all of that is."""
        return sum(unit.size_bytes for unit in self.copied)

    @property
    def size_bytes(self) -> int:
        """Of all that could go."""
        return sum(unit.size_bytes for unit in self.units)

    @property
    def files(self) -> int:
        """How many files could go, junk among them."""
        return sum(len(unit.things) for unit in self.units)


class Fate(StrEnum):
    """What became of a folder or a file that could go."""

    MOVED = "moved"
    REFUSED = "refused"
    """It stays whole, with the reason."""
    NOT_DONE = "not done"


class Gone(NamedTuple):
    """What became of one unit."""

    unit: Unit
    fate: Fate
    target: str | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()
    is_torn: bool = False
    """Whether it stays, and yet some of it could not be moved back."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean did."""

    plan: CleanPlan
    gone: Sequence[Gone]
    journal: str | None
    elapsed_seconds: float = 0.0
    stopped: int | None = None

    @property
    def numbers(self) -> Mapping[Fate, int]:
        """How often each fate fell."""
        return {fate: sum(gone.fate is fate for gone in self.gone) for fate in Fate}

    @property
    def moved(self) -> Sequence[Gone]:
        """What has gone."""
        return [gone for gone in self.gone if gone.fate is Fate.MOVED]

    @property
    def size_bytes(self) -> int:
        """Of what has gone."""
        return sum(gone.unit.size_bytes for gone in self.moved)

    @property
    def is_complete(self) -> bool:
        """Whether all went that was planned."""
        return self.stopped is None and len(self.moved) == len(self.plan.units)

    @property
    def has_done_nothing(self) -> bool:
        """Whether there was something to do, and none of it could be done."""
        return bool(self.plan.units) and not self.moved
