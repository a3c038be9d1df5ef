"""Plan of a search: which parts of the hashes within which radii, or every pair compared, whichever costs least.

The costs are estimated from the hashes themselves, not from their number: real hashes come in clusters, whose buckets
are many times as full as those of random ones. Pure numpy, knows no files and no clock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate
from math import ceil, comb, exp, inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.search.blocks import Hashes, distinct
from dupfind.search.multi_index import Probe, part

Counts = NDArray[np.float64]

MOST_NEEDLES = 1 << 17
"""Needles that are looked up together: the more, the cheaper each, until they leave the processor's caches."""
MOST_HITS = 1 << 20
"""Pairs found together: 40 MB while they are sorted. One needle alone may have more."""
_PARTS = range(4, 9)
"""Into how many parts hashes are cut: of 16 bits down to 8."""
_WIDEST, _SPARSE = 8, 5
"""Parts of more than 8 bits are for so many keys that a bucket holds some 16."""
_SAMPLE_NEEDLES = 1 << 14
_SAMPLE_KEYS = 1 << 16
_SAMPLE_HITS = 1 << 6
"""How many the estimate looks at."""

# Nanoseconds on the machine of docs/performance.md; only their ratios count. All but building and hits are fitted to
# single parts, 8 to 16 bits wide, within 0 to 3, for 100 to 100,000 needles among 3,000 to 1,000,000 keys: half of the
# estimates are 0.77 to 1.09 of the time that was measured.
_COMPARED_NS = 0.65
"""A pair, where every pair is compared."""
_PAIR_NS = 0.76
"""A pair of a bucket with its needles, in shorter rows."""
_BUCKET_NS = 6300.0
"""A bucket that has needles near."""
_PLACE_NS = 8.5
"""A bucket and a bucket near it."""
_GATHER_NS = 1.8
"""A needle near a bucket."""
_NEEDLE_NS = 8.4
"""A needle that is put into its bucket."""
_KEY_NS = 11.0
"""A key that is fetched from its bucket."""
_BUILD_NS = 20.0
"""A key that is put into its bucket."""
_HIT_NS = 100.0
"""A pair within the radius, beyond what it costs where every pair is compared: several parts find it."""
_LEAST_NS = 0.06e9
"""Where comparing every pair takes less, it is not worth the 20 ms that planning takes."""
_MARGIN = 0.8
"""An estimate above this share of the certain costs of comparing every pair is not trusted."""


class Work(NamedTuple):
    """What is to be searched, as far as the costs go."""

    needles: Hashes
    """A sample, all different."""
    keys: Hashes
    """Likewise."""
    needle_count: float
    key_count: int
    radius_bits: int
    hits_each: float
    """Keys within the radius of a needle, on the average."""

    @property
    def batches(self) -> int:
        """How many times the index is gone through: as often as what is found fills the memory for it."""
        batch = min(MOST_NEEDLES, max(1.0, MOST_HITS / 3 / max(self.hits_each, 1e-9)))
        return ceil(self.needle_count / batch)


def plan(needles: Hashes, keys: Hashes, radius_bits: int, built: Collection[tuple[int, int]] = ()) -> tuple[Probe, ...]:
    """Choose the probes that find all pairs within the radius at the least cost; none when every pair is cheaper.

    ``needles`` may repeat, ``keys`` are all different; ``built`` are the parts (shift, bits) that cost no building.
    """
    if len(needles) * len(keys) * _COMPARED_NS < _LEAST_NS:
        return ()
    sample = _sample(needles, _SAMPLE_NEEDLES)
    different = distinct(sample)
    needle_count = len(needles) * len(different) / len(sample)
    key_sample = _sample(keys, _SAMPLE_KEYS)
    probing = _sample(different, _SAMPLE_HITS)
    hits = sum(np.count_nonzero(np.bitwise_count(key_sample ^ needle) <= radius_bits) for needle in probing)
    hits_each = hits / len(probing) * len(keys) / len(key_sample)
    work = Work(different, key_sample, needle_count, len(keys), radius_bits, hits_each)
    best: tuple[float, tuple[Probe, ...]] = (work.needle_count * work.key_count * _COMPARED_NS * _MARGIN, ())
    for number in _PARTS:
        if 64 // number > max(_WIDEST, len(keys).bit_length() - _SPARSE):
            continue
        parts = cut(number)
        costs = [_costs(work, shift, bits, is_built=(shift, bits) in built) for shift, bits in parts]
        cost, radii = allot(costs, radius_bits)
        cost += needle_count * hits_each * _HIT_NS
        probes = tuple(Probe(*place, radius) for place, radius in zip(parts, radii, strict=True) if radius >= 0)
        best = min(best, (cost, probes))
    return best[1]


def cut(number: int) -> list[tuple[int, int]]:
    """Shift and bits of the parts when 64 bits are cut into ``number`` parts of nearly one width.

    >>> cut(5)
    [(0, 13), (13, 13), (26, 13), (39, 13), (52, 12)]
    """
    widths = [64 // number + (index < 64 % number) for index in range(number)]
    return list(zip(accumulate([0, *widths[:-1]]), widths, strict=True))


def allot(costs: Sequence[Sequence[float]], radius_bits: int) -> tuple[float, list[int]]:
    """Choose the radius of each part, -1 for none, so that no pair is missed and the sum costs least.

    ``costs[i][r + 1]`` is what searching part i within r costs. The sum of all r + 1 is ``radius_bits + 1``.

    >>> allot([[0, 1, 5], [0, 2, 4]], 1)
    (3.0, [0, 0])
    """
    wanted = radius_bits + 1
    best: list[tuple[float, list[int]]] = [(0.0, []), *[(inf, [])] * wanted]
    for of_part in costs:
        best = [
            min((best[total - more][0] + cost, [*best[total - more][1], more - 1])
                for more, cost in enumerate(of_part[: total + 1]))
            for total in range(wanted + 1)
        ]  # fmt: skip
    return best[wanted]


def _sample(hashes: Hashes, most: int) -> Hashes:
    """Return at most so many of these, evenly spread, by no whole step:
    hashes of one kind may come at every eighth place.
    """
    return hashes if len(hashes) <= most else hashes[np.arange(most) * len(hashes) // most]


def _costs(work: Work, shift: int, bits: int, *, is_built: bool) -> list[float]:
    """Estimate the cost of this part in nanoseconds: not searched, within 0, 1, ..., up to the whole radius."""
    ours, theirs = (np.bincount(part(hashes, shift, bits), minlength=1 << bits) for hashes in (work.needles, work.keys))
    pairs = np.cumsum(_pairs_apart(ours, theirs)) * (
        work.needle_count / len(work.needles) * (work.key_count / len(work.keys))
    )
    batches = work.batches
    buckets = min(1 << bits, work.key_count)
    costs = [0.0]
    places = 0
    for radius in range(min(work.radius_bits, bits) + 1):
        places += comb(bits, radius)
        reached = 1 - exp(-work.needle_count / batches * places / buckets)
        batch = buckets * (places * _PLACE_NS + reached * _BUCKET_NS) + reached * work.key_count * _KEY_NS
        needles = work.needle_count * (_NEEDLE_NS + places * _GATHER_NS)
        building = 0 if is_built else work.key_count * _BUILD_NS
        costs.append(batches * batch + needles + pairs[radius] * _PAIR_NS + building)
    return costs


def _pairs_apart(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> Counts:
    """Count the pairs in buckets that are 0, 1, 2, ... bits apart, from the numbers in the buckets.

    The exclusive-or of two sets is a convolution, which the Walsh-Hadamard transform turns into a product.

    >>> _pairs_apart(np.array([2, 0]), np.array([3, 4])).tolist()
    [6.0, 8.0]
    """
    by_xor = _transformed(_transformed(ours) * _transformed(theirs)) / len(ours)
    return np.bincount(np.bitwise_count(np.arange(len(ours))), weights=by_xor).astype(np.float64)


def _transformed(counts: NDArray[np.number]) -> Counts:
    """Transform 2**b numbers, b > 0, by Walsh-Hadamard; it undoes itself but for a factor of 2**b.

    >>> _transformed(np.array([1, 2])).tolist()
    [3.0, -1.0]
    """
    values = counts.astype(np.float64)
    half = 1
    while half < len(values):
        pairs = values.reshape(-1, 2, half)
        values = np.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), axis=1).reshape(-1)
        half *= 2
    return values
