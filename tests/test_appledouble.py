"""What is called ``._*`` is junk by its content: a picture of that name is looked for like any other."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dupfind.settings import make_settings
from dupfind.sources.ignore import Excludes
from dupfind.sources.left_overs import is_appledouble, is_junk
from dupfind.sources.source import Rules
from dupfind.values import Tree
from fixtures.pictures import photo
from tests.helpers.walking import walk_all

TreeBuilder = Callable[[str, Mapping[str, object]], Path]

START = bytes.fromhex("0005160700020000") + b"Mac OS X        "
PHOTO = b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(range(256)) * 8
RESOURCES = struct.pack(">4I", 256, 256, 0, 30) + bytes(270)


def made(*entries: tuple[int, bytes], gap: bytes = b"", behind: bytes = b"") -> bytes:
    """An AppleDouble file of these entries, by their numbers."""
    place, table, data = len(START) + 2 + 12 * len(entries), b"", b""
    for kind, content in entries:
        table += struct.pack(">3I", kind, place + len(data) + len(gap), len(content))
        data += gap + content
    return START + struct.pack(">H", len(entries)) + table + data + behind


APPLEDOUBLE = made((9, bytes(32)), (2, RESOURCES))
SOUND = {
    "as a Mac writes it": APPLEDOUBLE,
    "with attributes": made((9, bytes(34) + b"ATTR" + bytes(range(256)) * 14), (2, RESOURCES)),
    "without resources": made((9, bytes(32)), (2, b"")),
    "resources": made((2, struct.pack(">4I", 256, 5256, 5000, 50) + bytes(5290))),
    "nothing": made(),
    "filled up": made((9, bytes(32)), behind=bytes(4000)),
    "with a gap": made((9, bytes(32)), gap=bytes(2)),
}
LARGE = made((2, struct.pack(">4I", 256, 256, 0, 30) + bytes(1 << 17)))
NO_JUNK = {
    "AppleSingle": bytes.fromhex("0005160000020000") + bytes(18),
    "a picture": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "empty": b"",
    "cut short": APPLEDOUBLE[:3],
    "cut short in its entries": APPLEDOUBLE[:40],
    "cut short in an entry": APPLEDOUBLE[:-1],
    "a photo behind the number": APPLEDOUBLE[:4] + PHOTO,
    "a photo behind the version": APPLEDOUBLE[:8] + PHOTO,
    "a photo behind its table": made() + PHOTO,
    "a photo behind its entries": APPLEDOUBLE + PHOTO,
    "a photo far behind": LARGE + bytes(99) + PHOTO,
    "a photo as resources": made((2, PHOTO)),
    "a photo for the Finder": made((9, PHOTO)),
    "a photo as the file itself": made((1, PHOTO)),
    "a large comment": made((4, PHOTO * 9)),
    "a photo in a gap": made((9, bytes(32)), gap=PHOTO * 9),
    "an entry that begins in the header": START + struct.pack(">H3I", 1, 9, 0, 32),
    "small resources": made((2, b"photo")),
    "resources that lead out": made((2, struct.pack(">4I", 256, 256, 5000, 30) + bytes(270))),
    "a map that leads out": made((2, struct.pack(">4I", 256, 256, 0, 5000) + bytes(270))),
    "resources without a beginning": made((2, bytes(286))),
    "text": b"hello",
}


def trees(tree: TreeBuilder, contents: Mapping[str, object], *exclude: str) -> tuple[Tree, Tree]:
    """The same contents as needles and as haystack."""
    settings = make_settings(haystack=[str(tree("h", contents))], needles=[str(tree("n", contents))], no_cache=True)
    (needles,), (haystack,) = walk_all(settings.roots, Rules(Excludes(exclude)))
    return needles, haystack


def names(side: Tree) -> list[str]:
    """The files of a tree without its root."""
    return [entry.path[len(side.root.real) + 1 :] for entry in side.entries]


@pytest.mark.parametrize("name", SOUND)
def test_what_programs_write_is_known(tree: TreeBuilder, name: str) -> None:
    """Entries by number, place and length, as the format has them."""
    assert is_appledouble(str(tree("n", {"._a": SOUND[name]}) / "._a"))


def test_large_resources(tree: TreeBuilder) -> None:
    """An entry may be larger than what is read of it."""
    assert is_appledouble(str(tree("n", {"._a": LARGE}) / "._a"))


def test_appledouble_is_ignored_on_both_sides(tree: TreeBuilder) -> None:
    """No entry, no problem, no gap, whether its owner is there or not."""
    for side in trees(tree, {"a.jpg": b"1", "._a.jpg": APPLEDOUBLE, "sub/._gone.jpg": APPLEDOUBLE}):
        assert (["a.jpg"], []) == (names(side), side.problems)


@pytest.mark.parametrize("content", NO_JUNK.values(), ids=NO_JUNK)
def test_anything_else_of_that_name_is_a_file(tree: TreeBuilder, content: bytes) -> None:
    """On both sides: a picture among the needles that nobody looks for is lost, one in the haystack may be proof."""
    for side in trees(tree, {"._IMG.jpg": content}):
        assert (["._IMG.jpg"], []) == (names(side), side.problems)


def test_other_names_are_not_opened(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number makes junk of ``._*`` only, so nothing else is opened for it."""
    monkeypatch.setattr("dupfind.sources.walk.is_appledouble", lambda path, _: pytest.fail(path))
    for side in trees(tree, {"a.jpg": APPLEDOUBLE, ".b.jpg": APPLEDOUBLE, "_.c": APPLEDOUBLE}):
        assert [".b.jpg", "_.c", "a.jpg"] == names(side)


def test_folders_links_and_pipes_are_no_appledouble(tree: TreeBuilder) -> None:
    """A folder is hidden like any other; a link and a pipe among the needles are gaps, and nothing waits for them."""
    needles = tree("n", {"._folder/a.jpg": b"1", "real": APPLEDOUBLE})
    os.symlink("real", needles / "._link")
    os.mkfifo(needles / "._pipe")
    side, haystack = trees(tree, {"._folder/a.jpg": b"1"})
    assert ["real", "._folder/a.jpg"] == names(side)
    gaps = {os.path.basename(problem.path): problem.reason for problem in side.problems if problem.is_gap}
    assert {"._link": "symbolic link: not followed", "._pipe": "not a regular file"} == gaps
    assert [] == names(haystack)
    assert not is_appledouble(str(needles / "._pipe"))
    assert not is_appledouble(str(needles / "._link"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_no_junk_for_a_user(tree: TreeBuilder) -> None:
    """Nobody knows what it holds."""
    needles = tree("n", {"._a.jpg": APPLEDOUBLE})
    (needles / "._a.jpg").chmod(0)
    assert ["._a.jpg"] == names(trees(tree, {})[0])


@pytest.mark.parametrize("call", ["open", "read"])
def test_what_cannot_be_read_is_no_junk(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Likewise where the disk fails, whoever asks."""
    path = str(tree("n", {"._a.jpg": APPLEDOUBLE}) / "._a.jpg")
    assert is_appledouble(path)

    def fail(*_: object, **__: object) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(f"dupfind.sources.left_overs.os.{call}", fail)
        assert not is_appledouble(path)
    assert not is_appledouble(path + "\0")
    assert not is_appledouble(path + "gone")


def test_an_excluded_picture_is_a_gap_and_excluded_junk_is_none(tree: TreeBuilder) -> None:
    """The content is asked before the pattern."""
    side, _ = trees(tree, {"._a.jpg": APPLEDOUBLE, "._b.jpg": b"picture"}, "._*")
    assert ["._b.jpg"] == [os.path.basename(problem.path) for problem in side.problems if problem.is_gap]


def test_lists_tell_junk_likewise(tree: TreeBuilder) -> None:
    """What a list names is asked by its path."""
    folder = tree("n", {"._a.jpg": APPLEDOUBLE, "._b.jpg": b"1", "ZbThumbnail.info": b"", "c.jpg": APPLEDOUBLE})
    assert [True, False, True, False] == [
        is_junk(str(folder / name)) for name in ("._a.jpg", "._b.jpg", "ZbThumbnail.info", "c.jpg")
    ]
    assert is_junk("ZbThumbnail.info")
    assert not is_junk(".DS_Store")  # there is no such file


def test_a_picture_of_that_name_keeps_its_folder(
    tree: TreeBuilder, dupfind: Callable[..., subprocess.CompletedProcess[bytes]]
) -> None:
    """The whole way: a picture called ``._IMG.jpg`` that is nowhere else is missing, and the AppleDouble is not."""
    tree("hay", {"a.jpg": photo(1)})
    tree("n", {"a.jpg": photo(1), "._a.jpg": APPLEDOUBLE, "._IMG.jpg": photo(2)})
    done = dupfind("scan", "--haystack", "hay", "--needles", "n", "--files", "--format", "paths")
    assert (1, b"n/._IMG.jpg\n") == (done.returncode, done.stdout)
