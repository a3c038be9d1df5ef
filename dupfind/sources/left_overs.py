"""Tells left-overs whose names do not say enough by a look at the files, see :mod:`dupfind.sources.junk_names`."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from functools import cached_property, partial

from dupfind.sources.appledouble import first_bytes, is_appledouble
from dupfind.sources.ignore import is_junk_file, may_be_appledouble
from dupfind.sources.junk_names import guards_of, is_left_over


class LeftOvers:
    """Which files of one folder are left-overs.

    ``names`` are the names in it, for rules that ask for a companion. ``handle`` is an open handle of the folder, where
    the system has such.
    """

    def __init__(self, folder: str, names: Iterable[str], handle: int | None = None) -> None:
        self._folder = folder
        self._names = names
        self._handle = handle

    def include(self, name: str) -> bool:
        """Tell whether a file is a left-over; False where it cannot be looked at, so that nobody overlooks it."""
        low = name.lower()
        above, folder = os.path.split(self._folder.lower())
        rules = guards_of(low, folder, os.path.basename(above))
        if not rules:
            return False
        size_bytes = self._size_bytes(name)
        if size_bytes is None:
            return False
        stem = low.rpartition(".")[0]
        head = partial(first_bytes, self._where(name), folder=self._handle)
        return any(is_left_over(rule, stem, size_bytes, self._holds_something, head) for rule in rules)

    def _holds_something(self, low: str) -> bool:
        return any(self._size_bytes(name) for name in self._spelt.get(low, ()))

    @cached_property
    def _spelt(self) -> dict[str, list[str]]:
        """The names in the folder by how they are in lower case."""
        spelt: dict[str, list[str]] = {}
        for name in self._names:
            spelt.setdefault(name.lower(), []).append(name)
        return spelt

    def _size_bytes(self, name: str) -> int | None:
        """Return the size of a regular file; None for what is none, or cannot be looked at."""
        try:
            state = os.stat(self._where(name), dir_fd=self._handle, follow_symlinks=False)
        except (OSError, ValueError):
            return None
        return state.st_size if stat.S_ISREG(state.st_mode) else None

    def _where(self, name: str) -> str:
        return os.path.join(self._folder, name) if self._handle is None else name


def is_junk(path: str) -> bool:
    """Tell whether the file at ``path`` is ignored on both sides, by its name or by what it is."""
    folder, name = os.path.split(path)
    if is_junk_file(name) or (may_be_appledouble(name) and is_appledouble(path)):
        return True
    folder = os.path.abspath(folder)
    return LeftOvers(folder, _Listed(folder)).include(name)


class _Listed:
    """The names in a folder, listed when they are asked for."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[str]:
        try:
            return iter(os.listdir(self._folder))
        except OSError:
            return iter(())
