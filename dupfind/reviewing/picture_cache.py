"""Pictures that were made for the page, the last used first, in so many bytes at most."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple


class Wanted(NamedTuple):
    """A picture that the page asks for."""

    number: int
    """Of the file."""
    is_full: bool
    """At its own size, not as a preview."""
    era: int = 0
    """Of which scan the number is: after something was imported or moved away, files are looked at anew."""


class PictureCache:
    """Bounded by the bytes of the pictures; what is larger than a quarter of that is not kept."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._pictures: OrderedDict[Wanted, bytes] = OrderedDict()
        self.size_bytes = 0

    def get(self, wanted: Wanted) -> bytes | None:
        """Return the picture where it is kept, which counts as used."""
        picture = self._pictures.get(wanted)
        if picture is not None:
            self._pictures.move_to_end(wanted)
        return picture

    def keep(self, wanted: Wanted, picture: bytes) -> None:
        """Keep a picture, and let go of those that were not used for longest."""
        if len(picture) > self._most_bytes // 4:
            return
        self.size_bytes += len(picture) - len(self._pictures.pop(wanted, b""))
        self._pictures[wanted] = picture
        while self.size_bytes > self._most_bytes:
            self.size_bytes -= len(self._pictures.popitem(last=False)[1])
