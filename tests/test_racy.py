"""Edits that hide: the same size, the old time put back, moments after the file was read; a thousand of them.

What is remembered of files must not outlive them: the answers with the cache and without are compared after each edit.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from dupfind.values import FileState
from fixtures import pictures
from tests.helpers.races import (
    race,
)


@pytest.mark.slow
@pytest.mark.usefixtures("short_races")
def test_a_thousand_edits(tmp_path: Path) -> None:
    """Of files that are known by their bytes."""
    seen = race(tmp_path, [b"one", b"two", b"six", b"ten"], 1000, 1)
    assert min(seen[FileState.PRESENT], seen[FileState.MISSING]) > 500


@pytest.mark.slow
@pytest.mark.usefixtures("short_races")
def test_edits_of_pictures(tmp_path: Path) -> None:
    """One file format without compression, so that every picture has the same size."""
    contents = []
    for seed in (1, 2):
        for quality in (95, 60):  # two files of one picture, which prove each other
            image = pictures.photo(seed, (96, 64))
            coded, file = io.BytesIO(), io.BytesIO()
            image.save(coded, "JPEG", quality=quality)
            with Image.open(coded) as again:
                again.save(file, "BMP")
            contents.append(file.getvalue())
    assert 1 == len(set(map(len, contents)))
    seen = race(tmp_path, contents, 100, 2)
    assert min(seen[FileState.PRESENT], seen[FileState.MISSING]) > 10
