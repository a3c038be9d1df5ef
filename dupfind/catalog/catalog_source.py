"""A catalog as a source."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from dupfind.cache.cache_schema import Recipe
from dupfind.cache.shelved_cache import ShelvedSource
from dupfind.catalog import collection
from dupfind.catalog.catalog_shelf import CatalogShelf
from dupfind.catalog.catalogs import Beside, as_far_as_it_proves, read_tree, refuse_own_root, warn_of
from dupfind.catalog.same_file import relation
from dupfind.catalog.volumes import UNKNOWN_VOLUME, Volume, places_of, volumes_of
from dupfind.sources.source import Listing, Source
from dupfind.values import FileEntry, Tree


class Catalog(ShelvedSource):
    """A catalog in the place of the folder that it lists."""

    is_remembered = False  # what it says of a file may change alone

    def list_tree(self, listing: Listing) -> Tree:
        """List what it knows, as far as that may prove anything.

        Raises :class:`~dupfind.errors.DupfindError` where it cannot be read, or lists the needles themselves.
        """
        tree, about = read_tree(self.root, listing.rules.excludes)
        needles = [entry for tree in listing.needles for entry in tree.entries if entry.is_on_disk]
        beside = Beside(
            [*needles, *listing.named],
            [tree.root for tree in listing.needles if tree.root.has_folders],
            _volumes(listing),
        )
        how = relation(about.volumes, beside.volumes)
        refuse_own_root(self.root, about, beside.roots, how)
        tree = as_far_as_it_proves(tree, about, beside, how, listing.warn)
        warn_of(tree, about, listing.warn)
        return tree

    def without_needles(self, tree: Tree, listing: Listing) -> Tree:  # noqa: ARG002 - done when it was listed
        """Leave it as it was listed."""
        return tree

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
