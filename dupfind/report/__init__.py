"""A report to bytes, one module a format. Renderers choose and lay out; they decide nothing."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from dupfind.answers.changes import Changes
from dupfind.settings import Format, ReportSettings
from dupfind.values import Report


class Screen(NamedTuple):
    """What is known of where the report will be seen."""

    width: int = 80
    is_terminal: bool = False
    encoding: str = "utf-8"
    has_color: bool | None = None
    """Whether to use colours; None: where it is a terminal."""


def load(format_: Format) -> None:
    """Load what :func:`render` needs for this format, where that takes long: at a moment that costs nothing."""
    if format_ is Format.TABLE:
        import_module("dupfind.report.table")


def render(report: Report, settings: ReportSettings, screen: Screen, changes: Changes | None = None) -> bytes:
    """Render the report in the format that was asked for, ready to be written; with ``changes``, no more than these."""
    from dupfind.report.choice import choose

    choice = choose(report, settings, changes)
    match settings.format:
        case Format.TABLE:
            from dupfind.report import table

            return table.render(report, choice, settings, screen)
        case Format.JSON:
            from dupfind.report import json

            return json.render(report, choice)
        case Format.JSONL:
            from dupfind.report import json

            return json.render_lines(report, choice)
        case Format.CSV:
            from dupfind.report import csv

            return csv.render(report, choice, settings, screen)
        case Format.PATHS:
            from dupfind.report import paths

            return paths.render(report, choice, settings, screen)
