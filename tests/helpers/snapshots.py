"""Snapshots of a walk."""

from __future__ import annotations

import numpy as np

from dupfind.cache.cache_schema import Part, PictureRef
from dupfind.cache.snapshot import OTHER, PICTURE, UNSETTLED, FolderRow, Inner, Noted, make_rows, pack
from dupfind.values import Failure, FileEntry

FOLDERS = (
    FolderRow("/h", -1, (1, 2), (3, 4), 2, (Noted("link", "symbolic link: not followed", False),)),
    FolderRow("/h/a\udcff", 0, (1, 3), None, 1),
)
ENTRIES = [
    FileEntry("/h/one.jpg", 10, 20, 30, 40),
    FileEntry("/h/two\udcfe.txt", 11, 21, 31, 2**64 - 1),
    FileEntry("/h/a\udcff/three.jpg", 12, 22, 32, 42),
]
ROWS = make_rows(ENTRIES, [PictureRef(-5, 99), None, None], [2**64 - 1, 0, 0], [PICTURE, OTHER, UNSETTLED])
INNER = Inner(np.array([0]), np.array([7], np.uint64))
FAILURES = {1: Failure("cannot be decoded", is_image=True)}


def packed() -> dict[Part, bytes]:
    """A small collection."""
    return dict(pack(FOLDERS, ROWS, INNER, FAILURES))
