"""What is mounted where, and which file systems forget: they keep no time of change, and make up the inode numbers.

There, a file that was edited and got its old time back is not told from the old one, and gets another number whenever
the system was out of memory: only its path on the file system tells that it is the same one.
:mod:`dupfind.sources.file_systems` has the table of types.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from dupfind.sources.entries import number_of
from dupfind.sources.file_systems import FileSystem, file_system
from dupfind.sources.normal_form import folded_path
from dupfind.values import FolderId, Tree

_TABLE = "/proc/self/mountinfo"
_UDEV = "/run/udev/data"
_BLOCK_DEVICES = "/sys/dev/block"
_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One line of the table of mounts."""

    device: int
    """``st_dev`` of what lies on it, but where that has several of its own (btrfs, overlay)."""
    inner: str
    """The folder of the file system that is shown, ``/`` for the whole of it."""
    point: str
    """Where it is shown."""
    kind: str
    """Type of the file system: ``ext4``, ``fuse.sshfs``."""
    source: str
    """What it was mounted from: ``/dev/sdb1``, ``me@nas:/photos``; a blank in it is written ``\\040``."""

    @property
    def system(self) -> FileSystem:
        """What its type keeps."""
        return file_system(self.kind)


@dataclass(frozen=True)
class Mounts:
    """The table of mounts, read once; empty where the system has none."""

    lines: tuple[Mount, ...] = ()
    backing: Mapping[int, str] = field(default_factory=dict)
    """By device, what a loop device shows, for those of ``lines`` that lie on one."""

    @cached_property
    def by_device(self) -> dict[int, tuple[str, str]]:
        """The type and the source of each mounted device."""
        return {line.device: (line.kind, line.source) for line in self.lines}

    @cached_property
    def forgetful(self) -> dict[int, str]:
        """The devices (``st_dev``) of forgetful file systems with their types."""
        kinds = {device: kind for device, (kind, _) in self.by_device.items()}
        return {device: kind for device, kind in kinds.items() if not file_system(kind).keeps_change_time}

    @cached_property
    def patchwork(self) -> frozenset[int]:
        """The devices of forgetful file systems and of those that put their folders together from several others.

        mergerfs shows the times of one of them, so that a file made in another changes no time of the folder.
        """
        kinds = {device: kind for device, (kind, _) in self.by_device.items()}
        joined = {device for device, kind in kinds.items() if file_system(kind).joins_folders}
        return frozenset(joined | self.forgetful.keys())

    @cached_property
    def _by_point(self) -> dict[str, Mount]:
        return {line.point: line for line in self.lines}  # what was mounted last hides what was there

    def around(self, path: str) -> Mount | None:
        """Return the mount that ``path`` lies on, which is absolute and without links; None where that is unknown."""
        below = ""
        while path != below:
            if path in self._by_point:
                return self._by_point[path]
            path, below = os.path.dirname(path), path
        return None

    def place(self, path: str) -> tuple[object, str] | None:
        """Return which file system ``path`` lies on, and where on it, whatever it is mounted as; None where unknown.

        Two mounts of one device, and two loop devices of one image, are one file system.
        """
        mount = self.around(path)
        if mount is None:
            return None
        below = path[len(mount.point.rstrip(os.sep)) :].lstrip(os.sep)
        inner = os.path.join(mount.inner, below) if below else mount.inner
        if mount.system.ignores_case:
            inner = folded_path(inner)
        return self.backing.get(mount.device, mount.device), inner

    def folder_id(self, path: str, device: int) -> FolderId | None:
        """Return what a folder on a forgetful device is known by, as its inode number will not last; None elsewhere.

        It is made of the place, and negative, so that it never equals a number.
        """
        if device not in self.forgetful or (place := self.place(path)) is None:
            return None
        return device, ~number_of(os.fsencode(place[1]))


NO_MOUNTS = Mounts()


def read_mounts() -> Mounts:
    """Read the table of mounts; there are none where the system does not tell."""
    with suppress(OSError), open(_TABLE, encoding="utf-8", errors="surrogateescape", newline="\n") as table:
        lines = tuple(map(_with_known_kind, parse(table.read())))
        backing = {line.device: name for line in lines if (name := _backing(line.device)) is not None}
        return Mounts(lines, backing)
    return NO_MOUNTS


def parse(table: str) -> list[Mount]:
    """Return the lines of the text of ``/proc/self/mountinfo``, see proc(5); lines of another kind are skipped.

    Of all that ends lines and words somewhere, only the newline and the blank do here: the rest stands in names as is.

    >>> parse("36 35 8:17 / /media/card rw,noatime shared:1 - exfat /dev/sdb1 rw")
    [Mount(device=2065, inner='/', point='/media/card', kind='exfat', source='/dev/sdb1')]
    """
    lines = []
    for line in table.split("\n"):
        of_mount, _, of_system = line.partition(" - ")
        with suppress(LookupError, ValueError, OverflowError):
            words = of_mount.split(" ")
            major, minor = map(int, words[2].split(":"))
            kind, _, behind = of_system.partition(" ")
            source = behind.partition(" ")[0]
            lines.append(Mount(os.makedev(major, minor), _plain(words[3]), _plain(words[4]), kind, source))
    return lines


def _plain(name: str) -> str:
    """Return a name without the escapes for blanks, tabs, newlines and backslashes."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), name)


def _with_known_kind(line: Mount) -> Mount:
    """Tell NTFS from exFAT, which both are ``fuseblk``, where udev has looked into the device; WebDAV by its URL."""
    if line.kind == "fuseblk" and "E:ID_FS_TYPE=ntfs" in lines_of(f"{_UDEV}/b{_numbers(line.device)}"):
        return line._replace(kind="ntfs-3g")
    if line.kind == "fuse" and line.source.startswith(("http://", "https://")):
        return line._replace(kind="davfs")
    return line


def _backing(device: int) -> str | None:
    """Return what a loop device shows, and from which byte on; None for other devices."""
    folder = f"{_BLOCK_DEVICES}/{_numbers(device)}"
    if os.path.exists(f"{folder}/partition"):
        folder, start = f"{folder}/..", lines_of(f"{folder}/start")[:1]
    else:
        start = ["0"]
    image = lines_of(f"{folder}/loop/backing_file")[:1]
    return ":".join([*image, *lines_of(f"{folder}/loop/offset")[:1], *start]) if image else None


def _numbers(device: int) -> str:
    return f"{os.major(device)}:{os.minor(device)}"


def lines_of(path: str) -> list[str]:
    """Return the lines of a file in which the system tells something; none where it does not."""
    with suppress(OSError), open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read().splitlines()
    return []


def forgetting(
    trees: Iterable[Tree], forgetful: Mapping[int, str], so: str = "what is read there is not remembered"
) -> Iterator[str]:
    """Yield a line for each tree that lies on one of the ``forgetful`` devices,
    for the user: ``so`` is what follows.
    """
    for tree in trees:
        kinds = sorted({forgetful[device] for device, _ in tree.folders if device in forgetful})
        if kinds:
            yield f"{tree.root.given} is on {' and '.join(kinds)}, which keeps no time of change: {so}"
