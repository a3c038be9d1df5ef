"""What a decision has changed, told to a page that knows an earlier state; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dupfind.answers.decisions import Decision
from dupfind.values import FileVerdict, FolderVerdict


class State(NamedTuple):
    """What a page is told of."""

    files: Sequence[FileVerdict]
    words: Mapping[str, Decision]
    """By path, the decisions that verdicts rest on."""
    folders: Mapping[str, FolderVerdict]
    """By path, those that are listed."""


class Changes:
    """Counts the versions of an answer, and keeps with which of them each file and each folder changed last."""

    def __init__(self, version: int = 0) -> None:
        self.version = version
        self._files: dict[int, int] = {}
        self._folders: dict[str, int] = {}

    def take(self, before: State, after: State) -> list[int]:
        """Take in a new state of the same files; gives the places of those that have changed."""
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


def _changed_files(before: State, after: State) -> Iterator[int]:
    spoken = before.words.keys() | after.words.keys()
    for place, (earlier, now) in enumerate(zip(before.files, after.files, strict=True)):
        if earlier != now or (now.path in spoken and before.words.get(now.path) != after.words.get(now.path)):
            yield place
