"""Groups as they are reported: each member with what holds it, what it frees, and by what the best one won."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dupfind.answers.grouped import Group, Member
from dupfind.grouping import best_of
from dupfind.grouping.best_of import Rival
from dupfind.grouping.savings import savings
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import Evidence, FileEntry, Thumbnail

if TYPE_CHECKING:
    from dupfind.grouping.clustering import Gatherer
    from dupfind.grouping.stacks import Row, Tie

_ONLY_LISTED = "; only listed, by a catalog"
_LEADS_OUT = "; a link to what lies in none of the folders"


class Told(NamedTuple):
    """How the files of a collection are told of."""

    shown: Callable[[str], str]
    """From a path to how the user would spell it."""
    rival: Callable[[FileEntry], Rival]
    """What counts of a file of which no picture is known."""


class _Line(NamedTuple):
    """One member, before it is known what it frees."""

    entry: FileEntry
    stack: int
    evidence: Evidence | None
    distance_bits: int | None = None
    reasons: tuple[Reason, ...] = ()
    facts: Thumbnail | None = None


class Scribe:
    """Writes down rows of stacks; ``copies_of`` has the files with the bytes of a picture's own, by its path."""

    def __init__(
        self,
        entries: Sequence[FileEntry],
        copies_of: Mapping[str, Sequence[FileEntry]],
        gatherer: Gatherer,
        told: Told,
    ) -> None:
        self._entries = entries
        self._copies_of = copies_of
        self._gatherer = gatherer
        self._told = told

    def group(self, row: Row) -> Group:
        """The group that ``row`` is, with all files that have one of its pictures."""
        lines = []
        for number, (stack, tie) in enumerate(zip(row.stacks, [None, *row.ties], strict=True)):
            lines += self._lines(stack.best, number, tie)
            for position, inner in stack.ties.items():
                lines += self._lines(position, number, inner)
        return _group(lines, best_of.why(*self._rivals(row)), self._told)

    def _lines(self, position: int, stack: int, tie: Tie | None) -> list[_Line]:
        """A picture and its exact copies."""
        first, facts = self._entries[position], self._gatherer.facts[position]
        copies = self._copies_of.get(first.path, ())
        if tie is None:
            lines = [_Line(first, stack, None, facts=facts)]
            return lines + [_Line(copy, stack, Evidence.IDENTICAL, facts=facts) for copy in copies]
        reasons = () if tie.reason is None else (tie.reason,)
        lines = [_Line(first, stack, tie.evidence, tie.distance_bits, reasons, facts)]
        if tie.evidence is Evidence.SIMILAR:  # a stack of its own, of which it is the first
            return lines + [_Line(copy, stack, Evidence.IDENTICAL, facts=facts) for copy in copies]
        also = *reasons, Reason(ReasonCode.SAME_BYTES, (self._told.shown(first.path),))
        return lines + [_Line(copy, stack, tie.evidence, tie.distance_bits, also, facts) for copy in copies]

    def _rivals(self, row: Row) -> tuple[Rival, list[Rival]]:
        """The best of ``row``, and those whom it had to beat: between stacks, tags do not count."""
        first = row.stacks[0]
        if len(row.stacks) == 1:
            best, *others = (self._gatherer.rival(position) for position in first.positions)
        else:
            best, *others = (self._gatherer.rival(stack.best)._replace(tags=0) for stack in row.stacks)
        for copy in self._copies_of.get(self._entries[first.best].path, ()):
            own = self._told.rival(copy)
            others.append(
                best._replace(path=own.path, mtime_ns=own.mtime_ns, is_listed=own.is_listed, leads_out=own.leads_out)
            )
        return best, others


def of_copies(some: Sequence[FileEntry], told: Told) -> Group:
    """The group of files with equal bytes of which no more is known; the best comes first."""
    rivals = [told.rival(entry) for entry in some]
    lines = [_Line(entry, 0, Evidence.IDENTICAL if index else None) for index, entry in enumerate(some)]
    return _group(lines, best_of.why(rivals[0], rivals[1:]), told)


def _group(lines: Sequence[_Line], why_best: str, told: Told) -> Group:
    best, others = lines[0].entry, [line.entry for line in lines[1:]]
    frees = savings(best, others, told.shown)
    members = []
    for line in lines:
        saving, facts = frees.get(line.entry.path), line.facts
        of_saving = () if saving is None or saving.reason is None else (saving.reason,)
        members.append(
            Member(
                path=told.shown(line.entry.path),
                stack=line.stack,
                evidence=line.evidence,
                distance_bits=line.distance_bits,
                reasons=line.reasons + of_saving,
                size_bytes=line.entry.size_bytes,
                frees_bytes=saving.size_bytes if saving else 0,
                mtime_ns=line.entry.mtime_ns,
                width=facts.width if facts else None,
                height=facts.height if facts else None,
                format=facts.format if facts else None,
                captured=facts.captured if facts else None,
                entry=line.entry,
            )
        )
    where = told.rival(best)
    also = _ONLY_LISTED if where.is_listed else _LEADS_OUT if where.leads_out else ""
    return Group(members, why_best + also)
