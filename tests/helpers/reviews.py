"""Reviews without a server: the answer after each decision, and what is said of files by their names."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple, Self

from dupfind.answers.decisions import Ruling
from dupfind.events import Silence
from dupfind.pipeline import scan_run
from dupfind.reviewing.acts import NOTHING, Acts
from dupfind.reviewing.decisions_store import DecisionsStore
from dupfind.reviewing.jobs import Jobs
from dupfind.reviewing.review import Review, Said
from dupfind.reviewing.server import Serving
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
        return self.review.details([number], self.review.era, self.reading)[number]["row"].get("otherAt")

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


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    """By their names in lower case."""
    content: bytes

    @property
    def text(self) -> str:
        """As a text."""
        return self.content.decode()

    def json(self) -> Any:
        """As a value."""
        return json.loads(self.content)


class Served:
    """A review on a port of loopback: a thread reads, another serves."""

    def __init__(self, haystack: Path, needles: Path, decisions: Path, **options: Any) -> None:
        run = Run(settings(haystack, needles, **options), None, one_thread)
        self.review = Review(scan_run(run), run, DecisionsStore(str(decisions)))
        self.jobs = Jobs(self.review.draw)
        self._thread = threading.Thread(target=with_reader, args=(run, self._work), daemon=True)
        self._serving = Serving(self.review, self.jobs, Acts(NOTHING, Silence()))
        self.door = self._serving.door

    def _work(self, reading: Reading) -> bool:
        self.review.begin(reading)
        return self.jobs.work(reading, 60)

    def __enter__(self) -> Self:
        self._thread.start()
        self._serving.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.jobs.end()
        self._thread.join(20)
        self._serving.__exit__()
        assert not self._thread.is_alive()

    def ask(self, method: str, path: str, content: bytes | None = None, **headers: str) -> Answer:
        """Send a request as it is: no library makes its path or its ``Host`` better."""
        host, _, port = self.door.host.partition(":")
        connection = HTTPConnection(host, int(port), timeout=60)
        try:
            connection.request(
                method, path, content, {name.replace("_", "-"): value for name, value in headers.items()}
            )
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read())
        finally:
            connection.close()

    def get(self, path: str = "", **headers: str) -> Answer:
        """What a page of this run is answered, with these headers (``_`` for ``-``) besides."""
        return self.ask("GET", f"/{self.door.token}/{path}", **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        """The same of a request that brings an object."""
        named = {"Origin": self.door.origin, "Content_Type": "application/json"} | headers
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", f"/{self.door.token}/{path}", content, **named)

    def decide(self, needle: int, ruling: str | None, witness: int | None = None, **headers: str) -> Answer:
        """What comes of a decision."""
        return self.post("decide", {"needle": needle, "ruling": ruling, "witness": witness, "version": 0}, **headers)

    def number(self, name: str) -> int:
        """The number of the needle of this name."""
        (number,) = [at for at, path in enumerate(self.review.files.paths) if os.path.basename(path) == name]
        return number
