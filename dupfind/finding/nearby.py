"""Search for the rows of a collection nearest to one picture, by their hashes; exact."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.finding.collection import NO_PICTURE, Collection
from dupfind.matching.candidates import MOST_CANDIDATES, MOST_TIED

_MOST_FRAMED = 50
"""Most rows that are near only where frames are left out."""

Words = NDArray[np.uint64]
Places = NDArray[np.int64]


class Rows(NamedTuple):
    """Rows of a collection that one picture is to be compared with."""

    nearest: list[int]
    framed: list[int]
    """What is near only where frames are left out."""


class Reach(NamedTuple):
    """How far is looked."""

    nearest: int
    """So many are wanted at least, however far away..."""
    most_bits: int
    """... but for this."""
    threshold_bits: int
    """All within it are wanted, as far as a scan would look at them."""


def near_rows(collection: Collection, hashes: Words, inner: Words, reach: Reach, left_out: list[int]) -> Rows:
    """Return the rows that a picture of these ``hashes``, one for each orientation, is to be compared with.

    ``inner`` are its hashes without its frame, none where it has none; ``left_out`` are rows that do not count.
    """
    distances = collection.distances_bits(hashes)
    distances[left_out] = NO_PICTURE
    counts = np.cumsum(np.bincount(distances, minlength=NO_PICTURE + 1)[:NO_PICTURE])
    within = min(int(counts[reach.threshold_bits]), MOST_CANDIDATES)
    rows = _nearest(collection, distances, max(reach.nearest, within), reach.most_bits, MOST_TIED)
    framed = collection.inner_distances_bits(hashes)
    if len(inner):
        np.minimum(framed, collection.distances_bits(inner), out=framed)
        np.minimum(framed, collection.inner_distances_bits(inner), out=framed)
    framed[left_out] = NO_PICTURE
    also_near = _nearest(collection, framed, _MOST_FRAMED, reach.threshold_bits, 0)
    nearest = rows.tolist()
    listed = set(nearest)
    return Rows(nearest, [row for row in also_near.tolist() if row not in listed])


def _nearest(
    collection: Collection, distances: NDArray[np.uint8], count: int, most_bits: int, most_tied: int
) -> Places:
    """Return the ``count`` nearest rows within ``most_bits``,
    and up to ``most_tied`` more as far away as the last of them.
    """
    counts = np.cumsum(np.bincount(distances, minlength=NO_PICTURE + 1)[: most_bits + 1])
    if not counts[-1]:
        return np.empty(0, np.int64)
    last = int(np.searchsorted(counts, min(count, int(counts[-1]))))
    nearer = np.flatnonzero(distances < last)
    tied = np.flatnonzero(distances == last)
    most = max(0, count - len(nearer)) + most_tied
    if len(tied) > most:
        tied = collection.in_order(tied)[:most]
    return np.concatenate([nearer, tied])
