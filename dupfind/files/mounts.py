"""What is mounted, and which file systems forget: they keep no time of change, and make up the numbers of inodes.

FAT and exFAT keep no ctime on the disk, Linux shows the time of modification in its place and gives an inode another
number whenever it was out of memory; so do what is mounted by SFTP and most of what is mounted by FUSE. There, a file
that was edited and got its old time back is not told from the old one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from dupfind.values import Tree

_TABLE = "/proc/self/mountinfo"
_FORGETFUL = frozenset({"exfat", "fuse", "fuse.exfat", "fuse.sshfs", "msdos", "vfat"})
_FAITHFUL_FUSE = frozenset({"fuse.bindfs", "fuse.glusterfs", "fuse.gocryptfs", "fuse.mergerfs"})
"""These hand on what the file systems below them say. Others behind FUSE are not known to: rclone does not."""
_RENUMBERING = frozenset({"9p", "aufs", "cifs", "ecryptfs", "fuse", "overlay", "smb3", "virtiofs"})


def forgetful_devices() -> dict[int, str]:
    """The devices (``st_dev``) of forgetful file systems with their types; none where the system tells of no mounts."""
    return {device: kind for device, (kind, _) in mounted().items() if _is_forgetful(kind)}


def patchwork_devices() -> frozenset[int]:
    """The devices of forgetful file systems and of those that put their folders together from several others.

    mergerfs shows the times of one of them, so that a file made in another changes no time of the folder.
    """
    return frozenset(device for device, (kind, _) in mounted().items() if _may_be_patchwork(kind))


def renumbering_devices() -> frozenset[int]:
    """The devices of file systems that give files of others numbers of their own: pools, layers, shares."""
    return frozenset(device for device, (kind, _) in mounted().items() if _renumbers(kind))


def mounted() -> dict[int, tuple[str, str]]:
    """The type and the source of each mounted device; none where the system does not tell."""
    with suppress(OSError), open(_TABLE, encoding="utf-8", errors="surrogateescape", newline="\n") as table:
        return parse(table.read())
    return {}


def parse(table: str) -> dict[int, tuple[str, str]]:
    """The same of the text of ``/proc/self/mountinfo``, see proc(5); lines of another kind are passed over.

    Of all that ends lines and words somewhere, only the newline and the blank do here: the rest stands in names as is.

    >>> parse("36 35 8:17 / /media/card rw,noatime shared:1 - exfat /dev/sdb1 rw")
    {2065: ('exfat', '/dev/sdb1')}
    """
    found: dict[int, tuple[str, str]] = {}
    for line in table.split("\n"):
        of_mount, _, of_system = line.partition(" - ")
        with suppress(LookupError, ValueError):
            major, minor = map(int, of_mount.split(" ")[2].split(":"))
            kind, _, behind = of_system.partition(" ")
            found[os.makedev(major, minor)] = kind, behind.partition(" ")[0]
    return found


def _may_be_patchwork(kind: str) -> bool:
    return kind in _FORGETFUL or kind == "aufs" or kind.startswith("fuse.")


def _renumbers(kind: str) -> bool:
    return kind in _RENUMBERING or kind.startswith("fuse.")


def _is_forgetful(kind: str) -> bool:
    return kind in _FORGETFUL or (kind.startswith("fuse.") and kind not in _FAITHFUL_FUSE)


def forgetting(
    trees: Iterable[Tree], forgetful: Mapping[int, str], so: str = "what is read there is not remembered"
) -> Iterator[str]:
    """A line for each tree that lies on one of the ``forgetful`` devices, for the user: ``so`` is what follows."""
    for tree in trees:
        kinds = sorted({forgetful[device] for device, _ in tree.folders if device in forgetful})
        if kinds:
            yield f"{tree.root.given} is on {' and '.join(kinds)}, which keeps no time of change: {so}"
