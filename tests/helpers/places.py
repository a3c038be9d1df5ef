"""Where things lie: the project, the real pictures, what the docs show."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECOND_DEVICE = Path("/dev/shm")  # noqa: S108 - a file system of its own, nearly everywhere
SHARED_DATA = ROOT.parent / "shared" / "data"


def needs_shared_data(name: str) -> pytest.MarkDecorator:
    """Skip with the reason where the real pictures are not at hand."""
    folder = SHARED_DATA / name
    return pytest.mark.skipif(not folder.is_dir(), reason=f"the real pictures of shared/data/{name} are not here")


def documented(page: str, part: str) -> str:
    """What a page of the docs shows as the output of a command; made by ``make docs``."""
    text = (ROOT / "docs" / page).read_text()
    block = text.partition(f"<!-- generated: {part} -->\n```\n")[2].partition("```\n<!-- end -->")[0]
    return block.partition("\n")[2]


@contextmanager
def on_second_device(near: Path) -> Iterator[Path]:
    """A folder on another file system than ``near``; skips the test where there is none."""
    if not os.access(SECOND_DEVICE, os.W_OK) or os.stat(SECOND_DEVICE).st_dev == os.stat(near).st_dev:
        pytest.skip("there is no second file system here")
    with tempfile.TemporaryDirectory(dir=SECOND_DEVICE, prefix="dupfind-") as name:
        yield Path(name).resolve()
