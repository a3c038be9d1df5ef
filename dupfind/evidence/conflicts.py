"""One photo cannot be two: of needles that differ among themselves and have one witness, only one is proved by it.

Two frames of a burst may both be as good as the same as a third, of which alone the haystack has a copy, or as a copy
without its capture time. Which of them it is a copy of is then open, and the nearest counts. Two witnesses that may be
copies of one picture count as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from dupfind.reasons import Reason

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


Differ = Callable[[Claim, Claim], Reason | None]
"""Why two needles cannot both be copies of one picture; None where nothing speaks against it."""


def rejected(
    claims: Mapping[int, Iterable[Claim]], differ: Differ, copies: Mapping[int, Sequence[int]] | None = None
) -> dict[int, Reason]:
    """Return the needles, by position, that lose their witness to another needle, and why; ``claims`` is by witness.

    ``copies`` names for each witness the other witnesses that may be copies of it.
    """
    refused: dict[int, Reason] = {}
    accepted: dict[int, list[Claim]] = {witness: [] for witness in claims}
    for claim, witness in sorted((claim, witness) for witness, claimed in claims.items() for claim in claimed):
        own = accepted[witness]
        if any((accepted_claim.picture, accepted_claim.orientation) == claim[2:] for accepted_claim in own):
            continue
        rivals = [own, *(accepted[copy] for copy in (copies or {}).get(witness, ()))]
        earlier = (accepted_claim for claimed in rivals for accepted_claim in claimed[:_MOST_COMPARED])
        reason = next((why for why in (differ(accepted_claim, claim) for accepted_claim in earlier) if why), None)
        if reason is None:
            own.append(claim)
        else:
            refused[claim.position] = reason
    return refused
