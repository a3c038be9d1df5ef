"""Where the process begins and ends: signals in, exit code out. Nothing else decides how it exits."""

from __future__ import annotations

import _thread
import io
import os
import signal
import sys

from dupfind.errors import StoppedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _stop(number: int, _: object) -> None:
    """End the run in order; a second signal ends it at once, the workers following by themselves."""
    signal.signal(number, _stop_now)
    raise StoppedError(number)


def _stop_now(number: int, _: object) -> None:
    os._exit(128 + number)


def _stop_again(lost: sys.UnraisableHookArgs) -> None:
    """A signal that came while Python ran a finalizer, where its exception would be printed and forgotten."""
    if isinstance(lost.exc_value, StoppedError):
        number = lost.exc_value.exit_code - 128
        signal.signal(number, _stop)
        _thread.interrupt_main(signal.Signals(number))
    else:
        sys.__unraisablehook__(lost)


class _Forgiving(io.FileIO):
    """Standard error on a full disk, or whose reader went away: what cannot be written is dropped.

    Else it would stay in the buffer, and whoever flushes next would fail, such as multiprocessing where it starts a
    process: a complaint would cost the answer.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        """Write what can be written, and call it all; gives the length of ``data`` in bytes."""
        try:
            return super().write(data) or len(memoryview(data))  # None: a pipe that is full and does not wait
        except OSError:
            return len(memoryview(data))


def _forgive() -> None:
    """Put such a stream in the place of standard error, where there is one."""
    old = sys.stderr
    if not isinstance(old, io.TextIOWrapper):
        return
    buffer = io.BufferedWriter(_Forgiving(old.fileno(), "wb", closefd=False))
    sys.stderr = io.TextIOWrapper(
        buffer, old.encoding, old.errors, line_buffering=True, write_through=old.write_through
    )


def main() -> None:
    """The ``dupfind`` command; does not return."""
    try:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays in force
                signal.signal(number, _stop)
        sys.unraisablehook = _stop_again
        _forgive()
        code = _run()
    except KeyboardInterrupt:  # pressed before the handler stood
        code = 128 + signal.SIGINT
    except StoppedError as stopped:
        code = stopped.exit_code
        _say("stopped; there is no verdict")
    _leave(code)


def _say(text: str) -> None:
    from dupfind.progress import say

    say(text)


def _run() -> int:
    import gc

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
    from contextlib import suppress

    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # it is over: nothing is left to be stopped
    atexit._run_exitfuncs()  # noqa: SLF001 - the only way to have the one without the other
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
