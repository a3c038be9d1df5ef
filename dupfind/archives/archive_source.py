"""The archives of one side as a source: each is a folder, and what it holds are files like any other.

They are listed when all else is, since they lie among the files of other sources. An archive that is looked into is
taken from the files of its folder: its members stand for it. One that has its equal in the haystack, or cannot be
looked into, stays a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dupfind.sources.archive_names import archives_among
from dupfind.sources.folders import Folder
from dupfind.sources.roots import root_around, spelling
from dupfind.sources.source import Listing, Relisting, Source, listed_again
from dupfind.values import FileEntry, Root, Side, Tree


@dataclass(frozen=True, slots=True)
class ArchivesRoot(Root):
    """What stands for the root of what lies in archives anywhere below the roots of a side."""

    around: tuple[Root, ...] = ()

    @property
    def shown(self) -> Callable[[str], str]:
        """A function from the path of a member to how the user would spell it."""
        return spelling(self.around)

    @property
    def below(self) -> Callable[[str], str]:
        """A function from the path of a member to what follows the root that its archive lies in.

        Never a folder above that: a pattern would set everything aside that lies in ``/mnt/cache``.
        """
        return self._below

    def _below(self, path: str) -> str:
        around = root_around(path, self.around)
        return os.path.basename(path) if around is None else around.below(path)


class Archives(Source):
    """All archives among the files of one side; ``roots`` are those of the side."""

    is_within = True

    def __init__(self, side: Side, roots: Sequence[Root]) -> None:
        around = tuple(root for root in roots if root.side is side)
        super().__init__(ArchivesRoot(side, f"archives among the {side.value}", os.sep, (0, 0), around=around))

    def list_tree(self, listing: Listing) -> Tree:
        """List what is in the archives that are among the files listed so far, and take these from there."""
        trees = [tree for tree in listing.side(self.root.side) if tree.root.has_folders]
        archives = [entry for tree in trees for entry in archives_among(tree.entries) if self._is_meant(entry)]
        if not archives:
            return Tree(self.root, [], [], frozenset())
        from dupfind.archives.looking import Lister  # brings zipfile and tarfile

        with listing.stage("looking into archives", len(archives)) as advance:
            lister = Lister(self.root, listing, self.root.shown)
            lister.recall(archives)
            for entry in lister.not_proved(archives):
                advance(1)
                lister.look_into(entry, 1)
        lister.remember()
        listing.count(len(lister.entries))
        paths = frozenset(entry.path for entry in lister.opened)
        if self.root.side is Side.NEEDLES:  # one of the haystack may prove a whole archive
            _take_out(listing.needles, paths)
        return Tree(self.root, lister.entries, lister.problems, frozenset(), opened=paths)

    def _is_meant(self, archive: FileEntry) -> bool:
        """Tell whether to look into an archive; of the haystack only on disk, where the final check can look at it."""
        return archive.can_be_looked_into if self.root.side is Side.NEEDLES else archive.is_on_disk

    def without_needles(self, tree: Tree, listing: Listing) -> Tree:  # noqa: ARG002 - asked of the archives
        """Leave it as it was listed: an archive that may be a needle is not among the files of the haystack."""
        return tree

    def list_again(self, tree: Tree, listing: Listing) -> Relisting:
        """Look at the archives again: while they are what they were, so is what they hold."""
        if not tree.entries:
            return listed_again(tree)
        from dupfind.archives.looking import ArchivesAgain

        return ArchivesAgain(tree, listing)

    def changed(self, witnesses: Iterable[FileEntry], listing: Listing) -> Iterator[tuple[str, str]]:
        """Look at the archive of each, and at each folder on the way to it."""
        from dupfind.archives.looking import archive_of

        archives = {entry: archive_of(entry) for entry in witnesses}
        reasons = dict(Folder(self.root).changed(dict.fromkeys(archives.values()), listing))
        for entry, archive in archives.items():
            if (reason := reasons.get(archive.path)) is not None:
                yield entry.path, reason


def _take_out(trees: list[Tree], paths: frozenset[str]) -> None:
    if not paths:
        return
    for number, tree in enumerate(trees):
        kept = [entry for entry in tree.entries if entry.path not in paths]
        if len(kept) < len(tree.entries):
            trees[number] = replace(tree, entries=kept)
