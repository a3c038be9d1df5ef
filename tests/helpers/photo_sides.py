"""Two sides for servers to show: photos, a copy saved again, words, and what is not there."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path

from dupfind.sources.mounts import Mount, Mounts
from fixtures import pictures
from tests.helpers.trees import build_tree

DISK = Mounts((Mount(1, "/", "/", "ext4", "/dev/sda1"),))
"""The table of mounts of a machine on which nothing shows what a server does."""
OLD = 1_500_000_000
"""Seconds since the epoch, long before the test."""


def saved(seed: int, quality: int = 92) -> bytes:
    """A photo as a JPEG."""
    out = io.BytesIO()
    pictures.photo(seed, (320, 240)).save(out, "JPEG", quality=quality)
    return out.getvalue()


HAY = {"2006/a.jpg": saved(1), "2006/b.jpg": saved(2, 98), "2007/notes.txt": b"words", "c.jpg": saved(3)}
NEEDLES = {
    "all/copy of a.jpg": HAY["2006/a.jpg"],
    "all/notes.txt": b"words",
    "all/saved again.jpg": saved(2, 85),
    "part/new.jpg": saved(4),
    "part/other.txt": b"sword",
}


def build(folder: Path, files: Mapping[str, bytes], when: int = OLD) -> Path:
    """A folder of files of one time."""
    build_tree(folder, files)
    for name in files:
        os.utime(folder / name, (when, when))
    return folder
