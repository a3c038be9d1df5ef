"""Reviews without a server: the answer after each decision, and what is said of files by their names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dupfind.answers.decisions import Ruling
from dupfind.pipeline import scan_run
from dupfind.reviewing.decisions_store import DecisionsStore
from dupfind.reviewing.review import Review, Said
from dupfind.run import Reading, Run
from dupfind.session import with_reader
from dupfind.values import FileVerdict, FolderVerdict, Problem, Report
from tests.helpers.scans import one_thread, settings


class Desk:
    """A review, and what reads for it."""

    def __init__(self, review: Review, reading: Reading, store: DecisionsStore) -> None:
        self.review = review
        self.reading = reading
        self.store = store

    @property
    def report(self) -> Report:
        """The answer as it is now."""
        return self.review._live.report

    def number(self, name: str) -> int:
        """The number of the needle of this name."""
        (number,) = [at for at, path in enumerate(self.review.files.paths) if os.path.basename(path) == name]
        return number

    def beside(self, name: str) -> int | None:
        """The number of the haystack picture that the page shows beside a needle."""
        number = self.number(name)
        return self.review.details([number], self.reading)[number]["row"].get("otherAt")

    def say(self, name: str, ruling: str | None, witness: int | None = None) -> dict[str, Any]:
        """What comes of a decision on what is seen."""
        if ruling in ("same", "different") and witness is None:
            witness = self.beside(name)
        said = Said(self.number(name), ruling and Ruling(ruling), witness)
        return self.review.say(said, self.review._changes.version, self.reading)


def told(report: Report) -> tuple[list[FolderVerdict], list[FileVerdict], list[Problem], Any, Any]:
    """All of an answer but when it was given."""
    return report.folders, report.files, report.problems, report.haystack, report.decided


def with_desk(haystack: Path, needles: Path, decisions: Path, work: Callable[[Desk], None], **options: Any) -> None:
    """Do ``work`` with a review."""
    run = Run(settings(haystack, needles, **options), None, one_thread)
    store = DecisionsStore(str(decisions))
    review = Review(scan_run(run), run, store)

    def begin(reading: Reading) -> None:
        review.begin(reading)
        work(Desk(review, reading, store))

    with_reader(run, begin)
