"""The files of a run by number, which is all that the page can ask for: no request names a path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from dupfind.values import FileEntry, Tree


class Files:
    """Needles first, in the order of the report, then the haystack in the order of the walk.

    ``spell`` gives the path of a haystack file as reported.
    """

    def __init__(self, needles: Sequence[Tree], haystack: Sequence[Tree], spell: Callable[[str], str]) -> None:
        in_order = sorted(needles, key=lambda tree: not tree.root.has_folders)
        self.needles = [entry for tree in in_order for entry in tree.entries]
        self.haystack = [entry for tree in haystack for entry in tree.entries]
        self.paths = [tree.root.shown(entry.path) for tree in in_order for entry in tree.entries]
        """Of the needles, as reported."""
        self._spell = spell

    def __len__(self) -> int:
        return len(self.needles) + len(self.haystack)

    def entry(self, number: int) -> FileEntry:
        """Return a file of either side; raises ``IndexError``."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self.needles[number] if number < len(self.needles) else self.haystack[number - len(self.needles)]

    def needle(self, number: int) -> FileEntry:
        """Return a needle; raises ``IndexError``."""
        if not 0 <= number < len(self.needles):
            raise IndexError(number)
        return self.needles[number]

    def shown(self, number: int) -> str:
        """Return the path of a file as reported; raises ``IndexError``."""
        entry = self.entry(number)
        return self.paths[number] if number < len(self.needles) else self._spell(entry.path)

    @cached_property
    def needle_numbers(self) -> dict[str, int]:
        """The numbers of the needles, by their paths as reported."""
        return {path: number for number, path in enumerate(self.paths)}

    @cached_property
    def haystack_numbers(self) -> dict[str, int]:
        """The numbers of the haystack's files, by their paths as reported."""
        first = len(self.needles)
        return {self._spell(entry.path): first + place for place, entry in enumerate(self.haystack)}

    def place(self, key: str, path: str | None) -> dict[str, int]:
        """Tell where the page finds a file, under ``key``; as
        :meth:`~dupfind.report.document.Album.place` does on disk.
        """
        sides = (self.needle_numbers, self.haystack_numbers)
        for numbers in sides if key == "at" else reversed(sides):
            if path is not None and path in numbers:
                return {key: numbers[path]}
        return {}
