"""Digests of the image data of files, as plain picklable functions that take a list and give a list."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import IO

from dupfind.pool.tasks import Outcome, ReadError, decoded, opened
from dupfind.pool.time_limit import TimeLimit
from dupfind.values import Failure, FileEntry

NONE = b""
"""In the place of a digest: the file has none that could be relied on."""
_STAGE = "image data"


def read_image_data(
    entries: Sequence[FileEntry],
    max_pixels: int,
    timeout_seconds: float,
    prepare: Callable[[IO[bytes]], None] = lambda _: None,
) -> list[Outcome]:
    """Digest the image data of each file; ``prepare`` is told of each file before it is read."""
    from dupfind.pictures import decode, image_data

    def read_one(entry: FileEntry) -> Outcome:
        read_ns = time.time_ns()
        try:
            with opened(entry, _STAGE) as file:
                prepare(file)

                def read() -> bytes:
                    with decode.in_plain_words(file):
                        return image_data.read_digest(file, max_pixels) or NONE

                result: bytes | Failure = decoded(read, limit, timeout_seconds)
        except ReadError as error:
            result = error.failure
        return Outcome(result, read_ns)

    with TimeLimit(timeout_seconds) as limit:
        return [read_one(entry) for entry in entries]
