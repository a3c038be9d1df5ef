"""The second process that looks ahead, where it would not pay: at any number of files, and waited for."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from dupfind import forking
from dupfind.sources import look_ahead
from dupfind.sources.look_ahead import LookAhead

needs_fork = [
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process is forked from this one"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),  # has threads: those of the test runner
]


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
        while is_waited_for and (pipe := self._process.pipe) is not None and folder not in self._told:
            select.select([pipe], [], [])
            self._hear(pipe)
        answer = told(self, folder)
        counts.asked += 1
        counts.told += answer is not None
        return answer

    with (
        patch.object(look_ahead, "FEWEST_FILES", -1),
        patch.object(forking, "can_fork", lambda: True),
        patch.object(LookAhead, "__init__", may_fork),
        patch.object(LookAhead, "told", wait),
    ):
        yield counts
