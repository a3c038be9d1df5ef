"""Files as the walk and the reader know them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from dupfind.pool import tasks
from dupfind.values import FileEntry, Thumbnail


def put(path: Path, image: Image.Image, **options: object) -> tuple[FileEntry, Thumbnail]:
    """Save an image; gives what the walk and the reader say of it."""
    image.save(path, **options)
    state = path.stat()
    entry = FileEntry(str(path), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
    (outcome,) = tasks.read_thumbnails([entry], 10**9, 60.0, may_be_coarse=False)
    assert isinstance(outcome.result, Thumbnail)
    return entry, outcome.result
