"""Needles without any match, looked for as parts of the haystack's pictures, or as pictures that show parts of them.

A crop, a screenshot, a picture with words over it, a page of an album: `similar` at most, whatever agrees, since what
the one shows and the other does not is the point of it. See docs/decisions/fragments.md.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.evidence import fragments
from dupfind.evidence.fragments import Marks, Overlap, Pose
from dupfind.pool.fragments import OF_HAYSTACK, OF_NEEDLE, FragmentPair
from dupfind.reading import Pictures, Reader
from dupfind.reasons import Reason, ReasonCode
from dupfind.run import Reading
from dupfind.search.hamming import HashDictionary
from dupfind.values import Evidence, FileEntry, Match

_BATCH_PICTURES = 4096
"""Pictures of the haystack that are searched together; their marks take 16 MB, the two dictionaries of them 80."""
_BATCH_NEEDLES = 512
_BATCH_PAGES = 64
"""Of needles that may show several pictures: these have more marks."""
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
    needles: Pictures,
    haystack: Pictures,
    matches: Mapping[str, Match],
    split: Mapping[str, frozenset[str]] | None = None,
) -> dict[str, Match]:
    """Match needles without a match by parts that they have in common with pictures of the haystack; by path.

    Where every needle has a match nothing is read. ``split`` as in :func:`dupfind.matching.match.match_pictures`.
    """
    parts = find_parts(run, needles, haystack, unmatched(needles, matches), split)
    return {needles.entries[needle].path: match_of(of, haystack) for needle, of in parts.items()}


def find_parts(
    run: Reading,
    needles: Pictures,
    haystack: Pictures,
    places: Sequence[int],
    split: Mapping[str, frozenset[str]] | None = None,
) -> dict[int, list[Part]]:
    """Find what the needles at these positions have in common with pictures of the haystack, by position.

    Needles that have nothing in common with any are left out.
    """
    search = _Search(run, needles, haystack, split or {})
    if not places or not search.is_possible:
        return {}
    marks = run.reader.fragment_marks([needles.entries[place] for place in places], "describing needles", OF_NEEDLE)
    candidates = search.candidates({place: of for place in places if (of := marks.get(needles.entries[place].path))})
    parts = _compared(run, needles, haystack, candidates)
    pages = [place for place in candidates if may_show_more(parts.get(place, ()), marks[needles.entries[place].path])]
    if not pages:
        return parts
    by_path = run.reader.page_marks([needles.entries[place] for place in pages])
    finer = {place: page for place in pages if (page := by_path.get(needles.entries[place].path))}
    known_pages = {place: Known(page.size, parts.get(place, ())) for place, page in finer.items()}
    candidates = search.candidates({place: page.marks for place, page in finer.items()}, known_pages)
    for place, more in _compared(run, needles, haystack, candidates).items():
        parts[place] = [*parts.get(place, ()), *more]
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
        candidates = [] if marks is None else [candidate for _, candidate in index.candidates([marks])]
        pairs = [FragmentPair(needle, witness, candidate.pose) for candidate in candidates]
        for overlap in reader.compare_fragments(pairs).values():
            return overlap
    return next(iter(reader.compare_fragments([FragmentPair(needle, witness)]).values()), None)


def _marks_of_needle(reader: Reader, needle: FileEntry) -> Marks | None:
    return reader.fragment_marks([needle], "describing", OF_NEEDLE).get(needle.path)


def _marks_of_page(reader: Reader, needle: FileEntry) -> Marks | None:
    page = reader.page_marks([needle]).get(needle.path)
    return None if page is None else page.marks


def unmatched(needles: Pictures, matches: Mapping[str, Match]) -> list[int]:
    """List the needles, by position, that are looked for once more."""
    return [place for place, entry in enumerate(needles.entries) if entry.path not in matches and entry.can_be_read]


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
    """Looks for the pictures of the haystack on which keypoints of needles agree, batch by batch."""

    def __init__(
        self, run: Reading, needles: Pictures, haystack: Pictures, split: Mapping[str, frozenset[str]]
    ) -> None:
        self._run = run
        self._needles = needles.entries
        self._haystack = haystack.entries
        self._split = split
        self._readable = [place for place, entry in enumerate(haystack.entries) if entry.can_be_read]
        self._first: Index | None = None

    @property
    def is_possible(self) -> bool:
        """Tell whether any picture of the haystack can be read."""
        return bool(self._readable)

    def candidates(
        self, marks: Mapping[int, Marks], known_pages: Mapping[int, Known] | None = None
    ) -> dict[int, list[Candidate]]:
        """Return the best candidates of each needle, by its position; with ``known_pages``, for the rest of it."""
        candidates: dict[int, list[Candidate]] = {place: [] for place in marks}
        sought, step = list(marks), _BATCH_NEEDLES if known_pages is None else _BATCH_PAGES
        for start in range(0, len(self._readable), _BATCH_PICTURES):
            index = self._index(start)
            with self._run.listener.part("search", len(sought)):
                for first in range(0, len(sought), step):
                    together = sought[first : first + step]
                    for number, candidate in index.candidates([marks[place] for place in together]):
                        place = together[number]
                        is_open = known_pages is None or known_pages[place].leaves_room_for(candidate)
                        if is_open and not self._is_split(place, candidate):
                            _keep(candidates[place], candidate)
        return candidates

    def _index(self, start: int) -> Index:
        """Return the index of a batch; the first is kept, since most collections are no larger."""
        if not start and self._first is not None:
            return self._first
        batch = self._readable[start : start + _BATCH_PICTURES]
        marks = self._run.reader.fragment_marks(
            [self._haystack[place] for place in batch], "describing haystack", OF_HAYSTACK
        )
        index = Index([(place, of) for place in batch if (of := marks.get(self._haystack[place].path))])
        if not start:
            self._first = index
        return index

    def _is_split(self, place: int, candidate: Candidate) -> bool:
        """Tell whether a needle may not be matched with a candidate."""
        return self._haystack[candidate.picture].path in self._split.get(self._needles[place].path, ())


def _keep(candidates: list[Candidate], candidate: Candidate) -> None:
    """Keep the best ones."""
    if len(candidates) < MOST_COMPARED:
        heapq.heappush(candidates, candidate)
    else:
        heapq.heappushpop(candidates, candidate)


class Index:
    """Searches among pictures, by position, with their marks."""

    def __init__(self, pictures: Sequence[tuple[int, Marks]]) -> None:
        self._owners = _owners([marks for _, marks in pictures])
        self._pictures = [place for place, _ in pictures]
        self._places = _stacked([marks.places for _, marks in pictures], (0, 4))
        words = _stacked([marks.words for _, marks in pictures], (0, len(fragments.SEARCHED)))
        self._dictionaries = [HashDictionary(column) for column in words.astype(np.uint64).T]

    def candidates(self, needles: Sequence[Marks]) -> Iterator[tuple[int, Candidate]]:
        """Yield each needle, by its number, with each picture on which enough of its keypoints agree."""
        owners = _owners(needles)
        words = _stacked([marks.words for marks in needles], (0, len(fragments.SEARCHED))).astype(np.uint64)
        places = _stacked([marks.places for marks in needles], (0, 4))
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
                yield number, Candidate(agreed.keypoints, -self._pictures[picture], agreed.pose)


def _owners(described: Sequence[Marks]) -> NDArray[np.int64]:
    """Tell of each keypoint of all pictures, one after another, whose it is."""
    return np.repeat(np.arange(len(described)), [len(marks.words) for marks in described])


def _stacked(arrays: Sequence[NDArray[np.generic]], empty: tuple[int, int]) -> NDArray[np.generic]:
    return np.concatenate([np.empty(empty, arrays[0].dtype if arrays else np.uint64), *arrays])


def _compared(
    run: Reading, needles: Pictures, haystack: Pictures, candidates: Mapping[int, Sequence[Candidate]]
) -> dict[int, list[Part]]:
    """Compare the candidates of each needle, and return what they have in common with it."""
    pairs = {
        FragmentPair(needles.entries[needle], haystack.entries[candidate.picture], candidate.pose): (
            needle,
            candidate.picture,
        )
        for needle, of_needle in candidates.items()
        for candidate in sorted(of_needle, reverse=True)
    }
    parts: dict[int, list[Part]] = {}
    for pair, overlap in run.reader.compare_fragments(list(pairs)).items():
        needle, picture = pairs[pair]
        parts.setdefault(needle, []).append(Part(overlap, picture))
    return parts


def match_of(parts: Sequence[Part], haystack: Pictures) -> Match:
    """Name the picture that shows most of the needle, and those that show other parts of it."""

    def rank(part: Part) -> tuple[float, int, int, str]:
        shown, entry = fragments.area(part.overlap.ours), haystack.entries[part.picture]
        # Of copies of one picture the largest; how they overlap differs by a rounding.
        return -round(shown, 1), -part.overlap.alike // 10, -haystack.refs[part.picture].size_pixels, entry.path

    chosen: list[Part] = []
    for part in sorted(parts, key=rank):
        if all(fragments.common(part.overlap.ours, earlier.overlap.ours) < _MOST_COMMON for earlier in chosen):
            chosen.append(part)
    best = chosen[0]
    more = tuple(
        Reason(ReasonCode.ALSO_SHOWS, (_path(haystack, part), *part.overlap.ours))
        for part in sorted(chosen[1:], key=lambda part: part.overlap.ours[1::-1])
    )
    # How far the whole pictures are apart says nothing of what they have in common.
    return Match(_path(haystack, best), Evidence.SIMILAR, None, reason_of(best.overlap, *more))


def reason_of(overlap: Overlap, *more: Reason) -> Reason:
    """Give the reason of a needle that has this part in common with its witness, and ``more`` with others."""
    ours, theirs, alike, degrees = overlap
    return Reason(ReasonCode.FRAGMENT, (*ours, *theirs, alike, degrees, *more))


def _path(haystack: Pictures, part: Part) -> str:
    entry: FileEntry = haystack.entries[part.picture]
    return entry.path
