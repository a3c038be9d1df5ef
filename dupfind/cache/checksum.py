"""Checksums of the rows of the cache, called seals: 32 bits that show a row to be what was written. Pure.

SQLite checks the shape of its pages and not what stands in them, so a bit that a disk or a memory lost would be taken
for what was read of a file. A seal covers what a row says and what it says it of: the state of the file or the ids of
the pictures, and the recipe by its text, since numbers of rows may go wrong as well. CRC-32 finds every change of up to
32 bits in a row, and all but one in four billion of the others; it is no defence against somebody who may write to the
file, which :mod:`dupfind.cache.permissions` is.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct, error
from typing import Any
from zlib import crc32

from dupfind.cache.cache_schema import Pair, PictureRef
from dupfind.digest import DIGEST_BYTES
from dupfind.values import Failure, FileEntry

SEAL_BYTES = 4

_OTHER_TYPES = (error, OverflowError, TypeError, ValueError)
"""What comes of a row in which even the kinds of values are not what they were."""
_STATE = Struct("<qqqQ").pack
_STATE_AND_PICTURE = Struct("<qqqQqq").pack
_PAIR = Struct("<qqqd?").pack
_PICTURE = Struct("<q").pack


def of_text(text: str) -> int:
    """Return the number that a recipe adds to the seals of all rows that were made by it."""
    return crc32(text.encode())


def sealed_digest(entry: FileEntry, digest: bytes) -> bytes:
    """Return a digest and its seal, as they are stored."""
    return digest + crc32(digest, crc32(_STATE(*entry[1:]))).to_bytes(SEAL_BYTES, "big")


def digest_in(entry: FileEntry, stored: bytes) -> bytes | None:
    """Return the digest of ``entry``, or None where what is stored is not what was."""
    try:
        digest = stored[:DIGEST_BYTES]
        return digest if stored == sealed_digest(entry, digest) else None
    except _OTHER_TYPES:
        return None


def sealed_image_data(entry: FileEntry, digest: bytes, recipe: int) -> bytes:
    """Return a digest of image data, empty for a file that has none, and its seal, as they are stored."""
    return digest + crc32(digest, crc32(_STATE(*entry[1:]), recipe)).to_bytes(SEAL_BYTES, "big")


def image_data_in(entry: FileEntry, stored: bytes, recipe: int) -> bytes | None:
    """Return the digest of image data of ``entry``, or None where what is stored is not what was."""
    try:
        digest = stored[:-SEAL_BYTES]
        return digest if stored == sealed_image_data(entry, digest, recipe) else None
    except _OTHER_TYPES:
        return None


def of_content(entry: FileEntry, content: PictureRef | Failure, recipe: int) -> int:
    """Return the seal of what decoding a file gave; ``recipe`` is what :func:`of_text` gives of it."""
    if isinstance(content, Failure):
        return crc32(_encoded(f"{content.is_image:d} {content.reason}"), crc32(_STATE(*entry[1:]), recipe))
    return crc32(_STATE_AND_PICTURE(*entry[1:], *content), recipe)


def is_of_content(entry: FileEntry, content: PictureRef | Failure, recipe: int, seal: object) -> bool:
    """Tell whether what a row says that decoding ``entry`` gave is what was stored."""
    try:
        return seal == of_content(entry, content, recipe)
    except _OTHER_TYPES:
        return False


def of_whole(entry: FileEntry, picture: int | None, failure: str | None, recipe: int) -> int:
    """Return the seal of what reading a file whole gave."""
    return crc32(_encoded(f"{picture} {failure}"), crc32(_STATE(*entry[1:]), recipe))


def is_of_whole(entry: FileEntry, picture: int | None, failure: str | None, recipe: int, seal: object) -> bool:
    """Tell whether that is what was stored."""
    return seal == of_whole(entry, picture, failure, recipe)


def sealed_hashes(picture: int, hashes: bytes, algorithm: int) -> bytes:
    """Return the hashes of a thumbnail and their seal, as they are stored."""
    return hashes + crc32(hashes, crc32(_PICTURE(picture), algorithm)).to_bytes(SEAL_BYTES, "big")


def hashes_in(picture: int, stored: bytes, algorithm: int) -> bytes | None:
    """Return the hashes of a thumbnail, or None where what is stored is not what was."""
    try:
        hashes = stored[:-SEAL_BYTES]
        return hashes if stored == sealed_hashes(picture, hashes, algorithm) else None
    except _OTHER_TYPES:
        return None


def of_judgement(pair: Pair, row: Sequence[Any], rules: int) -> int:
    """Return the seal of how a pair was judged; ``row`` are its columns, the reason as text."""
    evidence, reason, is_last, closeness = row
    return crc32(_encoded(f"{evidence} {reason}"), crc32(_PAIR(*pair, closeness, is_last), rules))


def is_of_judgement(pair: Pair, row: Sequence[Any], rules: int, seal: object) -> bool:
    """Tell whether ``row``, the columns of a judgement as they were read, is what was stored."""
    try:
        return seal == of_judgement(pair, row, rules)
    except _OTHER_TYPES:
        return False


def of_comparison(needle: bytes, witness: bytes, orientation: int, objection: Sequence[str | None], recipe: int) -> int:
    """Return the seal of what comparing two files at full size gave."""
    # As text: the code is a member of an enumeration before it was stored and a plain word afterwards.
    words = [None if word is None else str(word) for word in objection]
    return crc32(_encoded(f"{orientation} {words}"), crc32(needle + witness, recipe))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
