"""What belongs together inside one collection: exact copies, one picture in several files, and what looks alike.

walk > equal bytes > pictures > stacks (the same picture) > rows (similar stacks) > groups, each with its best member

A level holds all that a stronger one holds: what is identical is the same, and what is the same is never torn apart at
`similar`. Names candidates and touches nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from dupfind import __version__
from dupfind.answers.grouped import Answer, Group
from dupfind.events import Listener
from dupfind.grouping import best_of
from dupfind.grouping.best_of import Rival
from dupfind.grouping.copies import find_copies
from dupfind.grouping.describe import Scribe, Told, of_copies
from dupfind.grouping.together import Together, gather
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.scanning.problems import problems_of
from dupfind.session import with_reader
from dupfind.settings import Settings
from dupfind.values import ORIENTATIONS, Evidence, Failure, FileEntry


def groups(
    settings: Settings,
    level: Evidence = Evidence.SAME,
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
) -> Answer:
    """The groups of what lies below the haystack roots of ``settings``, held together by ``level`` at least.

    Raises :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    run = Run(settings, listener, make_executor)
    whole = gather(run, is_proof=True)
    found = with_reader(run, partial(_find, whole, level))
    return Answer(
        version=__version__,
        folders=settings.scan.haystack,
        level=level,
        algorithm=settings.scan.algorithm,
        threshold_bits=settings.scan.threshold_bits,
        rotations=settings.scan.rotations,
        files=len(whole.entries),
        pictures=found.pictures,
        groups=sorted(found.groups, key=lambda group: (-group.frees_bytes, group.best.path)),
        problems=[*problems_of(whole.trees, found.failures), *whole.left_out],
        catalogs=whole.catalogs,
    )


class _Found(NamedTuple):
    groups: list[Group]
    pictures: int | None
    failures: Mapping[str, Failure]


def _told(whole: Together, *, may_be_links: bool) -> Told:
    """How the files of the collection are told of."""
    shown = whole.shown

    def rival(entry: FileEntry) -> Rival:
        path = entry.path
        # What leads to a file of the collection is left out of it, so that any other link leads out.
        leads_out = may_be_links and entry.is_on_disk and os.path.realpath(path) != path
        return Rival(shown(path), entry.mtime_ns, is_listed=not entry.can_be_read, leads_out=leads_out)

    return Told(shown, rival)


def _find(whole: Together, level: Evidence, run: Reading) -> _Found:
    settings, reader = run.settings, run.reader
    told = _told(whole, may_be_links=settings.follow_symlinks)
    copies, failures = find_copies(whole.entries, reader)
    copies = [sorted(some, key=lambda entry: best_of.rank(told.rival(entry))) for some in copies]
    if level is Evidence.IDENTICAL:
        return _Found([of_copies(some, told) for some in copies], None, failures)
    from dupfind.grouping.clustering import Gatherer  # loads what decodes: not where bytes decide
    from dupfind.grouping.stacks import Row

    others = {entry.path for some in copies for entry in some[1:]}  # their pictures are that of the first
    firsts = [
        entry
        for entry in whole.entries
        if entry.path not in others and entry.path not in failures and entry.has_comparable_picture
    ]
    pictures = reader.pictures(firsts, "decoding", ORIENTATIONS if settings.scan.rotations else 1)
    failures |= pictures.failures

    gatherer = Gatherer(run, pictures, lambda position: told.rival(pictures.entries[position]))
    stacks = gatherer.stacks()
    rows = gatherer.rows(stacks) if level is Evidence.SIMILAR else [Row([one], []) for one in stacks]
    failures |= gatherer.failures
    paths = {pictures.entries[position].path for row in rows for one in row.stacks for position in one.positions}
    copies_of = {some[0].path: some[1:] for some in copies}
    rows = [row for row in rows if row.is_several or pictures.entries[row.stacks[0].best].path in copies_of]
    gatherer.describe(rows)
    scribe = Scribe(pictures.entries, copies_of, gatherer, told)
    found = [scribe.group(row) for row in rows]
    found += [of_copies(some, told) for some in copies if some[0].path not in paths]  # no pictures, or not readable
    return _Found(found, len(paths) + sum(len(copies_of[path]) for path in paths & copies_of.keys()), failures)
