"""Blocks of hashes against the slow obvious answer: Python integers, pair by pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupfind.search import blocks
from dupfind.search.blocks import Blocks

MAX = 2**64 - 1

hashes = st.lists(st.integers(0, 31) | st.sampled_from([MAX, 1 << 63]) | st.integers(0, MAX), max_size=12)


def array(values: list[int]) -> Any:
    """Hashes as the search takes them."""
    return np.array(values, np.uint64)


def compared(one: list[int], other: list[int], radius_bits: int) -> list[tuple[int, int, int]]:
    """All hits, in a fixed order."""
    found = Blocks(radius_bits).compare(array(one), array(other))
    return sorted(hit for hits in found for hit in zip(*(part.tolist() for part in hits), strict=True))


def slow(one: list[int], other: list[int], radius_bits: int) -> list[tuple[int, int, int]]:
    """The same, pair by pair."""
    pairs = ((row, column, (a ^ b).bit_count()) for row, a in enumerate(one) for column, b in enumerate(other))
    return [hit for hit in pairs if hit[2] <= radius_bits]


@pytest.mark.mostly_slow(fast=2)
@pytest.mark.parametrize(("most_pairs", "least_rows"), [(1, 1), (6, 2), (16, 16), (1 << 16, 16)])
@given(one=hashes, other=hashes, radius_bits=st.integers(0, 64))
def test_every_pair_is_compared(
    most_pairs: int, least_rows: int, one: list[int], other: list[int], radius_bits: int
) -> None:
    """In blocks of one pair as in blocks that hold everything, whichever side is the longer one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_MOST_PAIRS", most_pairs)
        patch.setattr(blocks, "_LEAST_ROWS", least_rows)
        assert slow(one, other, radius_bits) == compared(one, other, radius_bits)


@pytest.mark.parametrize("radius_bits", [0, 8, 32, 63])
def test_the_radius_is_included(radius_bits: int) -> None:
    """A pair exactly at the radius is found, one bit more is not."""
    others = [(1 << radius_bits) - 1, (1 << (radius_bits + 1)) - 1]
    assert [(0, 0, radius_bits)] == compared([0], others, radius_bits)


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 40, 300])
def test_the_real_blocks_are_crossed(rows: int) -> None:
    """More rows and columns than a block holds, with hits at both ends of each side."""
    one = [0, *[MAX] * (rows - 1), 3]
    other = [1, *[MAX // 3] * (blocks._MOST_PAIRS // 16), 2, 3]
    ends = [0, len(other) - 2, len(other) - 1]
    expected = [*((0, at, bits) for at, bits in zip(ends, [1, 1, 2], strict=True))]
    expected += [(rows, at, bits) for at, bits in zip(ends, [1, 1, 0], strict=True)]
    assert expected == compared(one, other, 2)
    assert sorted((column, row, bits) for row, column, bits in expected) == compared(other, one, 2)


def test_the_buffers_size_changes_no_answer() -> None:
    """With numpy's least buffer, as the search sets it, and with the usual one."""
    chance = np.random.Generator(np.random.PCG64(1))
    one, other = (chance.integers(0, 2**64, count, dtype=np.uint64) for count in (90, 700))
    usual = [np.concatenate(part) for part in zip(*Blocks(22).compare(one, other), strict=True)]
    before = np.getbufsize()
    with np.errstate():
        np.setbufsize(blocks.UFUNC_BUFFER)
        least = [np.concatenate(part) for part in zip(*Blocks(22).compare(one, other), strict=True)]
    assert before == np.getbufsize()
    assert len(usual[0]) > 100
    assert all((a == b).all() for a, b in zip(usual, least, strict=True))
