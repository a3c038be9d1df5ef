"""The line of progress on the terminal, drawn and timed by tqdm; loaded only where it is shown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import RLock
from typing import Any

from tqdm import tqdm

from dupfind.progress_line import Going, forms, head

_USUAL_COLUMNS = 80
"""Where the screen does not say how wide it is."""


class Line(tqdm):  # type: ignore[misc]  # it has no types
    """A line that tells of the last of ``going``, the stages at work, of which there is at least one when it is drawn.

    ``update(0)`` draws it anew unless that was done a moment ago; ``close`` takes it away.
    """

    monitor_interval = 0  # no thread: a stage that stands still has nothing new to show

    def __init__(self, going: Sequence[Going], file: object) -> None:
        self._going = going
        # At position 0 always, or a bar of somebody else's would move it; without smoothing the remaining time is that
        # of the average, as a few large files among small ones would make it jump.
        super().__init__(file=file, leave=False, dynamic_ncols=True, miniters=0, smoothing=0, position=0)

    @property
    def format_dict(self) -> dict[str, Any]:
        """Return what tqdm makes the line of: its own knowledge of the screen, and how far the stage is."""
        told: dict[str, Any] = super().format_dict
        going = self._going[-1]
        seconds = time.monotonic() - going.began_seconds
        # The last column stays free, as some terminals begin a new line there; not every version of tqdm sees to it.
        columns = (told["ncols"] or _USUAL_COLUMNS) - 1
        done, total = going.amount()
        told |= {"n": done, "total": total or None, "elapsed": seconds}
        told |= {"prefix": head(going, columns)[:columns], "unit": going.unit(), "unit_scale": True}
        for form in forms(going, seconds, columns):
            told["bar_format"] = form
            if len(self.format_meter(**told | {"ncols": None})) <= columns:
                break
        return told


# That of tqdm comes from multiprocessing: it may start a process, and settles how those of the pool are started.
Line.set_lock(RLock())
