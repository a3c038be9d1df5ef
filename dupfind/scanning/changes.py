"""What has changed among the files of one side since the last run; pure.

A file is the one that it was when path, size, mtime, ctime and inode are; what was moved counts as gone and as new.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, count, pairwise, repeat
from operator import add, itemgetter, ne, not_
from typing import NamedTuple

from dupfind.cache.file_columns import Columns, differing
from dupfind.cache.last_run import Rows
from dupfind.values import FileEntry

_PATH = itemgetter(FileEntry._fields.index("path"))
_GONE = -1
_NOWHERE = -2
"""Likewise, but no place is the next one."""


class Changes(NamedTuple):
    """The files of one side, those of the last run and those of now, by their positions."""

    paths: list[str]
    """Of the files of the last run. Nearly all of them are those of now, and are held in memory once."""
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


def changes_since(before: Rows, entries: Sequence[FileEntry], columns: Columns) -> Changes | None:
    """Compare the files of the last run with those of now, which ``columns`` are of.

    None where that does not tell: a path is there twice, or the files come in another order.
    """
    paths = list(map(_PATH, entries))
    if before.text == columns.text:
        changed = sorted(set(differing(before.columns, columns.states)))
        places = list(range(len(paths)))
        _set(places, changed, _GONE)
        return Changes(paths, places, changed, changed, are_in_place=True)
    at = dict(zip(paths, count()))
    if len(at) < len(paths):
        return None
    names = before.paths
    places = list(map(at.get, names, repeat(_NOWHERE)))
    del at
    is_known = bytearray(len(paths))
    last = -1
    for start, end in _runs(places):
        place = places[start]
        if place == _NOWHERE:
            continue
        length = end - start
        old, new = (
            [column[first : first + length] for column in side]
            for first, side in ((start, before.columns), (place, columns.states))
        )
        changed = sorted(set(differing(old, new)))
        if len(changed) < length:
            if place <= last:
                return None
            last = place + length - 1
        names[start:end] = paths[place : place + length]
        is_known[place : place + length] = b"\1" * length
        _set(is_known, [place + offset for offset in changed], 0)
        _set(places, [start + offset for offset in changed], _GONE)
    gone = [earlier for earlier, place in enumerate(places) if place < 0]
    _set(places, gone, _GONE)
    return Changes(names, places, list(compress(count(), map(not_, is_known))), gone)


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield where stretches begin and end in which each place is the one behind the place before it.

    >>> list(_runs([0, 1, 5, 6, 7]))
    [(0, 2), (2, 5)]
    """
    ends = compress(count(1), map(ne, places[1:], map(add, places, repeat(1))))
    return pairwise([0, *ends, len(places)]) if places else iter(())


def _set(values: list[int] | bytearray | array[int], places: Iterable[int], value: int) -> None:
    for place in places:
        values[place] = value
