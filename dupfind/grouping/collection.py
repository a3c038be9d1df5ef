"""Folders, lists and all other sources as one collection, each file in it once: nothing is a copy of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from dupfind.grouping.savings import each_once
from dupfind.pipeline import walk_what_is_there
from dupfind.run import Run
from dupfind.sources.ignore import Excludes
from dupfind.sources.roots import spelling
from dupfind.sources.source import Source
from dupfind.values import Cataloged, FileEntry, Problem, Tree


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
