"""What the accuracy benchmark has counted: grades by kind of case, distances of the plain hashes, failures; pure."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.judging import ALGORITHMS, PLAIN, SAME, Verdict
from benchmarks.targets import EDIT_ROWS, ROWS, Tally

_PLACE = re.compile(r" near the [a-z ]+$|[:;,].*$")
_NO_HASH = 65
"""Stands for the distance where a picture had no plain hash; no threshold reaches it."""


class Kind(NamedTuple):
    """What a case is counted under."""

    set: str
    """The set of pictures: ``photos``, ``kodak``, ..."""
    row: str
    """Key in :data:`benchmarks.targets.ROWS`."""
    name: str
    """The edit, or the class of documents."""


class Graded(NamedTuple):
    """One needle and its witness, graded."""

    kind: Kind
    needle: str
    witness: str
    verdicts: tuple[Verdict, ...]
    """In the order of ``ALGORITHMS``."""
    plain: tuple[int, ...] | None = None
    """Distances of the plain 64-bit hashes in the order of ``PLAIN``; None where they were not asked."""


class Bulk(NamedTuple):
    """Many cases at once of which nothing but their number is to be told."""

    kind: Kind
    missing: int = 0
    """Cases that are a candidate for no algorithm."""
    plain: tuple[Counter[int], ...] = ()
    """By plain method, how many pairs lie at each distance."""


class Note(NamedTuple):
    """Something the reader has to know, such as a picture that was left out."""

    set: str
    text: str


Outcome = Graded | Bulk | Note


class Results:
    """Everything counted in one run."""

    def __init__(self) -> None:
        self.tallies: dict[Kind, dict[str, Tally]] = {}
        self.plain: dict[Kind, dict[str, Counter[int]]] = defaultdict(lambda: {name: Counter() for name in PLAIN})
        self.reasons: dict[Kind, Counter[str]] = defaultdict(Counter)
        """By kind, why cases were not graded `same`, with the default algorithm."""
        self.failures: list[tuple[Graded, str, Verdict]] = []
        """The cases that their row's target counts as wrong, with the algorithm."""
        self.notes: list[Note] = []

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count what a worker found."""
        for one in outcomes:
            if isinstance(one, Note):
                self.notes.append(one)
            elif isinstance(one, Bulk):
                self._add_bulk(one)
            else:
                self._add_graded(one)

    def _of(self, kind: Kind) -> dict[str, Tally]:
        return self.tallies.setdefault(kind, {algorithm: Tally() for algorithm in ALGORITHMS})

    def _add_bulk(self, bulk: Bulk) -> None:
        for tally in self._of(bulk.kind).values():
            tally.add_missing(bulk.missing)
        for name, distances in zip(PLAIN, bulk.plain, strict=False):
            self.plain[bulk.kind][name].update(distances)

    def _add_graded(self, graded: Graded) -> None:
        row, tallies = ROWS[graded.kind.row], self._of(graded.kind)
        for algorithm, verdict in zip(ALGORITHMS, graded.verdicts, strict=True):
            tallies[algorithm].add(row, verdict)
            if row.is_wrong(verdict):
                self.failures.append((graded, algorithm, verdict))
        if graded.verdicts[0].grade != SAME:
            self.reasons[graded.kind][_PLACE.sub("", graded.verdicts[0].reason)] += 1
        for name, distance in zip(PLAIN, graded.plain or (), strict=False):
            self.plain[graded.kind][name][distance] += 1

    def sets(self) -> list[str]:
        """The sets of pictures that were edited, in the order of the run."""
        return list(dict.fromkeys(kind.set for kind in self.tallies if kind.row in {row.key for row in EDIT_ROWS}))

    def kinds(self, row: str, set_: str | None = None) -> list[Kind]:
        """The kinds of a row that were measured, in the order of the run."""
        return [kind for kind in self.tallies if kind.row == row and set_ in (None, kind.set)]

    def tally(self, kinds: Sequence[Kind], algorithm: str = ALGORITHMS[0]) -> Tally:
        """The grades of several kinds together."""
        return sum((self.tallies[kind][algorithm] for kind in kinds), Tally())

    def plain_within(self, kinds: Sequence[Kind], method: str, threshold_bits: int) -> tuple[int, int]:
        """How many pairs a plain hash calls copies at a threshold, and of how many."""
        found = cases = 0
        for kind in kinds:
            if kind in self.plain:
                distances = self.plain[kind][method]
                found += sum(count for distance, count in distances.items() if distance <= threshold_bits)
                cases += distances.total()
        return found, cases

    def write_failures(self, path: Path) -> None:
        """Write the failures as CSV, one line for each algorithm, with every test that did not pass."""
        with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as out:
            table = csv.writer(out)
            table.writerow(
                ["set", "row", "edit", "algorithm", "needle", "witness", "grade", "distance_bits", "reason", "failed"]
            )
            for graded, algorithm, verdict in self.failures:
                failed = "; ".join(f"{test.name} {test.value:.3f} > {test.bound:.3f}" for test in verdict.failed)
                kind, sides = graded.kind, (graded.needle, graded.witness)
                about = verdict.grade, verdict.distance_bits, verdict.reason, failed
                table.writerow([kind.set, kind.row, kind.name, algorithm, *sides, *about])


def plain_distances(one: Sequence[int] | None, other: Sequence[int] | None) -> tuple[int, ...]:
    """Distances of plain hashes in the order of ``PLAIN``; beyond every threshold where one has none."""
    if one is None or other is None:
        return (_NO_HASH,) * len(PLAIN)
    return tuple((first ^ second).bit_count() for first, second in zip(one, other, strict=True))


def least_threshold(distances: Counter[int], share: float) -> int:
    """The smallest threshold in bits at which a plain hash finds ``share`` of the pairs; 64 where none does."""
    wanted, found = share * distances.total(), 0
    for threshold in range(65):
        found += distances[threshold]
        if found >= wanted:
            return threshold
    return 64
