"""What becomes of a list of decisions when a person decides once more, or takes a decision back; pure.

The same rules by which the page of ``--html`` keeps what was decided in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dupfind.answers.decisions import Decision, Ruling


def with_decision(decisions: Sequence[Decision], new: Decision) -> tuple[Decision, ...]:
    """Return the decisions with a ``new`` one in place of those on the same needle, or on the same pair, before it.

    What parts the needle of other files stays: it contradicts nothing.
    """
    needle = new.needle.digest
    left = [earlier for earlier in decisions if earlier.needle.digest != needle or _is_of_another_pair(earlier, new)]
    return (*left, new)


def _is_of_another_pair(earlier: Decision, new: Decision) -> bool:
    if earlier.ruling is not Ruling.DIFFERENT:
        return False
    return new.witness is None or earlier.witness is None or earlier.witness.digest != new.witness.digest


def without_last(decisions: Sequence[Decision], digest: bytes) -> tuple[Decision, ...]:
    """Return the decisions without the last on the needle of this ``digest``; all of them where there is none."""
    for place in range(len(decisions) - 1, -1, -1):
        if decisions[place].needle.digest == digest:
            return (*decisions[:place], *decisions[place + 1 :])
    return tuple(decisions)
