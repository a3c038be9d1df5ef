"""What was found of the needles to the verdicts on them, under the names by which they are reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from operator import itemgetter

from dupfind.answers.decisions import Decision, Ruling
from dupfind.answers.findings import Findings
from dupfind.reasons import Reason, ReasonCode
from dupfind.scanning.verdict import judge_alike, judge_file, on_split, on_word
from dupfind.values import Evidence, FileEntry, FileVerdict, Tree

_PATH = itemgetter(FileEntry._fields.index("path"))
_BATCH = 1 << 8
"""Needles that are judged together where the same is known of each: the few others cost their neighbours more."""


def judge_files(
    accept: Evidence, spell: Callable[[str], str], needles: Sequence[Tree], findings: Findings
) -> list[FileVerdict]:
    """Judge each needle, in the order of the walk; ``spell`` gives the path of a haystack file as reported."""
    # Of the few that these tell of more is known than a match.
    told = findings.words.keys() | findings.failures.keys() | findings.remains.keys()
    judge = needle_judge(findings, accept, spell)
    return [
        *chain.from_iterable(
            chain.from_iterable(_of_tree(tree, findings, accept, spell, told, judge) for tree in needles)
        )
    ]


def _of_tree(
    tree: Tree,
    findings: Findings,
    accept: Evidence,
    spell: Callable[[str], str],
    told: Collection[str],
    judge: Callable[[str, FileEntry], FileVerdict],
) -> Iterator[list[FileVerdict]]:
    """Yield the verdicts on the needles of a tree, some at a time; ``judge`` judges any needle, also those of ``told``.

    Where none of some needles is of these, nothing but a match, or none, is known of them.
    """
    shown, has_picture = tree.root.shown, findings.pictures.__contains__
    for start in range(0, len(tree.entries), _BATCH):
        entries = tree.entries[start : start + _BATCH]
        own = list(map(_PATH, entries))
        paths = own if shown is str else list(map(shown, own))
        judged = None
        if not told or frozenset(own).isdisjoint(told):
            have_pictures = list(map(has_picture, own))
            matches = list(map(findings.matches.get, own))
            judged = judge_alike(paths, entries, matches, accept, have_pictures=have_pictures, spell=spell)
        yield judged or list(map(judge, paths, entries))


def words_of(needles: Sequence[Tree], findings: Findings) -> dict[str, Decision]:
    """Return, by the path as reported, the decisions that verdicts rest on."""
    if not findings.words:
        return {}
    return {
        tree.root.shown(entry.path): findings.words[entry.path]
        for tree in needles
        for entry in tree.entries
        if entry.path in findings.words
    }


def needle_judge(
    findings: Findings, accept: Evidence, spell: Callable[[str], str]
) -> Callable[[str, FileEntry], FileVerdict]:
    """Return a function from a needle, and how it is reported, to its verdict.

    ``spell`` gives the path of a haystack file as reported.
    """
    matches, failures, pictures, remains_of = findings.matches, findings.failures, findings.pictures, findings.remains
    words = findings.words

    def judge(shown: str, entry: FileEntry) -> FileVerdict:
        word = words.get(entry.path)
        if word is None:
            return unaided(shown, entry)
        if word.ruling is Ruling.DIFFERENT:
            return on_split(unaided(shown, entry), findings.split[entry.path].reason)
        return on_word(unaided(shown, entry), is_same=word.ruling is Ruling.SAME, day=word.day)

    def unaided(shown: str, entry: FileEntry) -> FileVerdict:
        path = entry.path
        match, has_picture = matches.get(path), path in pictures
        failure = failures.get(path) if failures else None
        remains = remains_of.get(path) if match is None else None
        if remains is None:
            return judge_file(shown, entry, match, failure, accept, has_picture=has_picture, spell=spell)
        if remains.nearest:
            note = Reason(ReasonCode.LOOKS_MOST_LIKE, (remains.damage, spell(remains.nearest)))
        else:
            note = Reason(ReasonCode.LOOKS_LIKE_NOTHING, (remains.damage,))
        return judge_file(shown, entry, match, failure, accept, has_picture=has_picture, note=note)

    return judge if words else unaided
