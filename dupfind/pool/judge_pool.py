"""Many pairs of thumbnails judged at once, by the processes that decode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Comparison, Judged, Pair
from dupfind.pool.processes import Death
from dupfind.pool.workers import Pool
from dupfind.values import THUMBNAIL_SIDE

_FEWEST = 8
_PAIR_BYTES = 2 * THUMBNAIL_SIDE * THUMBNAIL_SIDE
_WORTH_STARTING = 1024
"""Pairs that take as long as to start processes, where nothing had to be decoded."""
_BATCH = 1024
"""Pairs whose thumbnails are fetched together."""


JudgeTask = Callable[[list[Comparison]], list[Judged]]


class JudgePool:
    """Judges pairs on the ``lanes`` of ``pool``."""

    def __init__(self, pool: Pool, cache: Cache, lanes: int) -> None:
        self._pool = pool
        self._cache = cache
        self._lanes = lanes
        self._left_here = _WORTH_STARTING

    def map(self, pairs: Sequence[Pair], task: JudgeTask) -> Iterator[tuple[Pair, Judged]]:
        """Yield how ``task`` judges each pair, in the order in which they are done; none where that needs no process.

        ``task`` is a plain picklable function.
        """
        if self._lanes == 1 or len(pairs) < _FEWEST:
            return
        if not self._pool.has_processes:
            self._left_here -= len(pairs)
            if self._left_here > 0:
                return

        def here(comparison: Comparison, _: Death) -> Judged:
            """Judge here: judging is our own and harmless; what a process did not finish is done here."""
            return task([comparison])[0]

        for comparison, judged in self._pool.map(
            task, self._comparisons(pairs), size_bytes=lambda _: _PAIR_BYTES, lost=here
        ):
            yield comparison.pair, judged

    def _comparisons(self, pairs: Sequence[Pair]) -> Iterator[Comparison]:
        for start in range(0, len(pairs), _BATCH):
            batch = pairs[start : start + _BATCH]
            thumbnails = self._cache.thumbnails(list({id_ for pair in batch for id_ in (pair.needle, pair.witness)}))
            yield from (Comparison(pair, thumbnails[pair.needle], thumbnails[pair.witness]) for pair in batch)
