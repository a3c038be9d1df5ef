"""A catalog as a source."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from dupfind.cache.cache_schema import Recipe
from dupfind.cache.shelved_cache import ShelvedSource
from dupfind.catalog import collection
from dupfind.catalog.catalog_file import About
from dupfind.catalog.catalog_shelf import CatalogShelf
from dupfind.catalog.catalogs import (
    Beside,
    as_far_as_it_proves,
    former_paths,
    holds_something,
    in_order_of_walk,
    of_drive,
    plan_of,
    read_tree,
    refuse_own_root,
    warn_of,
)
from dupfind.catalog.columns import are_there
from dupfind.catalog.same_file import Relation, must_be_seen, relation
from dupfind.catalog.shortlist import Shortlist
from dupfind.catalog.volumes import UNKNOWN_VOLUME, Volume, places_of, volumes_of
from dupfind.sources.normal_form import composed
from dupfind.sources.source import Listing, Sought, Source
from dupfind.values import FileEntry, Problem, Root, Side, Tree


class Catalog(ShelvedSource):
    """A catalog in the place of the folder that it lists."""

    is_remembered = False  # what it says of a file may change alone

    def __init__(self, root: Root) -> None:
        super().__init__(root)
        self._shortlist: Shortlist | None = None
        """What is listed of it, where that is not all."""
        self._beside = Beside([], [], [])
        self._listing: Listing | None = None
        self._is_doubtful = False
        """Whether only bytes prove anything."""

    def list_tree(self, listing: Listing) -> Tree:
        """List what it knows, as far as that may prove anything.

        Raises :class:`~dupfind.errors.DupfindError` where it cannot be read, or lists the needles themselves.
        """
        if self.root.is_plan:
            tree, about = read_tree(self.root, listing.rules.excludes)
            warn_of(tree, about, listing.warn)
            return tree
        needles = [entry for tree in listing.needles for entry in tree.entries if entry.is_on_disk]
        self._beside = Beside(
            [*needles, *listing.named],
            [tree.root for tree in listing.needles if tree.root.has_folders],
            _volumes(listing),
        )
        has_plan = any(tree.root.is_plan for tree in listing.needles)
        if listing.may_leave_out and not has_plan and not listing.rules.excludes and are_there(self.root.real):
            shortlist = Shortlist.opened(self.root, listing.warn)
            if shortlist is not None and not self._must_all_be_seen(shortlist.about):
                self._shortlist = shortlist
        return self._list(listing, listing.warn)

    def _must_all_be_seen(self, about: About) -> bool:
        """Tell whether a file may be left out for more than its inode and its size, or has to be looked at."""
        how = relation(about.volumes, self._beside.volumes)
        if not self.root.is_elsewhere and must_be_seen(how, is_root_here=holds_something(about.root)):
            return True
        below = composed(about.root).rstrip(os.sep) + os.sep
        return how is not Relation.OTHER and any(
            composed(entry.path).startswith(below) for entry in self._beside.entries
        )

    def _list(self, listing: Listing, warn: Callable[[str], None]) -> Tree:
        """List all, or as much as the columns say, as far as that may prove anything."""
        beside = self._beside
        if self._shortlist is None:
            tree, about = read_tree(self.root, listing.rules.excludes)
        else:
            tree, about = self._shortlist.tree(beside.entries), self._shortlist.about
        how = relation(about.volumes, beside.volumes)
        refuse_own_root(self.root, about, beside.roots, how)
        tree = as_far_as_it_proves(tree, about, beside, how, warn)
        for needles_root in (tree.root for tree in listing.needles if tree.root.is_plan):
            tree = self._without_plan(tree, about.volumes, needles_root, former_paths(self.root, about), listing)
        warn_of(tree, about, warn)
        self._listing = listing
        self._is_doubtful = how is Relation.UNKNOWN and not self.root.is_elsewhere
        if self._shortlist is not None:
            tree = replace(tree, unlisted=self._shortlist.unlisted(are_comparable=not self._is_doubtful))
        return tree

    def with_twins(self, tree: Tree, needles: Sequence[FileEntry]) -> Tree:
        """List besides what has the size of one of ``needles``, which were not all known when it was listed."""
        if self._shortlist is None:
            return tree
        return self._add(tree, self._shortlist.twins(needles))

    def with_lookalikes(self, tree: Tree, sought: Sought | None) -> Tree:
        """List besides all pictures that needles may meet; None lists everything."""
        if self._shortlist is None:
            return tree
        if sought is not None and self._is_doubtful:  # bytes alone prove anything
            return tree
        entries = None if sought is None else self._shortlist.lookalikes(sought)
        if entries is None:
            self._shortlist = None
            assert self._listing is not None
            return self._list(self._listing, _nobody)  # it has given its warnings already
        return self._add(tree, entries)

    def _add(self, tree: Tree, entries: Sequence[FileEntry]) -> Tree:
        """Add files to a tree, as far as they may prove anything."""
        shortlist = self._shortlist
        assert shortlist is not None
        how = relation(shortlist.about.volumes, self._beside.volumes)
        added = replace(tree, entries=list(entries), problems=[])
        added = as_far_as_it_proves(added, shortlist.about, self._beside, how, _nobody)
        merged = in_order_of_walk(self.root, [*tree.entries, *added.entries])
        return replace(tree, entries=merged, unlisted=shortlist.unlisted(are_comparable=not self._is_doubtful))

    def without_needles(self, tree: Tree, listing: Listing) -> Tree:  # noqa: ARG002 - done when it was listed
        """Leave it as it was listed."""
        return tree

    def without_own(self, tree: Tree, listing: Listing) -> Tree:
        """Leave out of a haystack of folders what may be a file of this catalog, the drive being here.

        Raises :class:`~dupfind.errors.SettingsError` where it is the folder that the catalog lists.
        """
        if not self.root.is_plan or tree.root.is_catalog or not tree.entries:
            return tree
        volumes = volumes_of({device for device, _ in tree.folders}, listing.rules.mounts, places_of([tree.root]))
        if listing.rules.follow_symlinks:
            volumes = (*volumes, UNKNOWN_VOLUME)
        about = plan_of(self.root).about
        refuse_own_root(self.root, about, [tree.root], relation(about.volumes, volumes), called="--haystack ")
        return self._without_plan(tree, volumes, self.root, str, listing)

    @staticmethod
    def _without_plan(
        tree: Tree, volumes: Sequence[Volume], root: Root, former: Callable[[str], str], listing: Listing
    ) -> Tree:
        """Leave out of a haystack, on these ``volumes``, what may be of the catalog ``root`` among the needles."""
        left_out = of_drive(tree.entries, plan_of(root), volumes, former)
        if not left_out:
            return tree
        reason = f"{len(left_out):,} of its files left out: they lie, or may lie, on the drive that {root.given} lists"
        listing.warn(f"{tree.root.given}: {reason}")
        problem = Problem(tree.root.given, Side.HAYSTACK, "walk", reason, is_note=True)
        entries = [entry for entry in tree.entries if entry.path not in left_out]
        return replace(tree, entries=entries, problems=[*tree.problems, problem])

    @classmethod
    def list_together(
        cls, sources: Iterable[Source], listing: Listing, entries: Sequence[FileEntry], *, is_proof: bool
    ) -> list[Tree]:
        """List them in the light of each other."""
        return collection.list_together(sources, listing, entries, is_proof=is_proof)

    def shelf(self, recipe: Callable[[], Recipe]) -> CatalogShelf:
        """Open it."""
        return CatalogShelf(self.root, recipe)


def _nobody(_: str) -> None:
    """Warn nobody: the warning was given when the catalog was listed."""


def _volumes(listing: Listing) -> tuple[Volume, ...]:
    """Return the file systems that the needles lie on."""
    devices = {device for tree in listing.needles for device, _ in tree.folders}
    follow_symlinks = listing.rules.follow_symlinks
    for entry in listing.named:
        try:
            devices.add(os.stat(entry.path).st_dev)
        except OSError:  # it went since: nothing is known of it
            follow_symlinks = True
    # What a link led to may lie anywhere.
    places = places_of(tree.root for tree in listing.needles)
    return (*volumes_of(devices, listing.rules.mounts, places), *([UNKNOWN_VOLUME] if follow_symlinks else []))
