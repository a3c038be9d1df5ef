"""What a run tells while it works, and the listener that hears nothing. The core never prints; a listener may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]
"""Called with the number of items that were done since the last call."""


class Listener(Protocol):
    """Hears of stages and warnings."""

    def stage(self, name: str, total: int | None) -> AbstractContextManager[Advance]:
        """A stage begins with ``total`` items to do (None: not known) and lasts as long as the block."""

    def warn(self, text: str) -> None:
        """Something that the user should know and that changes no answer; one line."""


class Silence:
    """The listener that does nothing."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:  # noqa: ARG002 - a protocol's signature
        """Do nothing."""
        yield lambda _: None

    def warn(self, text: str) -> None:
        """Do nothing."""
