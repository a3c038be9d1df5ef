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

RECIPE = 1
"""Version of how pictures are searched for parts, block by block. Raise it with every change that can alter a
finding."""
MOST_PICTURES = 4096
"""Of a block: their marks take 16 MB, the two dictionaries of them 80."""
_USUAL_PICTURES, _SPARE_PICTURES = 2048, 256
_DIGEST_BYTES = 16
_HEAD_BYTES = 4
_SIGHTING = np.dtype([("block", "<u4"), ("number", "<u4"), ("agreeing", "<u4"), ("pose", "<f8", (4,))])
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

    whole: dict[bytes, list[Sighting]] = field(default_factory=dict)
    """By the digest of a block, what was seen there by the marks of the whole needle."""
    page: dict[bytes, list[Sighting]] = field(default_factory=dict)
    """Likewise, by the many marks of a needle that may show several pictures."""
    page_size: tuple[int, int] | None = None
    """Width and height of that, in pixels of its marks; None where it was not described so."""
    overlaps: dict[Compared, Overlap | None] = field(default_factory=dict)
    """What needle and witness have in common, of pairs that were compared."""

    def packed(self, digests: Collection[bytes]) -> bytes:
        """Return what is known about these blocks, and all comparisons with pictures that were seen there, as bytes."""
        sides = [{key: seen for key, seen in side.items() if key in digests} for side in (self.whole, self.page)]
        size = list(self.page_size) if self.page_size and sides[1] else None
        head = {"blocks": [[digest.hex() for digest in side] for side in sides], "size": size}
        rows = [
            (block, seen.number, seen.agreeing, seen.pose)
            for side in sides
            for block, sightings in enumerate(side.values())
            for seen in sightings
        ]
        head["lengths"] = [sum(map(len, side.values())) for side in sides]
        found = [
            (tuple(witness), pose, _NOTHING if overlap is None else (1, *overlap.ours, *overlap.theirs, *overlap[2:]))
            for (witness, pose), overlap in self.overlaps.items()
        ]
        text = json.dumps(head).encode()
        tables = np.array(rows, _SIGHTING).tobytes() + np.array(found, _OVERLAP).tobytes()
        return len(text).to_bytes(_HEAD_BYTES, "big") + text + tables

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """Undo :meth:`packed`. Raises ``ValueError``, ``LookupError`` or ``TypeError`` for what it did not give."""
        end = _HEAD_BYTES + int.from_bytes(packed[:_HEAD_BYTES], "big")
        head: dict[str, Any] = json.loads(packed[_HEAD_BYTES:end])
        lengths: list[int] = head["lengths"]
        rows = np.frombuffer(packed, _SIGHTING, sum(lengths), end)
        found = np.frombuffer(packed[end + rows.nbytes :], _OVERLAP)
        digests = [list(map(bytes.fromhex, side)) for side in head["blocks"]]
        whole, page = _sightings(digests[0], rows[: lengths[0]]), _sightings(digests[1], rows[lengths[0] :])
        size = head["size"]
        return cls(whole, page, None if size is None else (size[0], size[1]), dict(_overlaps(found)))


_NOTHING = (0,) * 11


def _sightings(digests: Sequence[bytes], rows: NDArray[np.void]) -> dict[bytes, list[Sighting]]:
    seen: dict[bytes, list[Sighting]] = {digest: [] for digest in digests}
    columns = (rows[name].tolist() for name in ("block", "number", "agreeing", "pose"))
    for block, number, agreeing, pose in zip(*columns, strict=True):
        seen[digests[block]].append(Sighting(number, agreeing, Pose(*pose)))
    return seen


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


def lacking(memories: Mapping[int, dict[bytes, list[Sighting]]], block: Block) -> list[int]:
    """List the needles that were not yet looked for in a block."""
    return [place for place, seen in memories.items() if block.digest not in seen]
