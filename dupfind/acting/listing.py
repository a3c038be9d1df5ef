"""Everything that lies in a folder, junk as well, as it is on the disk: what goes with a folder is listed by this.

Follows no link, and enters no other file system and no other root.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from typing import NamedTuple

from dupfind.acting.marks import marks_of
from dupfind.answers.clean import Inner
from dupfind.errors import reason_of
from dupfind.values import FolderId

STATE = ("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")


class NotListedError(Exception):
    """A folder cannot go whole; the text says why."""


class Listed(NamedTuple):
    """What lies in a folder."""

    device: int
    states: dict[tuple[str, ...], tuple[int, ...]]
    """By path below the folder, the state of each file, link and whatever else is no folder."""
    folders: list[Inner]
    """The outermost first, that folder itself among them."""


def state_of(file: os.stat_result) -> tuple[int, ...]:
    """Return the state of a file as :class:`~dupfind.answers.clean.Thing` has it."""
    return (*(getattr(file, name) for name in STATE), stat.S_IFMT(file.st_mode))


def list_folder(path: str, roots: Collection[FolderId]) -> Listed:
    """List a folder; ``roots`` are the folders that the user named. Raises :class:`NotListedError`."""
    try:
        top = os.lstat(path)
        if not stat.S_ISDIR(top.st_mode):
            raise NotListedError("it is no folder any more")
        listed = Listed(top.st_dev, {}, [])
        pending: list[tuple[str, ...]] = [()]
        while pending:
            below = pending.pop()
            folder = os.path.join(path, *below)
            state = os.lstat(folder)
            if state.st_dev != top.st_dev:
                raise NotListedError(f"another file system is mounted in it, at {folder}")
            # A root that lies in this folder is a question of its own: it does not go along.
            if below and (state.st_dev, state.st_ino) in roots:
                raise NotListedError(f"{folder} in it is a root of its own")
            listed.folders.append(Inner(below, marks_of(folder)))
            with os.scandir(folder) as items:
                for item in sorted(items, key=lambda item: item.name, reverse=True):
                    inner = (*below, item.name)
                    if item.is_dir(follow_symlinks=False):
                        pending.append(inner)
                    else:
                        listed.states[inner] = state_of(os.lstat(item.path))
    except OSError as error:
        raise NotListedError(f"it cannot be listed: {reason_of(error)}") from error
    return listed
