"""Thumbnails that end with the run: on disk where they grow, and in memory once that disk is full."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from dupfind.cache.cache_file import UnusableError
from dupfind.cache.cache_store import Store
from dupfind.values import Thumbnail

_MEMORY = ":memory:"


class Scratch:
    """What cannot be kept: of files that changed lately, of runs without a cache, of a cache that cannot be written."""

    def __init__(self) -> None:
        self._stores: list[Store] = []

    def add_pictures(self, pictures: Iterable[tuple[int, Thumbnail]]) -> None:
        """Hold thumbnails under their ids."""
        held = list(pictures)
        if not held:
            return
        if not self._stores:
            self._stores.append(_on_disk())
        try:
            self._stores[-1].add_pictures(held)
        except UnusableError:
            # 5 KB each in memory rather than no answer; what was written before is still there.
            self._stores.append(Store.scratch(_MEMORY))
            self._stores[-1].add_pictures(held)

    def pictures(self, ids: Sequence[int]) -> dict[int, Thumbnail]:
        """The thumbnails among ``ids`` that are here."""
        found: dict[int, Thumbnail] = {}
        for store in self._stores:
            found |= store.pictures([id_ for id_ in ids if id_ not in found])
        return found

    def close(self) -> None:
        """Give everything back."""
        for store in self._stores:
            store.close()


def _on_disk() -> Store:
    """A store in a file without a name, so that nothing is left of it however the run ends.

    Not one of SQLite's own temporary databases: those cannot be read any further once they could not be written.
    """
    import tempfile  # brings a dozen modules, for runs that hold anything

    folder = os.environ.get("TMPDIR") or ("/var/tmp" if os.access("/var/tmp", os.W_OK) else None)  # noqa: S108
    try:
        handle, path = tempfile.mkstemp(prefix="dupfind-", suffix=".sqlite", dir=folder)
    except OSError:
        return Store.scratch(_MEMORY)
    try:
        os.close(handle)
        return Store.scratch(path)
    except UnusableError:
        return Store.scratch(_MEMORY)
    finally:
        with suppress(OSError):  # Windows deletes nothing that is open: it goes with the other temporary files
            os.unlink(path)
