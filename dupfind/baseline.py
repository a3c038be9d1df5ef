"""An earlier report, read back from its JSON."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from dupfind.answers.changes import Baseline
from dupfind.errors import option_error, reason_of
from dupfind.report.json import SCHEMA
from dupfind.values import FileState, FolderState

State = TypeVar("State", FileState, FolderState)


def read(path: str) -> Baseline:
    """Read the report in the file ``path``; raises :class:`~dupfind.errors.SettingsError` where it is no whole one."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise option_error("--baseline", f"{path}: {reason_of(error)}") from error
    try:
        return _parse(data)
    except _PartError:
        raise option_error("--baseline", f"{path}: only a part of a report (--only, --baseline); use --save") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise option_error("--baseline", f"{path}: not a report as --save or --format json writes it") from None


class _PartError(Exception):
    """Not everything that the report counts is listed in it."""


def _parse(data: bytes) -> Baseline:
    report = json.loads(data)
    if report["schema"] != SCHEMA:
        raise ValueError
    folders, files = report["folders"], report["files"]
    summary = report["summary"]
    if (len(folders), len(files)) != tuple(sum(summary[key].values()) for key in ("folders", "files")):
        raise _PartError
    datetime.fromisoformat(report["started"])
    return Baseline(
        started=report["started"],
        settings=dict(report["settings"]),
        folders=dict(_verdicts(folders, FolderState)),
        files=dict(_verdicts(files, FileState)),
    )


def _verdicts(rows: Sequence[dict[str, Any]], states: type[State]) -> Iterator[tuple[str, State]]:
    for row in rows:
        packed = row.get("path_bytes")
        path = row["path"] if packed is None else os.fsdecode(base64.b64decode(packed, validate=True))
        if not isinstance(path, str):
            raise TypeError
        os.fsencode(path)  # no file has a name for which this fails
        yield path, states(row["verdict"])
