"""What the page of a review knows: changes since it last asked, files by number, pictures made for it; pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from dupfind.answers.decisions import Decision
from dupfind.values import FileEntry, FileVerdict, FolderVerdict, Tree


class PageState(NamedTuple):
    """What a page is told of."""

    files: Sequence[FileVerdict]
    words: Mapping[str, Decision]
    """By path, the decisions that verdicts rest on."""
    folders: Mapping[str, FolderVerdict]
    """By path, those that are listed."""


class Versions:
    """Counts the versions of an answer, and keeps with which of them each file and each folder changed last."""

    def __init__(self, version: int = 0) -> None:
        self.version = version
        self._files: dict[int, int] = {}
        self._folders: dict[str, int] = {}

    def take(self, before: PageState, after: PageState) -> list[int]:
        """Take in a new state of the same files; returns the places of those that have changed."""
        self.version += 1
        changed = [*_changed_files(before, after)]
        self._files |= dict.fromkeys(changed, self.version)
        old, new = before.folders, after.folders
        self._folders |= {path: self.version for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
        return changed

    def files_since(self, version: int) -> list[int]:
        """Return the places in the report of the files that have changed after ``version``."""
        return sorted(place for place, changed in self._files.items() if changed > version)

    def folders_since(self, version: int) -> list[str]:
        """Return the paths of the folders that have changed after ``version``, or are listed no longer."""
        return sorted(path for path, changed in self._folders.items() if changed > version)


def _changed_files(before: PageState, after: PageState) -> Iterator[int]:
    spoken = before.words.keys() | after.words.keys()
    for place, (earlier, now) in enumerate(zip(before.files, after.files, strict=True)):
        if earlier != now or (now.path in spoken and before.words.get(now.path) != after.words.get(now.path)):
            yield place


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


class WantedPicture(NamedTuple):
    """A picture that the page asks for."""

    number: int
    """Of the file."""
    is_full: bool
    """At its own size, not as a preview."""
    era: int = 0
    """Of which scan the number is: after something was imported or moved away, files are looked at anew."""


class PictureCache:
    """Bounded by the bytes of the pictures; what is larger than a quarter of that is not kept."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._pictures: OrderedDict[WantedPicture, bytes] = OrderedDict()
        self.size_bytes = 0

    def get(self, wanted: WantedPicture) -> bytes | None:
        """Return the picture where it is kept, which counts as used."""
        picture = self._pictures.get(wanted)
        if picture is not None:
            self._pictures.move_to_end(wanted)
        return picture

    def keep(self, wanted: WantedPicture, picture: bytes) -> None:
        """Keep a picture, and let go of those that were not used for longest."""
        if len(picture) > self._most_bytes // 4:
            return
        self.size_bytes += len(picture) - len(self._pictures.pop(wanted, b""))
        self._pictures[wanted] = picture
        while self.size_bytes > self._most_bytes:
            self.size_bytes -= len(self._pictures.popitem(last=False)[1])
