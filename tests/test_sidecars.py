"""Sidecars: told by name and content, set aside only beside their owners, and never where they hold a picture."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dupfind.sidecars.contents import MOST_BYTES, described, is_titled
from dupfind.sidecars.kinds import Kind, kind_of, may_be_sidecars, owners_of
from dupfind.values import FileVerdict, Report
from tests.helpers.scans import scan
from tests.helpers.sidecar_contents import (
    ALBUM,
    CODED_JPEG,
    COS,
    DESCRIPTIONS,
    DOP,
    JPEG,
    ON1,
    PICASA,
    PP3,
    aae,
    takeout,
    xmp,
)


def coded(data: bytes) -> str:
    """In base64."""
    return base64.b64encode(data).decode()


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, object]], Path]
OWNER = b"a picture, to go by its name"
LONG = "a_very_long_name_of_a_picture_that_nobody_would_type.jpg"
SIDECARS = {
    "a.xmp": xmp(),
    "a.jpg.xmp": xmp('xmpMM:DerivedFrom="a.jpg"'),
    "A.XMP": xmp('photoshop:SidecarForExtension="JPG" crs:RawFileName="A.jpg"'),
    "a.AAE": aae(),
    "a.aae": aae(is_binary=True),
    "a.jpg.json": takeout("a.jpg"),
    "a.json": takeout("a.jpg"),
    "a.jpg.supplemental-metadata.json": takeout("a.jpg"),
    "a.jpg.supplem.json": takeout("a.jpg"),
    "a.jpg..json": takeout("a.jpg"),
    "metadata.json": ALBUM,
    "Metadaten(1).json": ALBUM,
    "a.jpg.pp3": PP3,
    "a.jpg.dop": DOP,
    "a.on1": ON1,
    "CaptureOne/Settings131/a.jpg.cos": COS,
    "a.jpg.cos": COS,
    "a.THM": JPEG,
    "Picasa.ini": PICASA,
    ".picasa.ini": b"[a.jpg]\nrotate=rotate(1)\n",
    "descript.ion": DESCRIPTIONS,
}
PICTURES = {
    "heic": b"\0\0\0\x1cftypheic" + bytes(400),
    "avif": b"\0\0\0\x20ftypavif" + bytes(400),
    "webp": b"RIFF\x10\x02\0\0WEBPVP8 " + bytes(400),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(400),
    "jpeg xl": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(400),
}
IN_LINES = "\n".join(textwrap.wrap(base64.b64encode(b"\x5a" * 60_000).decode(), 76))
NO_SIDECARS = {
    **{f"json with {kind}": ("a.jpg.json", takeout("a.jpg", x=coded(data))) for kind, data in PICTURES.items()},
    **{f"xmp with {kind}": ("a.xmp", xmp(f'xmp:Label="{coded(data)}"')) for kind, data in PICTURES.items()},
    **{f"aae with {kind}": ("a.AAE", aae(data, is_binary=True)) for kind, data in PICTURES.items()},
    "json with a picture in lines": ("a.jpg.json", takeout("a.jpg", x=f"{CODED_JPEG[:2]}\n{CODED_JPEG[2:]}")),
    "json with a long blob in lines": ("a.jpg.json", takeout("a.jpg", x=IN_LINES)),
    "xmp with a picture before an element": (
        "a.xmp",
        xmp(inner=f"<xmp:a>{CODED_JPEG[:3]}&#xA;{CODED_JPEG[3:]}<xmp:b/></xmp:a>"),
    ),
    "of another picture by its content": ("a.jpg.json", takeout("b.jpg")),
    "without a title": ("a.jpg.json", takeout(None)),
    "json of something else": ("a.jpg.json", b'{"title": "a.jpg"}'),
    "a list": ("a.jpg.json", b'["a.jpg"]'),
    "a number that the owner has not": ("a.jpg(1).json", takeout("a.jpg")),
    "cut json": ("a.jpg.json", takeout("a.jpg")[:-3]),
    "nested too deep": ("a.jpg.json", b"[" * 100_000),
    "json with a picture": ("a.jpg.json", takeout("a.jpg", description=CODED_JPEG)),
    "json with a picture, escaped": ("a.jpg.json", takeout("a.jpg", x=CODED_JPEG).replace(b"/", b"\\/")),
    "large json": ("a.jpg.json", takeout("a.jpg", x=" " * MOST_BYTES)),
    "a note": ("a.json", b'{"my": "diary"}'),
    "an album that is a picture's": ("metadata.json", takeout("a.jpg", access="x")),
    "xmp of a raw file": ("a.xmp", xmp('photoshop:SidecarForExtension="CR2"')),
    "xmp of another name": ("a.xmp", xmp('crs:RawFileName="b.jpg"')),
    "xmp derived from another": ("a.jpg.xmp", xmp('xmpMM:DerivedFrom="b.jpg"')),
    "xmp with a picture": ("a.xmp", xmp(inner=f"<xmp:a>{CODED_JPEG[:3]}&#xA;{CODED_JPEG[3:]}</xmp:a>")),
    "xmp with another thing behind it": ("a.xmp", xmp() + JPEG),
    "xmp that is cut": ("a.xmp", xmp()[:-40]),
    "xml of something else": ("a.xmp", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "xml with entities": ("a.xmp", b'<!DOCTYPE x [<!ENTITY a "a">]>' + xmp().partition(b"?>")[2]),
    "xmp with a long blob": ("a.xmp", xmp(f'xmp:Label="{"A" * 70_000}"')),
    "a picture called xmp": ("a.xmp", JPEG),
    "aae of something else": ("a.AAE", b"<plist><dict><key>x</key><string>y</string></dict></plist>"),
    "aae with a picture": ("a.AAE", aae(JPEG, is_binary=True)),
    "aae with a picture in base64": ("a.AAE", aae(JPEG)),
    "a large thm": ("a.THM", JPEG + bytes(1 << 16)),
    "a thm that is none": ("a.THM", b"text"),
    "pp3 of something else": ("a.jpg.pp3", b"[General]\nRank=1\n"),
    "pp3 with free text": ("a.jpg.pp3", PP3 + b"my diary\n"),
    "pp3 with a picture in base64": ("a.jpg.pp3", PP3 + b"X=" + CODED_JPEG.encode()),
    "pp3 with a picture": ("a.jpg.pp3", PP3 + b"X=\xff\xd8\xff\xe0JFIF"),
    "pp3 without the whole name": ("a.pp3", PP3),
    "dop of something else": ("a.jpg.dop", b"Sidecar"),
    "on1 of something else": ("a.on1", b"{}"),
    "cos of something else": ("a.jpg.cos", b"<html/>"),
    "cos in another folder": ("Other/Settings131/a.jpg.cos", COS),
    "picasa of a picture that is gone": ("Picasa.ini", PICASA + b"[gone.jpg]\nstar=yes\n"),
    "picasa with free text": ("Picasa.ini", PICASA + b"my diary\n"),
    "empty picasa": ("Picasa.ini", b"\n"),
    "another ini": ("my.ini", PICASA),
    "descriptions of a picture that is gone": ("descript.ion", DESCRIPTIONS + b"gone.jpg sunset\n"),
    "descriptions with another line": ("descript.ion", DESCRIPTIONS + b"diary\n"),
    "descriptions without any": ("descript.ion", b"\n"),
    "in another folder": ("sub/a.xmp", xmp()),
    "in another folder, by its whole name": ("sub/a.jpg.xmp", xmp()),
    "in another folder, of takeout": ("sub/a.jpg.json", takeout("a.jpg")),
    "of another stem": ("ab.xmp", xmp()),
}  # fmt: skip


def verdict_on(report: Report, name: str) -> FileVerdict:
    """The verdict on one needle, by its path below the root."""
    (found,) = (one for one in report.files if one.path.endswith("/n/" + name))
    return found


def backup(tree: TreeBuilder, files: Mapping[str, bytes], mode: str, **others: bytes) -> Report:
    """Scan a folder with ``a.jpg``, which is in the haystack, and these files."""
    return scan(tree("hay", {"a.jpg": OWNER}), tree("n", {"a.jpg": OWNER, **files, **others}), sidecars=mode)


@pytest.mark.parametrize("name", SIDECARS)
def test_a_sidecar_of_a_present_file(tree: TreeBuilder, name: str) -> None:
    """``require``: missing as ever, with the reason; ``ignore``: unwanted, and its folder is contained."""
    report = backup(tree, {name: SIDECARS[name]}, "require")
    file = verdict_on(report, name)
    assert ("missing", ["sidecar"]) == (file.state, [reason.code for reason in file.reasons])
    assert "contained" != report.folders[0].state
    report = backup(tree, {name: SIDECARS[name]}, "ignore")
    file = verdict_on(report, name)
    assert ("unwanted", ["sidecar"]) == (file.state, [reason.code for reason in file.reasons])
    assert {"contained"} == {one.state.value for one in report.folders}
    assert (1, 1, report.is_complete) == (report.folders[0].unwanted, report.folders[0].set_aside, True)


@pytest.mark.parametrize("name", SIDECARS)
def test_without_its_owner_it_is_a_file(tree: TreeBuilder, name: str) -> None:
    """The owner is missing, is not there, or lies in another folder."""
    hay = tree("hay", {"b.txt": b"b"})
    for number, beside in enumerate(({"a.jpg": OWNER, "b.txt": b"b"}, {"b.txt": b"b"}, {"other/a.jpg": OWNER})):
        hay = tree(f"hay{number}", {"b.txt": b"b", "other.jpg": OWNER if number else b"?"})
        report = scan(hay, tree(f"{number}/n", {name: SIDECARS[name], **beside}), sidecars="ignore")
        if kind_of(os.path.basename(name)) is Kind.ALBUM and number == 1:
            continue  # it describes the folder, all of whose files are present
        assert verdict_on(report, name).state in ("missing", "unreadable"), number
        assert "contained" != report.folders[0].state


@pytest.mark.parametrize("case", NO_SIDECARS)
def test_what_is_none_by_name_or_content(tree: TreeBuilder, case: str) -> None:
    """It keeps its folder, whatever the option says."""
    name, content = NO_SIDECARS[case]
    report = backup(tree, {name: content}, "ignore")
    assert verdict_on(report, name).state in ("missing", "unreadable", "similar")
    assert "sidecar" not in [reason.code for reason in verdict_on(report, name).reasons]
    assert "contained" != report.folders[0].state


@pytest.mark.parametrize("name", ["a.xmp", "a.AAE", "a.on1", "a.THM", "Picasa.ini", "metadata.json", "descript.ion"])
def test_every_file_that_it_may_describe_has_to_be_present(tree: TreeBuilder, name: str) -> None:
    """``a.xmp`` may be of ``a.jpg`` or of ``a.CR2``."""
    more = {"a.CR2": b"raw", "c.jpg": b"c"}
    content = SIDECARS[name] + (b"[c.jpg]\nstar=yes\n" if name == "Picasa.ini" else b"")
    content += b"c.jpg sea\n" if name == "descript.ion" else b""
    report = backup(tree, {name: content, **more}, "ignore")
    assert "missing" == verdict_on(report, name).state
    hay = tree("hay", {"a.jpg": OWNER, **more})
    assert "unwanted" == verdict_on(scan(hay, tree("n", {}), sidecars="ignore"), name).state


def test_a_sidecar_of_an_unwanted_file_is_none(tree: TreeBuilder) -> None:
    """Its owner is not present."""
    report = scan(
        tree("hay", {"x": b"x"}), tree("n", {"a.jpg": OWNER, "a.xmp": xmp()}), sidecars="ignore", disregard=["a.jpg"]
    )
    assert "missing" == verdict_on(report, "a.xmp").state


@pytest.mark.parametrize("mode", ["require", "ignore"])
def test_a_present_sidecar_stays_present(tree: TreeBuilder, mode: str) -> None:
    """What is in the haystack needs no owner."""
    needles = tree("n", {"a.jpg": OWNER, "a.xmp": xmp()})
    report = scan(tree("hay", {"a.jpg": OWNER, "x": xmp()}), needles, sidecars=mode)
    assert ("present", ()) == (verdict_on(report, "a.xmp").state, verdict_on(report, "a.xmp").reasons)


def test_one_that_changed_or_cannot_be_read_is_none(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read as it was listed, or not at all."""
    from dupfind.scanning import sidecars

    real = sidecars.open_entry
    for error in (OSError(5, "x"), sidecars.ChangedError()):

        def fail(entry: object, error: Exception = error) -> object:
            raise error

        monkeypatch.setattr(sidecars, "open_entry", fail)
        assert "missing" == verdict_on(backup(tree, {"a.xmp": xmp()}, "ignore"), "a.xmp").state
    monkeypatch.setattr(sidecars, "open_entry", real)
    assert "unwanted" == verdict_on(backup(tree, {"a.xmp": xmp()}, "ignore"), "a.xmp").state


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("x.jpg.json", "x.jpg"),
        ("x(1).jpg.json", "x(1).jpg"),
        ("x.jpg(1).json", "x(1).jpg"),
        ("x.jpg.supplemental-metadata.json", "x.jpg"),
        ("x.jpg.supplemental-metadata(1).json", "x(1).jpg"),
        ("x(1).jpg.supplemental-metadata.json", "x(1).jpg"),
        ("x.jpg.supplemental-meta.json", "x.jpg"),
        ("x.jpg.s(2).json", "x(2).jpg"),
        ("X.JPG.json", "x.jpg"),
        ("x.json", "x.mov"),
        (LONG[:46] + ".json", LONG[:47] + ".jpg"),
        (LONG[:51] + ".json", LONG),
        (LONG[:46] + "(1).json", LONG[:47] + "(1).jpg"),
        ("IMG_20230101_123456789_HDR_PORTRAIT.jpg.supple.json", "IMG_20230101_123456789_HDR_PORTRAIT.jpg"),
    ],
)
def test_spellings_of_takeout(name: str, owner: str) -> None:
    """Cut and numbered at either place; others in the folder have nothing to do with it."""
    others = ["y.jpg", "x(3).jpg", "xx.jpg", "x-edited.jpg", "x.jpg.txt", "x.txt"]
    kind = kind_of(name)
    assert Kind.TAKEOUT is kind
    assert [owner] == owners_of(kind, name, [*others, owner])
    assert [] == owners_of(kind, name, others)


@pytest.mark.parametrize(
    "name",
    [
        "x.jpg.supplemental-metadatas.json",
        "x.jpg.upplemental.json",
        "x.jpg.mine.json",
        "x.jp.json",
        LONG[:45] + ".json",
    ],
)
def test_what_takeout_does_not_write(name: str) -> None:
    """No prefix of that word, no cut at another place."""
    assert [] == owners_of(Kind.TAKEOUT, name, ["x.jpg", LONG])


@pytest.mark.parametrize(
    ("title", "name", "expected"),
    [
        ("x.jpg", "x.jpg", True),
        ("x.jpg", "x(1).jpg", True),
        ("x(1).jpg", "x(1).jpg", True),
        ("X.JPG", "x.jpg", True),
        ("what? a & b.jpg", "what_ a _ b.jpg", True),
        ("x", "x.jpg", True),
        (LONG, LONG[:47] + ".jpg", True),
        ("Mu\u0308ll.jpg", "Müll.jpg", True),
        ("x.png", "x.jpg", False),
        ("y.jpg", "x.jpg", False),
        ("xy.jpg", "x.jpg", False),
        ("xa.jpg", "x_.jpg", False),
        (LONG, LONG[:30] + ".jpg", False),
        ("", "x.jpg", False),
    ],
)
def test_titles(title: str, name: str, *, expected: bool) -> None:
    """A title names its picture, as far as a file system lets it."""
    assert expected is is_titled(title, name)


def test_the_cheap_look_lets_none_pass() -> None:
    """What it does not see is never asked for."""
    for path in [*SIDECARS, *(name for name, _ in NO_SIDECARS.values())]:
        for form in (path, path.upper(), path.title()):
            assert may_be_sidecars(["n/" + form])[0] or kind_of(os.path.basename(form)) is None
    assert [False] == may_be_sidecars(["n/a.jpg"])
    assert kind_of(".xmp") is None


@pytest.mark.parametrize("kind", Kind)
def test_hostile_contents_are_none(kind: Kind) -> None:
    """No content makes it fail, and none of these is a sidecar."""
    for content in (b"", b"\0" * 99, b"\xff\xfe<\0", b"<" * 999, b"bplist00" + bytes(99), b"{" * 99_999, JPEG[:2]):
        assert [] == described(kind, content, ["a.jpg"])
    assert [] == described(Kind.TAKEOUT, takeout("a.jpg", x=" " * MOST_BYTES), ["a.jpg"])


@pytest.mark.slow
def test_the_summary_says_which_option(tree: TreeBuilder, dupfind: Run) -> None:
    """How many of the missing are sidecars, what sets them aside, and what that may cost."""
    tree("hay", {"a.jpg": OWNER})
    tree("n", {"a.jpg": OWNER, "a.xmp": xmp(), "a.jpg.json": takeout("a.jpg"), "note.txt": b"mine"})
    command = "scan", "--haystack", "hay", "--needles", "n", "--no-cache"
    table = dupfind(*command).stdout.decode()
    assert "2 of what is not there are sidecars of present files (1 Takeout JSON, 1 XMP): --sidecars ignore" in table
    done = dupfind(*command, "--sidecars", "ignore")
    assert 1 == done.returncode
    assert "2 files are set aside: 2 as sidecars of present files" in done.stdout.decode()
    assert "Of the sidecars (1 Takeout JSON, 1 XMP) 1 may hold the only copy of an edit" in done.stdout.decode()
    report = json.loads(dupfind(*command, "--sidecars", "ignore", "--format", "json").stdout)
    assert {"not_present": 0, "unwanted": 2} == report["summary"]["sidecars"]
    assert "ignore" == report["settings"]["sidecars"]
    reasons = {one["path"]: one["reason"] for one in report["files"] if one["verdict"] == "unwanted"}
    assert "a sidecar (XMP) of n/a.jpg, which is present" == reasons["n/a.xmp"]
    report = json.loads(dupfind(*command, "--format", "json").stdout)
    assert {"not_present": 2, "unwanted": 0} == report["summary"]["sidecars"]
    (tree("n", {}) / "note.txt").unlink()
    assert [1, 0] == [dupfind(*command, "--sidecars", mode).returncode for mode in ("require", "ignore")]


def test_a_slip_in_the_option(tree: TreeBuilder, dupfind: Run) -> None:
    """Wrong usage, in one line that names the choices."""
    tree("hay", {})
    done = dupfind("scan", "--haystack", "hay", "--needles", "hay", "--sidecars", "ignored")
    assert 2 == done.returncode
    assert b"'require', 'ignore'" in done.stderr
