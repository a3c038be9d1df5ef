"""The last look: when it is taken, and what it makes of findings; what changes when is in test_moving_world.py."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.answers.decisions import Decision, Mark, Ruling
from dupfind.answers.findings import Findings
from dupfind.scanning.final_check import final_check, is_due
from dupfind.sources.entries import entry_of, not_as_listed, open_folder, without_inode
from dupfind.sources.ignore import Excludes
from dupfind.sources.mounts import Mount, Mounts
from dupfind.sources.source import Listing, Relisting, Rules, Source, Sources, listed_again
from dupfind.sources.walk import Walk
from dupfind.values import Evidence, FileEntry, Match, Root, Side, Tree
from tests.helpers.walking import folders, walk_all
from tests.helpers.walks import root

TreeBuilder = Callable[[str, Mapping[str, bytes | None]], Path]
RULES = Rules(Excludes(()))
EMPTY = Findings({}, {}, frozenset(), None)


@pytest.mark.parametrize(
    ("files", "is_remembered", "seconds", "expected"),
    [
        (100_000, False, 0.1, True),
        (100_000, False, 9000, True),
        (100_000, True, 4.9, False),
        (100_000, True, 5.1, True),
        (10_000, True, 0.1, True),
        (10_001, True, 0.1, False),
    ],
)
def test_when_it_is_due(files: int, *, is_remembered: bool, seconds: float, expected: bool) -> None:
    """After every run that read something; after one that read nothing where time has passed or it costs nothing."""
    entry = FileEntry("/n/a", 0, 0, 0, 0)
    needles = [Tree(Root(Side.NEEDLES, "n", "/n", (1, 1)), [entry] * files, [], frozenset())]
    assert expected == is_due(needles, EMPTY, is_remembered=is_remembered, walked_seconds=seconds)


def test_what_was_found_counts_as_files() -> None:
    """Each has a witness to be looked at."""
    tree = Tree(Root(Side.NEEDLES, "n", "/n", (1, 1)), [FileEntry("/n/a", 0, 0, 0, 0)] * 9_999, [], frozenset())
    for matches, expected in ((1, True), (2, False)):
        findings = Findings(
            {f"/n/{one}": Match("/h/a", Evidence.SAME, 0) for one in range(matches)}, {}, frozenset(), 0
        )
        assert expected == is_due([tree], findings, is_remembered=True, walked_seconds=0)


def look(roots: list[Root], change: Callable[[], object], matches: Mapping[str, str]) -> tuple[set[str], list[str]]:
    """The needles whose matches stand after a change, by their names, and the problems."""
    needles, haystack = walk_all(roots, RULES)
    findings = Findings({path: Match(one, Evidence.SAME, 0) for path, one in matches.items()}, {}, frozenset(), 0)
    change()
    *trees, found = final_check(folders(roots), needles, haystack, findings, Listing(roots, RULES))
    problems = [one.reason for side in trees for tree in side for one in tree.problems]
    assert found.matches.keys() ^ matches.keys() == found.failures.keys()
    return {os.path.basename(path) for path in found.matches}, problems


FOLDERS = st.dictionaries(
    st.sampled_from(["/n", "/n/a", "/n/b", "/n/b/c"]),
    st.dictionaries(st.sampled_from("pqr"), st.integers(1, 2), max_size=3),
)


@given(FOLDERS, FOLDERS)
def test_each_difference_of_two_walks_is_told(
    before: Mapping[str, Mapping[str, int]], now: Mapping[str, Mapping[str, int]]
) -> None:
    """Files that went or changed are lost, those that came are problems, wherever they lie."""

    def listed(tree: Mapping[str, Mapping[str, int]]) -> list[FileEntry]:
        paths = [(folder, name) for folder in sorted(tree) for name in sorted(tree[folder])]
        return [FileEntry(f"{folder}/{name}", tree[folder][name], 0, 0, 1) for folder, name in paths]

    class Listed(Source):
        def list_tree(self, listing: Listing) -> Tree:
            raise NotImplementedError

        def list_again(self, tree: Tree, listing: Listing) -> Relisting:
            relisting = listed_again(replace(tree, entries=listed(now)))
            relisting.folders = lambda: ((folder, listed({folder: now[folder]})) for folder in sorted(now))  # type: ignore[method-assign]
            return relisting

    first = Tree(Root(Side.NEEDLES, "/n", "/n", (1, 1)), listed(before), [], frozenset())
    findings = replace(EMPTY, matches={entry.path: Match("/h", Evidence.SAME, 0) for entry in first.entries})
    sources = Sources((Listed(first.root),), ())
    (seen,), _, left = final_check(sources, [first], [], findings, Listing([first.root], RULES))
    assert {entry.path for entry in {*listed(before)} - {*listed(now)}} == left.failures.keys()
    came = {entry.path for entry in listed(now)} - {entry.path for entry in first.entries}
    assert sorted(came) == sorted(problem.path for problem in seen.problems)


def test_nothing_has_changed(tree: TreeBuilder) -> None:
    """The very same values come back."""
    roots = [root(Side.HAYSTACK, tree("h", {"a": b"1"})), root(Side.NEEDLES, tree("n", {"a": b"1", "s/b": b"2"}))]
    needles, haystack = walk_all(roots, RULES)
    counts: list[int] = []
    found = final_check(folders(roots), needles, haystack, EMPTY, Listing(roots, RULES, counts.append))
    assert all(one is other for one, other in zip((*found[0], *found[1]), (*needles, *haystack), strict=True))
    assert EMPTY is found[2]
    assert 2 == sum(counts)


def test_only_what_changed_falls(tree: TreeBuilder) -> None:
    """In every folder by itself; a witness that nobody rests on may do as it likes."""
    names = ["a", "b", "s/c", "s/d", "t/e"]
    hay, needles = (tree(name, dict.fromkeys(names, b"1")) for name in ("h", "n"))
    roots = [root(Side.HAYSTACK, hay), root(Side.NEEDLES, needles)]
    matches = {str(needles / name): str(hay / name) for name in names if name != "b"}

    def change() -> None:
        for path in (hay / "b", hay / "s/c", needles / "a"):
            path.write_bytes(b"22")

    changed = "changed while dupfind ran"
    assert ({"d", "e"}, [changed]) == look(roots, change, matches)


def test_a_haystack_inside_the_needles(tree: TreeBuilder) -> None:
    """The folders around it are among the needles, and its files are not; nor where the last look comes."""
    needles = tree("n", {"a": b"1", "deep/h/a": b"1"})
    roots = [root(Side.HAYSTACK, needles / "deep/h"), root(Side.NEEDLES, needles)]
    reason = "left out: it is a root of its own"
    assert ({"a"}, [reason]) == look(roots, int, {str(needles / "a"): str(needles / "deep/h/a")})


def test_a_haystack_root_that_is_replaced(tree: TreeBuilder) -> None:
    """By a folder with links to the very same files, and by a link to where it is now."""
    hay, needles = tree("h", {"a": b"1"}), tree("n", {"a": b"1"})
    roots = [root(Side.HAYSTACK, hay), root(Side.NEEDLES, needles)]

    def replace() -> None:
        moved = hay.rename(hay.with_name("moved"))
        hay.mkdir()
        (moved / "a").rename(hay / "a")

    found, (reason,) = look(roots, replace, {str(needles / "a"): str(hay / "a")})
    assert (set(), "changed while dupfind ran") == (found, reason.partition(":")[0])


def test_a_link_above_the_haystack(tree: TreeBuilder) -> None:
    """Its folder went elsewhere as a whole, and a link leads there: it may be where the needles are."""
    hay, needles = tree("up/h", {"a": b"1"}), tree("n", {"a": b"1"})
    roots = [root(Side.HAYSTACK, hay), root(Side.NEEDLES, needles)]

    def move() -> None:
        hay.parent.rename(needles / "up")
        hay.parent.symlink_to(needles / "up")

    found, reasons = look(roots, move, {str(needles / "a"): str(hay / "a")})
    assert set() == found
    assert [
        "left out: it is a root of its own",
        "changed while dupfind ran: another folder came in the place of one around it",
    ] == reasons


def test_a_needles_root_that_is_gone(tree: TreeBuilder) -> None:
    """Nothing below it is present, and the folder is told of."""
    hay, needles = tree("h", {"a": b"1"}), tree("n", {"a": b"1", "s/b": b"1"})
    roots = [root(Side.HAYSTACK, hay), root(Side.NEEDLES, needles)]
    matches = {str(needles / name): str(hay / "a") for name in ("a", "s/b")}
    found = look(roots, lambda: needles.rename(needles.with_name("gone")), matches)
    assert (set(), ["cannot read the folder: no such file or directory"]) == found


def test_a_word_stands_with_its_files(tree: TreeBuilder) -> None:
    """A person has seen the needle as it was and the witness as it was; who wants no needle needs no witness."""
    names = ["changed", "gone", "same", "unwanted", "witness"]
    hay, needles = tree("h", dict.fromkeys(names, b"1")), tree("n", dict.fromkeys(names, b"1"))
    roots = [root(Side.HAYSTACK, hay), root(Side.NEEDLES, needles)]
    mark = Mark(b"", 1, "")
    same = Decision(Ruling.SAME, mark, mark, None, None, "2026-11-21")
    unwanted = same._replace(ruling=Ruling.NOT_WANTED, witness=None)
    words = {str(needles / name): same for name in ("same", "witness")}
    words |= {str(needles / name): unwanted for name in ("changed", "gone", "unwanted")}
    matches = {path: Match(str(hay / os.path.basename(path)), Evidence.SIMILAR, 0) for path in words}
    del matches[str(needles / "gone")]
    trees = walk_all(roots, RULES)
    for path in (needles / "changed", hay / "witness", hay / "unwanted"):
        path.write_bytes(b"22")
    (needles / "gone").unlink()
    findings = Findings(matches, {}, frozenset(), 0, words=words)
    *_, found = final_check(folders(roots), *trees, findings, Listing(roots, RULES))
    assert {os.path.basename(path) for path in found.words} == {"same", "unwanted"}
    assert {os.path.basename(path) for path in found.failures} == {"changed", "gone", "unwanted", "witness"}


def test_a_witness_in_a_place_of_the_needles(tree: TreeBuilder) -> None:
    """Where numbers do not last it is known by where it lies on its file system: both roots show one folder of it."""
    hay, needles = tree("h", {"a": b"1", "s/b": b"1"}), tree("n", {"a": b"1", "s/b": b"1"})
    roots = [root(Side.HAYSTACK, hay), root(Side.NEEDLES, needles)]
    trees = walk_all(roots, RULES)
    matches = {str(needles / name): str(hay / name) for name in ("a", "s/b")}
    findings = Findings({path: Match(one, Evidence.SAME, 0) for path, one in matches.items()}, {}, frozenset(), 0)
    device = hay.stat().st_dev
    # Without inodes, as the walk of such a file system gives them.
    trees = tuple([replace(one, entries=list(map(without_inode, one.entries))) for one in side] for side in trees)  # type: ignore[assignment]
    for inner, expected in (("/", set()), ("/h", {"a", "b"})):
        lines = Mount(device, inner, str(hay), "fuse.sshfs", "x"), Mount(device, "/", str(needles), "fuse.sshfs", "x")
        listing = Listing(roots, Rules(Excludes(()), mounts=Mounts(lines)))
        *_, found = final_check(folders(roots), *trees, findings, listing)
        assert expected == {os.path.basename(path) for path in found.matches}


NAMES = st.sampled_from(("a", "b.jpg", "._c", "Thumbs.db", "d.thm", "d.jpg", "link"))
PLACES = st.tuples(st.sampled_from(("", "s", "s/t", "u", "@eaDir")), NAMES).map("/".join)


def make(top: Path, place: str, content: bytes) -> None:
    """A file, a link, or nothing where nothing can be."""
    path = top / place.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if path.name == "link":
        path.symlink_to(content.decode() or "1")
    elif content != b"-":
        path.write_bytes(content)


CONTENTS = st.dictionaries(PLACES, st.sampled_from((b"", b"1", b"2", b"-")), max_size=9)


@pytest.mark.slow
@given(CONTENTS, CONTENTS, st.sampled_from(((), ("b*",), ("s",))))
def test_a_second_walk_gives_what_a_first_one_would(
    before: dict[str, bytes], changes: dict[str, bytes], patterns: tuple[str, ...]
) -> None:
    """Whatever was made, changed and taken away in between; what it knows of the first only makes it faster."""
    with tempfile.TemporaryDirectory() as name:
        top, rules = Path(name), Rules(Excludes(patterns))
        for place, content in before.items():
            make(top, place, content)
        roots = [root(Side.NEEDLES, top)]
        first = Walk(roots[0], rules, roots, frozenset()).run()
        for place, content in changes.items():
            make(top, place, content)
        second = Walk(roots[0], rules, roots, frozenset(), before=first.entries).run()
        assert Walk(roots[0], rules, roots, frozenset()).run() == second


def test_a_folder_that_is_as_it_was_is_not_sifted_again(tree: TreeBuilder) -> None:
    """The very same values come back; what lies beside subfolders, or was changed, is listed anew."""
    top = tree("n", {"a/1": b"1", "a/2": b"2", "b/1": b"1", "c/1": b"1", "c/s/1": b"1", "d/1": b"1"})
    roots = [root(Side.NEEDLES, top)]
    first = Walk(roots[0], RULES, roots, frozenset()).run()
    (top / "b/1").write_bytes(b"22")
    second = Walk(roots[0], RULES, roots, frozenset(), before=first.entries).run()
    pairs = zip(first.entries, second.entries, strict=True)
    assert [True, True, False, False, True, True] == [one is other for one, other in pairs]


def test_what_an_earlier_walk_knows_of_another_folder(tree: TreeBuilder) -> None:
    """Files by other names, and what stands where a root was, are seen however little else has changed."""
    top = tree("n", {"a": b"1", "b": b"1", "c": b"1"})
    roots = [root(Side.NEEDLES, top)]
    plain = Walk(roots[0], RULES, roots, frozenset()).run()
    named = [plain.entries[0], plain.entries[1]._replace(path=str(top / "x")), plain.entries[2]]
    assert plain == Walk(roots[0], RULES, roots, frozenset(), before=named).run()
    moved = [replace(roots[0], identity=(1, 1))]
    found = Walk(moved[0], RULES, moved, frozenset(), before=plain.entries).run()
    assert ([], 1) == (found.entries, len(found.problems))


def test_which_files_need_a_closer_look(tree: TreeBuilder) -> None:
    """What is gone, what changed in any way, and what is no file; nobody else."""
    top = tree("h", dict.fromkeys("abcdef", b"1"))
    (top / "link").symlink_to("a")
    names = [*"abcdef", "link"]
    entries = [entry_of(str(top / name), os.lstat(top / name)) for name in names]
    (top / "b").unlink()
    (top / "c").write_bytes(b"22")
    os.utime(top / "d", ns=(1, 1))
    entries[4] = without_inode(entries[4])
    entries[5] = entries[5]._replace(ctime_ns=1)
    handle = open_folder(str(top))
    try:
        doubtful = not_as_listed(entries, names, handle)
    finally:
        os.close(handle)
    assert ["b", "c", "d", "e", "f", "link"] == [os.path.basename(entry.path) for entry in doubtful]


def test_witnesses_are_looked_at_by_themselves_where_links_are_followed(tree: TreeBuilder) -> None:
    """A link among them is no file of its folder, and stands as long as what it leads to."""
    rules = replace(RULES, follow_symlinks=True)
    hay, needles = tree("h", {"a": b"1", "deep/b": b"1"}), tree("n", {"a": b"1"})
    (hay / "link").symlink_to("deep/b")
    roots = [root(Side.HAYSTACK, hay), root(Side.NEEDLES, needles)]
    trees = walk_all(roots, rules)
    findings = replace(EMPTY, matches={str(needles / "a"): Match(str(hay / "link"), Evidence.IDENTICAL, None)})
    assert findings is final_check(folders(roots), *trees, findings, Listing(roots, rules))[2]
    (hay / "deep/b").write_bytes(b"22")
    assert {} == final_check(folders(roots), *trees, findings, Listing(roots, rules))[2].matches
