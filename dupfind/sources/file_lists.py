"""What options and lists name, looked up: folders become roots like any other, single files a tree of their own.

Of needles that are files nothing is said but what is said of each alone. A folder of which only some files were named
has no verdict, since nobody looked at the rest.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from dupfind.errors import SettingsError, reason_of
from dupfind.sources.entries import entry_now, entry_of, without_inode
from dupfind.sources.folders import OnDisk
from dupfind.sources.ignore import (
    EXCLUDED,
    Excludes,
    is_junk_folder,
    why_file_not_trusted,
    why_folder_fleeting,
    why_folder_not_trusted,
)
from dupfind.sources.left_overs import is_junk
from dupfind.sources.mounts import read_mounts
from dupfind.sources.photo_library import Libraries
from dupfind.sources.photo_managers import Managers
from dupfind.sources.roots import NamedFile, haystack_roots, make_roots
from dupfind.sources.source import Listing, Relisting
from dupfind.values import LISTING, FileEntry, FolderId, Problem, ProblemCode, Root, Side, Tree, is_below

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Named(NamedTuple):
    """What a list names."""

    folders: list[str]
    files: list[NamedFile]
    """Each once, those of a folder together; some may lie below ``folders``."""
    problems: list[Problem]
    """Of what could not be looked at."""
    side: Side = Side.NEEDLES
    matched: frozenset[str] = frozenset()
    """The patterns of ``--exclude`` that match some of it."""


NOTHING = Named([], [], [])


@dataclass(frozen=True, slots=True)
class NamedRoot(Root):
    """What stands for the root of files that lie anywhere."""

    names: Mapping[str, str] = field(default_factory=dict)
    """How the user spelt each, by its path."""

    @property
    def shown(self) -> Callable[[str], str]:
        """A function from the path of a named file to how the user spelt it."""
        return self.names.__getitem__

    @property
    def below(self) -> Callable[[str], str]:
        """A function from the path of a named file to how the user spelt it, without slashes around it."""
        return lambda path: self.names[path].strip(os.sep)

    @property
    def has_folders(self) -> bool:
        """Tell that the files lie anywhere."""
        return False


def names_in(data: bytes) -> list[str]:
    r"""Return the names in a list: each ended by NUL where there is one, as ``find -print0`` writes them, else a
    line each.

    >>> names_in(b"a b\nc\n\n"), names_in(b"a\nb\0c\0")
    (['a b', 'c'], ['a\nb', 'c'])

    Raises :class:`~dupfind.errors.SettingsError` for a list in UTF-16, as some shells of Windows write it: its letters
    would be taken for names, and a slash is the name of everything.
    """
    if data[:2] in _UTF_16_MARKS and b"\0" in (data[2:3], data[3:4]) and data[4:]:
        raise SettingsError("the list of names is in UTF-16, and names are bytes: write it in UTF-8")
    return [os.fsdecode(name) for name in data.split(b"\0" if b"\0" in data else b"\n") if name]


def look_up(names: Sequence[str], excludes: Excludes, side: Side, *, follow_symlinks: bool) -> Named:
    """Look at each of ``names``, and at nothing below them.

    Of a collection, what a walk of the folders around it would not trust is left out: whoever writes such a list with
    find names what lies in the trash as well.
    """
    folders: list[str] = []
    files: dict[str, NamedFile] = {}
    problems: list[Problem] = []
    forgetful = read_mounts().forgetful
    libraries, managers = Libraries(), Managers()
    for given in dict.fromkeys(names):
        try:
            state = os.stat(given, follow_symlinks=follow_symlinks)
            if not stat.S_ISDIR(state.st_mode) and is_junk(given):
                continue  # as below a folder: it is no needle, and no gap
            reason, code = _why_not(given, state, excludes), None
            if reason is None and side is Side.HAYSTACK:
                code = ProblemCode.NOT_TRUSTED
                real, is_file = os.path.realpath(given), not stat.S_ISDIR(state.st_mode)
                reason = _why_not_trusted(given) or libraries.why_not_trusted(real)
                reason = reason or managers.why_not_trusted(real, is_file=is_file)
            if reason is not None:
                problems.append(Problem(given, side, LISTING, reason, code=code))
            elif stat.S_ISDIR(state.st_mode):
                os.scandir(given).close()
                folders.append(given)
            else:
                real = _real(given, follow_symlinks=follow_symlinks)
                entry = entry_of(real, state)
                named = NamedFile(given, without_inode(entry) if state.st_dev in forgetful else entry)
                files.setdefault(real, named)
        except OSError as error:
            problems.append(Problem(given, side, LISTING, reason_of(error)))
    listed = sorted(files.values(), key=lambda named: os.path.split(named.entry.path))
    return Named(folders, listed, problems, side, excludes.matched)


def _why_not(given: str, state: os.stat_result, excludes: Excludes) -> str | None:
    """Tell why something is not looked at; None where it is."""
    below_root = given.strip(os.sep)
    if (pattern := excludes.matching(below_root, os.path.basename(below_root))) is not None:
        return f"{EXCLUDED} {pattern}"
    if stat.S_ISLNK(state.st_mode):
        return "symbolic link: not followed"
    return None if stat.S_ISDIR(state.st_mode) or stat.S_ISREG(state.st_mode) else "not a regular file"


def _why_not_trusted(given: str) -> str | None:
    """Tell why what is named proves nothing of others, to go by the names on the way to it; None where it may.

    The way as it was spelt tells of hidden folders and of those of systems, where it really lies of the trash.
    """
    spelt = [name for name in given.split(os.sep) if name not in ("", os.curdir, os.pardir)]
    real, names = os.path.realpath(given).split(os.sep), list[str]()
    if not os.path.isdir(given):
        names = [spelt.pop(), real.pop()]
    if any(is_junk_folder(name, is_haystack=True) for name in spelt):
        return "left out: in a folder that systems leave behind"
    reasons = (*map(why_folder_not_trusted, spelt), *map(why_folder_fleeting, real), *map(why_file_not_trusted, names))
    return next((reason for reason in reasons if reason), None)


def _real(given: str, *, follow_symlinks: bool) -> str:
    """Return the absolute path of a file, the links on the way to it resolved."""
    if follow_symlinks:
        return os.path.realpath(given)
    folder, name = os.path.split(given)
    return os.path.join(os.path.realpath(folder or os.curdir), name)


class FileList(OnDisk):
    """The files that a list names, wherever they lie."""

    def __init__(self, named: Named) -> None:
        names = {file.entry.path: file.given for file in named.files}
        super().__init__(NamedRoot(named.side, "what the list names", os.sep, (0, 0), names=names))
        self._named = named

    def list_tree(self, listing: Listing) -> Tree:
        """Give those that no walk of this side has met."""
        return _tree(self._named, listing.side(self.root.side))

    def list_again(self, tree: Tree, listing: Listing) -> Relisting:
        """Look at each of them once more."""
        return NamedWalk(tree, listing.count)


class SingleFile(OnDisk):
    """A file that was named in the place of a folder: an archive."""

    def list_tree(self, listing: Listing) -> Tree:
        """List it alone; raises :class:`~dupfind.errors.SettingsError` where it is gone."""
        real, device = self.root.real, self.root.identity[0]
        try:
            state = os.lstat(real)
        except OSError as error:
            raise SettingsError(f"{self.root.given}: {reason_of(error)}") from error
        if not stat.S_ISREG(state.st_mode):
            raise SettingsError(f"{self.root.given}: not a regular file")
        entry = entry_of(real, state)
        listing.count(1)
        entries = [without_inode(entry) if state.st_dev in listing.rules.forgetful else entry]
        return Tree(self.root, entries, [], frozenset({(device, 0)}))

    def list_again(self, tree: Tree, listing: Listing) -> Relisting:
        """Look at it once more."""
        return NamedWalk(tree, listing.count)


def _tree(named: Named, others: Sequence[Tree]) -> Tree:
    """Return the named files that are not in the ``others`` of their side."""
    walked = {entry.path for tree in others for entry in tree.entries}
    files = [file for file in named.files if file.entry.path not in walked]
    problems = [_placed(file, [tree.root for tree in others]) for file in named.problems]
    names = {file.entry.path: file.given for file in files}
    root = NamedRoot(named.side, "what the list names", os.sep, (0, 0), names=names)
    folders = {os.path.dirname(path) for path in names}
    return Tree(root, [file.entry for file in files], problems, frozenset((_device(folder), 0) for folder in folders))


def _device(folder: str) -> int:
    """Return what ``folder`` lies on; 0 where that cannot be told."""
    try:
        return os.stat(folder).st_dev
    except OSError:
        return 0


def _placed(problem: Problem, roots: Sequence[Root]) -> Problem:
    """Place a problem below a walked folder as one of the walk, so that the folder is not contained."""
    real = _real(problem.path.rstrip(os.sep), follow_symlinks=False)
    for root in roots:
        if is_below(real, root.real):
            return problem._replace(path=root.shown(real), stage="walk")
    return problem


class NamedWalk:
    """The named files looked at once more, as a walk gives them."""

    def __init__(self, tree: Tree, count: Callable[[int], None]) -> None:
        self.problems: list[Problem] = []
        self.seen: set[FolderId] = set()
        self._entries = tree.entries
        self._count = count

    def folders(self) -> Iterator[tuple[str, list[FileEntry]]]:
        """Yield the folder of each and its files that are still there."""
        for folder, group in groupby(self._entries, key=lambda entry: os.path.dirname(entry.path)):
            now = []
            for entry in group:
                with suppress(OSError):
                    again = entry_now(entry, follow_symlinks=False)
                    now += [] if again is None else [again]
            self._count(len(now))
            yield folder, now


class Asked(NamedTuple):
    """What the user named, as it was spelt; None for what a command does not have or was not given."""

    haystack: Sequence[str] | None
    needles: Sequence[str] | None
    listed_needles: Sequence[str] | None = None
    """What a list names as needles."""
    listed_haystack: Sequence[str] | None = None
    """What a list names as more of the haystack, instead."""
    has_servers: bool = False
    """Whether there is a haystack that is no folder, so that there need be none."""
    has_buckets: bool = False
    """Whether there are needles that are no folder, likewise."""


class Places(NamedTuple):
    """Where a run looks."""

    roots: tuple[Root, ...]
    named: Named
    haystack: tuple[str, ...]
    """The folders of each side as they were spelt, those of a list among them."""
    needles: tuple[str, ...]


def look_for(
    asked: Asked,
    called: str,
    excludes: Excludes,
    *,
    follow_symlinks: bool,
    may_be_catalogs: bool,
    may_be_archives: bool = False,
) -> Places:
    """Look at what was named; raises :class:`~dupfind.errors.SettingsError`.

    ``called`` stands before a haystack in errors; ``may_be_catalogs`` tells whether a catalog may stand for one,
    ``may_be_archives`` whether needles may be an archive.
    """
    listed = _look_up(asked, excludes, follow_symlinks=follow_symlinks)
    roots = _roots(asked, called, listed, may_be_catalogs=may_be_catalogs, may_be_archives=may_be_archives)
    named = listed or NOTHING
    folders = {Side.HAYSTACK: tuple(asked.haystack or ()), Side.NEEDLES: tuple(asked.needles or ())}
    folders[named.side] += tuple(named.folders)
    return Places(roots, named, folders[Side.HAYSTACK], folders[Side.NEEDLES])


def _look_up(asked: Asked, excludes: Excludes, *, follow_symlinks: bool) -> Named | None:
    """Return what the list names, of whichever side it is."""
    if asked.listed_needles is not None:
        return look_up(asked.listed_needles, excludes, Side.NEEDLES, follow_symlinks=follow_symlinks)
    if asked.listed_haystack is not None:
        return look_up(asked.listed_haystack, excludes, Side.HAYSTACK, follow_symlinks=follow_symlinks)
    return None


def _roots(
    asked: Asked, called: str, named: Named | None, *, may_be_catalogs: bool, may_be_archives: bool
) -> tuple[Root, ...]:
    haystack, needles = asked.haystack, asked.needles
    if named is not None and named.side is Side.HAYSTACK:
        folders = [*(haystack or ()), *named.folders]
        return haystack_roots(folders, called, may_be_catalogs=may_be_catalogs) if folders else ()
    if haystack is None:
        return ()
    if named is not None:
        together = [*(needles or ()), *named.folders]
        return make_roots(
            haystack,
            together,
            may_lack_needles=True,
            may_lack_haystack=asked.has_servers,
            may_be_archives=may_be_archives,
        )
    if needles is None:
        return haystack_roots(haystack, called, may_be_catalogs=may_be_catalogs)
    return make_roots(
        haystack,
        needles,
        may_lack_needles=asked.has_buckets,
        may_lack_haystack=asked.has_servers,
        may_be_archives=may_be_archives,
    )
