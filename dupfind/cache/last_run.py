"""The last run over some roots, found again at the start of a scan and kept at its end: as values, as bytes and back.

It holds for the same roots, the same settings that decide, the same program and, where pictures had a part in it, the
same decoders. A row has what the cache asks of a file: path, size, mtime, ctime, inode. What it says holds as long as
the file is the one that it was, which the scan sees by the walk of each run. A file that may be another one next time
although nothing shows it is kept as one that has changed: what was just written (:mod:`dupfind.cache.racy`), what could
not be read this time.

Beside a row stand the first bytes of its digest and its search hashes, by which the next run tells which files have to
do with one that has changed (:mod:`dupfind.scanning.scan_again`). Columns are arrays, so that a run in which no picture
is read loads no numpy.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import zlib
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import NamedTuple

from dupfind import libraries
from dupfind.answers.findings import Findings
from dupfind.cache.cache_schema import Part, SnapshotError
from dupfind.cache.cache_snapshots import SnapshotShelf
from dupfind.cache.file_columns import in_columns
from dupfind.cache.packing import Packer, PackingError, unpack
from dupfind.cache.racy import RACY_NS, is_racy
from dupfind.cache.result_cache import INDIFFERENT, program
from dupfind.digest import digest_of
from dupfind.settings import Settings
from dupfind.values import FILE_CODES, Evidence, FileEntry
from dupfind.version import __version__

_MTIME, _CTIME, _INODE = map(itemgetter, map(FileEntry._fields.index, ("mtime_ns", "ctime_ns", "inode")))
_CTIME_COLUMN = 2
_NEVER = -(1 << 63)
"""A ctime that no file has: what has it is looked at again in every run."""
_MARK_BYTES = 8
_MARK_CODE = "Q"
_NO_MARK, _LEAST_MARK = (number.to_bytes(_MARK_BYTES, "big") for number in range(2))
_LEVEL = 1
_RACY_NS = RACY_NS


class Rows(NamedTuple):
    """The files of one side, in the order in which they were listed; each column has a value for each."""

    text: bytes | bytearray
    """Their paths, and in the columns what else they are known by, see :mod:`dupfind.cache.file_columns`."""
    columns: tuple[array[int], ...]
    """The ctime of what has to be looked at again is none that a file has."""
    marks: array[int]
    """What :func:`mark` gives of their digests; 0 where none was made."""


class Hashes(NamedTuple):
    """The search hashes of the pictures of one side; a picture with a frame has rows with it and without."""

    places: array[int]
    """The position of the file that a row is of."""
    values: array[int]
    """So many for each row, one after the other: a needle's in each orientation, or one of a haystack's picture."""
    unsure: array[int] = array("Q")
    """Which bits of each value may be others by the file, as of gray pictures; empty where none are."""

    @property
    def width(self) -> int:
        """How many hashes a row has."""
        return len(self.values) // len(self.places) if len(self.places) else 1


class Links(NamedTuple):
    """The pictures of both sides as they were searched; needles that are proved by their bytes have none."""

    needles: Hashes
    haystack: Hashes


class Claim(NamedTuple):
    """A needle that has claimed a witness, see :data:`dupfind.matching.match.Claims`; both by their positions."""

    needle: int
    witness: int


@dataclass(frozen=True, slots=True)
class LastRun:
    """What a run has left for the next one over the same roots."""

    recipe: str | None
    """What pictures were judged by; None where none was."""
    needles: Rows
    haystack: Rows
    links: Links | None
    """None where no picture of the haystack was asked for."""
    claims: Sequence[Claim]
    """Claims beside those that the findings show."""
    packed: bytes
    """The findings, see :meth:`findings`."""

    def findings(self, needles: Sequence[FileEntry], haystack: Sequence[FileEntry]) -> Findings:
        """Return what was found of the files of the rows, given as entries in the same order.

        Raises :class:`~dupfind.cache.cache_schema.SnapshotError`.
        """
        try:
            return unpack(self.packed, needles, haystack)
        except PackingError as error:
            raise SnapshotError(str(error)) from error


def mark(digest: object) -> int:
    """Return 64 bits of a digest, never 0; 0 for what is none. Files of other bytes may share one."""
    return (int.from_bytes(digest[:_MARK_BYTES], "big") or 1) if isinstance(digest, bytes) else 0


def marks_of(digests: Iterable[object]) -> array[int]:
    """Return what :func:`mark` gives of each, in a tenth of its time."""
    heads = [
        (head if (head := digest[:_MARK_BYTES]) != _NO_MARK else _LEAST_MARK) if isinstance(digest, bytes) else _NO_MARK
        for digest in digests
    ]
    marks = array(_MARK_CODE, b"".join(heads))
    if sys.byteorder == "little":
        marks.byteswap()
    return marks


def make_rows(entries: Sequence[FileEntry], marks: array[int], unsettled: Sequence[bool]) -> Rows:
    """Return a row for each of ``entries``; what is ``unsettled`` is known by nothing. It may be empty.

    Raises ``OverflowError`` where a time does not fit into 64 bits.
    """
    text, columns = in_columns(entries)
    for place, is_unsettled in enumerate(unsettled):
        if is_unsettled:
            columns[_CTIME_COLUMN][place] = _NEVER
    return Rows(text, columns, marks)


class PackedRows(NamedTuple):
    """Rows as bytes."""

    paths: bytes
    """Deflated: of a million files the paths alone take 70 MB, so those of one side are packed before the next."""
    states: bytes


def pack_rows(rows: Rows) -> PackedRows:
    """Return rows as bytes."""
    return PackedRows(zlib.compress(rows.text, _LEVEL), b"".join((*rows.columns, rows.marks)))


def pack_run(
    recipe: str | None,
    sides: Sequence[PackedRows],
    links: Links | None,
    claims: Sequence[Claim],
    packed: bytes,
) -> Iterator[tuple[Part, bytes]]:
    """Yield the parts of a run, the head first: ``sides`` are the rows of needles and haystack, ``packed`` is what was
    found.

    :func:`unpack_run` is the way back.
    """
    yield ("run", 0), json.dumps({"recipe": recipe, "has_links": links is not None, "claims": claims}).encode()
    for number, rows in enumerate(sides):
        yield ("paths", number), rows.paths
        yield ("states", number), rows.states
    for number, hashes in enumerate(links or ()):
        yield ("places", number), hashes.places.tobytes()
        yield ("values", number), hashes.values.tobytes()
        yield ("unsure", number), hashes.unsure.tobytes()
    yield ("findings", 0), packed


def unpack_run(read: Callable[[Part], bytes]) -> LastRun:
    """Undo :func:`pack_run`; ``read`` gives the bytes of a part.

    Raises :class:`~dupfind.cache.cache_schema.SnapshotError`.
    """
    try:
        head = json.loads(read(("run", 0)))
        needles, haystack = (_rows(read(("paths", number)), read(("states", number))) for number in range(2))
        links = None
        if head["has_links"]:
            links = Links(
                *(_hashes(*(read((part, number)) for part in ("places", "values", "unsure"))) for number in range(2))
            )
            for hashes, rows in zip(links, (needles, haystack), strict=True):
                if hashes.places and not 0 <= min(hashes.places) <= max(hashes.places) < len(rows.marks):
                    raise SnapshotError("it has hashes of files that it does not have")
        claims = [Claim(*claim) for claim in head["claims"]]
        if any(
            not (0 <= needle < len(needles.marks) and 0 <= witness < len(haystack.marks)) for needle, witness in claims
        ):
            raise SnapshotError("it has claims of files that it does not have")
        return LastRun(head["recipe"], needles, haystack, links, claims, read(("findings", 0)))
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError, zlib.error) as error:
        raise SnapshotError(str(error)) from error


def _rows(paths: bytes, states: bytes) -> Rows:
    text = zlib.decompress(paths)
    codes = f"{FILE_CODES}{_MARK_CODE}"
    step = (text.count(b"\0") + 1 if text else 0) * 8
    if len(states) != step * len(codes):
        raise SnapshotError("its columns are not of one length")
    columns = []
    for number, code in enumerate(codes):
        column = array(code)
        column.frombytes(memoryview(states)[number * step : (number + 1) * step])
        columns.append(column)
    return Rows(text, tuple(columns[:-1]), columns[-1])


def _hashes(places: bytes, values: bytes, unsure: bytes) -> Hashes:
    hashes = Hashes(array("q"), array("Q"), array("Q"))
    hashes.places.frombytes(places)
    hashes.values.frombytes(values)
    hashes.unsure.frombytes(unsure)
    count = len(hashes.places)
    if len(hashes.unsure) not in (0, len(hashes.values)):
        raise SnapshotError("it has unsure bits of no hash")
    if len(hashes.values) % count or len(hashes.values) < count if count else len(hashes.values):
        raise SnapshotError("it has hashes of no file")
    return hashes


class Learned:
    """What the stages of a run learn that is of use to the next one, filled in as they come to it."""

    def __init__(self, *, is_kept: bool = False, is_of_all: bool = True) -> None:
        self.is_kept = is_kept
        """Whether ``marks`` and ``links`` are asked for."""
        self.is_filled = False
        """Whether a scan of all files has put in what it learned. Where it did not, since little has changed or nothing
        was scanned, the run before stays the one that is remembered."""
        self.is_of_all = is_of_all
        """Whether the needles meet every file of the haystack; False where only what has changed is scanned again."""
        self.marks: tuple[array[int], array[int]] = (array("Q"), array("Q"))
        """Of the digests of needles and haystack, see :func:`mark`."""
        self.links: Links | None = None
        """The pictures of both sides; None where no picture of the haystack was asked for."""
        self.claims: Sequence[tuple[str, str]] = ()
        """Claims beside those that the matches show (:data:`dupfind.matching.match.Claims`)."""
        self.is_bounded = False
        """Whether a bound of the matching was met, so that what is found of one needle may rest on all others."""
        self.has_late_frames = False
        """Whether frames were found only when pictures were decoded in full."""


class LastRunStore:
    """What is remembered of runs over the roots of ``settings``.

    ``recipe`` names what thumbnails and judgements are made by, and is asked for only where that matters. ``began_ns``
    (``time.time_ns``) is when the run began, before the walk. ``may_keep`` as in
    :class:`dupfind.cache.result_cache.ResultCache`.
    """

    def __init__(self, settings: Settings, recipe: Callable[[], str], *, began_ns: int, may_keep: bool) -> None:
        self._path = settings.cache if may_keep and not settings.scan.paranoid else None
        # Of the program as it is now: one that is replaced during the run has found nothing of what the run finds.
        self._key = None if self._path is None else make_key(settings)
        self._recipe = cache(recipe)
        if libraries.installed() is not None:  # or it has to load the decoders, which a plain copy never needs
            self._recipe()
        self._began_ns = began_ns

    @property
    def is_kept(self) -> bool:
        """Tell whether runs like this one are remembered."""
        return self._path is not None and self._key is not None

    def load(self) -> LastRun | None:
        """Return the last run; None where there was none like this one, or where it cannot be read."""
        if self._path is None or self._key is None or not os.path.exists(self._path):
            return None
        shelf = SnapshotShelf(self._path)
        try:
            last = shelf.load(self._key, unpack_run)
        finally:
            shelf.close()
        return last if last is not None and last.recipe in (None, self._recipe()) else None

    def keep(
        self,
        findings: Findings,
        learned: Learned,
        packer: Packer,
        now_ns: int,
    ) -> None:
        """Keep this run over the files of ``packer`` in the place of any other; ``now_ns`` is the time at its end."""
        # A run that met a bound left pairs out, and another one may leave out others.
        if self._path is None or self._key is None or learned.is_bounded or not os.path.exists(self._path):
            return
        passing = findings.passing | {path for path, failure in findings.failures.items() if not failure.lasting}
        with suppress(OverflowError):  # a time that does not fit into 64 bits
            sides = [
                pack_rows(make_rows(entries, marks, self._unsettled(entries, passing, now_ns)))
                for entries, marks in zip((packer.needles, packer.haystack), learned.marks, strict=True)
            ]
            recipe = None if _is_of_bytes(findings, learned) else self._recipe()
            claims = _placed(learned.claims, packer)
            parts = pack_run(recipe, sides, learned.links, claims, packer.pack(findings))
            shelf = SnapshotShelf(self._path)
            try:
                shelf.keep(self._key, parts)
            finally:
                shelf.close()

    def _unsettled(self, entries: Sequence[FileEntry], passing: Collection[str], now_ns: int) -> list[bool]:
        """Tell of each file whether it is to be looked at again; an empty list where none is."""
        settled_ns = self._began_ns - _RACY_NS  # each file was read after the run began
        newest_ns = max(max(map(time, entries), default=0) for time in (_MTIME, _CTIME))
        if not passing and newest_ns <= settled_ns and all(map(_INODE, entries)):  # as nearly always
            return []
        return [
            is_racy(entry.ctime_ns, entry.mtime_ns, entry.inode, settled_ns, now_ns) or entry.path in passing
            for entry in entries
        ]


def _placed(claims: Sequence[tuple[str, str]], packer: Packer) -> list[Claim]:
    if not claims:
        return []
    of_needles, of_haystack = (
        {entry.path: place for place, entry in enumerate(entries)} for entries in (packer.needles, packer.haystack)
    )
    return [Claim(of_needles[needle], of_haystack[witness]) for needle, witness in claims]


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
        if field.name not in INDIFFERENT
    ]
    try:
        decides = roots, rules, __version__, program(), sys.version, sys.byteorder
    except OSError:
        return None
    return digest_of([b"scan", repr(decides).encode("utf-8", "surrogatepass")])
