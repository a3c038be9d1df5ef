"""Which pictures of the haystack are decoded first: those whose embedded preview is near a needle.

A preview may be an old one, so nothing is judged by it, and nothing is missing by it. What is matched is decoded as in
any scan, and the answer is that of a scan of those files alone. It is taken only where it proves every needle;
otherwise more is decoded, in the end everything, and the answer is that of a scan without previews.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from dupfind.matching.decodes import Decodes
from dupfind.matching.match import Matched, match_pictures
from dupfind.pool.first_looks import FirstLook
from dupfind.pool.tasks import Bare
from dupfind.reading import Pictures
from dupfind.run import Reading
from dupfind.search.hamming import HashDictionary
from dupfind.settings import MOST_THRESHOLD_BITS
from dupfind.values import Evidence, FileEntry

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_OFF_BITS, _FAR_OFF_BITS = 2, 8
"""How far a preview lies from its picture: of 16 real ones 2 bits at most. The second is for what is left."""
_SECONDS = len("2006:12:25 10:11:12")
_MOST_SHARE = 0.5
"""Where more of what is left would be decoded for the needles that are left, all of it is."""


def match_by_previews(
    run: Reading,
    needles: Pictures,
    haystack: Sequence[FileEntry],
    parted: Mapping[str, frozenset[str]] | None,
    bare: Bare | None,
) -> Matched:
    """Decode those of the ``haystack`` that are likely to be needles, and match; then all others, where that is not
    enough. ``parted`` and ``bare`` as in any scan.
    """
    likely = _Likely(run, needles, run.reader.first_looks(haystack))
    rounds = _Rounds(run, needles, haystack, parted, bare)
    found = rounds.match(likely.near(range(len(needles.entries))), likely)
    for choose in (likely.less_near, likely.rest):
        lost = [
            position
            for position, entry in enumerate(needles.entries)
            if (match := found.matches.get(entry.path)) is None or match.evidence is not Evidence.SAME
        ]
        if not (found.unseen and lost):
            break
        if places := choose(lost):
            found = rounds.match(places, likely)
    return found


class _Likely:
    """Which files of the haystack are decoded for needles, by their places; each is given once."""

    def __init__(self, run: Reading, needles: Pictures, looks: Sequence[FirstLook | None]) -> None:
        self._run = run
        self._needles = needles
        self._looks = looks
        self._is_left = np.ones(len(looks), np.bool_)
        self._seen = [place for place, look in enumerate(looks) if look is not None]
        hashes = [look.hash for look in looks if look is not None]
        self._dictionary = HashDictionary(np.array(hashes, np.uint64)) if hashes else None

    @property
    def left(self) -> int:
        """How many were not given yet."""
        return int(self._is_left.sum())

    def near(self, needles: Sequence[int]) -> list[int]:
        """Give what has no preview, and what is near one of these needles, by their positions."""
        without = [place for place, look in enumerate(self._looks) if look is None]
        return self._take([*without, *self._within(needles, _OFF_BITS)])

    def less_near(self, needles: Sequence[int]) -> list[int]:
        """Give what was taken in the same second as one of these, or is less near; none where that is most of all."""
        places = {*self._within(needles, _FAR_OFF_BITS), *self._of_same_second(needles)}
        left = [place for place in places if self._is_left[place]]
        return self._take(left) if len(left) <= _MOST_SHARE * self.left else []

    def rest(self, _: Sequence[int]) -> list[int]:
        """Give all that are left."""
        return self._take(range(len(self._looks)))

    def _take(self, places: Iterable[int]) -> list[int]:
        taken = [place for place in sorted(set(places)) if self._is_left[place]]
        self._is_left[taken] = False
        return taken

    def _within(self, needles: Sequence[int], off_bits: int) -> list[int]:
        if self._dictionary is None:
            return []
        radius_bits = min(MOST_THRESHOLD_BITS, self._run.settings.scan.threshold_bits + off_bits)
        with self._run.listener.part("search", len(needles)):
            near = self._dictionary.near_any(self._needles.hashes[needles].reshape(-1), radius_bits)
        return [self._seen[index] for index in np.flatnonzero(near).tolist()]

    def _of_same_second(self, needles: Sequence[int]) -> Iterator[int]:
        thumbnails = self._run.cache.thumbnails(list({self._needles.refs[position].id for position in needles}))
        seconds = {thumbnail.captured[:_SECONDS] for thumbnail in thumbnails.values() if thumbnail.captured}
        for place in self._seen:
            look = self._looks[place]
            if look is not None and look.captured and look.captured[:_SECONDS] in seconds:
                yield place


class _Rounds:
    """Matches needles with more and more pictures; what was read for one round is not read again for the next."""

    def __init__(
        self,
        run: Reading,
        needles: Pictures,
        haystack: Sequence[FileEntry],
        parted: Mapping[str, frozenset[str]] | None,
        bare: Bare | None,
    ) -> None:
        self._run = run
        self._needles = needles
        self._haystack = haystack
        self._parted = parted
        self._bare = bare
        self._decoded: list[Pictures] = []
        self._read_full = _by_path(run.reader.full_decodes)
        self._read_bare = _by_path(run.reader.measured)
        self._compare = _remembering(run.reader.compare_at_full_size)

    def match(self, places: Sequence[int], likely: _Likely) -> Matched:
        """Match all needles with the files at these places and those of earlier rounds."""
        entries = [self._haystack[place] for place in places]
        self._decoded.append(self._run.reader.pictures(entries, "decoding haystack", 1, bare=self._bare))
        candidates = _together(self._haystack, self._decoded)
        decodes = Decodes(self._needles, candidates, self._read_full, self._read_bare)
        matches, remains = match_pictures(self._run, decodes, self._parted, self._compare)
        return Matched(decodes, candidates.failures, matches, remains, likely.left)


def _by_path(read: Callable[[Sequence[FileEntry]], Mapping[str, V]]) -> Callable[[Sequence[FileEntry]], dict[str, V]]:
    known: dict[str, V] = {}

    def read_once(entries: Sequence[FileEntry]) -> dict[str, V]:
        known.update(read([entry for entry in entries if entry.path not in known]))
        return {entry.path: known[entry.path] for entry in entries if entry.path in known}

    return read_once


def _remembering(ask: Callable[[Sequence[K]], Mapping[K, V]]) -> Callable[[Sequence[K]], dict[K, V]]:
    known: dict[K, V] = {}

    def ask_once(items: Sequence[K]) -> dict[K, V]:
        known.update(ask([item for item in items if item not in known]))
        return {item: known[item] for item in items}

    return ask_once


def _together(haystack: Sequence[FileEntry], parts: Sequence[Pictures]) -> Pictures:
    """Join pictures of parts of the ``haystack``, in its order."""
    places = {entry.path: place for place, entry in enumerate(haystack)}
    entries = [entry for part in parts for entry in part.entries]
    order = sorted(range(len(entries)), key=lambda index: places[entries[index].path])
    refs = [ref for part in parts for ref in part.refs]
    failures = {path: failure for part in parts for path, failure in part.failures.items()}
    return Pictures(
        [entries[index] for index in order],
        [refs[index] for index in order],
        np.concatenate([part.hashes for part in parts])[order],
        dict(sorted(failures.items(), key=lambda failed: places[failed[0]])),
    )
