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
from dupfind.evidence.fragments import Marks, Overlap
from dupfind.pool.fragments import OF_HAYSTACK, OF_NEEDLE, FragmentPair
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.run import Reading
from dupfind.search.hamming import HashDictionary
from dupfind.values import Evidence, FileEntry, Match

_BATCH_PICTURES = 4096
"""Pictures of the haystack that are searched together; their marks take 16 MB, the two dictionaries of them 80."""
_BATCH_NEEDLES = 512
_MOST_OF_WORD = 256
"""Keypoints of the haystack that one word of a needle is compared with: what every picture shows says little."""
_MOST_COMPARED = 24
"""Pictures that a needle is compared with, those first on which most keypoints agree. A page of an album may hold as
many."""
_MOST_COMMON = 0.5
"""Share of the smaller of two parts of a needle from which on they are one part: the better picture alone is named."""


class _Candidate(NamedTuple):
    agreeing: int
    before: int
    """The less, the further behind in the haystack: of equal candidates the first is kept."""

    @property
    def picture(self) -> int:
        """Position among the haystack's pictures."""
        return -self.before


class _Part(NamedTuple):
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
    lost = unmatched(needles, matches)
    readable = [place for place, entry in enumerate(haystack.entries) if entry.can_be_read]
    if not lost or not readable:
        return {}
    marks = run.reader.fragment_marks([needles.entries[place] for place in lost], "describing needles", OF_NEEDLE)
    sought = [place for place in lost if needles.entries[place].path in marks]
    candidates: dict[int, list[_Candidate]] = {place: [] for place in sought}
    for start in range(0, len(readable), _BATCH_PICTURES):
        batch = readable[start : start + _BATCH_PICTURES]
        theirs = run.reader.fragment_marks(
            [haystack.entries[place] for place in batch], "describing haystack", OF_HAYSTACK
        )
        with run.listener.part("search", len(sought)):
            index = Index(
                [(place, theirs[path]) for place in batch if (path := haystack.entries[place].path) in theirs]
            )
            for first in range(0, len(sought), _BATCH_NEEDLES):
                together = sought[first : first + _BATCH_NEEDLES]
                ours = [marks[needles.entries[place].path] for place in together]
                for number, candidate in index.candidates(ours):
                    of_needle = candidates[together[number]]
                    apart = (split or {}).get(needles.entries[together[number]].path, frozenset())
                    if haystack.entries[candidate.picture].path not in apart:
                        _keep(of_needle, candidate)
    return _matched(run, needles, haystack, candidates)


def unmatched(needles: Pictures, matches: Mapping[str, Match]) -> list[int]:
    """List the needles, by position, that are looked for once more."""
    return [place for place, entry in enumerate(needles.entries) if entry.path not in matches and entry.can_be_read]


def _keep(candidates: list[_Candidate], candidate: _Candidate) -> None:
    """Keep the best ones."""
    if len(candidates) < _MOST_COMPARED:
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

    def candidates(self, needles: Sequence[Marks]) -> Iterator[tuple[int, _Candidate]]:
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
        ours, theirs = np.unique(np.array(near, np.int64), axis=0).T
        groups = owners[ours] * max(1, len(self._pictures)) + self._owners[theirs]
        order = np.argsort(groups, kind="stable")
        bounds = np.flatnonzero(np.diff(groups[order], prepend=-1, append=-1))
        for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            if end - begin < fragments.LEAST_VOTES:
                continue
            first, second = ours[order[begin:end]], theirs[order[begin:end]]
            agreeing = fragments.agreeing(first, second, places[first], self._places[second])
            if agreeing >= fragments.LEAST_VOTES:
                number, picture = divmod(int(groups[order[begin]]), len(self._pictures))
                yield number, _Candidate(agreeing, -self._pictures[picture])


def _owners(described: Sequence[Marks]) -> NDArray[np.int64]:
    """Tell of each keypoint of all pictures, one after another, whose it is."""
    return np.repeat(np.arange(len(described)), [len(marks.words) for marks in described])


def _stacked(arrays: Sequence[NDArray[np.generic]], empty: tuple[int, int]) -> NDArray[np.generic]:
    return np.concatenate([np.empty(empty, arrays[0].dtype if arrays else np.uint64), *arrays])


def _matched(
    run: Reading, needles: Pictures, haystack: Pictures, candidates: Mapping[int, Sequence[_Candidate]]
) -> dict[str, Match]:
    """Compare the candidates of each needle, and name those that have a part in common with it."""
    pairs = {
        FragmentPair(needles.entries[needle], haystack.entries[candidate.picture]): (needle, candidate.picture)
        for needle, of_needle in candidates.items()
        for candidate in sorted(of_needle, reverse=True)
    }
    parts: dict[int, list[_Part]] = {}
    for pair, overlap in run.reader.compare_fragments(list(pairs)).items():
        needle, picture = pairs[pair]
        parts.setdefault(needle, []).append(_Part(overlap, picture))
    return {needles.entries[needle].path: _match(of, haystack) for needle, of in parts.items()}


def _match(parts: Sequence[_Part], haystack: Pictures) -> Match:
    """Name the picture that shows most of the needle, and those that show other parts of it."""

    def rank(part: _Part) -> tuple[float, int, int, str]:
        shown, entry = fragments.area(part.overlap.ours), haystack.entries[part.picture]
        # Of copies of one picture the largest; how they overlap differs by a rounding.
        return -round(shown, 1), -part.overlap.alike // 10, -haystack.refs[part.picture].size_pixels, entry.path

    chosen: list[_Part] = []
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


def _path(haystack: Pictures, part: _Part) -> str:
    entry: FileEntry = haystack.entries[part.picture]
    return entry.path
