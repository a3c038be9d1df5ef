"""What a person sets aside by name keeps no folder from being contained, is counted openly, and a slip is told of."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.reasons import Reason, ReasonCode
from dupfind.scanning.setting_aside import put_aside
from dupfind.sources.disregarded import Disregards, IgnoreFile, PatternError
from dupfind.sources.ignore import Excludes
from dupfind.values import SETTLED, FileState, FileVerdict, Kind
from tests.helpers.archives import zipped
from tests.helpers.scans import scan

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
TreeBuilder = Callable[[str, Mapping[str, object]], Path]
SCAN = ("scan", "--haystack", "hay", "--needles", "n", "--no-cache")
FILES = {"a.txt": b"a", "b.tmp": b"b", "cache/sub/c": b"c", "x/d.tmp": b"d"}


@pytest.fixture
def trees(tree: TreeBuilder) -> Path:
    """One file of four is in the haystack."""
    tree("hay", {"a.txt": b"a"})
    return tree("n", FILES)


def verdicts(done: subprocess.CompletedProcess[bytes]) -> dict[str, tuple[str, str | None]]:
    """By path, the verdict on each file and its code."""
    return {one["path"]: (one["verdict"], one["reason_code"]) for one in json.loads(done.stdout)["files"]}


@pytest.mark.usefixtures("trees")
def test_what_matches_is_unwanted(dupfind: Run) -> None:
    """By its name, by a folder around it, by its path; exit code 0, and every report says how many."""
    patterns = "--disregard", "*.tmp", "--disregard", "cache"
    done = dupfind(*SCAN, *patterns)
    assert (0, b"") == (done.returncode, done.stderr)
    assert done.stdout.decode().splitlines()[:2] == [
        "All 4 files are in the haystack or not wanted: every needle folder is contained.",
        "3 files are set aside: 2 by --disregard *.tmp, 1 by --disregard cache (--only unwanted --files lists them).",
    ]
    done = dupfind(*SCAN, *patterns, "--format", "json")
    aside = ("unwanted", "disregarded")
    assert {"n/a.txt": ("present", None), "n/b.tmp": aside, "n/cache/sub/c": aside, "n/x/d.tmp": aside} == verdicts(
        done
    )
    report = json.loads(done.stdout)
    assert (1, 3) == (report["summary"]["files"]["present"], report["summary"]["files"]["unwanted"])
    assert ["*.tmp", "cache"] == report["settings"]["disregard"]
    assert {("contained", 3, 3)} == {
        (one["verdict"], one["unwanted"], one["set_aside"]) for one in report["folders"] if one["path"] == "n"
    }
    rows = dupfind(*SCAN, *patterns, "--files", "--all", "--format", "csv").stdout.decode().splitlines()
    assert 3 == sum(",unwanted," in row and row.endswith(",disregarded") for row in rows)
    rows = dupfind(*SCAN, *patterns, "--all", "--format", "csv").stdout.decode().splitlines()
    assert rows[1].endswith(",3,0")
    table = dupfind(*SCAN, *patterns, "--all").stdout.decode()
    assert "Set aside" in table.splitlines()[0]


@pytest.mark.usefixtures("trees")
def test_what_does_not_match_still_counts(dupfind: Run) -> None:
    """A folder that holds one more file than was set aside is not contained."""
    done = dupfind(*SCAN, "--disregard", "*.tmp", "--format", "json")
    assert 1 == done.returncode
    assert ("missing", None) == verdicts(done)["n/cache/sub/c"]
    assert {"n": "partial", "n/cache": "missing", "n/cache/sub": "missing", "n/x": "contained"} == {
        one["path"]: one["verdict"] for one in json.loads(done.stdout)["folders"]
    }


@pytest.mark.usefixtures("trees")
def test_a_slip_is_told_of(dupfind: Run) -> None:
    """A pattern that nothing matches, in an option or a file; case counts."""
    done = dupfind(*SCAN, "--disregard", "*.TMP", "--disregard", "cache")
    assert done.stderr.decode().splitlines() == [
        "dupfind: warning: --disregard *.TMP: nothing that was looked at matches it (case counts)"
    ]


def test_present_needs_no_word(trees: Path, tree: TreeBuilder) -> None:
    """What is in the haystack is proved by that, and names its witness; a pattern for it is no slip."""
    report = scan(tree("hay", {"a.txt": b"a"}), trees, disregard=["*"])
    assert {"a.txt": "present", "b.tmp": "unwanted", "c": "unwanted", "d.tmp": "unwanted"} == {
        os.path.basename(one.path): one.state.value for one in report.files
    }


def test_what_was_passed_over_stays_a_gap(trees: Path, tree: TreeBuilder) -> None:
    """A link is no file that could be set aside; nobody knows what is behind it."""
    os.symlink("nowhere", trees / "link.tmp")
    report = scan(tree("hay", {"a.txt": b"a"}), trees, disregard=["*.tmp", "cache"])
    assert "partial" == report.folders[0].state
    assert not report.is_complete


def test_every_verdict_that_is_settled_stays() -> None:
    """And every other one gives way."""
    files = [FileVerdict(state.value, Kind.OTHER, state, 1, None, None, None) for state in FileState]
    aside = {state.value: Reason(ReasonCode.DISREGARDED, ("--disregard *",)) for state in FileState}
    changed = [old.path for old, new in zip(files, put_aside(files, aside), strict=True) if old != new]
    assert [state.value for state in FileState if state not in SETTLED] == changed
    assert files == put_aside(files, {})


NAMES = st.sampled_from(["a", "b.tmp", "cache", "A"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PATTERNS = st.sampled_from(["a", "*.tmp", "cache", "a/b.tmp", "/cache", "cache/*", "?", "*a*"])


@given(st.lists(PATTERNS, max_size=3), st.lists(PATHS, max_size=8))
def test_an_option_is_an_exclude_of_each_folder_around(patterns: list[str], paths: list[str]) -> None:
    """A needle is set aside exactly where a walk with these patterns as excludes would not have come to it."""
    chosen = Disregards(patterns)
    for path in paths:
        parts = path.split("/")
        around = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        excludes = Excludes(patterns)
        expected = any(excludes.matching(one, one.rpartition("/")[2]) is not None for one in around)
        assert expected == (chosen.why(path) is not None)


def ask(dupfind: Run, trees: Path, text: bytes, *options: str) -> tuple[dict[str, str], list[str]]:
    """Scan with a file of patterns: the verdicts by name, and what is on standard error."""
    (trees / ".dupfindignore").write_bytes(text)
    done = dupfind(*SCAN, "--format", "json", *options)
    found = {path.removeprefix("n/"): verdict for path, (verdict, _) in verdicts(done).items()}
    return found, [line.removeprefix("dupfind: warning: ") for line in done.stderr.decode().splitlines()]


def test_a_file_in_the_root_is_read_as_gitignore(trees: Path, dupfind: Run) -> None:
    """Comments, folders, the root, what is taken back; what it does is said on standard error and in the report."""
    found, told = ask(dupfind, trees, b"\xef\xbb\xbf# mine\n\n*.tmp\n!x/d.tmp\n/cache/\n")
    assert {
        ".dupfindignore": "unwanted",
        "a.txt": "present",
        "b.tmp": "unwanted",
        "cache/sub/c": "unwanted",
        "x/d.tmp": "missing",
    } == found
    assert ["n/.dupfindignore sets aside 2 files: look at it before you delete by this answer"] == told
    table = dupfind(*SCAN, "--files", "--all").stdout.decode()
    assert "- set aside by n/.dupfindignore, line 3: *.tmp" in table
    assert "- it lists what is set aside" in table


def test_its_slips_are_told_of(trees: Path, dupfind: Run) -> None:
    """Each line that nothing matches, one that takes back too."""
    _, told = ask(dupfind, trees, b"*.tmp\n*.tpm\n!keep\n")
    assert [
        "n/.dupfindignore, line 2: nothing that was looked at matches *.tpm",
        "n/.dupfindignore, line 3: nothing that was looked at matches !keep",
    ] == told[:2]
    _, told = ask(dupfind, trees, b"*.tmp\n" + b"".join(b"none%d\n" % number for number in range(9)))
    assert "n/.dupfindignore: nothing matches 4 further lines" in told


_SLOW = b"*a" * 12 + b"b"


@pytest.mark.parametrize("line", [b"**/*a*/*.tmp", b"/x*y*z*.*", b"*", b"**", b"x/**/*.*"])
def test_a_few_stars_are_well(line: bytes) -> None:
    """As people write them; names can be tried in all ways then."""
    IgnoreFile(".dupfindignore", line).why("a" * 255)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"*.tmp\n!\n", "line 2 is no pattern: ! (Invalid git pattern: '!')"),
        (b"*.tmp\n[\n", "line 2 is no pattern: ["),
        (b"a[z-a]\n", "line 1 is no pattern: a[z-a] (bad character range z-a at position 11)"),
        (b"*.tmp\xff\n", "it is not in UTF-8"),
        (b"*.tmp\0", "it is no list of patterns"),
        (b"*.tmp\n" * 200_000, "it is no list of patterns"),
        (b"*.t*\n/cache\n.dupfindignore", "it sets aside every file"),
        (b"*.tmp\n" + _SLOW, f"line 2 has more than 3 stars with something behind them: {_SLOW.decode()}"),
        (b"**/a/**/a/**/a/**/b", "line 1 has more than 3 stars with something behind them: **/a/**/a/**/a/**/b"),
        (b"*a*a/*a*a/b", "line 1 has more than 3 stars with something behind them: *a*a/*a*a/b"),
    ],
)
def test_one_that_says_too_much_or_too_little_is_not_obeyed(trees: Path, dupfind: Run, text: bytes, why: str) -> None:
    """One line names file and cause; it is a file like any other then, and nothing is set aside."""
    found, told = ask(dupfind, trees, text)
    assert [f"n/.dupfindignore is not obeyed: {why}"] == told
    assert {"missing"} == {verdict for name, verdict in found.items() if name != "a.txt"}


def test_one_that_others_may_have_written_is_not_obeyed(trees: Path, dupfind: Run) -> None:
    """A backup may be of somebody else."""
    (trees / ".dupfindignore").touch()
    (trees / ".dupfindignore").chmod(0o646)
    found, told = ask(dupfind, trees, b"*.tmp\n")
    assert ["n/.dupfindignore is not obeyed: it may be written by others (chmod go-w helps)"] == told
    assert "missing" == found["b.tmp"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_one_of_another_user_is_not_obeyed(trees: Path, dupfind: Run) -> None:
    """Likewise."""
    (trees / ".dupfindignore").touch()
    os.chown(trees / ".dupfindignore", 12345, 12345)
    found, told = ask(dupfind, trees, b"*.tmp\n")
    assert ["n/.dupfindignore is not obeyed: it belongs to another user (12345)"] == told
    assert "missing" == found["b.tmp"]


def test_only_the_root_of_the_needles_has_a_say(trees: Path, tree: TreeBuilder, dupfind: Run) -> None:
    """One further down may be of somebody else's backup; one in the haystack has none; nor has a link."""
    tree("hay", {".dupfindignore": b"*.tmp\n"})
    (trees / "x" / ".dupfindignore").write_bytes(b"*.tmp\n")
    os.symlink("x/.dupfindignore", trees / ".dupfindignore")
    done = dupfind(*SCAN, "--format", "json")
    found = {path: verdict for path, (verdict, _) in verdicts(done).items()}
    assert ("missing", "missing") == (found["n/b.tmp"], found["n/x/d.tmp"])
    assert "n/.dupfindignore" not in found
    assert b"sets aside" not in done.stderr


def test_names_in_another_form_match(tree: TreeBuilder, dupfind: Run) -> None:
    """A Mac stores an umlaut as two characters."""
    tree("hay", {})
    needles = tree("n", {"Mu\u0308ll.txt": b"1", "Rest.txt": b"2"})
    found, _ = ask(dupfind, needles, "Müll.*\n".encode())
    assert "unwanted" == found["Mu\u0308ll.txt"]
    done = dupfind(*SCAN, "--disregard", "Müll*", "--format", "json")
    assert ("unwanted", "disregarded") == verdicts(done)["n/Mu\u0308ll.txt"]


def test_lists_have_patterns_too(tree: TreeBuilder, dupfind: Run) -> None:
    """By the name, or by the path as it is in the list."""
    tree("hay", {"a.txt": b"a"})
    tree("n", FILES)
    (Path(tree("lists", {"list": b"n/a.txt\nn/b.tmp\nn/cache/sub/c\n"})) / "list").exists()
    arguments = "scan", "--haystack", "hay", "--files-from", "lists/list", "--no-cache"
    assert 0 == dupfind(*arguments, "--disregard", "*.tmp", "--disregard", "n/cache").returncode
    assert 1 == dupfind(*arguments, "--disregard", "*.tmp").returncode


@pytest.mark.slow
def test_folders_above_the_needles_are_no_names(tree: TreeBuilder, dupfind: Run) -> None:
    """Neither of what lies in an archive nor of what a list names by its whole path."""
    tree("hay", {"a.txt": b"a"})
    packed = zipped({"sub/b.txt": b"b", "c.txt": b"c"})
    root = tree("tmpx/N", {"x.zip": packed, "d.txt": b"d"})
    arguments = "scan", "--haystack", "hay", "--no-cache", "--format", "json"
    for name in ("tmpx", "N", root.parent.name, root.parents[1].name, "*/tmpx/*"):
        for needles in ("tmpx/N", str(root), str(root / "x.zip")):
            done = dupfind(*arguments, "--needles", needles, "--disregard", name)
            assert 1 == done.returncode
            assert {"missing"} == {verdict for verdict, _ in verdicts(done).values()}
            assert f"--disregard {name}: nothing that was looked at matches it".encode() in done.stderr
    for pattern, left in (("x.zip/sub/*", 2), ("x.zip", 1), ("sub", 2), ("b.txt", 2)):
        done = dupfind(*arguments, "--needles", "tmpx/N", "--disregard", pattern)
        assert left == sum(verdict == "missing" for verdict, _ in verdicts(done).values())
    (root / "list").write_text(str(root / "d.txt"))
    done = dupfind(*arguments, "--files-from", str(root / "list"), "--disregard", "tmpx")
    assert 1 == done.returncode


def test_an_answer_from_memory_follows_other_patterns(trees: Path, dupfind: Run) -> None:
    """They decide nothing that is remembered."""
    assert trees.is_dir()
    codes = [
        dupfind(*SCAN[:-1], *options).returncode
        for options in ((), ("--disregard", "*"), (), ("--disregard", "*.tmp", "--disregard", "cache"))
    ]
    assert [1, 0, 1, 0] == codes


def test_a_file_of_patterns_alone() -> None:
    """What it says of a path, and that it must be whole."""
    file = IgnoreFile("n/.dupfindignore", b"*.tmp\r\n!keep.tmp\r\n")
    assert (None, None) == (file.why("keep.tmp"), file.why("a"))
    assert Reason(ReasonCode.DISREGARDED, ("n/.dupfindignore", "line 1: *.tmp")) == file.why("x/a.tmp")
    with pytest.raises(PatternError):
        IgnoreFile("n/.dupfindignore", b"\\")


def test_set_aside_where_folders_are_separated_by_backslashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern for names is never about the folder and the name in one, or it would set aside too much."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "sep", "\\")
        chosen = Disregards(["a*.jpg", "cache"])
        reasons = [chosen.why(path) for path in ("album\\x.jpg", "album\\a.jpg", "a.jpg", "cache\\sub\\c")]
        line = IgnoreFile("f", b"/album/x.jpg\n!/album/y.jpg\n")
        lines = [line.why(path) for path in ("album\\x.jpg", "album\\y.jpg", "x.jpg")]
        warnings = line.warnings()
    assert [False, True, True, True] == [reason is not None for reason in reasons]
    assert [True, False, False] == [reason is not None for reason in lines]
    assert [] == warnings


@pytest.mark.parametrize("pattern", [b"/Album/x.jpg", b"*.JPG"])
def test_case_counts_in_patterns(pattern: bytes) -> None:
    """Also where the system does not tell it: what a pattern does not name letter by letter stays a needle."""
    assert IgnoreFile("f", pattern).why("album/x.jpg") is None
    assert Disregards([pattern.decode()]).why("album/x.jpg") is None
