"""Which names are junk, trash or excluded. Pure: it judges names, never looks at a file.

The lists are short and exact on purpose. What is called junk is invisible in the answer, so a name belongs here only
when an operating system writes it by itself and nobody would miss it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate

JUNK_FILES = frozenset({
    ".apdisk",
    ".directory",
    ".ds_store",
    ".localized",
    "desktop.ini",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "icon\r",
    "thumbs.db",
})  # fmt: skip
"""Names of files, in lower case, that systems leave behind; ``._*`` (AppleDouble) is junk too."""

JUNK_FOLDERS = frozenset({
    ".appledouble",
    ".documentrevisions-v100",
    ".fseventsd",
    ".spotlight-v100",
    ".temporaryitems",
    "@eadir",
    "system volume information",
})  # fmt: skip
"""Names of folders, in lower case, that systems leave behind, with everything in them."""

TRASH_FOLDERS = frozenset({
    "#recycle",
    "$recycle.bin",
    "@recycle",
    "deleted items",
    "files_trashbin",
    "files_versions",
    "recently deleted",
    "recycle bin",
    "recycled",
    "recycler",
    "trash",
})  # fmt: skip
"""Names of folders, in lower case, whose contents are on their way out; hidden ones (``.Trash-1000``) are hidden."""

SNAPSHOT_FOLDERS = frozenset({
    "#snapshot",
    "@recently-snapshot",
    "~snapshot",
})  # fmt: skip
"""Names of folders, in lower case, in which network drives show the past of the same files until it is pruned."""

_TRASHED_FILES = (".trashed-", ".pending-")
"""How Android marks a picture that it will delete by itself, or that it has not finished writing."""

NOT_TRUSTED = "not trusted as haystack"
"""How every reason ends by which a name keeps what bears it from proving anything."""


def is_common_file(name: str) -> bool:
    """True for the name of a file that is neither junk nor in the trash, by one cheap look; nearly all are."""
    return name[0] != "." and name.lower() not in JUNK_FILES


def is_junk_file(name: str) -> bool:
    """True for a file that is ignored on both sides."""
    return name.startswith("._") or name.lower() in JUNK_FILES


def is_junk_folder(name: str) -> bool:
    """True for a folder that is ignored on both sides."""
    return name.lower() in JUNK_FOLDERS


def why_folder_not_trusted(name: str) -> str | None:
    """Why a folder of the haystack can prove nothing; None when it can."""
    if name.startswith(".") and why_folder_fleeting(name) is None:
        return f"hidden folder: {NOT_TRUSTED}"
    return why_folder_fleeting(name)


def why_folder_fleeting(name: str) -> str | None:
    """Why what is in a folder will not stay, to go by the folder's name; None when it may."""
    lower = name.lower()
    if lower in TRASH_FOLDERS or lower.startswith(".trash"):
        return f"trash folder: {NOT_TRUSTED}"
    if lower in SNAPSHOT_FOLDERS:
        return f"snapshot folder: {NOT_TRUSTED}"
    return None


def why_file_not_trusted(name: str) -> str | None:
    """Why a file of the haystack can prove nothing, to go by its name; None when it can."""
    return f"in the trash: {NOT_TRUSTED}" if name.startswith(_TRASHED_FILES) else None


class Excludes:
    """The user's ``--exclude`` patterns.

    A pattern without a slash is matched with the name of each file and folder; one with a slash with the path below
    the root. ``*`` matches slashes too, ``[...]`` and ``?`` as in a shell. Case counts.

    >>> Excludes(["*.tmp", "/2006/raw"]).matching("2006/raw", "raw")
    '/2006/raw'
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(
            (pattern, "/" in pattern.strip("/") or pattern.startswith("/"), re.compile(translate(pattern.strip("/"))))
            for pattern in patterns
        )

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def matching(self, below_root: str, name: str) -> str | None:
        """The first pattern that matches, or None. ``below_root`` is the path without the root."""
        for pattern, is_path, regex in self._patterns:
            if regex.match(below_root if is_path else name):
                return pattern
        return None
