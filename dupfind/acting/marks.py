"""What a file or a folder has beside its content: read, written down in a journal, and given to its copy.

Whoever is not root cannot give files to others, and many file systems keep neither owners nor attributes: what was not
kept is told, and the journal has it.
"""

from __future__ import annotations

import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dupfind.answers.clean import Marks

_OF_USERS = ("user.", "system.posix_acl_")
"""Whose extended attributes are the user's: all others say what the file system, or a guard, knows of a file."""
_MOST_BYTES = 1 << 16
"""The system's own bound on the value of an attribute."""
_CLOCK_NS = 2_000_000_000
"""The coarsest clock of a file system, FAT's."""


def marks_of(file: int | str) -> Marks:
    """Return what an open file or folder has, or one by its path, through no link. Raises ``OSError``."""
    state = os.fstat(file) if isinstance(file, int) else os.lstat(file)
    return Marks(stat.S_IMODE(state.st_mode), state.st_uid, state.st_gid, state.st_mtime_ns, _attributes(file))


def _attributes(file: int | str) -> tuple[tuple[str, bytes], ...]:
    """Return the user's extended attributes; none where the file system has none."""
    if not hasattr(os, "listxattr"):
        return ()
    follows = isinstance(file, int)  # a handle is no link
    kept = []
    with suppress(OSError):
        for name in sorted(os.listxattr(file, follow_symlinks=follows)):
            if name.startswith(_OF_USERS):
                with suppress(OSError):
                    kept.append((name, os.getxattr(file, name, follow_symlinks=follows)))
    return tuple(kept)


def give_marks(marks: Marks, handle: int) -> tuple[str, ...]:
    """Give an open file or folder of this run what another one had; returns what was not kept, in words."""
    lost = []
    _give_owner(marks, handle)
    with suppress(OSError):  # the owner first: whoever gives a file away takes the marks of its mode from it
        os.chmod(handle, marks.mode)
    names = []
    for name, value in marks.attributes:
        try:
            os.setxattr(handle, name, value)
        except OSError:
            names.append(name)
    state = os.fstat(handle)
    if (state.st_uid, state.st_gid) != (marks.uid, marks.gid):
        lost.append("the owner was not kept")
    if stat.S_IMODE(state.st_mode) != marks.mode:
        lost.append("the mode was not kept")
    if names:
        lost.append(f"extended attributes were not kept: {', '.join(names)}")
    with suppress(OSError, OverflowError):
        os.utime(handle, ns=(marks.mtime_ns, marks.mtime_ns))
    if abs(os.fstat(handle).st_mtime_ns - marks.mtime_ns) > _CLOCK_NS:
        lost.append("the time was not kept")
    return tuple(lost)


def _give_owner(marks: Marks, handle: int) -> None:
    """Give an open file its owner, or its group where only that may be given."""
    if not hasattr(os, "chown"):
        return
    state = os.fstat(handle)
    if (state.st_uid, state.st_gid) == (marks.uid, marks.gid):
        return
    try:
        os.chown(handle, marks.uid, marks.gid)
    except OSError:
        with suppress(OSError):
            os.chown(handle, -1, marks.gid)


def record_of(marks: Marks) -> dict[str, Any]:
    """Return the marks as a journal has them."""
    attributes = {name: b64encode(value).decode() for name, value in marks.attributes if len(value) <= _MOST_BYTES}
    return {
        "mode": marks.mode,
        "uid": marks.uid,
        "gid": marks.gid,
        "mtime_ns": marks.mtime_ns,
        **({"attributes": attributes} if attributes else {}),
    }


def from_record(record: Mapping[str, Any], handle: int) -> Marks:
    """Return the marks that a journal has; what a journal of an older version lacks is that of the open file."""
    own = os.fstat(handle)
    attributes = tuple((str(name), b64decode(value)) for name, value in record.get("attributes", {}).items())
    uid, gid = int(record.get("uid", own.st_uid)), int(record.get("gid", own.st_gid))
    return Marks(stat.S_IMODE(int(record["mode"])), uid, gid, int(record["mtime_ns"]), attributes)
