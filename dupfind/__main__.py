"""Where the process begins and ends: signals in, exit code out. Nothing else decides how it exits."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what signal is made of: there already, so that no time is lost
import os
import sys


def _leave_at_once(number: int, _: object) -> None:
    """Answer a signal while the program is being loaded: there is nothing yet that would have to be closed."""
    try:
        os.write(2, b"dupfind: stopped; there is no verdict\n")
    finally:  # whatever standard error is
        os._exit(128 + number)


def _heard(names: tuple[str, ...] = ("SIGINT", "SIGTERM", "SIGHUP")) -> list[int]:
    """Return the signals that end a run; none that is ignored, by which nohup stays in force."""
    numbers = [getattr(_signal, name) for name in names if hasattr(_signal, name)]
    return [number for number in numbers if _signal.getsignal(number) is not _signal.SIG_IGN]


_SIGNALS = _heard()
for _number in _SIGNALS:  # with the first lines: until now Python itself would answer Ctrl-C with a traceback
    _signal.signal(_number, _leave_at_once)

import _thread  # noqa: E402
import io  # noqa: E402
import signal  # noqa: E402

from dupfind.errors import StoppedError  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_PATIENCE_SECONDS = 10.0
"""How long a run that was stopped may take to end in order."""
_AGAIN_SECONDS = 0.005
_is_over = False
"""Whether the answer stands, and nothing is left that could be stopped."""


def _stop(number: int, _: object) -> None:
    """End the run in order; a second signal ends it at once, as does time, the workers following by themselves.

    The exception may come between any two instructions, so also where a lock is left closed by it that the end of the
    run then waits for.
    """
    if _is_over:
        return
    for each in _SIGNALS:
        signal.signal(each, _stop_now)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda *_: _stop_now(number, None))
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE_SECONDS)
    raise StoppedError(number)


def _stop_now(number: int, _: object) -> None:
    os._exit(128 + number)


def _stop_again(lost: sys.UnraisableHookArgs) -> None:
    """Repeat a signal that came while Python ran a finalizer, where its exception would be printed and forgotten."""
    if not isinstance(lost.exc_value, StoppedError):
        sys.__unraisablehook__(lost)
        return
    number = lost.exc_value.exit_code - 128
    for each in _SIGNALS:
        signal.signal(each, _stop)
    if hasattr(signal, "setitimer"):  # not from here: the exception would be lost again
        signal.signal(signal.SIGALRM, lambda *_: _stop(number, None))
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
    else:
        _thread.interrupt_main(signal.Signals(number))


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
    """Run the ``dupfind`` command; does not return."""
    global _is_over  # noqa: PLW0603 - the handlers of signals are told nothing else
    try:
        _listen()
        _forgive()
        code = _run()
        _is_over = True  # within the block: there is no moment between in which a signal would not be caught
    except StoppedError as stopped:  # and from now on each ends the process at once
        code = stopped.exit_code
        _say("stopped; there is no verdict")
    _leave(code)


def _listen() -> None:
    sys.unraisablehook = _stop_again
    for number in _heard():
        signal.signal(number, _stop)


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
    from dupfind import forking

    forking.be_the_program()
    from dupfind.cli.main import run

    return run(sys.argv[1:])


def _leave(code: int) -> None:
    """End at once: giving back the memory of a million values one by one takes a tenth of a warm run.

    Everything that has to be closed is closed where it was opened; what is left are the streams, and what libraries
    have registered to be done at the end.
    """
    import atexit
    from contextlib import suppress

    atexit._run_exitfuncs()  # noqa: SLF001 - the only way to have the one without the other
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
