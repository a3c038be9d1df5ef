"""What belongs together inside one collection: exact copies, one picture in several files, and what looks alike.

walk > equal bytes > pictures > stacks (the same picture) > rows (similar stacks) > groups, each with its best member

A level holds all that a stronger one holds: what is identical is the same, and what is the same is never torn apart at
`similar`. Names candidates and touches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

from dupfind import __version__, bests
from dupfind.bests import Rival
from dupfind.cache import Cache
from dupfind.copies import find_copies
from dupfind.events import Listener, Silence
from dupfind.grouped import Answer, Group
from dupfind.pipeline import walk
from dupfind.problems import problems_of
from dupfind.reading import Reader
from dupfind.roots import spelling
from dupfind.savings import each_once
from dupfind.scribe import Scribe, of_copies
from dupfind.session import with_reader
from dupfind.settings import Settings
from dupfind.values import ORIENTATIONS, Evidence, Failure, FileEntry


def groups(
    settings: Settings,
    level: Evidence = Evidence.SAME,
    listener: Listener | None = None,
    make_executor: Callable[[], Executor] | None = None,
) -> Answer:
    """The groups of what lies below the haystack roots of ``settings``, held together by ``level`` at least.

    Raises :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    listener = listener or Silence()
    _, trees = walk(settings, listener)
    entries, left_out = each_once(trees)
    work = partial(_find, settings, level, entries, listener)
    found = with_reader(settings, listener, work, make_executor)
    return Answer(
        version=__version__,
        folders=settings.scan.haystack,
        level=level,
        algorithm=settings.scan.algorithm,
        threshold_bits=settings.scan.threshold_bits,
        rotations=settings.scan.rotations,
        files=len(entries),
        pictures=found.pictures,
        groups=sorted(found.groups, key=lambda group: (-group.frees_bytes, group.best.path)),
        problems=[*problems_of(trees, found.failures), *left_out],
    )


class _Found(NamedTuple):
    groups: list[Group]
    pictures: int | None
    failures: Mapping[str, Failure]


def _find(
    settings: Settings, level: Evidence, entries: list[FileEntry], listener: Listener, reader: Reader, cache: Cache
) -> _Found:
    copies, failures = find_copies(entries, reader)
    shown = spelling(settings.roots)
    copies = [sorted(some, key=lambda entry: bests.rank(Rival(shown(entry.path), entry.mtime_ns))) for some in copies]
    if level is Evidence.IDENTICAL:
        return _Found([of_copies(some, shown) for some in copies], None, failures)
    from dupfind.gathering import Gatherer, Row  # loads what decodes: not where bytes decide

    others = {entry.path for some in copies for entry in some[1:]}  # their pictures are that of the first
    firsts = [entry for entry in entries if entry.path not in others and entry.path not in failures]
    pictures = reader.pictures(firsts, "decoding", ORIENTATIONS if settings.scan.rotations else 1)
    failures |= pictures.failures

    def rival(position: int) -> Rival:
        entry = pictures.entries[position]
        return Rival(shown(entry.path), entry.mtime_ns)

    gatherer = Gatherer(settings, pictures, rival, reader, cache, listener)
    stacks = gatherer.stacks()
    rows = gatherer.rows(stacks) if level is Evidence.SIMILAR else [Row([one], []) for one in stacks]
    failures |= gatherer.failures
    paths = {pictures.entries[position].path for row in rows for one in row.stacks for position in one.positions}
    copies_of = {some[0].path: some[1:] for some in copies}
    rows = [row for row in rows if row.is_several or pictures.entries[row.stacks[0].best].path in copies_of]
    gatherer.describe(rows)
    scribe = Scribe(pictures.entries, copies_of, gatherer, shown)
    found = [scribe.group(row) for row in rows]
    found += [of_copies(some, shown) for some in copies if some[0].path not in paths]  # no pictures, or not readable
    return _Found(found, len(paths) + sum(len(copies_of[path]) for path in paths & copies_of.keys()), failures)
