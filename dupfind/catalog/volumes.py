"""Which file system a directory lies on, by what the file system carries itself, so that a drive is known again.

On Linux from the table of mounts and the links that udev keeps; elsewhere, and in containers, little is known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from dupfind.sources.mounts import Mounts


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


_UUIDS = "/dev/disk/by-uuid"
_BOOT = "/proc/sys/kernel/random/boot_id"
UNKNOWN_VOLUME = Volume(0, "", "", "", is_numbered_apart=True)
"""What lies nobody knows where."""


def volumes_of(devices: Iterable[int], mounts: Mounts) -> tuple[Volume, ...]:
    """Return the file systems with these ``st_dev``, in the order of their numbers; unknown ones too."""
    kinds, uuids, boot = mounted(mounts), _uuids(), _text(_BOOT).strip()
    return tuple(describe(device, boot, kinds, uuids, _device_at) for device in sorted(set(devices)))


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
    """One file system; ``uuids`` are by the numbers of block devices, of which ``device_at`` gives that of a path.

    A device without a number of its own (btrfs) is asked for by where it was mounted from.
    """
    kind, source = mounts.get(device, ("", ""))
    is_block_device = os.major(device) != 0
    block_device = device if is_block_device else device_at(source)
    uuid = "" if block_device is None else uuids.get(block_device, "")
    return Volume(device, boot, kind, uuid, is_numbered_apart=not is_block_device)


def _uuids() -> dict[int, str]:
    found: dict[int, str] = {}
    with suppress(OSError):
        for name in os.listdir(_UUIDS):
            device = _device_at(os.path.join(_UUIDS, name))
            if device is not None:
                found[device] = name
    return found


def _device_at(path: str) -> int | None:
    """The number of the block device at ``path``."""
    try:
        return os.stat(path).st_rdev or None
    except (OSError, ValueError):
        return None


def _text(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
    return ""
