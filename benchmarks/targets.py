"""What is expected of each row of the benchmark, and whether counted grades meet it; pure.

A row gathers edits, or pairs, of which the same is expected. Its bounds are shares of the cases that were graded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from benchmarks.judging import GRADES, MISSING, SAME, SIMILAR, UNREADABLE, Verdict

SMALLER = "smaller"
"""The word that a reason must hold where the haystack has only a smaller copy."""


class Row(NamedTuple):
    """A kind of edit or pair, and what is expected of it."""

    key: str
    title: str
    least_same: float | None = None
    """Smallest share graded `same`."""
    most_same: float | None = None
    least_found: float | None = None
    """Smallest share graded `same` or `similar`."""
    most_found: float | None = None
    says_smaller: bool = False

    @property
    def target(self) -> str:
        """The target in words."""
        parts = []
        if self.least_same is not None:
            parts.append(f"`same` >= {self.least_same:.1%}")
        if self.least_found is not None:
            parts.append("nothing missing" if self.least_found == 1 else f"found >= {self.least_found:.1%}")
        if self.most_same is not None:
            parts.append(f"`same` {'' if self.most_same == 0 else '<= '}{self.most_same * 100:g}%")
        if self.most_found is not None:
            parts.append(f"`similar` {self.most_found * 100:g}%")
        if self.says_smaller:
            parts.append("the reason says so")
        return ", ".join(parts) or "none"

    @property
    def has_target(self) -> bool:
        """False for rows that are only reported."""
        return self.target != "none"

    def is_wrong(self, verdict: Verdict) -> bool:
        """Whether one case is of the kind that the target counts, to be listed among the failures."""
        found = verdict.grade in (SAME, SIMILAR)
        return (
            (self.least_same is not None and verdict.grade != SAME)
            or (self.least_found is not None and not found)
            or (self.most_same is not None and verdict.grade == SAME)
            or (self.most_found is not None and found)
            or (self.says_smaller and verdict.grade == SIMILAR and SMALLER not in verdict.reason)
            or (not self.has_target and verdict.grade == SAME and self.key in _LISTED)
        )


_LISTED = ("small changes", "worse")  # no target, and yet each `same` is one too many

EDIT_ROWS: tuple[Row, ...] = (
    Row("copies", "re-encoded, resized, other format, grey of grey, turned", least_same=0.995, least_found=1),
    Row("edited", "tone, colour, watermark, crop and border up to 2%, turned by 1 degree", least_found=0.995),
    Row("cut", "crop 5%, border 5%, turned by 2 degrees", least_found=0.95, most_same=0),
    Row("half a percent", "0.5% of the area replaced", most_same=0.01),
    Row("two percent", "2% of the area replaced", most_same=0),
    Row("shift", "shifted by 2%", most_same=0),
    Row("damage", "64 damaged bytes that show", most_same=0.005),
    Row("smaller", "the haystack holds only a smaller copy", most_same=0, says_smaller=True),
    Row("worse", "worse witness: coarse, blurred or enlarged"),
    Row("small changes", "smaller changes"),
    Row("others", "coarser, mirrored, stretched, screenshots"),
)
PAIR_ROWS: tuple[Row, ...] = (
    Row("unrelated", "unrelated photos", most_same=0, most_found=0),
    Row("moved", "frames of a static camera in which something moved", most_same=0.01),
    Row("still", "frames of a static camera in which nothing moved"),
    Row("in a group", "resized by 0.95 to 1.05: inside a group", least_same=0.995, least_found=1),
    Row("across groups", "the same: across groups", most_same=0, most_found=0),
    Row("orientations", "one photo in every EXIF orientation, a digit in it changed", most_same=0, least_found=1),
    Row("across orientations", "the same: across the two photos", most_same=0, most_found=0),
    Row("formats", "one picture in JPEG and AVIF", least_same=0.995, least_found=1),
    Row("grey formats", "the same against black-and-white AVIF", most_same=0, least_found=0.995),
    Row("across formats", "odd formats, different pictures", most_same=0),
    Row("documents", "documents and pictures that show too little: others of their class", most_same=0),
    Row("document copies", "the same: their own copies at q75", most_same=0),
)
ROWS = {row.key: row for row in (*EDIT_ROWS, *PAIR_ROWS)}


@dataclass(slots=True)
class Tally:
    """How the cases of one kind were graded by one algorithm."""

    grades: Counter[str] = field(default_factory=Counter)
    wrong_reasons: int = 0
    """Cases graded `similar` whose reason does not say that the witness is smaller, where the row asks for it."""

    def add(self, row: Row, verdict: Verdict) -> None:
        """Count one case of ``row``."""
        self.grades[verdict.grade] += 1
        if row.says_smaller and verdict.grade == SIMILAR and SMALLER not in verdict.reason:
            self.wrong_reasons += 1

    def add_missing(self, cases: int) -> None:
        """Count cases that are no candidates, and so were not looked at one by one."""
        self.grades[MISSING] += cases

    @property
    def cases(self) -> int:
        """How many were graded."""
        return self.grades.total()

    def share(self, *grades: str) -> float:
        """Share of the cases with one of these grades; 0 to 1."""
        return sum(self.grades[grade] for grade in grades) / self.cases if self.cases else 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.grades + other.grades, self.wrong_reasons + other.wrong_reasons)


def meets(row: Row, tally: Tally) -> bool:
    """Whether the shares keep to the bounds of the row."""
    same, found = tally.share(SAME), tally.share(SAME, SIMILAR)
    return (
        (row.least_same is None or same >= row.least_same)
        and (row.most_same is None or same <= row.most_same)
        and (row.least_found is None or found >= row.least_found)
        and (row.most_found is None or found <= row.most_found)
        and tally.wrong_reasons == 0
    )


def outcome(row: Row, tallies: Sequence[Tally]) -> str:
    """`met` where each edit of the row meets its target by itself; in words what else."""
    graded = [tally for tally in tallies if tally.cases]
    if not row.has_target or not graded:
        return "no target" if graded else "not measured"
    failing = sum(not meets(row, tally) for tally in graded)
    if not failing:
        return "met"
    if len(graded) == 1:
        return "NOT MET"
    met_together = meets(row, sum(graded[1:], graded[0]))
    return f"{'met on the whole' if met_together else 'NOT MET'}; not by {failing} of {len(graded)}"


def grades_in_percent(tally: Tally) -> dict[str, float]:
    """Share of each grade, in percent."""
    return {grade: 100 * tally.share(grade) for grade in GRADES if grade != UNREADABLE or tally.grades[grade]}
