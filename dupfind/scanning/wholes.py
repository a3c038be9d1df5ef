"""Coarse pictures find, and prove nothing: where something is to rest on one, its file is read whole first.

A coarse picture is made of the beginning of a file. What is damaged or missing behind it, or lies there beside the
picture, is seen only where the whole is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from dupfind.cache.cache_schema import COARSE, PictureRef
from dupfind.reading import Pictures
from dupfind.values import Failure, FileEntry, Match

MOST_ROUNDS = 20
"""How often a needle may find that its match was none when it was looked at whole. After that it has none."""

ReadWhole = Callable[[Sequence[FileEntry]], Mapping[str, PictureRef | Failure]]


class Wholes:
    """The pictures of both sides, coarse until they are asked for; ``read_whole`` gives whole ones by path.

    Search hashes stay those of the coarse pictures, so that a run finds the same whatever an earlier one has read.
    """

    def __init__(self, needles: Pictures, haystack: Pictures, read_whole: ReadWhole) -> None:
        self.needles = needles
        self.haystack = haystack
        self._read_whole = read_whole
        self._coarse = {ref.id for side in (needles, haystack) for ref in side.refs if ref.id & COARSE}
        self.needle_refs = list(needles.refs)
        """As in the needles' pictures, but whole where they were read whole; ``witness_refs`` likewise."""
        self.witness_refs = list(haystack.refs)
        self.failures: dict[str, Failure] = {}
        """By path, the files that could not be read whole."""
        self.lost_needles: set[int] = set()
        """Their positions; ``lost_witnesses`` likewise."""
        self.lost_witnesses: set[int] = set()

    def are_whole(self, needle: int, witness: int) -> bool:
        """Whether a needle and a witness, by their positions, may be compared for good."""
        return self.needle_refs[needle].id not in self._coarse and self.witness_refs[witness].id not in self._coarse

    def read(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Read whole what is coarse of these needles and witnesses."""
        needles, witnesses = (sorted(set(side)) for side in zip(*pairs, strict=True))
        sides = (
            (self.needles.entries, self.needle_refs, needles, self.lost_needles),
            (self.haystack.entries, self.witness_refs, witnesses, self.lost_witnesses),
        )
        asked = [
            entries[position]
            for entries, refs, positions, _ in sides
            for position in positions
            if refs[position].id in self._coarse
        ]
        contents = self._read_whole(asked)
        for entries, refs, positions, lost in sides:
            for position in positions:
                content = contents.get(entries[position].path, refs[position])
                if isinstance(content, Failure):
                    self.failures[entries[position].path] = content
                    lost.add(position)
                else:
                    refs[position] = content

    def coarse(self, matches: Mapping[str, Match]) -> list[tuple[int, int]]:
        """The positions of needle and witness of those matches of which one of the two is coarse."""
        if not matches or not self._coarse:
            return []
        wanted = matches.keys() | {match.witness for match in matches.values()}
        needles, witnesses = (
            {entry.path: position for position, entry in enumerate(side.entries) if entry.path in wanted}
            for side in (self.needles, self.haystack)
        )
        pairs = [(needles[path], witnesses[match.witness]) for path, match in matches.items()]
        return [pair for pair in pairs if not self.are_whole(*pair)]

    def pictures(self) -> tuple[Pictures, Pictures]:
        """Those of the needles and of the haystack, as far as they are read by now, without what is lost."""
        return (
            _without(replace(self.needles, refs=self.needle_refs), self.failures),
            _without(replace(self.haystack, refs=self.witness_refs), self.failures),
        )


def _without(pictures: Pictures, failures: Mapping[str, Failure]) -> Pictures:
    kept = [position for position, entry in enumerate(pictures.entries) if entry.path not in failures]
    if len(kept) == len(pictures.entries):
        return pictures
    entries, refs = [pictures.entries[position] for position in kept], [pictures.refs[position] for position in kept]
    return Pictures(entries, refs, pictures.hashes[kept], pictures.failures)
