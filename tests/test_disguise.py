"""A file that a pool or a share shows under another number is no witness of itself; a copy is one."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from dupfind import pipeline
from dupfind.files import disguise, itself
from dupfind.files.disguise import disguised, is_disguised
from dupfind.files.mounts import renumbering_devices
from dupfind.files.roots import named_file
from dupfind.grouping import savings
from dupfind.settings import make_settings
from dupfind.values import FileEntry, FolderState, Root, Side, Tree

POOL, DISK, OTHER = 1, 2, 3


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies below a folder called pool is on one device, what lies below disk or elsewhere on others."""

    def look(path: str) -> SimpleNamespace:
        if not os.path.lexists(path) and not path.startswith("/nowhere"):
            raise FileNotFoundError(path)
        parts = path.split(os.sep)
        return SimpleNamespace(st_dev=POOL if "pool" in parts else DISK if "disk" in parts else OTHER)

    monkeypatch.setattr(disguise, "_look", look)


@pytest.mark.usefixtures("devices")
def test_size_and_both_times_tell() -> None:
    """All three, and one of the devices has to number files anew."""
    needle = FileEntry("/nowhere/disk/a", 5, 10, 20, 7)
    same = FileEntry("/nowhere/pool/a", 5, 10, 20, 70)
    others = [same._replace(size_bytes=6), same._replace(mtime_ns=11), same._replace(ctime_ns=21)]
    beside = same._replace(path="/nowhere/disk/b")
    assert [same] == disguised([same, *others, beside], [needle], {POOL})
    assert [same] == disguised([same, *others, beside], [needle], {DISK})
    assert [] == disguised([same, *others, beside], [needle], {OTHER})


@pytest.mark.usefixtures("devices")
def test_in_doubt_it_is_the_same(tmp_path: Path) -> None:
    """What is gone since it was walked proves nothing."""
    assert is_disguised(str(tmp_path / "gone"), "/nowhere/disk/a", {POOL})


@pytest.mark.usefixtures("devices")
@pytest.mark.parametrize("is_pool", [True, False])
def test_a_pool_and_a_folder_on_one_of_its_disks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_pool: bool
) -> None:
    """Played with a link, which has the size and the times of the file, and numbers that are made up on both sides."""
    for name in ("pool", "disk"):
        (tmp_path / name).mkdir()
    (tmp_path / "disk" / "a.txt").write_bytes(b"a")
    os.link(tmp_path / "disk" / "a.txt", tmp_path / "pool" / "a.txt")
    real = os.stat(tmp_path).st_dev
    monkeypatch.setattr(pipeline, "forgetful_devices", lambda: {real: "fuse"})
    # The folders are on one device here, so that one stands for both.
    monkeypatch.setattr(pipeline, "renumbering_devices", lambda: {real, POOL} if is_pool else frozenset())
    monkeypatch.setattr(itself, "renumbering_devices", lambda: {real, POOL} if is_pool else frozenset())
    monkeypatch.setattr("dupfind.files.walk.without_needles", playing(POOL, real))
    haystack, needles = str(tmp_path / "pool"), str(tmp_path / "disk")
    found = pipeline.scan(make_settings(haystack=[haystack], needles=[needles], no_cache=True))
    (folder,) = found.folders
    assert (FolderState.MISSING if is_pool else FolderState.CONTAINED) is folder.state
    entry, needle = (named_file(str(tmp_path / name / "a.txt")).entry for name in ("pool", "disk"))
    assert is_pool is itself.is_itself(entry._replace(inode=5), needle)


@pytest.mark.usefixtures("devices")
def test_a_group_has_each_file_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deleted on the disk is gone from the pool; a copy with other times is a copy."""
    monkeypatch.setattr(savings, "renumbering_devices", lambda: frozenset({POOL}))
    root = Root(Side.HAYSTACK, "/nowhere", "/nowhere", (POOL, 1))
    first = FileEntry("/nowhere/disk/a", 5, 10, 20, 7)
    second, copy = first._replace(path="/nowhere/pool/a", inode=8), first._replace(path="/nowhere/pool/b", ctime_ns=9)
    found, left_out = savings.each_once([Tree(root, [first, second, copy], [], frozenset({(POOL, 1), (DISK, 2)}))])
    assert ([first, copy], ["/nowhere/pool/a"]) == (found, [one.path for one in left_out])


def playing(device: int, real: int) -> object:
    """The function that leaves needles out, told of a device that stands for the real one."""

    def without_needles(tree: object, needles: object, inodes: object, renumbering: set[int]) -> object:
        return disguise.without_needles(tree, needles, inodes, {device} if real in renumbering else set())  # type: ignore[arg-type]

    return without_needles


def test_what_this_system_tells() -> None:
    """The table is read; what it says is this system's business."""
    assert all(isinstance(device, int) for device in renumbering_devices())
