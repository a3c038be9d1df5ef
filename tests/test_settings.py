"""Settings: everything that can be wrong with the options is said in one line, before any work."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dupfind import settings
from dupfind.errors import ExitCode, SettingsError
from dupfind.settings import DEFAULT_THRESHOLD_BITS, Format, ReportSettings, make_report_settings, make_settings
from dupfind.sources.ignore import Excludes
from dupfind.sources.source import Rules
from dupfind.values import Evidence, FileState, FolderState, Root, Side
from tests.helpers.walking import walk_all

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]


@pytest.fixture(autouse=True)
def trees(tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A haystack, needles and a link to each; the test's own folder is the working directory."""
    top = tree(".", {"hay/sub/a": b"", "n/sub/f": b"", "n/hay/sub/g": b"", "x": None})
    os.symlink("n", top / "link")
    os.symlink("hay", top / "haylink")
    os.symlink("loop", top / "loop")
    monkeypatch.chdir(top)
    return top


def make(needles: str | list[str] = "n", haystack: str | list[str] = "hay", **options: Any) -> settings.Settings:
    """Settings without a cache, unless the test is about it."""
    options.setdefault("no_cache", "cache" not in options)
    as_lists = [one if isinstance(one, list) else [one] for one in (haystack, needles)]
    return make_settings(haystack=as_lists[0], needles=as_lists[1], **options)


def error_of(make_it: Callable[..., object], *values: Any, **options: Any) -> str:
    """The text of the one line that the user gets."""
    with pytest.raises(SettingsError) as caught:
        make_it(*values, **options)
    text = str(caught.value)
    assert (1, ExitCode.NO_VERDICT) == (len(text.splitlines()), caught.value.exit_code)
    return text


def given(roots: tuple[Root, ...], side: Side = Side.NEEDLES) -> list[str]:
    """The roots of one side as the user spelt them."""
    return [root.given for root in roots if root.side is side]


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ("none", " none: no such file or directory"),
        ("none/", " none/: no such file or directory"),
        ("n/sub/f", " n/sub/f: not a folder"),
        ("", " is given an empty path"),
        ("loop", " loop: too many levels of symbolic links"),
        ("x" * 256, f" {'x' * 256}: file name too long"),
    ],
)
def test_roots_that_cannot_be_used(root: str, reason: str) -> None:
    """A root that is not a folder at hand ends the run with its name and the cause, on either side."""
    hint = ": single files go to dupfind find, to dupfind explain, or into a list for --files-from"
    assert f"--needles{reason}{hint if reason.endswith('not a folder') else ''}" == error_of(make, root)
    assert f"--haystack{reason}" == error_of(make, "n", root)


def test_a_root_that_no_system_takes() -> None:
    """NUL in a name is an error like any other."""
    assert "embedded null" in error_of(make, "a\0b")


def test_a_root_that_cannot_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A root without permission to read it is found out before any work."""

    def refuse(_: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dupfind.settings.os.scandir", refuse)
    assert "--haystack hay: permission denied" == error_of(make)


@pytest.mark.parametrize("side", ["haystack", "needles"])
def test_both_sides_are_needed(side: str) -> None:
    """A scan without haystack or needles is no scan."""
    assert f"--{side} is needed: " in error_of(make, **{"needles": "n", "haystack": "hay", side: []})


@pytest.mark.parametrize("same", ["n", "n/", "./n", "x/../n", "link", "link/", "n/.", "n/sub/.."])
def test_the_same_folder_on_both_sides(trees: Path, same: str) -> None:
    """However it is spelt, a folder cannot be searched for in itself."""
    for spelling in (same, str(trees / same)):
        expected = f"--needles n and --haystack {spelling.rstrip('/')} are the same folder"
        assert expected == error_of(make, "n", ["hay", spelling])


def test_the_same_folder_on_both_sides_below_other_needles() -> None:
    """That a needles root lies inside another does not make it another folder."""
    assert "--needles n/sub and --haystack n/sub are the same folder" == error_of(make, ["n", "n/sub"], "n/sub")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"threshold_bits": -1}, "--threshold takes 0 to 32 bits, not -1"),
        ({"threshold_bits": 33}, "--threshold takes 0 to 32 bits, not 33"),
        ({"workers": 0}, "--workers takes a number above 0, not 0"),
        ({"workers": -1}, "--workers takes a number above 0, not -1"),
        ({"max_pixels": 0}, "--max-pixels takes a number above 0, not 0"),
        ({"max_memory_mib": 255}, "--max-memory takes a number of MiB, 256 to 1,073,741,824, not 255"),
        ({"max_memory_mib": 1 << 31}, "--max-memory takes a number of MiB, 256 to 1,073,741,824, not 2147483648"),
        ({"algorithm": "md5"}, "unknown algorithm: md5"),
        ({"accept": "equal"}, "unknown grade of evidence: equal"),
        *(
            ({"timeout_seconds": wrong}, "--timeout takes a number of seconds above 0, at most 1,000,000")
            for wrong in (0.0, -1.0, float("nan"), float("inf"), 1e300)
        ),
    ],
)
def test_numbers_and_names_out_of_range(options: dict[str, Any], text: str) -> None:
    """Each option says what it takes."""
    assert text == error_of(make, **options)


@pytest.mark.parametrize("bits", [0, 32])
def test_the_threshold_includes_its_bounds(bits: int) -> None:
    """0 and 32 bits are thresholds, and 0 is not taken for "not given"."""
    assert bits == make(threshold_bits=bits).scan.threshold_bits


@pytest.mark.parametrize("algorithm", DEFAULT_THRESHOLD_BITS)
def test_each_algorithm_has_a_threshold_of_its_own(algorithm: str) -> None:
    """The default was measured for each algorithm."""
    assert DEFAULT_THRESHOLD_BITS[algorithm] == make(algorithm=algorithm).scan.threshold_bits


def test_defaults() -> None:
    """Without options: pHash, `same`, rotations, nothing excluded, no link followed, every core."""
    found = make()
    assert ("phash", Evidence.SAME, True) == (found.scan.algorithm, found.scan.accept, found.scan.rotations)
    assert ((), False, 60.0, 500_000_000) == (
        found.excludes,
        found.follow_symlinks,
        found.timeout_seconds,
        found.max_pixels,
    )
    assert (("hay",), ("n",), None, ()) == (found.scan.haystack, found.scan.needles, found.cache, found.warnings)
    assert 1 <= found.workers <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("needles", "kept"),
    [
        (["n", "n/", "link", "x/../n"], ["n"]),
        (["n", "n/sub"], ["n"]),
        (["n/sub", "link"], ["link"]),
        (["n/sub", "n/hay"], ["n/sub", "n/hay"]),
        (["n/", "hay/sub"], ["n", "hay/sub"]),
        (["./n/sub/"], ["./n/sub"]),
    ],
)
def test_needles_are_counted_once(needles: list[str], kept: list[str]) -> None:
    """A needles root given twice or inside another one is dropped; spellings stay but for the last slash."""
    found = make(needles)
    assert (kept, tuple(needles)) == (given(found.roots), found.scan.needles)


def test_a_root_within_the_other_side_is_told(tree: TreeBuilder) -> None:
    """What is left out of a collection without a word would be missed; folders beside each other are no news."""
    tree("photos", {"old/a.txt": b"", "old/kept/b.txt": b""})
    top = tree("photos", {"more/a.txt": b""})
    inside = make_settings(haystack=[str(top)], needles=[str(top / "old")])
    assert (
        f"{top}/old lies in {top}: what is in it is looked for there, and is no haystack itself",
    ) == inside.warnings
    around = make_settings(haystack=[str(top / "old/kept")], needles=[str(top / "old")])
    assert (
        f"{top}/old/kept lies in {top}/old: what is in it is haystack, and is not looked for itself",
    ) == around.warnings
    assert () == make_settings(haystack=[str(top / "more")], needles=[str(top / "old")]).warnings


def test_a_root_that_only_begins_alike_is_kept(trees: Path) -> None:
    """``n2`` does not lie below ``n``."""
    (trees / "n2").mkdir()
    assert ["n", "n2"] == given(make(["n", "n2"]).roots)


def test_needles_inside_a_haystack_inside_needles_are_kept() -> None:
    """The haystack between two needles roots leaves the inner one out, so it is walked as needles and is no witness."""
    found = make(["n", "n/hay/sub"], "n/hay")
    assert ["n", "n/hay/sub"] == given(found.roots)
    needles, (haystack,) = walk_all(found.roots, Rules(Excludes(())))
    assert [["f"], ["g"], []] == [[os.path.basename(one.path) for one in t.entries] for t in (*needles, haystack)]


def test_nested_haystacks_are_read_once(tree: TreeBuilder) -> None:
    """A haystack root inside another one, hidden or not, is read as the root that it is."""
    tree("hay", {".hidden/h": b""})
    found = make("n", ["hay", "haylink", "hay/.hidden", "hay/sub"])
    assert ["hay", "hay/.hidden", "hay/sub"] == given(found.roots, Side.HAYSTACK)
    _, haystack = walk_all(found.roots, Rules(Excludes(())))
    assert [[], ["h"], ["a"]] == [[os.path.basename(one.path) for one in t.entries] for t in haystack]


@pytest.mark.parametrize("needles", ["n/", "x/../n", "link", "link/", "n/../n/."])
def test_spelling_does_not_hide_needles_in_the_haystack(trees: Path, needles: str) -> None:
    """However the needles are spelt, the haystack around them leaves them out."""
    (found,), (haystack,) = walk_all(make(needles, ".").roots, Rules(Excludes(()), follow_symlinks=True))
    assert [str(trees / "n/hay/sub/g"), str(trees / "n/sub/f")] == sorted(one.path for one in found.entries)
    assert {str(trees / "hay/sub/a")} == {os.path.realpath(one.path) for one in haystack.entries}


def test_nothing_is_written_below_a_root(trees: Path) -> None:
    """--cache and --output below a root are refused, also through a link and for folders that are not there yet."""
    os.symlink("../n/cache", trees / "x" / "file")
    roots = make().roots
    for path in ("n/c", "n/new/c", "hay/sub/c", "link/c", "x/../n/c", "n", str(trees / "hay/c"), "x/file"):
        root = "hay" if "hay" in path.removeprefix(str(trees)) else "n"
        end = f"lies under {root}, where dupfind never writes"
        assert f"--cache {path} {end}" == error_of(make, cache=path)
        assert f"--output {path} {end}" == error_of(make_report_settings, roots=roots, output=path)


def test_nothing_is_written_below_a_bind_mount_of_a_root(trees: Path) -> None:
    """A root that is mounted in a second place is the same folder there, by device and inode."""
    found = os.stat(trees / "x")
    roots = [Root(Side.NEEDLES, "n", "/mounted/elsewhere", (found.st_dev, found.st_ino))]
    for path in ("x/c", "x/new/c"):
        expected = f"--output {path} lies under n, where dupfind never writes"
        assert expected == error_of(make_report_settings, roots=roots, output=path)


def test_beside_a_root_is_free(trees: Path) -> None:
    """--cache and --output may lie anywhere else, also where a name merely begins like a root."""
    for path in ("x/c", "n2", "hay.json"):
        assert str(trees / path) == make(cache=path).cache
        assert path == make_report_settings(roots=make().roots, output=path).output


def test_the_default_cache_below_a_root_is_not_used(trees: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who scans the home folder gets a warning and no cache, and no error."""
    monkeypatch.setattr(settings, "default_cache", lambda: str(trees / "link" / "cache.sqlite"))
    found = make(no_cache=False)
    path = trees / "link" / "cache.sqlite"
    warning = f"the cache {path} lies under n, where dupfind never writes: going on without (--cache FILE helps)"
    assert (None, (warning,)) == (found.cache, found.warnings)
    assert (None, ()) == (make().cache, make().warnings)
    monkeypatch.setattr(settings, "default_cache", lambda: str(trees / "x" / "cache.sqlite"))
    assert (str(trees / "x" / "cache.sqlite"), ()) == (make(no_cache=False).cache, make(no_cache=False).warnings)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"only": ["missing"], "everything": True}, "--only and --all contradict each other"),
        ({"only": ["present"]}, "--only present is a verdict on files: add --files"),
        ({"only": ["missing", "similar"]}, "--only similar is a verdict on files: add --files"),
        ({"only": ["contained"], "files": True}, "--only contained is a verdict on folders: leave --files out"),
        ({"only": ["review"], "files": True, "format_": "csv"}, "--only review is a verdict on folders: leave"),
        *(
            ({"print0": True, "format_": one}, f"-0 prints paths and does not go with --format {one}")
            for one in ("table", "json", "jsonl", "csv")
        ),
    ],
)
def test_report_options_that_contradict_each_other(options: dict[str, Any], text: str) -> None:
    """What cannot be printed together is refused."""
    assert error_of(make_report_settings, **options).startswith(text)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, Format.TABLE), *(({"format_": one.value}, one) for one in Format), ({"print0": True}, Format.PATHS)],
)
def test_formats(options: dict[str, Any], expected: Format) -> None:
    """The table is the default, -0 implies paths; JSON has every verdict, the others what is not in the haystack."""
    found = make_report_settings(**options)
    assert expected is found.format
    if expected in (Format.JSON, Format.JSONL):
        assert (frozenset(FolderState), frozenset(FileState)) == (found.folder_states, found.file_states)
    else:
        assert ReportSettings(format=expected, print0=found.print0) == found


def test_only_and_all_choose_the_verdicts() -> None:
    """--only keeps what it names on the level that is printed, --all everything; only --only is a filter."""
    found = make_report_settings(only=["contained", "review"])
    assert (frozenset({FolderState.CONTAINED, FolderState.REVIEW}), True) == (found.folder_states, found.is_filtered)
    found = make_report_settings(only=["present"], files=True, print0=True, format_="paths")
    assert (frozenset({FileState.PRESENT}), True) == (found.file_states, found.is_filtered)
    found = make_report_settings(only=["missing", "present", "contained"], format_="json")
    assert ({"missing", "contained"}, {"missing", "present"}) == (set(found.folder_states), set(found.file_states))
    assert set(FolderState) == set(make_report_settings(everything=True).folder_states)
    found = make_report_settings(everything=True, files=True)
    assert (set(FileState), False) == (set(found.file_states), found.is_filtered)


def test_parts_in_a_bucket_are_looked_for_where_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its pictures would be downloaded once more."""
    monkeypatch.setattr("dupfind.libraries.can_find_fragments", lambda: True)
    sides: dict[str, Any] = {"haystack": ["s3://photos"], "needles": [str(tmp_path)], "may_be_servers": True}
    assert not make_settings(**sides, fragments=None).scan.fragments
    assert make_settings(**sides, fragments=True).scan.fragments
    (tmp_path / "old").mkdir(exist_ok=True)
    (tmp_path / "needles").mkdir(exist_ok=True)
    here = make_settings(haystack=[str(tmp_path / "old")], needles=[str(tmp_path / "needles")], fragments=None)
    assert here.scan.fragments
