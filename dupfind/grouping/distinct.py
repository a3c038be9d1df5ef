"""Each picture once: of files that hold one picture, the best, and what each of the others is a copy of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dupfind.cache.cache_schema import PictureRef
from dupfind.grouping import best_of
from dupfind.grouping.best_of import Rival
from dupfind.grouping.grouping import find_copies
from dupfind.reading import Pictures
from dupfind.run import Reading
from dupfind.values import ORIENTATIONS, Evidence, FileEntry

_BATCH = 1024


@dataclass(slots=True)
class Distinct:
    """What some files hold."""

    copies: dict[str, tuple[str, Evidence]] = field(default_factory=dict)
    """By the path of each file that is not to be taken, the path of the one that is, and by what they are one."""
    captured: dict[str, str | None] = field(default_factory=dict)
    """By path, when the shutter opened, of those that are pictures."""


def distinct(
    run: Reading,
    wanted: Sequence[FileEntry],
    dated: Collection[FileEntry],
    shown: Callable[[str], str],
    accept: Evidence = Evidence.SAME,
) -> Distinct:
    """Find the best file of each picture among ``wanted``, and when those and the ``dated`` were taken.

    Files that are equal, byte for byte, are one; others where they are the same picture and ``accept`` is no stronger.
    """
    answer = Distinct()

    def rival(entry: FileEntry) -> Rival:
        return Rival(shown(entry.path), entry.mtime_ns)

    copies, failures = find_copies(wanted, run.reader)
    for equal in copies:
        best, *equals = sorted(equal, key=lambda entry: best_of.rank(rival(entry)))
        answer.copies |= {entry.path: (best.path, Evidence.IDENTICAL) for entry in equals}
    firsts = [entry for entry in wanted if entry.path not in answer.copies and entry.path not in failures]
    if not firsts:
        return answer
    with run.listener.part("start-up"):
        from dupfind.grouping.clustering import Clusterer
    orientations = ORIENTATIONS if run.settings.scan.rotations else 1
    paths = {entry.path for entry in firsts}
    only_dated = [entry for entry in dated if entry.path not in paths and entry.path not in failures]
    pictures = run.reader.pictures(firsts, "decoding", orientations)
    of_dates = run.reader.pictures(only_dated, "decoding", 1)
    if accept is not Evidence.IDENTICAL and len(pictures.entries) > 1:
        clusterer = Clusterer(run, pictures, lambda position: rival(pictures.entries[position]))
        for stack in clusterer.stacks():
            best_path = pictures.entries[stack.best].path
            for position in stack.ties:
                answer.copies[pictures.entries[position].path] = best_path, Evidence.SAME
    _follow(answer.copies)
    answer.captured = {**_captured(run, pictures), **_captured(run, of_dates)}
    return answer


def _follow(copies: dict[str, tuple[str, Evidence]]) -> None:
    """Let a copy of a copy be one of the file that is taken."""
    for path, (best, evidence) in list(copies.items()):
        if (further := copies.get(best)) is not None:
            copies[path] = further[0], max(evidence, further[1], key=lambda grade: grade.rank)


def _captured(run: Reading, pictures: Pictures) -> Mapping[str, str | None]:
    """Return when each picture was taken, by its path."""
    moments: dict[str, str | None] = {}
    pairs: list[tuple[FileEntry, PictureRef]] = list(zip(pictures.entries, pictures.refs, strict=True))
    for start in range(0, len(pairs), _BATCH):
        batch = pairs[start : start + _BATCH]
        thumbnails = run.cache.thumbnails([ref.id for _, ref in batch])
        moments |= {entry.path: thumbnails[ref.id].captured for entry, ref in batch}
    return moments
