"""Names of objects to paths below a root; pure.

To a store a name is a string, in which a slash means nothing. A path has folders, and what cannot be one is told of and
not looked at: programs shorten ``a//b`` and ``a/../b``, and would delete, or ask for, another object.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST_LETTERS, MOST_DEPTH = 4096, 128
"""Of a path, and of folders that lie in each other: a server may show a folder in itself, by ever longer paths."""
ITSELF = "[object]"
"""Stands for an object among those that are called as if they lay in it, so that the folder of its name is in doubt."""


def why_no_path(below: str) -> str | None:
    r"""Tell why what follows the root in a name is no path; None where it is one.

    >>> why_no_path("a/b.jpg"), why_no_path("a//b.jpg"), why_no_path("../b.jpg"), why_no_path("a/./b")
    (None, 'its name is no path', 'its name is no path', 'its name is no path')
    """
    if len(below) > MOST_LETTERS:
        return f"its name has {len(below):,} letters"
    if "\0" in below or any(part in ("", ".", "..") for part in below.split("/")):
        return "its name is no path"
    return None


def is_too_deep(folder: str) -> bool:
    """Tell whether a folder lies too deep to be looked into.

    >>> is_too_deep("/a/b/"), is_too_deep("/a" * 200), is_too_deep("/" + "a" * 5000)
    (False, True, True)
    """
    return len(folder) >= MOST_LETTERS or folder.count("/") > MOST_DEPTH


def folder_around(below: str) -> str:
    """Return the innermost folder around what is no path, as far as it is one.

    >>> folder_around("a/b//c"), folder_around("a/../c"), folder_around("/c")
    ('a/b', 'a', '')
    """
    parts = below[:MOST_LETTERS].split("/")[:-1]
    end = next((number for number, part in enumerate(parts) if part in ("", ".", "..") or "\0" in part), len(parts))
    return "/".join(parts[:end])


def in_order(below: str) -> tuple[list[str], str]:
    """Return what paths are sorted by: those of a folder together, before those of the folders in it."""
    folder, _, name = below.rpartition("/")
    return folder.split("/") if folder else [], name


def folders_of(paths: Iterable[str]) -> set[str]:
    """Return all folders around these.

    >>> sorted(folders_of(["a/b/c.jpg", "a/d.jpg", "e.jpg"]))
    ['a', 'a/b']
    """
    folders: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return folders
