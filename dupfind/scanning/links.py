"""Find the pictures that are linked with those that have changed, directly or through others.

A needle is matched among the pictures whose hash is near one of its own, and it may lose a witness to another needle
with the same witness, or with one that is nearly the same. So its match depends on the pictures that are linked with
it, step by step, and on no others.

Among 100,000 pictures such steps may lead to thousands. But a needle that has its witness looks at nothing that lies
further away, and one that nothing resembles takes no witness from another. :class:`Reach` says so of each needle.

Hashes of gray pictures (:mod:`dupfind.matching.near_gray`) are near each other where those of their files may be.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache_schema import FRAMED, is_gray
from dupfind.cache.last_run import Hashes as KeptHashes
from dupfind.evidence.fingerprint import MOST_GRAY_BITS, are_near
from dupfind.matching.borders import inner_hashes
from dupfind.matching.near_gray import ALL_BITS, unsure_bits_of
from dupfind.reading import Pictures as DecodedPictures
from dupfind.run import Reading
from dupfind.search.blocks import Hashes, distinct
from dupfind.search.hamming import CLOSE_BITS, HashDictionary

_FEW = 1 << 24
"""Pairs of hashes that are compared one by one: 40 ms."""
_FAR = 255
"""More bits than two hashes can be apart."""
_MOST_PAIRS = 1 << 20
"""Pairs of hashes that are looked at together."""

Files = NDArray[np.int64]
Rows = NDArray[np.int64]
Limits = NDArray[np.int16]
"""Of each hash, how far away another may lie that is near it."""


class Pictures(NamedTuple):
    """The pictures of one side, by the numbers of their files."""

    files: Files
    """Of each row; a file may have several."""
    hashes: Hashes
    """Shape (rows, orientations)."""
    unsure: Hashes
    """Which of their bits may be others by the files, of the same shape: none, but where a picture is gray."""

    def asked(self, rows: Rows) -> Asked:
        """Return all hashes of these rows."""
        return Asked(self.hashes[rows].reshape(-1), self.unsure[rows].reshape(-1))


class Asked(NamedTuple):
    """Hashes of which the near ones are wanted."""

    hashes: Hashes
    unsure: Hashes
    """As in :class:`Pictures`."""


def pictures_of(before: KeptHashes, now: DecodedPictures, files: Sequence[int], run: Reading) -> Pictures:
    """Return the pictures that are remembered, and those that were decoded now, whose files have these numbers.

    A picture with a frame has a row with it and a row without.
    """
    width = now.hashes.shape[1]
    framed = [row for row, ref in enumerate(now.refs) if ref.id & FRAMED]
    inner = inner_hashes(run.cache, [now.refs[row].id for row in framed], run.settings.scan.algorithm, width)
    earlier = np.array(before.values, np.uint64).reshape(-1, width)
    numbers = np.array([*files, *(files[row] for row in framed)], np.int64)
    unsure = np.zeros((len(before.places) + len(numbers), width), np.uint64)
    if len(before.unsure):
        unsure[: len(earlier)] = np.array(before.unsure, np.uint64).reshape(-1, width)
    gray = [row for row, ref in enumerate(now.refs) if is_gray(ref.id)]
    if gray:
        of_now = np.zeros(now.hashes.shape, np.uint64)
        # Beyond that threshold nothing is known of single bits.
        is_known = run.settings.scan.threshold_bits <= MOST_GRAY_BITS
        of_now[gray] = unsure_bits_of(run.cache, [now.refs[row].id for row in gray], width) if is_known else ALL_BITS
        unsure[len(earlier) :] = np.concatenate([of_now, of_now[framed]])
    return Pictures(
        np.concatenate([np.array(before.places, np.int64), numbers]),
        np.concatenate([earlier, now.hashes, inner]),
        unsure,
    )


def kept_for_next(
    pictures: Pictures,
    places: Sequence[int],
    scanned: Sequence[int],
    of_scanned: KeptHashes | None,
    *,
    are_all_searched: bool,
) -> KeptHashes:
    """Return the pictures of one side by the places of their files now.

    ``pictures`` go by the numbers of files: those of before, which stand at ``places`` now, -1 for what is gone, and
    behind them those of now. ``of_scanned`` are those of the files that were ``scanned``, and stand in for theirs.
    ``are_all_searched`` tells whether a scanned file without one has none any more, as a needle that is proved by its
    bytes now; a file of the haystack was not asked for then.
    """
    end = len(places)
    now = np.where(pictures.files < end, np.array([*places, -1])[np.minimum(pictures.files, end)], pictures.files - end)
    part = KeptHashes(array("q"), array("Q")) if of_scanned is None else of_scanned
    their_places = np.array(scanned, np.int64)[np.array(part.places, np.int64)]
    left = np.flatnonzero((now >= 0) & ~np.isin(now, scanned if are_all_searched else their_places))
    width = pictures.hashes.shape[1]
    values, unsure = (np.array(column, np.uint64).reshape(-1, width) for column in (part.values, part.unsure))
    all_unsure = np.concatenate([pictures.unsure[left], unsure if len(unsure) else np.zeros_like(values)])
    return KeptHashes(
        array("q", np.concatenate([now[left], their_places]).tobytes()),
        array("Q", np.concatenate([pictures.hashes[left], values]).tobytes()),
        array("Q", all_unsure.tobytes() if all_unsure.any() else b""),
    )


class Reach(NamedTuple):
    """How far what happens to a picture matters to each needle, by the number of its file."""

    bits: NDArray[np.int64]
    """Pictures of the haystack further away are nothing to it, as long as its witness stays."""
    has_claim: NDArray[np.bool_]
    """Whether it has a witness that it may lose to another needle, or has lost one."""


class Linked(NamedTuple):
    """The files that have to do with what has changed, by their numbers, and what has changed."""

    needles: set[int]
    haystack: set[int]
    """All that those needles are matched among."""
    rivals: set[int]
    """Needles of which only a part of that was followed. They have to come out as they were."""


def linked(
    needles: Pictures,
    haystack: Pictures,
    changed: tuple[Iterable[int], Iterable[int]],
    threshold_bits: int,
    slack_bits: int,
    most: int,
    reach: Reach,
) -> Linked | None:
    """Return the files that are linked with those that have ``changed``; None where more than ``most`` are.

    What was searched for within less than ``threshold_bits``, and met by way of another needle only, is a rival.
    Hashes of gray pictures may lie ``slack_bits`` farther apart than those of their files.
    """
    near_needles, near_haystack = _Near(needles, slack_bits), _Near(haystack, slack_bits)
    seen = tuple(map(set, changed))
    reach_bits = reach.bits[needles.files]
    of_changed = haystack.asked(near_haystack.rows_of(seen[1]))
    seen[0].update(needles.files[near_needles.rows(of_changed, reach_bits)].tolist())
    # What is judged anew is not sure to have its witness again.
    is_direct = np.isin(needles.files, np.array(sorted(seen[0]), np.int64))
    reach_bits = np.where(is_direct, threshold_bits, reach_bits)
    claimed_bits = np.where(reach.has_claim[needles.files], reach_bits, -1)
    pending = [set(files) for files in seen]
    is_first = True  # what is near the changed pictures is known already
    while any(pending):
        rows = near_needles.rows_of(pending[0])
        of_haystack = haystack.asked(near_haystack.rows_of(pending[1]))
        met = (
            set() if is_first else set(needles.files[near_needles.rows(of_haystack, claimed_bits)].tolist()),
            # A witness proves one needle only, and so do its copies.
            near_haystack.files(needles, rows, reach_bits[rows]) | near_haystack.near(of_haystack, CLOSE_BITS),
        )
        is_first = False
        pending = [files - linked_files for files, linked_files in zip(met, seen, strict=True)]
        for linked_files, files in zip(seen, pending, strict=True):
            linked_files.update(files)
        if sum(map(len, seen)) > most:
            return None
    rows = near_needles.rows_of(seen[0])
    rivals = rows[reach_bits[rows] < threshold_bits]
    among = near_haystack.near(needles.asked(rivals), threshold_bits)
    return Linked(seen[0], seen[1] | among, set(needles.files[rivals].tolist()))


class _Near:
    """Searches the pictures of one side, by row or by file, for those with a hash near another."""

    def __init__(self, pictures: Pictures, slack_bits: int) -> None:
        self._files = pictures.files
        self._order = np.argsort(pictures.files, kind="stable")
        self._width = pictures.hashes.shape[1]
        self._flat = pictures.hashes.reshape(-1)
        self._unsure = pictures.unsure.reshape(-1)
        self._has_unsure = bool(self._unsure.any())
        self._slack_bits = slack_bits
        self._dictionary: HashDictionary | None = None

    def rows_of(self, files: Iterable[int]) -> Rows:
        """Return the rows of these files; some have none."""
        wanted = np.array(sorted(files), np.int64)
        first, last = (np.searchsorted(self._files, wanted, side, self._order) for side in ("left", "right"))
        return np.concatenate([self._order[start:end] for start, end in zip(first, last, strict=True)] or [wanted])

    def files(self, pictures: Pictures, rows: Rows, their_bits: NDArray[np.int64]) -> set[int]:
        """Return the files with a hash within so many bits of one of these ``rows``, each of which has its own."""
        met: set[int] = set()
        for radius in distinct(their_bits).tolist():
            met |= self.near(pictures.asked(rows[their_bits == radius]), radius)
        return met

    def near(self, asked: Asked, radius_bits: int) -> set[int]:
        """Return the files with a hash within so many bits of one that is asked for."""
        return set(self._files[self.rows(asked, radius_bits)].tolist())

    def rows(self, asked: Asked, own_bits: NDArray[np.int64] | int) -> Rows:
        """Return the rows, each once, with a hash within so many bits of one that is asked for.

        Each row that is searched may have its own radius; below zero, nothing is near it.
        """
        radii = np.broadcast_to(own_bits, len(self._files))
        if not len(asked.hashes) or not len(self._flat) or radii.max() < 0:
            return np.empty(0, np.int64)
        slack_bits = self._slack_bits if self._has_unsure or asked.unsure.any() else 0
        limits = np.repeat(radii.astype(np.int16), self._width)
        if not slack_bits:
            hashes = distinct(asked.hashes)
            asked = Asked(hashes, np.zeros_like(hashes))
        is_few = len(asked.hashes) * len(self._flat) <= _FEW
        is_near = (self._each if is_few else self._by_dictionary)(asked, limits, slack_bits)
        return distinct(np.flatnonzero(is_near) // self._width)

    def _each(self, asked: Asked, limits: Limits, slack_bits: int) -> NDArray[np.bool_]:
        """Compare all pairs."""
        is_near = np.zeros(len(self._flat), np.bool_)
        for hash_, unsure in zip(*asked, strict=True):
            differences = self._flat ^ hash_
            bits = np.bitwise_count(differences)
            is_near |= bits <= limits
            if slack_bits:
                places = np.flatnonzero((bits <= limits + slack_bits) & ~is_near)
                either = self._unsure[places] | unsure
                is_near[places] = are_near(differences[places], either, limits[places])
        return is_near

    def _by_dictionary(self, asked: Asked, limits: Limits, slack_bits: int) -> NDArray[np.bool_]:
        """Find the pairs that are near enough, a million at a time."""
        if self._dictionary is None:
            self._dictionary = HashDictionary(self._flat)
        is_near = np.zeros(len(self._flat), np.bool_)
        nearest = np.full(len(self._dictionary.keys), _FAR, np.uint8)
        pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        count = 0
        for index, keys, bits in self._dictionary.within(asked.hashes, int(limits.max()) + slack_bits):
            nearest[keys] = np.minimum(nearest[keys], bits)
            if not slack_bits:
                continue
            pairs.append((np.full(len(keys), index), keys))
            count += len(keys)
            if count >= _MOST_PAIRS:
                self._mark_unsure(asked, pairs, limits, slack_bits, is_near)
                pairs, count = [], 0
        self._mark_unsure(asked, pairs, limits, slack_bits, is_near)
        which, places = self._dictionary.places(met := np.flatnonzero(nearest < _FAR))
        is_near[places] |= nearest[met[which]] <= limits[places]
        return is_near

    def _mark_unsure(
        self,
        asked: Asked,
        pairs: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
        limits: Limits,
        slack_bits: int,
        is_near: NDArray[np.bool_],
    ) -> None:
        """Set in ``is_near`` what may be near by the bits that are sure; ``pairs`` are indexes and keys."""
        assert self._dictionary is not None
        if not pairs:
            return
        indexes, keys = (np.concatenate(part) for part in zip(*pairs, strict=True))
        step = max(1, _MOST_PAIRS * len(keys) // max(1, self._dictionary.count(keys)))
        for start in range(0, len(keys), step):  # a hash may have thousands of places
            which, places = self._dictionary.places(keys[start : start + step])
            index = indexes[start : start + step][which]
            is_open = ~is_near[places]
            places, index = places[is_open], index[is_open]
            differences = self._flat[places] ^ asked.hashes[index]
            is_within = np.bitwise_count(differences) <= limits[places] + slack_bits
            either = self._unsure[places] | asked.unsure[index]
            is_near[places[is_within & are_near(differences, either, limits[places])]] = True
