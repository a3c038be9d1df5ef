"""Answer of ``dupfind index``, as values that reports render."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dupfind.values import Problem

Changes = Mapping[str, Sequence[str]]
"""Paths as a scan shows them, by what is the matter with them: ``new``, ``changed``, ``gone``, ``rotten``,
``unreadable``; each path once."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What an update of a catalog did."""

    version: str
    catalog: str
    """As the user gave it, like ``folder``."""
    folder: str
    updated: str
    """ISO 8601."""
    is_new: bool
    files: int
    """In the catalog now; ``pictures`` of them have a thumbnail, which those that are unreadable have not."""
    pictures: int
    read: int
    """Files that were new or had changed."""
    kept: int
    gone: int
    unread: int
    """Files that could not be read, which prove nothing, and pictures that could not be decoded: their bytes do."""
    size_bytes: int
    """Of the catalog."""
    problems: list[Problem]
    changes: Changes = field(default_factory=dict)
    """What is otherwise than when the catalog was updated last, or as far as that came."""

    @property
    def is_whole(self) -> bool:
        """Whether everything could be looked at."""
        return not self.unread and all(problem.is_note for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Checked:
    """How a catalog and its folder differ."""

    version: str
    catalog: str
    folder: str
    updated: str
    is_complete: bool
    """False where indexing has not come to its end."""
    is_deep: bool
    """Whether every file was read again."""
    files: int
    """In the catalog."""
    new: list[str]
    """Paths as a scan shows them: the folder as the user gave it joined with the rest; likewise in the other lists."""
    changed: list[str]
    gone: list[str]
    rotten: list[str]
    """Other bytes under the same size and times."""
    unreadable: list[str]
    problems: list[Problem]

    @property
    def changes(self) -> Changes:
        """How they differ."""
        return {
            "new": self.new,
            "changed": self.changed,
            "gone": self.gone,
            "rotten": self.rotten,
            "unreadable": self.unreadable,
        }

    @property
    def is_equal(self) -> bool:
        """Whether the catalog says what is there."""
        is_same = not any(self.changes.values())
        return self.is_complete and is_same and all(problem.is_note for problem in self.problems)
