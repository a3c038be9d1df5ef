"""Archives that are broken, lie or mean harm: told of, never followed, and nothing around them is contained."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from dupfind import pipeline
from dupfind.archives.members import MemberEntry
from dupfind.run import Run
from dupfind.sources.entries import open_entry
from dupfind.values import Report
from tests.helpers.archives import PACKERS, RawMember, raw_zip, special, tarred, zip64, zipped
from tests.helpers.scans import scan, settings
from tests.helpers.trees import build_tree

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]
Dupfind = Callable[..., "subprocess.CompletedProcess[bytes]"]
FILES = {"d/a.txt": b"one", "d/b.txt": b"two " * 9, "c.txt": b"three"}
LINK = (stat.S_IFLNK | 0o777) << 16


@pytest.fixture
def hay(tree: TreeBuilder) -> Path:
    """A collection that has all of the files."""
    return tree("hay", FILES)


def verdicts(hay: Path, needles: Path) -> tuple[Report, dict[str, str]]:
    """Scan, and give the verdicts on the folders below the needles."""
    report = scan(hay, needles, archives="needles")
    start = len(str(needles)) + 1
    return report, {folder.path[start:]: folder.state.value for folder in report.folders}


def refused(hay: Path, needles: Path) -> list[str]:
    """Why nothing around the only archive among the needles is contained."""
    report, states = verdicts(hay, needles)
    assert "contained" not in {state for path, state in states.items() if "/" not in path}, states
    assert not report.is_complete
    return [problem.reason for problem in report.problems if problem.is_gap]


@pytest.mark.slow
@pytest.mark.parametrize("kind", PACKERS)
def test_cut_off_anywhere(hay: Path, tmp_path: Path, kind: str) -> None:
    """At every byte of a small archive: contained only where nothing but zeros behind the end of a TAR is gone."""
    data = PACKERS[kind](FILES)
    step = 1 if len(data) < 2000 else 37
    lengths = list(range(0, len(data), step))
    needles = build_tree(tmp_path / "n", {f"{length}/x.{kind}": data[:length] for length in lengths})
    report, states = verdicts(hay, needles)
    for length in lengths:
        files = [file for file in report.files if file.path.startswith(f"{needles}/{length}/")]
        if states.get(str(length)) == "contained":
            assert kind.endswith("tar")
            assert not data[length:].strip(b"\0")
            assert len(FILES) == len(files)
        assert files or states[str(length)] == "missing"


@pytest.mark.mostly_slow(fast=3)
@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("mask", [0x01, 0xFF])
def test_any_byte_damaged(hay: Path, tmp_path: Path, kind: str, mask: int) -> None:
    """Contained only where every file is still seen, with its content: in a name, a time, a padding."""
    data = PACKERS[kind](FILES)
    step = 1 if len(data) < 2000 else 23
    places = list(range(0, len(data), step))

    def broken(place: int) -> bytes:
        return data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]

    needles = build_tree(tmp_path / "n", {f"{place}/x.{kind}": broken(place) for place in places})
    report, states = verdicts(hay, needles)
    for place in places:
        files = [file for file in report.files if file.path.startswith(f"{needles}/{place}/")]
        if states[str(place)] == "contained":
            assert len(FILES) == len(files), place
            assert {Path(file.witness or "").name for file in files} == {"a.txt", "b.txt", "c.txt"}, place


SOUND = RawMember(b"c.txt", b"three")
PACKED = zlib.compress(b"two " * 9, wbits=-15)
HIDDEN = raw_zip(RawMember(b"h.jpg", b"a photo that only this archive has"))
LIARS: Mapping[str, tuple[bytes, str]] = {
    "encrypted": (raw_zip(SOUND, RawMember(b"s", b"one", flags=1)), "encrypted"),
    "encrypted directory": (raw_zip(SOUND, RawMember(b"s", b"one", flags=0x2000)), "encrypted"),
    "AES": (raw_zip(SOUND, RawMember(b"s", b"one", method=99)), "encrypted"),
    "LZMA": (raw_zip(RawMember(b"s", b"one", method=14)), "compressed in a way that is not read (LZMA)"),
    "unheard of": (raw_zip(RawMember(b"s", b"one", method=77)), "compressed in a way that is not read (method 77)"),
    "link": (raw_zip(SOUND, RawMember(b"s", b"/etc/passwd", attributes=LINK)), "symbolic link: not followed"),
    "pipe": (raw_zip(RawMember(b"s", b"", attributes=stat.S_IFIFO << 16)), "not a regular file"),
    "folder with bytes": (raw_zip(SOUND, RawMember(b"d/", b"secret")), "a folder that holds bytes"),
    "other name": (raw_zip(RawMember(b"c.txt", b"three", local_name=b"d.txt")), "its own header and the directory say"),
    "other method": (
        raw_zip(RawMember(b"c", b"one", method=8, local_method=0)), "its own header and the directory say"),
    "two sizes": (raw_zip(RawMember(b"c.txt", b"three", size=4)), "its directory gives two sizes"),
    "prefix": (raw_zip(SOUND, prefix=b"\xff\xd8 a photo " * 9), "it holds 99 bytes that its directory does not list"),
    "suffix": (raw_zip(SOUND, suffix=b"more"), "bytes follow its end"),
    "empty, it says": (raw_zip(RawMember(b"b", b"two " * 9, method=8, size=0, crc=0)), "it is not empty, as"),
    "empty, it says, and long": (raw_zip(RawMember(b"b", os.urandom(99), method=8, size=0, crc=0)), "it is not empty"),
    "empty with a checksum": (raw_zip(RawMember(b"b", b"", method=8, crc=7)), "it is not empty, as"),
    "hidden member": (
        raw_zip(RawMember(b"c.txt", b"three", before=HIDDEN[:64])), "bytes that its directory does not list"),
    "wrong count": (raw_zip(SOUND, count=2), "its directory counts 2 members and lists 1"),
    "large extra": (
        raw_zip(RawMember(b"c.txt", b"three", extra=b"\1\x27\x04\x20" + b"x" * 8196)), "its directory holds more"),
    "large comment": (zipped({"c.txt": b"three"}, comment=b"photo" * 2000), "its comment holds 10,000 bytes"),
    "binary comment": (zipped({"c.txt": b"three"}, comment=b"\xff\xd8\0\1"), "its comment holds 4 bytes"),
    "a ZIP in front": (HIDDEN + zipped({"c.txt": b"three"}), "bytes that its directory does not list"),
    "a ZIP behind": (zipped({"c.txt": b"three"}) + HIDDEN[:-22], "bytes follow its end"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIARS)
def test_zips_that_lie(hay: Path, tree: TreeBuilder, name: str) -> None:
    """Each is told of, in words, and is not contained."""
    data, reason = LIARS[name]
    reasons = refused(hay, tree("n", {"x.zip": data}))
    assert any(reason in told for told in reasons), reasons


DAMAGED: Mapping[str, tuple[RawMember, str]] = {
    "checksum, stored": (RawMember(b"c.txt", b"three", crc=1), "the checksum is not that of its directory"),
    "checksum, deflated": (RawMember(b"b", b"two " * 9, method=8, crc=1), "the checksum is not that of its directory"),
    "larger than it says": (RawMember(b"b", b"two " * 9, method=8, size=5), "it holds more than its directory says"),
    "smaller than it says": (RawMember(b"b", b"two", method=8, size=5), "it holds less than its directory says"),
    "bytes behind": (
        RawMember(b"b", b"two " * 9, method=8, packed=PACKED + b"photo"),
        "bytes follow its compressed data",
    ),
    "no end": (RawMember(b"b", b"two " * 9, method=8, packed=PACKED[:-2]), "its compressed data has no end"),
    "garbage": (RawMember(b"b", b"two " * 9, method=8, packed=b"\xff" * 20), "its compressed data cannot be unpacked"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_that_shows_when_it_is_read(tree: TreeBuilder, name: str) -> None:
    """Whoever reads such a member to its end is told, though the haystack has what can be read of it."""
    member, reason = DAMAGED[name]
    hay = tree("h", {"a": b"two " * 9, "b": b"three", "c": b"two ", "d": b"two t", "e": b"", "f": b"three"})
    report, states = verdicts(hay, tree("n", {"x.zip": raw_zip(member)}))
    assert {"missing"} == set(states.values())
    told = [problem.reason for problem in report.problems]
    assert any(reason in text for text in told), told


def test_members_that_overlap(hay: Path, tree: TreeBuilder) -> None:
    """As in the bombs that have one stretch for thousands of members."""
    data = bytearray(zipped({"a": b"one", "b": b"one"}))
    second = data.rindex(b"PK\1\2")
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    data[second + 46 : second + 47] = b"a"
    assert any("overlap" in reason for reason in refused(hay, tree("n", {"x.zip": bytes(data)})))


@pytest.mark.slow
def test_bombs(hay: Path, tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than so many times the size, or so many members, or too large for the scratch file."""
    for module in ("opening", "scratch"):
        monkeypatch.setattr(f"dupfind.archives.{module}.LEAST_BOMB_BYTES", 1 << 20)
    zeros = bytes(3 << 20)
    files = {"a": zeros}
    assert any("250 times" in one for one in refused(hay, tree("z", {"x.zip": zipped(files, zipfile.ZIP_DEFLATED)})))
    for mode in ("gz", "bz2", "xz"):
        reasons = refused(hay, tree(f"t{mode}", {f"x.tar.{mode}": tarred(files, mode)}))
        assert any("it unpacks to more than" in reason for reason in reasons)
    links = [special(f"{number}", tarfile.LNKTYPE, "a") for number in range(2000)]
    reasons = refused(hay, tree("l", {"x.tar": tarred({"a": os.urandom(1 << 20)}, more=links)}))
    assert any("250 times" in reason for reason in reasons)
    for module in ("zip_file", "tar_file"):
        monkeypatch.setattr(f"dupfind.archives.{module}.MOST_MEMBERS", 2)
    assert any("more than 2" in reason for reason in refused(hay, tree("m", {"x.zip": zipped(FILES)})))
    assert any("more than 2" in reason for reason in refused(hay, tree("u", {"x.tar": tarred(FILES)})))
    monkeypatch.setattr("dupfind.archives.scratch.MOST_SCRATCH_BYTES", 1000)
    assert any("no room" in reason for reason in refused(hay, tree("r", {"x.tgz": tarred({"c": b"three"}, "gz")})))


def test_a_large_directory(hay: Path, tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not loaded."""
    monkeypatch.setattr("dupfind.archives.zip_file.MOST_READ_BYTES", 100_000)
    data = zipped({f"{number}" * 100: b"one" for number in range(1000)})
    assert any("its headers take" in reason for reason in refused(hay, tree("n", {"x.zip": data})))


NAMES: Mapping[str, tuple[bytes, int, int, str]] = {
    "climbs": (b"../../etc/passwd", 0, 3, "[..]/[..]/etc/passwd"),
    "climbs within": (b"a/../../b", 0, 3, "a/[..]/[..]/b"),
    "climbs, Windows": (b"..\\b", 0, 0, "[..]/b"),
    "absolute": (b"/etc/passwd", 0, 3, "etc/passwd"),
    "drive": (b"C:\\Users\\me\\b", 0, 0, "C:/Users/me/b"),
    "share": (b"\\\\server\\b", 0, 11, "server/b"),
    "a backslash on Unix": (b"a\\b", 0, 3, "a\\b"),
    "dots": (b"./././b", 0, 3, "b"),
    "none": (b"", 0, 3, "[no name]"),
    "NUL": (b"a\0b", 0, 3, "a\u2400b"),
    "code page 437": ("Übung.txt".encode("cp437"), 0, 0, "Übung.txt"),
    "code page 437 all over": ("Größe und Grüße à été.txt".encode("cp437"), 0, 0, "Größe und Grüße à été.txt"),
    "kanji alone": ("写真 2009.txt".encode("cp932"), 0, 0, "写真 2009.txt"),
    "Shift-JIS": ("写真/フォト.txt".encode("cp932"), 0, 0, "写真/フォト.txt"),
    "Shift-JIS with a backslash in a letter": ("表示ソフト.txt".encode("cp932"), 0, 3, "表示ソフト.txt"),
    "UTF-8": ("写真.txt".encode(), 0x800, 3, "写真.txt"),
    "UTF-8 without saying so": ("Übung.txt".encode(), 0, 3, "Übung.txt"),
    "a line of its own": (b"a\nb", 0, 3, "a\nb"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_names(tree: TreeBuilder, name: str) -> None:
    """They are shown below the archive, whatever they say; their files are proved and refused like any other."""
    raw, flags, host, shown = NAMES[name]
    hay = tree("h", {"a": b"one"})
    needles = tree("n", {"x.zip": raw_zip(RawMember(raw, b"one", flags=flags, host=host))})
    report, _ = verdicts(hay, needles)
    assert [(f"{needles}/x.zip/{shown}", "present")] == [(file.path, file.state.value) for file in report.files]
    needles = tree("m", {"x.zip": raw_zip(RawMember(raw, b"other", flags=flags, host=host))})
    assert "contained" not in verdicts(hay, needles)[1].values()


@pytest.mark.slow
def test_one_name_ten_thousand_times(hay: Path, tree: TreeBuilder) -> None:
    """Each is a file, and nothing takes the square of the time."""
    report, states = verdicts(hay, tree("n", {"x.zip": raw_zip(*[RawMember(b"c.txt", b"three")] * 10_000)}))
    assert (10_000, "contained") == (len({file.path for file in report.files}), states["x.zip"])


@pytest.mark.parametrize("name", ["a/" * 65 + "b", "c" * 4097])
def test_endless_names(hay: Path, tree: TreeBuilder, name: str) -> None:
    """Told of, and not made folders of."""
    (reason,) = refused(hay, tree("n", {"x.zip": zipped({"c.txt": b"three", name: b"one"})}))
    assert f"a path of {len(name):,} letters: {name[:80]} ..." == reason
    assert refused(hay, tree("m", {"x.zip": zipped({name: b"one"})}))


def test_a_name_that_is_not_what_it_says(hay: Path, tree: TreeBuilder) -> None:
    """No UTF-8: no traceback either."""
    reasons = refused(hay, tree("n", {"x.zip": raw_zip(RawMember(b"\xff\xfe", b"one", flags=0x800))}))
    assert ["the archive cannot be looked into: a name in its directory is not UTF-8, as it says"] == reasons


def test_names_of_a_tar(tree: TreeBuilder) -> None:
    """The same, and names that are no UTF-8."""
    names = {"../x": "[..]/x", "/y": "y", "./z": "z", "\udcff": "\udcff"}
    hay = tree("h", {"a": b"one"})
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as archive:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = 3
                archive.addfile(info, io.BytesIO(b"one"))
        needles = tree(f"n{form}", {"x.tar": out.getvalue()})
        report, states = verdicts(hay, needles)
        assert {"contained"} == set(states.values())
        assert {f"{needles}/x.tar/{shown}" for shown in names.values()} == {file.path for file in report.files}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("other", ["c.txt", "./c.txt", "/c.txt", "d/../c.txt"])
def test_repeated_names(tree: TreeBuilder, kind: str, other: str) -> None:
    """Both files have to be proved, whichever a program would unpack last."""
    members = [("c.txt", b"three"), (other, b"other")]
    if kind == "zip":
        data = raw_zip(*(RawMember(name.encode(), content) for name, content in members))
    else:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz" if kind == "tar.gz" else "w") as archive:
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size = 5
                archive.addfile(info, io.BytesIO(content))
        data = out.getvalue()
    needles = tree("n", {f"x.{kind}": data})
    for there, is_contained in ((b"three", False), (b"other", False), (None, True)):
        hay = tree(f"h{there!r}", {"a": there or b"three", "b": there or b"other"})
        report, states = verdicts(hay, needles)
        assert 2 == len({file.path for file in report.files})
        assert is_contained == ("contained" in {states.get(f"x.{kind}"), states.get("")})


def altered(data: bytes, place: int, new: bytes) -> bytes:
    """A TAR whose first header says something else, with the checksum of that."""
    header = bytearray(data[:512])
    header[place : place + len(new)] = new
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data[512:]


END = bytes(1024)
ONE, TWO = tarred({"c.txt": b"three"}), tarred({"h.jpg": b"a photo that only this archive has"})
TARS: Mapping[str, tuple[bytes, str]] = {
    "no end": (ONE[:1024], "its end is missing"),
    "another one behind": (ONE + TWO, "bytes that belong to none of its members"),
    "words behind": (ONE + b"words", "bytes that belong to none of its members"),
    "a damaged header in between": (ONE[:1024] + b"?" + TWO[1:], "bytes that belong to none of its members"),
    "half a header": (ONE[:1024] + TWO[:300], "its end is missing"),
    "negative size": (altered(ONE, 124, b"\xff" * 12), "leads? backwards|no archive|broken"),
    "huge size": (altered(ONE, 124, b"77777777777\0"), "it is cut off|its end is missing|unexpected end"),
    "sparse": (altered(ONE, 156, b"S"), "sparse file: not read"),
    "a long name of a gigabyte": (
        altered(altered(ONE, 156, b"L"), 124, b"07777777777\0"),
        "cannot be looked into",
    ),
    "only links to itself": (altered(altered(ONE, 156, b"1"), 157, b"c.txt"), "a link to a file that is not in"),
    "nothing": (b"", "its content is that of no archive"),
    "text": (b"words " * 200, "its content is that of no archive"),
}


@pytest.mark.parametrize("name", TARS)
def test_tars_that_lie(hay: Path, tree: TreeBuilder, name: str) -> None:
    """Each is told of, and is not contained."""
    data, reason = TARS[name]
    reasons = refused(hay, tree("n", {"x.tar": data}))
    assert any(re.search(reason, told) for told in reasons), reasons


PACK: Mapping[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("mode", PACK)
def test_compressed_streams(hay: Path, tree: TreeBuilder, mode: str) -> None:
    """Several in a row are one, and so are zeros behind; anything else behind is told of, and what is cut off."""
    pack = PACK[mode]
    sound = {"in two": pack(ONE[:700]) + pack(ONE[700:]), "zeros": pack(ONE) + bytes(4096)}
    for name, data in sound.items():
        assert "contained" == verdicts(hay, tree(f"s {name}", {f"x.tar.{mode}": data}))[1][f"x.tar.{mode}"]
    lost = {
        "bytes": (pack(ONE) + b"photo", "bytes follow its end"),
        "another tar": (pack(ONE) + pack(TWO), "bytes that belong to none of its members"),
        "cut off": (pack(ONE)[:-4], "it is cut off"),
        "only the mark": (pack(ONE)[:8], "it is cut off"),
        "no tar": (pack(b"words"), "what is compressed in it is no TAR"),
        "nothing": (pack(b""), "what is compressed in it is no TAR"),
    }
    for name, (data, reason) in lost.items():
        reasons = refused(hay, tree(f"l {name}", {f"x.tar.{mode}": data}))
        assert any(reason in told for told in reasons), (name, reasons)


def test_zip64_that_lies(hay: Path, tree: TreeBuilder) -> None:
    """The records of 64 bits are looked at as well."""
    data = zip64({"c.txt": b"three"})
    assert "contained" == verdicts(hay, tree("s", {"x.zip": data}))[1]["x.zip"]
    record = data.index(b"PK\6\6")
    for place, new in ((record + 4, b"\x2d"), (record + 32, b"\2"), (record + 56, b"XX")):
        assert refused(hay, tree(f"n{place}", {"x.zip": data[:place] + new + data[place + len(new) :]}))


def test_zeros_beside_members_are_nothing(hay: Path, tree: TreeBuilder) -> None:
    """Programs align members by them."""
    data = raw_zip(RawMember(b"c.txt", b"three", before=bytes(4096)))
    assert "contained" == verdicts(hay, tree("n", {"x.zip": data}))[1]["x.zip"]


def test_the_whole_process(dupfind: Dupfind, tree: TreeBuilder, hay: Path) -> None:
    """A line for each, an answer, no traceback."""
    files = {f"{number}.zip": data for number, (data, _) in enumerate(LIARS.values())}
    files |= {f"{number}.tar": data for number, (data, _) in enumerate(TARS.values())}
    files |= {f"d{number}.zip": raw_zip(member) for number, (member, _) in enumerate(DAMAGED.values())}
    tree("n", files)
    done = dupfind(
        "scan", "--haystack", str(hay), "--needles", "n", "--no-cache", "-v", "--only", "contained", has_workers=True
    )
    assert 1 == done.returncode
    assert b"Traceback" not in done.stderr
    lines = done.stderr.decode().splitlines()
    for name in files:
        assert any(f"n/{name}" in line for line in lines), name
    assert [] == [line for line in os.fsdecode(done.stdout).splitlines() if "contained" in line and ".zip/" not in line]


def member(hay: Path, needles: Path) -> MemberEntry:
    """The only member among the needles."""
    trees, _ = pipeline.walk(Run(settings(hay, needles, archives="needles")))
    (entry,) = (entry for tree in trees for entry in tree.entries)
    assert isinstance(entry, MemberEntry)
    return entry


@pytest.mark.parametrize("method", [0, 8])
@pytest.mark.parametrize(("size", "read", "is_told"), [(500, 1, True), (600_000, 1, False), (600_000, 300_000, True)])
def test_who_stops_early_is_told(
    hay: Path, tree: TreeBuilder, method: int, size: int, read: int, *, is_told: bool
) -> None:
    """A decoder may not care for the end; only who has read no more than the beginning proves nothing by it."""
    data = bytes(range(250)) * (size // 250)
    entry = member(hay, tree("n", {"x.zip": raw_zip(RawMember(b"a", data, method=method, crc=1))}))
    told = pytest.raises(OSError, match="checksum") if is_told else nullcontext()
    with told:
        assert data.startswith(carelessly_read(entry, 0, read))
    with pytest.raises(OSError, match="checksum"):
        carelessly_read(entry, size - 10, 10)


def carelessly_read(entry: MemberEntry, place: int, count: int) -> bytes:
    """Read as a decoder does that takes an error for the end."""
    data = b""
    with open_entry(entry) as file:
        file.seek(place)
        for _ in range(2):
            with suppress(OSError):
                data += file.read(count - len(data))
    return data
