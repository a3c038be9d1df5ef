"""The part of a catalog that a scan needs, found by its columns: see :mod:`dupfind.catalog.columns`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dupfind.catalog.catalog_file import About, CatalogFile, explained
from dupfind.catalog.catalogs import (
    in_order_of_walk,
    listed_entries,
    refuse_other_recipe,
    tree_of,
)
from dupfind.catalog.columns import Columns, Rows, stamp_of
from dupfind.errors import CatalogError
from dupfind.sources.source import Sought
from dupfind.values import CHANGED, FileEntry, Problem, Root, Tree, Unlisted


class Shortlist:
    """The rows of one catalog that are listed by now."""

    def __init__(self, root: Root, columns: Columns, about: About, problems: Sequence[Problem]) -> None:
        self._root = root
        self._columns = columns
        self._problems = problems
        self._rows: Rows = np.empty(0, np.int64)
        self.about = about

    @classmethod
    def opened(cls, root: Root, warn: Callable[[str], None]) -> Shortlist | None:
        """Open the columns of a catalog; None where there are none, or none that can be used, of which it warns.

        Nor where its files have no numbers, so that more than a size tells a needle. Raises
        :class:`~dupfind.errors.CatalogError`.
        """
        with explained(root.given):
            file = CatalogFile.for_reading(root.real)
            try:
                columns = Columns.opened(root.real, file)
                if columns is None:
                    return None
                if isinstance(columns, str):
                    warn(f"{root.given}: its columns are not used: {columns}: dupfind index --columns makes them anew")
                    return None
                about = file.about()
                if about is None or columns.head.unnumbered:
                    return None
                refuse_other_recipe(root, about, columns.head.recipes)
                return cls(root, columns, about, list(file.problems()))
            finally:
                file.close()

    def tree(self, needles: Sequence[FileEntry]) -> Tree:
        """List what every scan lists, and what may be one of these needles, or its twin."""
        head = self._columns.head
        entries = in_order_of_walk(self._root, self._add(self._columns.told()) + self.twins(needles))
        return tree_of(self._root, self.about, entries, self._problems, head.notes, head.rows)

    def twins(self, needles: Sequence[FileEntry]) -> list[FileEntry]:
        """List besides what has the size or the inode of one of these."""
        sizes = sorted({entry.size_bytes for entry in needles})
        inodes = sorted({entry.inode for entry in needles} - {0})
        return self._add(self._columns.twins(sizes, inodes))

    def lookalikes(self, sought: Sought) -> list[FileEntry] | None:
        """List besides all pictures that are compared with what is ``sought``; None where the columns do not tell."""
        head = self._columns.head
        # They know other hashes, or pictures that are too large for this run: then the whole catalog is listed.
        if sought.recipe != head.hashes or head.most_pixels > sought.most_pixels:
            return None
        entries = self._add(self._columns.near(sought.hashes, sought.radius_bits, sought.elsewhere))
        if sought.likeliest is not None:
            for rows, ids in self._columns.pictures(self._rows):
                entries += self._add(rows[sorted(sought.likeliest(ids))])
        return entries

    def unlisted(self, *, are_comparable: bool) -> Unlisted:
        """Count what is not listed by now."""
        files, image_names, pictures = self._columns.counts(self._rows)
        return Unlisted(files, image_names, pictures if are_comparable else 0)

    def _add(self, rows: Rows) -> list[FileEntry]:
        new = np.setdiff1d(rows, self._rows)
        if not len(new):
            return []
        self._rows = np.union1d(self._rows, new)
        with explained(self._root.given):
            file = CatalogFile.for_reading(self._root.real)
            try:
                if stamp_of(self._root.real, file) != self._columns.head.stamp:
                    raise CatalogError(f"{self._root.given}: {CHANGED}")
                # SQLite keeps inodes as signed numbers of 64 bits.
                states = [
                    (path, (*state[:-1], state[-1] % (1 << 64))) for path, state in self._columns.states(new, file)
                ]
            finally:
                file.close()
        return listed_entries(self._root, states)
