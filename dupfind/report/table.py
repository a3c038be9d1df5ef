"""The table for people: what is not contained first, one sentence that sums it up, and the next step."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from rich.table import Table
from rich.text import Text

from dupfind.answers.changes import Changes
from dupfind.report import Screen, ending
from dupfind.report.choice import Choice
from dupfind.report.look import UNBOUNDED, Page, is_of_wholes, likeness
from dupfind.report.reasons import sentences
from dupfind.report.text import (
    QUICK,
    bucket_line,
    catalog_line,
    count,
    moment,
    other_settings,
    printable,
    server_line,
    size,
)
from dupfind.settings import ReportSettings
from dupfind.sidecars.one_shot import Pair, pairs_of
from dupfind.values import SETTLED, FileState, FileVerdict, FolderState, FolderVerdict, Report

_WIDE, _NARROW = 110, 60
_URGENCY = tuple(FileState(word) for word in ("missing", "unreadable", "similar", "unwanted", "empty", "present"))
_MOST_GONE = 10
_MOST_UNTOLD = 20
"""Files listed that have changed in folders whose verdict stays, before the others are counted."""


def render(report: Report, choice: Choice, settings: ReportSettings, screen: Screen) -> bytes:
    """Render the table and its summary. Off a terminal there is no colour, and no path is wrapped.

    Nothing at all where nothing has changed: what a cron job prints is sent as a mail.
    """
    changes = choice.changes
    if changes is not None and not changes:
        return b""
    page = Page(screen)
    if settings.files:
        has_rows = _add_files(page, choice.files, changes, pairs_of(choice.files, report.files))
    else:
        has_all = FolderState.CONTAINED in settings.folder_states and not settings.is_filtered
        has_rows = _add_folders(page, choice, screen, has_all=has_all, is_sorted=settings.sort is not None)
    news = _news(changes, settings) if changes else []
    if news and has_rows:
        page.add("")
    for line in [*news, *_summary(report, settings, has_rows=has_rows)]:
        page.add(line, wrap=True)
    if not settings.is_filtered and not settings.is_of_changes:
        for line in _next(report, settings, screen.width if screen.is_terminal else UNBOUNDED):
            page.add(line)
    return page.encoded()


def _add_folders(page: Page, choice: Choice, screen: Screen, *, has_all: bool, is_sorted: bool) -> bool:
    """Add the folders and, where only changes are told, the files that no change of a folder tells of.

    ``has_all`` also gives a row to what lies directly in folders that are told of by their subfolders.
    """
    folders = choice.shown
    if choice.changes is None:
        listed = {folder.path for folder in folders}
        folders = [
            folder
            for folder in choice.folders
            if folder.path in listed or (has_all and folder.own and folder.own.files)
        ]
    if not is_sorted:
        folders = sorted(folders, key=lambda folder: (folder.state is FolderState.CONTAINED, folder.path))
    width = screen.width if screen.is_terminal else UNBOUNDED
    if folders:
        page.add(_folder_table(folders, page, width, choice.changes))
    files = [] if choice.changes is None else _untold(choice.files, choice.changes)
    if folders and files:
        page.add("")
    _add_files(page, files[:_MOST_UNTOLD], choice.changes)
    if (left := len(files) - _MOST_UNTOLD) > 0:
        page.add(f"... and {count(left, 'more file')} in folders whose verdict stays: --files lists them.")
    return bool(folders or files)


def _add_files(
    page: Page, files: list[FileVerdict], changes: Changes | None, pairs: Mapping[str, Pair] = MappingProxyType({})
) -> bool:
    if files:
        page.add(_file_table(files, page, changes, {} if changes else pairs))
    return bool(files)


def _news(changes: Changes, settings: ReportSettings) -> list[str]:
    """Say what differs from the baseline."""
    words = []
    for noun, was, gone in (
        ("folder", changes.folders, changes.gone_folders),
        ("file", changes.files, changes.gone_files),
    ):
        new = sum(before is None for before in was.values())
        if changed := len(was) - new:
            words.append(f"{count(changed, noun)} with another verdict")
        if new:
            words.append(count(new, f"new {noun}"))
        if gone:
            words.append(f"{count(len(gone), noun)} gone")
    listed = changes.gone_files if settings.files else [*changes.gone_folders, *changes.untold_gone_files]
    lines = [f"Gone: {printable(path)}" for path in listed[:_MOST_GONE]]
    if len(listed) > _MOST_GONE:
        lines.append(f"Gone: {len(listed) - _MOST_GONE:,} more")
    lines.append(f"Since the report of {printable(moment(changes.since))}: {', '.join(words)}.")
    if changes.other_settings:
        lines.append(f"The {other_settings(changes)}.")
    return lines


def _untold(files: list[FileVerdict], changes: Changes) -> list[FileVerdict]:
    """Return the files that have changed in folders whose verdict has not; what is not in the haystack comes first."""
    untold = set(changes.untold_files)
    return sorted((file for file in files if file.path in untold), key=lambda file: (file.state in SETTLED, file.path))


def _folder_table(folders: list[FolderVerdict], page: Page, width: int, changes: Changes | None) -> Table:
    """Make a row a folder; a narrow screen gets fewer numbers, so that paths stay whole.

    No file is counted in two rows: where subfolders have rows of their own, a folder's row counts what lies directly
    in it. Where only changes are told, each row tells of a whole subtree.
    """
    rows = [folder if folder.own is None or changes is not None else folder.own for folder in folders]
    counts = {
        "Missing": [row.missing for row in rows],
        "Similar": [row.similar for row in rows],
        "Unreadable": [row.unreadable for row in rows],
        "Skipped": [row.skipped for row in rows],
        "On your word": [row.decided for row in rows],
        "Set aside": [row.set_aside for row in rows],
        "Empty": [row.empty for row in rows],
    }
    if width < _WIDE:
        not_there = [row.not_there for row in rows]
        kept = ("Skipped", "On your word", "Set aside", "Empty")
        counts = {"Not there": not_there, **{name: counts[name] for name in kept}}
    named = {name: numbers for name, numbers in counts.items() if any(numbers)}
    table = page.table()
    table.add_column("Verdict", no_wrap=True)
    if changes is not None:
        table.add_column("Was", no_wrap=True)
    if width >= _NARROW:
        for name in ("Present", *named, "Size"):
            table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Folder", overflow="fold")
    for place, (folder, row) in enumerate(zip(folders, rows, strict=True)):
        numbers = [f"{numbers[place]:,}" if numbers[place] else "" for numbers in named.values()]
        left = size(row.bytes_not_present) if row.bytes_not_present else ""
        present = f"{row.present:,} of {row.files:,}"
        numbers = [present, *numbers, left] if width >= _NARROW else []
        before = [] if changes is None else [Text(changes.folders[folder.path] or "new")]
        path = Text(printable(folder.path))
        if row is not folder:
            path.append(" (directly in it)", style="dim")
        table.add_row(page.verdict(folder.state.value, " (plan)" if folder.is_plan else ""), *before, *numbers, path)
    return table


def _file_table(files: list[FileVerdict], page: Page, changes: Changes | None, pairs: Mapping[str, Pair]) -> Table:
    """Make a row a file, or a pair of two files of one shot."""
    table = page.table()
    table.add_column("Verdict", no_wrap=True)
    if changes is not None:
        table.add_column("Was", no_wrap=True)
    table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("File", overflow="fold")
    listed = {file.path for file in files} if pairs else set()
    for file in files:
        pair = pairs.get(file.path)
        if pair is not None:
            if pair.is_first or pair.other.path not in listed:
                _add_pair(table, page, file, pair, is_whole=pair.other.path in listed)
            continue
        cell = Text(printable(file.path))
        for fact in _facts(file):
            cell.append(f"\n- {fact}", style="dim")
        before = [] if changes is None else [Text(changes.files[file.path] or "new")]
        table.add_row(page.verdict(file.state.value), *before, size(file.size_bytes), cell)
    return table


def _facts(file: FileVerdict) -> list[str]:
    """Say what a verdict rests on: the witness and the reason, as far as there are such."""
    facts = []
    if file.witness is not None and file.evidence is not None:
        bits = f" ({count(file.distance_bits, 'bit')} apart)" if file.distance_bits and is_of_wholes(file) else ""
        facts.append(f"{likeness(file)} {printable(file.witness)}{bits}")
    if reason := sentences(file.reasons):
        facts.append(printable(reason))
    return facts


def _add_pair(table: Table, page: Page, file: FileVerdict, pair: Pair, *, is_whole: bool) -> None:
    """Add a row for two files of one shot, with the verdict on each where they differ.

    ``is_whole`` tells whether both were to be listed; else the row is about ``file`` and tells of the other.
    """
    partner = pair.other
    name = partner.path.rpartition(os.sep)[2]
    cell = Text(f"{printable(file.path)} + {printable(name)} ({pair.kind})")
    is_alike = is_whole and file.state is partner.state
    for half in (file, partner):
        own = printable(half.path.rpartition(os.sep)[2])
        facts = _facts(half)
        if not is_alike:
            facts = [f"{half.state.value}, {fact}" for fact in facts] or [half.state.value]
        for fact in facts:
            cell.append(f"\n- {own}: {fact}", style="dim")
    worst = min((file, partner), key=lambda half: _URGENCY.index(half.state)) if is_whole else file
    total = file.size_bytes + partner.size_bytes if is_whole else file.size_bytes
    table.add_row(page.verdict(worst.state.value), size(total), cell)


def _summary(report: Report, settings: ReportSettings, *, has_rows: bool) -> list[str]:
    """Write a sentence with the answer, what could not be looked at, and what to do next."""
    total = ending.holding(report)
    aside = [*ending.set_aside(report), *ending.about_sidecars(report), *ending.empty_files(report)]
    left = ending.left(report)
    skipped = sum(problem.is_gap for problem in report.problems)
    rests_on = [
        *map(catalog_line, report.catalogs),
        *map(server_line, report.servers),
        *map(bucket_line, report.buckets),
    ]
    lines = ["", *rests_on] if has_rows else rests_on
    if report.settings.quick:
        lines += [f"{QUICK}.", ""]
    if not has_rows and settings.is_filtered:
        lines += ["No file has such a verdict." if settings.files else "No folder has such a verdict.", ""]
    if not total and not skipped:
        return [*lines, *(aside or ["There are no files among the needles."])]
    word = _on_your_word(report)
    if not left and not skipped:
        every = "The only file is" if total == 1 else f"All {total:,} files are"
        contained = "by plan, every needle folder is contained" if report.plans else "every needle folder is contained"
        conclusion = f": {contained}" if report.folders or not settings.files else ""
        lines += [f"{every} {ending.where(report)}{conclusion}.", *aside, *word]
        return lines + _end(report, settings)
    if left:
        parts = [
            f"{number:,} {state.value}"
            for state in (FileState.MISSING, FileState.SIMILAR, FileState.UNREADABLE)
            if (number := ending.number_in(left, state))
        ]
        total_size = size(ending.bytes_of(left))
        verb = "is" if len(left) == 1 else "are"
        lines.append(
            f"{len(left):,} of {count(total, 'file')} ({total_size}) {verb} not in the haystack: {', '.join(parts)}."
        )
    elif total:
        lines.append("What could be looked at is in the haystack.")
    if skipped:
        were = "was" if skipped == 1 else "were"
        items = count(skipped, "item")
        lines.append(f"{items} among the needles {were} skipped and may hold more; -v names all.")
    lines += [*aside, *word]
    return lines + _end(report, settings)


def _end(report: Report, settings: ReportSettings) -> list[str]:
    """Say what is missing, what needs eyes, and what can go.

    Not where the user has chosen what is listed, or asked for changes only: a mail of a cron job stays short.
    """
    if settings.is_filtered or settings.is_of_changes:
        return []
    lines = (
        ending.what_is_missing(report)
        + ending.films_by_bytes(report)
        + ending.pictures_as_wholes(report)
        + ending.needs_eyes(report)
        + ending.better_needles(report)
    )
    lines += [] if report.settings.quick else ending.can_go(report)
    return lines


def _next(report: Report, settings: ReportSettings, width: int) -> list[str]:
    """Return the commands for each next step, broken so that a shell takes them as they are copied."""
    lines = []
    for text, words in ending.next_commands(report, settings.again, has_page=settings.html is not None):
        lines += ["", f"Next, {text}:"]
        line = " "
        for word in map(shlex.quote, map(printable, words)):
            if len(line) + len(word) + len(" \\") >= width and line.strip():
                lines.append(f"{line} \\")
                line = "   "
            line = f"{line} {word}"
        lines.append(line)
    return lines


def _on_your_word(report: Report) -> list[str]:
    """Say how many verdicts rest on the word of a person; nothing where nobody was asked."""
    if report.decided is None:
        return []
    numbers = Counter(report.decided.values())
    parts = [
        f"{number:,} {said}"
        for word, said in (("same", "the same picture"), ("different", "different"), ("not-wanted", "not wanted"))
        if (number := numbers[word])
    ]
    return [f"On your word: {', '.join(parts)} (--decisions)." if parts else "No verdict rests on your word."]
