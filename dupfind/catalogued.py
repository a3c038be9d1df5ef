"""What is said of catalogues: in reports, in the catalogues themselves. Values; knows no file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Catalogued(NamedTuple):
    """One catalogue that stood for a folder of the haystack, as it was when it was read."""

    path: str
    """As the user gave it; paths of its files begin so."""
    root: str
    """The folder that it lists, as an absolute path on the machine where it was updated last."""
    updated: str
    """When the last update that came to its end began: ISO 8601, with the offset of its time zone."""
    age_seconds: float
    """How long that was ago."""
    files: int
    is_complete: bool
    """False where the first indexing, or the last update, has not come to its end."""


class Volume(NamedTuple):
    """A file system, as far as the machine can tell one from another; empty texts are what is not known."""

    device: int
    """``st_dev``, which says nothing on another machine or after a restart."""
    boot: str
    """Of the machine on which that was: a new one at each start."""
    kind: str
    """``ext4``, ``vfat``, ``fuse.sshfs``."""
    uuid: str
    """What the file system carries itself, wherever it is plugged in."""
    is_numbered_apart: bool
    """True where several trees of it number their files each from the start, as the subvolumes of btrfs do."""


@dataclass(frozen=True, slots=True)
class About:
    """What a catalogue says of itself."""

    version: str
    """Of the dupfind that updated it last."""
    libraries: dict[str, str | None]
    """Versions of what decides thumbnails and hashes, at the last update."""
    made: str
    updated: str
    """As in :class:`Catalogued`; until the first indexing has come to its end, when that began."""
    root: str
    root_inode: int
    """0 where there is none to go by."""
    excludes: tuple[str, ...]
    """What was left out by ``--exclude``, and whether links were followed, at the last update."""
    follow_symlinks: bool
    volumes: tuple[Volume, ...]
    """Everything that files of it lay on at the last update."""
    is_complete: bool
