"""``dupfind groups`` for people, and for programs: JSON with the schema ``dupfind.groups/1``, CSV and paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from dupfind.answers.groups import Group, GroupsResult, Member
from dupfind.report import Screen
from dupfind.report.csv import cell, lines
from dupfind.report.json import catalogs, encoded, encoded_lines, fragment, named_path, problem_facts
from dupfind.report.look import UNBOUNDED, Page
from dupfind.report.paths import listed
from dupfind.report.reasons import IN_A_GROUP, as_json, sentences
from dupfind.report.text import catalog_line, count, printable, size, valid_text
from dupfind.settings import Format
from dupfind.values import Evidence

SCHEMA = "dupfind.groups/1"
_NARROW = 60
_BESIDE = 44
"""Columns that the table needs beside the path, with its numbers."""
_CSV_COLUMNS = ("group", "stack", "path", "is_best", "evidence", "distance_bits", "score", "reason", "size_bytes",
                "frees_bytes", "width", "height", "format", "captured", "modified")  # fmt: skip
_NONE = {
    Evidence.IDENTICAL: "no two files have the same bytes",
    Evidence.SAME: "no two files are copies of each other",
    Evidence.SIMILAR: "no two files are copies of each other or look alike",
}


def render(answer: GroupsResult, format_: Format, screen: Screen, *, print0: bool) -> bytes:
    """Render the answer in this format."""
    match format_:
        case Format.TABLE:
            return _table(answer, screen)
        case Format.JSON:
            whole = {
                **_head(answer),
                "groups": [_group(group) for group in answer.groups],
                "problems": list(map(problem_facts, answer.problems)),
            }
            return encoded(whole)
        case Format.JSONL:
            shown: list[dict[str, Any]] = [{"type": "group", **_group(group)} for group in answer.groups]
            shown.append({"type": "summary", **_head(answer), "problems": list(map(problem_facts, answer.problems))})
            return encoded_lines(shown)
        case Format.CSV:
            return lines([_CSV_COLUMNS, *_rows(answer.groups)], screen)
        case Format.PATHS:
            return listed([member.path for member in answer.removable], screen, print0=print0)


def _table(answer: GroupsResult, screen: Screen) -> bytes:
    page = Page(screen)
    if answer.groups:
        _list(answer.groups, page, screen.width if screen.is_terminal else UNBOUNDED)
        page.add("")
    for line in [*map(catalog_line, answer.catalogs), *_summary(answer)]:
        page.add(line, wrap=True)
    return page.encoded()


def _list(groups: Sequence[Group], page: Page, width: int) -> None:
    """Add a row a member, the best of its group first.

    Where a path would not fit beside the numbers they stand below it, and a narrow screen gets none.
    """
    table = page.table()
    longest = max(len(printable(member.path)) for group in groups for member in group.members)
    is_wide = width >= max(_NARROW, longest + _BESIDE)
    has_pixels = is_wide and any(member.width for group in groups for member in group.members)
    table.add_column("Group", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    if has_pixels:
        table.add_column("Pixels", justify="right", no_wrap=True)
    if is_wide:
        table.add_column("Size", justify="right", no_wrap=True)
    table.add_column("File", overflow="fold")
    for number, group in enumerate(groups, start=1):
        for member in group.members:
            name = f"{number:,}" if member is group.best else ""
            word = page.verdict(member.evidence.value if member.evidence else "best")
            pixels = f"{member.width} x {member.height}" if member.width else ""
            size_ = size(member.size_bytes)
            numbers = [*([pixels] if has_pixels else []), size_] if is_wide else []
            below = [] if is_wide or width < _NARROW else [*filter(None, (pixels, size_))]
            table.add_row(name, word, *numbers, _file(member, group, below))
        if group is not groups[-1]:
            table.add_row()
    page.add(table)


def _file(member: Member, group: Group, numbers: Sequence[str]) -> Text:
    """Write the path, with what is to be said of the file below it."""
    cell_text = Text(printable(member.path))
    if member is group.best:
        those = "the other frees" if len(group.others) == 1 else "the others free"
        said = f"best: {group.why_best}" + (f"; {those} {size(group.frees_bytes)}" if group.frees_bytes else "")
    else:
        said = printable(sentences(member.reasons, IN_A_GROUP) or "")
        is_own = member.stack != 0 and member.evidence is not Evidence.SIMILAR
        said = "; ".join(filter(None, ("a copy of the similar one above" if is_own else "", said)))
    said = "; ".join(filter(None, (said, ", ".join(numbers))))
    if said:
        cell_text.append(f"\n- {said}", style="dim")
    return cell_text


def _summary(answer: GroupsResult) -> list[str]:
    """Write a sentence with the answer, and what it is not."""
    looked = f"{count(answer.files, 'file')} looked at"
    if answer.pictures is not None:
        looked += f", {count(answer.pictures, 'picture')} among them"
    if not answer.groups:
        return [f"{looked}: {_NONE[answer.level]}."]
    not_best = sum(1 for _ in answer.others)
    members = not_best + len(answer.groups)
    summary = f"{looked}: {members:,} are in {count(len(answer.groups), 'group')}."
    freed = f"{count(not_best, 'file')} that {'is' if not_best == 1 else 'are'} not the best would free"
    shown = [f"{summary} The {freed} {size(answer.frees_bytes)}."]
    similar = sum(member.evidence is Evidence.SIMILAR for member in answer.others)
    if similar:
        shown.append(
            f"{similar:,} of them {'is similar: another picture' if similar == 1 else 'are similar: other pictures'}. "
            "Look first."
        )
    kept = not_best - sum(1 for _ in answer.removable)
    but = "" if not kept else f", but for {count(kept, 'file')} that may hold what the best does not"
    shown.append(f"Nothing was deleted; --format paths lists those that are not the best{but}.")
    return shown


def _head(answer: GroupsResult) -> dict[str, Any]:
    not_best = list(answer.others)
    return {
        "schema": SCHEMA,
        "dupfind": answer.version,
        "settings": {
            "folders": [valid_text(path) for path in answer.folders],
            "level": answer.level.value,
            "algorithm": answer.algorithm,
            "threshold_bits": answer.threshold_bits,
            "rotations": answer.rotations,
        },
        "summary": {
            "files": answer.files,
            "pictures": answer.pictures,
            "groups": len(answer.groups),
            "members": len(not_best) + len(answer.groups),
            "not_best": {grade.value: sum(member.evidence is grade for member in not_best) for grade in Evidence},
            "frees_bytes": answer.frees_bytes,
        },
        **catalogs(answer.catalogs),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "evidence": group.evidence.value,
        **named_path("best", group.best.path),
        "why_best": group.why_best,
        "stacks": group.stacks,
        "frees_bytes": group.frees_bytes,
        "members": [_member(member, group) for member in group.members],
    }


def _member(member: Member, group: Group) -> dict[str, Any]:
    return {
        **named_path("path", member.path),
        "is_best": member is group.best,
        "stack": member.stack,
        "evidence": member.evidence.value if member.evidence else None,
        "distance_bits": member.distance_bits,
        "score": member.score,
        **as_json(member.reasons, IN_A_GROUP),
        **fragment(member.reasons),
        "size_bytes": member.size_bytes,
        "frees_bytes": member.frees_bytes,
        "width": member.width,
        "height": member.height,
        "format": member.format,
        "captured": member.captured,
        "modified": _moment(member.mtime_ns),
    }


def _rows(groups: Iterable[Group]) -> Iterable[Sequence[object]]:
    for number, group in enumerate(groups, start=1):
        for member in group.members:
            facts = _member(member, group)
            yield tuple(number if name == "group" else _cell(name, facts[name]) for name in _CSV_COLUMNS)


def _cell(name: str, value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return cell(value) if isinstance(value, str) and name in ("path", "reason") else value


def _moment(time_ns: int) -> str | None:
    """Write when a file was last changed: ISO 8601 in UTC, to the second; None for what no calendar has."""
    try:
        return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None
