"""Choice of the folders and files that a report lists; pure, and the same for every format."""

from __future__ import annotations

from itertools import compress
from operator import itemgetter
from typing import NamedTuple, TypeVar

from dupfind.answers.changes import Changes
from dupfind.reasons import BETTER_NEEDLE
from dupfind.settings import ReportSettings
from dupfind.values import FileState, FileVerdict, FolderVerdict, Report

_FILE_STATE = itemgetter(FileVerdict._fields.index("state"))


class Choice(NamedTuple):
    """What the options leave of a report."""

    folders: list[FolderVerdict]
    """Every folder with a verdict that was asked for."""
    shown: list[FolderVerdict]
    """Those among them that are listed for people: the others only repeat what is said already."""
    files: list[FileVerdict]
    changes: Changes | None


Row = TypeVar("Row", FolderVerdict, FileVerdict)


def is_better(file: FileVerdict) -> bool:
    """Tell whether a needle is a better copy than its witness in the haystack."""
    if not file.reasons or file.witness is None:  # nearly all of them
        return False
    return any(reason.code in BETTER_NEEDLE for reason in file.reasons)


def _chosen(report: Report, settings: ReportSettings) -> list[FileVerdict]:
    states = tuple(settings.file_states)  # members of an enumeration are slow to be looked up in a set
    files = report.files if settings.better or FileState.PRESENT in states else report.not_present
    if settings.reasons:
        files = [file for file in files if not settings.reasons.isdisjoint(reason.code for reason in file.reasons)]
    if settings.better:
        return [file for file in files if file.state in states or is_better(file)]
    return list(compress(files, map(states.__contains__, map(_FILE_STATE, files))))


def _ordered(rows: list[Row], key: str | None) -> list[Row]:
    """Return the rows largest first, or with most that is missing first; else as they are, by path."""
    match key:
        case "size":
            return sorted(rows, key=lambda row: -_size_bytes(row))
        case "missing":
            return sorted(rows, key=lambda row: (-_missing(row), -_size_bytes(row)))
        case "path":
            return sorted(rows, key=lambda row: row.path)
        case _:
            return rows


def _size_bytes(row: FolderVerdict | FileVerdict) -> int:
    return row.bytes_not_present if isinstance(row, FolderVerdict) else row.size_bytes


def _missing(row: FolderVerdict | FileVerdict) -> int:
    return row.not_there if isinstance(row, FolderVerdict) else int(row.state is FileState.MISSING)


def choose(report: Report, settings: ReportSettings, changes: Changes | None = None) -> Choice:
    """Choose what of ``report`` has the verdicts that were asked for and, with ``changes``, is among them."""
    folders = _ordered(
        [verdict for verdict in report.folders if verdict.state in settings.folder_states], settings.sort
    )
    files = _ordered(_chosen(report, settings), settings.sort)
    if changes is None:
        return Choice(folders, [verdict for verdict in folders if verdict.is_shown], files, None)
    folders = [verdict for verdict in folders if verdict.path in changes.folders]
    shown = [verdict for verdict in folders if verdict.path in changes.shown]
    return Choice(folders, shown, [verdict for verdict in files if verdict.path in changes.files], changes)
