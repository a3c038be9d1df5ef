"""The table of file systems: what each keeps, and why it is said so."""

from __future__ import annotations

import pytest

from dupfind.sources.file_systems import LOCAL, TABLE, file_system


@pytest.mark.parametrize("kind", TABLE)
def test_each_is_reasoned_and_consistent(kind: str) -> None:
    """What forgets gives no numbers to go by, and has a clock; what is remote shows others."""
    system = file_system(kind)
    assert len(system.reason) > 20
    assert system.clock_ns >= 1
    assert system.keeps_change_time or not system.keeps_numbers
    assert system.shows_others or not system.is_remote
    assert system.is_remote or not system.is_device
    assert not (system.is_vague and system.keeps_change_time)


@pytest.mark.parametrize(
    "kind",
    ["vfat", "msdos", "exfat", "fuseblk", "fuse.exfat", "fuse.sshfs", "fuse.rclone", "fuse.gvfsd-fuse", "cifs", "smb3",
     "vboxsf", "davfs", "fuse", "fuse.what-nobody-knows", "afs"],
)  # fmt: skip
def test_what_keeps_no_time_of_change(kind: str) -> None:
    """An edit that puts the old time back leaves no trace there."""
    assert not file_system(kind).keeps_change_time


@pytest.mark.parametrize(
    "kind",
    ["ext4", "btrfs", "xfs", "ntfs3", "ntfs-3g", "nfs4", "overlay", "9p", "virtiofs", "fuse.mergerfs", "", "fusectl"],
)
def test_what_does(kind: str) -> None:
    """And is remembered therefore."""
    assert file_system(kind).keeps_change_time


def test_what_shows_files_of_others() -> None:
    """Shares, pools, layers and whatever is behind FUSE; not disks, cards and what is mounted from a device."""
    shows = ("nfs", "cifs", "overlay", "aufs", "ecryptfs", "9p", "virtiofs", "vboxsf", "fuse.x", "fuse")
    assert all(file_system(kind).shows_others for kind in shows)
    assert not any(file_system(kind).shows_others for kind in ("ext4", "vfat", "exfat", "fuseblk", "ntfs3", "ntfs-3g"))
    assert file_system("zfs") is LOCAL
