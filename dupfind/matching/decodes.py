"""Preview first, full decode where something rests on it: previews find, and prove nothing.

A preview is made of the beginning of a file. What is damaged or missing behind it, or lies there beside the
picture, is seen only where the whole file is decoded. A bare picture is a preview that has the pixels of the full
decode and nothing else: what it is searched by is exact, and it is decoded in full before it is judged. A gray one has
nearly these pixels: what it may be searched by is known to a few bits, and it is decoded in full before that decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from dupfind.cache.cache_schema import COARSE, PictureRef, is_bare, is_gray
from dupfind.reading import Measured, Pictures
from dupfind.run import Reading
from dupfind.search.blocks import Hashes
from dupfind.values import Failure, FileEntry, Match, Thumbnail

MOST_ROUNDS = 20
"""How often a needle may find that its match was none when it was decoded in full. After that it has none."""

ReadFull = Callable[[Sequence[FileEntry]], Mapping[str, PictureRef | Failure]]
"""Gives by path what decoding files in full gives, see :meth:`dupfind.reading.Reader.full_decodes`."""
ReadBare = Callable[[Sequence[FileEntry]], Mapping[str, Measured | Failure]]
"""Gives by path what measuring bare pictures gives, see :meth:`dupfind.reading.Reader.measured`."""


class Side:
    """The pictures of one side by their positions, previews until they are decoded in full.

    Search hashes stay those of the previews, so that a run finds the same whatever an earlier one has decoded; but for
    gray ones, which are no hashes of the file.
    ``failures`` may be shared with the other side.
    """

    def __init__(self, pictures: Pictures, failures: dict[str, Failure] | None = None) -> None:
        self._pictures = pictures
        self.entries = pictures.entries
        self.hashes = pictures.hashes
        self.refs = list(pictures.refs)
        """As in ``pictures``, but of the full decode where there is one."""
        self.failures = {} if failures is None else failures
        """By path, the files that could not be decoded in full."""
        self.lost: set[int] = set()
        """Their positions."""
        self.unsure: Hashes | None = None
        """Which bits of the hashes of gray pictures are unsure, of the shape of ``hashes``; None where no picture was
        gray, or all were decoded in full."""

    @property
    def first_refs(self) -> list[PictureRef]:
        """As ``refs`` before anything was decoded in full."""
        return self._pictures.refs

    def is_preview(self, position: int) -> bool:
        """Tell whether nothing may rest on a picture yet."""
        return bool(self.refs[position].id & COARSE)

    def is_bare(self, position: int) -> bool:
        """Tell whether a picture has nothing yet that it could be judged by."""
        return is_bare(self.refs[position].id)

    def has_pixels(self, position: int) -> bool:
        """Tell whether the pixels of a picture are those of the full decode."""
        id_ = self.refs[position].id
        return not is_gray(id_) if is_bare(id_) else not id_ & COARSE

    def gray(self) -> list[int]:
        """Return the positions of pictures whose search hash is not surely that of the file."""
        return [position for position, ref in enumerate(self.refs) if is_gray(ref.id)]

    def take(self, position: int, content: PictureRef | Measured) -> None:
        """Put what a full decode gave in the place of a preview."""
        if isinstance(content, PictureRef):
            self.refs[position] = content
            return
        self.refs[position] = content.ref
        if self.hashes is self._pictures.hashes:  # which other rounds begin with
            self.hashes = self.hashes.copy()
        self.hashes[position] = content.hashes[: self.hashes.shape[1]]

    def pictures(self) -> Pictures:
        """Return the pictures as far as they are decoded by now, without those that are lost."""
        left = [position for position, entry in enumerate(self.entries) if entry.path not in self.failures]
        if len(left) == len(self.entries):
            return replace(self._pictures, refs=self.refs, hashes=self.hashes)
        entries, refs = [self.entries[position] for position in left], [self.refs[position] for position in left]
        return Pictures(entries, refs, self.hashes[left], self._pictures.failures)


def decode_fully(read_full: ReadFull | ReadBare, *asked: tuple[Side, Iterable[int]]) -> None:
    """Decode in full what is a preview at these positions of these sides, all files together."""
    previews = [
        (side, position)
        for side, positions in asked
        for position in sorted(set(positions))
        if side.is_preview(position)
    ]
    if not previews:
        return
    contents = read_full([side.entries[position] for side, position in previews])
    for side, position in previews:
        path = side.entries[position].path
        content = contents.get(path, side.refs[position])
        if isinstance(content, Failure):
            side.failures[path] = content
            side.lost.add(position)
        else:
            side.take(position, content)


class Decodes:
    """The pictures of needles and of the haystack; ``read_full`` decodes in full.

    ``read_bare`` does it with what is bare; without it there is nothing bare.
    """

    def __init__(
        self, needles: Pictures, haystack: Pictures, read_full: ReadFull, read_bare: ReadBare | None = None
    ) -> None:
        self.failures: dict[str, Failure] = {}
        """By path, the files of either side that could not be decoded in full."""
        self.needles = Side(needles, self.failures)
        self.haystack = Side(haystack, self.failures)
        self.is_bounded = False
        """Whether a bound of the matching was met: what is found of one needle may then rest on all others."""
        self._read_full = read_full
        self._read_bare: ReadFull | ReadBare = read_bare or read_full

    def are_full(self, needle: int, witness: int) -> bool:
        """Tell whether a needle and a witness, by their positions, may be compared for good."""
        return not self.needles.is_preview(needle) and not self.haystack.is_preview(witness)

    def have_pixels(self, needle: int, witness: int) -> bool:
        """Tell whether a needle and a witness, by their positions, may be compared for good by pixels alone."""
        return self.needles.has_pixels(needle) and self.haystack.has_pixels(witness)

    def read(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Decode in full what is a preview of these needles and witnesses."""
        needles, witnesses = zip(*pairs, strict=True)
        decode_fully(self._read_full, (self.needles, needles), (self.haystack, witnesses))

    def measure(self, needles: Iterable[int], witnesses: Iterable[int]) -> None:
        """Decode in full what is bare at these positions: a judgement is to be that of two full decodes."""
        sides = (self.needles, needles), (self.haystack, witnesses)
        decode_fully(self._read_bare, *((side, filter(side.is_bare, set(positions))) for side, positions in sides))

    def previews(self, matches: Mapping[str, Match]) -> list[tuple[int, int]]:
        """Return the positions of needle and witness of those matches of which one of the two is a preview."""
        if not matches:
            return []
        wanted = matches.keys() | {match.witness for match in matches.values()}
        needles, witnesses = (
            {entry.path: position for position, entry in enumerate(side.entries) if entry.path in wanted}
            for side in (self.needles, self.haystack)
        )
        pairs = [(needles[path], witnesses[match.witness]) for path, match in matches.items()]
        return [pair for pair in pairs if not self.are_full(*pair)]

    def pictures(self) -> tuple[Pictures, Pictures]:
        """Return those of the needles and of the haystack, as far as they are decoded by now, without what is lost."""
        return self.needles.pictures(), self.haystack.pictures()


class Full(NamedTuple):
    """A picture whose file was decoded in full."""

    ref: PictureRef
    """How its thumbnail is found in the cache."""
    thumbnail: Thumbnail


def full_thumbnails(entries: Sequence[FileEntry], what: str, run: Reading) -> dict[str, Full | Failure]:
    """Return the thumbnail of each of ``entries``, none of them a preview, or why it has none, by path.

    ``what`` is said to be done meanwhile. All are kept in memory, 5 kB each: for thousands, not for a collection.
    """
    pictures = run.reader.pictures(entries, what, 1)
    side = Side(pictures, dict(pictures.failures))
    decode_fully(run.reader.full_decodes, (side, range(len(side.entries))))
    contents: dict[str, Full | Failure] = dict(side.failures)
    full = side.pictures()
    thumbnails = run.cache.thumbnails(list({ref.id for ref in full.refs}))
    for entry, ref in zip(full.entries, full.refs, strict=True):
        contents[entry.path] = Full(ref, thumbnails[ref.id])
    return contents
