"""A scan whose decoders do harm, by the names of the files: ``python harm.py HAYSTACK NEEDLES`` prints what it found.

A program of its own, whose decoders are exchanged; the workers load it by its name, since none loads a main module.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from dupfind import pipeline
from dupfind.pool import tasks, time_limit
from dupfind.pool.tasks import Outcome
from dupfind.settings import make_settings
from dupfind.values import FileEntry

_SECONDS = 1.0
"""More than a good file takes on a busy machine."""


def harm(entry: FileEntry) -> None:
    """Do to this process what the name of the file says."""
    match os.path.basename(entry.path).split("-")[0]:
        case "crash":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            with time_limit.TimeLimit(_SECONDS) as limit, limit.each():
                sum(range(10**13))  # one call that does not return to Python
        case "greedy":
            bytearray(4 << 30)


def read_harmfully(entries: Sequence[FileEntry], *arguments: Any, **options: Any) -> list[Outcome]:
    """As :func:`dupfind.pool.tasks.read_thumbnails`, with decoders that do harm; runs in a worker."""
    time_limit.HARD_LIMIT_SECONDS = 0.2
    for entry in entries:
        harm(entry)
    return _read_thumbnails(entries, *arguments, **options)


_read_thumbnails = tasks.read_thumbnails

if __name__ == "__main__":
    tasks.read_thumbnails = importlib.import_module("harm").read_harmfully
    settings = make_settings(
        haystack=[sys.argv[1]],
        needles=[sys.argv[2]],
        workers=2,
        timeout_seconds=_SECONDS,
        max_memory_mib=1024,
        no_cache=True,
    )
    report = pipeline.scan(settings)
    reasons = {os.path.basename(one.path): one.reason for one in report.problems}
    json.dump([reasons, {os.path.basename(file.path): file.state for file in report.files}], sys.stdout)
