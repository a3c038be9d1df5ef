"""``dupfind index`` for people, and as JSON with the schemas ``dupfind.index/1`` and ``dupfind.index-check/1``."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from dupfind.indexed import Checked, Indexed
from dupfind.report import Screen
from dupfind.report.json import dumps, named_path
from dupfind.report.look import Page
from dupfind.report.text import clean, count, moment, printable, size
from dupfind.values import Problem

SCHEMA, CHECK_SCHEMA = "dupfind.index/1", "dupfind.index-check/1"
_MOST_LISTED = 20
"""Paths of one kind that the table names; JSON names all."""


def render(answer: Indexed | Checked, screen: Screen) -> bytes:
    """For people."""
    page = Page(screen)
    lines = _checked(answer) if isinstance(answer, Checked) else _indexed(answer)
    for line in lines:
        page.add(line, wrap=isinstance(line, str))
    return page.encoded()


def render_json(answer: Indexed | Checked) -> bytes:
    """One object."""
    whole = _checked_json(answer) if isinstance(answer, Checked) else _indexed_json(answer)
    return (dumps(whole, indent=1) + "\n").encode()


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
        f"{printable(answer.catalogue)} {made}: {count(answer.files, 'file')} of {printable(answer.folder)}, "
        f"{count(answer.pictures, 'picture')}, {size(answer.size_bytes)}."
    )
    return [head, f"{told}."] if told else [head]


def _checked(answer: Checked) -> list[str | Text]:
    lines: list[str | Text] = []
    kinds = _lists(answer)
    for word, paths in kinds.items():
        lines += [Text(f"{word:<11}{printable(path)}") for path in paths[:_MOST_LISTED]]
        if len(paths) > _MOST_LISTED:
            lines.append(Text(f"{word:<11}{len(paths) - _MOST_LISTED:,} more"))
    if lines:
        lines.append("")
    name, when = printable(answer.catalogue), moment(answer.updated)
    if not answer.is_complete:
        lines.append(f"{name} is not complete: its indexing was stopped; dupfind index goes on with it.")
    told = ", ".join(f"{len(paths):,} {word}" for word, paths in kinds.items() if paths)
    of_folder = f"{name} of {when} ({count(answer.files, 'file')})"
    how = ", every byte" if answer.is_deep else ""
    if told:
        return [*lines, f"{of_folder} is not what is in {printable(answer.folder)}: {told}."]
    return [*lines, f"{of_folder} lists what is in {printable(answer.folder)}{how}."]


def _lists(answer: Checked) -> dict[str, list[str]]:
    return {
        "new": answer.new,
        "changed": answer.changed,
        "gone": answer.gone,
        "rotten": answer.rotten,
        "unreadable": answer.unreadable,
    }


def _head(answer: Indexed | Checked, schema: str) -> dict[str, Any]:
    return {
        "schema": schema,
        "dupfind": answer.version,
        **named_path("catalogue", answer.catalogue),
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
        "problems": [_problem(one) for one in answer.problems],
    }


def _checked_json(answer: Checked) -> dict[str, Any]:
    lists = _lists(answer)
    return {
        **_head(answer, CHECK_SCHEMA),
        "is_complete": answer.is_complete,
        "is_deep": answer.is_deep,
        "summary": {"files": answer.files, **{word: len(paths) for word, paths in lists.items()}},
        **{word: [named_path("path", path) for path in paths] for word, paths in lists.items()},
        "problems": [_problem(one) for one in answer.problems],
    }


def _problem(one: Problem) -> dict[str, Any]:
    return {**named_path("path", one.path), "stage": one.stage, "reason": clean(one.reason)}
