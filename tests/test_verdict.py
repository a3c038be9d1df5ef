"""Verdicts: where "contained" is said. Each rule has its test, and random trees are judged again the slow way."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.reasons import Reason, ReasonCode
from dupfind.report.reasons import sentences
from dupfind.scanning.verdict import judge_file, judge_folders
from dupfind.values import (
    SECOND_LOOK,
    Evidence,
    Failure,
    FileEntry,
    FileState,
    FileVerdict,
    FolderState,
    FolderVerdict,
    Kind,
    Match,
    Problem,
    Root,
    Side,
)

IDENTICAL, SAME, SIMILAR = Evidence
PRESENT, ALIKE, MISSING, UNREADABLE, UNWANTED, EMPTY = FileState
LETTERS = {"p": PRESENT, "s": ALIKE, "m": MISSING, "u": UNREADABLE}
ENTRY = FileEntry("/real/a", 123, 0, 0, 0)
BROKEN = Failure("truncated")
CROPPED = Reason(ReasonCode.SHAPE)
NO_PICTURE = Failure("not a picture", is_image=False)


def judge(
    path: str = "n/a.jpg",
    match: Match | None = None,
    failure: Failure | None = None,
    accept: Evidence = SAME,
    *,
    has_picture: bool = False,
) -> tuple[str, str, str | None]:
    """Kind, state and reason of a file."""
    found = judge_file(path, ENTRY, match, failure, accept, has_picture=has_picture)
    assert (path, 123) == (found.path, found.size_bytes)
    return found.kind.value, found.state.value, sentences(found.reasons)


def root(path: str, side: Side = Side.NEEDLES) -> Root:
    """A root as it was given; where it really is matters to nobody here."""
    return Root(side, path, "/real", (1, 2))


def gap(path: str) -> Problem:
    """Something among the needles that was skipped."""
    return Problem(path, Side.NEEDLES, "walk", "symbolic link: not followed")


def verdict(path: str, state: FileState, size_bytes: int = 1) -> FileVerdict:
    """The verdict on a file."""
    return FileVerdict(path, Kind.IMAGE, state, size_bytes, None, None, None)


def fold(
    files: Mapping[str, str], problems: Iterable[Problem] = (), roots: tuple[str, ...] = ("n",)
) -> dict[str, FolderVerdict]:
    """The folders of files whose states are given by their first letters, by path."""
    verdicts = [verdict(path, LETTERS[letter]) for path, letter in files.items()]
    found = judge_folders(verdicts, problems, [root(one) for one in roots] + [root("hay", Side.HAYSTACK)])
    assert sorted(one.path for one in found) == [one.path for one in found]
    return {one.path: one for one in found}


def states(files: Mapping[str, str], gaps: Iterable[str] = (), roots: tuple[str, ...] = ("n",)) -> dict[str, str]:
    """The states of the folders."""
    return {path: one.state.value for path, one in fold(files, [gap(one) for one in gaps], roots).items()}


def shown(files: Mapping[str, str], gaps: Iterable[str] = ()) -> list[str]:
    """The folders that a table names."""
    return [path for path, one in fold(files, [gap(one) for one in gaps]).items() if one.is_shown]


@pytest.mark.parametrize(
    ("evidence", "accept", "state"),
    [(one, accept, "present" if index <= bound else "similar")
     for index, one in enumerate(Evidence) for bound, accept in enumerate(Evidence)],
)  # fmt: skip
def test_evidence_that_reaches_accept_makes_present(evidence: Evidence, accept: Evidence, state: str) -> None:
    """At least --accept: present; any weaker evidence: similar, and never missing."""
    assert ("image", state, None) == judge(match=Match("hay/w", evidence, 3), accept=accept)


def test_a_verdict_names_its_witness() -> None:
    """Evidence, witness, distance and reason go into the verdict as they were found."""
    found = judge_file("n/a.jpg", ENTRY, Match("hay/w", SIMILAR, 5, CROPPED), None, SAME, has_picture=True)
    assert (SIMILAR, "hay/w", 5, (CROPPED,)) == (found.evidence, found.witness, found.distance_bits, found.reasons)


def test_no_evidence_is_missing() -> None:
    """A picture that was decoded and is like nothing is missing."""
    assert ("image", "missing", None) == judge(has_picture=True)
    assert ("image", "missing", None) == judge("n/no_suffix", has_picture=True)


def test_a_note_is_said_of_what_is_missing_only() -> None:
    """What a damaged picture resembles; a match and a failure have reasons of their own."""
    note = Reason(ReasonCode.LOOKS_MOST_LIKE, ("cut", "hay/w"))

    def reasons(match: Match | None, failure: Failure | None) -> tuple[str, tuple[Reason, ...]]:
        found = judge_file("n/a.jpg", ENTRY, match, failure, SAME, has_picture=failure is None, note=note)
        return found.state.value, found.reasons

    assert ("missing", (note,)) == reasons(None, None)
    assert ("similar", (CROPPED,)) == reasons(Match("hay/w", SIMILAR, 5, CROPPED), None)
    assert ("present", ()) == reasons(Match("hay/w", SAME, 5), None)
    assert ("unreadable", (Reason(ReasonCode.UNREADABLE, ("truncated",)),)) == reasons(None, BROKEN)
    busy = Failure("busy", lasting=False, stage=SECOND_LOOK)
    assert ("missing", (Reason(ReasonCode.NOT_READ, ("busy",)),)) == reasons(None, busy)


@pytest.mark.parametrize(
    ("path", "failure", "expected"),
    [
        ("n/a.jpg", BROKEN, ("image", "unreadable", "truncated")),
        ("n/no_suffix", BROKEN, ("image", "unreadable", "truncated")),
        ("n/a.jpg", NO_PICTURE, ("image", "unreadable", "not a picture")),
        ("n/a.txt", NO_PICTURE, ("other", "missing", None)),
        ("n/a.txt", None, ("other", "missing", None)),
        (
            "n/a.txt",
            Failure("changed while it was read", is_image=False, lasting=False),
            ("other", "missing", "changed while it was read"),
        ),
    ],
)
def test_unreadable_is_a_picture_that_failed(
    path: str, failure: Failure | None, expected: tuple[str, str, str | None]
) -> None:
    """A picture by name or by content that could not be decoded is unreadable; another file is missing."""
    assert expected == judge(path, failure=failure)


def test_identical_bytes_prove_what_cannot_be_decoded() -> None:
    """Evidence counts before failure: a broken picture whose bytes are in the haystack is present."""
    assert ("image", "present", None) == judge(match=Match("hay/w", IDENTICAL, None), failure=BROKEN)
    assert ("other", "present", None) == judge("n/a.txt", Match("hay/w", IDENTICAL, None))


@pytest.mark.parametrize(
    ("letters", "state"),
    [
        ("p", "contained"), ("pp", "contained"), ("s", "review"), ("ps", "review"), ("ss", "review"),
        ("m", "missing"), ("u", "missing"), ("mu", "missing"),
        ("pm", "partial"), ("pu", "partial"), ("sm", "partial"), ("su", "partial"), ("psmu", "partial"),
    ],
)  # fmt: skip
def test_a_folder_by_its_files(letters: str, state: str) -> None:
    """All present: contained; none present or similar: missing; none worse than similar: review; else partial."""
    assert {"n": state} == states({f"n/{at}": letter for at, letter in enumerate(letters)})
    nested = states({f"n/{at}/f": letter for at, letter in enumerate(letters)})
    assert state == nested["n"]


@pytest.mark.parametrize("letters", ["p", "s", "ps"])
@pytest.mark.parametrize("where", ["n/link", "n/sub/link", "n/sub/deep/link"])
def test_a_gap_anywhere_below_prevents_contained(letters: str, where: str) -> None:
    """A thing that was skipped keeps every folder around it from contained and from review, and no other."""
    files = {f"n/{folder}{at}": one for folder in ("", "sub/", "sub/deep/", "z/") for at, one in enumerate(letters)}
    found = states(files, [where])
    around = {folder for folder in found if where.startswith(folder + "/")}
    assert {"partial"} == {found[folder] for folder in around}
    assert {"contained" if letters == "p" else "review"} == {found[folder] for folder in set(found) - around}


def test_a_root_that_could_not_be_read_is_a_gap() -> None:
    """The root itself may be what was skipped."""
    assert ({"n": "missing"}, {"n": "partial"}) == (states({}, ["n"]), states({"n/a": "p"}, ["n"]))


def test_a_root_by_a_link_inside_another_root_does_not_hide_the_gap() -> None:
    """The link was skipped in the outer root although the same path is a root of its own."""
    found = states({"n/a": "p", "n/sub/link/b": "p", "n/z/c": "p"}, ["n/sub/link"], ("n", "n/sub/link"))
    assert {"n": "partial", "n/sub": "missing", "n/sub/link": "partial", "n/z": "contained"} == found
    assert {"n": "contained", "n2": "partial"} == states({"n/a": "p", "n2/a": "p"}, ["n2"], ("n", "n2"))


def test_a_haystack_inside_the_needles_is_no_folder_of_theirs() -> None:
    """What was left out because it is a haystack is a gap in the folder around it."""
    found = judge_folders([verdict("n/a", PRESENT)], [gap("n/hay")], [root("n/hay", Side.HAYSTACK), root("n")])
    assert [("n", FolderState.PARTIAL)] == [(one.path, one.state) for one in found]


def test_notes_and_later_problems_are_no_gaps() -> None:
    """What happened to a file is in its verdict, and the haystack's problems concern no needle folder."""
    one = gap("n/x")
    harmless = [one._replace(stage="thumbnail"), one._replace(is_note=True), one._replace(side=Side.HAYSTACK)]
    found = fold({"n/a": "p"}, harmless)
    assert {"n": (FolderState.CONTAINED, 0)} == {path: (one.state, one.skipped) for path, one in found.items()}


def test_a_folder_with_only_a_gap_is_reported() -> None:
    """A folder without files that hides something is there to see, and not contained."""
    found = fold({"n/a": "p"}, [gap("n/sub/deep/link"), gap("n/sub/deep/link2")])
    assert ["n", "n/sub", "n/sub/deep"] == list(found)
    deep = found["n/sub/deep"]
    assert (FolderState.MISSING, 0, 2, True) == (deep.state, deep.files, deep.skipped, found["n/sub"].is_shown)
    assert (FolderState.PARTIAL, 2) == (found["n"].state, found["n"].skipped)


def test_empty_folders_are_not_reported() -> None:
    """A needles root without any file or gap has no verdict; folders above the root have none either."""
    assert {} == fold({})
    assert {"x/n", "x/n/b"} == set(fold({"x/n/b/f": "p"}, roots=("x/n", "m")))


def test_folders_of_one_name_do_not_mix() -> None:
    """A folder is its whole path: equal last names, equal beginnings and equal names under two roots stay apart."""
    files = {"n/x/DCIM/1": "p", "n/y/DCIM/1": "m", "m/x/DCIM/1": "s", "n/x2/1": "p", "n/x/DCIM2/1": "u"}
    found = states(files, roots=("n", "m"))
    assert {
        "n": "partial", "n/x": "partial", "n/x/DCIM": "contained", "n/x/DCIM2": "missing", "n/x2": "contained",
        "n/y": "missing", "n/y/DCIM": "missing", "m": "review", "m/x": "review", "m/x/DCIM": "review",
    } == found  # fmt: skip


@pytest.mark.parametrize("given_root", [".", "/", "..", "/mnt", "a/../n", "-n"])
def test_spellings_of_roots(given_root: str) -> None:
    """Folders begin with the root as it was given, whatever it is."""
    prefix = given_root.rstrip("/") + "/"
    found = states({prefix + "a": "p", prefix + "b/c": "m"}, [prefix + "d/link"], (given_root,))
    assert {given_root: "partial", prefix + "b": "missing", prefix + "d": "missing"} == found


def test_counts_and_bytes_cover_the_subtree() -> None:
    """Each folder counts every file below it; bytes are those of everything that is not present."""
    files = [
        verdict("n/a", PRESENT, 1), verdict("n/b", ALIKE, 10), verdict("n/s/c", MISSING, 100),
        verdict("n/s/t/d", UNREADABLE, 1000), verdict("n/s/t/e", PRESENT, 10000),
    ]  # fmt: skip
    found = judge_folders(files, [gap("n/s/t/l")], [root("n")])
    counts = {
        one.path: (one.present, one.similar, one.missing, one.unreadable, one.skipped, one.bytes_not_present)
        for one in found
    }
    assert {"n": (2, 1, 1, 1, 1, 1110), "n/s": (1, 0, 1, 1, 1, 1100), "n/s/t": (1, 0, 0, 1, 1, 1000)} == counts


def test_shown_is_the_top_of_a_uniform_subtree() -> None:
    """Where a whole subtree shares its verdict, only its top-most folder is named."""
    assert ["n"] == shown({"n/a/1": "p", "n/a/b/2": "p", "n/c/3": "p"})
    assert ["n/a", "n/c"] == shown({"n/a/1": "p", "n/a/b/2": "p", "n/c/3": "m", "n/c/d/4": "u"})


def test_a_mixed_folder_is_shown_for_its_own_doubt_only() -> None:
    """A folder of mixed subfolders is named when it holds a doubt itself, else its subfolders say it all."""
    mixed = {"n/a/1": "p", "n/c/3": "m"}
    assert ["n/a", "n/c"] == shown(mixed | {"n/fine": "p"})
    for letter in "smu":
        assert ["n", "n/a", "n/c"] == shown(mixed | {"n/doubt": letter})
    assert ["n", "n/a", "n/c"] == shown(mixed, ["n/link"])
    assert ["n/a", "n/c"] == shown(mixed, ["n/c/link"])


NAMES = st.sampled_from(["a", "b", "a b", "ab"])
PATHS = st.builds(
    lambda top, folders, name: "/".join([top, *folders, name]),
    st.sampled_from(["n", "n2", "x/n"]), st.lists(NAMES, max_size=3), st.sampled_from(["1", "2", "3"]),
)  # fmt: skip
SIZED = st.tuples(st.sampled_from([PRESENT, PRESENT, PRESENT, *FileState]), st.integers(0, 9))


def below(folder: str, paths: Iterable[str]) -> list[str]:
    """Those of ``paths`` anywhere below the folder."""
    return [path for path in paths if path.startswith(folder + "/")]


def slow_state(found: list[FileState], *, has_gap: bool) -> FolderState:
    """The four sentences of the contract; what is unwanted or empty is no more in question than what is present."""
    if found and all(one in (PRESENT, UNWANTED, EMPTY) for one in found) and not has_gap:
        return FolderState.CONTAINED
    if not any(one in (PRESENT, ALIKE) for one in found):
        return FolderState.MISSING
    return FolderState.PARTIAL if has_gap or {MISSING, UNREADABLE} & set(found) else FolderState.REVIEW


@given(st.dictionaries(PATHS, SIZED, max_size=12), st.lists(PATHS, max_size=2))
def test_random_trees(files: dict[str, tuple[FileState, int]], gaps: list[str]) -> None:
    """Every folder is what looking at all that lies below it says, and no doubt goes unnamed."""
    gaps = [path + ".link" for path in gaps]
    files = {path: (state, 0 if state is EMPTY else size) for path, (state, size) in files.items()}
    verdicts = [verdict(path, *one) for path, one in files.items()]
    decided = {path for path, (state, size) in files.items() if state is UNWANTED or (state is PRESENT and size == 9)}
    judged = judge_folders(verdicts, [gap(path) for path in gaps], [root(one) for one in ("n", "n2", "x/n")], decided)
    found = {one.path: one for one in judged}
    doubts = [path for path, (state, _) in files.items() if state not in (PRESENT, UNWANTED, EMPTY)] + gaps
    parents = {os.path.dirname(path) for path in [*files, *gaps]}
    around = {parent[:at] for parent in parents for at in range(1, len(parent) + 1) if (parent + "/")[at] == "/"}
    assert sorted(around - {"x"}) == [one.path for one in judged]
    uniform = {up for up in found if all(found[path].state is found[up].state for path in below(up, found))}
    for path, one in found.items():
        inside, skipped = [files[name] for name in below(path, files)], below(path, gaps)
        state = slow_state([state for state, _ in inside], has_gap=bool(skipped))
        size_bytes = sum(size for state, size in inside if state not in (PRESENT, UNWANTED))
        *counts, unwanted, empty = (sum(state is which for state, _ in inside) for which in FileState)
        words = unwanted, len(decided.intersection(below(path, files))), unwanted, empty
        if path in uniform:
            is_shown = not any(below(up, [path]) for up in uniform)
        else:
            is_shown = any(os.path.dirname(name) == path for name in doubts)
        assert FolderVerdict(path, state, *counts, len(skipped), size_bytes, is_shown, *words) == one
        assert not (one.state is FolderState.CONTAINED and below(path, doubts))
    named = [path for path, one in found.items() if one.is_shown and one.state is not FolderState.CONTAINED]
    assert all(any(below(folder, [doubt]) for folder in named) for doubt in doubts)


def test_what_falls_at_the_second_look_is_missing() -> None:
    """It need not be the needle's fault, so it is not called unreadable; the reason is told, of a document too."""
    failure = Failure("its witness could not be read again: x", is_image=False, lasting=False, stage=SECOND_LOOK)
    assert ("image", "missing", failure.reason) == judge(failure=failure, has_picture=True)
    assert ("image", "missing", failure.reason) == judge(failure=failure)
    assert ("other", "missing", failure.reason) == judge("n/a.mov", failure=failure)
