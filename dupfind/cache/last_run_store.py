"""The last run over some roots, found again at the start of a scan and kept at its end.

It holds for the same roots, the same settings that decide, the same program and, where pictures had a part in it, the
same decoders. What it says of a file holds as long as the file is the one that it was, which the scan sees by the walk
of each run. A file that may be another one next time although nothing shows it is kept as one that has changed: what
was written within two seconds (:mod:`dupfind.cache.racy`), what could not be read this time.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from array import array
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import cache

from dupfind import libraries
from dupfind.answers.findings import Findings
from dupfind.cache.cache_snapshots import Shelf
from dupfind.cache.last_run import LastRun, Links, make_rows, pack_run, unpack_run
from dupfind.cache.racy import RACY_NS, is_racy
from dupfind.cache.result_cache import program
from dupfind.digest import digest_of
from dupfind.settings import Settings
from dupfind.values import Evidence, FileEntry
from dupfind.version import __version__

_RACY_NS = RACY_NS
_INDIFFERENT = frozenset({
    "scan", "roots",  # looked at by themselves
    "named",  # which files there are shows in the rows
    "haystack", "needles",  # how the user spells the roots
    # They decide no finding that is kept:
    "workers", "scheduler", "timeout_seconds", "max_memory_bytes", "cache", "warnings",
    "disregard", "sidecars",  # what is set aside is set aside of the findings
})  # fmt: skip
"""Fields of the settings that are no part of the key. A new field is one until somebody enters it here."""


class Learned:
    """What the stages of a run learn that is of use to the next one, filled in as they come to it."""

    def __init__(self, *, is_whole: bool = False) -> None:
        self.is_whole = is_whole
        """Whether all files are scanned, and ``marks`` and ``links`` are asked for."""
        self.is_of_all = True
        """Whether the needles meet every file of the haystack; False where only what has changed is scanned again."""
        self.marks: tuple[array[int], array[int]] = (array("Q"), array("Q"))
        """Of the digests of needles and haystack, see :func:`dupfind.cache.last_run.mark`."""
        self.links: Links | None = None
        """The pictures of both sides; None where no picture of the haystack was asked for."""
        self.passing: set[str] = set()
        """Paths of needles whose findings may be others next time although nothing has changed."""
        self.is_bounded = False
        """Whether a bound of the matching was met, so that what is found of one needle may rest on all others."""
        self.has_late_frames = False
        """Whether frames were found only when pictures were decoded in full."""


class LastRunStore:
    """What is remembered of runs over the roots of ``settings``.

    ``recipe`` names what thumbnails and judgements are made by, and is asked for only where that matters. ``began_ns``
    (``time.time_ns``) is when the run began, before the walk. ``may_keep`` as in
    :class:`dupfind.cache.result_cache.Memory`.
    """

    def __init__(self, settings: Settings, recipe: Callable[[], str], *, began_ns: int, may_keep: bool) -> None:
        self._path = settings.cache if may_keep and not settings.scan.paranoid else None
        # Of the program as it is now: one that is replaced during the run has found nothing of what the run finds.
        self._key = None if self._path is None else make_key(settings)
        self._recipe = cache(recipe)
        if libraries.installed() is not None:  # or it has to load the decoders, which a plain copy never needs
            self._recipe()
        self._began_ns = began_ns
        self._is_asked = False

    @property
    def is_kept(self) -> bool:
        """Tell whether runs like this one are remembered."""
        return self._path is not None and self._key is not None

    def load(self) -> LastRun | None:
        """Return the last run; None where there was none like this one, or where it cannot be read.

        Asked again it gives none: then the cache has failed, and what came from it is worth nothing.
        """
        if self._is_asked or self._path is None or self._key is None or not os.path.exists(self._path):
            return None
        self._is_asked = True
        shelf = Shelf(self._path)
        try:
            last = shelf.load(self._key, unpack_run)
        finally:
            shelf.close()
        return last if last is not None and last.recipe in (None, self._recipe()) else None

    def keep(
        self,
        findings: Findings,
        learned: Learned,
        needles: Sequence[FileEntry],
        haystack: Sequence[FileEntry],
        now_ns: int,
    ) -> None:
        """Keep this run in the place of any other; ``now_ns`` is the time at its end."""
        if self._path is None or self._key is None or learned.is_bounded or not os.path.exists(self._path):
            return
        passing = learned.passing | {path for path, failure in findings.failures.items() if not failure.lasting}
        with suppress(OverflowError):  # a time that does not fit into 64 bits
            sides = (
                make_rows(entries, marks, self._unsettled(entries, passing, now_ns))
                for entries, marks in zip((needles, haystack), learned.marks, strict=True)
            )
            recipe = None if _is_of_bytes(findings, learned) else self._recipe()
            parts = pack_run(recipe, (next(sides), next(sides)), learned.links, findings, (needles, haystack))
            shelf = Shelf(self._path)
            try:
                shelf.keep(self._key, parts)
            finally:
                shelf.close()

    def _unsettled(self, entries: Sequence[FileEntry], passing: Collection[str], now_ns: int) -> list[bool]:
        settled_ns = self._began_ns - _RACY_NS  # each file was read after the run began
        return [
            is_racy(entry.ctime_ns, entry.mtime_ns, entry.inode, settled_ns, now_ns) or entry.path in passing
            for entry in entries
        ]


def _is_of_bytes(findings: Findings, learned: Learned) -> bool:
    """Tell whether all was decided by bytes, so that no thumbnail and no rule had a part in it."""
    is_seen = learned.links is not None or findings.pictures or findings.failures
    return not is_seen and all(match.evidence is Evidence.IDENTICAL for match in findings.matches.values())


def make_key(settings: Settings) -> bytes | None:
    """Digest everything that decides what is found of files that have not changed, but the recipe of thumbnails.

    None where the program does not lie in files.
    """
    roots = [(root.side, root.real) for root in settings.roots]
    rules = [
        (field.name, getattr(values, field.name))
        for values in (settings, settings.scan)
        for field in dataclasses.fields(values)
        if field.name not in _INDIFFERENT
    ]
    try:
        decides = roots, rules, __version__, program(), sys.version, sys.byteorder
    except OSError:
        return None
    return digest_of([b"scan", repr(decides).encode("utf-8", "surrogatepass")])
