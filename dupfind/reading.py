"""Answer what the stages ask of files, from the cache or else from the pool of workers.

Every answer goes to the cache as it comes. Only ids and hashes are kept in memory, never thumbnails.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import compress
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Compared, FilePair, PictureRef, is_bare, is_gray
from dupfind.events import Advance, Listener
from dupfind.pictures import formats
from dupfind.pool import film_digests, first_looks, full_size, small_files, tasks
from dupfind.pool.film_digests import FilmData
from dupfind.pool.first_looks import FirstLook
from dupfind.pool.full_size import FullSizePair
from dupfind.pool.judge_pool import JudgePool
from dupfind.pool.processes import Death
from dupfind.pool.workers import Pool
from dupfind.reasons import Reason
from dupfind.settings import Settings
from dupfind.sources.source import Elsewhere
from dupfind.values import MIRRORED, THUMBNAIL_SIDE, Failure, FileEntry, Thumbnail

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dupfind.answers.page import Preview
    from dupfind.evidence.fragments import Marks, Overlap, PageMarks
    from dupfind.pool.fragments import FragmentPair

T = TypeVar("T")
R = TypeVar("R")

_size_of: Callable[[FileEntry], int] = attrgetter("size_bytes")
_PATH = itemgetter(FileEntry._fields.index("path"))
_HASH_BATCH = 4096
_HASH_BYTES = 8
_MOST_SENT_HASHES = 1 << 15
"""How many hashes of needles, in all orientations, go to the workers with each chunk: 256 kB, compared in 0.05 ms."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures among some files, in the files' order."""

    entries: list[FileEntry]
    refs: list[PictureRef]
    """Their thumbnails in the cache, and their sizes."""
    hashes: NDArray[np.uint64]
    """Shape (pictures, orientations): the search hashes, the upright one first."""
    failures: dict[str, Failure]
    """By path, the files that gave no thumbnail."""

    def chosen(self, positions: Sequence[int]) -> Pictures:
        """Return those at these positions, without failures."""
        return replace(
            self,
            entries=[self.entries[position] for position in positions],
            refs=[self.refs[position] for position in positions],
            hashes=self.hashes[list(positions)],
            failures={},
        )

    def sizes(self, positions: Iterable[int]) -> dict[int, int]:
        """Tell how many pixels those at these positions have."""
        return {position: self.refs[position].size_pixels for position in positions}


class Measured(NamedTuple):
    """A picture that was bare, with all measures."""

    ref: PictureRef
    hashes: NDArray[np.uint64]
    """Shape (orientations,), the upright one first."""


class Reader:
    """Answers the stages' questions about files."""

    def __init__(self, settings: Settings, pool: Pool, cache: Cache, listener: Listener) -> None:
        self._settings = settings
        self._pool = pool
        self._cache = cache
        self._listener = listener
        self.map_pairs = JudgePool(pool, cache, settings.workers).map
        self._sampled: dict[str, tuple[PictureRef | Failure, bytes | None]] = {}
        """By path, what a picture of a sample holds, and its hashes, packed."""
        self._without_parts: set[str] = set()
        """Paths of pictures of which it was told that parts were not looked for in them."""
        self.passing: set[str] = set()
        """Paths of files that could not be read or compared in some stage, and perhaps can next time: whatever rests on
        them is asked again then."""

    def start(self) -> None:
        """Start the processes that decode now, where no picture is in the cache: they will be needed."""
        if self._cache.has_no_pictures():
            self._pool.prepare()

    def prepare(self, entries: Sequence[FileEntry]) -> None:
        """Start the processes that decode now, where one of these files has to be decoded."""
        if any(content.content is None for content in self._cache.recall_contents(entries)):
            self._pool.prepare()

    def prepare_for_new(self, entries: Sequence[FileEntry]) -> None:
        """Start them now, where nothing is known of one of these files: without a look at how pictures are decoded,
        for which a process of theirs is asked later.
        """
        if not self._cache.knows_all(entries):
            self._pool.prepare()

    def digests(self, entries: Sequence[FileEntry], *, is_afresh: bool = False) -> dict[str, bytes | Failure]:
        """Return the digest of each file, or why it has none, by path; ``is_afresh`` reads them past the cache."""
        with self._listener.part("look up", len(entries)):
            # A digest from the cache says what the file was, and --paranoid asks what it is.
            cached = [None] * len(entries) if is_afresh else self._cache.recall_digests(entries)
            return self._digests(entries, cached)

    def _digests(
        self, entries: Sequence[FileEntry], cached: Iterable[bytes | Failure | None]
    ) -> dict[str, bytes | Failure]:
        digests: dict[str, bytes | Failure] = {}
        unread: list[FileEntry] = []
        for entry, digest in zip(entries, cached, strict=True):
            if digest is None:
                unread.append(entry)
            else:
                digests[entry.path] = digest
        if unread:
            with self._listener.stage("comparing bytes", len(unread)) as advance:
                self._listener.expect(sum(map(_size_of, unread)))
                left = self._digest_small(unread, digests, advance)
                lost = partial(_lost, stage="digest")
                done = self._pool.map(tasks.read_digests, left, size_bytes=_size_of, lost=lost, is_light=True)
                for entry, outcome in self._told(done, _size_of, advance):
                    assert not isinstance(outcome.result, Thumbnail)
                    digests[entry.path] = outcome.result
                    if isinstance(outcome.result, bytes):
                        self._cache.keep_digest(entry, outcome.result, outcome.read_ns)
        return digests

    def _digest_small(
        self, entries: Sequence[FileEntry], digests: dict[str, bytes | Failure], advance: Advance
    ) -> list[FileEntry]:
        """Put the digests of small files into ``digests``, where they are many, and return the files that are left."""
        small = [entry for entry in entries if type(entry) is FileEntry and entry.size_bytes <= small_files.MOST_BYTES]
        batches = self._pool.digest_small(small)
        if batches is None:
            return list(entries)
        with closing(batches):
            for batch in batches:
                read = small[batch.first : batch.first + len(batch.digests)]
                if not all(batch.digests):
                    read = list(compress(read, batch.digests))
                of_files = list(filter(None, batch.digests))
                digests.update(zip(map(_PATH, read), of_files, strict=True))
                self._cache.keep_digests(read, of_files, batch.read_ns)
                self._listener.went_through(sum(map(_size_of, read)))
                advance(len(read))
        return [entry for entry in entries if entry.path not in digests]

    def bare(self, needles: Pictures | None = None, *, may_be_gray: bool = False) -> tasks.Bare:
        """Allow bare pictures, except within the threshold of ``needles``: those are judged, by all measures.

        What only a mirrored needle is near to is judged by its pixels alone, and may be bare too, but not gray.
        ``may_be_gray`` where few of them will be judged: what is gray has to be decoded again to be measured.
        """
        scan = self._settings.scan
        packed = mirrored = b""
        if needles is not None and needles.hashes.size <= _MOST_SENT_HASHES:
            by_orientation = needles.hashes.astype(">u8").T
            is_mirrored = [orientation in MIRRORED for orientation in range(len(by_orientation))]
            mirrored = by_orientation[is_mirrored].tobytes()
            packed = by_orientation[[not each for each in is_mirrored]].tobytes()
        from dupfind.evidence.fingerprint import MOST_GRAY_BITS

        is_gray = may_be_gray and self._are_gray_searched and scan.threshold_bits <= MOST_GRAY_BITS
        return tasks.Bare(packed, scan.algorithm, scan.threshold_bits, is_gray, mirrored)

    @property
    def _are_gray_searched(self) -> bool:
        from dupfind.evidence.fingerprint import GRAY_ALGORITHM

        return self._settings.scan.algorithm == GRAY_ALGORITHM

    def pictures(
        self, entries: Sequence[FileEntry], what: str, orientations: int, *, bare: tasks.Bare | None = None
    ) -> Pictures:
        """Return the thumbnails' ids and hashes of the pictures among ``entries``.

        With ``bare`` some are bare (:func:`~dupfind.cache.cache_schema.is_bare`), and the caller decodes them in full
        before they are judged. The hashes are the same either way.
        """
        with self._listener.part("look up", len(entries)):
            return self._pictures(entries, what, orientations, bare)

    def sample(
        self, entries: Sequence[FileEntry], what: str, orientations: int, *, bare: tasks.Bare | None = None
    ) -> Pictures:
        """Return the same of a few files, and remember it for when :meth:`pictures` is asked for all of them."""
        pictures = self.pictures(entries, what, orientations, bare=bare)
        hashes = (row.tobytes() for row in pictures.hashes.astype(">u8"))
        contents = zip(pictures.refs, hashes, strict=True)
        self._sampled |= {entry.path: content for entry, content in zip(pictures.entries, contents, strict=True)}
        self._sampled |= {path: (failure, None) for path, failure in pictures.failures.items()}
        return pictures

    def _pictures(
        self, entries: Sequence[FileEntry], what: str, orientations: int, bare: tasks.Bare | None
    ) -> Pictures:
        self.start()  # they load the decoders while this process does, to name the recipe
        # By position, since there may be a million: dictionaries took 120 bytes a picture more.
        contents: list[PictureRef | Failure | None] = [None] * len(entries)
        hashes = _Hashes(len(entries), orientations)
        unread: list[FileEntry] = []
        places: dict[str, list[int]] = {}
        for place, (entry, cached) in enumerate(zip(entries, self._cache.recall_contents(entries), strict=True)):
            remembered, packed = self._sampled.get(entry.path, cached)
            if remembered is None or not self._is_enough(remembered, bare):
                unread.append(entry)
                places.setdefault(entry.path, []).append(place)
                continue
            contents[place] = content = self._within_bounds(remembered)
            if isinstance(content, PictureRef):
                hashes.put(place, content.id, packed)
        hashing = tasks.Hashing(self._settings.scan.algorithm, orientations)
        decoded = self._decode(unread, what, may_be_coarse=True, bare=bare, hashing=hashing)
        for path, content, packed in decoded:
            for place in places[path]:
                contents[place] = content
                if isinstance(content, PictureRef):
                    hashes.put(place, content.id, packed)
            if isinstance(content, PictureRef) and packed is not None:
                self._cache.keep_hashes(content.id, packed)
        for id_, made in self._hashed(list(hashes.missing), orientations):
            hashes.fill(id_, made)
        return _pictures(entries, contents, hashes.packed, orientations)

    def first_looks(self, entries: Sequence[FileEntry]) -> list[FirstLook | None]:
        """Return what the preview in each file shows, in their order; None where a file has none that can be used.

        Small files, and formats without previews, are not opened. Nothing may be judged by a preview.
        """
        looks: list[FirstLook | None] = [None] * len(entries)
        asked = [place for place, entry in enumerate(entries) if _may_have_preview(entry)]
        unread: list[FileEntry] = []
        places: dict[str, list[int]] = {}
        with self._listener.part("look up", len(asked)):
            recalled = self._cache.recall_first_looks([entries[place] for place in asked])
            for place, packed in zip(asked, recalled, strict=True):
                if packed is None:
                    unread.append(entries[place])
                    places.setdefault(entries[place].path, []).append(place)
                else:
                    looks[place] = self._look_within_bounds(packed)
        algorithm, timeout_seconds = self._settings.scan.algorithm, self._settings.timeout_seconds
        task = partial(first_looks.read_first_looks, algorithm=algorithm, timeout_seconds=timeout_seconds)
        lost = partial(_lost, stage="thumbnail")
        for entry, outcome in self.map("reading previews", task, unread, lost, _preview_bytes):
            if isinstance(outcome.result, bytes):  # else it is decoded, and that says what is wrong with it
                self._cache.keep_first_look(entry, outcome.result, outcome.read_ns)
                for place in places[entry.path]:
                    looks[place] = self._look_within_bounds(outcome.result)
        return looks

    def _look_within_bounds(self, packed: bytes) -> FirstLook | None:
        look = first_looks.unpacked(packed)
        return None if look is None or formats.too_large(look.size_pixels, self._settings.max_pixels) else look

    def _is_enough(self, content: PictureRef | Failure, bare: tasks.Bare | None) -> bool:
        """Tell whether what is remembered has all that is asked for."""
        if isinstance(content, Failure) or not is_bare(content.id):
            return True
        return bare is not None and (self._are_gray_searched or not is_gray(content.id))

    def _within_bounds(self, content: PictureRef | Failure) -> PictureRef | Failure:
        """Return what is cached, unless this run would refuse it: a warm run answers as a cold one."""
        if isinstance(content, PictureRef):
            refusal = formats.too_large(content.size_pixels, self._settings.max_pixels)
            return Failure(refusal, lasting=False) if refusal else content
        return content

    def full_decodes(self, entries: Sequence[FileEntry]) -> dict[str, PictureRef | Failure]:
        """Return the full decodes of these files, by path; :meth:`pictures` gave coarse ones."""
        contents: dict[str, PictureRef | Failure] = {}
        unread: list[FileEntry] = []
        for entry in entries:
            cached = self._cache.recall_whole(entry)
            if cached is None:
                unread.append(entry)
            else:
                contents[entry.path] = cached
        decoded = self._decode(unread, "reading whole", is_after_coarse=True)
        return contents | {path: content for path, content, _ in decoded}

    def measured(self, entries: Sequence[FileEntry], orientations: int) -> dict[str, Measured | Failure]:
        """Return the pictures of these files with all measures, by path; :meth:`pictures` gave bare ones.

        They replace the bare ones in the cache. Pixels and hashes are the same, but where those were gray.
        """
        import numpy as np

        contents: dict[str, Measured | Failure] = {}
        hashing = tasks.Hashing(self._settings.scan.algorithm, orientations)
        for path, content, packed in self._decode(list(entries), "reading whole", hashing=hashing):
            if isinstance(content, PictureRef):
                assert packed is not None
                self._cache.keep_hashes(content.id, packed)
                contents[path] = Measured(content, np.frombuffer(packed, ">u8").astype(np.uint64))
            else:
                contents[path] = content
        return contents

    def _decode(
        self,
        entries: list[FileEntry],
        what: str,
        *,
        may_be_coarse: bool = False,
        is_after_coarse: bool = False,
        bare: tasks.Bare | None = None,
        hashing: tasks.Hashing | None = None,
    ) -> Iterator[tuple[str, PictureRef | Failure, bytes | None]]:
        """Yield the path of each file, what it holds, and its search hashes where they are asked for."""
        task = partial(
            tasks.read_thumbnails,
            max_pixels=self._settings.max_pixels,
            timeout_seconds=self._settings.timeout_seconds,
            may_be_coarse=may_be_coarse,
            bare=bare,
            hashing=hashing,
        )
        lost = partial(_lost, stage="thumbnail", timeout_seconds=self._settings.timeout_seconds)
        for entry, outcome in self.map(what, task, entries, lost, _size_of):
            assert not isinstance(outcome.result, bytes)
            content = self._cache.keep_content(entry, outcome.result, outcome.read_ns, after_coarse=is_after_coarse)
            yield entry.path, content, outcome.hashes

    def map(
        self,
        what: str,
        task: Callable[[list[T]], list[R]],
        items: Sequence[T],
        lost: Callable[[T, Death], R],
        size_bytes: Callable[[T], int],
        *,
        run_of: Callable[[T], Hashable] | None = None,
    ) -> Iterator[tuple[T, R]]:
        """Yield what ``task`` makes of each item, in the order in which they are done, told the listener as ``what``.

        The rest as in :meth:`dupfind.pool.workers.Pool.map`.
        """
        if items:
            with self._listener.stage(what, len(items)) as advance:
                self._listener.expect(sum(map(size_bytes, items)))
                done = self._pool.map(task, items, size_bytes=size_bytes, lost=lost, run_of=run_of)
                yield from self._told(done, size_bytes, advance)

    def _told(
        self, done: Iterable[tuple[T, R]], size_bytes: Callable[[T], int], advance: Advance
    ) -> Iterator[tuple[T, R]]:
        """Tell the listener of each item that is done."""
        for item, result in done:
            self._listener.went_through(size_bytes(item))
            advance(1)
            yield item, result

    @property
    def elsewhere(self) -> Elsewhere | None:
        """Return the machines of the cluster that reads, for other work; None where there is none."""
        if self._settings.scheduler is None:
            return None
        return Elsewhere(self._pool.lanes, self._run_elsewhere)

    def _run_elsewhere(
        self, task: Callable[[list[T]], list[R]], parts: Sequence[T], size_bytes: Callable[[T], int]
    ) -> list[R | None]:
        """Return what ``task`` makes of each part; None for one that no process could do."""
        task_or_none: Callable[[list[T]], list[R | None]] = task  # type: ignore[assignment]  # lists are invariant
        done = self.map("searching catalogs", task_or_none, parts, _no_result, size_bytes)
        by_part = {id(part): result for part, result in done}
        return [by_part[id(part)] for part in parts]

    def _hashed(self, ids: list[int], orientations: int) -> Iterator[tuple[int, bytes]]:
        """Yield the hashes of these thumbnails, by id, packed."""
        task = partial(tasks.hash_thumbnails, algorithm=self._settings.scan.algorithm, orientations=orientations)
        for id_, packed in self.map_pixels(ids, task):
            self._cache.keep_hashes(id_, packed)
            yield id_, packed

    def image_data(self, entries: Sequence[FileEntry]) -> dict[str, bytes]:
        """Return the digests of the image data of those files that have one, by path."""
        with self._listener.part("look up", len(entries)):
            cached = dict(zip(entries, self._cache.recall_image_data(entries), strict=True))
        digests = {entry.path: digest for entry, digest in cached.items() if digest}
        most_pixels, most_seconds = self._settings.max_pixels, self._settings.timeout_seconds
        unread = [entry for entry, digest in cached.items() if digest is None]
        task = partial(tasks.read_image_data, max_pixels=most_pixels, timeout_seconds=most_seconds)
        lost = partial(_lost, stage="image data")
        for entry, outcome in self.map("comparing image data", task, unread, lost, _size_of):
            digest = outcome.result
            if isinstance(digest, Failure) and digest.lasting:
                digest = tasks.NO_IMAGE_DATA
            if isinstance(digest, bytes):
                self._cache.keep_image_data(entry, digest, outcome.read_ns)
                digests |= {entry.path: digest} if digest else {}
            else:
                self.passing.add(entry.path)
        return digests

    def film_facts(self, entries: Sequence[FileEntry]) -> tuple[dict[str, bytes], dict[str, Failure]]:
        """Return by path the facts that equal films share, and why films could not be read."""
        films, failures = self._film_data("looking into films", film_digests.read_film_facts, entries, lambda _: True)
        return {path: data.facts for path, data in films.items() if data.facts}, failures

    def film_data(self, entries: Sequence[FileEntry]) -> tuple[dict[str, bytes], dict[str, Failure]]:
        """Return by path the digests of the image data of films, and why films could not be read."""
        is_whole = attrgetter("is_whole")
        films, failures = self._film_data("comparing films", film_digests.read_film_data, entries, is_whole)
        return {path: data.digest for path, data in films.items() if data.digest}, failures

    def _film_data(
        self,
        what: str,
        task: Callable[..., list[tasks.Outcome]],
        entries: Sequence[FileEntry],
        is_enough: Callable[[FilmData], bool],
    ) -> tuple[dict[str, FilmData], dict[str, Failure]]:
        """Return by path what is known of films, and why films could not be read this time."""
        data: dict[str, FilmData] = {}
        failures: dict[str, Failure] = {}
        unread: list[FileEntry] = []
        with self._listener.part("look up", len(entries)):
            for entry, packed in zip(entries, self._cache.recall_film_data(entries), strict=True):
                film = None if packed is None else film_digests.unpacked(packed)
                if film is None or not is_enough(film):
                    unread.append(entry)
                else:
                    data[entry.path] = film
        timeout_seconds = self._settings.timeout_seconds
        read = partial(task, timeout_seconds=timeout_seconds)
        lost = partial(_lost_film, timeout_seconds=timeout_seconds)
        for entry, outcome in self.map(what, read, unread, lost, _size_of):
            result = outcome.result
            if isinstance(result, Failure) and result.lasting:
                result = FilmData().packed()
            if isinstance(result, bytes):
                self._cache.keep_film_data(entry, result, outcome.read_ns)
                data[entry.path] = film_digests.unpacked(result)
            elif isinstance(result, Failure):
                failures[entry.path] = replace(result, is_image=False, stage="film data")
        return data, failures

    def compare_at_full_size(self, pairs: Sequence[FullSizePair]) -> dict[FullSizePair, Reason | None]:
        """Compare each pair at full size: what speaks against it, or None; remembered for the two files."""
        outcomes: dict[FullSizePair, Reason | None] = {
            pair: full_size.LISTED for pair in pairs if not (pair.witness.can_be_read and pair.needle.can_be_read)
        }
        by_files = {
            FilePair(pair.needle, pair.witness, pair.orientation): pair for pair in pairs if pair not in outcomes
        }
        with self._listener.part("look up", len(pairs)):
            kept = self._cache.comparisons(list(by_files))
        outcomes |= {by_files[files]: compared.objection for files, compared in kept.items()}
        # Pairs of one witness stand together and go to one process, so that it is decoded once.
        unread = sorted((pair for pair in pairs if pair not in outcomes), key=full_size.decoded_witness)
        timeout_seconds = self._settings.timeout_seconds
        task = partial(full_size.compare_pairs, max_pixels=self._settings.max_pixels, timeout_seconds=timeout_seconds)
        lost = partial(_not_compared, timeout_seconds=timeout_seconds)
        run_of = full_size.decoded_witness
        done = self.map("comparing at full size", task, unread, lost, _bytes_of_pair, run_of=run_of)
        for pair, compared in done:
            outcomes[pair] = compared.objection
            if compared.is_lasting:
                files = FilePair(pair.needle, pair.witness, pair.orientation)
                self._cache.keep_comparison(files, Compared(compared.objection), compared.read_ns)
            else:
                self.passing.add(pair.needle.path)
        return outcomes

    def fragment_marks(self, entries: Sequence[FileEntry], what: str, most: int) -> dict[str, Marks]:
        """Return by path the marks by which parts of these pictures are found, none for a picture that shows nothing;
        what cannot be read is left out.

        ``most`` is the greatest number of marks of a picture; ``what`` names the stage.
        """
        from dupfind.evidence.fragments import first, unpack
        from dupfind.pool.fragments import HAYSTACK_KIND, NEEDLE_KIND, OF_HAYSTACK, PAGE_LIKE_KIND, read_marks

        is_needle = most > OF_HAYSTACK
        least_kind = bytes([NEEDLE_KIND if is_needle else HAYSTACK_KIND])
        packed: dict[str, bytes] = {}
        failures: dict[str, str] = {}
        unread: list[FileEntry] = []
        with self._listener.part("look up", len(entries)):
            for entry, marks in zip(entries, self._cache.recall_fragments(entries), strict=True):
                if marks is None or marks[:1] < least_kind:
                    unread.append(entry)
                else:
                    packed[entry.path] = marks
        max_pixels, timeout_seconds = self._settings.max_pixels, self._settings.timeout_seconds
        task = partial(read_marks, most=most, max_pixels=max_pixels, timeout_seconds=timeout_seconds)
        lost = partial(_lost, stage="fragments")
        for entry, outcome in self.map(what, task, unread, lost, _size_of):
            if isinstance(outcome.result, bytes):
                packed[entry.path] = outcome.result
                self._cache.keep_fragments(entry, outcome.result, outcome.read_ns)
            elif isinstance(outcome.result, Failure):
                failures[entry.path] = outcome.result.reason
        self._tell_of_parts(failures)
        return {
            entry.path: unpack(marks if is_needle else first(marks, most))._replace(may_be_page=kind == PAGE_LIKE_KIND)
            for entry in entries
            if (row := packed.get(entry.path))
            for kind, marks in [(row[0], row[1:])]
        }

    def _tell_of_parts(self, failures: Mapping[str, str]) -> None:
        """Tell of the pictures in which parts were not looked for, by path with the reasons, once of each.

        They were decoded once already: it took too long now, or memory is short, or they are no longer there.
        """
        self.passing.update(failures)
        new = {path: reason for path, reason in failures.items() if path not in self._without_parts}
        if new:
            self._without_parts.update(new)
            path, reason = next(iter(new.items()))
            more = f" and {len(new) - 1:,} more" if len(new) > 1 else ""
            self._listener.warn(f"parts were not looked for in {path}{more}: {reason}")

    def page_marks(self, entries: Sequence[FileEntry]) -> dict[str, PageMarks]:
        """Return by path the marks by which what these pictures show in parts of them is found; read anew each time."""
        from dupfind.evidence.fragments import PageMarks, unpack
        from dupfind.pool.fragments import read_page_marks

        max_pixels, timeout_seconds = self._settings.max_pixels, self._settings.timeout_seconds
        task = partial(read_page_marks, max_pixels=max_pixels, timeout_seconds=timeout_seconds)
        lost = partial(_not_described, timeout_seconds=timeout_seconds)
        done = dict(self.map("looking for more parts", task, entries, lost, _size_of))
        self._tell_of_parts({entry.path: page.reason for entry, page in done.items() if isinstance(page, Failure)})
        return {
            entry.path: PageMarks(unpack(page[0]), page[1])
            for entry, page in done.items()
            if not isinstance(page, Failure)
        }

    def compare_fragments(self, pairs: Sequence[FragmentPair]) -> Iterator[tuple[FragmentPair, Overlap | None]]:
        """Yield each pair of pictures, as they are done, with the part that they have in common, None where they have
        none.

        Pairs that could not be read this time are left out.
        """
        from dupfind.pool.fragments import Unread, compare_fragments, needle_of

        def lost(pair: FragmentPair, death: Death) -> Unread:
            return Unread(pair.needle.path, tasks.lost(death, timeout_seconds).reason)

        max_pixels, timeout_seconds = self._settings.max_pixels, self._settings.timeout_seconds
        task = partial(compare_fragments, max_pixels=max_pixels, timeout_seconds=timeout_seconds)
        unread: dict[str, str] = {}
        for pair, overlap in self.map("comparing parts", task, pairs, lost, _bytes_of_pair, run_of=needle_of):
            if isinstance(overlap, Unread):
                unread[overlap.path] = overlap.reason
                self.passing.add(pair.needle.path)  # whichever of the two failed, its answer is open
            else:
                yield pair, overlap
        self._tell_of_parts(unread)

    @property
    def keeps(self) -> bool:
        """Tell whether anything that is found is remembered for the next run."""
        return self._cache.path is not None

    def recall_parts(self, entries: Sequence[FileEntry]) -> list[bytes | None]:
        """Return what :meth:`keep_parts` kept of each of these needles, or None."""
        with self._listener.part("look up", len(entries)):
            return list(self._cache.recall_parts(entries))

    def keep_parts(self, entry: FileEntry, packed: bytes, read_ns: int) -> None:
        """Remember where parts of a needle were looked for, which was read at ``read_ns``, and what was found."""
        self._cache.keep_parts(entry, packed, read_ns)

    def may_be_kept(self, entries: Sequence[FileEntry], read_ns: int) -> bool:
        """Tell whether what was found of these files at ``read_ns`` may be remembered: none was just written."""
        return self._cache.may_be_kept(entries, read_ns)

    def count_tags(self, entries: Sequence[FileEntry]) -> dict[str, int]:
        """Count the facts in the metadata of each of these pictures, by path; read anew in every run."""
        task = partial(tasks.count_tags, timeout_seconds=self._settings.timeout_seconds)
        counts = self.map("comparing metadata", task, entries, lambda _, __: 0, _size_of)
        return {entry.path: count for entry, count in counts}

    def previews(
        self, entries: Sequence[FileEntry], side: int | None = None, *, is_full: bool = False
    ) -> dict[str, Preview | Failure]:
        """Return a small picture of each of these files, or why there is none, by path; made anew in every run.

        ``side`` is the most that the longer side has, in pixels; ``is_full`` keeps the picture's own size.
        """
        from dupfind.pool.previews import SIDE, read_full_size, read_previews

        max_pixels, timeout_seconds = self._settings.max_pixels, self._settings.timeout_seconds
        task = partial(read_previews, max_pixels=max_pixels, timeout_seconds=timeout_seconds, side=side or SIDE)
        if is_full:
            task = partial(read_full_size, max_pixels=max_pixels, timeout_seconds=timeout_seconds)

        def lost(_: FileEntry, death: Death) -> Preview | Failure:
            return tasks.lost(death, timeout_seconds)

        return {entry.path: preview for entry, preview in self.map("making previews", task, entries, lost, _size_of)}

    def map_pixels(
        self, ids: Sequence[int], task: Callable[[list[tuple[int, bytes]]], list[R]]
    ) -> Iterator[tuple[int, R]]:
        """Yield what ``task`` makes of the pixels of these thumbnails, by id, in the order in which they are done."""
        if not ids:
            return
        with self._listener.stage("hashing", len(ids)) as advance:
            # Hashing runs only code of our own, so what a worker did not finish is safely done here.
            lost = partial(_first_of, task)
            for (id_, _), result in self._pool.map(task, self._pixels(ids), size_bytes=_thumbnail_bytes, lost=lost):
                advance(1)
                yield id_, result

    def _pixels(self, ids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        for start in range(0, len(ids), _HASH_BATCH):
            for id_, thumbnail in self._cache.thumbnails(ids[start : start + _HASH_BATCH]).items():
                yield id_, thumbnail.pixels


class _Hashes:
    """The search hashes of pictures by their places, packed, and those that are still missing."""

    def __init__(self, pictures: int, orientations: int) -> None:
        self._width = orientations * _HASH_BYTES
        self.packed = bytearray(pictures * self._width)
        self.missing: dict[int, list[int]] = {}
        """By the id of its thumbnail, the places of a picture without hashes, or with those of fewer orientations."""

    def put(self, place: int, id_: int, hashes: bytes | None) -> None:
        """Take what is known of a picture: None, or hashes of one or of all orientations."""
        if hashes is None or len(hashes) < self._width:
            self.missing.setdefault(id_, []).append(place)
        else:
            self.packed[place * self._width : (place + 1) * self._width] = hashes[: self._width]

    def fill(self, id_: int, hashes: bytes) -> None:
        """Take the hashes of a thumbnail for all places that lack them."""
        for place in self.missing[id_]:
            self.packed[place * self._width : (place + 1) * self._width] = hashes[: self._width]


def _pictures(
    entries: Sequence[FileEntry], contents: Sequence[PictureRef | Failure | None], packed: bytearray, orientations: int
) -> Pictures:
    """Split what was decoded from what was not; all three are in the order of the entries."""
    failures = {
        entry.path: content for entry, content in zip(entries, contents, strict=True) if isinstance(content, Failure)
    }
    readable = [entry for entry, content in zip(entries, contents, strict=True) if isinstance(content, PictureRef)]
    refs = [content for content in contents if isinstance(content, PictureRef)]
    import numpy as np  # only where there are pictures: a plain copy of the haystack never needs it

    array = np.frombuffer(packed, ">u8").reshape(len(entries), orientations)
    if len(refs) < len(entries):
        array = array[[isinstance(content, PictureRef) for content in contents]]
    return Pictures(readable, refs, array.astype(np.uint64), failures)


def _no_result(*_: object) -> None:
    """Give nothing for what could not be done."""


def _may_have_preview(entry: FileEntry) -> bool:
    is_large = entry.size_bytes >= first_looks.LEAST_FILE_BYTES
    return is_large and entry.can_be_read and formats.suffix(entry.path) in formats.PREVIEW_SUFFIXES


def _preview_bytes(entry: FileEntry) -> int:
    return min(entry.size_bytes, first_looks.USUAL_BYTES)


def _thumbnail_bytes(_: object) -> int:
    return THUMBNAIL_SIDE * THUMBNAIL_SIDE


def _lost(_: FileEntry, death: Death, stage: str, timeout_seconds: float | None = None) -> tasks.Outcome:
    """Make the outcome for a file whose reader died."""
    if timeout_seconds is not None and death.is_late(timeout_seconds):
        return tasks.Outcome(tasks.timed_out(timeout_seconds), 0)
    is_picture = death.shortage is not None and stage == "thumbnail"  # a decoder has begun with it
    return tasks.Outcome(Failure(death.reason, is_image=is_picture, lasting=False, stage=stage), 0)


def _lost_film(entry: FileEntry, death: Death, timeout_seconds: float) -> tasks.Outcome:
    """Return the outcome for a film whose reader died."""
    return _lost(entry, death, "film data", film_digests.seconds_for(entry, timeout_seconds))


def _not_described(_: object, death: Death, timeout_seconds: float) -> Failure:
    return tasks.lost(death, timeout_seconds)


def _first_of(task: Callable[[list[T]], list[R]], item: T, _: Death) -> R:
    return task([item])[0]


def _bytes_of_pair(pair: FullSizePair | FragmentPair) -> int:
    return pair.needle.size_bytes + pair.witness.size_bytes


def _not_compared(_: FullSizePair, death: Death, timeout_seconds: float) -> full_size.Compared:
    return full_size.not_compared(tasks.lost(death, timeout_seconds).reason)
