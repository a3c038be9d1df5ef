"""Bytes to a digest; knows nothing of files' names or of who reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from blake3 import blake3

Piece = bytes | memoryview

DIGEST_BYTES = 32
_BLOCK_BYTES = 1 << 20


def digest(file: IO[bytes], expected_bytes: int | None = None) -> tuple[bytes, int]:
    """Digest what is left to read of ``file`` to the 32 bytes of BLAKE3; also gives how many bytes that was.

    ``expected_bytes`` is how many it may be: for a small file a large buffer costs more than the hash.

    BLAKE3 (https://github.com/BLAKE3-team/BLAKE3-specs) is a cryptographic hash: equal digests mean equal bytes, also
    for files that somebody made to collide. One thread a file, because the pool already has one process a core.
    """
    hasher = blake3()
    most_bytes = _BLOCK_BYTES if expected_bytes is None else min(_BLOCK_BYTES, expected_bytes + 1)
    buffer = bytearray(most_bytes)
    view = memoryview(buffer)
    length_bytes = 0
    while count := file.readinto(buffer):  # type: ignore[attr-defined]
        hasher.update(view[:count])
        length_bytes += count
    return hasher.digest(), length_bytes


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
