"""Which files of a catalog may be the needles themselves: every layout in which a file could come to prove itself."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.catalog.same_file import Relation, have_numbers, is_as_listed, must_be_seen, relation, themselves
from dupfind.catalog.volumes import Volume
from dupfind.sources.file_systems import TICK_NS, is_one_time
from dupfind.values import FileEntry

OTHER, UNKNOWN, SAME = Relation
HOUR_NS = 3600 * 10**9
DISK = Volume(2065, "boot 1", "ext4", "1111-uuid", is_numbered_apart=False)
LISTED = FileEntry("/c/photos.catalog/2006/a.jpg", 1000, 5 * 10**18, 6 * 10**18, 77)


def found(
    needle: FileEntry,
    how: Relation,
    listed: FileEntry = LISTED,
    former: str = "/media/disk",
    *,
    are_numbered: bool = True,
) -> bool:
    """Whether the one file that is listed may be this needle."""
    start = len("/c/photos.catalog")
    own = themselves([listed], [needle], how, lambda path: former + path[start:], are_numbered=are_numbered)
    assert own <= {listed.path}
    return bool(own)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (True, True, True)),  # mounted elsewhere, a folder around it renamed
        ({"path": "/n/other.jpg"}, (True, True, True)),
        ({"ctime_ns": 1}, (False, True, True)),  # moved since, or its rights were changed
        ({"ctime_ns": 1, "mtime_ns": 1}, (False, True, True)),  # touched since
        ({"ctime_ns": 1, "size_bytes": 1}, (False, True, True)),
        ({"ctime_ns": 1, "mtime_ns": 1, "size_bytes": 1}, (False, True, True)),  # its tags written in place
        ({"ctime_ns": 1, "mtime_ns": 1, "size_bytes": 1, "path": "/n/other.jpg"}, (False, False, True)),
        ({"inode": 78}, (False, False, False)),  # a copy with its time
        ({"inode": 78, "path": "/media/disk/2006/a.jpg"}, (False, True, True)),  # where it was listed
    ],
)
def test_files_with_numbers(change: dict[str, object], expected: tuple[bool, bool, bool]) -> None:
    """On certainly other file systems, where nobody knows, and on the same one."""
    needle = LISTED._replace(path="/n/2007/a.jpg")._replace(**change)  # type: ignore[arg-type]
    assert expected == tuple(found(needle, how) for how in Relation)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"path": "/n/b.jpg"}, True),  # renamed
        ({"path": "/n/A.JPG", "mtime_ns": 1}, True),  # FAT does not tell these names apart
        ({"path": "/n/b.jpg", "mtime_ns": LISTED.mtime_ns + 2 * HOUR_NS + 2 * 10**9}, True),  # mounted in another zone
        ({"path": "/n/b.jpg", "mtime_ns": LISTED.mtime_ns - HOUR_NS // 4}, True),
        ({"path": "/n/b.jpg", "mtime_ns": LISTED.mtime_ns + 60 * 10**9}, False),
        ({"path": "/n/b.jpg", "mtime_ns": LISTED.mtime_ns + HOUR_NS // 3}, False),
        ({"path": "/n/b.jpg", "mtime_ns": LISTED.mtime_ns + 27 * HOUR_NS}, False),
        ({"size_bytes": 999}, False),
    ],
)
@pytest.mark.parametrize("without", ["needle", "listed", "either"])
def test_files_without_numbers(change: dict[str, object], expected: bool, without: str) -> None:
    """Likeness will do, unless the file systems are certainly others."""
    needle = LISTED._replace(path="/n/a.jpg", inode=0 if without == "needle" else 9)._replace(**change)  # type: ignore[arg-type]
    listed = LISTED._replace(inode=0) if without == "listed" else LISTED
    are_numbered = without != "either"
    assert (False, expected, expected) == tuple(
        found(needle, how, listed, are_numbered=are_numbered) for how in Relation
    )


@given(
    st.sampled_from([UNKNOWN, SAME]),
    st.booleans(),
    st.builds(FileEntry, st.just("/n/a.jpg"), *([st.integers(0, 3)] * 4)),
    st.fixed_dictionaries({}, optional={"ctime_ns": st.integers(0, 9), "mtime_ns": st.integers(0, 9)}),
)
def test_a_file_whose_times_changed_is_known(
    how: Relation, are_numbered: bool, needle: FileEntry, changes: dict[str, int]
) -> None:
    """Whatever becomes of its times: its size and name tell with its number, and without one."""
    listed = needle._replace(path="/c/photos.catalog/old/a.jpg", **changes)
    assert found(needle, how, listed, are_numbered=are_numbered)


def test_one_of_many() -> None:
    """Only those files are meant, and a needle of another size costs nothing."""
    listed = [LISTED._replace(path=f"/c/photos.catalog/{number}", inode=number) for number in range(1, 9)]
    needles = [LISTED._replace(path=f"/n/{number}", inode=number) for number in (3, 5, 99)]
    own = themselves(listed, needles, SAME, lambda path: path, are_numbered=True)
    assert {"/c/photos.catalog/3", "/c/photos.catalog/5"} == own
    assert set() == themselves([], needles, SAME, lambda path: path, are_numbered=True)


@given(
    st.lists(st.tuples(st.sampled_from("aAb"), st.integers(1, 2), st.integers(-99, 99)), max_size=8),
    st.lists(st.tuples(st.sampled_from("aAbcd"), st.integers(1, 2), st.integers(-99, 99)), max_size=8),
)
def test_likeness_against_the_obvious_way(kept: list[tuple[str, int, int]], other: list[tuple[str, int, int]]) -> None:
    """Each file compared with each: one size, and one name or one time, in any zone."""

    def entries(folder: str, files: list[tuple[str, int, int]]) -> list[FileEntry]:
        return [
            FileEntry(f"{folder}/{number}/{name}", size, (10**9 + steps * 899) * 10**9 + number, 0, 0)
            for number, (name, size, steps) in enumerate(files)
        ]

    listed, needles = entries("/c/photos.catalog", kept), entries("/n", other)
    expected = {
        entry.path
        for entry in listed
        for needle in needles
        if entry.size_bytes == needle.size_bytes
        and (
            entry.path[-1].casefold() == needle.path[-1].casefold()
            or is_one_time(entry.mtime_ns, needle.mtime_ns, TICK_NS + 1)
        )
    }
    assert expected == themselves(listed, needles, UNKNOWN, lambda path: path, are_numbered=False)


def test_likeness_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raw pictures of one size, without numbers: each was compared with each, which takes hours for 100,000."""
    compared = []

    def counted(*times: int) -> bool:
        compared.append(times)
        return is_one_time(*times)

    monkeypatch.setattr("dupfind.catalog.same_file.is_one_time", counted)
    listed = [FileEntry(f"/c/x.catalog/{number}", 9, (10**9 + number * 77) * 10**9, 0, 0) for number in range(2000)]
    needles = [entry._replace(path=f"/n/{entry.path}.raw", mtime_ns=entry.mtime_ns + 10**15) for entry in listed]
    assert set() == themselves(listed, needles, UNKNOWN, lambda path: path, are_numbered=False)
    assert len(compared) < 50 * len(listed)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, SAME),
        ({"device": 5, "boot": "boot 2"}, SAME),  # plugged in elsewhere, on another machine
        ({"uuid": "2222-uuid"}, OTHER),
        ({"uuid": "2222-uuid", "device": 5}, OTHER),  # another drive in the place of the first
        ({"uuid": ""}, SAME),  # the same device since the machine started
        ({"uuid": "", "device": 5}, UNKNOWN),
        ({"uuid": "", "boot": "boot 2"}, UNKNOWN),
        ({"uuid": "", "boot": ""}, UNKNOWN),
        ({"is_numbered_apart": True}, UNKNOWN),  # two subvolumes may number two files alike
    ],
)
def test_file_systems(change: dict[str, object], expected: Relation) -> None:
    """They are others only where both say who they are."""
    other = DISK._replace(**change)  # type: ignore[arg-type]
    assert expected is relation([DISK], [other])
    assert expected is relation([other], [DISK])


def test_names_of_two_systems_tell_no_drives_apart() -> None:
    """A stick has one UUID on Linux, another on a Mac, and a serial number on Windows."""
    linux, mac, windows = (
        DISK._replace(uuid=uuid, boot="") for uuid in ("ABCD-1234", "macos:11-22", "windows:abcd1234")
    )
    assert [UNKNOWN] * 3 == [relation([linux], [mac]), relation([mac], [windows]), relation([linux], [windows])]
    assert OTHER is relation([mac], [mac._replace(uuid="macos:33-44")])
    assert (SAME, SAME) == (relation([mac], [mac]), relation([windows], [windows]))


@pytest.mark.parametrize(
    ("change", "are_numbered", "expected"),
    [
        ({"inode": 78}, True, False),
        ({"ctime_ns": 1, "path": "/n/other.jpg"}, True, True),  # its number, size and time
        ({"inode": 78, "path": "/media/disk/2006/a.jpg"}, True, True),  # where it was listed
        ({"inode": 0}, False, False),  # a copy with its name and time, on a card
        ({"inode": 0, "path": "/media/disk/2006/a.jpg"}, False, True),
    ],
)
def test_a_word_does_not_count_against_numbers_and_paths(
    change: dict[str, object], are_numbered: bool, expected: bool
) -> None:
    """Where a person says that it is another drive, names and times that are alike are those of a copy."""
    needle = LISTED._replace(path="/n/2007/a.jpg")._replace(**change)  # type: ignore[arg-type]
    start = len("/c/photos.catalog")
    own = themselves(
        [LISTED],
        [needle],
        UNKNOWN,
        lambda path: "/media/disk" + path[start:],
        are_numbered=are_numbered,
        is_elsewhere=True,
    )
    assert expected == bool(own)


def test_the_most_dangerous_of_several_counts() -> None:
    """One that is the same, or may be, is enough; nothing to go by is nothing known."""
    far = DISK._replace(uuid="2222-uuid", device=1)
    nameless = DISK._replace(uuid="", device=2)
    assert SAME is relation([far, DISK], [far._replace(uuid="3333"), DISK])
    assert UNKNOWN is relation([far], [DISK, nameless])
    assert UNKNOWN is relation([], [DISK])
    assert UNKNOWN is relation([DISK], [])
    assert UNKNOWN is relation([nameless._replace(boot="")], [nameless._replace(boot="")])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ext4", True),
        ("nfs4", True),
        ("", True),
        ("vfat", False),
        ("cifs", False),
        ("fuse.x", False),
        ("fuseblk", False),
        ("overlay", False),
    ],
)
def test_numbers_that_stay(kind: str, expected: bool) -> None:
    """One file system without them is enough."""
    assert expected is have_numbers([DISK, DISK._replace(kind=kind)])


def test_what_is_here_must_be_seen() -> None:
    """On the drive of the needles always; where nobody knows, if there is something to look at."""
    assert [False, False, True] == [must_be_seen(how, is_root_here=False) for how in Relation]
    assert [False, True, True] == [must_be_seen(how, is_root_here=True) for how in Relation]


@pytest.mark.parametrize(
    ("change", "expected", "without_numbers"),
    [
        ({}, True, True),
        ({"path": "/media/disk/2006/a.jpg"}, True, True),
        ({"inode": 78}, False, True),
        ({"size_bytes": 1}, False, False),
        ({"mtime_ns": 1}, False, False),
        ({"ctime_ns": 1}, False, False),
    ],
)
def test_what_is_there_as_it_was_listed(change: dict[str, object], expected: bool, without_numbers: bool) -> None:
    """By everything that tells one state of a file from another."""
    now = LISTED._replace(**change)  # type: ignore[arg-type]
    assert expected is is_as_listed(LISTED, now, are_numbered=True)
    assert without_numbers is is_as_listed(LISTED, now, are_numbered=False)
    assert without_numbers is is_as_listed(LISTED._replace(inode=0), now, are_numbered=True)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_one_in_either_unicode_form(form: str) -> None:
    """A Mac lists names decomposed, and another system shows those of the same drive composed."""
    listed = LISTED._replace(path=normalize(form, "/c/photos.catalog/2006/Málaga.jpg"))
    for path in ("/media/Málaga/2006/Málaga.jpg", "/n/Málaga.jpg"):
        for own in ("NFC", "NFD"):
            needle = listed._replace(path=normalize(own, path), mtime_ns=1, ctime_ns=1, inode=0)
            is_there = path.startswith("/media")
            if is_there:  # by where it is, however it has been changed
                needle = needle._replace(size_bytes=1)
            former = normalize(form, "/media/Málaga")
            assert found(needle, UNKNOWN, listed, former, are_numbered=is_there)
