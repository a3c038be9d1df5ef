"""Executors that tell what they were asked to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from typing import Any

from dupfind.values import FileEntry


class Counting(Executor):
    """Runs everything at once and keeps what it was asked to do, by the name of the task."""

    def __init__(self, culprit: str | None = None) -> None:
        self.done: dict[str, list[str]] = {}
        self.culprit = culprit

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn``, or break at the culprit."""
        future: Future[Any] = Future()
        items = args[0]
        names = [os.path.basename(item.path) if isinstance(item, FileEntry) else "hash" for item in items]
        if self.culprit in names:
            future.set_exception(BrokenExecutor())
            return future
        task = fn.args[0]  # type: ignore[attr-defined]  # within what takes the time of it
        self.done.setdefault(task.func.__name__ if isinstance(task, partial) else task.__name__, []).extend(names)
        future.set_result(fn(items))
        return future

    def counts(self) -> tuple[int, int, int]:
        """How many files were digested and decoded and how many known thumbnails hashed."""
        return tuple(len(self.done.get(name, [])) for name in ("read_digests", "read_thumbnails", "hash_thumbnails"))  # type: ignore[return-value]
