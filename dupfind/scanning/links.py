"""Find the pictures that have to do with those that have changed.

A needle is matched among the pictures whose hash is near one of its own, and on no others: a picture that has come or
gone matters to the needles that it is near. A needle that has its witness looks at nothing that lies further away.

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

    def part(self, is_meant: NDArray[np.bool_], orientations: int | None = None) -> Pictures:
        """Return the rows that are meant, in the first so many orientations."""
        hashes, unsure = (column[is_meant][:, :orientations] for column in (self.hashes, self.unsure))
        return Pictures(self.files[is_meant], hashes, unsure)


class Reach(NamedTuple):
    """Which pictures of the haystack matter to each needle, by the number of its file."""

    bits: NDArray[np.int64]
    """How far away they may lie."""
    is_upright: NDArray[np.bool_]
    """Whether only those count that lie as it does."""


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
    """Put together the pictures of one side that the next run will start from, by the places of their files now.

    ``pictures`` are all that are known, by number: a file of the last run has the number ``n`` that it had then, and
    stands at ``places[n]`` now, -1 if it is gone; a file of now at place ``p`` has the number ``len(places) + p``.
    ``scanned`` are the places of the files that this run matched again, and ``of_scanned`` the pictures that it found
    among them, by their positions in ``scanned``; these replace what ``pictures`` has of the same files.

    ``are_all_searched`` is for needles: one that was scanned and gave no picture has none any more, since its bytes
    prove it now. A file of the haystack that gave none keeps the one that is known: it was not asked for.
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


class Neighbours:
    """Searches the pictures of both sides for those that lie near others; files are meant by their numbers.

    Hashes of gray pictures may lie ``slack_bits`` farther apart than those of their files.
    """

    def __init__(self, needles: Pictures, haystack: Pictures, threshold_bits: int, slack_bits: int) -> None:
        self._pictures = needles
        self._needles, self._haystack = _Near(needles, slack_bits), _Near(haystack, slack_bits)
        self._threshold_bits, self._slack_bits = threshold_bits, slack_bits

    def needles_near(self, haystack: Iterable[int], reach: Reach) -> set[int]:
        """Return the needles to which one of these pictures of the haystack matters."""
        asked = self._haystack.asked(haystack)
        is_upright = reach.is_upright[self._pictures.files]
        parts = self._pictures.part(is_upright, 1), self._pictures.part(~is_upright)
        upright, turned = (_Near(part, self._slack_bits).near(asked, reach.bits[part.files]) for part in parts)
        return upright | turned

    def haystack_near(self, needles: Iterable[int]) -> set[int]:
        """Return the files of the haystack within the threshold of these needles: all that they are matched among."""
        return self._haystack.near(self._needles.asked(needles), self._threshold_bits)

    def copies(self, haystack: Iterable[int]) -> set[int]:
        """Return these files of the haystack, as far as they have pictures, and all that have nearly the same one."""
        return self._haystack.near(self._haystack.asked(haystack), CLOSE_BITS)


class _Near:
    """Searches the pictures of one side for those with a hash near another."""

    def __init__(self, pictures: Pictures, slack_bits: int) -> None:
        self.files = pictures.files
        self._pictures = pictures
        self._width = pictures.hashes.shape[1]
        self._flat = pictures.hashes.reshape(-1)
        self._unsure = pictures.unsure.reshape(-1)
        self._has_unsure = bool(self._unsure.any())
        self._slack_bits = slack_bits
        self._dictionary: HashDictionary | None = None

    def asked(self, files: Iterable[int]) -> Asked:
        """Return all hashes of these files; some have none."""
        rows = np.flatnonzero(np.isin(self.files, np.array(sorted(files), np.int64)))
        return Asked(self._pictures.hashes[rows].reshape(-1), self._pictures.unsure[rows].reshape(-1))

    def near(self, asked: Asked, own_bits: NDArray[np.int64] | int) -> set[int]:
        """Return the files with a hash within so many bits of one that is asked for.

        Each row that is searched may have its own radius.
        """
        radii = np.broadcast_to(own_bits, len(self.files))
        if not len(asked.hashes) or not len(self._flat):
            return set()
        slack_bits = self._slack_bits if self._has_unsure or asked.unsure.any() else 0
        limits = np.repeat(radii.astype(np.int16), self._width)
        if not slack_bits:
            hashes = distinct(asked.hashes)
            asked = Asked(hashes, np.zeros_like(hashes))
        is_few = len(asked.hashes) * len(self._flat) <= _FEW
        is_near = (self._each if is_few else self._by_dictionary)(asked, limits, slack_bits)
        return set(self.files[np.flatnonzero(is_near) // self._width].tolist())

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
