"""What a walk leaves out, told of files that are listed by their paths: members of archives, objects of buckets.

Paths are below the archive or the root, divided by slashes. The rules are those of a walk, which asks them of one
folder after the other (:mod:`dupfind.sources.walk`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from dupfind.sources.ignore import (
    EXCLUDED,
    Excludes,
    is_junk_file,
    is_junk_folder,
    may_be_appledouble,
    why_file_not_trusted,
    why_folder_not_trusted,
)
from dupfind.sources.junk_names import guards_of, is_left_over
from dupfind.sources.left_overs import HEAD_BYTES, holds_appledouble
from dupfind.sources.photo_library import why_packed_library_not_trusted


def is_junk_path(below: str, *, is_haystack: bool) -> bool:
    """Tell whether a file is ignored on this side by its name, or by that of a folder around it.

    >>> is_junk_path("a/@eaDir/b.jpg", is_haystack=True), is_junk_path("a/@eaDir/b.jpg", is_haystack=False)
    (True, False)
    """
    *folders, name = below.split("/")
    return is_junk_file(name) or any(is_junk_folder(folder, is_haystack=is_haystack) for folder in folders)


def is_left_behind(below: str, size_bytes: int, filled: Collection[str], head: Callable[[int], bytes]) -> bool:
    """Tell whether a file is what a system, a camera or a drive leaves behind, to go by its content as well.

    ``filled`` are the paths of all files that are not empty, in lower case; ``head`` reads so many bytes of this one,
    and gives nothing where it cannot be read.
    """
    folder, _, low = below.lower().rpartition("/")
    above, _, parent = folder.rpartition("/")
    if may_be_appledouble(below.rpartition("/")[2]) and holds_appledouble(head(HEAD_BYTES), size_bytes):
        return True
    return any(
        is_left_over(
            rule,
            low.rpartition(".")[0],
            size_bytes,
            lambda name: (f"{folder}/{name}" if folder else name) in filled,
            head,
        )
        for rule in guards_of(low, parent, above.rpartition("/")[2])
    )


def why_path_excluded(below: str, excludes: Excludes, around: str | None = None) -> str | None:
    """Tell by which pattern a file, or a folder around it, is excluded; None where it is not.

    Patterns know the file by its path below the root: ``around`` is the way from there to what it lies in, if any.
    """
    parts = below.split("/")
    start = [] if around is None else [around]
    for end in range(1, len(parts) + 1) if excludes else ():
        pattern = excludes.matching("/".join([*start, *parts[:end]]), parts[end - 1])
        if pattern is not None:
            return f"{EXCLUDED} {pattern}"
    return None


def why_path_not_trusted(below: str) -> str | None:
    """Tell why a file of the haystack can prove nothing, to go by the names on the way to it; None where it may.

    >>> why_path_not_trusted("2019/a.jpg") is None, why_path_not_trusted(".Trash-1000/files/a.jpg") is None
    (True, False)
    """
    *folders, name = below.split("/")
    library = why_packed_library_not_trusted(folders)
    reasons = (*map(why_folder_not_trusted, folders), why_file_not_trusted(name), library)
    return next((reason for reason in reasons if reason), None)
