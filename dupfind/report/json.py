"""JSON and JSON lines, schema ``dupfind.scan/1``: new keys may come, none changes its meaning."""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from dupfind.answers.changes import Changes
from dupfind.reasons import Reason, is_fragment
from dupfind.report import ending, reasons
from dupfind.report.choice import Choice
from dupfind.report.places import parts_of
from dupfind.report.text import OBEYED, valid_text
from dupfind.values import Cataloged, FileState, FileVerdict, FolderState, FolderVerdict, Problem, Report, ScanSettings

SCHEMA = "dupfind.scan/1"


def render(report: Report, choice: Choice) -> bytes:
    """Render one object with everything; ``--only`` and ``--baseline`` thin out its lists, never its summary."""
    whole = {
        **_head(report),
        **_baseline(choice.changes),
        "folders": _folders(report, choice),
        "files": _files(report, choice),
        "problems": list(map(sided_problem, report.problems)),
    }
    return encoded(whole)


def render_lines(report: Report, choice: Choice) -> bytes:
    """Render a line a file, a line a folder, and the summary last, each with its ``type``."""
    lines: list[dict[str, Any]] = [{"type": "file", **file} for file in _files(report, choice)]
    lines += [{"type": "folder", **folder} for folder in _folders(report, choice)]
    problems = list(map(sided_problem, report.problems))
    lines.append({"type": "summary", **_head(report), **_baseline(choice.changes), "problems": problems})
    return encoded_lines(lines)


def encoded(whole: object) -> bytes:
    """Write one JSON document, indented by one blank."""
    return (_dumps(whole, indent=1) + "\n").encode()


def encoded_lines(lines: Iterable[object]) -> bytes:
    """Write a line of JSON for each of ``lines``."""
    return "".join(_dumps(line) + "\n" for line in lines).encode()


def _dumps(value: object, indent: int | None = None) -> str:
    """Write JSON as all our reports spell it: any script as it is, without blanks where it is not indented.

    What a terminal obeys or takes for the end of a line is escaped, which JSON itself asks only below U+0020.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
    return OBEYED.sub(lambda match: json.dumps(match[0])[1:-1], text)


def _head(report: Report) -> dict[str, Any]:
    folders = Counter(folder.state for folder in report.folders if not folder.is_plan)
    planned = Counter(folder.state for folder in report.folders if folder.is_plan)
    files = Counter(file.state for file in report.files)
    settings, haystack = report.settings, report.haystack
    return {
        "schema": SCHEMA,
        "dupfind": report.version,
        "started": report.started,
        "elapsed_seconds": report.elapsed_seconds,
        "settings": {
            "haystack": [valid_text(path) for path in settings.haystack],
            "needles": [valid_text(path) for path in settings.needles],
            **how_compared(settings),
            "paranoid": settings.paranoid,
            "quick": settings.quick,
            "disregard": [valid_text(pattern) for pattern in settings.disregard],
            "sidecars": settings.sidecars,
        },
        "summary": {
            "folders": _by_state(folders),
            **({"plan": _by_state(planned)} if report.plans else {}),
            "files": {state.value: files[state] for state in FileState},
            "sidecars": ending.sidecars(report),
            "films_by_bytes": report.films_by_bytes,
            "haystack": {
                "files": haystack.files,
                "images": haystack.images,
                "unreadable": haystack.unreadable,
            },
        },
        **catalogs(report.catalogs),
        **({"servers": [server._asdict() for server in report.servers]} if report.servers else {}),
        **({"buckets": [bucket._asdict() for bucket in report.buckets]} if report.buckets else {}),
    }


def _by_state(folders: Mapping[FolderState, int]) -> dict[str, int]:
    order = FolderState.CONTAINED, FolderState.REVIEW, FolderState.PARTIAL, FolderState.MISSING
    return {state.value: folders.get(state, 0) for state in order}


def how_compared(settings: ScanSettings) -> dict[str, Any]:
    """List the settings that decide what is a copy."""
    return {
        "algorithm": settings.algorithm,
        "threshold_bits": settings.threshold_bits,
        "accept": settings.accept.value,
        "rotations": settings.rotations,
    }


def catalogs(cataloged: Iterable[Cataloged]) -> dict[str, Any]:
    """Name what an answer rests on besides folders; no key where it rests on none."""
    rows = [
        {
            **named_path("path", catalog.path),
            **named_path("root", catalog.root),
            "updated": catalog.updated,
            "age_seconds": catalog.age_seconds,
            "files": catalog.files,
            "is_complete": catalog.is_complete,
            "is_elsewhere": catalog.is_elsewhere,
            "side": catalog.side.value,
        }
        for catalog in cataloged
    ]
    return {"catalogues": rows} if rows else {}


def _baseline(changes: Changes | None) -> dict[str, Any]:
    if changes is None:
        return {}
    gone = {
        "folders": [named_path("path", path) for path in changes.gone_folders],
        "files": [named_path("path", path) for path in changes.gone_files],
    }
    return {"baseline": {"started": changes.since, "other_settings": list(changes.other_settings), "gone": gone}}


def _folders(report: Report, choice: Choice) -> list[dict[str, Any]]:
    rows = [_folder(folder) for folder in choice.folders]
    for row, folder in zip(rows, choice.folders, strict=True):
        if report.decided is not None:
            row |= {"decided": folder.decided}
        if choice.changes is not None:
            row["was"] = choice.changes.folders[folder.path]
    return rows


def _files(report: Report, choice: Choice) -> list[dict[str, Any]]:
    rows = [_file(file) for file in choice.files]
    for row, file in zip(rows, choice.files, strict=True):
        if report.decided is not None:
            row["decision"] = report.decided.get(file.path)
        if choice.changes is not None:
            row["was"] = choice.changes.files[file.path]
    return rows


def _folder(folder: FolderVerdict) -> dict[str, Any]:
    return {
        **named_path("path", folder.path),
        "verdict": folder.state.value,
        "present": folder.present,
        "similar": folder.similar,
        "missing": folder.missing,
        "unreadable": folder.unreadable,
        "skipped": folder.skipped,
        "bytes_not_present": folder.bytes_not_present,
        "unwanted": folder.unwanted,
        "set_aside": folder.set_aside,
        "empty": folder.empty,
        "plan": folder.is_plan,
    }


def _file(file: FileVerdict) -> dict[str, Any]:
    return {
        **named_path("path", file.path),
        "kind": file.kind.value,
        "verdict": file.state.value,
        "evidence": file.evidence.value if file.evidence else None,
        **named_path("witness", file.witness),
        "distance_bits": file.distance_bits,
        "score": file.score,
        **reasons.as_json(file.reasons),
        "size_bytes": file.size_bytes,
        **fragment(file.reasons),
    }


def fragment(given: Iterable[Reason]) -> dict[str, Any]:
    """Tell where the part lies that a needle and its witness have in common; no key where there is none."""
    for reason in given:
        if is_fragment(reason):
            parts = parts_of(reason.facts)
            also = [{**named_path("path", path), "needle": list(box)} for path, box in parts.more]
            boxes = {"needle": list(parts.ours), "witness": list(parts.theirs)}
            return {"fragment": {**boxes, "alike_percent": parts.alike_percent, "degrees": parts.degrees, "also": also}}
    return {}


def problem_facts(problem: Problem) -> dict[str, Any]:
    """Return a problem of a command that knows no sides."""
    return {**named_path("path", problem.path), "stage": problem.stage, "reason": valid_text(problem.reason)}


def sided_problem(problem: Problem) -> dict[str, Any]:
    """Return a problem of a command that compares a haystack and needles."""
    path, reason = named_path("path", problem.path), valid_text(problem.reason)
    return {**path, "side": problem.side.value, "stage": problem.stage, "reason": reason}


def named_path(key: str, path: str | None) -> dict[str, str | None]:
    """Put a path under ``key``, and its bytes under a second key where it is no valid UTF-8."""
    if path is None or _is_text(path):
        return {key: path}
    return {key: valid_text(path), f"{key}_bytes": base64.b64encode(os.fsencode(path)).decode("ascii")}


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
