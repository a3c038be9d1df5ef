"""The collection as it is remembered: found again at the start of a ``find``, kept at its end.

A snapshot holds for the same haystack roots, the same options that decide what is in them and what is read of it, the
same program, the same decoders. Where it does not hold, or is damaged, everything is walked.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

import numpy as np

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import SnapshotError
from dupfind.cache.cache_snapshots import SnapshotShelf
from dupfind.cache.racy import RACY_NS
from dupfind.cache.result_cache import program
from dupfind.cache.snapshot import FolderRow, Inner, Known, pack, unpack, unsettled_since
from dupfind.digest import digest_of
from dupfind.finding.collection import Collection, will_last
from dupfind.finding.incremental_walk import IncrementalWalk, Visited, remembered
from dupfind.pictures import formats
from dupfind.run import Reading
from dupfind.settings import Settings
from dupfind.sources.ignore import Excludes
from dupfind.sources.mounts import forgetting
from dupfind.sources.source import Rules, list_all
from dupfind.values import Cataloged, Failure, FileEntry, Problem, Side, Tree
from dupfind.version import __version__

_RACY_NS = RACY_NS
_LEAST_NEWS, _MOST_NEWS, _SHARE = 20, 20_000, 50
"""News that are worth a new snapshot: a fiftieth of all files, within these bounds. To look at 20,000 again takes less
than to write a million."""
_MOST_FOLDERS = 500
"""Likewise, folders that were read."""


class SnapshotStore:
    """One haystack and what is remembered of it; ``shelf`` None remembers nothing."""

    def __init__(self, run: Reading, shelf: SnapshotShelf | None) -> None:
        self._run = run
        self._settings = run.settings
        self._cache = run.cache
        self._others = run.sources.walked(are_walked=False)
        # What a link leads to changes without its folder, and what is not walked shows no change by folders.
        self._shelf = None if run.settings.follow_symlinks or any(self._others) else shelf
        self._key = b"" if self._shelf is None else _make_key(run.settings, run.cache)
        self._began_ns = time.time_ns()
        self._is_anew = True
        self.problems: list[Problem] = []
        """What the walk had to say."""
        self.catalogs: tuple[Cataloged, ...] = ()
        """What was not walked but read in catalogs."""

    def open(self, images: Sequence[FileEntry] = (), *, is_anew: bool) -> Collection:
        """Open the collection as it is now; ``is_anew`` walks all of it. Raises
        :class:`~dupfind.cache.cache_schema.SnapshotError`.

        What a catalog lists that may be one of ``images`` itself is left out.
        """
        self._began_ns = time.time_ns()
        self._is_anew = is_anew
        snapshot = None
        if self._shelf is not None and not is_anew:
            with self._run.listener.part("look up"):
                snapshot = self._shelf.load(self._key, unpack)
        excludes = Excludes(self._settings.excludes)
        visited = self._walk(snapshot, excludes)
        if any(self._others):
            trees = self._listed(images, excludes)
            visited += [
                Visited(FolderRow(tree.root.real, -1, tree.root.identity, None, len(tree.entries)), None, tree.entries)
                for tree in trees
            ]
        for warning in excludes.warnings():
            self._run.listener.warn(warning)
        return Collection(self._run, snapshot, visited)

    def _walk(self, snapshot: Known | None, excludes: Excludes) -> list[Visited]:
        settings, listener = self._settings, self._run.listener
        earlier = remembered(snapshot.folders if snapshot is not None else ())
        mounts = self._run.mounts
        rules = Rules(excludes, settings.follow_symlinks, mounts)
        visited: list[Visited] = []
        trees = []
        roots = [source.root for source in self._run.sources.walked(are_walked=True).haystack]
        with listener.stage("walking", None) as advance:
            for root in roots:
                walk = IncrementalWalk(root, rules, roots, mounts.patchwork)
                for visit in walk.visit(earlier, len(visited)):
                    visited.append(visit)
                    advance(visit.row.files)
                trees.append(Tree(root, [], walk.problems, frozenset(walk.seen)))
        self.problems = [problem for tree in trees for problem in tree.problems]
        if settings.cache is not None:
            for warning in forgetting(trees, mounts.forgetful):
                listener.warn(warning)
        return visited

    def _listed(self, images: Sequence[FileEntry], excludes: Excludes) -> list[Tree]:
        """List what is in sources that are not walked."""
        with self._run.listener.part("look up"):
            trees = list_all(self._others, self._run.listing(excludes, named=images, is_anew=True)).haystack
        self.problems += [problem for tree in trees for problem in tree.problems]
        self.catalogs = tuple(tree.catalog for tree in trees if tree.catalog is not None)
        return trees

    def keep(self, collection: Collection) -> None:
        """Remember ``collection``, all of whose pictures were read, where there is enough news."""
        if self._shelf is None or not self._is_worth_it(collection):
            return
        self._cache.flush()  # no snapshot names a thumbnail that is not in the file
        if self._cache.path is None:
            return
        try:
            rows, folders, inner = collection.rows()
        except SnapshotError:  # another run has kept one meanwhile
            return
        order = collection.order()
        at = np.full(len(rows), -1, np.int64)
        at[order] = np.arange(len(order))
        is_there = at[inner.rows] >= 0
        kept = unsettled_since(rows.taken(order), self._began_ns - _RACY_NS, time.time_ns())
        counts = np.bincount(folders[order], minlength=len(collection.visited)).tolist()
        table = [visit.row._replace(files=count) for visit, count in zip(collection.visited, counts, strict=True)]
        failures = {
            int(at[row]): failure
            for row, failure in collection.failures.items()
            if at[row] >= 0 and will_last(failure) and _is_picture(rows.names[row], failure)
        }
        inner = Inner(at[inner.rows[is_there]], inner.hashes[is_there])
        self._shelf.keep(self._key, pack(table, kept, inner, failures))

    def _is_worth_it(self, collection: Collection) -> bool:
        read = sum(visit.place is None and visit.row.times_ns is not None for visit in collection.visited)
        return (
            self._is_anew
            or collection.known is None
            or collection.news > max(_LEAST_NEWS, min(_MOST_NEWS, len(collection) // _SHARE))
            or read > _MOST_FOLDERS
        )

    def problems_of(self, failures: Mapping[str, Failure]) -> list[Problem]:
        """List what the walk had to say, and the pictures that could not be read, by paths as the user spells them."""
        unread = [
            Problem(path, Side.HAYSTACK, failure.stage, failure.reason)
            for path, failure in sorted(failures.items())
            if not failure.lasting or _is_picture(path.encode("utf-8", "surrogateescape"), failure)
        ]
        return [*self.problems, *unread]


def _is_picture(name: bytes, failure: Failure) -> bool:
    return failure.is_image or formats.is_image_name(name.decode("utf-8", "surrogateescape"))


def _make_key(settings: Settings, cache: Cache) -> bytes:
    """Digest everything that decides what is in a collection and what is read of an unchanged file."""
    roots = [(root.real, root.identity) for root in settings.roots]
    recipe = cache.recipe
    decides = (
        roots, settings.excludes, settings.max_pixels, recipe.thumbnails, recipe.hashes, __version__, program(),
        sys.version,
    )  # fmt: skip
    return digest_of([repr(decides).encode("utf-8", "surrogatepass")])
