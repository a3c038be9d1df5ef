"""Never its own witness by two protocols: real mounts, each with its answer; made-up ones are in test_same_file.py."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dupfind import pipeline
from dupfind.commands.cleaning import clean_settings
from dupfind.errors import SettingsError
from dupfind.grouping import collection
from dupfind.overwriting import check_output
from dupfind.run import Run
from dupfind.scanning import final_check
from dupfind.settings import make_settings
from dupfind.sources.mounts import read_mounts
from dupfind.sources.roots import make_roots, named_file
from dupfind.sources.same_file import SameFile
from dupfind.sources.walk import Walk
from dupfind.values import Report, Tree
from tests.helpers.real_mounts import Rig, kind_of, renumber
from tests.helpers.scans import one_thread
from tests.helpers.shelf import Ears, cataloged

NAMES = ("a.txt", "sub/b.txt", "sub/deep/c.txt")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """What mounts, and undoes it whatever happens."""
    rig = Rig(tmp_path)
    try:
        yield rig
    finally:
        rig.close()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder of the disk with three files whose times have fractions of seconds."""
    folder = tmp_path / "disk" / "photos"
    for number, name in enumerate(NAMES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * 1000)
        os.utime(path, ns=(10**18, 1_577_872_800_123_456_789 + number * 10**10))
    return folder


def scan(haystack: Path, needles: Path, *, paranoid: bool = False, cache: str | None = None) -> Report:
    """Scan in this process."""
    settings = make_settings(
        haystack=[str(haystack)], needles=[str(needles)], paranoid=paranoid, cache=cache, no_cache=cache is None
    )
    return pipeline.scan(settings, make_executor=one_thread)


def states(report: Report) -> set[str]:
    """Every verdict on a file."""
    return {file.state.value for file in report.files}


def copied(source: Path, target: Path) -> Path:
    """A copy that keeps the times, as by ``cp -p`` and ``rsync -a``."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target


@pytest.mark.parametrize("paranoid", [False, True])
def test_a_disk_and_itself_by_sshfs(rig: Rig, disk: Path, paranoid: bool) -> None:
    """SFTP gives whole seconds and no time of change; in neither direction does a file prove itself."""
    share = rig.sshfs(disk, "share")
    assert "fuse.sshfs" == kind_of(share)
    for haystack, needles in ((disk, share), (share, disk)):
        report = scan(haystack, needles, paranoid=paranoid)
        assert {"missing"} == states(report)
        assert len(NAMES) == len(report.files)


@pytest.mark.parametrize("way", ["the same folder", "a folder of it", "a link to it", "another user"])
def test_two_mounts_by_sshfs(rig: Rig, disk: Path, tmp_path: Path, way: str) -> None:
    """One machine, two ways into one folder."""
    link = tmp_path / "link"
    link.symlink_to(disk)
    first = rig.sshfs(disk, "first")
    second = rig.sshfs(
        {"a folder of it": disk / "sub", "a link to it": f"{link}/"}.get(way, disk),
        "second",
        "you@far" if way == "another user" else "me@far",
    )
    for haystack, needles in ((first, second), (second, first)):
        assert {"missing"} == states(scan(haystack, needles))


def test_copies_on_one_share(rig: Rig, disk: Path) -> None:
    """Two places of one mount are two files, whatever times a copy has kept."""
    copied(disk, disk.parent / "backup")
    share = rig.sshfs(disk.parent, "share")
    assert {"present"} == states(scan(share / "photos", share / "backup"))


def test_a_file_that_was_touched_a_moment_ago(rig: Rig, disk: Path) -> None:
    """The share goes on showing its old time for 20 seconds."""
    share = rig.sshfs(disk, "share")
    before = [(share / name).stat().st_mtime for name in NAMES]
    for name in NAMES:
        os.utime(disk / name)
    assert before == [(share / name).stat().st_mtime for name in NAMES]
    assert {"missing"} == states(scan(share, disk))


def test_a_list_of_names(rig: Rig, disk: Path) -> None:
    """What was named on the disk does not prove itself by the share, nor the reverse."""
    share = rig.sshfs(disk, "share")
    for haystack, needles in ((share, disk), (disk, share)):
        listed = [str(needles / name) for name in NAMES]
        settings = make_settings(haystack=[str(haystack)], listed=listed, no_cache=True)
        report = pipeline.scan(settings, make_executor=one_thread)
        assert ({"missing"}, 3) == (states(report), len(report.files))


def test_a_collection_on_a_disk_and_a_share(rig: Rig, disk: Path) -> None:
    """For groups, each file counts once."""
    share = rig.sshfs(disk, "share")
    settings = make_settings(haystack=[str(disk), str(share)], called="", no_cache=True)
    _, trees = pipeline.walk(Run(settings))
    entries, left_out = collection.each_once(trees, SameFile(read_mounts()))
    assert (3, 3) == (len(entries), len(left_out))


def test_the_catalog_of_a_disk_that_is_here_as_a_share(rig: Rig, disk: Path, tmp_path: Path) -> None:
    """What it lists may be what the share shows."""
    cataloged(disk, tmp_path / "c")
    share = rig.sshfs(disk, "share")
    assert {"missing"} == states(scan(tmp_path / "c", share))
    cataloged(share, tmp_path / "d")
    assert {"missing"} == states(scan(tmp_path / "d", disk))


def test_a_warning_says_what_was_left_out(rig: Rig, disk: Path) -> None:
    """And how copies are told from it."""
    share, ears = rig.sshfs(disk, "share"), Ears()
    settings = make_settings(haystack=[str(share)], needles=[str(disk)], no_cache=True)
    pipeline.scan(settings, ears, one_thread)
    (warning,) = ears.warnings
    assert warning.startswith(f"{share}: 3 files are left out: ")
    assert "run dupfind on the machine that holds them" in warning


@pytest.fixture
def other_disk(rig: Rig) -> Path:
    """A file system of another size, in an image."""
    return rig.mount("other", "-o", "loop", rig.image("ext4.img", 32, "mkfs.ext4", "-q", "-F"))


def test_copies_on_another_disk(other_disk: Path, disk: Path) -> None:
    """The usual backup: what is there is a copy, whatever times it has kept."""
    assert {"present"} == states(scan(copied(disk, other_disk / "backup"), disk))
    assert {"present"} == states(scan(disk, other_disk / "backup"))


@pytest.mark.parametrize(("host", "expected"), [("me@far", "present"), ("localhost", "missing")])
def test_copies_on_another_machine_by_sshfs(rig: Rig, other_disk: Path, disk: Path, host: str, expected: str) -> None:
    """Its file system has another size than ours. Of this machine that says little: a pool has a size of its own."""
    copied(disk, other_disk / "backup")
    share = rig.sshfs(other_disk / "backup", "share", host)
    assert {expected} == states(scan(share, disk))
    assert {expected} == states(scan(disk, share))


def test_the_size_is_that_of_what_holds_the_file(rig: Rig, other_disk: Path, disk: Path) -> None:
    """Not of what is around it: one share may show several file systems of the other machine."""
    shutil.copytree(disk, other_disk.parent / "beside")
    share = rig.sshfs(other_disk.parent, "share")
    copied(disk, other_disk / "backup")
    assert {"present"} == states(scan(share / "other" / "backup", disk))
    assert {"missing"} == states(scan(share / "beside", disk))  # a copy, but nothing tells


@pytest.mark.slow
@pytest.mark.parametrize("is_bound", [False, True])
def test_needles_below_the_haystack_when_numbers_change(
    rig: Rig, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_bound: bool
) -> None:
    """On one mount by sshfs the system makes numbers up: a folder is known by its place, bound elsewhere or not."""
    haystack = share = rig.sshfs(disk, "share")
    if is_bound:
        haystack = tmp_path / "hay"
        rig.mount("hay/bound", "--bind", share)
    settings = make_settings(haystack=[str(haystack)], needles=[str(share / "sub")], no_cache=True)
    walked: list[Tree] = []
    run = Walk.run

    def run_and_renumber(self: Walk) -> Tree:
        renumber(share / "sub")
        walked.append(run(self))
        return walked[-1]

    monkeypatch.setattr(Walk, "run", run_and_renumber)
    assert {"missing"} == states(pipeline.scan(settings, make_executor=one_thread))
    assert [2, 1] == [len(tree.entries) for tree in walked]


def test_a_witness_among_the_needles_when_numbers_change(rig: Rig, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last look finds it by its place: the folder that is the haystack was moved to where the needles were."""
    copied(disk / "sub", disk / "copy")
    share = rig.sshfs(disk, "share")
    bound = rig.mount("bound", "--bind", share / "copy")
    settings = make_settings(haystack=[str(bound)], needles=[str(share / "sub")], no_cache=True)
    find, walk_again = pipeline.find_matches, final_check._list_again

    def find_and_move(*values: Any, **options: Any) -> object:
        findings = find(*values, **options)
        (share / "sub").rename(share / "away")
        (share / "copy").rename(share / "sub")
        return findings

    def walk_and_renumber(*values: object) -> object:
        changes = walk_again(*values)  # type: ignore[arg-type]
        renumber(share / "sub" / "deep")
        return changes

    assert {"present"} == states(pipeline.scan(settings, make_executor=one_thread))
    monkeypatch.setattr(pipeline, "find_matches", find_and_move)
    monkeypatch.setattr(final_check, "_list_again", walk_and_renumber)
    assert {"missing"} == states(pipeline.scan(settings, make_executor=one_thread))


@pytest.fixture
def exfat_image(rig: Rig) -> Path:
    """An image with an empty exFAT."""
    return rig.image("exfat.img", 32, "mkfs.exfat")


def test_exfat_by_fuse_forgets(rig: Rig, exfat_image: Path, disk: Path, tmp_path: Path) -> None:
    """An edit that leaves size and time is seen in the next run, because nothing is remembered of the card."""
    card = rig.exfat(rig.loop(exfat_image), "card")
    assert card.stat().st_dev in read_mounts().forgetful
    copied(disk, card / "backup")
    cache = str(tmp_path / "cache" / "c")
    assert {"present"} == states(scan(disk, card / "backup", cache=cache))
    edited = card / "backup" / "a.txt"
    state = edited.stat()
    edited.write_bytes(b"x" * state.st_size)
    os.utime(edited, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (state.st_ctime_ns, state.st_mtime_ns) == (edited.stat().st_ctime_ns, edited.stat().st_mtime_ns)
    assert {"present", "missing"} == states(scan(disk, card / "backup", cache=cache))


def test_one_card_on_two_loop_devices(rig: Rig, exfat_image: Path, disk: Path) -> None:
    """Both show one image: what lies at one place is one file, whatever the clocks say."""
    card = rig.exfat(rig.loop(exfat_image), "card")
    copied(disk, card / "photos")
    rig.close()
    card = rig.exfat(rig.loop(exfat_image, is_read_only=True), "card", "-o", "ro")
    again = rig.exfat(rig.loop(exfat_image, is_read_only=True), "again", "-o", "ro")
    assert len({folder.stat().st_dev for folder in (card, again)}) == 2
    assert {"missing"} == states(scan(card / "photos", again / "photos"))
    assert {"missing"} == states(scan(again, card / "photos"))


@pytest.mark.parametrize("way", ["two points", "two loop devices"])
def test_a_drive_that_is_mounted_twice(rig: Rig, disk: Path, way: str) -> None:
    """By one device, and by two that show one image."""
    image = rig.image("ext4.img", 32, "mkfs.ext4", "-q", "-F")
    copied(disk, rig.mount("drive", "-o", "loop", image) / "photos")
    rig.close()
    devices = [rig.loop(image, is_read_only=True) for _ in range(1 if way == "two points" else 2)]
    first, second = (
        rig.mount(name, "-o", "ro,noload", device) for name, device in zip("ab", devices * 2, strict=False)
    )
    report = scan(first / "photos", second)
    assert ("present" in states(report), report.is_complete) == (False, False)
    assert {"missing"} == states(scan(first, second / "photos"))


def test_a_card_and_itself_by_sshfs(rig: Rig, exfat_image: Path, disk: Path) -> None:
    """Neither keeps a time of change."""
    card = rig.exfat(rig.loop(exfat_image), "card")
    copied(disk, card / "photos")
    share = rig.sshfs(card, "share")
    for haystack, needles in ((share, card / "photos"), (card, share / "photos")):
        assert {"missing"} == states(scan(haystack, needles))
    assert {"present"} == states(scan(disk, card / "photos"))  # a card's copy on the disk is one


def test_layers_of_an_overlay(rig: Rig, disk: Path, tmp_path: Path) -> None:
    """What shines through is the file below; what was written above is another."""
    for name in ("upper", "work"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir={disk},upperdir={tmp_path / 'upper'},workdir={tmp_path / 'work'}"
    merged = rig.mount("merged", "-t", "overlay", "overlay", "-o", layers)
    for haystack, needles in ((merged, disk), (disk, merged)):
        assert {"missing"} == states(scan(haystack, needles))
    copied(disk / "sub", merged / "copy")
    assert {"present", "missing"} == states(scan(merged, disk))


@pytest.mark.parametrize("inner", ["", "sub"])
def test_nothing_is_written_to_a_root_by_another_mount(rig: Rig, disk: Path, tmp_path: Path, inner: str) -> None:
    """A folder to move to, and a report, where a bind mount shows the haystack or a folder within it."""
    needles = tmp_path / "needles"
    copied(disk / "sub", needles)
    bound = rig.mount("bound", "--bind", disk / inner)
    roots: dict[str, Any] = {"haystack": [str(disk)], "needles": [str(needles)], "no_cache": True}
    with pytest.raises(SettingsError, match=f"lies in {disk}"):
        clean_settings(str(bound), **roots)
    link = tmp_path / "link"
    link.symlink_to(bound)
    with pytest.raises(SettingsError, match=f"lies in {disk}"):
        clean_settings(str(link), **roots)
    with pytest.raises(SettingsError, match="where dupfind never writes"):
        check_output(str(bound / "report.txt"), make_roots([str(disk)], [str(needles)]))


@pytest.mark.parametrize("kind", ["disk and share", "share by a link", "two places"])
def test_single_files(rig: Rig, disk: Path, tmp_path: Path, kind: str) -> None:
    """As they are named to find, explain and compare."""
    share = rig.sshfs(disk, "share")
    link = tmp_path / "link"
    link.symlink_to(share / "a.txt")
    bound = rig.mount("bound", "--bind", share)
    first, second = {
        "disk and share": (disk / "a.txt", share / "a.txt"),
        "share by a link": (share / "a.txt", link),
        "two places": (share / "a.txt", bound / "a.txt"),
    }[kind]
    entries = [named_file(str(path)).entry for path in (first, second)]
    if kind == "share by a link":
        entries[1] = entries[1]._replace(path=str(link))
    same: Callable[..., bool] = SameFile().is_itself
    assert same(*entries)
    assert same(*reversed(entries))
    assert not same(named_file(str(share / "sub" / "b.txt")).entry, entries[0])
