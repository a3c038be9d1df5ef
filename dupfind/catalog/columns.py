"""Columns beside a catalog: what a scan looks for in it, one array a fact, mapped into memory a shard at a time.

A catalog of ten million files takes minutes and gigabytes to be read. A scan needs few of its files: those of a
needle's size, those whose picture lies near a needle's, and those that it has to tell of. The columns find them: 41
bytes a file as NumPy files (``.npy``), which other programs read, too.

Columns choose which rows of the catalog are read, and say nothing else: what is known of a file is from its row and the
row's seal. So columns that are wrong can hide a file, never make one up. They carry the stamp of the catalog as it was
when they were made; those of another state are not used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import partial
from tokenize import TokenError
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from dupfind.cache.cache_file import translated
from dupfind.cache.cache_schema import COARSE, FRAMED, signed
from dupfind.catalog.catalog_file import CatalogFile
from dupfind.catalog.catalogs import made_by_managers
from dupfind.errors import CatalogError, reason_of
from dupfind.evidence.fingerprint import pixels, search_hashes
from dupfind.pictures import borders, formats
from dupfind.search.blocks import Hashes
from dupfind.search.hamming import HashDictionary
from dupfind.sources.source import Elsewhere
from dupfind.version import __version__

Rows = NDArray[np.int64]
"""Numbers of rows, rising: files folder by folder, those of one folder by the bytes of their names."""

SHARD_ROWS = 1 << 22
"""Rows that are worked on at a time, some 300 MB while they are searched in: with 1 << 20 each takes a fifth longer."""
SUFFIX = ".columns"
_HEAD, _PART = "head.json", ".part"
_PICTURE, _FRAMED, _ALWAYS, _NAMED, _MADE = 1, 2, 4, 8, 16
"""Bits of ``kind``: has a thumbnail; has a frame that ``inner`` leaves out; is listed by every scan, since the scan
tells of it or the columns do not know enough; has a picture's name; was made by a photo manager and is never listed."""
_TYPES = {
    "size": np.int64,
    "inode": np.int64,
    "hash": np.uint64,
    "inner": np.uint64,
    "picture": np.int64,
    "kind": np.uint8,
}
_SEARCHED = ("kind", "hash", "inner")
_PARTS = (*(f"{name}.npy" for name in _TYPES), "folders.npy", _HEAD)
"""The files, that by which they can be used last."""
_NAMES = frozenset({*_PARTS, *(name + _PART for name in _PARTS)})
_SELECT_ROWS = """
    SELECT f.name, f.size, f.inode, f.picture, f.size_pixels, f.failure, f.is_image, f.whole, f.recipe, h.hashes
    FROM file f LEFT JOIN hash h ON h.picture = f.picture AND h.algorithm = ?
    WHERE f.folder = ? ORDER BY f.name
"""
_SELECT_STATES = "SELECT name, size, mtime_ns, ctime_ns, inode FROM file WHERE folder = ? ORDER BY name"
_OTHER_STATE = "they are of another state of the catalog, or of another version of dupfind"
_CHANGES, _HEADER_BYTES = slice(24, 32), 100
"""Where an SQLite file counts its changes and its pages: https://www.sqlite.org/fileformat2.html, section 1.3."""


_HEAD_KINDS = {
    ("stamp", "version", "hashes"): str,
    ("rows", "made", "most_pixels", "unnumbered"): int,
    ("recipes",): list,
    ("notes",): dict,
}
_NO_ARRAY = (
    EOFError,
    IndexError,
    MemoryError,
    OverflowError,
    RecursionError,
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
)
"""What NumPy raises of a file that only begins like one of its own: it reads the header as Python."""


class _OtherHeadError(ValueError):
    """The head was written by another version: it says other things."""


@dataclass(frozen=True)
class Head:
    """What columns say of themselves."""

    stamp: str
    """State of the catalog that they were made of, see :func:`stamp_of`."""
    version: str
    """Of the dupfind that made them: what photo managers make is told by its rules."""
    hashes: str
    """Recipe of the hashes."""
    recipes: list[str]
    """Of the thumbnails."""
    rows: int
    made: int
    """Rows that are never listed, since photo managers made them."""
    notes: dict[str, str]
    """By folder, relative to the root, why they are not."""
    most_pixels: int
    """Of the largest picture."""
    unnumbered: int
    """Rows without an inode."""

    @classmethod
    def read(cls, folder: str) -> Self:
        """Read it; raises ``OSError``, and one of ``_NO_ARRAY`` where it is none, or that of another version."""
        with open(os.path.join(folder, _HEAD), encoding="utf-8") as text:
            told = json.load(text)
        if isinstance(told, dict) and told.keys() != {field.name for field in fields(cls)}:
            raise _OtherHeadError
        return cls(**told)

    def __post_init__(self) -> None:
        """Raise ``TypeError`` where a file of somebody else says something else than numbers, texts and lists."""
        for names, kind in _HEAD_KINDS.items():
            for name in names:
                if not isinstance(getattr(self, name), kind):
                    raise TypeError(name)


class Columns:
    """The columns of one catalog, opened."""

    def __init__(self, folder: str, head: Head) -> None:
        self._folder = folder
        self.head = head

    @classmethod
    def opened(cls, catalog: str, file: CatalogFile) -> Self | str | None:
        """Open those beside the catalog ``file`` at this path; returns why they are of no use, or None without any.

        Only what they are made of tells whether they can be used: a stamp that is not the catalog's, a file that is cut
        off, another version of this program.
        """
        folder = catalog + SUFFIX
        if not os.path.isdir(folder):
            return None
        try:
            columns = cls(folder, Head.read(folder))
            rows = columns.head.rows
            lengths = {len(columns._mapped(name)) for name in _TYPES}
            starts = columns._folders()[1]
        except OSError as error:
            return reason_of(error)
        except _OtherHeadError:
            return _OTHER_STATE
        except _NO_ARRAY:
            return "they are damaged"
        if columns.head.stamp != stamp_of(catalog, file) or columns.head.version != __version__:
            return _OTHER_STATE
        are_folders = not rows or (starts[:1].tolist() == [0] and np.all(np.diff(starts) >= 0))
        return columns if are_folders and lengths == {rows} else "they are damaged"

    def _mapped(self, name: str, form: tuple[type[np.generic], int] | None = None) -> NDArray[Any]:
        """Map a column; raises ``ValueError`` where it is none of ours."""
        array: NDArray[Any] = np.load(os.path.join(self._folder, f"{name}.npy"), mmap_mode="r", allow_pickle=False)
        kind, dimensions = (_TYPES[name], 1) if form is None else form
        if array.dtype != np.dtype(kind) or array.ndim != dimensions:
            raise ValueError(name)
        return array

    def _folders(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Read the numbers of the folders, and the first row of each; raises ``ValueError`` likewise."""
        numbers, starts = np.array(self._mapped("folders", (np.int64, 2))).reshape(-1, 2).T
        return numbers, starts

    def _shards(self, *names: str) -> Iterator[tuple[int, list[NDArray[Any]]]]:
        """Yield these columns a shard at a time, with the number of its first row.

        Each is unmapped before the next is mapped, so that the memory is that of one.
        """
        for start in range(0, self.head.rows, SHARD_ROWS):
            yield start, [np.array(self._mapped(name)[start : start + SHARD_ROWS]) for name in names]

    def _where(self, *names: str, is_meant: Any) -> Rows:  # noqa: ANN401 - a function of that many arrays
        rows = [
            start + np.flatnonzero((kind & _MADE == 0) & is_meant(kind, *shard))
            for start, (kind, *shard) in self._shards("kind", *names)
        ]
        return np.concatenate(rows) if rows else np.empty(0, np.int64)

    def told(self) -> Rows:
        """Return the rows that every scan lists."""
        return self._where(is_meant=lambda kind: kind & _ALWAYS != 0)

    def twins(self, sizes: Sequence[int], inodes: Sequence[int]) -> Rows:
        """Return the rows with one of these sizes in bytes, or one of these inodes."""
        wanted = np.array(sizes, np.int64), np.array([signed(inode) for inode in inodes], np.int64)
        return self._where(
            "size",
            "inode",
            is_meant=lambda _, size, inode: np.isin(size, wanted[0]) | np.isin(inode, wanted[1]),
        )

    def near(self, hashes: Hashes, radius_bits: int, elsewhere: Elsewhere | None = None) -> Rows:
        """Return the rows of pictures at most ``radius_bits`` from any of ``hashes``, with or without their frames.

        Machines that see these very columns search in them, where there are such: what goes to them are the hashes,
        and what comes back are rows.
        """
        if not len(hashes):
            return np.empty(0, np.int64)
        step = SHARD_ROWS
        if elsewhere is not None:
            step = min(step, max(1, -(-self.head.rows // elsewhere.lanes)))
        parts = [
            Part(self._folder, self.head, start, min(self.head.rows, start + step))
            for start in range(0, self.head.rows, step)
        ]
        task = partial(near_in, hashes=hashes.astype("<u8").tobytes(), radius_bits=radius_bits)
        done = [None] * len(parts) if elsewhere is None else elsewhere.run(task, parts, _bytes_of)
        rows = [np.frombuffer(packed, "<i8").astype(np.int64) for packed in done if packed is not None]
        left = [part for part, packed in zip(parts, done, strict=True) if packed is None]
        rows += [self._near(part, hashes, radius_bits) for part in _joined(left)]
        return np.sort(np.concatenate(rows)) if rows else np.empty(0, np.int64)

    def _near(self, part: Part, hashes: Hashes, radius_bits: int) -> Rows:
        """Return those among the rows of one part."""
        kind, whole, inner = (np.array(self._mapped(name)[part.start : part.end]) for name in _SEARCHED)
        is_near = np.zeros(len(kind), np.bool_)
        for bit, column in ((_PICTURE, whole), (_FRAMED, inner)):
            places = np.flatnonzero(kind & bit)
            is_near[places] |= near_any(column[places], hashes, radius_bits)
        return part.start + np.flatnonzero((kind & _MADE == 0) & is_near)

    @classmethod
    def near_in_part(cls, part: Part, hashes: Hashes, radius_bits: int) -> bytes | None:
        """Return those rows, packed; None where the columns that are meant are not to be seen here."""
        try:
            columns = cls(part.folder, Head.read(part.folder))
            if columns.head != part.head or any(len(columns._mapped(name)) != part.head.rows for name in _SEARCHED):
                return None
            return columns._near(part, hashes, radius_bits).astype("<i8").tobytes()
        except (OSError, *_NO_ARRAY):
            return None

    def pictures(self, without: Rows) -> Iterator[tuple[Rows, list[int]]]:
        """Yield the other rows that have a thumbnail, a shard at a time, with the ids of these."""
        for start, (kind, picture) in self._shards("kind", "picture"):
            places = np.flatnonzero((kind & _PICTURE != 0) & (kind & _MADE == 0))
            places = places[~np.isin(start + places, without)]
            yield start + places, picture[places].tolist()

    def counts(self, without: Rows) -> tuple[int, int, int]:
        """Count the other rows: files, names of pictures, and thumbnails; what photo managers made is none of them."""
        files = names = pictures = 0
        for start, (kind,) in self._shards("kind"):
            kind[without[(without >= start) & (without < start + len(kind))] - start] = _MADE
            left = kind[kind & _MADE == 0]
            files += len(left)
            names += int(np.count_nonzero(left & _NAMED))
            pictures += int(np.count_nonzero(left & _PICTURE))
        return files, names, pictures

    def states(self, rows: Rows, file: CatalogFile) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield the files of these rows from the catalog: the relative path, then size, mtime, ctime and inode.

        Raises :class:`~dupfind.errors.CatalogError` where there is no such row.
        """
        numbers, starts = self._folders()
        places = np.searchsorted(starts, rows, "right") - 1
        for place in np.unique(places).tolist():
            wanted = (rows[places == place] - starts[place]).tolist()
            with translated():
                number = int(numbers[place])
                path = file.connection.execute("SELECT path FROM folder WHERE id = ?", (number,)).fetchone()
                states = file.connection.execute(_SELECT_STATES, (number,)).fetchall()
            if path is None or wanted[-1] >= len(states):
                raise CatalogError(f"{self._folder}: not the columns of the catalog: delete them, or make them anew")
            for name, *state in map(states.__getitem__, wanted):
                encoded = path[0] + os.fsencode(os.sep) + name if path[0] else name
                yield os.fsdecode(encoded), tuple(state)


class Part(NamedTuple):
    """Some rows of columns, wherever they are searched in."""

    folder: str
    head: Head
    """By which a machine knows whether it sees these very columns."""
    start: int
    end: int


def near_in(parts: Sequence[Part], hashes: bytes, radius_bits: int) -> list[bytes | None]:
    """Search in these parts, as :meth:`Columns.near` does: rows, packed; None where these columns are not to be seen.

    A plain picklable function, for a machine of a cluster.
    """
    sought = np.frombuffer(hashes, "<u8").astype(np.uint64)
    return [Columns.near_in_part(part, sought, radius_bits) for part in parts]


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Join parts that follow each other to shards: whoever searches in more rows at once searches faster."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last is not None and last.end == part.start and part.end - last.start <= SHARD_ROWS:
            joined[-1] = last._replace(end=part.end)
        else:
            joined.append(part)
    return joined


def _bytes_of(part: Part) -> int:
    return (part.end - part.start) * sum(np.dtype(_TYPES[name]).itemsize for name in _SEARCHED)


def near_any(column: Hashes, hashes: Hashes, radius_bits: int) -> NDArray[np.bool_]:
    """Tell of each hash of a shard whether it lies at most ``radius_bits`` from any of ``hashes``.

    The shard is indexed, not ``hashes``: for 100,000 of them that takes 1.6 µs a row of the shard, 4 the other way
    round.
    """
    return HashDictionary(column).near_any(hashes, radius_bits)


def stamp_of(catalog: str, file: CatalogFile) -> str:
    """Return what tells a state of a catalog from every other one, wherever it lies: SQLite counts its changes."""
    with open(catalog, "rb") as head:
        changes = head.read(_HEADER_BYTES)[_CHANGES]
    with translated():
        (seal,) = file.connection.execute("SELECT seal FROM about").fetchone() or (b"",)
    return f"{changes.hex()} {bytes(seal).hex()}"


def are_there(catalog: str) -> bool:
    """Tell whether a catalog has columns, of whatever state."""
    return os.path.isdir(catalog + SUFFIX)


def write(catalog: str, file: CatalogFile, algorithm: str, recipe: str) -> None:
    """Make the columns of a catalog, in the place of those that are there.

    ``recipe`` is that of the hashes by ``algorithm``. All paths are in memory meanwhile. Where this is stopped, what is
    there is of no use. Raises the errors of the catalog's file, OSError, and :class:`~dupfind.errors.CatalogError`
    where something else has the name of the columns.
    """
    folder = catalog + SUFFIX
    if os.path.lexists(folder):
        # What lies in it is written over: it must be columns, and nothing else.
        if os.path.islink(folder) or not os.path.isdir(folder) or set(os.listdir(folder)) - _NAMES:
            raise CatalogError(f"{folder}: not columns of dupfind: it is left as it is")
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, _HEAD))
    else:
        os.mkdir(folder, 0o700)
    try:
        head = _write(folder, catalog, file, algorithm, recipe)
        with open(os.path.join(folder, _HEAD + _PART), "w", encoding="utf-8") as text:
            json.dump(asdict(head), text)
        for name in _PARTS:
            os.replace(os.path.join(folder, name + _PART), os.path.join(folder, name))
    finally:
        for name in _PARTS:
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(folder, name + _PART))


def _write(folder: str, catalog: str, file: CatalogFile, algorithm: str, recipe: str) -> Head:
    with translated():
        rows = file.count_files()
        labels = file.labels()
        label = next((number for number, text in labels.items() if text == recipe), None)
        statement = "SELECT id, path FROM folder WHERE id IN (SELECT folder FROM file)"
        folders = [(number, os.fsdecode(path)) for number, path in file.connection.execute(statement)]
        folders.sort(key=lambda numbered: numbered[1].split(os.sep) if numbered[1] else [])
        columns = {
            name: open_memmap(os.path.join(folder, f"{name}.npy{_PART}"), mode="w+", dtype=kind, shape=(rows,))
            for name, kind in _TYPES.items()
        }
        made, notes = made_by_managers(list(file.paths()))
        starts, recipes, most_pixels, first = [], set[int](), 0, 0
        for number, path in folders:
            folder_rows = file.connection.execute(_SELECT_ROWS, (label, number)).fetchall()
            starts.append((number, first))
            values = [_values(row) for row in folder_rows]
            for row, of_row in zip(folder_rows, values, strict=True) if made else ():
                if os.path.join(path, os.fsdecode(row[0])) in made:
                    of_row["kind"] |= _MADE
            for name, column in columns.items():
                column[first : first + len(folder_rows)] = np.array([of_row[name] for of_row in values], _TYPES[name])
            recipes.update(row[8] for row in folder_rows if row[8] is not None)
            most_pixels = max([most_pixels, *(row[4] or 0 for row in folder_rows)])
            first += len(folder_rows)
        _fill_inner(columns, file, algorithm)
    unnumbered = int(np.count_nonzero(columns["inode"] == 0))
    for column in columns.values():
        column.flush()
    with open(os.path.join(folder, f"folders.npy{_PART}"), "wb") as table:
        np.save(table, np.array(starts, np.int64).reshape(-1, 2), allow_pickle=False)
    names = sorted(labels[number] for number in recipes)
    return Head(stamp_of(catalog, file), __version__, recipe, names, rows, len(made), notes, most_pixels, unnumbered)


def _values(row: Sequence[Any]) -> dict[str, int]:
    """Return the columns of one file; ``inner`` comes later, by many at a time."""
    name, size, inode, picture, _, failure, is_image, whole, _, hashes = row
    is_named = formats.is_image_name(os.fsdecode(name))
    kind = _NAMED * is_named
    values = {"size": size, "inode": inode, "hash": 0, "inner": 0, "picture": 0}
    if picture is None:
        is_told = failure is None or is_image or is_named  # others are no pictures, of which nobody is told
        return {**values, "kind": kind | _ALWAYS * bool(is_told)}
    traits = picture | (whole or 0)
    is_vague = hashes is None or (picture & COARSE and traits & FRAMED)  # two thumbnails, and nobody knows which counts
    kind |= _PICTURE | _ALWAYS * bool(is_vague) | _FRAMED * bool(not is_vague and picture & FRAMED)
    search_hash = 0 if hashes is None else int.from_bytes(hashes[:8], "big")
    return {**values, "hash": search_hash, "picture": picture, "kind": kind}


def _fill_inner(columns: Mapping[str, NDArray[Any]], file: CatalogFile, algorithm: str) -> None:
    """Hash the pictures that have a frame once more without it."""
    framed = np.flatnonzero(columns["kind"] & _FRAMED)
    for start in range(0, len(framed), 1024):
        places = framed[start : start + 1024]
        ids = columns["picture"][places].tolist()
        thumbnails = file.pictures(list(dict.fromkeys(ids)))
        for place, id_ in zip(places, ids, strict=True):
            thumbnail = thumbnails.get(id_)
            if thumbnail is None:
                columns["kind"][place] |= _ALWAYS
            else:
                inner = borders.inner(pixels(thumbnail.pixels), thumbnail.border or b"")
                columns["inner"][place] = search_hashes(inner, algorithm, 1)[0]
