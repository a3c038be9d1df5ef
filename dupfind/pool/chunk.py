"""Task over one chunk of items, which every executor runs: under a ceiling of memory, with its processor time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from dupfind import memory_limit

T = TypeVar("T")
R = TypeVar("R")


def run_chunk(
    task: Callable[[list[T]], list[R]], most_bytes: int | None, chunk: list[T]
) -> tuple[list[R], float, float]:
    """Return what ``task`` gives under this ceiling, the processor seconds, and their share of the time by the clock.

    A worker does one thing at a time.
    """
    clock = time.process_time if threading.current_thread() is threading.main_thread() else time.thread_time
    began, began_at = clock(), time.monotonic()
    with memory_limit.held(most_bytes):
        results = task(chunk)
    seconds = clock() - began
    return results, seconds, seconds / max(1e-9, time.monotonic() - began_at)
