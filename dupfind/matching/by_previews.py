"""Decode first those pictures of the haystack whose embedded preview is near a needle.

A preview may be out of date, so it proves nothing and rules nothing out: it only decides what is decoded first. The
matches are those of a scan of the decoded files alone, and they count only where they prove every needle. Otherwise
more is decoded, in the end everything, and the answer is that of a scan without previews.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
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
T = TypeVar("T")
V = TypeVar("V")

_OFF_BITS, _FAR_OFF_BITS = 2, 8
"""How many bits a preview may differ from its picture, in the first and second round; 16 real ones do by 2 at most."""
_SECONDS = len("2006:12:25 10:11:12")
_MOST_SHARE = 0.5
"""Where a second round would decode more than this share of what is left, it decodes all of it."""


def match_by_previews(
    run: Reading,
    needles: Pictures,
    haystack: Sequence[FileEntry],
    split: Mapping[str, frozenset[str]] | None,
    bare: Bare | None,
) -> Matched:
    """Match with the pictures of the ``haystack`` that are likely to be needles; with all, where a needle is left.

    ``split`` and ``bare`` as in any scan.
    """
    order = _Order(run, needles, run.reader.first_looks(haystack))
    rounds = _Rounds(run, needles, haystack, split, bare)
    matched = rounds.match(order.near(range(len(needles.entries))), order)
    for choose in (order.less_near, order.all_left):
        unproved = [
            position
            for position, entry in enumerate(needles.entries)
            if (match := matched.matches.get(entry.path)) is None or match.evidence is not Evidence.SAME
        ]
        if not (matched.unseen and unproved):
            break
        if places := choose(unproved):
            matched = rounds.match(places, order)
    return matched


class _Order:
    """The order in which files of the haystack are decoded, by their places; each is given once."""

    def __init__(self, run: Reading, needles: Pictures, looks: Sequence[FirstLook | None]) -> None:
        self._run = run
        self._needles = needles
        self._looks = looks
        self._is_left = np.ones(len(looks), np.bool_)
        self._with_preview = [place for place, look in enumerate(looks) if look is not None]
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
        """Give what is less near, or was taken in the same second; nothing where that is most of what is left."""
        places = {*self._within(needles, _FAR_OFF_BITS), *self._of_same_second(needles)}
        left = [place for place in places if self._is_left[place]]
        return self._take(left) if len(left) <= _MOST_SHARE * self.left else []

    def all_left(self, _: Sequence[int]) -> list[int]:
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
        return [self._with_preview[index] for index in np.flatnonzero(near).tolist()]

    def _of_same_second(self, needles: Sequence[int]) -> Iterator[int]:
        thumbnails = self._run.cache.thumbnails(list({self._needles.refs[position].id for position in needles}))
        seconds = {thumbnail.captured[:_SECONDS] for thumbnail in thumbnails.values() if thumbnail.captured}
        for place in self._with_preview:
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
        split: Mapping[str, frozenset[str]] | None,
        bare: Bare | None,
    ) -> None:
        self._run = run
        self._needles = needles
        self._haystack = haystack
        self._split = split
        self._bare = bare
        self._decoded: list[Pictures] = []
        self._read_full = _ask_once(run.reader.full_decodes, _path_of)
        measured = partial(run.reader.measured, orientations=needles.hashes.shape[1])
        self._read_bare = _ask_once(measured, _path_of)
        self._compare = _ask_once(run.reader.compare_at_full_size, lambda pair: pair)

    def match(self, places: Sequence[int], order: _Order) -> Matched:
        """Match all needles with the files at these places and those of earlier rounds."""
        entries = [self._haystack[place] for place in places]
        self._decoded.append(self._run.reader.pictures(entries, "decoding haystack", 1, bare=self._bare))
        candidates = _joined(self._haystack, self._decoded)
        decodes = Decodes(self._needles, candidates, self._read_full, self._read_bare)
        found = match_pictures(self._run, decodes, self._split, self._compare)
        return Matched(decodes, candidates.failures, *found, order.left)


def _path_of(entry: FileEntry) -> str:
    return entry.path


def _ask_once(
    ask: Callable[[Sequence[T]], Mapping[K, V]], key_of: Callable[[T], K]
) -> Callable[[Sequence[T]], dict[K, V]]:
    """Return ``ask`` with a memory: what it has answered for an item, by its key, is not asked again."""
    answers: dict[K, V] = {}

    def ask_rest(items: Sequence[T]) -> dict[K, V]:
        answers.update(ask([item for item in items if key_of(item) not in answers]))
        return {key: answers[key] for key in map(key_of, items) if key in answers}

    return ask_rest


def _joined(haystack: Sequence[FileEntry], parts: Sequence[Pictures]) -> Pictures:
    """Join pictures that were decoded in several rounds, in the order of the ``haystack``."""
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
