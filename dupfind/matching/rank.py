"""The one rank of witnesses: by grade, then distance, then resolution, then path; pure."""

from __future__ import annotations

from dupfind.values import Evidence, grade_rank

Rank = tuple[int, int, int, str]
"""The better witness sorts first."""


def witness_rank(grade: Evidence | None, distance_bits: int, size_pixels: int, path: str) -> Rank:
    """Rank a haystack picture as a witness of one needle.

    >>> witness_rank(Evidence.SAME, 4, 100, "b") < witness_rank(Evidence.SIMILAR, 0, 900, "a")
    True
    >>> witness_rank(Evidence.SAME, 4, 900, "b") < witness_rank(Evidence.SAME, 4, 100, "a")
    True
    """
    return grade_rank(grade), distance_bits, -size_pixels, path
