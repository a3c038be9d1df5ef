"""What the headers of a TAR and of gzip hold beside names and times: a picture in them goes with the archive."""

from __future__ import annotations

import base64
import gzip
import random
import struct
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dupfind.archives.limits import MOST_EXTRA_BYTES
from dupfind.values import Report
from tests.helpers.archives import tarred, zipped
from tests.helpers.scans import scan

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]

FILES = {"a.txt": b"one", "b.txt": b"two " * 200}
PHOTO = b"\xff\xd8\xff\xe0" + random.Random(1).randbytes(9000)  # noqa: S311 - bytes that do not shrink
TEXT = base64.b64encode(PHOTO)
SMALL = b"\xff\xd8\xff\xe0" + random.Random(2).randbytes(300)  # noqa: S311


def padded(data: bytes) -> bytes:
    """Filled up to whole blocks."""
    return data + bytes(-len(data) % tarfile.BLOCKSIZE)


def header(kind: bytes, size_bytes: int, name: str = "././@LongLink") -> bytes:
    """The block in front of what a header of this kind holds."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size_bytes, kind
    return info.tobuf(tarfile.USTAR_FORMAT)


def announced(kind: bytes, payload: bytes, name: str = "././@LongLink") -> bytes:
    """A header that is about the next one."""
    return header(kind, len(payload), name) + padded(payload)


def file(name: str, data: bytes) -> bytes:
    """A member as it lies in a TAR."""
    return header(tarfile.REGTYPE, len(data), name) + padded(data)


def record(key: str, value: bytes) -> bytes:
    """A record of a PAX header, which begins with its own length."""
    rest = f" {key}=".encode() + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


A, B, END = file("a.txt", b"one"), file("b.txt", FILES["b.txt"]), bytes(1024)
LONG = "folder/" * 40 + "a.txt"
ORDINARY: Mapping[str, bytes] = {
    "a long name": announced(b"L", LONG.encode() + b"\0") + A + B,
    "a long name without NUL": announced(b"L", LONG.encode()) + A + B,
    "a name of many letters": announced(b"x", record("path", ("ü" * 2100).encode())) + A + B,
    "a long name and a PAX header": announced(b"L", LONG.encode() + b"\0")
    + announced(b"x", record("mtime", b"1.5"))
    + A,
    "times and owners": announced(b"x", record("mtime", b"1.25") + record("uname", b"me") + record("atime", b"2")) + A,
    "a global comment, as Git writes it": announced(b"g", record("comment", b"6a" * 20)) + A + B,
    "attributes": announced(b"x", record("SCHILY.xattr.user.x", b"y" * 2000)) + A + B,
    "a time without end": A + announced(b"x", record("mtime", b"inf")) + B,
    "a time beyond all others": A + announced(b"x", record("mtime", b"1e300")) + B,
    "a time that is no number": A + announced(b"x", record("mtime", b"nan")) + B,
    "zeros behind records": announced(b"x", record("mtime", b"1") + bytes(40)) + A + B,
    "a long link": announced(b"K", b"a.txt\0") + A + B,
}
SWALLOWED = file("c.jpg", SMALL)
HIDDEN: Mapping[str, bytes] = {
    "behind the NUL of a long name": A + announced(b"L", b"b.txt\0" + PHOTO) + B,
    "behind the NUL of a long link": A + announced(b"K", b"b.txt\0" + PHOTO) + B,
    "a little behind the NUL": A + announced(b"L", b"b.txt\0" + SMALL) + B,
    "in the padding of a long name": A + header(b"L", 6) + b"b.txt\0" + SMALL + bytes(512 - 6 - len(SMALL)) + B,
    "behind the records of the next member": A + announced(b"x", record("mtime", b"1") + PHOTO) + B,
    "behind the records of all": A + announced(b"g", record("mtime", b"1") + PHOTO) + B,
    "a little behind the records": A + announced(b"x", record("mtime", b"1") + SMALL) + B,
    "behind the records of Solaris": A + announced(b"X", record("mtime", b"1") + PHOTO) + B,
    "in the padding of a PAX header": A + header(b"x", 11) + record("mtime", b"1").ljust(12, b"\0") + SMALL
    + bytes(512 - 12 - len(SMALL)) + B,
    "an attribute": A + announced(b"x", record("SCHILY.xattr.user.x", TEXT)) + B,
    "an attribute of all": announced(b"g", record("SCHILY.xattr.user.x", TEXT)) + A + B,
    "a comment": A + announced(b"x", record("comment", TEXT)) + B,
    "a path that another one hides": A + announced(b"x", record("path", TEXT) + record("path", b"b")) + B,
    "the path of a link of a file": A + announced(b"x", record("linkpath", TEXT)) + B,
    "in several": A + announced(b"x", record("comment", PHOTO[:3000].hex().encode()[:3000])) * 2 + B,
    "a name that another one hides": A + announced(b"L", b"b.txt\0") + announced(b"L", TEXT) + B,
    "a header that swallows a member":
        A + header(b"x", 512 + len(SWALLOWED)) + padded(record("mtime", b"1")) + SWALLOWED + B,
    "of a folder": announced(b"L", b"d/\0" + PHOTO) + header(tarfile.DIRTYPE, 0, "d/") + A + B,
    "a record without a key": A + announced(b"x", record("", b"") + record("mtime", b"1")) + B,
    "a record that is longer than it may": A + announced(b"x", b"99 mtime=1\n") + B,
}  # fmt: skip


def looked(tree: TreeBuilder, name: str, data: bytes) -> tuple[Report, str, list[str]]:
    """Scan an archive of files that the collection has: the report, the verdict, and why something was skipped."""
    report = scan(tree("h", FILES), tree("n", {name: data}), archives="needles")
    return report, report.folders[0].state.value, [problem.reason for problem in report.problems if problem.is_gap]


@pytest.mark.parametrize("name", ORDINARY)
def test_what_programs_write_is_in_order(tree: TreeBuilder, name: str) -> None:
    """Long names, times, owners, small attributes, the commit of ``git archive``."""
    _, state, reasons = looked(tree, "x.tar", ORDINARY[name] + END)
    assert ("contained", []) == (state, reasons)


@pytest.mark.slow
@pytest.mark.parametrize("name", HIDDEN)
def test_what_hides_in_a_header_is_told_of(tree: TreeBuilder, name: str) -> None:
    """In a TAR and in a compressed one: neither is contained."""
    data = HIDDEN[name] + END
    for archive in (data, gzip.compress(data)):
        _, state, reasons = looked(tree, "x.tar", archive)
        assert "contained" != state
        assert any("header" in reason or "broken" in reason for reason in reasons), reasons


def test_how_it_is_told(tree: TreeBuilder) -> None:
    """In words, of each member."""
    for name, reason in {
        "behind the NUL of a long name": "the header of b.txt holds more than a name",
        "a little behind the records": "the header of b.txt holds more than its records",
        "a comment": "the headers of b.txt hold 12,018 bytes beside its name",
    }.items():
        assert [reason] == looked(tree, "x.tar", HIDDEN[name] + END)[2]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_as_python_writes_it(tree: TreeBuilder, form: int) -> None:
    """With long names and letters that are not Latin."""
    files = {f"{'long ' * 30}/ü {number}.txt": b"one" for number in range(3)}
    assert "contained" == looked(tree, "x.tar", tarred(files, form=form))[1]


def streamed(data: bytes, extra: bytes = b"", name: bytes = b"", comment: bytes = b"") -> bytes:
    """A gzip stream with the fields of its header."""
    flags = 4 * bool(extra) | 8 * bool(name) | 16 * bool(comment)
    fields = struct.pack("<H", len(extra)) + extra if extra else b""
    fields += b"".join(text + b"\0" for text in (name, comment) if text)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    return (
        bytes((31, 139, 8, flags, 0, 0, 0, 0, 0, 3)) + fields + packed + struct.pack("<II", zlib.crc32(data), len(data))
    )


TAR = A + B + END
HALF = TEXT[: MOST_EXTRA_BYTES // 2 + 9]
STREAMS: Mapping[str, tuple[bytes, bool]] = {
    "plain": (streamed(TAR), True),
    "a name": (streamed(TAR, name=b"x.tar", comment=b"of 2006"), True),
    "extra bytes": (streamed(TAR, extra=b"BC\2\0\1\0", name=b"x.tar"), True),
    "as much as may be": (streamed(TAR, comment=b"x" * (MOST_EXTRA_BYTES - 1)), True),
    "a byte more": (streamed(TAR, comment=b"x" * MOST_EXTRA_BYTES), False),
    "a photo": (streamed(TAR, extra=PHOTO), False),
    "a name with a photo": (streamed(TAR, name=TEXT), False),
    "a comment with a photo": (streamed(TAR, comment=TEXT), False),
    "in parts": (streamed(TAR, extra=HALF, comment=HALF), False),
    "in several streams": (streamed(TAR[:900], extra=HALF) + streamed(TAR[900:], comment=HALF), False),
    "in a stream that is empty": (streamed(TAR) + streamed(b"", extra=PHOTO), False),
    "far behind": (streamed(TAR) + bytes(300_000) + streamed(b"", name=TEXT), False),
    "cut off in its header": (streamed(TAR, comment=b"x")[:11], False),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_headers_of_gzip(tree: TreeBuilder, name: str) -> None:
    """Names and comments of all its streams, up to 4 KiB together."""
    data, is_sound = STREAMS[name]
    _, state, reasons = looked(tree, "x.tgz", data)
    assert is_sound == (state == "contained"), reasons
    assert is_sound == (not reasons)


NOTHING = {"x.zip": b"PK\5\6" + bytes(18), "x.tar": bytes(10240), "x.tgz": gzip.compress(bytes(10240), mtime=0)}


@pytest.mark.parametrize("name", NOTHING)
def test_an_archive_of_nothing(tree: TreeBuilder, name: str) -> None:
    """It stays a file, which is looked for as a whole, and nothing is said to be broken."""
    data = NOTHING[name]
    report, state, reasons = looked(tree, name, data)
    assert ("missing", []) == (state, reasons)
    assert ["missing"] == [file.state.value for file in report.files]
    assert "contained" == scan(tree("i", {"same": data}), tree("n", {name: data}), archives="needles").folders[0].state


def test_a_photo_in_front_of_an_empty_zip(tree: TreeBuilder) -> None:
    """Is told of, as in front of any other."""
    _, state, reasons = looked(tree, "x.zip", PHOTO + b"PK\5\6" + bytes(18))
    assert "contained" != state
    assert reasons


def test_zeros_in_front_of_a_zip(tree: TreeBuilder) -> None:
    """What a ZIP has in front is no end of a TAR."""
    assert "contained" == looked(tree, "x.zip", bytes(1024) + zipped(FILES))[1]


def test_what_follows_an_empty_tar(tree: TreeBuilder) -> None:
    """Is told of."""
    _, state, reasons = looked(tree, "x.tar", bytes(1024) + PHOTO)
    assert state in ("missing", "partial")
    assert any("belong to none of its members" in reason for reason in reasons)


@pytest.mark.slow
def test_parts_of_archives_are_no_paths(tree: TreeBuilder, dupfind: Callable[..., Any]) -> None:
    """Nothing lies at the path of a folder in an archive, so no other program gets it; the archive's it gets."""
    tree("h", FILES)
    inside = {"part/a.txt": b"one", "part/more/b.txt": FILES["b.txt"]}
    inner = zipped({"deep/a.txt": b"one"})
    tree("n", {"whole.zip": zipped(inside), "half.zip": zipped({**inside, "c": b"lost", "in.zip": inner})})
    tree("n", {"folder/a.txt": b"one", "lost": b"lost"})
    options = ("scan", "--no-cache", "--haystack", "h", "--needles", "n", "--only", "contained")
    assert b"n/folder\nn/whole.zip\n" == dupfind(*options, "--format", "paths").stdout
    assert b"n/folder\0n/whole.zip\0" == dupfind(*options, "-0").stdout
    assert b"n/half.zip/part" in dupfind(*options).stdout
    named = ("scan", "--no-cache", "--haystack", "h", "--needles", "n/half.zip", "--only", "contained")
    assert b"" == dupfind(*named, "-0").stdout
    assert b"n/half.zip/part" in dupfind(*named, "--archives", "both").stdout
