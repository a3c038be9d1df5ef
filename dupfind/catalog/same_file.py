"""Which files of a catalog may be the needles themselves, the drive being plugged in again; pure.

A catalog of a drive has every file of it, so if the drive itself were searched for, everything on it would be
"contained": in itself. No name tells: the drive may be mounted elsewhere, its folders renamed, its files moved from
what was listed to what is to be deleted. What tells is the number of a file (inode) on one file system. Where there is
no such number, or nobody knows which file system it is, what is alike is taken for the same: a copy that is not
recognised as one costs a second look, a file that proves itself is lost.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum

from dupfind.catalog.volumes import Volume
from dupfind.sources.file_systems import TICK_NS, file_system, is_one_time, keys_near, time_key
from dupfind.sources.normal_form import composed
from dupfind.values import FileEntry


class Relation(IntEnum):
    """How the file systems of a catalog are to those of needles, the less dangerous first."""

    OTHER = 0
    """Certainly others."""
    UNKNOWN = 1
    SAME = 2


def relation(listed: Sequence[Volume], needles: Sequence[Volume]) -> Relation:
    """Return the most dangerous one of any two of them; unknown where there is nothing to go by."""
    return max((_relation(first, second) for first in listed for second in needles), default=Relation.UNKNOWN)


def _relation(first: Volume, second: Volume) -> Relation:
    # Asked in two ways, one file system may have two names: only those of one scheme are compared.
    if first.uuid and second.uuid and first.scheme == second.scheme:
        if first.uuid != second.uuid:
            return Relation.OTHER
        return Relation.UNKNOWN if first.is_numbered_apart or second.is_numbered_apart else Relation.SAME
    is_one_device = bool(first.boot) and (first.boot, first.device) == (second.boot, second.device)
    return Relation.SAME if is_one_device else Relation.UNKNOWN


def have_numbers(volumes: Iterable[Volume]) -> bool:
    """Tell whether every file on these has a number that stays."""
    return all(file_system(volume.kind).keeps_numbers for volume in volumes)


def must_be_seen(how: Relation, *, is_root_here: bool) -> bool:
    """Tell whether a listed file may prove something only where it is seen to be there now.

    The drive is here, so what it lists may have been made into the needles since: written anew under another number,
    copied and deleted. ``is_root_here`` tells whether there is something now where the listed folder was.
    """
    return how is Relation.SAME or (how is Relation.UNKNOWN and is_root_here)


def is_as_listed(listed: FileEntry, now: FileEntry, *, are_numbered: bool) -> bool:
    """Tell whether a file is what was listed in its place; ``are_numbered`` is what :func:`have_numbers` says of it."""
    is_one_number = listed.inode == now.inode or not are_numbered or listed.inode == 0
    return is_one_number and listed[1:4] == now[1:4]


def themselves(
    listed: Sequence[FileEntry],
    needles: Iterable[FileEntry],
    how: Relation,
    former: Callable[[str], str],
    *,
    are_numbered: bool,
    is_elsewhere: bool = False,
) -> set[str]:
    """Return the paths of those files of a catalog that may be one of ``needles``.

    ``former`` gives where a file of it was when it was listed; ``are_numbered`` is what :func:`have_numbers` says of
    all file systems of both sides. ``is_elsewhere`` is the word of a person that none is: against numbers and paths
    that say otherwise it does not count, against names and times that are alike it does.
    """
    inodes, sizes = {entry.inode for entry in listed}, {entry.size_bytes for entry in listed}
    are_numbered = are_numbered and 0 not in inodes
    inodes.discard(0)
    by_inode: dict[int, list[FileEntry]] = defaultdict(list)
    alike = _Alike()
    paths = set()
    for needle in needles:
        if needle.inode in inodes:
            by_inode[needle.inode].append(needle)
        if how is not Relation.OTHER:
            paths.add(composed(needle.path))
            is_vague = not (are_numbered and needle.inode)
            if needle.size_bytes in sizes and is_vague and not is_elsewhere:
                alike.add(needle)
    return {
        entry.path
        for entry in listed
        if any(_is_it(entry, needle, how) for needle in by_inode.get(entry.inode, ()))
        or (how is not Relation.OTHER and composed(former(entry.path)) in paths)
        or alike.has(entry)
    }


def _is_it(entry: FileEntry, needle: FileEntry, how: Relation) -> bool:
    """Tell whether two files of one number may be one: by what a change of its name, times or content leaves."""
    match how:
        case Relation.SAME:
            return True
        case Relation.UNKNOWN:
            is_one_name = _name(entry) == _name(needle)
            return is_one_name or entry.size_bytes == needle.size_bytes or entry.mtime_ns == needle.mtime_ns
        case Relation.OTHER:  # a clone of a disk that was given a number of its own afterwards
            return entry[1:] == needle[1:]


class _Alike:
    """Files without numbers to go by: two of one size and one time, or one name, may be one file.

    Looked up, and not compared with each of their size: raw pictures of one camera may all have one.
    """

    def __init__(self) -> None:
        self._names: set[tuple[int, str]] = set()
        self._times: dict[tuple[int, tuple[int, int]], set[int]] = defaultdict(set)

    def add(self, entry: FileEntry) -> None:
        """Add a file."""
        size_bytes = entry.size_bytes
        self._names.add((size_bytes, _name(entry).casefold()))
        self._times[size_bytes, time_key(entry.mtime_ns)].add(entry.mtime_ns)

    def has(self, entry: FileEntry) -> bool:
        """Tell whether a file may be one of those that were added."""
        size_bytes, mtime_ns = entry.size_bytes, entry.mtime_ns
        if not self._names:
            return False
        if (size_bytes, _name(entry).casefold()) in self._names:
            return True
        return any(
            is_one_time(mtime_ns, time_ns, TICK_NS + 1)
            for key in keys_near(mtime_ns)
            for time_ns in self._times.get((size_bytes, key), ())
        )


def _name(entry: FileEntry) -> str:
    """Return the name of a file in one form: a Mac may have listed it in another than the needles have it in."""
    return composed(entry.path.rpartition(os.sep)[2])
