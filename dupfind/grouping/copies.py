"""Exact copies within one collection: files of equal size and equal digest, whatever they hold.

Files that hold nothing are no copies of each other: none of them is worth a look, and deleting them frees nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from dupfind.reading import Reader
from dupfind.values import Failure, FileEntry


def find_copies(entries: Sequence[FileEntry], reader: Reader) -> tuple[list[list[FileEntry]], dict[str, Failure]]:
    """Every set of two and more equal files, in the order of ``entries``, and by path the files that gave no digest.

    Only files of which another has the same size are read.
    """
    by_size: dict[int, int] = {}
    for entry in entries:
        by_size[entry.size_bytes] = by_size.get(entry.size_bytes, 0) + 1
    asked = [entry for entry in entries if entry.size_bytes and by_size[entry.size_bytes] > 1]
    digests = reader.digests(asked)
    equal: dict[tuple[int, bytes], list[FileEntry]] = {}
    failures: dict[str, Failure] = {}
    for entry in asked:
        digest = digests[entry.path]
        if isinstance(digest, Failure):
            failures[entry.path] = digest
        else:
            equal.setdefault((entry.size_bytes, digest), []).append(entry)
    return [some for some in equal.values() if len(some) > 1], failures
