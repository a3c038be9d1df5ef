"""The tables of :mod:`benchmarks.losses`, for the terminal and for the page in the docs."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.accuracy_report import percent
from benchmarks.common import machine
from benchmarks.judging import SAME
from benchmarks.kinds import GROUPS, Group, PairKind
from benchmarks.measuring import MeasuringError

_MARKS = re.compile(r"(<!-- measured: losses -->\n).*?(<!-- end -->)", re.DOTALL)


class Job(NamedTuple):
    """One kind of one photo."""

    kind: str
    size: str
    photo: str
    other: str
    """Another photo, for what is pasted in."""
    seed: int
    options: argparse.Namespace


class Answer(NamedTuple):
    """What was said of one pair."""

    job: Job
    grade: str | None
    """None where no pair can be made of the photo."""
    reason: str
    quick: tuple[str, str] | None = None
    """Grade and reason with ``--quick``, where that was asked for."""
    seconds: float = 0.0
    """Of processor time for the plain question."""

    def is_right(self, group: Group) -> bool:
        """Tell whether the answer is what the group asks of every pair."""
        return group.meets(float(self.grade == SAME))


class Count(NamedTuple):
    """The pairs of one kind, counted."""

    pairs: int
    same: int
    quick: int | None
    """How many are `same` with ``--quick``; None where that was not asked for."""
    seconds: float
    """Of the slowest."""

    @property
    def share(self) -> float:
        """Return the share of `same`."""
        return self.same / self.pairs


def count(kind: PairKind, answers: Sequence[Answer], size: str | None = None) -> Count | None:
    """Count the pairs of a kind, of one set of photos or of all; None where no pair was made."""
    made = [
        answer
        for answer in answers
        if answer.job.kind == kind.name and answer.grade is not None and size in (None, answer.job.size)
    ]
    if not made:
        return None
    quick = [answer.quick[0] == SAME for answer in made if answer.quick is not None]
    same = sum(answer.grade == SAME for answer in made)
    return Count(len(made), same, sum(quick) if quick else None, max(answer.seconds for answer in made))


def show(kinds: Sequence[PairKind], answers: Sequence[Answer]) -> None:
    """Print a line for each kind, group by group, and how many of them meet their target."""
    for group, members in _grouped(kinds):
        print(f"\n{group.title}: {group.target} `same`")
        failing = 0
        for kind in members:
            counted = count(kind, answers)
            if counted is None:
                print(f"  {kind.name:<58} no pairs")
                continue
            is_failing = not group.meets(counted.share)
            failing += is_failing
            line = f"  {kind.name:<58} {counted.pairs:>4} pairs   same {counted.same / counted.pairs:>6.1%}"
            if counted.quick is not None:
                line += f"   quick {counted.quick / counted.pairs:>6.1%}"
            print(f"{line}   {1000 * counted.seconds:>5.0f} ms {'NOT MET' if is_failing else ''}")
        print(f"  {len(members) - failing} of {len(members)} kinds meet the target")


def check_markers(page: Path) -> None:
    """Raise :class:`~benchmarks.measuring.MeasuringError` where there is no place for the tables in ``page``."""
    if len(_MARKS.findall(page.read_text("utf-8"))) != 1:
        raise MeasuringError(f"{page} has no single place between <!-- measured: losses --> and <!-- end -->")


def preamble(command: str, seconds: float, answers: Sequence[Answer]) -> str:
    """Say what was run, when, on what and on how many pairs."""
    day = datetime.now(UTC).date().isoformat()
    made = sum(answer.grade is not None for answer in answers)
    return f"Measured {day} in {seconds / 60:.0f} minutes with `{command}` on {machine()}: {made:,} pairs."


def write(page: Path, about: str, kinds: Sequence[PairKind], answers: Sequence[Answer]) -> None:
    """Replace what stands between the marks of ``page``."""
    text = page.read_text("utf-8")
    new = _MARKS.sub(lambda part: part[1] + markdown(about, kinds, answers) + part[2], text)
    page.write_text(new, "utf-8")


def markdown(about: str, kinds: Sequence[PairKind], answers: Sequence[Answer]) -> str:
    """Return all tables, a column for each set of photos."""
    sizes = list(dict.fromkeys(answer.job.size for answer in answers))
    pieces = [about]
    for group, members in _grouped(kinds):
        header = ["kind", *(f"{size}: `same` %, pairs" for size in sizes), "result"]
        lines = [header, ["---"] * len(header), *(_row(kind, sizes, answers) for kind in members)]
        pieces += [
            f"### {group.title[0].upper()}{group.title[1:]} (target: {group.target})",
            "\n".join(f"| {' | '.join(line)} |" for line in lines),
        ]
    return "\n\n".join(pieces) + "\n"


def _row(kind: PairKind, sizes: Sequence[str], answers: Sequence[Answer]) -> list[str]:
    counts = [count(kind, answers, size) for size in sizes]
    cells = ["" if cell is None else f"{percent(cell.share)}, {cell.pairs}" for cell in counts]
    whole = count(kind, answers)
    if whole is None:
        result = "no pairs"
    elif kind.group.most_same is None and kind.group.least_same is None:
        result = ""
    else:
        result = "met" if kind.group.meets(whole.share) else "**NOT MET**"
    return [kind.name, *cells, result]


def _grouped(kinds: Sequence[PairKind]) -> Iterator[tuple[Group, list[PairKind]]]:
    """Yield the groups that have kinds, with these."""
    for group in GROUPS:
        if members := [kind for kind in kinds if kind.group is group]:
            yield group, members
