"""What a picture file shows in small, and when it was taken: read of its embedded preview, for the order of the work.

A plain picklable function, as in :mod:`dupfind.pool.tasks`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import IO, NamedTuple

from dupfind.pool.tasks import Outcome, decoded, outcome_of
from dupfind.pool.time_limit import TimeLimit
from dupfind.values import Failure, FileEntry

NONE = b""
"""What is kept of a file without a preview that can be used."""
LEAST_FILE_BYTES = 1 << 18
"""Of a smaller file the decode takes 2 to 6 ms, the preview 1."""
USUAL_BYTES = 1 << 15
"""What is read of a file, about."""
_PACKED = struct.Struct(">QQ")


class FirstLook(NamedTuple):
    """What is known of a picture by its preview."""

    hash: int
    """The search hash of the preview, upright: 64 bits."""
    size_pixels: int
    """Of the picture."""
    captured: str | None
    """As in a :class:`~dupfind.values.Thumbnail`."""

    def packed(self) -> bytes:
        """Return it as bytes."""
        return _PACKED.pack(self.hash, self.size_pixels) + (self.captured or "").encode()


def unpacked(packed: bytes) -> FirstLook | None:
    """Return what :meth:`FirstLook.packed` gave; None for :data:`NONE`.

    >>> unpacked(FirstLook(7, 12_000_000, "2017:07:18 15:31:30").packed())
    FirstLook(hash=7, size_pixels=12000000, captured='2017:07:18 15:31:30')
    """
    if packed == NONE:
        return None
    search_hash, size_pixels = _PACKED.unpack_from(packed)
    return FirstLook(search_hash, size_pixels, packed[_PACKED.size :].decode() or None)


def read_first_looks(entries: Sequence[FileEntry], algorithm: str, timeout_seconds: float) -> list[Outcome]:
    """Read the preview of each file, packed; :data:`NONE` where it has none, and why it could not be read this time."""
    from dupfind.evidence.fingerprint import packed_hashes
    from dupfind.pictures.embedded_preview import read_preview

    def look(file: IO[bytes]) -> bytes:
        preview = read_preview(file)
        if preview is None:
            return NONE
        (packed,) = packed_hashes([preview.pixels], algorithm, 1)
        return FirstLook(int.from_bytes(packed, "big"), preview.size_pixels, preview.captured).packed()

    def look_at(file: IO[bytes], _: FileEntry) -> bytes | Failure:
        return decoded(lambda: look(file), limit, timeout_seconds)

    with TimeLimit(timeout_seconds) as limit:
        return [outcome_of(entry, look_at, "thumbnail") for entry in entries]
