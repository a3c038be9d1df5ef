"""Digests many small files in processes that are forked for it and end with it.

A small file takes 15 us, most of it in the interpreter, so that threads wait for each other. A process that is forked
has all entries already. It gives back a digest for each file that is as it was listed, before and after it was read;
whatever is not as usual gets none, and is left to who asks. A process that dies takes no more than its answers with it.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from struct import Struct
from typing import NamedTuple

from dupfind import forking
from dupfind.digest import DIGEST_BYTES, digest_bytes
from dupfind.forking import ForkedProcess
from dupfind.sources.entries import read_small
from dupfind.values import FileEntry

FEWEST = 2_000
"""With fewer files than this, forking takes as long as it saves."""
MOST_BYTES = 1 << 16
_BATCH_FILES = 512
_HEAD = Struct("=IQ")
"""Of an answer: the number of the batch, and when reading it began (``time.time_ns``). The digests follow."""
_DIGEST, _ONLY = Struct(f"{DIGEST_BYTES}s"), itemgetter(0)
_NOTHING = bytes(DIGEST_BYTES)
"""In the place of a digest: none was made. A file that really has this one is read in another way."""
_PIECE_BYTES = 1 << 20


class Batch(NamedTuple):
    """What was read of some files that follow each other."""

    first: int
    """The place of the first among all."""
    digests: list[bytes]
    """Of each file in their order; empty where none was made."""
    read_ns: int
    """When reading them began."""


def digest_small(
    entries: Sequence[FileEntry], processes: int, worked: Callable[[float], None] = lambda _: None
) -> Generator[Batch]:
    """Yield the digests of small files on disk, as batches are done; those of a process that died are left out.

    Only where :func:`~dupfind.forking.can_fork`. The processes end with the generator, whatever ends it. ``worked`` is
    told the processor time of each, in seconds.
    """
    batches = range(-(-len(entries) // _BATCH_FILES))
    readers: list[ForkedProcess] = []
    try:
        with selectors.DefaultSelector() as selector:
            for number in range(min(processes, len(batches))):
                reader = ForkedProcess()
                readers.append(reader)
                try:
                    reader.begin(partial(_read, entries, batches[number::processes]))
                except OSError:  # no more processes, or files: who asks reads what is left
                    break
                assert reader.pipe is not None
                selector.register(reader.pipe, selectors.EVENT_READ, (reader, bytearray()))
            while selector.get_map():
                for key, _ in selector.select():
                    reader, data = key.data
                    piece = os.read(key.fd, _PIECE_BYTES)
                    if piece:
                        data += piece
                        yield from _answers(data, len(entries))
                    else:
                        selector.unregister(key.fd)
                        worked(reader.end(forking.PATIENCE_SECONDS))
    finally:
        for reader in readers:
            reader.end()


def _answers(data: bytearray, files: int) -> Iterator[Batch]:
    """Take the batches from ``data`` that are there whole."""
    while len(data) >= _HEAD.size:
        number, read_ns = _HEAD.unpack_from(data)
        first = number * _BATCH_FILES
        end = _HEAD.size + DIGEST_BYTES * min(_BATCH_FILES, files - first)
        if len(data) < end:
            return
        digests = list(map(_ONLY, _DIGEST.iter_unpack(data[_HEAD.size : end])))
        del data[:end]
        if _NOTHING in digests:
            digests = [b"" if digest == _NOTHING else digest for digest in digests]
        yield Batch(first, digests, read_ns)


def _read(entries: Sequence[FileEntry], batches: Iterable[int], pipe: int) -> None:
    """Read the files of these batches, and answer."""
    for number in batches:
        read_ns = time.time_ns()
        some = entries[number * _BATCH_FILES : (number + 1) * _BATCH_FILES]
        forking.write(pipe, _HEAD.pack(number, read_ns) + b"".join(map(_digest, some)))


def _digest(entry: FileEntry) -> bytes:
    content = read_small(entry)
    return _NOTHING if content is None else digest_bytes(content)
