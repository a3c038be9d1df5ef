"""Tells AppleDouble files by their first bytes: what a Mac keeps of a file where a disk has no place for it.

Such a file is named after its owner, ``._IMG.jpg`` for ``IMG.jpg``, but a picture may bear such a name too. The number
is that of the format's definition, RFC 1740, appendix B. AppleSingle has another one, because it holds the file itself.
"""

from __future__ import annotations

import os

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
    return first_bytes(path, len(MAGIC), folder) == MAGIC


def first_bytes(path: str, size_bytes: int, folder: int | None = None) -> bytes:
    """Read so many bytes of the file at ``path``; gives nothing where it cannot be read or is behind a link."""
    try:
        handle = os.open(path, _FLAGS, dir_fd=folder)
    except (OSError, ValueError):
        return b""
    try:
        return os.read(handle, size_bytes)
    except OSError:
        return b""
    finally:
        os.close(handle)
