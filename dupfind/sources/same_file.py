"""Whether two entries are one file: nothing is a witness of itself, under whatever name, by whatever mount it is met.

On one file system the inode number tells, or the path where numbers do not last. What shows files of other file
systems (sshfs, mergerfs, overlayfs and their like) numbers them anew. Their size and times are handed on, as far as the
protocol goes, and are compared at the coarser clock of the two. The time of change counts where both sides keep it: no
copy has it. Where one does not, a copy that kept its time looks the same as the file itself, and is taken for it unless
:mod:`dupfind.sources.separate_systems` shows that there are two file systems.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from dupfind.errors import SettingsError
from dupfind.sources import separate_systems
from dupfind.sources.file_systems import QUARTER_NS, TICK_NS, is_one_time
from dupfind.sources.mounts import Mount, Mounts, read_mounts
from dupfind.sources.normal_form import folded_path
from dupfind.sources.roots import NamedFile
from dupfind.values import FileEntry, Problem, Side, Tree, is_below

ITSELF = "left out: it may be a needle itself, reached by another mount"
_SHOWN_LATE_NS = 2 * 86_400 * 10**9
"""How long a share may show old times: sshfs 20 seconds, and with options that are often recommended 32 hours."""
_SLOTS = QUARTER_NS // TICK_NS


class SameFile:
    """Tells whether two entries are one file, by one reading of the table of mounts."""

    def __init__(self, mounts: Mounts | None = None) -> None:
        self._mounts = read_mounts() if mounts is None else mounts
        self._folders: dict[str, str] = {}
        """Folders without links, by how they were spelt."""
        self._are_two: dict[tuple[str, str], bool] = {}
        """What was found of two folders: whether they certainly lie on two file systems."""

    def is_itself(self, entry: FileEntry, needle: FileEntry) -> bool:
        """Tell whether a haystack entry is the needle by the same name, by a link, or by another mount.

        A hard link in another folder or under another name is a file of its own, as in a scan: deleting one leaves the
        other. Of an entry that is not on disk only its path tells: its source has left out what may be a needle.
        """
        if entry.path == needle.path:
            return True
        if entry.size_bytes != needle.size_bytes or not (entry.is_on_disk and needle.is_on_disk):
            return False
        if entry.inode != needle.inode or not entry.inode:
            return _are_alike(entry, needle) and self.is_disguised(entry, needle)
        real = os.path.realpath(entry.path)
        try:
            state, needle_state = os.stat(real), os.stat(needle.path)
            is_same_folder = os.path.samefile(os.path.dirname(real), os.path.dirname(needle.path))
        except OSError:
            return True  # gone since it was walked: no witness either way
        if not os.path.samestat(state, needle_state):  # another device, which may be another mount of the same one
            times = state.st_mtime_ns, state.st_ctime_ns
            is_one_state = times == (needle_state.st_mtime_ns, needle_state.st_ctime_ns)
            return (state.st_size == needle_state.st_size and is_one_state) or self.is_disguised(entry, needle)
        # Nobody knows whether the file system tells the case of letters, or forms of Unicode, apart.
        name, needle_name = os.path.basename(real), os.path.basename(needle.path)
        is_same_name = is_same_folder and folded_path(name) == folded_path(needle_name)
        return state.st_nlink == 1 or is_same_name or self.is_one_place(entry.path, needle.path)

    def is_one_place(self, path: str, other: str) -> bool:
        """Tell whether two paths are one name of a file: where a file is mounted, its other links do not save it."""
        place = self._mounts.place(os.path.realpath(path))
        return place is not None and place == self._mounts.place(os.path.realpath(other))

    def may_be_disguised(self, trees: Iterable[Tree]) -> bool:
        """Tell whether any of ``trees`` has files whose inode number does not tell which file they are."""
        trees = list(trees)
        devices = {device for tree in trees for device, _ in tree.folders}
        kinds = {self._mounts.by_device[device] for device in devices & self._mounts.by_device.keys()}
        lines = {line for line in self._mounts.lines if (line.kind, line.source) in kinds}
        # Of some file systems (btrfs, overlay) the table does not have the device of each folder.
        lines |= {line for tree in trees if (line := self._mounts.around(tree.root.real)) is not None}
        # A file may be mounted by itself.
        lines |= {line for line in self._mounts.lines if any(is_below(line.point, tree.root.real) for tree in trees)}
        return any(line.system.shows_others or not line.system.keeps_numbers for line in lines)

    def disguised(self, entries: Sequence[FileEntry], needles: Iterable[FileEntry]) -> list[FileEntry]:
        """Return those of ``entries`` that may be one of ``needles`` under another number, in their order."""
        index = Lookalikes(needles)
        return [entry for entry in entries if any(self.is_disguised(entry, needle) for needle in index.of(entry))]

    def is_disguised(self, entry: FileEntry, needle: FileEntry) -> bool:
        """Tell whether two files may be one, although their numbers do not say so."""
        if entry.size_bytes != needle.size_bytes or not (entry.is_on_disk and needle.is_on_disk):
            return False
        try:
            path, other = self._real(entry.path), self._real(needle.path)
        except OSError:  # gone since it was walked: no witness either way
            return True
        mount, other_mount = self._mounts.around(path), self._mounts.around(other)
        if mount is None or other_mount is None:
            return False
        place, other_place = self._mounts.place(path), self._mounts.place(other)
        if place is not None and other_place is not None and place[0] == other_place[0]:
            return place == other_place or (
                # Nobody knows whether another machine tells the case of letters apart.
                mount.system.is_remote
                and folded_path(place[1]) == folded_path(other_place[1])
                and _is_one_state(entry, mount, needle, other_mount)
            )
        if not (mount.system.shows_others or other_mount.system.shows_others):
            return False
        return _is_one_state(entry, mount, needle, other_mount) and not self._certainly_two(
            mount, os.path.dirname(path), other_mount, os.path.dirname(other)
        )

    def _real(self, path: str) -> str:
        """Return ``path`` without links; raises :class:`OSError` where nothing is there any more."""
        if os.path.islink(path):
            return os.path.realpath(path, strict=True)
        os.lstat(path)
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)

    def _certainly_two(self, mount: Mount, folder: str, other_mount: Mount, other: str) -> bool:
        """Tell whether the folders lie on two file systems; asked once of two folders, as a share answers slowly."""
        if mount.system.keeps_change_time and other_mount.system.keeps_change_time:
            return False  # the time of change has told already
        are_two = self._are_two.get((folder, other))
        if are_two is None:
            are_two = self._are_two[folder, other] = separate_systems.are_two(mount, folder, other_mount, other)
        return are_two


def _is_one_state(entry: FileEntry, mount: Mount, needle: FileEntry, other_mount: Mount) -> bool:
    """Tell whether two files of one size may be one by their times, or by their names where times get lost."""
    clock_ns = max(mount.system.clock_ns, other_mount.system.clock_ns)
    is_one_change = abs(entry.ctime_ns - needle.ctime_ns) < clock_ns
    if _shows_change(entry, mount) and _shows_change(needle, other_mount):
        return is_one_change and abs(entry.mtime_ns - needle.mtime_ns) < clock_ns
    if is_one_time(entry.mtime_ns, needle.mtime_ns, clock_ns):
        return True
    # A share may show for a while what was so before a change; what was touched meanwhile still has its name.
    is_young = time.time_ns() - max(*entry[2:4], *needle[2:4]) < _SHOWN_LATE_NS
    is_vague = mount.system.is_vague or other_mount.system.is_vague
    return (is_vague or is_young) and _name(entry) == _name(needle)


def _shows_change(entry: FileEntry, mount: Mount) -> bool:
    """Tell whether the time of change is one. Nobody knows what FUSE shows; where it is that of modification, none."""
    system = mount.system
    if system.keeps_change_time or not system.is_vague or system.is_remote:
        return system.keeps_change_time
    return entry.ctime_ns > 0 and abs(entry.ctime_ns - entry.mtime_ns) >= system.clock_ns


class Lookalikes:
    """Needles by size and time of modification, and by size and name: all that may be another entry's file."""

    def __init__(self, needles: Iterable[FileEntry]) -> None:
        self._by_time: dict[tuple[int, int], list[FileEntry]] = defaultdict(list)
        self._by_name: dict[tuple[int, str], list[FileEntry]] = defaultdict(list)
        for needle in needles:
            self.add(needle)

    def add(self, needle: FileEntry) -> None:
        """Take in another one."""
        self._by_time[needle.size_bytes, _slot(needle)].append(needle)
        self._by_name[needle.size_bytes, _name(needle)].append(needle)

    def of(self, entry: FileEntry) -> Iterator[FileEntry]:
        """Give those that may be the file of ``entry``, some of them twice."""
        slot = _slot(entry)
        for near in (slot - 1, slot, slot + 1):
            yield from self._by_time.get((entry.size_bytes, near % _SLOTS), ())
        yield from self._by_name.get((entry.size_bytes, _name(entry)), ())


def _are_alike(entry: FileEntry, needle: FileEntry) -> bool:
    """Tell of two files of one size what :class:`Lookalikes` looks up: whether it is worth asking the system."""
    return is_one_time(entry.mtime_ns, needle.mtime_ns) or _name(entry) == _name(needle)


def _slot(entry: FileEntry) -> int:
    """Return which two seconds of a quarter of an hour a file was modified in, whatever the zone of the clock."""
    return entry.mtime_ns % QUARTER_NS // TICK_NS


def _name(entry: FileEntry) -> str:
    return entry.path.rpartition(os.sep)[2].casefold()


def without_needles(
    tree: Tree, needles: Sequence[FileEntry], inodes: Collection[int], same: SameFile, *, numbers_may_lie: bool
) -> Tree:
    """Leave out what may be a needle itself, reached by another way.

    Size, times and inode are all equal then, or what ``same`` compares where ``numbers_may_lie``. A hard link is told
    from it by its device, its count of links, and its place on the file system.
    """
    doubtful = same.disguised(tree.entries, needles) if numbers_may_lie else []
    same_inode = [entry for entry in tree.entries if entry.inode in inodes]
    if same_inode:
        states: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for needle in needles:
            states[needle[1:]].append(needle.path)
        same_state = [entry for entry in same_inode if entry[1:] in states]
        doubtful += [entry for entry in same_state if not _is_link(entry, states[entry[1:]], same)]
    if not doubtful:
        return tree
    left_out = set(doubtful)
    problems = [
        Problem(tree.root.shown(entry.path), tree.root.side, "walk", ITSELF, is_note=True)
        for entry in tree.entries
        if entry in left_out
    ]
    entries = [entry for entry in tree.entries if entry not in left_out]
    return replace(tree, entries=entries, problems=[*tree.problems, *problems])


def without_named(tree: Tree, files: Collection[FileEntry], same: SameFile) -> Tree:
    """Leave out of a tree of the haystack these ``files``, by whatever name it has them: nothing proves itself."""
    of_size: dict[int, list[FileEntry]] = {}
    for entry in files:
        of_size.setdefault(entry.size_bytes, []).append(entry)
    own: dict[str, str] = {}
    for entry in tree.entries:
        for needle in of_size.get(entry.size_bytes, ()):
            if same.is_itself(entry, needle):
                is_one_path = os.path.realpath(entry.path) == os.path.realpath(needle.path)
                is_certain = is_one_path or not same.is_disguised(entry, needle)
                own[entry.path] = "left out: it is among the needles" if is_certain else ITSELF
    if not own:
        return tree
    notes = [Problem(tree.root.shown(path), Side.HAYSTACK, "walk", own[path], is_note=True) for path in sorted(own)]
    entries = [entry for entry in tree.entries if entry.path not in own]
    return replace(tree, entries=entries, problems=[*tree.problems, *notes])


def warnings_of(trees: Iterable[Tree]) -> Iterator[str]:
    """Give a line for each tree of the haystack of which files were left out as :data:`ITSELF`, for the user."""
    for tree in trees:
        count = sum(problem.reason == ITSELF for problem in tree.problems)
        if count:
            files = "1 file is" if count == 1 else f"{count:,} files are"
            yield (
                f"{tree.root.given}: {files} left out: size and times are those of needles, which they may be, reached "
                f"by another mount. If they are copies, run dupfind on the machine that holds them"
            )


def _look(path: str) -> os.stat_result:
    return os.stat(path)


def _is_link(entry: FileEntry, needles: Sequence[str], same: SameFile) -> bool:
    """Tell whether an entry is a further hard link of these ``needles``, which are names of one file."""
    try:
        state, needle_state = _look(entry.path), _look(needles[0])
    except OSError:
        return False
    is_one_inode = state.st_dev == needle_state.st_dev and state.st_ino == needle_state.st_ino
    is_several = is_one_inode and state.st_nlink > 1
    return is_several and not any(same.is_one_place(entry.path, needle) for needle in needles)


def apart(files: Sequence[NamedFile], mounts: Mounts) -> tuple[list[NamedFile], list[NamedFile]]:
    """Return the first of ``files`` and the others, each once, and those of the others that are the first one itself.

    Raises :class:`~dupfind.errors.SettingsError` where nothing is left to compare the first one with.
    """
    first, *rivals = files
    if not rivals:
        raise SettingsError(f"two files are needed at least: what is {first.given} to be compared with?")
    same = SameFile(mounts)
    kept, left_out = {first.entry.path: first}, []
    for rival in rivals:
        if same.is_itself(rival.entry, first.entry):
            left_out.append(rival)
        else:
            kept.setdefault(rival.entry.path, rival)
    if len(kept) == 1:
        raise SettingsError(f"there is nothing to compare {first.given} with but itself")
    return list(kept.values()), left_out
