"""A catalog as a source."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from dupfind.cache.cache_schema import Recipe
from dupfind.cache.shelved_cache import ShelvedSource
from dupfind.catalog import collection
from dupfind.catalog.catalog_shelf import CatalogShelf
from dupfind.catalog.catalogs import (
    Beside,
    as_far_as_it_proves,
    former_paths,
    of_drive,
    plan_of,
    read_tree,
    refuse_own_root,
    warn_of,
)
from dupfind.catalog.same_file import relation
from dupfind.catalog.volumes import UNKNOWN_VOLUME, Volume, places_of, volumes_of
from dupfind.sources.source import Listing, Source
from dupfind.values import FileEntry, Problem, Root, Side, Tree


class Catalog(ShelvedSource):
    """A catalog in the place of the folder that it lists."""

    is_remembered = False  # what it says of a file may change alone

    def list_tree(self, listing: Listing) -> Tree:
        """List what it knows, as far as that may prove anything.

        Raises :class:`~dupfind.errors.DupfindError` where it cannot be read, or lists the needles themselves.
        """
        tree, about = read_tree(self.root, listing.rules.excludes)
        if self.root.is_plan:
            warn_of(tree, about, listing.warn)
            return tree
        needles = [entry for tree in listing.needles for entry in tree.entries if entry.is_on_disk]
        beside = Beside(
            [*needles, *listing.named],
            [tree.root for tree in listing.needles if tree.root.has_folders],
            _volumes(listing),
        )
        how = relation(about.volumes, beside.volumes)
        refuse_own_root(self.root, about, beside.roots, how)
        tree = as_far_as_it_proves(tree, about, beside, how, listing.warn)
        for needles_root in (tree.root for tree in listing.needles if tree.root.is_plan):
            tree = self._without_plan(tree, about.volumes, needles_root, former_paths(self.root, about), listing)
        warn_of(tree, about, listing.warn)
        return tree

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
        reason = f"{len(left_out):,} of its files left out: they lie on the drive that {root.given} lists, or may"
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
