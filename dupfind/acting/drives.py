"""Which drive a folder lay on when a run acted: noted in its journal, and looked at again before an undo does anything.

A path says nothing of that. Where a drive was mounted there is an empty folder of the system's own disk when it is
unplugged, and another card when that was plugged in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from dupfind.catalog.volumes import volumes_of
from dupfind.sources.mounts import Mount, Mounts, read_mounts
from dupfind.values import is_below


class Drive(NamedTuple):
    """What a folder lies on, by what survives that it is unplugged and plugged in again; empty is what is not known."""

    place: str
    """The folder: absolute, without links; it need not be there."""
    point: str
    """Where the file system is mounted."""
    inner: str
    """Where on the file system the folder lies."""
    kind: str
    """Type of the file system: ``ext4``."""
    source: str
    """What it was mounted from: ``/dev/sdb1``."""
    uuid: str
    """What the file system carries itself."""
    fsid: int
    """What ``statvfs`` gives as its number; 0 where it has none."""
    inode: int
    """Of the folder at its top; 0 where numbers do not last."""

    def is_same(self, now: Drive) -> bool:
        """Tell whether two are one folder of one file system; by its UUID, where either has none by all else."""
        if self.inner != now.inner:
            return False
        if self.uuid and now.uuid:
            # It stays with the file system wherever that is plugged in, and says more than all the rest.
            return self.uuid == now.uuid
        numbers = ((self.fsid, now.fsid), (self.inode, now.inode))
        is_like = (self.kind, self.source) == (now.kind, now.source)
        return is_like and all(before == after for before, after in numbers if before and after)


def _line(place: str, mounts: Mounts) -> Mount:
    """Return the mount that a folder lies on, or would; made up of what there is on systems without a table."""
    if (mount := mounts.around(place)) is not None:
        return mount
    point = place
    while not os.path.ismount(point) and point != os.path.dirname(point):
        point = os.path.dirname(point)
    device = 0
    with suppress(OSError):
        device = os.stat(point).st_dev
    return Mount(device, os.sep, point, "", "")


def _drive(place: str, mounts: Mounts, line: Mount) -> Drive:
    below = os.path.relpath(place, line.point)
    of_mount = mounts.place(place)
    inner = of_mount[1] if of_mount is not None else below
    (volume,) = volumes_of([line.device], mounts, {line.device: line.point})
    fsid, inode = 0, 0
    with suppress(OSError, AttributeError):  # Windows has no statvfs
        fsid = os.statvfs(line.point).f_fsid
        inode = os.stat(line.point).st_ino if line.system.keeps_change_time else 0
    return Drive(place, line.point, inner, line.kind or volume.kind, line.source, volume.uuid, fsid, inode)


def note_drives(places: Iterable[str]) -> list[dict[str, Any]]:
    """Return for a journal what these folders lie on, and what is mounted below them."""
    mounts = read_mounts()
    wanted = set(places)
    wanted |= {line.point for line in mounts.lines for place in wanted if is_below(line.point, place)}
    return [_drive(place, mounts, _line(place, mounts))._asdict() for place in sorted(wanted)]


class Drives:
    """The drives that a journal has noted down; none in one of an older version."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        noted = (Drive(**{name: record[name] for name in Drive._fields}) for record in records)
        self._by_place = {drive.place: drive for drive in noted}
        self._known: dict[tuple[str, Mount], str | None] = {}

    def of(self, path: str) -> Drive | None:
        """Return what was noted of the innermost folder around a path, or of itself; None where nothing was."""
        while path not in self._by_place:
            path, inner = os.path.dirname(path), path
            if path == inner:
                return None
        return self._by_place[path]

    def why_not(self, path: str) -> str | None:
        """Tell why nothing may be done at a path: what is mounted there now is not what was; None where it is.

        The table of mounts is read each time, since a drive may be unplugged at any moment.
        """
        if (noted := self.of(path)) is None:
            return None
        mounts = read_mounts()
        if (within := _line(path, mounts)).point != (line := _line(noted.place, mounts)).point:
            return f"another drive is mounted at {within.point} since"
        if (noted.place, line) not in self._known:
            now = _drive(noted.place, mounts, line)
            is_over = is_below(now.point, noted.point) and now.point != noted.point
            text = (
                f"another drive is mounted at {now.point} since"
                if is_over
                else f"the drive that was at {noted.point} is not mounted"
            )
            self._known[noted.place, line] = None if noted.is_same(now) else text
        return self._known[noted.place, line]
