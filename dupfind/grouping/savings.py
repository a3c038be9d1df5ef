"""Bytes that deleting files would free, and files that are one file under several names; looks at inodes.

A hard link is a file of its own that takes no room of its own. A name that leads to another one of the collection, by
a symbolic link or a second mount, is no copy at all: deleting what it leads to would leave nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from dupfind.reasons import Reason, ReasonCode
from dupfind.sources.same_file import Lookalikes, SameFile
from dupfind.values import FileEntry, Problem, Root, Side, Tree


class Saving(NamedTuple):
    """What deleting one file would free."""

    size_bytes: int
    reason: Reason | None
    """Why it is nothing, or None."""


def each_once(trees: Sequence[Tree], same: SameFile) -> tuple[list[FileEntry], list[Problem]]:
    """Return the files of ``trees`` in their order, each once, and what was left out of them."""
    entries = [(entry, tree.root) for tree in trees for entry in tree.entries]
    by_state: dict[tuple[int, int, int, int], list[tuple[FileEntry, Root]]] = {}
    for pair in entries:
        by_state.setdefault(pair[0][1:], []).append(pair)
    left_out: dict[str, Problem] = {}
    for alike in by_state.values():
        if len(alike) > 1:
            left_out |= _left_out(alike)
    if same.may_be_disguised(trees):
        left_out |= _disguised([pair for pair in entries if pair[0].path not in left_out], same)
    return [entry for entry, _ in entries if entry.path not in left_out], list(left_out.values())


def _disguised(entries: Sequence[tuple[FileEntry, Root]], same: SameFile) -> dict[str, Problem]:
    """Return those that may be another of them under another number, as a pool
    shows the files of its disks, by path.
    """
    kept = Lookalikes([])
    roots: dict[str, Root] = {}
    problems = {}
    for entry, root in entries:
        twin = next((before for before in kept.of(entry) if same.is_disguised(entry, before)), None)
        if twin is None:
            kept.add(entry)
            roots[entry.path] = root
            continue
        reason = f"left out: it may be {roots[twin.path].shown(twin.path)} itself, reached by another mount"
        problems[entry.path] = Problem(root.shown(entry.path), Side.HAYSTACK, "walk", reason, is_note=True)
    return problems


def _left_out(alike: Sequence[tuple[FileEntry, Root]]) -> dict[str, Problem]:
    """Find those that may be another of them, by path, of files with one inode, size and times."""
    kept: dict[str, tuple[str, os.stat_result]] = {}
    problems = {}
    # Names that are no links come first, and of two mounts the lower path.
    for entry, root in sorted(alike, key=lambda pair: (os.path.realpath(pair[0].path) != pair[0].path, pair[0].path)):
        try:
            state = os.stat(entry.path)
        except OSError:
            continue  # gone since it was walked: whoever reads it says so
        real, shown = os.path.realpath(entry.path), root.shown(entry.path)
        # Without a number only the path tells: on such a file system copies that kept their time are usual.
        mounts = (path for path, held in kept.values() if entry.inode and not _are_two_names(state, held))
        mount = next(mounts, None)
        if real in kept:
            reason = f"left out: it leads to {kept[real][0]}"
        elif mount is not None:
            reason = f"left out: it may be {mount} itself, reached by another mount"
        else:
            kept[real] = (shown, state)
            continue
        problems[entry.path] = Problem(shown, Side.HAYSTACK, "walk", reason, is_note=True)
    return problems


def _are_two_names(state: os.stat_result, held: os.stat_result) -> bool:
    """Tell whether the two are hard links to one file; what has other devices may be one file on two mounts."""
    return os.path.samestat(state, held) and state.st_nlink > 1


def savings(
    best: FileEntry,
    removable: Sequence[FileEntry],
    shown: Callable[[str], str],
) -> Mapping[str, Saving]:
    """Compute what deleting each of ``removable`` would free, by path, when all of them go and ``best`` stays.

    A file with several names frees its bytes with the last of them, which are counted at the first; none while a name
    is left, be it that of ``best`` or one outside of the group. What is not on disk has one name.
    """
    kept = _look(best)
    names: dict[tuple[int, int], list[FileEntry]] = {}
    freed: dict[str, Saving] = {}
    links: dict[tuple[int, int], int] = {}
    for entry in removable:
        if not entry.is_on_disk:
            freed[entry.path] = Saving(entry.size_bytes, None)
            continue
        state = _look(entry)
        if state is None:
            freed[entry.path] = Saving(0, Reason(ReasonCode.GONE))
        elif os.path.islink(entry.path):
            freed[entry.path] = Saving(0, Reason(ReasonCode.SYMBOLIC_LINK))
        elif kept is not None and os.path.samestat(state, kept):
            freed[entry.path] = Saving(0, Reason(ReasonCode.HARD_LINK, (shown(best.path),)))
        else:
            key = state.st_dev, state.st_ino
            names.setdefault(key, []).append(entry)
            links[key] = state.st_nlink
    for key, entries in names.items():
        is_last = links[key] <= len(entries)
        first = Saving(entries[0].size_bytes, None) if is_last else Saving(0, Reason(ReasonCode.HARD_LINK_ELSEWHERE))
        freed[entries[0].path] = first
        for entry in entries[1:]:
            counted = Saving(0, Reason(ReasonCode.HARD_LINK_COUNTED, (shown(entries[0].path),)))
            freed[entry.path] = counted if is_last else first
    return freed


def _look(entry: FileEntry) -> os.stat_result | None:
    try:
        return os.stat(entry.path)
    except OSError:
        return None
