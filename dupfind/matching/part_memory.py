"""What is remembered of a needle without a match: among which pictures its parts were looked for, and what was found.

The haystack is cut into blocks where the paths of its pictures say so, so that a picture that comes or goes alters the
block around it and no other (content-defined chunking; A. Muthitacharoen, B. Chen and D. Mazières, "A Low-bandwidth
Network File System", SOSP 2001). What a needle was found to share with a block holds as long as needle and block are
what they were. See docs/decisions/fragments.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple, Self, cast
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dupfind.cache.cache_schema import IDENTITY_BYTES
from dupfind.evidence.fragments import Box, Overlap, Pose
from dupfind.values import FileEntry

RECIPE = 2
"""Version of how pictures are searched for parts, block by block. Raise it with every change that can alter a
finding."""
MOST_PICTURES = 4096
"""Of a block: their marks take 16 MB, the two dictionaries of them 80."""
_USUAL_PICTURES, _SPARE_PICTURES = 2048, 256
_DIGEST_BYTES = 16
_HEAD_BYTES = 4
_PLACE_BYTES = 150
_SIGHTING = np.dtype([("number", "<u4"), ("agreeing", "<u4"), ("pose", "<f8", (4,))])
_OVERLAP = np.dtype([("witness", "u1", (IDENTITY_BYTES,)), ("pose", "<f8", (4,)), ("found", "<i2", (11,))])
"""The last is 0 where nothing was found, else 1 and the numbers of the :class:`Overlap`."""


class Block(NamedTuple):
    """Pictures of the haystack that are searched together."""

    places: list[int]
    """Their positions in the haystack, rising."""
    digest: bytes
    """Stands for their files in the state in which they are."""


class Sighting(NamedTuple):
    """A picture of a block on which keypoints of a needle agree."""

    number: int
    """Its position in the block."""
    agreeing: int
    """How many keypoints do."""
    pose: Pose
    """How the needle lies on it, about."""


Seen = bytes
"""What was seen of one needle in one block, see :func:`seen_of`. As values of Python it would take eight times the
room, and needles and blocks may be many."""


Compared = tuple[bytes, Pose]
"""The :func:`~dupfind.cache.cache_schema.identity` of a witness, and how the needle was laid on it."""


def blocks(entries: Sequence[FileEntry], places: Iterable[int]) -> list[Block]:
    """Cut the pictures of the haystack at these positions, which rise, into blocks.

    A block ends behind a path that one in 2,048 is like. Where none comes, it ends behind the last that one in 256 is
    like, so that also this place stays where it is (K. Eshghi and H. K. Tang, "A Framework for Analyzing and Improving
    Content-Based Chunking Algorithms", HP Laboratories 2005).
    """
    cut: list[Block] = []
    together: list[int] = []
    spare = 0
    for place in places:
        together.append(place)
        value = crc32(os.fsencode(entries[place].path))
        if value % _SPARE_PICTURES == 0:
            spare = len(together)
        if value % _USUAL_PICTURES == 0:
            end = len(together)
        elif len(together) >= MOST_PICTURES:
            end = spare or len(together)
        else:
            continue
        cut.append(_block(entries, together[:end]))
        together, spare = together[end:], 0
    return [*cut, _block(entries, together)] if together else cut


def _block(entries: Sequence[FileEntry], places: list[int]) -> Block:
    files = repr([tuple(entries[place]) for place in places])
    return Block(places, blake2b(files.encode(), digest_size=_DIGEST_BYTES).digest())


@dataclass(slots=True)
class Memory:
    """What is remembered of one needle."""

    whole: dict[bytes, Seen] = field(default_factory=dict)
    """By the digest of a block, what was seen there by the marks of the whole needle."""
    page: dict[bytes, Seen] = field(default_factory=dict)
    """Likewise, by the many marks of a needle that may show several pictures."""
    page_size: tuple[int, int] | None = None
    """Width and height of that, in pixels of its marks; None where it was not described so."""
    overlaps: dict[Compared, Overlap | None] = field(default_factory=dict)
    """What needle and witness have in common, of pairs that were compared."""

    @property
    def size_bytes(self) -> int:
        """How much room what was seen takes."""
        return sum(map(size_bytes, (*self.whole.values(), *self.page.values())))

    def packed(self, digests: Collection[bytes]) -> bytes:
        """Return what is known about these blocks, and all comparisons, as bytes."""
        sides = [{key: seen for key, seen in side.items() if key in digests} for side in (self.whole, self.page)]
        size = list(self.page_size) if self.page_size and sides[1] else None
        lengths = [[(digest.hex(), len(seen)) for digest, seen in side.items()] for side in sides]
        found = [
            (tuple(witness), pose, _NOTHING if overlap is None else (1, *overlap.ours, *overlap.theirs, *overlap[2:]))
            for (witness, pose), overlap in self.overlaps.items()
        ]
        head = json.dumps({"blocks": lengths, "size": size}).encode()
        tables = *sides[0].values(), *sides[1].values(), np.array(found, _OVERLAP).tobytes()
        return b"".join((len(head).to_bytes(_HEAD_BYTES, "big"), head, *tables))

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Undo :meth:`packed`. Raises ``ValueError``, ``LookupError`` or ``TypeError`` for what it did not give."""
        end = _HEAD_BYTES + int.from_bytes(packed[:_HEAD_BYTES], "big")
        head: dict[str, Any] = json.loads(packed[_HEAD_BYTES:end])
        sides: list[dict[bytes, Seen]] = []
        for lengths in head["blocks"]:
            sides.append({})
            for digest, length in lengths:
                seen = sides[-1][bytes.fromhex(digest)] = packed[end : end + length]
                if len(seen) != length or length % _SIGHTING.itemsize:
                    raise ValueError("what was seen in a block is cut off")
                end += length
        whole, page = sides
        found = np.frombuffer(packed[end:], _OVERLAP)
        size = head["size"]
        return cls(whole, page, None if size is None else (size[0], size[1]), dict(_overlaps(found)))


_NOTHING = (0,) * 11


def size_bytes(seen: Seen) -> int:
    """Tell how much room this takes in a :class:`Memory`, with its key and its place there."""
    return len(seen) + _PLACE_BYTES


def seen_of(sightings: Iterable[Sighting]) -> Seen:
    """Pack what was seen of a needle in a block: 40 bytes each."""
    return np.array(list(sightings), _SIGHTING).tobytes()


def sightings_in(seen: Seen) -> Iterator[Sighting]:
    """Undo :func:`seen_of`."""
    rows = np.frombuffer(seen, _SIGHTING)
    for number, agreeing, pose in zip(*(rows[name].tolist() for name in ("number", "agreeing", "pose")), strict=True):
        yield Sighting(number, agreeing, Pose(*pose))


def _overlaps(rows: NDArray[np.void]) -> Iterator[tuple[Compared, Overlap | None]]:
    for row in rows:
        is_there, *numbers = row["found"].tolist()
        ours, theirs = (cast(Box, tuple(numbers[first : first + 4])) for first in (0, 4))
        overlap = Overlap(ours, theirs, *numbers[8:]) if is_there else None
        yield (row["witness"].tobytes(), Pose(*row["pose"].tolist())), overlap


def remembered(packed: bytes | None) -> Memory:
    """Return what was packed; nothing where that cannot be read."""
    if packed is None:
        return Memory()
    try:
        return Memory.unpacked(packed)
    except (ValueError, LookupError, TypeError):
        return Memory()


def lacking(memories: Mapping[int, Mapping[bytes, Seen]], block: Block) -> list[int]:
    """List the needles that were not yet looked for in a block."""
    return [place for place, seen in memories.items() if block.digest not in seen]
