"""The thumbnails of a few files that the user named, none of them coarse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dupfind.cache.cache_schema import PictureRef
from dupfind.run import Reading
from dupfind.values import Failure, FileEntry, Thumbnail


class Whole(NamedTuple):
    """A picture of which the whole file was read."""

    ref: PictureRef
    """How its thumbnail is found in the cache."""
    thumbnail: Thumbnail


def read_whole(entries: Sequence[FileEntry], what: str, run: Reading) -> dict[str, Whole | Failure]:
    """The thumbnail of each of ``entries``, or why it has none, by path; ``what`` is said to be done meanwhile.

    All are kept in memory, 5 kB each: for thousands, not for a collection.
    """
    reader, cache = run.reader, run.cache
    pictures = reader.pictures(entries, what, 1)
    found: dict[str, Whole | Failure] = dict(pictures.failures)
    thumbnails = cache.thumbnails(list({ref.id for ref in pictures.refs}))
    coarse = []
    for entry, ref in zip(pictures.entries, pictures.refs, strict=True):
        if thumbnails[ref.id].is_coarse:
            coarse.append(entry)
        else:
            found[entry.path] = Whole(ref, thumbnails[ref.id])
    contents = reader.wholes(coarse) if coarse else {}
    refs = {path: content for path, content in contents.items() if isinstance(content, PictureRef)}
    thumbnails = cache.thumbnails(list({ref.id for ref in refs.values()}))
    for path, content in contents.items():
        found[path] = content if isinstance(content, Failure) else Whole(content, thumbnails[content.id])
    return found
