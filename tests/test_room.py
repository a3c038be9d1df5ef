"""What tells two file systems apart: their size, and whose they are."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from dupfind.sources import separate_systems
from dupfind.sources.mounts import Mount
from dupfind.sources.separate_systems import Room, are_two, host_of, is_this_machine, look

LOCAL, OTHER_LOCAL = Mount(1, "/", "/l", "ext4", "/dev/sda1"), Mount(2, "/", "/m", "fuse.mergerfs", "a:b")
SSHFS = Mount(3, "/", "/s", "fuse.sshfs", "me@nas:/photos")
CIFS = Mount(4, "/", "/c", "cifs", "//nas/photos")
RCLONE = Mount(5, "/", "/r", "fuse.rclone", "cloud:photos")
POOL = Mount(6, "/", "/p", "fuse.pool", "a:b")
PHONE = Mount(7, "/", "/t", "fuse.jmtpfs", "jmtpfs")
TERA = 10**12
DISK, SAME_SIZE, LARGER, SMALLER = (
    Room(4 * TERA, TERA),
    Room(4 * TERA, 2 * TERA),
    Room(8 * TERA, TERA),
    Room(TERA, TERA // 2),
)


def told(
    monkeypatch: pytest.MonkeyPatch, mounts: tuple[Mount, Mount], rooms: tuple[Room | None, Room | None] | None = None
) -> bool:
    """What is said of two mounts of these sizes, the same in either order."""
    sizes = dict(zip((mount.point for mount in mounts), rooms or (DISK, LARGER), strict=True))
    monkeypatch.setattr(separate_systems, "look", sizes.__getitem__)
    first, second = mounts
    answers = {are_two(first, first.point, second, second.point), are_two(second, second.point, first, first.point)}
    (answer,) = answers
    return answer


@pytest.mark.parametrize("share", [SSHFS, CIFS])
@pytest.mark.parametrize("local", [LOCAL, OTHER_LOCAL])
@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (LARGER, True),
        (SMALLER, True),
        (SAME_SIZE, None),  # another disk of one make, filled otherwise
        (DISK, False),
        (DISK._replace(size_bytes=DISK.size_bytes + TERA // 1000), False),  # counted in blocks of another size
        (DISK._replace(free_bytes=DISK.free_bytes - TERA // 1000), False),  # something was written meanwhile
        (None, False),
    ],
)
def test_a_share_of_another_machine(
    monkeypatch: pytest.MonkeyPatch, share: Mount, local: Mount, shown: Room | None, expected: bool | None
) -> None:
    """Its size tells, and how much of it is free; where it says none, nothing is certain."""
    if expected is None:  # SMB may tell what a quota leaves
        expected = share is SSHFS
    assert expected is told(monkeypatch, (local, share), (DISK, shown))


@pytest.mark.parametrize(
    "source", ["me@localhost:/photos", "127.0.0.1:/photos", "[::1]:/photos", f"me@{os.uname().nodename}.local:/photos"]
)
def test_a_share_of_this_machine(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """May be a pool that has the disk in it, and has a size of its own."""
    assert not told(monkeypatch, (LOCAL, SSHFS._replace(source=source)))


def test_two_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one machine, or of what may be one; a quota has a size of its own as well."""
    other = SSHFS._replace(point="/o", source="me@attic:/photos")
    assert told(monkeypatch, (SSHFS, other))
    assert not told(monkeypatch, (SSHFS, other), (DISK, DISK))
    for source in ("you@nas:/photos/old", "nas.local:/photos", "192.0.2.9:/photos", "/photos"):
        assert not told(monkeypatch, (SSHFS, other._replace(source=source)))
    assert told(monkeypatch, tuple(one._replace(source=f"192.0.2.{n}:/p") for n, one in enumerate((SSHFS, other))))  # type: ignore[arg-type]
    assert not told(monkeypatch, (CIFS, other))
    assert not told(monkeypatch, (RCLONE, other))


def test_a_share_of_nobody_knows_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be a pool of our own disks; not where it is smaller than one of them."""
    assert told(monkeypatch, (LOCAL, RCLONE), (DISK, SMALLER))
    for shown in (LARGER, SAME_SIZE, DISK, None):
        assert not told(monkeypatch, (LOCAL, RCLONE), (DISK, shown))
    assert not told(monkeypatch, (OTHER_LOCAL, RCLONE), (DISK, SMALLER))


def test_what_is_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool of our own disks, of whatever size, may show them."""
    assert not told(monkeypatch, (LOCAL, POOL))
    assert not told(monkeypatch, (LOCAL, OTHER_LOCAL))


def test_telephones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold no file of ours, whatever they say of their size; two ways into one may be one."""
    assert told(monkeypatch, (LOCAL, PHONE), (DISK, None))
    assert not told(monkeypatch, (PHONE, PHONE._replace(point="/u")))
    gvfs = Mount(8, "/", "/run/gvfs", "fuse.gvfsd-fuse", "gvfsd-fuse")
    monkeypatch.setattr(separate_systems, "look", lambda _: None)
    assert are_two(LOCAL, "/l", gvfs, "/run/gvfs/mtp:host=SAMSUNG_1234/DCIM")
    assert not are_two(LOCAL, "/l", gvfs, "/run/gvfs/sftp:host=nas/photos")


@pytest.mark.parametrize(
    ("mount", "path", "expected"),
    [
        (LOCAL, "/l", ""),
        (OTHER_LOCAL, "/m", ""),
        (SSHFS, "/s", "nas"),
        (SSHFS._replace(source="NAS.local:"), "/s", "nas.local"),
        (SSHFS._replace(source="[fe80::1%eth0]:/x"), "/s", "fe80::1%eth0"),
        (SSHFS._replace(source="nowhere"), "/s", None),
        (CIFS, "/c", "nas"),
        (CIFS._replace(source="//me@192.0.2.1/x/y"), "/c", "192.0.2.1"),
        (Mount(1, "/", "/n", "nfs4", "nas:/export"), "/n", "nas"),
        (Mount(1, "/", "/g", "fuse.gvfsd-fuse", "gvfsd-fuse"), "/g/sftp:host=nas,user=me/x", "nas"),
        (Mount(1, "/", "/g", "fuse.gvfsd-fuse", "gvfsd-fuse"), "/g/smb-share:server=nas,share=x", "nas"),
        (Mount(1, "/", "/g", "fuse.gvfsd-fuse", "gvfsd-fuse"), "/g/dav:ssl=true,host=cloud,user=me/x", "cloud"),
        (Mount(1, "/", "/g", "fuse.gvfsd-fuse", "gvfsd-fuse"), "/g", None),
        (Mount(1, "/", "/d", "davfs", "https://me@cloud.example:443/dav"), "/d", "cloud.example"),
        (RCLONE, "/r", None),
        (Mount(1, "/", "/v", "vboxsf", "photos"), "/v", "the machine around this one"),
    ],
)
def test_whose_a_mount_is(mount: Mount, path: str, expected: str | None) -> None:
    """By what it was mounted from, or by the folder that GNOME gives each."""
    assert expected == host_of(mount, path)


def test_addresses_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the kernel's tables; others are other machines."""
    tables = {
        "/proc/net/fib_trie": [
            "     +-- 192.0.2.0/24 2 0 2",
            "           |-- 192.0.2.2",
            "              /32 host LOCAL",
            "        |-- 192.0.2.255",
            "           /32 link BROADCAST",
        ],
        "/proc/net/if_inet6": ["20010db8000000000000000000000007 02 40 00 80     eth0"],
    }
    monkeypatch.setattr(separate_systems, "lines_of", lambda path: tables.get(path, []))
    for host in ("192.0.2.2", "2001:db8::7", "127.1.2.3", "::1", "::", "localhost"):
        assert is_this_machine(host), host
    for host in ("192.0.2.255", "192.0.2.3", "2001:db8::8", "nas", "localhosts"):
        assert not is_this_machine(host), host


def test_sizes_that_are_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a server says none, sshfs shows a round number, all of it free; others show nothing at all."""
    assert look(str(tmp_path)) is not None
    assert look(str(tmp_path / "none")) is None
    for blocks, free, expected in ((100, 40, Room(400, 160)), (100, 100, None), (0, 0, None)):
        found = SimpleNamespace(f_blocks=blocks, f_bfree=free, f_bavail=free - 10, f_frsize=4)
        monkeypatch.setattr(os, "statvfs", lambda _, found=found: found)
        assert expected == look("/x")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([1, 2, 3] * 3, False),  # something is written all the time
        ([2, 1, 2, 2, 2, 2, 2, 2, 2], False),  # a file that came and went
        ([2, 1, 2] * 3, True),
    ],
)
def test_writing_while_we_look(monkeypatch: pytest.MonkeyPatch, shown: list[int], expected: bool) -> None:
    """What was free on the disk before and after bounds what the same disk may show in between."""
    free = iter(shown)
    monkeypatch.setattr(separate_systems, "look", lambda _: Room(4 * TERA, next(free) * TERA))
    assert expected is are_two(LOCAL, "/l", SSHFS, "/s")
