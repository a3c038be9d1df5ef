"""Which file system a directory lies on, by what the file system carries itself, so that a drive is known again.

On Linux from the table of mounts and what udev keeps; where there is no udev, as in containers, the file system itself
is asked. On macOS ``diskutil`` tells, on Windows the volume's serial number. What is a share, or put together from
other file systems, is never named so: it would have another name than the disk that holds its files.
"""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from dupfind.sources.mounts import Mounts
from dupfind.values import Root


class Volume(NamedTuple):
    """A file system, as far as the machine can tell one from another; empty texts are what is not known."""

    device: int
    """``st_dev``, which says nothing on another machine or after a restart."""
    boot: str
    """Of the machine on which that was: a new one at each start."""
    kind: str
    """``ext4``, ``vfat``, ``fuse.sshfs``."""
    uuid: str
    """What the file system carries itself, wherever it is plugged in."""
    is_numbered_apart: bool
    """True where several trees of it number their files each from the start, as the subvolumes of btrfs do."""

    @property
    def scheme(self) -> str:
        """Return by whose rules ``uuid`` was made: of one drive each system makes another one."""
        return self.uuid.rpartition(":")[0]


_UUIDS = "/dev/disk/by-uuid"
_BOOT = "/proc/sys/kernel/random/boot_id"
UNKNOWN_VOLUME = Volume(0, "", "", "", is_numbered_apart=True)
"""What lies nobody knows where."""


_UDEV = "/run/udev/data"
_GET_UUID, _UUID_BYTES = 0x80111500, 16
"""``FS_IOC_GETFSUUID`` of Linux since 6.9: gives a byte with the length, and the UUID."""
_TELL_OWN_UUID = frozenset({"ext2", "ext3", "ext4", "xfs", "f2fs"})
"""Types of file systems whose answer is what udev would say. btrfs may make one up for a clone, overlay always does."""
_DISKUTIL, _DISKUTIL_SECONDS = "/usr/sbin/diskutil", 20.0
_LOCAL_DRIVES = frozenset({2, 3})
"""``DRIVE_REMOVABLE`` and ``DRIVE_FIXED`` of Windows; a share has a serial number of its own."""
_KINDS = {"NTFS": "ntfs", "FAT": "vfat", "FAT32": "vfat", "exFAT": "exfat"}
"""What Windows calls file systems of disks, and what :mod:`dupfind.sources.file_systems` does."""
NO_PLACES: Mapping[int, str] = MappingProxyType({})


def volumes_of(
    devices: Iterable[int], mounts: Mounts, places: Mapping[int, str] = NO_PLACES, platform: str = sys.platform
) -> tuple[Volume, ...]:
    """Return the file systems with these ``st_dev``, in the order of their numbers; unknown ones too.

    ``places`` is a folder on each, as far as one is known: for systems that have no table of mounts.
    """
    ordered = sorted(set(devices))
    if (facts := _FACTS.get(platform)) is not None:
        told = ((device, facts(places[device]) if device in places else ("", "")) for device in ordered)
        return tuple(Volume(device, "", kind, uuid, is_numbered_apart=not uuid) for device, (kind, uuid) in told)
    kinds, uuids, boot = mounted(mounts), _uuids(), _text(_BOOT).strip()
    volumes = (describe(device, boot, kinds, uuids, _device_at) for device in ordered)
    points = {line.device: line.point for line in mounts.lines}
    return tuple(
        volume if volume.uuid else volume._replace(uuid=_of_udev(volume) or _of_itself(volume, points))
        for volume in volumes
    )


def _of_udev(volume: Volume) -> str:
    """Return what udev has read of a block device, where its links are not to be seen."""
    if volume.is_numbered_apart:
        return ""
    text = _text(f"{_UDEV}/b{os.major(volume.device)}:{os.minor(volume.device)}")
    prefix = "E:ID_FS_UUID="
    return next((line.removeprefix(prefix) for line in text.splitlines() if line.startswith(prefix)), "")


def _of_itself(volume: Volume, points: Mapping[int, str]) -> str:
    """Ask the file system, through anything that is mounted of it; empty where it does not tell."""
    if volume.kind not in _TELL_OWN_UUID or volume.is_numbered_apart or volume.device not in points:
        return ""
    try:
        import fcntl  # on POSIX only; elsewhere no table of mounts tells of such a volume, or it is not asked
    except ImportError:
        return ""
    try:
        handle = os.open(points[volume.device], os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if os.fstat(handle).st_dev != volume.device:  # something else is mounted over it
                return ""
            answer = fcntl.ioctl(handle, _GET_UUID, bytes(1 + _UUID_BYTES))
        finally:
            os.close(handle)
    except OSError:
        return ""
    return uuid_in(answer)


def uuid_in(answer: bytes) -> str:
    """Return the UUID in what a file system answers, spelt as udev does; empty where it has none.

    >>> uuid_in(bytes([16, *range(1, 17)])), uuid_in(bytes(17))
    ('01020304-0506-0708-090a-0b0c0d0e0f10', '')
    """
    length, uuid = answer[0], answer[1 : 1 + _UUID_BYTES]
    return str(UUID(bytes=uuid)) if length == _UUID_BYTES and any(uuid) else ""


def _of_macos(place: str) -> tuple[str, str]:
    """Return type and UUID of the volume on which a folder lies, as ``diskutil`` tells them."""
    while not os.path.ismount(place):
        place = os.path.dirname(place)
    try:
        told = subprocess.run(  # noqa: S603 - a program of the system, by its whole path
            [_DISKUTIL, "info", "-plist", place], capture_output=True, check=True, timeout=_DISKUTIL_SECONDS
        )
        facts = plistlib.loads(told.stdout)
        kind, uuid = facts.get("FilesystemType", ""), facts.get("VolumeUUID", "")
    except (OSError, subprocess.SubprocessError, plistlib.InvalidFileException, ValueError, AttributeError):
        return "", ""
    return (str(kind), f"macos:{uuid}") if uuid else (str(kind), "")


def _of_windows(place: str) -> tuple[str, str]:
    """Return type and serial number of the volume on which a folder lies; nothing of what is no disk."""
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - it is there on Windows only
    root, system = ctypes.create_unicode_buffer(1 << 15), ctypes.create_unicode_buffer(261)
    serial = ctypes.c_uint32()
    is_disk = kernel.GetVolumePathNameW(place, root, len(root)) and kernel.GetDriveTypeW(root) in _LOCAL_DRIVES
    if not is_disk or not kernel.GetVolumeInformationW(
        root, None, 0, ctypes.byref(serial), None, None, system, len(system)
    ):
        return "", ""
    kind = _KINDS.get(system.value, "")
    return (kind, f"windows:{serial.value:08x}") if kind and serial.value else (kind, "")


_FACTS: Mapping[str, Callable[[str], tuple[str, str]]] = {"darwin": _of_macos, "win32": _of_windows}


def places_of(roots: Iterable[Root]) -> dict[int, str]:
    """Return a folder on each of the file systems on which these roots lie."""
    return {root.identity[0]: root.real for root in roots if root.has_folders and not root.is_catalog}


def mounted(mounts: Mounts) -> Mapping[int, tuple[str, str]]:
    """Return the type and the source of each mounted device."""
    return mounts.by_device


def describe(
    device: int,
    boot: str,
    mounts: Mapping[int, tuple[str, str]],
    uuids: Mapping[int, str],
    device_at: Callable[[str], int | None],
) -> Volume:
    """Describe one file system; ``uuids`` are by the numbers of block devices, of which ``device_at`` gives that of a
    path.

    A device without a number of its own (btrfs) is asked for by where it was mounted from.
    """
    kind, source = mounts.get(device, ("", ""))
    is_block_device = os.major(device) != 0
    block_device = device if is_block_device else device_at(source)
    uuid = "" if block_device is None else uuids.get(block_device, "")
    return Volume(device, boot, kind, uuid, is_numbered_apart=not is_block_device)


def _uuids() -> dict[int, str]:
    uuids: dict[int, str] = {}
    with suppress(OSError):
        for name in os.listdir(_UUIDS):
            device = _device_at(os.path.join(_UUIDS, name))
            if device is not None:
                uuids[device] = name
    return uuids


def _device_at(path: str) -> int | None:
    """Return the number of the block device at ``path``."""
    try:
        return os.stat(path).st_rdev or None
    except (OSError, ValueError):
        return None


def _text(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
    return ""
