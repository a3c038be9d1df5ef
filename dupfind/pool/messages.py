"""Messages between this process and a worker: eight bytes that tell the length, then a pickle.

A message counts once all of it is there. What a process leaves behind that dies in the midst of one is never taken for
a result, and never waited for: its socket has an end.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from typing import IO, Any

_LENGTH = struct.Struct("!Q")


def packed(value: object) -> bytes:
    """Return ``value`` as a message; raises what pickle raises."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


def read(stream: IO[bytes]) -> bytes | None:
    """Return the pickle of the next message; None where the stream ends before the message does."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    data = stream.read(length)
    return data if len(data) == length else None


class Inbox:
    """Puts messages together from the pieces in which a socket gives them."""

    def __init__(self) -> None:
        self._data = bytearray()

    def take(self, piece: bytes) -> Iterator[Any]:
        """Yield the values that ``piece`` completes; raises what pickle raises where they make no sense."""
        self._data += piece
        while len(self._data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._data)
            end = _LENGTH.size + length
            if len(self._data) < end:
                return
            message = bytes(self._data[_LENGTH.size : end])
            del self._data[:end]
            yield pickle.loads(message)  # noqa: S301 - from a process that this one has started
