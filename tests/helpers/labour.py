"""Work for the processes of a pool, good and bad: apart, since each of them loads the module of what it is to do."""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

from dupfind import memory_limit
from dupfind.pool import processes, tasks
from dupfind.values import FileEntry

Item = tuple[str, int]
"""What to do, and a number."""


def work(items: list[Item]) -> list[Any]:
    """Do what each item says, in a worker."""
    return [_one(*item) for item in items]


def _one(what: str, number: int) -> Any:  # noqa: C901, PLR0911 - a list of what can happen
    mark = Path(what)
    if mark.is_absolute() and not mark.exists():  # what kills it the first time does not the second
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    match what:
        case "exit":
            os._exit(number % 3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "pid":
            return os.getpid()
        case "stuck":
            faulthandler.dump_traceback_later(0.2, exit=True, file=open(os.devnull, "w"))  # noqa: SIM115 - dies with us
            return sum(range(10**13))  # one call that keeps the interpreter lock and comes back tomorrow
        case "deaf":
            return sum(range(10**10))
        case "raise":
            raise ValueError(number)
        case "collect":
            is_enabled = gc.isenabled()
            gc.collect()
            return is_enabled
        case "eat":
            return len(bytearray(number << 20)) >> 20
        case "parent":
            return os.getppid()
        case "nap" | "sleep":
            threading.Event().wait({"nap": 0.2, "sleep": 60}[what])
    return number * 2


def read_under(items: list[tuple[FileEntry, int]]) -> list[str]:
    """What reading each says under a ceiling of so many MiB, "short" where memory was; in a worker."""
    found = []
    for entry, mib in items:
        try:
            with memory_limit.held(mib << 20):
                (outcome,) = tasks.read_thumbnails([entry], 10**9, 60)
        except MemoryError:
            found.append("short")
        else:
            found.append(repr(outcome.result))
    return found


def end_as_the_watchdog(paths: list[str]) -> None:
    """End the process as its hard time limit does, and leave a mark in the file."""
    with open(paths[0], "ab") as file:
        file.write(b"!")
    os._exit(processes.WATCHDOG_EXIT)


def where(_: object, number: int) -> int:
    """The process above the one that forks those that read; in a worker, which dies of a negative number."""
    if number < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])


def large(length: int) -> bytes:
    """A result of so many bytes."""
    return bytes(length)


def cut_off(length: int) -> None:
    """Let this process, a worker, die with ``length`` bytes of the next result handed over."""
    true = socket.socket.sendall

    def sendall(self: socket.socket, data: bytes) -> None:
        true(self, data[:length])
        os.kill(os.getpid(), signal.SIGKILL)

    socket.socket.sendall = sendall  # type: ignore[assignment,method-assign]


def go_mad() -> None:
    """Let this process, a worker, answer the next task with what is no message."""
    true = socket.socket.sendall
    socket.socket.sendall = lambda self, _: true(self, bytes(7) + b"\x03\xff\xff\xff")  # type: ignore[assignment,method-assign]


class UnspeakableError(Exception):
    """An error that can be written and not be read again."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(first + second)


def unspeakable(number: int) -> None:
    """Raise it."""
    raise UnspeakableError(number, number)
