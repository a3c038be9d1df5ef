"""Runs that are cut off, or whose disk is full, in a step by which they change something."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dupfind.acting import places
from dupfind.errors import DupfindError

_CALLS = ("write", "fsync", "mkdir", "rmdir", "unlink", "link", "utime", "chmod", "chown", "setxattr")
KILLED = 9


@contextmanager
def in_step(number: int, act: Callable[[str], None]) -> Iterator[list[str]]:
    """Call ``act`` before the step of this number, counted from 1; gives the names of all steps so far."""
    seen: list[str] = []
    usual = {name: getattr(os, name) for name in _CALLS}
    rename, opened = places._renameat2, os.open

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            seen.append(name)
            if len(seen) == number:
                act(name)
            return call(*arguments, **options)

        return step

    def open_counted(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        if flags & os.O_CREAT:
            seen.append("create")
            if len(seen) == number:
                act("create")
        return opened(path, flags, *arguments, **options)

    for name, call in usual.items():
        setattr(os, name, counted(name, call))
    os.open, places._renameat2 = open_counted, counted("rename", rename)  # type: ignore[assignment]
    try:
        yield seen
    finally:
        os.open, places._renameat2 = opened, rename
        for name, call in usual.items():
            setattr(os, name, call)


def killed_in_step(number: int, run: Callable[[], object]) -> bool:
    """Run something in a process of its own that dies before a step; gives whether it came that far."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with in_step(number, lambda _: os._exit(KILLED)):
                run()
            code = 0
        except DupfindError:  # there was nothing to do
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def full_in_step(number: int, run: Callable[[], Any], *, lasts: bool) -> Any:
    """Run something on a disk that is full in a step, and from then on where it ``lasts``."""
    is_full = False

    def fail(name: str) -> None:
        nonlocal is_full
        is_full = True
        raise OSError(errno.ENOSPC, f"No space left on device ({name})")

    with in_step(number, fail):
        if not lasts:
            return run()
        write = os.write

        def write_no_more(*arguments: Any) -> int:
            if is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(*arguments)

        os.write = write_no_more  # type: ignore[assignment]
        return run()
