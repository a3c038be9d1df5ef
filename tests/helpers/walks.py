"""Roots to walk through."""

from __future__ import annotations

import os
from pathlib import Path

from dupfind.values import Root, Side


def root(side: Side, path: Path | str, given: str | None = None) -> Root:
    """A root as the settings would make it."""
    found = os.stat(path)
    return Root(side, given or str(path), os.path.realpath(path), (found.st_dev, found.st_ino))


TICK_SECONDS = 0.02
"""Longer than the clock of a file system stands still."""
