"""Claims: of needles that differ and have one witness one survives, whatever their order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dupfind.evidence.conflicts import Claim, rejected
from dupfind.reasons import Reason, ReasonCode

UNLIKE = Reason(ReasonCode.UNLIKE)


def is_not(one: int, other: int) -> Reason:
    """One picture is not another; which, stands for the place where they differ."""
    return Reason(ReasonCode.PLACE, ("thumbnail", f"{one} {other}"))


def apart(*pictures: tuple[int, int]) -> Callable[[Claim, Claim], Reason | None]:
    """Says that these pairs of pictures differ, and which."""
    pairs = {frozenset(pair) for pair in pictures}

    def differ(one: Claim, other: Claim) -> Reason | None:
        names = sorted((one.picture, other.picture))
        return is_not(*names) if frozenset(names) in pairs else None

    return differ


def test_one_needle_keeps_its_witness() -> None:
    """Nobody else claims it, so nothing is compared."""
    assert {} == rejected({1: [Claim(0.9, 0, 5, 0)]}, apart((5, 5)))
    assert {} == rejected({}, apart())


def test_the_closest_of_two_that_differ() -> None:
    """It keeps the witness, and the other loses it with the reason."""
    near, far = Claim(0.2, 1, 5, 0), Claim(0.3, 0, 6, 0)
    assert {0: is_not(5, 6)} == rejected({1: [far, near]}, apart((5, 6)))


def test_of_equals_the_first_needle() -> None:
    """The order of the needles decides where nothing else does."""
    assert {4: is_not(5, 6)} == rejected({1: [Claim(0.2, 4, 5, 0), Claim(0.2, 3, 6, 0)]}, apart((5, 6)))


def test_copies_of_one_picture_keep_it_together() -> None:
    """Two needles that do not differ may both be copies of the witness."""
    assert {} == rejected({1: [Claim(0.2, 0, 5, 0), Claim(0.3, 1, 6, 0)]}, apart())


def test_equal_thumbnails_are_not_compared() -> None:
    """They stand and fall together, and a thousand of them cost nothing."""
    compared: list[tuple[Claim, Claim]] = []

    def differ(one: Claim, other: Claim) -> Reason:
        compared.append((one, other))
        return UNLIKE

    many = [Claim(0.2, position, 5, 0) for position in range(100)]
    assert {} == rejected({1: many}, differ)
    assert [] == compared
    refused = rejected({1: [*many, Claim(0.3, 100, 6, 0), Claim(0.3, 101, 6, 0)]}, differ)
    assert {100: UNLIKE, 101: UNLIKE} == refused


def test_one_thumbnail_turned_two_ways_is_two_claims() -> None:
    """What was turned to meet the witness in two ways cannot be one picture both times."""
    one, other = Claim(0.2, 0, 5, 0), Claim(0.3, 1, 5, 2)
    assert {1: is_not(5, 5)} == rejected({1: [one, other]}, apart((5, 5)))


def test_another_witness_is_another_matter() -> None:
    """Needles that differ may each have a witness of their own."""
    assert {} == rejected({1: [Claim(0.2, 0, 5, 0)], 2: [Claim(0.3, 1, 6, 0)]}, apart((5, 6)))


def test_two_copies_of_a_witness_are_one() -> None:
    """Claims to witnesses that may be copies of each other are rivals, whichever of the two comes first."""
    near, far, third = Claim(0.2, 1, 5, 0), Claim(0.3, 0, 6, 0), Claim(0.4, 2, 6, 0)
    claims = {1: [near], 2: [far, third]}
    assert {} == rejected(claims, apart((5, 6)))
    assert {0: is_not(5, 6), 2: is_not(5, 6)} == rejected(claims, apart((5, 6)), {1: [2], 2: [1]})
    assert {} == rejected(claims, apart(), {1: [2], 2: [1]})
    assert {} == rejected({**claims, 3: [Claim(0.1, 9, 7, 0)]}, apart((5, 7)), {1: [2], 2: [1]})


def test_many_copies_stay_affordable() -> None:
    """A claim is compared with a few of the accepted, not with all of them."""
    compared = []
    claims = [Claim(number / 100, number, number, 0) for number in range(60)]
    assert {} == rejected({1: claims}, lambda one, other: compared.append((one, other)))
    assert len(compared) <= 8 * len(claims)


claims_of_one = st.lists(
    st.tuples(st.sampled_from([0.1, 0.2, 0.3]), st.integers(0, 5), st.sampled_from([0, 2])), min_size=1, max_size=8
)
pairs_apart = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=10)


@given(claims_of_one, pairs_apart, st.randoms(use_true_random=False))
def test_against_every_pair(parts: list[tuple[float, int, int]], pairs: list[tuple[int, int]], order: Random) -> None:
    """Survivors agree, the closest is one, whatever fell differs from one that is closer; in any order."""
    claims = [Claim(closeness, number, picture, turn) for number, (closeness, picture, turn) in enumerate(parts)]
    differ = apart(*((one, other) for one, other in pairs if one != other))
    refused = rejected({7: claims}, differ)
    kept = [claim for claim in claims if claim.position not in refused]
    assert min(claims) in kept
    assert all(differ(one, other) is None for one in kept for other in kept)
    for claim in claims:
        if claim.position in refused:
            assert refused[claim.position] in {differ(one, claim) for one in kept if one < claim}
    order.shuffle(claims)
    assert refused == rejected({7: claims}, differ)
