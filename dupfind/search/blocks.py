"""Compares blocks of 64-bit hashes, every pair, in memory that is allocated once; pure numpy, knows no files.

Both searches end here: the one that compares everything, and the one that first leaves most pairs out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Positions = NDArray[np.int64]
Distances = NDArray[np.uint8]
Indexes = NDArray[np.integer[Any]]
Hits = tuple[Indexes, Indexes, Distances]
"""Pairs within the radius: indexes into the one side, into the other, and the distances in bits; all of one length."""

_MOST_PAIRS = 1 << 16
_LEAST_ROWS = 16
UFUNC_BUFFER = 16
"""numpy's least; to be set while :class:`Blocks` compares. With its usual 8192, numpy copies a row of less than some
4096 hashes into a buffer before it combines it with a column, which takes three times as long."""


N = TypeVar("N", np.int64, np.uint64)


def distinct(values: NDArray[N]) -> NDArray[N]:
    """Return the different ones of ``values``, rising.

    As ``np.unique`` does, which loads masked arrays: that takes 20 ms of a run in which nothing else needs them.

    >>> distinct(np.uint64([7, 0, 7])).tolist()
    [0, 7]
    """
    ordered = np.sort(values)
    is_first = np.ones(len(ordered), np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_first]


class Blocks:
    """Finds the pairs of two sets of hashes that are at most ``radius_bits`` apart.

    Writing into the same 600 KB again and again is 3.5 times as fast as letting numpy allocate: the block stays in the
    processor's second-level cache.

    >>> [[part.tolist() for part in hits] for hits in Blocks(1).compare(np.uint64([5]), np.uint64([5, 4, 250]))]
    [[[0, 0], [0, 1], [0, 1]]]
    """

    def __init__(self, radius_bits: int) -> None:
        self._radius_bits = radius_bits
        self._xor = np.empty(_MOST_PAIRS, np.uint64)
        self._bits = np.empty(_MOST_PAIRS, np.uint8)

    def compare(self, needles: Hashes, keys: Hashes) -> Iterator[Hits]:
        """Yield the hits block by block, for all pairs of ``needles`` with ``keys``;
        nothing for a block without any.
        """
        if len(needles) > len(keys):
            yield from ((row, column, bits) for column, row, bits in self.compare(keys, needles))
            return
        if not len(needles):
            return
        # The longer side is the inner one, and blocks are long rather than high: that is what numpy is fastest with.
        columns = min(len(keys), max(1, _MOST_PAIRS // min(len(needles), _LEAST_ROWS)))
        rows = _MOST_PAIRS // columns
        for top in range(0, len(needles), rows):
            for left in range(0, len(keys), columns):
                hits = self._block(needles[top : top + rows], keys[left : left + columns])
                if hits is not None:
                    row, column, bits = hits
                    yield row + top, column + left, bits

    def _block(self, rows: Hashes, columns: Hashes) -> Hits | None:
        """Compare one block that fits into the memory; None when there are no hits, as is usual."""
        pairs = len(rows) * len(columns)
        xor, bits = self._xor[:pairs], self._bits[:pairs]
        np.bitwise_xor(rows[:, None], columns, out=xor.reshape(len(rows), len(columns)))
        np.bitwise_count(xor, out=bits)
        if bits.min() > self._radius_bits:
            return None
        at = np.flatnonzero(bits <= self._radius_bits)
        row, column = np.divmod(at, len(columns))
        return row, column, bits[at]
