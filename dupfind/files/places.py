"""What options and lists name as haystack and as needles, to the roots of a run and the files that lie anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dupfind.files.ignore import Excludes
from dupfind.files.named import NOTHING, Named, look_up
from dupfind.files.roots import haystack_roots, make_roots
from dupfind.values import Root, Side


class Asked(NamedTuple):
    """What the user named, as it was spelt; None for what a command does not have or was not given."""

    haystack: Sequence[str] | None
    needles: Sequence[str] | None
    listed_needles: Sequence[str] | None = None
    """What a list names as needles."""
    listed_haystack: Sequence[str] | None = None
    """What a list names as more of the haystack, instead."""


class Places(NamedTuple):
    """Where a run looks."""

    roots: tuple[Root, ...]
    named: Named
    haystack: tuple[str, ...]
    """The folders of each side as they were spelt, those of a list among them."""
    needles: tuple[str, ...]


def look_for(
    asked: Asked, called: str, excludes: Excludes, *, follow_symlinks: bool, may_be_catalogues: bool
) -> Places:
    """Look at what was named; raises :class:`~dupfind.errors.SettingsError`.

    ``called`` stands before a haystack in errors; ``may_be_catalogues`` tells whether a catalogue may stand for one.
    """
    found = _look_up(asked, excludes, follow_symlinks=follow_symlinks)
    roots = _roots(asked, called, found, may_be_catalogues=may_be_catalogues)
    named = found or NOTHING
    folders = {Side.HAYSTACK: tuple(asked.haystack or ()), Side.NEEDLES: tuple(asked.needles or ())}
    folders[named.side] += tuple(named.folders)
    return Places(roots, named, folders[Side.HAYSTACK], folders[Side.NEEDLES])


def _look_up(asked: Asked, excludes: Excludes, *, follow_symlinks: bool) -> Named | None:
    """What the list names, of whichever side it is."""
    if asked.listed_needles is not None:
        return look_up(asked.listed_needles, excludes, Side.NEEDLES, follow_symlinks=follow_symlinks)
    if asked.listed_haystack is not None:
        return look_up(asked.listed_haystack, excludes, Side.HAYSTACK, follow_symlinks=follow_symlinks)
    return None


def _roots(asked: Asked, called: str, named: Named | None, *, may_be_catalogues: bool) -> tuple[Root, ...]:
    haystack, needles = asked.haystack, asked.needles
    if named is not None and named.side is Side.HAYSTACK:
        folders = [*(haystack or ()), *named.folders]
        return haystack_roots(folders, called, may_be_catalogues=may_be_catalogues) if folders else ()
    if haystack is None:
        return ()
    if named is not None:
        return make_roots(haystack, [*(needles or ()), *named.folders], may_lack_needles=True)
    if needles is None:
        return haystack_roots(haystack, called, may_be_catalogues=may_be_catalogues)
    return make_roots(haystack, needles)
