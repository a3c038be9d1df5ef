"""The last run over some roots as bytes and back: its files as rows, what was found of them, and their hashes; pure.

A row has what the cache asks of a file: path, size, mtime, ctime, inode. Beside it stand the first bytes of its digest
and its search hashes, by which the next run tells which files have to do with one that has changed
(:mod:`dupfind.scanning.scan_again`). Columns are arrays, so that a run in which no picture is read loads no numpy.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from dupfind.answers.findings import Findings
from dupfind.cache.cache_schema import FS_CODEC
from dupfind.cache.packing import PackingError, pack, unpack
from dupfind.cache.snapshot_parts import Part, SnapshotError
from dupfind.values import FileEntry

_PATH, _SIZE, _MTIME, _CTIME, _INODE = map(itemgetter, range(len(FileEntry._fields)))
_COLUMNS = ((_SIZE, "q"), (_MTIME, "q"), (_CTIME, "q"), (_INODE, "Q"))
_CTIME_COLUMN = 2
_NEVER = -(1 << 63)
"""A ctime that no file has: what has it is looked at again in every run."""
_MARK_BYTES = 8
_LEVEL = 1


class Rows(NamedTuple):
    """The files of one side, in the order in which they were listed; each column has a value for each."""

    paths: list[str]
    columns: tuple[array[int], ...]
    """Sizes, mtimes, ctimes and inodes; the ctime of what has to be looked at again is none that a file has."""
    marks: array[int]
    """What :func:`mark` gives of their digests; 0 where none was made."""


class Hashes(NamedTuple):
    """The search hashes of the pictures of one side; a picture with a frame has rows with it and without."""

    places: array[int]
    """The position of the file that a row is of."""
    values: array[int]
    """So many for each row, one after the other: a needle's in each orientation, or one of a haystack's picture."""

    @property
    def width(self) -> int:
        """How many hashes a row has."""
        return len(self.values) // len(self.places) if len(self.places) else 1


class Links(NamedTuple):
    """The pictures of both sides as they were searched; needles that are proved by their bytes have none."""

    needles: Hashes
    haystack: Hashes


@dataclass(frozen=True, slots=True)
class LastRun:
    """What a run has left for the next one over the same roots."""

    recipe: str | None
    """What pictures were judged by; None where none was."""
    needles: Rows
    haystack: Rows
    links: Links | None
    """None where no picture of the haystack was asked for."""
    packed: bytes
    """The findings, see :meth:`findings`."""

    def findings(self, needles: Sequence[FileEntry], haystack: Sequence[FileEntry]) -> Findings:
        """Return what was found of the files of the rows, given as entries in the same order.

        Raises :class:`~dupfind.cache.snapshot_parts.SnapshotError`.
        """
        try:
            return unpack(self.packed, needles, haystack)
        except PackingError as error:
            raise SnapshotError(str(error)) from error


def mark(digest: object) -> int:
    """Return 64 bits of a digest, never 0; 0 for what is none. Files of other bytes may share one."""
    return (int.from_bytes(digest[:_MARK_BYTES], "big") or 1) if isinstance(digest, bytes) else 0


def make_rows(entries: Sequence[FileEntry], marks: array[int], unsettled: Sequence[bool]) -> Rows:
    """Return a row for each of ``entries``; what is ``unsettled`` is known by nothing.

    Raises ``OverflowError`` where a time does not fit into 64 bits.
    """
    columns = tuple(array(code, list(map(column, entries))) for column, code in _COLUMNS)
    for place, is_unsettled in enumerate(unsettled):
        if is_unsettled:
            columns[_CTIME_COLUMN][place] = _NEVER
    return Rows(list(map(_PATH, entries)), columns, marks)


def pack_run(
    recipe: str | None,
    sides: tuple[Rows, Rows],
    links: Links | None,
    findings: Findings,
    entries: tuple[Sequence[FileEntry], Sequence[FileEntry]],
) -> Iterator[tuple[Part, bytes]]:
    """Yield the parts of a run, the head first; ``sides`` are the rows of needles and haystack, and so are ``entries``.

    :func:`unpack_run` is the way back.
    """
    yield ("run", 0), json.dumps({"recipe": recipe, "has_links": links is not None}).encode()
    for number, rows in enumerate(sides):
        yield ("paths", number), zlib.compress("\0".join(rows.paths).encode(*FS_CODEC), _LEVEL)
        yield ("states", number), b"".join(column.tobytes() for column in (*rows.columns, rows.marks))
    for number, hashes in enumerate(links or ()):
        yield ("places", number), hashes.places.tobytes()
        yield ("values", number), hashes.values.tobytes()
    yield ("findings", 0), pack(findings, *entries)


def unpack_run(read: Callable[[Part], bytes]) -> LastRun:
    """Undo :func:`pack_run`; ``read`` gives the bytes of a part.

    Raises :class:`~dupfind.cache.snapshot_parts.SnapshotError`.
    """
    try:
        head = json.loads(read(("run", 0)))
        needles, haystack = (_rows(read(("paths", number)), read(("states", number))) for number in range(2))
        links = None
        if head["has_links"]:
            links = Links(*(_hashes(read(("places", number)), read(("values", number))) for number in range(2)))
            for hashes, rows in zip(links, (needles, haystack), strict=True):
                if hashes.places and not 0 <= min(hashes.places) <= max(hashes.places) < len(rows.paths):
                    raise SnapshotError("it has hashes of files that it does not have")
        return LastRun(head["recipe"], needles, haystack, links, read(("findings", 0)))
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError, zlib.error) as error:
        raise SnapshotError(str(error)) from error


def _rows(paths: bytes, states: bytes) -> Rows:
    text = zlib.decompress(paths).decode(*FS_CODEC)
    names = text.split("\0") if text else []
    columns = []
    step = len(names) * 8
    if len(states) != step * (len(_COLUMNS) + 1):
        raise SnapshotError("its columns are not of one length")
    for number, code in enumerate([*(code for _, code in _COLUMNS), "Q"]):
        column = array(code)
        column.frombytes(states[number * step : (number + 1) * step])
        columns.append(column)
    return Rows(names, tuple(columns[:-1]), columns[-1])


def _hashes(places: bytes, values: bytes) -> Hashes:
    hashes = Hashes(array("q"), array("Q"))
    hashes.places.frombytes(places)
    hashes.values.frombytes(values)
    count = len(hashes.places)
    if len(hashes.values) % count or len(hashes.values) < count if count else len(hashes.values):
        raise SnapshotError("it has hashes of no file")
    return hashes
