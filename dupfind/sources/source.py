"""The interface of a source: where the files of one side come from. The rest of the program knows no other.

A source lists its entries and problems (:meth:`Source.list_tree`), leaves out of a haystack what may be a needle
itself, and tells before the verdicts whether its entries still are what was listed. How one entry is opened, and looked
at again, is the entry's own affair (:mod:`dupfind.sources.entries`), since that happens in other processes. Names for a
report are those of the root (:attr:`~dupfind.values.Root.shown`).
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from operator import itemgetter, methodcaller
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dupfind.errors import reason_of
from dupfind.sources.entries import entry_now
from dupfind.sources.ignore import Excludes
from dupfind.sources.look_ahead import LookAhead
from dupfind.sources.mounts import NO_MOUNTS, Mounts
from dupfind.sources.same_file import SameFile
from dupfind.values import CHANGED, Failure, Fetched, FileEntry, FolderId, Problem, Root, Side, Tree, folder_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PATH, _INODE = (itemgetter(FileEntry._fields.index(name)) for name in ("path", "inode"))
_SPLIT, _FOLDER = methodcaller("rpartition", os.sep), itemgetter(0)
"""Together they tell apart the folders of paths; how a folder is called, :func:`~dupfind.values.folder_of` knows."""

_PIECE = 1 << 12


def _ignore(_: int) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is left out of a listing, and what the system says of the disks."""

    excludes: Excludes
    follow_symlinks: bool = False
    mounts: Mounts = NO_MOUNTS

    @property
    def forgetful(self) -> Collection[int]:
        """Devices whose inode numbers are made up, see :mod:`dupfind.sources.mounts`; their files get none."""
        return self.mounts.forgetful


class Look(NamedTuple):
    """What a picture shows, as far as it takes to find others like it."""

    hashes: tuple[int, ...]
    """The search hashes of its orientations, the upright one first."""
    captured: str | None
    """When it was taken, as EXIF spells it."""


class Elsewhere(NamedTuple):
    """Other machines that take over what takes long."""

    lanes: int
    """How many parts they work on at once."""
    run: Callable[[Callable[[list[Any]], list[Any]], Sequence[Any], Callable[[Any], int]], Sequence[Any]]
    """Gives what a plain picklable function makes of each of these parts, of so many bytes each; None for a part that
    they cannot do, which is then done here."""


class Sought(NamedTuple):
    """What the pictures of needles are searched for by, so that a source can leave out what they never meet."""

    hashes: NDArray[np.uint64]
    """Search hashes, of all orientations, with frames and without."""
    radius_bits: int
    likeliest: Callable[[Sequence[int]], Collection[int]] | None
    """Of the thumbnails with these ids, the positions of those that needles are compared with that have no good hash;
    None where there are no such needles."""
    most_pixels: int
    """Of a picture that this run compares."""
    recipe: str
    """Of the hashes."""
    elsewhere: Elsewhere | None = None
    """What helps with the search, if anything."""


@dataclass
class Listing:
    """What has been listed by now, and by what rules: each source is listed in the light of those before it."""

    roots: Sequence[Root]
    """All that the user named, of both sides, listed or not."""
    rules: Rules
    count: Callable[[int], None] = lambda _: None
    """Told how many files each folder added."""
    warn: Callable[[str], None] = lambda _: None
    named: Collection[FileEntry] = ()
    """Needles that lie in no tree: a catalog that lists them does not prove them."""
    mounts_now: Callable[[], Mounts] | None = None
    """Reads the table of mounts again once folders were walked: looking into a folder makes an automount come."""
    stage: Callable[[str, int | None], AbstractContextManager[Callable[[int], None]]] = lambda *_: nullcontext(_ignore)
    """Shows a person something that takes long, with how many steps; returns what is told of each."""
    digests: Callable[[Sequence[FileEntry]], Mapping[str, bytes | Failure]] | None = None
    """Reads files: the digest of each by path, or why there is none. None where nothing may be read yet."""
    look_at: Callable[[Sequence[FileEntry], str], Mapping[str, Look]] | None = None
    """Decodes pictures, and tells a person that it does so in these words: what each shows, by path; likewise None."""
    most_bits: int = 0
    """The threshold of this run."""
    recall_archives: Callable[[Sequence[FileEntry]], Mapping[str, bytes]] = lambda _: {}
    """Tells what was kept of archives in earlier runs, by path; of what is not the same any more, nothing."""
    keep_archives: Callable[[Sequence[tuple[FileEntry, bytes, int]]], None] = lambda _: None
    """Keeps for later runs what archives hold, with when each was listed (``time.time_ns``)."""
    may_leave_out: bool = False
    """Whether sources may list at first what has a needle's size, see :meth:`Source.with_lookalikes`."""
    needles: list[Tree] = field(default_factory=list)
    haystack: list[Tree] = field(default_factory=list)
    needle_folders: frozenset[FolderId] = frozenset()
    """Every directory that was looked into among the needles."""
    ahead: LookAhead = field(default_factory=LookAhead)
    """Looks at folders in a second process, where that may be."""
    later: Sequence[str] = ()
    """Roots that are walked after the one that is being listed."""

    def side(self, side: Side) -> list[Tree]:
        """Return the trees of one side, as far as they are listed."""
        return self.needles if side is Side.NEEDLES else self.haystack

    @cached_property
    def walked_needles(self) -> list[FileEntry]:
        """The needles of folders; asked for when all of these are listed, and before anything that is not walked is."""
        return [entry for tree in self.needles if tree.root.has_folders for entry in tree.entries]

    @cached_property
    def needle_inodes(self) -> AbstractSet[int]:
        """Return the inode numbers of those."""
        return set(map(_INODE, self.walked_needles)) - {0}  # 0: a system that lists no inodes

    @cached_property
    def same_file(self) -> SameFile:
        """What tells whether two entries are one file, by the table of mounts of this listing."""
        return SameFile(self.rules.mounts)

    @cached_property
    def numbers_may_lie(self) -> bool:
        """Whether a file may have another number on the other side; asked for when all folders are listed."""
        trees = [tree for tree in (*self.needles, *self.haystack) if tree.root.has_folders]
        # What a link leads to may lie on any mount.
        return self.rules.follow_symlinks or self.same_file.may_be_disguised(trees)


class Relisting(Protocol):
    """The entries of a source once more, as they are now."""

    problems: list[Problem]
    seen: set[FolderId]
    """Every directory that was looked into."""

    def folders(self) -> Iterator[tuple[str, list[FileEntry]]]:
        """Yield each folder with its entries; the other two are whole at the end."""


class Source(ABC):
    """Where files come from: a folder, a list, a catalog; an archive, an object store."""

    is_walked = False
    """Whether listing it takes long enough for a bar of progress."""
    is_within = False
    """Whether its entries lie in files that other sources list, so that it is listed when they are."""
    is_remembered = True
    """Whether what was found of its entries holds as long as the entries are the same."""

    def __init__(self, root: Root) -> None:
        self.root = root

    def fetched(self) -> Fetched | None:
        """Tell what went over the network for it, where something does."""
        return None

    @abstractmethod
    def list_tree(self, listing: Listing) -> Tree:
        """List everything, in a fixed order, the entries of a folder together, and tell ``listing`` how many.

        What cannot be looked at, or is excluded, is a problem. Raises :class:`~dupfind.errors.DupfindError` where
        nothing can be said.
        """

    def without_needles(self, tree: Tree, listing: Listing) -> Tree:
        """Leave out of a haystack what may be a needle itself: nothing proves itself. By default, equal paths."""
        paths = {entry.path for needles in listing.needles for entry in needles.entries}
        paths |= {entry.path for entry in listing.named}
        own = [entry.path for entry in tree.entries if entry.path in paths]
        if not own:
            return tree
        reason = "left out: it is among the needles"
        notes = [Problem(tree.root.shown(path), tree.root.side, "walk", reason, is_note=True) for path in own]
        entries = [entry for entry in tree.entries if entry.path not in paths]
        return replace(tree, entries=entries, problems=[*tree.problems, *notes])

    def without_own(self, tree: Tree, listing: Listing) -> Tree:  # noqa: ARG002 - for needles that are not walked
        """Leave out of a haystack what was listed before these needles and may be one of them; by default nothing."""
        return tree

    def with_twins(self, tree: Tree, needles: Sequence[FileEntry]) -> Tree:  # noqa: ARG002 - of who leaves out
        """List besides what has the size of one of ``needles``, where it left something out; by default it did not."""
        return tree

    def with_lookalikes(self, tree: Tree, sought: Sought | None) -> Tree:  # noqa: ARG002 - likewise
        """List besides all pictures that needles may meet; None lists everything."""
        return tree

    @classmethod
    def list_together(
        cls,
        sources: Iterable[Source],
        listing: Listing,
        entries: Sequence[FileEntry],  # noqa: ARG003 - for those that may list them, too
        *,
        is_proof: bool,  # noqa: ARG003 - likewise
    ) -> list[Tree]:
        """List several sources of this class as parts of one collection, beside its other files, ``entries``.

        ``is_proof`` tells whether every file may be judged by every other one.
        """
        return [source.list_tree(listing) for source in sources]

    def list_again(self, tree: Tree, listing: Listing) -> Relisting:  # noqa: ARG002 - others look at what was listed
        """List needles once more, for the final check; ``tree`` is what was listed at first."""
        return _Listed(self.list_tree(listing))

    def look_ahead(self, tree: Tree, listing: Listing) -> None:  # noqa: B027 - by default there is nothing to begin
        """Begin to list needles once more in a second process, where that may be; what it sees, :meth:`list_again`
        asks for.
        """

    def changed(self, witnesses: Iterable[FileEntry], listing: Listing) -> Iterator[tuple[str, str]]:
        """Yield the paths of those that are not what was listed any more, and why, for the final check.

        ``listing`` has the needles as they were listed again. By default, each entry is looked at.
        """
        for entry in witnesses:
            if reason := why_changed(entry, follow_symlinks=listing.rules.follow_symlinks):
                yield entry.path, reason


class _Listed:
    """A tree that was listed whole, folder by folder."""

    def __init__(self, tree: Tree) -> None:
        self.problems = tree.problems
        self.seen = set(tree.folders)
        self._entries = tree.entries

    def folders(self) -> Iterator[tuple[str, list[FileEntry]]]:
        """Yield each folder with its entries."""
        for folder, inside in by_folder(self._entries):
            yield folder, list(inside)


def listed_again(tree: Tree) -> Relisting:
    """Return a tree as one that was listed once more."""
    return _Listed(tree)


class Sources(NamedTuple):
    """All sources of a run, in the order in which they are listed and reported."""

    needles: tuple[Source, ...]
    haystack: tuple[Source, ...]

    @property
    def are_remembered(self) -> bool:
        """Whether an answer may be given again where all entries are the same."""
        return all(source.is_remembered for side in self for source in side)

    def walked(self, *, are_walked: bool) -> Sources:
        """Return those that are walked, or the others but for those that are within."""
        return self._which(lambda source: source.is_walked == are_walked and not source.is_within)

    @property
    def within(self) -> Sources:
        """Return those whose entries lie in files of the others."""
        return self._which(lambda source: source.is_within)

    def _which(self, is_meant: Callable[[Source], bool]) -> Sources:
        needles, haystack = (tuple(filter(is_meant, side)) for side in self)
        return Sources(needles, haystack)


def in_order(sources: Iterable[Source]) -> Sources:
    """Return these as they are listed: what is walked first, what lies in files of the others last."""
    walked_first = sorted(sources, key=lambda source: (source.is_within, not source.is_walked))
    sides = Side.NEEDLES, Side.HAYSTACK
    needles, haystack = (tuple(source for source in walked_first if source.root.side is side) for side in sides)
    return Sources(needles, haystack)


def list_all(sources: Sources, listing: Listing) -> Listing:
    """List these, the needles first; returns ``listing``, to which their trees were added.

    The haystack comes second because nothing that was listed among the needles may serve as its own witness, however it
    is reached (a bind mount, a followed link).
    """
    try:
        return _list_all(sources, listing)
    finally:
        listing.ahead.end()


def _list_all(sources: Sources, listing: Listing) -> Listing:
    later = [source for side in sources for source in side]

    def list_next(source: Source) -> Tree:
        later.remove(source)
        listing.later = [after.root.real for after in later if after.is_walked and after.root.has_folders]
        return source.list_tree(listing)

    for source in sources.needles:
        listing.needles.append(list_next(source))
    for source in sources.needles:
        listing.haystack[:] = [source.without_own(tree, listing) for tree in listing.haystack]
    folders = (tree.folders for tree in listing.needles if tree.root.has_folders)
    listing.needle_folders = frozenset().union(*folders)
    start = len(listing.haystack)
    for source in sources.haystack:
        listing.haystack.append(list_next(source))
    if listing.mounts_now is not None and any(source.is_walked for side in sources for source in side):
        listing.rules = replace(listing.rules, mounts=listing.mounts_now())
    listing.haystack[start:] = [
        source.without_needles(tree, listing)
        for source, tree in zip(sources.haystack, listing.haystack[start:], strict=True)
    ]
    return listing


def why_changed(entry: FileEntry, *, follow_symlinks: bool) -> str | None:
    """Tell why an entry is not what was listed; None where it is."""
    try:
        now = entry_now(entry, follow_symlinks=follow_symlinks)
    except OSError as error:
        return f"{CHANGED}: {reason_of(error)}"
    return None if now == entry else CHANGED


def by_folder(entries: Sequence[FileEntry]) -> Iterator[tuple[str, Sequence[FileEntry]]]:
    """Yield each folder with its entries, which stand next to each other; no line of Python runs for each entry.

    >>> entries = [FileEntry(path, 0, 0, 0, 0) for path in ("/a", "/b/c", "/b/d")]
    >>> [(folder, len(inside)) for folder, inside in by_folder(entries)]
    [('/', 1), ('/b', 2)]
    """
    start = 0
    for _, group in groupby(map(_FOLDER, map(_SPLIT, map(_PATH, entries)))):
        end = start + len(list(group))
        yield folder_of(entries[start].path), entries[start:end]
        start = end


def from_the_end(entries: Sequence[FileEntry]) -> Iterator[tuple[str, int, int]]:
    """Yield each folder with the positions where its entries begin and end, the last one first.

    It begins at once: only a piece of the entries is gone through before. A folder at the border of two comes twice.

    >>> entries = [FileEntry(path, 0, 0, 0, 0) for path in ("/a", "/b/c", "/b/d")]
    >>> list(from_the_end(entries))
    [('/b', 1, 3), ('/', 0, 1)]
    """
    for first in reversed(range(0, len(entries), _PIECE)):
        piece = entries[first : first + _PIECE]
        end = first + len(piece)
        for folder, inside in reversed(list(by_folder(piece))):
            start = end - len(inside)
            yield folder, start, end
            end = start
