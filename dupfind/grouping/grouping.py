"""Groups inside one collection: exact copies, one picture in several files, and pictures that look alike.

walk > equal bytes > pictures > stacks (the same picture) > rows (similar stacks) > groups, each with its best member

A level holds all that a stronger one holds: what is identical is the same, and what is the same is never torn apart at
`similar`. Each member is reported with what holds it and what it frees. Names candidates and touches nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from dupfind import libraries
from dupfind.answers.groups import Group, GroupsResult, Member
from dupfind.events import Listener
from dupfind.grouping import best_of
from dupfind.grouping.best_of import Rival
from dupfind.grouping.collection import Collection, gather
from dupfind.pictures.formats import is_film_name
from dupfind.reading import Reader
from dupfind.reasons import Reason, ReasonCode, is_fragment, listed
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.scanning.problems import problems_of
from dupfind.session import with_reader
from dupfind.settings import Settings
from dupfind.values import ORIENTATIONS, Evidence, Failure, FileEntry, Thumbnail
from dupfind.version import __version__

if TYPE_CHECKING:
    from dupfind.grouping.clustering import Clusterer, Row, Tie

LARGEST = "largest file"
"""Why the best of films that look alike is the best: of one film the largest file is the original, nearly always."""
SHOWN = "the others show a part of it, or less detail"
"""Why a picture leads a group in which all others are parts of it, or pages and screens that show it."""
_ONLY_LISTED = "; only listed, by a catalog"
_LEADS_OUT = "; a link to what lies in none of the folders"


def groups(
    settings: Settings,
    level: Evidence = Evidence.SAME,
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
) -> GroupsResult:
    """Find groups among what lies below the haystack roots of ``settings``, held together by ``level`` at least.

    Raises :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    run = Run(settings, listener, make_executor)
    whole = gather(run, is_proof=True)
    answered = with_reader(run, partial(_find, whole, level))
    return GroupsResult(
        version=__version__,
        folders=settings.scan.haystack,
        level=level,
        algorithm=settings.scan.algorithm,
        threshold_bits=settings.scan.threshold_bits,
        rotations=settings.scan.rotations,
        files=len(whole.entries),
        pictures=answered.pictures,
        groups=sorted(answered.groups, key=lambda group: (-group.frees_bytes, group.best.path)),
        problems=[*problems_of(whole.trees, answered.failures), *whole.left_out],
        catalogs=whole.catalogs,
    )


class _Found(NamedTuple):
    groups: list[Group]
    pictures: int | None
    failures: Mapping[str, Failure]


def _told(whole: Collection, *, may_be_links: bool) -> Told:
    """Make what tells of the files of the collection."""
    shown = whole.shown

    def rival(entry: FileEntry) -> Rival:
        path = entry.path
        # What leads to a file of the collection is left out of it, so that any other link leads out.
        leads_out = may_be_links and entry.is_on_disk and os.path.realpath(path) != path
        return Rival(shown(path), entry.mtime_ns, is_listed=not entry.can_be_read, leads_out=leads_out)

    return Told(shown, rival)


def _find(whole: Collection, level: Evidence, run: Reading) -> _Found:
    settings, reader = run.settings, run.reader
    told = _told(whole, may_be_links=settings.follow_symlinks)
    copies, failures = find_copies(whole.entries, reader)
    copies = [sorted(files, key=lambda entry: best_of.rank(told.rival(entry))) for files in copies]
    if level is Evidence.IDENTICAL:
        return _Found([of_copies(files, told) for files in copies], None, failures)
    from dupfind.grouping.clustering import (
        Clusterer,  # loads what decodes: not where bytes decide
        Row,
    )

    later_copies = {entry.path for files in copies for entry in files[1:]}  # their pictures are that of the first
    firsts = [
        entry
        for entry in whole.entries
        if entry.path not in later_copies and entry.path not in failures and entry.has_comparable_picture
    ]
    pictures = reader.pictures(firsts, "decoding", ORIENTATIONS if settings.scan.rotations else 1)
    failures |= pictures.failures

    clusterer = Clusterer(run, pictures, lambda position: told.rival(pictures.entries[position]))
    stacks = clusterer.stacks()
    rows = clusterer.rows(stacks) if level is Evidence.SIMILAR else [Row([stack], []) for stack in stacks]
    if level is Evidence.SIMILAR and settings.scan.fragments:
        from dupfind.grouping.parts import with_parts

        rows = with_parts(run, pictures, rows, told.shown)
    failures |= clusterer.failures
    paths = {pictures.entries[position].path for row in rows for stack in row.stacks for position in stack.positions}
    copies_of = {files[0].path: files[1:] for files in copies}
    rows = [row for row in rows if row.is_several or pictures.entries[row.stacks[0].best].path in copies_of]
    clusterer.describe(rows)
    builder = GroupBuilder(pictures.entries, copies_of, clusterer, told)
    written = [builder.group(row) for row in rows]
    decoded = {entry.path for entry in pictures.entries}
    undecoded = [entry for entry in firsts if entry.path not in decoded]
    alike, equal, unread = _films(undecoded, level, run, told)
    failures |= unread
    written += [_of_films(stacks, copies_of, told, LARGEST) for stacks in alike]
    written += [_of_films([stack], copies_of, told) for stack in equal]
    stacks_of_films = [*equal, *(stack for stacks in alike for stack in stacks)]
    paths_of_films = {film.path for stack in stacks_of_films for film in stack.films}
    written += [
        of_copies(files, told) for files in copies if files[0].path not in paths | paths_of_films
    ]  # no pictures, or not readable
    return _Found(written, len(paths) + sum(len(copies_of[path]) for path in paths & copies_of.keys()), failures)


class FilmStack(NamedTuple):
    """Films of a group that are one by their packets."""

    films: Sequence[FileEntry]
    """The best first, which was compared."""
    reason: Reason | None = None
    """How it differs from the best of the group; None for that one."""
    distance_bits: int | None = None


def _films(
    entries: Sequence[FileEntry], level: Evidence, run: Reading, told: Told
) -> tuple[list[list[FilmStack]], list[FilmStack], dict[str, Failure]]:
    """Return the groups of films that look alike, the others that are one by their packets, and why some were not read.

    None without the extra that reads films.
    """
    if not libraries.can_read_films() or not any(is_film_name(entry.path) for entry in entries):
        return [], [], {}
    from dupfind.matching.same_film import equal_films

    sets, failures = equal_films(entries, run)
    equal = [FilmStack(sorted(films, key=lambda film: best_of.rank(told.rival(film)))) for films in sets]
    if level is not Evidence.SIMILAR:
        return [], equal, failures
    alike, undecoded = _group_like_films(entries, equal, run)
    grouped = {film.path for stacks in alike for stack in stacks for film in stack.films}
    return alike, [stack for stack in equal if stack.films[0].path not in grouped], failures | undecoded


def _group_like_films(
    entries: Sequence[FileEntry], equal: Sequence[FilmStack], run: Reading
) -> tuple[list[list[FilmStack]], dict[str, Failure]]:
    """Return every group of films that look alike, those first that are in the largest; and why some were not decoded.

    ``equal`` are the films that are one by their packets: the best of each stack stands for it.
    """
    from dupfind.matching.like_film import like_films  # brings numpy

    later = {film.path for stack in equal for film in stack.films[1:]}
    stacks = {stack.films[0].path: stack.films for stack in equal}
    asked = sorted(
        (entry for entry in entries if entry.path not in later), key=lambda entry: (-entry.size_bytes, entry.path)
    )
    alike, failures = like_films(asked, asked, run)
    neighbours: dict[str, set[str]] = {}
    for path, films in alike.items():
        for film in films:
            neighbours.setdefault(path, set()).add(film.entry.path)
            neighbours.setdefault(film.entry.path, set()).add(path)
    groups: list[list[FilmStack]] = []
    grouped: set[str] = set()
    for best in asked:
        if best.path in grouped or best.path not in neighbours:
            continue
        linked = _linked(best.path, neighbours) - grouped - {best.path}
        near = [film for film in asked if film.path in linked]
        # Each as a needle of the best, whichever of the two was one before.
        members, _ = like_films(near, [best], run)
        if not members:
            continue
        similar = [film for film in near if film.path in members]
        grouped |= {best.path, *members}
        groups.append([FilmStack(stacks.get(best.path, (best,)))])
        groups[-1] += [
            FilmStack(stacks.get(film.path, (film,)), like.reason, like.run.distance_bits)
            for film in similar
            for like in members[film.path]
        ]
    return groups, failures


def _linked(path: str, neighbours: Mapping[str, set[str]]) -> set[str]:
    """Return all that are linked with a film over any others: each was compared with a few only."""
    linked, fresh = {path}, {path}
    while fresh:
        fresh = {neighbour for film in fresh for neighbour in neighbours[film]} - linked
        linked |= fresh
    return linked


def find_copies(entries: Sequence[FileEntry], reader: Reader) -> tuple[list[list[FileEntry]], dict[str, Failure]]:
    """Return every set of two or more equal files, in the order of ``entries``, and by path what could not be read.

    Only files of which another has the same size are read. Empty files are no copies of each other: none of them is
    worth a look, and deleting them frees nothing.
    """
    by_size: dict[int, int] = {}
    for entry in entries:
        by_size[entry.size_bytes] = by_size.get(entry.size_bytes, 0) + 1
    asked = [entry for entry in entries if entry.size_bytes and by_size[entry.size_bytes] > 1]
    digests = reader.digests(asked)
    equal: dict[tuple[int, bytes], list[FileEntry]] = {}
    failures: dict[str, Failure] = {}
    for entry in asked:
        digest = digests[entry.path]
        if isinstance(digest, Failure):
            failures[entry.path] = digest
        else:
            equal.setdefault((entry.size_bytes, digest), []).append(entry)
    return [files for files in equal.values() if len(files) > 1], failures


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


def _is_part(tie: Tie | None) -> bool:
    return tie is not None and is_fragment(tie.reason)


class GroupBuilder:
    """Makes groups of rows of stacks; ``copies_of`` has the files with the bytes of a picture's own, by its path."""

    def __init__(
        self,
        entries: Sequence[FileEntry],
        copies_of: Mapping[str, Sequence[FileEntry]],
        clusterer: Clusterer,
        told: Told,
    ) -> None:
        self._entries = entries
        self._copies_of = copies_of
        self._clusterer = clusterer
        self._told = told

    def group(self, row: Row) -> Group:
        """Make the group that ``row`` is, with all files that have one of its pictures."""
        lines = []
        for number, (stack, tie) in enumerate(zip(row.stacks, [None, *row.ties], strict=True)):
            lines += self._lines(stack.best, number, tie)
            for position, inner in stack.ties.items():
                lines += self._lines(position, number, inner)
        best, rivals = self._rivals(row)
        return _group(lines, best_of.why(best, rivals) if rivals else SHOWN, self._told)

    def _lines(self, position: int, stack: int, tie: Tie | None) -> list[_Line]:
        """Describe a picture and its exact copies."""
        first, facts = self._entries[position], self._clusterer.facts[position]
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
        """Return the best of ``row``, and those whom it had to beat: between stacks, tags do not count."""
        first = row.stacks[0]
        if all(map(_is_part, row.ties)):
            best, *rivals = (self._clusterer.rival(position) for position in first.positions)
        else:
            alike = [stack.best for stack, tie in zip(row.stacks, [None, *row.ties], strict=True) if not _is_part(tie)]
            best, *rivals = (self._clusterer.rival(position)._replace(tags=0) for position in alike)
        for copy in self._copies_of.get(self._entries[first.best].path, ()):
            own = self._told.rival(copy)
            rivals.append(
                best._replace(path=own.path, mtime_ns=own.mtime_ns, is_listed=own.is_listed, leads_out=own.leads_out)
            )
        return best, rivals


def _of_films(
    stacks: Sequence[FilmStack],
    copies_of: Mapping[str, Sequence[FileEntry]],
    told: Told,
    why_best: str | None = None,
) -> Group:
    """Make the group of films that look alike, each with those that have its packets and with their copies.

    ``why_best`` None has the best of one stack told from the rest of it.
    """
    lines: list[_Line] = []
    same = Reason(ReasonCode.SAME_IMAGE_DATA)
    for number, stack in enumerate(stacks):
        for place, film in enumerate(stack.films):
            copies = copies_of.get(film.path, ())
            if place:
                also = same, Reason(ReasonCode.SAME_BYTES, (told.shown(film.path),))
                lines.append(_Line(film, number, Evidence.SAME, reasons=(same,)))
                lines += [_Line(copy, number, Evidence.SAME, reasons=also) for copy in copies]
                continue
            grade = None if stack.reason is None else Evidence.SIMILAR
            reasons = () if stack.reason is None else listed(stack.reason)
            lines.append(_Line(film, number, grade, stack.distance_bits, reasons))
            lines += [_Line(copy, number, Evidence.IDENTICAL) for copy in copies]
    if why_best is None:
        best, *rivals = (told.rival(line.entry) for line in lines)
        why_best = best_of.why(best, rivals)
    return _group(lines, why_best, told)


def of_copies(files: Sequence[FileEntry], told: Told) -> Group:
    """Make the group of files with equal bytes of which no more is known; the best comes first."""
    rivals = [told.rival(entry) for entry in files]
    lines = [_Line(entry, 0, Evidence.IDENTICAL if index else None) for index, entry in enumerate(files)]
    return _group(lines, best_of.why(rivals[0], rivals[1:]), told)


def _group(lines: Sequence[_Line], why_best: str, told: Told) -> Group:
    best, removable = lines[0].entry, [line.entry for line in lines[1:]]
    frees = savings(best, removable, told.shown)
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


class Saving(NamedTuple):
    """What deleting one file would free."""

    size_bytes: int
    reason: Reason | None
    """Why it is nothing, or None."""


def savings(
    best: FileEntry,
    removable: Sequence[FileEntry],
    shown: Callable[[str], str],
) -> Mapping[str, Saving]:
    """Compute what deleting each of ``removable`` would free, by path, when all of them go and ``best`` stays.

    A file with several names frees its bytes with the last of them, which are counted at the first; none while a name
    is left, be it that of ``best`` or one outside of the group. What is not on disk has one name.
    """
    kept = _look(best)
    names: dict[tuple[int, int], list[FileEntry]] = {}
    freed: dict[str, Saving] = {}
    links: dict[tuple[int, int], int] = {}
    for entry in removable:
        if not entry.is_on_disk:
            freed[entry.path] = Saving(entry.size_bytes, None)
            continue
        state = _look(entry)
        if state is None:
            freed[entry.path] = Saving(0, Reason(ReasonCode.GONE))
        elif os.path.islink(entry.path):
            freed[entry.path] = Saving(0, Reason(ReasonCode.SYMBOLIC_LINK))
        elif kept is not None and os.path.samestat(state, kept):
            freed[entry.path] = Saving(0, Reason(ReasonCode.HARD_LINK, (shown(best.path),)))
        else:
            key = state.st_dev, state.st_ino
            names.setdefault(key, []).append(entry)
            links[key] = state.st_nlink
    for key, entries in names.items():
        is_last = links[key] <= len(entries)
        first = Saving(entries[0].size_bytes, None) if is_last else Saving(0, Reason(ReasonCode.HARD_LINK_ELSEWHERE))
        freed[entries[0].path] = first
        for entry in entries[1:]:
            counted = Saving(0, Reason(ReasonCode.HARD_LINK_COUNTED, (shown(entries[0].path),)))
            freed[entry.path] = counted if is_last else first
    return freed


def _look(entry: FileEntry) -> os.stat_result | None:
    try:
        return os.stat(entry.path)
    except OSError:
        return None
