"""Pictures of a collection that show parts of others of it: crops, screenshots, pages of albums.

Looked for is what nothing else looks like. A part joins the group of the picture that it shows and never goes: what it
lacks or shows beside that is the point of it. See docs/decisions/fragments.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from dupfind.evidence.fragments import Overlap, area
from dupfind.grouping.clustering import Row, Stack, Tie
from dupfind.matching.fragments import Part, find_parts, match_of
from dupfind.reading import Pictures
from dupfind.reasons import Reason, spelled
from dupfind.run import Reading
from dupfind.values import Evidence

_LESS_DETAIL = 0.7
"""Share of the pixels of the other below which a picture shows less detail of what both show: a picture on a page, or
on a screen. Both parts come in whole percent of their sides, so that their pixels are known to a few percent."""
_AS_MUCH = 0.05
"""By how much the shares that two pictures show of each other may differ and still be equal."""


def with_parts(run: Reading, pictures: Pictures, rows: Sequence[Row], shown: Callable[[str], str]) -> list[Row]:
    """Put single pictures that show parts of others into the rows of these; by their positions in ``pictures``."""
    firsts = [stack.best for row in rows for stack in row.stacks]
    home = {stack.best: number for number, row in enumerate(rows) for stack in row.stacks}
    alone = {row.stacks[0].best for row in rows if len(row.stacks) == 1}
    collection = [pictures.entries[position] for position in firsts]
    places = [place for place, position in enumerate(firsts) if position in alone]
    own = {entry.path: frozenset({entry.path}) for entry in collection}
    found = find_parts(run, collection, collection, places, own)
    sources = _sources(
        {firsts[place]: [Part(part.overlap, firsts[part.picture]) for part in parts] for place, parts in found.items()},
        alone,
        pictures,
    )
    joined: dict[int, int] = {}
    added: dict[int, list[tuple[Stack, Tie]]] = {}
    positions = {pictures.entries[position].path: position for position in firsts}
    for position in _in_order(sources, alone):
        parts = [Part(overlap, other) for other, overlap in sorted(sources[position].items())]
        sizes = pictures.sizes(part.picture for part in parts)
        match = match_of([part for part in parts if part.picture not in joined] or parts, pictures.entries, sizes)
        assert match.reason is not None
        reason, witness = spelled(match.reason, shown), positions[match.witness]
        root = joined.get(witness, witness)
        joined[position] = root
        if witness != rows[home[root]].stacks[0].best:
            reason = Reason(reason.code, (*reason.facts, shown(match.witness)))
        added.setdefault(home[root], []).append((rows[home[position]].stacks[0], Tie(Evidence.SIMILAR, None, reason)))
    moved = {home[position] for position in joined}
    return [
        Row([*row.stacks, *(stack for stack, _ in more)], [*row.ties, *(tie for _, tie in more)])
        for number, row in enumerate(rows)
        if number not in moved
        for more in [sorted(added.get(number, ()), key=lambda pair: pictures.entries[pair[0].best].path)]
    ]


def _sources(
    found: Mapping[int, Sequence[Part]], alone: Collection[int], pictures: Pictures
) -> dict[int, dict[int, Overlap]]:
    """Return, of each picture that shows a part of others, these: of a pair that has a part in common one is it."""
    sources: dict[int, dict[int, Overlap]] = {}
    for position, parts in sorted(found.items()):
        for part in parts:
            first, second, overlap = position, part.picture, part.overlap
            if second in sources.get(first, ()) or first in sources.get(second, ()):
                continue
            if second in alone and not _is_of(overlap, first, second, pictures):
                first, second = second, first
                overlap = overlap.turned_round
            sources.setdefault(first, {})[second] = overlap
    return sources


def _is_of(overlap: Overlap, position: int, other: int, pictures: Pictures) -> bool:
    """Tell whether it is the first of two pictures that shows a part of the second.

    That is the one with less detail of what both show; of two that have as much the one that shows less beside it.
    """
    ours, theirs = area(overlap.ours), area(overlap.theirs)
    pixels = [ours * pictures.refs[position].size_pixels, theirs * pictures.refs[other].size_pixels]
    if min(pixels) < _LESS_DETAIL * max(pixels):
        return pixels[0] < pixels[1]
    if abs(ours - theirs) > _AS_MUCH:
        return ours > theirs
    return _rank(pictures, position) > _rank(pictures, other)


def _rank(pictures: Pictures, position: int) -> tuple[int, str]:
    return -pictures.refs[position].size_pixels, pictures.entries[position].path


def _in_order(sources: Mapping[int, Mapping[int, Overlap]], alone: set[int]) -> Iterator[int]:
    """Yield the pictures that show parts of others, each after those; of a ring the first stays where it is."""
    settled = alone - sources.keys()
    left = sorted(sources)
    while left:
        ready = [
            position for position in left if all(other in settled for other in sources[position] if other in alone)
        ]
        yield from ready
        settled.update(ready or left[:1])
        left = [position for position in left if position not in settled]
