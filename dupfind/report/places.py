"""The part that two pictures have in common, and words for where it lies: the middle half, all, a small part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dupfind.reasons import Fact, Reason

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in percent of a picture's width and height."""

_WHOLE = 0.9
"""Share of a side from which on it counts as whole."""
_SHARES = (
    (0.15, "tenth"),
    (0.225, "fifth"),
    (0.29, "quarter"),
    (0.415, "third"),
    (0.58, "half"),
    (0.71, "two thirds"),
    (0.81, "three quarters"),
)
"""Below which share of a picture a part is called what."""
_SMALL = 0.07
_MIDDLE = 0.08
"""How far from the middle of a side the middle of a part may be, as a share of the side, to be called the middle."""


def place(box: Box) -> str:
    """Say which part of a picture a box is.

    >>> place((25, 0, 75, 100)), place((0, 0, 50, 50)), place((0, 0, 100, 97)), place((40, 80, 60, 95))
    ('the middle half', 'the top left quarter', 'all', 'a small part at the bottom')
    """
    left, top, right, bottom = box
    across, down = (right - left) / 100, (bottom - top) / 100
    if across >= _WHOLE and down >= _WHOLE:
        return "all"
    where = f"{_edge(top, bottom, 'top', 'bottom')} {_edge(left, right, 'left', 'right')}".strip()
    if across * down < _SMALL:
        return f"a small part {f'at the {where}' if where else 'in the middle'}"
    share = next((share for most, share in _SHARES if across * down < most), None)
    return "nearly all" if share is None else f"the {where or 'middle'} {share}"


def _edge(low: int, high: int, near: str, far: str) -> str:
    """Name the edge that a stretch of a side, in percent, lies nearer to; nothing where it is in the middle, or all."""
    off = (low + high) / 200 - 0.5
    if (high - low) / 100 >= _WHOLE or abs(off) <= _MIDDLE:
        return ""
    return near if off < 0 else far


class Parts(NamedTuple):
    """What the reason of a fragment says."""

    ours: Box
    """Where the part lies in the needle."""
    theirs: Box
    """Where it lies in the witness."""
    alike_percent: int
    degrees: int
    """By how much the needle is turned, clockwise."""
    more: tuple[tuple[str, Box], ...]
    """Paths of further pictures that the needle shows, and where."""

    @property
    def is_whole(self) -> bool:
        """Tell whether each of the two shows all that the other shows, as far as that is there."""
        return place(self.ours) == place(self.theirs) == "all"


def parts_of(facts: Sequence[Fact]) -> Parts:
    """Read the facts of the reason of a fragment. Raises ``ValueError`` for others.

    >>> parts_of((0, 0, 100, 100, 25, 0, 75, 100, 98, 0)).theirs
    (25, 0, 75, 100)
    """
    *numbers, alike_percent, degrees = [int(fact) for fact in facts if isinstance(fact, int | float)]
    further = [fact.facts for fact in facts if isinstance(fact, Reason)]
    more = tuple((str(path), box_of(box)) for path, *box in further)
    return Parts(box_of(numbers), box_of(numbers[4:]), alike_percent, degrees, more)


def box_of(facts: Sequence[Fact]) -> Box:
    """Read a box from the first four of these facts. Raises ``ValueError`` where they are fewer."""
    left, top, right, bottom = [int(fact) for fact in facts[:4] if isinstance(fact, int | float)]
    return left, top, right, bottom
