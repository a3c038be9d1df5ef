"""Ends of processes, and what they tell of the file that each was at."""

from __future__ import annotations

import signal
from typing import NamedTuple

WATCHDOG_EXIT = 1
"""The exit code of a process that ended itself at the hard time limit, as ``faulthandler`` does."""

_FROM_OUTSIDE = frozenset({"SIGKILL", "SIGTERM"})


class Death(NamedTuple):
    """Why there is no result for an item: its process died, or had too little memory."""

    seconds: float
    """How long after the item was handed over."""
    exit_code: int | None = None
    """Of the process; the number of a signal is negative. None where nobody told."""
    shortage: str | None = None
    """What was said where memory was short and the process lives on."""

    @property
    def reason(self) -> str:
        """In words for the user."""
        if self.shortage is not None:
            return self.shortage
        if self.exit_code is None or self.exit_code >= 0:
            return "the process that read it died"
        name = _signal_name(-self.exit_code)
        if name == "SIGKILL":
            return "the process that read it was killed, as systems do that run out of memory (SIGKILL)"
        if name == "SIGABRT":
            return "not enough memory to decode it, or a fault of the decoder, which gave up (SIGABRT)"
        return f"its decoder crashed ({name})"

    @property
    def is_from_outside(self) -> bool:
        """Whether the file need not be why the process died: decoders crash by other signals."""
        return self.shortage is None and (self.exit_code is None or _signal_name(-self.exit_code) in _FROM_OUTSIDE)

    def is_late(self, timeout_seconds: float) -> bool:
        """Tell whether the time limit ended it: no signal did, and it was late."""
        is_by_signal = self.exit_code is not None and self.exit_code < 0
        return self.shortage is None and not is_by_signal and self.seconds > timeout_seconds


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # such as the real-time signals
        return f"signal {number}"
