"""A folder to its catalog, or a catalog brought up to date: only what is new or has changed is read.

What has gone or changed is dropped first, and what is read is written in batches, each in one transaction. So whenever
this ends, the catalog says nothing that was not so, and the next update goes on from there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from dupfind import libraries
from dupfind.answers.index import Changes, Indexed
from dupfind.cache.cache_schema import COARSE, PictureRef, Recipe, fits
from dupfind.cache.racy import RACY_NS, is_racy
from dupfind.catalog import columns
from dupfind.catalog.catalog_file import About, CatalogFile, Listed, explained
from dupfind.catalog.same_file import Relation, relation
from dupfind.catalog.shards import Shard
from dupfind.catalog.volumes import UNKNOWN_VOLUME, places_of, volumes_of
from dupfind.errors import CatalogError
from dupfind.events import Advance, Listener, Within
from dupfind.pipeline import walk
from dupfind.reading import Reader
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.session import recipe, with_reader
from dupfind.settings import Settings
from dupfind.values import Failure, FileEntry, Problem, Side, Tree
from dupfind.version import __version__

_BATCH_FILES, _BATCH_BYTES = 256, 512 << 20
"""Written together: what is lost at most where the process is killed and there is no cache."""


def index(
    settings: Settings,
    catalog: str,
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
    *,
    shard: Shard | None = None,
    with_columns: bool = False,
) -> Indexed:
    """Make the catalog of the one root of ``settings``, or of a ``shard`` of it, or bring it up to date.

    Columns are made ``with_columns``, and where there are some already. Raises
    :class:`~dupfind.errors.DupfindError` where that cannot be done.
    """
    run = Run(settings, listener, make_executor)
    listener = run.listener
    started = datetime.now().astimezone().isoformat(timespec="seconds")
    (tree,) = walk(run)[1]
    made_by = recipe(settings.scan.algorithm, listener)
    with explained(catalog):
        path = os.path.abspath(catalog)
        file = CatalogFile.for_writing(path)
        try:
            update = _Update(file, tree, made_by, listener, shard)
            update.begin(catalog, about_tree(run, tree, started, shard))
            if update.left:
                with_reader(Run(settings, Within(listener), make_executor), update.read)
            update.end(started)
            if with_columns or columns.are_there(path):
                with listener.part("columns"):
                    columns.write(path, file, settings.scan.algorithm, made_by.hashes)
            return update.answer(catalog, started, os.path.getsize(path))
        finally:
            file.close()


def relative_entries(tree: Tree, shard: Shard | None = None) -> Iterator[FileEntry]:
    """Yield the files of a tree, or of a shard of it, with paths below its root."""
    start = len(tree.root.real.rstrip(os.sep)) + 1
    for entry in tree.entries:
        if shard is None or shard.holds(entry.path[start:]):
            yield entry._replace(path=entry.path[start:])


def is_unchanged(entry: FileEntry, listed: FileEntry) -> bool:
    """Tell whether a file is as it was when it was listed; where it has no inode, its size and time have to tell."""
    return entry == listed or (entry.inode == listed.inode == 0 and entry[1:3] == listed[1:3])


def about_tree(run: Run, tree: Tree, started: str, shard: Shard | None = None) -> About:
    """Make what a catalog of ``tree`` says of itself where nothing has been read yet."""
    settings = run.settings
    volumes = volumes_of((device for device, _ in tree.folders), run.mounts, places_of([tree.root]))
    return About(
        version=__version__,
        libraries=dict(libraries.versions()),
        made=started,
        updated=started,
        root=tree.root.real,
        root_inode=tree.root.identity[1],
        excludes=settings.excludes,
        follow_symlinks=settings.follow_symlinks,
        # What a link led to may lie anywhere.
        volumes=(*volumes, UNKNOWN_VOLUME) if settings.follow_symlinks else volumes,
        is_complete=False,
        shard=shard,
    )


class _Update:
    """One update of one catalog."""

    def __init__(
        self, file: CatalogFile, tree: Tree, made_by: Recipe, listener: Listener, shard: Shard | None = None
    ) -> None:
        self._file = file
        self._made_by = made_by
        self._listener = listener
        self._root = tree.root
        self._walked = {entry.path: entry for entry in relative_entries(tree, shard)}
        self._problems = list(tree.problems)
        self._about: About | None = None
        self._is_new = False
        self._kept = self._read = 0
        self._new: AbstractSet[str] = frozenset()
        self._changed: AbstractSet[str] = frozenset()
        self._gone: AbstractSet[str] = frozenset()
        self.left: dict[str, FileEntry] = {}
        """What is still to be read, by relative path."""

    def begin(self, catalog: str, about: About) -> None:
        """Drop what does not stand any more, and see what is to be read."""
        for entry in [entry for entry in self._walked.values() if not fits(entry)]:
            reason = "has a time before 1677 or after 2262: left out"
            self._problems.append(Problem(self._shown(entry.path), Side.HAYSTACK, "walk", reason))
            del self._walked[entry.path]
        was = self._file.about()
        listed = self._file.entries()
        if was is not None:
            if is_other_folder(was, about, self._walked, {path: entry for path, (entry, _) in listed.items()}):
                raise CatalogError(
                    f"{catalog}: nothing of what it lists ({was.root}) is there: is the drive mounted? "
                    "It is left as it is; for another folder name another catalog"
                )
            # The update would drop all files of the other shard.
            if was.shard != about.shard:
                raise CatalogError(
                    f"{catalog} lists {_part(was.shard)} of {was.root}, and not {_part(about.shard)}: name another file"
                )
            about = replace(about, made=was.made, updated=was.updated)
        doubtful = self._file.unread().keys() | self._file.unsettled()
        kept = {
            path
            for path, (entry, label) in listed.items()
            if path in self._walked
            and path not in doubtful
            and label == self._made_by.thumbnails
            and is_unchanged(self._walked[path], entry)
        }
        self._about, self._is_new = about, was is None
        self._kept = len(kept)
        self._new, self._gone = self._walked.keys() - listed.keys(), listed.keys() - self._walked.keys()
        self._changed = {
            path
            for path, (entry, _) in listed.items()
            if path in self._walked and not is_unchanged(self._walked[path], entry)
        }
        self.left = {path: entry for path, entry in self._walked.items() if path not in kept}
        with self._file.transaction():
            self._file.forget(listed.keys() - kept)
            self._file.set_problems(map(self._relative, self._problems))
            self._file.set_about(about)

    def _shown(self, path: str) -> str:
        return self._root.given.rstrip(os.sep) + os.sep + path

    def _relative(self, problem: Problem) -> Problem:
        given = self._root.given
        return problem._replace(path=problem.path[len(given.rstrip(os.sep)) + 1 :] if problem.path != given else "")

    def read(self, run: Reading) -> None:
        """Read what is left; begins where it has come to, since it is called again where the cache fails."""
        with self._listener.stage("indexing", len(self.left)) as advance:
            self._listener.expect(sum(entry.size_bytes for entry in self.left.values()))
            for batch in list(_batches(self.left.values())):
                self._read_batch(batch, run, advance)

    def _read_batch(self, batch: Sequence[FileEntry], run: Reading, advance: Advance) -> None:
        began_ns = time.time_ns()
        outcomes = list(_look(batch, self._root.real.rstrip(os.sep) + os.sep, run.reader))
        now_ns = time.time_ns()
        rows = [row._replace(is_settled=_is_settled(row.entry, began_ns, now_ns)) for row in outcomes]
        ids = {content.id for row in rows for content in (row.content, row.whole) if isinstance(content, PictureRef)}
        thumbnails = run.cache.thumbnails(list(ids))
        with self._file.transaction():
            self._file.add_pictures(thumbnails.items())
            self._file.put(rows, self._made_by)
        for row in rows:
            del self.left[row.entry.path]
        self._read += len(rows)
        self._listener.went_through(sum(row.entry.size_bytes for row in rows))
        advance(len(rows))

    def end(self, started: str) -> None:
        """Finish: from now on the catalog says what was there when this update began."""
        assert self._about is not None
        with self._file.transaction():
            self._file.forget_orphans()
            self._file.set_about(replace(self._about, updated=started, is_complete=True))

    def answer(self, catalog: str, started: str, size_bytes: int) -> Indexed:
        """Return what was done."""
        unread = self._file.unread()
        for path, failure in sorted(unread.items()):
            self._problems.append(Problem(self._shown(path), Side.HAYSTACK, failure.stage, failure.reason))
        broken = list(self._file.broken())
        for path, reason in broken:
            self._problems.append(Problem(self._shown(path), Side.HAYSTACK, "thumbnail", reason))
        return Indexed(
            version=__version__,
            catalog=catalog,
            folder=self._root.given,
            updated=started,
            is_new=self._is_new,
            files=self._kept + self._read,
            pictures=self._file.count_pictures(),
            read=self._read,
            kept=self._kept,
            gone=len(self._gone),
            unread=len(unread) + len(broken),
            size_bytes=size_bytes,
            problems=self._problems,
            changes=self._changes(unread.keys() | {path for path, _ in broken}),
        )

    def _changes(self, unreadable: AbstractSet[str]) -> Changes:
        kinds = {"new": self._new - unreadable, "changed": self._changed - unreadable, "gone": self._gone}
        return {
            kind: [self._shown(path) for path in sorted(paths)]
            for kind, paths in (kinds | {"unreadable": unreadable}).items()
        }


def _part(shard: Shard | None) -> str:
    return "all" if shard is None else f"shard {shard}"


def is_other_folder(was: About, about: About, walked: Mapping[str, FileEntry], listed: Mapping[str, FileEntry]) -> bool:
    """Tell whether nothing of what is ``listed`` is there, and the folder is not the one that ``was`` listed.

    A mount point without its drive would empty the catalog, which cannot be made again until the drive is back.
    """
    is_one_folder = about.root_inode == was.root_inode != 0 and relation(was.volumes, about.volumes) is Relation.SAME
    if not listed or is_one_folder:
        return False
    return not any(path in walked and walked[path][1:3] == entry[1:3] for path, entry in listed.items())


def _batches(entries: Iterable[FileEntry]) -> Iterator[list[FileEntry]]:
    batch: list[FileEntry] = []
    total_bytes = 0
    for entry in entries:
        batch.append(entry)
        total_bytes += entry.size_bytes
        if len(batch) == _BATCH_FILES or total_bytes >= _BATCH_BYTES:
            yield batch
            batch, total_bytes = [], 0
    if batch:
        yield batch


def _look(batch: Sequence[FileEntry], prefix: str, reader: Reader) -> Iterator[Listed]:
    """Read these files: all bytes of each for its digest, and what picture it is; a coarse one as a whole, too."""
    entries = [entry._replace(path=prefix + entry.path) for entry in batch]
    digests = reader.digests(entries)
    pictures = reader.pictures(
        [entry for entry in entries if isinstance(digests[entry.path], bytes)], "decoding", orientations=1
    )
    refs = {entry.path: ref for entry, ref in zip(pictures.entries, pictures.refs, strict=True)}
    hashes = {
        entry.path: value.to_bytes(8, "big")
        for entry, value in zip(pictures.entries, pictures.hashes[:, 0].tolist(), strict=True)
    }
    wholes = reader.full_decodes([entry for entry in pictures.entries if refs[entry.path].id & COARSE])
    for entry, asked in zip(batch, entries, strict=True):
        path = asked.path
        digest, whole = digests[path], wholes.get(path)
        content = refs.get(path) or pictures.failures.get(path)
        failures = [
            outcome for outcome in (digest, content, whole) if isinstance(outcome, Failure) and not outcome.lasting
        ]
        yield Listed(
            entry,
            digest if isinstance(digest, bytes) else None,
            None if content in failures else content,
            hashes.get(path),
            None if whole in failures else whole,
            failures[0] if failures else None,
            is_settled=False,
        )


def _is_settled(entry: FileEntry, began_ns: int, now_ns: int) -> bool:
    """Tell whether a later change of the file is certain to show."""
    return not is_racy(entry.ctime_ns, entry.mtime_ns, entry.inode, began_ns - RACY_NS, now_ns)
