"""The first stage of proof: equal bytes. Reads only files whose size occurs on both sides."""

from __future__ import annotations

from collections.abc import Sequence

from dupfind.reading import Reader
from dupfind.values import Failure, FileEntry


def find_identical(
    needles: Sequence[FileEntry],
    haystack: Sequence[FileEntry],
    reader: Reader,
) -> tuple[dict[str, FileEntry], dict[str, Failure], dict[str, bytes | Failure]]:
    """Return the needles with an equal in the haystack, by path, the files on either side that could not be read,
    and all that the reading of files gave.

    Only files whose size occurs on both sides are read. Of several equals the lowest path is the witness,
    and one that can be read comes before one that only a catalog lists. An empty file proves nothing; empty needles are
    read all the same, so that what gives bytes, or cannot be read, is no empty file but a failure.
    """
    haystack_sizes = {entry.size_bytes for entry in haystack}
    asked = [entry for entry in needles if entry.size_bytes in haystack_sizes or entry.size_bytes == 0]
    sizes = {entry.size_bytes for entry in asked} - {0}
    twins = [entry for entry in haystack if entry.size_bytes in sizes]
    digests = reader.digests([*asked, *twins])
    witnesses: dict[bytes, FileEntry] = {}
    for entry in twins:
        digest = digests[entry.path]
        if isinstance(digest, bytes) and (other := witnesses.setdefault(digest, entry)) is not entry:
            witnesses[digest] = min(other, entry, key=lambda twin: (not twin.can_be_read, twin.path))
    identical = {}
    for entry in asked:
        digest = digests[entry.path]
        if isinstance(digest, bytes) and digest in witnesses:
            identical[entry.path] = witnesses[digest]
    failures = {path: digest for path, digest in digests.items() if isinstance(digest, Failure)}
    return identical, failures, digests
