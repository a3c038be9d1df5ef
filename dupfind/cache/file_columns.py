"""Files as columns: the paths as one text, and each number as an array; made once a run, digested and compared whole.

What is done for each of a hundred thousand files is done in C then, and where nothing has changed it is a comparison of
memory. Columns take 100 bytes a file, so nobody keeps them beyond the beginning of a run. Pure.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import compress, count
from operator import ne
from typing import NamedTuple

from dupfind.cache.cache_schema import FS_CODEC
from dupfind.values import FILE_CODES, FileEntry

_BATCH = 1 << 10
"""Files whose columns are made, or compared, at once: while they are small, all of it stays near the processor."""


class Columns(NamedTuple):
    """What a file is known by, of each file of one side in order."""

    text: bytes | bytearray
    """The paths, as the system has them, with a NUL between two: no path holds one."""
    states: tuple[array[int], ...]
    """Sizes, mtimes, ctimes and inodes."""


Sides = tuple[Columns, Columns]
"""Needles and haystack."""


def in_columns(entries: Sequence[FileEntry]) -> Columns:
    """Return the columns of files; raises ``OverflowError`` where a time does not fit into 64 bits."""
    text = bytearray()
    states: tuple[array[int], ...] = tuple(array(code) for code in FILE_CODES)
    for start in range(0, len(entries), _BATCH):
        paths, *columns = zip(*entries[start : start + _BATCH], strict=True)
        text += b"\0" * bool(text) + "\0".join(paths).encode(*FS_CODEC)
        for state, column in zip(states, columns, strict=True):
            state.fromlist(list(column))
    return Columns(text, states)


def sides_in_columns(needles: Sequence[FileEntry], haystack: Sequence[FileEntry]) -> Sides | None:
    """Return the columns of both sides; None where a time does not fit into 64 bits: nothing is remembered then."""
    try:
        return in_columns(needles), in_columns(haystack)
    except OverflowError:
        return None


def paths_of(text: bytes | bytearray) -> list[str]:
    """Take paths apart again."""
    return text.decode(*FS_CODEC).split("\0") if text else []


def differing(before: Sequence[array[int]], now: Sequence[array[int]]) -> Iterator[int]:
    """Yield the places at which columns differ, each perhaps more than once; all are of one length."""
    for old, new in zip(before, now, strict=True):
        if old == new:
            continue
        for start in range(0, len(old), _BATCH):
            few, others = old[start : start + _BATCH], new[start : start + _BATCH]
            if few != others:
                yield from compress(count(start), map(ne, few, others))
