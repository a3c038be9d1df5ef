"""Digests many small files in processes that are forked for it and end with it; only on Linux.

A small file takes 15 us, most of it in the interpreter, so that threads wait for each other. A process that is forked
has all entries already. It gives back a digest for each file that is as it was listed, before and after it was read;
whatever is not as usual gets none, and is left to who asks. A process that dies takes no more than its answers with it.

Nothing here runs decoders: what a forked process does is opening, looking, reading and hashing.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from struct import Struct
from typing import NamedTuple, NoReturn

from dupfind.digest import DIGEST_BYTES, digest_bytes
from dupfind.pool.worker import TERMINAL_SIGNALS
from dupfind.sources.entries import read_small
from dupfind.values import FileEntry

FEWEST = 2_000
"""With fewer files than this, forking takes as long as it saves."""
MOST_BYTES = 1 << 16
_BATCH_FILES = 512
_HEAD = Struct("=IQ")
"""Of an answer: the number of the batch, and when reading it began (``time.time_ns``). The digests follow."""
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


class _Reader:
    """A process that was forked, and what came of it that is not whole yet."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.data = bytearray()
        self.has_ended = False


def can_fork() -> bool:
    """Tell whether this process may be forked: a lock that another thread holds would stay closed for ever."""
    try:
        return sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def digest_small(
    entries: Sequence[FileEntry], processes: int, worked: Callable[[float], None] = lambda _: None
) -> Generator[Batch]:
    """Yield the digests of small files on disk, as batches are done; those of a process that died are left out.

    Only where :func:`can_fork`. The processes end with the generator, whatever ends it. ``worked`` is told the
    processor time of each, in seconds.
    """
    batches = range(-(-len(entries) // _BATCH_FILES))
    readers: dict[int, _Reader] = {}
    try:
        with selectors.DefaultSelector() as selector:
            for number in range(min(processes, len(batches))):
                try:
                    pipe = _fork(entries, batches[number::processes], readers)
                except OSError:  # no more processes, or files: who asks reads what is left
                    break
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    reader = readers[key.fd]
                    piece = os.read(key.fd, _PIECE_BYTES)
                    if not piece:
                        selector.unregister(key.fd)
                        reader.has_ended = True
                    reader.data += piece
                    yield from _answers(reader.data, len(entries))
    finally:
        for pipe, reader in readers.items():
            worked(_end(pipe, reader))


def _answers(data: bytearray, files: int) -> Iterator[Batch]:
    """Take the batches from ``data`` that are there whole."""
    while len(data) >= _HEAD.size:
        number, read_ns = _HEAD.unpack_from(data)
        first = number * _BATCH_FILES
        end = _HEAD.size + DIGEST_BYTES * min(_BATCH_FILES, files - first)
        if len(data) < end:
            return
        digests = [bytes(data[place : place + DIGEST_BYTES]) for place in range(_HEAD.size, end, DIGEST_BYTES)]
        del data[:end]
        yield Batch(first, [b"" if digest == _NOTHING else digest for digest in digests], read_ns)


def _fork(entries: Sequence[FileEntry], batches: Iterable[int], readers: dict[int, _Reader]) -> int:
    """Fork a process that reads these batches, and add it to ``readers`` by the pipe of its answers, which is returned.

    Raises ``OSError``.
    """
    # A stop may neither come between the process and its place in the list, nor be answered in the process, which would
    # write and close what is its parent's.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL_SIGNALS)
    try:
        pipe, its_pipe = os.pipe()
        try:
            pid = os.fork()
        except OSError:
            os.close(pipe)
            os.close(its_pipe)
            raise
        if pid == 0:
            _become_reader(entries, batches, its_pipe, (pipe, *readers))
        readers[pipe] = _Reader(pid)
        os.close(its_pipe)
        return pipe
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _become_reader(entries: Sequence[FileEntry], batches: Iterable[int], pipe: int, others: Iterable[int]) -> NoReturn:
    """Read, answer and end; at the latest when nobody is there any more to take the answers."""
    try:
        for number in TERMINAL_SIGNALS:  # they stay blocked as well
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        for other in others:
            os.close(other)
        for number in batches:
            read_ns = time.time_ns()
            some = entries[number * _BATCH_FILES : (number + 1) * _BATCH_FILES]
            answer = memoryview(_HEAD.pack(number, read_ns) + b"".join(map(_digest, some)))
            while answer:
                answer = answer[os.write(pipe, answer) :]
    finally:
        os._exit(0)


def _digest(entry: FileEntry) -> bytes:
    content = read_small(entry)
    return _NOTHING if content is None else digest_bytes(content)


def _end(pipe: int, reader: _Reader) -> float:
    """End a process and return the processor time that it took, in seconds."""
    os.close(pipe)
    try:
        if not reader.has_ended:
            os.kill(reader.pid, signal.SIGKILL)
        usage = os.wait4(reader.pid, 0)[2]
    except OSError:  # where the system buries them by itself
        return 0.0
    return usage.ru_utime + usage.ru_stime
