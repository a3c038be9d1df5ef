"""The walk: a fixed order, every passed-over needle is a gap, and nothing is ever its own witness."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dupfind.errors import SettingsError
from dupfind.scanning.verdict import judge_folders
from dupfind.settings import make_settings
from dupfind.sources.ignore import Excludes
from dupfind.sources.mounts import Mount, Mounts
from dupfind.sources.roots import make_roots
from dupfind.sources.source import Rules
from dupfind.sources.walk import Walk
from dupfind.values import FolderState, Side, Tree
from tests.helpers.played_mounts import play
from tests.helpers.walking import walk_all
from tests.helpers.walks import root

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]
Change = Callable[[str, list[Any]], Iterable[Any]]

NOT_FOLLOWED = "symbolic link: not followed"
VISITED = "left out: already visited by another way"
AMONG_NEEDLES = "left out: the same folder is among the needles"
INTO_NEEDLES = "left out: the link leads into the needles"
OWN_ROOT = "left out: it is a root of its own"
NO_SUCH_FILE = "cannot be looked at: no such file or directory"


def walk(haystack: Path, needles: Path, *, exclude: tuple[str, ...] = (), follow: bool = False) -> tuple[Tree, Tree]:
    """The needles' tree and the haystack's tree."""
    roots = [root(Side.HAYSTACK, haystack), root(Side.NEEDLES, needles)]
    ((of_needles,), (of_haystack,)) = walk_all(roots, Rules(Excludes(exclude), follow))
    return of_needles, of_haystack


def walk_needles(needles: Path, **options: Any) -> Tree:
    """The needles' tree beside an empty haystack."""
    (needles.parent / "empty").mkdir()
    return walk(needles.parent / "empty", needles, **options)[0]


def names(tree: Tree) -> list[str]:
    """The files of a tree in its order, without the root."""
    return [entry.path[len(tree.root.real) + 1 :] for entry in tree.entries]


def gaps(tree: Tree) -> dict[str, str]:
    """What keeps folders from being contained, by path without the root."""
    return {one.path[len(tree.root.given) + 1 :]: one.reason for one in tree.problems if one.is_gap}


def notes(tree: Tree) -> dict[str, str]:
    """What was skipped by design, likewise."""
    return {one.path[len(tree.root.given) + 1 :]: one.reason for one in tree.problems if one.is_note}


def patch_listing(monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    """Let ``change`` have its way with what ``os.scandir`` found in a folder."""
    real = os.scandir

    class Listing:
        def __init__(self, path: str) -> None:
            with real(path) as items:
                self._items = change(path, list(items))

        def __enter__(self) -> Iterable[Any]:
            return self._items

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("dupfind.sources.walk.os.scandir", Listing)


def mount(path: Path, like: Path) -> SimpleNamespace:
    """A directory entry that is a folder with the identity of another one, as a bind mount is."""
    looks: dict[str, Any] = {"is_file": lambda **_: False, "is_symlink": lambda: False, "is_dir": lambda: True}
    return SimpleNamespace(path=str(path), name=path.name, stat=lambda **_: os.stat(like), **looks)


def test_files_come_before_subfolders_both_sorted(tree: TreeBuilder) -> None:
    """The files of a folder in the order of their names, then its subfolders in theirs."""
    found = tree("n", {"b/y": b"", "b/x/1": b"", "a/z": b"", "c": b"", "B": b"", "a.d/q": b"", "-": b""})
    assert ["-", "B", "c", "a/z", "a.d/q", "b/y", "b/x/1"] == names(walk_needles(found))


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_disk_does_not_matter(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Shuffled directories give the same entries and problems in the same order; ``count`` hears of each folder."""
    counts: list[int] = []
    found = tree("n", {f"{folder}/{name}": b"" for folder in "cab" for name in "312"} | {"z": b"", "y": b""})
    for name in ("l2", "l1"):
        os.symlink("nowhere", found / name)
    first = walk_needles(found)
    patch_listing(monkeypatch, lambda _, items: sorted(items, key=lambda one: zlib.crc32(f"{seed}{one.name}".encode())))
    (second,), _ = walk_all([root(Side.NEEDLES, found)], Rules(Excludes(())), counts.append)
    assert (first.entries, first.problems, [2, 3, 3, 3]) == (second.entries, second.problems, counts)


def test_entries_carry_what_stat_says(tree: TreeBuilder) -> None:
    """Size, times and inode are those of the file, the path is absolute."""
    path = tree("n", {"a": b"12345"}) / "a"
    stat = path.stat()
    expected = (str(path), 5, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    assert [expected] == [tuple(entry) for entry in walk_needles(path.parent).entries]


def test_three_hundred_levels_are_walked(tmp_path: Path) -> None:
    """A deep tree meets no limit on recursion."""
    deep = tmp_path.joinpath("n", *"d" * 300)
    deep.mkdir(parents=True)
    (deep / "f").write_bytes(b"")
    assert ["d/" * 300 + "f"] == names(walk_needles(tmp_path / "n"))


@pytest.mark.parametrize(
    "name", ["a\nb", "-rf", 'it\'s "so"', " ", "tab\t", "\\", "\udcff\udcfe.jpg", "é", "e\u0301", "*", "[x]"]
)
def test_any_name_survives(tmp_path: Path, name: str) -> None:
    """Line breaks, quotes, dashes and invalid UTF-8 stay what they are, in files and in folders."""
    folder = os.path.join(tmp_path, "n", name)
    os.makedirs(folder)
    with open(os.path.join(folder, name), "wb"):
        pass
    assert [f"{name}/{name}"] == names(walk_needles(tmp_path / "n"))


def test_hard_links_are_ordinary_files(tree: TreeBuilder) -> None:
    """A hard link in another folder is a file of its own on its side."""
    haystack, needles = tree("hay", {"a": b"x"}), tree("n", {})
    os.link(haystack / "a", needles / "b")
    os.link(haystack / "a", needles / "c")
    found = walk(haystack, needles)
    assert [["b", "c"], ["a"]] == [names(one) for one in found]
    assert found[0].entries[0].inode == found[1].entries[0].inode


def test_links_are_reported_on_both_sides_and_not_followed(tree: TreeBuilder) -> None:
    """Without --follow-symlinks a link to a file, to a folder or to nothing is a problem, and a gap among needles."""
    target = tree("other", {"f": b""})
    sides = tree("hay", {"ok": b""}), tree("n", {"ok": b""})
    for side in sides:
        os.symlink(target / "f", side / "file")
        os.symlink(target, side / "folder")
        os.symlink("nowhere", side / "dangling")
    needles, haystack = walk(*sides)
    links = dict.fromkeys(("dangling", "file", "folder"), NOT_FOLLOWED)
    assert (["ok"], links) == (names(needles), gaps(needles))
    reported = {os.path.basename(one.path): one.reason for one in haystack.problems}
    assert (["ok"], links) == (names(haystack), reported)


def test_followed_links_give_files_and_loops_end(tree: TreeBuilder) -> None:
    """Followed links lead to files and folders; a folder is visited once, what leads back is left out."""
    target = tree("other", {"f": b"123"})
    needles = tree("n", {"sub/a": b""})
    os.symlink(needles, needles / "sub" / "up")
    os.symlink("self", needles / "self")
    os.symlink("nowhere", needles / "dangling")
    os.symlink(target / "f", needles / "file")
    os.symlink(target, needles / "folder")
    os.symlink(target, needles / "folder_again")
    found = walk_needles(needles, follow=True)
    assert ["file", "folder/f", "sub/a"] == names(found)
    assert 3 == found.entries[0].size_bytes
    assert {
        "dangling": NO_SUCH_FILE,
        "self": "cannot be looked at: too many levels of symbolic links",
        "folder_again": VISITED,
        "sub/up": VISITED,
    } == gaps(found)


@pytest.mark.parametrize("target", ["n", "n/sub", "n/sub/f"])
def test_haystack_links_into_the_needles_are_left_out(tree: TreeBuilder, target: str) -> None:
    """What a followed link of the haystack finds among the needles is no witness."""
    needles, haystack = tree("n", {"sub/f": b""}), tree("hay", {"a": b""})
    os.symlink(needles.parent / target, haystack / "link")
    found = walk(haystack, needles, follow=True)[1]
    assert (["a"], {"link": INTO_NEEDLES}) == (names(found), notes(found))


def test_a_link_around_the_needles_stops_at_them(tree: TreeBuilder) -> None:
    """A followed link to a folder above the needles gives what lies beside them, not them."""
    needles, haystack = tree("x/n", {"f": b""}), tree("hay", {"a": b""})
    (needles.parent / "beside").write_bytes(b"")
    os.symlink(needles.parent, haystack / "link")
    found = walk(haystack, needles, follow=True)[1]
    assert (["a", "link/beside"], {"link/n": OWN_ROOT}) == (names(found), notes(found))


def test_what_the_needles_reach_by_a_link_is_no_witness(tree: TreeBuilder) -> None:
    """A folder outside that needles have followed a link to proves nothing, by folder or by a link to its file."""
    other, needles, haystack = tree("other", {"f": b"", "g": b""}), tree("n", {}), tree("hay", {"a": b""})
    os.symlink(other, needles / "link")
    os.symlink(other, haystack / "folder")
    os.symlink(other / "f", haystack / "file")
    found = walk(haystack, needles, follow=True)
    assert [["link/f", "link/g"], ["a"]] == [names(one) for one in found]
    assert {"file": INTO_NEEDLES, "folder": AMONG_NEEDLES} == notes(found[1])


@pytest.mark.parametrize("seen", [".", "sub", "sub/deep"])
def test_a_bind_mount_of_the_needles_is_no_witness(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, seen: str
) -> None:
    """A folder of the haystack that is a needle folder by device and inode is left out, whatever it is called."""
    needles, haystack = tree("n", {"sub/deep/f": b""}), tree("hay", {"a": b""})
    alias = mount(haystack / "mount", needles / seen)
    patch_listing(monkeypatch, lambda path, items: [*items, alias] if path == str(haystack) else items)
    found = walk(haystack, needles)[1]
    assert (["a"], {"mount": OWN_ROOT if seen == "." else AMONG_NEEDLES}) == (names(found), notes(found))


def test_needles_inside_the_haystack_are_left_out_of_it(tree: TreeBuilder) -> None:
    """A needles root below the haystack is searched, and is no witness for itself."""
    haystack = tree("hay", {"a": b"", "n/f": b""})
    needles, found = walk(haystack, haystack / "n")
    assert (["f"], {}) == (names(needles), gaps(needles))
    assert (["a"], {"n": OWN_ROOT}) == (names(found), notes(found))


def test_a_haystack_inside_the_needles_is_a_gap(tree: TreeBuilder) -> None:
    """Who deletes a needle folder around the haystack deletes the haystack, so it is never contained."""
    needles = tree("n", {"a": b"", "sub/hay/f": b""})
    found, haystack = walk(needles / "sub" / "hay", needles)
    assert (["a"], {"sub/hay": OWN_ROOT}) == (names(found), gaps(found))
    assert ["f"] == names(haystack)
    verdicts = judge_folders([], found.problems, [found.root])
    assert [str(needles), str(needles / "sub")] == [one.path for one in verdicts]
    assert all(one.state is not FolderState.CONTAINED for one in verdicts)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_special_files_are_problems(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named pipes and sockets are reported and never opened, also through a followed link."""
    needles = tree("n", {"a": b""})
    os.mkfifo(needles / "pipe")
    os.symlink("pipe", needles / "link")
    monkeypatch.chdir(needles)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")  # a path longer than 108 bytes could not be bound
    found = walk_needles(needles, follow=True)
    assert (["a"], dict.fromkeys(("link", "pipe", "socket"), "not a regular file")) == (names(found), gaps(found))


def raise_error(number: int) -> Iterable[Any]:
    """Fail as the system does."""
    raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("where", ["sub", ""])
@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_an_unreadable_folder_is_a_gap_with_its_cause(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, where: str, number: int
) -> None:
    """A folder that cannot be listed, the root included, is reported, and what lies beside it is found."""
    needles = tree("n", {"a": b"", "sub/b": b"", "z/c": b""})
    patch_listing(
        monkeypatch,
        lambda path, items: raise_error(number) if path == os.path.join(needles, where).rstrip("/") else items,
    )
    found = walk_needles(needles)
    assert {where: f"cannot read the folder: {os.strerror(number).lower()}"} == gaps(found)
    assert (["a", "z/c"] if where else []) == names(found)


def test_a_listing_that_breaks_off_is_a_gap(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of which only a part could be listed is unreadable as a whole."""
    needles = tree("n", {"a": b"", "b": b""})
    patch_listing(monkeypatch, lambda _, items: (one if one.name == "a" else raise_error(errno.EIO) for one in items))
    assert {"": "cannot read the folder: input/output error"} == gaps(walk_needles(needles))


def test_what_vanishes_during_the_walk_is_a_gap(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or folder that goes between the listing and the reading is reported."""
    needles = tree("n", {"a": b"", "file": b"", "sub1/b": b"", "sub2": None})

    def remove(path: str, items: list[Any]) -> list[Any]:
        if path == str(needles):
            (needles / "file").unlink()
        elif path == str(needles / "sub1"):
            (needles / "sub2").rmdir()
        return items

    patch_listing(monkeypatch, remove)
    found = walk_needles(needles)
    assert ["a", "sub1/b"] == names(found)
    assert {"file": NO_SUCH_FILE, "sub2": "cannot read the folder: no such file or directory"} == gaps(found)


def test_a_followed_link_into_the_trash_is_not_trusted(tree: TreeBuilder) -> None:
    """What a link of the haystack leads to is judged by where it lies, not by the link's name."""
    haystack = tree("hay", {".Trash-1/files/a": b"", "b/.trashed-1-x": b"", ".git/annex/c": b""})
    os.symlink(".Trash-1/files", haystack / "folder")
    os.symlink("b/.trashed-1-x", haystack / "file")
    os.symlink(".git/annex/c", haystack / "annexed")
    found = walk(haystack, tree("n", {}), follow=True)[1]
    assert ["annexed"] == names(found)
    assert {"folder", "file", ".Trash-1", "b/.trashed-1-x", ".git"} == set(notes(found))


@pytest.mark.parametrize(
    ("what", "files", "reasons"),
    [
        ("another folder", ["a", "sub/other"], {}),
        ("a link", ["a"], {"sub": "cannot read the folder: another one came in its place"}),
        ("the haystack", ["a"], {"sub": OWN_ROOT}),
        ("one that was seen", ["a"], {"sub": VISITED}),
        ("nothing", ["a"], {"sub": "cannot read the folder: no such file or directory"}),
    ],
)
def test_a_folder_that_is_replaced_before_it_is_entered(
    tree: TreeBuilder, what: str, files: list[str], reasons: dict[str, str]
) -> None:
    """An automount does so, and may be walked; what would bring the other side, or the same twice, may not."""
    needles = tree("n", {"a": b"1", "sub/b": b"2"})
    others = tree("o", {"folder/other": b"3", "hay/h": b"4"})
    roots = [root(Side.HAYSTACK, others / "hay"), root(Side.NEEDLES, needles)]

    def replace(_: int) -> None:
        sub = needles / "sub"
        if (sub / "b").exists():
            sub.rename(others / "old")
            if what == "another folder":
                (others / "folder").rename(sub)
            elif what == "a link":
                sub.symlink_to(others / "folder")
            elif what == "the haystack":
                (others / "hay").rename(sub)
            elif what == "one that was seen":
                needles.rename(others / "n")
                needles.mkdir()
                (others / "n").rename(sub)

    found = Walk(roots[1], Rules(Excludes(())), roots, frozenset(), replace).run()
    assert (files, reasons) == (names(found), gaps(found))


@pytest.mark.parametrize("kind", ["fuse.sshfs", "ext4"])
def test_numbers_that_change_between_the_walks(
    tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Needles below the haystack: where numbers do not last, the guard knows a folder by its place."""
    hay = tree("hay", {"a": b"1", "n/b": b"2", "n/s/c": b"3"})
    needles = hay / "n"
    mounts = Mounts((Mount(hay.stat().st_dev, "/", str(hay.parent), kind, "x"),))
    roots = [root(Side.HAYSTACK, hay), root(Side.NEEDLES, needles)]
    run = Walk.run

    def run_and_renumber(self: Walk) -> Tree:
        walked = run(self)
        shutil.copytree(needles, hay.parent / "copy")
        needles.rename(hay.parent / f"before {walked.root.side}")
        (hay.parent / "copy").rename(needles)
        return walked

    monkeypatch.setattr(Walk, "run", run_and_renumber)
    (of_needles,), (of_haystack,) = walk_all(roots, Rules(Excludes(()), mounts=mounts))
    assert ["b", "s/c"] == names(of_needles)
    notes = [problem.reason for problem in of_haystack.problems]
    if kind == "fuse.sshfs":
        assert (["a"], [OWN_ROOT]) == (names(of_haystack), notes)
    else:
        assert (["a", "n/b", "n/s/c"], []) == (names(of_haystack), notes)


def test_numbers_that_change_within_a_walk(tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that got another number since its parent was listed, and the root since it was named, are walked."""
    hay, needles = tree("hay", {}), tree("n", {"a": b"1", "s/b": b"2"})
    mounts = Mounts((Mount(hay.stat().st_dev, "/", str(hay.parent), "fuse.sshfs", "x"),))
    roots = [root(Side.HAYSTACK, hay), replace(root(Side.NEEDLES, needles), identity=(hay.stat().st_dev, 1))]
    take_all = Walk._take_all

    def take_and_renumber(self: Walk, *values: Any) -> Any:
        subfolders = take_all(self, *values)
        met = [(path, (device, number + 10**9)) for path, (device, number) in subfolders]
        self.seen -= {identity for _, identity in subfolders}
        self.seen |= {identity for _, identity in met}
        return met

    monkeypatch.setattr(Walk, "_take_all", take_and_renumber)
    (of_needles,), _ = walk_all(roots, Rules(Excludes(()), mounts=mounts))
    assert (["a", "s/b"], {}) == (names(of_needles), gaps(of_needles))


def test_one_root_in_two_places(tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Given as haystack and as needles: where numbers do not last, two mounts of one folder are the same."""
    folders = [tree(name, {"a": b"1"}) for name in ("one", "other")]
    play(monkeypatch, tmp_path / "table", dict.fromkeys(folders, "fuse.sshfs"))
    with pytest.raises(SettingsError, match="are the same folder"):
        make_roots([str(folders[0])], [str(folders[1])])
    play(monkeypatch, tmp_path / "table", dict.fromkeys(folders, "ext4"))
    assert 2 == len(make_roots([str(folders[0])], [str(folders[1])]))


def test_one_root_in_two_automounts(tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They stand in the table of mounts once somebody has looked into them."""
    folders = [tree(name, {"a": b"1"}) for name in ("one", "other")]
    play(monkeypatch, tmp_path / "table", {})
    scandir = os.scandir

    def come(path: str) -> Any:
        play(monkeypatch, tmp_path / "table", dict.fromkeys(folders, "fuse.sshfs"))
        return scandir(path)

    monkeypatch.setattr("dupfind.sources.roots.os.scandir", come)
    with pytest.raises(SettingsError, match="are the same folder"):
        make_settings(haystack=[str(folders[0])], needles=[str(folders[1])])
