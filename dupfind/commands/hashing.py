"""Hashes of single files, in the order in which they were named, each told as soon as it is known.

From the thumbnails, by way of the cache, or with ``is_exact`` from the pictures at full size, which are not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import attrgetter

from dupfind.answers.hash import AskedHashes, Given, Hashed
from dupfind.events import Advance, Listener, Silence, Within
from dupfind.matching.decodes import full_thumbnails
from dupfind.pool import tasks
from dupfind.pool.processes import Death
from dupfind.pool.workers import Pool
from dupfind.run import MakeExecutor, Reading, Run
from dupfind.session import pool_of, with_reader
from dupfind.settings import Settings
from dupfind.values import Failure, FileEntry

_BATCH, _MOST_BATCH = 64, 4096
"""Files decoded together before the hashes of the first of them are told: at least so many, and as many as were told
before. The cache looks up a whole folder for each batch: a quarter of the time for 10,000 files in one."""
Hashes = tuple[str, ...] | Failure


def hash_files(
    settings: Settings,
    files: Sequence[Given],
    asked: AskedHashes,
    tell: Callable[[Hashed], None],
    listener: Listener | None = None,
    make_executor: MakeExecutor | None = None,
) -> bool:
    """Call ``tell`` with the answer for each of ``files``; returns whether all of them have their hashes.

    Raises :class:`~dupfind.errors.DupfindError` where there is no answer.
    """
    listener = listener or Silence()
    for warning in settings.warnings:
        listener.warn(warning)
    with listener.stage("hashing", len(files)) as advance:
        answers = _Answers(files, tell, advance)
        if asked.is_exact:
            with pool_of(settings, listener, make_executor) as pool:
                _hash_originals(settings, asked, pool, answers)
        else:
            # Batches would each count from the beginning.
            within = Run(settings, Within(listener), make_executor)
            with_reader(within, partial(_hash_thumbnails, asked, answers))
    return answers.are_complete


class _Answers:
    """Tells the answers in the order of the files, whatever the order in which they come."""

    def __init__(self, files: Sequence[Given], tell: Callable[[Hashed], None], advance: Advance) -> None:
        self._files = files
        self._tell = tell
        self._advance = advance
        self._told = 0
        self.are_complete = True

    def batch(self) -> list[FileEntry]:
        """Return the files that are to be read next, each once."""
        return self.entries(min(max(_BATCH, self._told), _MOST_BATCH))

    def entries(self, most: int | None = None) -> list[FileEntry]:
        """Return the files that are to be read among the next ``most``, or among all that are left, each once."""
        end = None if most is None else self._told + most
        files = (given.file for given in self._files[self._told : end])
        return list({file.entry.path: file.entry for file in files if file is not None}.values())

    @property
    def are_all_told(self) -> bool:
        """Whether nothing is left."""
        return self._told == len(self._files)

    def tell(self, hashes_of: dict[str, Hashes]) -> None:
        """Tell what can be told by now; ``hashes_of`` is by the paths of entries."""
        while not self.are_all_told:
            given = self._files[self._told]
            if given.file is None:
                hashed = Hashed(given.path, (), given.error)
            elif given.file.entry.path in hashes_of:
                hashes = hashes_of[given.file.entry.path]
                error = hashes.reason if isinstance(hashes, Failure) else None
                hashed = Hashed(given.path, () if isinstance(hashes, Failure) else hashes, error)
            else:
                return
            self.are_complete = self.are_complete and hashed.error is None
            self._told += 1
            self._tell(hashed)
            self._advance(1)


def _hash_originals(settings: Settings, asked: AskedHashes, pool: Pool, answers: _Answers) -> None:
    from dupfind.pool.exact_hashes import hash_originals

    task = partial(
        hash_originals,
        algorithms=asked.algorithms,
        size=asked.size,
        max_pixels=settings.max_pixels,
        timeout_seconds=settings.timeout_seconds,
    )
    lost = partial(_lost, timeout_seconds=settings.timeout_seconds)
    hashes_of: dict[str, Hashes] = {}
    answers.tell(hashes_of)
    for entry, hashes in pool.map(task, answers.entries(), size_bytes=attrgetter("size_bytes"), lost=lost):
        hashes_of[entry.path] = hashes
        answers.tell(hashes_of)


def _hash_thumbnails(asked: AskedHashes, answers: _Answers, run: Reading) -> None:
    """Begin where the answers have come to, since it is called again where the cache fails on the way."""
    while not answers.are_all_told:
        entries = answers.batch()
        answers.tell(dict(_hashes_of(entries, asked, run)))


def _hashes_of(entries: list[FileEntry], asked: AskedHashes, run: Reading) -> Iterator[tuple[str, Hashes]]:
    """Yield the hashes of each file, by its path."""
    from dupfind.evidence import fingerprint

    if not entries:
        return
    for path, decode in full_thumbnails(entries, "decoding", run).items():
        if isinstance(decode, Failure):
            yield path, decode
        else:
            pixels = fingerprint.pixels(decode.thumbnail.pixels)
            values = (fingerprint.hash_of(pixels, algorithm, asked.size) for algorithm in asked.algorithms)
            yield path, tuple(fingerprint.as_hex(value, asked.size) for value in values)


def _lost(_: FileEntry, death: Death, timeout_seconds: float) -> Failure:
    """Return the answer for a file whose reader died."""
    if death.is_late(timeout_seconds):
        return tasks.timed_out(timeout_seconds)
    return Failure(death.reason, is_image=False, lasting=False)
