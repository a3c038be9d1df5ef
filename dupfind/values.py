"""The values that travel from stage to stage, frozen and slotted.

Paths are ``str`` as :func:`os.fsdecode` gives them, so a name that is no valid UTF-8 survives unharmed.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import compress, repeat
from operator import is_not, itemgetter
from typing import NamedTuple

from dupfind.reasons import Reason, is_fragment

THUMBNAIL_SIDE, CHROMA_SIDE = 64, 8
NEUTRAL_CHROMA = bytes([128]) * (2 * CHROMA_SIDE * CHROMA_SIDE)
"""Sides of a thumbnail and of its two planes of colour, in pixels; the colour of a picture without colour."""
UNMEASURED = "nothing but its pixels was looked at"
"""The damage of a thumbnail of which only the pixels were taken: should it ever be judged by, it proves nothing."""
GRAY_ONLY = "nothing but its brightness was looked at, in small"
"""The same of one whose pixels are those of a reduced gray decode: nearly, and not to the bit, those of the whole."""

ORIENTATIONS, FIRST_TRANSPOSED, MIRRORED = 8, 4, frozenset({1, 3, 4, 6})
"""How many ways a picture can be turned and mirrored; index ``k`` stands for EXIF orientation ``k + 1``. The indexes
from the second number on exchange width and height; the last ones mirror the picture (EXIF 2, 4, 5 and 7)."""
BACK = (0, 1, 2, 3, 4, 7, 6, 5)
"""The orientation that undoes each."""
HASH_BITS = 64
"""Length of the hashes that candidates are searched by, in bits."""

FULL_SIZE, SECOND_LOOK, LAST_LOOK, LISTING = "full size", "second look", "last look", "list"
FILM_FRAMES = "film frames"
"""Stages, in problems and failures: :mod:`dupfind.pool.full_size`, ``--paranoid``, :mod:`dupfind.scanning.final_check`,
:mod:`dupfind.sources.file_lists`; :mod:`dupfind.matching.film_reading`."""
CHANGED = "changed while dupfind ran"
"""The reason that holds against whatever is not any more what was listed."""


class Side(StrEnum):
    """Which of the two trees something belongs to."""

    HAYSTACK = "haystack"
    NEEDLES = "needles"


class Archives(StrEnum):
    """Whose archives are looked into."""

    NEEDLES = "needles"
    BOTH = "both"
    NONE = "none"


class Kind(StrEnum):
    """What a file is, for the report."""

    IMAGE = "image"
    OTHER = "other"


class Evidence(StrEnum):
    """How strongly a witness speaks for a needle, the strongest first."""

    IDENTICAL = "identical"
    SAME = "same"
    SIMILAR = "similar"

    @property
    def rank(self) -> int:
        """0 for the strongest grade; larger is weaker."""
        return _RANKS[self]


_RANKS = {grade: rank for rank, grade in enumerate(Evidence)}


def grade_rank(grade: Evidence | None) -> int:
    """Return the rank of a grade; of None, where two pictures have nothing to do with each other, the weakest."""
    return len(_RANKS) if grade is None else _RANKS[grade]


class FileState(StrEnum):
    """The verdict on one needle file."""

    PRESENT = "present"
    SIMILAR = "similar"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNWANTED = "unwanted"
    """Not present, and not wanted: by the word of a person, or set aside by a rule that a person has chosen."""
    EMPTY = "empty"
    """Without a single byte: it holds nothing that could be lost, and proves nothing."""


SETTLED = (FileState.PRESENT, FileState.UNWANTED, FileState.EMPTY)
"""Verdicts on files that keep no folder from being contained; members of an enumeration are slow to be looked up in a
set."""


class FolderState(StrEnum):
    """The verdict on one needle folder, the most urgent first."""

    MISSING = "missing"
    PARTIAL = "partial"
    REVIEW = "review"
    CONTAINED = "contained"


FolderId = tuple[int, int]
"""Device and inode of a directory, the same however it is reached."""


FILE_CODES = "qqqQ"
"""What a file is known by besides its path, as arrays: size, mtime, ctime, inode."""


class FileEntry(NamedTuple):
    """One regular file as its source listed it; a named tuple is made four times as fast as a frozen dataclass.

    Files on disk are of this class. Sources that are no folders have subclasses, which open themselves:
    :class:`dupfind.sources.entries.StoredEntry`.
    """

    path: str
    """The absolute path, the root's symbolic links resolved: what is opened, and what the cache goes by."""
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @property
    def is_on_disk(self) -> bool:
        """Tell whether the path leads to the file, so that the system can be asked about it."""
        return True

    @property
    def can_be_looked_into(self) -> bool:
        """Tell whether an archive may be read where it lies, as one of the needles."""
        return self.is_on_disk

    @property
    def can_be_read(self) -> bool:
        """Tell whether the bytes can be had; False for what is known from a catalog only."""
        return True

    @property
    def modified_ns(self) -> int | None:
        """Return when somebody last worked on it; None where nobody can tell."""
        return self.mtime_ns

    @property
    def has_comparable_picture(self) -> bool:
        """Tell whether its picture may prove something; False where only equal bytes do."""
        return True


class ProblemCode(StrEnum):
    """What a problem is, where the program goes by it: nobody reads that out of a sentence."""

    EXCLUDED = "excluded"
    LINK = "link"
    """A symbolic link that is not followed."""
    NOT_REGULAR = "not-regular"
    """A pipe, a socket or a device."""
    VISITED = "visited"
    """A folder that was reached by another way before."""
    NOT_TRUSTED = "not-trusted"
    """What proves nothing as haystack, because of its name or of what it lies in."""


class Problem(NamedTuple):
    """Something that went wrong and could be survived."""

    path: str
    """The root as the user gave it joined with the rest."""
    side: Side
    stage: str
    reason: str
    is_note: bool = False
    """True for what is by design and loses nothing, such as a hidden folder that is not trusted as haystack."""
    code: ProblemCode | None = None
    """None for what nothing but a report goes by."""

    @property
    def is_gap(self) -> bool:
        """True when something among the needles was skipped, so that no folder around it is contained."""
        return self.side is Side.NEEDLES and self.stage in ("walk", LISTING) and not self.is_note


@dataclass(frozen=True, slots=True)
class Root:
    """A directory that the user named."""

    side: Side
    given: str
    """As the user spelt it, without a trailing separator; reports show paths that begin so."""
    real: str
    """Absolute and without symbolic links; entries have paths that begin so."""
    identity: FolderId
    is_catalog: bool = False
    """True for a file that stands for the folder that it lists, see :mod:`dupfind.catalog.catalogs`."""
    is_archive: bool = False
    """True for a file that is looked into, see :mod:`dupfind.archives`."""
    is_elsewhere: bool = False
    """True for a catalog of which a person says that it lists another drive than any needle lies on."""

    @property
    def is_plan(self) -> bool:
        """Tell whether it is a catalog among the needles: what is said of these cannot be acted on."""
        return self.is_catalog and self.side is Side.NEEDLES

    @property
    def shown(self) -> Callable[[str], str]:
        """A function from a path at or below this root to how the user would spell it; reports ask for many."""
        given, real = self.given, self.real
        if given == real:
            return str  # gives the very path, and is no function of Python
        prefix, skipped = given.rstrip(os.sep) + os.sep, len(real.rstrip(os.sep)) + 1
        return lambda path: prefix + path[skipped:] if path != real else given

    @property
    def below(self) -> Callable[[str], str]:
        """A function from a path below this root to the rest of it, which is what patterns are about."""
        skipped = len(self.real.rstrip(os.sep)) + 1
        return lambda path: path[skipped:]

    @property
    def has_folders(self) -> bool:
        """Tell whether its folders have verdicts; False for files that lie anywhere, of whose folders nobody knows."""
        return True


class Cataloged(NamedTuple):
    """One catalog that stood for a folder of the haystack, as it was when it was read."""

    path: str
    """As the user gave it; paths of its files begin so."""
    root: str
    """The folder that it lists, as an absolute path on the machine where it was updated last."""
    updated: str
    """When the last update that came to its end began: ISO 8601, with the offset of its time zone."""
    age_seconds: float
    """How long that was ago."""
    files: int
    is_complete: bool
    """False where the first indexing, or the last update, has not come to its end."""
    is_elsewhere: bool = False
    """True where a person has said that it lists another drive than any needle lies on."""
    side: Side = Side.HAYSTACK


class Served(NamedTuple):
    """One server that stood for a folder of the haystack, as it was when it was asked."""

    url: str
    """As the user gave it; paths of its files begin so."""
    version: str
    asked: int
    """How many needles, equal ones once, it was asked about."""
    there: int
    """How many of them it has, and may prove."""
    previews: int = 0
    """How many pictures on it were looked at, as previews, for what no checksum proves."""
    originals: int = 0
    """How many originals of these were downloaded, to be compared with needles."""
    original_bytes: int = 0


class Unlisted(NamedTuple):
    """Files of a source that nothing can rest on, and that no report names: they are counted, and not listed."""

    files: int
    image_names: int
    """How many of them are pictures by their names."""
    pictures: int
    """How many have a thumbnail that may be compared."""


class Fetched(NamedTuple):
    """One bucket or server that stood for a folder, and what went over the network for it."""

    url: str
    """As it is spelt once for all; paths of its files begin so."""
    side: Side
    objects: int
    """How many were listed that are files."""
    requests: int
    """All that was asked, again where something failed."""
    bytes_read: int
    """Of objects."""
    is_elsewhere: bool = False
    """True where a person has said that it holds no file of the other side."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One root, walked."""

    root: Root
    entries: list[FileEntry]
    problems: list[Problem]
    folders: frozenset[FolderId]
    """Every directory that was looked into."""
    catalog: Cataloged | None = None
    """What it was read from, where it was not walked."""
    server: Served | None = None
    """Who was asked, where nothing was listed at all."""
    opened: frozenset[str] = frozenset()
    """Paths of files that it looks into: of needles, they stand among the entries of no tree."""
    unlisted: Unlisted | None = None
    """What it has besides; None where everything is listed."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """What stands for an image from the moment it has been decoded."""

    pixels: bytes
    """64 x 64 grey values, 8 bits each, row by row, upright."""
    width: int
    height: int
    """Width and height of the whole picture in pixels, upright."""
    format: str
    """The format by content, as Pillow names it: ``JPEG``, ``PNG``, ``HEIF``."""
    frames: int
    """Number of frames or pages; 1 for a still picture and for the previews inside an MPO."""
    captured: str | None
    """EXIF ``DateTimeOriginal`` with sub-seconds and offset where given: ``2017:07:18 15:31:30.25+02:00``."""
    chroma: bytes = NEUTRAL_CHROMA
    """8 x 8 values of Cb, then of Cr (ITU-R BT.601, 128 is grey), row by row, upright."""
    more: str | None = None
    """What the file holds beside the picture, in words behind "it also holds": ``a video``; None where nothing."""
    quality: int | None = None
    """Quality of a JPEG, 1 to 100 on the scale of the Independent JPEG Group, by its table for luma; None elsewhere."""
    data_bytes: int = 0
    """Length of the coded picture, without the metadata before it where that can be told; 0 when not known."""
    damage: str | None = None
    """What the decoder complained of although it gave a picture; None when it was content."""
    detail: float = 0.0
    """How much the picture shows beyond 128 x 128 pixels, see :mod:`dupfind.pictures.texture`."""
    text: float = 0.0
    """Share of the picture that is fine marks on an even ground, 0 to 1, see :mod:`dupfind.pictures.texture`."""
    border: bytes | None = None
    """The flat frame around the picture, upright, see :mod:`dupfind.pictures.borders`; None without one."""
    is_coarse: bool = False
    """True when only the beginning of the file was read, or only its pixels: enough to find by, and no evidence."""

    @property
    def is_bare(self) -> bool:
        """Tell whether nothing but its pixels, size, time and frame was taken of a file: see :data:`UNMEASURED`."""
        return self.is_coarse and self.damage is not None

    @property
    def is_gray(self) -> bool:
        """Tell whether it is bare, and its pixels are nearly those of the whole file: see :data:`GRAY_ONLY`."""
        return self.is_coarse and self.damage == GRAY_ONLY

    @property
    def size_pixels(self) -> int:
        """Of the whole picture."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file gave no thumbnail or no digest."""

    reason: str
    is_image: bool = True
    """True when the content is known to be a picture; where it is not, the name may still promise one."""
    lasting: bool = True
    """True when the same bytes will fail again, so that the cache may remember it."""
    stage: str = "thumbnail"


class Match(NamedTuple):
    """What one haystack file proves about one needle."""

    witness: str
    evidence: Evidence
    distance_bits: int | None
    """Hamming distance of the two 64-bit hashes; None where bytes were compared, or parts."""
    reason: Reason | None = None
    """Why the evidence is no stronger, or how the copy differs (turned); None when there is nothing to say."""


class FileVerdict(NamedTuple):
    """The answer for one needle file."""

    path: str
    """The root as the user gave it joined with the rest; ``witness`` likewise."""
    kind: Kind
    state: FileState
    size_bytes: int
    evidence: Evidence | None
    witness: str | None
    distance_bits: int | None
    reasons: tuple[Reason, ...] = ()

    @property
    def verdict(self) -> FileState:
        """The verdict, by the name that it has in JSON."""
        return self.state

    @property
    def score(self) -> float | None:
        """``1 - distance / 64``; 1.0 for identical bytes, None without a witness, or one of a part only."""
        is_of_wholes = self.witness is not None and not any(map(is_fragment, self.reasons[:1]))
        return 1.0 - (self.distance_bits or 0) / HASH_BITS if is_of_wholes else None


_STATE = itemgetter(FileVerdict._fields.index("state"))


class OwnCounts(NamedTuple):
    """What lies directly in a folder, not in its subfolders."""

    present: int
    similar: int
    missing: int
    unreadable: int
    skipped: int
    bytes_not_present: int
    unwanted: int
    decided: int
    set_aside: int
    empty: int

    @property
    def not_there(self) -> int:
        """Number of files that keep the folder from being contained."""
        return self.similar + self.missing + self.unreadable

    @property
    def files(self) -> int:
        """Number of files that have a verdict."""
        return self.present + self.not_there + self.unwanted + self.empty


@dataclass(frozen=True, slots=True)
class FolderVerdict:
    """The answer for one needle folder; every count covers its whole subtree."""

    path: str
    state: FolderState
    present: int
    similar: int
    missing: int
    unreadable: int
    skipped: int
    """Things below the folder that were not looked at: excluded, links, unreadable folders, special files."""
    bytes_not_present: int
    """Of the files that are neither present nor unwanted; empty ones have none."""
    is_shown: bool
    """True for the folders that tables and path lists name: see :func:`dupfind.scanning.verdict.judge_folders`."""
    unwanted: int = 0
    decided: int = 0
    """Files whose verdict rests on the word of a person: present, unwanted, and what was split from a witness."""
    set_aside: int = 0
    """Of the unwanted, those that a rule has set aside, of which nobody has looked at each."""
    empty: int = 0
    size_bytes: int = field(default=0, compare=False)
    """Of all files in the subtree."""
    own: OwnCounts | None = field(default=None, compare=False)
    """What lies directly in a folder whose subfolders have other verdicts than its own; None for all others."""
    is_in_archive: bool = field(default=False, compare=False)
    """True for a part of an archive: nothing lies at its path that a program could delete."""
    is_plan: bool = False
    """True for a folder of a catalog: nobody looked whether it is there, and "contained" is nothing to delete by."""

    @property
    def verdict(self) -> FolderState:
        """The verdict, by the name that it has in JSON."""
        return self.state

    @property
    def files(self) -> int:
        """Number of files in the subtree that have a verdict."""
        return self.present + self.not_there + self.unwanted + self.empty

    @property
    def not_there(self) -> int:
        """Number of files in the subtree that keep it from being contained."""
        return self.similar + self.missing + self.unreadable


@dataclass(frozen=True, slots=True)
class HaystackSummary:
    """What was found on the haystack's side."""

    files: int
    images: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """The settings that decide the answer, as the report repeats them."""

    haystack: tuple[str, ...]
    needles: tuple[str, ...]
    algorithm: str
    threshold_bits: int
    accept: Evidence
    rotations: bool
    paranoid: bool = False
    quick: bool = False
    """Whether pictures were judged by their thumbnails only."""
    disregard: tuple[str, ...] = ()
    """Patterns of needles that are set aside."""
    sidecars: str = "require"
    """``ignore`` where sidecars of present files are set aside."""
    fragments: bool = False
    """Whether needles without a match are looked for as parts of pictures."""
    fragments_of_any: bool = False
    """Whether they are, however many they are and however many pictures they are looked for among."""
    lacks_fragments: bool = False
    """Whether they would be, if the extra for it was installed."""


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer of one scan."""

    version: str
    started: str
    """ISO 8601, with the offset of the local time zone."""
    elapsed_seconds: float
    settings: ScanSettings
    folders: list[FolderVerdict]
    files: list[FileVerdict]
    problems: list[Problem]
    haystack: HaystackSummary
    catalogs: tuple[Cataloged, ...] = ()
    decided: Mapping[str, str] | None = None
    """By path, what a person has decided of files whose verdict rests on it; None where nobody was asked."""
    servers: tuple[Served, ...] = ()
    buckets: tuple[Fetched, ...] = ()
    parts_left_out: bool = False
    """Whether parts of pictures were not looked for, since too many needles have no match."""
    films_by_bytes: int = 0
    """Missing films and sounds of which nothing but the bytes was compared, since the extra for films is not there."""
    not_present: list[FileVerdict] = field(init=False, repr=False, compare=False)
    """The files that are not present: of a large backup few, and most sentences are about some of them."""

    def __post_init__(self) -> None:
        """Find those that are not present, once: they are asked for again and again, of hundreds of thousands."""
        are_others = map(is_not, map(_STATE, self.files), repeat(FileState.PRESENT))
        object.__setattr__(self, "not_present", list(compress(self.files, are_others)))

    @property
    def is_complete(self) -> bool:
        """True when every needle file is present, not wanted or empty, and nothing among the needles was skipped.

        Never where needles are of a catalog: what is said of them is a plan.
        """
        has_gaps = any(problem.is_gap for problem in self.problems)
        is_all_there = all(map(SETTLED.__contains__, map(_STATE, self.not_present))) and not has_gaps
        return is_all_there and not self.plans

    @property
    def plans(self) -> tuple[Cataloged, ...]:
        """The catalogs among the needles."""
        return tuple(catalog for catalog in self.catalogs if catalog.side is Side.NEEDLES)


def folder_of(path: str) -> str:
    """Return the folder around a path; that of a root is itself, also of a drive or a share of Windows."""
    if os.sep != "/":
        return ntpath.dirname(path)  # which knows drives, and takes three times as long
    return path.rpartition("/")[0] or "/"


def is_below(path: str, folder: str) -> bool:
    """Tell whether ``path`` is ``folder`` or lies below it; both are spelled alike, without links."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
