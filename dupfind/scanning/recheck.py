"""The last look before the verdicts: what is about to count as present is still there, and so is what proves it.

Hours may lie between the walk and the report. So the needles are walked once more, which finds whatever went, came or
changed below them, and each witness is looked at where it lies. What is not as it was is neither present nor proof; it
is not judged afresh, because that is what the next run does, reading only what changed where there is a cache.

The needles come first: what was moved from the haystack to them in between is then missed as a witness.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

from dupfind.answers.findings import Findings
from dupfind.sources.entries import entry_of, is_same_folder, reason_of, without_inode
from dupfind.sources.file_lists import NamedRoot, NamedWalk
from dupfind.sources.walk import Walk, WalkRules
from dupfind.values import LAST_LOOK, Failure, FileEntry, FolderId, Match, Problem, Root, Side, Tree

_PATH = itemgetter(FileEntry._fields.index("path"))
_CHANGED = "changed while dupfind ran"
_GONE = f"{_CHANGED}: it is no longer found there"
_MOMENT_SECONDS = 5.0
_FEW_FILES = 10_000


def is_due(needles: Sequence[Tree], findings: Findings, *, is_remembered: bool, walked_seconds: float) -> bool:
    """Whether there is to be a last look at all; ``walked_seconds`` is how long ago the walk began.

    An answer from memory that comes within moments of the walk rests on the walk as the last look does on itself: both
    take seconds for some hundred thousand files, and the report is as old as they took. Where there are few files it
    costs nothing, and is taken all the same.
    """
    files = sum(len(tree.entries) for tree in needles) + len(findings.matches)
    return not is_remembered or walked_seconds > _MOMENT_SECONDS or files <= _FEW_FILES


def last_look(
    needles: Sequence[Tree],
    haystack: Sequence[Tree],
    findings: Findings,
    rules: WalkRules,
    roots: Sequence[Root],
    count: Callable[[int], None] = lambda _: None,
) -> tuple[list[Tree], list[Tree], Findings]:
    """The trees with what is to be told of them besides, and the findings without what does not stand any more.

    ``count`` is told how many needles each folder has.
    """
    changes = [
        _walk_again(
            tree,
            NamedWalk(tree, count)
            if isinstance(tree.root, NamedRoot)
            else Walk(tree.root, rules, roots, frozenset(), count),
        )
        for tree in needles
    ]
    lost = {path: reason for one in changes for path, reason in one.lost.items()}
    among_needles = frozenset().union(*(one.folders for one in changes))
    wanted = {match.witness for match in findings.matches.values()}
    trusted = {root.real: root.identity for root in roots if root.side is Side.HAYSTACK}
    ways = _Ways(among_needles, trusted, rules)
    fallen: dict[str, str] = {}
    marked = []
    for tree in haystack:
        found = dict(_changed_witnesses((entry for entry in tree.entries if entry.path in wanted), ways))
        problems = [Problem(tree.root.shown(path), tree.root.side, LAST_LOOK, reason) for path, reason in found.items()]
        fallen |= found
        marked.append(replace(tree, problems=[*tree.problems, *problems]) if problems else tree)
    walked = [
        replace(tree, problems=[*tree.problems, *one.problems]) if one.problems else tree
        for tree, one in zip(needles, changes, strict=True)
    ]
    return walked, marked, _without(findings, lost, fallen) if lost or fallen else findings


@dataclass(frozen=True, slots=True)
class _Changes:
    """What a second walk of a tree of needles found otherwise."""

    lost: dict[str, str]
    """What happened to the files that are not as they were, by their paths."""
    problems: list[Problem]
    """Those of the second walk that the first did not meet."""
    folders: frozenset[FolderId]
    """Every directory that was looked into."""


def _walk_again(tree: Tree, walk: Walk | NamedWalk) -> _Changes:
    """Compare folder by folder, so that the files are not kept twice: a second list of a million takes 350 MB."""
    places = dict(_places_by_folder(tree.entries))
    lost: dict[str, str] = {}
    problems: list[Problem] = []
    for folder, now in walk.folders():
        start, end = places.pop(folder, (0, 0))
        before = tree.entries[start:end]
        if now == before:
            continue
        old, new = set(map(_PATH, before)), set(map(_PATH, now))
        lost |= {entry.path: _CHANGED if entry.path in new else _GONE for entry in set(before) - set(now)}
        reason = "came while dupfind ran: not looked at"
        problems += [Problem(tree.root.shown(path), tree.root.side, "walk", reason) for path in sorted(new - old)]
    for start, end in places.values():
        lost |= dict.fromkeys(map(_PATH, tree.entries[start:end]), _GONE)
    known = set(tree.problems)
    met = [one for one in walk.problems if one not in known]
    return _Changes(lost, [*met, *problems], frozenset(walk.seen))


def _places_by_folder(entries: Sequence[FileEntry]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Where the files of each folder stand; the walk puts them next to each other."""
    start = 0
    for folder, group in groupby(map(_PATH, entries), key=_folder_of):
        end = start + sum(1 for _ in group)
        yield folder, (start, end)
        start = end


def _folder_of(path: str) -> str:
    return path.rpartition(os.sep)[0] or os.sep


def _changed_witnesses(witnesses: Iterable[FileEntry], ways: _Ways) -> Iterator[tuple[str, str]]:
    """The paths of those that prove nothing any more, and why."""
    for folder, group in groupby(witnesses, key=lambda entry: _folder_of(entry.path)):
        why_folder = ways.why_not_trusted(folder)
        for entry in group:
            reason = why_folder or ways.why_changed(entry)
            if reason is not None:
                yield entry.path, reason


class _Ways:
    """Whether files of the haystack are where the walk found them, and not by now among the needles.

    ``roots`` are the identities of the haystack's roots by their paths.
    """

    def __init__(self, among_needles: frozenset[FolderId], roots: Mapping[str, FolderId], rules: WalkRules) -> None:
        self._among_needles = among_needles
        self._roots = roots
        self._rules = rules
        self._known: dict[str, str | None] = {}

    def why_changed(self, entry: FileEntry) -> str | None:
        """Why a file is not what the walk saw; None where it is."""
        try:
            found = os.stat(entry.path, follow_symlinks=self._rules.follow_symlinks)
            now = entry_of(entry.path, found)
            if (now if entry.inode else without_inode(now)) != entry or not stat.S_ISREG(found.st_mode):
                return _CHANGED
            if self._rules.follow_symlinks and os.path.islink(entry.path):
                return self.why_not_trusted(_folder_of(os.path.realpath(entry.path)))
        except OSError as error:
            return f"{_CHANGED}: {reason_of(error)}"
        return None

    def why_not_trusted(self, folder: str) -> str | None:
        """Why nothing in a folder proves anything any more; None where all is well up to its root."""
        pending = []
        while folder not in self._known:
            pending.append(folder)
            self._known[folder] = None  # also ends the way at the top, which is its own folder
            if folder not in self._roots:
                folder = os.path.dirname(folder)
        reason = self._known[folder]
        for below in reversed(pending):
            reason = reason or self._why_not_here(below)
            self._known[below] = reason
        return reason

    def _why_not_here(self, folder: str) -> str | None:
        try:
            found = os.stat(folder, follow_symlinks=self._rules.follow_symlinks)
        except OSError as error:
            return f"{_CHANGED}: {reason_of(error)}"
        identity = found.st_dev, found.st_ino
        is_other = folder in self._roots and (
            not is_same_folder(identity, self._roots[folder], self._rules.forgetful)
            or os.path.realpath(folder) != folder
        )
        if is_other or not stat.S_ISDIR(found.st_mode):
            return f"{_CHANGED}: another folder came in the place of one around it"
        real = os.path.realpath(folder) if self._rules.follow_symlinks else folder
        place = self._rules.mounts.folder_id(real, found.st_dev)  # where numbers do not last, it alone tells
        if identity in self._among_needles or place in self._among_needles:
            return f"{_CHANGED}: it lies among the needles now"
        return None


def _without(findings: Findings, lost: Mapping[str, str], fallen: Mapping[str, str]) -> Findings:
    """The findings without needles that were ``lost`` and without those whose witness has ``fallen``."""
    matches: dict[str, Match] = {}
    failures = dict(findings.failures)
    for path, match in findings.matches.items():
        if path in lost:
            failures[path] = _failure(lost[path])
        elif match.witness in fallen:
            failures[path] = _failure(f"its witness {fallen[match.witness]}")
        else:
            matches[path] = match
    words = {}
    for path, word in findings.words.items():
        if path in lost:
            failures[path] = _failure(lost[path])
        elif word.witness is None or path in findings.parted or path in matches:  # only "same" needs its witness
            words[path] = word
    return replace(findings, matches=matches, failures=failures, words=words)


def _failure(reason: str) -> Failure:
    return Failure(reason, is_image=False, lasting=False, stage=LAST_LOOK)
