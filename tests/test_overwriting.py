"""A slip of the command line costs no file: nothing that is read is written over, and no page replaces a photo."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from dupfind.errors import SettingsError
from dupfind.overwriting import check_output, refuse_overwriting
from dupfind.sources.roots import haystack_roots, named_file
from tests.helpers.played_mounts import Played, play


@pytest.mark.parametrize("option", ["--output", "--save", "--html", "--plot", "--catalog"])
@pytest.mark.parametrize("other", ["--decisions", "--files-from", "--cache", "--baseline"])
def test_what_is_read_is_not_replaced(tmp_path: Path, option: str, other: str) -> None:
    """By whatever name it is met; but a report may follow the one that it was compared with."""
    file = tmp_path / "file"
    file.write_bytes(b"")
    os.symlink(file, tmp_path / "link")
    if (option, other) == ("--save", "--baseline"):
        refuse_overwriting({option: str(file)}, {other: str(file)})
        return
    for name in ("file", "link", f"../{tmp_path.name}/file"):
        with pytest.raises(SettingsError, match=f"^{option} .* would replace what {other} reads$"):
            refuse_overwriting({"--unused": None, option: str(file)}, {"--none": None, other: str(tmp_path / name)})


def test_no_report_lies_below_a_root_that_another_mount_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mount may show a folder from within the root: its place on the file system tells."""
    hay, away = tmp_path / "hay", tmp_path / "away"
    hay.mkdir()
    away.mkdir()
    for place, is_below_root in (("/photos/2010", True), ("/photos2", False)):
        shown = {hay: Played("ext4", inner="/photos"), away: Played("ext4", inner=place)}
        play(monkeypatch, tmp_path / "mounts", shown)
        with pytest.raises(SettingsError, match="where dupfind never writes") if is_below_root else nullcontext():
            check_output(str(away / "report.txt"), haystack_roots([str(hay)]))


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\xe0photo", b"[]", b"<?xml version"])
def test_a_page_replaces_pages_only(tmp_path: Path, content: bytes) -> None:
    """Or nothing, or what is empty."""
    file = tmp_path / "file"
    refuse_overwriting({"--html": str(file)}, {})
    for harmless in (b"", b"<!DOCTYPE html><p>", b"<!doctype html>"):
        file.write_bytes(harmless)
        refuse_overwriting({"--html": str(file)}, {})
    file.write_bytes(content)
    refuse_overwriting({"--output": str(file)}, {})
    with pytest.raises(SettingsError, match="there is a file that is no page"):
        refuse_overwriting({"--html": str(file)}, {})


def test_a_single_file_that_is_looked_at_is_not_replaced(tmp_path: Path) -> None:
    """By whatever name it is met."""
    file, other = tmp_path / "photo.jpg", tmp_path / "other"
    file.write_bytes(b"")
    os.symlink(file, tmp_path / "link")
    for path in (file, tmp_path / "link"):
        with pytest.raises(SettingsError, match=r"^--output \S+ would replace a file that dupfind is to look at$"):
            refuse_overwriting({"--output": str(path)}, {}, [named_file(str(file))])
    refuse_overwriting({"--output": str(other)}, {}, [named_file(str(file))])


def test_one_file_by_names_that_differ_in_case(tmp_path: Path) -> None:
    """As where the system does not tell case, or forms of Unicode, apart; a further link stands for that here."""
    file = tmp_path / "L\u00e4nder.txt"
    file.write_bytes(b"")
    for name in ("l\u00c4NDER.txt", "La\u0308nder.TXT"):
        output = tmp_path / name
        refuse_overwriting({"--output": str(output)}, {"--files-from": str(file)}, [named_file(str(file))])
        output.write_bytes(b"another file")
        refuse_overwriting({"--output": str(output)}, {"--files-from": str(file)}, [named_file(str(file))])
        output.unlink()
        os.link(file, output)
        with pytest.raises(SettingsError, match=r"would replace what --files-from reads$"):
            refuse_overwriting({"--output": str(output)}, {"--files-from": str(file)})
        with pytest.raises(SettingsError, match=r"would replace a file that dupfind is to look at$"):
            refuse_overwriting({"--output": str(output)}, {}, [named_file(str(file))])
