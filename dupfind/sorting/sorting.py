"""The pictures of a collection in an order in which neighbours look alike, or by their likeness to one picture.

walk > pictures > features > path, or distances
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from dupfind.answers.sort import Placed, SortResult
from dupfind.cache.cache import Cache
from dupfind.errors import TooFewPicturesError
from dupfind.events import Listener
from dupfind.grouping.collection import Collection, gather
from dupfind.reading import Pictures, Reader
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.scanning.problems import problems_of
from dupfind.session import with_reader
from dupfind.settings import Settings
from dupfind.sources.roots import NamedFile
from dupfind.values import Failure
from dupfind.version import __version__

if TYPE_CHECKING:
    from dupfind.sorting.likeness import Features

_BATCH = 1024


def sort(
    settings: Settings,
    like: NamedFile | None = None,
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
) -> SortResult:
    """Sort the pictures below the haystack roots of ``settings``, by their likeness to ``like`` where it is given.

    Raises :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    run = Run(settings, listener, make_executor)
    whole = gather(run, is_proof=False)
    placed, failures = with_reader(run, partial(_sort, whole, like))
    given, problems = like.given if like else None, problems_of(whole.trees, failures)
    return SortResult(__version__, settings.scan.haystack, given, placed, problems, whole.catalogs)


def _sort(whole: Collection, like: NamedFile | None, run: Reading) -> tuple[list[Placed], dict[str, Failure]]:
    reader, cache = run.reader, run.cache
    target = None if like is None else _target(like, reader)
    pictures = reader.pictures(whole.entries, "decoding", 1)
    names: dict[int, list[str]] = {}
    for entry, ref in zip(pictures.entries, pictures.refs, strict=True):
        names.setdefault(ref.id, []).append(whole.shown(entry.path))
    # Copies share a thumbnail and stand together; they would only fill each other's lists of neighbours.
    copies = sorted(map(sorted, names.values()))
    ids = sorted(names, key=lambda id_: min(names[id_]))
    with run.listener.stage("sorting", len(ids)) as advance:
        if target is None:
            placed = _along_a_path(copies, features_of(ids, cache))
        else:
            placed = _by_likeness(copies, features_of(ids, cache), features_of([target.refs[0].id], cache))
        advance(len(ids))
    return placed, pictures.failures


def _along_a_path(copies: Sequence[Sequence[str]], features: Features) -> list[Placed]:
    """Order the files so that neighbours are near each other, those of each picture together."""
    from dupfind.sorting.seriation import lengths, seriate

    path = seriate(features)
    steps = [None, *lengths(features, path[:-1], path[1:]).tolist()] if len(path) else []
    placed = []
    for place, step in zip(path.tolist(), steps, strict=True):
        first, *duplicates = copies[place]
        placed += [Placed(first, step), *(Placed(duplicate, 0.0) for duplicate in duplicates)]
    return placed


def _by_likeness(copies: Sequence[Sequence[str]], features: Features, target: Features) -> list[Placed]:
    """Order the files by how near they are to ``target``, then by path."""
    from dupfind.sorting.likeness import distances

    far = distances(target[0], features).tolist()
    placed = [Placed(name, distance) for names, distance in zip(copies, far, strict=True) for name in names]
    return sorted(placed, key=lambda place: (place.distance, place.path))


def features_of(ids: Sequence[int], cache: Cache) -> Features:
    """Read the features of these thumbnails: (ids, 48)."""
    import numpy as np

    from dupfind.sorting.likeness import FEATURES, features

    rows = np.empty((len(ids), FEATURES), np.float32)
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        thumbnails = cache.thumbnails(batch)
        rows[start : start + len(batch)] = features([thumbnails[id_] for id_ in batch])
    return rows


def _target(like: NamedFile, reader: Reader) -> Pictures:
    """Read the picture that all others are compared with."""
    target = reader.pictures([like.entry], "decoding", 1)
    if target.failures:
        raise TooFewPicturesError(f"{like.given}: {target.failures[like.entry.path].reason}")
    return target
