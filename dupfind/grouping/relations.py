"""The two relations that groups are made by: one picture proves another, and two pictures look alike.

Both are :class:`dupfind.grouping.linkage.Relation`, over items that are given in the order of their rank.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache import Cache
from dupfind.cache.cache_schema import Judged, Pair
from dupfind.evidence import capture_times, evidence, fingerprint
from dupfind.evidence.conflicts import Claim
from dupfind.grouping.linkage import Alive
from dupfind.matching.borders import inner_pixels
from dupfind.matching.judge import Judge
from dupfind.matching.views import order_of_search
from dupfind.values import BACK, Evidence, Thumbnail

Words = NDArray[np.uint64]

_BATCH = 512
_CHECK_BYTES, _CHECK_WORDS = 32, 4


class Sketch(NamedTuple):
    """One picture."""

    id: int
    """Of its thumbnail."""
    facts: Thumbnail
    """Without its planes."""
    is_weak: bool
    """True where it shows too little to be proved by anything but its bytes."""
    moment: capture_times.Moment | None
    noise: float
    check: int


def sketches(cache: Cache, ids: Sequence[int]) -> dict[int, Sketch]:
    """Return the sketches of these thumbnails; 0.4 ms each."""
    by_id = {}
    for start in range(0, len(ids), _BATCH):
        for id_, thumbnail in cache.thumbnails(ids[start : start + _BATCH]).items():
            picture = evidence.prepare(thumbnail)
            facts = dataclasses.replace(thumbnail, pixels=b"", chroma=b"")
            is_weak = evidence.shows_too_little(picture, with_full_size=True) is not None
            by_id[id_] = Sketch(id_, facts, is_weak, picture.moment, picture.noise, picture.check)
    return by_id


def words(check_hashes: Iterable[int]) -> Words:
    """Check hashes as four words each, the highest bits first: (hashes, 4)."""
    data = b"".join(check.to_bytes(_CHECK_BYTES, "big") for check in check_hashes)
    return np.frombuffer(data, ">u8").astype(np.uint64).reshape(-1, _CHECK_WORDS)


def checks(cache: Cache, asked: Sequence[tuple[int, bool]], orientations: int) -> Words:
    """Return the check hashes of these pictures, each named by its id and whether its frame is left out; 50 us each.

    Shape (pictures, orientations, 4).
    """
    rows = []
    for start in range(0, len(asked), _BATCH):
        batch = asked[start : start + _BATCH]
        thumbnails = cache.thumbnails(sorted({id_ for id_, _ in batch}))
        for id_, is_inner in batch:
            seen = inner_pixels(thumbnails[id_]) if is_inner else fingerprint.pixels(thumbnails[id_].pixels)
            turned = (np.ascontiguousarray(fingerprint.turn(seen, turn)) for turn in range(orientations))
            rows.append(words(map(fingerprint.check_hash, turned)))
    return np.stack(rows) if rows else np.empty((0, orientations, _CHECK_WORDS), np.uint64)


MOST_NEAR = 1000
"""Pictures compared with one head, the nearest first: more are series of nearly equal pictures."""
MOST_AGREEING = 32
"""Members of a stack that a further one is compared with; all of them are proved by one head."""
WORSE_QUALITY = 20
"""JPEG quality by which a picture is clearly compressed harder than another."""
_ROUNDING = 1e-6
_TURNS = (0, 2, 5, 7)
"""The orientations that do not mirror: nothing else can be `same`."""

Distances = NDArray[np.uint8]


def turned_distances(hashes: Words, rows: NDArray[np.int64], head: int, orientations: Sequence[int]) -> Distances:
    """Return how far each of ``rows`` of ``hashes``, turned, is from the row ``head`` as it is:
    (rows, orientations) in bits.

    The lesser of two: the row turned, and the head turned back; a hash of 64 bits seldom turns without a loss.
    """
    given = list(orientations)
    back = [BACK[orientation] for orientation in given]
    ours: Distances = np.bitwise_count(hashes[rows][:, given] ^ hashes[head, 0])
    theirs: Distances = np.bitwise_count(hashes[head, back] ^ hashes[rows, :1])
    return np.minimum(ours, theirs)


class SamePictures:
    """A head proves an item where :func:`~dupfind.evidence.evidence.judge` calls it the same picture, and no worse.

    Items agree unless :func:`dupfind.evidence.evidence.differ` tells them apart. ``hashes`` has the shape (items,
    orientations).
    """

    def __init__(self, sketches: Sequence[Sketch], hashes: Words, threshold_bits: int, judge: Judge) -> None:
        self._sketches = sketches
        self._hashes = hashes
        self._threshold_bits = threshold_bits
        self._judge = judge
        self._orientations = [orientation for orientation in _TURNS if orientation < hashes.shape[1]]
        self._proofs: dict[tuple[int, int], Proof | None] = {}
        self._is_weak = np.array([sketch.is_weak for sketch in sketches], np.bool_)
        self._noises = np.array([sketch.noise for sketch in sketches], np.float64)
        self._checks = words([sketch.check for sketch in sketches])

    def near(self, head: int, alive: Alive) -> Sequence[int]:
        """Return the items within the threshold that nothing known keeps from being `same`, the nearest first.

        Frames of one camera are near each other by the thousand, and most differ in their structure.
        """
        rows = np.flatnonzero(alive & ~self._is_weak)
        if self._is_weak[head]:
            return []
        bits = turned_distances(self._hashes, rows, head, self._orientations)
        distances = bits.min(axis=1)
        apart = np.bitwise_count(self._checks[rows] ^ self._checks[head]).sum(axis=1)
        differs = apart > evidence.structure_bounds(self._sketches[head].noise, self._noises[rows]) + _ROUNDING
        is_turned = (bits[:, 1:] <= self._threshold_bits).any(axis=1)
        is_near = (distances <= self._threshold_bits) & (is_turned | ~differs) & (rows != head)
        order = np.argsort(distances[is_near], kind="stable")
        return [int(row) for row in rows[is_near][order] if self._may_prove(head, int(row))][:MOST_NEAR]

    def superior(self, head: int, near: Sequence[int]) -> int | None:
        """Return the highest that proves the head and is not proved by it, or is clearly less compressed."""
        for item in sorted(near):
            if (self._is_worse(head, item) or not self.proves(head, item)) and self.proves(item, head):
                return item
        return None

    def proves(self, head: int, item: int) -> bool:
        """Tell whether ``head`` as a witness would prove ``item``."""
        return self.proof(head, item) is not None

    def proof(self, head: int, item: int) -> Proof | None:
        """Return how ``head`` proves ``item``, or None."""
        if (head, item) not in self._proofs:
            self._proofs[head, item] = self._prove(head, item) if self._may_prove(head, item) else None
        return self._proofs[head, item]

    def agrees(self, head: int, item: int, members: Sequence[int]) -> bool:
        """Tell whether nothing tells ``item`` from the first :data:`MOST_AGREEING` of ``members``."""
        claim = self._claim(head, item)
        rivals = (self._claim(head, member) for member in members[:MOST_AGREEING])
        return all(rival == claim or self._judge.differ(*sorted((claim, rival))) is None for rival in rivals)

    def could_lead(self, item: int, stack: Sequence[int]) -> bool:
        """Tell whether ``item`` proves all others of its stack and is not clearly more compressed than any."""
        return all(
            member == item or (self.proves(item, member) and not self._is_worse(item, member)) for member in stack
        )

    def _claim(self, head: int, item: int) -> Claim:
        proof = self.proof(head, item)
        assert proof is not None
        return Claim(0.0, 0, self._sketches[item].id, proof.orientation)

    def _is_worse(self, item: int, rival: int) -> bool:
        """Tell whether ``one`` is clearly compressed harder than ``other``."""
        ours, theirs = self._sketches[item].facts.quality, self._sketches[rival].facts.quality
        return ours is not None and theirs is not None and ours < theirs - WORSE_QUALITY

    def _may_prove(self, head: int, item: int) -> bool:
        """Tell whether no fact that is known already decides that one does not prove the other."""
        witness, needle = self._sketches[head], self._sketches[item]
        return not (witness.is_weak or needle.is_weak or capture_times.are_two_shots(needle.moment, witness.moment))

    def _prove(self, head: int, item: int) -> Proof | None:
        (distances,) = turned_distances(self._hashes, np.array([item]), head, self._orientations).tolist()
        witness = self._sketches[head]
        views = zip(distances, self._orientations, strict=True)
        for bits, orientation in sorted(
            views, key=lambda view: order_of_search(view[0], view[1], self._threshold_bits)
        ):
            if bits > self._threshold_bits:
                break
            judged = self._judge.judge(Pair(self._sketches[item].id, witness.id, orientation), [witness.id])
            if judged.evidence is Evidence.SAME:
                return Proof(bits, orientation, judged)
        return None


class Proof(NamedTuple):
    """How a head proves an item."""

    distance_bits: int
    orientation: int
    """By which the item is turned to meet the head."""
    judged: Judged


class Meeting(NamedTuple):
    """How an item meets its head; the closest sorts first."""

    check_bits: int
    distance_bits: int
    orientation: int
    item_view: int
    head_view: int


class AlikePictures:
    """A head looks like an item where their search hashes lie within the threshold, and their check hashes too.

    So do any two members, by their check hashes alone, as they are turned to meet the head. A framed picture has two
    views, of which either counts: ``owners`` says whose view each row of ``hashes`` and ``checks`` is.
    """

    def __init__(self, owners: NDArray[np.int64], hashes: Words, checks: Words, threshold_bits: int) -> None:
        self._owners = owners
        self._hashes = hashes
        self._checks = checks
        self._threshold_bits = threshold_bits
        self._views = [np.flatnonzero(owners == item) for item in range(int(owners.max()) + 1)]
        self._meetings: dict[tuple[int, int], Meeting] = {}
        self._agreed = _Agreed(len(owners))

    def near(self, head: int, alive: Alive) -> Sequence[int]:
        """Return the items that look like ``head``, the closest first."""
        meetings: dict[int, Meeting] = {}
        rows = np.flatnonzero(alive[self._owners] & (self._owners != head))
        orientations = range(self._hashes.shape[1])
        for view in self._views[head].tolist():
            bits = turned_distances(self._hashes, rows, view, orientations).astype(np.int64)
            apart = np.bitwise_count(self._checks[rows] ^ self._checks[view, 0]).sum(axis=2, dtype=np.int64)
            is_far = (bits > self._threshold_bits) | (apart > evidence.CHECK_BOUND_BITS)
            best = np.where(is_far, np.iinfo(np.int64).max, apart << 8 | bits).argmin(axis=1)
            for place in np.flatnonzero(~is_far.all(axis=1)).tolist():
                orientation = int(best[place])
                row = int(rows[place])
                meeting = Meeting(int(apart[place, orientation]), int(bits[place, orientation]), orientation, row, view)
                item = int(self._owners[row])
                meetings[item] = min(meeting, meetings.get(item, meeting))
        self._meetings |= {(head, item): meeting for item, meeting in meetings.items()}
        return sorted(meetings, key=lambda item: (meetings[item][:3], item))

    def superior(self, head: int, near: Sequence[int]) -> int | None:  # noqa: ARG002 - a protocol's signature
        """Return None: to look alike has no direction."""
        return None

    def proves(self, head: int, item: int) -> bool:
        """Tell whether the two look alike."""
        return (head, item) in self._meetings

    def meeting(self, head: int, item: int) -> Meeting:
        """Return how ``item`` meets the head that it is near to."""
        return self._meetings[head, item]

    def agrees(self, head: int, item: int, members: Sequence[int]) -> bool:
        """Tell whether ``item`` looks like each of ``members``, as they are turned to meet the head."""
        self._agreed.be_of(head, len(members))
        for member in members[self._agreed.count :]:
            views = self._views[member]
            self._agreed.add(self._checks[views, self._meetings[head, member].orientation])
        orientation = self._meetings[head, item].orientation
        return self._agreed.all_near([self._checks[view, orientation] for view in self._views[item].tolist()])


class _Agreed:
    """The check hashes of the members that one head has so far, in memory that is allocated once."""

    def __init__(self, most: int) -> None:
        self._head = -1
        self._rows = 0
        self.count = 0
        """Members that are in."""
        self._checks = np.empty((most, 4), np.uint64)
        self._members = np.empty(most, np.int64)

    def be_of(self, head: int, count: int) -> None:
        """Forget all where they were of another head, or are more than ``count``."""
        if head != self._head or count < self.count:
            self._head, self._rows, self.count = head, 0, 0

    def add(self, checks: Words) -> None:
        """Take in a member, by the check hashes of its views: (views, 4)."""
        end = self._rows + len(checks)
        self._checks[self._rows : end] = checks
        self._members[self._rows : end] = self.count
        self._rows, self.count = end, self.count + 1

    def all_near(self, checks: Sequence[Words]) -> bool:
        """Tell whether each member has a view near one of these."""
        is_near = np.zeros(self.count, np.bool_)
        for check in checks:
            bits = np.bitwise_count(self._checks[: self._rows] ^ check).sum(axis=1, dtype=np.int64)
            is_near[self._members[: self._rows][bits <= evidence.CHECK_BOUND_BITS]] = True
        return bool(is_near.all())
