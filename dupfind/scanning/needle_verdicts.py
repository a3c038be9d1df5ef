"""What was found of the needles to the verdicts on them, under the names by which they are reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dupfind.answers.decisions import Decision, Ruling
from dupfind.answers.findings import Findings
from dupfind.reasons import Reason, ReasonCode
from dupfind.scanning.verdict import judge_file, on_split, on_word
from dupfind.values import Evidence, FileEntry, FileVerdict, Tree


def judge_files(
    accept: Evidence, spell: Callable[[str], str], needles: Sequence[Tree], findings: Findings
) -> list[FileVerdict]:
    """Judge each needle, in the order of the walk; ``spell`` gives the path of a haystack file as reported."""
    if not (findings.words or findings.failures or findings.remains):  # then nothing but a match decides
        matches, pictures = findings.matches, findings.pictures
        return [
            judge_file(shown(path), entry, matches.get(path), None, accept, has_picture=path in pictures, spell=spell)
            for tree in needles
            for shown in [tree.root.shown]
            for entry in tree.entries
            for path in [entry.path]
        ]
    judge = needle_judge(findings, accept, spell)
    return [
        judge(shown(entry.path), entry) for tree in needles for shown in [tree.root.shown] for entry in tree.entries
    ]


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
