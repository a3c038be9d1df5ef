"""One file under two names is one file; two files with the same bytes are two."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind import pipeline
from dupfind.grouping import collection
from dupfind.settings import make_settings
from dupfind.sources import mounts, same_file, separate_systems
from dupfind.sources.file_systems import is_one_time
from dupfind.sources.mounts import NO_MOUNTS, Mount, Mounts
from dupfind.sources.roots import named_file
from dupfind.sources.same_file import ITSELF, Lookalikes, SameFile
from dupfind.sources.walk import Walk
from dupfind.values import FileEntry, Root, Side, Tree
from tests.helpers.played_mounts import Played, play
from tests.helpers.scans import one_thread


def test_names_of_one_file(tmp_path: Path) -> None:
    """The same path, a link, a path by a linked folder; not a copy, not a hard link under another name."""
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "copy").write_bytes(b"a")
    os.symlink(tmp_path / "a", tmp_path / "link")
    os.symlink(tmp_path, tmp_path / "folder")
    os.link(tmp_path / "a", tmp_path / "hard")
    first = named_file(str(tmp_path / "a")).entry
    entries = {
        name: named_file(str(tmp_path / name)).entry for name in ("a", "./a", "link", "folder/a", "copy", "hard")
    }
    assert {"a", "./a", "link", "folder/a"} == {
        name for name, one in entries.items() if SameFile().is_itself(one, first)
    }


def mounted_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A haystack whose only file is a needle's, mounted by itself, while the needles have a hard link of it, too."""
    for folder in ("hay", "n/x", "n/y"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "n/x/a").write_bytes(b"photo")
    for name in ("n/y/b", "hay/m"):
        os.link(tmp_path / "n/x/a", tmp_path / name)
    shown = {tmp_path: Played("ext4"), tmp_path / "hay/m": Played("ext4", inner="/n/x/a")}
    play(monkeypatch, tmp_path / "table", shown)
    return tmp_path / "hay", tmp_path / "n"


def test_a_file_that_is_mounted_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its count of links says that it has other names; what is mounted is none of them, and goes with the needles."""
    hay, needles = mounted_alone(tmp_path, monkeypatch)
    report = pipeline.scan(make_settings(haystack=[str(hay)], needles=[str(needles)], no_cache=True))
    assert ["missing", "missing"] == [file.state for file in report.files]
    assert [ITSELF] == [problem.reason for problem in report.problems]
    entry, needle = (named_file(str(path)).entry for path in (hay / "m", needles / "x" / "a"))
    assert SameFile().is_itself(entry, needle)


def test_one_link_is_no_second_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number, size and times that are a needle's are the needle, unless its count of links says otherwise."""
    monkeypatch.setattr(mounts, "_TABLE", str(tmp_path / "none"))
    for folder in ("hay", "n"):
        (tmp_path / folder).mkdir()
    (tmp_path / "n/a").write_bytes(b"photo")
    os.link(tmp_path / "n/a", tmp_path / "hay/m")
    state = os.stat(tmp_path / "n/a")
    verdicts = []
    for links, device in ((2, state.st_dev), (1, state.st_dev), (2, state.st_dev + 1)):

        def look(path: str, links: int = links, device: int = device) -> os.stat_result:
            fields = list(os.stat(path)[:10])
            fields[2:4] = [state.st_dev if path.endswith("a") else device, links]
            return os.stat_result(fields)

        monkeypatch.setattr(same_file, "_look", look)
        chosen = make_settings(haystack=[str(tmp_path / "hay")], needles=[str(tmp_path / "n")], no_cache=True)
        verdicts += [file.state.value for file in pipeline.scan(chosen).files]
    assert ["present", "missing", "missing"] == verdicts


@pytest.mark.parametrize("names", [("a.jpg", "A.JPG"), ("\u00e9", "e\u0301")])
def test_names_that_may_be_one(tmp_path: Path, names: tuple[str, str]) -> None:
    """Two names in one folder are one file where the system does not tell them apart; a third link changes nothing."""
    first, second = (tmp_path / name for name in names)
    first.write_bytes(b"photo")
    os.link(first, second)
    (tmp_path / "other").mkdir()
    os.link(first, tmp_path / "other" / names[0])
    entry, needle, elsewhere = (named_file(str(path)).entry for path in (first, second, tmp_path / "other" / names[0]))
    assert SameFile().is_itself(entry, needle)
    assert not SameFile().is_itself(elsewhere, needle)


def test_what_is_gone_is_no_witness(tmp_path: Path) -> None:
    """In doubt it is the same file."""
    (tmp_path / "a").write_bytes(b"a")
    os.link(tmp_path / "a", tmp_path / "hard")
    first, hard = (named_file(str(tmp_path / name)).entry for name in ("a", "hard"))
    os.unlink(tmp_path / "hard")
    assert SameFile().is_itself(hard, first)


def test_a_system_without_inodes(tmp_path: Path) -> None:
    """A file is known by its path."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"a")
    one, other = (named_file(str(tmp_path / name)).entry._replace(inode=0) for name in ("a", "b"))
    assert SameFile().is_itself(one, one)
    assert not SameFile().is_itself(other, one)


def test_the_same_name_is_itself_whatever_became_of_it(tmp_path: Path) -> None:
    """Walked once before and once after it was written to, or where there are no inodes: one file all the same."""
    path = str(tmp_path / "gone.jpg")
    before, after = FileEntry(path, 10, 1, 1, 5), FileEntry(path, 12, 2, 2, 6)
    assert SameFile().is_itself(before, after)
    assert SameFile().is_itself(before._replace(inode=0), before._replace(inode=0))


SECOND, HOUR = 10**9, 3600 * 10**9
OLD = 10**18 + 123_456_789
"""A time of modification, long ago."""


class Two(NamedTuple):
    """Two files on two mounts that pass for any, and whether they may be one."""

    haystack: Path
    needles: Path

    def are_one(self, kinds: tuple[str, str], name: str = "x", **change: int) -> bool:
        """Whether a haystack's file, seen with ``change``, may be the needle ``x`` of one size."""
        lines = tuple(
            Mount(device, "/", str(folder), kind, f"me@{kind}:/{folder.name}")
            for device, (folder, kind) in enumerate(zip(self, kinds, strict=True))
        )
        for folder, file in ((self.haystack, name), (self.needles, "x")):
            (folder / file).touch()
        needle = FileEntry(str(self.needles / "x"), 1000, OLD, OLD + HOUR // 7, 7)
        entry = needle._replace(path=str(self.haystack / name), inode=8)._replace(**change)
        same = SameFile(Mounts(lines))
        answers = {same.is_itself(entry, needle), bool(same.disguised([entry], [needle]))}
        answers |= {same.is_itself(needle, entry), bool(same.disguised([needle], [entry]))}
        (answer,) = answers
        return answer


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """The two folders."""
    for name in ("haystack", "needles"):
        (tmp_path / name).mkdir()
    return Two(tmp_path / "haystack", tmp_path / "needles")


@pytest.mark.parametrize("pool", ["overlay", "fuse.mergerfs", "nfs4", "9p"])
def test_what_hands_on_all_times(two: Two, pool: str) -> None:
    """Size and both times tell, to the nanosecond; a copy has another time of change."""
    for kinds in ((pool, "ext4"), ("ext4", pool)):
        assert two.are_one(kinds)
        for change in ({"ctime_ns": OLD}, {"mtime_ns": OLD + 1}, {"size_bytes": 999}):
            assert not two.are_one(kinds, **change)


SHOWN = {"mtime_ns": OLD // SECOND * SECOND, "ctime_ns": OLD // SECOND * SECOND, "inode": 0}
"""What SFTP shows of the needle."""


@pytest.mark.parametrize("share", ["fuse.sshfs", "cifs", "smb3", "vboxsf", "fuse.gvfsd-fuse", "fuse.rclone", "afs"])
def test_what_keeps_no_time_of_change(two: Two, share: str) -> None:
    """The time of modification tells, by the coarser of the two clocks."""
    for kinds in ((share, "ext4"), ("xfs", share), (share, "overlay"), (share, share), (share, "vfat")):
        assert two.are_one(kinds, **SHOWN)
        assert two.are_one(kinds, **SHOWN | {"ctime_ns": 5})
        assert not two.are_one(kinds, "y", **SHOWN | {"mtime_ns": OLD + 3 * SECOND})
        assert not two.are_one(kinds, size_bytes=999)


def test_the_clock_of_sftp_is_a_second(two: Two) -> None:
    """The next shot of a burst, of one size, is another file; where a clock has two seconds it may be that one."""
    for share, expected in (("fuse.sshfs", False), ("cifs", True)):
        assert expected is two.are_one((share, "ext4"), "y", **SHOWN | {"mtime_ns": SHOWN["mtime_ns"] + 2 * SECOND - 1})


@pytest.mark.parametrize("hours", [-26, -1, 1, 2, 0.25, 5.75])
def test_local_time_in_another_zone(two: Two, hours: float) -> None:
    """FAT keeps local time: a share of it may be off by whole quarters of an hour."""
    moved = {"mtime_ns": OLD // (2 * SECOND) * 2 * SECOND + int(hours * HOUR)}
    assert two.are_one(("cifs", "vfat"), "y", **moved)
    assert not two.are_one(("cifs", "vfat"), "y", mtime_ns=moved["mtime_ns"] + HOUR // 10)


def test_names_where_times_get_lost(two: Two) -> None:
    """A file of one size and name may be the needle where nobody knows what became of its time."""
    for share, expected in (("fuse.rclone", True), ("fuse.curlftpfs", True), ("fuse.sshfs", False), ("cifs", False)):
        assert expected is two.are_one((share, "ext4"), mtime_ns=5, ctime_ns=5)
        assert not two.are_one((share, "ext4"), "y", mtime_ns=5, ctime_ns=5)
    assert two.are_one(("fuse.rclone", "ext4"), "X", mtime_ns=5, ctime_ns=5)


def test_names_where_a_share_may_show_what_was(two: Two) -> None:
    """A file that was touched a moment ago still has its old time there."""
    now_ns = time.time_ns()
    assert two.are_one(("fuse.sshfs", "ext4"), mtime_ns=now_ns, ctime_ns=now_ns)
    assert not two.are_one(("fuse.sshfs", "ext4"), "y", mtime_ns=now_ns, ctime_ns=now_ns)


def test_what_nobody_knows_behind_fuse(two: Two) -> None:
    """A time of change that is shown is compared: most pools of disks hand it on. One that is no other time is none."""
    kinds = ("fuse.pool", "ext4")
    assert two.are_one(kinds)
    assert two.are_one(kinds, ctime_ns=(OLD + HOUR // 7) // SECOND * SECOND, mtime_ns=OLD // SECOND * SECOND)
    assert not two.are_one(kinds, ctime_ns=OLD + HOUR)
    assert two.are_one(kinds, ctime_ns=OLD)
    assert two.are_one(kinds, ctime_ns=0)


@pytest.mark.parametrize("kinds", [("ext4", "xfs"), ("vfat", "ext4"), ("exfat", "ext4"), ("ntfs3", "fuseblk")])
def test_two_disks(two: Two, kinds: tuple[str, str]) -> None:
    """What lies on another one is a copy, all of whose times may be the same."""
    assert not two.are_one(kinds)


def test_two_places_of_one_file_system(two: Two, tmp_path: Path) -> None:
    """Without numbers that last the place tells, as the mount has it, in any case of letters where that counts not."""
    for folder in two:
        (folder / "a").touch()
    entries = [FileEntry(str(folder / "a"), 1, 5, 5, 0) for folder in two]
    for kind, inner, expected in (
        ("vfat", "/photos", True),
        ("vfat", "/Photos", True),
        ("vfat", "/other", False),
        ("fuse.sshfs", "/photos", True),
        ("fuse.sshfs", "/Photos", True),  # where the times agree as well: the other machine may not tell them apart
        ("fuse.sshfs", "/other", False),
    ):
        mounts = Mounts(tuple(
            Mount(5, where, str(folder), kind, "x") for folder, where in zip(two, ("/photos", inner), strict=True)
        ))  # fmt: skip
        assert expected is SameFile(mounts).is_itself(entries[0], entries[1]._replace(mtime_ns=6))
        is_one = expected and (kind == "vfat" or inner == "/photos")
        assert is_one is SameFile(mounts).is_itself(entries[0], entries[1]._replace(mtime_ns=10 * SECOND))
    images = Mounts(
        tuple(Mount(device, "/", str(folder), "vfat", "x") for device, folder in enumerate(two)), {0: "i", 1: "i"}
    )
    assert SameFile(images).is_itself(*entries)
    assert not SameFile(Mounts(images.lines, {0: "i", 1: "j"})).is_itself(*entries)


def test_a_file_system_that_is_certainly_another(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is asked once of two folders, and only where times have not told."""
    asked: list[tuple[str, str]] = []

    def are_two(mount: Mount, folder: str, other_mount: Mount, other: str) -> bool:
        asked.append((folder, other))
        return True

    monkeypatch.setattr(separate_systems, "are_two", are_two)
    mounts = Mounts((
        Mount(1, "/", str(two.haystack), "fuse.sshfs", "far:/"),
        Mount(2, "/", str(two.needles), "ext4", "/dev/sda1"),
    ))  # fmt: skip
    entries = {folder: [FileEntry(str(folder / name), 5, OLD, OLD, 0) for name in "abc"] for folder in two}
    for entry in (*entries[two.haystack], *entries[two.needles]):
        Path(entry.path).touch()
    assert [] == SameFile(mounts).disguised(*entries.values())
    assert 1 == len(asked)
    assert two.are_one(("fuse.mergerfs", "ext4"))
    assert 1 == len(asked)


def test_what_is_gone_or_unknown(two: Two) -> None:
    """What went since the walk proves nothing; of what lies on no known mount the inode number alone tells."""
    gone, needle = (FileEntry(str(folder / "gone"), 5, OLD, OLD, number) for number, folder in enumerate(two, 1))
    assert SameFile(NO_MOUNTS).is_disguised(gone, needle)
    for entry in (gone, needle):
        Path(entry.path).touch()
    assert not SameFile(NO_MOUNTS).is_disguised(gone, needle)


@given(
    st.lists(st.tuples(st.integers(1, 2), st.integers(0, 2000), st.sampled_from("abAB")), max_size=6),
    st.tuples(st.integers(1, 2), st.integers(0, 2000), st.sampled_from("abAB")),
    st.sampled_from([SECOND, 2 * SECOND]),
)
def test_lookalikes_leave_none_out(
    needles: list[tuple[int, int, str]], other: tuple[int, int, str], clock_ns: int
) -> None:
    """All whose time may be one, or whose name is; compared with asking each."""

    def entry_of(size: int, seconds: int, name: str) -> FileEntry:
        return FileEntry(f"/{seconds}/{name}", size, seconds * SECOND, 0, 0)

    entry, entries = entry_of(*other), [entry_of(*needle) for needle in needles]
    found = set(Lookalikes(entries).of(entry))
    for needle in entries:
        if needle.size_bytes == entry.size_bytes:
            is_like = is_one_time(needle.mtime_ns, entry.mtime_ns, clock_ns)
            assert needle in found or not (is_like or needle.path[-1].lower() == entry.path[-1].lower())


@pytest.mark.parametrize("seconds", [(1, 2), (3, 4), (899, 900), (900, 899), (0, 3599), (1799, 1800)])
def test_times_that_two_clocks_part(seconds: tuple[int, int]) -> None:
    """A second apart, and in two steps of the clock; also about an hour."""
    entry, needle = (FileEntry(f"/{name}", 5, time * SECOND, 0, 0) for name, time in zip("ab", seconds, strict=True))
    assert is_one_time(entry.mtime_ns, needle.mtime_ns)
    assert [needle] == list(Lookalikes([needle]).of(entry))


@pytest.mark.parametrize("kind", ["ext4", "overlay", "fuse.sshfs", "exfat"])
@pytest.mark.parametrize("where", ["root", "below", "file", "elsewhere"])
def test_where_numbers_do_not_tell(tmp_path: Path, kind: str, where: str) -> None:
    """By the mount of a root, and by any below it; others cost nothing."""
    point = {"root": "/r", "below": "/r/s", "file": "/r/s/a.jpg", "elsewhere": "/s"}[where]
    mounts = Mounts((Mount(1, "/", "/", "ext4", "x"), Mount(2, "/", point, kind, "y")))
    tree = Tree(Root(Side.HAYSTACK, "r", "/r", (1, 1)), [], [], frozenset({(1, 1)}))
    expected = kind != "ext4" and where != "elsewhere"
    assert expected is SameFile(mounts).may_be_disguised([tree])
    by_device = Tree(tree.root, [], [], frozenset({(2, 5)}))
    assert (kind != "ext4") is SameFile(mounts).may_be_disguised([by_device])


def scanned(haystack: Path, needles: Path, **options: bool) -> tuple[dict[str, str], set[str]]:
    """The verdicts on files, by name, and what was left out of the haystack."""
    report = pipeline.scan(
        make_settings(haystack=[str(haystack)], needles=[str(needles)], no_cache=True, **options),
        make_executor=one_thread,
    )
    left_out = {os.path.basename(problem.path) for problem in report.problems if problem.reason == ITSELF}
    return {os.path.basename(file.path): file.state.value for file in report.files}, left_out


def test_a_scan_by_two_protocols(two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies play what the share shows: the same names, sizes and whole seconds, other numbers and times of change."""
    for number, name in enumerate(("a", "b")):
        for folder, fraction in zip(two, (0, 5000), strict=True):
            (folder / name).write_bytes(name.encode())
            os.utime(folder / name, ns=(0, 10**18 + number * 60 * SECOND + fraction))
    assert ({"a": "present", "b": "present"}, set()) == scanned(*two)
    table = {two.haystack: Played("fuse.sshfs", "me@far:/photos", 99), two.needles: Played("ext4", device=98)}
    play(monkeypatch, tmp_path / "table", table)
    assert ({"a": "missing", "b": "missing"}, {"a", "b"}) == scanned(*two)
    (two.haystack / "c").write_bytes(b"b")  # another file there that holds the same
    assert ({"a": "missing", "b": "present"}, {"a", "b"}) == scanned(*two)


def test_a_share_that_comes_when_it_is_looked_into(two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An automount stands in the table once the walk has met it: what it shows may be a needle itself."""
    for folder, fraction in zip(two, (0, 5000), strict=True):
        (folder / "a").write_bytes(b"a")
        os.utime(folder / "a", ns=(0, 10**18 + fraction))
    table = {two.haystack: Played("fuse.sshfs", "me@far:/photos", 99), two.needles: Played("ext4", device=98)}
    play(monkeypatch, tmp_path / "table", {})
    read_folder = Walk._read_folder

    def come(self: Walk, *values: Any) -> Any:
        play(monkeypatch, tmp_path / "table", table)
        return read_folder(self, *values)

    monkeypatch.setattr(Walk, "_read_folder", come)
    assert ({"a": "missing"}, {"a"}) == scanned(*two)


def test_a_link_into_a_share(two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that is followed may lead to a mount that no folder of the haystack lies on."""
    for folder in (two.needles, tmp_path / "share"):
        folder.mkdir(exist_ok=True)
        (folder / "a").write_bytes(b"a")
        os.utime(folder / "a", ns=(0, 10**18))
    (two.haystack / "a").symlink_to(tmp_path / "share" / "a")
    table = {tmp_path: Played("ext4", device=98), tmp_path / "share": Played("fuse.sshfs", "far:/", 99)}
    play(monkeypatch, tmp_path / "table", table)
    assert ({"a": "missing"}, {"a"}) == scanned(*two, follow_symlinks=True)


def test_a_group_has_each_file_once(two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deleted on the disk is gone from the share; a copy with another time is a copy."""
    for folder in two:
        (folder / "a").touch()
    (two.haystack / "b").touch()
    table = {two.haystack: Played("fuse.sshfs", "far:/", 99), two.needles: Played("ext4", device=98)}
    play(monkeypatch, tmp_path / "table", table)
    first = FileEntry(str(two.needles / "a"), 5, OLD, OLD + 9, 7)
    second = first._replace(path=str(two.haystack / "a"), inode=0, mtime_ns=OLD // SECOND * SECOND)
    copy = second._replace(path=str(two.haystack / "b"), mtime_ns=OLD + 9 * SECOND)
    root = Root(Side.HAYSTACK, str(tmp_path), str(tmp_path), (98, 1))
    entries, left_out = collection.each_once(
        [Tree(root, [first, second, copy], [], frozenset({(98, 1), (99, 1)}))], SameFile()
    )
    assert ([first, copy], [second.path]) == (entries, [problem.path for problem in left_out])
