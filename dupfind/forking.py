"""Forks this process for work that asks the system, and for the server of the workers: one rule for all who do so.

A forked process has the memory of this one and one thread of it. A lock that another thread held stays closed in it for
ever: one of Python's or of the import system, of the cache's database, of OpenBLAS, of a decoder. Only malloc of glibc
is made whole by the fork. So **a process is forked only while it has one thread, the system's count and not Python's**,
which knows nothing of a library's threads; and only on Linux, where the system tells that count. macOS has libraries
that do not bear a fork even so, and elsewhere nobody has tried. Python warns of threads from 3.12 on by the same count.

A :class:`ForkedProcess` opens, looks, reads, hashes and writes to its pipe. It decodes nothing, touches no database,
prints nothing, holds nothing open that this process has open, and is deaf to what a terminal sends to all. It is killed
by this process, or by its first write after this one has gone.

**The server of the workers loads decoders, and so is forked from the command line alone**, which knows all that is in
its process. Within another program it is started afresh.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

TERMINAL_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""What a terminal or a shell sends to the whole group; the parent hears it too and ends its processes itself."""
_FIRST_OF_OTHERS = 3
"""The number of the first open file behind the standard streams."""
PATIENCE_SECONDS = 0.2
"""How long a process that has to end is waited for: one that hangs in a disk ends when the disk does."""
_killed: list[int] = []
"""Processes that have not been waited for yet."""
_STATUS, _OWN_MEMORY = "/proc/self/status", b"RssAnon:"
_MOST_BYTES = 40 << 20
"""Of memory in use, of a process whose fork decodes: what it has counts against the ceiling of each worker, and what it
changes afterwards is there twice. The program has 16 MB before it knows many files, with numpy and the decoders 34;
50,000 files take so much more."""
_is_program = False
"""Whether nothing in this process is anybody else's."""


def be_the_program() -> None:
    """Tell that this process is the command line's own."""
    global _is_program  # noqa: PLW0603 - a fact about the process
    _is_program = True


def can_fork() -> bool:
    """Tell whether this process may be forked: on Linux, while it has one thread."""
    try:
        is_alone = sys.platform == "linux" and len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False
    return is_alone and hasattr(os, "fork") and hasattr(signal, "pthread_sigmask")


def can_fork_decoders() -> bool:
    """Tell whether what decodes may be forked from this process: where :func:`can_fork`, from a small program."""
    if not _is_program or not can_fork():
        return False
    try:
        with open(_STATUS, "rb") as file:  # proc(5)
            kilobytes = next(int(line.split()[1]) for line in file if line.startswith(_OWN_MEMORY))
    except (OSError, StopIteration, ValueError):
        return False
    return kilobytes << 10 <= _MOST_BYTES


def fork(work: Callable[[], object], *kept: int) -> int:
    """Fork, where :func:`can_fork`, a process that does ``work`` and has these handles open alone; return its number.

    Raises ``OSError``. Nothing of this process's memory may be freed in it: a database that is freed closes its file by
    its number, which is another file's by then.
    """
    with _stops_waiting():
        return _forked(work, *kept)


class ForkedProcess:
    """A process that is forked from this one, once :meth:`begin` was called, and the pipe by which it answers."""

    def __init__(self) -> None:
        self._process: int | None = None
        self.pipe: int | None = None
        """To be read from, until :meth:`close`."""

    @property
    def is_begun(self) -> bool:
        """Tell whether there is one that was not ended."""
        return self._process is not None

    def begin(self, work: Callable[[int], object]) -> None:
        """Fork, where :func:`can_fork`; there ``work`` is given the pipe to write to. Raises ``OSError``."""
        with _stops_waiting():
            self.pipe, its_pipe = os.pipe()
            try:
                self._process = _forked(partial(work, its_pipe), its_pipe)
            except OSError:  # no process or no memory is left
                self.close()
                raise
            finally:
                os.close(its_pipe)

    def close(self) -> None:
        """Hear no more of it."""
        pipe, self.pipe = self.pipe, None
        if pipe is not None:
            os.close(pipe)

    def end(self, patience_seconds: float = 0.0) -> float:
        """Kill it, unless it ends in so much time, and return the processor time in seconds of one that has ended.

        That one which was killed gives its memory back, which takes it ten milliseconds, is not waited for here.
        """
        process, self._process = self._process, None
        self.close()
        bury()
        if process is None:
            return 0.0
        seconds = _usage(process, time.monotonic() + patience_seconds)
        if seconds is None:
            _killed.append(process)
            with suppress(OSError):
                os.kill(process, signal.SIGKILL)
        return seconds or 0.0


def close_all_but(*kept: int) -> None:
    """Close all handles but these and the standard streams: what is held open keeps locks, and readers waiting."""
    with suppress(OSError):
        for name in os.listdir("/dev/fd"):
            if int(name) >= _FIRST_OF_OTHERS and int(name) not in kept:
                with suppress(OSError):  # the one by which the folder was read is closed already
                    os.close(int(name))


def be_deaf_to_the_terminal() -> None:
    """Ignore the signals that are for the parent."""
    for number in TERMINAL_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def write(pipe: int, data: bytes | bytearray) -> None:
    """Write all of it, waiting for who reads. Raises ``OSError``."""
    left = memoryview(data)
    while left:
        left = left[os.write(pipe, left) :]


def bury(patience_seconds: float = 0.0) -> None:
    """Wait for the processes that were killed, so long at most."""
    until = time.monotonic() + patience_seconds
    for process in list(_killed):
        if _usage(process, until) is not None:
            _killed.remove(process)


@contextmanager
def _stops_waiting() -> Iterator[None]:
    """Let a stop wait while a process is forked in the block, which stays deaf to it.

    It may neither come between the process and its number here, nor be answered by both: the other one would write and
    close what is this one's.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _forked(work: Callable[[], object], *kept: int) -> int:
    """Fork a process that does ``work`` and ends; return its number. Stops are waiting meanwhile."""
    process = os.fork()
    if process == 0:
        try:
            _become_forked(*kept)
            work()
        finally:  # whatever happens: nothing is closed, flushed or printed
            os._exit(0)
    return process


def _become_forked(*kept: int) -> None:
    """Let go of everything that is the parent's but for its memory."""
    be_deaf_to_the_terminal()
    gc.disable()  # it would touch, and so copy, all memory
    sys.unraisablehook = sys.__unraisablehook__  # the program's own raises stops again, which are not ours
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(_FIRST_OF_OTHERS):
        if stream not in kept:
            os.dup2(nothing, stream)
    close_all_but(*kept)


def _usage(process: int, until: float) -> float | None:
    """Return the processor time in seconds of a process that has ended, 0 where nothing tells it; None where it has not
    ended by then.
    """
    while True:
        try:
            ended, seconds = _waited(process)
        except OSError:  # somebody else has waited for it
            return 0.0
        if ended:
            return seconds
        if time.monotonic() >= until:
            return None
        time.sleep(0.0005)


def _waited(process: int) -> tuple[int, float]:
    """Return the number of a process that has ended, else 0, and its processor time in seconds. Raises ``OSError``."""
    try:
        import resource  # noqa: F401 - what wait4 tells is a value of it; without, it fails with the process buried
    except ImportError:
        return os.waitpid(process, os.WNOHANG)[0], 0.0
    ended, _, usage = os.wait4(process, os.WNOHANG)
    return ended, usage.ru_utime + usage.ru_stime


def _bury_at_the_end() -> None:
    if _killed:
        bury(PATIENCE_SECONDS)


atexit.register(_bury_at_the_end)
