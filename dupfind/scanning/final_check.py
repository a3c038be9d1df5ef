"""The final check before the verdicts: what is about to count as present is still there, and so is what proves it.

Hours may lie between the walk and the report. So the needles are listed once more, which finds whatever went, came or
changed among them, and each source looks at its witnesses. What has changed is neither present nor proof. It is not
judged again: the next run does that, and with a cache reads only what changed.

The needles come first: what was moved from the haystack to them in between is then missed as a witness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress
from operator import itemgetter
from typing import NamedTuple

from dupfind.answers.findings import Findings
from dupfind.sources.source import Listing, Relisting, Sources, by_folder
from dupfind.values import CHANGED, LAST_LOOK, Failure, FileEntry, FolderId, Match, Problem, Tree

_PATH = itemgetter(FileEntry._fields.index("path"))
_WITNESS = itemgetter(Match._fields.index("witness"))
_GONE = f"{CHANGED}: it is no longer found there"
_MOMENT_SECONDS = 5.0
_FEW_FILES = 10_000


def is_due(needles: Sequence[Tree], findings: Findings, *, is_remembered: bool, walked_seconds: float) -> bool:
    """Tell whether the final check is made at all; ``walked_seconds`` is how long ago the walk began.

    A remembered answer that comes within moments of the walk needs none: the check would list the same files again, and
    take as long as the walk did. Where there are few files it costs nothing, and is made all the same.
    """
    files = sum(len(tree.entries) for tree in needles) + len(findings.matches)
    return not is_remembered or walked_seconds > _MOMENT_SECONDS or files <= _FEW_FILES


def begin_final_check(sources: Sources, needles: Sequence[Tree], listing: Listing) -> None:
    """Let a second process begin with :func:`final_check`, whose arguments these are, as soon as everything is read.

    The caller has something to do meanwhile.
    """
    for source, tree in zip(sources.needles[:1], needles[:1], strict=True):
        source.look_ahead(tree, listing)


def final_check(
    sources: Sources, needles: Sequence[Tree], haystack: Sequence[Tree], findings: Findings, listing: Listing
) -> tuple[list[Tree], list[Tree], Findings]:
    """Return the trees with the problems of this check, and the findings without those that no longer hold.

    The trees are those of ``sources``, in their order. ``listing`` is a new one, with nothing listed, whose ``count``
    is told how many needles each folder has.
    """
    opened = frozenset().union(*(tree.opened for tree in needles))
    changes = [
        _list_again(tree, source.list_again(tree, listing), opened)
        for source, tree in zip(sources.needles, needles, strict=True)
    ]
    lost = {path: reason for changed in changes for path, reason in changed.lost.items()}
    listing.needle_folders = frozenset().union(*(changed.folders for changed in changes))
    wanted = set(map(_WITNESS, findings.matches.values()))
    rejected: dict[str, str] = {}
    marked = []
    for source, tree in zip(sources.haystack, haystack, strict=True):
        witnesses = compress(tree.entries, map(wanted.__contains__, map(_PATH, tree.entries)))
        reasons = dict(source.changed(witnesses, listing))
        problems = [
            Problem(tree.root.shown(path), tree.root.side, LAST_LOOK, reason) for path, reason in reasons.items()
        ]
        rejected |= reasons
        marked.append(replace(tree, problems=[*tree.problems, *problems]) if problems else tree)
    walked = [
        replace(tree, problems=[*tree.problems, *changed.problems]) if changed.problems else tree
        for tree, changed in zip(needles, changes, strict=True)
    ]
    return walked, marked, _without(findings, lost, rejected) if lost or rejected else findings


class _Changes(NamedTuple):
    """What differs in a second walk of a tree of needles."""

    lost: dict[str, str]
    """What happened to the files that are not as they were, by their paths."""
    problems: list[Problem]
    """Those of the second walk that the first did not meet."""
    folders: frozenset[FolderId]
    """Every directory that was looked into."""


def _list_again(tree: Tree, walk: Relisting, opened: frozenset[str]) -> _Changes:
    """Compare folder by folder, so that the files are not kept twice: a second list of a million takes 350 MB.

    ``opened`` are files that another tree looks into, and looks at: they are no needles themselves.
    """
    places: dict[str, Sequence[FileEntry]] | None = None
    """What is left of the first walk, by folder; None while both walks agree."""
    agreed = 0
    lost: dict[str, str] = {}
    problems: list[Problem] = []
    for folder, listed in walk.folders():
        now = [entry for entry in listed if entry.path not in opened] if opened else listed
        if places is None:
            if now == tree.entries[agreed : agreed + len(now)]:
                agreed += len(now)
                continue
            places = dict(by_folder(tree.entries[agreed:]))
        before = places.pop(folder, ())
        if now == list(before):
            continue
        old, new = set(map(_PATH, before)), set(map(_PATH, now))
        lost |= {entry.path: CHANGED if entry.path in new else _GONE for entry in set(before) - set(now)}
        reason = "came while dupfind ran: not looked at"
        problems += [Problem(tree.root.shown(path), tree.root.side, "walk", reason) for path in sorted(new - old)]
    for before in (tree.entries[agreed:],) if places is None else places.values():
        lost |= dict.fromkeys(map(_PATH, before), _GONE)
    earlier = set(tree.problems)
    new_problems = [problem for problem in walk.problems if problem not in earlier]
    return _Changes(lost, [*new_problems, *problems], frozenset(walk.seen))


def _without(findings: Findings, lost: Mapping[str, str], rejected: Mapping[str, str]) -> Findings:
    """Return the findings without ``lost`` needles and without those whose witness is ``rejected``; by path, why."""
    matches: dict[str, Match] = {}
    failures = dict(findings.failures)
    for path, match in findings.matches.items():
        if path in lost:
            failures[path] = _failure(lost[path])
        elif match.witness in rejected:
            failures[path] = _failure(f"its witness {rejected[match.witness]}")
        else:
            matches[path] = match
    for path, reason in lost.items():  # what has no match: an empty file that was written to is empty no longer
        failures.setdefault(path, _failure(reason))
    words = {}
    for path, word in findings.words.items():
        if path in lost:
            failures[path] = _failure(lost[path])
        elif word.witness is None or path in findings.split or path in matches:  # only "same" needs its witness
            words[path] = word
    return replace(findings, matches=matches, failures=failures, words=words)


def _failure(reason: str) -> Failure:
    return Failure(reason, is_image=False, lasting=False, stage=LAST_LOOK)
