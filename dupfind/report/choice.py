"""Which folders and files of a report are listed; pure, and the same for every format."""

from __future__ import annotations

from typing import NamedTuple

from dupfind.answers.changes import Changes
from dupfind.settings import ReportSettings
from dupfind.values import FileVerdict, FolderVerdict, Report


class Choice(NamedTuple):
    """What the options leave of a report."""

    folders: list[FolderVerdict]
    """Every folder with a verdict that was asked for."""
    shown: list[FolderVerdict]
    """Those among them that are listed for people: the others only repeat what is said already."""
    files: list[FileVerdict]
    changes: Changes | None


def choose(report: Report, settings: ReportSettings, changes: Changes | None = None) -> Choice:
    """What of ``report`` has the verdicts that were asked for and, where there are ``changes``, is among them."""
    folders = [one for one in report.folders if one.state in settings.folder_states]
    files = [one for one in report.files if one.state in settings.file_states]
    if changes is None:
        return Choice(folders, [one for one in folders if one.is_shown], files, None)
    folders = [one for one in folders if one.path in changes.folders]
    shown = [one for one in folders if one.path in changes.shown]
    return Choice(folders, shown, [one for one in files if one.path in changes.files], changes)
