"""Choice of the best member of a group, and the reason for it; pure.

Most pixels; then what is there itself before a link that leads out of the folders, and both before what a catalog
only lists; then a time of capture, then a format without loss, then most metadata, then the oldest file, then the
shortest path, then the first by name. What is damaged is never better than what is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Rival(NamedTuple):
    """What counts of one file."""

    path: str
    """As the user would spell it."""
    mtime_ns: int
    size_pixels: int = 0
    is_damaged: bool = False
    has_time: bool = False
    """Whether it says when the picture was taken."""
    is_lossless: bool = False
    """Whether its format keeps every pixel as it was when it was saved."""
    is_listed: bool = False
    """Whether it was not seen: a catalog lists it."""
    leads_out: bool = False
    """Whether it is a link to what lies in none of the folders."""
    tags: int = 0
    """How many facts its metadata holds, as far as they were counted."""


_Key = Callable[[Rival], tuple[int | str, ...]]
_CRITERIA: tuple[tuple[str, _Key], ...] = (
    ("the others are damaged", lambda rival: (rival.is_damaged,)),
    ("most pixels", lambda rival: (-rival.size_pixels,)),
    ("the others are only listed", lambda rival: (rival.is_listed,)),
    ("the others lead out of the folders", lambda rival: (rival.leads_out,)),
    ("most metadata", lambda rival: (not rival.has_time,)),
    ("lossless format", lambda rival: (not rival.is_lossless,)),
    ("most metadata", lambda rival: (-rival.tags,)),
    ("oldest", lambda rival: (rival.mtime_ns,)),
    ("shortest path", lambda rival: (len(rival.path),)),
    ("first by name", lambda rival: (rival.path,)),
)
_BEFORE_TAGS = _CRITERIA[:6]
LOSSLESS = frozenset({"BMP", "DIB", "PNG", "PPM", "PSD", "TIFF"})
"""Formats, as Pillow names them, in which pixels are kept as they are, or nearly always: a TIFF may hold a JPEG. What
may be either (WebP, JPEG 2000, HEIF, AVIF, JPEG XL) does not count as one, nor does GIF, which has 256 colours."""
OUTDONE = "the others hold less"
"""Where another ranks higher and is a worse copy: compressed harder, blurred, without the layers."""


def rank(rival: Rival) -> tuple[tuple[int | str, ...], ...]:
    """Make the key that sorts the better file first; no two files are equal."""
    return tuple(key(rival) for _, key in _CRITERIA)


def are_tied(rival: Rival, next_best: Rival) -> bool:
    """Tell whether it takes the number of tags, or what comes after it, to tell which of the two is better."""
    return all(key(rival) == key(next_best) for _, key in _BEFORE_TAGS)


def why(best: Rival, rivals: Sequence[Rival]) -> str:
    """Name the criterion that left ``best`` alone.

    >>> why(Rival("b", 5, 12), [Rival("a", 3, 9), Rival("c", 7, 12)])
    'oldest'
    """
    left = list(rivals)
    for words, key in _CRITERIA:
        if any(key(rival) < key(best) for rival in left):
            return OUTDONE
        left = [rival for rival in left if key(rival) == key(best)]
        if not left:
            return words
    return _CRITERIA[-1][0]
