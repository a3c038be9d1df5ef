"""Permissions of a cache: who else could write to it could have a folder called contained that is not.

As with the files of ssh, what counts is who owns the file and its folder and who else may write to them. The folder
counts because SQLite takes up journals that lie beside the file. Beyond POSIX nothing is checked.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

_BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite looks for beside a database and takes up."""


def distrust_of_place(path: str, remedy: str = "name one of your own with --cache") -> str | None:
    """Return why a cache at ``path``, which need not be there, is not to be trusted for what lies around it, or None.

    ``remedy`` is what else to do. Raises OSError where that cannot be told.
    """
    if not hasattr(os, "geteuid"):
        return None
    folder = os.path.dirname(path)
    status = os.stat(folder)
    # The owner of the folder could exchange the file at any moment.
    if status.st_uid not in (0, os.geteuid()):
        return f"its folder belongs to another user ({status.st_uid}): {remedy}"
    # In a folder such as /tmp everybody may make files, but nobody may touch ours.
    if _may_others_write(status) and not status.st_mode & stat.S_ISVTX:
        return f"others may write to its folder: chmod go-w {folder}, or {remedy}"
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            reason = distrust_of_file(os.lstat(path + suffix))
            if reason is not None:
                return f"there is {os.path.basename(path)}{suffix} beside it, and it {reason}"
    return None


def distrust_of_file(status: os.stat_result) -> str | None:
    """Return why a file of this state is not to be trusted, as the end of a sentence, or None."""
    if not stat.S_ISREG(status.st_mode):  # a named pipe would block for ever
        return "is not a regular file"
    if not hasattr(os, "geteuid"):
        return None
    if status.st_uid != os.geteuid():
        return f"belongs to another user ({status.st_uid})"
    return "may be written by others (chmod go-w helps)" if _may_others_write(status) else None


def _may_others_write(status: os.stat_result) -> bool:
    if status.st_mode & stat.S_IWOTH:
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _is_own_group(status.st_gid)


def _is_own_group(number: int) -> bool:
    """Tell whether a group is the user's private one, which many systems give each and let write to all files."""
    try:
        import grp
        import pwd
    except ImportError:  # nobody can be asked whose group it is
        return False
    try:
        group, name = grp.getgrgid(number), pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return group.gr_name == name and set(group.gr_mem) <= {name}
