"""Folders listed as a run lists them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dupfind.sources.folders import Folder
from dupfind.sources.source import Listing, Rules, Sources, in_order, list_all
from dupfind.values import Root, Tree


def folders(roots: Sequence[Root]) -> Sources:
    """These roots as sources."""
    return in_order(map(Folder, roots))


def walk_all(
    roots: Sequence[Root], rules: Rules, count: Callable[[int], None] = lambda _: None
) -> tuple[list[Tree], list[Tree]]:
    """The trees of the needles, and those of the haystack."""
    listing = list_all(folders(roots), Listing(roots, rules, count))
    return listing.needles, listing.haystack
