"""What went wrong, and what the haystack held, for a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

from dupfind.answers.findings import Findings
from dupfind.pictures import formats
from dupfind.values import Failure, FileEntry, FileState, FileVerdict, HaystackSummary, Kind, Problem, Tree, Unlisted

_PATH = itemgetter(FileEntry._fields.index("path"))
_BATCH = 1 << 10
"""Names that are gone through at once, as few as stay near the processor."""


def problems_of(trees: Sequence[Tree], failures: Mapping[str, Failure]) -> list[Problem]:
    """Return everything that went wrong, the needles first, in the order of the walk."""
    problems = []
    for tree in trees:
        problems += tree.problems
        for entry in tree.entries if failures else ():
            failure = failures.get(entry.path)
            if failure is not None and (_is_picture(entry, failure) or not failure.lasting):
                path = tree.root.shown(entry.path)
                problems.append(Problem(path, tree.root.side, failure.stage, failure.reason))
    return problems


def summary_of(haystack: Sequence[FileEntry], findings: Findings, unlisted: Sequence[Unlisted] = ()) -> HaystackSummary:
    """Count what there is: pictures are counted by their content where they were decoded in this run, by their names
    where not.

    What the cache happens to know does not count, so that a warm run gives the numbers of a cold one. ``unlisted`` is
    what there is besides.
    """
    failures = findings.failures
    failed = [entry for entry in haystack if entry.path in failures] if failures else []
    unreadable = sum(_is_picture(entry, failures[entry.path]) for entry in failed)
    if findings.haystack_pictures is None:
        batches = (haystack[start : start + _BATCH] for start in range(0, len(haystack), _BATCH))
        images = sum(sum(formats.are_image_names(list(map(_PATH, batch)))) for batch in batches)
        images += sum(besides.image_names for besides in unlisted)
    else:
        images = findings.haystack_pictures + unreadable + sum(besides.pictures for besides in unlisted)
    files = len(haystack) + sum(besides.files for besides in unlisted)
    return HaystackSummary(files=files, images=images, unreadable=unreadable)


def is_missing_film(file: FileVerdict) -> bool:
    """Tell whether a needle is a film or a sound that nothing proves."""
    return file.state is FileState.MISSING and file.kind is Kind.OTHER and formats.is_film_name(file.path)


def _is_picture(entry: FileEntry, failure: Failure) -> bool:
    return failure.is_image or formats.is_image_name(entry.path)
