"""One photo cannot be two: of needles that differ among themselves and have one witness, only one is proved by it.

Two frames of a burst may both be as good as the same as a third, of which alone the haystack has a copy, or as a copy
without its capture time. Which of them it is a copy of is then open, and the nearest counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

_MOST_COMPARED = 8
"""Accepted needles that a further one is compared with; copies of one picture, so that one would nearly do."""


class Claim(NamedTuple):
    """One needle that has a witness, the best claim first."""

    closeness: float
    """How near the two are: the worst test on pixels, as a share of its bound."""
    position: int
    """Of the needle among the needles."""
    picture: int
    """The id of its thumbnail."""
    orientation: int
    """How it is turned to meet the witness."""


Differ = Callable[[Claim, Claim], str | None]
"""Why two needles cannot both be copies of one picture; None where nothing speaks against it."""


def rejected(claims: Mapping[int, Iterable[Claim]], differ: Differ) -> dict[int, str]:
    """The needles, by position, whose claim to their witness falls, and why; ``claims`` is by witness."""
    fallen: dict[int, str] = {}
    for of_witness in claims.values():
        accepted: list[Claim] = []
        for claim in sorted(of_witness):
            twins = [other for other in accepted if (other.picture, other.orientation) == claim[2:]]
            others = [] if twins else accepted[:_MOST_COMPARED]
            reason = next((why for why in (differ(other, claim) for other in others) if why), None)
            if reason is None:
                accepted += [] if twins else [claim]
            else:
                fallen[claim.position] = reason
    return fallen
