"""A catalog compared with the folder that it lists; writes nothing.

By names, sizes, times and inodes it takes a walk. ``is_deep`` reads every file again, past the cache, and so finds
bytes that a disk has lost without anybody changing them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from dupfind.answers.index import Checked
from dupfind.catalog.catalog_file import About, CatalogFile, explained
from dupfind.commands.indexing import about_tree, is_other_folder, is_unchanged, relative_entries
from dupfind.errors import CatalogError
from dupfind.events import Listener
from dupfind.pipeline import walk
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.scanning.problems import problems_of
from dupfind.session import with_reader
from dupfind.settings import Settings
from dupfind.sources.mounts import forgetting
from dupfind.values import Failure, FileEntry
from dupfind.version import __version__

_UNSEEN = "an edit that left size and time as they were shows only with --deep"


def about(catalog: str) -> About:
    """Read what a catalog says of itself. Raises :class:`~dupfind.errors.CatalogError`."""
    with explained(catalog):
        file = _opened(catalog)
        try:
            return _about(catalog, file)
        finally:
            file.close()


def check(
    settings: Settings,
    catalog: str,
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
    *,
    is_deep: bool = False,
) -> Checked:
    """Compare ``catalog`` with the one root of ``settings``.

    Raises :class:`~dupfind.errors.DupfindError` where that cannot be done.
    """
    with explained(catalog):
        file = _opened(catalog)
        try:
            said = _about(catalog, file)
            past_cache = Run(replace(settings, cache=None), listener, make_executor)
            (tree,) = walk(past_cache)[1]
            if not is_deep:  # only the bytes would tell of an edit there
                for warning in forgetting([tree], past_cache.mounts.forgetful, _UNSEEN):
                    past_cache.listener.warn(warning)
            listed = {path: entry for path, (entry, _) in file.entries().items()}
            unread = file.unread()
            there = {entry.path: entry for entry in relative_entries(tree, said.shard)}
            if is_other_folder(said, about_tree(past_cache, tree, said.updated), there, listed):
                where = f"nothing of what it lists ({said.root}) is below {tree.root.given}"
                raise CatalogError(f"{catalog}: {where}: is the drive mounted, or is it another folder?")
            same = {
                path: entry for path, entry in there.items() if path in listed and is_unchanged(entry, listed[path])
            }
            prefix = tree.root.real.rstrip(os.sep) + os.sep
            rotten, failures = [], {}
            if is_deep:
                digests = with_reader(past_cache, partial(_digests, same, prefix))
                failures = {path: digest for path, digest in digests.items() if isinstance(digest, Failure)}
                rotten = sorted(_rotten(digests, listed, file))
        finally:
            file.close()
    shown = partial(os.path.join, tree.root.given)
    return Checked(
        version=__version__,
        catalog=catalog,
        folder=tree.root.given,
        updated=said.updated,
        is_complete=said.is_complete,
        is_deep=is_deep,
        files=len(listed),
        new=[shown(path) for path in sorted(there.keys() - listed.keys())],
        changed=[shown(path) for path in sorted((there.keys() & listed.keys()) - same.keys())],
        gone=[shown(path) for path in sorted(listed.keys() - there.keys())],
        rotten=[shown(path) for path in rotten],
        unreadable=[shown(path) for path in sorted((unread.keys() & same.keys()) | failures.keys())],
        problems=problems_of([tree], {prefix + path: failure for path, failure in failures.items()}),
    )


def _opened(catalog: str) -> CatalogFile:
    return CatalogFile.for_reading(os.path.realpath(catalog))


def _about(catalog: str, file: CatalogFile) -> About:
    about = file.about()
    if about is None:
        raise CatalogError(f"{catalog}: the catalog is empty: its indexing was stopped before it began")
    return about


def _digests(files: Mapping[str, FileEntry], prefix: str, run: Reading) -> dict[str, bytes | Failure]:
    """Digest these files as they are now, by relative path."""
    digests = run.reader.digests([entry._replace(path=prefix + path) for path, entry in files.items()])
    return {path[len(prefix) :]: digest for path, digest in digests.items()}


def _rotten(
    digests: Mapping[str, bytes | Failure], listed: Mapping[str, FileEntry], file: CatalogFile
) -> Iterator[str]:
    for path, digest in digests.items():
        if isinstance(digest, bytes) and file.digest(listed[path]) not in (None, digest):
            yield path
