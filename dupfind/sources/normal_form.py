"""Brings names to one form before they are compared: one name can be stored in several ways. Pure.

A Mac stores "ö" as "o" and a combining mark (decomposed, NFD); other systems and keyboards give one character (NFC,
composed). Rsync, rclone, SMB and ZIP files carry either to any disk. The forms are those of Unicode Standard Annex #15.
"""

from __future__ import annotations

import os
from unicodedata import category, normalize


def composed(name: str) -> str:
    """Return ``name`` in NFC, in which equal names have equal characters. ASCII costs nothing."""
    return name if name.isascii() else normalize("NFC", name)


def slashed(path: str) -> str:
    """Return ``path`` as patterns are written, with ``/`` between folders, whatever the system has there."""
    return path if os.sep == "/" else path.replace(os.sep, "/")


def folded(name: str) -> str:
    r"""Return ``name`` as it is looked up in a table: NFC, case folded, single blanks, no invisible characters.

    >>> folded("Gelo\u0308scht") == folded("GELÖSCHT")
    True
    """
    if name.isascii():
        return " ".join(name.lower().split())
    visible = "".join(char for char in normalize("NFC", name) if category(char) != "Cf")
    return " ".join(normalize("NFC", visible.casefold()).split())


def folded_path(path: str) -> str:
    """Return ``path`` as a file system sees it that is blind to case and to the forms of Unicode."""
    return normalize("NFC", path).casefold()
