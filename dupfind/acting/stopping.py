"""Ctrl-C while files are changed: the current file is finished first, so that nothing is left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ShouldStop = Callable[[], int | None]
"""Gives the number of the signal by which a run is to end, None while it is to go on."""

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


def never() -> int | None:
    """Go on."""
    return None


@contextmanager
def after_this_file() -> Iterator[ShouldStop]:
    """Note a signal down, as long as the block, instead of ending the run; a second one ends it as it always does.

    Signals that are ignored stay so. Where this is not the main thread nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield never
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    usual = {number: signal.getsignal(number) for number in numbers}
    heard = {number: handler for number, handler in usual.items() if handler not in (signal.SIG_IGN, None)}
    stopped: list[int] = []

    def note(number: int, _: object) -> None:
        stopped.append(number)
        for each, handler in heard.items():
            signal.signal(each, handler)

    for number in heard:
        signal.signal(number, note)
    try:
        yield lambda: stopped[0] if stopped else None
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
