"""Where the process begins and ends: signals in, exit code out. Nothing else decides how it exits."""

from __future__ import annotations

import os
import signal

from dupfind.errors import StoppedError


def _stop(number: int, _: object) -> None:
    """End the run in order; a second signal ends it at once, the workers following by themselves."""
    signal.signal(number, _stop_now)
    raise StoppedError(number)


def _stop_now(number: int, _: object) -> None:
    os._exit(128 + number)


def main() -> None:
    """The ``dupfind`` command; does not return."""
    try:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays in force
                signal.signal(number, _stop)
        code = _run()
    except KeyboardInterrupt:  # pressed before the handler stood
        code = 128 + signal.SIGINT
    except StoppedError as stopped:
        code = stopped.exit_code
    _leave(code)


def _run() -> int:
    import gc
    import sys

    # One thread a process: the pool has one process a core already, and starting threads takes numpy 50 ms.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The values of a run are tuples by the hundred thousand and hold no cycles; looking for some took a quarter of a
    # warm run.
    gc.disable()
    from dupfind.cli.main import run

    return run(sys.argv[1:])


def _leave(code: int) -> None:
    """End at once: giving back the memory of a million values one by one takes a tenth of a warm run.

    Everything that has to be closed is closed where it was opened; what is left are the streams, and what libraries
    have registered to be done at the end (multiprocessing's semaphores).
    """
    import atexit
    import sys
    from contextlib import suppress

    atexit._run_exitfuncs()  # noqa: SLF001 - the only way to have the one without the other
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
