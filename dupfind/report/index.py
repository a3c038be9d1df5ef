"""``dupfind index`` for people, and for programs: JSON, CSV and paths of what an update or a check found otherwise.

The schemas of JSON are ``dupfind.index/1`` and ``dupfind.index-check/1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from dupfind.answers.index import Checked, Indexed
from dupfind.report import Screen
from dupfind.report.csv import cell, lines
from dupfind.report.json import encoded, encoded_lines, named_path, problem_facts
from dupfind.report.look import Page
from dupfind.report.paths import listed
from dupfind.report.text import count, moment, printable, size, valid_text
from dupfind.settings import Format

SCHEMA, CHECK_SCHEMA = "dupfind.index/1", "dupfind.index-check/1"
_MOST_LISTED = 20
"""Paths of one kind that the table names; JSON names all."""


def render(answer: Indexed | Checked, format_: Format, screen: Screen, *, print0: bool = False) -> bytes:
    """Render the answer in this format: a row, a line or a path for each file that differs, or the whole of it."""
    match format_:
        case Format.TABLE:
            return _table(answer, screen)
        case Format.JSON:
            return encoded(_whole(answer))
        case Format.JSONL:
            shown = [
                {"type": "file", **named_path("path", path), "change": kind, "reason": reason or None}
                for kind, path, reason in _files(answer)
            ]
            summary = {key: value for key, value in _whole(answer).items() if key not in answer.changes}
            return encoded_lines([*shown, {"type": "summary", **summary}])
        case Format.CSV:
            rows = ((cell(path), kind, cell(reason)) for kind, path, reason in _files(answer))
            return lines([("path", "change", "reason"), *rows], screen)
        case Format.PATHS:
            return listed([path for _, path, _ in _files(answer)], screen, print0=print0)


def _table(answer: Indexed | Checked, screen: Screen) -> bytes:
    page = Page(screen)
    for line in _checked(answer) if isinstance(answer, Checked) else _indexed(answer):
        page.add(line, wrap=isinstance(line, str))
    return page.encoded()


def _whole(answer: Indexed | Checked) -> dict[str, Any]:
    """Render one object."""
    return _checked_json(answer) if isinstance(answer, Checked) else _indexed_json(answer)


def _files(answer: Indexed | Checked) -> Iterator[tuple[str, str, str]]:
    """Yield what is the matter with each file that is not as it was, its path, and why, where that is known."""
    reasons = {problem.path: problem.reason for problem in answer.problems}
    for kind, paths in answer.changes.items():
        for path in paths:
            yield kind, path, valid_text(reasons.get(path, "")) if kind == "unreadable" else ""


def _indexed(answer: Indexed) -> list[str | Text]:
    made = "is new" if answer.is_new else "is up to date"
    numbers = [
        (answer.read, "read"),
        (answer.kept, "unchanged"),
        (answer.gone, "gone"),
        (answer.unread, "unreadable"),
    ]
    told = ", ".join(f"{number:,} {word}" for number, word in numbers if number)
    head = (
        f"{printable(answer.catalog)} {made}: {count(answer.files, 'file')} of {printable(answer.folder)}, "
        f"{count(answer.pictures, 'picture')}, {size(answer.size_bytes)}."
    )
    return [head, f"{told}."] if told else [head]


def _checked(answer: Checked) -> list[str | Text]:
    lines: list[str | Text] = []
    kinds = answer.changes
    for word, paths in kinds.items():
        lines += [Text(f"{word:<11}{printable(path)}") for path in paths[:_MOST_LISTED]]
        if len(paths) > _MOST_LISTED:
            lines.append(Text(f"{word:<11}{len(paths) - _MOST_LISTED:,} more"))
    if lines:
        lines.append("")
    name, when = printable(answer.catalog), moment(answer.updated)
    if not answer.is_complete:
        lines.append(f"{name} is not complete: its indexing was stopped; dupfind index goes on with it.")
    told = ", ".join(f"{len(paths):,} {word}" for word, paths in kinds.items() if paths)
    of_folder = f"{name} of {when} ({count(answer.files, 'file')})"
    how = ", every byte" if answer.is_deep else ""
    if told:
        return [*lines, f"{of_folder} is not what is in {printable(answer.folder)}: {told}."]
    return [*lines, f"{of_folder} lists what is in {printable(answer.folder)}{how}."]


def _head(answer: Indexed | Checked, schema: str) -> dict[str, Any]:
    return {
        "schema": schema,
        "dupfind": answer.version,
        **named_path("catalogue", answer.catalog),
        **named_path("folder", answer.folder),
        "updated": answer.updated,
    }


def _indexed_json(answer: Indexed) -> dict[str, Any]:
    return {
        **_head(answer, SCHEMA),
        "is_new": answer.is_new,
        "summary": {
            "files": answer.files,
            "pictures": answer.pictures,
            "read": answer.read,
            "kept": answer.kept,
            "gone": answer.gone,
            "unreadable": answer.unread,
            "size_bytes": answer.size_bytes,
        },
        **_listed(answer),
        "problems": list(map(problem_facts, answer.problems)),
    }


def _checked_json(answer: Checked) -> dict[str, Any]:
    return {
        **_head(answer, CHECK_SCHEMA),
        "is_complete": answer.is_complete,
        "is_deep": answer.is_deep,
        "summary": {"files": answer.files, **{kind: len(paths) for kind, paths in answer.changes.items()}},
        **_listed(answer),
        "problems": list(map(problem_facts, answer.problems)),
    }


def _listed(answer: Indexed | Checked) -> dict[str, Any]:
    return {kind: [named_path("path", path) for path in paths] for kind, paths in answer.changes.items()}
