"""``dupfind import`` for people, and for programs: JSON with the schema ``dupfind.import/1``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.text import Text

from dupfind.answers.import_ import Done, Fate, Imported, ImportPlan, Item, Why
from dupfind.report import Screen
from dupfind.report.json import encoded, named_path, sided_problem
from dupfind.report.look import Page
from dupfind.report.text import count, printable, size, valid_text
from dupfind.settings import Format
from dupfind.values import FileState

SCHEMA = "dupfind.import/1"
_MOST_LISTED = 20
"""Folders, or files that could not be brought over, that the table names; JSON names all."""
_OPTIONS = {FileState.SIMILAR: "similar", FileState.UNREADABLE: "unreadable"}


def render(answer: ImportPlan | Imported, format_: Format, screen: Screen, *, is_command: bool = True) -> bytes:
    """Return the plan, or what came of it, as a table or as JSON; ``is_command`` names the options that bring more."""
    if format_ is Format.JSON:
        return encoded(_json(answer))
    page = Page(screen)
    if isinstance(answer, ImportPlan):
        _plan(page, answer, is_command=is_command)
    else:
        _result(page, answer, is_command=is_command)
    return page.encoded()


def summary(answer: Imported) -> str:
    """Say in a line what was done, and what takes it back."""
    text = f"{count(answer.numbers[Fate.IMPORTED], 'file')} imported to {answer.plan.destination}"
    return text if answer.journal is None else f"{text}: dupfind undo {answer.journal} takes it back"


def _plan(page: Page, plan: ImportPlan, *, is_command: bool) -> None:
    if plan.items:
        _folders(page, plan, plan.items)
        page.add("")
    page.add(_head(plan), wrap=True)
    for line in _rest(plan, is_command=is_command):
        page.add(line, wrap=True)


def _head(plan: ImportPlan) -> str:
    if not plan.items:
        return f"Nothing is to be imported: {count(plan.present, 'file')} of the needles are present."
    return (
        f"{count(len(plan.items), 'file')} ({size(plan.size_bytes)}) to be imported to {printable(plan.destination)}."
    )


def _rest(plan: ImportPlan, *, is_command: bool) -> list[str]:
    """Say what is not brought over."""
    lines = []
    if plan.duplicates:
        verb = "is a copy" if len(plan.duplicates) == 1 else "are copies"
        lines.append(f"{count(len(plan.duplicates), 'file')} more {verb} of those and not imported.")
    if plan.left:
        parts = ", ".join(f"{number:,} {word}" for word, number in sorted(plan.left.items()))
        also = " ".join(f"--also {option}" for state, option in _OPTIONS.items() if state.value in plan.left)
        lines.append(f"Not present and not imported: {parts}" + (f" ({also})." if also and is_command else "."))
    if plan.left_fragments:
        verb = "shows a part of a picture" if plan.left_fragments == 1 else "show parts of pictures"
        option = f" (--also {Why.FRAGMENT.value})" if is_command else ""
        lines.append(f"{plan.left_fragments:,} of these {verb} that the haystack holds, or several of them{option}.")
    if skipped := sum(problem.is_gap for problem in plan.problems):
        what = (
            f"{count(skipped, 'item')} among the needles {'was' if skipped == 1 else 'were'} skipped and not looked at"
        )
        lines.append(f"{what}{', so the exit code is 1' if is_command else ''}.")
    if plan.is_outside and plan.items:
        lines.append(f"{printable(plan.destination)} is in no haystack: name it as --haystack in the next scan.")
    if plan.free_bytes is not None and plan.free_bytes < plan.size_bytes:
        lines.append(f"There is no room for it: {size(plan.free_bytes)} are free.")
    return lines


def _folders(page: Page, plan: ImportPlan, items: Iterable[Item]) -> None:
    """Return a row for each folder that gets files."""
    numbers: Counter[tuple[str, ...]] = Counter()
    sizes: Counter[tuple[str, ...]] = Counter()
    for item in items:
        numbers[item.folder] += 1
        sizes[item.folder] += item.entry.size_bytes
    table = page.table()
    table.add_column("Files", justify="right")
    table.add_column("Size", justify="right")
    table.add_column("To", overflow="fold")
    rows = sorted(numbers)
    for folder in rows[:_MOST_LISTED]:
        shown = printable(os.path.join(plan.destination, *folder))
        table.add_row(f"{numbers[folder]:,}", size(sizes[folder]), Text(shown))
    page.add(table)
    if len(rows) > _MOST_LISTED:
        page.add(f"{count(len(rows) - _MOST_LISTED, 'folder')} more (--format json names all).")


def _result(page: Page, answer: Imported, *, is_command: bool) -> None:
    plan, numbers = answer.plan, answer.numbers
    imported = [done.item for done in answer.done if done.fate is Fate.IMPORTED]
    if imported:
        _folders(page, plan, imported)
        page.add("")
    _failures(page, [done for done in answer.done if done.fate is Fate.FAILED])
    if not plan.items:
        page.add(_head(plan), wrap=True)
    else:
        where = f" to {printable(plan.destination)}"
        text = f"{count(numbers[Fate.IMPORTED], 'file')} ({size(answer.size_bytes)}) imported{where}, each read back."
        page.add(text, wrap=True)
    if numbers[Fate.THERE]:
        page.add(f"{count(numbers[Fate.THERE], 'file')} lay there already, byte for byte.", wrap=True)
    if numbers[Fate.NOT_DONE]:
        reason = next((done.reason for done in answer.done if done.fate is Fate.NOT_DONE and done.reason), "stopped")
        text = f"{count(numbers[Fate.NOT_DONE], 'file')} not imported: {printable(reason)}. The same command goes on."
        page.add(text, wrap=True)
    for line in _rest(plan, is_command=is_command):
        page.add(line, wrap=True)
    if answer.left_overs:
        page.add(f"{count(answer.left_overs, 'unfinished file')} of an earlier run removed.")
    if answer.journal is not None and imported:
        page.add(f"dupfind undo takes it back. Journal: {printable(answer.journal)}")
    elif imported:
        page.add("The journal was deleted meanwhile: dupfind undo cannot take it back.", wrap=True)


def _failures(page: Page, failed: Sequence[Done]) -> None:
    for done in failed[:_MOST_LISTED]:
        page.add(Text(f"{printable(done.item.path)}: {printable(done.reason or '')}", style="red"))
    if len(failed) > _MOST_LISTED:
        page.add(f"{count(len(failed) - _MOST_LISTED, 'file')} more not imported (--format json names all).")
    if failed:
        page.add(f"{count(len(failed), 'file')} could not be imported.", wrap=True)


def _json(answer: ImportPlan | Imported) -> dict[str, Any]:
    plan = answer if isinstance(answer, ImportPlan) else answer.plan
    ended: dict[str, Any] = {}
    if isinstance(answer, Imported):
        ended = {
            **named_path("journal", answer.journal),
            "elapsed_seconds": answer.elapsed_seconds,
            "stopped": answer.stopped,
            "left_overs": answer.left_overs,
        }
    return {
        "schema": SCHEMA,
        "dupfind": plan.version,
        "is_plan": isinstance(answer, ImportPlan),
        **named_path("to", plan.destination),
        "layout": plan.layout,
        "summary": _summary(answer, plan),
        "files": list(map(_planned, plan.items)) if isinstance(answer, ImportPlan) else list(map(_done, answer.done)),
        "duplicates": [
            {**named_path("path", copy.path), **named_path("of", copy.of), "evidence": copy.evidence.value}
            for copy in plan.duplicates
        ],
        **ended,
        "problems": list(map(sided_problem, plan.problems)),
    }


def _summary(answer: ImportPlan | Imported, plan: ImportPlan) -> dict[str, Any]:
    numbers = (
        {} if isinstance(answer, ImportPlan) else {fate.value.replace(" ", "_"): answer.numbers[fate] for fate in Fate}
    )
    return {
        "files": len(plan.items),
        "bytes": plan.size_bytes,
        "free_bytes": plan.free_bytes,
        "duplicates": len(plan.duplicates),
        "present": plan.present,
        "left": dict(plan.left),
        "left_fragments": plan.left_fragments,
        **numbers,
    }


def _planned(item: Item) -> dict[str, Any]:
    return {
        **named_path("path", item.path),
        **named_path("to", item.target),
        "why": item.why.value,
        "size_bytes": item.entry.size_bytes,
    }


def _done(done: Done) -> dict[str, Any]:
    return {
        **_planned(done.item),
        **named_path("to", done.target),
        "state": done.fate.value.replace(" ", "_"),
        "reason": None if done.reason is None else valid_text(done.reason),
        "notes": list(map(valid_text, done.notes)),
    }
