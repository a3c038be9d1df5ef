"""A second process looks at folders from the end: what it tells is as true as what is seen here, or is not told."""

from __future__ import annotations

import errno
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind import forking, pipeline
from dupfind.answers.findings import Findings
from dupfind.run import Run
from dupfind.scanning.final_check import final_check
from dupfind.settings import make_settings
from dupfind.sources import look_ahead
from dupfind.sources.entries import columns_of, open_folder
from dupfind.sources.folders import Folder
from dupfind.sources.ignore import Excludes
from dupfind.sources.look_ahead import LookAhead, looks_below
from dupfind.sources.source import Listing, Rules
from dupfind.sources.walk import Walk
from dupfind.values import Evidence, Match, Side
from tests.helpers.ahead import looking_ahead, needs_fork
from tests.helpers.processes import nobody_left
from tests.helpers.scans import scan
from tests.helpers.walking import folders, walk_all
from tests.helpers.walks import root

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]
RULES = Rules(Excludes(()))
SOON_SECONDS = 5

pytestmark = needs_fork

PLACES = st.sampled_from([
    "a.jpg", "b.jpg", "s/a.jpg", "s/b.jpg", "s/t/a.jpg", "z/a.jpg", "z/y/b.jpg", "Thumbs.db", "s/Thumbs.db",
    "s/.hidden.jpg", ".hid/a.jpg", ".trash-1000/files/a.jpg", "@eaDir/a.jpg", "s/link", "z/._a.jpg", "s/a.xmp",
    "photos/data/x.jpg", "z/.picasa.ini", "Pictures.photoslibrary/originals/a.jpg", "s/.trashed-1-b.jpg",
])  # fmt: skip


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    """Whatever becomes of what is forked."""
    with nobody_left():
        yield


def build(top: Path, places: set[str]) -> None:
    """Make files at these places; what is called a link is one."""
    for place in sorted(places):
        path = top / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name == "link":
            path.symlink_to("..")
        else:
            path.write_bytes(place.encode())


@pytest.mark.slow
@given(st.sets(PLACES), st.sets(PLACES), st.booleans(), st.sampled_from([(), ("b*",), ("s",)]))
def test_a_walk_lists_what_it_would_without(
    needles: set[str], haystack: set[str], follow: bool, patterns: tuple[str, ...]
) -> None:
    """Entries, problems and their order, of both sides; also with links, patterns and what is not trusted."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(os.path.realpath(name))
        for side, places in (("n", needles), ("h", haystack)):
            (top / side).mkdir()
            build(top / side, places)
        roots = [root(Side.HAYSTACK, top / "h"), root(Side.NEEDLES, top / "n")]
        rules = Rules(Excludes(patterns), follow_symlinks=follow)
        usual = walk_all(roots, rules)
        with looking_ahead():
            assert usual == walk_all(roots, rules)


def test_folders_are_told_of(tree: TreeBuilder) -> None:
    """Of both sides, but for the first, which was looked at before there was a second process."""
    roots = [root(Side.NEEDLES, tree("n", {"a/1": b"1", "b/1": b"1"})), root(Side.HAYSTACK, tree("h", {"c/d/1": b"1"}))]
    usual = walk_all(roots, RULES)
    with looking_ahead() as counts:
        assert usual == walk_all(roots, RULES)
    assert (6, 5) == (counts.asked, counts.told)


@pytest.mark.parametrize(
    ("name", "is_told"),
    [("a.jpg", True), ("Thumbs.db", False), (".hidden", False), ("link", False), ("mvi_0001.thm", False)],
)
def test_only_common_files_are_told_of(tree: TreeBuilder, name: str, *, is_told: bool) -> None:
    """Everything else is decided where the rules and the problems are."""
    top = tree("h", {"b.jpg": b"1"})
    build(top, {name})
    assert is_told == bool(list(looks_below([str(top)])))


@pytest.mark.parametrize("name", [".hidden", "@eaDir", "$RECYCLE.BIN", ".Trash-1000"])
def test_what_may_not_be_entered_is_not_looked_into(tree: TreeBuilder, name: str) -> None:
    """Whatever is mounted there does not come."""
    top = tree("h", {f"{name}/a": b"1", "b/a": b"1"})
    assert {str(top), str(top / "b")} >= {folder for folder, _ in looks_below([str(top)])}


def test_what_came_in_the_place_of_a_folder_before_it_was_looked_at(tree: TreeBuilder) -> None:
    """A link to the other side, say, which is decided of by itself."""
    top, other = tree("n", {"a/1": b"1", "b/1": b"1"}), tree("h", {"2": b"2"})
    roots = [root(Side.NEEDLES, top)]

    def replace(_: int) -> None:
        if not (top.parent / "old").exists():
            (top / "b").rename(top.parent / "old")
            (top / "b").symlink_to(other)

    with looking_ahead() as counts:
        ahead = LookAhead()
        found = Walk(roots[0], RULES, roots, frozenset(), replace, ahead=ahead).run()
        ahead.end()
    assert 2 == counts.told
    assert ["a/1"] == [os.path.relpath(entry.path, top) for entry in found.entries]
    assert ["cannot read the folder: another one came in its place"] == [one.reason for one in found.problems]


def test_a_link_among_names_is_no_file(tree: TreeBuilder) -> None:
    """Where it came in the place of a file after the folder was read."""
    top = tree("n", {"a": b"1"})
    (top / "b").symlink_to("a")
    handle = open_folder(str(top))
    try:
        assert 4 == len(columns_of(["a"], handle))
        with pytest.raises(OSError, match="not a regular file"):
            columns_of(["a", "b"], handle)
    finally:
        os.close(handle)


def touch(path: Path) -> None:
    """Another time."""
    os.utime(path, (1, 1))


def rewrite(path: Path) -> None:
    """Other bytes, and the time put back."""
    state = path.stat()
    path.write_bytes(b"x" * state.st_size)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def replace_folder(path: Path) -> None:
    """A folder with this file alone in the place of its own."""
    path.parent.rename(path.parent.with_name("old"))
    path.parent.mkdir()
    os.link(path.parent.with_name("old") / path.name, path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "touched": touch,
    "other bytes": rewrite,
    "gone": Path.unlink,
    "another beside it": lambda path: path.with_name("new").write_bytes(b"1"),
    "another folder": replace_folder,
    "moved to the needles": lambda path: path.rename(path.parents[2] / "n/0/new"),
}


@pytest.mark.parametrize("side", ["n", "h"])
@pytest.mark.parametrize("change", CHANGES)
def test_the_final_check_sees_what_it_would_without(tree: TreeBuilder, side: str, change: str) -> None:
    """Each kind of change, in a folder of either side, of which the second process would have told."""
    answers = []
    for number, is_ahead in enumerate((False, True)):
        places = {f"{folder}/{name}": name.encode() for folder in "0123" for name in "abc"}
        tops = {name: tree(f"{number}/{name}", places) for name in ("n", "h")}
        roots = [root(Side.NEEDLES, tops["n"]), root(Side.HAYSTACK, tops["h"])]
        needles, haystack = walk_all(roots, RULES)
        matches = {
            needle.path: Match(witness.path, Evidence.IDENTICAL, None)
            for needle, witness in zip(needles[0].entries, haystack[0].entries, strict=True)
        }
        CHANGES[change](tops[side] / "2/b")
        findings = Findings(matches, {}, frozenset(), None)
        if is_ahead:
            with looking_ahead() as counts:
                listing = Listing(roots, RULES)
                checked = final_check(folders(roots), needles, haystack, findings, listing)
            assert counts.told >= 4, "it tells of folders of both sides"
        else:
            checked = final_check(folders(roots), needles, haystack, findings, Listing(roots, RULES))
        top = str(tops["n"].parent)
        problems = [problem for trees in checked[:2] for tree in trees for problem in tree.problems]
        reasons = [failure.reason.replace(top, "") for failure in checked[2].failures.values()]
        stand = {os.path.relpath(path, top) for path in checked[2].matches}
        answers.append(([(problem.path.replace(top, ""), problem.reason) for problem in problems], reasons, stand))
    assert answers[0] == answers[1]
    is_harmless = change == "nothing" or (side, change) == ("h", "another beside it")
    assert is_harmless == (([], []) == answers[1][:2])


def test_what_was_told_of_other_positions_counts_for_nothing(tree: TreeBuilder) -> None:
    """Such as what an earlier walk was told, which may be of other files."""
    top = tree("n", {"a/1": b"1", "a/2": b"1", "b/1": b"1"})
    roots = [root(Side.NEEDLES, top)]
    first = Walk(roots[0], RULES, roots, frozenset()).run()
    state = (top / "b").stat()
    ahead = LookAhead()
    ahead._told = {str(top / "b"): (0, (state.st_dev, state.st_ino), 1)}
    assert first == Walk(roots[0], RULES, roots, frozenset(), before=first.entries, ahead=ahead).run()
    source = Folder(root(Side.HAYSTACK, top))
    (top / "b/1").unlink()
    listing = Listing([source.root], RULES)
    listing.ahead._told = {str(top / "b"): (0, 1)}
    assert [first.entries[2].path] == [path for path, _ in source.changed(first.entries, listing)]


Death = Callable[[], object]
DEATHS: dict[str, Death] = {
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "Ctrl-C": lambda: os.kill(os.getpid(), signal.SIGINT),
    "terminated": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "an error": lambda: 1 // 0,
    "no memory": lambda: (_ for _ in ()).throw(MemoryError),
    "an exit": lambda: sys.exit(3),
}


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("told", [0, 1, 2])
def test_what_it_has_not_told_is_looked_at_here(
    tree: TreeBuilder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], death: str, told: int
) -> None:
    """It ends in the middle, by whatever: the last look sees all changes, and leaves no word and no process."""
    top = tree("n", {f"{folder}/a": b"1" for folder in "0123"})
    roots = [root(Side.NEEDLES, top)]
    first = Walk(roots[0], RULES, roots, frozenset()).run()
    for folder in "0123":
        touch(top / folder / "a")
    usual = Walk(roots[0], RULES, roots, frozenset()).run()
    looks = [(str(top / folder), (0, (0, 0), 0)) for folder in "32"]

    def begin(self: LookAhead, _: object, files: int) -> None:
        real(self, lambda: dying(looks[:told], DEATHS[death]), files)

    real = LookAhead.begin
    monkeypatch.setattr(LookAhead, "begin", begin)
    with looking_ahead():
        ahead = LookAhead()
        walk = Walk(roots[0], RULES, roots, frozenset(), before=first.entries, ahead=ahead)
        assert usual == walk.run()
    assert ("", "") == capfd.readouterr()


def dying(looks: list[tuple[str, Any]], death: Death) -> Iterator[tuple[str, Any]]:
    """Tell that much, and die."""
    yield from looks
    death()


def test_half_of_a_folder_is_nothing() -> None:
    """What is cut off is not told, wherever it is cut."""
    with looking_ahead(is_waited_for=False):
        first = LookAhead()
        first.begin(lambda: [("/a", 1), ("/b", (2, "x" * 100))], 1)
    assert first._process.pipe is not None
    os.set_blocking(first._process.pipe, True)
    data = os.read(first._process.pipe, 1000)
    first.end()
    reading, writing = os.pipe()
    ahead = LookAhead()
    ahead._process.pipe = reading
    os.set_blocking(reading, False)
    for number in range(len(data)):
        os.write(writing, data[number : number + 1])
        assert (number == len(data) - 1) == (ahead.told("/b") is not None)
    assert 1 == ahead.told("/a")
    assert (None, None) == (ahead.told("/a"), ahead.told("/b")), "it was true once"
    os.close(writing)
    assert ahead.told("/c") is None
    ahead.end()


def test_one_that_hangs_is_not_waited_for() -> None:
    """Nobody waits for what it has not told, and it is ended with the listing."""
    with looking_ahead(is_waited_for=False):
        ahead = LookAhead()
        began = time.monotonic()
        ahead.begin(lambda: time.sleep(60) or [], 1)
        assert ahead._process.is_begun
        assert ahead.told("/a") is None
        ahead.end()
    forking.bury(SOON_SECONDS)
    assert time.monotonic() - began < SOON_SECONDS


@pytest.mark.parametrize("why", ["few files", "one worker", "threads", "no more processes", "no more handles"])
def test_where_there_is_none(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """One process does everything then."""
    monkeypatch.setattr(forking, "can_fork", lambda: why != "threads")
    if why == "no more processes":
        monkeypatch.setattr(os, "fork", lambda: (_ for _ in ()).throw(BlockingIOError))
    elif why == "no more handles":
        monkeypatch.setattr(os, "pipe", lambda: (_ for _ in ()).throw(OSError(errno.EMFILE, "too many")))
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    ahead = LookAhead(may_fork=why != "one worker")
    files = look_ahead.FEWEST_FILES + (why != "few files")
    ahead.begin(lambda: [("/a", 1)], files)
    assert (False, None) == (ahead._process.is_begun, ahead._process.pipe)
    ahead.end()
    assert not before or len(before) == len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_of_one_process_has_no_second_one(tree: TreeBuilder, workers: int) -> None:
    """What ``--workers 1`` promises."""
    top = tree("x", {"h/a": b"1", "n/a": b"1"})
    settings = make_settings(haystack=[str(top / "h")], needles=[str(top / "n")], workers=workers)
    assert (workers > 1) == Run(settings).listing(Excludes(())).ahead._may_fork


def test_a_run_that_fails_ends_what_looks_ahead(monkeypatch: pytest.MonkeyPatch, tree: TreeBuilder) -> None:
    """Also where it fails before it looks again itself: another program goes on."""
    top = tree("x", {"h/a": b"1", "n/a": b"1"})

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pipeline, "_judged", fail)
    with looking_ahead(), pytest.raises(MemoryError):
        scan(top / "h", top / "n")
