"""Bytes to a digest; knows nothing of files' names or of who reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

from blake3 import blake3

Piece = bytes | memoryview

DIGEST_BYTES = 32
_BLOCK_BYTES = 1 << 20
_SPARE: list[memoryview] = []
"""Buffers that no file is read into now, one for each thread that has read: a new one is filled with zeros first."""
_BEFORE_BYTES = 240
"""Left free before a buffer. Large memory begins 16 bytes into a page, and to copy pages of a file just there takes so
long that reading and hashing them takes a quarter more: what is read looks to the core like what it has just written.
"""


def digest(file: IO[bytes]) -> tuple[bytes, int]:
    """Digest what is left to read of ``file`` to the 32 bytes of BLAKE3; also gives how many bytes that was.

    BLAKE3 (https://github.com/BLAKE3-team/BLAKE3-specs) is a cryptographic hash: equal digests mean equal bytes, also
    for files that somebody made to collide. One thread a file, because the pool already has one process a core.
    """
    return digest_blocks(read_blocks(file))


def read_blocks(file: IO[bytes]) -> Iterator[memoryview]:
    """Yield what is left to read of ``file`` in blocks of up to 1 MiB, each of which the next one overwrites."""
    try:
        buffer = _SPARE.pop()
    except IndexError:
        buffer = memoryview(bytearray(_BEFORE_BYTES + _BLOCK_BYTES))[_BEFORE_BYTES:]
    try:
        while count := file.readinto(buffer):  # type: ignore[attr-defined]
            yield buffer[:count]
    finally:
        _SPARE.append(buffer)


def digest_blocks(blocks: Iterable[Piece]) -> tuple[bytes, int]:
    """Make the same digest of bytes as they come; also gives how many they were."""
    hasher = blake3()
    length_bytes = 0
    for block in blocks:
        hasher.update(block)
        length_bytes += len(block)
    return hasher.digest(), length_bytes


def digest_of(parts: Iterable[Piece]) -> bytes:
    """Digest these bytes in a row to the 32 bytes of BLAKE3, cut where they may be."""
    hasher = blake3()
    for part in parts:
        hasher.update(part)
    return hasher.digest()


def digest_bytes(content: bytes) -> bytes:
    """Digest these bytes to the 32 bytes of BLAKE3."""
    return blake3(content).digest()


class RunningDigest:
    """Makes the same digest of bytes as they come."""

    def __init__(self) -> None:
        self._hasher = blake3()

    def add(self, piece: Piece) -> None:
        """Take the next piece in."""
        self._hasher.update(piece)

    def value(self) -> bytes:
        """Return the digest of all that came, 32 bytes."""
        return self._hasher.digest()
