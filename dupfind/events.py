"""What a run tells while it works, and the listener that hears nothing. The core never prints; a listener may.

Stages are what a person watches; parts are what the time is counted for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

Advance = Callable[[int], None]
"""Called with the number of items that were done since the last call."""


class Listener(Protocol):
    """Hears of stages, of what they are made of, and of warnings."""

    def stage(self, name: str, total: int | None) -> AbstractContextManager[Advance]:
        """Begin a stage with ``total`` items to do (None: not known), which lasts as long as the block."""

    def part(self, name: str, items: int = 0) -> AbstractContextManager[None]:
        """Time counts for the part ``name`` as long as the block, except for stages and parts inside it.

        ``items`` is how many things it works on, which a stage learns on the way.
        """

    def expect(self, size_bytes: int) -> None:
        """Hear how many bytes the stage at work is about, where that is known; told once, at its beginning."""

    def went_through(self, size_bytes: int) -> None:
        """Hear that the stage at work has done so many more of them: just before it advances by the files."""

    def worked(self, seconds: float) -> None:
        """Hear that a worker has needed so much processor time for what has just come back from it."""

    def warn(self, text: str) -> None:
        """Tell something that the user should know and that changes no answer; one line."""


class Silence:
    """The listener that does nothing."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Advance]:  # noqa: ARG002 - a protocol's signature
        """Do nothing."""
        yield lambda _: None

    def part(self, name: str, items: int = 0) -> AbstractContextManager[None]:  # noqa: ARG002 - likewise
        """Do nothing."""
        return nullcontext()

    def expect(self, size_bytes: int) -> None:
        """Do nothing."""

    def went_through(self, size_bytes: int) -> None:
        """Do nothing."""

    def worked(self, seconds: float) -> None:
        """Do nothing."""

    def warn(self, text: str) -> None:
        """Do nothing."""


class Within(Silence):
    """Hears in place of ``listener`` what goes on within one of its stages."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def part(self, name: str, items: int = 0) -> AbstractContextManager[None]:
        """Pass it on."""
        return self._listener.part(name, items)

    def worked(self, seconds: float) -> None:
        """Pass it on."""
        self._listener.worked(seconds)

    def warn(self, text: str) -> None:
        """Pass it on."""
        self._listener.warn(text)
