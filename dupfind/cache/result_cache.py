"""The answers of earlier runs, found again where nothing at all has changed: no stage from walk to verdict runs then.

A run over the same files, by the same rules, finds what the last one found, so its findings are kept in the cache under
a key of everything that decides them: path, size, mtime, ctime and inode of every file of both sides in their order,
the settings, and the files of this program. That is what the cache goes by for each single file, so an answer found
here is the one that reading through the cache would give. Where pictures were looked at, the recipe of thumbnails and
rules has to be the same, too; a plain copy is decided without it, and without loading the decoders that it names.

Kept is only what will last: no answer over files that are racy (:mod:`dupfind.cache.racy`), none with a failure
that another try may not meet, none of ``--paranoid``, which is there to read again.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import repeat
from operator import is_, itemgetter

from dupfind.answers.findings import Findings
from dupfind.cache import cache_tables
from dupfind.cache.cache_file import CacheFile, DamagedError, UnusableError
from dupfind.cache.cache_tables import Answer
from dupfind.cache.file_columns import Sides
from dupfind.cache.packing import Packer, PackingError, unpack
from dupfind.cache.racy import RACY_NS, is_racy
from dupfind.digest import DIGEST_BYTES, digest_of
from dupfind.settings import Settings
from dupfind.values import Evidence, FileEntry, Match, ScanSettings
from dupfind.version import __version__

_RACY_NS = RACY_NS
_SIZE = itemgetter(FileEntry._fields.index("size_bytes"))
_EVIDENCE = itemgetter(Match._fields.index("evidence"))
_BATCH = 1 << 10
"""Files whose columns are made at once: while they are small, all of it stays near the processor."""
INDIFFERENT = frozenset({
    "scan", "roots",  # looked at by themselves
    "named",  # which files there are shows in the entries
    "haystack", "needles",  # how the user spells the roots
    # They decide no finding that is kept:
    "workers", "scheduler", "timeout_seconds", "max_memory_bytes", "cache", "warnings",
    "disregard", "sidecars",  # what is set aside is set aside of the findings
    "lacks_fragments",  # as "fragments" says, which is part of the key, nothing was looked for
})  # fmt: skip
"""Fields of the settings that are no part of the key of what is remembered of a run. A new field is one until somebody
enters it here."""
_SHOWN_BY_FILES = frozenset({"excludes", "archives", "follow_symlinks"})
"""Fields that decide which files there are, and those are in the key of an answer."""


class ResultCache:
    """What is remembered of a run over these files.

    ``columns`` are those of both sides, of which only the key is made; without them nothing is remembered. ``recipe``
    names what thumbnails and judgements are made by, and is asked for only where that matters. ``began_ns``
    (``time.time_ns``) is when the run began, before the walk. ``may_keep`` is False where what is known of a file may
    change while the file does not.
    """

    def __init__(
        self,
        settings: Settings,
        needles: Sequence[FileEntry],
        haystack: Sequence[FileEntry],
        columns: Sides | None,
        recipe: Callable[[], str],
        began_ns: int,
        *,
        may_keep: bool = True,
    ) -> None:
        self._path = settings.cache if may_keep and not settings.scan.paranoid else None
        self.packer = Packer(needles, haystack)
        self._recipe = recipe
        self._began_ns = began_ns
        self._asked: list[FileEntry] | None = None
        self._key = None if self._path is None or columns is None else make_key(settings, columns)

    def recall(self) -> Findings | None:
        """Return the findings of an earlier run; None where there was none like this one,
        or where it cannot be read.
        """
        stored = self._look_up()
        if stored is None:
            return None
        recipe, data = stored
        if not isinstance(data, bytes) or data[:DIGEST_BYTES] != self._seal(recipe, data[DIGEST_BYTES:]):
            return None
        if recipe is not None and recipe != self._recipe():
            return None
        try:
            return unpack(data[DIGEST_BYTES:], self.packer.needles, self.packer.haystack)
        except PackingError:
            return None

    def look_over(self) -> None:
        """Do beforehand what :meth:`keep` asks of each file: better before this process is forked, since it touches
        all memory that files take, and what both have is copied then.
        """
        if self._key is not None:
            self._unsettled()

    def prepare(self, findings: Findings) -> None:
        """Do beforehand what takes long of :meth:`keep`, should it be called with the very same ``findings``."""
        if self._key is not None and self._will_last(findings, time.time_ns()):
            self.packer.pack(findings)

    def keep(self, findings: Findings, now_ns: int) -> None:
        """Remember what this run has found, where it will last; ``now_ns`` is the time at its end."""
        if self._key is None or self._path is None or not os.path.exists(self._path):
            return
        if not self._will_last(findings, now_ns):
            return
        data = self.packer.pack(findings)
        recipe = None if self._is_plain_copy(findings) else self._recipe()
        with suppress(DamagedError, UnusableError), _opened(self._path) as file:
            cache_tables.keep_answer(file, self._key, Answer(recipe, self._seal(recipe, data) + data))

    def _seal(self, recipe: str | None, data: bytes) -> bytes:
        """Digest the whole row: an index that is damaged leads to the answer of another run."""
        return digest_of([self._key or b"", repr(recipe).encode(), data])

    def _look_up(self) -> Answer | None:
        if self._key is None or self._path is None or not os.path.exists(self._path):
            return None
        try:
            with _opened(self._path) as file:
                return cache_tables.find_answer(file, self._key)
        except (DamagedError, UnusableError):  # the run that follows meets it too, and says what there is to say
            return None

    def _will_last(self, findings: Findings, now_ns: int) -> bool:
        if findings.passing or not all(failure.lasting for failure in findings.failures.values()):
            return False
        settled_ns = self._began_ns - _RACY_NS
        return not any(
            is_racy(entry.ctime_ns, entry.mtime_ns, entry.inode, settled_ns, now_ns) for entry in self._unsettled()
        )

    def _unsettled(self) -> list[FileEntry]:
        """Return the files, nearly always none, of which it has to be asked whether they are racy, and some others."""
        if self._asked is None:
            settled_ns = self._began_ns - _RACY_NS  # each file was read after the run began
            self._asked = []
            for entries in (self.packer.needles, self.packer.haystack):
                for start in range(0, len(entries), _BATCH):
                    batch = entries[start : start + _BATCH]
                    _, _, mtimes, ctimes, inodes = zip(*batch, strict=True)
                    if not all(inodes) or max(map(max, (ctimes, mtimes))) > settled_ns:
                        self._asked += batch
        return self._asked

    def _is_plain_copy(self, findings: Findings) -> bool:
        """Tell whether all was decided by bytes, so that no thumbnail and no rule had a part in it."""
        matches, needles = findings.matches, self.packer.needles
        if not all(map(is_, map(_EVIDENCE, matches.values()), repeat(Evidence.IDENTICAL))):
            return False
        return len(matches) == len(needles) or len(matches) == sum(map(bool, map(_SIZE, needles)))


def make_key(settings: Settings, sides: Sides) -> bytes | None:
    """Digest everything that decides the findings but the recipe of thumbnails.

    None where it cannot be told: a program that does not lie in files.
    """
    try:
        return digest_of(_parts(settings, sides))
    except OSError:
        return None


def _parts(settings: Settings, sides: Sides) -> Iterator[bytes | memoryview]:
    fields = _fields(settings) + _fields(settings.scan)
    rules = [(name, value) for name, value in fields if name not in INDIFFERENT | _SHOWN_BY_FILES]
    lengths = [(len(side.text), *map(len, side.states)) for side in sides]
    yield repr((rules, __version__, program(), sys.version, sys.byteorder, lengths)).encode()
    for side in sides:
        yield memoryview(side.text)
        yield from (memoryview(column).cast("B") for column in side.states)


def _fields(settings: Settings | ScanSettings) -> list[tuple[str, object]]:
    return [(field.name, getattr(settings, field.name)) for field in dataclasses.fields(settings)]


def program() -> list[tuple[str, int, int, int]]:
    """List the files of this program, known as any file is: a rule may have changed without its number."""
    modules, pending = [], [os.path.dirname(os.path.dirname(__file__))]
    while pending:
        with os.scandir(pending.pop()) as items:
            for item in items:
                if item.name.endswith(".py"):
                    state = item.stat()
                    modules.append((item.path, state.st_size, state.st_mtime_ns, state.st_ctime_ns))
                elif item.is_dir() and item.name != "__pycache__":
                    pending.append(item.path)
    return sorted(modules)


@contextmanager
def _opened(path: str) -> Iterator[CacheFile]:
    file = CacheFile.open_existing(path)
    try:
        yield file
    finally:
        file.close()
