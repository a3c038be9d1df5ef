"""What a pair is, from its two proofs: the weaker one counts."""

from __future__ import annotations

import pytest

from dupfind.answers.compare import Compared, Comparison, Comparisons, Proof
from dupfind.reasons import Reason, ReasonCode
from dupfind.values import Evidence, ScanSettings

FILE, FILE_TOO = Compared("a.jpg", 1, None, {}), Compared("b.jpg", 1, None, {})
SETTINGS = ScanSettings((), (), "phash", 10, Evidence.SAME, rotations=True)
ONE, OTHER = Reason(ReasonCode.MIRRORED), Reason(ReasonCode.SHIFTED)
GRADES = [Evidence.IDENTICAL, Evidence.SAME, Evidence.SIMILAR, None]


@pytest.mark.parametrize("one", GRADES)
@pytest.mark.parametrize("other", GRADES)
def test_the_weaker_proof_is_the_grade(one: Evidence | None, other: Evidence | None) -> None:
    """Whichever way it is; but one that proves the other is the better copy of one picture, and that is accepted."""
    pair = Comparison(FILE, FILE_TOO, Proof(one, ONE), Proof(other, OTHER))
    weaker = max(one, other, key=GRADES.index)
    assert weaker is pair.evidence
    assert pair.reason == (ONE if weaker is one else OTHER)
    proves = [grade in (Evidence.IDENTICAL, Evidence.SAME) for grade in (one, other)]
    better = {(True, False): pair.other, (False, True): pair.first}.get((proves[0], proves[1]))
    assert better is pair.better
    grade_ = weaker if better is None else Evidence.SAME
    expected = [grade for grade in Evidence if grade_ is not None and grade_.rank <= grade.rank]
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
    good, bad = Comparison(FILE, FILE, same, same), Comparison(FILE, FILE, similar, similar)
    lost = Comparison(FILE, FILE, Proof(None, None), Proof(None, None), error="a.jpg: broken")

    def facts(*pairs: Comparison) -> tuple[bool, bool]:
        found = Comparisons("1.0", SETTINGS, (), pairs, ())
        return found.are_accepted, found.is_answered

    assert [(True, True), (False, True), (False, False)] == [facts(good, good), facts(good, bad), facts(good, lost)]


def test_what_can_go() -> None:
    """The other one, where the first proves it; never the better copy, nor what could not be compared."""
    same, similar = Proof(Evidence.SAME, None), Proof(Evidence.SIMILAR, ONE)

    def can_go(*proofs: Proof, error: str | None = None) -> list[bool]:
        pair = Comparison(FILE, FILE_TOO, *proofs, error=error)
        return [pair.can_go(grade) for grade in Evidence]

    assert [False, True, True] == can_go(similar, same)
    assert [False, False, True] == can_go(same, similar)
    assert [False, False, False] == can_go(same, same, error="broken")


@pytest.mark.parametrize("code", [ReasonCode.FRAGMENT, ReasonCode.RE_ENCODED_FILM, ReasonCode.FILM_PART])
def test_what_is_never_proved(code: ReasonCode) -> None:
    """A part of a picture and a film that only looks alike: neither is accepted nor can go, whatever is asked for."""
    alike = Proof(Evidence.SIMILAR, Reason(code))
    pair = Comparison(FILE, FILE_TOO, alike, alike)
    assert not any(pair.is_accepted(grade) or pair.can_go(grade) for grade in Evidence)
