"""Waits for calls into libraries that may never come back, and no longer than is bearable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")

_LOOK_SECONDS = 0.2


def bounded(call: Callable[[], R], seconds: float, is_over: threading.Event | None = None) -> R:
    """Return what ``call`` returns, or raise what it raises, within so many seconds.

    It runs in a daemon thread, which is left to itself where it takes longer, or where ``is_over`` is set meanwhile:
    that raises ``TimeoutError``. Signals are heard while this waits.
    """
    results: list[R] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - raised below, where somebody waits for it
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="dupfind-bounded", daemon=True).start()
    end = time.monotonic() + seconds
    while not done.wait(max(0.0, min(_LOOK_SECONDS, end - time.monotonic()))):
        if time.monotonic() >= end or (is_over is not None and is_over.is_set()):
            raise TimeoutError("it does not answer")
    if errors:
        raise errors[0]
    return results[0]
