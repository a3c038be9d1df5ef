"""A folder as a source; and what holds for all files on disk, however they were named.

Nothing that lies on disk is its own witness, by whatever way it is met, and a witness counts only while the whole way
to it leads through what was trusted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from dupfind.errors import reason_of
from dupfind.sources.entries import HAS_HANDLES, is_same_folder, not_as_listed, open_folder
from dupfind.sources.same_file import without_named, without_needles
from dupfind.sources.source import Listing, Relisting, Rules, Source, by_folder, from_the_end, why_changed
from dupfind.sources.walk import Walk, look_again
from dupfind.values import CHANGED, FileEntry, FolderId, Side, Tree, folder_of


class OnDisk(Source):
    """A source whose entries lie on disk, where their paths say."""

    is_walked = True

    def without_needles(self, tree: Tree, listing: Listing) -> Tree:
        """Leave out what may be a needle itself, reached by another way."""
        same = listing.same_file
        if listing.walked_needles:
            needles, inodes = listing.walked_needles, listing.needle_inodes
            tree = without_needles(tree, needles, inodes, same, numbers_may_lie=listing.numbers_may_lie)
        for named in listing.needles:
            if not named.root.has_folders or named.root.is_archive:
                tree = without_named(tree, named.entries, same)
        return tree

    def changed(self, witnesses: Iterable[FileEntry], listing: Listing) -> Iterator[tuple[str, str]]:
        """Look at each file, and at each folder on the way to it."""
        trusted = {root.real: root.identity for root in listing.roots if root.side is Side.HAYSTACK}
        ways = _Ways(listing.needle_folders, trusted, listing.rules)
        asked = list(witnesses)
        listing.ahead.begin(partial(ways.looks, asked), len(asked))
        try:
            end = 0
            for folder, inside in by_folder(asked):
                start, end = end, end + len(inside)
                why_folder = ways.why_not_trusted(folder)
                if why_folder is None and listing.ahead.told(folder) == (start, end):
                    continue
                for entry in inside if why_folder else ways.doubtful(folder, inside):
                    reason = why_folder or ways.why_changed(entry)
                    if reason is not None:
                        yield entry.path, reason
        finally:
            listing.ahead.end()


class Folder(OnDisk):
    """A folder with everything below it."""

    def list_tree(self, listing: Listing) -> Tree:
        """Walk it; of the haystack, nothing that was walked among the needles."""
        foreign = listing.needle_folders if self.root.side is Side.HAYSTACK else frozenset[FolderId]()
        rules, roots, ahead = listing.rules, listing.roots, listing.ahead
        return Walk(self.root, rules, roots, foreign, listing.count, ahead=ahead, later=listing.later).run()

    def list_again(self, tree: Tree, listing: Listing) -> Relisting:
        """Walk it once more, folder by folder: a second list of a million entries takes 350 MB."""
        before, ahead = tree.entries, listing.ahead
        return Walk(self.root, listing.rules, listing.roots, frozenset(), listing.count, before, ahead)

    def look_ahead(self, tree: Tree, listing: Listing) -> None:
        """Look at the folders with needles, the last one first."""
        look_again(tree.entries, listing.ahead)


class _Ways:
    """Whether files of the haystack are where the walk found them, and not by now among the needles.

    ``roots`` are the identities of the haystack's roots by their paths.
    """

    def __init__(self, among_needles: frozenset[FolderId], roots: Mapping[str, FolderId], rules: Rules) -> None:
        self._among_needles = among_needles
        self._roots = roots
        self._rules = rules
        self._known: dict[str, str | None] = {}

    def doubtful(self, folder: str, entries: Sequence[FileEntry]) -> Sequence[FileEntry]:
        """Return those of the ``entries`` of a folder that have to be looked at by themselves: few, if any."""
        if self._rules.follow_symlinks or not HAS_HANDLES:
            return entries
        try:
            handle = open_folder(folder, may_be_link=False)  # nor does the way to any other file lead through links
        except OSError:
            return entries
        skipped = len(os.path.join(folder, ""))
        try:
            return not_as_listed(entries, [entry.path[skipped:] for entry in entries], handle)
        finally:
            os.close(handle)

    def looks(self, entries: Sequence[FileEntry]) -> Iterator[tuple[str, tuple[int, int]]]:
        """Look at the folders of ``entries``, the last one first.

        Yields those whose files all are plainly as they were, with the positions where these begin and end.
        """
        for folder, start, end in from_the_end(entries):
            if not self.doubtful(folder, entries[start:end]):
                yield folder, (start, end)

    def why_changed(self, entry: FileEntry) -> str | None:
        """Tell why a file is not what the walk saw; None where it is."""
        reason = why_changed(entry, follow_symlinks=self._rules.follow_symlinks)
        if reason is None and self._rules.follow_symlinks and os.path.islink(entry.path):
            return self.why_not_trusted(folder_of(os.path.realpath(entry.path)))
        return reason

    def why_not_trusted(self, folder: str) -> str | None:
        """Tell why nothing in a folder proves anything any more; None where all is well up to its root."""
        pending = []
        while folder not in self._known:
            pending.append(folder)
            self._known[folder] = None  # also ends the way at the top, which is its own folder
            if folder not in self._roots:
                folder = os.path.dirname(folder)
        reason = self._known[folder]
        for below in reversed(pending):
            reason = reason or self._why_not_here(below)
            self._known[below] = reason
        return reason

    def _why_not_here(self, folder: str) -> str | None:
        try:
            state = os.stat(folder, follow_symlinks=self._rules.follow_symlinks)
        except OSError as error:
            return f"{CHANGED}: {reason_of(error)}"
        identity = state.st_dev, state.st_ino
        is_other = folder in self._roots and (
            not is_same_folder(identity, self._roots[folder], self._rules.forgetful)
            or os.path.realpath(folder) != folder
        )
        if is_other or not stat.S_ISDIR(state.st_mode):
            return f"{CHANGED}: another folder came in the place of one around it"
        real = os.path.realpath(folder) if self._rules.follow_symlinks else folder
        place = self._rules.mounts.folder_id(real, state.st_dev)  # where numbers do not last, it alone tells
        if identity in self._among_needles or place in self._among_needles:
            return f"{CHANGED}: it lies among the needles now"
        return None
