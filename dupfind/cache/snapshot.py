"""Snapshot of a collection from one ``find`` to the next: its folders, and of each file a row; pure numpy.

What a search needs of all files (hashes, sizes) lies in columns of its own; the rest is cut into pieces of
:data:`PIECE` files, of which only those are read that hold what was found. A row says what the cache says of a file:
its state, the id of its thumbnail, its hash.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache_schema import FS_CODEC, Part, PictureRef, SnapshotError, fits
from dupfind.cache.racy import is_racy
from dupfind.values import Failure, FileEntry, FolderId, ProblemCode

PIECE = 1024
"""Files whose details are read together: 60 kB."""
OTHER, PICTURE, UNSETTLED = 0, 1, 2
"""Kinds of rows: no picture, or one that will never be read; a picture; a file that has to be looked at each time."""

Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

HEAD: Part = ("head", 0)
_SEARCHED = (("hashes", "<u8"), ("sizes", "<i8"), ("kinds", "<u1"), ("inner_rows", "<i8"), ("inner_hashes", "<u8"))
_DETAILS = (("mtimes", "<i8"), ("ctimes", "<i8"), ("inodes", "<u8"), ("ids", "<i8"), ("pixels", "<i8"))


class Noted(NamedTuple):
    """Something that a walk has to say of a folder, whatever the spelling of its root."""

    below_root: str
    reason: str
    is_note: bool
    code: ProblemCode | None = None


class FolderRow(NamedTuple):
    """One folder, in the order of the walk."""

    path: str
    parent: int
    """The number of the folder that it lies in; -1 for a root."""
    identity: FolderId
    times_ns: tuple[int, int] | None
    """Its mtime and ctime when it was read; None where it is to be read each time."""
    files: int
    noted: tuple[Noted, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """Files, folder by folder; every column has a row each, but those of ``inner``."""

    hashes: Words
    """The search hash, 0 for what is no picture."""
    sizes: Integers
    kinds: NDArray[np.uint8]
    mtimes: Integers
    ctimes: Integers
    inodes: Words
    ids: Integers
    """Of the thumbnail, 0 for what is no picture."""
    pixels: Integers
    """How many the picture has."""
    names: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.names)

    def taken(self, places: Integers) -> Rows:
        """Return the rows at ``places``, in that order."""
        columns = {field.name: getattr(self, field.name)[places] for field in fields(self) if field.name != "names"}
        return Rows(**columns, names=[self.names[place] for place in places.tolist()])

    def __add__(self, more: Rows) -> Rows:
        pairs = {field.name: (getattr(self, field.name), getattr(more, field.name)) for field in fields(self)}
        names = [*pairs.pop("names")[0], *more.names]
        return Rows(**{name: np.concatenate(pair) for name, pair in pairs.items()}, names=names)


def make_rows(
    entries: Sequence[FileEntry],
    refs: Sequence[PictureRef | None],
    hashes: Sequence[int],
    kinds: Sequence[int],
) -> Rows:
    """Return a row for each of ``entries``, whose thumbnail and hash stand at the same place,
    None and 0 without a picture.
    """
    count = len(entries)
    nothing = PictureRef(0, 0)
    pictures = [nothing if ref is None else ref for ref in refs]
    if not all(map(fits, entries)):  # such a file is looked at each time, so that its times need not be known
        kinds = [kind if fits(entry) else UNSETTLED for entry, kind in zip(entries, kinds, strict=True)]
        entries = [entry if fits(entry) else entry._replace(mtime_ns=0, ctime_ns=0) for entry in entries]
    return Rows(
        hashes=np.fromiter(hashes, np.uint64, count),
        sizes=np.fromiter((entry.size_bytes for entry in entries), np.int64, count),
        kinds=np.fromiter(kinds, np.uint8, count),
        mtimes=np.fromiter((entry.mtime_ns for entry in entries), np.int64, count),
        ctimes=np.fromiter((entry.ctime_ns for entry in entries), np.int64, count),
        inodes=np.fromiter((entry.inode for entry in entries), np.uint64, count),
        ids=np.fromiter((ref.id for ref in pictures), np.int64, count),
        pixels=np.fromiter((ref.size_pixels for ref in pictures), np.int64, count),
        names=[entry.path.rpartition(os.sep)[2].encode(*FS_CODEC) for entry in entries],
    )


def unsettled_since(rows: Rows, settled_ns: int, now_ns: int) -> Rows:
    """Mark as unsettled what was changed after ``settled_ns`` and up to ``now_ns``, and what has no inode.

    See :mod:`dupfind.cache.racy`.
    """
    are_racy = is_racy(rows.ctimes, rows.mtimes, rows.inodes, settled_ns, now_ns)
    return replace(rows, kinds=np.where(are_racy, np.uint8(UNSETTLED), rows.kinds))


@dataclass(frozen=True, slots=True)
class Inner:
    """Hashes of framed pictures without their frames."""

    rows: Integers
    hashes: Words


@dataclass(frozen=True, slots=True)
class Known:
    """A snapshot as it is read back: what a search needs at once, details where they are asked for.

    ``read`` gives the bytes of a part; it raises :class:`SnapshotError` where that is no longer there.
    """

    folders: Sequence[FolderRow]
    starts: Integers
    """The first row of each folder, and the number of all rows."""
    hashes: Words
    sizes: Integers
    kinds: NDArray[np.uint8]
    inner: Inner
    failures: Mapping[int, Failure]
    """By row, the pictures that could not be read, and never will be."""
    read: Callable[[Part], bytes]

    def details(self, rows: Sequence[int]) -> dict[int, tuple[FileEntry, PictureRef]]:
        """Return the files of these rows as they were, and their thumbnails, by row;
        those of no picture are no thumbnail.
        """
        details: dict[int, tuple[FileEntry, PictureRef]] = {}
        for number in sorted({row // PIECE for row in rows}):
            start = number * PIECE
            count = min(PIECE, len(self.hashes) - start)
            columns, names = _unpack_details(self.read(("details", number)), count)
            places = [row - start for row in sorted(set(rows)) if row // PIECE == number]
            folders = np.searchsorted(self.starts, np.array(places) + start, "right") - 1
            for place, folder in zip(places, folders.tolist(), strict=True):
                path = f"{self.folders[folder].path.rstrip(os.sep)}{os.sep}{names[place].decode(*FS_CODEC)}"
                mtime_ns, ctime_ns, inode, id_, pixels = (int(columns[name][place]) for name, _ in _DETAILS)
                entry = FileEntry(path, int(self.sizes[start + place]), mtime_ns, ctime_ns, inode)
                details[start + place] = entry, PictureRef(id_, pixels)
        return details

    def rows(self) -> Rows:
        """Read all rows, details and all: 0.5 s for a million."""
        pieces = [
            _unpack_details(self.read(("details", start // PIECE)), min(PIECE, len(self.hashes) - start))
            for start in range(0, len(self.hashes), PIECE)
        ]
        details = {
            name: np.concatenate([columns[name] for columns, _ in pieces]) if pieces else np.empty(0, kind)
            for name, kind in _DETAILS
        }
        names = [name for _, piece_names in pieces for name in piece_names]
        return Rows(self.hashes, self.sizes, self.kinds, **details, names=names)


def pack(
    folders: Sequence[FolderRow], rows: Rows, inner: Inner, failures: Mapping[int, Failure]
) -> Iterator[tuple[Part, bytes]]:
    """Yield the parts of a collection, the head first; :func:`unpack` is the way back."""
    head = {
        "files": len(rows),
        "paths": [folder.path for folder in folders],
        "parents": [folder.parent for folder in folders],
        "identities": [folder.identity for folder in folders],
        "times": [folder.times_ns for folder in folders],
        "counts": [folder.files for folder in folders],
        "noted": [(number, *noted) for number, folder in enumerate(folders) for noted in folder.noted],
        "failures": [(row, failure.reason, failure.is_image, failure.stage) for row, failure in failures.items()],
    }
    yield HEAD, json.dumps(head).encode()
    searched: dict[str, NDArray[Any]] = {
        "hashes": rows.hashes,
        "sizes": rows.sizes,
        "kinds": rows.kinds,
        "inner_rows": inner.rows,
        "inner_hashes": inner.hashes,
    }
    for name, kind in _SEARCHED:
        yield (name, 0), searched[name].astype(kind, copy=False).tobytes()
    for start in range(0, len(rows), PIECE):
        piece = slice(start, start + PIECE)
        columns = [getattr(rows, name)[piece].astype(kind, copy=False).tobytes() for name, kind in _DETAILS]
        yield ("details", start // PIECE), b"".join([*columns, b"\0".join(rows.names[piece])])


def unpack(read: Callable[[Part], bytes]) -> Known:
    """Undo :func:`pack`; ``read`` gives the bytes of a part. Raises :class:`SnapshotError`."""
    try:
        head = json.loads(read(HEAD))
        folders = [
            FolderRow(path, parent, (identity[0], identity[1]), None if times is None else (times[0], times[1]), files)
            for path, parent, identity, times, files in zip(
                head["paths"], head["parents"], head["identities"], head["times"], head["counts"], strict=True
            )
        ]
        for number, *noted in head["noted"]:
            folders[number] = folders[number]._replace(noted=(*folders[number].noted, _noted(*noted)))
        failures = {
            row: Failure(reason, is_image=is_image, stage=stage) for row, reason, is_image, stage in head["failures"]
        }
        columns = {name: np.frombuffer(read((name, 0)), kind) for name, kind in _SEARCHED}
        starts = np.concatenate([[0], np.cumsum(head["counts"], dtype=np.int64)])
        lengths = {head["files"], int(starts[-1]), *(len(columns[name]) for name in ("hashes", "sizes", "kinds"))}
        if len(lengths) > 1:
            raise SnapshotError("its columns are not of one length")
        inner = Inner(columns["inner_rows"], columns["inner_hashes"])
        return Known(folders, starts, columns["hashes"], columns["sizes"], columns["kinds"], inner, failures, read)
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise SnapshotError(str(error)) from error


def _noted(below_root: str, reason: str, is_note: bool, code: str | None) -> Noted:
    return Noted(below_root, reason, is_note, None if code is None else ProblemCode(code))


def _unpack_details(data: bytes, count: int) -> tuple[dict[str, NDArray[np.int64]], list[bytes]]:
    """Return the columns of one piece of so many files, and their names."""
    columns, offset = {}, 0
    try:
        for name, kind in _DETAILS:
            columns[name] = np.frombuffer(data, kind, count, offset)
            offset += columns[name].nbytes
    except ValueError as error:
        raise SnapshotError(str(error)) from error
    names = data[offset:].split(b"\0")
    if len(names) != count:
        raise SnapshotError("a piece has too few names or too many")
    return columns, names
