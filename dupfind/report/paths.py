"""One path a line, or ended by NUL, as raw bytes for other programs."""

from __future__ import annotations

import os
from collections.abc import Sequence

from dupfind.report import Screen
from dupfind.report.choice import Choice
from dupfind.report.text import printable
from dupfind.settings import ReportSettings
from dupfind.values import Report


def render(report: Report, choice: Choice, settings: ReportSettings, screen: Screen) -> bytes:
    """Return the paths of the chosen files or of the chosen folders that are shown.

    Without NUL a line break in a name would make two paths out of one, neither of them meant: it is escaped, so that
    the reader misses the file and says so instead of taking another. A terminal gets every control character
    escaped. Parts of archives are left out, and all that catalogs among the needles list: nothing lies there.
    """
    # Paths go to programs that delete: an archive holds more, and a plan is about a drive that nobody has read.
    folders = [folder for folder in choice.shown if not (folder.is_in_archive or folder.is_plan)]
    chosen = [row.path for row in (choice.files if settings.files else folders)]
    plans = tuple(catalog.path + os.sep for catalog in report.plans)
    chosen = [path for path in chosen if not path.startswith(plans)] if plans else chosen
    return listed(chosen, screen, print0=settings.print0)


def listed(chosen: Sequence[str], screen: Screen, *, print0: bool) -> bytes:
    """Render these paths likewise."""
    if print0:
        return b"".join(os.fsencode(path) + b"\0" for path in chosen)
    if screen.is_terminal:
        chosen = [printable(path) for path in chosen]
    return b"".join(os.fsencode(on_one_line(path)) + b"\n" for path in chosen)


def on_one_line(path: str) -> str:
    """Escape the line breaks of ``path``, and then its backslashes too."""
    if "\n" not in path and "\r" not in path:
        return path
    return path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
