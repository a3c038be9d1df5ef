"""Statements to the cache's file, and values as rows.

Rows are grouped by folder, so that a warm run reads a folder's rows with one statement and keeps no path twice. Paths
are stored as bytes, because not every file name is text.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from dupfind.cache import checksum
from dupfind.cache.cache_file import CacheFile, DamagedError, translated
from dupfind.cache.cache_schema import (
    FS_CODEC,
    SELECT_CONTENTS,
    SELECT_DIGESTS,
    SELECT_WHOLE,
    UPDATE_WHOLE,
    UPSERT_DIGEST,
    UPSERT_FILE,
    FileRow,
    Judged,
    Pair,
    PictureRef,
    content_columns,
    signed,
)
from dupfind.reasons import decode, encode
from dupfind.values import Evidence, Failure, FileEntry, Thumbnail

_MOST_VARIABLES = 500

_PICTURE_COLUMNS = tuple(field.name for field in dataclasses.fields(Thumbnail))
_FLAGS = tuple(map(_PICTURE_COLUMNS.index, ("is_coarse",)))

Labels = tuple["int | None", "int | None"]
"""The numbers of the recipe and of the algorithm under which contents are looked up."""


class Store(CacheFile):
    """A cache file and its statements."""

    def label(self, text: str) -> int | None:
        """Return the number of a recipe or algorithm; None when nothing was ever stored under it."""
        if text not in self._labels:
            with translated():
                row = self.connection.execute("SELECT id FROM label WHERE text = ?", (text,)).fetchone()
            if row is None:
                return None
            self._labels[text] = row[0]
        return self._labels[text]

    def files_in(
        self, folder: str, labels: Labels | None, names: Sequence[bytes] | None = None
    ) -> dict[bytes, FileRow]:
        """Return the rows of the files of ``folder`` by name, without their contents where ``labels`` are None.

        Of all files, or of a few that have these ``names``.
        """
        values = {"path": os.fsencode(folder), **_named(labels)}
        statement = f"{_select(labels)} WHERE f.folder = (SELECT id FROM folder WHERE path = :path)"
        if names is not None:
            named = {f"name{number}": name for number, name in enumerate(names)}
            values |= named
            statement += f" AND f.name IN ({','.join(f':{key}' for key in named)})"
        with translated():
            return {row[0]: row for row in self.connection.execute(statement, values)}

    def known_inodes(self, inodes: Sequence[int]) -> set[int]:
        """Return those of ``inodes`` under which anything was stored; nearly none where a tree is new."""
        stored: set[int] = set()
        with translated():
            for start in range(0, len(inodes), _MOST_VARIABLES):
                batch = {signed(inode): inode for inode in inodes[start : start + _MOST_VARIABLES]}
                rows = self.connection.execute(
                    f"SELECT inode FROM file WHERE inode IN ({','.join('?' * len(batch))})", list(batch)
                )
                stored.update(batch[row[0]] for row in rows)
        return stored

    def file_by_inode(self, entry: FileEntry, labels: Labels | None) -> FileRow | None:
        """Find the row of a file that was elsewhere when it was stored, recognised by inode, size and times."""
        values = {
            "inode": signed(entry.inode),
            "size": entry.size_bytes,
            "mtime": entry.mtime_ns,
            "ctime": entry.ctime_ns,
        }
        with translated():
            row: FileRow | None = self.connection.execute(
                f"{_select(labels)} WHERE f.inode = :inode AND f.size = :size AND f.mtime_ns = :mtime "
                "AND f.ctime_ns = :ctime LIMIT 1",
                values | _named(labels),
            ).fetchone()
        return None if row is None or _is_clone(entry, self._paths_of(entry)) else row

    def _paths_of(self, entry: FileEntry) -> list[str]:
        """Return where files with the inode, size and times of ``entry`` were when they were stored."""
        with translated():
            rows = self.connection.execute(
                "SELECT d.path, f.name FROM file f JOIN folder d ON d.id = f.folder "
                "WHERE f.inode = ? AND f.size = ? AND f.mtime_ns = ? AND f.ctime_ns = ?",
                (signed(entry.inode), entry.size_bytes, entry.mtime_ns, entry.ctime_ns),
            ).fetchall()
        return [os.fsdecode(folder + os.fsencode(os.sep) + name) for folder, name in rows]

    def pictures(self, ids: Sequence[int]) -> dict[int, Thumbnail]:
        """Return the thumbnails among ``ids`` that are here."""
        thumbnails = {}
        with translated():
            for start in range(0, len(ids), _MOST_VARIABLES):
                batch = ids[start : start + _MOST_VARIABLES]
                marks = ",".join("?" * len(batch))
                columns = ", ".join(_PICTURE_COLUMNS)
                for id_, *row in self.connection.execute(
                    f"SELECT id, {columns} FROM picture WHERE id IN ({marks})", batch
                ):
                    for flag in _FLAGS:
                        row[flag] = bool(row[flag])
                    thumbnails[id_] = Thumbnail(*row)
        return thumbnails

    def claims(self, ids: Sequence[int]) -> bool:
        """Tell whether some file is said to have one of these thumbnails."""
        with translated():
            for start in range(0, len(ids), _MOST_VARIABLES):
                batch = ids[start : start + _MOST_VARIABLES]
                marks = ",".join("?" * len(batch))
                statement = f"SELECT 1 FROM file WHERE picture IN ({marks}) OR whole IN ({marks}) LIMIT 1"
                if self.connection.execute(statement, [*batch, *batch]).fetchone() is not None:
                    return True
        return False

    def is_without_pictures(self) -> bool:
        """Tell whether there is no thumbnail here at all."""
        with translated():
            return self.connection.execute("SELECT 1 FROM picture LIMIT 1").fetchone() is None

    def is_without_files(self) -> bool:
        """Tell whether nothing is stored of any file, as in a cache that this run has made."""
        with translated():
            return self.connection.execute("SELECT 1 FROM file LIMIT 1").fetchone() is None

    def add_pictures(self, pictures: Iterable[tuple[int, Thumbnail]]) -> None:
        """Store thumbnails under their ids; what is there already stays."""
        marks = ", ".join("?" * (1 + len(_PICTURE_COLUMNS)))
        with translated():
            self.connection.executemany(
                f"INSERT OR IGNORE INTO picture (id, {', '.join(_PICTURE_COLUMNS)}) VALUES ({marks})",
                ((id_, *map(picture.__getattribute__, _PICTURE_COLUMNS)) for id_, picture in pictures),
            )

    def set_digests(self, digests: Iterable[tuple[FileEntry, bytes]]) -> None:
        """Store the digests of files."""
        self.connection.executemany(UPSERT_DIGEST, self._digest_rows(digests))

    def _digest_rows(self, digests: Iterable[tuple[FileEntry, bytes]]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of digests; as :meth:`key` makes them, but a folder is asked for once where its files
        follow each other: there may be a million.
        """
        codec, errors = FS_CODEC
        known, number = None, 0
        for entry, digest in digests:
            path, size_bytes, mtime_ns, ctime_ns, inode = entry
            folder, _, name = path.rpartition(os.sep)
            if folder != known:
                known, number = folder, self._make_folder(folder)
            sealed = checksum.sealed_digest(entry, digest)
            yield number, name.encode(codec, errors), size_bytes, mtime_ns, ctime_ns, signed(inode), sealed

    def add_files(self, entries: Iterable[FileEntry]) -> None:
        """Store that there are such files, of which other tables tell, so that they outlive a pruning."""
        self.connection.executemany(UPSERT_FILE, ((*self.key(entry), *(None,) * 7) for entry in entries))

    def set_contents(self, recipe: str, contents: Iterable[tuple[FileEntry, PictureRef | Failure]]) -> None:
        """Store which thumbnail files have, or why they have none."""
        label, mark = self.make_label(recipe), checksum.of_text(recipe)
        self.connection.executemany(
            UPSERT_FILE,
            (
                (*self.key(entry), None, label, *content_columns(content), checksum.of_content(entry, content, mark))
                for entry, content in contents
            ),
        )

    def whole(self, entry: FileEntry, recipe: str) -> PictureRef | Failure | None:
        """Return what reading a file whole gave that had been read coarsely; None where it is not known."""
        folder, name = os.path.split(os.fsencode(entry.path))
        with translated():
            row = self.connection.execute(
                SELECT_WHOLE, (folder, name, *entry[1:4], signed(entry.inode), self.label(recipe))
            ).fetchone()
        if row is None or row[-1] is None:
            return None
        picture, size_pixels, failure, seal = row
        if not checksum.is_of_whole(entry, picture, failure, checksum.of_text(recipe), seal):
            raise DamagedError("what is known of a file is not what was stored")
        return PictureRef(picture, size_pixels) if failure is None else Failure(failure)

    def set_wholes(self, recipe: str, contents: Iterable[tuple[FileEntry, PictureRef | Failure]]) -> None:
        """Store what reading files whole gave, of which it is stored what reading them coarsely gave."""
        label, mark = self.make_label(recipe), checksum.of_text(recipe)
        for entry, content in contents:
            picture, _, failure, _ = content_columns(content)
            seal = checksum.of_whole(entry, picture, failure, mark)
            self.connection.execute(UPDATE_WHOLE, (picture, failure, seal, *self.key(entry), label))

    def copy_files(self, entries: Iterable[FileEntry]) -> None:
        """Store for files what is known of their inode under another path."""
        for entry in entries:
            columns = self.connection.execute(
                "SELECT digest, recipe, picture, size_pixels, failure, is_image, seal FROM file "
                "WHERE inode = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ? LIMIT 1",
                (signed(entry.inode), entry.size_bytes, entry.mtime_ns, entry.ctime_ns),
            ).fetchone()
            if columns is not None:
                self.connection.execute(UPSERT_FILE, (*self.key(entry), *columns))

    def set_hashes(self, algorithm: str, hashes: Iterable[tuple[int, bytes]]) -> None:
        """Store the hashes of thumbnails by one algorithm."""
        label, mark = self.make_label(algorithm), checksum.of_text(algorithm)
        self.connection.executemany(
            "INSERT OR REPLACE INTO hash (picture, algorithm, hashes) VALUES (?, ?, ?)",
            ((picture, label, checksum.sealed_hashes(picture, value, mark)) for picture, value in hashes),
        )

    def judgements(self, rules: str, needles: Sequence[int]) -> dict[Pair, Judged]:
        """Return what was judged by these rules of pairs with one of ``needles``."""
        judgements = {}
        label, mark = self.label(rules), checksum.of_text(rules)
        with translated():
            for start in range(0, len(needles), _MOST_VARIABLES):
                batch = needles[start : start + _MOST_VARIABLES]
                marks = ",".join("?" * len(batch))
                for needle, witness, orientation, *row, seal in self.connection.execute(
                    "SELECT needle, witness, orientation, evidence, reason, is_last, closeness, seal FROM judgement "
                    f"WHERE needle IN ({marks}) AND rules = ?",
                    (*batch, label),
                ):
                    pair = Pair(needle, witness, orientation)
                    if not checksum.is_of_judgement(pair, row, mark, seal):
                        raise DamagedError("how a pair was judged is not what was stored")
                    judgements[pair] = _judged(*row)
        return judgements

    def set_judgements(self, rules: str, judgements: Iterable[tuple[Pair, Judged]]) -> None:
        """Store what was judged of pairs."""
        label, mark = self.make_label(rules), checksum.of_text(rules)
        self.connection.executemany(
            "INSERT OR REPLACE INTO judgement (needle, witness, orientation, rules, evidence, reason, is_last, "
            "closeness, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_judgement_row(pair, judged, label, mark) for pair, judged in judgements),
        )

    def key(self, entry: FileEntry) -> tuple[Any, ...]:
        """Return the columns by which a file is known; makes the row of its folder."""
        path, size_bytes, mtime_ns, ctime_ns, inode = entry  # a field at a time takes three times as long
        folder, _, name = path.rpartition(os.sep)
        return self._make_folder(folder), name.encode(*FS_CODEC), size_bytes, mtime_ns, ctime_ns, signed(inode)

    def _make_folder(self, folder: str) -> int:
        number = self._folders.get(folder)
        if number is None:
            path = os.fsencode(folder)
            self.connection.execute("INSERT OR IGNORE INTO folder (path) VALUES (?)", (path,))
            row = self.connection.execute("SELECT id FROM folder WHERE path = ?", (path,)).fetchone()
            number = self._folders[folder] = row[0]
        return number

    def make_label(self, text: str) -> int:
        """Return the number of a recipe or algorithm, as a part of the caller's transaction."""
        self.connection.execute("INSERT OR IGNORE INTO label (text) VALUES (?)", (text,))
        label = self.label(text)
        assert label is not None
        return label


def _look(path: str) -> os.stat_result:
    return os.stat(path)


def _is_clone(entry: FileEntry, paths: Sequence[str]) -> bool:
    """Tell whether a file that looks moved still is where it was, on another device.

    A block-wise clone of a disk repeats inodes and times, also of the files that it could not copy.
    """
    with suppress(OSError):
        device = _look(entry.path).st_dev
        for path in paths:
            with suppress(OSError):
                status = _look(path)
                state = status.st_size, status.st_mtime_ns, status.st_ctime_ns
                if state == entry[1:4] and status.st_dev != device:
                    return True
    return False


def _judgement_row(pair: Pair, judged: Judged, label: int, mark: int) -> tuple[object, ...]:
    row = judged.evidence, encode(judged.reason), judged.is_last, judged.closeness
    return *pair, label, *row, checksum.of_judgement(pair, row, mark)


def _judged(evidence: str | None, reason: str | None, is_last: int, closeness: float) -> Judged:
    try:
        grade = None if evidence is None else Evidence(evidence)
        return Judged(grade, decode(reason), bool(is_last), closeness)
    except (ValueError, TypeError) as error:
        raise DamagedError("how a pair was judged cannot be read") from error


def _select(labels: Labels | None) -> str:
    return SELECT_DIGESTS if labels is None else SELECT_CONTENTS


def _named(labels: Labels | None) -> dict[str, int | None]:
    return {} if labels is None else {"recipe": labels[0], "algorithm": labels[1]}
