"""File systems that forget: which they are, and that nothing of their files is remembered."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from dupfind import pipeline
from dupfind.cli import given_files
from dupfind.events import Silence
from dupfind.run import Run
from dupfind.settings import make_settings
from dupfind.sources import mounts
from dupfind.sources.ignore import Excludes
from dupfind.sources.mounts import NO_MOUNTS, Mount, Mounts, forgetting, parse, read_mounts
from dupfind.sources.roots import named_file
from dupfind.values import FileState, Root, Side, Tree
from tests.helpers.played_mounts import play
from tests.helpers.races import race
from tests.helpers.scans import one_thread, scan, settings, states
from tests.helpers.walking import walk_all
from tests.helpers.walks import root

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]

TABLE = r"""21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
36 21 8:17 / /media/my\040card rw,nosuid shared:2 master:1 - exfat /dev/sdb1 rw,fmask=0022
37 21 8:18 / /boot/efi rw - vfat /dev/sdb2 rw
38 21 8:19 / /mnt/floppy rw - msdos /dev/fd0 rw
39 21 0:45 / /mnt/nas rw - cifs //nas/photos rw
40 21 0:46 / /mnt/far rw - fuse.sshfs me@far: rw
41 21 0:47 / /mnt/cloud rw - fuse.rclone cloud: rw
42 21 0:48 / /mnt/pool rw - fuse.mergerfs a:b rw
43 21 8:33 / /mnt/windows rw - fuseblk /dev/sdc1 rw
44 21 0:49 / /mnt/vfat rw - tmpfs vfat rw,vfat
"""


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the system's table is to be; not there yet."""
    monkeypatch.setattr(mounts, "_TABLE", str(tmp_path / "table"))
    return tmp_path / "table"


def test_forgetful_file_systems(table: Path) -> None:
    """By their types; a name like one elsewhere in the line is none."""
    table.write_text(TABLE)
    expected = {
        (8, 17): "exfat", (8, 18): "vfat", (8, 19): "msdos", (0, 45): "cifs", (0, 46): "fuse.sshfs",
        (0, 47): "fuse.rclone", (8, 33): "fuseblk",
    }  # fmt: skip
    assert {os.makedev(*numbers): kind for numbers, kind in expected.items()} == read_mounts().forgetful


def test_types_and_sources() -> None:
    """Of every device; a path with a space is written as one word."""
    assert 10 == len(parse(TABLE))
    found = Mounts(tuple(parse(TABLE))).by_device
    assert 10 == len(found)
    assert ("exfat", "/dev/sdb1") == found[os.makedev(8, 17)]
    assert ("cifs", "//nas/photos") == found[os.makedev(0, 45)]


@pytest.mark.parametrize(
    "line", ["", " - ", " - exfat", "a b c d - exfat /dev/x", "1 2 8 / / - exfat x", "1 2 8:1:2 / / rw - vfat x"]
)
def test_lines_of_another_kind(line: str) -> None:
    """What the system may come to write there."""
    expected = [Mount(os.makedev(8, 18), "/", "/boot/efi", "vfat", "/dev/sdb2")]
    assert expected == parse(f"{line}\n37 21 8:18 / /boot/efi rw - vfat /dev/sdb2 rw\n")


@pytest.mark.parametrize("strange", ["\x0b", "\x1c", "\x85", "\u2028", "\xa0", "\r"])
def test_names_that_look_like_ends_of_lines(table: Path, strange: str) -> None:
    """The system masks blanks and newlines and nothing else; a card with such a name is a card nevertheless."""
    table.write_text(f"37 21 8:18 / /media/my{strange}card rw - vfat /dev/{strange}x rw\n", "utf-8", newline="\n")
    assert {os.makedev(8, 18): "vfat"} == read_mounts().forgetful
    assert ("vfat", f"/dev/{strange}x") == mounts.read_mounts().by_device[os.makedev(8, 18)]


def test_a_line_that_ends_early(table: Path) -> None:
    """The type is what counts: a card is one whatever follows."""
    table.write_text("37 21 8:18 / /media/card rw - vfat\n38 21 8:19 / /media/other rw - vfat  rw\n")
    assert {os.makedev(8, 18): "vfat", os.makedev(8, 19): "vfat"} == read_mounts().forgetful


def test_the_table_of_this_system(table: Path) -> None:
    """It is read where there is one; names in it need not be text."""
    assert {} == read_mounts().forgetful
    table.write_bytes(b"1 2 8:17 / /media/\xff rw - exfat /dev/sdb1 rw\n")
    assert {os.makedev(8, 17): "exfat"} == read_mounts().forgetful


def test_what_the_user_is_told() -> None:
    """A line for each root that is concerned, and what is below it."""
    trees = [
        Tree(Root(Side.HAYSTACK, name, f"/{name}", (1, 1)), [], [], frozenset(folders))
        for name, folders in {"a": {(1, 1), (7, 1), (8, 1), (8, 2)}, "b": {(1, 2)}, "c": {(8, 1)}}.items()
    ]
    assert [
        "a is on exfat and vfat, which keeps no time of change: what is read there is not remembered",
        "c is on exfat, which keeps no time of change: what is read there is not remembered",
    ] == list(forgetting(trees, {7: "vfat", 8: "exfat"}))


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """The device of the test's own folder, which passes for a memory card."""
    device = tmp_path.stat().st_dev
    play(monkeypatch, tmp_path / "mounts", {tmp_path: "exfat"})
    return device


@pytest.mark.usefixtures("card")
def test_nothing_is_remembered(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of single files nor as an answer, however old they are; and that is told where there is a cache."""
    for module in ("cache", "result_cache"):
        monkeypatch.setattr(f"dupfind.cache.{module}._RACY_NS", 0)
    haystack, needles = tree("hay", {"a": b"1", "b": b"2"}), tree("needles", {"a": b"1", "s/b": b"2"})
    cache = str(tmp_path / "cache.sqlite")
    for _ in range(2):
        assert {"a": "present/identical", "b": "present/identical"} == states(scan(haystack, needles, cache=cache))
    with closing(sqlite3.connect(cache)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {"file"} == {"file", "answer"} & tables
        assert (0,) == connection.execute("SELECT count(*) FROM file").fetchone()

    class Ear(Silence):
        """Hears warnings."""

        def __init__(self) -> None:
            self.heard: list[str] = []

        def warn(self, text: str) -> None:
            """Keep it."""
            self.heard.append(text.partition(":")[0])

    for options, expected in (({"cache": cache}, [str(needles), str(haystack)]), ({"no_cache": True}, [])):
        ear = Ear()
        pipeline.scan(settings(haystack, needles, **options), ear)
        assert [f"{path} is on exfat, which keeps no time of change" for path in expected] == ear.heard


def test_files_have_no_inodes_there(tree: TreeBuilder, card: int) -> None:
    """Not in a walk, not when named alone, and not when a link leads there."""
    hay, needles = tree("h", {"a": b"1"}), tree("n", {"b": b"2"})
    (hay / "c").symlink_to(needles / "b")
    roots = [root(Side.HAYSTACK, hay), root(Side.NEEDLES, needles)]
    rules = Run(settings(hay, needles, follow_symlinks=True)).listing(Excludes(())).rules
    assert {card: "exfat"} == rules.forgetful
    trees = [tree for side in walk_all(roots, rules) for tree in side]
    assert {0} == {entry.inode for tree in trees for entry in tree.entries}
    assert trees[0].entries[0] == named_file(str(needles / "b")).entry


@pytest.mark.usefixtures("card")
def test_other_numbers_are_no_change_there(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a system gives a file and a folder another number whenever it was out of memory: copies with all times."""
    hay, needles = tree("hay", {"s/a": b"1"}), tree("needles", {"s/a": b"1"})
    only_mtime(monkeypatch)
    arguments = settings(hay, needles)
    real = pipeline.find_matches

    def renumber_before(*values: Any, **options: Any) -> object:
        for folder in (hay, needles):
            shutil.copytree(folder, folder.with_name("copy"))
            folder.rename(folder.with_name(f"old {folder.name}"))
            folder.with_name("copy").rename(folder)
        return real(*values, **options)

    monkeypatch.setattr(pipeline, "find_matches", renumber_before)
    only_mtime(monkeypatch)
    report = pipeline.scan(arguments)
    assert ({"a": "present/identical"}, []) == (states(report), report.problems)


def only_mtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time of change is shown, and is the time of modification."""

    def patched(look: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def look_and_forget(*arguments: Any, **options: Any) -> os.stat_result:
            _, (numbers, names) = look(*arguments, **options).__reduce__()  # type: ignore[misc]
            return os.stat_result(numbers, {**names, "st_ctime_ns": names["st_mtime_ns"]})

        return look_and_forget

    for name in ("stat", "lstat", "fstat"):
        monkeypatch.setattr(os, name, patched(getattr(os, name)))


@pytest.mark.slow
@pytest.mark.usefixtures("short_races")
@pytest.mark.usefixtures("card")
def test_edits_that_hide_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the old time put back nothing tells of them; whoever took that system for another would believe the old."""
    contents = [b"one", b"two", b"six", b"ten"]
    only_mtime(monkeypatch)
    seen = race(tmp_path / "known", contents, 200, 1)
    assert min(seen[FileState.PRESENT], seen[FileState.MISSING]) > 100
    play(monkeypatch, tmp_path / "mounts", {tmp_path: "ext4"})
    with pytest.raises(AssertionError):
        race(tmp_path / "taken for another", contents, 200, 1)


def test_folders_that_tell_nothing(table: Path) -> None:
    """All that forgets, and what shows several folders as one: their times are those of one of them."""
    assert frozenset() == read_mounts().patchwork
    table.write_text(TABLE + "45 21 0:50 / /mnt/union rw - aufs none rw\n")
    expected = [(8, 17), (8, 18), (8, 19), (0, 45), (0, 46), (0, 47), (0, 48), (0, 50), (8, 33)]
    assert {os.makedev(*numbers) for numbers in expected} == read_mounts().patchwork


def test_places() -> None:
    """Where on its file system a path lies, by the innermost mount around it; the last of two at one point counts."""
    lines = parse(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:46 / /mnt/far rw - fuse.sshfs far: rw\n"
        "3 1 0:46 /photos/a\\040b /home/me rw - fuse.sshfs far: rw\n"
        "4 1 8:2 / /home/me/card rw - ext4 /dev/old rw\n"
        "5 4 8:18 /DCIM /home/me/card rw - vfat /dev/sdb2 rw\n"
    )
    found = Mounts(tuple(lines))
    sshfs, card = os.makedev(0, 46), os.makedev(8, 18)
    assert (os.makedev(8, 1), "/etc/x") == found.place("/etc/x")
    assert (os.makedev(8, 1), "/home/meadow") == found.place("/home/meadow")
    assert (sshfs, "/photos/a b/x") == found.place("/mnt/far/photos/a b/x") == found.place("/home/me/x")
    assert (sshfs, "/photos/a b") == found.place("/home/me")
    assert (card, "/dcim/é.jpg") == found.place("/home/me/card/E\u0301.JPG".replace("E\u0301", "e\u0301"))
    assert NO_MOUNTS.place("/etc") is None


def test_folders_whose_numbers_do_not_last() -> None:
    """Are known by their place, which is no inode number; others are not."""
    lines = parse(
        "1 0 8:1 / / rw - ext4 x rw\n2 1 0:46 / /far rw - fuse.sshfs x rw\n3 1 0:46 /a /b rw - fuse.sshfs x rw\n"
    )
    found, device = Mounts(tuple(lines)), os.makedev(0, 46)
    number = found.folder_id("/far/a/c", device)
    assert number is not None
    assert number == found.folder_id("/b/c", device) != found.folder_id("/far/c", device)
    assert (device, True) == (number[0], number[1] < 0)
    assert found.folder_id("/a", os.makedev(8, 1)) is None
    assert NO_MOUNTS.folder_id("/far", device) is None


def test_ntfs_by_fuse(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told from exFAT where udev has looked into the device; where nobody has, it may be exFAT."""
    monkeypatch.setattr(mounts, "_UDEV", str(tmp_path))
    table.write_text("1 0 8:33 / /mnt/windows rw - fuseblk /dev/sdc1 rw\n")
    device = os.makedev(8, 33)
    assert {device: "fuseblk"} == read_mounts().forgetful
    for found, expected in (("exfat", {device: "fuseblk"}), ("ntfs", {})):
        (tmp_path / "b8:33").write_text(f"S:disk/by-label/x\nE:ID_FS_TYPE={found}\n")
        assert expected == read_mounts().forgetful
    assert "ntfs-3g" == read_mounts().lines[0].kind


def test_webdav_by_its_address(table: Path) -> None:
    """davfs2 calls itself by no name of its own."""
    table.write_text("1 0 0:50 / /a rw - fuse https://cloud/dav rw\n2 0 0:51 / /b rw - fuse /home/me/x rw\n")
    assert ["davfs", "fuse"] == [line.kind for line in read_mounts().lines]


def test_images_on_loop_devices(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of one image show one file system, unless they begin at other bytes; a partition of one has its own."""
    monkeypatch.setattr(mounts, "_BLOCK_DEVICES", str(tmp_path))
    for number, (image, offset) in enumerate((("/x.img", 0), ("/x.img", 0), ("/y.img", 0), ("/x.img", 512))):
        folder = tmp_path / f"7:{number}" / "loop"
        folder.mkdir(parents=True)
        (folder / "backing_file").write_text(f"{image}\n")
        (folder / "offset").write_text(f"{offset}\n")
    for number, start in ((259, "2048"), (260, "4096")):
        partition = tmp_path / "7:0" / f"p{number}"
        partition.mkdir()
        (partition / "partition").write_text("1\n")
        (partition / "start").write_text(f"{start}\n")
        (tmp_path / f"{number}:0").symlink_to(partition)
    devices = ("7:0", "7:1", "7:2", "7:3", "8:1", "259:0", "260:0")
    table.write_text("".join(f"1 0 {one} / /m{one} rw - vfat x rw\n" for one in devices))
    places = [read_mounts().place(f"/m{one}/a") for one in devices]
    assert places[0] == places[1]
    assert len(devices) - 1 == len(set(places))


def test_the_table_is_read_once_for_many_files(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once for each that was named."""
    table.write_text(TABLE)
    reads: list[str] = []
    monkeypatch.setattr(mounts, "parse", lambda text: reads.append(text) or parse(text))
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text(str(number))
    names = [str(tmp_path / f"{number}.txt") for number in range(20)]
    with ExitStack() as stack:
        assert 20 == len(given_files.given(names, stack))
    assert 1 == len(reads)
    known = read_mounts()
    for name in names:
        named_file(name, known)
    assert 2 == len(reads)


def test_the_table_is_read_before_and_after_looking(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many sources there are: around looking names up, around the walk, and once for the final check.

    Afterwards as well, because looking into a folder makes an automount come.
    """
    hay, needles = tree("hay", {"a": b"1", "b": b"2"}), tree("needles", {"a": b"1", "b": b"2", "c": b"3"})
    monkeypatch.setenv("TMPDIR", str(needles))  # where no other run has left anything that has to be looked at
    reads: list[str] = []
    monkeypatch.setattr(mounts, "parse", lambda text: reads.append(text) or parse(text))
    options = make_settings(
        haystack=[str(hay)], needles=[str(needles)], listed=[str(needles / "a"), str(hay / "b")], no_cache=True
    )
    assert 2 == len(reads)
    pipeline.scan(options, make_executor=one_thread)
    assert 5 == len(reads)
    alone = make_settings(haystack=[str(hay)], no_cache=True)
    assert 5 == len(reads)
    pipeline.walk(Run(alone))
    assert 7 == len(reads)


def test_a_number_that_no_device_has() -> None:
    """Found by `make fuzz-guided`: such a line is no line of a table, and is skipped as any other of that kind."""
    line = f"36 35 8:{'7' * 60} / /media/card rw shared:1 - exfat /dev/sdb1 rw"
    assert [] == parse(line)
    assert ["/b"] == [mount.point for mount in parse(f"{line}\n36 35 8:17 / /b rw - exfat /dev/sdb1 rw")]
