"""The best view of a pair: one needle in every orientation before one witness; pure.

Whoever compares two pictures asks here how they meet: the nearest pictures of `find`, `explain` and a page, `compare`,
`--paranoid`, and groups. The order is that of a scan, which looks upright first and stops at the first `same`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dupfind.evidence import evidence
from dupfind.values import HASH_BITS, Evidence, Thumbnail, grade_rank


class Turned:
    """A picture in any orientation, each prepared when it is first asked for."""

    def __init__(self, thumbnail: Thumbnail) -> None:
        self._pictures = {0: evidence.prepare(thumbnail)}

    @property
    def upright(self) -> evidence.Picture:
        """The picture as it lies."""
        return self._pictures[0]

    def __getitem__(self, orientation: int) -> evidence.Picture:
        """Return the picture as ``orientation`` shows it."""
        if orientation not in self._pictures:
            self._pictures[orientation] = evidence.turned(self._pictures[0], orientation)
        return self._pictures[orientation]


class View(NamedTuple):
    """A needle, turned, before a witness."""

    orientation: int
    """How the needle is turned: index 0 to 7, EXIF orientation less one."""
    judgement: evidence.Judgement
    distance_bits: int
    """Of 64, by the search hashes."""
    check_bits: int
    """Of 256, by the check hashes."""

    @property
    def grade(self) -> Evidence | None:
        """What the two are to each other in this orientation."""
        return self.judgement.evidence


def views_of(
    needle: Turned, hashes: Sequence[int], witness: evidence.Picture, hash_: int, *, with_full_size: bool = True
) -> Iterator[View]:
    """Yield the view in each orientation of which ``hashes`` has the needle's search hash; 0.3 ms each.

    ``hash_`` is the search hash of the witness; ``with_full_size`` as in :func:`dupfind.evidence.evidence.judge`.
    """
    for orientation, own in enumerate(hashes):
        turned = needle[orientation]
        judgement = evidence.judge(turned, witness, orientation, with_full_size=with_full_size)
        yield View(orientation, judgement, (own ^ hash_).bit_count(), (turned.check ^ witness.check).bit_count())


def best_view(views: Iterable[View], threshold_bits: int = HASH_BITS) -> View:
    """Return the view that a scan with this threshold takes: the best grade, then :func:`order_of_search`.

    Of views that are not `same` the nearest is the best, first by the search hashes, then by the check hashes.
    """
    return min(views, key=lambda view: (grade_rank(view.grade), *_order(view, threshold_bits)))


def order_of_search(distance_bits: int, orientation: int, threshold_bits: int) -> tuple[int, ...]:
    """Order the orientations of one pair as a scan looks at them: within the threshold, upright first, the nearest.

    >>> sorted([(2, 5), (4, 0), (9, 2), (2, 2)], key=lambda one: order_of_search(*one, 8))
    [(4, 0), (2, 2), (2, 5), (9, 2)]
    """
    return int(distance_bits > threshold_bits), int(orientation > 0), distance_bits, orientation


def _order(view: View, threshold_bits: int) -> tuple[int, ...]:
    if view.grade is Evidence.SAME:
        return order_of_search(view.distance_bits, view.orientation, threshold_bits)
    return view.distance_bits, view.check_bits, view.orientation
