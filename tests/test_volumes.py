"""Which file system a directory lies on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dupfind.catalog import volumes
from dupfind.catalog.volumes import Volume
from dupfind.sources import mounts

EXT4, BTRFS = os.makedev(8, 17), os.makedev(0, 45)
TABLE = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
36 35 8:17 / /media/my\\040disk rw,noatime shared:1 - ext4 /dev/sdb1 rw
40 35 0:45 /@home /home rw - btrfs /dev/sda2 rw
"""
UUIDS = {EXT4: "uuid-of-sdb1", os.makedev(8, 2): "uuid-of-sda2"}
AT = {"/dev/sda2": os.makedev(8, 2)}.get


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        (EXT4, Volume(EXT4, "b", "ext4", "uuid-of-sdb1", is_numbered_apart=False)),
        (BTRFS, Volume(BTRFS, "b", "btrfs", "uuid-of-sda2", is_numbered_apart=True)),
        (os.makedev(0, 21), Volume(os.makedev(0, 21), "b", "proc", "", is_numbered_apart=True)),
        (os.makedev(8, 99), Volume(os.makedev(8, 99), "b", "", "", is_numbered_apart=False)),
    ],
)
def test_description(device: int, expected: Volume) -> None:
    """By its device, or by that which it was mounted from."""
    assert expected == volumes.describe(device, "b", mounts.Mounts(tuple(mounts.parse(TABLE))).by_device, UUIDS, AT)


def test_of_this_machine(tmp_path: Path) -> None:
    """Each once, in the order of their numbers; a system without such tables knows little."""
    device = tmp_path.stat().st_dev
    one, other = volumes.volumes_of([device, 12345678901, device], mounts.read_mounts())
    assert {device, 12345678901} == {one.device, other.device}
    assert one.device < other.device
    assert "" == next(volume for volume in (one, other) if volume.device == 12345678901).uuid


def test_links_of_udev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names lead to devices; what leads nowhere names none, and no folder at all names nothing."""
    (tmp_path / "1234-ABCD").symlink_to("/dev/null")
    (tmp_path / "gone").symlink_to("/dev/no such device")
    monkeypatch.setattr(volumes, "_UUIDS", str(tmp_path))
    null = os.stat("/dev/null").st_rdev
    (found,) = volumes.volumes_of([null], mounts.read_mounts())
    assert "1234-ABCD" == found.uuid
    monkeypatch.setattr(volumes, "_UUIDS", str(tmp_path / "none"))
    monkeypatch.setattr(mounts, "_TABLE", str(tmp_path / "none"))
    monkeypatch.setattr(volumes, "_BOOT", str(tmp_path / "none"))
    assert (Volume(null, "", "", "", is_numbered_apart=False),) == volumes.volumes_of([null], mounts.read_mounts())
