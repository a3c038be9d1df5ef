"""A walk that spares what it knows: folders in which nothing was made, removed or renamed since they were last read.

Whatever happens to the names in a folder changes the times of the folder. So one look at each folder tells which of
them have to be read again; what happens inside a file shows in no folder, and is looked for where a file is found.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from dupfind.cache.racy import RACY_NS, is_racy
from dupfind.cache.snapshot import FolderRow, Noted
from dupfind.sources.source import Rules
from dupfind.sources.walk import Walk
from dupfind.values import FileEntry, FolderId, Problem, ProblemCode, Root, Side

_RACY_NS = RACY_NS
_LASTING = ProblemCode.LINK, ProblemCode.NOT_REGULAR


class Visited(NamedTuple):
    """One folder of a walk, in its order."""

    row: FolderRow
    """How it is known next time."""
    place: int | None
    """Its number among the folders that were known, where nothing in it has changed; None where it was read."""
    entries: Sequence[FileEntry] = ()
    """Its files, where it was read."""


class Remembered(NamedTuple):
    """Folders that an earlier walk has read."""

    folders: Sequence[FolderRow]
    places: dict[str, int]
    """Their numbers by path."""
    inside: dict[int, list[int]]
    """The numbers of those in each."""


def remembered(folders: Sequence[FolderRow]) -> Remembered:
    """Index these folders, to be looked up."""
    inside: dict[int, list[int]] = {}
    for number, folder in enumerate(folders):
        inside.setdefault(folder.parent, []).append(number)
    return Remembered(folders, {folder.path: number for number, folder in enumerate(folders)}, inside)


class IncrementalWalk(Walk):
    """One walk of one root, of a collection without needles.

    ``forgotten`` are devices whose folders are always read, since their times cannot be relied on. The problems of all
    folders are in ``problems``, of the known ones too.
    """

    def __init__(self, root: Root, rules: Rules, roots: Sequence[Root], forgotten: Collection[int] = ()) -> None:
        super().__init__(root, rules, roots, frozenset())
        self._forgotten = forgotten

    def visit(self, before: Remembered, first: int) -> Iterator[Visited]:
        """Yield every folder; ``first`` is the number of the root in the new order."""
        pending = [(self._root.real, self._root.identity, -1)]
        number = first
        while pending:
            folder, identity, parent = pending.pop()
            place = before.places.get(folder)
            inside = () if place is None else before.inside.get(place, ())
            if place is not None and self._is_as_known(before, place, inside, identity):
                row = before.folders[place]
                for noted in row.noted:
                    path = self._prefix + noted.below_root
                    self.problems.append(Problem(path, Side.HAYSTACK, "walk", *noted[1:]))
                    if noted.code is ProblemCode.EXCLUDED:  # so that its pattern counts as one that matches something
                        self._rules.excludes.matching(noted.below_root, os.path.basename(noted.below_root))
                subfolders = [
                    (before.folders[subfolder].path, before.folders[subfolder].identity) for subfolder in inside
                ]
                if subfolders:  # most folders have none, and of these there may be thousands
                    self.seen.update(before.folders[subfolder].identity for subfolder in inside)
                visited = Visited(row if row.parent == parent else row._replace(parent=parent), place)
            else:
                visited, subfolders = self._read(folder, identity, parent)
            if subfolders:
                pending.extend((path, identity, number) for path, identity in reversed(subfolders))
            number += 1
            yield visited

    def _is_as_known(self, before: Remembered, place: int, inside: Sequence[int], identity: FolderId) -> bool:
        row = before.folders[place]
        is_known = row.times_ns is not None and row.identity == identity and identity[0] not in self._forgotten
        if not is_known or self._why_nothing is not None:
            return False
        if inside and not self.seen.isdisjoint(before.folders[subfolder].identity for subfolder in inside):
            return False  # one of them was reached by another way, which is to be reported
        try:
            state = os.lstat(row.path)
        except OSError:
            return False
        return (state.st_dev, state.st_ino) == identity and (state.st_mtime_ns, state.st_ctime_ns) == row.times_ns

    def _read(self, folder: str, identity: FolderId, parent: int) -> tuple[Visited, list[tuple[str, FolderId]]]:
        began_ns = time.time_ns()
        before = len(self.problems)
        self._entries = []
        subfolders = self._read_folder(folder, identity)
        self._count(len(self._entries))
        problems = self.problems[before:]
        times_ns = self._times_ns(folder, began_ns) if all(map(_is_lasting, problems)) else None
        start = len(self._prefix)
        noted = [Noted(problem.path[start:], problem.reason, problem.is_note, problem.code) for problem in problems]
        kept = () if times_ns is None else tuple(noted)
        row = FolderRow(folder, parent, identity, times_ns, len(self._entries), kept)
        return Visited(row, None, self._entries), subfolders

    def _times_ns(self, folder: str, began_ns: int) -> tuple[int, int] | None:
        """Return the times of the folder that was read last, by which it is known; None where they may tell nothing."""
        state = self.state
        if state is None or state.st_dev in self._forgotten or self._libraries.holding(folder):
            return None  # nor does a folder show that a photo library moved one of its pictures to the trash
        if self._managers.has_asked(folder):
            return None  # nor that a mark came into a folder in it, by which a photo manager is known
        # What is made in it from now on gives it other times, unless it had these in the last moment.
        times_ns = state.st_mtime_ns, state.st_ctime_ns
        # A time in the future is not trusted either, unlike that of a file: it may be that of the next change.
        is_young = is_racy(state.st_ctime_ns, state.st_mtime_ns, state.st_ino, began_ns - _RACY_NS, max(times_ns))
        return None if is_young else times_ns

    @property
    def _prefix(self) -> str:
        return self._root.given.rstrip(os.sep) + os.sep


def _is_lasting(problem: Problem) -> bool:
    """Tell whether the same names make for the same problem."""
    return problem.code in _LASTING or (problem.is_note and problem.code is not ProblemCode.VISITED)
