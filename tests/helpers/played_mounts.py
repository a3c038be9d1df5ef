"""File systems that tests play: a table of mounts that says of folders of the test what lies there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from dupfind.sources import mounts


class Played(NamedTuple):
    """What a folder is to pass for."""

    kind: str
    source: str = "/dev/played"
    device: int | None = None
    """None for the real one."""
    inner: str = "/"


def play(monkeypatch: pytest.MonkeyPatch, table: Path, folders: Mapping[Path, Played | str]) -> None:
    """Write the table of mounts and have it read; a text stands for the type of what lies on the real device."""
    lines = []
    for number, (folder, given) in enumerate(folders.items()):
        played = Played(given) if isinstance(given, str) else given
        device = os.stat(folder).st_dev if played.device is None else played.device
        numbers = f"{os.major(device)}:{os.minor(device)}"
        lines.append(
            f"{number} 0 {numbers} {played.inner} {os.path.realpath(folder)} rw - {played.kind} {played.source} rw\n"
        )
    table.write_text("".join(lines), encoding="utf-8")
    monkeypatch.setattr(mounts, "_TABLE", str(table))
