"""The pictures of one collection to stacks, and stacks that look alike to groups of stacks.

Every picture here has other bytes than all others. Nothing rests on a preview: whatever another lies near to is
decoded in full before they are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dupfind.cache.cache_schema import FRAMED, Pair
from dupfind.grouping import best_of
from dupfind.grouping.best_of import Rival
from dupfind.grouping.linkage import components, link
from dupfind.grouping.relations import AlikePictures, Meeting, SamePictures, Sketch, checks, sketches
from dupfind.matching.borders import REASONS, inner_hashes
from dupfind.matching.decodes import Side, decode_fully
from dupfind.matching.full_size import MOST_COMPARED
from dupfind.matching.judge import Judge
from dupfind.pool.full_size import pair_of
from dupfind.reading import Pictures
from dupfind.reasons import Reason, ReasonCode
from dupfind.run import Reading
from dupfind.values import Evidence, FileEntry, Thumbnail


class Tie(NamedTuple):
    """What holds a picture to the one that it belongs to."""

    evidence: Evidence
    distance_bits: int | None
    """None where that says nothing: of a part."""
    reason: Reason | None
    orientation: int = 0
    """How it is turned to meet the other."""


class Stack(NamedTuple):
    """One picture in several files, by their positions."""

    best: int
    ties: Mapping[int, Tie]
    """Of each of the others, to the best."""

    @property
    def positions(self) -> tuple[int, ...]:
        """Of all its pictures, the best first."""
        return self.best, *self.ties


class Row(NamedTuple):
    """Stacks that look alike."""

    stacks: Sequence[Stack]
    """The best first."""
    ties: Sequence[Tie]
    """Of the best of each stack but the first, to the best of the first."""

    @property
    def is_several(self) -> bool:
        """Whether it holds more than one picture."""
        return len(self.stacks) > 1 or bool(self.stacks[0].ties)


_MOST_TIED = 32
"""Members of a stack that may become its best by their metadata, age or path."""
_AS_TURNED_ALREADY = (0, 2, 5)
_AS_TURNED_OR_MIRRORED_ALREADY = (0, 1, 2, 3, 4, 5, 6)
"""Orientation 7 undoes 5: where one picture is the other turned by 7, the other is the one turned by 5."""
OF_ANOTHER = Reason(ReasonCode.OF_ANOTHER)


class Clusterer:
    """Clusters ``pictures``; ``rival`` gives what counts of each, without its picture, by its position."""

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
        """Put every picture in exactly one stack, in no order; a picture that stands alone is a stack of one."""
        orientations = _AS_TURNED_ALREADY if self._settings.scan.rotations else (0,)
        sets = self._components(self._pictures.hashes, orientations)
        self._decode([position for positions in sets for position in positions])
        unfinished = []
        with self._listener.stage("comparing", sum(map(len, sets))) as advance:
            for positions in sets:
                unfinished += self._stacks_among(positions)
                advance(len(positions))
        stacks = self._confirmed(unfinished)
        taken = {position for stack in stacks for position in stack.positions}
        alone = (position for position in range(len(self._side.refs)) if position not in taken)
        return stacks + [Stack(position, {}) for position in alone if not self._is_lost(position)]

    def _confirmed(self, unfinished: Sequence[_Unfinished]) -> list[Stack]:
        """Return stacks without those members that differ from their best at full size.

        Those make stacks of their own, as far as they pass there.
        """
        confirmed: list[Stack] = []
        for _ in range(MOST_COMPARED):
            self._count_tags([position for draft in unfinished for position in draft.tied])
            stacks = [self._finished(draft) for draft in unfinished]
            self._compare_at_full_size(stacks)
            again: list[_Unfinished] = []
            for draft, stack in zip(unfinished, stacks, strict=True):
                refused = {position for position in stack.ties if (stack.best, position) in self._objections}
                confirmed.append(
                    stack._replace(ties={item: tie for item, tie in stack.ties.items() if item not in refused})
                )
                items = [item for item, position in enumerate(draft.ranked) if position in refused]
                if len(items) > 1:
                    again.append(draft._replace(stack=items, tied=self._tied(draft.ranked, items)))
            if not again:
                break
            unfinished = again
        return confirmed

    def _compare_at_full_size(self, stacks: Sequence[Stack]) -> None:
        """Learn what differs between the best of each of these stacks and its other members."""
        pairs = {
            (stack.best, item): pair_of(self._of(item), self._of(stack.best), tie.orientation)
            for stack in stacks
            for item, tie in stack.ties.items()
        }
        outcomes = self._reader.compare_at_full_size(list(pairs.values()))
        self._objections |= {
            places: objection for places, pair in pairs.items() if (objection := outcomes[pair]) is not None
        }

    def _of(self, position: int) -> tuple[FileEntry, Thumbnail]:
        return self._pictures.entries[position], self.facts[position]

    def rows(self, stacks: Sequence[Stack]) -> list[Row]:
        """Put every stack in exactly one row of those that look alike."""
        bests_ = [stack.best for stack in stacks]
        inner = [place for place, position in enumerate(bests_) if self._side.refs[position].id & FRAMED]
        scan, hashes = self._settings.scan, self._pictures.hashes
        without = inner_hashes(
            self._cache, [self._side.refs[bests_[place]].id for place in inner], scan.algorithm, hashes.shape[1]
        )
        owners = np.array([*range(len(stacks)), *inner], np.int64)
        views = np.concatenate([hashes[bests_], without])
        orientations = _AS_TURNED_OR_MIRRORED_ALREADY if scan.rotations else (0,)
        together = [sorted({int(owners[view]) for view in views_}) for views_ in self._components(views, orientations)]
        together = [places for places in together if len(places) > 1]
        self._decode([bests_[place] for places in together for place in places])
        rows = []
        with self._listener.stage("comparing what looks alike", sum(map(len, together))) as advance:
            for places in together:
                rows += self._rows_among([stacks[place] for place in places])
                advance(len(places))
        taken = {stack.best for row in rows for stack in row.stacks}
        return rows + [
            Row([stack], []) for stack in stacks if stack.best not in taken and not self._is_lost(stack.best)
        ]

    def describe(self, rows: Iterable[Row]) -> None:
        """Learn the facts of all pictures in these rows."""
        positions = [position for row in rows for stack in row.stacks for position in stack.positions]
        self._sketches([position for position in positions if position not in self.facts])

    def rival(self, position: int) -> Rival:
        """Describe a picture as a rival, with what is known of it by now."""
        facts, tags = self.facts.get(position), self._tags.get(position, 0)
        rival = self._rival(position)._replace(size_pixels=self._side.refs[position].size_pixels, tags=tags)
        if facts is None:
            return rival
        is_lossless = facts.format in best_of.LOSSLESS
        return rival._replace(
            is_damaged=facts.damage is not None, has_time=bool(facts.captured), is_lossless=is_lossless
        )

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
        by_position = {position: by_id[self._side.refs[position].id] for position in positions}
        self.facts |= {position: sketch.facts for position, sketch in by_position.items()}
        return by_position

    def _ranked(self, positions: Sequence[int]) -> list[int]:
        return sorted(positions, key=lambda position: best_of.rank(self.rival(position)))

    def _stacks_among(self, positions: Sequence[int]) -> list[_Unfinished]:
        sketched = self._sketches([position for position in positions if not self._is_lost(position)])
        ranked = self._ranked(list(sketched))
        with self._listener.part("evidence"):
            self._judge.know(sketch.id for sketch in sketched.values())
            hashes = self._pictures.hashes[ranked]
            relation = SamePictures(
                [sketched[position] for position in ranked], hashes, self._settings.scan.threshold_bits, self._judge
            )
            return [
                _Unfinished(relation, ranked, linked, self._tied(ranked, linked))
                for linked in link(len(ranked), relation)
                if len(linked) > 1
            ]

    def _tied(self, ranked: Sequence[int], stack: Sequence[int]) -> list[int]:
        """Return the positions of those members that only their metadata, age or path keeps from being the best."""
        head = self.rival(ranked[stack[0]])
        tied = [item for item in sorted(stack) if best_of.are_tied(self.rival(ranked[item]), head)][:_MOST_TIED]
        return [ranked[item] for item in tied] if len(tied) > 1 else []

    def _count_tags(self, positions: Sequence[int]) -> None:
        entries = self._pictures.entries
        counts = self._reader.count_tags([entries[position] for position in positions])
        self._tags |= {position: counts[entries[position].path] for position in positions}

    def _finished(self, draft: _Unfinished) -> Stack:
        """Return the stack with the best of its members at its head: the highest that proves all others."""
        relation, ranked, stack = draft.relation, draft.ranked, draft.stack
        best = stack[0]
        places = {position: item for item, position in enumerate(ranked)}
        with self._listener.part("evidence"):
            for position in self._ranked(draft.tied):
                item = places[position]
                if item == stack[0] or relation.could_lead(item, stack):
                    best = item
                    break
        ties = {}
        for item in sorted(stack):
            proof = relation.proof(best, item) if item != best else None
            if proof is not None:
                ties[ranked[item]] = Tie(Evidence.SAME, proof.distance_bits, proof.judged.reason, proof.orientation)
        return Stack(ranked[best], ties)

    def _rows_among(self, stacks: Sequence[Stack]) -> list[Row]:
        sketched = self._sketches([stack.best for stack in stacks if not self._is_lost(stack.best)])
        order = sorted(sketched, key=lambda position: best_of.rank(self.rival(position)._replace(tags=0)))
        by_best = {stack.best: stack for stack in stacks}
        ids = [sketched[position].id for position in order]
        scan, hashes = self._settings.scan, self._pictures.hashes[order]
        inner = [place for place, position in enumerate(order) if self._side.refs[position].id & FRAMED]
        owners = np.array([*range(len(order)), *inner], np.int64)
        with self._listener.part("evidence"):
            without = inner_hashes(self._cache, [ids[place] for place in inner], scan.algorithm, hashes.shape[1])
            asked = [(ids[owner], place >= len(order)) for place, owner in enumerate(owners.tolist())]
            relation = AlikePictures(
                owners,
                np.concatenate([hashes, without]),
                checks(self._cache, asked, hashes.shape[1]),
                scan.threshold_bits,
            )
            self._judge.know(ids)
            rows = []
            for linked in link(len(order), relation):
                ties = [
                    self._tie((item, linked[0]), ids, relation.meeting(linked[0], item), order) for item in linked[1:]
                ]
                rows.append(Row([by_best[order[item]] for item in linked], ties))
        return rows

    def _tie(self, places: tuple[int, int], ids: Sequence[int], meeting: Meeting, order: Sequence[int]) -> Tie:
        """Return what holds an item to its head, by their ``places`` in ``order``."""
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

    relation: SamePictures
    ranked: Sequence[int]
    stack: Sequence[int]
    tied: Sequence[int]
    """Positions of the members of which it takes more than pixels to tell which is the best; none where it is clear."""
