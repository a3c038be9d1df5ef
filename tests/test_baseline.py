"""Reports read back: all that was written, or one line that says why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dupfind import baseline
from dupfind.errors import SettingsError
from dupfind.report import Screen, render
from dupfind.settings import make_report_settings
from dupfind.values import FileState, FolderState
from tests.helpers.reports import ANSWER, file, folder, report


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Names of any bytes too."""
    path = tmp_path / "r.json"
    odd = "n/\udcff\n.jpg"
    answer = report(
        [*ANSWER.files, file(odd, FileState.UNREADABLE)], [*ANSWER.folders, folder("n/\udcfe", FolderState.REVIEW)]
    )
    path.write_bytes(render(answer, make_report_settings(format_="json"), Screen()))
    found = baseline.read(str(path))
    assert answer.started == found.started
    assert {one.path: one.state for one in answer.files} == found.files
    assert {one.path: one.state for one in answer.folders} == found.folders
    assert found.settings["accept"] == "same"


def whole() -> dict[str, Any]:
    """A sound report."""
    found = json.loads(render(ANSWER, make_report_settings(format_="json"), Screen()))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update(schema="dupfind.find/1"),
        lambda one: one.pop("folders"),
        lambda one: one["files"][0].update(verdict="contained"),
        lambda one: one["files"][0].update(path=None),
        lambda one: one["files"][0].update(path_bytes="?"),
        lambda one: one["files"][0].update(path="\ud800"),
        lambda one: one.update(started="\x1b[31m2026"),
        lambda one: one.update(started=5),
        lambda one: one.update(settings=3),
        lambda one: one.update(files={"a": 1, "b": 2, "c": 3}),
    ],
)
def test_what_is_no_report(tmp_path: Path, change: Any) -> None:
    """Told in one line."""
    answer = whole()
    change(answer)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(answer))
    with pytest.raises(SettingsError, match="not a report as --save or --format json writes it"):
        baseline.read(str(path))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"PK\3\4"])
def test_what_is_no_json_of_ours(tmp_path: Path, data: bytes) -> None:
    """Likewise."""
    path = tmp_path / "r.json"
    path.write_bytes(data)
    with pytest.raises(SettingsError, match="not a report"):
        baseline.read(str(path))


def test_a_part_of_a_report(tmp_path: Path) -> None:
    """All the rest would pass for new."""
    path = tmp_path / "r.json"
    path.write_bytes(render(ANSWER, make_report_settings(format_="json", only=["missing"]), Screen()))
    with pytest.raises(SettingsError, match="only a part of a report"):
        baseline.read(str(path))


def test_no_file(tmp_path: Path) -> None:
    """In the system's words."""
    with pytest.raises(SettingsError, match=r"--baseline .*/r\.json: no such file or directory"):
        baseline.read(str(tmp_path / "r.json"))
