"""Requests and bytes of a run, counted by each process that makes them, and added up at the end.

Each process keeps its numbers in a small file of its own in a private folder, written over in place: what was asked for
before a process died is counted as well.
"""

from __future__ import annotations

import os
import struct
import threading
from contextlib import suppress
from typing import NamedTuple

from dupfind.private_folder import PrivateFolder

_NUMBERS = struct.Struct("<QQ")


class Traffic(NamedTuple):
    """How much went over the network."""

    requests: int
    bytes_read: int
    """Of objects; what a server says of itself and of listings is not counted."""


class Counter:
    """Counts in this process, in the file that it has in ``folder``."""

    def __init__(self, folder: str) -> None:
        self._lock = threading.Lock()
        self._path = os.path.join(folder, str(os.getpid()))
        self._sum = _read(self._path)  # of an earlier process of this number

    def __call__(self, requests: int, bytes_read: int) -> None:
        """Add to what was counted; without a place to write to it is not told of."""
        with self._lock:
            self._sum = Traffic(self._sum.requests + requests, self._sum.bytes_read + bytes_read)
            with suppress(OSError), open(self._path, "wb", buffering=0) as file:
                file.write(_NUMBERS.pack(*self._sum))


class Counts:
    """The private folder of one source, and the sum of all that is in it."""

    def __init__(self) -> None:
        self._private = PrivateFolder()  # held: it goes when nobody refers to it
        self.folder, self.remove = self._private.path, self._private.remove

    def total(self) -> Traffic:
        """Return what all processes have counted by now."""
        counted = [_read(os.path.join(self.folder, name)) for name in os.listdir(self.folder)]
        return Traffic(sum(each.requests for each in counted), sum(each.bytes_read for each in counted))


def _read(path: str) -> Traffic:
    try:
        with open(path, "rb") as file:
            return Traffic(*_NUMBERS.unpack(file.read(_NUMBERS.size)))
    except (OSError, struct.error):
        return Traffic(0, 0)
