"""What becomes of decisions when a person decides once more: one word on a needle, and never a contradiction."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dupfind.answers.decisions import Decision, Mark, Ruling, parse, with_decision, without_last
from dupfind.reviewing.decisions_store import as_file
from tests.helpers.decisions import WHEN

NEEDLES = [Mark(bytes([number]) * 32, number, f"n{number}") for number in range(2)]
WITNESSES = [Mark(bytes([number]) * 32, number, f"h{number}") for number in range(2, 4)]


def said(ruling: str, needle: int = 0, witness: int = 0) -> Decision:
    """A decision."""
    seen = None if ruling == "not-wanted" else WITNESSES[witness]
    return Decision(Ruling(ruling), NEEDLES[needle], seen, None, None, WHEN)


SAID = st.builds(said, st.sampled_from(list(Ruling)), st.integers(0, 1), st.integers(0, 1))


def test_the_last_word_holds() -> None:
    """Same, different and not wanted take each other's place; other pairs and other needles keep theirs."""
    same, different, unwanted = said("same"), said("different"), said("not-wanted")
    assert with_decision([same], different) == (different,)
    assert with_decision([different], same) == (same,)
    assert with_decision([same], unwanted) == (unwanted,)
    assert with_decision([unwanted], same) == (same,)
    assert with_decision([different], unwanted) == (different, unwanted)  # it may be wanted again
    other = said("different", witness=1)
    assert with_decision([different], other) == (different, other)
    assert with_decision([different, other], said("same", witness=1)) == (different, said("same", witness=1))
    assert with_decision([said("same", 1)], unwanted) == (said("same", 1), unwanted)


def test_what_is_taken_back() -> None:
    """The last decision on that needle, whatever was decided on others meanwhile."""
    first, second, other = said("different"), said("not-wanted"), said("same", 1)
    assert without_last([first, second, other], NEEDLES[0].digest) == (first, other)
    assert without_last([first, other], NEEDLES[0].digest) == (other,)
    assert without_last([first], NEEDLES[1].digest) == (first,)


@given(st.lists(st.one_of(SAID, st.integers(0, 1)), max_size=12))
def test_it_is_a_file_of_decisions_at_any_time(steps: list[Decision | int]) -> None:
    """That a scan takes: no contradiction, nothing twice; numbers take back."""
    decisions: tuple[Decision, ...] = ()
    for step in steps:
        if isinstance(step, int):
            decisions = without_last(decisions, NEEDLES[step].digest)
        else:
            decisions = with_decision(decisions, step)
            assert decisions[-1] == step
    assert parse(as_file(decisions)) == decisions
