"""What finding parts of pictures takes of files, as plain picklable functions that take a list and give a list.

Each picture is decoded to at most :data:`SIDE` pixels a side, described by keypoints and searched by marks of these
(:mod:`dupfind.evidence.fragments`). A needle is also looked at twice as large: what it shows may be small in it. Marks
are all that is remembered; two pictures that are to be compared are described once more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, NamedTuple, TypeVar

from dupfind.pool.tasks import Outcome, ReadError, decoded, opened
from dupfind.pool.time_limit import TimeLimit
from dupfind.values import Failure, FileEntry

if TYPE_CHECKING:
    from dupfind.evidence.fragments import Overlap, Pose
    from dupfind.pictures.keypoints import Gray, Keypoints, Matrix

T = TypeVar("T")

RECIPE = 2
"""Version of the way from file to marks. Raise it with every change here that can alter one."""
SIDE = 512
"""Pixels of the longer side."""
_DECODED_SIDE = 320
"""Pixels that the decoder leaves of the shorter side at least: of a photo of 12 megapixels an eighth."""
NEEDLE_STEPS, PAGE_STEPS = 4, 6
"""By which power of the scale of a level a needle is looked at larger: twice as large to be searched by; three times
where it is known to show a picture in a part of it, and to be compared. Of a page with nine photos each has 170 pixels
at 512, and too few keypoints to be found by."""
OF_HAYSTACK, OF_NEEDLE = 200, 400
"""Keypoints that a picture is searched by, 20 bytes each. Those of the haystack are among those of a needle."""
HAYSTACK_KIND, NEEDLE_KIND, PAGE_LIKE_KIND = 0, 1, 2
"""For what a picture was described; marks of a needle serve as those of the haystack, too."""
_OF_PAGE, _DETECTED_IN_PAGE = 3000, 8000
"""Keypoints that a needle is searched by that shows a picture in a part of it: the others may be as small. They are not
remembered."""
_COMPARED_KEYPOINTS = 500
_LARGE_PART = 0.4
"""Share of a needle below which a part of it is described by itself, with as many keypoints as a whole picture."""
_MARGIN = 0.15
"""Share of its sides by which such a part is taken larger: keypoints say only about where it ends."""
_STAGE = "fragments"


class FragmentPair(NamedTuple):
    """A needle, and a picture of the haystack that may have a part in common with it."""

    needle: FileEntry
    witness: FileEntry
    pose: Pose | None = None
    """How the needle lies on the witness, about; None where that is not known."""


class Unread(NamedTuple):
    """Why a pair was not compared."""

    path: str
    """Of the file that could not be read; the needle's where a process died and left it open."""
    reason: str


def needle_of(pair: FragmentPair) -> FileEntry:
    """Tell what pairs share that are to go to one process, one after another."""
    return pair.needle


class Grays(NamedTuple):
    """A picture as it is described."""

    gray: Gray
    """Of at most :data:`SIDE` pixels a side."""
    larger: Gray | None = None
    """Of a needle that has more pixels."""
    steps: int = 0
    """By which power of the scale of a level that is larger."""


class View(NamedTuple):
    """A picture or a part of it, as it is compared."""

    gray: Gray
    keypoints: Keypoints
    matrix: Matrix | None = None
    """Shape (2, 3): from pixels of the whole picture to pixels of this part; None for all of it."""


@dataclass(slots=True)
class Described:
    """A picture that was decoded to be compared."""

    grays: Grays
    _whole: View | None = None

    @property
    def whole(self) -> View:
        """All of it."""
        from dupfind.pictures import keypoints

        if self._whole is None:
            self._whole = View(self.grays.gray, keypoints.describe(self.grays.gray, _COMPARED_KEYPOINTS))
        return self._whole

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.grays.gray.shape
        return width, height

    def view(self, pose: Pose | None, witness: tuple[int, int]) -> View:
        """Return what of it a witness of this size (width, height) lies on: a part, or all where that is most of it."""
        from dupfind.evidence import fragments

        box = None if pose is None else fragments.pixels_of(pose, witness, self.size, _MARGIN)
        if box is None or (box[2] - box[0]) * (box[3] - box[1]) > _LARGE_PART * self.size[0] * self.size[1]:
            return self.whole
        return self._part(box)

    def _part(self, box: tuple[float, float, float, float]) -> View:
        """Describe a part, as large as there are pixels of it up to :data:`SIDE`."""
        import numpy as np

        from dupfind.pictures import keypoints

        gray = self.grays.gray if self.grays.larger is None else self.grays.larger
        factors = gray.shape[1] / self.size[0], gray.shape[0] / self.size[1]
        left, top = int(box[0] * factors[0]), int(box[1] * factors[1])
        cut = gray[top : round(box[3] * factors[1]), left : round(box[2] * factors[0])]
        size = cut.shape[1], cut.shape[0]
        shrink = min(1.0, SIDE / max(size))
        if shrink < 1:
            cut = keypoints.reduced(cut, (max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))))
        scale = np.array([cut.shape[1] / size[0], cut.shape[0] / size[1]])
        matrix = np.zeros((2, 3))
        matrix[[0, 1], [0, 1]] = factors * scale
        matrix[:, 2] = -np.array([left, top]) * scale
        return View(cut, keypoints.describe(cut, _COMPARED_KEYPOINTS), matrix)


def read_marks(entries: Sequence[FileEntry], most: int, max_pixels: int, timeout_seconds: float) -> list[Outcome]:
    """Give the marks of each picture, ``most`` at most, behind a byte that tells of which kind they are."""
    is_needle = most > OF_HAYSTACK

    def marks_of(grays: Grays) -> bytes:
        from dupfind.evidence import fragments

        may_be_page = is_needle and fragments.may_be_page(grays.gray)
        kind = PAGE_LIKE_KIND if may_be_page else NEEDLE_KIND if is_needle else HAYSTACK_KIND
        return bytes([kind]) + marked_by(grays, most)

    outcomes = []
    with TimeLimit(timeout_seconds) as limit:
        for entry in entries:
            read_ns = time.time_ns()
            steps = NEEDLE_STEPS if is_needle else 0
            marks = _read(entry, marks_of, max_pixels, limit, timeout_seconds, steps=steps)
            outcomes.append(Outcome(marks, read_ns))
    return outcomes


def read_page_marks(
    entries: Sequence[FileEntry], max_pixels: int, timeout_seconds: float
) -> list[tuple[bytes, tuple[int, int]] | Failure]:
    """Give many marks of each picture, packed, and its width and height, or why it has none."""
    with TimeLimit(timeout_seconds) as limit:
        return [_read(entry, page_marked_by, max_pixels, limit, timeout_seconds, steps=PAGE_STEPS) for entry in entries]


def compare_fragments(
    pairs: Sequence[FragmentPair], max_pixels: int, timeout_seconds: float
) -> list[Overlap | Unread | None]:
    """Tell of each pair which part the two pictures have in common; None where they have none, or which of the two
    could not be read.

    The needle of the pair before is kept: pairs of one needle are to come one after another.
    """
    overlaps: list[Overlap | Unread | None] = []
    last: tuple[FileEntry, Described | Failure] | None = None
    with TimeLimit(timeout_seconds) as limit:
        read = partial(_read, make=described_by, max_pixels=max_pixels, limit=limit, timeout_seconds=timeout_seconds)
        for pair in pairs:
            if last is None or last[0] != pair.needle:
                last = pair.needle, read(pair.needle, steps=PAGE_STEPS)
            needle = last[1]
            witness = needle if isinstance(needle, Failure) else read(pair.witness)
            if isinstance(needle, Failure):
                overlaps.append(Unread(pair.needle.path, needle.reason))
            elif isinstance(witness, Failure):
                overlaps.append(Unread(pair.witness.path, witness.reason))
            else:
                overlaps.append(compare(needle, witness, pair.pose))
    return overlaps


def marked_by(grays: Grays, most: int) -> bytes:
    """Describe a picture by ``most`` marks at most, packed; with a larger one half of them are of what only that shows.

    The first are those that the haystack would have.
    """
    from dupfind.evidence import fragments
    from dupfind.pictures import keypoints

    if grays.larger is None or most <= OF_HAYSTACK:
        return fragments.pack(*keypoints.describe(grays.gray, most))
    first = fragments.pack(*keypoints.describe(grays.gray, OF_HAYSTACK))
    return first + _packed_of_larger(grays, keypoints.describe(grays.larger, most - OF_HAYSTACK, grays.steps))


def page_marked_by(grays: Grays) -> tuple[bytes, tuple[int, int]]:
    """Describe a picture that shows others in parts of it by many marks, packed; with its width and height."""
    from dupfind.pictures import keypoints

    gray = grays.gray if grays.larger is None else grays.larger
    described = keypoints.describe(gray, _OF_PAGE, detected=_DETECTED_IN_PAGE)
    return _packed_of_larger(grays, described), (grays.gray.shape[1], grays.gray.shape[0])


def _packed_of_larger(grays: Grays, described: Keypoints) -> bytes:
    """Pack keypoints of the larger picture, if there is one, as if they were of the other."""
    from dupfind.evidence import fragments

    larger = grays.gray if grays.larger is None else grays.larger
    points = described.points * (max(grays.gray.shape) / max(larger.shape))
    return fragments.pack(points, described.descriptors, described.degrees, described.levels.astype("i1") - grays.steps)


def described_by(grays: Grays) -> Described:
    """Describe a picture so that it can be compared."""
    return Described(grays)


def read_grays(file: IO[bytes], name: str, max_pixels: int, most_steps: int = 0) -> Grays:
    """Decode a picture to what is described, also larger by at most so many steps.

    Raises the errors of :mod:`dupfind.pictures.decode_errors`.
    """
    from math import log

    from dupfind.pictures import decode, keypoints, small

    with decode.in_plain_words(file):
        gray = small.read_gray(file, name, max_pixels, _DECODED_SIDE, SIDE)
        if not most_steps or max(gray.shape) < SIDE:
            return Grays(gray)
        file.seek(0)
        growth = keypoints.LEVEL_SCALE**most_steps
        larger = small.read_gray(file, name, max_pixels, round(growth * _DECODED_SIDE), round(growth * SIDE))
        steps = min(most_steps, int(log(max(larger.shape) / SIDE) / log(keypoints.LEVEL_SCALE) + 1e-2))
        if steps < 1:
            return Grays(gray)
        shrink = SIDE * keypoints.LEVEL_SCALE**steps / max(larger.shape)
        height, width = larger.shape
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        return Grays(gray, larger if size == (width, height) else keypoints.reduced(larger, size), steps)


def compare(ours: Described, theirs: Described, pose: Pose | None = None) -> Overlap | None:
    """Tell which part two pictures have in common; ``pose`` is about how the first lies on the second."""
    import numpy as np

    from dupfind.evidence import fragments
    from dupfind.pictures import keypoints

    mine, whole = ours.view(pose, theirs.size), theirs.whole
    first, second = fragments.pairs(mine.keypoints.descriptors, whole.keypoints.descriptors)
    fit = keypoints.fit(mine.keypoints.points[first], whole.keypoints.points[second])
    if fit is None or not fragments.is_plausible(fit.matrix, int(fit.inliers.sum()), len(first)):
        return None
    # At the size of the one that shows less of what they have in common: the other is averaged down.
    if fragments.scale(fit.matrix) <= 1:
        laid, is_there = keypoints.laid_over(mine.gray, fit.matrix, theirs.size)
        alike = fragments.compare_blocks(keypoints.blurred(laid), keypoints.blurred(whole.gray), is_there)
    else:
        size = mine.gray.shape[1], mine.gray.shape[0]
        laid, is_there = keypoints.laid_over(whole.gray, fragments.inverse(fit.matrix), size)
        alike = fragments.compare_blocks(keypoints.blurred(mine.gray), keypoints.blurred(laid), is_there)
    if not alike.is_one_picture:
        return None
    matrix = fit.matrix if mine.matrix is None else fit.matrix @ np.vstack([mine.matrix, [0, 0, 1]])
    return fragments.overlap(matrix, ours.size, theirs.size, alike)


def _read(
    entry: FileEntry,
    make: Callable[[Grays], T],
    max_pixels: int,
    limit: TimeLimit,
    timeout_seconds: float,
    steps: int = 0,
) -> T | Failure:
    """Decode a picture to gray, upright, and give what ``make`` makes of it, or why that gives nothing."""
    from dupfind.pictures import decode

    def read(file: IO[bytes]) -> T:
        grays = read_grays(file, entry.path, max_pixels, steps)
        with decode.in_plain_words(file):
            return make(grays)

    try:
        with opened(entry, _STAGE) as file:
            return decoded(partial(read, file), limit, timeout_seconds)
    except ReadError as error:
        return error.failure
