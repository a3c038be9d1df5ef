"""The files that a catalog lists, to a tree as a walk gives it, as far as they may prove anything.

What may be a needle itself, because the drive that is listed is plugged in again, is left out; so is what is not seen
on it any more, of which a needle may have been made.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import IO, NamedTuple

from dupfind.catalog.catalog_file import About, CatalogFile, explained
from dupfind.catalog.same_file import Relation, have_numbers, is_as_listed, must_be_seen, relation, themselves
from dupfind.catalog.volumes import Volume
from dupfind.errors import CatalogError, error_of, option_error
from dupfind.sources.entries import StoredEntry, entry_of
from dupfind.sources.ignore import Excludes
from dupfind.sources.normal_form import composed
from dupfind.sources.photo_managers import WARNINGS, InList, Managers
from dupfind.values import Cataloged, FileEntry, Problem, ProblemCode, Root, Side, Tree


class ListedEntry(StoredEntry):
    """A file that only a catalog knows: there is nothing to open, and nothing to look at."""

    __slots__ = ()

    @property
    def can_be_read(self) -> bool:
        """Tell that its bytes are not to be had."""
        return False

    def open(self) -> AbstractContextManager[IO[bytes]]:
        """Refuse, as the system does: the catalog, which the path leads through, is no folder."""
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))

    def now(self) -> FileEntry:
        """Take the catalog's word."""
        return self


class DoubtfulEntry(ListedEntry):
    """A file of a catalog that may list the needles themselves, for all that is known: only bytes prove anything."""

    __slots__ = ()

    @property
    def has_comparable_picture(self) -> bool:
        """Tell that its picture proves nothing."""
        return False


def doubtful(tree: Tree) -> Tree:
    """Return the same with files whose pictures prove nothing."""
    return replace(tree, entries=list(map(DoubtfulEntry._make, tree.entries)))


class Plan(NamedTuple):
    """A catalog among the needles."""

    about: About
    once: Sequence[FileEntry]
    """Its files where they were when they were listed."""


def plan_of(root: Root) -> Plan:
    """Read a catalog among the needles; raises :class:`~dupfind.errors.CatalogError`."""
    tree, about = read_tree(root, Excludes([]))
    former = former_paths(root, about)
    return Plan(about, [entry._replace(path=former(entry.path)) for entry in tree.entries])


class Beside(NamedTuple):
    """The needles that a catalog is listed beside."""

    entries: Sequence[FileEntry]
    roots: Sequence[Root]
    """Their folders."""
    volumes: Sequence[Volume]
    """The file systems that they lie on."""


def read_tree(root: Root, excludes: Excludes) -> tuple[Tree, About]:
    """Return everything that a catalog lists, and what it says of itself.

    Raises :class:`~dupfind.errors.CatalogError` where it cannot be used.
    """
    with explained(root.given):
        file = CatalogFile.for_reading(root.real)
        try:
            about = file.about()
            listed = file.entries()
            problems = list(file.problems())
        finally:
            file.close()
    if about is None:
        raise CatalogError(f"{root.given}: the catalog is empty: its indexing was stopped before it began")
    refuse_other_recipe(root, about, {recipe for _, recipe in listed.values()})
    is_plan = root.is_plan
    made, notes = (set[str](), dict[str, str]()) if is_plan else made_by_managers(listed)
    excluded = [path for path in listed if _is_excluded(path, excludes)]
    made.update(excluded)
    entries = listed_entries(root, ((path, entry[1:]) for path, (entry, _) in listed.items() if path not in made))
    tree = tree_of(root, about, entries, problems, notes, len(listed))
    if is_plan:
        tree = replace(tree, problems=_gaps(root, about, problems, excluded))
    return tree, about


def listed_entries(root: Root, states: Iterable[tuple[str, Sequence[int]]]) -> list[FileEntry]:
    """Make the entries of a catalog, in the order of a walk, of relative paths with size, times and inode."""
    prefix = root.real + os.sep
    entries: list[FileEntry] = [ListedEntry(prefix + path, *state) for path, state in states]
    return in_order_of_walk(root, entries)


def in_order_of_walk(root: Root, entries: list[FileEntry]) -> list[FileEntry]:
    """Sort the entries of a catalog as a walk of its folder lists them."""
    below = root.below
    return sorted(entries, key=lambda entry: _place(below(entry.path)))


def tree_of(
    root: Root,
    about: About,
    entries: list[FileEntry],
    problems: Iterable[Problem],
    notes: Mapping[str, str],
    files: int,
) -> Tree:
    """Make the tree of a catalog of so many ``files``; ``notes`` say by folder why what lies there is left out."""
    shown = [
        problem._replace(path=root.given + os.sep + problem.path if problem.path else root.given)
        for problem in problems
    ]
    shown += [
        Problem(root.given + os.sep + folder, Side.HAYSTACK, "walk", reason, True, ProblemCode.NOT_TRUSTED)
        for folder, reason in sorted(notes.items())
    ]
    age_seconds = (datetime.now().astimezone() - datetime.fromisoformat(about.updated)).total_seconds()
    told = Cataloged(
        root.given,
        about.root,
        about.updated,
        round(max(0.0, age_seconds), 3),
        files,
        about.is_complete,
        root.is_elsewhere,
        root.side,
    )
    return Tree(root, entries, shown, frozenset(), told)


def _gaps(root: Root, about: About, problems: Iterable[Problem], excluded: Iterable[str]) -> list[Problem]:
    """Return what a catalog does not know of its drive: as needles, all of it may hold something that is nowhere else.

    A walk of a haystack leaves out hidden folders, trash, and what managers made; among needles they are searched.
    """
    told = [(problem.path, problem.stage, problem.reason) for problem in problems if problem.reason not in WARNINGS]
    told += [(path, "walk", "excluded by --exclude") for path in sorted(excluded)]
    if about.shard is not None:
        told.append(("", "walk", f"the catalog lists shard {about.shard} of its folder, and not all of it"))
    if not about.is_complete:
        # What it had not come to is a gap among needles, as a folder that cannot be read is.
        told.append(("", "walk", "the catalog is not complete: its indexing was stopped"))
    return [
        Problem(root.given + os.sep + path if path else root.given, Side.NEEDLES, stage, reason)
        for path, stage, reason in told
    ]


def of_drive(
    listed: Sequence[FileEntry], plan: Plan, volumes: Sequence[Volume], former: Callable[[str], str]
) -> set[str]:
    """Return the paths of those files of a haystack that may be files of a catalog among the needles, or made of them.

    ``volumes`` are those that the haystack lies on, and ``former`` gives where a file of it is, or was. On one drive
    nothing proves anything: what was renamed there and written anew is not known again.
    """
    how = relation(plan.about.volumes, volumes)
    if how is Relation.SAME:
        return {entry.path for entry in listed}
    may_be_here = how is Relation.UNKNOWN and holds_something(plan.about.root)
    are_numbered = have_numbers((*plan.about.volumes, *volumes)) and not may_be_here
    return themselves(listed, plan.once, how, former, are_numbered=are_numbered)


def made_by_managers(paths: Collection[str]) -> tuple[set[str], dict[str, str]]:
    """Return what of a catalog photo managers made of originals, and by folder why it proves nothing.

    A walk leaves that out; catalogs that were made before it did so list it.
    """
    managers = Managers(InList(paths))
    made: set[str] = set()
    of_folders: dict[str, str | None] = {"": None}
    noted: dict[str, str] = {}
    for path in paths:
        folder, _, name = path.rpartition(os.sep)
        if folder not in of_folders:
            of_folders[folder] = managers.why_not_trusted(folder)
        if (reason := of_folders[folder] or managers.why_file(folder, name)) is not None:
            noted[folder] = reason
            made.add(path)
    return made, noted


def _place(path: str) -> tuple[Sequence[str], str]:
    """Tell where a file comes in a walk: after those of the folders above, in the order of names."""
    folder, _, name = path.rpartition(os.sep)
    return folder.split(os.sep) if folder else [], name


def _is_excluded(path: str, excludes: Excludes) -> bool:
    if not excludes:
        return False
    parts = path.split(os.sep)
    return any(excludes.matching(os.sep.join(parts[: end + 1]), parts[end]) for end in range(len(parts)))


def refuse_other_recipe(root: Root, about: About, recipes: Collection[str | None]) -> None:
    """Refuse thumbnails that were made otherwise: they are never compared with those of today."""
    from dupfind.pictures import decode

    made_by = {recipe for recipe in recipes if recipe is not None}
    if any(recipe.partition(",")[0] != str(decode.RECIPE) for recipe in made_by):
        raise CatalogError(
            f"{root.given}: its thumbnails were made by another version of dupfind ({about.version}): update it with "
            f"dupfind index {about.root} --catalog {root.given}"
        )


def refuse_own_root(
    root: Root, about: About, needles: Iterable[Root], how: Relation, called: str = "--needles "
) -> None:
    """Refuse a folder that is searched for in its own catalog: everything would be there, and be nowhere else.

    Raises :class:`~dupfind.errors.SettingsError`, in which ``called`` stands before the folder.
    """
    for needle in needles:
        is_one_path = composed(needle.real) == composed(about.root) and how is not Relation.OTHER
        is_one_folder = needle.identity[1] == about.root_inode != 0 and how is Relation.SAME
        if is_one_path or is_one_folder:
            raise error_of(called, f"{needle.given} is the folder that the catalog {root.given} lists")


def as_far_as_it_proves(
    tree: Tree,
    about: About,
    beside: Beside,
    how: Relation,
    warn: Callable[[str], None],
) -> Tree:
    """Leave out what may be a needle, or may have become one; what is not known at all proves by bytes only.

    Raises :class:`~dupfind.errors.SettingsError` where a person says that it lists another drive, and it does not.
    """
    root, given = tree.root, tree.root.given
    # The drive itself says otherwise, and it is right.
    if root.is_elsewhere and how is Relation.SAME:
        raise option_error(
            "--elsewhere",
            f"{given}: needles lie on the drive that it lists, or on one that the system gives the same "
            "number: name it as --haystack",
        )
    is_doubtful = False
    former = former_paths(root, about)
    are_numbered = have_numbers((*about.volumes, *beside.volumes))
    left_out = themselves(
        tree.entries, beside.entries, how, former, are_numbered=are_numbered, is_elsewhere=root.is_elsewhere
    )
    reason = "they may be needles themselves, on the drive that it lists"
    if root.is_elsewhere:
        pass  # as with two UUIDs: the word stands for them
    elif must_be_seen(how, is_root_here=holds_something(about.root)):
        left_out |= listed_below(tree.entries, former, beside.roots)
        left_out |= not_there(tree.entries, former, left_out, are_numbered=have_numbers(about.volumes))
        reason = "the drive that it lists is here, and they are no longer where it lists them, or may be needles"
    elif how is Relation.UNKNOWN:
        is_doubtful = True
        warn(
            f"{given}: its pictures prove nothing, only equal bytes do: nothing tells its drive from that of the "
            f"needles, and {about.root} is not there to be looked at. If it is another drive, say --elsewhere {given}"
        )
    problems = list(tree.problems)
    if left_out:
        reason = f"{len(left_out):,} of its files left out: {reason}"
        warn(f"{given}: {reason}")
        problems.append(Problem(given, Side.HAYSTACK, "walk", reason, is_note=True))
    entries = [entry for entry in tree.entries if entry.path not in left_out]
    left = replace(tree, entries=entries, problems=problems)
    return doubtful(left) if is_doubtful else left


def former_paths(root: Root, about: About) -> Callable[[str], str]:
    """Return a function from the path of a file of a catalog to where that file was when it was listed."""
    return partial(_former, about.root.rstrip(os.sep) + os.sep, len(root.real) + 1)


def _former(prefix: str, start: int, path: str) -> str:
    return prefix + path[start:]


def listed_below(entries: Iterable[FileEntry], former: Callable[[str], str], needle_roots: Sequence[Root]) -> set[str]:
    """Return what lies below a folder of needles, also where the needles leave it
    out: as a walk of the haystack does.
    """
    prefixes = tuple(composed(root.real.rstrip(os.sep)) + os.sep for root in needle_roots)
    return {entry.path for entry in entries if composed(former(entry.path)).startswith(prefixes)}


def not_there(
    entries: Iterable[FileEntry], former: Callable[[str], str], passed: Collection[str], *, are_numbered: bool
) -> set[str]:
    """Return what is not seen now where it was listed, besides what is ``passed`` over."""
    gone = set()
    for entry in entries:
        if entry.path not in passed:
            path = former(entry.path)
            try:
                state = os.lstat(path)
            except (OSError, ValueError):
                gone.add(entry.path)
                continue
            if not stat.S_ISREG(state.st_mode) or not is_as_listed(
                entry, entry_of(path, state), are_numbered=are_numbered
            ):
                gone.add(entry.path)
    return gone


def holds_something(folder: str) -> bool:
    """Tell whether this is a folder with anything in it: a mount point without its drive is an empty one."""
    try:
        with os.scandir(folder) as items:
            return next(items, None) is not None
    except OSError:
        return False


def warn_of(tree: Tree, about: About, warn: Callable[[str], None]) -> None:
    """Give warning of what makes a catalog worth less."""
    from dupfind import libraries

    given = tree.root.given
    if not about.is_complete:
        warn(f"{given}: the catalog is not complete: its indexing was stopped, and what it has not read proves nothing")
    if any(about.libraries.get(name, version) != version for name, version in libraries.versions()):
        warn(f"{given}: the catalog was made with other versions of the libraries that decode (dupfind --version)")
