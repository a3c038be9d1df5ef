"""``dupfind undo`` for people, and for programs: JSON, schemas ``dupfind.undo/1`` and ``dupfind.journals/1``."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from dupfind.answers.undo import Back, JournalLine, Journals, Undone
from dupfind.report import Screen
from dupfind.report.json import encoded, named_path
from dupfind.report.look import Page
from dupfind.report.text import count, moment, printable, valid_text
from dupfind.settings import Format

SCHEMA, LIST_SCHEMA = "dupfind.undo/1", "dupfind.journals/1"
_MOST_LISTED = 20


def render(answer: Undone | Journals, format_: Format, screen: Screen) -> bytes:
    """Return what was undone, or what there is to be undone, as a table or as JSON."""
    if format_ is Format.JSON:
        whole = _undone_json(answer) if isinstance(answer, Undone) else _list_json(answer)
        return encoded(whole)
    page = Page(screen)
    if isinstance(answer, Undone):
        _undone(page, answer)
    else:
        _list(page, answer)
    return page.encoded()


def summary(answer: Undone) -> str:
    """Say in a line what was done."""
    back = sum(file.is_undone for file in answer.files)
    verb = "would be" if answer.is_plan else "were" if back != 1 else "was"
    return f"{back:,} of {count(len(answer.files), 'file')} {verb} taken back: {answer.journal}"


def _undone(page: Page, answer: Undone) -> None:
    left = [file for file in answer.files if not file.is_undone]
    for file in left[:_MOST_LISTED]:
        page.add(Text(f"{printable(file.path)}: {printable(file.reason or '')}", style="red"))
    if len(left) > _MOST_LISTED:
        page.add(f"{count(len(left) - _MOST_LISTED, 'file')} more left as they are (--format json names all).")
    for note in answer.notes[:_MOST_LISTED]:
        page.add(Text(printable(note)))
    if len(answer.notes) > _MOST_LISTED:
        page.add(f"{count(len(answer.notes) - _MOST_LISTED, 'note')} more (--format json has all).")
    back = len(answer.files) - len(left)
    what = "moved to the trash" if answer.command == "import" else "moved back"
    if answer.is_plan:
        _foreseen(page, answer, what, back)
        return
    page.add(f"{count(back, 'file')} {what}: {answer.command} of {moment(answer.started)}.", wrap=True)
    if left:
        verb = "was left as it is" if len(left) == 1 else "were left as they are"
        page.add(f"{count(len(left), 'file')} {verb}; dupfind undo can be run again.", wrap=True)
        if answer.earlier is not None:
            page.add(f"The run before can be taken back: dupfind undo {printable(answer.earlier)}")
    if answer.before:
        page.add(f"{count(answer.before, 'file')} had been undone before.", wrap=True)
    if answer.stopped is not None:
        page.add("Stopped before the end; dupfind undo goes on.", wrap=True)


def _foreseen(page: Page, answer: Undone, what: str, back: int) -> None:
    """Say what an undo would do."""
    run = f"{answer.command} of {moment(answer.started)}"
    page.add(f"{count(back, 'file')} would be {what}: {run}. Nothing was changed.", wrap=True)
    if (stays := len(answer.files) - back) > 0:
        page.add(f"{count(stays, 'file')} would be left as {'it is' if stays == 1 else 'they are'}.", wrap=True)
    if answer.before:
        page.add(f"{count(answer.before, 'file')} had been undone before.", wrap=True)
    page.add(f"Journal: {printable(answer.journal)}")


def _list(page: Page, answer: Journals) -> None:
    for path in answer.unreadable:
        page.add(Text(f"{printable(path)}: the journal of a clean, which cannot be read", style="red"))
    if not answer.journals:
        page.add(f"There are no journals in {printable(answer.folder)}.", wrap=True)
        return
    table = page.table()
    for name in ("Started", "Files", "Undo"):
        table.add_column(name, justify="right" if name == "Files" else "left")
    table.add_column("What was done", overflow="fold")
    for line in answer.journals:
        table.add_row(moment(line.started), f"{line.files:,}", _undo(line), Text(_did(line)))
    page.add(table)
    page.add("")
    page.add(f"Journals lie in {printable(answer.folder)}: dupfind undo JOURNAL takes back one of them.")
    for line in answer.journals[:_MOST_LISTED]:
        page.add(f"  {printable(line.journal)}")


_UNDO = {
    "possible": "possible",
    "partly": "partly done",
    "done": "done",
    "gone": "no longer",
    "nothing": "nothing to undo",
    "running": "still running",
}


def _undo(line: JournalLine) -> str:
    """Say whether a run can be undone, or was; and that it was killed, which an undo does not mind."""
    number = f" ({line.undone:,})" if line.undo == "partly" else ""
    return _UNDO[line.undo] + number + (", cut off" if line.state == "cut off" else "")


def _did(line: JournalLine) -> str:
    """Say what a run did."""
    where = "the trash" if line.to is None else printable(line.to)
    if line.command == "import":
        return f"import to {where}"
    return f"clean of {', '.join(map(printable, line.places))} to {where}"


def _undone_json(answer: Undone) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "dupfind": answer.version,
        **named_path("journal", answer.journal),
        "id": answer.id,
        "command": answer.command,
        "started": answer.started,
        "is_plan": answer.is_plan,
        "summary": {
            "undone": sum(file.is_undone for file in answer.files),
            "left": sum(not file.is_undone for file in answer.files),
            "before": answer.before,
        },
        "stopped": answer.stopped,
        **named_path("earlier", answer.earlier),
        "files": list(map(_back, answer.files)),
        "notes": list(map(valid_text, answer.notes)),
    }


def _back(file: Back) -> dict[str, Any]:
    return {
        **named_path("path", file.path),
        "is_undone": file.is_undone,
        **named_path("to", file.to if file.is_undone else None),
        "reason": None if file.reason is None else valid_text(file.reason),
    }


def _list_json(answer: Journals) -> dict[str, Any]:
    return {
        "schema": LIST_SCHEMA,
        "dupfind": answer.version,
        **named_path("folder", answer.folder),
        "journals": list(map(_journal, answer.journals)),
        "unreadable": [named_path("journal", path) for path in answer.unreadable],
    }


def _journal(line: JournalLine) -> dict[str, Any]:
    return {
        **named_path("journal", line.journal),
        "id": line.id,
        "command": line.command,
        "started": line.started,
        "files": line.files,
        "undone": line.undone,
        "state": line.state,
        "undo": line.undo,
        **named_path("to", line.to),
        "places": list(map(valid_text, line.places)),
    }
