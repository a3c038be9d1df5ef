"""What cameras, phones, drives and programs leave behind is junk where the file itself agrees, else a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dupfind.settings import make_settings
from dupfind.sources import ignore
from dupfind.sources.ignore import Excludes
from dupfind.sources.left_overs import LeftOvers, is_junk
from dupfind.sources.source import Rules
from dupfind.values import Tree
from tests.helpers.scans import scan, states
from tests.helpers.walking import walk_all

TreeBuilder = Callable[[str, Mapping[str, object]], Path]

JPEG = b"\xff\xd8\xff\xe1" + bytes(100)
LARGE = JPEG + bytes(1 << 20)
STORE = b"\0\0\0\1Bud1" + bytes(6000)
COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4000)
SHELL = "\r\n[.ShellClassInfo]\r\nLocalizedResourceName=@shell32.dll,-21779\r\n"
LEFT_OVERS = {
    ".DS_Store": STORE,
    "new/.DS_Store": b"",
    ".localized": b"",
    ".metadata_never_index": b"",
    "Icon\r": b"",
    ".apdisk": b'<?xml version="1.0"?><plist/>',
    "Thumbs.db": COMPOUND,
    "new/Thumbs.db": b"",
    "ehthumbs.db": COMPOUND,
    "ehthumbs_vista.db": COMPOUND,
    "desktop.ini": SHELL.encode("utf-16"),
    "a/desktop.ini": SHELL.encode(),
    "b/Desktop.ini": b"\xef\xbb\xbf; words\n" + SHELL.encode(),
    "c/desktop.ini": b"",
    "d/desktop.ini": b"\xfe\xff" + SHELL.encode("utf-16-be"),
    ".directory": "[Desktop Entry]\nIcon=größer\n".encode(),
    "@eaDir/IMG_1.jpg/SYNOFILE_THUMB_M.jpg": JPEG,
    "@eaDir/IMG_1.jpg/SYNOPHOTO_THUMB_XL.jpg": LARGE,
    "@eaDir/IMG_1.jpg/SYNOINDEX_MEDIA_INFO": b"{}",
    "@eaDir/IMG_1.jpg@SynoEAStream": b"x",
    "@eaDir/.DS_Store@SynoResource": b"x",
    "MVI_1.THM": JPEG,
    "CANONMSC/M0100.CTG": bytes(4096),
    "EOSMISC/M0101.CTG": bytes(64),
    "MISC/AUTPRINT.MRK": b"[HDR]\r\nGEN REV = 01.10",
    "PRIVATE/AVF_INFO/AVIN0001.BNP": bytes(200),
    "AVF_INFO/AVIN0001.INP": bytes(200),
    "AVF_INFO/AVIN0001.INT": bytes(200),
    ".nomedia": b"",
    ".thumbnails/1234.jpg": JPEG,
    ".thumbnails/.thumbdata4--1967290299": bytes(10_000),
    ".thumbnails/.database_uuid": b"6a",
    ".@__thumb/s100P.jpg": JPEG,
    ".@__thumb/s800P.jpg": JPEG,
    ".@__thumb/defaultP.jpg": JPEG,
    "@__thumb/s100P.jpg": JPEG,
    "ZbThumbnail.info": b"\1\0\0\0" + bytes(300),
    ".Trash-1000/info/IMG_1.jpg.trashinfo": b"[Trash Info]\nPath=IMG_1.jpg\n",
    ".stfolder/syncthing-folder-abc123.txt": b"do not delete",
    ".dropbox": b"\x0aN&\0",
    ".sync/ID": b"abcd",
    "pspbrwse.jbf": b"JASC BROWS FILE\0\2",
    ".xvpics/P.jpg": b"P7 332\n#IMGINFO:640x480\n",
    ".BridgeCache": b"x",
    "thumbnails-digikam.db": b"SQLite format 3\0",
}
OF_THE_USER = {
    ".DS_Store": JPEG,
    "Thumbs.db": JPEG,
    "ehthumbs.db": STORE,
    "ehthumbs_vista.db": b"hello",
    ".localized": b"x",
    ".metadata_never_index": JPEG,
    "Icon\r": JPEG,
    ".apdisk": JPEG,
    "sub/.apdisk": b"<?xml" + bytes(5000),
    "desktop.ini": JPEG,
    "a/desktop.ini": b"Dear diary",
    "b/desktop.ini": SHELL.encode() + b"x" * 5000,
    "c/desktop.ini": SHELL.encode() + b"\0\1\2",
    "d/desktop.ini": b"\xff\xfe[\0\0\xd8",
    ".directory": b"\n; only a comment\n",
    "thumbnails-digikam.db": JPEG,
    "@eaDir/IMG_1.jpg": JPEG,
    "@eaDir/IMG_2.jpg/photo.jpg": JPEG,
    "@eaDir/a/b/SYNOFILE_THUMB_M.jpg": JPEG,
    "SYNOFILE_THUMB_M.jpg": JPEG,
    "x@SynoEAStream": b"x",
    ".Trash-1000/files/P.jpg": JPEG,
    ".Trash-1000/info/P.jpg": JPEG,
    ".Trash-1000/info/P.jpg.trashinfo": JPEG,
    "photos/P.jpg.trashinfo": b"[Trash Info]\nPath=P.jpg\n",
    "a/info/P.jpg.trashinfo": b"[Trash Info]\n" + bytes(1 << 17),
    ".nomedia": b"x",
    "P.THM": JPEG,  # no film beside it
    "IMG_2.THM": JPEG,  # beside a photo it is a sidecar
    "EMPTY.THM": JPEG,  # the film beside it holds nothing
    "BIG.THM": LARGE,
    "TEXT.THM": b"hello",
    "holiday/M0100.CTG": b"x",
    "CANONMSC/photo.jpg": JPEG,
    "CANONMSC/M0100.CTG.jpg": JPEG,
    "AUTPRINT.MRK": b"\xff\xd8\xff",
    "AVIN0001.BNP": b"x",
    "sub/.nomedia": bytes(5000),
    ".thumbnails/IMG_1234.jpg": JPEG,
    ".thumbnails/9.jpg": LARGE,
    ".thumbnails/8.jpg": b"text",
    ".thumbdata": b"x",
    "s100P.jpg": JPEG,
    ".@__thumb/P.jpg": JPEG,
    ".@__thumb/s800big.jpg": LARGE,
    ".stfolder/photo.jpg": JPEG,
    ".stignore": b"// by hand",
    "ID": b"abcd",
    ".sync/Archive/P.jpg": JPEG,
    "sub/pspbrwse.jbf": b"another",
    ".xvpics/Q.jpg": JPEG,
    ".BridgeSort": b"<x/>",
    ".BridgeLabelsAndRatings": b"x",
    "digikam4.db": b"SQLite format 3\0",
    ".hidden": b"P.jpg",
    "Picasa.ini": b"[P.jpg]\nstar=yes\n",
    "descript.ion": b"P.jpg holiday\n",
}
BESIDE = {"MVI_1.AVI": b"film", "IMG_2.CRW": b"raw", "EMPTY.AVI": b"", "BIG.MP4": b"film", "TEXT.MP4": b"film"}


def walk(tree: TreeBuilder, contents: Mapping[str, object], *exclude: str) -> tuple[Tree, Tree]:
    """The same contents as needles and as haystack."""
    settings = make_settings(haystack=[str(tree("h", contents))], needles=[str(tree("n", contents))], no_cache=True)
    (needles,), (haystack,) = walk_all(settings.roots, Rules(Excludes(exclude)))
    return needles, haystack


def names(side: Tree) -> set[str]:
    """The files of a tree without its root."""
    return {entry.path[len(side.root.real) + 1 :] for entry in side.entries}


def test_left_overs_leave_no_trace(tree: TreeBuilder) -> None:
    """No entry and no gap, on both sides, also where a pattern makes each name be looked at."""
    for exclude in ((), ("*.none",)):
        for side in walk(tree, {**LEFT_OVERS, **BESIDE}, *exclude):
            assert set(BESIDE) == names(side)
            assert not any(problem.is_gap for problem in side.problems)


def test_what_may_be_the_users_is_a_file(tree: TreeBuilder) -> None:
    """By its place, size, beginning or for want of a companion; hidden folders are searched among needles."""
    needles, _ = walk(tree, {**OF_THE_USER, **BESIDE})
    assert {*OF_THE_USER, *BESIDE} == names(needles)


@pytest.mark.parametrize("name", OF_THE_USER)
def test_each_of_them_keeps_its_folder(tree: TreeBuilder, name: str) -> None:
    """The whole way: what is nowhere else is missing, whatever it is called."""
    hay = tree("hay", {path: content for path, content in BESIDE.items() if content})
    report = scan(hay, tree("n", {**BESIDE, name: OF_THE_USER[name]}))
    assert "contained" != report.folders[0].state
    assert not report.is_complete
    assert states(report)[os.path.basename(name)] in ("missing", "unreadable")


def test_case_counts_nowhere(tree: TreeBuilder) -> None:
    """Cards are written in capitals, and copied to disks that do not care."""
    contents = {"mvi_1.thm": JPEG, "MVI_1.avi": b"film", "canonmsc/m0100.ctg": b"x", ".NOMEDIA": b""}
    needles, _ = walk(tree, contents)
    assert {"MVI_1.avi"} == names(needles)


def test_links_are_none(tree: TreeBuilder) -> None:
    """A link among the needles is a gap, and a companion behind a link is none."""
    needles = tree("n", {"a.THM": JPEG, "real": JPEG, "film": b"film"})
    os.symlink("film", needles / "a.mp4")
    os.symlink("real", needles / ".nomedia")
    side, _ = walk(tree, {})
    assert {"a.THM", "real", "film"} == names(side)
    assert 2 == sum(problem.is_gap for problem in side.problems)


def test_lists_tell_them_likewise(tree: TreeBuilder) -> None:
    """What a list names is judged by its path and the folder around it."""
    folder = tree("n", {"MVI_1.THM": JPEG, "MVI_1.MP4": b"film", "b.THM": JPEG, ".nomedia": b""})
    expected = [True, False, False, True]
    assert expected == [is_junk(str(folder / name)) for name in ("MVI_1.THM", "MVI_1.MP4", "b.THM", ".nomedia")]
    assert not is_junk(str(folder / "gone" / "a.THM"))


def test_what_a_network_drive_keeps_in_the_haystack_proves_nothing(tree: TreeBuilder) -> None:
    """Nobody looks into its folder there, whatever lies in it."""
    contents = {"@eaDir/IMG_1.jpg/photo.jpg": JPEG, "a.jpg": b"a"}
    needles, haystack = walk(tree, contents)
    assert {*contents} == names(needles)
    assert ({"a.jpg"}, []) == (names(haystack), haystack.problems)


def test_ordinary_files_are_not_opened(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what bears such a name is."""
    opened = []
    read = LeftOvers._size_bytes

    def look(self: LeftOvers, name: str) -> int | None:
        opened.append(name)
        return read(self, name)

    monkeypatch.setattr(LeftOvers, "_size_bytes", look)
    walk(tree, {**{f"IMG_{number}.jpg": b"x" for number in range(30)}, "Thumbs.db": JPEG, ".hidden": b"1", "._a": b"2"})
    assert ["Thumbs.db"] * 2 == opened


@pytest.mark.parametrize("call", ["stat", "open"])
def test_what_cannot_be_looked_at_is_none(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """So that nobody overlooks it."""
    folder = str(tree("n", {"MVI_1.THM": JPEG, "MVI_1.MP4": b"film"}))
    files = LeftOvers(folder, os.listdir(folder))
    assert files.include("MVI_1.THM")

    def fail(*_: object, **__: object) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(f"dupfind.sources.left_overs.os.{call}", fail)
        assert not LeftOvers(folder, ["MVI_1.THM", "MVI_1.MP4"]).include("MVI_1.THM")


def test_the_cheap_look_stops_all_that_may_be_one() -> None:
    """Every rule is asked: by a dot, a suffix or the folder, before the walk takes a file unseen."""
    for path in LEFT_OVERS:
        folder, name = os.path.split(path)
        is_guarded = ignore.may_hold_left_overs(folder, ["a.jpg", name, "b"])
        assert is_guarded or not ignore.is_common_file(name), path
    assert not ignore.may_hold_left_overs("2006", ["thm", "x.thm.jpg", "a.thm2", "b.th"])


def test_a_pattern_for_them_is_no_mistake(tree: TreeBuilder) -> None:
    """Who leaves out what is left out anyway is told nothing; who mistypes is."""
    excludes = Excludes([".nomedia", "*.thm", ".thumbnails", ".nomedai"])
    for name in names(walk(tree, {"a.jpg": b"1"})[0]):
        excludes.matching(name, name)
    assert ["--exclude .nomedai: nothing that was looked at matches it (case counts)"] == excludes.warnings()
