"""Archives that have not changed since an earlier run: neither unpacked nor read again, and the same answer."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind import pipeline
from dupfind.archives import contents
from dupfind.archives.contents import Contents, Listed, Member, Trouble
from dupfind.archives.members import PENDING, MemberEntry
from dupfind.archives.scratch import Unpacked
from dupfind.commands.cleaning import plan_clean
from dupfind.pool import tasks
from dupfind.run import Run
from dupfind.sources import entries as entries_module
from dupfind.values import Report
from tests.helpers.archives import PACKERS, special, tarred, zipped
from tests.helpers.scans import answer, one_thread, scan, settings

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]

DOUBLE = struct.pack(">8s16sH", bytes.fromhex("0005160700020000"), b"", 0)
HELD = {"a": b"1", "d/b": b"22", "._a": DOUBLE, "__MACOSX/d/._b": DOUBLE}
HAY = {"a": b"1", "b": b"22", "c": b"3"}
NEEDLES = {
    **{f"{kind}/x.{kind}": pack(HELD) for kind, pack in PACKERS.items()},
    "inner/x.zip": zipped({"y.tar.gz": tarred(HELD, "gz"), "z.zip": zipped(HELD, zipfile.ZIP_DEFLATED)}),
    "packed/x.tar.xz": tarred({"y.zip": zipped(HELD), "y.tgz": tarred(HELD, "gz")}, "xz"),
    "deflated/x.zip": zipped({"z.zip": zipped(HELD)}, zipfile.ZIP_DEFLATED),
    "empty/x.tar.gz": tarred({}, "gz"),
    "new/x.tar.gz": tarred({**HELD, "new": b"4"}, "gz"),
    "links/x.tar.gz": tarred({"a": b"1"}, "gz", more=[special("link", b"2", "a")]),
    "tail/x.zip": zipped({"a": b"1"}) + b"what is this?",
    "front/x.zip": b"or this?" + zipped({"a": b"1"}, zipfile.ZIP_DEFLATED),
}


class Labour:
    """What was done about archives in one run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.unpacked = 0
        self.opened: list[str] = []
        real_unpack, real_open = Unpacked._unpack, entries_module._open_without_blocking

        def unpack(self_: Unpacked) -> tuple[int, int]:
            self.unpacked += 1
            return real_unpack(self_)

        def open_(path: str, flags: int) -> int:
            self.opened.append(path)
            return real_open(path, flags)

        monkeypatch.setattr(Unpacked, "_unpack", unpack)
        monkeypatch.setattr(entries_module, "_open_without_blocking", open_)
        monkeypatch.setattr("dupfind.cache.cache._RACY_NS", 0)
        monkeypatch.setattr("dupfind.cache.result_cache.ResultCache.recall", lambda _: None)

    def of(self, hay: Path, needles: Path, **options: Any) -> tuple[int, int, Report]:
        """How often something was unpacked in a scan, how often a file was opened, and the report."""
        self.unpacked = 0
        self.opened.clear()
        report = scan(hay, needles, archives=options.pop("archives", "needles"), **options)
        return self.unpacked, len(self.opened), report


@pytest.fixture
def labour(monkeypatch: pytest.MonkeyPatch) -> Labour:
    """Counts what is read."""
    return Labour(monkeypatch)


def settle(*roots: Path) -> None:
    """Give every file below an old time: what was changed just now is not remembered."""
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                os.utime(Path(folder) / name, (1_500_000_000, 1_500_000_000))


def test_nothing_is_read_twice(tree: TreeBuilder, tmp_path: Path, labour: Labour) -> None:
    """Whatever kind of archive, also in another one, with what a Mac leaves behind, and with gaps that stay gaps."""
    hay, needles = tree("h", HAY), tree("n", NEEDLES)
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    plain = answer(labour.of(hay, needles)[2])
    unpacked, opened, cold = labour.of(hay, needles, cache=cache)
    assert unpacked > 8 < opened
    assert plain == answer(cold)
    unpacked, opened, warm = labour.of(hay, needles, cache=cache)
    assert (0, 0) == (unpacked, opened)
    assert answer(warm) == plain
    states = {Path(folder.path).parent.name: folder.state.value for folder in warm.folders if "/x." in folder.path}
    assert {"contained"} == {states[kind] for kind in (*PACKERS, "inner", "packed", "deflated")}
    assert not {"contained"} & {states[name] for name in ("new", "links", "tail", "front")}


def test_in_the_haystack_too(tree: TreeBuilder, tmp_path: Path, labour: Labour) -> None:
    """What proves a needle is not read again either, and is the other side's by the same listing."""
    hay, needles = tree("h", {"x.tar.gz": tarred(HELD, "gz")}), tree("n", {"x.tar.gz": tarred({"e": b"1"}, "gz")})
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    cold = labour.of(hay, needles, archives="both", cache=cache)
    assert 2 == cold[0]
    warm = labour.of(hay, needles, archives="both", cache=cache)
    assert (0, 0, answer(cold[2])) == (*warm[:2], answer(warm[2]))
    turned = labour.of(needles, hay, archives="both", cache=cache)
    assert answer(labour.of(needles, hay, archives="both")[2]) == answer(turned[2])


def test_paranoid_reads_again(
    tree: TreeBuilder, tmp_path: Path, labour: Labour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It believes no earlier run: of what the archive holds no more than of bytes."""
    hay, needles = tree("h", HAY), tree("n", {"x.tar.gz": NEEDLES["tar.gz/x.tar.gz"]})
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    labour.of(hay, needles, cache=cache)
    nothing = contents.pack_listed(Listed(Contents([Member("a", 1, 0, 1)], []), 10_240, {}))
    monkeypatch.setattr(contents, "unpack_listed", lambda _, real=contents.unpack_listed: real(nothing))
    assert 1 == len(labour.of(hay, needles, cache=cache)[2].files)
    unpacked, opened, report = labour.of(hay, needles, cache=cache, paranoid=True)
    assert 2 == len(report.files)
    assert 1 == unpacked < opened
    assert {"contained"} == {folder.state.value for folder in report.folders}


def test_what_goes_is_looked_into_in_that_run(
    tree: TreeBuilder, tmp_path: Path, labour: Labour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clean takes no archive away on what an earlier run has found in it."""
    hay, needles = tree("h", HAY), tree("n", {"x.tar.gz": tarred({"a": b"1", "new": b"4"}, "gz")})
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    labour.of(hay, needles, cache=cache)
    real = contents.unpack_listed

    def without_new(data: bytes) -> Listed:
        listed = real(data)
        return listed._replace(contents=Contents(listed.contents.members[:1], []))

    monkeypatch.setattr(contents, "unpack_listed", without_new)
    assert {"contained"} == {folder.state.value for folder in labour.of(hay, needles, cache=cache)[2].folders}
    chosen = settings(hay, needles, archives="needles", cache=cache)
    assert [] == plan_clean(chosen, make_executor=one_thread).units


def test_another_archive_is_listed_anew(tree: TreeBuilder, tmp_path: Path, labour: Labour) -> None:
    """By size, times and number: what an earlier one held under this name says nothing."""
    hay, needles = tree("h", HAY), tree("n", {"x.tar.gz": tarred({"a": b"1"}, "gz")})
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    assert {"contained"} == {folder.state.value for folder in labour.of(hay, needles, cache=cache)[2].folders}
    path = needles / "x.tar.gz"
    size = path.stat().st_size
    other = next(data for data in (tarred({"a": b"%d" % number}, "gz") for number in range(2, 99)) if len(data) == size)
    path.write_bytes(other)
    settle(needles)
    unpacked, _, report = labour.of(hay, needles, cache=cache)
    assert 1 == unpacked
    assert {"missing"} == {folder.state.value for folder in report.folders}


def test_unpacked_when_it_is_needed(tree: TreeBuilder, tmp_path: Path, labour: Labour) -> None:
    """Once, for all members of which something is to be known that is not: a file of their size has come."""
    hay, needles = tree("h", {"a": b"1"}), tree("n", {"x.tar.gz": tarred({"a": b"1", "b": b"22", "c": b"23"}, "gz")})
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    labour.of(hay, needles, cache=cache)
    (hay / "b").write_bytes(b"22")
    (hay / "c").write_bytes(b"24")
    settle(hay)
    unpacked, _, report = labour.of(hay, needles, cache=cache)
    assert 1 == unpacked
    assert {"a": "present", "b": "present", "c": "missing"} == {
        os.path.basename(file.path): file.state.value for file in report.files
    }
    assert 0 == labour.of(hay, needles, cache=cache)[0]


def test_nothing_is_recalled_where_nothing_could_be_unpacked(
    tree: TreeBuilder, tmp_path: Path, labour: Labour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm run answers as a cold one: where temporary files lie below what is compared, such archives are files."""
    hay, needles = tree("h", HAY), tree("n", {"x.tar.gz": NEEDLES["tar.gz/x.tar.gz"]})
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    labour.of(hay, needles, cache=cache)
    monkeypatch.setenv("TMPDIR", str(needles))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert {"missing"} == {folder.state.value for folder in labour.of(hay, needles, cache=cache)[2].folders}


def recalled_members(hay: Path, needles: Path, cache: str) -> list[MemberEntry]:
    """The members of archives that were listed in an earlier run."""
    run = Run(settings(hay, needles, archives="needles", cache=cache), make_executor=one_thread)
    trees, _ = pipeline.walk(run)
    return [entry for tree in trees for entry in tree.entries if isinstance(entry, MemberEntry)]


def test_what_unpacks_to_something_else_proves_nothing(
    tree: TreeBuilder, tmp_path: Path, labour: Labour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each member says so, the archive is unpacked once, and nothing of it is contained."""
    hay, needles = tree("h", {"a": b"1"}), tree("n", {"x.tar.gz": tarred({"a": b"1", "b": b"22", "c": b"23"}, "gz")})
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    labour.of(hay, needles, cache=cache)
    real = contents.unpack_listed
    monkeypatch.setattr(contents, "unpack_listed", lambda data: real(data)._replace(unpacked_bytes=512))
    members = recalled_members(hay, needles, cache)
    labour.unpacked = 0
    reasons = {str(outcome.result) for outcome in tasks.read_digests(members)}
    assert 1 == labour.unpacked
    assert all("it unpacks to something else than before" in reason for reason in reasons)
    (hay / "b").write_bytes(b"22")
    settle(hay)
    report = labour.of(hay, needles, cache=cache)[2]
    assert "contained" not in {folder.state.value for folder in report.folders}


def test_a_member_crosses_unpacked(tree: TreeBuilder, tmp_path: Path, labour: Labour) -> None:
    """Another process finds it in the scratch file; where that cannot be made it says that it cannot be read."""
    hay, needles = tree("h", HAY), tree("n", {"x.tar.gz": tarred({"a": b"1"}, "gz")})
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    labour.of(hay, needles, cache=cache)
    (member,) = recalled_members(hay, needles, cache)
    assert PENDING == member.place.scratch
    remake, (class_, fields, place) = member.__reduce__()
    assert PENDING != place.scratch
    with remake(class_, fields, place).open() as file:
        assert b"1" == file.read()
    (member,) = recalled_members(hay, needles, cache)
    os.truncate(needles / "x.tar.gz", 30)
    remake, (class_, fields, place) = member.__reduce__()
    with pytest.raises(OSError, match="cannot be unpacked"), remake(class_, fields, place).open():
        pass


def test_what_could_not_be_read_is_not_remembered(
    tree: TreeBuilder, tmp_path: Path, labour: Labour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a member is junk by its content is asked again where that could not be told."""
    hay, needles = tree("h", HAY), tree("n", {"x.zip": zipped(HELD)})
    settle(hay, needles)
    cache = str(tmp_path / "cache.sqlite")
    with monkeypatch.context() as patch:
        patch.setattr(MemberEntry, "open", _refuse)
        assert "contained" not in {folder.state.value for folder in labour.of(hay, needles, cache=cache)[2].folders}
    assert {"contained"} == {folder.state.value for folder in labour.of(hay, needles, cache=cache)[2].folders}


def _refuse(_: MemberEntry) -> Any:
    raise OSError(5, "Input/output error")


NUMBERS = st.integers(0, 1 << 62)
MEMBERS = st.builds(Member, st.text(), NUMBERS, NUMBERS, NUMBERS, st.booleans(), st.none() | st.integers(0, 1 << 32))
LISTED = st.builds(
    Listed,
    st.builds(Contents, st.lists(MEMBERS), st.lists(st.builds(Trouble, st.text(), st.text()))),
    st.none() | NUMBERS,
    st.dictionaries(st.integers(0, 1 << 20), st.booleans()),
)


@given(LISTED)
def test_round_trip(listed: Listed) -> None:
    """What was kept is what is recalled, with names in whatever letters."""
    data = contents.pack_listed(listed)
    assert data is not None
    assert listed == contents.unpack_listed(data)


def test_names_that_are_no_letters() -> None:
    """As a TAR has them that was made where names are bytes."""
    listed = Listed(Contents([Member("\udcff\udc80.jpg", 1, 0, 1)], []), None, {})
    assert listed == contents.unpack_listed(contents.pack_listed(listed) or b"")


def test_too_much_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such an archive is listed in every run."""
    listed = Listed(Contents([Member("a", 1, 0, 1)], []), None, {})
    monkeypatch.setattr(contents, "_MOST_BYTES", 10)
    assert contents.pack_listed(listed) is None
    monkeypatch.setattr(contents, "_MOST_BYTES", 1000)
    monkeypatch.setattr(contents, "_MOST_PLAIN_BYTES", 10)
    assert contents.pack_listed(listed) is None
