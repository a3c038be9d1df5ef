"""Reports of a scan, made by hand."""

from __future__ import annotations

from typing import Any

from dupfind.reasons import Reason, ReasonCode
from dupfind.values import (
    Evidence,
    FileState,
    FileVerdict,
    FolderState,
    FolderVerdict,
    HaystackSummary,
    Kind,
    Problem,
    Report,
    ScanSettings,
)

SETTINGS = ScanSettings(("hay",), ("n",), "phash", 8, Evidence.SAME, rotations=True)


def file(path: str, state: FileState, **facts: Any) -> FileVerdict:
    """One file's verdict."""
    values: dict[str, Any] = {"evidence": None, "witness": None, "distance_bits": None, **facts}
    return FileVerdict(path, Kind.IMAGE, state, 1000, **values)


def reading(words: str) -> tuple[Reason, ...]:
    """The reason that a decoder gives, in its own words."""
    return (Reason(ReasonCode.UNREADABLE, (words,)),)


def folder(
    path: str, state: FolderState, present: int = 0, missing: int = 0, *, is_shown: bool = True
) -> FolderVerdict:
    """One folder's verdict."""
    return FolderVerdict(path, state, present, 0, missing, 0, 0, 1000 * missing, is_shown)


def report(
    files: list[FileVerdict], folders: list[FolderVerdict] | None = None, problems: list[Problem] | None = None
) -> Report:
    """An answer."""
    return Report(
        "1.0",
        "2026-11-21T12:00:00+00:00",
        1.5,
        SETTINGS,
        folders or [],
        files,
        problems or [],
        HaystackSummary(9, 7, 1),
    )


ANSWER = report(
    [
        file("n/a/1.jpg", FileState.PRESENT, evidence=Evidence.IDENTICAL, witness="hay/1.jpg"),
        file("n/b/2.jpg", FileState.MISSING),
        file(
            "n/b/3.jpg",
            FileState.SIMILAR,
            evidence=Evidence.SIMILAR,
            witness="hay/3.jpg",
            distance_bits=4,
            reasons=(Reason(ReasonCode.MIRRORED),),
        ),
    ],
    [
        folder("n", FolderState.PARTIAL, 1, 2, is_shown=False),
        folder("n/a", FolderState.CONTAINED, 1),
        folder("n/b", FolderState.MISSING, 0, 2),
    ],
)
