"""One file met twice: what another mount, a pool, a share or a layer shows of a needle is no witness of it.

mergerfs, sshfs, overlayfs and their like number the files of others anew, so that the number does not tell that a
needle lies in the haystack as well. Its size and times are handed on; that all three are equal to the nanosecond is no
chance, but where a file system keeps no time of change: there a copy that kept its time is taken for the file itself.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from operator import itemgetter

from dupfind.values import FileEntry, Problem, Tree

_INODE = itemgetter(FileEntry._fields.index("inode"))


def without_needles(
    tree: Tree, needles: Sequence[FileEntry], inodes: AbstractSet[int], renumbering: Collection[int]
) -> Tree:
    """Leave out what may be a needle itself, reached by another mount.

    Size, times and inode are all equal then, or the first two where files are numbered anew. A hard link is told from
    it by its device and its count of links.
    """
    doubtful = disguised(tree.entries, needles, renumbering) if renumbering else []
    if not inodes.isdisjoint(map(_INODE, tree.entries)):
        same_inode = [entry for entry in tree.entries if entry.inode in inodes]
        states = {entry[1:]: entry.path for entry in needles}
        same_state = [entry for entry in same_inode if entry[1:] in states]
        doubtful += [entry for entry in same_state if not _is_link(entry, states[entry[1:]])]
    doubtful = list(dict.fromkeys(doubtful))
    if not doubtful:
        return tree
    reason = "left out: it may be a needle itself, reached by another mount"
    problems = [
        Problem(tree.root.shown(entry.path), tree.root.side, "walk", reason, is_note=True) for entry in doubtful
    ]
    left_out = set(doubtful)
    entries = [entry for entry in tree.entries if entry not in left_out]
    return replace(tree, entries=entries, problems=[*tree.problems, *problems])


def _look(path: str) -> os.stat_result:
    return os.stat(path)


def _is_link(entry: FileEntry, needle: str) -> bool:
    try:
        one, other = _look(entry.path), _look(needle)
    except OSError:
        return False
    return one.st_dev == other.st_dev and one.st_ino == other.st_ino and one.st_nlink > 1


def disguised(
    entries: Sequence[FileEntry], needles: Sequence[FileEntry], renumbering: Collection[int]
) -> list[FileEntry]:
    """Those of the haystack's ``entries`` that may be one of ``needles``, on another device, under another number.

    ``renumbering`` are devices that number files anew, see :func:`dupfind.files.mounts.renumbering_devices`.
    """
    paths: dict[tuple[object, ...], list[str]] = {}
    for needle in needles:
        paths.setdefault(needle[1:4], []).append(needle.path)
    return [
        entry
        for entry in entries
        if any(is_disguised(entry.path, path, renumbering) for path in paths.get(entry[1:4], ()))
    ]


def is_disguised(path: str, other: str, renumbering: Collection[int]) -> bool:
    """Whether two files of equal size and times may be one, because the device of either numbers files anew."""
    try:
        one, two = _look(path).st_dev, _look(other).st_dev
    except OSError:  # gone since it was walked: no witness either way
        return True
    return one != two and (one in renumbering or two in renumbering)
