"""Signs and colours of all that is printed for people, and one way from lines to bytes."""

from __future__ import annotations

import os
from io import StringIO
from typing import Literal

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dupfind.reasons import is_fragment
from dupfind.report import Screen
from dupfind.values import Evidence, FileVerdict, Kind

STYLES = {
    "missing": "red",
    "unreadable": "red",
    "partial": "yellow",
    "review": "cyan",
    "similar": "cyan",
    "contained": "green",
    "present": "green",
    "unwanted": "magenta",
    "empty": "dim",
    "unlike": "red",
    "unknown": "red",
    "same": "green",
    "identical": "green",
    "best": "bold green",
    "seen": "green",
    "not seen": "red",
}
LIKENESS = {
    Evidence.IDENTICAL: "identical to",
    Evidence.SAME: "the same picture as",
    Evidence.SIMILAR: "looks like",
}
_SAME_OTHER = "the same film or sound as"


def likeness(file: FileVerdict) -> str:
    """Say what a file is to its witness."""
    assert file.evidence is not None
    return _SAME_OTHER if file.kind is Kind.OTHER and file.evidence is Evidence.SAME else LIKENESS[file.evidence]


def is_of_wholes(file: FileVerdict) -> bool:
    """Tell whether the distance to its witness is that of two whole pictures: of a crop or a film it would mislead."""
    return file.kind is Kind.IMAGE and not any(map(is_fragment, file.reasons[:1]))


UNBOUNDED = 100_000
"""The width of what is no terminal: no path is wrapped."""
_SIGNS = {
    "missing": "✗",
    "unreadable": "!",
    "partial": "±",
    "review": "≈",
    "similar": "≈",
    "contained": "✓",
    "present": "✓",
    "unwanted": "✎",
    "empty": "·",
    "unlike": "✗",
    "unknown": "!",
    "same": "✓",
    "identical": "✓",
    "best": "★",
    "seen": "✓",
    "not seen": "✗",
}
_ASCII_SIGNS = {
    "missing": "x",
    "unreadable": "!",
    "partial": "+",
    "review": "~",
    "similar": "~",
    "contained": "=",
    "present": "=",
    "unwanted": "-",
    "empty": ".",
    "unlike": "x",
    "unknown": "!",
    "same": "=",
    "identical": "=",
    "best": "*",
    "seen": "=",
    "not seen": "x",
}
_ASCII_HEAD = box.Box(str(box.SIMPLE_HEAD).replace("─", "-"), ascii=True)


def _color_system(screen: Screen) -> Literal["standard", "256", "truecolor"] | None:
    """Return how many colours rich may use, by what the terminal says of itself; where it says nothing, the usual 8."""
    has_color = _has_color(screen) if screen.has_color is None else screen.has_color
    if not has_color:
        return None
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256" in os.environ.get("TERM", "") else "standard"


def _has_color(screen: Screen) -> bool:
    """Tell whether to use colours: by NO_COLOR, FORCE_COLOR and TERM, then where it is a terminal.

    Sources: https://no-color.org and https://force-color.org.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return screen.is_terminal and os.environ.get("TERM") not in ("dumb", "unknown")


class Page:
    """Text for one screen; off a terminal there is no colour, and nothing is wrapped."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._text = StringIO()
        self._console = Console(
            file=self._text,
            width=screen.width if screen.is_terminal else UNBOUNDED,
            height=25,  # without it rich takes a terminal whose TERM is "dumb" to be 80 wide, whatever its width
            force_terminal=screen.is_terminal,
            color_system=_color_system(screen),
            no_color=False,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
        self._signs = _SIGNS if self.can_print("".join(_SIGNS.values())) else _ASCII_SIGNS

    def table(self) -> Table:
        """Make a table with a line below its header and nothing else."""
        edges = box.SIMPLE_HEAD if self.can_print(str(box.SIMPLE_HEAD)) else _ASCII_HEAD
        return Table(box=edges, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")

    def verdict(self, word: str, more: str = "") -> Text:
        """Return the verdict ``word`` with its sign, in its colour; ``more`` follows it."""
        return Text(f"{self._signs[word]} {word}{more}", style=STYLES[word])

    def add(self, what: Table | Text | str, *, wrap: bool = False, indent: int = 0) -> None:
        """Add a table or a line, by ``indent`` to the right; a line is broken only with ``wrap`` and on a terminal."""
        line = Text(what) if isinstance(what, str) else what
        is_whole = isinstance(line, Text) and not (wrap and self._screen.is_terminal)
        self._console.print(Padding.indent(line, indent) if indent else line, soft_wrap=is_whole)

    @property
    def has_shades(self) -> bool:
        """True where every shade of grey can be shown: on a terminal with 256 colours or more, and with its blocks."""
        return self._console.color_system in ("256", "truecolor") and self.can_print("▀")

    def can_print(self, text: str) -> bool:
        """Tell whether the screen's encoding has every character of ``text``."""
        try:
            text.encode(self._screen.encoding)
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def encoded(self) -> bytes:
        """Encode everything that was added, without blanks at the ends of lines."""
        lines = (line.rstrip() for line in self._text.getvalue().splitlines())
        return ("\n".join(lines).lstrip("\n") + "\n").encode(self._screen.encoding, "replace")
