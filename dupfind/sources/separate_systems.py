"""Whether two folders lie on file systems that are certainly two, where times cannot tell a copy from the file itself.

``statvfs`` of a share gives the size of the file system that holds the file, on whatever machine. Where it is another
size than that of the other folder's, a file there is another file. A pool of several disks and a quota have sizes of
their own; so a share of this machine, or two shares of one machine, are never certainly two file systems.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from dupfind.sources.mounts import Mount, lines_of

if TYPE_CHECKING:
    import ipaddress

_LOCAL_NAMES = frozenset({"", "localhost", "ip6-localhost", "ip6-loopback"})
_GUEST_HOST = "the machine around this one"
_GUEST_KINDS = frozenset({"vboxsf", "prl_fs", "vmhgfs", "fuse.vmhgfs-fuse"})
_OF_SHARE = re.compile(r"^//(?:[^@/]*@)?([^/]+)/")
_OF_URL = re.compile(r"^https?://(?:[^@/]*@)?(\[[^\]]+\]|[^:/\[]+)")
_OF_PATH = re.compile(r"^(?:[^@:/]*@)?(\[[^\]]+\]|[^:/\[]+):")
_OF_GVFS = re.compile(r"^[a-z0-9-]+:(?:.*,)?(?:host|server)=([^,]+)")
_GVFS_DEVICES = ("mtp:", "gphoto2:", "afc:")
_TOLERANCE, _LOOKS = 1000, 3
"""The part of a file system's size within which two numbers may be one that changed between two looks; and how often to
look, so that a file which comes and goes in between makes no difference."""


class Room(NamedTuple):
    """How large a file system is, and how much of it is free, in bytes."""

    size_bytes: int
    free_bytes: int


def are_two(mount: Mount, folder: str, other_mount: Mount, other: str) -> bool:
    """Tell whether ``folder`` and ``other`` certainly lie on two file systems, by their size and by whose they are.

    Both are absolute and without links, each with the mount that it lies on.
    """
    if mount.system.is_remote and other_mount.system.is_remote:
        tell_sizes = mount.system.tells_whole_space and other_mount.system.tells_whole_space
        are_apart = tell_sizes and _are_two_hosts(host_of(mount, folder), host_of(other_mount, other))
        return are_apart and _differ(folder, other, is_free_told=True)
    if other_mount.system.is_remote:
        mount, folder, other_mount, other = other_mount, other, mount, folder
    if not mount.system.is_remote:
        return False
    if mount.system.is_device or _below(mount, folder).startswith(_GVFS_DEVICES):
        return True
    host = host_of(mount, folder)
    if host is None:
        return not other_mount.system.shows_others and _is_smaller(folder, other)
    return not is_this_machine(host) and _differ(folder, other, is_free_told=mount.system.tells_whole_space)


def _below(mount: Mount, path: str) -> str:
    """Return the first folder of ``path`` on the mount of GNOME's virtual file systems, which has one for each."""
    if mount.kind != "fuse.gvfsd-fuse":
        return ""
    return path[len(mount.point) :].lstrip(os.sep).partition(os.sep)[0]


def host_of(mount: Mount, path: str) -> str | None:
    """Return the name or the address of the machine whose files a mount shows; None where that is unknown.

    The empty name is this machine.
    """
    if not mount.system.is_remote:
        return ""
    if mount.kind in _GUEST_KINDS:
        return _GUEST_HOST
    if mount.kind == "fuse.gvfsd-fuse":
        match = _OF_GVFS.match(_below(mount, path))
    elif mount.kind == "davfs":
        match = _OF_URL.match(mount.source)
    elif mount.kind in ("nfs", "nfs4", "fuse.sshfs"):
        match = _OF_PATH.match(mount.source)
    else:
        match = _OF_SHARE.match(mount.source) if mount.kind in ("cifs", "smb3", "smbfs") else None
    return match[1].strip("[]").casefold() if match else None


def is_this_machine(host: str) -> bool:
    """Tell whether a name or an address is of this machine, as far as that shows without asking the network."""
    address = _address(host)
    if address is not None:
        return address.is_loopback or address.is_unspecified or str(address) in _own_addresses()
    own = os.uname().nodename.casefold() if hasattr(os, "uname") else ""
    return host in _LOCAL_NAMES or host.partition(".")[0] == own.partition(".")[0]


def _are_two_hosts(host: str | None, other: str | None) -> bool:
    """Tell whether two names, or two addresses, are of two machines; a name and an address may be of one."""
    if host is None or other is None:
        return False
    address, other_address = _address(host), _address(other)
    if address is not None or other_address is not None:
        return None not in (address, other_address) and address != other_address
    return host.partition(".")[0] != other.partition(".")[0]


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    import ipaddress  # loaded where there is a share only

    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _own_addresses() -> frozenset[str]:
    """Return the addresses of this machine, by the kernel's tables; see proc(5) for their form."""
    addresses = set()
    before = ""
    for line in lines_of("/proc/net/fib_trie"):  # an own address is a line above "/32 host LOCAL"
        if "/32 host LOCAL" in line:
            addresses.add(before.rsplit(maxsplit=1)[-1])
        before = line if line.strip() else before
    for line in lines_of("/proc/net/if_inet6"):
        own = _address(":".join(re.findall("....", line.split()[0])))
        addresses.add(str(own))
    return frozenset(addresses)


def look(folder: str) -> Room | None:
    """Return how large the file system of ``folder`` is; None where it does not say so, or makes the numbers up.

    Where a server does not tell, sshfs and rclone show a round number, all of it free.
    """
    try:
        volume = os.statvfs(folder)
    except (OSError, AttributeError):  # Windows has none
        return None
    if volume.f_blocks == 0 or volume.f_bfree >= volume.f_blocks:
        return None
    return Room(*(blocks * volume.f_frsize for blocks in (volume.f_blocks, volume.f_bfree)))


def _differ(share: str, folder: str, *, is_free_told: bool) -> bool:
    """Tell whether two folders lie on file systems of two sizes, or with other amounts of free space.

    What is free counts where ``is_free_told``: some shares tell what a quota leaves, or what was free a while ago.
    """
    return all(_differ_now(share, folder, is_free_told=is_free_told) for _ in range(_LOOKS))


def _differ_now(share: str, folder: str, *, is_free_told: bool) -> bool:
    before, shown, after = look(folder), look(share), look(folder)
    if before is None or shown is None or after is None:
        return False
    tolerance = max(before.size_bytes, shown.size_bytes) // _TOLERANCE
    if abs(before.size_bytes - shown.size_bytes) > tolerance:
        return True
    # Something may be written while we look, so what counts is what is free before and after.
    free = [before.free_bytes, after.free_bytes]
    return is_free_told and not min(free) - tolerance <= shown.free_bytes <= max(free) + tolerance


def _is_smaller(share: str, folder: str) -> bool:
    """Tell whether what a share shows is too small to be a pool that the file system of ``folder`` is a part of."""
    shown, local = look(share), look(folder)
    if shown is None or local is None:
        return False
    return local.size_bytes - shown.size_bytes > local.size_bytes // _TOLERANCE
