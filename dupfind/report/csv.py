"""Comma-separated values (RFC 4180 but for the line ends, which are Unix's), in UTF-8."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from dupfind.report import Screen
from dupfind.report.choice import Choice
from dupfind.report.reasons import sentences
from dupfind.report.text import printable, valid_text
from dupfind.settings import ReportSettings
from dupfind.values import FileVerdict, FolderVerdict, Report

FOLDER_COLUMNS = ("path", "verdict", "present", "similar", "missing", "unreadable", "skipped", "bytes_not_present")
FILE_COLUMNS = (
    "path", "kind", "verdict", "evidence", "witness", "distance_bits", "score", "reason", "size_bytes", "reason_code",
)  # fmt: skip
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def render(report: Report, choice: Choice, settings: ReportSettings, screen: Screen) -> bytes:
    """Render the chosen files, or all the chosen folders, under a line of column names.

    A terminal gets every control character escaped; programs get names as they are.
    """
    columns: tuple[str, ...]
    if settings.files:
        columns, rows = FILE_COLUMNS, _file_rows(choice.files)
    else:
        columns, rows = FOLDER_COLUMNS, _folder_rows(choice.shown)
    if (added := _added_columns(report, choice, settings)) is not None:
        names, cells = added
        columns, rows = (*columns, *names), [(*row, *more) for row, more in zip(rows, cells, strict=True)]
    if choice.changes is not None:
        folders, files = choice.changes.folders, choice.changes.files
        was = (
            [files[verdict.path] for verdict in choice.files]
            if settings.files
            else [folders[verdict.path] for verdict in choice.shown]
        )
        columns, rows = (*columns, "was"), ((*row, word or "") for row, word in zip(rows, was, strict=True))
    return lines([columns, *rows], screen)


def _added_columns(
    report: Report, choice: Choice, settings: ReportSettings
) -> tuple[tuple[str, ...], Iterable[Sequence[object]]] | None:
    """Return the columns that came later, and their cells: who goes by the place of a column finds the older ones."""
    if settings.files:
        if report.decided is None:
            return None
        return ("decision",), [(report.decided.get(verdict.path, ""),) for verdict in choice.files]
    if report.decided is None:
        return ("unwanted", "empty"), [(verdict.unwanted, verdict.empty) for verdict in choice.shown]
    return ("unwanted", "decided", "empty"), [
        (verdict.unwanted, verdict.decided, verdict.empty) for verdict in choice.shown
    ]


def lines(rows: Iterable[Sequence[object]], screen: Screen) -> bytes:
    """Write a line a row; a terminal gets every control character escaped."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    # The csv module leaves a carriage return unquoted where lines do not end in one, and readers take it for an end.
    quoting = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        cells = [printable(cell_) if screen.is_terminal and isinstance(cell_, str) else cell_ for cell_ in row]
        (quoting if any("\r" in cell_ for cell_ in cells if isinstance(cell_, str)) else writer).writerow(cells)
    return text.getvalue().encode()


def _folder_rows(folders: Iterable[FolderVerdict]) -> Iterable[Sequence[object]]:
    for folder in folders:
        counts = (
            folder.present,
            folder.similar,
            folder.missing,
            folder.unreadable,
            folder.skipped,
            folder.bytes_not_present,
        )
        # Of a drive that nobody looked at: a script that deletes by the word "contained" must not take it for one.
        word = f"{folder.state.value} (plan)" if folder.is_plan else folder.state.value
        yield (cell(folder.path), word, *counts)


def _file_rows(files: Iterable[FileVerdict]) -> Iterable[Sequence[object]]:
    for file in files:
        yield (
            cell(file.path),
            file.kind.value,
            file.state.value,
            file.evidence.value if file.evidence else "",
            cell(file.witness or ""),
            "" if file.distance_bits is None else file.distance_bits,
            "" if file.score is None else file.score,
            cell(sentences(file.reasons) or ""),
            file.size_bytes,
            file.reasons[0].code.value if file.reasons else "",
        )


def cell(path: str) -> str:
    """Spell a path or a reason so that no spreadsheet takes it for a formula."""
    text = valid_text(path)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
