r"""``dupfind hash``: lines for pipes, as sha256sum prints them, and the other formats, schema ``dupfind.hash/1``.

As with sha256sum a line begins with a backslash where its path has a backslash or a line break, which are
escaped in it; with NUL at the end of lines nothing is.
"""

from __future__ import annotations

import os
from typing import Any

from dupfind.answers.hash import AskedHashes, Hashed
from dupfind.report import Screen
from dupfind.report.csv import cell, lines
from dupfind.report.json import encoded, encoded_lines, named_path
from dupfind.report.paths import on_one_line
from dupfind.report.text import printable, valid_text
from dupfind.settings import Format

SCHEMA = "dupfind.hash/1"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})


class Renderer:
    """Makes bytes of the answers one by one; those that are printed only all together come with :meth:`tail`."""

    def __init__(self, asked: AskedHashes, format_: Format, screen: Screen, version: str, *, print0: bool) -> None:
        self._asked = asked
        self._format = format_
        self._screen = screen
        self._version = version
        self._print0 = print0
        self._all: list[Hashed] = []

    def head(self) -> bytes:
        """Return what stands before all answers."""
        return lines([("path", *self._asked.algorithms, "error")], self._screen) if self._format is Format.CSV else b""

    def file(self, hashed: Hashed) -> bytes:
        """Return what is printed of one answer as soon as it is known."""
        match self._format:
            case Format.JSON:
                self._all.append(hashed)
                return b""
            case Format.JSONL:
                return encoded_lines([{"type": "file", **self._as_json(hashed)}])
            case Format.CSV:
                hashes = hashed.hashes or ("",) * len(self._asked.algorithms)
                return lines([(cell(hashed.path), *hashes, cell(hashed.error or ""))], self._screen)
            case Format.PATHS:
                return b"" if hashed.error else self._line(hashed.path)
            case Format.TABLE:
                return b"" if hashed.error else self._line(hashed.path, " ".join(hashed.hashes) + "  ")

    def tail(self) -> bytes:
        """Return what stands behind all answers."""
        if self._format is not Format.JSON:
            return b""
        whole = {
            "schema": SCHEMA,
            "dupfind": self._version,
            "settings": {"algorithms": self._asked.algorithms, "size": self._asked.size, "exact": self._asked.is_exact},
            "files": [self._as_json(hashed) for hashed in self._all],
        }
        return encoded(whole)

    def _line(self, path: str, before: str = "") -> bytes:
        if self._print0:
            return before.encode() + os.fsencode(path) + b"\0"
        if self._screen.is_terminal:
            return (before + printable(path) + "\n").encode(self._screen.encoding, "replace")
        if not before:
            return os.fsencode(on_one_line(path)) + b"\n"
        escaped = path.translate(_ESCAPES)
        mark = "" if escaped == path else "\\"
        return os.fsencode(f"{mark}{before}{escaped}\n")

    def _as_json(self, hashed: Hashed) -> dict[str, Any]:
        hashes = dict(zip(self._asked.algorithms, hashed.hashes, strict=True)) if hashed.error is None else None
        error = None if hashed.error is None else valid_text(hashed.error)
        return {**named_path("path", hashed.path), "hashes": hashes, "error": error}
