"""Answer of ``dupfind groups``, as values that reports render; pure.

A **stack** is one picture in several files: an original with its copies. A **group** is a stack, or at the level
`similar` several stacks that look alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dupfind.reasons import Reason, is_fragment, never_proves
from dupfind.values import HASH_BITS, Cataloged, Evidence, FileEntry, Problem


class Member(NamedTuple):
    """One file of a group."""

    path: str
    """The root as the user gave it joined with the rest."""
    stack: int
    """Which stack of its group it belongs to, from 0; stack 0 is that of the best member."""
    evidence: Evidence | None
    """What the first of its stack is to it, or the best of the group where it is that first; None for the best."""
    distance_bits: int | None
    """Hamming distance of the two 64-bit hashes; None where bytes were compared, and for the best."""
    reasons: tuple[Reason, ...]
    """What the evidence has to say: how it is turned, why it is no more than similar."""
    size_bytes: int
    frees_bytes: int
    """What deleting it would free, provided that everything else that is not the best goes too."""
    mtime_ns: int
    width: int | None
    """In pixels, upright; None for what is no picture or was not decoded, as at the level `identical`."""
    height: int | None
    format: str | None
    captured: str | None
    entry: FileEntry | None = None
    """The file, for whoever looks at it again; no report has it."""

    @property
    def score(self) -> float | None:
        """``1 - distance / 64``; 1.0 for identical bytes, None for the best and for what shows a part of a picture."""
        is_part = is_fragment(next(iter(self.reasons), None))
        return None if self.evidence is None or is_part else 1.0 - (self.distance_bits or 0) / HASH_BITS

    @property
    def is_removable(self) -> bool:
        """False for what shows a part of the best, and for a film that only looks like it. Not asked of the best."""
        return not never_proves(next(iter(self.reasons), None))


@dataclass(frozen=True, slots=True)
class Group:
    """Files that belong together."""

    members: Sequence[Member]
    """The best first, then stack by stack."""
    why_best: str
    """By what the best member won."""

    @property
    def evidence(self) -> Evidence:
        """The weakest that holds the group together."""
        return max((member.evidence for member in self.members if member.evidence), key=lambda grade: grade.rank)

    @property
    def best(self) -> Member:
        """The one to keep, if only one is kept."""
        return self.members[0]

    @property
    def others(self) -> Sequence[Member]:
        """All but the best."""
        return self.members[1:]

    @property
    def removable(self) -> Sequence[Member]:
        """All but the best, what shows a part of it, and films that only look like it: it may be a part of them."""
        return [member for member in self.others if member.is_removable]

    @property
    def stacks(self) -> int:
        """How many different pictures it holds."""
        return 1 + max(member.stack for member in self.members)

    @property
    def frees_bytes(self) -> int:
        """What deleting all that is removable would free."""
        return sum(member.frees_bytes for member in self.removable)


@dataclass(frozen=True, slots=True)
class GroupsResult:
    """Everything that one run of ``dupfind groups`` has to say."""

    version: str
    folders: Sequence[str]
    """As the user spelt them."""
    level: Evidence
    algorithm: str
    threshold_bits: int
    rotations: bool
    files: int
    """How many were looked at."""
    pictures: int | None
    """How many of them are pictures that could be decoded; None where none was asked for."""
    groups: Sequence[Group]
    """Those that free most first, then by the path of the best."""
    problems: Sequence[Problem]
    catalogs: Sequence[Cataloged] = ()
    """What stood for folders that were not looked at."""

    @property
    def others(self) -> Iterator[Member]:
        """Every member of every group that is not its best."""
        return (member for group in self.groups for member in group.others)

    @property
    def removable(self) -> Iterator[Member]:
        """Every member of every group that can go where the best stays."""
        return (member for group in self.groups for member in group.removable)

    @property
    def frees_bytes(self) -> int:
        """What deleting all that is removable would free."""
        return sum(group.frees_bytes for group in self.groups)

    @property
    def is_clean(self) -> bool:
        """True when there are no groups, and nothing that may belong to one was skipped."""
        return not self.groups and all(problem.is_note for problem in self.problems)
