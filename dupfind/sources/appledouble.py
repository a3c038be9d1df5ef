"""Tells AppleDouble files by their first bytes: what a Mac keeps of a file where a disk has no place for it.

Such a file is named after its owner, ``._IMG.jpg`` for ``IMG.jpg``, but a picture may bear such a name too. The number
is that of the format's definition, RFC 1740, appendix B. AppleSingle has another one, because it holds the file itself.
"""

from __future__ import annotations

import os

from dupfind.sources.ignore import is_junk_file, may_be_appledouble

MAGIC = bytes.fromhex("00051607")
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe that came in the place of the file must not keep the walk waiting
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def is_appledouble(path: str, folder: int | None = None) -> bool:
    """Tell whether the file at ``path`` is AppleDouble; False where it cannot be read, so that nobody overlooks it.

    ``folder`` is a handle of the folder that ``path`` is relative to.
    """
    try:
        handle = os.open(path, _FLAGS, dir_fd=folder)
    except (OSError, ValueError):
        return False
    try:
        return os.read(handle, len(MAGIC)) == MAGIC
    except OSError:
        return False
    finally:
        os.close(handle)


def is_junk(path: str) -> bool:
    """Tell whether the file at ``path`` is ignored on both sides, by its name or as AppleDouble."""
    name = os.path.basename(path)
    return is_junk_file(name) or (may_be_appledouble(name) and is_appledouble(path))
