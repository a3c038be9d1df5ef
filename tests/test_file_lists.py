"""Needles that a list names: files for themselves, folders as ever."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dupfind import pipeline
from dupfind.errors import SettingsError
from dupfind.settings import make_settings
from dupfind.sources.file_lists import NOTHING, look_up, names_in
from dupfind.sources.ignore import Excludes
from dupfind.values import Report, Side
from tests.helpers.played_mounts import play
from tests.helpers.shelf import Ears, TreeBuilder, cataloged


def scan(haystack: Path, names: Sequence[Path | str], **raw: object) -> Report:
    """Scan what these name."""
    options = {"no_cache": True, "workers": 1, "listed": [str(name) for name in names], **raw}
    return pipeline.scan(make_settings(haystack=[str(haystack)], **options))  # type: ignore[arg-type]


def files(report: Report) -> dict[str, str]:
    """Verdicts by name."""
    return {os.path.basename(one.path): one.state.value for one in report.files}


def folders(report: Report) -> dict[str, str]:
    """Likewise."""
    return {os.path.basename(one.path): one.state.value for one in report.folders}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a\nb c\n", ["a", "b c"]),
        (b"a\n\n\nb", ["a", "b"]),
        (b"a\0b\nc\0\0", ["a", "b\nc"]),
        (b"a\0", ["a"]),
        (b" a \r\n", [" a \r"]),
        (b"caf\xe9\n", [os.fsdecode(b"caf\xe9")]),
    ],
)
def test_names_in_a_list(data: bytes, expected: list[str]) -> None:
    """Nothing of a name is lost."""
    assert expected == names_in(data)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_list_of_two_bytes_a_letter(encoding: str, tmp_path: Path) -> None:
    """By NUL it would be cut into letters, of which the slash is a folder: that of everything."""
    data = f"\ufeff{tmp_path}/a\n".encode(encoding)
    with pytest.raises(SettingsError, match="UTF-16"):
        names_in(data)
    odd = b"\xff\xfea\0"  # a name in another encoding, ended by NUL
    assert [os.fsdecode(b"\xff\xfea")] == names_in(odd)


def test_files_have_no_folder(tree: TreeBuilder) -> None:
    """Each has its verdict under the name that was given; nothing is said of what lies beside them."""
    hay, needles = tree("hay", {"a": b"1", "b": b"2"}), tree("n", {"a": b"1", "s/b": b"2", "s/c": b"3"})
    report = scan(hay, [needles / "s" / "b", needles / "a", needles / "a"])
    assert {"a": "present", "b": "present"} == files(report)
    assert {} == folders(report)
    assert report.is_complete
    assert str(needles / "a") in [one.path for one in report.files]


def test_spelt_as_given(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder, with a detour, and once where several names mean one file."""
    hay = tree("hay", {"a": b"1"})
    tree("n", {"a": b"1", "s/b": b"2"})
    monkeypatch.chdir(tmp_path / "n")
    report = scan(hay, ["a", "s/../a", "s//b", "./a"])
    assert ["a", "s//b"] == [one.path for one in report.files]


def test_folders_are_roots(tree: TreeBuilder) -> None:
    """With a verdict on all that is in them; a file that lies in one is counted there, once."""
    hay, needles = tree("hay", {"a": b"1", "b": b"2"}), tree("n", {"a": b"1", "s/b": b"2", "t/c": b"3"})
    report = scan(hay, [needles / "s", needles / "s" / "b", needles / "a"], needles=[str(needles / "t")])
    assert {"a": "present", "b": "present", "c": "missing"} == files(report)
    assert {"s": "contained", "t": "missing"} == folders(report)


def test_what_is_not_there_keeps_a_folder_from_being_contained(tree: TreeBuilder) -> None:
    """And the answer from being whole; beyond all folders, only that."""
    hay, needles = tree("hay", {"a": b"1"}), tree("n", {"s/a": b"1", "t/a": b"1"})
    report = scan(hay, [needles / "s", needles / "s" / "gone", needles / "t", needles / "none", "no/such"])
    assert {"s": "partial", "t": "contained"} == folders(report)
    assert not report.is_complete
    assert ["no such file or directory"] * 3 == [one.reason for one in report.problems]


@pytest.mark.parametrize("kind", ["link", "pipe", "excluded", "folder without rights"])
def test_what_is_not_looked_at(kind: str, tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is a problem, never present."""
    hay, needles = tree("hay", {"a": b"1"}), tree("n", {"a": b"1", "x.tmp": b"1", "d": None})
    (needles / "l").symlink_to("a")
    os.mkfifo(needles / "p")
    true = os.scandir

    def scandir(path: str) -> object:
        if path == str(needles / "d"):
            raise PermissionError(13, "Permission denied")
        return true(path)

    monkeypatch.setattr(os, "scandir", scandir)
    name, reason = {
        "link": ("l", "symbolic link: not followed"),
        "pipe": ("p", "not a regular file"),
        "excluded": ("x.tmp", "excluded by --exclude *.tmp"),
        "folder without rights": ("d", "permission denied"),
    }[kind]
    report = scan(hay, [needles / name], exclude=["*.tmp"])
    assert ({}, [reason], False) == (files(report), [one.reason for one in report.problems], report.is_complete)


def test_links_that_are_followed(tree: TreeBuilder) -> None:
    """Where that was asked for: a file and a folder behind one."""
    hay, needles = tree("hay", {"a": b"1"}), tree("n", {"a": b"1", "d/b": b"2"})
    (needles / "l").symlink_to("a")
    (needles / "m").symlink_to("d")
    report = scan(hay, [needles / "l", needles / "m"], follow_symlinks=True)
    assert {"l": "present", "b": "missing"} == files(report)


def test_a_file_of_the_haystack_is_not_its_own_witness(tree: TreeBuilder) -> None:
    """Nor that of another that is named; by its path, by another name of it. What is left of the haystack proves."""
    hay = tree("hay", {"a": b"1", "s/b": b"1", "c": b"2", "d": b"2"})
    assert {"a": "missing", "b": "missing"} == files(scan(hay, [hay / "a", hay / "s" / "b"]))
    report = scan(hay, [hay / "a", hay / "c"])
    assert {"a": "present", "c": "present"} == files(report)
    assert {f"{hay}/s/b", f"{hay}/d"} == {one.witness for one in report.files}
    assert ["left out: it is among the needles"] * 2 == [one.reason for one in report.problems]
    os.link(hay / "a", hay.parent / "link")  # a file of its own: deleting it leaves the other
    assert {"link": "present"} == files(scan(hay, [hay.parent / "link"]))


def test_a_named_file_proves_no_folder(tree: TreeBuilder) -> None:
    """Both would be deleted."""
    hay, needles = tree("hay", {"a": b"1"}), tree("n", {"a": b"1"})
    report = scan(hay, [needles, hay / "a"])
    assert {"n": "missing"} == folders(report)


def test_a_file_that_changes_meanwhile(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last look sees it: changed, gone, a folder in its place."""
    hay, needles = tree("hay", {"x": b"1"}), tree("n", {"a": b"1", "b": b"1", "c": b"1", "d": b"1"})
    true = pipeline.find_matches

    def find(*given: Any, **options: Any) -> object:
        found = true(*given, **options)
        (needles / "a").write_bytes(b"22")
        (needles / "b").unlink()
        (needles / "c").unlink()
        (needles / "c").mkdir()
        return found

    monkeypatch.setattr(pipeline, "find_matches", find)
    report = scan(hay, [needles / name for name in "abcd"])
    assert {"a": "missing", "b": "missing", "c": "missing", "d": "present"} == files(report)


def test_on_the_drive_of_a_catalog(tree: TreeBuilder, tmp_path: Path) -> None:
    """A named file is known as itself, too, after it was moved and touched."""
    drive = tree("drive", {"a": b"1", "b": b"2"})
    cataloged(drive, tmp_path / "c")
    (drive / "a").rename(tmp_path / "moved")
    os.utime(tmp_path / "moved")
    (tmp_path / "copy").write_bytes(b"2")
    assert {"moved": "missing", "copy": "present"} == files(
        scan(tmp_path / "c", [tmp_path / "moved", tmp_path / "copy"])
    )


def test_junk_counts_for_nothing(tree: TreeBuilder) -> None:
    """As below a folder: no needle, and no gap, though find names it; a folder of such a name was meant."""
    hay, needles = (
        tree("hay", {"a": b"1"}),
        tree("n", {"a": b"1", ".DS_Store": b"\0\0\0\1Bud1", "._a": b"\0\5\x16\7\0\2" + bytes(20), "thumbs.db/b": b"4"}),
    )
    report = scan(hay, [needles / "a", needles / ".DS_Store", needles / "._a"])
    assert ({"a": "present"}, True, []) == (files(report), report.is_complete, report.problems)
    assert {"a": "present", "b": "missing"} == files(scan(hay, [needles / "a", needles / "thumbs.db"]))


def test_nothing_named(tree: TreeBuilder) -> None:
    """An empty list is no mistake: find has found nothing."""
    report = scan(tree("hay", {"a": b"1"}), [])
    assert ({}, True) == (files(report), report.is_complete)
    assert NOTHING == look_up([], Excludes([]), Side.NEEDLES, follow_symlinks=False)


def test_a_warning_where_times_say_nothing(tree: TreeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of any tree."""
    hay, needles = tree("hay", {"a": b"1"}), tree("n", {"a": b"1"})
    play(monkeypatch, tmp_path / "mounts", {tmp_path: "vfat"})
    settings = make_settings(haystack=[str(hay)], listed=[str(needles / "a")], cache=str(tmp_path / "cache" / "c"))
    ears = Ears()
    pipeline.scan(settings, ears)
    assert any(warning.startswith("what the list names is on vfat") for warning in ears.warnings)


def test_what_a_list_names_of_a_collection(tree: TreeBuilder, tmp_path: Path) -> None:
    """Nothing that a walk would not trust: hidden, in the trash, left behind by systems; folders as well as files."""
    tree(
        "c",
        {
            "a.txt": b"1", ".hidden/b.txt": b"2", "Trash/c.txt": b"3", "@eaDir/d.txt": b"4", ".trashed-1-e.txt": b"5",
            "sub/f.txt": b"6",
        },
    )  # fmt: skip
    names = [str(path) for path in sorted((tmp_path / "c").rglob("*"))]
    found = look_up(names, Excludes([]), Side.HAYSTACK, follow_symlinks=False)
    assert ["a.txt", "f.txt"] == [os.path.basename(one.given) for one in found.files]
    assert ["sub"] == [os.path.basename(path) for path in found.folders]
    assert {Side.HAYSTACK} == {one.side for one in found.problems}
    by_name = {os.path.basename(one.path): one.reason.partition(":")[0] for one in found.problems}
    assert {
        ".hidden": "hidden folder",
        "b.txt": "hidden folder",
        "Trash": "trash folder",
        "c.txt": "trash folder",
        "@eaDir": "left out",
        "d.txt": "left out",
        ".trashed-1-e.txt": "in the trash",
    } == by_name
    (tmp_path / "way").symlink_to(tmp_path / "c" / "Trash")
    found = look_up([str(tmp_path / "way" / "c.txt")], Excludes([]), Side.HAYSTACK, follow_symlinks=False)
    assert ([], ["trash folder: not trusted as haystack"]) == (found.files, [one.reason for one in found.problems])
    needles = look_up(names, Excludes([]), Side.NEEDLES, follow_symlinks=False)
    assert ([], 6) == (needles.problems, len(needles.files))
