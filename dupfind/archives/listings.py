"""What an archive holds, as the cache keeps it from run to run, so that it is not unpacked to be listed again; pure."""

from __future__ import annotations

import json
import zlib
from typing import NamedTuple

from dupfind.archives.contents import Contents, Member, Trouble

_MOST_BYTES = 8 << 20
"""What is kept of one archive, packed; one of 100,000 members takes some three."""
_MOST_PLAIN_BYTES = 128 << 20
_LEVEL = 1


class Listed(NamedTuple):
    """What listing an archive gave."""

    contents: Contents
    unpacked_bytes: int | None
    """How many bytes it unpacks to; None where it is read where it lies."""
    left_behind: dict[int, bool]
    """By the number of a member, where that took a look at its content: whether it is what a system leaves behind."""


def packed(listed: Listed) -> bytes | None:
    """Pack it; gives None where that is too much to be kept."""
    parts = {
        "members": listed.contents.members,
        "troubles": listed.contents.troubles,
        "unpacked": listed.unpacked_bytes,
        "left": list(listed.left_behind.items()),
    }
    plain = json.dumps(parts, separators=(",", ":")).encode("ascii")
    data = zlib.compress(plain, _LEVEL)
    return data if len(plain) <= _MOST_PLAIN_BYTES and len(data) <= _MOST_BYTES else None


def unpacked(data: bytes) -> Listed:
    """Return what :func:`packed` was given; ``data`` is what it gave, which is for the cache to see."""
    parts = json.loads(zlib.decompress(data))
    contents = Contents([Member(*member) for member in parts["members"]], [Trouble(*row) for row in parts["troubles"]])
    return Listed(contents, parts["unpacked"], dict(map(tuple, parts["left"])))
