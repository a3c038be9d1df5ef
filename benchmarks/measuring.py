"""The measurements of the accuracy benchmark, each a plain function that a process of a pool can run.

A photo is edited, encoded, decoded again by dupfind and judged, one photo a task. Pairs of pictures are judged both
ways, since the larger may prove the smaller and not the reverse.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.changes import EDITS
from benchmarks.edits import LANCZOS, TINY, Case, Edit, Source, encode
from benchmarks.judging import (
    ALGORITHMS,
    MISSING,
    PLAIN,
    Comparison,
    Seen,
    Verdict,
    plain_hashes,
    thumbnail,
    unreadable,
)
from benchmarks.results import Bulk, Graded, Kind, Note, Outcome, plain_distances
from dupfind.settings import DEFAULT_THRESHOLD_BITS
from dupfind.values import ORIENTATIONS, Thumbnail
from fixtures import documents

_FOX, _GREY = "fox.", "monochrome"
_ONE_PICTURE = ("hopper", "cropped", "8bit-sRGB")
MOVED_FRACTION = 0.005
"""From here on two frames of a static camera are never the same picture."""


class MeasuringError(Exception):
    """The benchmark itself is amiss, so that its figures would be worth nothing."""


class PhotoJob(NamedTuple):
    """One photo to be edited in every way."""

    set: str
    path: Path
    other: Path
    """Another photo, for what is pasted in."""
    edits: tuple[str, ...]


def grade_photo(job: PhotoJob) -> list[Outcome]:
    """Make every edit of a photo and grade it."""
    found = usable(job.path)
    if isinstance(found, str):
        return [Note(job.set, f"left out: {job.path.name}: {found}")]
    source = _source(job.path, job.other)
    known = {source.data: _look(source.data)}  # the original is on one side of most cases
    outcomes: list[Outcome] = []
    for edit in EDITS:
        case = _make(edit, source) if edit.name in job.edits else None
        if case is None:
            continue
        (needle, needle_plain), (witness, witness_plain) = (known.get(side) or _look(side) for side in case)
        kind, distances = Kind(job.set, edit.row, edit.name), plain_distances(needle_plain, witness_plain)
        outcomes.append(Graded(kind, str(job.path), str(job.path), grade(needle, witness), distances))
    return outcomes


def usable(path: Path) -> Thumbnail | str:
    """The thumbnail of a photo that can be edited and proved, or why it is left out."""
    found = thumbnail(path.read_bytes())
    if not isinstance(found, str) and min(found.width, found.height) < TINY:
        return f"{found.width} x {found.height}: too small to be proved"
    return found


def case_of(path: Path, other: Path, edit: Edit) -> Case | None:
    """One edit of one photo."""
    return _make(edit, _source(path, other))


def _make(edit: Edit, source: Source) -> Case | None:
    case = edit.make(source)
    if case is not None and case.needle == case.witness:
        raise MeasuringError(f"{edit.name}: the needle made of {source.name} is its witness, byte for byte")
    return case


def _source(path: Path, other: Path) -> Source:
    data = path.read_bytes()
    image = _upright(io.BytesIO(data))
    if other == path:
        return Source(path.name, data, image, ImageOps.mirror(image.rotate(180)))
    return Source(path.name, data, image, _upright(other).resize(image.size, LANCZOS))


def _upright(file: Path | io.BytesIO) -> Image.Image:
    with Image.open(file) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _look(data: bytes) -> tuple[Seen | str, tuple[int, ...] | None]:
    return seen_or_why(data), plain_hashes(data)


def seen_or_why(data: bytes) -> Seen | str:
    """An encoded picture as dupfind sees it, or in words why it does not."""
    found = thumbnail(data)
    return found if isinstance(found, str) else Seen(found)


def grade(needle: Seen | str, witness: Seen | str, *, with_full_size: bool = False) -> tuple[Verdict, ...]:
    """The verdict for each of ``ALGORITHMS``; a text stands for a picture that cannot be decoded, and says why.

    By thumbnails alone, or as far as they say ``with_full_size``.
    """
    if isinstance(needle, str):
        return (unreadable(needle),) * len(ALGORITHMS)
    if isinstance(witness, str):
        return (Verdict(MISSING, None, "the haystack's copy cannot be decoded", ()),) * len(ALGORITHMS)
    comparison = Comparison(needle, witness, with_full_size=with_full_size)
    return tuple(comparison.verdict(algorithm) for algorithm in ALGORITHMS)


class PairsJob(NamedTuple):
    """Some needles to be compared with every other picture."""

    kind: Kind
    names: tuple[str, ...]
    thumbnails: tuple[Thumbnail, ...]
    first: int
    """The needles are the pictures from this position on ..."""
    after: int
    """... up to before this one."""


def grade_pairs(job: PairsJob) -> list[Outcome]:
    """Grade pictures that are all different against each other; only candidates of an algorithm are looked at."""
    seen = [Seen(one) for one in job.thumbnails]
    upright = {name: np.array([one.hash(name) for one in seen], np.uint64) for name in ALGORITHMS}
    outcomes: list[Outcome] = []
    for position in range(job.first, job.after):
        needle = Seen(job.thumbnails[position])  # of its own, so that its turned pictures are let go
        candidates = _candidates(needle, upright)
        candidates[position] = False
        found = np.flatnonzero(candidates).tolist()
        for other in found:
            verdicts = grade(needle, seen[other])
            outcomes.append(Graded(job.kind, job.names[position], job.names[other], verdicts))
        outcomes.append(Bulk(job.kind, missing=len(seen) - 1 - len(found)))
    return outcomes


def _candidates(needle: Seen, upright: dict[str, NDArray[np.uint64]]) -> NDArray[np.bool_]:
    """Which pictures lie within the threshold of any algorithm in any orientation."""
    found = np.zeros(len(upright[ALGORITHMS[0]]), np.bool_)
    for algorithm, hashes in upright.items():
        for orientation in range(ORIENTATIONS):
            distances = np.bitwise_count(hashes ^ np.uint64(needle.hash(algorithm, orientation)))
            found |= distances <= DEFAULT_THRESHOLD_BITS[algorithm]
    return found


def plain_pairs(kind: Kind, hashes: Sequence[tuple[int, ...] | None]) -> Bulk:
    """The plain distances of all pairs of different pictures, each pair once; those without a hash are left out."""
    rows = np.array([row for row in hashes if row is not None], np.uint64).reshape(-1, len(PLAIN))
    one, other = np.triu_indices(len(rows), 1)
    counts = []
    for method in range(len(PLAIN)):
        distances = np.bitwise_count(rows[one, method] ^ rows[other, method])
        counts.append(Counter(dict(enumerate(np.bincount(distances, minlength=65).tolist()))))
    return Bulk(kind, plain=tuple(counts))


def pixels_of(path: Path) -> int:
    """Number of pixels by the header of a file."""
    with Image.open(path) as image:
        return image.width * image.height


def look_at(path: Path) -> tuple[Path, Thumbnail | str, tuple[int, ...] | None]:
    """The thumbnail of a file and its plain hashes."""
    data = path.read_bytes()
    return path, thumbnail(data), plain_hashes(data)


def grade_documents(job: tuple[str, int]) -> list[Outcome]:
    """Make ``count`` pictures of one class, grade them against each other and against their own copies at q75."""
    name, count = job
    kind = Kind("documents", "documents", name)
    copies = Kind("documents", "document copies", name)
    outcomes: list[Outcome] = []
    thumbnails, plain = [], []
    for seed in range(count):
        image = documents.CLASSES[name](seed)
        data = encode(image, "PNG", compress_level=1)
        found = thumbnail(data)
        if isinstance(found, str):
            raise MeasuringError(f"{name} {seed}: {found}")
        thumbnails.append(found)
        plain.append(plain_hashes(data))
        verdicts = grade(seen_or_why(encode(image, quality=75)), Seen(found))
        outcomes.append(Graded(copies, f"{name} {seed}", f"{name} {seed}", verdicts))
    names = tuple(f"{name} {seed}" for seed in range(count))
    outcomes += grade_pairs(PairsJob(kind, names, tuple(thumbnails), 0, count))
    return [*outcomes, plain_pairs(kind, plain)]


class FolderJob(NamedTuple):
    """Pictures whose pairs are of a known kind."""

    folder: Path
    kinds: Callable[[Path], dict[tuple[str, str], str]]
    """From the folder to the row of each ordered pair of file names."""


def grade_folder(job: FolderJob) -> list[Outcome]:
    """Grade the pairs of a folder with a list of truths, in each given direction."""
    rows = job.kinds(job.folder)
    looked = {name: look_at(job.folder / name) for name in sorted({name for pair in rows for name in pair})}
    seen: dict[str, Seen | str] = {
        name: found if isinstance(found, str) else Seen(found) for name, (_, found, _) in looked.items()
    }
    outcomes: list[Outcome] = []
    for (needle, witness), row in rows.items():
        kind = Kind(job.folder.name, row, row)
        plain = plain_distances(looked[needle][2], looked[witness][2])
        outcomes.append(Graded(kind, needle, witness, grade(seen[needle], seen[witness]), plain))
    left_out = [name for name, found in seen.items() if isinstance(found, str)]
    return [*outcomes, *(Note(job.folder.name, f"cannot be decoded: {name}: {seen[name]}") for name in left_out)]


def siblings(folder: Path) -> dict[tuple[str, str], str]:
    """Pairs of frames of a static camera, both ways, with whether something moved."""
    rows: dict[tuple[str, str], str] = {}
    for line in _table(folder / "moved.tsv"):
        row = "moved" if float(line["moved_fraction"]) >= MOVED_FRACTION else "still"
        pair = line["frame_a"], line["frame_b"]
        rows |= {pair: row, pair[::-1]: row}
    return rows


def groups(folder: Path) -> dict[tuple[str, str], str]:
    """All pairs of pictures of groups of resized copies."""
    of = {line["file"]: line["group"] for line in _table(folder / "groups.tsv")}
    return _pairs(of, "in a group", "across groups")


def orientations(folder: Path) -> dict[tuple[str, str], str]:
    """All pairs of two photos saved with every EXIF orientation."""
    of = {path.name: path.stem.rpartition("_")[0] for path in sorted(folder.glob("*.jpg"))}
    return _pairs(of, "orientations", "across orientations")


def odd_formats(folder: Path) -> dict[tuple[str, str], str]:
    """The pictures in odd formats: the files called fox are one, in colour or not; the others differ from them.

    Others that show one picture, by their names, are left out: nobody has said whether they are copies.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    rows: dict[tuple[str, str], str] = {}
    for one, other in permutations(names, 2):
        if one.startswith(_FOX) and other.startswith(_FOX):
            same_colour = (_GREY in one) is (_GREY in other)
            if same_colour or _GREY in other:  # a grey needle and its original in colour are no case of these rows
                rows[one, other] = "formats" if same_colour else "grey formats"
        elif not any(word in one and word in other for word in _ONE_PICTURE):
            rows[one, other] = "across formats"
    return rows


def _pairs(of: dict[str, str], within: str, across: str) -> dict[tuple[str, str], str]:
    """All ordered pairs of names, by whether they belong to one group."""
    return {(one, other): within if of[one] == of[other] else across for one in of for other in of if one != other}


def _table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t")
