"""Collections, their catalogs, and scans of these, all of it in the process of the test."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from dupfind.answers.index import Indexed
from dupfind.commands.indexing import index
from dupfind.pipeline import scan
from dupfind.settings import make_settings
from dupfind.values import FileEntry, Report
from fixtures import pictures
from tests.helpers.scans import one_thread

OLD_NS = 1_500_000_000 * 10**9
TreeBuilder = Callable[[str, Mapping[str, "bytes | Image.Image | None"]], Path]


class Ears:
    """Hears warnings and how many files each stage had."""

    def __init__(self) -> None:
        from dupfind.events import Silence

        self.warnings: list[str] = []
        self.stages: dict[str, int | None] = {}
        silence = Silence()
        self.part, self.worked = silence.part, silence.worked
        self.expect, self.went_through = silence.expect, silence.went_through
        self._stage = silence.stage

    def stage(self, name: str, total: int | None) -> Any:
        """Remember the stage."""
        self.stages[name] = total
        return self._stage(name, total)

    def warn(self, text: str) -> None:
        """Remember the warning."""
        self.warnings.append(text)


def collection(tree: TreeBuilder, name: str = "drive") -> Path:
    """Three pictures, one of which is read coarsely first, a text, and a file whose name is no text."""
    folder = tree(name, _collected())
    settle(folder)
    return folder


@cache
def _collected() -> Mapping[str, bytes]:
    """The files of a collection by their names; the large one takes a fifth of a second to make."""

    def saved(seed: int, size: tuple[int, int], kind: str, **options: Any) -> bytes:
        file = io.BytesIO()
        pictures.photo(seed, size).save(file, kind, **options)
        return file.getvalue()

    return {
        "2006/a.jpg": saved(1, (240, 180), "JPEG", quality=88),
        "2006/b.png": saved(2, (240, 180), "PNG"),
        "2006/p.jpg": saved(3, (2800, 2100), "JPEG", progressive=True, quality=90),
        "notes.txt": b"notes",
        os.fsdecode(b"caf\xe9.txt"): b"cafe",
    }


def settle(folder: Path) -> None:
    """Give every file an old time."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, ns=(OLD_NS, OLD_NS))


def cataloged(folder: Path, path: Path, listener: Ears | None = None, **raw: Any) -> Indexed:
    """Make a catalog, or update it."""
    settings = make_settings(haystack=[str(folder)], called="", **{"no_cache": True, **raw})
    return index(settings, str(path), listener, one_thread)


def scanned(haystack: Path, needles: Path, listener: Ears | None = None, **raw: Any) -> Report:
    """Scan needles in one haystack."""
    options = {"no_cache": True, **raw}
    return scan(make_settings(haystack=[str(haystack)], needles=[str(needles)], **options), listener, one_thread)


def verdicts(report: Report) -> dict[str, tuple[str, str | None]]:
    """State and evidence by the name of the file."""
    return {os.path.basename(one.path): (one.state.value, one.evidence and one.evidence.value) for one in report.files}


def no_entry(path: str) -> FileEntry:
    """A file that nobody opens."""
    return FileEntry(path, 1, 0, 0, 0)
