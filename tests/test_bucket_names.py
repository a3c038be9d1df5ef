"""What is pure about buckets: names and paths, what may be a file of the other side, what tells states apart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.buckets.bucket_source import of_servers
from dupfind.buckets.names import folder_around, folders_of, in_order, why_no_path
from dupfind.buckets.objects import ObjectEntry, Place
from dupfind.buckets.same_file import may_be_one, themselves
from dupfind.buckets.store import MOST_FAILURES, TRIES, AgainError, Listed, Part, State, Store, Trouble
from dupfind.buckets.traffic import Counter, Counts, Traffic
from dupfind.errors import SettingsError
from dupfind.settings import make_settings
from dupfind.sources.bucket_roots import Address, BucketRoot, bucket_roots
from dupfind.sources.file_systems import QUARTER_NS, TICK_NS, is_one_time, keys_near, time_key
from dupfind.values import FileEntry
from tests.helpers.shelf import cataloged

DAY_NS = 86_400 * 10**9
NOW_NS = 1_700_000_000 * 10**9
PLACE = Place(Address("s3", "hay", None, None, ""), "")

names = st.text(st.sampled_from("ab./\0"), max_size=8)


@given(names)
def test_a_path_is_what_programs_leave_as_it_is(below: str) -> None:
    """Against the system's own rules; what is none has a folder around it that is one."""
    is_path = bool(below) and "\0" not in below and os.path.normpath(f"/r/{below}") == f"/r/{below}"
    assert is_path == (why_no_path(below) is None)
    around = folder_around(below)
    assert around == "" or why_no_path(around) is None
    assert below.startswith(around)


@given(st.lists(names.filter(lambda below: why_no_path(below) is None), unique=True))
def test_those_of_a_folder_stand_together(paths: list[str]) -> None:
    """Each folder is met once, after the folders around it; folders are all that lie around a path."""
    met = [path.rpartition("/")[0] for path in sorted(paths, key=in_order)]
    once = list(dict.fromkeys(met))
    assert met == sorted(met, key=once.index)
    slow = {"/".join(path.split("/")[:end]) for path in paths for end in range(1, path.count("/") + 1)}
    assert slow == folders_of(paths)


def test_a_name_that_is_too_long() -> None:
    """It is told of."""
    assert why_no_path("a/" * 3000 + "b") == "its name has 6,001 letters"


def entry(size: int = 5, mtime_ns: int = NOW_NS, path: str = "/n/a.jpg") -> FileEntry:
    """A file."""
    return FileEntry(path, size, mtime_ns, mtime_ns, 7)


@pytest.mark.parametrize(
    ("other", "differ", "expected"),
    [
        (entry(path="s3://b/x.jpg"), False, True),
        (entry(path="s3://b/x.jpg", mtime_ns=NOW_NS + 2 * 10**9), False, True),
        (entry(path="s3://b/a.jpg", mtime_ns=NOW_NS + 9 * DAY_NS), False, False),
        (entry(path="s3://b/A.JPG", mtime_ns=NOW_NS + 9 * DAY_NS), True, True),
        (entry(path="s3://b/x.jpg", mtime_ns=NOW_NS + 9 * DAY_NS), True, False),
        (entry(path="s3://b/x.jpg", mtime_ns=0), False, True),  # nobody says when
        (entry(path="s3://b/a.jpg", size=6), True, False),
    ],
)
def test_what_may_be_one_file(other: FileEntry, differ: bool, expected: bool) -> None:
    """By size and time, and by name where times say nothing."""
    assert expected == may_be_one(entry(), other, times_may_differ=differ)
    assert expected == may_be_one(other, entry(), times_may_differ=differ)


sizes_and_times = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from("ab")), max_size=8)


@given(sizes_and_times, sizes_and_times, st.sampled_from([None, False, True]))
def test_themselves_is_each_with_each(ours: list[tuple], theirs: list[tuple], relation: bool | None) -> None:
    """Against the obvious way."""

    def listed(root: str, files: list[tuple]) -> list[FileEntry]:
        return [entry(size, day * 9 * DAY_NS, f"{root}/{at}/{name}") for at, (size, day, name) in enumerate(files)]

    entries, others = listed("s3://b", ours), listed("/n", theirs)
    slow = {
        one.path
        for one in entries
        for other in others
        if relation is not None and may_be_one(one, other, times_may_differ=relation)
    }
    assert slow == themselves(entries, others, lambda *_: relation)


def stored(url: str, key: str, tag: str = "") -> ObjectEntry:
    """An object of a server or a bucket."""
    root = bucket_roots([url], [])[0]
    assert isinstance(root, BucketRoot)
    return ObjectEntry.of(f"{url}/{key}", key, State(5, NOW_NS, tag), Place(root.address, ""))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (stored("sftp://nas/x", "/x/a"), stored("sftp://nas/y", "/y/a"), None),
        (
            stored("sftp://me@nas/x", "/x/a"),
            stored("sftp://you@nas/y", "/y/a"),
            False,
        ),  # each may have a root of its own
        (stored("sftp://me@nas/x", "/x/a"), stored("sftp://you@nas/X", "/X/A"), True),
        (stored("https://nas/x", "/x/a", '"1"'), stored("https://nas/y", "/y/a", '"1"'), False),
        (stored("https://nas/x", "/x/a", '"1"'), stored("https://nas/y", "/y/a", '"2"'), None),
        (stored("https://nas/x", "/x/a"), stored("https://nas/y", "/y/a", '"2"'), False),
        (stored("https://nas/x", "/x/a", '"1"'), stored("https://bay/y", "/y/a", '"2"'), True),
        (stored("s3://hay", "a", '"1"'), stored("s3://bay", "a", '"1"'), False),
        (stored("s3://hay", "a", '"1"'), stored("s3://bay", "a", '"2"'), None),
        (stored("s3://hay", "a", '"1"'), stored("s3://bay", "b", '"1"'), None),
    ],
)
def test_two_objects_of_servers(ours: ObjectEntry, theirs: ObjectEntry, expected: bool | None) -> None:
    """One folder may have several paths, and one bucket several names."""
    assert expected is of_servers(ours, theirs) is of_servers(theirs, ours)


def test_many_files_of_one_size() -> None:
    """Those of other times and names are not compared: ten thousand raw files of one size took minutes."""
    compared = []

    def relation(*_: FileEntry) -> bool:
        compared.append(1)
        return True

    entries = [entry(5, NOW_NS + day * DAY_NS, f"s3://b/{day}.arw") for day in range(0, 3000, 3)]
    others = [entry(5, NOW_NS + (day * DAY_NS) + 450 * 10**9, f"/n/x{day}.arw") for day in range(0, 3000, 3)]
    others.append(entry(5, entries[7].mtime_ns - 25 * 3600 * 10**9 + 10**9, "/n/y.arw"))
    assert {entries[7].path} == themselves(entries, others, relation)
    assert len(compared) < 100


times = st.integers(-(10**18), 10**19)
apart = st.builds(
    lambda quarters, rest_ns: quarters * QUARTER_NS + rest_ns,
    st.integers(-110, 110),
    st.integers(-2 * 10**9 - 5, 2 * 10**9 + 5),
)


@given(times, apart)
def test_times_that_may_be_one_are_looked_up(mtime_ns: int, apart_ns: int) -> None:
    """Whatever may be one has a key that is looked up."""
    if is_one_time(mtime_ns, mtime_ns + apart_ns, TICK_NS + 1):
        assert time_key(mtime_ns + apart_ns) in set(keys_near(mtime_ns))


def test_the_number_of_an_object_is_of_its_state() -> None:
    """Anything else makes another one; without a tag or a time there is none, and nothing is remembered."""
    state = State(5, NOW_NS, '"tag"')
    states = [
        state,
        state._replace(tag='"other"'),
        state._replace(mtime_ns=NOW_NS + 10**9),
        state._replace(size_bytes=6),
    ]
    numbers = [ObjectEntry.of("s3://hay/a", "a", one, PLACE).inode for one in states]
    numbers.append(ObjectEntry.of("s3://hay/b", "b", state, PLACE).inode)
    elsewhere = PLACE._replace(address=PLACE.address._replace(host="bay"))
    numbers.append(ObjectEntry.of("s3://hay/a", "a", state, elsewhere).inode)
    assert len(numbers) == len({*numbers} - {0})
    for vague in (state._replace(tag=""), state._replace(mtime_ns=0)):
        assert 0 == ObjectEntry.of("s3://hay/a", "a", vague, PLACE).inode


def test_roots_in_roots() -> None:
    """Needles in needles are counted there, once, but where a haystack lies between."""

    def reals(haystack: list[str], needles: list[str]) -> list[str]:
        return [root.real for root in bucket_roots(haystack, needles)]

    assert ["s3://hay", "s3://old"] == reals(["s3://hay/"], ["s3://old", "s3://old/a", "s3://old/"])
    assert ["s3://old/a", "s3://old", "s3://old/a/b"] == reals(["s3://old/a"], ["s3://old", "s3://old/a/b"])
    assert ["s3://hay", "s3://older"] == reals(["s3://hay"], ["s3://older"])


def test_a_catalog_on_the_other_side_is_refused(tmp_path: Path) -> None:
    """It may list the very files that the server shows."""
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "a.txt").write_bytes(b"a")
    catalog = str(tmp_path / "drive.catalog")
    cataloged(tmp_path / "drive", Path(catalog))
    for sides in ({"haystack": [catalog], "needles": ["s3://old"]}, {"haystack": ["s3://hay"], "needles": [catalog]}):
        with pytest.raises(SettingsError, match="does not go with a bucket or a server on the other side"):
            make_settings(**sides, may_be_servers=True, no_cache=True)
    make_settings(haystack=[catalog, "s3://hay"], needles=[str(tmp_path)], may_be_servers=True, no_cache=True)


def test_counts_of_all_processes() -> None:
    """Each has a file of its own, and what it counts later is added to what is there."""
    counts = Counts()
    Counter(counts.folder)(2, 10)
    again = Counter(counts.folder)  # a process that was given the number of one that has ended
    again(1, 5)
    Path(counts.folder, "12345").write_bytes((7).to_bytes(8, "little") + (100).to_bytes(8, "little"))
    Path(counts.folder, "12346").write_bytes(b"half")
    assert Traffic(10, 115) == counts.total()
    counts.remove()
    again(1, 1)  # to nowhere


class Silent(Store):
    """A server that never answers, or only refuses."""

    asked = 0
    failure: Exception = AgainError("nothing")

    def list(self) -> Iterator[Listed | Trouble]:
        """List nothing."""
        return iter(())

    def look_at(self, key: str) -> State | None:
        """Ask."""
        return self.ask(self._fail)

    def read_on(self, key: str, state: State, content: bytearray, part: Part) -> None:
        """Ask."""
        self._fail()

    def _fail(self) -> None:
        self.asked += 1
        raise self.failure

    def close(self) -> None:
        """Nothing is open."""


def test_a_server_that_is_gone_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each object would wait for minutes; one that refuses answers, and is asked about each."""
    monkeypatch.setattr("dupfind.buckets.store.PAUSE_SECONDS", 0.0)
    store = Silent(PLACE.address, lambda *_: None)
    for number in range(100):
        with pytest.raises(OSError, match=r"^nothing$" if number < MOST_FAILURES else "is not asked any more"):
            store.look("a") if number % 2 else store.read("a", State(5, 0), 0, 5)
    assert TRIES * MOST_FAILURES == store.asked
    store = Silent(PLACE.address, lambda *_: None)
    store.failure = PermissionError(13, "access denied")
    for _ in range(100):
        with pytest.raises(PermissionError):
            store.look("a")
    assert 100 == store.asked


def test_only_this_machine_reads_objects() -> None:
    """With a cluster as well: the keys are here."""
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    from dupfind.pool.cluster import _packed

    entry = ObjectEntry.of("s3://hay/a", "a", State(5, NOW_NS, '"tag"'), PLACE)
    assert _packed((len, [entry]), ("s3://hay/",))[1]
    assert not _packed((len, [FileEntry("/hay/a", 5, 1, 1, 1)]), ("/hay/",))[1]
