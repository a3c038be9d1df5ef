"""Where what goes goes to: the trash, or a folder of the user's. Each step is in the journal before it is made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from dupfind.acting.journal import Journal
from dupfind.acting.places import Folder
from dupfind.acting.trash import Claim, Trash
from dupfind.answers.clean import Unit
from dupfind.errors import ActingError
from dupfind.values import is_below

_MOST_NUMBER = 9999
_OWN = 0o700


class Spot(NamedTuple):
    """Where one unit is to lie: a name in a folder, which is free and ours."""

    folder: Folder
    name: str
    steps: tuple[int, ...] = ()
    """Of the journal, by which it came to be."""
    claim: Claim | None = None


class Target(Protocol):
    """Where units go to."""

    def spot(self, unit: Unit, journal: Journal) -> Spot:
        """Find a place for a unit. Raises ``OSError`` and :class:`~dupfind.errors.ActingError`: it stays then."""

    def give_back(self, unit: Unit, spot: Spot) -> None:
        """Take back what was made for a unit that stays after all; its place is empty."""


class ToTrash:
    """The trash of the file system that a unit lies on."""

    def __init__(self) -> None:
        self._trashes: dict[int, Trash] = {}

    def spot(self, unit: Unit, journal: Journal) -> Spot:
        """Take a name in the trash, and write down where it was."""
        trash = self.of(unit)
        if is_below(trash.path, unit.real) or is_below(unit.real, trash.path):
            raise ActingError(f"{unit.path}: the trash lies in it, or it lies in the trash")
        claim = trash.claim(unit.real)
        try:
            step = journal.begin("claim", info=claim.info, path=unit.real)
            return Spot(trash.open(), claim.name, (step,), claim)
        except OSError:
            trash.give_back(claim)
            raise

    def of(self, unit: Unit) -> Trash:
        """Return the trash for a unit. Raises :class:`~dupfind.errors.ActingError`."""
        if unit.device not in self._trashes:
            self._trashes[unit.device] = Trash(os.path.dirname(unit.real) or os.sep)
        return self._trashes[unit.device]

    def give_back(self, unit: Unit, spot: Spot) -> None:
        """Take back the note."""
        if spot.claim is not None:
            self._trashes[unit.device].give_back(spot.claim)


class ToFolder:
    """A folder of the user's: each root of needles gets a new folder there, in which its units lie as they lay."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._made: dict[str, str] = {}
        """By the path of a root, the name of the folder that this run has made for it."""

    def spot(self, unit: Unit, journal: Journal) -> Spot:
        """Make the folders around a unit."""
        below = [] if unit.real == unit.root else os.path.relpath(unit.real, unit.root).split(os.sep)
        name = os.path.basename(unit.root) or "files"
        if not below:
            return Spot(self._folder.below(()), self._free(name))
        steps = []
        if unit.root not in self._made:
            free = self._free(name)
            steps.append(self._make(self._folder, free, journal))
            self._made[unit.root] = free
        folder = self._folder.below([self._made[unit.root]])
        try:
            for part in below[:-1]:
                if not folder.has(part):
                    steps.append(self._make(folder, part, journal))
                deeper = folder.inside(part)
                folder.close()
                folder = deeper
        except BaseException:
            folder.close()
            raise
        return Spot(folder, below[-1], tuple(steps))

    def give_back(self, unit: Unit, spot: Spot) -> None:
        """Leave the folders: what else goes may lie in them."""

    @staticmethod
    def _make(folder: Folder, name: str, journal: Journal) -> int:
        step = journal.begin("mkdir", path=os.path.join(folder.path, name))
        folder.make(name, _OWN)
        journal.done(step)
        return step

    def _free(self, name: str) -> str:
        numbered = (name if number == 1 else f"{name} ({number})" for number in range(1, _MOST_NUMBER))
        return next(free for free in numbered if not self._folder.has(free))


def make_folders(spot: Spot, belows: Sequence[tuple[str, ...]], journal: Journal) -> list[int]:
    """Make the folders of a unit at its place, the outermost first; returns the steps. Raises ``OSError``."""
    steps = []
    for below in belows:
        parts = (spot.name, *below)
        step = journal.begin("mkdir", path=os.path.join(spot.folder.path, *parts))
        with spot.folder.below(parts[:-1]) as around:
            around.make(parts[-1], _OWN)
        journal.done(step)
        steps.append(step)
    return steps


def remove_folders(spot: Spot, belows: Sequence[tuple[str, ...]]) -> None:
    """Remove these folders again, the innermost first, as far as they are empty."""
    for below in reversed(belows):
        parts = (spot.name, *below)
        with suppress(OSError), spot.folder.below(parts[:-1]) as around:
            around.remove_folder(parts[-1])
