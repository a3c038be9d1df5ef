"""What a search costs, and that the cheapest way is chosen."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.search import search_plan
from dupfind.search.hamming import Hashes
from dupfind.search.search_plan import allot, cut, plan


@functools.cache
def uniform(count: int, seed: int = 0) -> Hashes:
    """Random hashes, all different."""
    return np.unique(np.random.Generator(np.random.PCG64(seed)).integers(0, 2**64, count, dtype=np.uint64))


@pytest.mark.parametrize("number", range(1, 33))
def test_parts_cover_every_bit_once(number: int) -> None:
    """In order, none wider than another by more than a bit."""
    parts = cut(number)
    assert list(range(64)) == [bit for shift, bits in parts for bit in range(shift, shift + bits)]
    assert max(bits for _, bits in parts) - min(bits for _, bits in parts) <= 1


@given(st.lists(st.lists(st.integers(0, 99), min_size=2, max_size=4), min_size=2, max_size=3), st.integers(0, 3))
def test_the_allotment_is_the_cheapest_of_all(costs: list[list[int]], radius_bits: int) -> None:
    """Against every allotment whose radii, each plus one, sum up to the radius plus one."""
    every = [
        sum(of_part[more] for of_part, more in zip(costs, each, strict=True))
        for each in itertools.product(*(range(len(of_part)) for of_part in costs))
        if sum(each) == radius_bits + 1
    ]
    cost, radii = allot(costs, radius_bits)
    assert min(every, default=float("inf")) == cost
    if every:
        assert radius_bits + 1 == sum(radius + 1 for radius in radii)
        assert cost == sum(of_part[radius + 1] for of_part, radius in zip(costs, radii, strict=True))


@given(st.integers(1, 6), st.randoms(use_true_random=False))
def test_pairs_are_counted_by_how_far_their_buckets_are_apart(bits: int, chance: object) -> None:
    """The transform against counting each pair of buckets."""
    dice = np.random.Generator(np.random.PCG64(bits))
    ours, theirs = dice.integers(0, 9, (2, 1 << bits))
    expected = [0] * (bits + 1)
    for one, other in itertools.product(range(1 << bits), repeat=2):
        expected[(one ^ other).bit_count()] += int(ours[one] * theirs[other])
    assert expected == search_plan._pairs_apart(ours, theirs).tolist()


@pytest.mark.mostly_slow(fast=1)
@pytest.mark.parametrize("radius_bits", range(21))
@pytest.mark.parametrize("counts", [(100_000, 20_000), (2000, 1_000_000)], ids=str)
def test_a_plan_misses_no_pair(counts: tuple[int, int], radius_bits: int) -> None:
    """Parts without a common bit, of at most 16 bits, whose radii, each plus one, sum up to more than the radius."""
    needles, keys = (uniform(count, seed) for seed, count in enumerate(counts))
    probes = plan(needles, keys, radius_bits)
    taken = [bit for probe in probes for bit in range(probe.shift, probe.shift + probe.bits)]
    assert len(set(taken)) == len(taken)
    assert not probes or radius_bits + 1 == sum(probe.radius_bits + 1 for probe in probes)
    assert all(0 <= probe.radius_bits <= probe.bits <= 16 for probe in probes)
    assert probes or radius_bits > 12


def test_few_hashes_are_compared_one_by_one() -> None:
    """Where the index would cost more than it saves, or only planning would."""
    keys = uniform(100_000)
    assert () == plan(keys[:0], keys, 4)
    assert () == plan(keys, keys[:0], 4)
    assert () == plan(keys[:100], keys, 4)
    assert () == plan(keys, keys[:100], 4)
    assert () != plan(keys, keys, 4)


def test_a_wide_radius_compares_every_pair() -> None:
    """Half of all hashes are within 32 bits: nothing can be left out."""
    keys = uniform(20_000)
    assert () == plan(keys, keys, 32)


def test_a_part_that_is_all_the_same_is_not_searched() -> None:
    """The cost of a part is that of its real buckets: where many hashes share bits, other parts do the work."""
    keys = np.unique(uniform(60_000) & np.uint64(0xFFFFFFFFFFFF0000))
    probes = plan(keys, keys, 3)
    assert probes
    assert all(probe.shift + probe.bits > 16 for probe in probes)


def test_one_cluster_compares_every_pair() -> None:
    """Where all hashes lie within a few bits of each other, every part's buckets meet nearly all others."""
    dice = np.random.Generator(np.random.PCG64(3))
    flips = np.bitwise_or.reduce(np.uint64(1) << dice.integers(0, 64, (50_000, 4), dtype=np.uint64), axis=1)
    keys = np.unique(flips)
    assert () == plan(keys, keys, 10)


def test_series_of_near_hashes_compare_every_pair() -> None:
    """Where a needle has hundreds of near keys, several parts would find each: the index is no gain."""
    dice = np.random.Generator(np.random.PCG64(4))
    flips = np.bitwise_or.reduce(np.uint64(1) << dice.integers(0, 64, (60_000, 5), dtype=np.uint64), axis=1)
    keys = np.unique(dice.choice(uniform(60), len(flips)) ^ flips)
    assert () == plan(keys[::4], keys, 10)
    assert () != plan(uniform(15_000), keys, 10)


def test_equal_needles_count_once() -> None:
    """A hundred thousand blank pictures among the needles are no work."""
    keys = uniform(30_000)
    assert () == plan(np.zeros(100_000, np.uint64), keys, 4)


@pytest.mark.slow
def test_what_is_built_costs_less() -> None:
    """Building counts: a few needles have fewer parts built for them than they use where all are there."""
    keys = uniform(1_000_000)
    built = [place for number in search_plan._PARTS for place in cut(number)]
    assert len(plan(keys[:1000], keys, 4)) < len(plan(keys[:1000], keys, 4, built))


def test_samples_are_spread_over_all() -> None:
    """Not every eighth: the orientations of a picture come in turn."""
    found = search_plan._sample(np.arange(800, dtype=np.uint64), 98)
    assert 98 == len(found)
    assert found[-1] > 780
    assert set(range(8)) == {int(one) % 8 for one in found}
