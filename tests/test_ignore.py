"""Junk, trash and excludes: what is left out of which side, and whether the report says so."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from unicodedata import normalize

import pytest

from dupfind.settings import make_settings
from dupfind.sources import ignore
from dupfind.sources.ignore import Excludes
from dupfind.sources.source import Rules
from dupfind.values import Side, Tree
from tests.helpers.walking import walk_all

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]

JUNK_FILES = "ZbThumbnail.info ZBTHUMBNAIL.INFO .BridgeCache .BridgeCacheT".split()
GUARDED_FILES = (
    ".DS_Store Thumbs.db THUMBS.DB ehthumbs.db ehthumbs_vista.db desktop.ini Desktop.ini .apdisk .directory .localized"
).split()
JUNK_FOLDERS = (
    ".AppleDouble|.DocumentRevisions-V100|.fseventsd|.Spotlight-V100|.TemporaryItems|System Volume Information"
).split("|")
TRASH = "#recycle $RECYCLE.BIN @Recycle RECYCLED RECYCLER Trash trash .Trash .Trash-1000 .Trashes .TRASH".split()
HIDDEN = ".git .thumbnails .hidden .".split()
TRASHED_FILES = [".trashed-1700000000-IMG_1.jpg", ".pending-1700000000-IMG_1.jpg", ".Trashed-1700000000-IMG_1.jpg"]
ORDINARY = (
    "IMG_1.jpg .hidden.jpg thumbs.db.jpg _.jpg .DS_Store.jpg desktop.ini.txt trashed-1.jpg eaDir recycle.jpg "
    "Trash.jpg .trashed Icon ._IMG_1.jpg ._"
).split()


def walk(tree: TreeBuilder, contents: Mapping[str, bytes | None], *exclude: str) -> tuple[Tree, Tree]:
    """The same contents walked as needles and as haystack."""
    settings = make_settings(
        haystack=[str(tree("hay", contents))], needles=[str(tree("n", contents))], exclude=exclude, no_cache=True
    )
    (needles,), (haystack,) = walk_all(settings.roots, Rules(Excludes(settings.excludes)))
    return needles, haystack


def names(tree: Tree) -> list[str]:
    """The files of a tree without the root."""
    return [entry.path[len(tree.root.real) + 1 :] for entry in tree.entries]


def reasons(tree: Tree) -> dict[str, str]:
    """The problems of a tree; a gap among needles, a note in the haystack, nothing else."""
    for one in tree.problems:
        assert (tree.root.side is Side.NEEDLES, tree.root.side is Side.HAYSTACK) == (one.is_gap, one.is_note)
    return {one.path[len(tree.root.given) + 1 :]: one.reason for one in tree.problems}


@pytest.mark.parametrize("name", JUNK_FILES)
def test_junk_files_are_known(name: str) -> None:
    """What systems leave behind, in any case of letters; a folder of that name is no junk."""
    assert ignore.is_junk_file(name)
    assert not ignore.is_junk_folder(name)


@pytest.mark.parametrize("name", JUNK_FOLDERS)
def test_junk_folders_are_known(name: str) -> None:
    """Likewise for folders; a file of that name is no junk."""
    assert ignore.is_junk_folder(name)
    assert not ignore.is_junk_file(name)


@pytest.mark.parametrize("name", [*ORDINARY, *TRASHED_FILES, *TRASH, *HIDDEN])
def test_nothing_else_is_junk(name: str) -> None:
    """What is called junk is invisible in the answer, so nothing that a person may have made is."""
    assert not ignore.is_junk_file(name)
    assert not ignore.is_junk_folder(name)


@pytest.mark.parametrize("name", [*JUNK_FILES, *TRASHED_FILES, *ORDINARY])
def test_common_files_are_neither_junk_nor_trash(name: str) -> None:
    """The cheap look lets nothing pass that the exact ones would stop."""
    is_stopped = ignore.is_junk_file(name) or ignore.why_file_not_trusted(name) is not None
    assert not (ignore.is_common_file(name) and is_stopped)
    assert ignore.is_common_file("IMG_0001.JPG")
    assert (
        ignore.is_common_file(name) == ignore.are_common_files(["a.jpg", name, "b"]) == ignore.are_common_files([name])
    )


def test_junk_leaves_no_trace_on_either_side(tree: TreeBuilder) -> None:
    """Junk files and junk folders with everything in them are ignored: no entry, no problem, no gap."""
    contents = dict.fromkeys([*JUNK_FILES, *GUARDED_FILES, "Icon\r"], b"") | {
        f"{name}/photo.jpg": b"" for name in JUNK_FOLDERS
    }
    for found in walk(tree, contents | {"a.jpg": b""}):
        assert (["a.jpg"], {}) == (names(found), reasons(found))


def test_junk_names_are_typed(tree: TreeBuilder) -> None:
    """A folder with the name of a junk file, and a file with that of a junk folder, are ordinary."""
    for found in walk(tree, {"@eaDir": b"", "Thumbs.db/a.jpg": b"", ".fseventsd": b""}):
        assert ([".fseventsd", "@eaDir", "Thumbs.db/a.jpg"], {}) == (names(found), reasons(found))


def test_junk_links_and_pipes_are_ignored(tree: TreeBuilder) -> None:
    """Junk by its name alone is junk whatever kind of thing it is; what has to be looked at is a gap."""
    needles = tree("n", {"a": b""})
    os.symlink("nowhere", needles / ".BridgeCache")
    os.mkfifo(needles / "ZbThumbnail.info")
    found, _ = walk(tree, {})
    assert (["a"], {}) == (names(found), reasons(found))
    os.symlink("nowhere", needles / ".DS_Store")
    os.mkfifo(needles / "Thumbs.db")
    found, _ = walk(tree, {})
    assert {".DS_Store": "symbolic link: not followed", "Thumbs.db": "not a regular file"} == reasons(found)


@pytest.mark.parametrize("name", TRASH)
def test_trash_folders_are_searched_but_not_trusted(tree: TreeBuilder, name: str) -> None:
    """What is in the trash among needles counts; what is in the haystack's trash proves nothing."""
    needles, haystack = walk(tree, {f"sub/{name}/a.jpg": b"", "b.jpg": b""})
    assert (["b.jpg", f"sub/{name}/a.jpg"], {}) == (names(needles), reasons(needles))
    assert ["b.jpg"] == names(haystack)
    assert {f"sub/{name}": "trash folder: not trusted as haystack"} == reasons(haystack)


@pytest.mark.parametrize("name", HIDDEN[:-1])
def test_hidden_folders_are_searched_but_not_trusted(tree: TreeBuilder, name: str) -> None:
    """Hidden folders among needles count; hidden folders of the haystack prove nothing."""
    needles, haystack = walk(tree, {f"{name}/a.jpg": b"", "b.jpg": b""})
    assert (["b.jpg", f"{name}/a.jpg"], {}) == (names(needles), reasons(needles))
    assert (["b.jpg"], {name: "hidden folder: not trusted as haystack"}) == (names(haystack), reasons(haystack))


def test_hidden_files_are_trusted(tree: TreeBuilder) -> None:
    """Only folders are hidden on purpose: a hidden file is a file on both sides."""
    assert [[".a.jpg"], [".a.jpg"]] == [names(found) for found in walk(tree, {".a.jpg": b""})]


@pytest.mark.parametrize("name", TRASHED_FILES)
def test_trashed_files_are_searched_but_not_trusted(tree: TreeBuilder, name: str) -> None:
    """A picture that Android will delete by itself is a needle and no witness."""
    needles, haystack = walk(tree, {f"sub/{name}": b"", "b.jpg": b""})
    assert (["b.jpg", f"sub/{name}"], {}) == (names(needles), reasons(needles))
    assert ["b.jpg"] == names(haystack)
    assert {f"sub/{name}": "in the trash: not trusted as haystack"} == reasons(haystack)


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_files_are_trusted(name: str) -> None:
    """Names that merely look like trash are files like any other."""
    assert ignore.why_file_not_trusted(name) is None


def test_a_root_that_was_named_is_trusted(tree: TreeBuilder) -> None:
    """Who names a hidden folder as the haystack means it."""
    settings = make_settings(
        haystack=[str(tree(".trash/hay", {"a": b""}))], needles=[str(tree("n", {}))], no_cache=True
    )
    _, (haystack,) = walk_all(settings.roots, Rules(Excludes(())))
    assert (["a"], {}) == (names(haystack), reasons(haystack))


@pytest.mark.parametrize(
    ("pattern", "left_out"),
    [
        ("*.tmp", {"a.tmp", "2006/b.tmp"}),
        ("raw", {"2006/raw", "2007/raw"}),
        ("raw/", {"2006/raw", "2007/raw"}),
        ("/2006/raw", {"2006/raw"}),
        ("2006/raw/", {"2006/raw"}),
        ("2006", {"2006"}),
        ("/2006", {"2006"}),
        ("/raw", set()),
        ("2006/*", {"2006/b.tmp", "2006/raw"}),
        ("*/x.dng", {"2006/raw/x.dng", "2007/raw/x.dng"}),
        ("200[67]/r?w", {"2006/raw", "2007/raw"}),
        ("*.TMP", set()),
        ("tmp", set()),
        ("", set()),
        ("/", set()),
        ("line*break", {"line\nbreak"}),
    ],
)
def test_excludes(tree: TreeBuilder, pattern: str, left_out: set[str]) -> None:
    """A name or path glob leaves files and folders out of both: a gap among needles, a note in the haystack."""
    contents = dict.fromkeys(("a.tmp", "line\nbreak", "2006/b.tmp", "2006/raw/x.dng", "2007/raw/x.dng"), b"")
    expected = [name for name in contents if not any(name == one or name.startswith(one + "/") for one in left_out)]
    for found in walk(tree, contents, pattern):
        assert expected == names(found)
        assert dict.fromkeys(left_out, f"excluded by --exclude {pattern}") == reasons(found)


def test_excluded_links_are_named_as_excluded(tree: TreeBuilder) -> None:
    """An excluded link is a gap for that reason, and one only."""
    os.symlink("nowhere", tree("n", {}) / "link")
    found, _ = walk(tree, {}, "link")
    assert {"link": "excluded by --exclude link"} == reasons(found)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["NFC", "NFD"])
@pytest.mark.parametrize("pattern", ["Reise nach Málaga", "*/*Málaga", "/Málaga", "M?laga", "M[áà]laga", "Reise*"])
def test_patterns_match_whichever_form_a_name_is_stored_in(form: str, typed: str, pattern: str) -> None:
    """A name from a Mac is stored decomposed, a pattern is typed composed, and the other way round."""
    below_root, name = (normalize(form, text) for text in ("Málaga/Reise nach Málaga", "Málaga"))
    excludes = Excludes([normalize(typed, pattern)])
    assert excludes.matching(below_root, below_root.rpartition("/")[2]) or excludes.matching(name, name)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["Papierkorb", "Koš", "Zuletzt gelöscht", "휴지통", "ゴミ箱"])
def test_trash_is_known_in_whichever_form_it_is_stored(tree: TreeBuilder, form: str, name: str) -> None:
    """What is in the trash of the haystack proves nothing, in any language, composed or decomposed."""
    stored = normalize(form, name)
    needles, haystack = walk(tree, {f"sub/{stored}/a.jpg": b""})
    assert [f"sub/{stored}/a.jpg"] == names(needles)
    assert {f"sub/{stored}": "trash folder: not trusted as haystack"} == reasons(haystack)


def test_patterns_without_a_match_are_told_of(tree: TreeBuilder) -> None:
    """A pattern that another one anticipates has matched all the same, and so has one whose folder is not entered."""
    excludes = Excludes(["*.tmp", "a.*", "raw", "Raw", "/b/c"])
    settings = make_settings(haystack=[str(tree("h", {"raw/x": b""}))], needles=[str(tree("n", {"a.tmp": b""}))])
    walk_all(settings.roots, Rules(excludes))
    told = [warning.split(":")[0] for warning in excludes.warnings()]
    assert (["--exclude Raw", "--exclude /b/c"], frozenset({"*.tmp", "a.*", "raw"})) == (told, excludes.matched)
    assert ["--exclude Raw"] == [warning.split(":")[0] for warning in excludes.warnings(["/b/c"])]


@pytest.mark.parametrize("pattern", ["@eaDir", "@eaDir/", ".DS_Store", "._*", "Thumbs.db", "photos/@eadir", "*.db"])
def test_patterns_that_name_junk_need_no_match(pattern: str) -> None:
    """Junk is left out unasked, so nobody is told that a pattern for it does nothing."""
    assert [] == Excludes([pattern]).warnings()


@pytest.mark.parametrize("pattern", ["", "/", "Archive", "a.db.jpg"])
def test_patterns_that_name_no_junk_do(pattern: str) -> None:
    """Also one that can match nothing at all."""
    (warning,) = Excludes([pattern, pattern]).warnings()
    assert warning.startswith(f"--exclude {pattern}: nothing that was looked at matches it")


def test_the_first_pattern_that_matches_is_named() -> None:
    """Several patterns are tried in the order in which they were given."""
    excludes = Excludes(["*.jpg", "a/*", "a.jpg"])
    found = [excludes.matching(*one) for one in [("a/a.jpg", "a.jpg"), ("a/a.png", "a.png"), ("a.png", "a.png")]]
    assert ["*.jpg", "a/*", None] == found


def test_patterns_match_names_that_are_no_utf_8() -> None:
    """Bytes that are no valid UTF-8 can be excluded, by themselves or by a wildcard."""
    name = os.fsdecode(b"\xff.jpg")
    assert [name, "?.jpg"] == [Excludes([pattern]).matching(name, name) for pattern in (name, "?.jpg")]


def test_no_patterns_are_false() -> None:
    """The walk asks once whether there is anything to match."""
    assert (False, True) == (bool(Excludes(())), bool(Excludes(["a"])))


@pytest.mark.parametrize("name", ["#snapshot", "@Recently-Snapshot", "~snapshot"])
def test_snapshots_are_searched_but_not_trusted(tree: TreeBuilder, name: str) -> None:
    """A network drive's view of the past is pruned by itself: it proves nothing."""
    needles, haystack = walk(tree, {f"sub/{name}/a": b""})
    assert [f"sub/{name}/a"] == names(needles)
    assert {f"sub/{name}": "snapshot folder: not trusted as haystack"} == reasons(haystack)


def test_excludes_where_folders_are_separated_by_backslashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns are written with ``/`` everywhere; elsewhere a backslash is a letter of a name."""
    paths = ["2006\\raw", "\\2006\\raw", "2006/raw"]
    assert [None, None, "/2006/raw"] == [Excludes(["/2006/raw"]).matching(path, "x") for path in paths]
    with monkeypatch.context() as patch:
        patch.setattr(os, "sep", "\\")
        answers = [Excludes(["/2006/raw"]).matching(path, "x") for path in paths]
    assert ["/2006/raw"] * 3 == answers
