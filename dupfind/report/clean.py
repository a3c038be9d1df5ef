"""``dupfind clean`` for people, and for programs: JSON with the schema ``dupfind.clean/1``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from dupfind.answers.clean import Cleaned, CleanPlan, Fate, Gone, Unit
from dupfind.report import Screen
from dupfind.report.json import encoded, named_path, sided_problem
from dupfind.report.look import Page
from dupfind.report.text import count, printable, size, valid_text
from dupfind.settings import Format

SCHEMA = "dupfind.clean/1"
_MOST_LISTED = 40
"""Folders or files that the table names; JSON names all."""


def render(answer: CleanPlan | Cleaned, format_: Format, screen: Screen, *, is_command: bool = True) -> bytes:
    """Return the plan, or what came of it, as a table or as JSON; ``is_command``
    names the option that carries it out.
    """
    if format_ is Format.JSON:
        return encoded(_json(answer))
    page = Page(screen)
    if isinstance(answer, CleanPlan):
        _plan(page, answer, " Nothing was moved: --apply does it." if is_command else "")
    else:
        _result(page, answer)
    return page.encoded()


def summary(answer: Cleaned) -> str:
    """Say in a line what was done, and what takes it back."""
    where = "the trash" if answer.plan.to is None else answer.plan.to
    files = sum(len(gone.unit.things) for gone in answer.moved)
    text = f"{_noun(answer.plan, len(answer.moved))} moved to {where} ({count(files, 'file')})"
    return text if answer.journal is None else f"{text}: dupfind undo {answer.journal} takes it back"


def _noun(plan: CleanPlan, number: int) -> str:
    return count(number, "file" if plan.are_files else "folder")


def _plan(page: Page, plan: CleanPlan, hint: str) -> None:
    _units(page, plan, list(plan.units))
    _stays(page, plan)
    if not plan.units:
        page.add("Nothing can go.")
        return
    frees = ", freed when the trash is emptied" if plan.to is None else ""
    page.add(
        f"{_noun(plan, len(plan.units))} can go: {_files(plan.units)}, {size(plan.size_bytes)}{frees}.{hint}", wrap=True
    )
    if plan.copied:
        what = "It lies" if len(plan.copied) == len(plan.units) else f"{_noun(plan, len(plan.copied))} of these lie"
        where = f"{what} on another drive than {printable(plan.to or '')}"
        page.add(f"{where}: each file is copied, read back, and only then removed there.", wrap=True)
        if plan.free_bytes is not None and plan.free_bytes < plan.copied_bytes:
            page.add(f"There is no room for it: {size(plan.free_bytes)} are free.", wrap=True)


def _files(units: Sequence[Unit]) -> str:
    """Count files as they lie on the disk, and say where a scan counts others: those in archives, and no junk."""
    things = [thing for unit in units for thing in unit.things]
    archives = [thing.members for thing in things if thing.members is not None]
    junk = sum(not thing.is_listed for thing in things)
    parts = []
    if archives:
        verb = "is an archive" if len(archives) == 1 else "are archives"
        parts.append(f"{len(archives):,} {verb} with {count(sum(archives), 'file')}")
    if aside := sum(unit.set_aside for unit in units):
        parts.append(f"{aside:,} {'is' if aside == 1 else 'are'} set aside and not looked for in the haystack")
    if junk:
        parts.append(f"{junk:,} {'is' if junk == 1 else 'are'} junk that a scan does not count")
    return count(len(things), "file") + (f" ({', '.join(parts)})" if parts else "")


def _units(page: Page, plan: CleanPlan, units: list[Unit]) -> None:
    if not units:
        return
    table = page.table()
    table.add_column("Files", justify="right")
    table.add_column("Size", justify="right")
    table.add_column("File" if plan.are_files else "Folder", overflow="fold")
    for unit in units[:_MOST_LISTED]:
        table.add_row(f"{len(unit.things):,}", size(unit.size_bytes), Text(printable(unit.path)))
    page.add(table)
    if len(units) > _MOST_LISTED:
        page.add(f"{len(units) - _MOST_LISTED:,} more (--format json names all).")
    page.add("")


def _stays(page: Page, plan: CleanPlan) -> None:
    if not plan.left:
        return
    page.add("What stays, and why:")
    for left in plan.left[:_MOST_LISTED]:
        page.add(Text(f"  {printable(left.path)}: {printable(left.reason)}"))
    if len(plan.left) > _MOST_LISTED:
        page.add(f"  {len(plan.left) - _MOST_LISTED:,} more (--format json names all).")
    page.add("")


def _result(page: Page, answer: Cleaned) -> None:
    plan, moved = answer.plan, answer.moved
    _units(page, plan, [gone.unit for gone in moved])
    stayed = [gone for gone in answer.gone if gone.fate is not Fate.MOVED]
    for gone in stayed[:_MOST_LISTED]:
        page.add(Text(f"{printable(gone.unit.path)} stays: {printable(gone.reason or '')}", style="red"))
    if len(stayed) > _MOST_LISTED:
        page.add(f"{len(stayed) - _MOST_LISTED:,} more stay (--format json names all).")
    for gone in moved:
        for note in gone.notes:
            page.add(Text(printable(note)))
    _stays(page, plan)
    if not plan.units:
        page.add("Nothing can go.")
        return
    where = "the trash" if plan.to is None else printable(plan.to)
    if not moved:
        if not any(gone.is_torn for gone in stayed):
            page.add(f"Nothing was moved to {where}.", wrap=True)
        return
    files, proved = sum(len(gone.unit.things) for gone in moved), sum(gone.unit.proved for gone in moved)
    much = f"{_files([gone.unit for gone in moved])}, {size(answer.size_bytes)}"
    again = "each" if files == proved else f"{proved:,} of them" if proved else "none of them"
    unproved = "" if files == proved else f", {files - proved:,} that needed no proof (empty, set aside or junk)"
    text = f"{_noun(plan, len(moved))} moved to {where}: {much}, {again} proved again{unproved}."
    page.add(text, wrap=True)
    if far := sum(len(gone.unit.things) for gone in moved if plan.device not in (None, gone.unit.device)):
        verb = "was" if far == 1 else "were"
        page.add(f"{count(far, 'file')} {verb} copied to another drive, read back, and only then removed.", wrap=True)
    if answer.journal is not None:
        page.add(f"dupfind undo takes it back. Journal: {printable(answer.journal)}")
    else:
        page.add("The journal was deleted meanwhile: dupfind undo cannot take it back.", wrap=True)


def _json(answer: CleanPlan | Cleaned) -> dict[str, Any]:
    plan = answer if isinstance(answer, CleanPlan) else answer.plan
    moved: Sequence[Gone] = ()
    ended: dict[str, Any] = {}
    if isinstance(answer, Cleaned):
        moved = answer.moved
        ended = {
            **named_path("journal", answer.journal),
            "elapsed_seconds": answer.elapsed_seconds,
            "stopped": answer.stopped,
        }
    return {
        "schema": SCHEMA,
        "dupfind": plan.version,
        "is_plan": isinstance(answer, CleanPlan),
        "needles": list(map(valid_text, plan.needles)),
        "way": "trash" if plan.to is None else "move-to",
        **named_path("to", plan.to),
        "are_files": plan.are_files,
        "witnesses": plan.witnesses,
        "summary": {
            "units": len(plan.units),
            "files": plan.files,
            "files_in_archives": sum(thing.members or 0 for unit in plan.units for thing in unit.things),
            "junk": sum(not thing.is_listed for unit in plan.units for thing in unit.things),
            "bytes": plan.size_bytes,
            "copied_bytes": plan.copied_bytes,
            "left": len(plan.left),
            **({} if isinstance(answer, CleanPlan) else {"moved": len(moved), "moved_bytes": answer.size_bytes}),
        },
        "units": list(map(_unit, plan.units)) if isinstance(answer, CleanPlan) else list(map(_gone, answer.gone)),
        "left": [{**named_path("path", left.path), "reason": valid_text(left.reason)} for left in plan.left],
        **ended,
        "problems": list(map(sided_problem, plan.problems)),
    }


def _unit(unit: Unit) -> dict[str, Any]:
    return {
        **named_path("path", unit.path),
        "files": len(unit.things),
        "proved": unit.proved,
        "set_aside": unit.set_aside,
        "size_bytes": unit.size_bytes,
    }


def _gone(gone: Gone) -> dict[str, Any]:
    return {
        **_unit(gone.unit),
        "state": gone.fate.value.replace(" ", "_"),
        **named_path("to", gone.target),
        "reason": None if gone.reason is None else valid_text(gone.reason),
        "notes": list(map(valid_text, gone.notes)),
    }
