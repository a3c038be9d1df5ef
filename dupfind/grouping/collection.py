"""Folders, lists and all other sources as one collection, each file in it once: nothing is a copy of itself.

A hard link is a file of its own. A name that leads to another one of the collection, by a symbolic link or a second
mount, is no copy at all: deleting what it leads to would leave nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dupfind.pipeline import walk_what_is_there
from dupfind.run import Run
from dupfind.sources.ignore import Excludes
from dupfind.sources.roots import spelling
from dupfind.sources.same_file import Lookalikes, SameFile
from dupfind.sources.source import Source
from dupfind.values import Cataloged, FileEntry, Problem, Root, Side, Tree


class Collection(NamedTuple):
    """Every file below the roots of a run, whatever it comes from."""

    shown: Callable[[str], str]
    """From the path of an entry to how the user would spell it."""
    trees: list[Tree]
    entries: list[FileEntry]
    """Each file once, where that matters."""
    left_out: list[Problem]
    """What is not among them, besides what the trees have to say."""

    @property
    def catalogs(self) -> tuple[Cataloged, ...]:
        """What was not walked but read in catalogs."""
        return tuple(tree.catalog for tree in self.trees if tree.catalog is not None)


def gather(run: Run, *, is_proof: bool) -> Collection:
    """List the collection of a run.

    ``is_proof`` tells whether files are to be judged by others. Else links to others stay among them, and the word of
    a source is enough that a file is there. Raises :class:`~dupfind.errors.DupfindError` where a source cannot be read,
    or a catalog lists a folder that is beside it.
    """
    excludes = Excludes(run.settings.excludes)
    listing = walk_what_is_there(run, excludes)
    folders = list(listing.haystack)
    entries = [entry for tree in folders for entry in tree.entries]
    entries, left_out = each_once(folders, listing.same_file) if is_proof else (entries, [])
    catalogs = run.sources.walked(are_walked=False).haystack
    trees: list[Tree] = []
    if catalogs:
        by_class: dict[type[Source], list[Source]] = {}
        for source in catalogs:
            by_class.setdefault(type(source), []).append(source)
        with run.listener.part("look up"):
            for class_, listings in by_class.items():
                trees += class_.list_together(listings, listing, entries, is_proof=is_proof)
    for warning in excludes.warnings(run.settings.named.matched):
        run.listener.warn(warning)
    entries += [entry for tree in trees for entry in tree.entries]
    trees = [*folders, *trees]
    return Collection(spelling([tree.root for tree in trees]), trees, entries, left_out)


def each_once(trees: Sequence[Tree], same: SameFile) -> tuple[list[FileEntry], list[Problem]]:
    """Return the files of ``trees`` in their order, each once, and what was left out of them."""
    entries = [(entry, tree.root) for tree in trees for entry in tree.entries]
    by_state: dict[tuple[int, int, int, int], list[tuple[FileEntry, Root]]] = {}
    for pair in entries:
        by_state.setdefault(pair[0][1:], []).append(pair)
    left_out: dict[str, Problem] = {}
    for alike in by_state.values():
        if len(alike) > 1:
            left_out |= _left_out(alike)
    if same.may_be_disguised(trees):
        left_out |= _disguised([pair for pair in entries if pair[0].path not in left_out], same)
    return [entry for entry, _ in entries if entry.path not in left_out], list(left_out.values())


def _disguised(entries: Sequence[tuple[FileEntry, Root]], same: SameFile) -> dict[str, Problem]:
    """Return those that may be another of them under another number, as a pool
    shows the files of its disks, by path.
    """
    kept = Lookalikes([])
    roots: dict[str, Root] = {}
    problems = {}
    for entry, root in entries:
        twin = next((before for before in kept.of(entry) if same.is_disguised(entry, before)), None)
        if twin is None:
            kept.add(entry)
            roots[entry.path] = root
            continue
        reason = f"left out: it may be {roots[twin.path].shown(twin.path)} itself, reached by another mount"
        problems[entry.path] = Problem(root.shown(entry.path), Side.HAYSTACK, "walk", reason, is_note=True)
    return problems


def _left_out(alike: Sequence[tuple[FileEntry, Root]]) -> dict[str, Problem]:
    """Find those that may be another of them, by path, of files with one inode, size and times."""
    kept: dict[str, tuple[str, os.stat_result]] = {}
    problems = {}
    # Names that are no links come first, and of two mounts the lower path.
    for entry, root in sorted(alike, key=lambda pair: (os.path.realpath(pair[0].path) != pair[0].path, pair[0].path)):
        try:
            state = os.stat(entry.path)
        except OSError:
            continue  # gone since it was walked: whoever reads it says so
        real, shown = os.path.realpath(entry.path), root.shown(entry.path)
        # Without a number only the path tells: on such a file system copies that kept their time are usual.
        mounts = (path for path, held in kept.values() if entry.inode and not _are_two_names(state, held))
        mount = next(mounts, None)
        if real in kept:
            reason = f"left out: it leads to {kept[real][0]}"
        elif mount is not None:
            reason = f"left out: it may be {mount} itself, reached by another mount"
        else:
            kept[real] = (shown, state)
            continue
        problems[entry.path] = Problem(shown, Side.HAYSTACK, "walk", reason, is_note=True)
    return problems


def _are_two_names(state: os.stat_result, held: os.stat_result) -> bool:
    """Tell whether the two are hard links to one file; what has other devices may be one file on two mounts."""
    return os.path.samestat(state, held) and state.st_nlink > 1
