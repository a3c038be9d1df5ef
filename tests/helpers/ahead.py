"""The second process that looks ahead, where it would not pay: at any number of files, and waited for."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from dupfind.sources import look_ahead
from dupfind.sources.look_ahead import LookAhead

CAN_FORK = look_ahead.HAS_HANDLES and hasattr(os, "fork") and hasattr(signal, "pthread_sigmask")
needs_fork = pytest.mark.skipif(not CAN_FORK, reason="the system has no fork")


class Counts:
    """How many folders were asked for, and of how many something was told."""

    asked = told = 0


@contextmanager
def looking_ahead(*, is_waited_for: bool = True) -> Iterator[Counts]:
    """Let a second process look ahead in every listing, beside the threads of the test runner.

    Where it is waited for, everything that it has to tell is told.
    """
    counts = Counts()
    init, told = LookAhead.__init__, LookAhead.told

    def may_fork(self: LookAhead, **_: bool) -> None:
        init(self, may_fork=True)

    def wait(self: LookAhead, folder: str) -> Any:
        while is_waited_for and self._handle is not None and folder not in self._told:
            select.select([self._handle], [], [])
            self._hear(self._handle)
        answer = told(self, folder)
        counts.asked += 1
        counts.told += answer is not None
        return answer

    with (
        patch.object(look_ahead, "FEWEST_FILES", -1),
        patch.object(look_ahead, "_thread", SimpleNamespace(_count=lambda: 0)),
        patch.object(LookAhead, "__init__", may_fork),
        patch.object(LookAhead, "told", wait),
    ):
        yield counts
