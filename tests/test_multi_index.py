"""The multi-index against comparing every pair at once, for every number of parts."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from dupfind.search import blocks, multi_index
from dupfind.search.hamming import Hashes
from dupfind.search.multi_index import MultiIndex, Probe, ball
from dupfind.search.search_plan import cut

KINDS = "uniform", "clustered", "1% blank", "30% one value"
RADII = range(21)
SEEDS = 1000
NUMBERS = 0, 4, 5, 6, 7, 8, 13
"""Of parts; none is comparing every pair. 13 parts are more than a plan takes, of 5 bits."""

Hits = list[tuple[int, int, int]]


def probes_of(number: int, radius_bits: int, dice: np.random.Generator) -> list[Probe]:
    """An allotment of the radius to so many parts, drawn at random, some parts left out."""
    parts = cut(number) if number else []
    more = [0] * number
    for _ in range(radius_bits + 1 if number else 0):
        free = [index for index in range(number) if more[index] <= parts[index][1]]
        # Uneven ones take long with wide parts; two draws, the part with less.
        one, other = dice.choice(free, 2)
        more[min(one, other, key=lambda index: more[index])] += 1
    return [Probe(*place, one - 1) for place, one in zip(parts, more, strict=True) if one]


def flipped(hashes: Hashes, flips: int, dice: np.random.Generator) -> Hashes:
    """Each of these with so many bits turned over, others for each."""
    bits = dice.permuted(np.tile(np.arange(64, dtype=np.uint64), (len(hashes), 1)), axis=1)[:, :flips]
    masks: Hashes = np.bitwise_or.reduce(np.uint64(1) << bits, axis=1, initial=0)
    return hashes ^ masks


def sets(kind: str, radius_bits: int, dice: np.random.Generator) -> tuple[Hashes, Hashes]:
    """Different needles and keys; some needles are exactly at the radius from a key, or a bit nearer or farther."""
    keys = dice.integers(0, 2**64, 60, dtype=np.uint64)
    needles = dice.integers(0, 2**64, 20, dtype=np.uint64)
    if kind == "clustered":
        keys, needles = (flipped(dice.choice(keys[:3], count), int(dice.integers(9)), dice) for count in (60, 20))
    share = {"1% blank": 0.01, "30% one value": 0.3}.get(kind, 0.0)
    value = np.uint64(0) if kind == "1% blank" else keys[0]
    needles, keys = (np.where(dice.random(len(some)) < share, value, some) for some in (needles, keys))
    near = [flipped(dice.choice(keys, 6), max(0, radius_bits + more), dice) for more in (-1, 0, 1)]
    return np.unique(np.concatenate([needles, *near])), np.unique(keys)


def expected(needles: Hashes, keys: Hashes, radius_bits: int) -> Hits:
    """Every pair, in order."""
    bits = np.bitwise_count(needles[:, None] ^ keys)
    rows, columns = np.nonzero(bits <= radius_bits)
    return list(zip(rows.tolist(), columns.tolist(), bits[rows, columns].tolist(), strict=True))


def plain(hits: Any) -> Hits:
    """What was found, in the order in which it came."""
    return list(zip(*(part.tolist() for part in hits), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_random_sets_are_searched_exactly(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand seeds over the kinds, each with every radius in turn and with every number of parts at each."""
    for seed in range(KINDS.index(kind), SEEDS, len(KINDS)):
        dice = np.random.Generator(np.random.PCG64(seed))
        turn, radius_bits = divmod(seed // len(KINDS), len(RADII))
        needles, keys = sets(kind, radius_bits, dice)
        wanted = expected(needles, keys, radius_bits)
        if turn % 4 == 3:  # blocks and runs of odd sizes
            monkeypatch.setattr(multi_index, "_MOST_PLACES", int(dice.integers(1, 5000)))
            monkeypatch.setattr(multi_index, "_MOST_GATHERED", int(dice.integers(1, 99)))
            monkeypatch.setattr(multi_index, "_LONGEST_RUN", int(dice.integers(1, 5)))
            monkeypatch.setattr(blocks, "_MOST_PAIRS", int(dice.integers(1, 99)))
        for number in NUMBERS[turn // 4 % 2 :: 2]:
            probes = probes_of(number, radius_bits, dice)
            assert wanted == plain(MultiIndex(keys).search(needles, radius_bits, probes)), (seed, probes)
        monkeypatch.undo()


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize("number", NUMBERS[1:])
def test_the_farthest_pair_of_the_pigeonhole_is_found(number: int) -> None:
    """A pair that every probe but one misses by a bit, and that one meets by none."""
    for seed in range(20):
        dice = np.random.Generator(np.random.PCG64(seed))
        radius_bits = RADII[seed]
        probes = probes_of(number, radius_bits, dice)
        for met in probes:
            needle = int(dice.integers(0, 2**64, dtype=np.uint64))
            key = needle
            for probe in probes:
                bits = dice.permutation(probe.bits)[: probe.radius_bits + (probe is not met)]
                key ^= sum(1 << (probe.shift + int(bit)) for bit in bits)
            if any(probe.radius_bits == probe.bits for probe in probes if probe is not met):
                continue  # there is no bit more to turn over
            needles, keys = np.array([needle], np.uint64), np.array([key], np.uint64)
            assert [(0, 0, radius_bits)] == plain(MultiIndex(keys).search(needles, radius_bits, probes))


def test_probes_that_would_miss_pairs_are_refused() -> None:
    """A radius that is too small by one bit in one part is an error and no shorter answer."""
    index = MultiIndex(np.arange(4, dtype=np.uint64))
    with pytest.raises(AssertionError):
        index.search(np.zeros(1, np.uint64), 10, [Probe(shift, bits, 1) for shift, bits in cut(5)])


def test_it_gives_up_past_the_most_hits() -> None:
    """Exactly so many are given, one more is too many; another search is not disturbed."""
    index = MultiIndex(np.arange(8, dtype=np.uint64))
    needles = np.zeros(1, np.uint64)
    probes = [Probe(0, 8, 3)]
    assert 8 == len(plain(index.search(needles, 3, probes, 8)))
    assert index.search(needles, 3, probes, 7) is None
    assert index.search(needles, 3, [], 7) is None
    assert 8 == len(plain(index.search(needles, 3, probes)))


def test_numpys_settings_are_left_as_they_were() -> None:
    """The buffer that suits the blocks is set for the search only, found or given up."""
    before = np.getbufsize()
    index = MultiIndex(np.arange(8, dtype=np.uint64))
    for most in (None, 1):
        index.search(np.zeros(1, np.uint64), 3, [Probe(0, 8, 3)], most)
    assert before == np.getbufsize()


def test_buckets_are_made_once_and_only_when_wanted() -> None:
    """Four bytes a key and a table for each part that was searched."""
    index = MultiIndex(np.arange(1000, dtype=np.uint64))
    assert (set(), 0) == (index.parts, index.nbytes)
    for _ in range(2):
        index.search(np.zeros(1, np.uint64), 1, [Probe(0, 8, 0), Probe(8, 10, 0)])
        assert {(0, 8), (8, 10)} == index.parts
        assert 2 * 4 * 1000 + 8 * (257 + 1025) == index.nbytes


@pytest.mark.slow
def test_real_sizes_are_searched_exactly() -> None:
    """With the bounds as they are: 700 needles among 13,000 keys in a hundred clusters, one of them large."""
    dice = np.random.Generator(np.random.PCG64(5))
    centres = dice.integers(0, 2**64, 100, dtype=np.uint64)
    which = np.minimum(dice.integers(0, 200, 14_000), 99)
    hashes = np.unique(flipped(centres[which], 6, dice))
    is_needle = dice.random(len(hashes)) < 0.05
    needles, keys = hashes[is_needle], hashes[~is_needle]
    index = MultiIndex(keys)
    wanted = plain(index.search(needles, 8, []))
    assert len(wanted) > 10_000
    for number in NUMBERS[1:]:
        assert wanted == plain(index.search(needles, 8, probes_of(number, 8, dice))), number


@pytest.mark.parametrize("bits", [1, 5, 8])
def test_a_ball_holds_all_numbers_near_zero(bits: int) -> None:
    """As many as the binomials say, each once."""
    for radius_bits in range(bits + 1):
        near = [number for number in range(1 << bits) if number.bit_count() <= radius_bits]
        assert near == ball(bits, radius_bits).tolist()
    assert list(itertools.chain([0], (1 << bit for bit in range(bits)))) == ball(bits, 1).tolist()
