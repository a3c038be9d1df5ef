"""The SQL of the cache, the values that its rows hold, and how they become columns. Opens nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from dupfind.reasons import Reason
from dupfind.values import Evidence, Failure, FileEntry, Thumbnail

APPLICATION_ID = 0x64757066  # "dupf"
SCHEMA_VERSION = 5
INTEGER_END = 1 << 63
IDENTITY_BYTES = 16
COARSE, DAMAGED, FRAMED, GRAY = 1, 2, 4, 8
"""Bits of a thumbnail's id: it was made of the beginning of a file only, has damage, has a flat frame. They are asked
of all pictures of a run, and so without fetching any, and without an index that could be damaged. The first two
together say that only its pixels were taken of a file, see :func:`is_bare`, and with the last that these are nearly
those of the whole, see :func:`is_gray`."""
_TRAITS = COARSE | DAMAGED | FRAMED | GRAY
FS_CODEC = (sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
"""What os.fsencode does, three times as fast."""

PICTURE_TABLE = """
    CREATE TABLE picture (
        id INTEGER PRIMARY KEY, pixels BLOB NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
        format TEXT NOT NULL, frames INTEGER NOT NULL, captured TEXT, chroma BLOB NOT NULL, more TEXT,
        quality INTEGER, data_bytes INTEGER NOT NULL, damage TEXT, detail REAL NOT NULL, text REAL NOT NULL,
        border BLOB, is_coarse INTEGER NOT NULL
    );
"""
SCHEMA = (
    """
    CREATE TABLE label (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
    CREATE TABLE folder (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE);
    CREATE TABLE file (
        folder INTEGER NOT NULL, name BLOB NOT NULL,
        size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
        digest BLOB, recipe INTEGER, picture INTEGER, size_pixels INTEGER, failure TEXT, is_image INTEGER, seal INTEGER,
        whole INTEGER, whole_failure TEXT, whole_seal INTEGER,
        PRIMARY KEY (folder, name)
    ) WITHOUT ROWID;
    CREATE INDEX file_inode ON file (inode, size, mtime_ns);
    CREATE TABLE judgement (
        needle INTEGER NOT NULL, witness INTEGER NOT NULL, orientation INTEGER NOT NULL, rules INTEGER NOT NULL,
        evidence TEXT, reason TEXT, is_last INTEGER NOT NULL, closeness REAL NOT NULL, seal INTEGER NOT NULL,
        PRIMARY KEY (needle, witness, orientation)
    ) WITHOUT ROWID;
    CREATE TABLE hash (
        picture INTEGER NOT NULL, algorithm INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (picture, algorithm)
    ) WITHOUT ROWID;
"""
    + PICTURE_TABLE
)
IMAGE_DATA_TABLE = """
    CREATE TABLE IF NOT EXISTS image_data (
        folder INTEGER NOT NULL, name BLOB NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, recipe INTEGER NOT NULL, digest BLOB NOT NULL,
        PRIMARY KEY (folder, name)
    ) WITHOUT ROWID
"""
FILM_PRINT_TABLE = IMAGE_DATA_TABLE.replace("image_data", "film_print")
FRAGMENT_TABLE = IMAGE_DATA_TABLE.replace("image_data", "fragment")
"""What pictures are searched by for parts lies beside the digest of their image data."""
PART_TABLE = IMAGE_DATA_TABLE.replace("image_data", "part")
"""Where parts of needles were looked for, and what was found."""
FIRST_LOOK_TABLE = IMAGE_DATA_TABLE.replace("image_data", "first_look")
"""What files show by their embedded previews lies apart from what decoding them gave: nothing is judged by it."""
ANSWER_TABLE = """
    CREATE TABLE IF NOT EXISTS answer (
        id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, recipe TEXT, data BLOB NOT NULL
    )
"""
SNAPSHOT_TABLE = """
    CREATE TABLE IF NOT EXISTS snapshot (
        id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, stamp BLOB NOT NULL
    )
"""
SNAPSHOT_PART_TABLE = """
    CREATE TABLE IF NOT EXISTS snapshot_part (
        snapshot INTEGER NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL,
        UNIQUE (snapshot, name, number)
    )
"""
COMPARISON_TABLE = """
    CREATE TABLE IF NOT EXISTS comparison (
        needle BLOB NOT NULL, witness BLOB NOT NULL, orientation INTEGER NOT NULL, recipe INTEGER NOT NULL,
        code TEXT, reason TEXT, seal INTEGER NOT NULL, PRIMARY KEY (needle, witness, orientation)
    ) WITHOUT ROWID
"""
SELECT_DIGESTS = "SELECT f.name, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.digest FROM file f"
SELECT_CONTENTS = """
    SELECT f.name, f.size, f.mtime_ns, f.ctime_ns, f.inode, f.failure, f.is_image, f.picture, f.size_pixels, f.seal,
        h.hashes
    FROM (
        SELECT folder, name, size, mtime_ns, ctime_ns, inode,
            CASE WHEN recipe = :recipe THEN picture END AS picture,
            CASE WHEN recipe = :recipe THEN failure END AS failure, is_image, size_pixels, seal
        FROM file
    ) f
    LEFT JOIN hash h ON h.picture = f.picture AND h.algorithm = :algorithm
"""
# A file that has changed loses what was known of it; one that has not keeps what the other statement wrote.
_UPSERT = """
    ON CONFLICT (folder, name) DO UPDATE SET
        digest = CASE WHEN {same} THEN coalesce(excluded.digest, digest) ELSE excluded.digest END,
        picture = CASE WHEN {same} AND excluded.recipe IS NULL THEN picture ELSE excluded.picture END,
        size_pixels = CASE WHEN {same} AND excluded.recipe IS NULL THEN size_pixels ELSE excluded.size_pixels END,
        failure = CASE WHEN {same} AND excluded.recipe IS NULL THEN failure ELSE excluded.failure END,
        is_image = CASE WHEN {same} AND excluded.recipe IS NULL THEN is_image ELSE excluded.is_image END,
        seal = CASE WHEN {same} AND excluded.recipe IS NULL THEN seal ELSE excluded.seal END,
        recipe = CASE WHEN {same} AND excluded.recipe IS NULL THEN recipe ELSE excluded.recipe END,
        whole = CASE WHEN {same} AND excluded.recipe IS NULL THEN whole END,
        whole_failure = CASE WHEN {same} AND excluded.recipe IS NULL THEN whole_failure END,
        whole_seal = CASE WHEN {same} AND excluded.recipe IS NULL THEN whole_seal END,
        size = excluded.size, mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, inode = excluded.inode
""".format(
    same="(size = excluded.size AND mtime_ns = excluded.mtime_ns AND ctime_ns = excluded.ctime_ns "
    "AND inode = excluded.inode)"
)
UPSERT_FILE = f"""
    INSERT INTO file (
        folder, name, size, mtime_ns, ctime_ns, inode, digest, recipe, picture, size_pixels, failure, is_image, seal
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    {_UPSERT}
"""
UPSERT_DIGEST = f"""
    INSERT INTO file (folder, name, size, mtime_ns, ctime_ns, inode, digest) VALUES (?, ?, ?, ?, ?, ?, ?)
    {_UPSERT}
"""
SELECT_WHOLE = """
    SELECT f.whole, f.size_pixels, f.whole_failure, f.whole_seal FROM file f JOIN folder d ON d.id = f.folder
    WHERE d.path = ? AND f.name = ? AND f.size = ? AND f.mtime_ns = ? AND f.ctime_ns = ? AND f.inode = ?
    AND f.recipe = ?
"""
UPDATE_WHOLE = """
    UPDATE file SET whole = ?, whole_failure = ?, whole_seal = ?
    WHERE folder = ? AND name = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ? AND inode = ? AND recipe = ?
"""


Part = tuple[str, int]
"""The name of a column, or of the details, and the number of the piece."""


class SnapshotError(ValueError):
    """What is to be unpacked is not what was packed, or is gone."""


FileRow = tuple[Any, ...]
"""One row of one of the two selections: name, size, mtime_ns, ctime_ns, inode, and what was asked for."""


Made = str | Callable[[], str]
"""A text, or what makes it when it is first asked for: most are made by modules that a run may never need."""


class Recipe:
    """What the contents of a cache were made by; under another recipe they are not found again."""

    thumbnails: str
    """Names everything that can alter a thumbnail: our own way, and the versions of the decoders."""
    hashes: str
    """Names the algorithm, and everything that can alter its hashes."""
    rules: str
    """Names the rules by which pairs of thumbnails are judged."""
    comparison: str
    """Names everything that can alter a comparison at full size."""
    image_data: str
    """Names everything that can alter a digest of image data."""
    film_data: str
    """Names everything that can alter what is known of a film."""
    film_print: str
    """Names everything that can alter the hashes of the frames of a film."""
    film_comparison: str
    """Names everything that can alter a comparison of two films, frame by frame."""
    fragments: str
    """Names everything that can alter what pictures are searched by for parts."""
    parts: str
    """Names everything that can alter which parts of pictures are found."""
    first_looks: str
    """Names everything that can alter what is read of embedded previews."""

    def __init__(
        self,
        thumbnails: Made,
        hashes: Made,
        rules: Made,
        comparison: Made = "",
        image_data: Made = "",
        film_data: Made = "",
        film_print: Made = "",
        film_comparison: Made = "",
        fragments: Made = "",
        parts: Made = "",
        first_looks: Made = "",
    ) -> None:
        given = locals()
        self._given: dict[str, Made] = {name: given[name] for name in Recipe.__annotations__}

    def __getattr__(self, name: str) -> str:
        """Make a text that was not asked for before."""
        given = vars(self).get("_given", {})
        if name not in given:
            raise AttributeError(name)
        made = given[name]
        text: str = made if isinstance(made, str) else made()
        setattr(self, name, text)
        return text

    def texts(self) -> list[str]:
        """Return all of them."""
        return [getattr(self, name) for name in self._given]


class PictureRef(NamedTuple):
    """What is kept in memory of a picture."""

    id: int
    """Of its thumbnail in the cache."""
    size_pixels: int


class Pair(NamedTuple):
    """Two thumbnails, by their ids, and the orientation under which the needle was compared."""

    needle: int
    witness: int
    orientation: int


class Comparison(NamedTuple):
    """A pair and what is compared."""

    pair: Pair
    needle: Thumbnail
    """Upright; it is turned as ``pair`` says."""
    witness: Thumbnail


class Compared(NamedTuple):
    """What is remembered of the comparison of two files at full size."""

    objection: Reason | None


class FilePair(NamedTuple):
    """Two files as they were when they were compared, and how the needle was turned."""

    needle: FileEntry
    witness: FileEntry
    orientation: int


class Judged(NamedTuple):
    """What is remembered of the comparison of a pair."""

    evidence: Evidence | None
    reason: Reason | None
    is_last: bool
    """True when no other candidate can be better: this one is `same`, or the needle shows too little to be proved."""
    closeness: float
    """The worst test on pixels as a share of its bound."""


def content_columns(content: PictureRef | Failure) -> tuple[int | None, int | None, str | None, bool | None]:
    """Return ``picture``, ``size_pixels``, ``failure`` and ``is_image`` of a row."""
    if isinstance(content, Failure):
        return None, None, content.reason, content.is_image
    return *content, None, None


def picture_id(picture: Thumbnail) -> int:
    """Make the id of a thumbnail: 60 bits of the BLAKE2b digest of it and its facts, its traits, and SQLite's sign.

    Two of a million different thumbnails share an id with a probability of 4 in 10 million.
    """
    from hashlib import blake2b  # brings OpenSSL, which a run without pictures never needs

    digest = int.from_bytes(blake2b(repr(picture).encode(), digest_size=8).digest(), "big", signed=True)
    facts = COARSE * picture.is_coarse | DAMAGED * (picture.damage is not None)
    return digest & ~_TRAITS | facts | FRAMED * (picture.border is not None) | GRAY * picture.is_gray


def is_bare(id_: int) -> bool:
    """Tell by the id of a thumbnail whether nothing but its pixels was taken of a file, so that it proves nothing."""
    return id_ & (COARSE | DAMAGED) == COARSE | DAMAGED


def is_gray(id_: int) -> bool:
    """Tell by the id of a thumbnail whether it is bare and its search hash is nearly, not surely, that of the file."""
    return id_ & (COARSE | DAMAGED | GRAY) == COARSE | DAMAGED | GRAY


def is_damaged(id_: int) -> bool:
    """Tell by the id of a thumbnail whether its file is known to be damaged."""
    return id_ & (COARSE | DAMAGED) == DAMAGED


def signed(inode: int) -> int:
    """Make the integer of an inode that SQLite can keep: 64 bits with a sign, which inodes have not."""
    return inode - (1 << 64) if inode >= 1 << 63 else inode


def fits(entry: FileEntry) -> bool:
    """Tell whether a column of 64 bits can hold the times; a file may carry some before 1677 or after 2262."""
    return -INTEGER_END <= entry.mtime_ns < INTEGER_END and -INTEGER_END <= entry.ctime_ns < INTEGER_END


def identity(entry: FileEntry) -> bytes:
    """Return what stands for a file in one state: a digest of its path, size, times and inode."""
    from hashlib import blake2b  # brings OpenSSL, which a run that compares nothing never needs

    path, *state = entry
    return blake2b(os.fsencode(path) + repr(state).encode(), digest_size=IDENTITY_BYTES).digest()


def is_of(entry: FileEntry, row: FileRow) -> bool:
    """Tell whether ``row`` is of the file that lies there now.

    The inode counts where there is one: files made at one moment carry the same times, and when two folders of such
    files change places no time of theirs changes.
    """
    return row[1:5] == entry[1:] or (row[1:4] == entry[1:4] and row[4] == signed(entry.inode))
