"""The story of ``dupfind undo``: which journal, what of it can be taken back, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace

from dupfind.acting import journal as journals
from dupfind.acting import undoing
from dupfind.acting.stopping import ShouldStop, never
from dupfind.answers.undo import Journals, Undone
from dupfind.errors import ActingError
from dupfind.events import Listener
from dupfind.version import __version__


def undo(
    path: str | None = None,
    listener: Listener | None = None,
    should_stop: ShouldStop = never,
    *,
    is_dry: bool = False,
) -> Undone:
    """Take back what the run of a journal did, without one what the last run did of which something is left.

    Where it ``is_dry``, say what could be taken back, and change nothing. Raises
    :class:`~dupfind.errors.ActingError` where there is nothing to be undone, or nothing can be tried.
    """
    with nullcontext() if is_dry else journals.alone():
        recorded = _last() if path is None else journals.read(path)
        answer = undoing.undo(recorded, listener, should_stop, is_dry=is_dry)
        earlier = (before.path for before in _unsettled() if before.id < recorded.id)
        return replace(answer, earlier=next(earlier, None))


def _unsettled() -> Iterator[journals.Recorded]:
    """Yield the journals of runs that are over of which something is left, the newest first."""
    for recorded in journals.journals():
        line = undoing.line_of(recorded, is_running=False)
        if not line.is_settled and not journals.is_running(recorded):
            yield recorded


def _last() -> journals.Recorded:
    if (recorded := next(_unsettled(), None)) is not None:
        return recorded
    lost = "".join(f"; {path}, of a clean, cannot be read" for _, path in journals.lost_cleans())
    raise ActingError(f"there is nothing to undo: no journal in {journals.state_folder()} has anything left{lost}")


def list_journals() -> Journals:
    """Return all journals in the state folder, the newest first."""
    lines = [undoing.line_of(recorded, is_running=journals.is_running(recorded)) for recorded in journals.journals()]
    return Journals(__version__, journals.state_folder(), lines, [path for _, path in journals.lost_cleans()])
