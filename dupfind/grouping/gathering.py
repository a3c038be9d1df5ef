"""The pictures of one collection to stacks, and stacks that look alike to groups of stacks.

Every picture here has other bytes than all others. Nothing rests on a preview: whatever another lies near to is
decoded in full before they are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from dupfind.cache.cache_schema import FRAMED, Pair
from dupfind.grouping import bests
from dupfind.grouping.bests import Rival
from dupfind.grouping.components import components
from dupfind.grouping.linkage import link
from dupfind.grouping.relations import AlikeKin, Meeting, SameKin
from dupfind.grouping.sketches import Sketch, checks, sketches
from dupfind.grouping.stacks import Row, Stack, Tie
from dupfind.matching.borders import REASONS, inner_hashes
from dupfind.matching.decodes import Side, decode_fully
from dupfind.matching.full_size import MOST_COMPARED
from dupfind.matching.judge import Judge
from dupfind.pool.full_size import pair_of
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.run import Reading
from dupfind.values import Evidence, FileEntry, Thumbnail

_MOST_TIED = 32
"""Members of a stack that may become its best by their metadata, age or path."""
_AS_TURNED_ALREADY = (0, 2, 5)
_AS_TURNED_OR_MIRRORED_ALREADY = (0, 1, 2, 3, 4, 5, 6)
"""Orientation 7 undoes 5: where one picture is the other turned by 7, the other is the one turned by 5."""
OF_ANOTHER = Reason(ReasonCode.OF_ANOTHER)


class Gatherer:
    """Gathers ``pictures``; ``rival`` gives what counts of each, without its picture, by its position."""

    def __init__(self, run: Reading, pictures: Pictures, rival: Callable[[int], Rival]) -> None:
        self._settings = run.settings
        self._pictures = pictures
        self._rival = rival
        self._reader = run.reader
        self._cache = run.cache
        self._listener = run.listener
        self._side = Side(pictures)
        self._judge = Judge(run.cache)
        self._objections: dict[tuple[int, int], Reason] = {}
        """By the best of a stack and another picture, by their positions, what differs between them at full size."""
        self._tags: dict[int, int] = {}
        self.failures = self._side.failures
        """By path, the files that could not be decoded in full."""
        self.facts: dict[int, Thumbnail] = {}
        """Of those that were compared with others, without their planes."""

    def stacks(self) -> list[Stack]:
        """Every picture in exactly one stack, in no order; a picture that stands alone is a stack of one."""
        orientations = _AS_TURNED_ALREADY if self._settings.scan.rotations else (0,)
        found = self._components(self._pictures.hashes, orientations)
        self._decode([position for positions in found for position in positions])
        unfinished = []
        with self._listener.stage("comparing", sum(map(len, found))) as advance:
            for positions in found:
                unfinished += self._stacks_among(positions)
                advance(len(positions))
        stacks = self._confirmed(unfinished)
        taken = {position for one in stacks for position in one.positions}
        alone = (position for position in range(len(self._side.refs)) if position not in taken)
        return stacks + [Stack(position, {}) for position in alone if not self._is_lost(position)]

    def _confirmed(self, unfinished: Sequence[_Unfinished]) -> list[Stack]:
        """Return stacks without those members that differ from their best at full size.

        Those make stacks of their own, as far as they pass there.
        """
        confirmed: list[Stack] = []
        for _ in range(MOST_COMPARED):
            self._count_tags([position for one in unfinished for position in one.tied])
            stacks = [self._finished(one) for one in unfinished]
            self._compare_at_full_size(stacks)
            again: list[_Unfinished] = []
            for one, stack in zip(unfinished, stacks, strict=True):
                refused = {position for position in stack.ties if (stack.best, position) in self._objections}
                confirmed.append(
                    stack._replace(ties={item: tie for item, tie in stack.ties.items() if item not in refused})
                )
                items = [item for item, position in enumerate(one.ranked) if position in refused]
                if len(items) > 1:
                    again.append(one._replace(stack=items, tied=self._tied(one.ranked, items)))
            if not again:
                break
            unfinished = again
        return confirmed

    def _compare_at_full_size(self, stacks: Sequence[Stack]) -> None:
        """Learn what differs between the best of each of these stacks and its other members."""
        pairs = {
            (one.best, item): pair_of(self._of(item), self._of(one.best), tie.orientation)
            for one in stacks
            for item, tie in one.ties.items()
        }
        outcomes = self._reader.compare_at_full_size(list(pairs.values()))
        self._objections |= {
            places: objection for places, pair in pairs.items() if (objection := outcomes[pair]) is not None
        }

    def _of(self, position: int) -> tuple[FileEntry, Thumbnail]:
        return self._pictures.entries[position], self.facts[position]

    def rows(self, stacks: Sequence[Stack]) -> list[Row]:
        """Every stack in exactly one row of those that look alike."""
        bests_ = [one.best for one in stacks]
        inner = [place for place, position in enumerate(bests_) if self._side.refs[position].id & FRAMED]
        scan, hashes = self._settings.scan, self._pictures.hashes
        without = inner_hashes(
            self._cache, [self._side.refs[bests_[place]].id for place in inner], scan.algorithm, hashes.shape[1]
        )
        owners = np.array([*range(len(stacks)), *inner], np.int64)
        views = np.concatenate([hashes[bests_], without])
        orientations = _AS_TURNED_OR_MIRRORED_ALREADY if scan.rotations else (0,)
        found = [sorted({int(owners[view]) for view in some}) for some in self._components(views, orientations)]
        found = [places for places in found if len(places) > 1]
        self._decode([bests_[place] for places in found for place in places])
        rows = []
        with self._listener.stage("comparing what looks alike", sum(map(len, found))) as advance:
            for places in found:
                rows += self._rows_among([stacks[place] for place in places])
                advance(len(places))
        taken = {one.best for row in rows for one in row.stacks}
        return rows + [Row([one], []) for one in stacks if one.best not in taken and not self._is_lost(one.best)]

    def describe(self, rows: Iterable[Row]) -> None:
        """Learn the facts of all pictures in these rows."""
        positions = [position for row in rows for one in row.stacks for position in one.positions]
        self._sketches([position for position in positions if position not in self.facts])

    def rival(self, position: int) -> Rival:
        """What counts of a picture, with what is known of it by now."""
        facts, tags = self.facts.get(position), self._tags.get(position, 0)
        one = self._rival(position)._replace(size_pixels=self._side.refs[position].size_pixels, tags=tags)
        if facts is None:
            return one
        is_lossless = facts.format in bests.LOSSLESS
        return one._replace(is_damaged=facts.damage is not None, has_time=bool(facts.captured), is_lossless=is_lossless)

    def _components(
        self, hashes: np.ndarray[tuple[int, ...], np.dtype[np.uint64]], orientations: Sequence[int]
    ) -> list[list[int]]:
        with self._listener.part("search", len(hashes)):
            return components(hashes, orientations, self._settings.scan.threshold_bits)

    def _is_lost(self, position: int) -> bool:
        return position in self._side.lost

    def _decode(self, positions: Sequence[int]) -> None:
        decode_fully(self._reader.full_decodes, (self._side, positions))

    def _sketches(self, positions: Sequence[int]) -> dict[int, Sketch]:
        by_id = sketches(self._cache, sorted({self._side.refs[position].id for position in positions}))
        found = {position: by_id[self._side.refs[position].id] for position in positions}
        self.facts |= {position: one.facts for position, one in found.items()}
        return found

    def _ranked(self, positions: Sequence[int]) -> list[int]:
        return sorted(positions, key=lambda position: bests.rank(self.rival(position)))

    def _stacks_among(self, positions: Sequence[int]) -> list[_Unfinished]:
        known = self._sketches([position for position in positions if not self._is_lost(position)])
        ranked = self._ranked(list(known))
        with self._listener.part("evidence"):
            self._judge.know(one.id for one in known.values())
            hashes = self._pictures.hashes[ranked]
            kin = SameKin(
                [known[position] for position in ranked], hashes, self._settings.scan.threshold_bits, self._judge
            )
            return [
                _Unfinished(kin, ranked, some, self._tied(ranked, some))
                for some in link(len(ranked), kin)
                if len(some) > 1
            ]

    def _tied(self, ranked: Sequence[int], stack: Sequence[int]) -> list[int]:
        """The positions of those members that only their metadata, age or path keeps from being the best."""
        head = self.rival(ranked[stack[0]])
        tied = [item for item in sorted(stack) if bests.are_tied(self.rival(ranked[item]), head)][:_MOST_TIED]
        return [ranked[item] for item in tied] if len(tied) > 1 else []

    def _count_tags(self, positions: Sequence[int]) -> None:
        entries = self._pictures.entries
        counts = self._reader.count_tags([entries[position] for position in positions])
        self._tags |= {position: counts[entries[position].path] for position in positions}

    def _finished(self, one: _Unfinished) -> Stack:
        """The stack with the best of its members at its head: the highest that proves all others."""
        kin, ranked, stack = one.kin, one.ranked, one.stack
        best = stack[0]
        places = {position: item for item, position in enumerate(ranked)}
        with self._listener.part("evidence"):
            for position in self._ranked(one.tied):
                item = places[position]
                if item == stack[0] or kin.could_lead(item, stack):
                    best = item
                    break
        ties = {}
        for item in sorted(stack):
            proof = kin.proof(best, item) if item != best else None
            if proof is not None:
                ties[ranked[item]] = Tie(Evidence.SAME, proof.distance_bits, proof.judged.reason, proof.orientation)
        return Stack(ranked[best], ties)

    def _rows_among(self, stacks: Sequence[Stack]) -> list[Row]:
        known = self._sketches([one.best for one in stacks if not self._is_lost(one.best)])
        order = sorted(known, key=lambda position: bests.rank(self.rival(position)._replace(tags=0)))
        by_best = {one.best: one for one in stacks}
        ids = [known[position].id for position in order]
        scan, hashes = self._settings.scan, self._pictures.hashes[order]
        inner = [place for place, position in enumerate(order) if self._side.refs[position].id & FRAMED]
        owners = np.array([*range(len(order)), *inner], np.int64)
        with self._listener.part("evidence"):
            without = inner_hashes(self._cache, [ids[place] for place in inner], scan.algorithm, hashes.shape[1])
            asked = [(ids[owner], place >= len(order)) for place, owner in enumerate(owners.tolist())]
            kin = AlikeKin(
                owners,
                np.concatenate([hashes, without]),
                checks(self._cache, asked, hashes.shape[1]),
                scan.threshold_bits,
            )
            self._judge.know(ids)
            rows = []
            for some in link(len(order), kin):
                ties = [self._tie((item, some[0]), ids, kin.meeting(some[0], item), order) for item in some[1:]]
                rows.append(Row([by_best[order[item]] for item in some], ties))
        return rows

    def _tie(self, places: tuple[int, int], ids: Sequence[int], meeting: Meeting, order: Sequence[int]) -> Tie:
        """What holds an item to its head, by their ``places`` in ``order``."""
        item, head = places
        is_inner = meeting.item_view >= len(order), meeting.head_view >= len(order)
        if any(is_inner):
            reason: Reason | None = REASONS[is_inner]
        else:
            judged = self._judge.judge(Pair(ids[item], ids[head], meeting.orientation), [ids[head]])
            reason = judged.reason
            if judged.evidence is Evidence.SAME:
                objection = self._objections.get((order[head], order[item]))
                reason = OF_ANOTHER if objection is None else objection
        return Tie(Evidence.SIMILAR, meeting.distance_bits, reason)


class _Unfinished(NamedTuple):
    """A stack of which it is not yet known which member is the best."""

    kin: SameKin
    ranked: Sequence[int]
    stack: Sequence[int]
    tied: Sequence[int]
    """Positions of the members of which it takes more than pixels to tell which is the best; none where it is clear."""
