"""Which file system a directory lies on."""

from __future__ import annotations

import os
import sys
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


def test_udev_is_asked_where_its_links_are_not_to_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers often have the one and not the other."""
    monkeypatch.setattr(volumes, "_uuids", dict)
    monkeypatch.setattr(volumes, "_UDEV", str(tmp_path))
    (tmp_path / "b8:17").write_text("S:disk/by-uuid/1\nE:ID_FS_UUID_ENC=x\nE:ID_FS_UUID=ABCD-1234\n")
    table = mounts.Mounts(tuple(mounts.parse(TABLE)))
    assert ["", "ABCD-1234"] == [volume.uuid for volume in volumes.volumes_of([BTRFS, EXT4], table)]


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        ("ext4", bytes([16, *range(1, 17)]), "01020304-0506-0708-090a-0b0c0d0e0f10"),
        ("ext4", bytes([16, *bytes(16)]), ""),
        ("ext4", bytes([8, *range(1, 17)]), ""),
        ("ext4", None, ""),
        ("overlay", bytes([16, *range(1, 17)]), ""),
        ("btrfs", bytes([16, *range(1, 17)]), ""),
        ("fuse.sshfs", bytes([16, *range(1, 17)]), ""),
        ("tmpfs", bytes([16, *range(1, 17)]), ""),
    ],
)
def test_a_file_system_is_asked_itself(
    kind: str, answer: bytes | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no udev tells; not one that lies on others, whose files would have two names then."""

    def ioctl(*_: object) -> bytes:
        if answer is None:
            raise OSError
        return answer

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    monkeypatch.setattr(volumes, "_uuids", dict)
    monkeypatch.setattr(volumes, "_UDEV", str(tmp_path / "none"))
    monkeypatch.setattr(volumes, "describe", lambda device, *_: Volume(device, "b", kind, "", is_numbered_apart=False))
    device = tmp_path.stat().st_dev

    def asked(device: int, point: Path) -> str:
        table = mounts.Mounts((mounts.Mount(device, "/", str(point), kind, "/dev/x"),))
        (volume,) = volumes.volumes_of([device], table)
        return volume.uuid

    assert expected == asked(device, tmp_path)
    assert "" == asked(device, tmp_path / "gone")
    assert "" == asked(device + 1, tmp_path)  # another one is mounted over it by now
    monkeypatch.setitem(sys.modules, "fcntl", None)
    assert "" == asked(device, tmp_path), "a Python that cannot ask"


def test_on_a_mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``diskutil`` tells of the volume around a folder; where it does not, nothing is known."""
    tool = tmp_path / "diskutil"
    plist = '<?xml version="1.0"?><plist version="1.0"><dict>%s</dict></plist>'
    told = plist % "<key>VolumeUUID</key><string>AB-12</string><key>FilesystemType</key><string>exfat</string>"
    monkeypatch.setattr(volumes, "_DISKUTIL", str(tool))

    def describe(text: str, code: int = 0) -> Volume:
        tool.write_text(f"#!/bin/sh\ncat <<'X'\n{text}\nX\nexit {code}\n")
        tool.chmod(0o700)
        (volume,) = volumes.volumes_of([7], mounts.NO_MOUNTS, {7: str(tmp_path)}, "darwin")
        return volume

    assert Volume(7, "", "exfat", "macos:AB-12", is_numbered_apart=False) == describe(told)
    unknown = Volume(7, "", "", "", is_numbered_apart=True)
    assert [unknown] * 3 == [describe(told, 1), describe("no plist"), describe(plist % "")]
    (elsewhere,) = volumes.volumes_of([7], mounts.NO_MOUNTS, {}, "darwin")
    assert unknown == elsewhere


@pytest.mark.parametrize(
    ("drive", "system", "serial", "expected"),
    [
        (3, "NTFS", 0xA1B2C3D4, ("ntfs", "windows:a1b2c3d4")),
        (2, "exFAT", 0x1, ("exfat", "windows:00000001")),
        (4, "NTFS", 0xA1B2C3D4, ("", "")),
        (3, "FUSE-rclone", 0xA1B2C3D4, ("", "")),
        (3, "FAT32", 0, ("vfat", "")),
    ],
)
def test_on_windows(
    drive: int, system: str, serial: int, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk of the machine has a serial number; a share, or what a program plays, has another for the same files."""
    import ctypes
    from types import SimpleNamespace

    def information(_root: object, *arguments: object) -> int:
        number, name = arguments[2], arguments[5]
        number._obj.value, name.value = serial, system  # type: ignore[attr-defined]
        return 1

    def path_name(_place: str, root: object, _size: int) -> int:
        root.value = "E:\\"  # type: ignore[attr-defined]
        return 1

    kernel = SimpleNamespace(
        GetVolumePathNameW=path_name, GetDriveTypeW=lambda _: drive, GetVolumeInformationW=information
    )
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    (volume,) = volumes.volumes_of([7], mounts.NO_MOUNTS, {7: "E:\\photos"}, "win32")
    assert expected == (volume.kind, volume.uuid)
