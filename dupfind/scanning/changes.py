"""What has changed among the files of one side since the last run; pure.

A file is the one that it was when path, size, mtime, ctime and inode are; what was moved counts as gone and as new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress, count, repeat
from operator import itemgetter, ne
from typing import NamedTuple

from dupfind.cache.last_run import Rows
from dupfind.values import FileEntry

_PATH = itemgetter(FileEntry._fields.index("path"))
_BATCH = 1 << 10
"""Files whose columns are made at once, as few as stay near the processor."""


class Changes(NamedTuple):
    """The files of one side, those of the last run and those of now, by their positions."""

    places: list[int]
    """Where each file of the last run stands now; -1 for what is gone or has changed."""
    fresh: list[int]
    """Where files stand now that are new or have changed."""
    gone: list[int]
    """Where files stood that are gone or have changed."""
    are_in_place: bool = False
    """Whether every file, changed or not, stands where one of the same path stood."""

    def before(self) -> dict[int, int]:
        """Return where a file stood that has not changed, by where it stands now."""
        return {place: earlier for earlier, place in enumerate(self.places) if place >= 0}


def changes_since(before: Rows, entries: Sequence[FileEntry]) -> Changes | None:
    """Compare the files of the last run with those of now.

    None where that does not tell: a path is there twice, or the files come in another order.
    """
    paths = list(map(_PATH, entries))
    if paths == before.paths:
        return _changes_in_place(before, entries)
    at = {path: place for place, path in enumerate(paths)}
    if len(at) < len(paths):
        return None
    places = list(map(at.get, before.paths, repeat(-1)))
    states: Iterable[tuple[int, ...]] = zip(*before.columns, strict=True)
    kept = 0
    last = -1
    for earlier, (place, state) in enumerate(zip(places, states, strict=True)):
        if place < 0:
            continue
        if entries[place][1:] != state:
            places[earlier] = -1
            continue
        if place <= last:
            return None
        last = place
        kept += 1
    there = set(places)
    fresh = [place for place in range(len(paths)) if place not in there]
    return Changes(places, fresh, [earlier for earlier, place in enumerate(places) if place < 0])


def _changes_in_place(before: Rows, entries: Sequence[FileEntry]) -> Changes:
    """Compare files of the same paths, some of a column at a time: no line of Python runs for each file."""
    changed: set[int] = set()
    for start in range(0, len(entries), _BATCH):
        _, *states = zip(*entries[start : start + _BATCH], strict=True)
        for column, state in zip(before.columns, states, strict=True):
            known = column[start : start + _BATCH].tolist()
            if known != list(state):
                changed.update(compress(count(start), map(ne, known, state)))
    places = list(range(len(entries)))
    for place in changed:
        places[place] = -1
    return Changes(places, sorted(changed), sorted(changed), are_in_place=True)
