"""One review: a scan, the decisions on it, and what the page is told of both.

Every method runs on the thread that reads files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from dupfind.answers.decisions import Decision, Mark, Ruling, with_decision, without_last
from dupfind.answers.page import Nearest, PageContents
from dupfind.commands.showing import nearest_of, obstacle, search_of, turns_of
from dupfind.errors import DupfindError, OutputError, SettingsError
from dupfind.events import Listener, Silence
from dupfind.pipeline import Scanned
from dupfind.report import html_live
from dupfind.report.document import Served, quoted, shown
from dupfind.report.text import size
from dupfind.reviewing.decisions_store import DecisionsStore, as_file
from dupfind.reviewing.live_answer import LiveAnswer
from dupfind.reviewing.page_state import Files, PageState, PictureCache, Versions, WantedPicture
from dupfind.run import Reading, Run
from dupfind.values import CHANGED, Failure, FileEntry, FileState, FileVerdict, Kind

if TYPE_CHECKING:
    from dupfind.matching.nearest import Nearest as Search

PREVIEW_SIDE = 480
"""Of the longer side of a picture in the list, in pixels."""
MOST_ASKED = 100
"""Files of which a page may ask for details at once."""
_MOST_PICTURE_BYTES = 192 << 20
_MOST_UNDONE = 1000
_ANEW = "the files were looked at anew since"


class RefusedError(DupfindError):
    """What the page asks for cannot be done; the text is for the person before it and names no path."""

    def __init__(self, text: str, status: HTTPStatus = HTTPStatus.CONFLICT) -> None:
        super().__init__(text)
        self.status = status


class Said(NamedTuple):
    """What a person says of a file, by its number."""

    needle: int
    ruling: Ruling | None
    """None takes the last decision on it back."""
    witness: int | None
    """The file of the haystack that was seen beside it; None for what is about the needle alone."""


def _state_of(live: LiveAnswer) -> PageState:
    return PageState(live.report.files, live.words, html_live.listed_folders(live.report))


class Review:
    """A scan under review; ``scanned`` is one without decisions."""

    def __init__(self, scanned: Scanned, run: Run, store: DecisionsStore, offered: Sequence[str] = ()) -> None:
        self._store = store
        self._offered = offered
        self._changes = Versions()
        self._gone: str | None = None
        """Why there is nothing left to look at."""
        self._take(scanned, run)

    def take_scan(self, scanned: Scanned, run: Run) -> None:
        """Go on with another scan: files have other numbers then, and pages that are open are to be opened anew."""
        self._changes = Versions(self._changes.version + 1)
        self._take(scanned, run)

    def show_gone(self, why: str) -> None:
        """Show nothing more of files that are not there any more, until :meth:`take_scan`."""
        self._gone = why

    def _refuse_gone(self) -> None:
        if self._gone is not None:
            raise RefusedError(f"there is nothing left to look at: {self._gone}", HTTPStatus.GONE)

    def _take(self, scanned: Scanned, run: Run) -> None:
        self.era = self._changes.version
        """The version with which this scan began."""
        self._gone = None
        self.files = Files(scanned.needles, scanned.haystack, run.shown_haystack)
        self._run = run
        self._live = LiveAnswer(scanned, run)
        self._state = _state_of(self._live)
        self._page = html_live.Page(self.files, self.era, self._offered)
        self._pictures = PictureCache(_MOST_PICTURE_BYTES)
        self._nearest: dict[str, Nearest] = {}
        self._turns: dict[tuple[str, str], int] = {}
        self._split: dict[str, str] = {}
        self._search: Search | None = None
        self._undone: list[tuple[Decision, ...]] = []
        self._is_begun = False

    @property
    def is_complete(self) -> bool:
        """Tell whether every needle is present, not wanted or empty, as things are now."""
        return self._live.report.is_complete

    def begin(self, reading: Reading) -> None:
        """Go by the decisions that are kept already; called again with each new ``reading``.

        Hashes are known by their places in a cache, and another one, or the same opened anew, has its own.
        """
        self._search = None
        self._live.read_anew()
        if not self._is_begun:
            self._apply(self._store.decisions, reading, reading.listener if self.era == 0 else None)
            self._is_begun = True

    def page(self, reading: Reading) -> Served:
        """Return the page as it is now."""
        self._refuse_gone()
        self._read_again(reading)
        live = self._live
        version, may_undo = self._changes.version, bool(self._undone)
        return self._page.render(live.report, live.words, self._store.decisions, self._seen, version, may_undo=may_undo)

    def since(self, version: int, reading: Reading) -> dict[str, Any]:
        """Return what has changed after ``version``, for a page that is open."""
        if self._gone is not None:
            return {"version": version, "gone": self._gone}
        self._read_again(reading)
        live = self._live
        if version < self.era:
            return {"version": self._changes.version, "isAnew": True}
        if version == self._changes.version:
            return {"version": version}
        verdicts = [live.report.files[place] for place in self._changes.files_since(version)]
        return {
            "version": self._changes.version,
            "rows": [
                html_live.row(verdict, live.words.get(verdict.path), self._seen, self.files) for verdict in verdicts
            ],
            "folders": html_live.folder_rows(self._state.folders, self._changes.folders_since(version)),
            "answer": html_live.answer(live.report, self._store.decisions, self._offered, may_undo=bool(self._undone)),
        }

    def say(self, said: Said, version: int, reading: Reading) -> dict[str, Any]:
        """Keep what a person says; returns what has changed after ``version``. Raises :class:`RefusedError`."""
        self._refuse_old(version)
        self._read_again(reading)
        before = self._store.decisions
        if said.ruling is None:
            decisions = without_last(before, self._digest(self._needle(said.needle), reading))
            if decisions == before:
                raise RefusedError("nothing has been decided on this file")
        else:
            decisions = with_decision(before, self._decision(said, said.ruling, reading))
        self._keep(decisions)
        self._undone = [*self._undone[-_MOST_UNDONE:], before]
        self._apply(decisions, reading)
        return self.since(version, reading)

    def undo(self, version: int, reading: Reading) -> dict[str, Any]:
        """Take the last decision of this run back, whatever it was on. Raises :class:`RefusedError`."""
        self._refuse_old(version)
        self._read_again(reading)
        if not self._undone:
            raise RefusedError("nothing has been decided since this page was opened")
        self._keep(self._undone[-1])
        self._apply(self._undone.pop(), reading)
        return self.since(version, reading)

    def decisions_file(self, _: Reading) -> bytes:
        """Return the decisions as a file of them."""
        return as_file(self._store.decisions)

    def _refuse_old(self, version: int) -> None:
        self._refuse_gone()
        if version < self.era:
            raise RefusedError("the files were looked at anew since: open the page again", HTTPStatus.GONE)

    def decisions_now(self) -> Sequence[Decision]:
        """Return all that are kept at this moment, by whomever; the page hears of them as ever. Raises
        :class:`RefusedError`.

        Needs no reading, so that what acts on files can ask.
        """
        try:
            return self._store.as_they_are()
        except SettingsError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: SettingsError) -> RefusedError:
        self._run.listener.warn(str(error))
        return RefusedError("the file of decisions holds none any more: see the terminal")

    def _keep(self, decisions: Sequence[Decision]) -> None:
        try:
            self._store.keep(decisions)
        except OutputError as error:
            self._run.listener.warn(str(error))
            raise RefusedError(
                "the decision could not be kept: see the terminal", HTTPStatus.INSUFFICIENT_STORAGE
            ) from error

    def _read_again(self, reading: Reading) -> None:
        """Go by what another program, or another review, has written into the file of decisions meanwhile."""
        try:
            has_changed = self._store.read_again()
        except SettingsError as error:
            raise self._unreadable(error) from error
        if has_changed:
            self._undone.clear()
            self._apply(self._store.decisions, reading)

    def _apply(self, decisions: Sequence[Decision], reading: Reading, listener: Listener | None = None) -> None:
        live = self._live
        live.decide(decisions, reading, listener or Silence())
        before, self._state = self._state, _state_of(live)
        changed = [live.report.files[place].path for place in self._changes.take(before, self._state)]
        spell, shown_of = self._run.shown_haystack, self._run.shown
        self._split = {shown_of(path): spell(split.witness) for path, split in live.findings.split.items()}
        for path in changed:
            self._nearest.pop(path, None)
        self._page.forget(changed)

    @property
    def _seen(self) -> PageContents:
        return PageContents({}, self._nearest, self._split, self._turns)

    def _needle(self, number: int) -> FileEntry:
        try:
            return self.files.needle(number)
        except IndexError:
            raise RefusedError("there is no such file in this run", HTTPStatus.NOT_FOUND) from None

    def _digest(self, entry: FileEntry, reading: Reading) -> bytes:
        """Return the digest of a file that is as it was when it was compared."""
        digest = self._live.digest(entry, reading) if self._live.is_as_listed(entry) else None
        if not isinstance(digest, bytes):
            raise RefusedError(f"{CHANGED}: it cannot be decided on" if digest is None else digest.reason)
        return digest

    def _decision(self, said: Said, ruling: Ruling, reading: Reading) -> Decision:
        entry = self._needle(said.needle)
        verdict = self._live.report.files[said.needle]
        needle = Mark(self._digest(entry, reading), entry.size_bytes, shown(verdict.path))
        when = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        match = self._live.undecided.matches.get(entry.path)
        evidence, bits = (None, None) if match is None else (match.evidence, match.distance_bits)
        if ruling is Ruling.NOT_WANTED:
            return Decision(ruling, needle, None, evidence, bits, when)
        witness, beside = self._witness(said, verdict)
        digest = self._digest(beside, reading)
        if digest == needle.digest:
            raise RefusedError("the two are the same bytes, which needs no decision")
        if match is None or match.witness != beside.path:
            near = self._nearest.get(verdict.path)
            evidence, bits = None, near.distance_bits if near is not None and near.path == witness else None
        return Decision(ruling, needle, Mark(digest, beside.size_bytes, shown(witness)), evidence, bits, when)

    def _witness(self, said: Said, verdict: FileVerdict) -> tuple[str, FileEntry]:
        """Return the witness that a person has seen beside a needle, and its path as reported."""
        if verdict.kind is not Kind.IMAGE or verdict.state is FileState.UNREADABLE:
            raise RefusedError("a file that nobody can look at is not wanted, or undecided")
        number = -1 if said.witness is None else said.witness
        if not len(self.files.needles) <= number < len(self.files):
            raise RefusedError("there is no such file in this run", HTTPStatus.NOT_FOUND)
        path, entry = self.files.shown(number), self.files.entry(number)
        near = self._nearest.get(verdict.path)
        match = self._live.undecided.matches.get(self.files.needle(said.needle).path)
        beside = {verdict.witness, near and near.path, match and self._run.shown_haystack(match.witness)}
        if path not in beside:
            raise RefusedError("the two do not stand beside each other any more: look again")
        if not entry.can_be_read:
            raise RefusedError("the other picture cannot be looked at")
        return path, entry

    def details(self, numbers: Sequence[int], era: int, reading: Reading) -> dict[int, dict[str, Any]]:
        """Return what the page shows of needles beside their verdicts: the nearest picture, facts of both, how they
        lie.

        ``era`` is that of the page. Raises :class:`RefusedError` for a number that is none of a needle.
        """
        self._refuse_old(era)
        verdicts = {number: self._live.report.files[number] for number in numbers if self._needle(number)}
        self._find_nearest(verdicts, reading)
        pairs = {}
        for number, verdict in verdicts.items():
            near = self._nearest.get(verdict.path)
            beside = verdict.witness if verdict.witness is not None else near and near.path
            other_place = self.files.place("otherAt", beside).get("otherAt")
            split = self.files.place("otherAt", self._split.get(verdict.path)).get("otherAt")
            pairs[number] = (number, other_place, split)
        sights = self._sights({place for places in pairs.values() for place in places if place is not None}, reading)
        self._find_turns([(verdicts[place], other_place) for place, other_place, _ in pairs.values()], sights, reading)
        return {
            number: {
                "row": html_live.row(
                    verdicts[number], self._live.words.get(verdicts[number].path), self._seen, self.files
                ),
                "sights": {place: sights[place] for place in places if place is not None},
            }
            for number, places in pairs.items()
        }

    def _find_nearest(self, verdicts: Mapping[int, FileVerdict], reading: Reading) -> None:
        lost = [
            (verdict.path, self.files.needle(number))
            for number, verdict in verdicts.items()
            if verdict.state is FileState.MISSING and verdict.kind is Kind.IMAGE and verdict.path not in self._nearest
            if self._live.is_as_listed(self.files.needle(number))
        ]
        if not lost:
            return
        if self._search is None:
            self._search = search_of(self.files.haystack, reading)
        nearest = nearest_of(lost, self._search, self._live.findings.split, reading)
        self._nearest |= nearest
        self._page.forget(list(nearest))

    def _find_turns(
        self, pairs: Sequence[tuple[FileVerdict, int | None]], sights: Mapping[int, Mapping[str, Any]], reading: Reading
    ) -> None:
        numbers = self.files.needle_numbers
        wanted: list[tuple[str, str]] = []
        files: dict[str, FileEntry] = {}
        for verdict, place in pairs:
            if place is None or "width" not in sights[place] or "width" not in sights[numbers[verdict.path]]:
                continue
            pair = verdict.path, self.files.shown(place)
            if pair not in self._turns:
                wanted.append(pair)
                files |= {pair[0]: self.files.needle(numbers[verdict.path]), pair[1]: self.files.entry(place)}
        turns = turns_of(wanted, files, reading) if wanted else {}
        self._turns |= {pair: turns[pair] for pair in wanted if pair in turns}

    def _sights(self, numbers: set[int], reading: Reading) -> dict[int, dict[str, Any]]:
        """Return what is to be known of files, by their numbers: their sizes, and of pictures more."""
        entries = {number: self.files.entry(number) for number in sorted(numbers)}
        whole = {number: entry for number, entry in entries.items() if self._obstacle(entry) is None}
        pictures = reading.reader.pictures(list(whole.values()), "decoding", 1)
        ids = {entry.path: ref.id for entry, ref in zip(pictures.entries, pictures.refs, strict=True)}
        thumbnails = reading.cache.thumbnails(list(ids.values()))
        sights = {}
        for number, entry in entries.items():
            facts: dict[str, Any] = {"bytes": size(entry.size_bytes), "size": entry.size_bytes}
            path = self.files.shown(number)
            facts |= {"copy": quoted(path)} if shown(path) != path else {}
            if entry.path in ids:
                thumbnail = thumbnails[ids[entry.path]]
                facts |= {"picture": number, "width": thumbnail.width, "height": thumbnail.height}
                facts |= {"taken": shown(thumbnail.captured)} if thumbnail.captured else {}
            elif number not in whole:
                facts["why"] = self._obstacle(entry)
            elif pictures.failures[entry.path].is_image:
                facts |= {"why": shown(pictures.failures[entry.path].reason), "picture": number}
            sights[number] = facts
        return sights

    def _obstacle(self, entry: FileEntry) -> str | None:
        return obstacle(entry, follow_symlinks=self._run.settings.follow_symlinks)

    def draw(self, wanted: Sequence[WantedPicture], reading: Reading) -> list[bytes | Failure]:
        """Make pictures of files of this run, or say why there is none, as a page may show it: without any path."""
        drawn: dict[WantedPicture, bytes | Failure] = {}
        for asked in wanted:
            try:
                is_known = asked.era == self.era and self._gone is None
                why = self._obstacle(self.files.entry(asked.number)) if is_known else _ANEW
            except IndexError:
                why = "there is no such file in this run"
            picture = self._pictures.get(asked)
            if why is not None:
                drawn[asked] = Failure(why)
            elif picture is not None:
                drawn[asked] = picture
        for is_full in (False, True):
            due = [asked for asked in wanted if asked not in drawn and asked.is_full is is_full]
            entries = {asked: self.files.entry(asked.number) for asked in due}
            made = reading.reader.previews(list(entries.values()), PREVIEW_SIDE, is_full=is_full)
            for asked, entry in entries.items():
                preview = made[entry.path]
                if isinstance(preview, Failure):
                    drawn[asked] = preview
                else:
                    self._pictures.keep(asked, preview.data)
                    drawn[asked] = preview.data
        return [drawn[asked] for asked in wanted]
