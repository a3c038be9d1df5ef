"""A bucket, or a folder of a server, as a source: its objects are files like any other.

What a walk leaves out is left out here, by the same lists. A listing is whole, or there is no answer: an object that is
missing from a listing of the needles could lie in any folder, and none would be contained for all that is known.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from dupfind.buckets.names import ITSELF, folder_around, folders_of, in_order, why_no_path
from dupfind.buckets.objects import ObjectEntry, Place
from dupfind.buckets.same_file import themselves
from dupfind.buckets.store import CONNECTIONS, TAGGED, Listed, State, Store, Trouble
from dupfind.buckets.stores import forget_store, store_of
from dupfind.buckets.traffic import Counts
from dupfind.errors import ServerError
from dupfind.sources.bucket_roots import BucketRoot
from dupfind.sources.entries import ChangedError
from dupfind.sources.listed_paths import is_junk_path, is_left_behind, why_path_excluded, why_path_not_trusted
from dupfind.sources.normal_form import folded
from dupfind.sources.photo_managers import InList, Managers
from dupfind.sources.source import Listing, Source, why_changed
from dupfind.values import Fetched, FileEntry, Problem, ProblemCode, Side, Tree, is_below

_MAY_BE_A_NEEDLE = "left out: it may be a needle itself, met by another way"


class Bucket(Source):
    """A bucket or a server in the place of a folder."""

    root: BucketRoot

    def __init__(self, root: BucketRoot) -> None:
        super().__init__(root)
        self._counts = Counts()
        self._place = Place(root.address, self._counts.folder)
        self._objects = 0
        self.close = weakref.finalize(self, forget_store, *self._place)

    @property
    def is_remembered(self) -> bool:  # type: ignore[override]
        """Tell whether the listing says of every object when it is another one."""
        return self.root.address.scheme in TAGGED

    @property
    def _store(self) -> Store:
        return store_of(self.root.address, self._counts.folder)

    def list_tree(self, listing: Listing) -> Tree:
        """List all objects; raises :class:`~dupfind.errors.DupfindError` where the listing is not whole."""
        taker = _Taker(self.root, self._place, self._store.prefix, listing)
        with listing.stage(f"listing {self.root.given}", None) as advance:
            for item in self._store.list():
                advance(1)
                taker.meet(item)
        entries = taker.entries()
        self._objects = len(entries)
        listing.count(len(entries))
        return Tree(self.root, entries, taker.problems, frozenset())

    def without_needles(self, tree: Tree, listing: Listing) -> Tree:
        """Leave out what may be a needle itself, by the same address or met by another protocol."""
        tree = super().without_needles(tree, listing)
        needles = [entry for needles in listing.needles for entry in needles.entries]
        return _without(tree, themselves(tree.entries, needles, _Relation(listing)), self.root.given, listing)

    def without_own(self, tree: Tree, listing: Listing) -> Tree:
        """Leave out of a haystack on disk what may be an object among these needles."""
        own = [entry for needles in listing.needles if needles.root == self.root for entry in needles.entries]
        return _without(tree, themselves(tree.entries, own, _Relation(listing)), self.root.given, listing)

    def changed(self, witnesses: Iterable[FileEntry], listing: Listing) -> Iterator[tuple[str, str]]:
        """Ask for each once more by HEAD, several at once."""
        entries = list(witnesses)
        look = partial(why_changed, follow_symlinks=listing.rules.follow_symlinks)
        with _threads() as executor:
            for entry, reason in zip(entries, executor.map(look, entries), strict=True):
                if reason is not None:
                    yield entry.path, reason

    def fetched(self) -> Fetched:
        """Tell what was asked for and came, in all processes."""
        root = self.root
        return Fetched(root.given, root.side, self._objects, *self._counts.total(), is_elsewhere=root.is_elsewhere)


class _Taker:
    """Makes entries of what a store lists, and problems of the rest."""

    def __init__(self, root: BucketRoot, place: Place, prefix: str, listing: Listing) -> None:
        self.problems: list[Problem] = []
        self._root = root
        self._place = place
        self._rules = listing.rules
        self._is_haystack = root.side is Side.HAYSTACK
        self._prefix = prefix
        self._states: dict[str, State] = {}
        """By what follows the root in its name."""
        self._others = [
            inner.real[len(root.real) + 1 :]
            for inner in listing.roots
            if inner.real != root.real and is_below(inner.real, root.real)
        ]
        """Roots below this one, which list their own objects."""

    def meet(self, item: Listed | Trouble) -> None:
        """Take in one object; raises :class:`~dupfind.errors.ServerError` where its name comes twice."""
        below = item.key[len(self._prefix) :]
        if isinstance(item, Trouble):
            self._report(below, item.reason)
            return
        # Two objects of one name are one file of the report: one of them would stand for both.
        if below in self._states:
            raise ServerError(f"{self._root.given}: its listing is not whole: it lists {below} twice")
        self._states[below] = item.state

    def entries(self) -> list[FileEntry]:
        """Return what is a file, in order."""
        names = [below for below, state in self._states.items() if not self._is_marker(below, state)]
        paths = sorted((below for below in names if self._is_path(below)), key=in_order)
        folders = folders_of(paths)
        self._filled = {below.lower() for below in paths if self._states[below].size_bytes}
        self._managers = Managers(InList(paths), self._report)
        entries: list[FileEntry] = []
        for below in paths:
            if below in folders:  # paths are keys: who deletes the folder by its name deletes the object as well
                self._report(f"{below}/{ITSELF}", "an object and a folder of one name: not looked at")
                continue
            entry = ObjectEntry.of(f"{self._root.real}/{below}", self._prefix + below, self._states[below], self._place)
            if self._is_wanted(entry, below):
                entries.append(entry)
        for inner in self._others:
            self._leave_out(inner, "left out: it is a root of its own")
        return entries

    def _is_marker(self, below: str, state: State) -> bool:
        """Tell whether an object stands for a folder, as consoles make them: it holds nothing."""
        return (below == "" or below.endswith("/")) and state.size_bytes == 0

    def _is_path(self, below: str) -> bool:
        if any(is_below(below, inner) for inner in self._others):
            return False
        reason = why_no_path(below)
        if reason is not None:
            self._report(f"{folder_around(below)}/{ITSELF}".lstrip("/"), f"{reason}, not looked at: {below[:200]!r}")
        return reason is None

    def _is_wanted(self, entry: ObjectEntry, below: str) -> bool:
        """Tell whether it is no junk, not excluded and to be trusted, as in a walk."""
        if is_junk_path(below, is_haystack=self._is_haystack):
            return False
        if is_left_behind(below, entry.size_bytes, self._filled, partial(_head, entry)):
            return False
        reason, code = why_path_excluded(below, self._rules.excludes), ProblemCode.EXCLUDED
        if reason is None and self._is_haystack:
            code = ProblemCode.NOT_TRUSTED
            folder, _, name = below.rpartition("/")
            self._managers.meet(folder, name)
            reason = why_path_not_trusted(below)
            reason = reason or self._managers.why_not_trusted(below, is_file=True)
        if reason is not None:
            self._leave_out(below, reason, code)
        return reason is None

    def _report(self, below: str, reason: str, code: ProblemCode | None = None, *, is_note: bool = False) -> None:
        path = f"{self._root.real}/{below}".rstrip("/")
        self.problems.append(Problem(self._root.shown(path), self._root.side, "walk", reason, is_note, code))

    def _leave_out(self, below: str, reason: str, code: ProblemCode | None = None) -> None:
        self._report(below, reason, code, is_note=self._is_haystack)


class _Relation:
    """Tells of two entries of one size whether one may be the other, see :mod:`dupfind.buckets.same_file`."""

    def __init__(self, listing: Listing) -> None:
        self._mounts = listing.rules.mounts
        buckets = [root for root in listing.roots if isinstance(root, BucketRoot)]
        self._elsewhere = {root.address for root in buckets if root.is_elsewhere}
        self._folders: dict[str, bool | None] = {}
        self._here: dict[object, bool] = {}

    def __call__(self, entry: FileEntry, other: FileEntry) -> bool | None:
        """Tell whether their times may differ; None where they certainly are two."""
        stored = [each for each in (entry, other) if isinstance(each, ObjectEntry)]
        if any(each.place.address in self._elsewhere for each in stored):
            return None
        if len(stored) == 1:
            on_disk = other if stored[0] is entry else entry
            return self._of_disk(on_disk, stored[0]) if on_disk.is_on_disk else None
        return of_servers(stored[0], stored[1])

    def _of_disk(self, on_disk: FileEntry, stored: ObjectEntry) -> bool | None:
        folder = os.path.dirname(on_disk.path)
        if folder not in self._folders:
            mount = self._mounts.around(os.path.realpath(folder))
            # Without a table of mounts nobody knows what is shown there.
            self._folders[folder] = None if mount is None else mount.system.shows_others
        if self._folders[folder] is not False:
            return True
        return False if self._is_here(stored) else None

    def _is_here(self, stored: ObjectEntry) -> bool:
        """Tell whether the server of an object is this machine, so that it may show files of its disks."""
        address = stored.place.address
        if address not in self._here:
            self._here[address] = stored.place.store().is_here
        return self._here[address]


def of_servers(first: ObjectEntry, second: ObjectEntry) -> bool | None:
    """Tell likewise of two objects."""
    address, second_address = first.place.address, second.place.address
    if address[:3] == second_address[:3]:
        # Nobody knows whether another machine tells the case of letters apart.
        if folded(first.key) == folded(second.key):
            return True
        return None if _are_two_by_path(first, second) else False
    if address.scheme == second_address.scheme == "s3":
        # One bucket may have several names, as in Garage: by each it shows the same keys in the same states. A copy in
        # another bucket has the time at which it was stored there.
        return False if (first.key, first.state) == (second.key, second.state) else None
    return True


def _are_two_by_path(first: ObjectEntry, second: ObjectEntry) -> bool:
    """Tell whether two paths of one server are certainly two files.

    Two users may be shown two folders as their roots. WebDAV may show one folder below several paths, as Nextcloud does
    (``/remote.php/webdav`` and ``/remote.php/dav/files/USER``), and a link as what it leads to; one file has one ETag.
    """
    address = first.place.address
    if address.scheme in ("http", "https"):
        return bool(first.tag and second.tag) and first.tag != second.tag
    return address.user == second.place.address.user


def _without(tree: Tree, paths: set[str], given: str, listing: Listing) -> Tree:
    """Leave these out of a haystack; says so once, and what helps where it is wrong."""
    if not paths:
        return tree
    listing.warn(
        f"{tree.root.given}: {len(paths):,} of its files prove nothing: they may be needles themselves, met by another "
        f"way (if you know that they are not: --elsewhere {given})"
    )
    notes = [
        Problem(tree.root.shown(path), tree.root.side, "walk", _MAY_BE_A_NEEDLE, is_note=True) for path in sorted(paths)
    ]
    entries = [entry for entry in tree.entries if entry.path not in paths]
    return replace(tree, entries=entries, problems=[*tree.problems, *notes])


def _head(entry: ObjectEntry, size_bytes: int) -> bytes:
    """Read so many bytes of an object; returns nothing where it cannot be read."""
    try:
        with entry.open() as file:
            return file.read(size_bytes)
    except (OSError, ChangedError):
        return b""


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Run things beside each other; what has not begun when the block ends, by an error or a signal, never does.

    Nor is what waits for an answer then waited for: five times 30 seconds, and a thread cannot be ended.
    """
    executor = ThreadPoolExecutor(CONNECTIONS, "dupfind-look")
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()
