"""Many pairs of thumbnails judged at once, by the processes that decode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Judged, Pair
from dupfind.pool.processes import Death
from dupfind.pool.workers import Pool
from dupfind.values import THUMBNAIL_SIDE

if TYPE_CHECKING:
    from dupfind.pool.pairwise import Comparison

_FEWEST = 8
_WORTH_STARTING = 1024
"""Pairs that take as long as to start processes, where nothing had to be decoded."""
_BATCH = 1024
"""Pairs whose thumbnails are fetched together."""


class PairWork:
    """Judges pairs on the ``lanes`` of ``pool``; ``with_full_size`` as in :func:`dupfind.evidence.evidence.judge`."""

    def __init__(self, pool: Pool, cache: Cache, lanes: int, *, with_full_size: bool = True) -> None:
        self._with_full_size = with_full_size
        self._pool = pool
        self._cache = cache
        self._lanes = lanes
        self._left_here = _WORTH_STARTING

    def judge(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Judged]]:
        """How each pair was judged, in the order in which they are done; none where that is not worth a process."""
        if self._lanes == 1 or len(pairs) < _FEWEST:
            return
        if not self._pool.has_processes:
            self._left_here -= len(pairs)
            if self._left_here > 0:
                return
        from dupfind.pool.pairwise import judge_pairs  # brings numpy

        judge = partial(judge_pairs, with_full_size=self._with_full_size)

        def here(comparison: Comparison, _: Death) -> Judged:
            """Judging is our own and harmless: what a process did not finish is done here."""
            return judge([comparison])[0]

        for comparison, judged in self._pool.map(judge, self._comparisons(pairs), size_bytes=_size_bytes, lost=here):
            yield comparison.pair, judged

    def _comparisons(self, pairs: Sequence[Pair]) -> Iterator[Comparison]:
        from dupfind.pool.pairwise import Comparison

        for start in range(0, len(pairs), _BATCH):
            batch = pairs[start : start + _BATCH]
            found = self._cache.thumbnails(list({id_ for pair in batch for id_ in (pair.needle, pair.witness)}))
            yield from (Comparison(pair, found[pair.needle], found[pair.witness]) for pair in batch)


def _size_bytes(_: object) -> int:
    return 2 * THUMBNAIL_SIDE * THUMBNAIL_SIDE
