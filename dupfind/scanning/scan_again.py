"""The scan of what has changed since the last run, and of what that has to do with; the rest is as it was.

The match of a needle depends on few files: those with its bytes, the pictures near it
(:mod:`dupfind.scanning.links`), and for a film all films. Where one of these was added, removed or changed, the needle
is matched again among all of them, by the stages of any scan. It may also lose its witness to another needle that has
claimed the same one, or one that is nearly the same. So whoever has claimed one of the witnesses that are claimed now,
or no longer, is matched again with them, until there is nobody else.

Where the result might differ from that of a whole scan, there is none, and everything is scanned.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, compress, count
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, NamedTuple

from dupfind.answers.findings import Findings
from dupfind.cache.cache_schema import SnapshotError
from dupfind.cache.file_columns import Sides
from dupfind.cache.last_run import LastRun, Learned, Links, Rows, mark
from dupfind.pictures.formats import is_film_name
from dupfind.reasons import ReasonCode, is_fragment
from dupfind.scanning.changes import Changes, changes_since
from dupfind.scanning.first_decodes import needed_of_haystack, needed_of_needles
from dupfind.scanning.identical import find_identical
from dupfind.values import ORIENTATIONS, Evidence, Failure, FileEntry, Match

if TYPE_CHECKING:
    from dupfind.pool.tasks import Bare
    from dupfind.reading import Pictures
    from dupfind.run import Reading
    from dupfind.scanning.links import Neighbours, Reach
    from dupfind.scanning.links import Pictures as LinkedPictures

_PATH, _SIZE = (itemgetter(FileEntry._fields.index(name)) for name in ("path", "size_bytes"))
_WITNESS, _REASON = (itemgetter(Match._fields.index(name)) for name in ("witness", "reason"))
_HAS_COMPARABLE = attrgetter("has_comparable_picture")

_BATCH = 1 << 10
"""Matches that are gone through at once."""
_ANY = -1
"""In the place of a number of bits: all within the threshold counts, in every orientation."""
LEAST_NEWS, SHARE = 200, 25
"""How many files may have changed: 200, or a twenty-fifth of all if that is more. Beyond that everything is scanned."""
MOST_AGAIN = 4
"""Everything is scanned where a quarter of all files has to do with what has changed."""
MOST_ROUNDS = 8
"""How often needles are matched once more because others may claim their witnesses; then everything is scanned."""
LEAST_TO_LEARN, SHARE_TO_LEARN = 20, 1000
"""How many files have to have changed for this run to be remembered in place of the last one: 20, or a thousandth of
all if that is more. To scan fewer once more takes less time than to write down a run."""

Find = Callable[..., tuple[Findings, object, object]]
"""Runs the stages between walk and verdict for needles, haystack files and a :class:`~dupfind.run.Reading`; its keyword
``learned`` takes in what was learned, and ``needed_of`` tells what of needles is decoded at first."""


class OneSide(NamedTuple):
    """The files of one side in this run, and what has changed among them."""

    entries: list[FileEntry]
    before: Rows
    changes: Changes

    @property
    def fresh(self) -> list[FileEntry]:
        """The files that are new or have changed."""
        return [self.entries[place] for place in self.changes.fresh]

    @property
    def gone(self) -> list[str]:
        """The paths of those that are gone or have changed."""
        return [self.changes.paths[place] for place in self.changes.gone]

    def as_they_were(self) -> list[FileEntry]:
        """Return an entry for each file of the last run; of those that have changed only the path counts."""
        if self.changes.are_in_place:
            return self.entries
        entries: list[FileEntry] = []
        for earlier, place, length in self.changes.stretches:
            entries += map(_gone, self.changes.paths[len(entries) : earlier])
            entries += self.entries[place : place + length]
        return [*entries, *map(_gone, self.changes.paths[len(entries) :])]

    def marks(self) -> array[int]:
        """Return the marks of the files of now, 0 for those that have changed."""
        marks = array("Q", bytes(8 * len(self.entries)))
        for earlier, place, length in self.changes.stretches:
            marks[place : place + length] = self.before.marks[earlier : earlier + length]
        for place in self.changes.fresh:
            marks[place] = 0
        return marks


class Linkable(NamedTuple):
    """The pictures of one side, of before and of now, and the numbers of the files that have changed."""

    pictures: LinkedPictures
    changed: set[int]


class News(NamedTuple):
    """What has changed since the last run."""

    last: LastRun
    needles: OneSide
    haystack: OneSide

    @property
    def files(self) -> int:
        """How many files have come, gone or changed."""
        return sum(max(len(side.changes.fresh), len(side.changes.gone)) for side in (self.needles, self.haystack))

    @property
    def is_much(self) -> bool:
        """Tell whether the next run would have much to do once more that this one does."""
        files = len(self.needles.entries) + len(self.haystack.entries)
        return self.files > max(LEAST_TO_LEARN, files // SHARE_TO_LEARN)


def news_since(last: LastRun, needles: list[FileEntry], haystack: list[FileEntry], columns: Sides) -> News | None:
    """Compare the files of a run, of which ``columns`` are, with those of the last one; None where too much has changed
    to go by that.
    """
    sides = []
    for entries, own, before in zip((needles, haystack), columns, (last.needles, last.haystack), strict=True):
        changes = changes_since(before, entries, own)
        if changes is None:
            return None
        sides.append(OneSide(entries, before._replace(text=b""), changes))  # 70 bytes a file
    news = News(replace(last, needles=sides[0].before, haystack=sides[1].before), *sides)
    return news if news.files <= max(LEAST_NEWS, (len(needles) + len(haystack)) // SHARE) else None


def scan_again(
    news: News, run: Reading, find: Find, learned: Learned | None = None, *, may_be_bare: bool = True
) -> Findings | None:
    """Return what is found, by scanning what has changed; None where everything has to be scanned.

    ``learned`` takes in what the next run may use, of all files, where enough has changed for that. ``may_be_bare``
    tells whether ``find`` takes pictures that are. Parts of pictures are not looked for: a needle without a match may
    show a part of any picture.
    """
    is_much = news.is_much
    news = news._replace(needles=_settled(news.needles, run), haystack=_settled(news.haystack, run))
    if news.files and news.last.links is not None:  # or no picture has a part in it
        run.reader.prepare_for_new([entry for entry in news.haystack.fresh if entry.has_comparable_picture])
    try:
        before = news.last.findings(news.needles.as_they_were(), news.haystack.as_they_were())
    except SnapshotError:
        return None
    if run.settings.scan.fragments:
        before = _without_parts(before)
    again = _Again(news, before, run, may_be_bare=may_be_bare)
    if learned is None or not is_much:
        learned = Learned()
    of_part = Learned(is_kept=learned.is_kept, is_of_all=False)
    findings = _matched_again(again, run, find, of_part) if news.files else before
    if findings is not None and learned.is_kept:
        if not news.files:
            again.read_pictures()
        again.learn(learned, of_part)
    return findings


def _matched_again(again: _Again, run: Reading, find: Find, of_part: Learned) -> Findings | None:
    """Match what has to do with what has changed; ``of_part`` takes in what is learned of that."""
    again.follow_films()  # first: one of them may be a picture by content, and have rivals
    again.read_pictures()
    again.follow_pictures()
    for _ in range(MOST_ROUNDS):
        if again.is_too_much:
            break
        run.cache.flush()  # so that nothing that was read is read again
        findings, *_ = find(again.needles(), again.haystack(), run, learned=of_part, needed_of=again.needed_of)
        rivals = again.rivals(findings, of_part)
        if not rivals:
            return again.merged(findings, of_part)
        again.take_in(rivals)
    return None


class _Touched(NamedTuple):
    """A file that may have nothing but other times or another inode."""

    place: int
    """Among the files of now."""
    earlier: int
    """Among those of the last run."""
    before: FileEntry
    """As it was then."""


def _settled(side: OneSide, run: Reading) -> OneSide:
    """Count files as they were of which nothing but times and inode has changed: they are read, and have every byte of
    before.
    """
    same = _with_same_bytes(_maybe_touched(side), side, run)
    return _as_unchanged(same, side) if same else side


def _maybe_touched(side: OneSide) -> list[_Touched]:
    """List the files that have changed, lie where they lay and have the size that they had."""
    columns, changes = side.before.columns, side.changes
    now_at = {side.entries[place].path: place for place in changes.fresh}
    touched = [
        _Touched(place, earlier, FileEntry(path, *(column[earlier] for column in columns)))
        for earlier in changes.gone
        for path in [changes.paths[earlier]]
        if (place := now_at.get(path)) is not None
    ]
    return [
        file
        for file in touched
        for now in [side.entries[file.place]]
        if type(now) is FileEntry and now.size_bytes == file.before.size_bytes
    ]


def _with_same_bytes(touched: list[_Touched], side: OneSide, run: Reading) -> list[_Touched]:
    """Return those that have the digest that the cache has of them as they were; where it has none, nothing is told."""
    recalled = run.cache.recall_digests([file.before for file in touched])
    known = [(file, digest) for file, digest in zip(touched, recalled, strict=True) if isinstance(digest, bytes)]
    digests = run.reader.digests([side.entries[file.place] for file, _ in known])
    return [file for file, digest in known if digests[file.before.path] == digest]


def _as_unchanged(files: list[_Touched], side: OneSide) -> OneSide:
    """Take these out of what has changed."""
    changes = side.changes
    places = list(changes.places)
    for file in files:
        places[file.earlier] = file.place
    settled, were = {file.place for file in files}, {file.earlier for file in files}
    return side._replace(
        changes=changes._replace(
            places=places,
            fresh=[place for place in changes.fresh if place not in settled],
            gone=[earlier for earlier in changes.gone if earlier not in were],
        )
    )


class _Again:
    """The files that are scanned again, by their positions in this run; more are added until none is left out."""

    def __init__(self, news: News, before: Findings, run: Reading, *, may_be_bare: bool) -> None:
        self._news = news
        self._before = before
        self._run = run
        self._may_be_bare = may_be_bare
        self._needed: Bare | None = None
        """What of the needles was decoded at first; None for all."""
        self._needle_marks, self._haystack_marks = news.needles.marks(), news.haystack.marks()
        self._unread: dict[str, Failure] = {}
        """New files of the haystack whose bytes were asked for and could not be read, by path."""
        self._undecoded: dict[str, Failure] = {}
        """Those that gave no thumbnail, likewise."""
        self._missed: set[str] = set()
        """Needles that gave no thumbnail."""
        self._linked: set[int] = set()
        """Files of the haystack that are near the needles which are matched again."""
        self._sides: list[Linkable] = []
        """The pictures of needles and haystack, and the numbers of the files that have changed."""
        self._neighbours: Neighbours | None = None
        """None where pictures had no part in the last run."""
        self._needles = set(news.needles.changes.fresh) | self._by_bytes()

    def needles(self) -> list[FileEntry]:
        """Return the needles that are to be matched again, in their order."""
        return [self._news.needles.entries[place] for place in sorted(self._needles)]

    def _left_out(self) -> set[str]:
        """Return the paths of the needles of which nothing holds any more that was found before."""
        return {entry.path for entry in self.needles()} | set(self._news.needles.gone)

    def haystack(self) -> list[FileEntry]:
        """Return all files of the haystack that may have to do with them, in their order."""
        news = self._news
        entries = news.haystack.entries
        places = self._of_same_bytes() | self._linked | set(news.haystack.changes.fresh)
        if any(is_film_name(news.needles.entries[place].path) for place in self._needles):
            places |= {place for place, entry in enumerate(entries) if is_film_name(entry.path)}
        return [entry for place in sorted(places) if (entry := entries[place]).path not in self._unread]

    def _by_bytes(self) -> set[int]:
        """Return the needles whose equals may have come or gone; what has come is read for that."""
        needles, haystack = self._news.needles, self._news.haystack
        self._read_needles()
        asked = _of_a_size(haystack, needles)
        digests = self._run.reader.digests([haystack.entries[place] for place in asked])
        for place in asked:
            path = haystack.entries[place].path
            digest = digests[path]
            self._haystack_marks[place] = mark(digest)
            if isinstance(digest, Failure):
                self._unread[path] = digest
        marks = {self._haystack_marks[place] for place in asked}
        marks |= {haystack.before.marks[place] for place in haystack.changes.gone}
        marks -= {0}
        # Of a needle without a digest no file had the size; that of a file that has come may be its own.
        sizes = {haystack.entries[place].size_bytes for place in asked}
        if not marks and not sizes:
            return set()
        few = compress(count(), map((marks | {0}).__contains__, self._needle_marks))
        return {
            place
            for place in few
            for own in [self._needle_marks[place]]
            if (own in marks if own else needles.entries[place].size_bytes in sizes)
        }

    def _read_needles(self) -> None:
        needles, haystack = self._news.needles, self._news.haystack
        asked = _of_a_size(needles, haystack)
        digests = self._run.reader.digests([needles.entries[place] for place in asked])
        for place in asked:
            self._needle_marks[place] = mark(digests[needles.entries[place].path])

    def _of_same_bytes(self) -> set[int]:
        """Return the files of the haystack that may have the bytes of a needle in question."""
        entries = self._news.needles.entries
        marks = {self._needle_marks[place] for place in self._needles}
        sizes = {entries[place].size_bytes for place in self._needles} - {0}
        if not sizes:
            return set()
        marks.add(0)  # nobody needed the digest until now
        few = compress(count(), map(sizes.__contains__, map(_SIZE, self._news.haystack.entries)))
        return {place for place in few if self._haystack_marks[place] in marks}

    def read_pictures(self) -> None:
        """Decode the pictures that have changed, where pictures had a part in the last run."""
        news, run, links = self._news, self._run, self._news.last.links
        if links is None:
            return
        from dupfind.scanning.links import pictures_of

        comparable = [entry for entry in news.haystack.fresh if entry.has_comparable_picture]
        asked = [entry for entry in comparable if entry.path not in self._unread]
        # As a scan of what is new alone decodes them, needles first: so what is near to one is decoded once.
        pictures = self._unproved_pictures(asked, links.haystack.values)
        self._missed = set(pictures.failures)
        needed = needed_of_haystack(pictures, self._needed, len(asked), run) if self._may_be_bare else None
        fresh = run.reader.pictures(asked, "decoding haystack", 1, bare=needed)
        self._undecoded = fresh.failures
        for side, before, now in ((news.needles, links.needles, pictures), (news.haystack, links.haystack, fresh)):
            # Files of before go by their place then, those of now by their place behind all of these.
            end = len(side.changes.paths)
            wanted = set(map(_PATH, now.entries))
            places = list(compress(count(end), map(wanted.__contains__, map(_PATH, side.entries)))) if wanted else []
            at = {side.entries[place - end].path: place for place in places}
            numbers = [at[entry.path] for entry in now.entries]
            self._sides.append(Linkable(pictures_of(before, now, numbers, run), {*side.changes.gone, *numbers}))
        changed = self._sides[0].changed
        changed |= set(compress(count(), map(self._needles.__contains__, news.needles.changes.places)))

    def follow_pictures(self) -> None:
        """Take in the needles to which pictures that have come or gone matter, and all that they are matched among."""
        if not self._sides:
            return
        from dupfind.evidence.fingerprint import slack_bits
        from dupfind.scanning.links import Neighbours

        scan = self._run.settings.scan
        needles, haystack = self._sides
        self._neighbours = Neighbours(
            needles.pictures, haystack.pictures, scan.threshold_bits, slack_bits(scan.algorithm)
        )
        needles.changed.update(self._neighbours.needles_near(haystack.changed, self._reach(scan.threshold_bits)))
        self.take_in(needles.changed)

    def _reach(self, threshold_bits: int) -> Reach:
        """Tell which pictures of the haystack matter to each needle of before, by its number."""
        import numpy as np

        from dupfind.scanning.links import Reach

        needles = self._news.needles
        earlier = len(needles.changes.paths)
        nearest = np.zeros(earlier + len(needles.entries), np.int64)  # those of now are matched again anyhow
        matches = map(self._before.matches.get, needles.changes.paths)
        nearest[:earlier] = [*_nearest_upright(list(matches))]
        is_upright = nearest != _ANY
        return Reach(np.where(is_upright, nearest, threshold_bits), is_upright)

    @property
    def is_too_much(self) -> bool:
        """Tell whether so much has to do with what has changed that everything is scanned as fast."""
        files = len(self._news.needles.entries) + len(self._news.haystack.entries)
        return len(self._needles) + len(self._linked) > max(LEAST_NEWS, files // MOST_AGAIN)

    def rivals(self, rescanned: Findings, learned: Learned) -> set[int]:
        """Return the numbers of needles that were not matched again, and may have to do with a witness that those that
        were have claimed, now or in the last run; ``learned`` is what this scan of them has learned.
        """
        if self._neighbours is None:
            return set()
        needles, haystack = self._news.needles, self._news.haystack
        asked = self._left_out()
        now = {match.witness for match in rescanned.matches.values() if match.evidence is Evidence.SAME}
        now.update(witness for _, witness in learned.claims)
        fresh = {haystack.entries[place].path: len(haystack.changes.paths) + place for place in haystack.changes.fresh}
        claimed = {fresh[path] for path in now & fresh.keys()}
        claimed |= set(_positions(now - fresh.keys(), haystack.changes.paths)) | self._claimed_before(asked)
        rivals: set[str] = set()
        while claimed:
            claimed = self._neighbours.copies(claimed)
            met = self._claimants(claimed) - asked - rivals
            rivals |= met
            claimed = self._claimed_before(met) - claimed
        return set(_positions(rivals, needles.changes.paths))

    def _claimants(self, claimed: set[int]) -> set[str]:
        """Return the paths of needles that had a claim to one of these files of the haystack, by their numbers."""
        matches, last, paths = self._before.matches, self._news.last, self._news.haystack.changes.paths
        witnesses = {paths[number] for number in claimed if number < len(paths)}
        met = compress(matches.items(), map(witnesses.__contains__, map(_WITNESS, matches.values())))
        return {path for path, match in met if match.evidence is Evidence.SAME} | {
            self._news.needles.changes.paths[claim.needle] for claim in last.claims if claim.witness in claimed
        }

    def _claimed_before(self, needles: set[str]) -> set[int]:
        """Return the numbers of the files of the haystack to which these needles, by path, had a claim."""
        matches = filter(None, map(self._before.matches.get, needles))
        witnesses = {match.witness for match in matches if match.evidence is Evidence.SAME}
        paths = self._news.needles.changes.paths
        return set(_positions(witnesses, self._news.haystack.changes.paths)) | {
            claim.witness for claim in self._news.last.claims if paths[claim.needle] in needles
        }

    def take_in(self, needles: set[int]) -> None:
        """Let these needles, by their numbers, be matched again as well, and all that they are matched among."""
        assert self._neighbours is not None
        self._needles |= _now(needles, self._news.needles)
        self._linked |= _now(self._neighbours.haystack_near(needles), self._news.haystack)

    def needed_of(
        self, needles: Sequence[FileEntry], haystack: Sequence[FileEntry], orientations: int, run: Reading
    ) -> Bare | None:
        """Tell what of needles is decoded at first: what was, of those that have changed."""
        return self._needed if self._sides else needed_of_needles(needles, haystack, orientations, run)

    def _unproved_pictures(self, haystack: Sequence[FileEntry], known: array[int]) -> Pictures:
        """Return the pictures among the needles in question that are not proved by their bytes.

        The pictures of ``haystack`` are new, and those with the hashes ``known`` are not.
        """
        import numpy as np

        asked, reader = self.needles(), self._run.reader
        self._run.cache.flush()  # likewise
        identical, failures, _ = find_identical(asked, self.haystack(), reader)
        settled = identical.keys() | failures.keys()
        unproved = [entry for entry in asked if entry.path not in settled and entry.size_bytes]
        orientations = ORIENTATIONS if self._run.settings.scan.rotations else 1
        if self._may_be_bare:
            hashes = np.frombuffer(known, np.uint64)
            self._needed = needed_of_needles(unproved, haystack, orientations, self._run, hashes)
        return reader.pictures(unproved, "decoding needles", orientations, bare=self._needed)

    def follow_films(self) -> None:
        """Take in all films that nothing proves by its bytes, where a film of the haystack has come or gone."""
        needles, haystack = self._news.needles, self._news.haystack
        if any(map(is_film_name, (*(entry.path for entry in haystack.fresh), *haystack.gone))):
            self._needles |= {
                place
                for place, entry in enumerate(needles.entries)
                if is_film_name(entry.path) and not _is_identical(self._before.matches.get(entry.path))
            }

    def merged(self, rescanned: Findings, learned: Learned) -> Findings | None:
        """Join the findings of this scan with those that still hold; None where a whole scan might differ."""
        asked, left_out = {entry.path for entry in self.needles()}, self._left_out()
        if learned.is_bounded or learned.has_late_frames or self._is_other_than_before(rescanned):
            return None
        if self._may_concern_all(rescanned, left_out):
            return None
        before = self._before
        matches = dict(before.matches)
        for path in left_out:
            matches.pop(path, None)
        gone = set(self._news.haystack.gone)
        # A check of what was followed: nothing rests on a file that is gone.
        witnesses = chain(map(_WITNESS, matches.values()), (witness for _, witness in self._claims(left_out)))
        if not gone.isdisjoint(witnesses):
            return None
        matches |= rescanned.matches
        pictures = (before.pictures - left_out) | rescanned.pictures
        failures = self._merged_failures(rescanned, asked, left_out)
        if failures is None:
            return None
        remains = {path: left for path, left in before.remains.items() if path not in left_out}
        if before.haystack_pictures is None:
            return Findings(matches, failures, pictures, None, remains)
        entries = self._news.haystack.entries
        are_on_disk = list(map(type, entries)).count(FileEntry) == len(entries)  # of which each may prove something
        comparable = entries if are_on_disk else list(filter(_HAS_COMPARABLE, entries))
        failed = sum(map(failures.__contains__, map(_PATH, comparable))) if failures else 0
        return Findings(matches, failures, pictures, len(comparable) - failed, remains) if pictures else None

    def learn(self, learned: Learned, of_part: Learned) -> None:
        """Fill ``learned`` with what is known of all files, after a scan of :meth:`needles` and :meth:`haystack` that
        has learned what ``of_part`` has.

        What was scanned is known by that, and the rest as it was. Nothing else has to be carried over: what was left
        open by the last run counts as changed, and was scanned.
        """
        sides = (self._news.needles, self.needles(), self._needle_marks), (
            self._news.haystack, self.haystack(), self._haystack_marks,
        )  # fmt: skip
        places: list[list[int]] = []
        for (side, scanned, marks), of_scanned in zip(sides, of_part.marks, strict=True):
            wanted = set(map(_PATH, scanned))
            places.append(list(compress(count(), map(wanted.__contains__, map(_PATH, side.entries)))))
            for place, own in zip(places[-1], of_scanned, strict=False):  # none where nothing was
                marks[place] = own or marks[place]
        learned.is_filled = True
        learned.marks = self._needle_marks, self._haystack_marks
        learned.links = self._links(places, of_part.links)
        learned.claims = [*self._claims(self._left_out()), *of_part.claims]

    def _links(self, scanned: Sequence[list[int]], of_part: Links | None) -> Links | None:
        """Return the pictures of all files; given are the places of those that were scanned, and their pictures."""
        if self._news.last.links is None:
            return None
        from dupfind.scanning.links import kept_for_next

        needles, haystack = (
            kept_for_next(
                linkable.pictures,
                side.changes.places,
                places,
                None if of_part is None else of_part[number],
                are_all_searched=number == 0,
            )
            for number, (linkable, side, places) in enumerate(
                zip(self._sides, (self._news.needles, self._news.haystack), scanned, strict=True)
            )
        )
        return Links(needles, haystack)

    def _claims(self, left_out: Collection[str]) -> list[tuple[str, str]]:
        """Return the claims of before, but for those of needles that are ``left_out``."""
        needles, haystack = self._news.needles.changes.paths, self._news.haystack.changes.paths
        claims = [(needles[claim.needle], haystack[claim.witness]) for claim in self._news.last.claims]
        return [(needle, witness) for needle, witness in claims if needle not in left_out]

    def _is_other_than_before(self, rescanned: Findings) -> bool:
        """Tell whether a picture was decoded in only one of two reads, or the haystack for the first time."""
        if rescanned.haystack_pictures is None:
            return False
        if self._before.haystack_pictures is None:
            return True
        return any(path not in rescanned.failures for path in self._undecoded) or not self._missed.isdisjoint(
            rescanned.pictures
        )

    def _may_concern_all(self, rescanned: Findings, left_out: set[str]) -> bool:
        """Tell whether a needle has to be compared with every picture of the haystack, as a damaged one is."""
        if rescanned.remains or any(map(_is_partly_intact, rescanned.matches.values())):
            return True
        if not self._are_pictures_changed():
            return False
        before = self._before
        with_reason = compress(before.matches, map(_REASON, before.matches.values()))
        intact = (path for path in with_reason if _is_partly_intact(before.matches[path]))
        return not left_out.issuperset(chain(before.remains, intact))

    def _are_pictures_changed(self) -> bool:
        """Tell whether pictures of the haystack have come or gone."""
        links, haystack = self._news.last.links, self._news.haystack
        if links is None:
            return False
        fresh = sum(entry.has_comparable_picture for entry in haystack.fresh)
        gone = set(haystack.changes.gone)
        return fresh > len(self._undecoded) + len(self._unread) or not gone.isdisjoint(links.haystack.places)

    def _merged_failures(self, rescanned: Findings, asked: set[str], left_out: set[str]) -> dict[str, Failure] | None:
        """Return why files on either side were not read; None where one could not be read that was read before."""
        haystack = self._news.haystack
        seen = {haystack.entries[place].path for place in self._linked} | {entry.path for entry in haystack.fresh}
        dropped = seen | left_out | set(haystack.gone)
        failures = {path: failure for path, failure in self._before.failures.items() if path not in dropped}
        if not rescanned.failures.keys() <= seen | asked | failures.keys():
            return None
        failures |= {path: failure for path, failure in rescanned.failures.items() if path in seen or path in asked}
        return failures | self._undecoded | self._unread


def _of_a_size(side: OneSide, other: OneSide) -> list[int]:
    """Return the places of the new files of one side that have the size of a file of the other, and a size at all."""
    sizes = {entry.size_bytes for entry in side.fresh} - {0}
    met = set(filter(sizes.__contains__, map(_SIZE, other.entries))) if sizes else sizes
    return [place for place in side.changes.fresh if side.entries[place].size_bytes in met]


def _without_parts(findings: Findings) -> Findings:
    if not any(map(is_fragment, filter(None, map(_REASON, findings.matches.values())))):  # as nearly always
        return findings
    matches = {path: match for path, match in findings.matches.items() if not is_fragment(match.reason)}
    return replace(findings, matches=matches)


def _gone(path: str) -> FileEntry:
    """Stand in for a file that is gone: nothing but its path counts."""
    return FileEntry(path, 0, 0, 0, 0)


def _now(numbers: Iterable[int], side: OneSide) -> set[int]:
    """Return the places now of files by their numbers: of before, or behind all of these."""
    end, places = len(side.changes.paths), side.changes.places
    return {place for number in numbers if (place := places[number] if number < end else number - end) >= 0}


def _positions(wanted: Collection[str], paths: Sequence[str]) -> Iterator[int]:
    """Return where these paths stand among ``paths``, as far as they do."""
    return compress(count(), map(wanted.__contains__, paths)) if wanted else iter(())


def _nearest_upright(matches: Sequence[Match | None]) -> Iterator[int]:
    """Yield of each match how far away its witness lies, in bits of the hash, where nothing but what lies as near and
    is not turned matters to the needle; :data:`_ANY` where other pictures may matter.

    A needle takes the nearest witness that is the same picture as it lies, and is not turned where there is one. How
    others lie is not known.
    """
    for start in range(0, len(matches), _BATCH):  # nearly all are of one kind, and a hundred thousand are asked for
        batch = matches[start : start + _BATCH]
        if all(batch):
            _, evidences, distances, reasons = zip(*filter(None, batch), strict=True)
            if evidences.count(Evidence.SAME) == reasons.count(None) == len(batch) and None not in distances:
                yield from distances
                continue
        yield from map(_upright_bits, batch)


def _upright_bits(match: Match | None) -> int:
    if match is None or match.evidence is not Evidence.SAME or match.distance_bits is None:
        return _ANY
    is_upright = match.reason is None or match.reason.code is ReasonCode.MORE_COMPRESSED
    return match.distance_bits if is_upright else _ANY


def _is_identical(match: Match | None) -> bool:
    return match is not None and match.evidence is Evidence.IDENTICAL


def _is_partly_intact(match: Match) -> bool:
    return match.reason is not None and match.reason.code is ReasonCode.PARTLY_INTACT
