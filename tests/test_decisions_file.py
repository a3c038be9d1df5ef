"""Reading a file of decisions: one clear line for whatever keeps it from being one."""

from __future__ import annotations

from pathlib import Path

import pytest

from dupfind.errors import SettingsError
from dupfind.scanning.decisions_file import read
from tests.helpers.decisions import file, row


def test_it_is_read(tmp_path: Path) -> None:
    """As it is."""
    (tmp_path / "d.json").write_bytes(file(row()))
    assert [one.ruling.value for one in read(str(tmp_path / "d.json"))] == ["same"]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """The file and the cause are named."""
    (tmp_path / "bad.json").write_bytes(b"{}")
    for name, why in (
        ("none.json", "no such file or directory"),
        (".", "is a directory"),
        ("a\0b", "embedded null byte"),
        ("bad.json", "its schema is not dupfind.decisions/1"),
    ):
        path = f"{tmp_path}/{name}"
        with pytest.raises(SettingsError) as caught:
            read(path)
        assert str(caught.value) == f"--decisions {path}: {why}"
