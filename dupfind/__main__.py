"""Where the process begins and ends: signals in, exit code out. Nothing else decides how it exits."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from dupfind.errors import StoppedError


def main() -> NoReturn:
    """The ``dupfind`` command."""
    _hear_signals()
    # One thread a process: the pool has one process a core already, and starting threads takes numpy 50 ms.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The values of a run are tuples by the hundred thousand and hold no cycles; looking for some took a quarter of a
    # warm run.
    gc.disable()
    try:
        from dupfind.cli.main import run

        code = run(sys.argv[1:])
    except StoppedError as stopped:
        code = stopped.exit_code
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End at once: giving back the memory of a million values one by one takes a tenth of a warm run.

    Everything that has to be closed is closed where it was opened; only the streams are left.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _hear_signals() -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays in force
            signal.signal(number, _stop)


def _stop(number: int, _: FrameType | None) -> None:
    """End the run in order; a second signal ends it at once, the workers following by themselves."""
    signal.signal(number, _stop_now)
    raise StoppedError(number)


def _stop_now(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
