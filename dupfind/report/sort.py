"""``dupfind sort`` for people, and for programs: paths, JSON with the schema ``dupfind.sort/1``, CSV."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from dupfind.answers.sort import Placed, SortResult
from dupfind.report import Screen
from dupfind.report.csv import cell, lines
from dupfind.report.json import catalogs, encoded, encoded_lines, named_path, problem_facts
from dupfind.report.look import Page
from dupfind.report.paths import listed
from dupfind.report.text import catalog_line, count, printable, valid_text
from dupfind.settings import Format

SCHEMA = "dupfind.sort/1"


def render(answer: SortResult, format_: Format, screen: Screen, *, print0: bool) -> bytes:
    """Render the answer in this format."""
    match format_:
        case Format.TABLE:
            return _table(answer, screen)
        case Format.JSON:
            whole = {**_head(answer), "pictures": [_placed(picture) for picture in answer.pictures]}
            return encoded({**whole, "problems": list(map(problem_facts, answer.problems))})
        case Format.JSONL:
            shown: list[dict[str, Any]] = [{"type": "picture", **_placed(picture)} for picture in answer.pictures]
            shown.append({"type": "summary", **_head(answer), "problems": list(map(problem_facts, answer.problems))})
            return encoded_lines(shown)
        case Format.CSV:
            rows = [
                (cell(picture.path), "" if picture.distance is None else _rounded(picture.distance))
                for picture in answer.pictures
            ]
            return lines([("path", "distance"), *rows], screen)
        case Format.PATHS:
            return listed([picture.path for picture in answer.pictures], screen, print0=print0)


def _table(answer: SortResult, screen: Screen) -> bytes:
    page = Page(screen)
    if answer.pictures:
        table = page.table()
        table.add_column("Distance", justify="right", no_wrap=True)
        table.add_column("File", overflow="fold")
        for picture in answer.pictures:
            table.add_row("" if picture.distance is None else f"{picture.distance:.0f}", Text(printable(picture.path)))
        page.add(table)
        page.add("")
    for catalog in answer.catalogs:
        page.add(catalog_line(catalog), wrap=True)
    of_what = "from the picture before" if answer.like is None else f"from {printable(answer.like)}"
    mean = "" if answer.mean_distance is None else f", {answer.mean_distance:.0f} {of_what} on average"
    page.add(f"{count(len(answer.pictures), 'picture')}{mean}.", wrap=True)
    return page.encoded()


def _head(answer: SortResult) -> dict[str, Any]:
    mean = answer.mean_distance
    return {
        "schema": SCHEMA,
        "dupfind": answer.version,
        "settings": {"folders": [valid_text(path) for path in answer.folders], **named_path("like", answer.like)},
        "summary": {"pictures": len(answer.pictures), "mean_distance": None if mean is None else _rounded(mean)},
        **catalogs(answer.catalogs),
    }


def _placed(picture: Placed) -> dict[str, Any]:
    return {
        **named_path("path", picture.path),
        "distance": None if picture.distance is None else _rounded(picture.distance),
    }


def _rounded(distance: float) -> float:
    return round(distance, 2)
