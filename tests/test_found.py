"""The answer of find as values: what is seen, and what that rests on."""

from __future__ import annotations

from dupfind.answers.find import FindResult, NearFile, Sought
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import Evidence, ScanSettings

SETTINGS = ScanSettings(("h",), (), "phash", 10, Evidence.SAME, rotations=True)
WITNESS = NearFile("h/a", Evidence.SAME, 16, None, is_witness=True)
COPY = NearFile("h/b", Evidence.IDENTICAL, None, None, is_witness=True)
OTHER = NearFile("h/c", Evidence.SIMILAR, 32, Reason(ReasonCode.SHAPE), is_witness=False)


def test_seen_is_what_has_a_witness() -> None:
    """And an answer where all are."""
    seen, unseen = Sought("x", [COPY, WITNESS, OTHER]), Sought("y", [OTHER])
    assert (True, [COPY, WITNESS]) == (seen.is_seen, seen.witnesses)
    assert (False, []) == (unseen.is_seen, unseen.witnesses)
    assert FindResult("1", SETTINGS, 5, [seen], 3, 3, []).are_all_seen
    assert not FindResult("1", SETTINGS, 5, [seen, unseen], 3, 3, []).are_all_seen


def test_the_score() -> None:
    """Of the 64 bits, those that are equal."""
    assert [0.75, 1.0, 0.5] == [one.score for one in (WITNESS, COPY, OTHER)]
