"""Writes a report, whole or not at all; the only place that writes anything but the cache."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress

from dupfind.errors import OutputClosedError, OutputError, reason_of


def write(data: bytes, output: str | None) -> None:
    """Write to the file ``output``, or to standard output.

    Raises :class:`~dupfind.errors.OutputError` or :class:`~dupfind.errors.OutputClosedError`.
    """
    if output is None:
        _write_stdout(data)
        return
    try:
        _write_file(data, output)
    except BrokenPipeError as error:
        raise OutputClosedError(f"{output}: the reader went away") from error
    except OSError as error:
        raise OutputError(f"{output}: {reason_of(error)}; the report was not written") from error


def _write_stdout(data: bytes) -> None:
    if sys.stdout is None or sys.stdout.closed:
        raise OutputError("standard output is closed; the report was not written")
    try:
        sys.stdout.flush()
        _write_whole(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        discard_stdout()
        raise OutputClosedError("standard output: the reader went away") from error
    except OSError as error:
        discard_stdout()
        reason = reason_of(error)
        raise OutputError(f"standard output: {reason}; the report was not written whole") from error


def _write_whole(data: bytes) -> None:
    """Write everything; with ``PYTHONUNBUFFERED`` a single write may take a part and say so only by its result."""
    left = memoryview(data)
    while left:
        written = sys.stdout.buffer.write(left)
        if not written:  # None: a pipe that does not wait for its reader
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        left = left[written:]


def discard_stdout() -> None:
    """Point standard output nowhere, so that what is left in its buffer raises nothing when the process ends."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _write_file(data: bytes, path: str) -> None:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):  # a device or a named pipe is written to, never replaced
        with open(path, "wb") as file:  # by the name that was given: /dev/stdout leads to one that cannot be opened
            file.write(data)
        return
    if os.path.islink(path):
        _refuse_planted_link(path)
        path = os.path.realpath(path)
    else:  # a link that comes in its place from now on is replaced, not followed
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    import tempfile  # brings a dozen modules, for a rare option

    handle, temporary = tempfile.mkstemp(prefix=".dupfind-", suffix=".part", dir=os.path.dirname(path))
    try:
        with open(handle, "wb") as file:
            # By the open file where that can be: its name may be another's by now in a folder that is everybody's.
            where = handle if os.chmod in os.supports_fd else temporary
            os.chmod(where, stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
            file.write(data)
            file.flush()
            # Else a crash right after the rename may leave an empty file under the name of the old one.
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _refuse_planted_link(link: str) -> None:
    """Refuse a planted link: in a folder such as /tmp a link that somebody else made may lead to anything that is ours.

    The rule of Linux for opening files there (fs.protected_symlinks), which does not see how we replace one. A system
    that does not say who made a link gives no reason to trust one wherever others may write.
    """
    folder = os.stat(os.path.dirname(link) or os.curdir)
    if not folder.st_mode & stat.S_IWOTH:
        return
    if not hasattr(os, "geteuid"):
        raise PermissionError(errno.EACCES, "a link in a folder that others may write to")
    if folder.st_mode & stat.S_ISVTX and os.lstat(link).st_uid not in (os.geteuid(), folder.st_uid):
        raise PermissionError(errno.EACCES, "a link that somebody else made")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
