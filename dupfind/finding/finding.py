"""Was this picture seen before? The haystack files nearest to single pictures, the best first.

decode > what is remembered of the haystack > equal bytes > nearest hashes > the stages of a scan, among these few alone

The search is exact: every hash of the haystack is compared. What lies within the threshold is judged as by a scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from dupfind import libraries
from dupfind.answers.find import FILMS_BY_BYTES, NO_SAME_FILM, FindResult, NearFile, Sought
from dupfind.answers.hash import Given
from dupfind.cache.cache_schema import FRAMED, SnapshotError
from dupfind.cache.cache_snapshots import SnapshotShelf
from dupfind.events import Listener
from dupfind.evidence import fingerprint
from dupfind.finding.collection import Collection, NearRows, Reach, Sighting, near_rows
from dupfind.finding.snapshot_store import SnapshotStore
from dupfind.matching.borders import inner_hashes
from dupfind.matching.candidates import compared
from dupfind.matching.decodes import Decodes
from dupfind.matching.match import match_pictures
from dupfind.matching.nearest import Nearest, Needle, Seen
from dupfind.matching.same_image_data import REASON
from dupfind.pictures import formats
from dupfind.reading import Pictures
from dupfind.reasons import spelled
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.session import with_reader
from dupfind.settings import Settings
from dupfind.sources.same_file import SameFile
from dupfind.values import FILM_FRAMES, HASH_BITS, Evidence, Failure, FileEntry, Match, ScanSettings
from dupfind.version import __version__

Words = np.ndarray[tuple[int, ...], np.dtype[np.uint64]]

_MOST_ROUNDS = 20
"""How often files that were found may turn out to have changed since the walk."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a haystack, beside the settings of a scan."""

    nearest: int = 5
    """How many are told for each picture."""
    most_bits: int = HASH_BITS
    """Nothing farther away is told."""
    is_anew: bool = False
    """Whether the whole haystack is walked, whatever is remembered of it."""


def wanted(nearest: int, threshold_bits: int | None, *, is_anew: bool = False) -> Wanted:
    """Make the request of options of these names; ``threshold_bits`` None: the nearest, however far away."""
    return Wanted(nearest, HASH_BITS if threshold_bits is None else threshold_bits, is_anew)


def find_images(
    settings: Settings,
    images: Sequence[Given],
    wanted: Wanted,
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
) -> FindResult:
    """Find the nearest haystack files of each of ``images``.

    Raises :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    run = Run(settings, listener, make_executor)
    for warning in settings.warnings:
        run.listener.warn(warning)
    return with_reader(run, partial(_find, images, wanted))


def _find(images: Sequence[Given], wanted: Wanted, run: Reading) -> FindResult:
    if all(given.file is None for given in images):
        sought = [Sought(given.path, error=given.error) for given in images]
        return FindResult(__version__, run.settings.scan, wanted.nearest, sought, None, None, [])
    shelf = None if run.cache.path is None else SnapshotShelf(run.cache.path)
    finder = _Finder(run, wanted, shelf)
    try:
        try:
            return finder.find(images, is_anew=wanted.is_anew)
        except SnapshotError:  # another run has put another one in its place meanwhile
            return finder.find(images, is_anew=True)
    finally:
        if shelf is not None:
            shelf.close()


def _is_film(failure: Failure | None, path: str) -> bool:
    """Tell whether what is called a film is at least no picture."""
    return failure is not None and failure.lasting and not failure.is_image and formats.is_film_name(path)


class _Finder:
    """One haystack, and what it takes to look into it."""

    def __init__(self, run: Reading, wanted: Wanted, shelf: SnapshotShelf | None) -> None:
        self._run = run
        self._settings = run.settings
        self._wanted = wanted
        self._listener = run.listener
        self._reader = run.reader
        self._cache = run.cache
        self._snapshots = SnapshotStore(run, shelf)
        self._shown, self._same = run.shown, SameFile(run.mounts)
        self._failures: dict[str, Failure] = {}
        """By path, of images and of the haystack."""
        self._twins: dict[str, list[FileEntry]] = {}
        """By the path of the image, the files of the haystack with its bytes."""
        self._itself: dict[str, dict[int, str]] = {}
        """Likewise, the rows and paths of the haystack that are the image itself."""
        self._films: dict[str, list[NearFile]] = {}
        """By the path of each film whose packets were compared, the films of the haystack that have them."""

    def find(self, images: Sequence[Given], *, is_anew: bool) -> FindResult:
        """Find the answer; raises :class:`~dupfind.cache.cache_schema.SnapshotError`
        where what was remembered has gone.
        """
        files = {given.file.entry.path: given.file.entry for given in images if given.file is not None}
        self._reader.prepare(list(files.values()))
        collection = self._snapshots.open(list(files.values()), is_anew=is_anew)
        pictures = self._turned(self._reader.pictures(list(files.values()), "decoding", 1))
        self._failures = dict(pictures.failures)
        self._find_twins(list(files.values()), collection)
        nearest: dict[str, list[NearFile]] = {}
        if pictures.entries:
            collection.read_pictures()
            nearest = self._nearest(pictures, collection)
            if self._settings.scan.fragments:
                self._find_parts(pictures, nearest, collection)
        self._find_films(
            [entry for path, entry in files.items() if _is_film(pictures.failures.get(path), path)], collection
        )
        failures = collection.failed() | self._failures
        unread = {self._shown(path): failure for path, failure in failures.items() if path not in files}
        answer = FindResult(
            version=__version__,
            settings=self._settings.scan,
            nearest=self._wanted.nearest,
            sought=[self._sought(given, nearest) for given in images],
            files=collection.files,
            pictures=collection.pictures if pictures.entries else None,
            problems=self._snapshots.problems_of(unread),
            catalogs=self._snapshots.catalogs,
            most_bits=self._wanted.most_bits,
        )
        if pictures.entries:
            self._snapshots.keep(collection)  # the last thing: what is remembered is replaced by it
        return answer

    def _turned(self, pictures: Pictures) -> Pictures:
        """Add the hashes of all orientations; made here, since a process would take longer to start."""
        if not self._settings.scan.rotations or not pictures.refs:
            return pictures
        hashes = []
        for ref in pictures.refs:
            pixels = fingerprint.pixels(self._cache.thumbnails([ref.id])[ref.id].pixels)
            hashes.append(fingerprint.search_hashes(pixels, self._settings.scan.algorithm))
        return replace(pictures, hashes=np.array(hashes, np.uint64))

    def _sought(self, given: Given, nearest: Mapping[str, Sequence[NearFile]]) -> Sought:
        if given.file is None:
            return Sought(given.path, error=given.error)
        path = given.file.entry.path
        copies = [
            NearFile(self._shown(twin.path), Evidence.IDENTICAL, None, None, True, twin)
            for twin in self._twins.get(path, ())
        ]
        copies.sort(key=lambda twin: twin.path)
        films = self._films.get(path, [])
        return Sought(
            given.path,
            [*copies, *films, *nearest.get(path, ())][: self._wanted.nearest],
            sorted(map(self._shown, self._itself.get(path, {}).values())),
            self._error(path),
        )

    def _error(self, path: str) -> str | None:
        """Return why an image could not be looked at; that a film is no picture is no fault of it."""
        failure = self._failures.get(path)
        if failure is None:
            return None
        if not _is_film(failure, path):
            return failure.reason
        if path not in self._films:
            return FILMS_BY_BYTES
        if failure.stage == FILM_FRAMES:
            return failure.reason
        return None if self._films[path] or self._twins.get(path) else NO_SAME_FILM

    def _find_twins(self, images: Sequence[FileEntry], collection: Collection) -> None:
        """Learn which files have the bytes of an image, and which are an image itself."""
        sighted = _look(collection, lambda: collection.same_size({image.size_bytes for image in images}))
        alike: dict[int, list[tuple[int, FileEntry]]] = {}
        for row, (entry, *_) in sighted.items():
            alike.setdefault(entry.size_bytes, []).append((row, entry))
        same_size: dict[str, list[FileEntry]] = {}
        for image in images:
            rows = alike.get(image.size_bytes, ())
            own = {row: entry for row, entry in rows if self._is_own(entry, image)}
            self._itself[image.path] = {row: entry.path for row, entry in own.items()}
            same_size[image.path] = [entry for row, entry in rows if row not in own]
        asked = [image for image in images if same_size[image.path]]
        compared = {entry.path: entry for image in asked for entry in (image, *same_size[image.path])}
        digests = self._reader.digests(list(compared.values())) if compared else {}
        self._failures |= {path: failure for path, failure in digests.items() if isinstance(failure, Failure)}
        self._twins = {
            image.path: [entry for entry in same_size[image.path] if digests[entry.path] == digests[image.path]]
            for image in asked
            if isinstance(digests[image.path], bytes)
        }

    def _find_films(self, films: Sequence[FileEntry], collection: Collection) -> None:
        """Learn which films of the haystack have the packets of these; nothing without the extra that reads films."""
        if not films or not libraries.can_read_films() or self._settings.scan.quick:
            return
        from dupfind.matching.same_film import same_films

        sighted = _look(collection, collection.films)
        accept = self._settings.scan.accept
        inside = [[film] for film in films if self._itself[film.path]]
        outside = [film for film in films if not self._itself[film.path]]
        for group in [*inside, *([outside] if outside else [])]:
            left_out = {path for film in group for path in self._itself[film.path].values()}
            haystack = [sighting.entry for sighting in sighted.values() if sighting.entry.path not in left_out]
            same, failures = same_films(group, haystack, self._run)
            self._failures |= failures
            for film in group:
                twins = {twin.path for twin in self._twins.get(film.path, ())}
                self._films[film.path] = [
                    NearFile(
                        self._shown(entry.path), Evidence.SAME, None, REASON, Evidence.SAME.rank <= accept.rank, entry
                    )
                    for entry in same.get(film.path, ())
                    if entry.path not in twins
                ]
            self._find_like_films([film for film in group if film.path not in failures], haystack)

    def _find_like_films(self, films: Sequence[FileEntry], haystack: Sequence[FileEntry]) -> None:
        """Learn which films of the haystack look like those of these that nothing proves; none of them is a witness."""
        unproved = [film for film in films if not self._films[film.path] and not self._twins.get(film.path)]
        if not unproved:
            return
        from dupfind.matching.like_film import like_films

        alike, failures = like_films(unproved, haystack, self._run)
        self._failures |= failures
        for path, near in alike.items():
            self._films[path] = [
                NearFile(
                    self._shown(film.entry.path),
                    Evidence.SIMILAR,
                    film.run.distance_bits,
                    film.reason,
                    is_witness=False,
                    entry=film.entry,
                )
                for film in near
            ]

    def _find_parts(self, pictures: Pictures, nearest: dict[str, list[NearFile]], collection: Collection) -> None:
        """Look for those images as parts that nothing of the haystack looks like; what is found comes first."""
        unlike = [
            position
            for position, entry in enumerate(pictures.entries)
            if entry.path not in self._failures
            and not self._twins.get(entry.path)
            and not any(near.evidence for near in nearest.get(entry.path, ()))
        ]
        if not unlike:
            return
        from dupfind.matching.fragments import match_fragments

        def rows() -> list[int]:
            collection.read_pictures()
            return collection.picture_rows()

        sighted = _look(collection, rows)
        own = {position: self._itself[pictures.entries[position].path] for position in unlike}
        outside = [position for position in unlike if not own[position]]
        for group in [*([position] for position in unlike if own[position]), *([outside] if outside else [])]:
            left_out = {path for position in group for path in own[position].values()}
            haystack = _pictures([sighting for sighting in sighted.values() if sighting.entry.path not in left_out])
            entries = {entry.path: entry for entry in haystack.entries}
            needles = [pictures.entries[position] for position in group]
            for path, match in match_fragments(self._run, needles, haystack.entries, haystack.sizes).items():
                assert match.reason is not None
                reason, witness = spelled(match.reason, self._shown), entries[match.witness]
                part = NearFile(
                    self._shown(witness.path), match.evidence, None, reason, is_witness=False, entry=witness
                )
                nearest[path] = [part, *(near for near in nearest.get(path, ()) if near.path != part.path)]

    def _is_other(self, sighting: Sighting | None, image: FileEntry) -> bool:
        """Tell whether a row is still there, and is not the image itself."""
        return sighting is not None and not self._is_own(sighting.entry, image)

    def _is_own(self, entry: FileEntry, image: FileEntry) -> bool:
        """Tell whether a file of the haystack is the image itself."""
        return self._same.is_itself(entry, image)

    def _nearest(self, pictures: Pictures, collection: Collection) -> dict[str, list[NearFile]]:
        """Find the haystack's pictures nearest to each image, by its path; those with its bytes are left out."""
        positions = {entry.path: position for position, entry in enumerate(pictures.entries)}
        inner = self._inner_hashes(pictures)
        scan, wanted = self._settings.scan, self._wanted
        rows: dict[str, NearRows] = {}

        def search() -> list[int]:
            collection.read_pictures()
            with self._listener.part("search", len(positions)):
                for path, position in positions.items():
                    # The twins come before all others, and fill some of the places.
                    count = compared(wanted.nearest) + len(self._twins.get(path, ()))
                    reach = Reach(count, wanted.most_bits, scan.threshold_bits)
                    hashes = pictures.hashes[position]
                    rows[path] = near_rows(collection, hashes, inner[path], reach, list(self._itself[path]))
            return sorted({row for parts in rows.values() for part in parts for row in part})

        sighted = _look(collection, search)
        for path, parts in rows.items():
            # Asked again: what has changed since it was remembered had another size then, and has another row now.
            image = pictures.entries[positions[path]]
            rows[path] = NearRows(*([row for row in part if self._is_other(sighted.get(row), image)] for part in parts))
        nearest: dict[str, list[NearFile]] = {}
        # As a scan would: those outside the haystack together, each that lies in it before all others.
        inside = [[path] for path in positions if self._itself[path]]
        outside = [path for path in positions if not self._itself[path]]
        for group in [*inside, *([outside] if outside else [])]:
            among = {row for path in group for part in rows[path] for row in part}
            in_order = collection.in_order(np.array(sorted(among), np.int64)).tolist()
            haystack = _pictures([sighted[row] for row in in_order])
            needles = pictures.chosen([positions[path] for path in group])
            entries = {path: {sighted[row].entry.path for row in rows[path].nearest} for path in group}
            nearest |= self._compare(needles, haystack, entries)
        return nearest

    def _inner_hashes(self, pictures: Pictures) -> dict[str, Words]:
        """Hash each image without its frame, by its path."""
        algorithm, orientations = self._settings.scan.algorithm, pictures.hashes.shape[1]
        hashes: dict[str, Words] = {}
        for entry, ref in zip(pictures.entries, pictures.refs, strict=True):
            ids = [ref.id] if ref.id & FRAMED else []
            hashes[entry.path] = inner_hashes(self._cache, ids, algorithm, orientations).reshape(-1)
        return hashes

    def _compare(
        self, needles: Pictures, haystack: Pictures, among: Mapping[str, Iterable[str]]
    ) -> dict[str, list[NearFile]]:
        """Rank, by path of the needle, the haystack's pictures ``among`` which it was found, twins left out."""
        scan = self._settings.scan
        unproved = [position for position, entry in enumerate(needles.entries) if not self._twins.get(entry.path)]
        decodes = Decodes(needles.chosen(unproved), haystack, self._reader.full_decodes)
        matches = match_pictures(self._run, decodes).matches
        self._failures |= decodes.failures
        read, haystack = decodes.pictures()
        refs = {entry.path: ref for entry, ref in zip(read.entries, read.refs, strict=True)}
        nearest_of = {}
        with self._listener.part("evidence", len(needles.entries)):
            reader, orientations = self._reader, needles.hashes.shape[1]
            nearest = Nearest(
                scan, haystack, self._cache, reader.compare_at_full_size, reader.full_decodes, orientations
            )
            places = {entry.path: position for position, entry in enumerate(haystack.entries)}
            for entry, ref, hashes in zip(needles.entries, needles.refs, needles.hashes.tolist(), strict=True):
                if entry.path in self._failures:
                    continue
                twins = {twin.path for twin in self._twins.get(entry.path, ())}
                match = Match("", Evidence.IDENTICAL, None) if twins else matches.get(entry.path)
                positions = [places[path] for path in among[entry.path] if path in places and path not in twins]
                id_ = refs.get(entry.path, ref).id
                needle = Needle(entry, self._cache.thumbnails([id_])[id_], hashes)
                seen = nearest.best(needle, positions, match, self._wanted.nearest)
                near = (as_near(picture, match, scan, self._shown) for picture in seen)
                nearest_of[entry.path] = [
                    picture for picture in near if (picture.distance_bits or 0) <= self._wanted.most_bits
                ]
        return nearest_of


def as_near(seen: Seen, match: Match | None, settings: ScanSettings, shown: Callable[[str], str]) -> NearFile:
    """Tell of a picture, and whether it is a witness: at the grade that is asked for, and where a scan comes to it."""
    is_match = match is not None and match.witness == seen.entry.path
    is_found = is_match or seen.distance_bits <= settings.threshold_bits
    is_witness = seen.evidence is not None and is_found and seen.evidence.rank <= settings.accept.rank
    return NearFile(shown(seen.entry.path), seen.evidence, seen.distance_bits, seen.reason, is_witness, seen.entry)


def _look(collection: Collection, search: Callable[[], list[int]]) -> dict[int, Sighting]:
    """Return what ``search`` finds, as it is now; search again where something has changed."""
    for _ in range(_MOST_ROUNDS):
        sighted, are_sound = collection.look(search())
        if are_sound:
            break
    return sighted


def _pictures(sighted: Sequence[Sighting]) -> Pictures:
    """Make pictures of these files, as the stages of a scan take them."""
    shown = [(sighting.entry, sighting.ref, sighting.hash) for sighting in sighted if sighting.ref is not None]
    hashes = np.array([hash_ for *_, hash_ in shown], np.uint64).reshape(-1, 1)
    return Pictures([entry for entry, *_ in shown], [ref for _, ref, _ in shown], hashes, {})
