"""What a pair is, from its two proofs: the weaker one counts."""

from __future__ import annotations

import pytest

from dupfind.answers.comparison import Compared, Comparison, Comparisons, Proof
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import Evidence, ScanSettings

FILE = Compared("a.jpg", 1, None, {})
SETTINGS = ScanSettings((), (), "phash", 10, Evidence.SAME, rotations=True)
ONE, OTHER = Reason(ReasonCode.MIRRORED), Reason(ReasonCode.SHIFTED)
GRADES = [Evidence.IDENTICAL, Evidence.SAME, Evidence.SIMILAR, None]


@pytest.mark.parametrize("one", GRADES)
@pytest.mark.parametrize("other", GRADES)
def test_the_weaker_proof_is_the_grade(one: Evidence | None, other: Evidence | None) -> None:
    """Whichever way it is."""
    pair = Comparison(FILE, FILE, Proof(one, ONE), Proof(other, OTHER))
    weaker = max(one, other, key=GRADES.index)
    assert weaker is pair.evidence
    assert pair.reason == (ONE if weaker is one else OTHER)
    expected = [grade for grade in Evidence if weaker is not None and weaker.rank <= grade.rank]
    assert expected == [grade for grade in Evidence if pair.is_accepted(grade)]


def test_scores() -> None:
    """By the distance of one algorithm; identical bytes need none, and without pictures there is none."""
    near = Proof(Evidence.SAME, None, distances_bits={"phash": 16, "dhash": 0})
    assert (0.75, 1.0) == tuple(Comparison(FILE, FILE, near, near).score(one) for one in ("phash", "dhash"))
    same, nothing = Proof(Evidence.IDENTICAL, None), Proof(None, None)
    assert (1.0, None) == tuple(Comparison(FILE, FILE, one, one).score("phash") for one in (same, nothing))


def test_all_pairs_count() -> None:
    """One that is not accepted, or has no answer, is enough."""
    same, similar = Proof(Evidence.SAME, None), Proof(Evidence.SIMILAR, ONE)
    good, bad = Comparison(FILE, FILE, same, same), Comparison(FILE, FILE, same, similar)
    lost = Comparison(FILE, FILE, Proof(None, None), Proof(None, None), error="a.jpg: broken")

    def facts(*pairs: Comparison) -> tuple[bool, bool]:
        found = Comparisons("1.0", SETTINGS, (), pairs, ())
        return found.are_accepted, found.is_answered

    assert [(True, True), (False, True), (False, False)] == [facts(good, good), facts(good, bad), facts(good, lost)]
