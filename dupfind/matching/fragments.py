"""Needles without any match, looked for as parts of the haystack's pictures, or as pictures that show parts of them.

A crop, a screenshot, a picture with words over it, a page of an album: `similar` at most, whatever agrees, since what
the one shows and the other does not is the point of it. See docs/decisions/fragments.md.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache_schema import identity
from dupfind.evidence import fragments
from dupfind.evidence.fragments import Marks, Overlap, Pose
from dupfind.matching.part_memory import (
    Block,
    Compared,
    Memory,
    Seen,
    Sighting,
    blocks,
    lacking,
    remembered,
    seen_of,
    sightings_in,
    size_bytes,
)
from dupfind.pool.fragments import OF_HAYSTACK, OF_NEEDLE, FragmentPair
from dupfind.reading import Reader
from dupfind.reasons import Reason, ReasonCode
from dupfind.run import Reading
from dupfind.search.hamming import HashDictionary
from dupfind.values import Evidence, FileEntry, Match

_BATCH_NEEDLES = 512
_BATCH_PAGES = 64
"""Of needles that may show several pictures: these have more marks."""
MOST_TOGETHER = 4096
"""Needles that are looked for in all blocks before the next: what they are searched by takes 55 MB."""
MOST_KNOWN_BYTES = 128 << 20
"""What may have been seen of these: pictures with one mark in common, as screens have, are all seen on each other."""
KEEP_SECONDS = 10
"""After which what was found is remembered: to write what is known of 512 needles takes a fifth of a second."""
_MOST_OF_WORD = 256
"""Keypoints of the haystack that one word of a needle is compared with: what every picture shows says little."""
MOST_COMPARED = 24
"""Pictures that a needle is compared with, those first on which most keypoints agree. A page of an album may hold as
many."""
_NEARLY_ALL = 0.8
"""Share of a needle from which on a part of it leaves no room for further pictures that would be found."""
_LEAST_OF_FIRST = 5
"""Keypoints that have to agree where nothing else speaks for a page: among so many some do by chance."""
_MOST_COMMON = 0.5
"""Share of the smaller of two parts of a needle from which on they are one part: the better picture alone is named."""


class Candidate(NamedTuple):
    """A picture on which keypoints of a needle agree; the better ones are greater."""

    agreeing: int
    """How many do."""
    before: int
    """The less, the further behind in the haystack: of equal candidates the first is kept."""
    pose: Pose
    """How the needle lies on it, about."""

    @classmethod
    def of(cls, sighting: Sighting, picture: int) -> Candidate:
        """Return what was seen of the picture at this position in the haystack."""
        return cls(sighting.agreeing, -picture, sighting.pose)

    @property
    def picture(self) -> int:
        """Position among the haystack's pictures."""
        return -self.before


class Part(NamedTuple):
    """A picture of the haystack, and what a needle has in common with it."""

    overlap: Overlap
    picture: int


def match_fragments(
    run: Reading,
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    sizes_of: Callable[[Collection[int]], Mapping[int, int]],
    split: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, Match]:
    """Match needles, all without a match, by parts that they have in common with pictures of the haystack; by path.

    ``sizes_of`` tells how many pixels the haystack's pictures at these positions have, ``split`` is as in
    :func:`dupfind.matching.match.match_pictures`.
    """
    found = find_parts(run, needles, haystack, range(len(needles)), split)
    if not found:
        return {}  # as in most nights: to ask for sizes looks into the cache, or starts the processes
    sizes = sizes_of({part.picture for parts in found.values() for part in parts})
    return {needles[needle].path: match_of(parts, haystack, sizes) for needle, parts in found.items()}


def find_parts(
    run: Reading,
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    places: Sequence[int],
    split: Mapping[str, frozenset[str]] | None = None,
) -> dict[int, list[Part]]:
    """Find what the needles at these positions have in common with pictures of the haystack, by position.

    Needles that have nothing in common with any are left out, and so is what cannot be read.
    """
    left = [place for place in places if needles[place].can_be_read]
    if not left:
        return {}
    search = _Search(run, needles, haystack, split or {})
    parts: dict[int, list[Part]] = {}
    size = MOST_TOGETHER
    while left and search.is_possible:
        together, left = left[:size], left[size:]
        found, put_off = search.parts_of(together)
        parts |= found
        left = [*put_off, *left]
        size = len(together) - len(put_off) if put_off else min(2 * size, MOST_TOGETHER)
    return parts


def overlap_of(reader: Reader, needle: FileEntry, witness: FileEntry) -> Overlap | None:
    """Tell which part two pictures have in common, asked of these two alone; None where they have none.

    Asked both ways: a page that shows a picture is searched by what is small in it as a needle only.
    """
    overlap = _overlap_of(reader, needle, witness)
    if overlap is not None:
        return overlap
    overlap = _overlap_of(reader, witness, needle)
    return None if overlap is None else overlap.turned_round


def _overlap_of(reader: Reader, needle: FileEntry, witness: FileEntry) -> Overlap | None:
    theirs = reader.fragment_marks([witness], "describing", OF_HAYSTACK).get(witness.path)
    if theirs is None:
        return None
    index = Index([(0, theirs)])
    for marks_of in (_marks_of_needle, _marks_of_page):
        marks = marks_of(reader, needle)
        sightings = [] if marks is None else [sighting for _, sighting in index.sightings([marks])]
        pairs = [FragmentPair(needle, witness, sighting.pose) for sighting in sightings]
        overlaps = dict(reader.compare_fragments(pairs))
        for pair in pairs:
            if (overlap := overlaps.get(pair)) is not None:
                return overlap
    return dict(reader.compare_fragments([pair := FragmentPair(needle, witness)])).get(pair)


def _marks_of_needle(reader: Reader, needle: FileEntry) -> Marks | None:
    return reader.fragment_marks([needle], "describing", OF_NEEDLE).get(needle.path)


def _marks_of_page(reader: Reader, needle: FileEntry) -> Marks | None:
    page = reader.page_marks([needle]).get(needle.path)
    return None if page is None else page.marks


def may_show_more(parts: Sequence[Part], marks: Marks) -> bool:
    """Tell whether a needle may show further pictures, each of them small, or any where none was found."""
    if not parts:
        return marks.may_be_page
    return max(fragments.area(part.overlap.ours) for part in parts) < _NEARLY_ALL


class Known(NamedTuple):
    """What is known of a needle that may show more."""

    size: tuple[int, int]
    """Width and height, in pixels of its marks."""
    parts: Sequence[Part]

    def leaves_room_for(self, candidate: Candidate) -> bool:
        """Tell whether a candidate is none of the pictures that are known, and lies beside them."""
        is_new = all(candidate.picture != part.picture for part in self.parts)
        if not self.parts and candidate.agreeing < _LEAST_OF_FIRST:
            return False
        return is_new and fragments.lies_beside(candidate.pose, self.size, [part.overlap.ours for part in self.parts])


class _Search:
    """Looks for the pictures of the haystack on which keypoints of needles agree, block by block, and compares them.

    What is remembered of a needle and a block is not looked for again. What was found is remembered every few seconds,
    so that a run that is stopped loses no more.
    """

    def __init__(
        self,
        run: Reading,
        needles: Sequence[FileEntry],
        haystack: Sequence[FileEntry],
        split: Mapping[str, frozenset[str]],
    ) -> None:
        self._run = run
        self._needles = needles
        self._haystack = haystack
        self._split = split
        self._blocks = blocks(haystack, [place for place, entry in enumerate(haystack) if entry.can_be_read])
        self._indexed: tuple[bytes, Index] | None = None
        self._memories: dict[int, Memory] = {}
        """What is known of the needles that are being looked for."""
        self._known_bytes = 0
        self._put_off: list[int] = []
        """Needles of these for which there was no room."""
        self._have_learned: set[int] = set()
        """Needles of which more is known than was remembered before this run."""
        self._unkept: set[int] = set()
        """Those of which more is known than is remembered by now."""
        self._overlaps: dict[int, dict[Compared, Overlap | None]] = {}
        """What this scan has compared, or would have; the rest that is remembered is of other candidates."""
        self._passing: set[bytes] = set()
        """Digests of blocks of which nothing is to be remembered."""
        self._began_ns = time.time_ns()
        self._kept_at = time.monotonic()

    @property
    def is_possible(self) -> bool:
        """Tell whether any picture of the haystack can be read."""
        return bool(self._blocks)

    def parts_of(self, places: Sequence[int]) -> tuple[dict[int, list[Part]], list[int]]:
        """Return what the needles at these positions have in common with pictures, and those that are put off: what was
        seen of all of them took too much room.
        """
        entries = [self._needles[place] for place in places]
        described = self._run.reader.fragment_marks(entries, "describing needles", OF_NEEDLE)
        marks = {
            place: of
            for place, entry in zip(places, entries, strict=True)
            if (of := described.get(entry.path)) is not None and len(of.words)
        }
        self._recall(list(marks))
        parts = self._compared(self._candidates(marks))
        pages = [place for place in self._memories if may_show_more(parts.get(place, ()), marks[place])]
        for place, more in self._compared(self._candidates_of_pages(pages, parts)).items():
            parts[place] = [*parts.get(place, ()), *more]
        self._keep(is_last=True)
        return {place: of for place, of in parts.items() if place in self._memories}, sorted(self._put_off)

    def _recall(self, places: Sequence[int]) -> None:
        """Recall what is remembered of the needles at these positions, and forget the others."""
        packed = self._run.reader.recall_parts([self._needles[place] for place in places])
        self._memories = dict(zip(places, map(remembered, packed), strict=True))
        self._known_bytes = sum(memory.size_bytes for memory in self._memories.values())
        self._put_off, self._overlaps = [], {}
        self._have_learned, self._unkept = set(), set()
        self._make_room()

    def _make_room(self) -> None:
        """Put off every second half of the needles until what was seen of the others takes no more than is allowed."""
        while len(self._memories) > 1 and self._known_bytes > MOST_KNOWN_BYTES:
            self._keep()
            self._run.cache.flush()  # from where it is recalled
            places = sorted(self._memories)
            for place in places[len(places) // 2 :]:
                memory = self._memories.pop(place)
                self._known_bytes -= memory.size_bytes
                memory.whole.clear()  # others have a hand on them
                memory.page.clear()
                self._put_off.append(place)
                self._have_learned.discard(place)

    def _learn(self, place: int) -> None:
        self._have_learned.add(place)
        self._unkept.add(place)

    def _keep_when_due(self) -> None:
        if time.monotonic() - self._kept_at >= KEEP_SECONDS:
            self._keep()

    def _keep(self, *, is_last: bool = False) -> None:
        """Remember what was found for the scans to come; the last time without comparisons that are of no more use."""
        reader = self._run.reader
        digests = {block.digest for block in self._blocks} - self._passing
        for place in sorted(self._have_learned if is_last else self._unkept) if reader.keeps else ():
            memory, compared = self._memories[place], self._overlaps.get(place, {})
            known = replace(memory, overlaps=compared if is_last else {**memory.overlaps, **compared})
            reader.keep_parts(self._needles[place], known.packed(digests), self._began_ns)
        self._unkept.clear()
        self._kept_at = time.monotonic()

    def _candidates(self, marks: Mapping[int, Marks]) -> dict[int, list[Candidate]]:
        """Return the best candidates of each needle, by its position."""
        self._look(marks, {place: memory.whole for place, memory in self._memories.items()}, _BATCH_NEEDLES)
        return {place: self._best(place, memory.whole) for place, memory in self._memories.items()}

    def _candidates_of_pages(
        self, places: Sequence[int], parts: Mapping[int, Sequence[Part]]
    ) -> dict[int, list[Candidate]]:
        """Return the best candidates for what needles show beside the ``parts`` that are known."""
        seen = {place: self._memories[place].page for place in places}
        unknown = sorted({place for block in self._blocks for place in lacking(seen, block)})
        described = self._run.reader.page_marks([self._needles[place] for place in unknown])
        marks: dict[int, Marks] = {}
        for place in unknown:
            page = described.get(self._needles[place].path)
            if page is None:
                del seen[place]
            else:
                marks[place], self._memories[place].page_size = page
        self._look(marks, seen, _BATCH_PAGES)
        candidates = {}
        for place in seen.keys() & self._memories.keys():
            size = self._memories[place].page_size
            if size is not None:
                candidates[place] = self._best(place, seen[place], Known(size, parts.get(place, ())))
        return candidates

    def _look(self, marks: Mapping[int, Marks], seen: Mapping[int, dict[bytes, Seen]], step: int) -> None:
        """Look for needles with these marks in each block where that was not done; ``step`` of them at a time."""
        for block in self._blocks:
            unknown = [place for place in lacking(seen, block) if place in self._memories]
            if not unknown:
                continue
            index = self._index(block)
            with self._run.listener.part("search", len(unknown)):
                for first in range(0, len(unknown), step):
                    together = [place for place in unknown[first : first + step] if place in self._memories]
                    found = index.seen([marks[place] for place in together])
                    for place, own in zip(together, found, strict=True):
                        seen[place][block.digest] = own
                        self._known_bytes += size_bytes(own)
                        self._learn(place)
                    self._make_room()
                    self._keep_when_due()

    def _index(self, block: Block) -> Index:
        """Return the index of a block; the last is kept, since most collections have no other."""
        if self._indexed is not None and self._indexed[0] == block.digest:
            return self._indexed[1]
        self._indexed = None  # before there is another: each takes 100 MB
        entries = [self._haystack[place] for place in block.places]
        marks = self._run.reader.fragment_marks(entries, "describing haystack", OF_HAYSTACK)
        numbered = [(number, of) for number, entry in enumerate(entries) if (of := marks.get(entry.path)) is not None]
        if len(numbered) < len(entries) or not self._run.reader.may_be_kept(entries, self._began_ns):
            self._passing.add(block.digest)
        self._indexed = block.digest, Index(numbered)
        return self._indexed[1]

    def _best(self, place: int, seen: Mapping[bytes, Seen], known: Known | None = None) -> list[Candidate]:
        """Return the best candidates of a needle among what was seen, with ``known`` for the rest of it."""
        candidates: list[Candidate] = []
        for block in self._blocks:
            for sighting in sightings_in(seen[block.digest]):
                candidate = Candidate.of(sighting, block.places[sighting.number])
                is_open = known is None or known.leaves_room_for(candidate)
                if is_open and not self._is_split(place, candidate):
                    _keep(candidates, candidate)
        return candidates

    def _is_split(self, place: int, candidate: Candidate) -> bool:
        """Tell whether a needle may not be matched with a candidate."""
        return self._haystack[candidate.picture].path in self._split.get(self._needles[place].path, ())

    def _compared(self, candidates: Mapping[int, Sequence[Candidate]]) -> dict[int, list[Part]]:
        """Compare the candidates of each needle, the best first, and return what they have in common with it."""
        ranked = [(place, one) for place in sorted(candidates) for one in sorted(candidates[place], reverse=True)]
        outcomes: dict[tuple[int, Candidate], Overlap | None] = {}
        pairs: dict[FragmentPair, tuple[int, Candidate]] = {}
        for place, candidate in ranked:
            witness = self._haystack[candidate.picture]
            key, overlaps = (identity(witness), candidate.pose), self._memories[place].overlaps
            if key in overlaps:
                outcomes[place, candidate] = self._overlaps.setdefault(place, {})[key] = overlaps[key]
            else:
                pairs[FragmentPair(self._needles[place], witness, candidate.pose)] = place, candidate
        for pair, overlap in self._run.reader.compare_fragments(list(pairs)):
            place, candidate = pairs[pair]
            outcomes[place, candidate] = overlap
            if self._run.reader.may_be_kept([pair.witness], self._began_ns):
                self._overlaps.setdefault(place, {})[identity(pair.witness), candidate.pose] = overlap
                self._learn(place)
            self._keep_when_due()
        parts: dict[int, list[Part]] = {}
        for place, candidate in ranked:
            found = outcomes.get((place, candidate))
            if found is not None:
                parts.setdefault(place, []).append(Part(found, candidate.picture))
        return parts


def _keep(candidates: list[Candidate], candidate: Candidate) -> None:
    """Keep the best ones."""
    if len(candidates) < MOST_COMPARED:
        heapq.heappush(candidates, candidate)
    else:
        heapq.heappushpop(candidates, candidate)


class Index:
    """Searches among pictures, by their numbers, with their marks."""

    def __init__(self, pictures: Sequence[tuple[int, Marks]]) -> None:
        self._owners = _owners([marks for _, marks in pictures])
        self._pictures = [number for number, _ in pictures]
        self._places = _stacked([marks.places for _, marks in pictures], (0, 4)).astype(np.float32, copy=False)
        words = _stacked([marks.words for _, marks in pictures], (0, len(fragments.SEARCHED)))
        self._dictionaries = [HashDictionary(column) for column in words.astype(np.uint64).T]

    def seen(self, needles: Sequence[Marks]) -> list[Seen]:
        """Return what is seen of each needle, as :meth:`sightings`."""
        seen = [b""] * len(needles)
        for number, of_needle in groupby(self.sightings(needles), itemgetter(0)):
            seen[number] = seen_of(sighting for _, sighting in of_needle)
        return seen

    def sightings(self, needles: Sequence[Marks]) -> Iterator[tuple[int, Sighting]]:
        """Yield each needle, by its position, with each picture on which enough of its keypoints agree."""
        owners = _owners(needles)
        words = _stacked([marks.words for marks in needles], (0, len(fragments.SEARCHED))).astype(np.uint64)
        places = _stacked([marks.places for marks in needles], (0, 4)).astype(np.float32, copy=False)
        near = [
            pair[:2]
            for dictionary, column in zip(self._dictionaries, words.T, strict=True)
            for pair in dictionary.pairs(column, fragments.RADIUS_BITS, _MOST_OF_WORD)
        ]
        if not near:
            return
        # Sorted by needle and picture, then by the keypoints of both, each pair once.
        of_index = max(1, len(self._owners))
        pairs = np.unique(np.fromiter((ours * of_index + theirs for ours, theirs in near), np.int64))
        ours, theirs = np.divmod(pairs, of_index)
        groups = owners[ours] * max(1, len(self._pictures)) + self._owners[theirs]
        order = np.argsort(groups, kind="stable")
        ours, theirs, groups = ours[order], theirs[order], groups[order]
        bounds = np.flatnonzero(np.diff(groups, prepend=-1, append=-1))
        poses = fragments.poses_of(places[ours], self._places[theirs])
        for group in np.flatnonzero(fragments.may_agree(poses, bounds)).tolist():
            first, second = (side[bounds[group] : bounds[group + 1]] for side in (ours, theirs))
            agreed = fragments.agreeing(first, second, places[first], self._places[second])
            if agreed.keypoints >= fragments.LEAST_VOTES:
                number, picture = divmod(int(groups[bounds[group]]), len(self._pictures))
                yield number, Sighting(self._pictures[picture], *agreed)


def _owners(described: Sequence[Marks]) -> NDArray[np.int64]:
    """Tell of each keypoint of all pictures, one after another, whose it is."""
    return np.repeat(np.arange(len(described)), [len(marks.words) for marks in described])


def _stacked(arrays: Sequence[NDArray[np.generic]], empty: tuple[int, int]) -> NDArray[np.generic]:
    return np.concatenate([np.empty(empty, arrays[0].dtype if arrays else np.uint64), *arrays])


def match_of(parts: Sequence[Part], haystack: Sequence[FileEntry], sizes: Mapping[int, int]) -> Match:
    """Name the picture that shows most of the needle, and those that show other parts of it.

    ``sizes`` are their pixels, by their positions in the haystack; of what can no longer be read nothing is known.
    """

    def rank(part: Part) -> tuple[float, int, int, str]:
        shown, path = fragments.area(part.overlap.ours), haystack[part.picture].path
        # Of copies of one picture the largest; how they overlap differs by a rounding.
        return -round(shown, 1), -part.overlap.alike // 10, -sizes.get(part.picture, 0), path

    chosen: list[Part] = []
    for part in sorted(parts, key=rank):
        if all(fragments.common(part.overlap.ours, earlier.overlap.ours) < _MOST_COMMON for earlier in chosen):
            chosen.append(part)
    best = chosen[0]
    more = tuple(
        Reason(ReasonCode.ALSO_SHOWS, (haystack[part.picture].path, *part.overlap.ours))
        for part in sorted(chosen[1:], key=lambda part: part.overlap.ours[1::-1])
    )
    # How far the whole pictures are apart says nothing of what they have in common.
    return Match(haystack[best.picture].path, Evidence.SIMILAR, None, reason_of(best.overlap, *more))


def reason_of(overlap: Overlap, *more: Reason) -> Reason:
    """Give the reason of a needle that has this part in common with its witness, and ``more`` with others."""
    ours, theirs, alike, degrees = overlap
    return Reason(ReasonCode.FRAGMENT, (*ours, *theirs, alike, degrees, *more))
