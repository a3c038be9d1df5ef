"""JSON and JSON lines, schema ``dupfind.scan/1``: new keys may come, none changes its meaning."""

from __future__ import annotations

import base64
import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from dupfind.answers.changes import Changes
from dupfind.report import ending, reasons
from dupfind.report.choice import Choice
from dupfind.report.text import OBEYED, clean
from dupfind.values import Cataloged, FileState, FileVerdict, FolderState, FolderVerdict, Problem, Report, ScanSettings

SCHEMA = "dupfind.scan/1"


def render(report: Report, choice: Choice) -> bytes:
    """One object with everything; ``--only`` and ``--baseline`` thin out its two lists and never its summary."""
    whole = {
        **_head(report),
        **_baseline(choice.changes),
        "folders": _folders(report, choice),
        "files": _files(report, choice),
        "problems": [_problem(one) for one in report.problems],
    }
    return (dumps(whole, indent=1) + "\n").encode()


def render_lines(report: Report, choice: Choice) -> bytes:
    """A line a file, a line a folder, and the summary last, each with its ``type``."""
    lines: list[dict[str, Any]] = [{"type": "file", **one} for one in _files(report, choice)]
    lines += [{"type": "folder", **one} for one in _folders(report, choice)]
    problems = [_problem(one) for one in report.problems]
    lines.append({"type": "summary", **_head(report), **_baseline(choice.changes), "problems": problems})
    return "".join(dumps(line) + "\n" for line in lines).encode()


def dumps(value: object, indent: int | None = None) -> str:
    """JSON as all our reports spell it: any script as it is, without blanks where it is not indented.

    What a terminal obeys or takes for the end of a line is escaped, which JSON itself asks only below U+0020.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
    return OBEYED.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _head(report: Report) -> dict[str, Any]:
    folders = Counter(one.state for one in report.folders)
    files = Counter(one.state for one in report.files)
    settings, haystack = report.settings, report.haystack
    return {
        "schema": SCHEMA,
        "dupfind": report.version,
        "started": report.started,
        "elapsed_seconds": report.elapsed_seconds,
        "settings": {
            "haystack": [clean(path) for path in settings.haystack],
            "needles": [clean(path) for path in settings.needles],
            **how_compared(settings),
            "paranoid": settings.paranoid,
            "quick": settings.quick,
            "disregard": [clean(pattern) for pattern in settings.disregard],
            "sidecars": settings.sidecars,
        },
        "summary": {
            "folders": {
                state.value: folders[state]
                for state in (FolderState.CONTAINED, FolderState.REVIEW, FolderState.PARTIAL, FolderState.MISSING)
            },
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
    }


def how_compared(settings: ScanSettings) -> dict[str, Any]:
    """The settings that decide what is a copy."""
    return {
        "algorithm": settings.algorithm,
        "threshold_bits": settings.threshold_bits,
        "accept": settings.accept.value,
        "rotations": settings.rotations,
    }


def catalogs(cataloged: Iterable[Cataloged]) -> dict[str, Any]:
    """What an answer rests on besides folders; no key where it rests on none."""
    found = [
        {
            **named_path("path", one.path),
            **named_path("root", one.root),
            "updated": one.updated,
            "age_seconds": one.age_seconds,
            "files": one.files,
            "is_complete": one.is_complete,
        }
        for one in cataloged
    ]
    return {"catalogues": found} if found else {}


def _baseline(changes: Changes | None) -> dict[str, Any]:
    if changes is None:
        return {}
    gone = {
        "folders": [named_path("path", path) for path in changes.gone_folders],
        "files": [named_path("path", path) for path in changes.gone_files],
    }
    return {"baseline": {"started": changes.since, "other_settings": list(changes.other_settings), "gone": gone}}


def _folders(report: Report, choice: Choice) -> list[dict[str, Any]]:
    rows = [_folder(one) for one in choice.folders]
    for row, one in zip(rows, choice.folders, strict=True):
        if report.decided is not None:
            row |= {"decided": one.decided}
        if choice.changes is not None:
            row["was"] = choice.changes.folders[one.path]
    return rows


def _files(report: Report, choice: Choice) -> list[dict[str, Any]]:
    rows = [_file(one) for one in choice.files]
    for row, one in zip(rows, choice.files, strict=True):
        if report.decided is not None:
            row["decision"] = report.decided.get(one.path)
        if choice.changes is not None:
            row["was"] = choice.changes.files[one.path]
    return rows


def _folder(one: FolderVerdict) -> dict[str, Any]:
    return {
        **named_path("path", one.path),
        "verdict": one.state.value,
        "present": one.present,
        "similar": one.similar,
        "missing": one.missing,
        "unreadable": one.unreadable,
        "skipped": one.skipped,
        "bytes_not_present": one.bytes_not_present,
        "unwanted": one.unwanted,
        "set_aside": one.set_aside,
        "empty": one.empty,
    }


def _file(one: FileVerdict) -> dict[str, Any]:
    return {
        **named_path("path", one.path),
        "kind": one.kind.value,
        "verdict": one.state.value,
        "evidence": one.evidence.value if one.evidence else None,
        **named_path("witness", one.witness),
        "distance_bits": one.distance_bits,
        "score": one.score,
        **reasons.as_json(one.reasons),
        "size_bytes": one.size_bytes,
    }


def _problem(one: Problem) -> dict[str, Any]:
    return {**named_path("path", one.path), "side": one.side.value, "stage": one.stage, "reason": clean(one.reason)}


def named_path(key: str, path: str | None) -> dict[str, str | None]:
    """A path under ``key``, and its bytes under a second key where it is no valid UTF-8."""
    if path is None or _is_text(path):
        return {key: path}
    return {key: clean(path), f"{key}_bytes": base64.b64encode(os.fsencode(path)).decode("ascii")}


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
