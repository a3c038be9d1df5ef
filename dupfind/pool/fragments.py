"""What finding parts of pictures takes of files, as plain picklable functions that take a list and give a list.

Each picture is decoded to at most :data:`SIDE` pixels a side, described by keypoints and searched by marks of these
(:mod:`dupfind.evidence.fragments`). Marks are all that is remembered; two pictures that are to be compared are
described once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, NamedTuple, TypeVar

from dupfind.pool.tasks import Outcome, ReadError, decoded, opened
from dupfind.pool.time_limit import TimeLimit
from dupfind.values import Failure, FileEntry

if TYPE_CHECKING:
    from dupfind.evidence.fragments import Overlap
    from dupfind.pictures.keypoints import Gray, Keypoints

T = TypeVar("T")

RECIPE = 1
"""Version of the way from file to marks. Raise it with every change here that can alter one."""
SIDE = 512
"""Pixels of the longer side."""
_DECODED_SIDE = 320
"""Pixels that the decoder leaves of the shorter side at least: of a photo of 12 megapixels an eighth."""
OF_HAYSTACK, OF_NEEDLE = 200, 400
"""Keypoints that a picture is searched by, 20 bytes each. The first 200 are the same: a needle has more of them, since
it may show several pictures, each of them small."""
_COMPARED_KEYPOINTS = 500
_STAGE = "fragments"


class FragmentPair(NamedTuple):
    """A needle, and a picture of the haystack that may have a part in common with it."""

    needle: FileEntry
    witness: FileEntry


def needle_of(pair: FragmentPair) -> FileEntry:
    """Tell what pairs share that are to go to one process, one after another."""
    return pair.needle


class Described(NamedTuple):
    """A picture that was decoded to be compared."""

    gray: Gray
    keypoints: Keypoints


def read_marks(entries: Sequence[FileEntry], most: int, max_pixels: int, timeout_seconds: float) -> list[Outcome]:
    """Give the marks of each picture, ``most`` at most; of one that shows nothing there are none."""
    marks_of = partial(marked_by, most=most)
    outcomes = []
    with TimeLimit(timeout_seconds) as limit:
        for entry in entries:
            read_ns = time.time_ns()
            marks = _read(entry, marks_of, max_pixels, limit, timeout_seconds)
            outcomes.append(Outcome(marks, read_ns))
    return outcomes


def compare_fragments(pairs: Sequence[FragmentPair], max_pixels: int, timeout_seconds: float) -> list[Overlap | None]:
    """Tell of each pair which part the two pictures have in common; None where they have none, or cannot be read.

    The needle of the pair before is kept: pairs of one needle are to come one after another.
    """
    overlaps: list[Overlap | None] = []
    last: tuple[FileEntry, Described | Failure] | None = None
    with TimeLimit(timeout_seconds) as limit:
        read = partial(_read, make=described_by, max_pixels=max_pixels, limit=limit, timeout_seconds=timeout_seconds)
        for pair in pairs:
            if last is None or last[0] != pair.needle:
                last = pair.needle, read(pair.needle)
            needle = last[1]
            witness = needle if isinstance(needle, Failure) else read(pair.witness)
            if isinstance(needle, Failure) or isinstance(witness, Failure):
                overlaps.append(None)
            else:
                overlaps.append(compare(needle, witness))
    return overlaps


def marked_by(gray: Gray, most: int) -> bytes:
    """Describe a picture by ``most`` marks at most, packed."""
    from dupfind.evidence import fragments
    from dupfind.pictures import keypoints

    return fragments.pack(*keypoints.describe(gray, most))


def described_by(gray: Gray) -> Described:
    """Describe a picture so that it can be compared."""
    from dupfind.pictures import keypoints

    return Described(gray, keypoints.describe(gray, _COMPARED_KEYPOINTS))


def read_gray(file: IO[bytes], name: str, max_pixels: int) -> Gray:
    """Decode a picture to what is described. Raises the errors of :mod:`dupfind.pictures.decode_errors`."""
    from dupfind.pictures import decode, small

    with decode.in_plain_words(file):
        return small.read_gray(file, name, max_pixels, _DECODED_SIDE, SIDE)


def compare(ours: Described, theirs: Described) -> Overlap | None:
    """Tell which part two pictures have in common."""
    from dupfind.evidence import fragments
    from dupfind.pictures import keypoints

    first, second = fragments.pairs(ours.keypoints.descriptors, theirs.keypoints.descriptors)
    fit = keypoints.fit(ours.keypoints.points[first], theirs.keypoints.points[second])
    if fit is None or not fragments.is_plausible(fit.matrix, int(fit.inliers.sum()), len(first)):
        return None
    sizes = ours.gray.shape[::-1], theirs.gray.shape[::-1]
    overlap = None
    # At the size of the one that shows less of what they have in common: the other is averaged down.
    if fragments.scale(fit.matrix) <= 1:
        laid, is_there = keypoints.laid_over(ours.gray, fit.matrix, sizes[1])
        alike = fragments.compare_blocks(keypoints.blurred(laid), keypoints.blurred(theirs.gray), is_there)
    else:
        laid, is_there = keypoints.laid_over(theirs.gray, fragments.inverse(fit.matrix), sizes[0])
        alike = fragments.compare_blocks(keypoints.blurred(ours.gray), keypoints.blurred(laid), is_there)
    if alike.is_one_picture:
        overlap = fragments.overlap(fit.matrix, *sizes, alike)
    return overlap


def _read(
    entry: FileEntry, make: Callable[[Gray], T], max_pixels: int, limit: TimeLimit, timeout_seconds: float
) -> T | Failure:
    """Decode a picture to gray, upright, and give what ``make`` makes of it, or why that gives nothing."""
    from dupfind.pictures import decode

    def read(file: IO[bytes]) -> T:
        gray = read_gray(file, entry.path, max_pixels)
        with decode.in_plain_words(file):
            return make(gray)

    try:
        with opened(entry, _STAGE) as file:
            return decoded(partial(read, file), limit, timeout_seconds)
    except ReadError as error:
        return error.failure
