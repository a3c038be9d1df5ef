"""Bytes to a digest; knows nothing of files' names or of who reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from blake3 import blake3

DIGEST_BYTES = 32
_BLOCK_BYTES = 1 << 20


def digest(file: IO[bytes]) -> tuple[bytes, int]:
    """The 32-byte BLAKE3 digest of what is left to read of ``file``, and how many bytes that was.

    BLAKE3 (https://github.com/BLAKE3-team/BLAKE3-specs) is a cryptographic hash: equal digests mean equal bytes, also
    for files that somebody made to collide. One thread a file, because the pool already has one process a core.
    """
    hasher = blake3()
    buffer = bytearray(_BLOCK_BYTES)
    view = memoryview(buffer)
    length_bytes = 0
    while count := file.readinto(buffer):  # type: ignore[attr-defined]
        hasher.update(view[:count])
        length_bytes += count
    return hasher.digest(), length_bytes


def digest_of(parts: Iterable[bytes]) -> bytes:
    """The 32-byte BLAKE3 digest of these bytes in a row, cut where they may be."""
    hasher = blake3()
    for part in parts:
        hasher.update(part)
    return hasher.digest()
