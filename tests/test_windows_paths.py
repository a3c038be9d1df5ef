"""Paths of Windows: drives, shares, long paths. No Windows runs here, so what handles paths is given its rules."""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterator, Sequence
from operator import methodcaller

import pytest

from dupfind.acting.layout import Layout
from dupfind.scanning.verdict import judge_folders
from dupfind.sources import source
from dupfind.sources.ignore import Excludes
from dupfind.sources.mounts import NO_MOUNTS, Mount, Mounts
from dupfind.sources.roots import _spelled
from dupfind.values import FileEntry, FileState, FileVerdict, FolderState, Kind, Root, Side, folder_of, is_below

DRIVE, SHARE, LONG = "E:\\", "\\\\nas\\photos\\", "\\\\?\\C:\\"
DEEP = "\\\\?\\C:\\" + "\\".join(["a folder with a long name"] * 20)
TOPS = [DRIVE, SHARE, LONG, "C:\\old", "\\\\nas\\photos\\old", DEEP]


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Separators and rules of Windows, while a test asks for them."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "sep", "\\")
        patch.setattr(os, "altsep", "/")
        patch.setattr(os, "path", ntpath)
        yield


def root(given: str, real: str | None = None) -> Root:
    """Needles that the user calls ``given``."""
    return Root(Side.NEEDLES, given, real or given, (1, 2))


def verdicts(paths: Sequence[str], roots: Sequence[Root]) -> dict[str, FolderState]:
    """What is said of folders with these files, of which those called ``new`` are missing."""
    files = [
        FileVerdict(
            path, Kind.OTHER, FileState.MISSING if path.endswith("new") else FileState.PRESENT, 1, None, None, None
        )
        for path in paths
    ]
    return {folder.path: folder.state for folder in judge_folders(files, [], roots)}


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("top", TOPS)
def test_folders_up_to_the_root(top: str) -> None:
    """The way up ends at a drive and at a share, and each folder is counted in those around it."""
    a, b = ntpath.join(top, "a"), ntpath.join(top, "a", "b")
    paths = [ntpath.join(b, "old"), ntpath.join(b, "old 2"), ntpath.join(a, "new"), ntpath.join(top, "old")]
    states = verdicts(paths, [root(top)])
    assert {top: FolderState.PARTIAL, a: FolderState.PARTIAL, b: FolderState.CONTAINED} == states


@pytest.mark.usefixtures("windows")
def test_roots_with_the_other_separator() -> None:
    """As people write them: files of two drives that follow each other are not counted in one folder."""
    states = verdicts(["C:/old", "D:/new"], [root("C:/"), root("D:/")])
    assert {"C:/": FolderState.CONTAINED, "D:/": FolderState.MISSING} == states


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("top", TOPS)
def test_what_is_below(top: str) -> None:
    """Whole names count, with and without a separator at the end; nothing of another drive is below."""
    inside = ntpath.join(top, "a", "b.jpg")
    assert is_below(inside, top)
    assert is_below(top, top)
    assert is_below(inside, ntpath.join(top, "a"))
    assert not is_below(ntpath.join(top, "ab"), ntpath.join(top, "a"))
    assert not any(is_below(other, top) or is_below(top, other) for other in ("D:\\", "\\\\nas\\music\\", "D:\\old"))
    assert ntpath.join(top, "a") == folder_of(inside)
    assert top == folder_of(ntpath.join(top, "b.jpg"))


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("top", TOPS)
def test_files_by_their_folders(top: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is called as the walk calls it, a drive too: the files of one that is called otherwise would be gone."""
    monkeypatch.setattr(source, "_SPLIT", methodcaller("rpartition", "\\"))
    paths = [ntpath.join(top, *names) for names in (["b.jpg"], ["a", "c.jpg"], ["a", "d.jpg"])]
    folders = source.by_folder([FileEntry(path, 1, 2, 3, 4) for path in paths])
    assert {top: paths[:1], ntpath.join(top, "a"): paths[1:]} == {
        folder: [entry.path for entry in inside] for folder, inside in folders
    }


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("given", "real", "spelled", "shown"),
    [
        ("E:\\", DRIVE, "E:\\", "E:\\a\\b"),
        ("E:/", DRIVE, "E:\\", "E:\\a\\b"),
        ("E:", "E:\\now here", "E:\\now here", "E:\\now here\\a\\b"),
        ("C:\\old\\\\", "C:\\old", "C:\\old", "C:\\old\\a\\b"),
        ("C:/old/", "C:\\old", "C:\\old", "C:\\old\\a\\b"),
        ("old\\", "C:\\old", "old", "old\\a\\b"),
        ("./old/", "C:\\old", ".\\old", ".\\old\\a\\b"),
        ("\\\\nas\\photos", SHARE, SHARE, "\\\\nas\\photos\\a\\b"),
        ("//nas/photos/old/", "\\\\nas\\photos\\old", "\\\\nas\\photos\\old", "\\\\nas\\photos\\old\\a\\b"),
        ("\\\\?\\C:\\", LONG, LONG, "\\\\?\\C:\\a\\b"),
        ("\\", "C:\\", "\\", "\\a\\b"),
    ],
)
def test_roots_are_spelt_as_the_user_would(given: str, real: str, spelled: str, shown: str) -> None:
    """A drive keeps its separator, or it would be the working directory there; what reports name leads to the file."""
    assert spelled == _spelled(given, real)
    of_needles = root(spelled, real)
    path = ntpath.join(real, "a", "b")
    assert shown == of_needles.shown(path)
    assert spelled == of_needles.shown(real)
    assert "a\\b" == of_needles.below(path)
    assert spelled in verdicts([of_needles.shown(path)], [of_needles]), "the way up ends"


@pytest.mark.parametrize(
    ("given", "spelled"), [("/", "/"), ("//", "/"), ("a//", "a"), (".", "."), ("E:", "E:"), ("a\\", "a\\")]
)
def test_roots_elsewhere(given: str, spelled: str) -> None:
    """Nothing of that holds where a backslash and a colon are letters."""
    assert spelled == _spelled(given, "/real")


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("top", TOPS)
def test_there_are_no_mounts(top: str) -> None:
    """Who asks on which mount a path lies has an answer, on a drive too."""
    assert NO_MOUNTS.around(ntpath.join(top, "a")) is None
    assert NO_MOUNTS.place(ntpath.join(top, "a")) is None
    assert Mounts((Mount(1, "\\", "X:\\", "ntfs", "x"),)).around(ntpath.join(top, "a")) is None


@pytest.mark.usefixtures("windows")
def test_patterns() -> None:
    """They are written with ``/`` on every system, and matched folder by folder."""
    excludes = Excludes(["a/cache/*.tmp", "/top", "*.bak"])
    assert excludes.matching("\\a\\cache\\x.tmp", "x.tmp") == "a/cache/*.tmp"
    assert excludes.matching("\\top", "top") == "/top"
    assert excludes.matching("\\a\\top", "top") is None
    assert excludes.matching("\\a\\b.bak", "b.bak") == "*.bak"


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("CON", "_CON"), ("nul.txt", "_nul.txt"), ("Aux .jpg", "_Aux .jpg"), ("com1", "_com1"), ("LPT³.x", "_LPT³.x"),
        ("CONIN$", "_CONIN$"), ("conout$.jpg", "_conout$.jpg"), ("console.jpg", "console.jpg"), ("com10", "com10"),
        ("a.", "a_"), ("a ", "a_"), ('<>:"|?*.jpg', "_______.jpg"), ("a\\b", "a_b"), ("tab\t", "tab_"),
    ],
)  # fmt: skip
def test_names_that_windows_cannot_have(name: str, stored: str) -> None:
    """Where a card with a file system of Windows is the destination, no photo is lost to a name."""
    assert stored == Layout("keep", is_windows=True).safe_name(name)


def test_names_are_cut_where_the_system_would_refuse_them() -> None:
    """The suffix stays: by it a picture is known."""
    name = Layout("keep", is_windows=True).safe_name("x" * 400 + ".jpg")
    assert name.endswith(".jpg")
    assert len(name) <= 255
