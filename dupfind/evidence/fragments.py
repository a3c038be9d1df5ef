"""Whether two pictures have a part in common: by pairs of keypoints, and by the pixels that lie on each other.

Pure: what describes keypoints and lays pictures over each other is :mod:`dupfind.pictures.keypoints`. A fragment is
never more than `similar`: what else the needle shows, or lacks, is the point. See docs/decisions/fragments.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.pictures.keypoints import LEVEL_SCALE

RECIPE = 2
"""Version of these rules. Raise it with every change that can alter a finding."""

SEARCHED = (0, 2)
"""Which words of 64 bits of a descriptor are searched by. Of crops to an eighth, 77% have three votes by these two, 73%
by one, 78% by all four."""
RADIUS_BITS = 4
"""How far two words may be apart."""
LEAST_VOTES = 3
"""Keypoints with a near word that make a candidate of a picture, and how many have to agree on how the two lie."""
_MOST_TURN, _MOST_GROWTH, _MOST_SHIFT_PIXELS = math.radians(25), math.log(1.5), 60.0
"""How far two pairs of keypoints may disagree on how one picture lies on the other: angles are known to a few degrees,
sizes to a step of 1.2, and both together move a far point a good way."""
_MOST_TOGETHER = 1 << 16
"""Pairs of pairs that are compared together: what is made of them stays in the cache of a core."""
_CENTRE = 256.0
_STEP_PIXELS = 2
_MARK = np.dtype([("words", ">u8", (len(SEARCHED),)), ("x", "u1"), ("y", "u1"), ("turn", "u1"), ("level", "i1")])
_MOST_BITS = 64
"""How far two descriptors of one spot may be apart, of 256 bits. Those of two spots are 128 apart on average."""
_LEAST_INLIERS = 8
_LEAST_INLIER_SHARE = 0.1
"""Pairs of keypoints that have to agree on how the pictures lie, and their share of all pairs."""
_MOST_SCALE = 8.0
_BLOCK = 16
"""Pixels a side of the blocks that are compared."""
_LEAST_CONTRAST = 5.0
"""Standard deviation, in grey levels, below which a block shows nothing to compare."""
_LEAST_CORRELATION = 0.6
_MOST_LEVELS_APART = 25.0
"""How far the means of two blocks that show nothing may be apart."""
_LEAST_BLOCKS = 8
"""Blocks with something to see that have to be alike."""
_LEAST_ALIKE = 0.5
"""Share of the blocks with something to see that have to be alike, and of all blocks."""
_LEAST_CORE = 0.3
"""Share of the blocks in the middle: two pictures in one frame have nothing in common there."""
_MOST_GROUND_CONTRAST, _GROUND_LEVELS, _LEAST_GROUND = 4.0, 8, 0.13
"""Standard deviation of a block of an even ground in grey levels, how many levels are one brightness, and what share of
a picture is a ground. Of pages with nine photos 0.09 to 0.27 are, of 132 photos a fifth has as much as 0.13."""
_LEAST_SEEN = 0.2
"""Share of all blocks that are alike and show something: a mark in a sky is no picture."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in percent of a picture's width and height."""


class Overlap(NamedTuple):
    """A part that two pictures have in common."""

    ours: Box
    """Where it lies in the needle."""
    theirs: Box
    """Where it lies in the witness."""
    alike: int
    """Percent of it that looks the same."""
    degrees: int
    """By how much the needle is turned, -180 to 180, clockwise."""

    @property
    def turned_round(self) -> Overlap:
        """The same part, asked of the witness as the needle."""
        return Overlap(self.theirs, self.ours, self.alike, -self.degrees)


class Alike(NamedTuple):
    """How two pictures that lie on each other compare, block by block."""

    blocks: int
    seen: int
    """Blocks with something to see."""
    seen_alike: int
    plain_alike: int
    """Blocks without, of equal brightness."""
    core: int = 0
    """Of all blocks those in the middle, half of either side."""
    core_alike: int = 0

    @property
    def share(self) -> float:
        """Of all blocks that look the same."""
        return (self.seen_alike + self.plain_alike) / self.blocks if self.blocks else 0.0

    @property
    def is_one_picture(self) -> bool:
        """Tell whether the two show the same there."""
        return (
            self.seen_alike >= _LEAST_BLOCKS
            and self.seen_alike >= _LEAST_ALIKE * self.seen
            and self.seen_alike >= _LEAST_SEEN * self.blocks
            and self.share >= _LEAST_ALIKE
            and self.core_alike >= _LEAST_CORE * self.core
        )


class Pose(NamedTuple):
    """How one picture lies on another: a point p of the needle is at ``size`` * turned(p) + (x, y) of the witness."""

    turn: float
    """In radians."""
    size: float
    x: float
    y: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Shape (2, 3): from pixels of the needle to pixels of the witness."""
        cosine, sine = self.size * math.cos(self.turn), self.size * math.sin(self.turn)
        return np.array([[cosine, -sine, self.x], [sine, cosine, self.y]])


class Agreed(NamedTuple):
    """How many keypoints agree, and on what."""

    keypoints: int
    pose: Pose


class Marks(NamedTuple):
    """What a picture is searched by: of each keypoint some words, where it lies, how it is turned and how large."""

    words: NDArray[np.uint64]
    """Shape (keypoints, words)."""
    places: NDArray[np.float32]
    """Shape (keypoints, 4): x and y in pixels, turn in radians, logarithm of the size."""
    may_be_page: bool = False
    """Whether the picture has an even ground, as a page of an album has."""


class PageMarks(NamedTuple):
    """What a picture is searched by that shows others in parts of it."""

    marks: Marks
    size: tuple[int, int]
    """Width and height of the picture, in pixels of these marks."""


def pack(
    points: NDArray[np.float32],
    descriptors: NDArray[np.uint64],
    degrees: NDArray[np.float32],
    levels: NDArray[np.integer],
) -> bytes:
    """Pack the keypoints of a picture of at most 512 pixels a side: 20 bytes each.

    ``levels`` below 0 are of keypoints that are seen only where the picture is larger.
    """
    rows = np.empty(len(points), _MARK)
    rows["words"] = descriptors[:, list(SEARCHED)]
    rows["x"], rows["y"] = np.clip(points // _STEP_PIXELS, 0, 255).astype(np.uint8).T
    rows["turn"] = np.round(degrees * (256 / 360)).astype(np.int64) % 256
    rows["level"] = levels
    return rows.tobytes()


def unpack(packed: bytes) -> Marks:
    """Undo :func:`pack`. Raises ``ValueError`` for bytes that it did not give."""
    rows = np.frombuffer(packed, _MARK)
    places = np.stack(
        [
            (rows["x"] + np.float32(0.5)) * _STEP_PIXELS,
            (rows["y"] + np.float32(0.5)) * _STEP_PIXELS,
            rows["turn"] * np.float32(2 * math.pi / 256),
            rows["level"] * np.float32(math.log(LEVEL_SCALE)),
        ],
        axis=1,
    )
    return Marks(rows["words"].astype(np.uint64), places.astype(np.float32))


def first(packed: bytes, most: int) -> bytes:
    """Leave the first marks of a picture, without those that are seen only where it is larger.

    >>> len(first(pack(np.zeros((3, 2)), np.zeros((3, 4), np.uint64), np.zeros(3), np.array([0, 4, -1])), 200))
    40
    """
    rows = np.frombuffer(packed, _MARK)
    return rows[rows["level"] >= 0][:most].tobytes()


def agreeing(
    ours: NDArray[np.int64],
    theirs: NDArray[np.int64],
    our_places: NDArray[np.float32],
    their_places: NDArray[np.float32],
) -> Agreed:
    """Tell how many keypoints agree on how two pictures lie on each other, and how that is.

    ``ours`` and ``theirs`` (pairs,) name the keypoints of each pair, the others (pairs, 4) are their places as in
    :class:`Marks`. Each pair alone says how the one picture is turned, scaled and shifted; counted are the different
    keypoints of the pairs that agree with one of them, on the side that has fewer.
    """
    poses = poses_of(our_places, their_places)
    turn, growth = poses[:, 0], poses[:, 1]
    are_agreed = _are_agreed(poses)
    first = int(are_agreed.sum(axis=1).argmax())
    best = are_agreed[first]
    keypoints = min(len(np.unique(ours[best])), len(np.unique(theirs[best])))
    off_turn = (turn[best] - turn[first] + math.pi) % (2 * math.pi) - math.pi
    pose = Pose(float(turn[first] + np.median(off_turn)), math.exp(float(np.median(growth[best]))), 0, 0)
    # Turns and sizes are coarse, and count the more the farther off: where the keypoints lie they are right.
    middle = pose.matrix[:, :2] @ our_places[best, :2].mean(axis=0, dtype=np.float64)
    x_to, y_to = (their_places[best, :2].mean(axis=0, dtype=np.float64) - middle).tolist()
    return Agreed(keypoints, pose._replace(x=x_to, y=y_to))


def poses_of(our_places: NDArray[np.float32], their_places: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tell of each pair of keypoints alone (pairs, 4), as in :class:`Marks`, how the one picture lies on the other.

    Shape (pairs, 5): by how much it is turned, the logarithm of how much it is scaled, x and y of where a point in the
    middle of the needle lies, and how far two pairs that agree may be apart there.
    """
    turn, growth = their_places[:, 2] - our_places[:, 2], their_places[:, 3] - our_places[:, 3]
    size = np.exp(growth)
    off = our_places[:, :2] - _CENTRE
    cosine, sine = np.cos(turn), np.sin(turn)
    x = their_places[:, 0] - size * (cosine * off[:, 0] - sine * off[:, 1])
    y = their_places[:, 1] - size * (sine * off[:, 0] + cosine * off[:, 1])
    poses: NDArray[np.float32] = np.stack([turn, growth, x, y, _MOST_SHIFT_PIXELS * np.maximum(1, size)], axis=1)
    return poses


def _are_agreed(poses: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which pairs agree with which, of each group of poses (..., pairs, 5): shape (..., pairs, pairs)."""
    turn, growth, x, y, most = np.moveaxis(poses, -1, 0)
    turned = np.abs((turn[..., :, None] - turn[..., None, :] + math.pi) % (2 * math.pi) - math.pi)
    distance = np.hypot(x[..., :, None] - x[..., None, :], y[..., :, None] - y[..., None, :])
    are_agreed: NDArray[np.bool_] = (
        (turned <= _MOST_TURN)
        & (np.abs(growth[..., :, None] - growth[..., None, :]) <= _MOST_GROWTH)
        & (distance <= most[..., None, :])
    )
    return are_agreed


def may_agree(poses: NDArray[np.float32], bounds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which groups of pairs have as many that agree as make a candidate; most have not, and are not looked at
    one by one.

    Group i are the ``poses`` (pairs, 5) from ``bounds[i]`` to before ``bounds[i + 1]``, of :func:`poses_of`.
    """
    lengths = np.diff(bounds)
    may = np.zeros(len(lengths), np.bool_)
    for length in np.flatnonzero(np.bincount(lengths)).tolist():
        if length < LEAST_VOTES:
            continue
        of_length = np.flatnonzero(lengths == length)
        together = max(1, _MOST_TOGETHER // length**2)
        for start in range(0, len(of_length), together):
            some = of_length[start : start + together]
            groups = poses[bounds[some, None] + np.arange(length)]
            may[some] = _are_agreed(groups).sum(axis=-1).max(axis=-1) >= LEAST_VOTES
    return may


def pairs(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pair descriptors (keypoints, 4) that are each other's nearest and near enough: places in the first, the
    second.

    >>> [places.tolist() for places in pairs(np.uint64([[0] * 4, [255] * 4]), np.uint64([[255] * 4, [1] * 4]))]
    [[0, 1], [1, 0]]
    """
    if not len(ours) or not len(theirs):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    bits = np.zeros((len(ours), len(theirs)), np.uint16)
    for word in range(ours.shape[1]):
        bits += np.bitwise_count(ours[:, word, None] ^ theirs[:, word])
    nearest, back = bits.argmin(axis=1), bits.argmin(axis=0)
    place = np.arange(len(ours))
    is_pair = (back[nearest] == place) & (bits[place, nearest] <= _MOST_BITS)
    return place[is_pair], nearest[is_pair]


def is_plausible(matrix: NDArray[np.float64], inliers: int, paired: int) -> bool:
    """Tell whether enough of the pairs agree, at a scale that somebody would make."""
    is_agreed = inliers >= max(_LEAST_INLIERS, _LEAST_INLIER_SHARE * paired)
    return is_agreed and 1 / _MOST_SCALE <= scale(matrix) <= _MOST_SCALE


def scale(matrix: NDArray[np.float64]) -> float:
    """Tell how many pixels of the second picture a pixel of the first becomes, along a side."""
    return math.hypot(float(matrix[0, 0]), float(matrix[1, 0]))


def inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn the way from one picture to another round: (2, 3), of a scale above 0."""
    back: NDArray[np.float64] = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    return back[:2]


def may_be_page(gray: NDArray[np.uint8]) -> bool:
    """Tell whether a picture (height, width) has an even ground: of its blocks enough are plain and equally bright.

    A fifth of photos have, too: those with much sky.
    """
    rows, columns = gray.shape[0] // _BLOCK, gray.shape[1] // _BLOCK
    if not rows or not columns:
        return False
    blocks = np.asarray(_blocks(gray, rows, columns), np.float32).reshape(rows * columns, -1)
    plain = blocks[blocks.std(axis=1) < _MOST_GROUND_CONTRAST].mean(axis=1)
    levels = np.bincount((plain // _GROUND_LEVELS).astype(np.int64), minlength=2)
    # Neighbouring levels are one ground: its brightness may lie on the edge of the two.
    return bool((levels[:-1] + levels[1:]).max() >= _LEAST_GROUND * len(blocks))


def compare_blocks(ours: NDArray[np.float32], theirs: NDArray[np.float32], is_there: NDArray[np.bool_]) -> Alike:
    """Compare two pictures (height, width) of one size block by block, where ``is_there`` says that both are."""
    rows, columns = ours.shape[0] // _BLOCK, ours.shape[1] // _BLOCK
    if not rows or not columns:
        return Alike(0, 0, 0, 0)
    whole = np.asarray(_blocks(is_there, rows, columns).all(axis=2))
    first, second = (_blocks(picture, rows, columns)[whole].astype(np.float64) for picture in (ours, theirs))
    if not len(first):
        return Alike(0, 0, 0, 0)
    means = first.mean(axis=1), second.mean(axis=1)
    first, second = first - means[0][:, None], second - means[1][:, None]
    contrasts = first.std(axis=1), second.std(axis=1)
    is_seen = np.maximum(*contrasts) >= _LEAST_CONTRAST
    product = contrasts[0] * contrasts[1]
    correlation = (first * second).mean(axis=1) / np.maximum(product, 1e-9)
    is_alike = is_seen & (correlation >= _LEAST_CORRELATION)
    # Brightness and contrast may have been edited: as a whole, that is.
    levels = _levelled(means[0], means[1], is_alike)
    is_plain_alike = ~is_seen & (np.abs(levels - means[1]) <= _MOST_LEVELS_APART)
    in_core = _core(whole)
    core_alike = (is_alike | is_plain_alike)[in_core]
    counts = len(first), is_seen.sum(), is_alike.sum(), is_plain_alike.sum(), in_core.sum(), core_alike.sum()
    return Alike(*map(int, counts))


def _core(is_block: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which of the blocks that count (rows, columns), one after another, lie in the middle of all of them."""
    inside = []
    for places in np.nonzero(is_block):
        low, high = places.min(), places.max() + 1
        off = np.abs(2 * (places + 0.5 - low) / (high - low) - 1)
        inside.append(off <= 0.5)  # noqa: PLR2004 - half of the side
    core: NDArray[np.bool_] = inside[0] & inside[1]
    return core


def _blocks(picture: NDArray[np.generic], rows: int, columns: int) -> NDArray[np.generic]:
    """Cut a picture into blocks: (rows, columns, pixels)."""
    cut = picture[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return cut.swapaxes(1, 2).reshape(rows, columns, _BLOCK * _BLOCK)


def _levelled(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], is_alike: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Bring our means to the brightness of theirs, by those of the blocks that are alike."""
    if is_alike.sum() < _LEAST_BLOCKS:
        return ours
    return ours + float(np.median(theirs[is_alike] - ours[is_alike]))


def overlap(
    matrix: NDArray[np.float64], ours: tuple[int, int], theirs: tuple[int, int], alike: Alike
) -> Overlap | None:
    """Tell where the part lies that two pictures of these sizes (width, height) have in common.

    ``matrix`` leads from pixels of the needle to pixels of the witness. None where they have none.
    """
    boxes = _box(inverse(matrix), theirs, ours), _box(matrix, ours, theirs)
    if any(left >= right or top >= bottom for left, top, right, bottom in boxes):
        return None
    # From the needle to the witness it is turned the other way round.
    degrees = -round(math.degrees(math.atan2(float(matrix[1, 0]), float(matrix[0, 0]))))
    return Overlap(boxes[0], boxes[1], round(100 * alike.share), degrees)


def pixels_of(
    pose: Pose, witness: tuple[int, int], needle: tuple[int, int], margin: float
) -> tuple[float, float, float, float] | None:
    """Tell on which pixels of a needle a witness lies (left, top, right, bottom); sizes are (width, height).

    The box is larger by ``margin``, a share of its sides, on each side. None where it lies beside the needle.
    """
    width, height = witness
    corners = inverse(pose.matrix) @ np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]])
    low, high = corners.min(axis=1), corners.max(axis=1)
    grown = margin * (high - low)
    (left, top), (right, bottom) = np.maximum(low - grown, 0).tolist(), np.minimum(high + grown, needle).tolist()
    return None if left >= right or top >= bottom else (left, top, right, bottom)


def lies_beside(pose: Pose, size: tuple[int, int], boxes: Sequence[Box]) -> bool:
    """Tell whether a witness lies on a needle of this size in pixels (width, height), beside the ``boxes``.

    Its middle does, that is, about: its shape is not asked for.
    """
    x, y = (inverse(pose.matrix) @ np.array([_CENTRE, 0.75 * _CENTRE, 1])).tolist()
    across, down = 100 * x / size[0], 100 * y / size[1]
    is_within = 0 <= across <= 100 and 0 <= down <= 100  # noqa: PLR2004 - percent
    return is_within and not any(
        left <= across <= right and top <= down <= bottom for left, top, right, bottom in boxes
    )


def _box(matrix: NDArray[np.float64], size: tuple[int, int], within: tuple[int, int]) -> Box:
    """Tell where a picture of this size lies ``within`` another, what lies beside it cut off."""
    width, height = size
    corners = matrix @ np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]])
    shares = [corners[0] / within[0], corners[1] / within[1]]
    low, high = ([float(np.clip(edge(share), 0, 1)) for share in shares] for edge in (np.min, np.max))
    return round(100 * low[0]), round(100 * low[1]), round(100 * high[0]), round(100 * high[1])


def area(box: Box) -> float:
    """Tell how much of a picture a box takes, 0 to 1.

    >>> area((25, 0, 75, 100))
    0.5
    """
    left, top, right, bottom = box
    return max(0, right - left) * max(0, bottom - top) / 10_000


def common(first: Box, second: Box) -> float:
    """Tell how much of the smaller of two boxes lies in the other, 0 to 1.

    >>> common((0, 0, 50, 50), (25, 0, 100, 100))
    0.5
    """
    inside = (max(first[0], second[0]), max(first[1], second[1]), min(first[2], second[2]), min(first[3], second[3]))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return 0.0
    return area(inside) / max(min(area(first), area(second)), 1e-9)
