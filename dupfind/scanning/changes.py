"""What has changed among the files of one side since the last run; pure.

A file is the one that it was when path, size, mtime, ctime and inode are; what was moved counts as gone and as new.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, count
from operator import itemgetter, not_
from typing import NamedTuple

from dupfind.cache.file_columns import Columns, differing, paths_of
from dupfind.cache.last_run import Rows
from dupfind.values import FileEntry

_PATH = itemgetter(FileEntry._fields.index("path"))
_END = b"\0"
"""Of each path in a text of paths."""
_LEAST_BYTES, _MOST_BYTES = 1 << 9, 1 << 16
"""Of texts that are compared at once: little at first, and no more than stays near the processor."""
_WINDOW_BYTES = 1 << 13
"""Of the texts in which the next path that both have is looked for at first."""


class Stretch(NamedTuple):
    """Files that stand next to each other both in the last run and now, by their paths."""

    earlier: int
    """The position of the first of them in the last run."""
    now: int
    """Its position now."""
    length: int


class Changes(NamedTuple):
    """The files of one side, those of the last run and those of now, by their positions."""

    paths: list[str]
    """Of the files of the last run. Nearly all of them are those of now, and are held in memory once."""
    stretches: list[Stretch]
    """Of files that are there still, those that have changed among them; in their order."""
    places: list[int]
    """Where each file of the last run stands now; -1 for what is gone or has changed."""
    fresh: list[int]
    """Where files stand now that are new or have changed."""
    gone: list[int]
    """Where files stood that are gone or have changed."""

    @property
    def are_in_place(self) -> bool:
        """Tell whether every file of the last run, changed or not, stands where it stood, and no other came."""
        length = len(self.paths)
        return self.stretches == [(0, 0, length)] and len(self.fresh) == len(self.gone)

    def before(self) -> dict[int, int]:
        """Return where a file stood that has not changed, by where it stands now."""
        return {place: earlier for earlier, place in enumerate(self.places) if place >= 0}


def changes_since(before: Rows, entries: Sequence[FileEntry], columns: Columns) -> Changes | None:
    """Compare the files of the last run with those of now, which ``columns`` are of.

    None where that does not tell: a path is there twice, or the files come in another order.
    """
    paths = list(map(_PATH, entries))
    if before.text == columns.text:
        stretches = [Stretch(0, 0, len(paths))]
        names, gone = paths, list[int]()
    else:
        stretches, names, gone = _aligned(before, columns, paths)
        known = set(paths)
        if len(known) < len(paths) or not known.isdisjoint(map(names.__getitem__, gone)):
            return None
    places = [-1] * len(names)
    is_known = bytearray(len(paths))
    for earlier, place, length in stretches:
        old, new = (
            [column[first : first + length] for column in side]
            for first, side in ((earlier, before.columns), (place, columns.states))
        )
        changed = sorted(set(differing(old, new)))
        places[earlier : earlier + length] = range(place, place + length)
        is_known[place : place + length] = b"\1" * length
        for offset in changed:
            places[earlier + offset], is_known[place + offset] = -1, 0
        gone += [earlier + offset for offset in changed]
    return Changes(names, stretches, places, list(compress(count(), map(not_, is_known))), sorted(gone))


def _aligned(before: Rows, columns: Columns, paths: Sequence[str]) -> tuple[list[Stretch], list[str], list[int]]:
    """Return stretches of paths that both have, the paths of the last run, and the positions of those that are gone.

    Files nearly always come in the order in which they came, a few among them new or gone, so that most of both texts
    is compared as it is. ``paths`` are those of now.
    """
    old, new = (bytes(text) + _END * bool(text) for text in (before.text, columns.text))
    stretches: list[Stretch] = []
    names: list[str] = []
    gone: list[int] = []
    at_old = at_new = place = 0
    while at_old < len(old):
        same_bytes = _common_bytes(old, at_old, new, at_new)
        length = old.count(_END, at_old, at_old + same_bytes)
        if length:
            stretches.append(Stretch(len(names), place, length))
            names += paths[place : place + length]
            same_bytes = old.rfind(_END, at_old, at_old + same_bytes) + 1 - at_old
            at_old, at_new, place = at_old + same_bytes, at_new + same_bytes, place + length
        left, come, end_old, end_new = _until_both_have(old, at_old, new, at_new)
        gone += range(len(names), len(names) + left)
        names += paths_of(old[at_old : max(at_old, end_old - 1)])
        at_old, at_new, place = end_old, end_new, place + come
    return stretches, names, gone


def _common_bytes(old: bytes, at_old: int, new: bytes, at_new: int) -> int:
    """Return how many bytes are the same in both from there on."""
    most = min(len(old) - at_old, len(new) - at_new)
    same, step, has_met = 0, _LEAST_BYTES, False
    while same < most:
        step = min(step, most - same)
        first, second = at_old + same, at_new + same
        if old[first : first + step] == new[second : second + step]:
            same += step
            step = step if has_met else min(2 * step, _MOST_BYTES)
        elif step == 1:
            break
        else:
            most, step, has_met = same + step, (step + 1) // 2, True
    return same


def _until_both_have(old: bytes, at_old: int, new: bytes, at_new: int) -> tuple[int, int, int, int]:
    """Return how many paths of the last run are gone before the next one that both have, how many have come, and where
    it begins in both texts; these end where there is none.
    """
    window_bytes = _WINDOW_BYTES
    while True:
        ends = [_whole(text, at, window_bytes) for text, at in ((old, at_old), (new, at_new))]
        lost, come = (
            text[at:end].split(_END)[:-1] for text, at, end in ((old, at_old, ends[0]), (new, at_new, ends[1]))
        )
        positions = dict(zip(come, count()))
        for left, path in enumerate(lost):
            if (met := positions.get(path)) is not None:
                return left, met, at_old + _bytes_of(lost[:left]), at_new + _bytes_of(come[:met])
        if ends == [len(old), len(new)]:
            return len(lost), len(come), len(old), len(new)
        window_bytes *= 4


def _whole(text: bytes, start: int, size_bytes: int) -> int:
    """Return where the last path ends that ends within so many bytes; at least one does, unless the text has ended."""
    end = text.rfind(_END, start, start + size_bytes)
    return (end if end >= 0 else text.find(_END, start)) + 1 or len(text)


def _bytes_of(paths: Sequence[bytes]) -> int:
    return sum(map(len, paths)) + len(paths)
