"""What was found of needles to verdicts on them, and which of these rest on the word of a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.answers.decisions import Decision, Mark, Ruling
from dupfind.answers.findings import Findings, Remains
from dupfind.reasons import Reason, ReasonCode
from dupfind.report.reasons import sentences
from dupfind.scanning.needle_verdicts import judge_files, needle_judge, words_of
from dupfind.values import Evidence, Failure, FileEntry, FileVerdict, Match, Root, Side, Tree

MARK = Mark(b"", 1, "")
SAME = Decision(Ruling.SAME, MARK, MARK, Evidence.SIMILAR, 4, "2026-11-21T12:00:00Z")
UNWANTED = SAME._replace(ruling=Ruling.NOT_WANTED, witness=None)
ENTRY = FileEntry("/real/n/a.jpg", 5, 0, 0, 0)
MATCH = Match("/real/h/b.jpg", Evidence.SIMILAR, 4, Reason(ReasonCode.MIRRORED))


def verdict(match: Match | None, word: Decision | None, failure: Failure | None = None) -> FileVerdict:
    """The verdict on one needle."""
    found = Findings(
        {ENTRY.path: match} if match else {},
        {ENTRY.path: failure} if failure else {},
        frozenset([ENTRY.path]),
        None,
        words={ENTRY.path: word} if word else {},
    )
    return needle_judge(found, Evidence.SAME, lambda path: path.replace("/real/", ""))("n/a.jpg", ENTRY)


def test_without_a_word() -> None:
    """The evidence decides."""
    found = verdict(MATCH, None)
    assert ("similar", "h/b.jpg", (MATCH.reason,)) == (found.state, found.witness, found.reasons)


def test_the_word_of_a_person() -> None:
    """Makes a needle present, of which the evidence stays what it is; or unwanted, whatever is known of it."""
    found = verdict(MATCH, SAME)
    assert ("present", "similar", "h/b.jpg", 4) == (found.state, found.evidence, found.witness, found.distance_bits)
    for match, failure in ((MATCH, None), (None, None), (None, Failure("cannot be decoded"))):
        found = verdict(match, UNWANTED, failure)
        assert ("unwanted", "not wanted on your word, 2026-11-21") == (found.state, sentences(found.reasons))
        assert found.witness == (match and "h/b.jpg")


def test_words_by_the_names_that_are_reported() -> None:
    """Of the needles alone."""
    tree = Tree(Root(Side.NEEDLES, "n", "/real/n", (1, 1)), [ENTRY, ENTRY._replace(path="/real/n/b")], [], frozenset())
    found = Findings({}, {}, frozenset(), None, words={ENTRY.path: SAME})
    assert words_of([tree], found) == {"n/a.jpg": SAME}
    assert words_of([tree], Findings({}, {}, frozenset(), None)) == {}


@pytest.mark.parametrize("found", ["a match", "nothing", "a word", "a failure", "remains"])
def test_all_are_judged_as_each_by_itself(found: str) -> None:
    """Also where nothing but a match decides, which takes less time."""
    findings = Findings(
        {ENTRY.path: MATCH} if found == "a match" else {},
        {ENTRY.path: Failure("cannot be decoded")} if found == "a failure" else {},
        frozenset([ENTRY.path]),
        None,
        {ENTRY.path: Remains("cut", None)} if found == "remains" else {},
        words={ENTRY.path: UNWANTED} if found == "a word" else {},
    )
    tree = Tree(Root(Side.NEEDLES, "n", "/real/n", (1, 1)), [ENTRY], [], frozenset())
    judge = needle_judge(findings, Evidence.SAME, str.upper)
    assert [judge("n/a.jpg", ENTRY)] == judge_files(Evidence.SAME, str.upper, [tree], findings)


OFTEN_ALIKE = st.lists(
    st.tuples(
        st.one_of(
            st.none(),
            st.builds(
                Match,
                st.sampled_from(["/real/h/b.jpg", "/real/h/c.png"]),
                st.sampled_from(Evidence),
                st.sampled_from([None, 0, 4]),
                st.sampled_from(
                    [
                        None,
                        Reason(ReasonCode.MIRRORED),
                        Reason(ReasonCode.MORE_COMPRESSED),
                        Reason(ReasonCode.FRAGMENT, (0, 0, 50, 50, 10, 10, 90, 90, 80, 0)),
                    ]
                ),
            ),
        ),
        st.sampled_from([0, 5]),
        st.sampled_from([".jpg", ".JPEG", ".txt", "", "/.jpg", ".tar.gz"]),
        st.booleans(),
        st.sampled_from([1, 1, 3, 300]),
    ),
    max_size=6,
)
"""What is known of some needles, each with how often it comes in a row."""


@given(OFTEN_ALIKE, st.sampled_from(Evidence))
def test_many_are_judged_as_each_by_itself(
    known: list[tuple[Match | None, int, str, bool, int]], accept: Evidence
) -> None:
    """Those that stand next to each other and of which the same is known are judged together."""
    rows = [row for row in known for _ in range(row[-1])]
    entries = [FileEntry(f"/real/n/{place}{row[2]}", row[1], 0, 0, 0) for place, row in enumerate(rows)]
    pairs = list(zip(entries, rows, strict=True))
    findings = Findings(
        {entry.path: row[0] for entry, row in pairs if row[0] is not None},
        {},
        frozenset(entry.path for entry, row in pairs if row[3]),
        None,
    )
    tree = Tree(Root(Side.NEEDLES, "n", "/real/n", (1, 1)), entries, [], frozenset())
    judge = needle_judge(findings, accept, str.upper)
    expected = [judge(tree.root.shown(entry.path), entry) for entry in entries]
    assert expected == judge_files(accept, str.upper, [tree], findings)


ALIKE = Match("/real/h/b.jpg", Evidence.SAME, 2)


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (ALIKE, ALIKE._replace(witness="/real/h/c.jpg", distance_bits=0)),
        (ALIKE, ALIKE._replace(evidence=Evidence.SIMILAR)),
        (ALIKE, ALIKE._replace(evidence=Evidence.IDENTICAL)),
        (ALIKE, ALIKE._replace(reason=Reason(ReasonCode.FRAGMENT, (0, 0, 50, 50, 10, 10, 90, 90, 80, 0)))),
        (ALIKE, None),
        (None, ALIKE),
    ],
)
@pytest.mark.parametrize("size_bytes", [5, 0])
def test_one_among_others(first: Match | None, other: Match | None, size_bytes: int) -> None:
    """It has the verdict that it would have alone, whatever its neighbours have."""
    entries = [FileEntry(f"/real/n/{number}.jpg", 5, 0, 0, 0) for number in range(7)]
    entries[3] = entries[3]._replace(size_bytes=size_bytes)
    found = {entry.path: other if place == 3 else first for place, entry in enumerate(entries)}
    findings = Findings({path: match for path, match in found.items() if match}, {}, frozenset(), None)
    tree = Tree(Root(Side.NEEDLES, "/real/n", "/real/n", (1, 1)), entries, [], frozenset())
    judge = needle_judge(findings, Evidence.SAME, str.upper)
    expected = [judge(entry.path, entry) for entry in entries]
    assert expected == judge_files(Evidence.SAME, str.upper, [tree], findings)


def test_what_is_said_of_needles_that_could_not_be_searched_for() -> None:
    """Of a smooth one nothing is left over; of a damaged one something is."""
    smooth = "it has too little structure to be searched for: each compression gives it another hash"
    for damage, nearest, expected in (
        ("", "/real/h/b.jpg", f"{smooth}; it looks most like h/b.jpg"),
        ("", None, f"{smooth}; nothing in the haystack looks like it"),
        ("cut", "/real/h/b.jpg", "cut; it looks most like h/b.jpg"),
        ("cut", None, "cut; nothing in the haystack looks like what is left of it"),
    ):
        found = Findings({}, {}, frozenset([ENTRY.path]), None, {ENTRY.path: Remains(damage, nearest)})
        judge = needle_judge(found, Evidence.SAME, lambda path: path.replace("/real/", ""))
        verdict = judge("n/a.jpg", ENTRY)
        assert ("missing", expected) == (verdict.state, sentences(verdict.reasons))
